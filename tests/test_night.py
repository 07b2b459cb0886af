"""Which day a night belongs to, which steps count in it, and when they begin: over midnight, New Year and changes of the clocks."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from edge.night import evening_of, stages
from hoflicht.program import Period, Program, Step
from hoflicht.sky import Place, dusk_and_dawn

DUISBURG = Place(51.43, 6.76, "Europe/Berlin")
BERLIN = ZoneInfo("Europe/Berlin")
SPRING = dt.date(2026, 3, 28)  # this night has 23 hours
AUTUMN = dt.date(2026, 10, 24)  # and this one 25


def ms(text: str) -> int:
    """An instant, with its offset to UTC."""
    return round(dt.datetime.fromisoformat(text).timestamp() * 1000)


def begins(at: str, evening: dt.date, sun_deg: float = -2) -> int:
    program = Program(periods=(Period(steps=(Step(at),)),), sun_deg=sun_deg)
    night = stages(program, evening, DUISBURG)
    assert night is not None
    return night[0].at_ms


def counting(program: Program, evening: str) -> str:
    """The instant that the first step of the period names which counts."""
    night = stages(program, dt.date.fromisoformat(evening), DUISBURG)
    return night[0].step.at if night else "none"


@pytest.mark.parametrize(
    ("at", "evening"),
    [
        ("2026-11-26T12:00+01:00", "2026-11-26"),
        ("2026-11-26T23:59:59+01:00", "2026-11-26"),
        ("2026-11-27T00:00+01:00", "2026-11-26"),
        ("2026-11-27T11:59:59+01:00", "2026-11-26"),
        ("2026-03-29T01:59:59+01:00", "2026-03-28"),
        ("2026-03-29T11:59:59+02:00", "2026-03-28"),
        ("2026-03-29T12:00+02:00", "2026-03-29"),
        ("2026-10-25T11:59:59+01:00", "2026-10-24"),
        ("2027-01-01T03:00+01:00", "2026-12-31"),
    ],
)
def test_a_night_belongs_to_the_day_on_whose_evening_it_begins(at: str, evening: str) -> None:
    assert evening_of(ms(at), DUISBURG) == dt.date.fromisoformat(evening)


@pytest.mark.parametrize(
    ("at", "evening", "instant"),
    [
        ("12:00", dt.date(2026, 11, 26), "2026-11-26T12:00+01:00"),
        ("23:00", dt.date(2026, 11, 26), "2026-11-26T23:00+01:00"),
        ("00:00", dt.date(2026, 11, 26), "2026-11-27T00:00+01:00"),
        ("11:59", dt.date(2026, 11, 26), "2026-11-27T11:59+01:00"),
        ("00:30", dt.date(2026, 12, 31), "2027-01-01T00:30+01:00"),
        ("23:00", SPRING, "2026-03-28T23:00+01:00"),
        ("01:59", SPRING, "2026-03-29T01:59+01:00"),
        ("02:30", SPRING, "2026-03-29T03:30+02:00"),  # there is no 02:30
        ("05:00", SPRING, "2026-03-29T05:00+02:00"),
        ("23:00", AUTUMN, "2026-10-24T23:00+02:00"),
        ("02:30", AUTUMN, "2026-10-25T02:30+02:00"),  # and here there are two
        ("05:00", AUTUMN, "2026-10-25T05:00+01:00"),
    ],
)
def test_a_local_time_is_the_citys_in_that_night(at: str, evening: dt.date, instant: str) -> None:
    assert begins(at, evening) == ms(instant)


def test_between_two_local_times_a_night_that_changes_its_clocks_is_an_hour_shorter_or_longer() -> None:
    assert begins("05:00", SPRING) - begins("23:00", SPRING) == 5 * 3_600_000
    assert begins("05:00", AUTUMN) - begins("23:00", AUTUMN) == 7 * 3_600_000


@pytest.mark.parametrize("evening", [SPRING, AUTUMN, dt.date(2026, 6, 21), dt.date(2026, 12, 31)])
@pytest.mark.parametrize("sun_deg", [-6.0, -2.0, 3.0])
def test_an_offset_is_added_to_the_suns_instant(evening: dt.date, sun_deg: float) -> None:
    dusk_s, dawn_s = dusk_and_dawn(DUISBURG, evening, sun_deg)

    assert begins("dusk", evening, sun_deg) == 1000 * dusk_s
    assert begins("dusk+00:30", evening, sun_deg) == 1000 * (dusk_s + 1_800)
    assert begins("dusk-00:05", evening, sun_deg) == 1000 * (dusk_s - 300)
    assert begins("dawn-01:15", evening, sun_deg) == 1000 * (dawn_s - 4_500)
    assert begins("dawn+02:00", evening, sun_deg) == 1000 * (dawn_s + 7_200)


WEEKEND = Period(steps=(Step("01:00"),), weekdays=("fri", "sat"))
WINTER = Period(steps=(Step("02:00"),), first_day="11-15", last_day="01-06")
WINTER_SUNDAYS = Period(steps=(Step("03:00"),), weekdays=("sun",), first_day="11-15", last_day="01-06")
CHRISTMAS = Period(steps=(Step("04:00"),), dates=("2026-12-24", "2026-12-31"))
CHRISTMAS_AND_MONDAYS = Period(steps=(Step("05:00"),), weekdays=("mon",), dates=("2026-12-24",))
ALWAYS = Period(steps=(Step("06:00"),))


@pytest.mark.parametrize(
    ("periods", "evening", "at"),
    [
        ((WEEKEND, ALWAYS), "2026-11-27", "01:00"),  # a Friday
        ((WEEKEND, ALWAYS), "2026-11-29", "06:00"),
        ((ALWAYS, WEEKEND), "2026-11-27", "06:00"),  # the first that fits
        ((WINTER,), "2027-01-06", "02:00"),
        ((WINTER,), "2027-01-07", "none"),
        ((WINTER_SUNDAYS, ALWAYS), "2026-11-29", "03:00"),
        ((WINTER_SUNDAYS, ALWAYS), "2026-11-28", "06:00"),  # winter, and no Sunday
        ((WINTER_SUNDAYS, ALWAYS), "2026-11-08", "06:00"),  # a Sunday, and no winter
        ((CHRISTMAS, ALWAYS), "2026-12-24", "04:00"),
        ((CHRISTMAS, ALWAYS), "2026-12-25", "06:00"),
        ((CHRISTMAS_AND_MONDAYS, ALWAYS), "2026-12-24", "05:00"),  # a Thursday
        ((CHRISTMAS_AND_MONDAYS, ALWAYS), "2026-12-28", "05:00"),
        ((CHRISTMAS_AND_MONDAYS, ALWAYS), "2026-12-29", "06:00"),
        ((), "2026-12-24", "none"),
    ],
)
def test_the_first_period_that_fits_the_night_counts(periods: tuple[Period, ...], evening: str, at: str) -> None:
    assert counting(Program(periods=periods), evening) == at
