"""An estimate that goes on from the one before comes to what somebody tells who has just started."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from api.estimate import holds
from api.estimate.learning import learn
from api.estimate.memory import Memory
from api.estimate.profile import COLD
from api.estimate.waiting import estimate
from hoflicht import Reading, hours
from hoflicht.catalogue import City, Gateway, Hours, Role, Sensor, Yard
from hoflicht.days import WEEKDAYS
from hoflicht.instants import moment
from tests.lane import AT_CONTROL, HEAD_SEEN, YARD, at, free_lane, held, joined, let_in, ms, presence, random_day, unloading_day

GATEWAY = "gw-hof-nord"
LANE = {f"lane-{metres}": Sensor(role=Role.LANE, position_m=metres) for metres in (3, 50, 120)}
BARRIER = {"barrier": Sensor(role=Role.GATE)}
UNTIL = 100  # minutes after the opening, in which all happens
AN_HOUR = Hours(weekly=dict.fromkeys(WEEKDAYS, "08:00-09:00"), last_entry_before_min=10)
ROUND_THE_CLOCK = Hours(weekly=dict.fromkeys(WEEKDAYS, "07:40-07:40"))
YARDS = {
    "counters": AT_CONTROL,
    "lane": replace(AT_CONTROL, sensors=AT_CONTROL.sensors | LANE | BARRIER),
    "exit": HEAD_SEEN,
    "an hour": replace(AT_CONTROL, hours=AN_HOUR),
}


# Without them nothing is said of a yard of counters.
SIGNS = [Reading(GATEWAY, "air", "port_open", ms(n / 3), 1.0) for n in range(-3 * UNTIL, 3 * UNTIL)]


def city_of(yard: Yard) -> City:
    return City(name="", yards={YARD: yard}, gateways={GATEWAY: Gateway(sites=(YARD,))})


def lived(yard: Yard, seed: int) -> list[Reading]:
    """A morning of one of `YARDS` with most of what may be heard of it."""
    signs = [Reading(GATEWAY, "lane-in", "port_open", ms(n / 3), float(not 150 < n < 190)) for n in range(3 * UNTIL)]
    words = [holds.word(YARD, ms(50), 300), holds.word(YARD, ms(53), 0)]
    if "gate-out" in yard.sensors:
        return joined(-19) + unloading_day(seed, UNTIL) + signs + words
    lane = free_lane(30) + presence("lane-3", 31, 60, True) + presence("lane-50", 35, 55, True) + free_lane(UNTIL)[180:]
    return joined(-19) + random_day(seed, UNTIL) + lane + signs + words + held(70, True) + held(75, False)


@pytest.mark.parametrize("yard", YARDS.values(), ids=YARDS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_whatever_comes_late_or_twice_and_whoever_starts_anew_the_wait_is_the_same(yard: Yard, data: st.DataObject) -> None:
    city, seed = city_of(yard), data.draw(st.integers(0, 99))
    late_s = st.integers(1, 2_400)  # as many as the estimate looks back
    readings = [reading for reading in lived(yard, seed) if reading.at_ms <= ms(UNTIL)]
    delays_s = dict(data.draw(st.lists(st.tuples(st.integers(0, len(readings) - 1), late_s), max_size=4)))
    arrived = [(reading.at_ms + 1_000 * delays_s.get(n, 0), reading) for n, reading in enumerate(readings)]
    remembers, rng = Memory(YARD, city), random.Random(seed)

    for at_ms in sorted(data.draw(st.lists(st.integers(ms(10), ms(UNTIL)), min_size=6, max_size=6))):
        heard = [reading for arrived_ms, reading in arrived if max(arrived_ms, reading.at_ms) <= at_ms]
        again = rng.sample(heard, min(len(heard), 5))
        rng.shuffle(heard)

        assert remembers.estimate(heard + again, moment(at_ms), COLD) == estimate(YARD, city, heard, moment(at_ms), COLD)


def asked(remembers: Memory, events: list[Reading], *minutes: float) -> int:
    """How often the day was told from its begin on by who is asked at `minutes`, and knows what is in `events` then."""
    for minute in minutes:
        remembers.estimate([reading for reading in events if reading.at_ms <= ms(minute)], at(minute), COLD)
    return remembers.begun


def test_a_day_on_which_all_comes_in_time_is_told_once() -> None:
    yard = YARDS["lane"]

    assert asked(Memory(YARD, city_of(yard)), lived(yard, 1), *range(1, UNTIL, 7)) == 1


def test_round_the_clock_one_opening_goes_on_where_the_other_ended() -> None:
    city, events = city_of(replace(AT_CONTROL, hours=ROUND_THE_CLOCK)), joined(-30) + random_day(1, UNTIL) + SIGNS
    remembers = Memory(YARD, city)

    for minute in (-22, 5, 60):
        assert remembers.estimate(events, at(minute), COLD) == estimate(YARD, city, events, at(minute), COLD)
    assert remembers.begun == 2


def test_what_comes_late_has_the_day_told_anew() -> None:
    remembers = Memory(YARD, city_of(AT_CONTROL))

    in_time = asked(remembers, joined(1, 2, 5), 5)
    late = asked(remembers, joined(1, 2, 3, 5), 6)

    assert (in_time, late) == (1, 2)


def test_a_sign_of_life_that_comes_late_has_it_told_anew_and_old_ones_may_be_given_up() -> None:
    signs = [Reading(GATEWAY, "air", "port_open", ms(n), 1.0) for n in range(60)]
    remembers = Memory(YARD, city_of(AT_CONTROL))

    some = asked(remembers, joined(1) + signs[:30] + signs[31:], 58)
    fewer = asked(remembers, joined(1) + signs[:1] + signs[15:30] + signs[31:], 59)
    late = asked(remembers, joined(1) + signs[:1] + signs[15:], 60)

    assert (some, fewer, late) == (1, 1, 2)


def test_another_profile_has_the_day_told_anew() -> None:
    city, events = city_of(AT_CONTROL), joined(1, 2) + let_in(3, 4) + SIGNS
    period = hours.period_at(at(1), AT_CONTROL.hours, city)
    assert period is not None
    remembers, learnt = Memory(YARD, city), learn(YARD, city, events, period, COLD)
    remembers.estimate(events, at(30), COLD)

    wait = remembers.estimate(events, at(31), learnt)

    assert remembers.begun == 2
    assert wait == estimate(YARD, city, events, at(31), learnt)


def test_another_day_is_another_telling() -> None:
    city, events = city_of(YARDS["an hour"]), joined(1, 2, 3) + SIGNS
    tomorrow = [replace(reading, at_ms=reading.at_ms + 24 * 3_600_000) for reading in joined(5, 6) + SIGNS]
    remembers = Memory(YARD, city)
    remembers.estimate(events, at(30), COLD)

    wait = remembers.estimate(tomorrow, at(24 * 60 + 30), COLD)

    assert wait == estimate(YARD, city, tomorrow, at(24 * 60 + 30), COLD)


def test_a_clock_that_is_set_back_has_the_day_told_anew() -> None:
    city, events = city_of(AT_CONTROL), joined(51, 52, 53) + SIGNS
    remembers = Memory(YARD, city)
    remembers.estimate(events, at(54), COLD)

    wait = remembers.estimate(events, at(52), COLD)

    assert wait.queue == 2
    assert wait == estimate(YARD, city, events, at(52), COLD)
