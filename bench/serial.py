"""What gets through a serial line that lies: wrong bits and lost bytes, then two hours of noise. `python -m bench.serial` makes the
tables of docs/serial.md.

A reading is false where the device said nothing like it: it lies outside all that was truly said since the reading before the last
one, by more than edge.doubt lets neighbouring frames differ; where that compares nothing, as in currents and powers, by anything.
What is counted or switched must have been said at that very instant.
"""

import math
import queue
import random
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.sent import SENSOR, SENT, SITE, Sent
from edge.config import PortConfig
from edge.doubt import TOLERANCES, is_near
from edge.drivers import DRIVERS
from edge.observation import Observation, observe
from edge.reader import Counters, Intake
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Frame, Sample
from hoflicht.quantities import QUANTITIES

FRAMES = 100_000  # a driver and rate: ten false ones are the bound
ERRORS = (0.01, 0.003, 0.001, 0.0001)  # wrong bits among all; of bytes a tenth as many are lost
SPLITS = 2  # places at which a frame is cut on its way
BITS_A_BYTE = 10  # start, eight, stop
NOISE_S = 7_200
MOST_AT_ONCE = 4_096  # bytes, what a serial driver hands over
STUCK = 0.25  # of the pieces of noise: one byte again and again
AT_ONCE = ("passage", "speed", "presence")  # never averaged; must be true at their very instant
PRESENCE_MS = 200  # at most between what three lidar frames show and the first of them, where wrong bits leave out most of them


class Line(msgspec.Struct):
    """One driver at a bad contact."""

    driver: str
    errors: float
    sent: int = 0
    damaged: int = 0
    through: int = 0  # damaged, and yet a good frame to the decoder
    readings: int = 0
    false: int = 0
    unread: int = 0  # whole frames behind a damaged one that were not read, the most in a row

    def __str__(self) -> str:
        rates = " | ".join(f"{1e4 * count / self.sent:.2f}" for count in (self.through, self.false))
        counts = " | ".join(str(count) for count in (self.sent, self.damaged, self.through, self.readings, self.false))
        return f"| {self.driver} | {self.errors:.2%} | {counts} | {rates} | {self.unread} |"


class Noise(msgspec.Struct):
    """One driver after two hours of noise at its line's speed."""

    driver: str
    bytes: int = 0
    frames: int = 0
    readings: int = 0
    grown_kb: int = 0
    lost: int = 0  # whole frames behind the noise until one is read
    cpu_s: float = 0.0

    def __str__(self) -> str:
        counts = f"{self.bytes / 1e6:.1f} | {self.frames} | {self.readings} | {self.grown_kb} | {self.lost} | {self.cpu_s:.1f}"
        return f"| {self.driver} | {counts} |"


class Gateway:
    """A gateway's port without its line: bytes in, readings out."""

    def __init__(self, driver: str) -> None:
        config = PortConfig(path="", driver=driver, site=SITE, sensor=SENSOR)
        self.counters = Counters()
        self._told: queue.Queue[Observation] = queue.Queue()
        self._intake = Intake(config, DRIVERS[driver](config), self._told, self.counters)

    def take(self, data: bytes, at_ms: int) -> list[Observation]:
        """What it makes of `data`."""
        self._intake.take(data, at_ms)
        return [self._told.get_nowait() for _ in range(self._told.qsize())]


class Gaps:
    """Places that are hit by chance, each with the same probability."""

    def __init__(self, rng: random.Random, share: float) -> None:
        self._rng = rng
        self._scale = 1 / math.log1p(-share)
        self._next = self._gap()

    def within(self, length: int) -> list[int]:
        """Those of the next `length` places that are hit."""
        hit = []
        while self._next < length:
            hit.append(self._next)
            self._next += 1 + self._gap()
        self._next -= length
        return hit

    def _gap(self) -> int:
        return int(math.log(1 - self._rng.random()) * self._scale)


