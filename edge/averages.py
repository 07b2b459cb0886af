"""Chatty sensors: one reading a minute and quantity instead of one a second."""

import cmath
import math
from collections.abc import Iterator

from edge.config import PortConfig
from edge.doubt import Doubt
from edge.observation import Observation, observe
from firmware_bridge.frames import Frame, Sample

COUNTERS = ("energy_import", "energy_export", "reactive_energy_import", "reactive_energy_export")  # their mean means nothing
DIRECTIONS = ("wind_direction",)  # from 350° and 10° it is 0° on average, not 180°
DIGITS = 5  # of a mean: the best of our meters is good to one part in a thousand, and digits cost mobile data
OPPOSED = 0.01  # length of the mean of unit vectors below which it points nowhere: winds that cancel each other


class Averages:
    """The mean of each quantity over `average_s`, of a direction that of its unit vectors; the last value of counters.

    A window starts with its first value and is told by the first frame after its end, with the time of its last value: where the
    sensor falls silent nothing is added to what it said.
    """

    def __init__(self, port: PortConfig) -> None:
        self._port = port
        self._window_ms = int(port.average_s * 1000)
        self._doubt = Doubt()
        self._since_ms: int | None = None
        self._last: dict[str, Observation] = {}
        self._sums: dict[str, tuple[complex, int]] = {}

    def take(self, frame: Frame, arrived_ms: int) -> Iterator[Observation]:
        """Take `frame`; hand out a window that has ended."""
        for believed, at_ms in self._doubt.take(frame, arrived_ms):
            yield from self._add(believed, at_ms)

    def _add(self, frame: Frame, arrived_ms: int) -> Iterator[Observation]:
        if self._since_ms is not None and arrived_ms - self._since_ms >= self._window_ms:
            yield from self._told()
        for sample in frame.samples:
            self._since_ms = arrived_ms if self._since_ms is None else self._since_ms
            total, count = self._sums.get(sample.quantity, (0.0, 0))
            self._sums[sample.quantity] = (total + _summand(sample), count + 1)
            self._last[sample.quantity] = observe(sample, self._port.site, self._port.sensor, arrived_ms)

    def _told(self) -> Iterator[Observation]:
        for quantity, seen in self._last.items():
            total, count = self._sums[quantity]
            value = seen.value if quantity in COUNTERS else _mean(quantity, total / count)
            if value is not None:
                yield Observation(seen.site, seen.sensor, quantity, seen.seen_ms, value)
        self._since_ms = None
        self._last, self._sums = {}, {}


def _summand(sample: Sample) -> complex:
    return cmath.rect(1, math.radians(sample.value)) if sample.quantity in DIRECTIONS else complex(sample.value)


def _mean(quantity: str, mean: complex) -> float | None:
    if quantity not in DIRECTIONS:
        return _rounded(mean.real)
    return _rounded(math.degrees(cmath.phase(mean)) % 360) % 360 if abs(mean) >= OPPOSED else None


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
