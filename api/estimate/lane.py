"""What presence sensors along the lane steadily see: a car that rolls by tells nothing, one that stands does."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from hoflicht.reading import Reading

STEADY_MS = 20_000  # so long no car rolls past one sensor, and so long a gap between moving cars never lasts
SILENT_MS = 150_000  # presence is repeated at least every 60 s: two repeats lost and a batch's way
STUCK_CARS = 10  # gaps that a sensor may overlook, one after the other
SAME_MS = 300_000  # a counter that counts nobody for so long must not make a lane sensor dumb


class Look(msgspec.Struct, frozen=True, gc=False):
    """What one sensor has seen at `at_ms`; `occupied` is None at the moment of a change, until it proves steady."""

    at_ms: int
    sensor: str
    position_m: float
    occupied: bool | None
    since_ms: int


def looks(readings: Sequence[Reading], position_m: float) -> Iterator[Look]:
    """One sensor's readings, in order of time, as looks: each change, when it has proved steady, and each repeat after that."""
    since_ms, before = 0, None
    following: list[float] = [*(reading.at_ms for reading in readings[1:]), math.inf]
    for reading, next_ms in zip(readings, following, strict=True):
        occupied = reading.value >= 0.5
        if before is None or occupied != (before.value >= 0.5) or reading.at_ms - before.at_ms > SILENT_MS:
            since_ms = reading.at_ms
            yield Look(reading.at_ms, reading.sensor, position_m, None, since_ms)
        steady_ms = since_ms + STEADY_MS
        if reading.at_ms >= steady_ms:
            yield Look(reading.at_ms, reading.sensor, position_m, occupied, since_ms)
        elif next_ms > steady_ms:
            yield Look(steady_ms, reading.sensor, position_m, occupied, since_ms)
        before = reading


class Passed(NamedTuple):
    """How many cars have joined a lane, and how many were let in."""

    joined: int
    let_in: int


class News:
    """Which looks tell something new of a queue that so many cars have joined and left."""

    def __init__(self, metres_per_car: float) -> None:
        self._metres_per_car = metres_per_car
        self._told: dict[str, tuple[bool | None, int, int]] = {}  # by sensor: what it told, after how many passages, when
        self._longest: dict[str, int] = {}  # by sensor: joined less let in, when the queue went farthest beyond what it told
        self._changed_at: dict[str, Passed] = {}  # by sensor: after whom it last changed
        self._left_ms: deque[int] = deque(maxlen=STUCK_CARS)
        self.joined = self.let_in = 0

    @property
    def passed(self) -> int:
        """How many cars have moved the queue."""
        return self.joined + self.let_in

    def left(self, at_ms: int) -> None:
        """A car was let in."""
        self._left_ms.append(at_ms)

    def changed(self, sensor: str) -> None:
        """From now on the sensor sees the contrary."""
        self._changed_at[sensor] = Passed(self.joined, self.let_in)

    def is_stuck(self, look: Look) -> bool:
        """A sensor over a queue that moves sees the gaps run by; one that sees none for many cars sees something else."""
        return bool(look.occupied) and len(self._left_ms) == STUCK_CARS and look.since_ms < self._left_ms[0]

    def beyond(self, look: Look, rolling: int) -> int | None:
        """By how many cars the queue goes beyond what the sensor has told already; 0: it tells afresh, None: nothing new.

        The same cars seen again tell nothing: as many must have passed as stand before the sensor, or time enough. But a sensor
        that sees a car tells more when the queue is shorter than it was, and one that sees none when it is longer.
        """
        told = self._told.get(look.sensor)
        if told is None or told[0] != look.occupied or look.at_ms - told[2] >= SAME_MS:
            return 0
        if self.passed - told[1] >= look.position_m / self._metres_per_car:
            return 0
        longer = self.joined - rolling - self.let_in - self._longest[look.sensor]
        return max(-longer if look.occupied else longer, 0) or None

    def is_change(self, look: Look) -> bool:
        """Whether its sensor told the contrary before, or nothing."""
        told = self._told.get(look.sensor)
        return told is None or told[0] != look.occupied

    def take(self, look: Look, rolling: int) -> Passed | None:
        """Note that `look` has been heeded; if its sensor had told the contrary, who has come and gone since it changed."""
        told, changed = self._told.get(look.sensor), self._changed_at.get(look.sensor)
        if self.beyond(look, rolling) == 0:
            self._told[look.sensor] = (look.occupied, self.passed, look.at_ms)
        self._longest[look.sensor] = self.joined - rolling - self.let_in
        if told is None or told[0] == look.occupied or changed is None:
            return None
        return Passed(self.joined - changed.joined, self.let_in - changed.let_in)


class Lane:
    """The latest look of each sensor."""

    def __init__(self) -> None:
        self._latest: dict[str, Look] = {}

    def note(self, look: Look) -> None:
        """Keep `look` as its sensor's latest."""
        self._latest[look.sensor] = look

    def steady(self, at_ms: int) -> list[Look]:
        """What is steadily seen at `at_ms` and not contradicted, nearest the gate first."""
        fresh = self._fresh(at_ms)
        fresh.sort(key=lambda look: (look.position_m, look.sensor))
        return [look for look in fresh if not _contradicted(look, fresh)]

    def bears_out(self, look: Look) -> bool:
        """Whether what the other sensors steadily see does not contradict `look`."""
        others = self._latest.values()
        return not _contradicted(look, others) or not _contradicted(look, self._fresh(look.at_ms))

    def _fresh(self, at_ms: int) -> list[Look]:
        return [look for look in self._latest.values() if look.occupied is not None and at_ms - look.at_ms <= SILENT_MS]

    def watches(self, at_ms: int, metres: float) -> bool:
        """Whether a sensor within so many metres of the gate lives, be what it sees steady or not."""
        return any(look.position_m <= metres and at_ms - look.at_ms <= SILENT_MS for look in self._latest.values())

    def head(self, at_ms: int, metres_per_car: float) -> Look | None:
        """What the sensor at the head of the lane steadily sees, if there is one within the first car's length."""
        near = [look for look in self.steady(at_ms) if look.position_m <= metres_per_car]
        return near[0] if near else None

    def tail(self, at_ms: int, farthest_m: float) -> Look | None:
        """The look of the farthest sensor, if it steadily sees a car: the queue may reach beyond it."""
        return next((look for look in self.steady(at_ms) if look.position_m >= farthest_m and look.occupied), None)


def _contradicted(look: Look, others: Iterable[Look]) -> bool:
    """A queue has no hole: where a nearer sensor sees none and a farther one sees a car, one of them is wrong; believe neither."""
    if look.occupied:
        return any(other.occupied is False and other.position_m < look.position_m for other in others)
    return any(other.occupied is True and other.position_m > look.position_m for other in others)
