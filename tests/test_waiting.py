"""What may be said of a yard's wait, and what may not."""

import datetime as dt
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.waiting import estimate, estimates, since
from hoflicht import Reading
from hoflicht.catalogue import City, Hours, Role, Sensor, Yard
from hoflicht.wait import State, Trend, Wait
from tests.lane import GAP_MIN, YARD, at, every, free_lane, held, joined, let_in, moving_head, ms, presence, steady_queue


def with_sensors(city: City, **sensors: Sensor) -> City:
    """The city with other sensors at hof-nord."""
    yard = msgspec.structs.replace(city.yards[YARD], sensors={name.replace("_", "-"): one for name, one in sensors.items()})
    return msgspec.structs.replace(city, yards={YARD: yard})


def test_nobody_waits_at_an_empty_yard(city: City) -> None:
    wait = estimate(YARD, city, free_lane(60), at(60))

    assert (wait.state, wait.p10_s, wait.p50_s, wait.p90_s, wait.queue) == (State.OPEN, 0, 0, 0, 0)


def test_a_car_that_rolls_through_a_free_lane_makes_no_wait(city: City) -> None:
    wait = estimate(YARD, city, free_lane(60) + joined(59.8), at(60))

    assert (wait.p50_s, wait.queue) == (0, 1)


def test_a_steady_queue_obeys_littles_law(city: City) -> None:
    wait = estimate(YARD, city, steady_queue(8, 90), at(90))

    # Eight cars at 45 cars an hour wait 640 s each; one who joins now waits for the eight and for his own turn: 720 s.
    assert wait.queue == 8
    assert wait.p50_s == pytest.approx(720, rel=0.15)


def test_the_rate_follows_what_was_counted_lately(city: City) -> None:
    usual = estimate(YARD, city, steady_queue(8, 90), at(90))
    slow = every(2 * GAP_MIN, 1.0, 90)
    events = joined(*[n * 0.01 for n in range(8)], *[m + 0.1 for m in slow]) + let_in(*slow) + moving_head(slow, 0.3, 90)

    halved = estimate(YARD, city, events, at(90))

    assert usual.p50_s is not None
    assert halved.p50_s == pytest.approx(2 * usual.p50_s, rel=0.25)


def test_a_free_head_of_the_lane_repairs_a_count_that_drifted(city: City) -> None:
    counted_twice = joined(*every(5, 10, 50), *every(5, 10.1, 50))
    left = let_in(*every(5, 10.3, 50))
    unrepaired = [r for r in free_lane(60) if r.sensor == "lane-120"]

    drifted = estimate(YARD, city, counted_twice + left + unrepaired, at(60))
    repaired = estimate(YARD, city, counted_twice + left + free_lane(60), at(60))

    assert (drifted.queue or 0) >= 5
    assert (repaired.queue, repaired.p50_s) == (0, 0)


def test_a_lane_sensor_raises_a_count_that_is_too_low(city: City) -> None:
    missed = joined(0.1, 0.2) + moving_head([], 0.3, 10) + presence("lane-50", 1, 10, True) + let_in(8.0)

    wait = estimate(YARD, city, missed, at(10))

    assert wait.queue is not None
    assert 7 <= wait.queue <= 11  # 50 m at 7 m a car


def test_a_free_lane_sensor_bounds_the_count(city: City) -> None:
    too_many = joined(*[n * 0.02 for n in range(14)]) + let_in(9.0) + moving_head([9.0], 0.5, 10)
    free_at_50 = presence("lane-50", 0, 10, False)

    wait = estimate(YARD, city, too_many + free_at_50, at(10))

    assert (wait.queue or 99) <= 9


def test_contradicting_lane_sensors_are_both_left_out(city: City) -> None:
    parked = presence("lane-50", 0, 60, True) + presence("lane-3", 0, 60, False) + presence("lane-120", 0, 60, False)

    wait = estimate(YARD, city, parked, at(60))

    assert (wait.queue, wait.p50_s) == (0, 0)
    assert "lane-50" not in wait.rests_on


def test_a_held_gate_makes_the_yard_held_without_a_number(city: City) -> None:
    wait = estimate(YARD, city, steady_queue(8, 90) + held(88, True), at(90))

    assert (wait.state, wait.p50_s, wait.reason) == (State.HELD, None, "the gate is held")
    assert 200 < (wait.more_than_s or 0) < 700


def test_a_gate_that_is_released_makes_the_yard_open_again(city: City) -> None:
    wait = estimate(YARD, city, steady_queue(8, 90) + held(80, True) + held(88, False), at(90))

    assert wait.state is State.OPEN


def test_the_time_of_a_hold_does_not_slow_the_rate(city: City) -> None:
    before = steady_queue(8, 60)
    standing = presence("lane-3", 61, 80, True)

    wait = estimate(YARD, city, before + standing + held(60, True) + held(79, False), at(80))

    assert wait.p50_s == pytest.approx(720, rel=0.2)


