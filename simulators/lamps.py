"""The lamps of a street as they are when gateways light them: each has its driver, which goes on from the street's past."""

import random
from collections.abc import Mapping

from firmware_bridge.dali import arc
from hoflicht.catalogue import City
from simulators.gear import Gear
from simulators.luminaire import Fault
from simulators.street import BEGAN_MS, HOUR_MS, Street
from simulators.sun import noon_before, noon_ms

AIR_MS = 60_000  # how often the lamps feel another air, and break
BROKEN = {Fault.LAMP_FAILURE: Street.has_failed, Fault.STUCK_ON: Street.burns_by_day}
# What lasts an hour or three of a night, and how many nights lie between two of a kind in a street.
PASSING = (Fault.STUCK_LEVEL, Fault.CYCLING, Fault.POWER_TOO_HIGH, Fault.POWER_TOO_LOW, Fault.TOO_HOT, Fault.MUTE, Fault.HALF_MUTE)
CUT = Fault.SUPPLY_LOSS  # likewise, of all lamps at once: their feeder's fuse
NIGHTS_BETWEEN = 10
FROM_H, UNTIL_H, LONGEST_H = 5.0, 15.0, 3.0  # after noon UTC


class LitStreet(Street):
    """A street whose lamps burn as their drivers are told; its cabinets deliver what those take."""

    def __init__(self, city: City, seed: int, start_ms: int) -> None:
        super().__init__(city, seed)
        self.gears: dict[str, Gear] = {}
        self._start_ms = start_ms

    def hang(self, address: int, name: str) -> Gear:
        """The driver of a lamp, as its past has left it."""
        past = {sample.quantity: sample.value for sample in self.lamp(name, self._start_ms)}
        self.gears[name] = Gear(
            address,
            nominal_w=self.full_w(name),
            energy_wh=1000 * self.energy_kwh(name, self._start_ms),
            on_s=3600 * past["operating_hours"],
            starts=max(0, noon_before(self._start_ms) - noon_before(BEGAN_MS)),
            level=arc(past["level_actual"]),
        )
        return self.gears[name]

    def power_w(self, name: str, at_ms: int) -> float:
        """What the driver takes now."""
        return self.gears[name].lamp.power_w if name in self.gears else super().power_w(name, at_ms)

    def energy_kwh(self, name: str, at_ms: int) -> float:
        """What the driver has taken by now."""
        return self.gears[name].lamp.energy_wh / 1000 if name in self.gears else super().energy_kwh(name, at_ms)

    def has_now(self, fault: Fault, name: str, at_ms: int) -> bool:
        """Whether a lamp has a passing fault, or all of them have."""
        noon = noon_before(at_ms)
        rng = random.Random(f"{self._seed}/{fault.name}/{noon}")
        if rng.randrange(NIGHTS_BETWEEN) or (fault is not CUT and name != rng.choice(tuple(self._city.lamps))):
            return False
        from_h = rng.uniform(FROM_H, UNTIL_H)
        return from_h <= (at_ms - noon_ms(noon)) / HOUR_MS < from_h + rng.uniform(1, LONGEST_H)

    def _actual(self, name: str, at_ms: int) -> float:
        return self.gears[name].lamp.light_percent / 100 if name in self.gears else super()._actual(name, at_ms)


class LampWorld:
    """What happens to the lamps on one line: they break and are repaired as the street's seed has it, and feel its air."""

    def __init__(self, gears: Mapping[str, Gear], street: LitStreet) -> None:
        self._gears, self._street = gears, street
        self._due_ms = 0

    def advance(self, now_ms: int) -> None:
        """Let happen what is due."""
        if now_ms < self._due_ms:
            return
        self._due_ms = now_ms + AIR_MS
        for name, gear in self._gears.items():
            gear.lamp.ambient_cel = self._street.air(name, now_ms).temperature
            gear.lamp.faults = {fault for fault, is_so in BROKEN.items() if is_so(self._street, name, now_ms)}
            gear.lamp.faults |= {fault for fault in (*PASSING, CUT) if self._street.has_now(fault, name, now_ms)}
