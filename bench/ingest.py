"""From the broker to the database, beside Telegraf: `python -m bench.ingest`, some three minutes.

A real Mosquitto and a real InfluxDB; `bench.feed` publishes the same readings to both, QoS 1, and both acknowledge a message only
when the database has it. Ours answers each with a receipt besides, which is the promise that nothing is lost. Counted is the
processor time of the one process from the first message until all readings are in the database, and its highest memory.

Telegraf is asked for its best: line protocol, nothing compressed, a thousand messages under way. `bench/peers/telegraf/build`
makes it. On SenML it is far slower; that it can read it at all takes an XPath for each field.

Two workers beside one: the machine that this runs on has no core for each of them, for the broker and for the feeder. So it is told
by processor time: what a reading costs one worker alone, over what it costs where two share the subscription; nothing that they
share makes them wait or work more. The store takes all and keeps nothing (`bench.null_store`).
"""

import http.client
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from bench import feed, show
from store.lines import lines
from tests.conftest import ORG, ROOT, TOKEN, Influxd, Mosquitto, free_port, installed, wait_until_listening
from tests.roles import broker_table, cpu_s

ROUNDS = 3
READINGS = 300_000  # of a run: a second or two of work
PATIENCE_S = 120.0
LOOK_S = 0.2  # between two looks whether all has arrived
RAW_LINES = 10_000  # of one write of the writer that does nothing else: what InfluxDB recommends at most
DAY_MS = 86_400_000
PEER = ROOT / "bench" / "peers" / "telegraf"
# Neither queue nor window of the broker is what is measured.
BROKER = "max_queued_messages 0\nmax_inflight_messages 1000\n"


class Took(NamedTuple):
    """What a run took: seconds of processor for a million readings, readings a second, MB at most."""

    cpu_s: float
    per_s: float
    memory_mb: float