def test_a_queue_that_stands_for_long_is_held(city: City) -> None:
    standing = steady_queue(8, 60) + presence("lane-3", 60.5, 75, True)

    moving, stopped = (estimate(YARD, city, standing, at(minute)) for minute in (62, 74))

    assert moving.state is State.OPEN
    assert (stopped.state, stopped.reason) == (State.HELD, "cars stand and nobody is let in")


def test_who_cannot_get_in_before_the_last_entry_is_told_so(city: City) -> None:
    wait = estimate(YARD, city, steady_queue(10, 562), at(562))  # 17:22

    assert (wait.state, wait.latest_arrival) == (State.CLOSING, None)


def test_who_is_held_until_the_last_entry_does_not_get_in(city: City) -> None:
    wait = estimate(YARD, city, steady_queue(10, 562) + held(561.5, True), at(562))

    assert wait.state is State.CLOSING


def test_after_the_last_entry_nobody_gets_in_even_without_a_queue(city: City) -> None:
    wait = estimate(YARD, city, free_lane(571), at(571))  # 17:31

    assert (wait.state, wait.p50_s) == (State.CLOSING, None)
    assert wait.next_opening == at(24 * 60)


def test_the_latest_arrival_leaves_time_for_a_long_wait(city: City) -> None:
    wait = estimate(YARD, city, steady_queue(8, 90), at(90))

    assert wait.p90_s is not None
    assert wait.latest_arrival == at(570) - dt.timedelta(seconds=wait.p90_s)


def test_a_closed_yard_says_when_it_opens(city: City) -> None:
    wait = estimate(YARD, city, [], at(-60))

    assert (wait.state, wait.next_opening) == (State.CLOSED, at(0))


def test_a_holiday_is_closed(city: City) -> None:
    christmas = dt.datetime(2026, 12, 25, 11, 0, tzinfo=dt.UTC)  # a Friday; the 26th is a holiday too, the 27th a Sunday

    wait = estimate(YARD, city, [], christmas)

    assert wait.state is State.CLOSED
    assert wait.next_opening is not None
    assert wait.next_opening.isoformat() == "2026-12-28T08:00:00+01:00"


def test_silent_sensors_carry_no_number(city: City) -> None:
    events = steady_queue(8, 90)

    heard, silent = (estimate(YARD, city, events, at(minute)) for minute in (91, 92))

    assert heard.state is State.OPEN
    assert (silent.state, silent.p50_s, silent.reason) == (State.UNKNOWN, None, "the sensors are silent")


def test_a_yard_of_counters_lives_by_the_word_of_its_gateway(city: City) -> None:
    counters = with_sensors(city, lane_in=Sensor(role=Role.LANE_ENTRY), gate_in=Sensor(role=Role.ENTRY_CONTROL))
    passed = joined(10) + let_in(10.3)
    alive = [Reading("gw-hof-nord", "loop", "port_open", ms(59), 1.0)]
    unplugged = [Reading("gw-hof-nord", "loop", "port_open", ms(59), 0.0)]

    assert estimate(YARD, counters, passed + alive, at(60)).state is State.OPEN
    assert estimate(YARD, counters, passed + unplugged, at(60)).state is State.UNKNOWN
    assert estimate(YARD, counters, passed, at(60)).state is State.UNKNOWN


def test_a_counter_at_the_gate_that_misses_every_car_is_found_out(city: City) -> None:
    moves = every(GAP_MIN, 30, 40)
    events = steady_queue(8, 30) + moving_head(moves, 30.5, 40)

    wait = estimate(YARD, city, events, at(40))

    assert (wait.state, wait.reason) == (State.UNKNOWN, "the counter at the gate is silent")


def test_a_counter_at_the_tail_that_misses_every_car_is_found_out(city: City) -> None:
    leaving = every(GAP_MIN, 1, 30)
    events = joined(0.1, 0.2) + let_in(*leaving) + moving_head(leaving, 0.3, 30)

    wait = estimate(YARD, city, events, at(30))

    assert (wait.state, wait.reason) == (State.UNKNOWN, "the counter at the end of the queue is silent")


def test_a_queue_beyond_the_last_sensor_gets_a_lower_bound(city: City) -> None:
    uncounted = with_sensors(
        city,
        lane_3=Sensor(role=Role.LANE, position_m=3),
        lane_50=Sensor(role=Role.LANE, position_m=50),
        gate_in=Sensor(role=Role.ENTRY_CONTROL),
    )
    leaving = every(GAP_MIN, 1, 30)
    events = let_in(*leaving) + moving_head(leaving, 0.3, 30) + presence("lane-50", 0, 30, True)

    wait = estimate(YARD, uncounted, events, at(30))

    assert (wait.state, wait.p50_s, wait.queue) == (State.OPEN, None, None)
    assert 300 < (wait.more_than_s or 0) < 720  # at least eight cars


def test_a_yard_without_a_sensor_for_its_queue_has_no_number(city: City) -> None:
    blind = with_sensors(city, gate_in=Sensor(role=Role.ENTRY_CONTROL), air=Sensor())

    assert estimate(YARD, blind, let_in(59.9), at(60)).reason == "no sensor tells how long the queue is"


