"""A street of lamps, its traffic and its feeder cabinets: a pure function of seed and time, so that any instant can be asked for.

Lamps burn from dusk to dawn, at half their light between 23 and 5 o'clock. At any time one of them has failed, and now and then one
burns by day. Meters count exactly what the lamps take: their energy is an integral in closed form, not a sum of guesses.
"""

import datetime as dt
import functools
import math
import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec

from firmware_bridge.frames import Sample
from hoflicht.catalogue import City
from hoflicht.instants import ms
from simulators.air import Air, air
from simulators.drift import drift
from simulators.sun import DAY_MS, Night, night_after, noon_before, noon_ms

HOUR_MS = 3_600_000
BEGAN_MS = ms(dt.datetime(2024, 1, 1, tzinfo=dt.UTC))  # when the meters stood at zero
DIM_FROM_H, DIM_TO_H, DIMMED = 23, 5, 0.5
STANDBY_W = 0.4  # of a driver whose lamp is off
CABLES = 1.03  # what the cabinet delivers for each watt at the lamps
POWER_FACTOR, NO_LOAD_FACTOR = 0.96, 0.5
FAILED_DAYS = 28  # until somebody repairs it, and another one fails
BURNER_DAYS, BURNER_FROM = 12, 7  # every so many days a lamp burns by day, from the seventh of them on
BUSIEST_PER_H = 60  # vehicles on this street


class Vehicle(msgspec.Struct, frozen=True):
    """Something that drives by."""

    at_ms: int
    speed_m_s: float


class Burnt(msgspec.Struct, frozen=True):
    """How long a lamp has burnt: hours of light, and what they are worth at full power."""

    hours: float = 0.0
    full_hours: float = 0.0

    def __add__(self, other: "Burnt") -> "Burnt":
        return Burnt(self.hours + other.hours, self.full_hours + other.full_hours)


