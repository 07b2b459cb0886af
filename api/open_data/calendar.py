"""Opening hours and special days of a yard as a calendar that phones subscribe to (RFC 5545)."""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from api.open_data import ical
from hoflicht.catalogue import City, Hours, Yard
from hoflicht.days import WEEKDAYS
from hoflicht.hours import OpenPeriod, holiday_on, period_on

DAYS = 366  # the next twelve months
PRODUCT = "-//hoflicht//opening hours//DE"
REFRESH = "P1D"  # a day: what changes is the catalogue, and which day is the first


class Day(NamedTuple):
    """One day of a yard. `period` None: closed; `is_special`: not as on other days of its name; `why`: a holiday, or empty."""

    date: dt.date
    period: OpenPeriod | None
    is_special: bool
    why: str


def days(city: City, hours: Hours, first: dt.date) -> Iterator[Day]:
    """The next twelve months from `first` on, without the days that are closed each week."""
    for date in (first + n * ical.DAY for n in range(DAYS)):
        period = period_on(date, hours, city)
        is_usual = WEEKDAYS[date.weekday()] in hours.weekly
        if period is not None:
            yield Day(date, period, date.isoformat() in hours.special, "")
        elif is_usual:
            yield Day(date, None, True, holiday_on(date, city.holidays))


def as_ics(city: City, name: str, first: dt.date, base: str) -> bytes:
    """The calendar of the yard `name` from `first` on."""
    yard = city.yards[name]
    return ical.written(_calendar(city, name, yard, first, base))


def _calendar(city: City, name: str, yard: Yard, first: dt.date, base: str) -> Iterator[str]:
    title = ical.text(f"{yard.name}: Öffnungszeiten")
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH")
    yield from (f"NAME:{title}", f"X-WR-CALNAME:{title}", f"SOURCE;VALUE=URI:{base}/v1/yards/{name}/hours.ics")  # RFC 7986
    yield from (f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}", f"X-PUBLISHED-TTL:{REFRESH}")
    yield from ical.timezone(city.timezone, first, first + (DAYS + 1) * ical.DAY)
    for day in days(city, yard.hours, first):
        yield from _event(city, name, yard, day, first)
    yield "END:VCALENDAR"


def _event(city: City, name: str, yard: Yard, day: Day, first: dt.date) -> Iterator[str]:
    yield from ("BEGIN:VEVENT", f"UID:{day.date}-{name}@hoflicht")
    yield f"DTSTAMP:{first:%Y%m%d}T000000Z"  # the same all day, so that who has it already is told so
    if day.period is None:
        yield from (f"DTSTART;VALUE=DATE:{day.date:%Y%m%d}", f"DTEND;VALUE=DATE:{day.date + ical.DAY:%Y%m%d}")
        yield f"SUMMARY:{ical.text(f'{yard.name} geschlossen' + (f': {day.why}' if day.why else ''))}"
    else:
        yield f"DTSTART;TZID={city.timezone}:{ical.local(day.period.opens)}"
        yield f"DTEND;TZID={city.timezone}:{ical.local(day.period.closes)}"
        yield f"SUMMARY:{ical.text(f'{yard.name} geöffnet' + (' (andere Zeiten)' if day.is_special else ''))}"
        yield f"DESCRIPTION:{ical.text(f'Letzte Einfahrt {day.period.last_entry:%H:%M} Uhr')}"
    yield from (f"LOCATION:{ical.text(yard.address)}", f"GEO:{yard.lat};{yard.lon}")
    yield from ("TRANSP:TRANSPARENT", "END:VEVENT")
