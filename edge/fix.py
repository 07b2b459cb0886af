"""A satellite receiver at a gateway that stands: where it is, and what the gateway's clock is worth, both told rarely."""

import statistics
from collections import deque
from collections.abc import Iterator

from edge.config import PortConfig
from edge.observation import Observation
from edge.satellites import SatelliteClock
from firmware_bridge.frames import Frame

QUANTITIES = ("latitude", "longitude", "satellites")
MIN_SATELLITES = 4  # three coordinates and the time
MIN_FIXES = 3  # of them the middle one is right where one is false
MAX_FIXES = 600  # that a median is made of, the last ones: ten minutes
NEAR_DEG = 0.001  # some 100 m: between houses a receiver that stands wanders by tens; one in a car is out of it within seconds


class Fix:
    """The median `latitude`, `longitude` and number of `satellites` of each `average_s`, with the time of the last fix.

    Nothing is told of a window whose fixes are few, or not mostly in one place. With `satellites` each sentence goes to that clock,
    and `clock_offset` is told as often: how far the machine's clock is before it.
    """

    def __init__(self, port: PortConfig, satellites: SatelliteClock | None = None) -> None:
        self._port = port
        self._satellites = satellites
        self._window_ms = int(port.average_s * 1000)
        self._since_ms: int | None = None
        self._seen_ms = 0  # the last fix
        self._fixes: deque[tuple[float, ...]] = deque(maxlen=MAX_FIXES)

    def take(self, frame: Frame, arrived_ms: int) -> Iterator[Observation]:
        """Take one sentence; hand out a window that has ended."""
        if self._since_ms is None:
            self._since_ms = arrived_ms
        if arrived_ms - self._since_ms >= self._window_ms:
            yield from self._position()
            yield from self._clock(arrived_ms)
            self._since_ms = arrived_ms
            self._fixes.clear()
        if frame.utc_ms is not None and self._satellites is not None:
            self._satellites.take(frame.utc_ms, arrived_ms)
        said = {sample.quantity: sample.value for sample in frame.samples}
        if said.keys() >= set(QUANTITIES) and said["satellites"] >= MIN_SATELLITES:
            self._fixes.append(tuple(said[quantity] for quantity in QUANTITIES))
            self._seen_ms = arrived_ms

    def _position(self) -> Iterator[Observation]:
        if len(self._fixes) < MIN_FIXES:
            return
        middle = [statistics.median_low(values) for values in zip(*self._fixes, strict=True)]
        near = sum(max(abs(fix[0] - middle[0]), abs(fix[1] - middle[1])) <= NEAR_DEG for fix in self._fixes)
        if 2 * near > len(self._fixes):
            yield from (
                self._observation(quantity, self._seen_ms, value) for quantity, value in zip(QUANTITIES, middle, strict=True)
            )

    def _clock(self, now_ms: int) -> Iterator[Observation]:
        ahead_ms = None if self._satellites is None else self._satellites.machine_ahead_ms()
        if ahead_ms is not None:
            yield self._observation("clock_offset", now_ms, ahead_ms / 1000)

    def _observation(self, quantity: str, at_ms: int, value: float) -> Observation:
        return Observation(self._port.site, self._port.sensor, quantity, at_ms, value)
