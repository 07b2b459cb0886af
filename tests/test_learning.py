"""What a day teaches of a yard."""

import datetime as dt
import functools
import itertools
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.estimate.learning import learn
from api.estimate.pace import Pace
from api.estimate.profile import COLD, Profile
from api.estimate.tally import Tally
from api.estimate.waiting import estimate, estimates
from hoflicht import Reading, hours
from hoflicht.catalogue import City
from hoflicht.days import WEEKDAYS
from hoflicht.hours import OpenPeriod
from hoflicht.wait import Trust
from tests.lane import (
    AT_CONTROL,
    GAP_MIN,
    HEAD_SEEN,
    YARD,
    at,
    every,
    joined,
    let_in,
    ms,
    presence,
    random_day,
    steady_queue,
    unloading_day,
)

CITY = City(name="Testhausen", yards={YARD: AT_CONTROL})
WATCHED = City(name="Testhausen", yards={YARD: HEAD_SEEN})
PER_S = 45 / 3_600
MAX_SNAPSHOT = 64_000  # bytes; every replica loads one for each yard when it starts
ALIVE = [Reading("gw", "loop", "port_open", ms(24 * 60 * day + 100), 1.0) for day in range(8)]


def period(day: int = 0, city: City = CITY) -> OpenPeriod:
    found = hours.period_on(at(24 * 60 * day).date(), city.yards[YARD].hours, city)
    assert found is not None
    return found


def learnt(days: Sequence[Sequence[Reading]], profile: Profile = COLD, city: City = CITY) -> Profile:
    """After one day after the other, from the Monday on."""
    for day, events in enumerate(days):
        profile = learn(YARD, city, events, period(day, city), profile)
    return profile


def week(gap: float = GAP_MIN) -> list[list[Reading]]:
    """Four mornings."""
    return [random_day(day, until=240, day=day, gap=gap) for day in range(4)]


def moves_up(readings: Sequence[Reading]) -> list[Reading]:
    """When the head of the lane gets free."""
    head = [r for r in readings if r.sensor == "lane-3"]
    return [after for before, after in itertools.pairwise(head) if before.value and not after.value]


def flickering(readings: Sequence[Reading]) -> list[Reading]:
    """The same, but the head sees each gap twice."""
    twice = [
        msgspec.structs.replace(move, at_ms=move.at_ms + later_ms, value=value)
        for move in moves_up(readings)
        for later_ms, value in ((1_000, 1.0), (2_000, 0.0))
    ]
    return [*readings, *twice]


def overlooking(readings: Sequence[Reading]) -> list[Reading]:
    """The same, but the head sees every second gap alone."""
    unseen = moves_up(readings)[::2]
    return [reading for reading in readings if reading not in unseen]


@functools.cache
def after_a_week() -> Profile:
    return learnt(week())


@functools.cache
def after_a_watched_day() -> Profile:
    return learnt([unloading_day(1, until=240)], city=WATCHED)


def test_a_day_of_which_nothing_was_heard_teaches_nothing() -> None:
    for before in (COLD, after_a_week()):
        assert learn(YARD, CITY, [], period(), before) == before
        assert learn(YARD, CITY, ALIVE, period(), before) == before


def test_events_of_other_days_and_sites_teach_nothing() -> None:
    today = random_day(1)
    foreign = [msgspec.structs.replace(reading, site="hof-sued") for reading in random_day(2)]

    assert learn(YARD, CITY, [*today, *random_day(3, day=1), *foreign], period(), COLD) == learn(YARD, CITY, today, period(), COLD)


@settings(max_examples=5)
@given(seed=st.integers(0, 1_000))
def test_a_day_teaches_the_same_in_whatever_order_its_events_come(seed: int) -> None:
    punctual = random_day(1, until=120)
    late = [*punctual, *random.Random(seed).choices(punctual, k=20)]
    random.Random(seed).shuffle(late)

    assert learn(YARD, CITY, late, period(), after_a_week()) == learn(YARD, CITY, punctual, period(), after_a_week())


def test_a_profile_is_the_same_after_a_night_on_disk_and_some_kilobytes_long() -> None:
    snapshot = msgspec.json.encode(after_a_week())

    assert msgspec.json.decode(snapshot, type=Profile) == after_a_week()
    assert len(snapshot) < MAX_SNAPSHOT


