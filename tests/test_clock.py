"""A gateway whose clock is wrong: it starts in 1970, is set, is set wrong by hand, and corrected again."""

import os
import random
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from api.estimate.waiting import estimate
from api.heard import heard
from edge.observation import Observation
from edge.spool import LAST, Spool
from hoflicht import Reading
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from hoflicht.wait import State, Wait
from simulators.devices import Gnss
from simulators.wire import Wire
from store.readings import Store, open_store
from tests.conftest import ROOT, Mosquitto, installed
from tests.lane import YARD, at, free_lane, joined, let_in
from tests.lane import ms as lane_ms
from tests.receiver import Ingest
from tests.roles import eventually, killed_after, write_edge
from tests.test_agent import CAPTURED, GATEWAY, Line, air

HOUR_MS = 3_600_000
NOW_MS = 1_700_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


def car(clock: HandClock) -> list[Observation]:
    return [Observation("hof-nord", "gate-in", "passage", clock.monotonic_ms(), 1.0)]


def times_ms(spool: Spool) -> list[int]:
    batch = spool.batch(1, LAST, 1_000)
    return [reading.at_ms for reading in batch.readings] if batch else []


@pytest.mark.parametrize("wrong_ms", [-3 * HOUR_MS, 3 * HOUR_MS, -NOW_MS])
def test_a_clock_that_is_set_wrong_by_hand_does_not_move_readings(
    path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture, wrong_ms: int
) -> None:
    with Spool(path, 1_000_000, clock, boot="first") as spool:
        spool.keep(car(clock))
        clock.advance(10_000)

        clock.jump(wrong_ms)  # the kernel then says that it is not synchronised
        spool.keep(car(clock))
        clock.advance(10_000)
        clock.set(NOW_MS + 20_000)
        spool.keep(car(clock))

        assert times_ms(spool) == [NOW_MS, NOW_MS + 10_000, NOW_MS + 20_000]
    assert "the clock was set" not in caplog.text


def test_a_restart_amid_a_wrong_clock_does_not_move_readings_either(path: Path, clock: HandClock) -> None:
    with Spool(path, 1_000_000, clock, boot="first") as spool:
        spool.keep(car(clock))
    clock.jump(3 * HOUR_MS)
    clock.advance(10_000)

    with Spool(path, 1_000_000, clock, boot="first") as spool:
        spool.keep(car(clock))

        assert times_ms(spool) == [NOW_MS, NOW_MS + 10_000]


