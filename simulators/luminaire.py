"""A street lamp behind its driver: light, power and warmth over time, what they add up to, and what can break, by hand."""

import enum
import math

FULL = 254
SCALE = 253 / 3  # levels to ten times the light (IEC 62386-102)

# No source: plausible for a street lamp.
STANDBY_W = 0.5
WARM_UP_S = 1_800.0  # until two thirds of a change of temperature are done
WARMTH_K, TOO_HOT_K = 35.0, 70.0  # over the air: in full light; with something that heats it
DERATING_CEL, SHUTDOWN_CEL = 85.0, 120.0
DERATED = 0.7  # of the light, so long as it is too hot
CYCLE_MS, CYCLE_ON_MS = 60_000, 40_000
TOO_MUCH, TOO_LITTLE = 1.5, 0.5  # of the power that the light needs
STEP_MS, FADE_STEP_MS = 60_000, 100  # light and temperature are taken as steady for no longer


class Fault(enum.StrEnum):  # each look at a lamp asks for several: a text is found in a set without a call
    """What can be wrong with a lamp or its driver."""

    LAMP_FAILURE = "open circuit"
    STUCK_ON = "burns in full although it is off"
    STUCK_LEVEL = "goes on and off, but does not dim"
    CYCLING = "goes off and on again by itself"
    POWER_TOO_HIGH = "takes more than its light needs"
    POWER_TOO_LOW = "takes less"
    TOO_HOT = "something heats it"
    SUPPLY_LOSS = "no mains"
    MUTE = "hears nothing and says nothing; the light stays as it is"
    HALF_MUTE = "half of its answers get lost"


class Luminaire:
    """Put faults into `faults` and take them out again; what is true at the last instant of `live` stands in the properties."""

    def __init__(self, nominal_w: float, energy_wh: float, on_s: float, starts: int, level: int) -> None:
        self.nominal_w = nominal_w
        self.energy_wh, self.on_s, self.starts = energy_wh, on_s, starts
        self.powered_s = on_s
        self.temperature_cel = self.ambient_cel = 10.0
        self.stuck_level = FULL
        self.faults: set[Fault] = set()
        self._now_ms: int | None = None
        self._from = self._to = level
        self._from_ms = self._to_ms = 0
        self._is_lit = self.level > 0

    @property
    def has_mains(self) -> bool:
        return Fault.SUPPLY_LOSS not in self.faults

    @property
    def has_failed(self) -> bool:
        """Whether it should burn and cannot."""
        return Fault.LAMP_FAILURE in self.faults and self._to > 0

    @property
    def is_fading(self) -> bool:
        return self._time < self._to_ms

    @property
    def is_derated(self) -> bool:
        return self.temperature_cel > DERATING_CEL

    @property
    def is_shut_down(self) -> bool:
        return self.temperature_cel > SHUTDOWN_CEL

    @property
    def wanted(self) -> int:
        """The level it was told, or on the way there."""
        if not self.is_fading:
            return self._to
        share = (self._time - self._from_ms) / (self._to_ms - self._from_ms)
        return round(self._from + share * (self._to - self._from))

    @property
    def level(self) -> int:
        """The level it burns at."""
        if self.is_shut_down:
            return 0
        wanted = self.wanted
        if not self.faults:
            return wanted
        if Fault.STUCK_ON in self.faults:
            wanted = wanted or FULL
        if Fault.STUCK_LEVEL in self.faults and wanted:
            wanted = self.stuck_level
        is_off = Fault.CYCLING in self.faults and self._time % CYCLE_MS >= CYCLE_ON_MS
        return 0 if is_off or not self.has_mains or Fault.LAMP_FAILURE in self.faults else wanted

    @property
    def light_percent(self) -> float:
        level = self.level
        if not level:
            return 0.0
        return 10 ** ((level - 1) / SCALE - 1) * (DERATED if self.is_derated else 1)

    @property
    def power_w(self) -> float:
        if not self.has_mains:
            return 0.0
        factor = TOO_MUCH if Fault.POWER_TOO_HIGH in self.faults else TOO_LITTLE if Fault.POWER_TOO_LOW in self.faults else 1
        return STANDBY_W + (self.nominal_w - STANDBY_W) * self.light_percent / 100 * factor

    def go(self, level: int, fade_ms: int = 0) -> None:
        """Go to `level`, evenly over the levels between."""
        self._from, self._to = self.wanted, level
        self._from_ms, self._to_ms = self._time, self._time + fade_ms
        self._count_start()

    def live(self, now_ms: int) -> None:
        """Let time pass up to now."""
        if self._now_ms is None:
            self._now_ms = now_ms
        self._count_start()
        while self._now_ms < now_ms:
            then_ms = min(now_ms, self._next_ms(self._now_ms))
            self._pass((then_ms - self._now_ms) / 1000)
            self._now_ms = then_ms
            self._count_start()

    @property
    def _time(self) -> int:
        return self._now_ms or 0

    def _next_ms(self, at_ms: int) -> int:
        """Until when all may be taken as steady."""
        if self.is_fading:
            return min(at_ms + FADE_STEP_MS, self._to_ms)
        cycle_ms = at_ms - at_ms % CYCLE_MS
        return min(at_ms + STEP_MS, cycle_ms + (CYCLE_ON_MS if at_ms < cycle_ms + CYCLE_ON_MS else CYCLE_MS))

    def _pass(self, seconds: float) -> None:
        self.energy_wh += self.power_w * seconds / 3600
        self.on_s += seconds if self.level else 0
        self.powered_s += seconds if self.has_mains else 0
        steady_cel = self.ambient_cel + WARMTH_K * self.light_percent / 100 + (TOO_HOT_K if Fault.TOO_HOT in self.faults else 0)
        self.temperature_cel = steady_cel + (self.temperature_cel - steady_cel) * math.exp(-seconds / WARM_UP_S)

    def _count_start(self) -> None:
        is_lit = self.level > 0
        self.starts += is_lit and not self._is_lit
        self._is_lit = is_lit
