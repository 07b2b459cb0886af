"""A device gone mad loses what it says beyond any honest rate, before it reaches the queue that all ports share.

The fastest honest sensor of ours is a radar at a lane: a passage and a speed for each vehicle, vehicles a second apart. A node
that was cut off from its line hands in what it has kept: three cars a minute, the most that is told of a yard in Duisburg, are a
thousand after five hours. A concentrator speaks for many: 700 lamps with eight quantities a minute each are a hundred a second.
"""

import msgspec

from edge.observation import Observation

SENSOR_RATE, SENSOR_BURST = 5.0, 1_000.0  # readings a second, and at once
PORT_RATE, PORT_BURST = 100.0, 5_000.0  # half of the queue to the spool (edge.spooler)
MAX_SENSORS = 2_000  # of one port with a measure of their own; names come from the line, and those beyond share one


class Bucket(msgspec.Struct):
    """Lets `rate` a second pass, and `burst` at once after a quiet time."""

    rate: float
    burst: float
    left: float
    asked_ms: int

    def take(self, now_ms: int) -> bool:
        """Whether one more may pass."""
        self.left = min(self.burst, self.left + (now_ms - self.asked_ms) / 1000 * self.rate)
        self.asked_ms = now_ms
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Allowance:
    """What one port and each sensor at it may say."""

    def __init__(self) -> None:
        self._port = Bucket(PORT_RATE, PORT_BURST, PORT_BURST, 0)
        self._sensors: dict[tuple[str, str], Bucket] = {}
        self._others = Bucket(SENSOR_RATE, SENSOR_BURST, SENSOR_BURST, 0)

    def admits(self, seen: Observation, now_ms: int) -> bool:
        """Whether `seen`, which has come at `now_ms` of Clock.monotonic_ms, is within the rate of its sensor and its port."""
        return self._bucket(seen).take(now_ms) and self._port.take(now_ms)

    def _bucket(self, seen: Observation) -> Bucket:
        key = (seen.site, seen.sensor)
        if key not in self._sensors and len(self._sensors) < MAX_SENSORS:
            self._sensors[key] = Bucket(SENSOR_RATE, SENSOR_BURST, SENSOR_BURST, 0)
        return self._sensors.get(key, self._others)
