"""What a gateway must be told: one TOML file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from edge.matrix import MIN_COLUMNS, MIN_ROWS
from edge.sign import PROTOCOLS, Shape
from firmware_bridge.dali import SHORT_ADDRESSES
from firmware_bridge.devices import DEVICES, Line, Parity
from firmware_bridge.mobitec import MAX_COLUMNS, MAX_ROWS
from hoflicht.broker import BrokerConfig
from hoflicht.complaint import Complaint, about, unknown, within
from hoflicht.config import Strict, beside, parse, read
from hoflicht.reading import ID_FORM, is_id
from hoflicht.shadow import MAX_LAMPS

SATELLITES = "gnss"
CLOCKS = {"ntp": True, "system": False, SATELLITES: False}  # whether only the kernel's word counts
RECEIVER = "nmea"  # the driver that hears the satellites' time
SELF_NAMING = "node"  # the one driver whose devices may name their sensor and site themselves
OWN_SENSORS = ("gateway", "cpu")  # of the gateway's own health, beside one for each port

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Metres = Annotated[float, msgspec.Meta(gt=0, le=50)]
BusAddress = Annotated[int, msgspec.Meta(ge=0, le=247)]  # Modbus over serial line §2.2
SignAddress = Annotated[int, msgspec.Meta(ge=0, le=15)]
SignColumns = Annotated[int, msgspec.Meta(ge=MIN_COLUMNS, le=MAX_COLUMNS)]
SignRows = Annotated[int, msgspec.Meta(ge=MIN_ROWS, le=MAX_ROWS)]
GearAddress = Annotated[int, msgspec.Meta(ge=0, lt=SHORT_ADDRESSES)]


class SpoolConfig(Strict, frozen=True):
    """Where readings wait for their receipt."""

    path: str
    limit_mb: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 200  # three million readings
    patience_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 60  # what nobody waits for may stay in memory (edge.company)


class PortConfig(Strict, frozen=True):
    """A serial port and the device at it."""

    path: str
    driver: str
    site: str = ""  # where the device hangs
    sensor: str = ""  # what it is called there
    baud: int | None = None  # this and the next three: only where the device is not as its maker ships it
    bits: Literal[7, 8] | None = None
    parity: Parity | None = None
    stop: Literal[1, 2] | None = None
    address: BusAddress | None = None
    average_s: Seconds = 60  # over which values are averaged, and how often a presence is repeated
    near_m: Metres = 2.5  # lidar: what is nearer than this stands in the lane
    hold_s: Seconds = 1  # lidar: how long a change must last to count
    direction: Literal["inbound", "outbound", "both"] = "inbound"  # radar: who is counted
    together_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 1  # radar: reports closer than this are one vehicle

    def line(self) -> Line:
        """The device's line with this port's exceptions."""
        usual = DEVICES[self.driver].line
        return Line(
            usual.baud if self.baud is None else self.baud,
            usual.bits if self.bits is None else self.bits,
            usual.parity if self.parity is None else self.parity,
            usual.stop if self.stop is None else self.stop,
        )


class SignConfig(Strict, frozen=True):
    """An LED sign."""

    path: str
    yard: str
    protocol: str = "ibis-ds009"
    width: Literal[16, 20, 24] = 16  # characters, for ibis-ds009 and alpha
    address: SignAddress = 1  # for ibis-ds021 and mobitec
    columns: SignColumns = 112  # dots, for mobitec
    rows: SignRows = 16

    @property
    def shape(self) -> Shape:
        """What its telegrams depend on."""
        return Shape(self.width, self.address, self.columns, self.rows)


class LightConfig(Strict, frozen=True):
    """Where the lamps stand: for the sun, and in whose time their programs are written."""

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    zone: str  # "Europe/Berlin"


class BusConfig(Strict, frozen=True):
    """A DALI line behind a Lunatone LUBA gateway."""

    path: str


class LampConfig(Strict, frozen=True):
    """The driver of the lamp of that name."""

    line: str
    address: GearAddress
    sensor: str = "driver"


class HealthConfig(Strict, frozen=True):
    """How often the gateway reports about itself, and how often it says in between that it lives."""

    every_s: Annotated[float, msgspec.Meta(ge=1, le=3_600)] = 60
    # A yard has no number once its gateways were silent for 60 s (api/estimate/waiting.py): with 20 s one sign may be lost, and
    # 20 s remain for the way of the next. Where no yard is served nobody asks, and 0, no more than the report, saves the bytes.
    alive_every_s: Annotated[int, msgspec.Meta(ge=0, le=60)] = 20


class EdgeConfig(Strict, frozen=True):
    """A gateway. Relative paths start at the folder of the file."""

    gateway: str
    spool: SpoolConfig
    broker: BrokerConfig = BrokerConfig()
    clock: str = "ntp"  # "system" where no time service runs, "gnss" where a receiver at a port tells the time
    http: str = ""  # /healthz and /metrics, "127.0.0.1:9101"; empty: nowhere
    ports: dict[str, PortConfig] = {}
    signs: dict[str, SignConfig] = {}
    light: LightConfig | None = None
    lines: dict[str, BusConfig] = {}
    lamps: dict[str, LampConfig] = {}
    health: HealthConfig = HealthConfig()
    prove_s: Annotated[float, msgspec.Meta(ge=5, le=3_600)] = 300  # for a pushed config to get a receipt (edge.trial)


def load_edge(path: Path) -> EdgeConfig:
    """Read and check the file, touching no hardware; paths come back absolute. Raise BadConfig, one line."""
    return parse_edge(read(path), path)


def parse_edge(text: str, path: Path) -> EdgeConfig:
    """As `load_edge`, of a text that might stand at `path`."""
    return _with_paths(parse(text, path, EdgeConfig, complaints), path)


def complaints(config: EdgeConfig) -> Iterator[Complaint]:
    """What in `config` cannot be meant, though its types are right."""
    if not is_id(config.gateway):
        yield about(("gateway",), _no_id(config.gateway))
    if config.clock not in CLOCKS:
        yield about(("clock",), unknown(config.clock, CLOCKS))
    for name, port in config.ports.items():
        yield from _of_port(name, port)
    for name, sign in config.signs.items():
        if sign.protocol not in PROTOCOLS:
            yield about(("signs", name, "protocol"), unknown(sign.protocol, PROTOCOLS))
        if not is_id(sign.yard):
            yield about(("signs", name, "yard"), _no_id(sign.yard))
    yield from _of_light(config)
    yield from _of_doubles(config)
    receivers = sum(port.driver == RECEIVER for port in config.ports.values())
    if config.clock == SATELLITES and receivers != 1:
        yield about(("clock",), f"{SATELLITES} needs one port with the driver {RECEIVER}, here are {receivers}")


def _of_port(name: str, port: PortConfig) -> Iterator[Complaint]:
    at = ("ports", name)
    if port.driver not in DEVICES:
        yield about((*at, "driver"), unknown(port.driver, DEVICES))
    if not is_id(name) or name in OWN_SENSORS:
        yield within(at, f"the name of a port must be an id ({ID_FORM}) other than {', '.join(OWN_SENSORS)}")
    for key in ("site", "sensor"):
        value: str = getattr(port, key)
        if value and not is_id(value):
            yield about((*at, key), _no_id(value))
        elif not value and port.driver != SELF_NAMING:
            yield within(at, f"the key {key!r} is missing: a {port.driver} does not say what it is called")
    if port.baud is not None and not 50 <= port.baud <= 4_000_000:
        yield about((*at, "baud"), f"{port.baud} is no speed of a serial port")


def _of_light(config: EdgeConfig) -> Iterator[Complaint]:
    if (config.lamps or config.lines) and config.light is None:
        yield within((), "[light] is missing: without lat, lon and zone the lamps do not know when it is dark")
    if config.light is not None and not _is_zone(config.light.zone):
        yield about(("light", "zone"), f'{config.light.zone!r} is no time zone; an example: "Europe/Berlin"')
    if len(config.lamps) > MAX_LAMPS:
        yield within(("lamps",), f"there are {len(config.lamps)}: one gateway leads at most {MAX_LAMPS}")
    for name in config.lines:
        if not is_id(name) or name in (*OWN_SENSORS, *config.ports):
            text = f"the name of a line must be an id that is no port's, nor one of {', '.join(OWN_SENSORS)}"
            yield within(("lines", name), text)
    for name, lamp in config.lamps.items():
        at = ("lamps", name)
        if not is_id(name):
            yield within(at, f"the name of a lamp: {_no_id(name)}")
        if not is_id(lamp.sensor):
            yield about((*at, "sensor"), _no_id(lamp.sensor))
        if lamp.line not in config.lines:
            yield about((*at, "line"), unknown(lamp.line, config.lines))


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; a path out of the database; a folder in it
        return False
    return True


def _of_doubles(config: EdgeConfig) -> Iterator[Complaint]:
    users = [("ports", name, port.path) for name, port in config.ports.items()]
    users += [("signs", name, sign.path) for name, sign in config.signs.items()]
    users += [("lines", name, line.path) for name, line in config.lines.items()]
    paths: dict[str, str] = {}
    for kind, name, path in users:
        if path in paths:
            yield _both(kind, name, paths[path], f"have the same path {path}: a port has one user")
        paths[path] = f"{kind}.{name}"
    named = [("ports", name, port.site, port.sensor) for name, port in config.ports.items() if port.sensor]
    named += [("lamps", name, name, lamp.sensor) for name, lamp in config.lamps.items()]
    sensors: dict[tuple[str, str], str] = {}
    for kind, name, site, sensor in named:
        if (site, sensor) in sensors:
            yield _both(kind, name, sensors[site, sensor], f"are both {site}/{sensor}: their readings would mix")
        sensors[site, sensor] = f"{kind}.{name}"
    gears: dict[tuple[str, int], str] = {}
    for name, lamp in config.lamps.items():
        if (lamp.line, lamp.address) in gears:
            yield _both("lamps", name, gears[lamp.line, lamp.address], f"are both address {lamp.address} of line {lamp.line}")
        gears[lamp.line, lamp.address] = f"lamps.{name}"


def _both(kind: str, name: str, first: str, text: str) -> Complaint:
    return within((kind, name), f"and [{first}] {text}")


def _no_id(value: str) -> str:
    return f"{value!r} cannot be a name: {ID_FORM}"


def _with_paths(config: EdgeConfig, file: Path) -> EdgeConfig:
    replace = msgspec.structs.replace
    return replace(
        config,
        broker=config.broker.beside(file),
        spool=replace(config.spool, path=str(beside(file, config.spool.path))),
        ports={name: replace(port, path=str(beside(file, port.path))) for name, port in config.ports.items()},
        signs={name: replace(sign, path=str(beside(file, sign.path))) for name, sign in config.signs.items()},
        lines={name: replace(line, path=str(beside(file, line.path))) for name, line in config.lines.items()},
    )
