"""What `hoflicht init` wants to know of a city: the answers, as a person gives them at a terminal or in a file."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from edge.config import SignAddress, SignColumns, SignRows
from edge.sign import PROTOCOLS
from firmware_bridge.devices import DEVICES
from hoflicht.catalogue import SPAN, Role
from hoflicht.complaint import Complaint, about, unknown, within
from hoflicht.config import MAX_PORT, Strict, address
from hoflicht.days import WEEKDAYS, is_date
from hoflicht.errors import BadConfig
from hoflicht.hours import is_region
from hoflicht.program import Program
from hoflicht.program import complaints as program_complaints
from hoflicht.reading import ID_FORM, is_id
from workshop.geography import Box, Spot
from workshop.rows import UMLAUTS

HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NODE = "node"  # the driver whose devices name their sensors themselves: several sensors at one port

Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Bounds(Strict, frozen=True):
    """Between which degrees all of the city lies; a slip in a coordinate shows."""

    south: Latitude
    west: Longitude
    north: Latitude
    east: Longitude

    def box(self) -> Box:
        """The same, for lamps."""
        return Box(self.south, self.west, self.north, self.east)


class SensorAnswer(Strict, frozen=True):
    """A device of a yard, and the port at which it is read."""

    name: str
    driver: str
    path: Text
    role: Role = Role.OTHER
    position_m: float | None = None
    gateway: str = ""  # empty: the yard's; another one's where it hangs on a lamp post


class SignAnswer(Strict, frozen=True):
    """The LED sign of a yard."""

    path: Text
    protocol: str = "ibis-ds009"
    width: Literal[16, 20, 24] = 16
    address: SignAddress = 1
    columns: SignColumns = 112
    rows: SignRows = 16


class YardAnswer(Strict, frozen=True):
    """A recycling yard."""

    name: Text
    address: Text
    lat: Latitude
    lon: Longitude
    hours: str  # "mon-fri 08:00-18:00, sat 08:00-14:00"
    id: str = ""  # empty: from the name
    special: str = ""  # "2026-12-24 closed, 2026-12-31 08:00-12:00"
    last_entry_before_min: Annotated[int, msgspec.Meta(ge=0, le=240)] = 0
    bays: Annotated[int, msgspec.Meta(ge=1, le=100)] = 4
    usual_entries_per_hour: Annotated[float, msgspec.Meta(gt=0, le=1_000)] = 25
    gateway: str = ""  # empty: gw- and the yard's id
    sensors: tuple[SensorAnswer, ...] = ()
    sign: SignAnswer | None = None


class LampsAnswer(Strict, frozen=True):
    """The street lamps: a table of an office, and what holds for all in it."""

    table: str
    gateway: str = "gw-street"
    group: str = "street-lights"
    program: str = ""  # empty: full light while it is dark
    lighting_class: str = ""


class Answers(Strict, frozen=True):
    """All of it."""

    name: Text
    server: str  # the name or address by which gateways call the server
    timezone: str = "Europe/Berlin"
    holidays: str = ""  # "DE-NW"; empty: none are kept
    bounds: Bounds | None = None
    store: Literal["influx", "sqlite"] = "influx"  # the server of deploy/compose.yaml, or one machine without containers
    data: str = "/var/lib/hoflicht"  # where the server keeps what it writes
    listen: str = ""  # of the api; empty: as `store` has it
    yards: tuple[YardAnswer, ...] = ()
    lamps: LampsAnswer | None = None
    programs: dict[str, Program] = {}


def complaints(answers: Answers) -> Iterator[Complaint]:
    """What in `answers` cannot be meant; the catalogue that comes of them is checked beside."""
    if not HOST.fullmatch(answers.server):
        yield about(("server",), f"{answers.server!r} is no name or address of a machine; an example: hoflicht.example.org")
    try:
        ZoneInfo(answers.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield about(("timezone",), f"{answers.timezone!r} is not in the IANA database; an example: Europe/Berlin")
    if answers.holidays and not is_region(answers.holidays):
        yield about(("holidays",), f"the holidays of {answers.holidays!r} are not known; an example: DE-NW")
    if answers.listen:
        yield from _of_listen(answers.listen)
    names = [yard_id(yard) for yard in answers.yards]
    for number, yard in enumerate(answers.yards):
        yield from _of_yard(("yards", number), yard, answers.bounds)
        if names.index(names[number]) < number:
            yield within(("yards", number), f"there is a yard {names[number]!r} already; give this one an id of its own")
    yield from _of_paths(answers.yards)
    for name, program in answers.programs.items():
        yield from (complaint.under("programs", name) for complaint in program_complaints(program))
    if answers.lamps and not is_id(answers.lamps.gateway):
        yield about(("lamps", "gateway"), f"{answers.lamps.gateway!r} cannot be a name: {ID_FORM}")


def _of_listen(listen: str) -> Iterator[Complaint]:
    try:
        address("listen", listen, "127.0.0.1:8000")
    except BadConfig:
        yield about(("listen",), f"{listen!r}: expected host:port, a port up to {MAX_PORT}; an example: 127.0.0.1:8000")


def _of_yard(at: tuple[str | int, ...], yard: YardAnswer, bounds: Bounds | None) -> Iterator[Complaint]:
    for key in ("name", "address"):
        if CONTROL.search(getattr(yard, key)):
            yield about((*at, key), "a line break or another control character has no place in a name")
    for key, told in (("id", yard_id(yard)), ("gateway", yard_gateway(yard))):
        if not is_id(told):
            yield about((*at, key), f"{told!r} cannot be a name: {ID_FORM}")
    if bounds and not bounds.box().holds(Spot(yard.lat, yard.lon)):
        yield about((*at, "lat"), f"{yard.lat}, {yard.lon} lies outside the bounds of the city")
    for key, parse in (("hours", weekly), ("special", special)):
        try:
            parse(getattr(yard, key))
        except ValueError as cause:
            yield about((*at, key), str(cause))
    for number, sensor in enumerate(yard.sensors):
        yield from _of_sensor((*at, "sensors", number), sensor)
    if yard.sign and yard.sign.protocol not in PROTOCOLS:
        yield about((*at, "sign", "protocol"), unknown(yard.sign.protocol, PROTOCOLS))


def _of_sensor(at: tuple[str | int, ...], sensor: SensorAnswer) -> Iterator[Complaint]:
    for key, told in (("name", sensor.name), ("gateway", sensor.gateway or "gw")):
        if not is_id(told):
            yield about((*at, key), f"{told!r} cannot be a name: {ID_FORM}")
    if sensor.driver not in DEVICES:
        yield about((*at, "driver"), unknown(sensor.driver, DEVICES))
    if sensor.role is Role.LANE and sensor.position_m is None:
        yield within(at, "a lane sensor needs position_m, its distance from the entry control in metres")


def _of_paths(yards: tuple[YardAnswer, ...]) -> Iterator[Complaint]:
    """A port has one user; only a node has several sensors at one."""
    users: dict[tuple[str, str], str] = {}  # what is there, by gateway and path
    for number, yard in enumerate(yards):
        yard_at = ("yards", number)
        ports = [((*yard_at, "sensors", n), one.gateway or yard_gateway(yard), one.path, one) for n, one in enumerate(yard.sensors)]
        named = [(at, (gateway, path), one.driver if one.driver == NODE else one.name) for at, gateway, path, one in ports]
        signs = [((*yard_at, "sign"), (yard_gateway(yard), yard.sign.path), "the sign")] if yard.sign else []
        for place, port, user in (*named, *signs):
            if users.setdefault(port, user) != user:
                yield about((*place, "path"), f"{port[1]} at {port[0]} is taken by {users[port]}")


def yard_id(yard: YardAnswer) -> str:
    """The yard's name in the catalogue."""
    return yard.id or re.sub(r"[^a-z0-9]+", "-", yard.name.casefold().translate(UMLAUTS)).strip("-")