def test_a_time_service_that_corrects_itself_is_believed_from_then_on_and_told(
    path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    with Spool(path, 1_000_000, clock, boot="first") as spool:
        spool.keep(car(clock))
        clock.set(NOW_MS - 2 * HOUR_MS)
        spool.keep(car(clock))

        assert times_ms(spool) == [NOW_MS, NOW_MS - 2 * HOUR_MS]
    assert [record.getMessage() for record in caplog.records] == ["the clock was set by -7200 s; what has its time keeps it"]


def test_what_comes_late_is_never_the_latest(store: Store) -> None:
    now_ms = time.time_ns() // 1_000_000
    fresh, late = (
        Reading("hof-nord", "air", "temperature", now_ms - ago_ms, value) for ago_ms, value in ((0, 20.0), (HOUR_MS, 5.0))
    )
    store.write([fresh])

    store.write([late])

    assert store.latest(["temperature"], now_ms - 24 * HOUR_MS) == [fresh]


def test_what_comes_late_does_not_make_the_public_wait_older(city: City, tmp_path: Path) -> None:
    def wait(store: Store) -> Wait:
        return estimate(YARD, city, heard(store, city, YARD, lane_ms(-60), lane_ms(60)), at(60))

    signs = [Reading(GATEWAY, "node", "port_open", lane_ms(minute), 1.0) for minute in (0, *range(50, 61))]
    with closing(open_store(f"sqlite:///{tmp_path}/readings.db")) as store:
        store.write(signs + free_lane(60) + joined(59))
        before = wait(store)

        store.write([Reading(GATEWAY, "node", "port_open", lane_ms(10), 1.0), *joined(20), *let_in(21)])

        after = wait(store)
    assert (after.state, after.as_of, after.valid_until) == (before.state, before.as_of, before.valid_until)
    assert (before.state, before.as_of) == (State.OPEN, at(60))


class FakedClock:
    """The clock of one process, real to it."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or installed("clang", "apt-get install clang")
        library = folder / "faked_clock.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, ROOT / "tests" / "faked_clock.c", "-ldl"], check=True)
        self._file = folder / "clock"
        self.environment = {**os.environ, "LD_PRELOAD": str(library), "FAKED_CLOCK": str(self._file)}
        self._file.write_bytes(bytes(16))

    def turn(self, off_s: float, is_synchronised: bool) -> None:
        with self._file.open("r+b") as file:
            file.write(struct.pack("=qq", round(off_s * 1e9), is_synchronised))


@contextmanager
def gateway(config: Path, clock: FakedClock) -> Iterator[subprocess.Popen[bytes]]:
    """The real one, living by `clock`; gone at the end, whatever happens."""
    command = [sys.executable, "-m", "hoflicht", "edge", str(config)]
    with (
        config.with_name("log").open("wb") as log,
        killed_after(subprocess.Popen(command, env=clock.environment, stderr=log)) as edge,
    ):
        yield edge


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


@pytest.mark.slow
def test_readings_end_with_right_times_whatever_the_clock_of_the_machine_does(
    tmp_path: Path, broker: Mosquitto, line: Line
) -> None:
    clock = FakedClock(tmp_path)
    config = write_edge(tmp_path, broker.config, GATEWAY, air(line))
    config.write_text(config.read_text().replace('clock = "system"', 'clock = "ntp"'))
    clock.turn(-time.time() + 60, is_synchronised=False)  # 1970
    began_ms = time.time_ns() // 1_000_000
    with Ingest(broker.config) as ingest, gateway(config, clock) as edge:

        def seen() -> list[int]:
            return sorted(reading.at_ms for reading in ingest.readings() if reading.quantity == "pm10")

        def fed(seconds: float) -> int:
            for _ in range(int(seconds / 0.1)):
                os.write(line.master, CAPTURED)
                time.sleep(0.1)
            return len(seen())

        fed(3)
        assert seen() == []
        clock.turn(0, is_synchronised=True)
        assert eventually(lambda: fed(0.3) > 10)
        for off_s in (3 * 3_600, -3 * 3_600):  # by hand: the kernel takes its word back
            clock.turn(off_s, is_synchronised=False)
            before = len(seen())
            assert eventually(lambda: fed(0.3) > before + 10)  # noqa: B023
        edge.terminate()
        edge.wait(15)

    assert began_ms - 1_000 <= seen()[0]
    assert seen()[-1] <= time.time_ns() // 1_000_000
    gaps = [after - before for before, after in zip(seen(), seen()[1:], strict=False)]
    assert max(gaps) < 10_000


@pytest.mark.slow
def test_readings_taken_before_the_satellites_are_heard_end_with_right_times(tmp_path: Path, broker: Mosquitto, line: Line) -> None:
    """A machine that woke up in 1970 and hears no time service; its receiver finds the satellites late, and loses them again."""
    clock = FakedClock(tmp_path)
    clock.turn(-time.time() + 60, is_synchronised=False)
    receiver = Gnss(51.4345, 6.7623, random.Random(1), period_ms=100)
    receiver.has_antenna = False
    port = f'[ports.gnss]\npath = "{tmp_path}/gnss"\ndriver = "nmea"\nsite = "hof-nord"\nsensor = "gnss"\naverage_s = 2\n'
    config = write_edge(tmp_path, broker.config, GATEWAY, air(line) + port)
    config.write_text(config.read_text().replace('clock = "system"', 'clock = "gnss"'))
    began_ms = time.time_ns() // 1_000_000
    fed_ms: list[int] = []
    with Wire(tmp_path / "gnss") as wire, Ingest(broker.config) as ingest, gateway(config, clock) as edge:

        def values(quantity: str) -> dict[int, float]:
            return {reading.at_ms: reading.value for reading in ingest.readings() if reading.quantity == quantity}

        def lived(seconds: float) -> int:
            """How many readings of the air there are after so long."""
            until_s = time.monotonic() + seconds
            while time.monotonic() < until_s:
                wire.write(receiver.said(time.time_ns() // 1_000_000))
                os.write(line.master, CAPTURED)
                fed_ms.append(time.time_ns() // 1_000_000)
                time.sleep(0.02)
            return len(values("pm10"))

        assert eventually(lambda: lived(0.3) == 0 and (tmp_path / f"{GATEWAY}.db").exists())
        assert lived(3) == 0
        heard_ms, receiver.has_antenna = fed_ms[-1], True
        assert eventually(lambda: lived(0.3) > 10)
        assert eventually(lambda: lived(0.3) and values("clock_offset") and values("latitude"))
        receiver.has_antenna = False
        before = lived(0.3)
        assert eventually(lambda: lived(0.3) > before + 10)
        edge.terminate()
        edge.wait(15)

    seen = sorted(values("pm10"))
    assert began_ms < seen[0] < heard_ms - 2_000
    assert fed_ms[-1] - 5_000 < seen[-1] <= fed_ms[-1]
    assert max(after - before for before, after in pairwise(seen)) < 5_000
    assert all(abs(value - 51.4345) < 1e-4 for value in values("latitude").values())
    assert all(abs(value + began_ms / 1_000 - 60) < 60 for value in values("clock_offset").values())
