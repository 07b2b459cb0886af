"""Readings as events of a lane."""

import msgspec

from api.events import Hold, InUse, Outage, Passage, events
from api.lane import Look
from hoflicht import Reading
from hoflicht.catalogue import Role, Sensor
from tests.lane import AT_CONTROL, YARD

FULL = msgspec.structs.replace(
    AT_CONTROL,
    sensors={
        **AT_CONTROL.sensors,
        "gate-out": Sensor(role=Role.YARD_EXIT),
        "lane-3": Sensor(role=Role.LANE, position_m=3),
        "barrier": Sensor(role=Role.GATE),
        "bay-1": Sensor(role=Role.BAY),
        "bay-2": Sensor(role=Role.BAY),
        "air": Sensor(),
    },
)


def said(sensor: str, quantity: str, second: float, value: float) -> Reading:
    return Reading(YARD, sensor, quantity, round(second * 1000), value)


def test_passages_are_cars_that_joined_or_left() -> None:
    told = [said("lane-in", "passage", 1, 1.0), said("gate-in", "passage", 2, 3.0), said("gate-out", "passage", 3, 1.0)]

    assert events(FULL, told) == [Passage(1_000, True, 1), Passage(2_000, False, 3)]  # who leaves the yard had left the lane before


def test_of_one_instant_joining_comes_before_leaving_and_what_is_seen_last() -> None:
    told = [
        said("lane-3", "presence", 5, 1.0),
        said("barrier", "held", 5, 1.0),
        said("gate-in", "port_open", 5, 0.0),
        said("gate-in", "passage", 5, 1.0),
        said("lane-in", "passage", 5, 1.0),
    ]

    kinds = [type(event) for event in events(FULL, told)]

    assert kinds == [Passage, Passage, Outage, Hold, Look, Look]
    assert [event.joined for event in events(FULL, told) if isinstance(event, Passage)] == [True, False]


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

    assert events(FULL, told) == [InUse(110_000, 2)]


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