def yard_gateway(yard: YardAnswer) -> str:
    """The gateway at the yard."""
    return yard.gateway or f"gw-{yard_id(yard)}"


def weekly(text: str) -> dict[str, str]:
    """Read "mon-fri 08:00-18:00, sat 08:00-14:00"; raise ValueError that says what is allowed."""
    hours: dict[str, str] = {}
    for part in _parts(text):
        days, _, span = part.partition(" ")
        first, _, last = days.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS or not SPAN.fullmatch(span.strip()):
            raise ValueError(f'{part!r} is no day with its hours; an example: "mon-fri 08:00-18:00, sat 08:00-14:00"')
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        named = WEEKDAYS[start : end + 1] if start <= end else (*WEEKDAYS[start:], *WEEKDAYS[: end + 1])
        hours |= dict.fromkeys(named, span.strip())
    return {day: hours[day] for day in WEEKDAYS if day in hours}


def special(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Read "2026-12-24 closed, 2026-12-31 08:00-12:00": the spans by date, and the days without."""
    spans: dict[str, str] = {}
    closed: list[str] = []
    for part in _parts(text):
        day, _, span = part.partition(" ")
        if not is_date(day) or not (span.strip() == "closed" or SPAN.fullmatch(span.strip())):
            raise ValueError(f'{part!r} is no date with its hours; an example: "2026-12-24 closed, 2026-12-31 08:00-12:00"')
        if span.strip() == "closed":
            closed.append(day)
        else:
            spans[day] = span.strip()
    return spans, tuple(closed)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
