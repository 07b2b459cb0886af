"""Opening hours, holidays, special days, daylight saving."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hoflicht.catalogue import City, Hours
from hoflicht.hours import OpenPeriod, next_opening, period_at, period_on

BERLIN = ZoneInfo("Europe/Berlin")
DAILY: dict[str, str] = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), "08:00-18:00")
HOURS = Hours(weekly=DAILY, last_entry_before_min=30, closed_on=("2026-12-24",), special={"2026-12-30": "08:00-12:00"})
CITY = City(name="Duisburg", holidays="DE-NW")


EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NIGHTS = Hours(weekly=dict.fromkeys(EVERY_DAY, "20:00-04:00"), last_entry_before_min=30)
ROUND_THE_CLOCK = Hours(weekly=dict.fromkeys(EVERY_DAY, "04:00-04:00"), open_on_holidays=True, last_entry_before_min=30)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def hours_long(period: OpenPeriod | None) -> float:
    assert period is not None
    return (period.closes.timestamp() - period.opens.timestamp()) / 3_600


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


@pytest.mark.parametrize("instant", ["2026-11-23T20:00", "2026-11-23T23:59", "2026-11-24T00:00", "2026-11-24T03:59:59"])
def test_a_night_belongs_to_the_day_on_which_it_begins(instant: str) -> None:
    period = period_at(at(instant), NIGHTS, CITY)

    assert period == (at("2026-11-23T20:00"), at("2026-11-24T03:30"), at("2026-11-24T04:00"))


@pytest.mark.parametrize("instant", ["2026-11-24T04:00", "2026-11-24T12:00", "2026-11-24T19:59:59"])
def test_between_two_nights_a_yard_is_closed(instant: str) -> None:
    assert period_at(at(instant), NIGHTS, CITY) is None
    assert next_opening(at(instant), NIGHTS, CITY) == at("2026-11-24T20:00")


def test_during_a_night_the_next_opening_is_the_next_evening() -> None:
    assert next_opening(at("2026-11-24T01:00"), NIGHTS, CITY) == at("2026-11-24T20:00")


def test_the_last_night_of_the_week_ends_on_a_day_without_hours() -> None:
    fridays = Hours(weekly={"fri": "22:00-02:00"})

    assert period_at(at("2026-11-28T01:59"), fridays, CITY) == (
        at("2026-11-27T22:00"),
        at("2026-11-28T02:00"),
        at("2026-11-28T02:00"),
    )
    assert next_opening(at("2026-11-28T01:59"), fridays, CITY) == at("2026-12-04T22:00")


def test_a_night_before_a_holiday_is_not_cut_short_by_it() -> None:
    assert period_at(at("2026-12-25T03:00"), NIGHTS, CITY) == period_on(at("2026-12-24T12:00").date(), NIGHTS, CITY)
    assert period_at(at("2026-12-25T21:00"), NIGHTS, CITY) is None


def test_round_the_clock_one_period_hands_over_to_the_next_and_turns_nobody_away() -> None:
    before = period_at(at("2026-11-24T03:59:59"), ROUND_THE_CLOCK, CITY)
    after = period_at(at("2026-11-24T04:00"), ROUND_THE_CLOCK, CITY)

    assert before == (at("2026-11-23T04:00"), at("2026-11-24T04:00"), at("2026-11-24T04:00"))
    assert after == (at("2026-11-24T04:00"), at("2026-11-25T04:00"), at("2026-11-25T04:00"))
    assert next_opening(at("2026-11-24T03:59:59"), ROUND_THE_CLOCK, CITY) == at("2026-11-24T04:00")


def test_the_last_of_such_periods_has_its_last_entry() -> None:
    until_saturday = Hours(weekly=dict.fromkeys(("fri", "sat"), "04:00-04:00"), last_entry_before_min=30)

    assert period_on(at("2026-11-28T12:00").date(), until_saturday, CITY) == (
        at("2026-11-28T04:00"),
        at("2026-11-29T03:30"),
        at("2026-11-29T04:00"),
    )


def test_where_the_next_day_begins_before_a_night_ends_it_takes_over() -> None:
    early = Hours(weekly={"mon": "20:00-04:00"}, special={"2026-11-24": "02:00-10:00"}, last_entry_before_min=30)

    assert period_at(at("2026-11-24T01:59:59"), early, CITY) == (
        at("2026-11-23T20:00"),
        at("2026-11-24T02:00"),
        at("2026-11-24T02:00"),
    )
    assert period_at(at("2026-11-24T02:00"), early, CITY) == (
        at("2026-11-24T02:00"),
        at("2026-11-24T09:30"),
        at("2026-11-24T10:00"),
    )


@pytest.mark.parametrize(
    ("day", "span", "expected"),
    [
        ("2026-03-28", "04:00-04:00", 23.0),  # the clock jumps from 2 to 3 in that night
        ("2026-03-29", "04:00-04:00", 24.0),
        ("2026-10-24", "04:00-04:00", 25.0),  # and here back from 3 to 2
        ("2026-03-28", "22:00-02:30", 4.5),  # 2:30 is not on the clock: as late as if it were, when it shows 3:30
        ("2026-10-24", "22:00-02:30", 4.5),  # 2:30 comes twice: the first
    ],
)
def test_a_night_is_as_long_as_the_change_of_the_clocks_makes_it(day: str, span: str, expected: float) -> None:
    always = Hours(weekly=dict.fromkeys(EVERY_DAY, span), open_on_holidays=True)

    assert hours_long(period_on(at(f"{day}T12:00").date(), always, CITY)) == expected


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    nights = Hours(weekly={"sat": "22:00-02:30"}, last_entry_before_min=60)
    first = at("2026-10-25T02:15")

    assert period_at(first, nights, CITY) is not None
    assert period_at(first.replace(fold=1), nights, CITY) is None


def test_a_last_entry_is_counted_back_in_real_minutes() -> None:
    nights = Hours(weekly={"sat": "22:00-04:00"}, last_entry_before_min=120)

    period = period_on(at("2026-10-24T12:00").date(), nights, CITY)

    assert period is not None
    assert period.last_entry.isoformat() == "2026-10-25T02:00:00+01:00"


def test_a_span_that_the_clock_jumps_over_is_no_opening() -> None:
    brief = Hours(weekly={"sun": "02:30-03:15"})

    assert period_on(at("2026-03-29T12:00").date(), brief, CITY) is None
