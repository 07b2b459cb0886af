"""What a reading costs at the server when more gateways send, and what a gateway costs that is there.

For each size a real Mosquitto, the real ingest process and a real InfluxDB, and a crowd of gateways that all stay connected
(`hoflicht simulate load` in this process). Rounds go in turn, in each as many readings a second from 100 gateways, from 1 000 and
from 10 000; then the 1 000 send at the pace of the 10 000, a tenth of their work. Processor time is that of each process, so that
the crowd's own is not in it.
"""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bench import show
from bench.poison import is_well
from hoflicht.catalogue import load_city
from hoflicht.clock import SystemClock
from simulators import load
from tests.chaos.town import Broker, Part
from tests.conftest import ORG, Influxd, free_port, wait_until_listening
from tests.roles import CITY, cpu_s, eventually, write_ingest

SIZES = (100, 1_000, 10_000)
BATCHES_PER_S = 400  # of all together: some hundred more than make each group of ingest a full one
READINGS = 20
ROUND_S, ROUNDS = 8.0, 3
COMING_PER_S = 1_000  # without certificates
FIRST_PER_S = 1_500  # first batches, before it counts: what ingest must look up for a gateway's first word it does once in its life
PATIENCE_S = 60.0
PARTS = ("ingest", "broker", "InfluxDB")
BUCKET = "load"
Cost = Mapping[str, float]  # by part: processor seconds for a million readings


class Database(Influxd):
    """InfluxDB, and which process it is."""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


class Server:
    """Broker, ingest and database of so many gateways, and these, who come and then rest."""

    def __init__(self, gateways: int, folder: Path, stack: ExitStack) -> None:
        folder.mkdir()
        self.gateways = gateways
        broker, database = Broker(folder, "max_connections -1"), Database(folder)
        city, http_port = folder / "city.toml", free_port()
        city.write_text("".join(load.city_of(gateways, lamps=1)))
        for neighbour in (broker, database):
            neighbour.start()
            stack.callback(neighbour.stop)
        database.set_up()
        database.bucket(BUCKET)
        config = write_ingest(folder, broker.config, f"influx+{database.url}/{BUCKET}?org={ORG}", database.token, http_port)
        config.write_text(config.read_text().replace(str(CITY), str(city)))
        ingest = Part(folder, "ingest", config)
        stack.enter_context(ingest)
        wait_until_listening(http_port)
        if not eventually(lambda: is_well(http_port), PATIENCE_S):
            raise TimeoutError("ingest does not become well")
        self._parts: dict[str, Part | Broker | Database] = {"ingest": ingest, "broker": broker, "InfluxDB": database}
        sites = load.gateways(load_city(city))
        self.crowd = load.crowd_of(sites, broker.config, READINGS, 1_000, SystemClock(), coming_per_s=COMING_PER_S)
        stack.callback(self.crowd.close)
        self.crowd.is_resting = True

    def begin(self, others: Sequence["Server"]) -> None:
        """Each gateway says its first word."""
        self._send(FIRST_PER_S, self.gateways / FIRST_PER_S, others)

    def round(self, batches_per_s: float, others: Sequence["Server"]) -> Cost:
        """What the parts took for the readings of ROUND_S, sent at that pace; `others` only stay connected."""
        before, batches = self._cpu_s(), self.crowd.tally.batches
        self._send(batches_per_s, ROUND_S, others)
        millions = (self.crowd.tally.batches - batches) * READINGS / 1e6
        return {name: (taken_s - before[name]) / millions for name, taken_s in self._cpu_s().items()}

    def rss_kb(self, part: str) -> int:
        """Its memory by now."""
        return _rss_kb(self._parts[part].pid)

    def _send(self, batches_per_s: float, seconds: float, others: Sequence["Server"]) -> None:
        self.crowd.every_ms = round(1_000 * self.gateways / batches_per_s)
        end_s = time.monotonic() + seconds
        self.crowd.resume()
        while time.monotonic() < end_s:
            self.crowd.turn(0.1)
            for other in others:
                other.crowd.turn(0)
        if not self.crowd.rest(PATIENCE_S):
            raise TimeoutError(f"{self.crowd.tally.waiting} batches have no receipt")

    def _cpu_s(self) -> dict[str, float]:
        return {name: cpu_s(part.pid) for name, part in self._parts.items()}


def _come(servers: Sequence[Server]) -> None:
    """Return once all gateways are connected."""
    end_s = time.monotonic() + PATIENCE_S
    while any(server.crowd.tally.connected < server.gateways for server in servers):
        for server in servers:
            server.crowd.turn(0.01)
        if time.monotonic() > end_s:
            raise TimeoutError("not all gateways have come")


def rows(sizes: Sequence[int] = SIZES, rounds: int = ROUNDS) -> Iterator[str]:
    """The table; a line in its place where a program is missing."""
    load.open_files(sum(sizes) + load.FILES)  # for this process, and as many as any of its children needs
    try:
        with TemporaryDirectory() as name, ExitStack() as stack:
            servers = [Server(size, Path(name) / str(size), stack) for size in sizes]
            _come(servers)
            yield from _rows(servers, rounds)
    except pytest.skip.Exception as cause:
        yield f"| many gateways | not measured: {cause} | | | | | |"


def _rows(servers: Sequence[Server], rounds: int) -> Iterator[str]:
    few, some, many = servers
    tenth = BATCHES_PER_S * some.gateways / many.gateways
    costs: dict[tuple[int, float], list[Cost]] = {}
    for server in servers:
        server.begin([other for other in servers if other is not server])
    for _ in range(rounds):
        for server, pace in (*((server, BATCHES_PER_S) for server in servers), (some, tenth)):
            others = [other for other in servers if other is not server]
            costs.setdefault((server.gateways, pace), []).append(server.round(pace, others))
    for part in PARTS:
        for server in (some, many):
            what = f"{part}: CPU s per million readings, {server.gateways} gateways"
            yield _row(
                what, f"{few.gateways} gateways", part, costs[server.gateways, BATCHES_PER_S], costs[few.gateways, BATCHES_PER_S]
            )
    for part in PARTS:
        what, beside = (
            f"{part}: the same, {many.gateways} gateways",
            f"{some.gateways} gateways at the same pace, a tenth of the work",
        )
        yield _row(what, beside, part, costs[many.gateways, BATCHES_PER_S], costs[some.gateways, tenth])
    for part in PARTS:
        kb = (many.rss_kb(part) - few.rss_kb(part)) / (many.gateways - few.gateways)
        yield f"| {part}: memory of each gateway more, kB | - | {kb:.1f} | - | - | - | {'≤ 2' if part == 'ingest' else '-'} |"


def _row(what: str, beside: str, part: str, ours: Sequence[Cost], peer: Sequence[Cost]) -> str:
    ratios = [one[part] / other[part] for one, other in zip(ours, peer, strict=True)]
    told, against = (statistics.median(cost[part] for cost in costs) for costs in (ours, peer))
    reach = "≤ 1.1" if part == "ingest" else "-"
    return (
        f"| {what} | {beside} | {told:.2f} | {against:.2f} | {statistics.median(ratios):.2f} |"
        f" {min(ratios):.2f}–{max(ratios):.2f} | {reach} |"
    )


def _rss_kb(pid: int) -> int:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0])


if __name__ == "__main__":
    show(rows())
