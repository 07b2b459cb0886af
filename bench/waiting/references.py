"""What one would pick instead: each says, in seconds, what a car waits that joins at each of `instants_ms`, which rise."""

import math
from collections import deque
from collections.abc import Iterator, Sequence

from bench.waiting.days import Day
from hoflicht.catalogue import Role, Yard
from hoflicht.reading import Reading

STEADY_MS = 20_000  # what a lane sensor has seen for so long is no car that rolls by, nor a gap
RECENT_MS = 20 * 60_000
FEW = 3  # departures; the catalogue's rate counts as many, so that the first ones do not rule


def les(day: Day, instants_ms: Sequence[int]) -> Iterator[float]:
    """The true wait of the last car that was let in (delay of the last to enter service)."""
    entered = sorted((car.let_in_ms, car.came_ms) for car in day.lived.cars if car.let_in_ms is not None)
    at, wait_s = 0, 0.0
    for instant_ms in instants_ms:
        while at < len(entered) and entered[at][0] <= instant_ms:
            wait_s = (entered[at][0] - entered[at][1]) / 1000
            at += 1
        yield wait_s


def naive(yard: Yard, day: Day, instants_ms: Sequence[int]) -> Iterator[float]:
    """(Count in - count out) x mean unloading time / bays, from nought at the opening."""
    passages = deque(reading for reading in day.readings if reading.quantity == "passage")
    count = 0
    for instant_ms in instants_ms:
        while passages and passages[0].at_ms <= instant_ms:
            count += 1 if yard.sensors[passages.popleft().sensor].role is Role.LANE_ENTRY else -1
        yield max(count, 0) * 3600 / yard.usual_entries_per_hour


def plain(yard: Yard, day: Day, instants_ms: Sequence[int]) -> Iterator[float]:
    """A sensible first implementation: see `Plain`."""
    told = Plain(yard, day.lived.opens_ms)
    readings = deque(day.readings)
    for instant_ms in instants_ms:
        while readings and readings[0].at_ms <= instant_ms:
            told.hear(readings.popleft())
        yield told.wait_s(instant_ms)


class Plain:
    """Counter difference, set right by lane sensors, over the recent throughput of a lane that was not empty."""

    def __init__(self, yard: Yard, opens_ms: int) -> None:
        self._yard = yard
        roles = {sensor.role for sensor in yard.sensors.values()}
        # Where only the exit counts, the count holds those who unload too.
        self._inside = 0 if Role.ENTRY_CONTROL in roles else yard.bays
        self._departs = Role.YARD_EXIT if self._inside else Role.ENTRY_CONTROL
        self._count = 0
        self._at_ms = opens_ms
        self._used_ms = 0  # time with a queue so far
        self._left: deque[int] = deque()  # when cars left, in that time
        self._seen: dict[str, Reading] = {}  # by lane sensor, since when it sees what it sees

    def hear(self, reading: Reading) -> None:
        """Take in what a sensor says."""
        self._pass(reading.at_ms)
        sensor = self._yard.sensors[reading.sensor]
        if reading.quantity == "presence":
            self._look(reading, sensor.position_m or 0.0)
        elif reading.quantity == "passage" and sensor.role is Role.LANE_ENTRY:
            self._count += 1
        elif reading.quantity == "passage" and sensor.role is self._departs:
            if self._count > self._inside:
                self._left.append(self._used_ms)
            self._count = max(self._count - 1, 0)

    def wait_s(self, at_ms: int) -> float:
        """Of a car that joins at `at_ms`."""
        self._pass(at_ms)
        if self._count < self._inside or (not self._inside and not self._count):
            return 0.0
        return (self._count - self._inside + 1) * self._gap_s()

    def _look(self, reading: Reading, position_m: float) -> None:
        """A sensor that has seen the same for 20 s sets the count right: there are so many cars at least, or at most."""
        before = self._seen.get(reading.sensor)
        if before is None or before.value != reading.value:
            self._seen[reading.sensor] = reading
        elif reading.at_ms - before.at_ms >= STEADY_MS:
            reaching = math.floor(position_m / self._yard.metres_per_car)
            if reading.value:
                self._count = max(self._count, self._inside + reaching + 1)
            else:
                self._count = min(self._count, self._inside + reaching)

    def _pass(self, at_ms: int) -> None:
        if self._count > self._inside:
            self._used_ms += max(at_ms - self._at_ms, 0)
        self._at_ms = max(at_ms, self._at_ms)
        while self._left and self._left[0] < self._used_ms - RECENT_MS:
            self._left.popleft()

    def _gap_s(self) -> float:
        usual_s = 3600 / self._yard.usual_entries_per_hour
        return (min(self._used_ms, RECENT_MS) / 1000 + FEW * usual_s) / (len(self._left) + FEW)
