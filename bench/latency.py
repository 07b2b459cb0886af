"""From a serial byte to the api's answer: a pty, the real edge, Mosquitto, ingest, InfluxDB and api, without and with other load.

A gate says at its serial line that it is closed or open again, and `GET /v1/yards/{id}/wait` is asked, over a connection that is
kept, until its `state` says so: "held" comes of nothing else. The other load are lamps' readings, as their gateways' batches.
"""

import datetime as dt
import http.client
import itertools
import json
import math
import random
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from bench import show
from bench.served import CITY as SERVED
from bench.served import YARD, lived, opened
from firmware_bridge import node
from firmware_bridge.frames import Sample
from hoflicht import Reading, topics
from hoflicht.batch import batch
from hoflicht.broker import BrokerConfig, Connected, Received, Session
from simulators.wire import Wire
from store.readings import open_store
from tests.conftest import ORG, Influxd, Mosquitto, free_port, wait_until_listening
from tests.roles import CITY, Role, eventually, write_api, write_edge, write_ingest

TRIES = 50  # of each kind; every second or two
LOAD_PER_S = 5_000  # readings
BATCH = 100  # readings
LAMPS, GATEWAYS = 1_000, 20
QUANTITIES = ("level_target", "level_feedback", "level_actual", "active_power", "temperature")
POLL_S = 0.02
REST_S = 1.0  # at most, before the next try, so that no two begin at the same point of anybody's rhythm
PATIENCE_S = 60.0
BUCKET = "latency"
GATEWAY = "gw-hof-nord"
CATALOGUE = f"""{SERVED}sensors.barrier = {{ role = "gate" }}
[gateways.{GATEWAY}]
sites = ["{YARD}"]
"""
LAMP = '[lamps.lamp-{n:04}]\nstreet = "Straße"\nlat = 51.0\nlon = 6.0\n'
STREET = '[gateways.gw-{n}]\nsites = ["lamp-*"]\n'


class Result(msgspec.Struct, frozen=True):
    """Seconds from the byte to the answer, and how many other readings a second were stored meanwhile."""

    seconds: list[float]
    others_per_s: float


def rows() -> Iterator[str]:
    """The table's lines; one line in their place where a program is missing."""
    try:
        alone, loaded = measure(TRIES)
    except pytest.skip.Exception as cause:
        yield f"| serial byte → API answer | not measured: {cause} | | | | | |"
        return
    for what, found in (("alone", alone), (f"at {loaded.others_per_s:.0f} other readings/s", loaded)):
        p50, p99 = statistics.median(found.seconds), _quantile(found.seconds, 0.99)
        told = f"p50 {p50:.2f} s, p99 {p99:.2f} s | | | {min(found.seconds):.2f}–{max(found.seconds):.2f} s"
        yield f"| serial byte → API answer, {what}, {len(found.seconds)} tries | - | {told} | ≤ 1 s, ≤ 2 s |"


def measure(tries: int) -> tuple[Result, Result]:
    """So many tries alone, and as many under load."""
    with TemporaryDirectory() as name, _running(Path(name)) as (wire, port, broker):
        said = itertools.count(1)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as line:
            if not eventually(lambda: _state(line) == "open", PATIENCE_S):
                raise TimeoutError("the yard does not open")
            alone = Result([_try(wire, line, next(said)) for _ in range(tries)], 0.0)
            with Load(broker) as load:
                load.wait_until_flowing()
                stored, start_s = load.stored, time.monotonic()
                seconds = [_try(wire, line, next(said)) for _ in range(tries)]
                per_s = (load.stored - stored) / (time.monotonic() - start_s)
    return alone, Result(seconds, per_s)


def _try(wire: Wire, line: http.client.HTTPConnection, number: int) -> float:
    """Close the gate in odd tries, open it in even ones, and wait until the api says so."""
    time.sleep(random.uniform(0, REST_S))
    expected = "held" if number % 2 else "open"
    start_s = time.monotonic()
    wire.write(node.encode(1, number, [Sample("held", float(number % 2), sensor="barrier")]))
    while _state(line) != expected:
        if time.monotonic() - start_s > PATIENCE_S:
            raise TimeoutError(f"the api does not say that the yard is {expected}")
        time.sleep(POLL_S)
    return time.monotonic() - start_s


