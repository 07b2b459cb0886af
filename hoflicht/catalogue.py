"""The city: its yards, lamps and gateways, from one file. Copying hoflicht to another city means writing another one."""

import bisect
import enum
import fnmatch
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hoflicht import open_data, program
from hoflicht.complaint import Complaint, about, within
from hoflicht.config import Strict, load
from hoflicht.days import WEEKDAYS, is_date
from hoflicht.open_data import OpenData
from hoflicht.program import Program
from hoflicht.reading import ID_FORM, is_id
from hoflicht.shadow import Duty

SPAN = re.compile(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)")
REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")  # whether it is one that exists, `hoflicht check` knows
WILD = re.compile(r"[*?\[]")  # where a pattern (fnmatch) is no plain text any more
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
    district: str = ""  # for boards, which can be narrowed to it
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
    district: str = ""


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
    open_data: OpenData = OpenData()
    cabinets: dict[str, Cabinet] = {}
    gateways: dict[str, Gateway] = {}


def places(city: City) -> dict[tuple[str, str], Yard | Lamp | Cabinet]:
    """All that stands somewhere, by its table in the catalogue and its name."""
    tables: dict[str, Mapping[str, Yard | Lamp | Cabinet]] = {"yards": city.yards, "lamps": city.lamps, "cabinets": city.cabinets}
    return {(table, name): place for table, named in tables.items() for name, place in named.items()}


def sensors_by_site(city: City) -> dict[str, frozenset[str]]:
    """The sensors of each yard, lamp and cabinet; a yard has its `estimate` too."""
    return {
        **{site: frozenset(yard.sensors) | {ESTIMATE} for site, yard in city.yards.items()},
        **{site: frozenset(lamp.sensors) for site, lamp in city.lamps.items()},
        **{site: frozenset(cabinet.sensors) for site, cabinet in city.cabinets.items()},
    }


def sites_by_gateway(city: City) -> dict[str, frozenset[str]]:
    """The sites that each gateway may speak for; itself, for its own health, among them. The api speaks for the yards."""
    known = sorted(sensors_by_site(city))
    sites = {
        name: frozenset(site for pattern in gateway.sites for site in _meant(pattern, known)) | {name}
        for name, gateway in city.gateways.items()
    }
    return sites | {API: frozenset(city.yards)}


def _meant(pattern: str, known: Sequence[str]) -> list[str]:
    """The sites of `known`, which is sorted, that a gateway's `pattern` names.

    Only those are looked at that begin as it does: all patterns at all sites took ten thousand gateways ten seconds.
    """
    stem = WILD.split(pattern, maxsplit=1)[0]
    start = bisect.bisect_left(known, stem)
    if stem == pattern:
        return [pattern] if pattern in known[start : start + 1] else []
    end = bisect.bisect_right(known, stem, lo=start, key=lambda site: site[: len(stem)])
    return fnmatch.filter(known[start:end], pattern)


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


def load_city(path: Path, more: Callable[[City], Iterable[Complaint]] = lambda _: ()) -> City:
    """Read and check a catalogue, with `more` complaints; raise BadConfig that names file, line, key and what is allowed."""
    city = load(path, City, lambda read: itertools.chain(complaints(read), more(read)))  # the first one ends it
    # Made anew out of its own bytes: the names of the one that was read lie among all that the parser has needed and given up, and
    # while they live the system gets none of that back.
    return msgspec.msgpack.decode(msgspec.msgpack.encode(city), type=City)


