"""Programs of light, as data: which level a lamp keeps from dusk to dawn, and which lighting class stands behind it.

A night belongs to the day on whose evening it begins, and goes from noon to noon in the city's time. While it is not dark a lamp is
off, whatever the program says; while it is, that step counts which is the last in the list of those that have begun, and full light
before any has. So "dusk" may stand before "22:00" although in June the sun is later.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec

from hoflicht.complaint import Complaint, about, within
from hoflicht.config import Strict
from hoflicht.days import WEEKDAYS, is_date, is_day_of_year
from hoflicht.positions import Path

# Maintained luminance (cd/m2) or horizontal illuminance (lx) that a class asks for: EN 13201-2, tables 1 to 3. A lamp gives at full
# level what the class it was planned for asks for, and its light is proportional to its level.
LIGHTING_CLASSES: Mapping[str, float] = {
    **{"M1": 2.0, "M2": 1.5, "M3": 1.0, "M4": 0.75, "M5": 0.5, "M6": 0.3},
    **{"C0": 50.0, "C1": 30.0, "C2": 20.0, "C3": 15.0, "C4": 10.0, "C5": 7.5},
    **{"P1": 15.0, "P2": 10.0, "P3": 7.5, "P4": 5.0, "P5": 3.0, "P6": 2.0},
}
INSTANT = re.compile(
    r"(?P<clock>([01]\d|2[0-3]):[0-5]\d)|(?P<sun>dusk|dawn)((?P<sign>[+-])(?P<offset>0\d|1[0-2]):(?P<minute>[0-5]\d))?"
)
MAX_STEPS = 20  # of a night; peers offer ten
MAX_PERIODS = 50

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]  # of the light at full level, linear
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3_600)]


class Step(Strict, frozen=True):
    """From `at` on this level: "dusk", "dusk+00:30", "dawn-01:00" or the city's time, "23:00"."""

    at: str
    percent: Percent = 0  # the level, or less than what the class asks for: then the class counts
    lighting_class: str = ""  # that is kept from then on; empty: none is demanded


class Period(Strict, frozen=True):
    """On which nights these steps count: all, or those that fit whatever is given."""

    steps: Annotated[tuple[Step, ...], msgspec.Meta(max_length=MAX_STEPS)]
    weekdays: tuple[str, ...] = ()  # on whose evening the night begins
    first_day: str = ""  # "11-01"; with `last_day`, both included, also over New Year
    last_day: str = ""
    dates: tuple[str, ...] = ()  # "2026-12-24"; such a night counts whatever weekday it is


class Traffic(Strict, frozen=True):
    """What a passage does, while it is dark."""

    percent: Percent = 100
    lighting_class: str = ""  # demanded while somebody is there
    hold_s: Seconds = 60  # after the last passage


class Cap(Strict, frozen=True):
    """No more light than this, but what a class demands: for insects by season, under a moon that lights the street."""

    percent: Percent
    first_day: str = ""  # season, both included; empty: all the year
    last_day: str = ""
    moon_share: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None  # only while at least so much of a risen moon is lit


class Program(Strict, frozen=True):
    """How a lamp lives through the year. The first period that fits a night counts; where none fits: full light."""

    periods: Annotated[tuple[Period, ...], msgspec.Meta(max_length=MAX_PERIODS)] = ()
    # Public lighting is switched at some 15 to 20 lx, which the sun's centre gives 2 degrees below the horizon under a clear sky.
    sun_deg: Annotated[float, msgspec.Meta(ge=-6, le=3)] = -2  # dusk and dawn: the sun's centre passes this elevation
    dark_lx: Annotated[float, msgspec.Meta(gt=0, le=200)] = 15  # where light is measured: on below, off above twice as much
    traffic: Traffic | None = None
    caps: tuple[Cap, ...] = ()
    wet_class: str = ""  # demanded while the road is wet
    ramp_up_s: Seconds = 2  # from dark to full; nobody is startled, and who drives is lit in time
    ramp_down_s: Seconds = 20


def floor_percent(demanded: str, planned: str) -> float:
    """The level at which a lamp planned for one class keeps another; 0 where none is demanded, 100 where it cannot be told."""
    if not demanded:
        return 0.0
    if planned[:1] != demanded[:1] or planned not in LIGHTING_CLASSES or demanded not in LIGHTING_CLASSES:
        return 100.0
    return min(100.0, 100.0 * LIGHTING_CLASSES[demanded] / LIGHTING_CLASSES[planned])


def demanded(program: Program) -> set[str]:
    """The classes that `program` asks for at some time."""
    classes = {step.lighting_class for period in program.periods for step in period.steps} | {program.wet_class}
    return (classes | ({program.traffic.lighting_class} if program.traffic else set())) - {""}


def misfits(program: Program, planned: str) -> Iterator[str]:
    """Why a lamp planned for the class `planned` cannot keep the classes that `program` asks for, other than in full light."""
    for lighting_class in sorted(demanded(program)):
        if planned[:1] != lighting_class[:1]:
            yield f"{lighting_class} cannot be told from {planned or 'no lighting_class'}"
        elif LIGHTING_CLASSES[lighting_class] > LIGHTING_CLASSES[planned]:
            yield f"{lighting_class} is more than the lamp gives, {planned}"


def complaints(program: Program) -> Iterator[Complaint]:
    """What in `program` cannot be meant, each with what is allowed."""
    for n, period in enumerate(program.periods):
        at = ("periods", n)
        for k, step in enumerate(period.steps):
            yield from _of_step((*at, "steps", k), step)
        for day in period.weekdays:
            if day not in WEEKDAYS:
                yield about((*at, "weekdays"), f"{day!r} is no day; allowed: {', '.join(WEEKDAYS)}")
        for day in period.dates:
            if not is_date(day):
                yield about((*at, "dates"), f'{day!r} is no date; an example: "2026-12-24"')
        yield from _of_season(at, period.first_day, period.last_day)
    for n, cap in enumerate(program.caps):
        yield from _of_season(("caps", n), cap.first_day, cap.last_day)
    if program.traffic is not None:
        yield from (about(("traffic", "lighting_class"), text) for text in of_class(program.traffic.lighting_class))
    yield from (about(("wet_class",), text) for text in of_class(program.wet_class))


def of_class(named: str) -> Iterator[str]:
    """Complain where `named` is neither empty nor a lighting class."""
    if named and named not in LIGHTING_CLASSES:
        yield f"{named!r} is no lighting class of EN 13201-2; allowed: {', '.join(LIGHTING_CLASSES)}"


def _of_step(at: Path, step: Step) -> Iterator[Complaint]:
    if not INSTANT.fullmatch(step.at):
        yield about((*at, "at"), f'{step.at!r} is no instant of a night; examples: "dusk", "dusk+00:30", "dawn-01:00", "23:00"')
    yield from (about((*at, "lighting_class"), text) for text in of_class(step.lighting_class))


def _of_season(at: Path, first: str, last: str) -> Iterator[Complaint]:
    if bool(first) != bool(last):
        yield within(at, "first_day and last_day belong together")
    for key, day in (("first_day", first), ("last_day", last)):
        if day and not is_day_of_year(day):
            yield about((*at, key), f'{day!r} is no day of the year; an example: "11-01"')
