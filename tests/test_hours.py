"""Opening hours, holidays, special days, daylight saving."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hoflicht.catalogue import City, Hours
from hoflicht.hours import next_opening, period_at, period_on

BERLIN = ZoneInfo("Europe/Berlin")
DAILY: dict[str, str] = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), "08:00-18:00")
HOURS = Hours(weekly=DAILY, last_entry_before_min=30, closed_on=("2026-12-24",), special={"2026-12-30": "08:00-12:00"})
CITY = City(name="Duisburg", holidays="DE-NW")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize("instant", ["2026-11-23T08:00", "2026-11-23T17:59:59"])
def test_a_yard_is_open_from_opening_to_just_before_closing(instant: str) -> None:
    period = period_at(at(instant), HOURS, CITY)

    assert period == (at("2026-11-23T08:00"), at("2026-11-23T17:30"), at("2026-11-23T18:00"))


@pytest.mark.parametrize(
    "instant",
    [
        "2026-11-23T07:59:59",
        "2026-11-23T18:00",
        "2026-11-22T12:00",  # a Sunday
        "2026-12-24T10:00",  # closed on that date
        "2026-11-01T10:00",  # All Saints' Day is kept in North Rhine-Westphalia, and a Sunday
        "2027-05-27T10:00",  # Corpus Christi, a Thursday
        "2026-12-30T12:30",  # closes at noon
    ],
)
def test_a_yard_is_closed_outside(instant: str) -> None:
    assert period_at(at(instant), HOURS, CITY) is None


@pytest.mark.parametrize(
    ("instant", "opening"),
    [
        ("2026-11-23T07:00", "2026-11-23T08:00"),
        ("2026-11-23T12:00", "2026-11-24T08:00"),
        ("2026-11-21T18:00", "2026-11-23T08:00"),
        ("2026-12-23T20:00", "2026-12-28T08:00"),  # the 24th is closed, then Christmas and a Sunday
    ],
)
def test_the_next_opening_skips_closed_days(instant: str, opening: str) -> None:
    assert next_opening(at(instant), HOURS, CITY) == at(opening)


def test_a_yard_that_never_opens_has_no_next_opening() -> None:
    assert next_opening(at("2026-11-23T12:00"), Hours(weekly={}), CITY) is None


def test_twenty_four_ends_the_day() -> None:
    period = period_on(at("2026-11-23T12:00").date(), Hours(weekly={"mon": "00:00-24:00"}), CITY)

    assert period == (at("2026-11-23T00:00"), at("2026-11-24T00:00"), at("2026-11-24T00:00"))


def test_eight_in_the_morning_is_eight_on_the_wall_when_the_clocks_change() -> None:
    saturday = period_on(at("2026-10-24T12:00").date(), HOURS, CITY)
    monday = period_on(at("2026-10-26T12:00").date(), HOURS, CITY)

    assert saturday is not None
    assert monday is not None
    assert [p.opens.astimezone(ZoneInfo("UTC")).hour for p in (saturday, monday)] == [6, 7]
