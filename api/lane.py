"""What presence sensors along the lane steadily see: a car that rolls by tells nothing, one that stands does."""

import math
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from hoflicht.reading import Reading

STEADY_MS = 20_000  # so long no car rolls past one sensor, and so long a gap between moving cars never lasts
SILENT_MS = 150_000  # presence is repeated at least every 60 s: two repeats lost and a batch's way


class Look(msgspec.Struct, frozen=True):
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


class Lane:
    """The latest look of each sensor."""

    def __init__(self) -> None:
        self._latest: dict[str, Look] = {}

    def note(self, look: Look) -> None:
        """Keep `look` as its sensor's latest."""
        self._latest[look.sensor] = look

    def latest(self, sensor: str) -> Look | None:
        """What was noted last of `sensor`."""
        return self._latest.get(sensor)

    def steady(self, at_ms: int) -> list[Look]:
        """What is steadily seen at `at_ms` and not contradicted, nearest the gate first."""
        fresh = [look for look in self._latest.values() if look.occupied is not None and at_ms - look.at_ms <= SILENT_MS]
        fresh.sort(key=lambda look: (look.position_m, look.sensor))
        return [look for look in fresh if not _contradicted(look, fresh)]

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
