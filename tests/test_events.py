"""Readings as events of a lane."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from api.estimate.events import Hold, InUse, MovedUp, Outage, Passage, events
from api.estimate.lane import Look
from hoflicht import Reading
from hoflicht.catalogue import Role, Sensor
from tests.lane import AT_CONTROL, YARD

FULL = msgspec.structs.replace(
    AT_CONTROL,
    sensors={
        **AT_CONTROL.sensors,
        "gate-out": Sensor(role=Role.YARD_EXIT),
        "lane-3": Sensor(role=Role.LANE, position_m=3),
        "lane-50": Sensor(role=Role.LANE, position_m=50),
        "barrier": Sensor(role=Role.GATE),
        "bay-1": Sensor(role=Role.BAY),
        "bay-2": Sensor(role=Role.BAY),
        "air": Sensor(),
    },
)


def said(sensor: str, quantity: str, second: float, value: float) -> Reading:
    return Reading(YARD, sensor, quantity, round(second * 1000), value)


def moves(*told: Reading) -> list[MovedUp]:
    return [event for event in events(FULL, told) if isinstance(event, MovedUp)]


def test_passages_are_cars_that_joined_or_left() -> None:
    told = [said("lane-in", "passage", 1, 1.0), said("gate-in", "passage", 2, 3.0), said("gate-out", "passage", 3, 1.0)]

    assert events(FULL, told) == [Passage(1_000, True, 1), Passage(2_000, False, 3)]  # who leaves the yard had left the lane before


def test_of_one_instant_joining_comes_before_leaving_and_what_is_seen_last() -> None:
    told = [
        said("lane-3", "presence", 4, 1.0),
        said("lane-3", "presence", 5, 0.0),
        said("barrier", "held", 5, 1.0),
        said("gate-in", "port_open", 5, 0.0),
        said("gate-in", "passage", 5, 1.0),
        said("lane-in", "passage", 5, 1.0),
    ]

    at_once = [event for event in events(FULL, told) if event.at_ms == 5_000]

    assert [type(event) for event in at_once] == [Passage, Passage, MovedUp, Outage, Hold, Look]
    assert [event.joined for event in at_once if isinstance(event, Passage)] == [True, False]


def test_a_gate_is_held_and_released() -> None:
    told = [said("barrier", "held", 1, 1.0), said("barrier", "held", 9, 0.0)]

    assert events(FULL, told) == [Hold(1_000, "barrier", True), Hold(9_000, "barrier", False)]


def test_a_counter_is_out_while_its_port_is_gone() -> None:
    told = [said("gate-in", "port_open", 1, 0.0), said("lane-3", "port_open", 2, 0.0), said("gate-in", "port_open", 9, 1.0)]

    assert events(FULL, told) == [Outage(1_000, "gate-in", True), Outage(9_000, "gate-in", False)]


def test_bays_are_in_use_when_all_have_spoken_and_nothing_has_changed_for_a_minute() -> None:
    told = [
        said("bay-1", "occupied", 0, 1.0),
        said("bay-2", "occupied", 10, 1.0),
        said("bay-2", "occupied", 30, 0.0),
        said("bay-2", "occupied", 50, 1.0),
        said("bay-1", "occupied", 300, 0.0),
    ]

    assert events(FULL, told) == [InUse(110_000, 2), InUse(360_000, 1)]


def test_bays_that_never_change_are_told_once() -> None:
    told = [said(bay, "occupied", second, 1.0) for second in range(0, 600, 60) for bay in ("bay-1", "bay-2")]

    assert events(FULL, told) == [InUse(60_000, 2)]


def test_a_bay_that_has_not_spoken_yet_may_be_free_or_taken() -> None:
    assert events(FULL, [said("bay-1", "occupied", second, 1.0) for second in (0, 300)]) == []


def test_a_head_of_the_lane_that_gets_free_is_a_car_that_went_in_told_at_once_and_when_another_must_be_gone() -> None:
    assert moves(said("lane-3", "presence", 10, 1.0), said("lane-3", "presence", 50, 0.0)) == [
        MovedUp(50_000, 50_000),
        MovedUp(110_000, 50_000),
    ]


def test_each_gap_between_cars_at_the_head_is_one_car() -> None:
    told = [said("lane-3", "presence", second, value) for second, value in ((0, 1.0), (9, 0.0), (12, 1.0), (20, 0.0), (23, 1.0))]

    assert {event.went_ms for event in moves(*told)} == {9_000, 20_000}


def test_a_head_that_stays_free_and_one_that_was_silent_long_before_tell_of_no_car() -> None:
    assert moves(said("lane-3", "presence", 0, 0.0), said("lane-3", "presence", 60, 0.0)) == []
    assert moves(said("lane-3", "presence", 0, 1.0), said("lane-3", "presence", 151, 0.0)) == []


def test_a_gap_farther_back_in_the_lane_is_nobody_who_went_in() -> None:
    assert moves(said("lane-50", "presence", 10, 1.0), said("lane-50", "presence", 50, 0.0)) == []


def test_a_passage_counts_whole_cars_and_never_less_than_none() -> None:
    told = [said("lane-in", "passage", 1, 1.6), said("lane-in", "passage", 2, -4.0)]

    assert [event.cars for event in events(FULL, told) if isinstance(event, Passage)] == [2, 0]


def test_what_is_not_of_the_lane_is_left_out() -> None:
    told = [
        said("air", "pm2_5", 1, 8.0),
        said("air", "passage", 2, 1.0),
        said("bell", "passage", 3, 1.0),
        said("lane-in", "speed", 4, 5.5),
        said("barrier", "port_open", 5, 0.0),
    ]

    assert events(FULL, told) == []


seconds = st.integers(0, 120).map(lambda ten: 10 * ten)  # so that what proves steady and what changes meet in one instant
spoken = st.one_of(
    st.builds(said, st.sampled_from(["lane-in", "gate-in", "gate-out"]), st.just("passage"), seconds, st.sampled_from([1.0, 2.0])),
    st.builds(said, st.sampled_from(["lane-3", "lane-50"]), st.just("presence"), seconds, st.sampled_from([0.0, 1.0])),
    st.builds(said, st.sampled_from(["bay-1", "bay-2"]), st.just("occupied"), seconds, st.sampled_from([0.0, 1.0])),
    st.builds(said, st.just("barrier"), st.just("held"), seconds, st.sampled_from([0.0, 1.0])),
    st.builds(said, st.just("staff"), st.just("hold"), seconds, st.sampled_from([0.0, 1.0, 60.0])),
    st.builds(said, st.just("gate-in"), st.just("port_open"), seconds, st.sampled_from([0.0, 1.0])),
)


@given(st.lists(spoken, max_size=60), seconds)
def test_what_was_told_until_an_instant_is_the_same_whatever_comes_later(told: list[Reading], until_s: int) -> None:
    readings = sorted(told, key=lambda reading: reading.at_ms)
    known = [reading for reading in readings if reading.at_ms <= 1_000 * until_s]

    whole, cut = ([event for event in events(FULL, some) if event.at_ms <= 1_000 * until_s] for some in (readings, known))

    assert whole == cut


@given(st.lists(spoken, max_size=40))
def test_events_come_in_order_of_time(told: list[Reading]) -> None:
    readings = sorted(told, key=lambda reading: reading.at_ms)

    times = [event.at_ms for event in events(FULL, readings)]

    assert times == sorted(times)
