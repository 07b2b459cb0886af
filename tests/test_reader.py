"""A port on a pty: bytes become observations, devices are started and asked."""

import os
import pty
import queue
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge import reader
from edge.config import PortConfig
from edge.doubt import DOUBTFUL_FRAMES
from edge.drivers import DRIVERS
from edge.observation import Observation
from edge.reader import LONGEST_PAUSE_MS, Counters, Intake, Polls
from firmware_bridge import node
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Sample
from firmware_bridge.port import Port
from hoflicht.clock import SystemClock
from hoflicht.stop import Stopping
from tests.meanwhile import meanwhile
from tests.roles import eventually

# PyPMS captured data, docs/sensors (facts: SDS011 0.6/0.6 and 0.9/0.9, SPS30 with one stuffed byte).
SDS011 = bytes.fromhex("AAC00600060058D93DAB AAC00900090058D943AB")
SPS30_START = bytes.fromhex("7E0000020103F97E")
SPS30_READ = bytes.fromhex("7E000300FC7E")
SPS30 = bytes.fromhex(
    "7E0003002840A783204117 77BB414A5F8341548DDD41D2833E427D33FC85422617224229A4D9422A29BC3F55B7E79E7E".replace(" ", "")
)

TFMINI = bytes.fromhex("59597900E803C808E6")


class Bench:
    """A port config, its queue and its counters, without the line."""

    def __init__(self, path: str, driver: str, average_s: float = 60, room: int = 100, site: str = "hof-nord") -> None:
        self.config = PortConfig(path=path, driver=driver, site=site, sensor="air", average_s=average_s)
        self.counters = Counters()
        self.out: queue.Queue[Observation] = queue.Queue(room)
        self.intake = Intake(self.config, DRIVERS[driver](self.config), self.out, self.counters)

    def seen(self) -> list[tuple[str, float]]:
        return [(one.quantity, one.value) for one in (self.out.get_nowait() for _ in range(self.out.qsize()))]


class CountedPort(Port):
    """A port that knows how often something was read."""

    reads = 0

    def read(self, timeout_s: float) -> bytes:
        data = super().read(timeout_s)
        self.reads += bool(data)
        return data


@contextmanager
def reading(bench: Bench, port: Port | None = None) -> Iterator[None]:
    stopping = Stopping()

    def work() -> None:
        with port or Port(bench.config.path, bench.config.line()) as opened:
            reader.run(opened, bench.config, bench.intake, bench.counters, clock=SystemClock(), stopping=stopping)

    with meanwhile(work, stopping):
        yield


