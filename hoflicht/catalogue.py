"""The city: its yards, lamps and gateways, from one file. Copying hoflicht to another city means writing another one."""

import enum
import fnmatch
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hoflicht.config import Strict, load
from hoflicht.errors import BadConfig
from hoflicht.reading import is_id

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPAN = re.compile(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)")
API = "api"  # the client id under which the api writes its estimates back
ESTIMATE = "estimate"  # the sensor of a yard that stands for them
STAFF = "staff"  # and the one that stands for what its staff say


class Role(enum.StrEnum):
    """What a yard's sensor tells the estimate of the waiting time."""

    LANE_ENTRY = "lane-entry"  # passages of cars that join the queue
    ENTRY_CONTROL = "entry-control"  # passages of cars that leave the queue
    YARD_EXIT = "yard-exit"  # passages of cars that leave the yard
    LANE = "lane"  # presence at `position_m` of the lane, counted from the entry control
    BAY = "bay"  # occupancy of an unloading bay
    GATE = "gate"  # held or not
    OTHER = "other"  # not for the estimate: air, weather, power


class Sensor(Strict, frozen=True):
    """A device at a site."""

    role: Role = Role.OTHER
    position_m: float | None = None


class Hours(Strict, frozen=True):
    """Opening hours in the city's time.

    A span is "08:00-18:00"; "20:00-04:00" ends on the next day, "04:00-04:00" lasts 24 hours, "24:00" ends a day. It belongs to the
    day on which it begins; where the next day's begins before it ends, that one takes over.
    """

    weekly: dict[str, str]
    special: dict[str, str] = {}  # by date, "2026-12-24" = "08:00-12:00"
    closed_on: tuple[str, ...] = ()  # dates
    open_on_holidays: bool = False
    last_entry_before_min: int = 0  # minutes before closing after which nobody is let in


class Yard(Strict, frozen=True):
    """A recycling yard."""

    name: str
    address: str
    lat: float
    lon: float
    hours: Hours
    sensors: dict[str, Sensor]
    bays: int = 4
    usual_entries_per_hour: float = 25.0  # what the estimate assumes until it has counted
    metres_per_car: float = 7.0  # a standing car and its gap


class Lamp(Strict, frozen=True):
    """A street lamp."""

    street: str
    lat: float
    lon: float
    nominal_power_w: float = 56.0
    sensors: tuple[str, ...] = ("driver",)


class Cabinet(Strict, frozen=True):
    """A feeder cabinet."""

    street: str
    lat: float
    lon: float
    sensors: tuple[str, ...] = ("meter",)


class Gateway(Strict, frozen=True):
    """A computer that runs the edge agent, and the sites it speaks for; a pattern such as "lamp-00*" is allowed."""

    sites: tuple[str, ...]


class City(Strict, frozen=True):
    """All that is known before the first reading."""

    name: str
    timezone: str = "Europe/Berlin"
    holidays: str = ""  # ISO 3166-2, "DE-NW"; empty: none are kept
    yards: dict[str, Yard] = {}
    lamps: dict[str, Lamp] = {}
    cabinets: dict[str, Cabinet] = {}
    gateways: dict[str, Gateway] = {}


def sensors_by_site(city: City) -> dict[str, frozenset[str]]:
    """The sensors of each yard, lamp and cabinet; a yard has its `estimate` too."""
    return {
        **{site: frozenset(yard.sensors) | {ESTIMATE} for site, yard in city.yards.items()},
        **{site: frozenset(lamp.sensors) for site, lamp in city.lamps.items()},
        **{site: frozenset(cabinet.sensors) for site, cabinet in city.cabinets.items()},
    }


def sites_by_gateway(city: City) -> dict[str, frozenset[str]]:
    """The sites that each gateway may speak for; itself, for its own health, among them. The api speaks for the yards."""
    known = list(sensors_by_site(city))
    sites = {
        name: frozenset(site for pattern in gateway.sites for site in fnmatch.filter(known, pattern)) | {name}
        for name, gateway in city.gateways.items()
    }
    return sites | {API: frozenset(city.yards)}


def gateways_of(city: City, site: str) -> list[str]:
    """The gateways that may speak for the yard, lamp or cabinet `site`."""
    named = ((name, pattern) for name, gateway in city.gateways.items() for pattern in gateway.sites)
    return list(dict.fromkeys(name for name, pattern in named if fnmatch.fnmatch(site, pattern)))


def load_city(path: Path) -> City:
    """Read and check a catalogue; raise BadConfig that names file, key and what is allowed."""
    city = load(path, City)
    for complaint in _complaints(city):
        raise BadConfig(f"{path}: {complaint}")
    return city


def _complaints(city: City) -> Iterator[str]:
    try:
        ZoneInfo(city.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield f"timezone {city.timezone!r} is not in the IANA database; an example: Europe/Berlin"
    sites = [*city.yards, *city.lamps, *city.cabinets, *city.gateways]
    for name in sites:
        if not is_id(name):
            yield f"{name!r} cannot name a site: lower case letters, digits, hyphens and underscores, at most 63"
    for name in {name for name in sites if sites.count(name) > 1} | ({API} & set(sites)):
        yield f"the name {name!r} stands for two things"
    for site, sensors in sensors_by_site(city).items():
        for sensor in sensors:
            if not is_id(sensor):
                yield f"[{site}] {sensor!r} cannot name a sensor: lower case letters, digits, hyphens and underscores, at most 63"
    for name, yard in city.yards.items():
        yield from (f"[yards.{name}] {complaint}" for complaint in _complaints_of_yard(yard))
    known = list(sensors_by_site(city))
    for name, gateway in city.gateways.items():
        for pattern in gateway.sites:
            if not fnmatch.filter(known, pattern):
                yield f"[gateways.{name}] sites: {pattern!r} matches no yard, lamp or cabinet of this file"


def _complaints_of_yard(yard: Yard) -> Iterator[str]:
    for day in yard.hours.weekly:
        if day not in WEEKDAYS:
            yield f"hours.weekly: {day!r} is no day; allowed: {', '.join(WEEKDAYS)}"
    for day in (*yard.hours.special, *yard.hours.closed_on):
        try:
            date.fromisoformat(day)
        except ValueError:
            yield f'hours: {day!r} is no date; an example: "2026-12-24"'
    for span in (*yard.hours.weekly.values(), *yard.hours.special.values()):
        if not SPAN.fullmatch(span):
            yield f'hours: {span!r} is no span; examples: "08:00-18:00", "20:00-04:00" (until the next day)'
    for name, sensor in yard.sensors.items():
        if sensor.role is Role.LANE and sensor.position_m is None:
            yield f"sensors.{name}: a lane sensor needs position_m, its distance from the entry control in metres"
    for taken, by in ((ESTIMATE, "the platform's own estimate"), (STAFF, "what staff say")):
        if taken in yard.sensors:
            yield f"sensors: {taken!r} is taken by {by}"
