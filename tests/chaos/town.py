"""Three gateways, a broker, two ingest workers and a database, all real, in a folder of their own."""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from edge.spool import Spool
from hoflicht.broker import BrokerConfig
from hoflicht.clock import SystemClock
from tests.chaos.toxiproxy import Link, Toxiproxy
from tests.conftest import ORG, Influxd, Mosquitto
from tests.roles import CITY, Role, broker_table

BUCKET = "readings"
GATEWAYS = {"gw-hof-nord": ("hof-nord", "air"), "gw-hof-west": ("hof-west", "gate-in"), "gw-strasse": ("lamp-0001", "driver")}
WORKERS = ("ingest-1", "ingest-2")
MOST_S = 7 * 86_400  # yesterday's readings are within it
SPOOL_MB = 200


class Part(Role):
    """A role that also tells whether it ended although nobody ended it."""

    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


class Broker(Mosquitto):
    """Mosquitto, and which process it is."""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


class Town:
    """Everything started; with a network that can fail between the parts, or none."""

    def __init__(self, folder: Path, ports: Mapping[str, str], network: Toxiproxy | None) -> None:
        self.folder = folder
        self.links: dict[str, Link] = {}
        self.broker = Broker(folder)
        self.database = Influxd(folder)
        self._network = network
        self._stack = ExitStack()
        for name in GATEWAYS:
            Spool(self.spool(name), SPOOL_MB * 1_000_000, SystemClock()).close()
        self.edges = {name: Part(folder, "edge", self._write_edge(name, ports.get(name, ""))) for name in GATEWAYS}
        self.workers = {name: Part(folder, "ingest", self._write_ingest(name)) for name in WORKERS}

    def __enter__(self) -> "Town":
        with ExitStack() as stack:
            self.broker.start()
            stack.callback(self.broker.kill)
            self.database.start()
            stack.callback(self.database.kill)
            self.database.set_up()
            self.database.bucket(BUCKET, MOST_S)
            for part in (*self.workers.values(), *self.edges.values()):
                stack.enter_context(part)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    def spool(self, gateway: str) -> Path:
        """Its file."""
        return self.folder / f"{gateway}.db"

    def waiting(self) -> int:
        """Readings in all spools."""
        return sum(ask(self.spool(name), "SELECT count(*) FROM readings") for name in GATEWAYS)

    def drain(self, timeout_s: float) -> int:
        """Wait until the spools are empty; how many readings they still hold where time runs out."""
        deadline = time.monotonic() + timeout_s
        while (left := self.waiting()) and time.monotonic() < deadline:
            time.sleep(0.5)
        return left

    def _port(self, name: str, neighbour: str, port: int) -> int:
        if self._network is None:
            return port
        link = self._network.link(f"{name}-{neighbour}", port)
        self.links[link.name] = link
        return link.port

    def _write_edge(self, name: str, ports: str) -> Path:
        broker = BrokerConfig(port=self._port(name, "broker", self.broker.config.port))
        path = self.folder / f"{name}.toml"
        # Health says something after each start and then keeps silent, so that there is an end of what is accepted.
        path.write_text(
            f'gateway = "{name}"\nclock = "system"\n{broker_table(broker)}[spool]\npath = "{name}.db"\nlimit_mb = {SPOOL_MB}\n'
            f"patience_s = 0\n[health]\nevery_s = 3600\nalive_every_s = 0\n{ports}"
        )
        return path

    def _write_ingest(self, name: str) -> Path:
        broker = BrokerConfig(port=self._port(name, "broker", self.broker.config.port))
        url = f"influx+http://127.0.0.1:{self._port(name, 'database', self.database.port)}/{BUCKET}?org={ORG}"
        token, path = self.folder / "token", self.folder / f"{name}.toml"
        if not token.exists():
            token.touch(mode=0o600)
            token.write_text(self.database.token)
        path.write_text(
            f'city = "{CITY}"\nclient_id = "{name}"\nquarantine = "{name}-quarantine.db"\n{broker_table(broker)}'
            f'[store]\nurl = "{url}"\ntoken_file = "token"\n'
        )
        return path


def ask(spool: Path, select: str) -> int:
    """A number that the spool's file answers; 0 where it has none."""
    with closing(sqlite3.connect(spool, timeout=30)) as db:
        return int(db.execute(select).fetchone()[0] or 0)


def most_memory_mb(pid: int) -> int:
    """The most that a running process has ever held in memory (proc(5), VmHWM)."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return round(int(status["VmHWM"].split()[0]) / 1_000)