def complaints(city: City) -> Iterator[Complaint]:
    """What in `city` cannot be meant, though its types are right."""
    try:
        ZoneInfo(city.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield about(("timezone",), f"{city.timezone!r} is not in the IANA database; an example: Europe/Berlin")
    if city.holidays and not REGION.fullmatch(city.holidays):
        yield about(("holidays",), f"{city.holidays!r} is no region of ISO 3166-2; an example: DE-NW")
    yield from _of_names(city)
    yield from _of_sensors(city)
    for name, yard in city.yards.items():
        yield from _of_hours(("yards", name, "hours"), yard.hours)
        for sensor, one in yard.sensors.items():
            if one.role is Role.LANE and one.position_m is None:
                at = ("yards", name, "sensors", sensor)
                yield within(at, "a lane sensor needs position_m, its distance from the entry control in metres")
    yield from _of_light(city)
    yield from (each.under("open_data") for each in open_data.complaints(city.open_data))
    known = sorted(sensors_by_site(city))
    for name, gateway in city.gateways.items():
        for number, pattern in enumerate(gateway.sites):
            if not _meant(pattern, known):
                yield about(("gateways", name, "sites", number), f"{pattern!r} matches no yard, lamp or cabinet of this file")


def _of_names(city: City) -> Iterator[Complaint]:
    taken = {API}
    for table, name in (*places(city), *(("gateways", name) for name in city.gateways)):
        if not is_id(name):
            yield within((table, name), f"{name!r} cannot name a site: {ID_FORM}")
        if name in taken:
            yield within((table, name), f"the name {name!r} stands for two things")
        taken.add(name)
    for name in city.groups:
        if not is_id(name):
            yield within(("groups", name), f"{name!r} cannot name a group: {ID_FORM}")


def _of_sensors(city: City) -> Iterator[Complaint]:
    of_yards = {STAFF: "what staff say", ESTIMATE: "the platform's own estimate"}
    of_others = {STAFF: "what staff say", WATCH: "what the api misses"}
    for (table, name), place in places(city).items():
        taken = of_yards if table == "yards" else of_others
        for sensor in place.sensors:
            key = ("sensors", sensor)  # a lamp's is an element of a list, and has the line of the list
            if not is_id(sensor):
                yield Complaint((table, name), key, f"sensors: {sensor!r} cannot name a sensor: {ID_FORM}")
            if sensor in taken:
                yield Complaint((table, name), key, f"sensors: {sensor!r} is taken by {taken[sensor]}")


def _of_light(city: City) -> Iterator[Complaint]:
    for name, one in city.programs.items():
        yield from (complaint.under("programs", name) for complaint in program.complaints(one))
    sensors = {f"{site}/{sensor}" for site, sensors in sensors_by_site(city).items() for sensor in sensors}
    lit: dict[tuple[str, str], Lit] = {("groups", name): group for name, group in city.groups.items()}
    lit |= {("lamps", name): lamp for name, lamp in city.lamps.items()}
    for at, own in lit.items():
        yield from _missing((*at, "program"), own.program, city.programs)
        yield from (about((*at, "lighting_class"), text) for text in program.of_class(own.lighting_class))
        for key, named in (*(("traffic", named) for named in own.traffic), ("weather", own.weather)):
            if named and named not in sensors:
                yield about((*at, key), f"{named!r} is no sensor of this file")
    for name, lamp in city.lamps.items():
        yield from _missing(("lamps", name, "group"), lamp.group, city.groups)
        yield from _missing(("lamps", name, "cabinet"), lamp.cabinet, city.cabinets)
        yield from _misfits(city, name)


def _misfits(city: City, lamp: str) -> Iterator[Complaint]:
    group = city.lamps[lamp].group
    if group and group not in city.groups:
        return  # said already
    own = duty(city, lamp)
    if own.program in city.programs:
        for misfit in program.misfits(city.programs[own.program], own.lighting_class):
            yield within(("lamps", lamp), f"program {own.program!r} asks for a lighting class: {misfit}")


def _missing(at: tuple[str, ...], name: str, known: Iterable[str]) -> Iterator[Complaint]:
    if name and name not in known:
        yield about(at, f"there is no {name!r} in this file; there are: {', '.join(known) or 'none'}")


def _of_hours(at: tuple[str, ...], hours: Hours) -> Iterator[Complaint]:
    for day in hours.weekly:
        if day not in WEEKDAYS:
            yield about((*at, "weekly", day), f"no day is called so; allowed: {', '.join(WEEKDAYS)}")
    for key, days in (("special", hours.special), ("closed_on", hours.closed_on)):
        for day in days:
            if not is_date(day):
                yield about((*at, key), f'{day!r} is no date; an example: "2026-12-24"')
    for key, spans in (("weekly", hours.weekly), ("special", hours.special)):
        for day, span in spans.items():
            if not SPAN.fullmatch(span):
                text = f'{span!r} is no span; examples: "08:00-18:00", "20:00-04:00" (until the next day)'
                yield about((*at, key, day), text)
