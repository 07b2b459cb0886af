"""A full disk, for real: a small file system, and somebody else's log that fills it."""

import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.salvage import mend
from edge.spool import LAST, Spool
from firmware_bridge import node
from firmware_bridge.frames import Sample
from hoflicht import Reading, Unavailable
from hoflicht.broker import BrokerConfig
from hoflicht.clock import HandClock
from tests.conftest import Mosquitto, free_port
from tests.disks import Hog, small_disk
from tests.receiver import Ingest
from tests.roles import Role, eventually, write_edge
from tests.test_agent import GATEWAY, Line

LIMIT = 200_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 6) as disk:
        yield disk


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


def passages(*times_ms: int) -> list[Reading]:
    return [Reading("hof-nord", "gate-in", "passage", at_ms, 1.0) for at_ms in times_ms]


def temperatures(*times_ms: int) -> list[Reading]:
    return [Reading("hof-nord", "air", "temperature", at_ms, 21.5) for at_ms in times_ms]


def kept(spool: Spool, quantity: str) -> list[int]:
    batch = spool.batch(1, LAST, 1_000_000)
    return [reading.at_ms for reading in batch.readings if reading.quantity == quantity] if batch else []


def test_on_a_full_disk_the_oldest_samples_go_and_every_car_stays(disk: Path, clock: HandClock) -> None:
    hog = Hog(disk)
    with Spool(disk / "spool.db", LIMIT, clock) as spool:
        spool.append(temperatures(*range(5_000)))
        hog.fill()

        for n in range(5_000, 25_000, 100):
            spool.append(passages(n) + temperatures(*range(n, n + 100)))

        samples = kept(spool, "temperature")
        assert kept(spool, "passage") == list(range(5_000, 25_000, 100))
        assert samples == list(range(samples[0], 25_000))
        assert spool.state().dropped == 25_000 - len(samples) > 10_000

        hog.free()
        dropped = spool.state().dropped
        for n in range(25_000, 35_000, 100):
            spool.append(temperatures(*range(n, n + 100)))

        assert spool.state().dropped < dropped + 2_000  # at most a slice on the way back
        assert kept(spool, "temperature")[-8_000:] == list(range(27_000, 35_000))


def test_on_a_full_disk_what_is_confirmed_and_refused_still_leaves(disk: Path, clock: HandClock) -> None:
    with Spool(disk / "spool.db", LIMIT, clock) as spool:
        spool.append(temperatures(*range(1_000)))
        Hog(disk).fill()
        batch = spool.batch(1, LAST, 400)
        assert batch is not None

        assert spool.drop(batch.range) == 400
        rest = spool.batch(1, LAST, 100)
        assert rest is not None
        assert spool.refuse(rest.range, "why") == 100

        assert (spool.state().rows, spool.state().quarantined) == (500, 100)


def test_a_disk_that_is_full_before_the_log_has_its_size_takes_the_next_car_all_the_same(disk: Path, clock: HandClock) -> None:
    with Spool(disk / "spool.db", LIMIT, clock) as spool:
        spool.append(passages(*range(10)))
    with Spool(disk / "spool.db", LIMIT, clock) as spool:  # its log is empty
        Hog(disk).fill()

        for n in range(10, 200):
            spool.append(passages(n))

        assert kept(spool, "passage") == list(range(spool.state().dropped, 200))
        assert len(kept(spool, "passage")) > 50


def test_a_spool_without_a_reserve_leaves_the_last_space_alone(disk: Path, clock: HandClock) -> None:
    hog = Hog(disk)
    hog.fill(but=1_500_000)

    with Spool(disk / "spool.db", LIMIT, clock) as spool:
        for n in range(0, 20_000, 100):
            spool.append(temperatures(*range(n, n + 100)))

        assert spool.state().bytes < 200_000


@pytest.mark.parametrize("other_boot", [False, True])
def test_a_gateway_that_starts_on_a_full_disk_lives_on_its_reserve(disk: Path, clock: HandClock, other_boot: bool) -> None:
    with Spool(disk / "spool.db", LIMIT, HandClock(is_set=not other_boot), boot="first") as spool:
        spool.append(passages(*range(100)))
        if other_boot:
            spool.keep([])
            spool.stamp()
    Hog(disk).fill()

    assert mend(disk / "spool.db", LIMIT, clock) == 0

    with Spool(disk / "spool.db", LIMIT, clock, boot="second" if other_boot else "first") as spool:
        spool.append(passages(100))
        assert kept(spool, "passage") == list(range(101))


def test_without_spool_and_reserve_a_full_disk_is_said_to_be_one(disk: Path, clock: HandClock) -> None:
    Hog(disk).fill()

    with pytest.raises(Unavailable, match="full"):
        Spool(disk / "spool.db", LIMIT, clock)


def frame(sequence: int) -> bytes:
    """A node that speaks for many sensors."""
    return node.encode(7, sequence, [Sample("temperature", 20.0, f"air-{n}") for n in range(12)])


@pytest.mark.chaos
def test_a_gateway_outlives_a_full_disk_and_says_what_it_gave_up(tmp_path: Path, disk: Path, line: Line) -> None:
    port, hog = free_port(), Hog(disk)
    broker = Mosquitto(tmp_path)
    tables = f'[ports.node]\npath = "{line.path}"\ndriver = "node"\nsite = "hof-nord"\n[health]\nevery_s = 1\n'
    config = write_edge(disk, BrokerConfig(port=broker.config.port), GATEWAY, tables)
    config.write_text(f'http = "127.0.0.1:{port}"\n' + config.read_text())
    hog.fill()

    def dropped() -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return float(next(line for line in lines if line.startswith("hoflicht_edge_readings_dropped_total")).split()[1])

    with Role(tmp_path, "edge", config) as edge:
        assert eventually(lambda: "there is no room for the spool yet" in edge.log.read_text())
        hog.free()
        assert eventually(lambda: "there is room for the spool again" in edge.log.read_text())
        assert eventually(lambda: edge.log.read_text().count("reads 1 ports"))

        hog.fill()
        sequence = 0

        def loses() -> bool:
            nonlocal sequence
            for _ in range(20):
                sequence += 1
                os.write(line.master, frame(sequence))
                time.sleep(0.002)
            return "readings had to be given up" in edge.log.read_text()

        assert eventually(loses)
        assert eventually(lambda: dropped() > 0)

        hog.free()
        broker.start()
        with Ingest(broker.config) as ingest:
            assert eventually(lambda: any(r.quantity == "dropped" and r.value > 0 for r in ingest.readings()), 90)
            assert eventually(lambda: "no reading has to be given up any more" in edge.log.read_text())
        broker.stop()
        assert edge.stop() == 0
