"""A night, from noon to noon in the city's time: which day it belongs to, and when the steps of a program begin in it."""

import datetime as dt
import functools
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hoflicht.days import WEEKDAYS, in_season
from hoflicht.program import INSTANT, Period, Program, Step
from hoflicht.sky import Place, dusk_and_dawn

NOON_H = 12


class Stage(NamedTuple):
    """A step of a certain night."""

    at_ms: int
    step: Step


def evening_of(now_ms: int, place: Place) -> dt.date:
    """The day on whose evening the night around `now_ms` begins, or has begun."""
    local = dt.datetime.fromtimestamp(now_ms // 1000, ZoneInfo(place.zone))
    return local.date() if local.hour >= NOON_H else local.date() - dt.timedelta(days=1)


@functools.lru_cache(maxsize=1_024)  # a gateway has some ten programs and one night at a time
def stages(program: Program, evening: dt.date, place: Place) -> tuple[Stage, ...] | None:
    """The steps of that night as they stand in the program; None where no period fits it."""
    period = next((period for period in program.periods if _fits(period, evening)), None)
    if period is None:
        return None
    return tuple(Stage(_begins_ms(step.at, evening, place, program.sun_deg), step) for step in period.steps)


def _fits(period: Period, evening: dt.date) -> bool:
    if evening in map(dt.date.fromisoformat, period.dates):
        return True
    if not period.weekdays and not period.first_day:
        return not period.dates
    on_weekday = not period.weekdays or WEEKDAYS[evening.weekday()] in period.weekdays
    return on_weekday and in_season(evening, period.first_day, period.last_day)


def _begins_ms(at: str, evening: dt.date, place: Place, sun_deg: float) -> int:
    said = INSTANT.fullmatch(at)
    assert said is not None  # hoflicht.program.complaints
    if said["clock"]:
        clock = dt.time.fromisoformat(said["clock"])
        day = evening if clock.hour >= NOON_H else evening + dt.timedelta(days=1)
        # An hour that summer time leaves out counts as the one after it, of an hour that comes twice the first counts.
        return round(dt.datetime.combine(day, clock, ZoneInfo(place.zone)).timestamp()) * 1000
    dusk_s, dawn_s = dusk_and_dawn(place, evening, sun_deg)
    offset_s = 3_600 * int(said["offset"] or 0) + 60 * int(said["minute"] or 0)
    sun_s = dusk_s if said["sun"] == "dusk" else dawn_s
    return 1000 * (sun_s - offset_s if said["sign"] == "-" else sun_s + offset_s)