class Laboratory:
    """Broker and database, and consumers that are started for one run each."""

    def __init__(self, folder: Path, broker: Mosquitto, influxd: Influxd) -> None:
        self._folder = folder
        self._broker = broker
        self._influxd = influxd
        self._runs = 0
        (folder / "city.toml").write_text(feed.city())
        (folder / "token").write_text(TOKEN)

    def ours(self, size: int, workers: int = 1, store: str = "") -> Took:
        """`workers` of ingest, on SenML; into `store`, or a bucket of its own."""
        bucket = self._bucket()
        url = store or f"influx+{self._influxd.url}/{bucket}?org={ORG}"
        ports = [free_port() for _ in range(workers)]
        with ExitStack() as stack:
            pids = [stack.enter_context(_running(self._ingest(n, url, port))) for n, port in enumerate(ports)]
            for port in ports:
                _until(lambda port=port: "broker_connected 1.0" in _metrics(port), "ingest does not connect")  # type: ignore[misc]
            took = self._feed(pids, feed.SENML, size, lambda: [_stored(port) for port in ports])
        if not store and self._count(bucket) != READINGS:
            raise AssertionError(f"{self._count(bucket)} of {READINGS} readings are in the database")
        return took

    def telegraf(self, form: str, size: int, readings: int = READINGS) -> Took:
        """Telegraf, on line protocol or SenML."""
        bucket = self._bucket()
        config = self._folder / "telegraf.conf"
        known = {"PORT": str(self._broker.config.port), "URL": self._influxd.url, "TOKEN": TOKEN, "ORG": ORG, "BUCKET": bucket}
        config.write_text(re.sub(r"\$\{(\w+)\}", lambda found: known[found[1]], (PEER / f"{form}.conf").read_text()))
        program = installed("telegraf", "bench/peers/telegraf/build ~/.cache/hoflicht/bin", Path.home() / ".cache/hoflicht/bin")
        with _running([program, "--config", str(config)]) as pid:
            time.sleep(2)  # it says nothing when it is connected; what is published before would be lost
            return self._feed([pid], form, size, lambda: [self._count(bucket)], readings)

    def raw(self, size: int) -> Took:
        """The same readings as lines that are ready, written one group after the other."""
        query = f"/api/v2/write?org={ORG}&bucket={self._bucket()}&precision=ms"
        told = [reading for _, batch in feed.batches(size, READINGS // size, _first_ms()) for reading in batch]
        groups = [lines(told[n : n + RAW_LINES]) for n in range(0, READINGS, RAW_LINES)]
        with closing(http.client.HTTPConnection("127.0.0.1", self._influxd.port)) as connection:
            began = time.monotonic()
            for group in groups:
                connection.request("POST", query, group, {"Authorization": f"Token {TOKEN}"})
                answer = connection.getresponse()
                if answer.read() or answer.status != 204:
                    raise AssertionError(f"InfluxDB answers {answer.status}")
            return Took(0, READINGS / (time.monotonic() - began), 0)

    def _ingest(self, number: int, store: str, port: int) -> list[str]:
        config = self._folder / f"ingest-{number}.toml"
        config.write_text(
            f'city = "city.toml"\nquarantine = "q-{number}.db"\nhttp = "127.0.0.1:{port}"\nclient_id = "ingest-{number}"\n'
            f'{broker_table(self._broker.config)}[store]\nurl = "{store}"\ntoken_file = "token"\n'
        )
        return [sys.executable, "-m", "hoflicht", "ingest", str(config)]

    def _feed(self, pids: Sequence[int], form: str, size: int, arrived: Callable[[], list[int]], readings: int = READINGS) -> Took:
        """Publish so many readings and wait until all have arrived; where several consumers share them, each must have its part."""
        command = [sys.executable, "-m", "bench.feed"]
        shape = [str(self._broker.config.port), form, str(size), str(readings // size), str(_first_ms())]
        with subprocess.Popen([*command, *shape], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as feeder:
            assert feeder.stdout is not None
            feeder.stdout.readline()
            before_s, began = sum(map(cpu_s, pids)), time.monotonic()
            feeder.communicate(b"go\n", timeout=PATIENCE_S)
            _until(lambda: sum(arrived()) >= readings, "readings are missing")
            wall_s = time.monotonic() - began
        if min(arrived()) < readings / len(pids) / 2:
            raise AssertionError(f"one did nearly all: {arrived()}")
        taken_s = (sum(map(cpu_s, pids)) - before_s) / readings * 1e6
        return Took(taken_s, readings / wall_s, max(map(_memory_mb, pids)))

    def _bucket(self) -> str:
        self._runs += 1
        self._influxd.bucket(f"run-{self._runs}")
        return f"run-{self._runs}"

    def _count(self, bucket: str) -> int:
        return sum(int(str(row[1])) for row in self._influxd.select(bucket, "SELECT count(value) FROM /.*/ WHERE site =~ /^lamp/"))


def rows() -> Iterator[str]:
    """The table; a line in its place where a program is missing."""
    try:
        with TemporaryDirectory(ignore_cleanup_errors=True) as name, _laboratory(Path(name)) as lab, _null_store() as nowhere:
            yield from _beside_telegraf(lab)
            yield from _beside_raw(lab)
            yield from _two_workers(lab, nowhere)
    except pytest.skip.Exception as cause:
        yield f"| ingest beside Telegraf | not measured: {cause} | | | | | |"


def _beside_telegraf(lab: Laboratory) -> Iterator[str]:
    what = "ingest, CPU-s per million readings"
    for size, reach in ((20, "≤ 0.6"), (100, "≤ 0.5")):
        pairs = [(lab.ours(size), lab.telegraf(feed.LINES, size)) for _ in range(ROUNDS)]
        yield _row(f"{what}, {size} a message", "Telegraf, line protocol", [(own.cpu_s, peer.cpu_s) for own, peer in pairs], reach)
    senml = [(pairs[0][0].cpu_s, lab.telegraf(feed.SENML, size, READINGS // 10).cpu_s)]
    yield _row(f"{what}, {size} a message", "Telegraf, the same SenML", senml, "-")
    memory = [(own.memory_mb, peer.memory_mb) for own, peer in pairs]
    yield _row(f"ingest, MB at full load, {size} a message", "Telegraf, line protocol", memory, "≤ 80 MB")


def _beside_raw(lab: Laboratory) -> Iterator[str]:
    pairs = [(lab.ours(100).per_s, lab.raw(100).per_s) for _ in range(ROUNDS)]
    yield _row("ingest, readings/s of one worker into InfluxDB", "the same lines, one connection", pairs, "≥ 0.9")


def _two_workers(lab: Laboratory, nowhere: str) -> Iterator[str]:
    pairs = [(lab.ours(100, 2, nowhere).cpu_s, lab.ours(100, 1, nowhere).cpu_s) for _ in range(ROUNDS)]
    speed = [(2 / own, 1 / alone) for own, alone in pairs]
    yield _row("ingest, million readings per CPU-s of each of two workers, both", "one worker", speed, "≥ 1.8")


def _row(what: str, beside: str, pairs: Sequence[tuple[float, float]], reach: str) -> str:
    own, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = [one / other for one, other in pairs]
    spread = f"{statistics.median(ratios):.2f} | {min(ratios):.2f}–{max(ratios):.2f}"
    return f"| {what} | {beside} | {_short(own)} | {_short(peer)} | {spread} | {reach} |"


def _short(figure: float) -> str:
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.3g}"


@contextmanager
def _laboratory(folder: Path) -> Iterator[Laboratory]:
    influxd, mosquitto = Influxd(folder), Mosquitto(folder, BROKER)
    try:
        influxd.start()
        influxd.set_up()
        mosquitto.start()
        yield Laboratory(folder, mosquitto, influxd)
    finally:
        mosquitto.stop()
        influxd.stop()


@contextmanager
def _null_store() -> Iterator[str]:
    port = free_port()
    with _running([sys.executable, "-m", "bench.null_store", str(port)]):
        wait_until_listening(port)
        yield f"influx+http://127.0.0.1:{port}/nowhere?org={ORG}"


@contextmanager
def _running(command: Sequence[str]) -> Iterator[int]:
    """The process of a program; ended with the block."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _until(ask: Callable[[], bool], otherwise: str) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not ask():
        if time.monotonic() > until_s:
            raise TimeoutError(otherwise)
        time.sleep(LOOK_S)


def _metrics(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as answer:
            return str(answer.read(), "utf-8")
    except OSError:
        return ""


def _stored(port: int) -> int:
    found = re.search(r"^hoflicht_ingest_readings_stored_total (\S+)$", _metrics(port), re.MULTILINE)
    return int(float(found[1])) if found else 0


def _memory_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def _first_ms() -> int:
    return time.time_ns() // 1_000_000 - DAY_MS  # within what ingest takes


if __name__ == "__main__":
    show(rows())
