"""What may be said of a yard's wait, and what may not."""

import datetime as dt
import functools
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.estimate.learning import learn
from api.estimate.opening import Opening
from api.estimate.profile import COLD, Profile
from api.estimate.waiting import estimate, estimates, since
from hoflicht import Reading, hours
from hoflicht.catalogue import City, Hours, Role, Sensor, Yard, load_city
from hoflicht.wait import State, Trend, Trust, Wait
from tests.conftest import ROOT
from tests.lane import (
    GAP_MIN,
    HEAD_SEEN,
    YARD,
    at,
    every,
    free_lane,
    gone,
    held,
    joined,
    let_in,
    moving_head,
    ms,
    presence,
    random_day,
    steady_queue,
)


def with_sensors(city: City, **sensors: Sensor) -> City:
    """The city with other sensors at hof-nord."""
    yard = msgspec.structs.replace(city.yards[YARD], sensors={name.replace("_", "-"): one for name, one in sensors.items()})
    return msgspec.structs.replace(city, yards={YARD: yard})


def test_nobody_waits_at_an_empty_yard(city: City) -> None:
    wait = estimate(YARD, city, free_lane(60), at(60))

    assert (wait.state, wait.p10_s, wait.p50_s, wait.mean_s) == (State.OPEN, 0, 0, 0)
    assert (wait.queue_p10, wait.queue, wait.queue_p90) == (0, 0, 0)
    assert (wait.p90_s or 0) <= 120  # the way to the gate and the paper of the one before; nothing is learnt of it yet


def test_a_car_that_rolls_through_a_free_lane_makes_no_wait(city: City) -> None:
    wait = estimate(YARD, city, free_lane(60) + joined(59.8), at(60))

    assert wait.p50_s is not None
    assert wait.p50_s < 60  # nobody stands: the gate is free, and it will be again when he has passed


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
    assert repaired.queue == 0
    assert repaired.p50_s == pytest.approx(18, abs=18)  # the way to the gate takes these cars 12 to 18 s


def test_a_lane_sensor_raises_a_count_that_is_too_low(city: City) -> None:
    leaving = every(GAP_MIN, 1.0, 50)
    six_missed = joined(0.01, 0.02, *[minute + 0.01 for minute in leaving]) + let_in(*leaving) + moving_head(leaving, 0.3, 50)

    wait = estimate(YARD, city, six_missed + presence("lane-50", 0.3, 50, True) + presence("lane-120", 0.3, 50, False), at(50))

    assert wait.queue is not None
    assert 7 <= wait.queue <= 11  # 50 m at 7 m a car


def test_a_free_lane_sensor_bounds_the_count(city: City) -> None:
    leaving = every(GAP_MIN, 1.0, 50)
    doubled = joined(*[n * 0.01 for n in range(14)], *[minute + 0.01 for minute in leaving])

    wait = estimate(
        YARD, city, doubled + let_in(*leaving) + moving_head(leaving, 0.3, 50) + presence("lane-50", 0.3, 50, False), at(50)
    )

    assert (wait.queue or 99) <= 8


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

    wait = estimate(YARD, city, before + standing + held(60, True) + held(79, False), at(80), usual_week())

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
    assert wait.latest_arrival is not None
    # No more come than are let in, so that no more than eight cars will wait then; and it is told in steps of five minutes.
    assert at(570) - dt.timedelta(seconds=wait.p90_s, minutes=10) <= wait.latest_arrival < at(570)


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
    passed = joined(55) + let_in(55.3)
    alive = [Reading("gw-hof-nord", "loop", "port_open", ms(59), 1.0)]
    unplugged = [Reading("gw-hof-nord", "loop", "port_open", ms(59), 0.0)]

    assert estimate(YARD, counters, passed + alive, at(60)).state is State.OPEN
    assert estimate(YARD, counters, passed + unplugged, at(60)).state is State.UNKNOWN
    assert estimate(YARD, counters, passed, at(60)).state is State.UNKNOWN


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
    three_inside = joined(50, 52, 54) + presence("lane-3", 0, 60, False)

    wait = estimate(YARD, exits, three_inside, at(60))

    assert wait.queue == 0
    assert wait.p50_s is not None
    assert wait.p50_s < 60


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


def test_of_two_values_for_one_point_the_higher_one_stands_whichever_comes_first(city: City) -> None:
    one, four = (Reading(YARD, "lane-in", "passage", ms(10), cars) for cars in (1.0, 4.0))
    events = joined(1, 2, 3) + presence("lane-50", 0, 20, False)

    first, last = estimate(YARD, city, [*events, four, one], at(20)), estimate(YARD, city, [*events, one, four], at(20))

    assert first == last == estimate(YARD, city, [*events, four], at(20))
    assert first.queue == 7


