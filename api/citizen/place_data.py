"""The yards as search engines read places: schema.org in JSON-LD, with opening hours and the days on which they differ."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from api.open_data.calendar import days
from hoflicht.catalogue import City, Hours, Yard
from hoflicht.days import WEEKDAYS

ADDRESS = re.compile(r"(?P<street>.+), (?P<code>\d{5}) (?P<place>[^,]+)")  # as letters in Germany have it
NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CLOSED = "00:00"  # to the same: closed all day, as search engines read it
LAST_MINUTE = "23:59"  # they know no 24:00


def places(city: City, today: dt.date, base: str) -> bytes:
    """All yards of `city` as JSON-LD, for a page's head and for itself; special days are those of twelve months from `today` on."""
    graph = [_place(city, name, yard, today, base) for name, yard in city.yards.items()]
    document = msgspec.json.encode({"@context": "https://schema.org", "@graph": graph})
    return document.replace(b"<", rb"\u003c")  # so that nothing in it ends the script element that holds it


def today(city: City, now: dt.datetime) -> dt.date:
    """The date in the city."""
    return now.astimezone(ZoneInfo(city.timezone)).date()


def _place(city: City, name: str, yard: Yard, first: dt.date, base: str) -> dict[str, Any]:
    return {
        "@type": "RecyclingCenter",
        "@id": f"{base}/v1/yards/{name}",
        "name": yard.name,
        "address": _address(yard.address),
        "geo": {"@type": "GeoCoordinates", "latitude": yard.lat, "longitude": yard.lon},
        "url": f"{base}/",
        "publicAccess": True,
        "openingHoursSpecification": list(_weekly(yard.hours)),
        "specialOpeningHoursSpecification": list(_special(city, yard.hours, first)),
    }


def _address(text: str) -> dict[str, str] | str:
    found = ADDRESS.fullmatch(text)
    if found is None:
        return text
    return {
        "@type": "PostalAddress",
        "streetAddress": found["street"],
        "postalCode": found["code"],
        "addressLocality": found["place"],
    }


def _weekly(hours: Hours) -> Iterator[dict[str, Any]]:
    for span in dict.fromkeys(hours.weekly.values()):
        opens, _, closes = span.partition("-")
        named = [f"https://schema.org/{NAMES[WEEKDAYS.index(day)]}" for day in WEEKDAYS if hours.weekly.get(day) == span]
        yield _specification(opens, closes) | {"dayOfWeek": named}


def _special(city: City, hours: Hours, first: dt.date) -> Iterator[dict[str, Any]]:
    for day in days(city, hours, first):
        if day.is_special:
            clocks = (CLOSED, CLOSED) if day.period is None else (f"{day.period.opens:%H:%M}", f"{day.period.closes:%H:%M}")
            date = day.date.isoformat()
            yield _specification(*clocks) | {"validFrom": date, "validThrough": date}


def _specification(opens: str, closes: str) -> dict[str, Any]:
    return {"@type": "OpeningHoursSpecification", "opens": opens, "closes": LAST_MINUTE if closes == "24:00" else closes}