class Line:
    """A pty behind a link, as udev names a port; it can be pulled out and put in again."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.plug()

    def plug(self) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.link.symlink_to(os.ttyname(self._slave))

    def pull(self) -> None:
        self.link.unlink()
        os.close(self._slave)
        os.close(self.master)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path / "port")
    yield line
    line.pull()


def test_frames_are_read_and_noise_is_counted(line: Line) -> None:
    bench = Bench(str(line.link), "sds011", average_s=0.1)
    with reading(bench):
        assert eventually(lambda: bench.counters.is_open)
        os.write(line.master, b"\x00\x01" + SDS011)
        assert eventually(lambda: bench.counters.frames == 2)

        time.sleep(0.15)
        os.write(line.master, SDS011[:10])

        assert eventually(lambda: bench.counters.frames == 3)
    assert bench.seen() == [("pm2_5", 0.75), ("pm10", 0.75)]
    assert bench.counters.noise_bytes == 2


def test_a_device_is_started_and_asked_and_after_a_power_cut_again(line: Line) -> None:
    bench = Bench(str(line.link), "sps30")
    with reading(bench):
        heard = os.read(line.master, 100)
        while SPS30_READ not in heard:
            heard += os.read(line.master, 100)
        assert heard.startswith(SPS30_START)
        os.write(line.master, SPS30)
        assert eventually(lambda: bench.counters.frames == 1)

        line.pull()
        assert eventually(lambda: not bench.counters.is_open)
        line.plug()

        assert os.read(line.master, 100).startswith(SPS30_START)
        assert bench.counters.errors == 1


def test_a_report_that_is_under_way_while_its_radar_is_asked_stays_whole(line: Line) -> None:
    bench = Bench(str(line.link), "ops243")
    with reading(bench):
        assert eventually(lambda: bench.counters.is_open)
        os.write(line.master, b'{"DetectedObjectVelocity":"5.5",')
        heard = b""
        while b"Os" not in heard[len(b"OJUMONOs") :]:  # all of the start, and once more as the first request
            heard += os.read(line.master, 100)

        os.write(line.master, b'"direction":"inbound"}\r\n')

        assert eventually(lambda: bench.counters.frames == 1)
    assert bench.seen() == [("passage", 1.0), ("speed", 5.5)]
    assert bench.counters.noise_bytes == 0


def test_a_lidar_is_read_twenty_times_a_second_and_each_of_its_hundred_frames_counts(line: Line) -> None:
    bench = Bench(str(line.link), "tfmini")
    port = CountedPort(str(line.link), bench.config.line())
    begun_s = time.monotonic()
    with reading(bench, port):
        assert eventually(lambda: bench.counters.is_open)
        for _ in range(50):
            os.write(line.master, TFMINI)
            time.sleep(0.01)
        assert eventually(lambda: bench.counters.frames == 50)
    assert bench.counters.noise_bytes == 0
    assert port.reads <= (time.monotonic() - begun_s) / DEVICES["tfmini"].rest_s + 2


def test_what_a_device_answers_is_understood_by_what_it_was_asked() -> None:
    bench = Bench("p", "sps30", average_s=1)
    for second in range(0, 4_000, 1_000):
        bench.intake.take(SPS30_READ, second)
        bench.intake.take(SPS30, second + 10)

    assert bench.seen()[:4] == [("pm1", 5.235), ("pm2_5", 9.467), ("pm4", 12.648), ("pm10", 13.285)]


def test_a_sample_without_a_site_is_no_reading() -> None:
    bench = Bench("p", "node", site="")
    frame = node.encode(7, 1, [Sample("passage", 1.0, sensor="gate-in"), Sample("held", 1.0, sensor="barrier", site="hof-nord")])

    bench.intake.take(frame, 0)

    assert bench.seen() == [("held", 1.0)]
    assert bench.counters.unsound == 1


def test_after_noise_a_frame_that_stands_alone_is_not_averaged() -> None:
    # 0.6 became 26.2 by one flipped bit, and two more in the sum make it right again.
    false = bytes.fromhex("AAC00601060058D93EAB")
    clean, noisy = Bench("p", "sds011", average_s=3), Bench("p", "sds011", average_s=3)

    for bench, before in ((clean, b""), (noisy, b"\x00")):
        for second, data in enumerate([SDS011[:10], before + false, SDS011[:10], SDS011[:10]]):
            bench.intake.take(data, second * 1_000)

    assert clean.seen()[0] == ("pm2_5", 9.1333)
    assert noisy.seen()[0] == ("pm2_5", 0.6)


def test_a_line_is_believed_again_after_a_hundred_good_frames() -> None:
    false, good = bytes.fromhex("AAC00601060058D93EAB"), SDS011[:10]
    bench = Bench("p", "sds011", average_s=1_000)

    bench.intake.take(b"\x00" + good * (DOUBTFUL_FRAMES - 1) + false + good + false, 0)
    bench.intake.take(good, 1_000_000)

    [(_, mean), _] = bench.seen()
    assert mean == round((DOUBTFUL_FRAMES * 0.6 + 26.2) / (DOUBTFUL_FRAMES + 1), 5)


def test_what_finds_no_room_is_counted() -> None:
    bench = Bench("p", "sds011", average_s=1, room=1)

    for second in range(2):
        bench.intake.take(SDS011, second * 1_000)

    assert bench.out.qsize() == 1
    assert bench.counters.overflown == 1


def test_half_a_frame_of_another_connection_is_forgotten() -> None:
    bench = Bench("p", "sds011")
    bench.intake.take(SDS011[:6], 0)

    bench.intake.begin_anew()
    bench.intake.take(SDS011, 1_000)

    assert (bench.counters.frames, bench.counters.noise_bytes) == (2, 0)


def test_a_frame_that_lost_its_end_is_not_one_of_the_moment_when_the_next_begins() -> None:
    bench = Bench("p", "node")
    first, second = (node.encode(7, n, [Sample("passage", 1.0, sensor="gate-in")]) for n in (1, 2))

    bench.intake.take(first[:-1], 60_000)
    bench.intake.take(b"", 60_000 + LONGEST_PAUSE_MS + 1)
    bench.intake.take(second, 3_600_000)

    assert [one.seen_ms for one in (bench.out.get_nowait() for _ in range(bench.out.qsize()))] == [3_600_000]
    assert bench.counters.noise_bytes == len(first) - 2  # but for its first zero


def test_a_frame_may_come_in_pieces_with_pauses() -> None:
    bench = Bench("p", "node")
    frame = node.encode(7, 1, [Sample("passage", 1.0, sensor="gate-in")])

    for n, byte in enumerate(frame):
        bench.intake.take(bytes((byte,)), 60_000 + n * LONGEST_PAUSE_MS)
        bench.intake.take(b"", 60_000 + n * LONGEST_PAUSE_MS + 1)

    assert bench.seen() == [("passage", 1.0)]


def test_requests_go_one_after_the_other_and_again_each_period() -> None:
    polls = Polls((b"one", b"two"), 5)

    asked = [(now_ms, request) for now_ms in range(0, 11_000, 100) if (request := polls.next(now_ms))]

    assert asked == [(0, b"one"), (500, b"two"), (5_000, b"one"), (5_500, b"two"), (10_000, b"one"), (10_500, b"two")]


def test_after_a_pause_one_round_of_requests_is_enough() -> None:
    polls = Polls((b"one",), 5)
    polls.next(0)

    assert [polls.next(now_ms) for now_ms in (600_000, 600_500, 601_000)] == [b"one", None, None]


def test_a_device_that_talks_by_itself_is_not_asked() -> None:
    assert Polls(DEVICES["sds011"].polls(1), 0).next(0) is None