def test_what_several_sensors_see_at_one_instant_is_told_in_the_same_order_whoever_comes_first(city: City) -> None:
    period = hours.period_at(at(20), city.yards[YARD].hours, city)
    assert period is not None
    coming, near, far = joined(1, 2, 3, 4), presence("lane-3", 0, 20, True), presence("lane-50", 0, 20, True)

    nearer, farther = (Opening(YARD, city, [*coming, *seen], period) for seen in ([*near, *far], [*far, *near]))

    assert nearer.until(ms(20)).queue.lane.tolist() == farther.until(ms(20)).queue.lane.tolist()


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
    without_end = msgspec.structs.replace(city.yards[YARD].hours, weekly=days, last_entry_before_min=0)
    yard: Yard = msgspec.structs.replace(city.yards[YARD], hours=without_end)
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

    alone = [estimate(YARD, city, events, instant) for instant in instants]
    assert together == [msgspec.structs.replace(each, trend=None, shown_min=None, latest_arrival=None) for each in alone]


# What may go wrong, each with what is to be said of it.


@functools.cache
def usual_week() -> Profile:
    """What four mornings of hof-nord teach: its counters, and a lane that was free on the way out."""
    city = load_city(ROOT / "simulators" / "city.toml")
    profile = COLD
    for day in range(4):
        period = hours.period_on(at(24 * 60 * day).date(), city.yards[YARD].hours, city)
        assert period is not None
        profile = learn(YARD, city, random_day(day, until=240, day=day), period, profile)
    return profile


def without(events: list[Reading], sensor: str, start: float, end: float = 24 * 60) -> list[Reading]:
    """`events`, but `sensor` says nothing from `start` to `end`."""
    return [r for r in events if not (r.sensor == sensor and ms(start) <= r.at_ms < ms(end))]


def port(sensor: str, minute: float, is_open: bool) -> list[Reading]:
    """The gateway's word on the port that is called as its sensor."""
    return [Reading("gw-hof-nord", sensor, "port_open", ms(minute), float(is_open))]


def told(city: City, events: list[Reading], *minutes: float) -> list[Wait]:
    """At each of `minutes`, at a yard that has taught us something."""
    return list(estimates(YARD, city, events, [at(minute) for minute in minutes], usual_week()))


def counters(city: City) -> tuple[City, list[Reading]]:
    """The yard with two counters and nothing else, and the sign of life of its gateway."""
    alive = [reading for minute in range(120) for reading in port("loop", minute, True)]
    return with_sensors(city, lane_in=Sensor(role=Role.LANE_ENTRY), gate_in=Sensor(role=Role.ENTRY_CONTROL)), alive


def test_cold_the_catalogue_is_trusted_and_later_what_was_measured(city: City) -> None:
    cold, later = (estimate(YARD, city, steady_queue(8, 60), at(60), profile) for profile in (COLD, usual_week()))

    assert (cold.trust, later.trust) == (Trust.CONFIGURED, Trust.MEASURED)
    assert later.p50_s == pytest.approx(720, rel=0.2)


@pytest.mark.parametrize("minute", [5, 12, 20, 30, 60, 120])
def test_a_quiet_hour_of_a_busy_yard_is_no_queue(city: City, minute: float) -> None:
    wait = told(city, free_lane(120), minute)[0]

    assert (wait.state, wait.queue) == (State.OPEN, 0)
    assert wait.p50_s is not None
    assert wait.p50_s < 60


@pytest.mark.parametrize("flag", [[], port("gate-in", 30.1, False)], ids=["unnoticed", "flagged"])
def test_while_the_counter_at_the_gate_is_silent_the_moves_of_the_head_are_counted(city: City, flag: list[Reading]) -> None:
    events = without(steady_queue(8, 60), "gate-in", 30) + flag

    before, *reckoned = told(city, events, 30, 36, 45, 60)

    assert [wait.trust for wait in reckoned] == [Trust.RECKONED] * 3
    assert [wait.state for wait in reckoned] == [State.OPEN] * 3
    assert [wait.queue for wait in reckoned] == pytest.approx([8] * 3, abs=2)
    assert (reckoned[-1].queue_p90 or 0) - (reckoned[-1].queue_p10 or 0) >= (before.queue_p90 or 0) - (before.queue_p10 or 0)


