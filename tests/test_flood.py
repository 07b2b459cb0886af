"""A device gone mad loses its own surplus and nobody else's readings."""

import os
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.allowance import MAX_SENSORS, PORT_BURST, PORT_RATE, SENSOR_BURST, SENSOR_RATE, Allowance
from edge.config import PortConfig
from edge.drivers import DRIVERS
from edge.observation import Observation
from edge.reader import Counters, Intake
from edge.spooler import MAX_WAITING
from firmware_bridge import node
from firmware_bridge.frames import Sample
from hoflicht import Reading
from tests.conftest import Mosquitto
from tests.meanwhile import meanwhile
from tests.receiver import Ingest
from tests.roles import Role, eventually, write_edge
from tests.test_agent import GATEWAY, Line


def seen(sensor: str = "gate-in") -> Observation:
    return Observation("hof-nord", sensor, "passage", 0, 1.0)


def admitted(allowance: Allowance, times_ms: range, sensor: str = "gate-in") -> int:
    return sum(allowance.admits(seen(sensor), now_ms) for now_ms in times_ms)


def test_a_thousand_times_the_rate_comes_down_to_the_rate() -> None:
    allowance = Allowance()
    admitted(allowance, range(60_000))

    assert admitted(allowance, range(60_000, 120_000)) == 60 * SENSOR_RATE


def test_what_a_node_has_kept_while_it_was_cut_off_passes_at_once() -> None:
    allowance = Allowance()

    assert sum(allowance.admits(seen(), 1_000_000) for _ in range(1_500)) == SENSOR_BURST


def test_a_sensor_that_floods_leaves_its_neighbours_on_the_line_their_rate() -> None:
    allowance, quiet = Allowance(), 0
    for now_ms in range(600_000):
        allowance.admits(seen("mad"), now_ms)
        if now_ms % 1_000 == 0:
            quiet += sum(allowance.admits(seen(f"lamp-{n}"), now_ms) for n in range(50))

    assert quiet == 600 * 50


def test_made_up_names_come_through_at_the_rate_of_a_port() -> None:
    allowance = Allowance()
    at_once = sum(allowance.admits(seen(f"s{n % (2 * MAX_SENSORS)}"), 0) for n in range(20 * MAX_SENSORS))
    later = sum(allowance.admits(seen(f"s{n % (2 * MAX_SENSORS)}"), n) for n in range(100_000))

    assert at_once == PORT_BURST < MAX_WAITING
    assert 90 * PORT_RATE < later <= 100 * PORT_RATE


def test_a_flood_is_counted_and_does_not_fill_the_queue_of_all() -> None:
    config, counters = PortConfig(path="p", driver="node", site="hof-nord"), Counters()
    out: queue.Queue[Observation] = queue.Queue(MAX_WAITING)
    intake = Intake(config, DRIVERS["node"](config), out, counters)

    for n in range(3_000):
        intake.take(node.encode(7, n, [Sample("passage", 1.0, "gate-in")]), 60_000)

    assert (out.qsize(), counters.surplus, counters.overflown) == (SENSOR_BURST, 2_000, 0)


@pytest.fixture
def lines() -> Iterator[tuple[Line, Line]]:
    lines = (Line(), Line())
    yield lines
    for line in lines:
        line.close()


@pytest.mark.chaos
def test_the_other_ports_of_a_gateway_do_not_notice_a_flood(tmp_path: Path, broker: Mosquitto, lines: tuple[Line, Line]) -> None:
    quiet, mad = lines
    ports = {"quiet": quiet.path, "mad": mad.path}
    tables = "".join(f'[ports.{name}]\npath = "{path}"\ndriver = "node"\nsite = "hof-nord"\n' for name, path in ports.items())
    config = write_edge(tmp_path, broker.config, GATEWAY, f"patience_s = 0\n{tables}[health]\nevery_s = 2\n")
    said: list[float] = []
    ended = threading.Event()

    def flood() -> None:
        for sequence in range(60_000):
            os.write(mad.master, node.encode(7, sequence % 65_536, [Sample("passage", 1.0, "gate-in")] * 20))
            if ended.wait(0.001):
                return

    with Ingest(broker.config) as ingest, Role(tmp_path, "edge", config) as edge:

        def heard() -> list[Reading]:
            return [reading for reading in ingest.readings() if reading.sensor == "probe"]

        def longest_way_s(seconds: float) -> float:
            """Say something four times a second; by how much the newest that came was behind, at most."""
            longest_s, until_s = 0.0, time.monotonic() + seconds
            while time.monotonic() < until_s:
                said.append(float(len(said)))
                os.write(quiet.master, node.encode(1, len(said), [Sample("temperature", said[-1], "probe")]))
                time.sleep(0.25)
                newest_ms = max((reading.at_ms for reading in heard()), default=None)
                if newest_ms is not None:
                    longest_s = max(longest_s, time.time() - newest_ms / 1000)
            return longest_s

        before_s = longest_way_s(4)
        assert heard()
        with meanwhile(flood, ended):
            flooded_s = longest_way_s(12)
            assert eventually(lambda: "the device at port mad says more than an honest one can" in edge.log.read_text())
            assert eventually(
                lambda: any(r.quantity == "surplus" and r.sensor == "mad" and r.value > 1_000 for r in ingest.readings())
            )
        assert eventually(lambda: "the device at port mad is back at its rate" in edge.log.read_text())
        assert eventually(lambda: said[-1] in {reading.value for reading in heard()})
        came = sorted(reading.value for reading in heard())

    assert came == said[round(came[0]) :]  # the first were said to a port that was not open yet
    assert flooded_s < before_s + 4
