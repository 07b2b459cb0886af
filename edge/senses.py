"""What the sensors at the posts last said, for the lamps: filled by the readers of the ports, asked by the lines.

A radar that sees nobody says nothing, all night long; that it lives shows only in what its port hears. So traffic is known while
that port is heard. Whoever moves there counts, in every direction and as often as the radar tells: what is one vehicle for a count
(edge.radar) may be a stream of cars that must not go dark. Light and rain are told again and again, and are known while they are.
"""

import math
import threading

from edge.dimming import RAIN_MM_H, Senses
from edge.observation import Observation
from hoflicht.shadow import Duty

# A weather station's averages come each minute unless `average_s` says otherwise; four may be lost.
MEASURED_MS = 300_000
# A radar is asked each minute and answers; one answer may be lost.
HEARD_MS = 150_000
MAX_SENSORS = 2_000  # as edge.allowance has it: names come from the line


class Posts:
    """The last word of each sensor, "lamp-0012/weather" or a port's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ports: dict[str, str] = {}  # of each sensor that has told anything
        self._heard_ms: dict[str, int] = {}  # by port
        self._passed_ms: dict[str, int] = {}
        self._rained_ms: dict[str, int] = {}
        self._lux: dict[str, tuple[int, float]] = {}
        self._rain_told_ms: dict[str, int] = {}

    def heard(self, port: str, site: str, sensor: str, now_ms: int) -> None:
        """A good frame came at `port`, at which hangs this sensor; empty: the device names its sensors itself."""
        with self._lock:
            self._heard_ms[port] = now_ms
            if sensor:
                self._ports[f"{site}/{sensor}"] = port

    def told(self, port: str, seen: Observation) -> None:
        """A sensor at `port` has told something, or its driver has made something of what it told."""
        sensor = f"{seen.site}/{seen.sensor}"
        with self._lock:
            if not self._has_room(sensor):
                return
            self._ports[sensor] = port
            if seen.quantity == "passage":
                self._passed_ms[sensor] = max(seen.seen_ms, self._passed_ms.get(sensor, seen.seen_ms))
            elif seen.quantity == "illuminance":
                self._lux[sensor] = seen.seen_ms, seen.value
            elif seen.quantity == "rain_intensity":
                self._rain_told_ms[sensor] = seen.seen_ms
                if seen.value >= RAIN_MM_H:
                    self._rained_ms[sensor] = seen.seen_ms

    def of(self, duty: Duty, now_ms: int) -> Senses:
        """What is known for a lamp of that duty."""
        with self._lock:
            measured_ms, lux = self._lux.get(duty.weather, (None, None))
            rain_told_ms = self._rain_told_ms.get(duty.weather)
            return Senses(
                lux=lux if _is_fresh(measured_ms, now_ms, MEASURED_MS) else None,
                rained_ago_s=_ago_s(self._rained_ms.get(duty.weather), now_ms)
                if _is_fresh(rain_told_ms, now_ms, MEASURED_MS)
                else None,
                passed_ago_s=self._passed_ago_s(duty.traffic, now_ms),
            )

    def _passed_ago_s(self, sensors: tuple[str, ...], now_ms: int) -> float | None:
        """Where one of several is dead, nobody tells of what passes there."""
        if not sensors or not all(self._lives(sensor, now_ms) for sensor in sensors):
            return None
        return min(_ago_s(self._passed_ms.get(sensor), now_ms) for sensor in sensors)

    def _lives(self, sensor: str, now_ms: int) -> bool:
        return _is_fresh(self._heard_ms.get(self._ports.get(sensor, "")), now_ms, HEARD_MS)

    def _has_room(self, sensor: str) -> bool:
        return sensor in self._ports or len(self._ports) < MAX_SENSORS


def _is_fresh(told_ms: int | None, now_ms: int, lasts_ms: int) -> bool:
    return told_ms is not None and now_ms - told_ms <= lasts_ms


def _ago_s(then_ms: int | None, now_ms: int) -> float:
    return math.inf if then_ms is None else max(0, now_ms - then_ms) / 1000