def test_a_profile_on_disk_goes_on_as_one_in_memory() -> None:
    again = msgspec.json.decode(msgspec.json.encode(after_a_week()), type=Profile)
    monday = random_day(9, day=7)

    assert learn(YARD, CITY, monday, period(7), again) == learn(YARD, CITY, monday, period(7), after_a_week())


def test_the_catalogue_may_be_wrong_about_the_pace() -> None:
    twice = learnt(week(GAP_MIN / 2))

    assert Pace(AT_CONTROL, twice).per_second > 1.5 * PER_S
    assert Tally(twice, PER_S, 4).arrivals_per_s(2 * 3_600) == pytest.approx(2 * 0.95 * PER_S, rel=0.25)


def test_a_counter_that_misses_every_eighth_car_is_known_after_a_week() -> None:
    missing = [[r for n, r in enumerate(day) if r.sensor != "lane-in" or n % 8] for day in week()]

    assert after_a_week().per_entry == pytest.approx(1.0, abs=0.02)
    assert learnt(missing).per_entry == pytest.approx(8 / 7, abs=0.06)


def test_counters_that_never_err_are_trusted_more_than_those_that_do() -> None:
    rng = random.Random(4)
    wrong = [[r for r in day if rng.random() > 0.08] for day in week()]

    assert after_a_week().miscount < learnt(wrong).miscount


def test_a_day_at_whose_end_a_counter_is_out_teaches_the_arrivals_but_not_how_well_is_counted() -> None:
    out = Reading(YARD, "gate-in", "port_open", ms(239), 0.0)

    learnt_of_it = learnt([[*random_day(1, until=240), out]])

    assert (learnt_of_it.entries, learnt_of_it.exits) == (0.0, 0.0)
    assert sum(learnt_of_it.arrivals) > 100


def test_a_yard_where_nobody_has_to_stop_learns_that_cars_go_straight_on() -> None:
    minutes = every(4.017, 10, 400)  # not whole minutes: else what is counted half a minute apart may be one instant
    seldom, at_once = (learnt([joined(*minutes) + let_in(*[minute + seconds / 60 for minute in minutes])]) for seconds in (30, 1))

    assert Pace(AT_CONTROL, seldom).straight < 0.05
    assert Pace(AT_CONTROL, at_once).straight > 0.75


@functools.cache
def after_two_days_of_a_gate() -> Profile:
    return learnt([unloading_day(day, until=240, day=day, gap=2.6, gate=5.0) for day in range(2)], city=WATCHED)


def test_a_gate_that_opens_every_five_minutes_is_learnt() -> None:
    found = after_two_days_of_a_gate()

    assert found.gate_every_s == pytest.approx(300, abs=2)
    assert found.gate_s / found.gate_cars == pytest.approx(150, abs=25)  # who finds a bay free waits half of the five minutes
    assert Pace(HEAD_SEEN, found).gate_s > 120


@pytest.mark.parametrize("minute", [100.2, 103.5, 121.7])
def test_where_the_gate_opens_by_a_clock_who_joins_is_told_one_of_its_openings(minute: float) -> None:
    today = [r for r in unloading_day(2, until=240, day=2, gap=2.2, gate=5.0) if r.at_ms <= ms(2 * 24 * 60 + minute)]

    wait = estimate(YARD, WATCHED, today, at(2 * 24 * 60 + minute), after_two_days_of_a_gate())

    assert wait.mean_s is not None
    assert (60 * minute + wait.mean_s + 15) % 300 < 30


def calls(day: int, until: float = 240) -> list[tuple[float, float]]:
    """Seconds at which each came, and was answered by one of three agents; never, who hung up, after five minutes in the mean."""
    rng = random.Random(day)
    free, told, second = [0.0] * 3, list[tuple[float, float]](), 0.0
    while (second := second + rng.expovariate(1 / 75 if second % 7_200 < 3_600 else 1 / 35)) < 60 * until:
        agent = free.index(min(free))
        begins = max(second, free[agent])
        if begins - second < rng.expovariate(1 / 300):
            free[agent] = begins + rng.expovariate(1 / 150)
            told.append((second, begins))
        else:
            told.append((second, math.inf))
    return told


