"""Opening hours of a yard: weekly, with holidays and special days, in the city's own time."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from hoflicht.catalogue import WEEKDAYS, City, Hours

SEARCH_DAYS = 30  # how far ahead the next opening is looked for; a yard that is closed longer has none to tell


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
    """When the yard is open on `day`; None where it is closed all day."""
    if day.isoformat() in hours.closed_on or (not hours.open_on_holidays and _is_holiday(day, city.holidays)):
        return None
    span = hours.special.get(day.isoformat()) or hours.weekly.get(WEEKDAYS[day.weekday()])
    if span is None:
        return None
    opens, closes = (_at(day, text, city.timezone) for text in span.split("-"))
    return OpenPeriod((opens, closes - dt.timedelta(minutes=hours.last_entry_before_min), closes))


def period_at(instant: dt.datetime, hours: Hours, city: City) -> OpenPeriod | None:
    """The open period that holds `instant`, opening included, closing not."""
    period = period_on(instant.astimezone(ZoneInfo(city.timezone)).date(), hours, city)
    return period if period is not None and period.opens <= instant < period.closes else None


def next_opening(instant: dt.datetime, hours: Hours, city: City) -> dt.datetime | None:
    """The first opening after `instant`, or None where there is none within 30 days."""
    today = instant.astimezone(ZoneInfo(city.timezone)).date()
    for ahead in range(SEARCH_DAYS + 1):
        period = period_on(today + dt.timedelta(days=ahead), hours, city)
        if period is not None and period.opens > instant:
            return period.opens
    return None


def _at(day: dt.date, text: str, timezone: str) -> dt.datetime:
    hour, minute = (int(part) for part in text.split(":"))
    if hour == 24:  # ISO 8601 writes the end of a day so
        day, hour = day + dt.timedelta(days=1), 0
    return dt.datetime.combine(day, dt.time(hour, minute), ZoneInfo(timezone))


@lru_cache(maxsize=4_096)
def _is_holiday(day: dt.date, region: str) -> bool:
    if not region:
        return False
    country, _, subdivision = region.partition("-")
    return day in holidays.country_holidays(country, subdiv=subdivision or None, years=day.year)