def test_while_the_counter_at_the_gate_is_silent_and_none_comes_the_queue_empties(city: City) -> None:
    eight = joined(*[n * 0.01 for n in range(8)]) + moving_head(every(GAP_MIN, 1.0, 6), 0.3, 6)

    waits = told(city, eight + port("gate-in", 0.5, False), 2, 6)

    assert [wait.queue for wait in waits] == pytest.approx([7, 4], abs=1.5)


def test_counters_alone_reckon_with_the_usual_pace_while_the_gate_is_flagged(city: City) -> None:
    yard, alive = counters(city)
    events = [reading for reading in steady_queue(8, 60) if reading.quantity == "passage"]

    waits = told(yard, without(events, "gate-in", 30) + alive + port("gate-in", 30.1, False), 30, 40, 48)

    assert [wait.queue for wait in waits] == pytest.approx([8] * 3, abs=2)
    assert waits[-1].trust is Trust.RECKONED


def test_a_counter_that_is_back_is_believed_again(city: City) -> None:
    events = without(steady_queue(8, 60), "gate-in", 30, 45)

    waits = told(city, events + port("gate-in", 30.1, False) + port("gate-in", 45, True), 44, 46)

    assert [wait.trust for wait in waits] == [Trust.RECKONED, Trust.MEASURED]


@pytest.mark.parametrize("flag", [[], port("lane-in", 30.1, False)], ids=["unnoticed", "flagged"])
def test_while_the_counter_at_the_tail_is_silent_arrivals_are_the_usual_ones(city: City, flag: list[Reading]) -> None:
    events = without(steady_queue(8, 60), "lane-in", 30) + flag

    waits = told(city, events, 47, 49)

    assert [(wait.state, wait.trust) for wait in waits] == [(State.OPEN, Trust.RECKONED)] * 2
    assert [wait.queue for wait in waits] == pytest.approx([8] * 2, abs=3 if flag else 6)  # what came unseen before it was noticed


def test_after_twenty_minutes_without_the_counter_at_the_tail_nothing_is_said(city: City) -> None:
    yard, alive = counters(city)
    events = [reading for reading in steady_queue(8, 60) if reading.quantity == "passage"]

    value, none = told(yard, without(events, "lane-in", 30) + alive + port("lane-in", 30.1, False), 45, 52)

    assert value.state is State.OPEN
    assert (none.state, none.p50_s) == (State.UNKNOWN, None)
    assert none.reason == "a counter is out and the queue has drifted out of knowledge"


def test_what_is_said_of_a_counter_that_is_out_does_not_flicker(city: City) -> None:
    events = without(steady_queue(8, 70), "lane-in", 30) + port("lane-in", 30.1, False)

    states = [wait.state for wait in told(city, events, *every(0.25, 51, 65))]

    assert len(set(states)) == 1


def test_where_more_leave_than_there_were_the_counter_at_the_tail_is_out(city: City) -> None:
    yard, alive = counters(city)
    events = joined(0.1, 0.2) + let_in(*every(GAP_MIN, 1, 12))

    wait = estimate(YARD, yard, events + alive, at(12))

    assert (wait.state, wait.reason) == (State.UNKNOWN, "the counter at the end of the queue is silent")


def test_a_car_that_parks_at_a_lane_sensor_is_found_out_when_the_head_is_free(city: City) -> None:
    leaving = every(GAP_MIN, 1.0, 60)
    three = joined(0.01, 0.02, 0.03, *[m + 0.01 for m in leaving[:-3]]) + let_in(*leaving) + moving_head(leaving, 0.3, 60)
    parked = presence("lane-50", 20, 90, True)

    waits = told(city, three + parked + presence("lane-3", 61, 90, False), 70, 90)

    assert [wait.queue for wait in waits] == [0, 0]


def test_who_stopped_hearing_the_gateway_has_no_number_when_the_last_one_is_no_longer_valid(city: City) -> None:
    yard, alive = counters(city)
    passed = joined(*every(1, 1, 59)) + let_in(*every(1, 1.3, 59)) + [r for r in alive if r.at_ms <= ms(59)]

    heard, silent = told(yard, passed, 60, 61.6)

    assert (heard.state, heard.valid_until) == (State.OPEN, at(61))
    assert (silent.state, silent.reason) == (State.UNKNOWN, "the sensors are silent")


def test_who_came_before_the_opening_waits_from_the_opening_on(city: City) -> None:
    early = joined(*every(2, -24, 0)) + presence("lane-3", -24, 1, True)

    before, opening = told(city, early, -1, 0)

    assert (before.state, before.next_opening) == (State.CLOSED, at(0))
    assert (opening.state, opening.queue) == (State.OPEN, 12)
    assert opening.p50_s == pytest.approx(13 * 80, rel=0.2)


