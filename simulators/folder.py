"""The demo's folder: what it knows of itself, and the configuration of every role in it."""

import re
import socket
from pathlib import Path

import msgspec

from hoflicht.catalogue import City, load_city
from hoflicht.errors import BadConfig
from simulators.layout import GatewayPlan, LinePlan, PortPlan, layout

MARK = "demo.json"
BROKER = """\
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "mqtt-5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 524288
max_inflight_count = 100
dynamic_filters = true
"""


class Ports(msgspec.Struct, frozen=True):
    """TCP ports on loopback."""

    api: int
    broker: int
    ingest: int

    @classmethod
    def free(cls, api: int) -> "Ports":
        """The api's is given; the others are what is free."""
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            two.bind(("127.0.0.1", 0))
            return cls(api, one.getsockname()[1], two.getsockname()[1])


class Mark(msgspec.Struct):
    """What makes a folder the demo's: the seed it was begun with, and how far its past is written."""

    seed: int
    known_until_ms: int | None = None


class Folder:
    """One city's life on disk; a second start goes on where the first one ended."""

    def __init__(self, path: Path, mark: Mark) -> None:
        self.path = path
        self.seed = mark.seed
        self._mark = mark
        self.etc, self.logs, self.ports, self.signs = (path / name for name in ("etc", "logs", "ports", "signs"))
        self.city = self.etc / "city.toml"
        self.broker_config = self.etc / "broker.toml"

    @classmethod
    def take(cls, path: Path, seed: int) -> "Folder":
        """Begin in an empty folder or go on in a demo's; raise BadConfig for a folder of somebody else or of another seed."""
        path = path.resolve()
        mark = _mark_in(path)
        if mark is None and path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise BadConfig(f"{path} is not empty and no demo's; choose another folder with --data")
        if mark is not None and mark.seed != seed:
            raise BadConfig(f"{path} was begun with --seed {mark.seed}; use that seed or another folder with --data")
        folder = cls(path, mark or Mark(seed))
        try:
            for each in (folder.etc, folder.logs, folder.ports, folder.signs, path / "spool"):
                each.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise BadConfig(f"{path} cannot be written ({cause.strerror}); choose another folder with --data") from cause
        folder._save()
        return folder

    @property
    def known_until_ms(self) -> int | None:
        """How far the past is written; None at the first start."""
        return self._mark.known_until_ms

    def knows_until(self, at_ms: int) -> None:
        """Remember that all up to `at_ms` is in the store or on its way."""
        self._mark.known_until_ms = at_ms
        self._save()

    def config(self, role: str) -> Path:
        """The config file of `ingest`, `api` or a gateway."""
        return self.etc / f"{role}.toml"

    def links(self, city: City) -> list[Path]:
        """The links to all serial ports, those of signs included."""
        return [self.ports / gateway / name for gateway, plan in layout(city).items() for name in plan.names]

    def write(self, city: City, ports: Ports) -> None:
        """Write the configuration of the broker and of every role."""
        broker = f'[broker]\nhost = "127.0.0.1"\nport = {ports.broker}\n'
        store = f'[store]\nurl = "sqlite:///{self.path}/readings.db"\n'
        self.broker_config.write_text(BROKER.format(port=ports.broker))
        self.config("ingest").write_text(
            f'city = "city.toml"\nquarantine = "../quarantine.db"\nhttp = "127.0.0.1:{ports.ingest}"\n{broker}{store}'
        )
        # With a staff API, for which nobody has a key yet.
        self.config("api").write_text(f'city = "city.toml"\nlisten = "127.0.0.1:{ports.api}"\n{broker}{store}[staff]\n')
        for gateway, plan in layout(city).items():
            self.config(gateway).write_text(self._edge(city, gateway, plan, broker))

    def _edge(self, city: City, gateway: str, plan: GatewayPlan, broker: str) -> str:
        ports = self.ports / gateway
        text = f'gateway = "{gateway}"\nclock = "system"\n{broker}[spool]\npath = "../spool/{gateway}.db"\n'
        if not plan.signs:  # it serves no yard, and nobody waits for its sign of life
            text += "[health]\nalive_every_s = 0\n"
        text += "".join(_port(port, ports / port.name) for port in plan.ports)
        if plan.lines:
            first = city.lamps[plan.lines[0].lamps[0]]
            text += f'[light]\nlat = {first.lat}\nlon = {first.lon}\nzone = "{city.timezone}"\n'
        text += "".join(_line(line, ports / line.name) for line in plan.lines)
        for sign in plan.signs:
            text += (
                f'[signs.{sign.name}]\npath = "{ports / sign.name}"\nprotocol = "ibis-ds009"\nyard = "{sign.yard}"\nwidth = 24\n'
            )
        return text

    def _save(self) -> None:
        new = self.path / f"{MARK}.new"
        new.write_bytes(msgspec.json.encode(self._mark))
        new.replace(self.path / MARK)  # whole or not at all


def open_round_the_clock(city_toml: str) -> str:
    """The same catalogue with yards that never close."""
    week = ", ".join(f'{day} = "00:00-24:00"' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    city_toml = re.sub(r"weekly = \{[^}]*\}", f"weekly = {{ {week} }}\nopen_on_holidays = true", city_toml)
    city_toml = re.sub(r"last_entry_before_min = \d+", "last_entry_before_min = 0", city_toml)
    return re.sub(r"closed_on = \[[^\]]*\]", "closed_on = []", city_toml)


def place_city(folder: Folder, city_toml: str) -> City:
    """Put the catalogue where every role reads it, and read it as they do."""
    folder.city.write_text(city_toml, encoding="utf-8")
    return load_city(folder.city)


def _port(port: PortPlan, path: Path) -> str:
    named = "".join(f'{key} = "{value}"\n' for key, value in (("site", port.site), ("sensor", port.sensor)) if value)
    return f'[ports.{port.name}]\npath = "{path}"\ndriver = "{port.driver}"\n{named}'


def _line(line: LinePlan, path: Path) -> str:
    lamps = "".join(f'[lamps.{lamp}]\nline = "{line.name}"\naddress = {address}\n' for address, lamp in enumerate(line.lamps))
    return f'[lines.{line.name}]\npath = "{path}"\n{lamps}'


def _mark_in(path: Path) -> Mark | None:
    try:
        return msgspec.json.decode((path / MARK).read_bytes(), type=Mark)
    except (OSError, msgspec.DecodeError):
        return None