def callers(day: int, tick_s: float) -> list[Reading]:
    """What is counted of them: who hangs up only when it comes; times are told in ticks, and of one tick their number."""
    came, answered = ([second for second in each if second < math.inf] for each in zip(*calls(day), strict=True))
    ticks = {sensor: Counter(second // tick_s for second in each) for sensor, each in (("lane-in", came), ("gate-in", answered))}
    return [
        Reading(YARD, sensor, "passage", ms(24 * 60 * day + tick * tick_s / 60), float(count))
        for sensor, counted in ticks.items()
        for tick, count in counted.items()
    ]


@functools.cache
def after_two_days_of_callers(tick_s: float) -> Profile:
    return learnt([callers(day, tick_s) for day in range(2)])


@pytest.mark.parametrize("tick_s", [0.001, 60.0])
def test_how_soon_those_give_up_who_hang_up_unseen_is_learnt(tick_s: float) -> None:
    found = after_two_days_of_callers(tick_s)

    assert found.per_entry < 0.95
    assert 1 / 900 < found.gives_up_per_s < 1 / 100


@pytest.mark.parametrize("tick_s", [0.001, 60.0])
def test_where_many_hang_up_unseen_the_number_does_not_run_away(tick_s: float) -> None:
    instants = [at(24 * 60 * 2 + minute) for minute in range(10, 240, 5)]
    waits_s = [begins - came for came, begins in calls(2) if begins < math.inf]

    told = estimates(YARD, CITY, callers(2, tick_s), instants, after_two_days_of_callers(tick_s), alive=True)

    assert max(wait.mean_s or 0 for wait in told) < 2 * max(waits_s)


@pytest.mark.parametrize(("went_straight", "is_known"), [(60.0, False), (240.0, True)])
def test_where_few_go_straight_on_who_gave_up_cannot_be_told_from_who_was_overlooked(went_straight: float, is_known: bool) -> None:
    before = Profile(days=9, entries=900.0, exits=700.0, straight=(300.0, went_straight), gives_up_per_s=1 / 300)

    found = learn(YARD, CITY, callers(0, tick_s=60.0), period(), before)

    assert (found.gives_up_per_s > 0) is is_known


def test_where_a_lane_sensor_looks_at_the_lane_it_is_learnt_too() -> None:
    found = learnt([unloading_day(day, until=360, day=day, gap=1.25, patience=20.0) for day in range(2)], city=WATCHED)

    assert found.per_entry < 0.95
    assert 1 / 2_400 < found.gives_up_per_s < 1 / 600  # 1 / 1_200 is true


@pytest.mark.parametrize(("exits", "is_asked"), [(8_950.0, False), (8_750.0, True)])
def test_a_loss_of_less_than_one_in_fifty_is_a_miscount(exits: float, is_asked: bool) -> None:
    before = Profile(days=9, entries=9_000.0, exits=exits, straight=(300.0, 240.0), gives_up_per_s=1 / 300)

    found = learn(YARD, CITY, callers(0, tick_s=60.0), period(), before)

    assert 0.95 < found.per_entry < 1
    assert (found.gives_up_per_s > 0) is is_asked


def test_a_gate_that_is_always_open_takes_seconds() -> None:
    found = after_a_watched_day()

    assert found.gate_every_s == 0.0
    assert found.gate_cars > 100
    assert found.gate_s / found.gate_cars < 10


def test_a_head_that_sees_each_car_go_in_is_believed_the_next_day() -> None:
    found = after_a_watched_day()

    assert found.moves == pytest.approx(found.exits, rel=0.05)
    assert found.sees_moves
    assert Pace(HEAD_SEEN, found).sees_moves


@pytest.mark.parametrize("wrong", [flickering, overlooking])
def test_a_head_that_flickers_or_overlooks_cars_is_not_believed_from_the_second_day_on(
    wrong: Callable[[Sequence[Reading]], list[Reading]],
) -> None:
    first = learnt([wrong(unloading_day(1, until=240))], city=WATCHED)

    assert Pace(HEAD_SEEN, COLD).sees_moves
    assert not first.sees_moves
    assert not Pace(HEAD_SEEN, first).sees_moves
    assert first.per_entry == pytest.approx(1.0, abs=0.03)  # counters say how well is counted, for the head does not


def test_a_head_that_sees_no_car_go_in_while_cars_leave_is_not_believed_and_one_that_was_not_heard_is_not_judged() -> None:
    day = unloading_day(1, until=240)
    unheard = [reading for reading in day if reading.sensor != "lane-3"]
    dull = [*unheard, *presence("lane-3", 0, 240, False)]

    assert not learnt([dull], city=WATCHED).sees_moves
    assert learnt([unheard], city=WATCHED).sees_moves


def test_an_exit_counter_that_misses_cars_does_not_make_entries_worth_less_where_the_head_counts_them() -> None:
    days = [unloading_day(day, until=240, day=day) for day in range(2)]
    missing = [[r for n, r in enumerate(day) if r.sensor != "gate-out" or n % 12] for day in days]

    found = learnt(missing, city=WATCHED)

    assert found.exits < 0.94 * found.entries
    assert found.per_entry == pytest.approx(1.0, abs=0.015)


def test_bays_that_close_at_noon_are_known_after_some_days() -> None:
    days = [unloading_day(day, until=240, day=day, gap=GAP_MIN, lunch=(105, 165)) for day in range(3)]

    pace = Pace(HEAD_SEEN, learnt(days, city=WATCHED))

    morning, lunch, later = (float(pace.usual_share(np.array(60.0 * minute))) for minute in (60, 140, 220))
    assert lunch < 0.9  # half is true; three days do not outweigh the belief that the whole yard works
    assert min(morning, later) > 0.95


def test_waits_that_were_measured_are_told_again_at_the_same_hour() -> None:
    usual = Tally(after_a_week(), PER_S, 4)

    assert after_a_week().waited != ()
    assert usual.same_hour_s(2 * 3_600, otherwise_s=0.0) > 60


def test_older_days_fade() -> None:
    quiet = [joined(24 * 60 * day + 30) for day in range(1, 6)]

    later = learnt([random_day(1, until=240), *quiet])

    assert later.days == 6
    assert later.days_kept == pytest.approx(5.4, abs=0.1)
    assert sum(later.arrivals) < 0.9 * sum(learnt([random_day(1, until=240)]).arrivals) + 5


def test_one_opening_after_another_without_a_gap_hands_its_queue_on() -> None:
    always = msgspec.structs.replace(
        AT_CONTROL, hours=msgspec.structs.replace(AT_CONTROL.hours, weekly=dict.fromkeys(WEEKDAYS, "08:00-08:00"))
    )
    city = City(name="Testhausen", yards={YARD: always})

    carried = learn(YARD, city, steady_queue(8, 21 * 60), period(0, city), COLD).carried

    assert sum(carried) == pytest.approx(1.0)
    assert int(np.argmax(carried)) == 8
    assert after_a_week().carried == ()  # after a night nobody stands there


def test_numbers_rest_on_what_was_measured_from_the_second_day_on() -> None:
    told = [estimate(YARD, CITY, [*joined(99), *ALIVE], at(100), profile).trust for profile in (COLD, after_a_week())]

    assert told == [Trust.CONFIGURED, Trust.MEASURED]


def test_a_day_is_learnt_in_a_moment() -> None:
    events = random_day(1)
    began = time.process_time()

    learn(YARD, CITY, events, period(), after_a_week())

    assert time.process_time() - began < 3  # usually 0.3 s; the bound is for a slow machine


def test_periods_of_summer_time_teach_too() -> None:
    summer = hours.period_on(dt.date(2026, 7, 6), AT_CONTROL.hours, CITY)
    assert summer is not None
    later_ms = round(summer.opens.timestamp() * 1000) - ms(0)
    winter = random_day(1, until=120)

    events = [msgspec.structs.replace(reading, at_ms=reading.at_ms + later_ms) for reading in winter]

    assert learn(YARD, CITY, events, summer, COLD) == learn(YARD, CITY, winter, period(), COLD)


def test_how_long_it_lasts_that_a_bay_is_unusually_closed_is_learnt_once_something_is_usual() -> None:
    days = [unloading_day(day, until=180, day=day, lunch=(60 + 45 * day, 90 + 45 * day)) for day in range(2)]

    first = learnt(days[:1], city=WATCHED)
    second = learn(YARD, WATCHED, days[1], period(1, WATCHED), first)

    assert first.unusual == (0.0, 0.0)
    assert second.unusual[1] > 0.01
    assert abs(second.unusual[0]) < second.unusual[1]


def test_where_nobody_sees_each_car_go_in_nothing_is_learnt_of_that() -> None:
    assert learnt([random_day(day, until=120, day=day) for day in range(2)]).unusual == (0.0, 0.0)