def _state(line: http.client.HTTPConnection) -> str:
    line.request("GET", f"/v1/yards/{YARD}/wait")
    return str(json.loads(line.getresponse().read())["state"])


def _quantile(found: list[float], share: float) -> float:
    return sorted(found)[math.ceil(share * len(found)) - 1]


class Load:
    """Lamps' gateways that send until the block ends."""

    def __init__(self, broker: BrokerConfig) -> None:
        self._broker = broker
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")
        self.stored = 0  # readings that have their receipt

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def wait_until_flowing(self) -> None:
        """Return once receipts come as fast as batches go."""
        if not eventually(lambda: self.stored > 2 * LOAD_PER_S, PATIENCE_S):
            raise TimeoutError("the load is not taken")

    def _run(self) -> None:
        with Session(self._broker, "street", [topics.answers("+")]) as session:
            assert isinstance(session.event(PATIENCE_S), Connected)
            every_s = BATCH / LOAD_PER_S
            due_s, sent = time.monotonic(), itertools.count()
            while not self._ending.is_set():
                left_s = due_s - time.monotonic()
                if left_s <= 0:
                    self._send(session, next(sent))
                    due_s += every_s
                    continue
                event = session.event(left_s)
                if isinstance(event, Received):
                    session.acknowledge(event)
                    self.stored += BATCH

    def _send(self, session: Session, number: int) -> None:
        at_ms = time.time_ns() // 1_000_000
        first = number * BATCH // len(QUANTITIES)
        lamps = [f"lamp-{(first + n) % LAMPS:04}" for n in range(BATCH // len(QUANTITIES))]
        readings = [Reading(lamp, "driver", quantity, at_ms, float(number % 100)) for lamp in lamps for quantity in QUANTITIES]
        session.publish(batch(f"gw-{number % GATEWAYS}", b"%d" % number, readings))


@contextmanager
def _running(folder: Path) -> Iterator[tuple[Wire, int, BrokerConfig]]:
    """All of it in `folder`: the gateway's serial line, the api's port, the broker."""
    influxd, mosquitto = Influxd(folder), Mosquitto(folder)
    city = folder / "city.toml"
    street = "".join(LAMP.format(n=n) for n in range(LAMPS)) + "".join(STREET.format(n=n) for n in range(GATEWAYS))
    city.write_text(CATALOGUE.replace("HOURS", opened(dt.datetime.now(dt.UTC))) + street)
    with ExitStack() as stack:
        stack.callback(influxd.stop)
        influxd.start()
        influxd.set_up()
        influxd.bucket(BUCKET)
        stack.callback(mosquitto.stop)
        mosquitto.start()
        wire = stack.enter_context(Wire(folder / "node"))
        url = f"influx+{influxd.url}/{BUCKET}?org={ORG}"
        with closing(open_store(url, influxd.token)) as store:
            store.write(lived(city))
        port, ingest_port = free_port(), free_port()  # only now, or one of the connections so far has taken them
        ingest = write_ingest(folder, mosquitto.config, url, influxd.token, ingest_port)
        ingest.write_text(ingest.read_text().replace(str(CITY), str(city)))
        table = f'[ports.node]\npath = "{folder / "node"}"\ndriver = "node"\nsite = "{YARD}"\n'
        stack.enter_context(Role(folder, "ingest", ingest))
        stack.enter_context(Role(folder, "edge", write_edge(folder, mosquitto.config, GATEWAY, table)))
        stack.enter_context(Role(folder, "api", write_api(folder, mosquitto.config, url, port, city)))
        wait_until_listening(ingest_port)
        wait_until_listening(port)
        yield wire, port, mosquitto.config


if __name__ == "__main__":
    show(rows())
