"""The satellites' time: when it is believed, how it goes on without them, and what a jump is worth."""

import queue
import random
import threading
from pathlib import Path

import pytest

from edge import reader
from edge.config import PortConfig
from edge.fix import Fix
from edge.reader import Counters, Intake
from edge.satellites import SatelliteClock
from firmware_bridge.port import Port
from hoflicht.clock import HandClock, SystemClock
from hoflicht.stop import Stopping
from simulators import devices
from simulators.wire import Wire

NOW_MS = 1_795_000_000_000
LATE_MS = 300


class Sky:
    """What the satellites say, and a machine that woke up in 1970."""

    def __init__(self) -> None:
        self.machine = HandClock(now_ms=60_000, is_set=False)
        self.clock = SatelliteClock(self.machine)
        self._ahead_ms = NOW_MS - self.machine.monotonic_ms()

    @property
    def true_ms(self) -> int:
        return self.machine.monotonic_ms() + self._ahead_ms

    def pass_by(self, seconds: int, off_ms: int = 0, late_ms: int = LATE_MS) -> None:
        """A sentence each second, so late, that is off by so much."""
        for _ in range(seconds):
            self.machine.advance(1_000)
            self.clock.take(self.true_ms - late_ms + off_ms, self.machine.monotonic_ms())

    def error_ms(self) -> int:
        return self.clock.now_ms() - self.true_ms


@pytest.fixture
def sky() -> Sky:
    return Sky()


def test_ten_sentences_that_agree_set_the_clock(sky: Sky) -> None:
    sky.pass_by(9)
    assert (sky.clock.is_set(), sky.clock.now_ms(), sky.clock.machine_ahead_ms()) == (False, sky.machine.now_ms(), None)

    sky.pass_by(1)

    assert (sky.clock.is_set(), sky.error_ms()) == (True, -LATE_MS)


def test_sentences_that_do_not_agree_set_nothing(sky: Sky) -> None:
    for n in range(100):
        sky.pass_by(1, off_ms=0 if n % 10 else 5_000)

    assert not sky.clock.is_set()


def test_the_sentence_that_came_soonest_counts_for_two_minutes(sky: Sky) -> None:
    sky.pass_by(10, late_ms=450)
    sky.pass_by(1, late_ms=120)
    sky.pass_by(119, late_ms=450)
    assert sky.error_ms() == -120

    sky.pass_by(2, late_ms=450)

    assert sky.error_ms() == -450


def test_without_its_antenna_it_goes_on(sky: Sky) -> None:
    sky.pass_by(10)

    sky.machine.advance(86_400_000)

    assert (sky.clock.is_set(), sky.error_ms()) == (True, -LATE_MS)


def test_the_machine_s_own_clock_does_not_matter(sky: Sky) -> None:
    sky.pass_by(10)

    sky.machine.set(NOW_MS + 3_600_000)

    assert sky.error_ms() == -LATE_MS
    assert sky.clock.machine_ahead_ms() == 3_600_000 - 10_000 + LATE_MS


def test_a_quartz_that_drifts_is_followed(sky: Sky) -> None:
    sky.pass_by(10)
    for second in range(3_600):
        sky.pass_by(1, off_ms=second // 10)  # 100 ppm

    assert -LATE_MS - 1 <= sky.error_ms() - 359 <= -LATE_MS + 12


@pytest.mark.parametrize("off_ms", [-3_600_000, -1_000, 1_000, 1024 * 7 * 86_400_000])
def test_a_jump_is_believed_once_it_has_lasted_ten_minutes(sky: Sky, off_ms: int) -> None:
    sky.pass_by(60)
    sky.pass_by(600, off_ms)
    assert sky.error_ms() == -LATE_MS

    sky.pass_by(1, off_ms)

    assert sky.error_ms() == off_ms - LATE_MS


def test_a_jump_that_is_interrupted_begins_again(sky: Sky) -> None:
    sky.pass_by(60)
    for _ in range(20):
        sky.pass_by(599, off_ms=5_000)
        sky.pass_by(1)

        assert sky.error_ms() == -LATE_MS


def test_a_false_sentence_among_good_ones_moves_nothing(sky: Sky) -> None:
    sky.pass_by(60)
    for _ in range(10):
        sky.pass_by(1, off_ms=86_400_000)
        assert sky.error_ms() == -LATE_MS
        sky.pass_by(30)
        assert sky.error_ms() == -LATE_MS


def test_on_a_line_the_clock_is_behind_by_what_the_soonest_sentence_was_late(tmp_path: Path) -> None:
    """A real port and reader; sentences of 20 Hz that are 20 to 60 ms late."""
    machine, rng, stopping = SystemClock(), random.Random(1), Stopping()
    clock = SatelliteClock(machine)
    config = PortConfig(path=str(tmp_path / "gnss"), driver="nmea", site="hof-nord", sensor="gnss")
    intake = Intake(config, Fix(config, clock), queue.Queue(), Counters())

    def work() -> None:
        with Port(config.path, config.line()) as port:
            reader.run(port, config, intake, Counters(), clock=machine, stopping=stopping)

    with Wire(tmp_path / "gnss") as wire:
        thread = threading.Thread(target=work)
        thread.start()
        errors_ms: list[int] = []
        for _ in range(30):
            told_ms = machine.now_ms()
            stopping.wait(rng.uniform(0.02, 0.06))
            wire.write(devices.rmc(told_ms, 51.4345, 6.7623))
            stopping.wait(0.01)
            if clock.is_set():
                errors_ms.append(clock.now_ms() - machine.now_ms())
        stopping.set()
        thread.join()

    assert errors_ms
    assert -100 < min(errors_ms) <= max(errors_ms) < -15