class BadContact:
    """Flips bits and, ten times less often, loses bytes."""

    def __init__(self, rng: random.Random, errors: float) -> None:
        self._flipped, self._lost = Gaps(rng, errors), Gaps(rng, errors / 10)

    def spoil(self, data: bytes) -> bytes:
        """`data`, as it arrives."""
        spoilt = bytearray(data)
        for bit in self._flipped.within(8 * len(data)):
            spoilt[bit // 8] ^= 1 << (bit % 8)
        for at in reversed(self._lost.within(len(data))):
            del spoilt[at]
        return bytes(spoilt)


class Truth:
    """What the device really said, as far back as a reading may reach."""

    def __init__(self, driver: str) -> None:
        self._near_m = PortConfig(path="", driver=driver).near_m
        self._is_averaged = driver != "node"
        self._said: dict[tuple[str, str], deque[tuple[int, float]]] = defaultdict(deque)
        self._told_ms: dict[tuple[str, str], deque[int]] = defaultdict(lambda: deque([0, 0], maxlen=2))

    def said(self, samples: tuple[Sample, ...], at_ms: int) -> None:
        """Note a frame."""
        for sample in samples:
            if sample.direction != "outbound":  # the port counts those that come in
                self._note(observe(sample, SITE, SENSOR, at_ms))
            if sample.quantity == "distance":
                self._note(Observation(SITE, SENSOR, "presence", at_ms, float(sample.value < self._near_m)))

    def is_false(self, told: Observation) -> bool:
        """Tell whether the device said nothing like it."""
        key = (told.sensor, told.quantity)
        at_once = not self._is_averaged or told.quantity in AT_ONCE
        since_ms = self._told_ms[key][0]
        if at_once:
            since_ms = told.seen_ms - (PRESENCE_MS if told.quantity == "presence" else 0)
        else:
            self._forget(key, since_ms)
        self._told_ms[key].append(told.seen_ms)
        values = [value for at_ms, value in self._said[key] if since_ms <= at_ms <= told.seen_ms]
        if not values:
            return True
        nearest = min(max(told.value, min(values)), max(values))
        is_exact = at_once or QUANTITIES[told.quantity].unit not in TOLERANCES
        return told.value != nearest and (is_exact or not is_near(told.quantity, told.value, nearest))

    def _note(self, said: Observation) -> None:
        key = (said.sensor, said.quantity)
        self._said[key].append((said.seen_ms, said.value))
        if not self._is_averaged or said.quantity in AT_ONCE:
            self._forget(key, said.seen_ms - 10_000)

    def _forget(self, key: tuple[str, str], before_ms: int) -> None:
        while self._said[key] and self._said[key][0][0] < before_ms:
            self._said[key].popleft()


class Sight:
    """Which of the frames that were sent a decoder has read: those that say the same."""

    LATE = 4  # frames; a false start holds back those behind it for a while

    def __init__(self) -> None:
        self._open: deque[tuple[tuple[Sample, ...], bool]] = deque(maxlen=self.LATE)
        self._unread = 0
        self.through = self.most_unread = 0

    def sent(self, samples: tuple[Sample, ...], *, is_whole: bool) -> None:
        """Note a frame that goes onto the line."""
        if samples:
            if len(self._open) == self.LATE:
                self._missed(self._open.popleft()[1])
            self._open.append((samples, is_whole))

    def read(self, samples: tuple[Sample, ...]) -> None:
        """Note a frame that was read."""
        if not samples:
            return
        same = [frame for frame in self._open if frame[0] == samples]
        if not same:
            self.through += 1
            return
        found = next((frame for frame in same if frame[1]), same[0])  # the same values twice: rather the one that came whole
        while (frame := self._open.popleft()) is not found:
            self._missed(frame[1])
        self._unread = 0

    def _missed(self, is_whole: bool) -> None:
        self._unread += is_whole
        self.most_unread = max(self.most_unread, self._unread)


def on_a_line(driver: str, errors: float, frames: int) -> Line:
    """Send `frames` over a bad contact."""
    rng = random.Random(f"{driver} {errors}")
    contact, truth, sight = BadContact(rng, errors), Truth(driver), Sight()
    gateway, clean, decoder = Gateway(driver), DEVICES[driver].decoder(), DEVICES[driver].decoder()
    line = Line(driver, errors)
    for sent, _ in zip(SENT[driver](rng), range(frames), strict=False):
        samples = _samples(clean.feed(heard(driver, sent) + sent.data))
        arrived = contact.spoil(sent.data)
        truth.said(samples, sent.at_ms)
        sight.sent(samples, is_whole=arrived == sent.data)
        line.sent += 1
        line.damaged += arrived != sent.data
        for piece in (heard(driver, sent), *_pieces(arrived, rng)):
            for item in decoder.feed(piece):
                sight.read(item.samples if isinstance(item, Frame) else ())
            told = gateway.take(piece, sent.at_ms)
            line.readings += len(told)
            line.false += sum(map(truth.is_false, told))
    line.through, line.unread = sight.through, sight.most_unread
    return line


def in_noise(driver: str, seconds: int = NOISE_S) -> Noise:
    """Feed what a line brings in `seconds`, all of it noise, then what its device sends."""
    rng = random.Random(driver)
    gateway, row = Gateway(driver), Noise(driver)
    bytes_per_s = DEVICES[driver].line.baud // BITS_A_BYTE
    begun_s, warm_kb = time.process_time(), 0
    while row.bytes < seconds * bytes_per_s:
        piece = _noise(rng)
        row.bytes += len(piece)
        row.readings += len(gateway.take(piece, 1_000 * row.bytes // bytes_per_s))
        warm_kb = warm_kb or (row.bytes > seconds * bytes_per_s // 10) * _resident_kb()
    row.cpu_s = time.process_time() - begun_s
    row.grown_kb = max(0, _resident_kb() - warm_kb)
    row.frames = gateway.counters.frames
    for sent in SENT[driver](rng):
        gateway.take(heard(driver, sent), 1_000 * seconds + sent.at_ms)
        gateway.take(sent.data, 1_000 * seconds + sent.at_ms)
        if gateway.counters.frames > row.frames:
            return row
        row.lost += 1
    raise AssertionError("a device that falls silent")


def rows(frames: int = FRAMES, errors: tuple[float, ...] = ERRORS[:1]) -> Iterator[str]:
    """Both tables."""
    yield _head(
        "driver",
        "wrong bits",
        "frames",
        "damaged",
        "let through",
        "readings",
        "false",
        "let through in 10 000 frames",
        "false in 10 000 frames",
        "whole frames lost in a row",
    )
    yield from (str(on_a_line(driver, rate, frames)) for rate in errors for driver in SENT)
    yield ""
    yield _head("driver", "noise, MB", "frames found in it", "readings", "memory grown, kB", "whole frames lost after it", "CPU, s")
    yield from (str(in_noise(driver)) for driver in SENT)


def main(argv: list[str]) -> int:
    """All error rates; the number of frames may be given."""
    for row in rows(int(argv[0]) if argv else FRAMES, ERRORS):
        print(row, flush=True)
    return 0


def _head(*columns: str) -> str:
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"


def heard(driver: str, sent: Sent) -> bytes:
    """The request before a frame, where the decoder reads it too."""
    return sent.request if DEVICES[driver].hears_requests else b""


def _samples(items: Iterator[object]) -> tuple[Sample, ...]:
    return tuple(sample for item in items if isinstance(item, Frame) for sample in item.samples)


def _pieces(data: bytes, rng: random.Random) -> Iterator[bytes]:
    at = 0
    for cut in sorted(rng.randrange(len(data) + 1) for _ in range(SPLITS)):
        yield data[at:cut]
        at = cut
    yield data[at:]


def _noise(rng: random.Random) -> bytes:
    length = rng.randrange(1, MOST_AT_ONCE)
    return rng.randbytes(1) * length if rng.random() < STUCK else rng.randbytes(length)


def _resident_kb() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
