"""People on foot in a street: seeded, so that any hour can be asked for."""

import datetime as dt
import functools
import math
import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec

HOUR_MS = 3_600_000
PER_H = (2, 1, 1, 1, 1, 3, 8, 15, 20, 20, 20, 25, 30, 30, 25, 25, 30, 35, 30, 22, 15, 10, 7, 4)  # by hour of the day; our guess


class Walker(msgspec.Struct, frozen=True):
    """Somebody who walks by."""

    at_ms: int
    speed_m_s: float


def walkers(seed: int, where: str, start_ms: int, end_ms: int, zone: ZoneInfo) -> Iterator[Walker]:
    """The walkers of [start, end), in order of time."""
    for hour_ms in range(start_ms // HOUR_MS * HOUR_MS, end_ms, HOUR_MS):
        hour = dt.datetime.fromtimestamp(hour_ms / 1000, zone).hour
        yield from (each for each in _hour(f"{seed}/{where}/walkers/{hour_ms}", hour_ms, hour) if start_ms <= each.at_ms < end_ms)


@functools.lru_cache(maxsize=256)
def _hour(name: str, hour_ms: int, hour: int) -> tuple[Walker, ...]:
    rng = random.Random(name)
    count = round(max(0.0, rng.gauss(PER_H[hour], math.sqrt(PER_H[hour]))))
    times = sorted(rng.randrange(HOUR_MS) for _ in range(count))
    return tuple(Walker(hour_ms + ms, round(max(0.5, rng.gauss(1.35, 0.25)), 2)) for ms in times)