class Street:
    """All lamps and cabinets of `city`."""

    def __init__(self, city: City, seed: int) -> None:
        self._city = city
        self._seed = seed
        self._zone = ZoneInfo(city.timezone)
        self._ledgers: dict[str, list[Burnt]] = {name: [Burnt()] for name in city.lamps}  # at each noon since BEGAN_MS

    def lamp(self, name: str, at_ms: int) -> tuple[Sample, ...]:
        """What the driver of a lamp reports; sensor and site are named."""
        target, actual, burnt = self._target(name, at_ms), self._actual(name, at_ms), self._burnt(name, at_ms)
        warmth = 25 * actual + drift(f"{self._seed}/{name}", at_ms, HOUR_MS)
        values = {
            "level_target": 100 * target,
            "level_feedback": 100 * target,
            "level_actual": 100 * actual,
            "active_power": round(self.power_w(name, at_ms), 1),
            "energy_import": round(self.energy_kwh(name, at_ms), 3),
            "operating_hours": round(burnt.hours, 1),
            "temperature": round(self.air(name, at_ms).temperature + warmth, 1),
            "lamp_failure": float(self.has_failed(name, at_ms)),
        }
        return tuple(Sample(quantity, value, sensor="driver", site=name) for quantity, value in values.items())

    def power_w(self, name: str, at_ms: int) -> float:
        """Active power of a lamp."""
        return self._actual(name, at_ms) * self.full_w(name) or STANDBY_W

    def full_w(self, name: str) -> float:
        """What a lamp takes at full level."""
        return self._city.lamps[name].nominal_power_w * (1 + 0.02 * drift(f"{self._seed}/{name}/power", 0, DAY_MS))

    def has_failed(self, name: str, at_ms: int) -> bool:
        """Whether a lamp stays dark."""
        return self._fails_on(name, noon_before(at_ms))

    def burns_by_day(self, name: str, at_ms: int) -> bool:
        """Whether a lamp burns and does not go off."""
        noon = noon_before(at_ms)
        return self._burns_on(name, noon) and not self._fails_on(name, noon)

    def energy_kwh(self, name: str, at_ms: int) -> float:
        """Reading of a lamp's meter: the integral of its power since BEGAN_MS."""
        burnt = self._burnt(name, at_ms)
        dark_h = max(0, at_ms - BEGAN_MS) / HOUR_MS - burnt.hours
        return (burnt.full_hours * self.full_w(name) + dark_h * STANDBY_W) / 1000

    def cabinet(self, name: str, at_ms: int) -> dict[str, float]:
        """What the meter of a cabinet measures, named as in hoflicht.quantities: the lamps of its street on three phases."""
        street = self._city.cabinets[name].street
        lamps = [lamp for lamp in self._city.lamps if self._city.lamps[lamp].street == street]
        values = {"frequency": round(50 + 0.01 * drift(f"{self._seed}/grid", at_ms, 60_000), 3)}
        total_w = total_va = 0.0
        for phase in (1, 2, 3):
            power_w = CABLES * sum(self.power_w(lamp, at_ms) for lamp in lamps[phase - 1 :: 3])
            factor = POWER_FACTOR if any(self._actual(lamp, at_ms) for lamp in lamps[phase - 1 :: 3]) else NO_LOAD_FACTOR
            volt = 231 + 1.5 * drift(f"{self._seed}/{name}/{phase}", at_ms, 600_000)
            values |= {f"voltage_l{phase}": volt, f"current_l{phase}": power_w / factor / volt}
            values |= {f"active_power_l{phase}": power_w, f"apparent_power_l{phase}": power_w / factor}
            values |= {f"power_factor_l{phase}": factor, f"reactive_power_l{phase}": power_w * math.tan(math.acos(factor))}
            total_w, total_va = total_w + power_w, total_va + power_w / factor
        reactive_var = sum(values[f"reactive_power_l{phase}"] for phase in (1, 2, 3))
        values |= {"active_power": total_w, "apparent_power": total_va, "reactive_power": reactive_var}
        values["power_factor"] = total_w / total_va if total_va else 1.0
        return values | {"energy_import": CABLES * sum(self.energy_kwh(lamp, at_ms) for lamp in lamps)}

    def air(self, where: str, at_ms: int) -> Air:
        """The air there."""
        return air(self._seed, where, at_ms, self._zone)

    def traffic(self, where: str, start_ms: int, end_ms: int) -> Iterator[Vehicle]:
        """The vehicles of [start, end), in order of time."""
        for hour_ms in range(start_ms // HOUR_MS * HOUR_MS, end_ms, HOUR_MS):
            yield from (each for each in self._hour(where, hour_ms) if start_ms <= each.at_ms < end_ms)

    def _hour(self, where: str, hour_ms: int) -> tuple[Vehicle, ...]:
        hour = dt.datetime.fromtimestamp(hour_ms / 1000, self._zone).hour
        return _vehicles(f"{self._seed}/{where}/{hour_ms}", hour_ms, hour)

    # Lamps; a lamp's day goes from noon to noon, so that it holds one night

    def _target(self, name: str, at_ms: int) -> float:
        night = self._night(name, noon_before(at_ms))
        if not night.dusk_ms <= at_ms < night.dawn_ms:
            return 0.0
        dim_from_ms, dim_to_ms = self._dim(night)
        return DIMMED if dim_from_ms <= at_ms < dim_to_ms else 1.0

    def _actual(self, name: str, at_ms: int) -> float:
        noon = noon_before(at_ms)
        if self._fails_on(name, noon):
            return 0.0
        return 1.0 if self._burns_on(name, noon) else self._target(name, at_ms)

    def _fails_on(self, name: str, noon: int) -> bool:
        return name == _drawn(f"{self._seed}/failed/{noon // FAILED_DAYS}", tuple(self._city.lamps))

    def _burns_on(self, name: str, noon: int) -> bool:
        block, day = divmod(noon, BURNER_DAYS)
        return day >= BURNER_FROM and name == _drawn(f"{self._seed}/burner/{block}", tuple(self._city.lamps))

    def _night(self, name: str, noon: int) -> Night:
        lamp = self._city.lamps[name]
        return night_after(noon, round(lamp.lat, 1), round(lamp.lon, 1))  # so that a street shares one night

    def _dim(self, night: Night) -> tuple[int, int]:
        """From 23 to 5 o'clock of this night, as far as it is dark."""
        middle = dt.datetime.fromtimestamp((night.dusk_ms + night.dawn_ms) / 2000, self._zone)
        evening = middle.date() if middle.hour >= 12 else middle.date() - dt.timedelta(days=1)
        start = dt.datetime.combine(evening, dt.time(DIM_FROM_H), self._zone)
        end = dt.datetime.combine(evening + dt.timedelta(days=1), dt.time(DIM_TO_H), self._zone)
        return max(night.dusk_ms, ms(start)), min(night.dawn_ms, ms(end))

    def _burnt(self, name: str, at_ms: int) -> Burnt:
        """Since BEGAN_MS; each finished day is counted once and remembered."""
        if at_ms <= BEGAN_MS:
            return Burnt()
        first, now = noon_before(BEGAN_MS), noon_before(at_ms)
        ledger = self._ledgers[name]
        while len(ledger) <= now - first:
            noon = first + len(ledger) - 1
            ledger.append(ledger[-1] + self._burnt_on(name, noon, max(BEGAN_MS, noon_ms(noon)), noon_ms(noon + 1)))
        return ledger[now - first] + self._burnt_on(name, now, max(BEGAN_MS, noon_ms(now)), at_ms)

    def _burnt_on(self, name: str, noon: int, start_ms: int, end_ms: int) -> Burnt:
        if self._fails_on(name, noon):
            return Burnt()
        if self._burns_on(name, noon):
            return Burnt((end_ms - start_ms) / HOUR_MS, (end_ms - start_ms) / HOUR_MS)
        night = self._night(name, noon)
        hours = _overlap_h(start_ms, end_ms, night.dusk_ms, night.dawn_ms)
        return Burnt(hours, hours - (1 - DIMMED) * _overlap_h(start_ms, end_ms, *self._dim(night)))


@functools.lru_cache(maxsize=256)
def _vehicles(name: str, hour_ms: int, hour: int) -> tuple[Vehicle, ...]:
    rng = random.Random(name)
    busy = 0.08 + 0.92 * max(0.0, math.sin((hour - 5.5) * math.pi / 17)) if 6 <= hour <= 22 else 0.08
    count = round(max(0.0, rng.gauss(busy * BUSIEST_PER_H, math.sqrt(busy * BUSIEST_PER_H))))
    times = sorted(rng.randrange(HOUR_MS) for _ in range(count))
    return tuple(Vehicle(hour_ms + after_ms, round(max(3.0, rng.gauss(11.5, 2.5)), 1)) for after_ms in times)


@functools.lru_cache(maxsize=4_096)
def _drawn(name: str, lamps: tuple[str, ...]) -> str:
    return random.Random(name).choice(lamps)


def _overlap_h(start_ms: int, end_ms: int, from_ms: int, to_ms: int) -> float:
    return max(0, min(end_ms, to_ms) - max(start_ms, from_ms)) / HOUR_MS