def test_admission_in_batches_is_no_standstill(city: City) -> None:
    batches = [minute + n * 0.05 for minute in every(5, 5, 120) for n in range(4)]
    events = joined(*[n * 0.01 for n in range(12)], *every(1.25, 1, 120)) + let_in(*batches) + moving_head(batches[::4], 0.3, 120)

    waits = told(city, events, *every(0.5, 60, 119))

    assert {wait.state for wait in waits} == {State.OPEN}
    assert sum(wait.mean_s or 0 for wait in waits) / len(waits) == pytest.approx(14 * 75, rel=0.25)  # some 14 cars, 48 an hour


def test_a_trailer_that_takes_three_times_as_long_is_no_standstill(city: City) -> None:
    leaving = [minute for minute in every(GAP_MIN, 1.0, 62) if not 56 < minute < 60]
    events = joined(*[n * 0.01 for n in range(8)], *every(GAP_MIN, 1.01, 62)) + let_in(*leaving) + moving_head(leaving, 0.3, 62)

    waits = told(city, events, *every(0.25, 55, 62))

    assert {wait.state for wait in waits} == {State.OPEN}


def test_trailers_that_are_counted_twice_are_found_out_by_the_free_head(city: City) -> None:
    coming = every(2, 1, 60)
    twice = [minute + 0.03 for minute in coming[::6]]

    wait = told(city, joined(*coming, *twice) + let_in(*[m + 0.3 for m in coming]) + free_lane(61), 61)[0]

    assert wait.queue == 0


def test_while_the_yard_stands_the_wait_grows(city: City) -> None:
    standing = steady_queue(8, 30) + presence("lane-3", 30.5, 60, True)

    first, second = told(city, standing, 40, 55)

    assert [(wait.state, wait.reason) for wait in (first, second)] == [(State.HELD, "cars stand and nobody is let in")] * 2
    assert (second.mean_s or 0) > (first.mean_s or 0) > 720


@settings(max_examples=15, deadline=None)
@given(minute=st.floats(1, 60))
def test_what_comes_later_changes_nothing(city: City, minute: float) -> None:
    events = steady_queue(5, 60) + held(20, True) + held(24, False) + port("gate-in", 40, False) + port("gate-in", 45, True)
    known = [reading for reading in events if reading.at_ms <= ms(minute)]

    assert told(city, events, minute) == told(city, known, minute)


@pytest.mark.parametrize("silent", ["", "gate-in", "lane-in"], ids=["all well", "gate out", "tail out"])
def test_who_asks_often_and_who_asks_seldom_get_the_same_number(city: City, silent: str) -> None:
    yard, alive = counters(city)
    passed = [reading for reading in steady_queue(8, 60) if reading.quantity == "passage"]
    events = without(passed, silent, 30) + alive + (port(silent, 30, False) if silent else [])

    seldom, often = told(yard, events, 40), told(yard, events, *every(0.25, 1, 40), 40)

    assert seldom[0].p50_s is not None
    assert often[-1] == seldom[-1]


def test_a_port_of_another_name_flags_nothing(city: City) -> None:
    wait = told(city, steady_queue(8, 60) + port("radar", 55, False), 60)[0]

    assert wait.trust is Trust.MEASURED


def test_one_more_event_is_told_in_a_moment(city: City) -> None:
    events = random_day(1)
    period = hours.period_at(at(1), city.yards[YARD].hours, city)
    assert period is not None
    opening = Opening(YARD, city, events, period, usual_week())
    opening.until(ms(500))
    began = time.process_time()

    for n in range(300):
        opening.until(ms(500) + 10_000 * n).number()

    assert (time.process_time() - began) / 300 < 0.02  # usually a millisecond; the bound is for a slow machine


def test_asking_leaves_no_trace_where_a_sensor_speaks_again_after_somebody_found_a_bay_free() -> None:
    city = City(name="", yards={YARD: HEAD_SEEN})
    period = hours.period_at(at(1), HEAD_SEEN.hours, city)
    assert period is not None
    events = presence("lane-3", 0, 1, False) + joined(12) + presence("lane-3", 12.3, 16, False) + gone(15)
    asked, unasked = (Opening(YARD, city, events, period) for _ in range(2))

    asked.until(ms(12.2))

    assert asked.until(ms(16)).voices.measured == unasked.until(ms(16)).voices.measured