def test_where_only_the_exit_counts_the_cars_on_the_yard_are_not_the_queue(city: City) -> None:
    exits = with_sensors(
        city,
        lane_in=Sensor(role=Role.LANE_ENTRY),
        lane_3=Sensor(role=Role.LANE, position_m=3),
        gate_out=Sensor(role=Role.YARD_EXIT),
    )
    four_inside = joined(50, 52, 54, 56) + presence("lane-3", 0, 60, False)

    wait = estimate(YARD, exits, four_inside, at(60))

    assert (wait.queue, wait.p50_s) == (0, 0)


def test_the_number_rests_on_the_sensors_that_spoke(city: City) -> None:
    wait = estimate(YARD, city, steady_queue(8, 90), at(90))

    assert {"gate-in", "lane-in"} <= set(wait.rests_on) <= {"gate-in", "lane-3", "lane-in"}


def test_a_number_is_valid_for_a_minute(city: City) -> None:
    wait = estimate(YARD, city, free_lane(60), at(60))

    assert (wait.as_of, wait.valid_until) == (at(60), at(61))


@pytest.mark.parametrize(
    ("arriving", "leaving", "trend"),
    [(0.5, GAP_MIN, Trend.RISING), (GAP_MIN, GAP_MIN, Trend.STEADY), (10, GAP_MIN, Trend.FALLING)],
)
def test_the_trend_compares_with_a_quarter_of_an_hour_ago(city: City, arriving: float, leaving: float, trend: Trend) -> None:
    out = every(leaving, 1, 60)
    events = joined(*[n * 0.01 for n in range(20)], *every(GAP_MIN, 1.1, 40), *every(arriving, 40, 60))

    wait = estimate(YARD, city, events + let_in(*out) + moving_head(out, 0.3, 60), at(60))

    assert wait.trend is trend


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_late_and_repeated_events_change_nothing(city: City, data: st.DataObject) -> None:
    events = steady_queue(5, 20) + held(3, True) + held(4, False)
    punctual = estimate(YARD, city, events, at(20))
    again = data.draw(st.lists(st.sampled_from(events), max_size=20))
    shuffled = data.draw(st.permutations(events + again))

    assert estimate(YARD, city, shuffled, at(20)) == punctual


def test_events_of_later_and_of_other_sites_change_nothing(city: City) -> None:
    events = steady_queue(5, 20)
    foreign = [msgspec.structs.replace(reading, site="hof-sued") for reading in joined(*every(0.1, 5, 20))]

    assert estimate(YARD, city, events + foreign + joined(21, 22, 23), at(20)) == estimate(YARD, city, events, at(20))


def test_a_longer_queue_widens_the_band_but_less_than_the_wait(city: City) -> None:
    short, long = (estimate(YARD, city, steady_queue(cars, 90), at(90)) for cars in (3, 12))

    def width(wait: Wait) -> int:
        assert wait.p10_s is not None
        assert wait.p90_s is not None
        return wait.p90_s - wait.p10_s

    assert width(long) > width(short)
    assert width(long) / (long.p50_s or 1) < width(short) / (short.p50_s or 1)


def test_events_are_wanted_from_three_hours_before_the_opening(city: City) -> None:
    assert since(city.yards[YARD], city, at(100)) == at(-180)


def test_a_yard_that_never_closes_never_says_that_it_does(city: City) -> None:
    days = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")
    hours = msgspec.structs.replace(city.yards[YARD].hours, weekly=days, last_entry_before_min=0)
    yard: Yard = msgspec.structs.replace(city.yards[YARD], hours=hours)
    always = msgspec.structs.replace(city, yards={YARD: yard})

    wait = estimate(YARD, always, steady_queue(8, 959), at(959))  # 23:59

    assert wait.state is State.OPEN


def test_a_whole_day_is_estimated_in_a_moment(city: City) -> None:
    events = steady_queue(8, 560) + presence("lane-50", 0, 560, True) + presence("lane-120", 0, 560, False)
    assert len(events) > 3_000
    began = time.process_time()

    estimate(YARD, city, events, at(540))

    assert time.process_time() - began < 0.5  # usually 0.06 s; the bound is for a slow machine


def test_a_yard_that_never_closes_has_no_last_entry_and_no_latest_arrival(city: City) -> None:
    week: dict[str, str] = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")
    always = msgspec.structs.replace(city.yards[YARD], hours=Hours(weekly=week, open_on_holidays=True))
    midnight = 16 * 60.0

    wait = estimate(YARD, msgspec.structs.replace(city, yards={YARD: always}), free_lane(midnight), at(midnight - 1))

    assert (wait.state, wait.p50_s) == (State.OPEN, 0)
    assert (wait.last_entry, wait.latest_arrival) == (None, None)


def test_many_instants_in_one_telling_are_the_same_as_each_alone(city: City) -> None:
    instants = [at(minute) for minute in range(-30, 700, 45)]
    events = steady_queue(8, 600) + held(300, True) + held(340, False)

    together = list(estimates(YARD, city, events, instants))

    assert together == [msgspec.structs.replace(estimate(YARD, city, events, instant), trend=None) for instant in instants]
