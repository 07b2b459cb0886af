"""A lidar over a lane: a hundred distances a second become "a car stands here", told when it changes and once a minute."""

import statistics
from collections import deque
from collections.abc import Iterator

from edge.config import PortConfig
from edge.observation import Observation
from firmware_bridge.frames import Frame

SILENCE_MS = 5_000  # without a frame for so long the sensor was away, and what it saw before says nothing about now


class Lane:
    """`presence` 1 where something is nearer than `near_m`, 0 where not; the median `distance` of each `average_s`.

    What three frames show is what two of them show: one false frame in a hundred a second must not end what a car has begun. A
    change counts once it has lasted `hold_s`, and happened when it began. A good frame without a distance means that nothing
    reflects: an empty lane in the open air looks so. The last state is repeated every `average_s`, so that a sensor that has died
    is told from a lane in which nothing happens.
    """

    def __init__(self, port: PortConfig) -> None:
        self._port = port
        self._hold_ms, self._repeat_ms = int(port.hold_s * 1000), int(port.average_s * 1000)
        self._state: bool | None = None
        self._changing_since_ms: int | None = None
        self._first_seen: bool | None = None
        self._told_ms = self._median_since_ms = self._last_frame_ms = 0
        self._distances: list[float] = []
        self._near: deque[bool] = deque(maxlen=3)

    def take(self, frame: Frame, arrived_ms: int) -> Iterator[Observation]:
        """Take one frame; hand out what it completes."""
        if arrived_ms - self._last_frame_ms > SILENCE_MS:
            self._forget(arrived_ms)
        self._last_frame_ms = arrived_ms
        distance_m = next((sample.value for sample in frame.samples if sample.quantity == "distance"), None)
        self._near.append(distance_m is not None and distance_m < self._port.near_m)
        yield from self._presence(2 * sum(self._near) > len(self._near), arrived_ms)
        if distance_m is not None:
            self._distances.append(distance_m)
        if arrived_ms - self._median_since_ms >= self._repeat_ms:
            if self._distances:
                yield self._observation("distance", arrived_ms, round(statistics.median(self._distances), 3))
            self._distances, self._median_since_ms = [], arrived_ms

    def _presence(self, near: bool, now_ms: int) -> Iterator[Observation]:
        if near == self._state:
            self._changing_since_ms = None
            if now_ms - self._told_ms >= self._repeat_ms:
                yield self._tell(near, now_ms)
        elif self._changing_since_ms is None or near != self._first_seen:
            self._changing_since_ms, self._first_seen = now_ms, near
        elif now_ms - self._changing_since_ms >= self._hold_ms:
            self._state = near
            yield self._tell(near, self._changing_since_ms)
            self._changing_since_ms = None

    def _tell(self, near: bool, at_ms: int) -> Observation:
        self._told_ms = at_ms
        return self._observation("presence", at_ms, float(near))

    def _forget(self, now_ms: int) -> None:
        self._state = self._changing_since_ms = None
        self._distances, self._median_since_ms = [], now_ms
        self._near.clear()

    def _observation(self, quantity: str, at_ms: int, value: float) -> Observation:
        return Observation(self._port.site, self._port.sensor, quantity, at_ms, value)
