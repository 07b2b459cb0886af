"""How many cars want to come: the rate of arrivals over an opening, as a share of what the yard can let in."""

import math
from collections.abc import Callable, Sequence

from hoflicht.hours import OpenPeriod

Load = Callable[[int], float]  # at_ms: arrivals over capacity

# (share of the opening, width, height) over the floor: before noon and in the afternoon. Monday first; Saturdays are the worst.
PEAKS = ((0.3, 0.09, 0.95), (0.72, 0.1, 0.8))
FLOOR = 0.45
WEEKDAYS = (0.92, 0.8, 0.8, 0.85, 0.95, 1.14, 1.0)
EARLY = 0.4  # before the opening
MOST = 1.8  # no load is higher

LONG_H = 16.0  # an opening longer than this has no day with peaks: waves then keep a queue alive at all hours
WAVE_H, WAVE_MEAN, WAVE_HEIGHT = 3.5, 1.04, 0.32


def usual(periods: Sequence[OpenPeriod], phase: float) -> Load:
    """The load of a yard that opens so; `periods` have no gap between them, `phase` (0 to 1) shifts the waves of a long opening."""
    opens_ms = periods[0].opens.timestamp() * 1000
    closes_ms = periods[-1].closes.timestamp() * 1000
    if closes_ms - opens_ms > LONG_H * 3_600_000:
        return lambda at_ms: WAVE_MEAN + WAVE_HEIGHT * math.sin(2 * math.pi * ((at_ms - opens_ms) / 3_600_000 / WAVE_H + phase))
    weekday = WEEKDAYS[periods[0].opens.weekday()]
    return lambda at_ms: weekday * _shape((at_ms - opens_ms) / (closes_ms - opens_ms))


def _shape(share: float) -> float:
    if share < 0:
        return EARLY
    return FLOOR + _peaks(PEAKS, share)


# A Saturday whose queue begins before noon and outlasts lunch: (share of the opening, width, height) over the floor.
RUSH = ((0.3, 0.11, 0.7), (0.66, 0.13, 0.5))
RUSH_FLOOR = 0.5
DAY_SPREAD = 0.1  # Saturdays differ by so much either way: weather, holidays


def rush(periods: Sequence[OpenPeriod], phase: float) -> Load:
    """A load of some 0.8 in all, up to 1.2 before noon; `phase` (0 to 1) makes the day a quiet or a busy one."""
    opens_ms = periods[0].opens.timestamp() * 1000
    length_ms = periods[-1].closes.timestamp() * 1000 - opens_ms
    day = 1 + DAY_SPREAD * (2 * phase - 1)
    return lambda at_ms: day * (RUSH_FLOOR + _peaks(RUSH, (at_ms - opens_ms) / length_ms))


def constant(load: float) -> Load:
    """The same load at all times."""
    return lambda _at_ms: load


def _peaks(peaks: Sequence[tuple[float, float, float]], share: float) -> float:
    return sum(height * math.exp(-(((share - middle) / width) ** 2)) for middle, width, height in peaks)
