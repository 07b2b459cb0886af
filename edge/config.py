"""What a gateway must be told: one TOML file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from edge.sign import PROTOCOLS
from firmware_bridge.dali import SHORT_ADDRESSES
from firmware_bridge.devices import DEVICES, Line, Parity
from hoflicht.broker import BrokerConfig
from hoflicht.config import Strict, beside, choose, parse, read
from hoflicht.errors import BadConfig
from hoflicht.reading import is_id
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
GearAddress = Annotated[int, msgspec.Meta(ge=0, lt=SHORT_ADDRESSES)]


class SpoolConfig(Strict, frozen=True):
    """Where readings wait for their receipt."""

    path: str
    limit_mb: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 200  # three million readings


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
    address: SignAddress = 1  # for ibis-ds021


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
    # A yard has no number once its gateways were silent for 60 s (api.waiting): with 20 s one sign may be lost, and 20 s remain for
    # the way of the next. Where no yard is served nobody asks, and 0, no more than the report, saves the bytes.
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
    config = parse(text, path, EdgeConfig)
    choose(f"{path}: clock", config.clock, CLOCKS)
    for name, port in config.ports.items():
        choose(f"{path}: [ports.{name}] driver", port.driver, dict(DEVICES))
    for name, sign in config.signs.items():
        choose(f"{path}: [signs.{name}] protocol", sign.protocol, dict(PROTOCOLS))
    for name, lamp in config.lamps.items():
        choose(f"{path}: [lamps.{name}] line", lamp.line, config.lines)
    for complaint in _complaints(config):
        raise BadConfig(f"{path}: {complaint}")
    return _with_paths(config, path)


def _complaints(config: EdgeConfig) -> Iterator[str]:
    if not is_id(config.gateway):
        yield f"gateway: {_no_id(config.gateway)}"
    for name, port in config.ports.items():
        yield from (f"[ports.{name}] {complaint}" for complaint in _complaints_of_port(name, port))
    for name, sign in config.signs.items():
        if not is_id(sign.yard):
            yield f"[signs.{name}] yard: {_no_id(sign.yard)}"
    yield from _complaints_of_light(config)
    yield from _complaints_of_doubles(config)
    receivers = sum(port.driver == RECEIVER for port in config.ports.values())
    if config.clock == SATELLITES and receivers != 1:
        yield f"clock: {SATELLITES} needs one port with the driver {RECEIVER}, here are {receivers}"


def _complaints_of_port(name: str, port: PortConfig) -> Iterator[str]:
    if not is_id(name) or name in OWN_SENSORS:
        taken = ", ".join(OWN_SENSORS)
        yield f"the name of a port must be an id (lower case letters, digits, hyphens and underscores) other than {taken}"
    for key in ("site", "sensor"):
        value: str = getattr(port, key)
        if value and not is_id(value):
            yield f"{key}: {_no_id(value)}"
        elif not value and port.driver != SELF_NAMING:
            yield f"the key {key!r} is missing: a {port.driver} does not say what it is called"
    if port.baud is not None and not 50 <= port.baud <= 4_000_000:
        yield f"baud: {port.baud} is no speed of a serial port"


def _complaints_of_light(config: EdgeConfig) -> Iterator[str]:
    if (config.lamps or config.lines) and config.light is None:
        yield "[light] is missing: without lat, lon and zone the lamps do not know when it is dark"
    if config.light is not None and not _is_zone(config.light.zone):
        yield f'[light] zone: {config.light.zone!r} is no time zone; an example: "Europe/Berlin"'
    if len(config.lamps) > MAX_LAMPS:
        yield f"[lamps] there are {len(config.lamps)}: one gateway leads at most {MAX_LAMPS}"
    for name in config.lines:
        if not is_id(name) or name in (*OWN_SENSORS, *config.ports):
            yield f"[lines.{name}] the name of a line must be an id that is no port's, nor one of {', '.join(OWN_SENSORS)}"
    for name, lamp in config.lamps.items():
        for key, value in (("the name of a lamp", name), ("sensor", lamp.sensor)):
            if not is_id(value):
                yield f"[lamps.{name}] {key}: {_no_id(value)}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; a path out of the database; a folder in it
        return False
    return True


def _complaints_of_doubles(config: EdgeConfig) -> Iterator[str]:
    paths: dict[str, str] = {}
    tables = {f"ports.{name}": port.path for name, port in config.ports.items()}
    tables |= {f"signs.{name}": sign.path for name, sign in config.signs.items()}
    tables |= {f"lines.{name}": line.path for name, line in config.lines.items()}
    for table, path in tables.items():
        if path in paths:
            yield f"[{table}] and [{paths[path]}] have the same path {path}: a port has one user"
        paths[path] = table
    sensors: dict[tuple[str, str], str] = {}
    named = [(f"ports.{name}", port.site, port.sensor) for name, port in config.ports.items() if port.sensor]
    for table, site, sensor in (*named, *((f"lamps.{name}", name, lamp.sensor) for name, lamp in config.lamps.items())):
        if (site, sensor) in sensors:
            yield f"[{table}] and [{sensors[site, sensor]}] are both {site}/{sensor}: their readings would mix"
        sensors[site, sensor] = table
    gears: dict[tuple[str, int], str] = {}
    for name, lamp in config.lamps.items():
        if (lamp.line, lamp.address) in gears:
            first = gears[lamp.line, lamp.address]
            yield f"[lamps.{name}] and [lamps.{first}] are both address {lamp.address} of line {lamp.line}"
        gears[lamp.line, lamp.address] = name


def _no_id(value: str) -> str:
    return f"{value!r} cannot be a name: lower case letters, digits, hyphens and underscores, at most 63"


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
