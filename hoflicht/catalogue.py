"""The city: its yards, lamps and gateways, from one file. Copying hoflicht to another city means writing another one."""

import enum
import fnmatch
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hoflicht.config import Strict, load
from hoflicht.days import WEEKDAYS, is_date
from hoflicht.errors import BadConfig
from hoflicht.program import Program, complaints, misfits, of_class
from hoflicht.reading import is_id
from hoflicht.shadow import Duty

SPAN = re.compile(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)")
API = "api"  # the client id under which the api writes its estimates back
ESTIMATE = "estimate"  # the sensor of a yard that stands for them
STAFF = "staff"  # and the one that stands for what its staff say
WATCH = "watch"  # the sensor of a lamp, cabinet or gateway that stands for what the api misses of it


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


class Lit(Strict, frozen=True):
    """How lamps are to burn; what a lamp leaves out is its group's."""

    program: str = ""  # empty in both: the failsafe, full light when it is dark
    lighting_class: str = ""  # of EN 13201-2 that they were planned for, at full level
    traffic: tuple[str, ...] = ()  # whose passages raise them, "lamp-0001/traffic"
    weather: str = ""  # who measures light and rain for them, "lamp-0012/weather"


class Lamp(Lit, frozen=True, kw_only=True):
    """A street lamp."""

    street: str
    lat: float
    lon: float
    nominal_power_w: float = 56.0
    baseline_power_w: float | None = None  # of the luminaire that stood there before; None: the city's
    sensors: tuple[str, ...] = ("driver",)
    group: str = ""
    cabinet: str = ""  # that feeds it; empty: the one of its street, where there is just one


class Group(Lit, frozen=True, kw_only=True):
    """Lamps that are switched together."""

    name: str


class Energy(Strict, frozen=True):
    """What the energy report compares with, and how it reckons."""

    baseline_power_w: float = 170.0  # of an old luminaire with its ballast, burning from dusk to dawn undimmed
    co2_g_per_kwh: float = 363.0  # German power mix of 2024, Umweltbundesamt


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
    groups: dict[str, Group] = {}
    programs: dict[str, Program] = {}
    energy: Energy = Energy()
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


def words_by_site(city: City) -> dict[str, frozenset[str]]:
    """The sensors that only the api speaks for: its estimates of yards, what staff say, and what it misses of all others."""
    others = (*city.lamps, *city.cabinets, *city.gateways)
    return {**dict.fromkeys(city.yards, frozenset({ESTIMATE, STAFF})), **dict.fromkeys(others, frozenset({STAFF, WATCH}))}


def gateways_of(city: City, site: str) -> list[str]:
    """The gateways that may speak for the yard, lamp or cabinet `site`."""
    named = ((name, pattern) for name, gateway in city.gateways.items() for pattern in gateway.sites)
    return list(dict.fromkeys(name for name, pattern in named if fnmatch.fnmatch(site, pattern)))


def duty(city: City, lamp: str) -> Duty:
    """What `lamp` has to do: what stands at itself, else at its group."""
    own = city.lamps[lamp]
    group: Lit = city.groups[own.group] if own.group else Lit()
    return Duty(
        program=own.program or group.program,
        lighting_class=own.lighting_class or group.lighting_class,
        nominal_power_w=own.nominal_power_w,
        traffic=own.traffic or group.traffic,
        weather=own.weather or group.weather,
    )


def cabinet_of(city: City, lamp: str) -> str:
    """The cabinet that feeds `lamp`: the one that is named, or the only one of its street; empty where that is not told."""
    own = city.lamps[lamp]
    nearby = [name for name, cabinet in city.cabinets.items() if cabinet.street == own.street]
    return own.cabinet or (nearby[0] if len(nearby) == 1 else "")


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
    yield from _complaints_of_light(city)
    yield from _complaints_of_names(city)
    known = list(sensors_by_site(city))
    for name, gateway in city.gateways.items():
        for pattern in gateway.sites:
            if not fnmatch.filter(known, pattern):
                yield f"[gateways.{name}] sites: {pattern!r} matches no yard, lamp or cabinet of this file"


def _complaints_of_light(city: City) -> Iterator[str]:
    for name, program in city.programs.items():
        yield from (f"[programs.{name}] {complaint}" for complaint in complaints(program))
    for name in city.groups:
        if not is_id(name):
            yield f"[groups] {name!r} cannot name a group: lower case letters, digits, hyphens and underscores, at most 63"
    sensors = {f"{site}/{sensor}" for site, sensors in sensors_by_site(city).items() for sensor in sensors}
    lit: dict[str, Lit] = {f"groups.{name}": group for name, group in city.groups.items()}
    lit |= {f"lamps.{name}": lamp for name, lamp in city.lamps.items()}
    for where, one in lit.items():
        yield from (f"[{where}] {complaint}" for complaint in _unknown("program", one.program, city.programs))
        yield from (f"[{where}] lighting_class: {complaint}" for complaint in of_class(one.lighting_class))
        for sensor in (*one.traffic, one.weather):
            if sensor and sensor not in sensors:
                yield f"[{where}] {sensor!r} is no sensor of this file"
    for name, lamp in city.lamps.items():
        yield from (f"[lamps.{name}] {complaint}" for complaint in _unknown("group", lamp.group, city.groups))
        yield from (f"[lamps.{name}] {complaint}" for complaint in _unknown("cabinet", lamp.cabinet, city.cabinets))
    for name in city.lamps:
        own = duty(city, name)
        if own.program:
            for misfit in misfits(city.programs[own.program], own.lighting_class):
                yield f"[lamps.{name}] program {own.program!r} asks for a lighting class: {misfit}"


def _complaints_of_names(city: City) -> Iterator[str]:
    said_by_api = {STAFF: "what staff say", WATCH: "what the api misses"}
    for name, sensors in sensors_by_site(city).items():
        for taken in sorted(sensors & said_by_api.keys()) if name not in city.yards else ():
            yield f"[{name}] sensors: {taken!r} is taken by {said_by_api[taken]}"


def _unknown(key: str, name: str, known: Iterable[str]) -> Iterator[str]:
    if name and name not in known:
        yield f"{key}: there is no {name!r} in this file; there are: {', '.join(known) or 'none'}"


def _complaints_of_yard(yard: Yard) -> Iterator[str]:
    for day in yard.hours.weekly:
        if day not in WEEKDAYS:
            yield f"hours.weekly: {day!r} is no day; allowed: {', '.join(WEEKDAYS)}"
    for day in (*yard.hours.special, *yard.hours.closed_on):
        if not is_date(day):
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
