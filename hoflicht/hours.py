"""Opening hours of a yard: weekly, with holidays and special days, in the city's own time.

A period belongs to the day on which it opens, and may end on the next one. Instants are compared in UTC: Python compares two times
of one zone by the clock on the wall, which shows an hour twice a year again.
"""

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays

from hoflicht.catalogue import City, Hours, load_city
from hoflicht.complaint import Complaint, about
from hoflicht.days import WEEKDAYS

SEARCH_DAYS = 30  # how far ahead the next opening is looked for; a yard that is closed longer has none to tell
DAY = dt.timedelta(days=1)


class OpenPeriod(tuple[dt.datetime, dt.datetime, dt.datetime]):
    """opens, last entry, closes; all in the city's zone."""

    __slots__ = ()

    @property
    def opens(self) -> dt.datetime:
        return self[0]

    @property
    def last_entry(self) -> dt.datetime:
        return self[1]

    @property
    def closes(self) -> dt.datetime:
        return self[2]


def period_on(day: dt.date, hours: Hours, city: City) -> OpenPeriod | None:
    """The period that begins on `day`; None where the yard does not open then.

    Where the next day's begins before this one ends, or as it ends, nobody is turned away: this one ends there, and that is its
    last entry.
    """
    span = _span_on(day, hours, city)
    if span is None:
        return None
    opens, closes = span
    following = _span_on(day + DAY, hours, city)
    if following is not None and following[0] <= closes:
        closes = last_entry = following[0]
    else:
        last_entry = closes - dt.timedelta(minutes=hours.last_entry_before_min)
    zone = ZoneInfo(city.timezone)
    return OpenPeriod((opens.astimezone(zone), last_entry.astimezone(zone), closes.astimezone(zone)))


def period_at(instant: dt.datetime, hours: Hours, city: City) -> OpenPeriod | None:
    """The open period that holds `instant`, opening included, closing not."""
    at = instant.astimezone(dt.UTC)
    today = instant.astimezone(ZoneInfo(city.timezone)).date()
    for day in (today, today - DAY):
        period = period_on(day, hours, city)
        if period is not None and period.opens <= at < period.closes:
            return period
    return None


def next_opening(instant: dt.datetime, hours: Hours, city: City) -> dt.datetime | None:
    """The first opening after `instant`, or None where there is none within 30 days."""
    at = instant.astimezone(dt.UTC)
    today = instant.astimezone(ZoneInfo(city.timezone)).date()
    for ahead in range(SEARCH_DAYS + 1):
        period = period_on(today + ahead * DAY, hours, city)
        if period is not None and period.opens > at:
            return period.opens
    return None


def _span_on(day: dt.date, hours: Hours, city: City) -> tuple[dt.datetime, dt.datetime] | None:
    """When the span of `day` begins and ends, in UTC, whatever the next day brings."""
    if day.isoformat() in hours.closed_on or (not hours.open_on_holidays and holiday_on(day, city.holidays)):
        return None
    span = hours.special.get(day.isoformat()) or hours.weekly.get(WEEKDAYS[day.weekday()])
    if span is None:
        return None
    opens, _, closes = span.partition("-")
    begins = _at(day, opens, city.timezone)
    ends = _at(day if opens < closes else day + DAY, closes, city.timezone)
    return (begins, ends) if begins < ends else None  # none is left where the clock jumps over all of it


@lru_cache(maxsize=4_096)
def _at(day: dt.date, text: str, timezone: str) -> dt.datetime:
    """A wall clock's time in UTC.

    As RFC 5545 (§3.3.5) reads it: a time that comes twice is the first, one that the clock jumps over is as late as if it did not.
    """
    hour, minute = (int(part) for part in text.split(":"))
    if hour == 24:  # ISO 8601 writes the end of a day so
        day, hour = day + DAY, 0
    return dt.datetime.combine(day, dt.time(hour, minute), ZoneInfo(timezone)).astimezone(dt.UTC)


@lru_cache(maxsize=4_096)
def holiday_on(day: dt.date, region: str) -> str:
    """The holiday of `region`, as in "DE-NW", that `day` is, in German where it has a German name; empty: none."""
    if not region:
        return ""
    country, _, subdivision = region.partition("-")
    named = holidays.country_holidays(country, subdiv=subdivision or None, years=day.year, language="de")
    return str(named.get(day, ""))


def load_with_holidays(path: Path) -> City:
    """As `load_city`, for who reckons with opening hours: whose holidays are not known would end him in the middle of a day."""
    return load_city(path, complaints_of_region)


def complaints_of_region(city: City) -> Iterator[Complaint]:
    """That nobody knows the holidays of the city's region."""
    if city.holidays and not is_region(city.holidays):
        yield about(("holidays",), f"the holidays of {city.holidays!r} are not known; an example: DE-NW")


def is_region(region: str) -> bool:
    """Whether the holidays of `region`, as in "DE-NW", are known."""
    country, _, subdivision = region.partition("-")
    known = holidays.list_supported_countries(include_aliases=True)
    return country in known and (not subdivision or subdivision in known[country])
