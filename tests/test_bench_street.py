"""The bench of the street: what it reckons from the ticks at which something changes is what every tick tells."""

import datetime as dt
import re
from collections.abc import Sequence

import pytest

from bench.street import (
    ADAPTIVE,
    ALWAYS,
    DUTY,
    HOUR_MS,
    LIT_WITHIN_MS,
    PLACE,
    TICK_MS,
    Moment,
    Passer,
    Totals,
    add,
    drawn,
    moments,
    passers,
    ticks,
    year,
)
from hoflicht.program import Program
from hoflicht.sky import dusk_and_dawn

EVENING = dt.date(2026, 3, 28)  # a night of 23 hours


@pytest.fixture(scope="module")
def passing() -> list[Passer]:
    return passers(EVENING, 1)


def told(program: Program, at: Sequence[int], passing: Sequence[Passer]) -> tuple[Totals, list[Moment]]:
    night = list(moments(program, at, passing))
    totals = Totals()
    add(totals, program, night, passing)
    return totals, night


def test_the_ticks_at_which_something_changes_tell_as_much_as_all() -> None:
    evening = dt.date(2026, 6, 21)
    passing = passers(evening, 1)
    few = ticks(ADAPTIVE, evening, passing)
    some, _ = told(ADAPTIVE, few, passing)
    every, night = told(ADAPTIVE, range(few[0], few[-1] + 1, TICK_MS), passing)
    sent_kwh = sum(moment.decision.percent for moment in night) * DUTY.nominal_power_w * TICK_MS / HOUR_MS / 100_000

    assert len(few) < len(night) / 20
    assert some.kwh == pytest.approx(every.kwh, rel=1e-4) == pytest.approx(sent_kwh, rel=1e-3)
    assert some.class_h == pytest.approx(every.class_h, abs=0.02)
    assert (some.passed, some.lit) == (every.passed, every.lit)


def test_always_on_is_full_power_from_dusk_to_dawn_and_standby_by_day(passing: Sequence[Passer]) -> None:
    dusk_s, dawn_s = dusk_and_dawn(PLACE, EVENING, -2)
    dark_h = (dawn_s - dusk_s) / 3_600

    assert year(ALWAYS, [passing], [EVENING]).kwh == pytest.approx((56 * dark_h + 0.4 * (24 - dark_h)) / 1_000, rel=1e-3)


def test_whoever_is_seen_finds_the_class_lit_and_whoever_is_missed_in_an_empty_street_does_not(passing: Sequence[Passer]) -> None:
    seen = [each for each in passing if each.is_seen]
    adaptive = year(ADAPTIVE, [seen], [EVENING])
    small_hours_ms = HOUR_MS * (1_000 * dusk_and_dawn(PLACE, EVENING, -2)[0] // HOUR_MS + 7)
    missed = year(ADAPTIVE, [[Passer(small_hours_ms, False)]], [EVENING])

    assert LIT_WITHIN_MS == 2_000
    assert adaptive.passed > 100
    assert adaptive.lit == adaptive.passed
    assert (missed.passed, missed.lit) == (1, 0)


def test_a_night_can_be_drawn_with_the_energy_of_the_year() -> None:
    svg = drawn(EVENING, {"always on": 240.0, "part-night": 120.0, "adaptive": 60.0, "another": 480.0})

    assert svg.count("<polyline") == 3
    assert re.findall(r'height="([0-9.]+)"', svg) == ["45.0", "22.5", "11.2"]
    assert "120 kWh a year" in svg
