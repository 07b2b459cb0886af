"""A street of lamps, its traffic, its air and its feeder cabinet: pure functions of seed and time, so that any past can be told.

Lamps burn while the sun is more than two degrees below the horizon, at half their light between 23 and 5 o'clock. One of them has
failed, one burns by day.
"""

import datetime as dt
import functools
import math
import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec

from firmware_bridge.frames import Sample
from hoflicht.catalogue import City, Lamp

DUSK_DEG = -2.0  # of the sun's elevation
DIM_FROM_H, DIM_TO_H, DIMMED = 23, 5, 0.5
STANDBY_W = 0.4  # of a driver that is dimmed to nothing
STEP_S = 1_800  # of the energy's integration
FAILED, DAY_BURNER = "lamp-0017", "lamp-0021"
BEGAN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)  # when the meters stood at zero
J2000 = dt.datetime(2000, 1, 1, 12, tzinfo=dt.UTC)
BUSIEST_PER_H = 60  # vehicles on this street
HOUR_MS = 3_600_000


class Vehicle(msgspec.Struct, frozen=True):
    """Something that drives by."""

    at_ms: int
    speed_m_s: float


class Street:
    """The street of `city`."""

    def __init__(self, city: City, seed: int) -> None:
        self._city = city
        self._seed = seed
        self._zone = ZoneInfo(city.timezone)
        self._burnt_h: list[tuple[float, float]] = [(0.0, 0.0)]  # at each step since BEGAN: hours of light, hours at full power

    def lamp(self, name: str, at_ms: int) -> tuple[Sample, ...]:
        """What the driver of a lamp reports; sensor and site are named."""
        lamp = self._city.lamps[name]
        target = self._level(at_ms)
        actual = 0.0 if name == FAILED else 1.0 if name == DAY_BURNER else target
        hours, full_hours = self._burnt(at_ms)
        if name == DAY_BURNER:
            hours = full_hours = (at_ms / 1000 - BEGAN.timestamp()) / 3600
        values = {
            "level_target": 100 * target,
            "level_feedback": 100 * target,
            "level_actual": 100 * actual,
            "active_power": round(self.power_w(name, at_ms), 1),
            "energy_import": round(full_hours * lamp.nominal_power_w * self._spread(name) / 1000, 3),
            "operating_hours": round(hours, 1),
            "temperature": round(12 + 25 * actual + 3 * self._noise(name, at_ms, 3_600), 1),
            "lamp_failure": float(name == FAILED and target > 0),
        }
        return tuple(Sample(quantity, value, sensor="driver", site=name) for quantity, value in values.items())

    def power_w(self, name: str, at_ms: int) -> float:
        """Active power of a lamp."""
        if name == FAILED:
            return STANDBY_W
        lamp: Lamp = self._city.lamps[name]
        level = 1.0 if name == DAY_BURNER else self._level(at_ms)
        return max(STANDBY_W, level * lamp.nominal_power_w * self._spread(name))

    def cabinet(self, at_ms: int) -> dict[int, float]:
        """Registers of the cabinet's SDM630: the sum of the lamps and 3 % in the cables."""
        power_w = 1.03 * sum(self.power_w(name, at_ms) for name in self._city.lamps)
        _, full_hours = self._burnt(at_ms)
        energy_kwh = 1.03 * full_hours * sum(lamp.nominal_power_w for lamp in self._city.lamps.values()) / 1000
        registers = {0x0034: power_w, 0x0038: power_w / 0.96, 0x003E: 0.96, 0x0046: 50.0, 0x0048: energy_kwh}
        for phase in range(3):
            volt = 230 + 1.5 * self._noise(f"phase {phase}", at_ms, 600)
            registers |= {0x0000 + 2 * phase: volt, 0x0006 + 2 * phase: power_w / 3 / volt / 0.96, 0x000C + 2 * phase: power_w / 3}
            registers |= {0x0012 + 2 * phase: power_w / 3 / 0.96, 0x001E + 2 * phase: 0.96}
        return registers

    def air(self, where: str, at_ms: int) -> tuple[float, float]:
        """PM2.5 and PM10 in µg/m³: worse in the morning, and with the weather of the week."""
        hour = self._local(at_ms).hour + self._local(at_ms).minute / 60
        pm2_5 = 9 + 3 * math.cos((hour - 8) * math.pi / 12) + 4 * self._noise(where, at_ms, 86_400) + self._noise(where, at_ms, 900)
        pm2_5 = max(1.0, pm2_5)
        return round(pm2_5, 1), round(pm2_5 * 1.6, 1)

    def traffic(self, where: str, start_ms: int, end_ms: int) -> Iterator[Vehicle]:
        """The vehicles of [start, end), in order of time."""
        for hour_ms in range(start_ms // HOUR_MS * HOUR_MS, end_ms, HOUR_MS):
            yield from (each for each in self._hour(where, hour_ms) if start_ms <= each.at_ms < end_ms)

    def _hour(self, where: str, hour_ms: int) -> list[Vehicle]:
        rng = random.Random(f"{self._seed}/{where}/{hour_ms}")
        hour = self._local(hour_ms).hour
        busy = 0.08 + 0.92 * max(0.0, math.sin((hour - 5.5) * math.pi / 17)) if 6 <= hour <= 22 else 0.08
        count = round(rng.gauss(busy * BUSIEST_PER_H, math.sqrt(busy * BUSIEST_PER_H)))
        times = sorted(rng.randrange(HOUR_MS) for _ in range(count))
        return [Vehicle(hour_ms + ms, round(max(3.0, rng.gauss(11.5, 2.5)), 1)) for ms in times]

    def _level(self, at_ms: int) -> float:
        """Light asked for, 0 to 1."""
        lamp = next(iter(self._city.lamps.values()))
        if sun_elevation_deg(at_ms, lamp.lat, lamp.lon) > DUSK_DEG:
            return 0.0
        hour = self._local(at_ms).hour
        return DIMMED if hour >= DIM_FROM_H or hour < DIM_TO_H else 1.0

    def _burnt(self, at_ms: int) -> tuple[float, float]:
        """Hours of light and hours at full power since BEGAN, of a lamp that keeps the program."""
        steps = int((at_ms / 1000 - BEGAN.timestamp()) // STEP_S)
        while len(self._burnt_h) <= steps:
            level = self._level(round(1000 * (BEGAN.timestamp() + (len(self._burnt_h) - 0.5) * STEP_S)))
            hours, full_hours = self._burnt_h[-1]
            self._burnt_h.append((hours + (level > 0) * STEP_S / 3600, full_hours + level * STEP_S / 3600))
        return self._burnt_h[steps]

    def _spread(self, name: str) -> float:
        return 1 + 0.03 * _hash(f"{self._seed}/{name}")

    def _noise(self, what: str, at_ms: int, period_s: int) -> float:
        """Smooth, between -1 and 1, another one for each `what`."""
        at = at_ms / 1000 / period_s
        left = math.floor(at)
        blend = (1 - math.cos((at - left) * math.pi)) / 2
        ends = (_hash(f"{self._seed}/{what}/{period_s}/{left + n}") for n in (0, 1))
        return next(ends) * (1 - blend) + next(ends) * blend

    def _local(self, at_ms: int) -> dt.datetime:
        return dt.datetime.fromtimestamp(at_ms / 1000, self._zone)


def sun_elevation_deg(at_ms: int, lat: float, lon: float) -> float:
    """The sun's height above the horizon, to a tenth of a degree (US Naval Observatory, Approximate Solar Coordinates)."""
    days = at_ms / 86_400_000 - J2000.timestamp() / 86_400
    anomaly = math.radians(357.529 + 0.98560028 * days)
    longitude = math.radians(280.459 + 0.98564736 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    obliquity = math.radians(23.439 - 0.00000036 * days)
    declination = math.asin(math.sin(obliquity) * math.sin(longitude))
    ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    sidereal = math.radians((18.697374558 + 24.06570982441908 * days) % 24 * 15 + lon)
    phi = math.radians(lat)
    sine = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(sidereal - ascension)
    return math.degrees(math.asin(sine))


@functools.lru_cache(maxsize=20_000)
def _hash(text: str) -> float:
    return random.Random(text).uniform(-1, 1)
