"""A D4i driver on its bus: hears DALI frames, answers, keeps its memory banks.

Written apart from firmware_bridge/dali.py, from IEC 62386-102 as told by python-dali, dali/gear/general.py and dali/tests/fakes.py;
only the layout of the banks is shared. What they hold at the start is from python-dali, dali/tests/test_memory.py.
"""

import math
import random

from firmware_bridge import banks
from simulators.luminaire import FULL, STANDBY_W, Fault, Luminaire

MASK, YES = 255, 255
LEVELS = {0x00: 0, 0x05: FULL}  # commands that go to a level at once
SETTINGS, TWICE_MS = range(0x20, 0x82), 100  # they count if they come again so soon
JOIN, LEAVE = range(0x60, 0x70), range(0x70, 0x80)  # a group
LOCK, UNLOCKED, LATCHED = 0x02, 0x55, 0xAA
LOCKABLE = {207: range(0x04, 0x08)}  # what can be written where the lock is open
STILL_WRITING = {0xA3, 0xC3, 0xC7, 0xC9, 0x98, 0x9C}  # every other command protects the memory again
VOLTAGE, FREQUENCY, LAMP_VOLTAGE = 230.0, 50.0, 60.0
POWER_FACTOR, EFFICIENCY = 0.95, 0.9  # no source: plausible for a street lamp
LUMINAIRE = {
    "gtin": 7654321234567,
    "content_format": 3,
    "year": 21,
    "week": 43,
    "power_at_minimum": STANDBY_W,
    "lowest_voltage": 220,
    "highest_voltage": 250,
    "luminous_flux": 15_000,
    "colour_rendering": 100,
}
NEVER = dict.fromkeys(("gear_failure", "undervoltage", "overvoltage", "power_limited", "short_circuit"), False)  # they never happen


class Gear:
    """One driver with its `lamp`, whose totals can go on from a past; `live` lets time pass."""

    def __init__(
        self,
        address: int,
        *,
        nominal_w: float = 40.0,
        energy_wh: float = 10_000.0,
        on_s: float = 3_000.0,
        starts: int = 500,
        level: int = FULL,
    ) -> None:
        self.address = address
        self.lamp = Luminaire(nominal_w, energy_wh, on_s, starts, level)
        self.gear_starts = 10
        self.groups: set[int] = set()
        # By the command that sets them: system failure level, power-on level, fade time, fade rate; as a new driver has them.
        self._settings = {0x2C: FULL, 0x2D: FULL, 0x2E: 0, 0x2F: 7}
        self._rated = {"rated_hours": 50_000.0, "reference_temperature": 30.0, "rated_starts": 500_000.0}
        self._counts: dict[str, int] = {}
        self._flags = self._flags_now()
        self._has_slept = False
        self._rng = random.Random(address)
        self._forget()

    def live(self, now_ms: int) -> None:
        """Let time pass up to now. Where the mains came back since the last time, it starts anew."""
        if self._has_slept and self.lamp.has_mains:
            self._forget()
            self.gear_starts += 1
            if self._settings[0x2D] != MASK:
                self.lamp.go(self._settings[0x2D])
        self._has_slept = not self.lamp.has_mains
        self.lamp.live(now_ms)
        self._now_ms = now_ms
        self._count()

    def lose_bus(self) -> None:
        """The bus has no power: go to the system failure level."""
        if self._settings[0x2C] != MASK:
            self.lamp.go(self._settings[0x2C])

    def hear(self, frame: bytes) -> int | None:
        """What it answers to a frame on the bus."""
        if len(frame) != 2 or not self.lamp.has_mains or Fault.MUTE in self.lamp.faults:
            return None
        answer = self._obey(frame[0], frame[1])
        self._count()
        return None if Fault.HALF_MUTE in self.lamp.faults and self._rng.random() < 0.5 else answer

    def bank(self, number: int) -> bytes:
        """What a bank holds now."""
        lamp = self.lamp
        lamp_w = lamp.power_w * EFFICIENCY if lamp.level else 0
        energy_kwh, hours = lamp.energy_wh / 1000, lamp.on_s / 3600
        said: dict[str, float] = {
            "luminaire_id": self.address,
            "nominal_power": lamp.nominal_w,
            "energy_import": energy_kwh,
            "active_power": lamp.power_w,
            "apparent_energy": energy_kwh / POWER_FACTOR,
            "apparent_power": lamp.power_w / POWER_FACTOR,
            "lamp_energy": energy_kwh * EFFICIENCY,
            "lamp_power": lamp_w,
            "gear_hours": lamp.powered_s / 3600,
            "gear_starts": self.gear_starts,
            "voltage": VOLTAGE,
            "frequency": FREQUENCY,
            "power_factor": POWER_FACTOR,
            "temperature": lamp.temperature_cel,
            "output_current": lamp.light_percent,
            "lamp_starts_since_reset": lamp.starts,
            "lamp_starts": lamp.starts,
            "operating_hours_since_reset": hours,
            "operating_hours": hours,
            "lamp_voltage": LAMP_VOLTAGE if lamp.level else 0,
            "lamp_current": lamp_w / LAMP_VOLTAGE,
            "lamp_temperature": lamp.temperature_cel,
        }
        counts = {f"{name}_count": self._counts.get(name, 0) for name in self._flags}
        return banks.encode(number, LUMINAIRE | self._rated | said | self._flags | counts)

    def _forget(self) -> None:
        """What a driver without power forgets."""
        self._dtr0 = self._dtr1 = self._now_ms = self._before_ms = 0
        self._before = b""
        self._writable = False
        self._is_fresh = True  # no level was asked for yet
        self._locks: dict[int, int] = {}
        self._latched: dict[int, bytes] = {}

    # Commands

    def _obey(self, to: int, what: int) -> int | None:
        is_again = self._is_again(bytes((to, what)))
        is_special, is_level = 0xA0 <= to <= 0xDF, not to & 1
        self._writable &= not is_level and (to if is_special else what) in STILL_WRITING
        if is_special:
            return self._special(to, what)
        if to >> 1 not in {self.address, 0x7F, *(0x40 | group for group in self.groups)}:
            return None
        if is_level:
            self._go(self.lamp.wanted if what == MASK else what, self._fade_ms)
            return None
        if what in LEVELS:
            self._go(LEVELS[what])
        elif what in SETTINGS and is_again:
            self._set(what)
        return self._read() if what == 0xC5 else self._queries().get(what)

    def _is_again(self, frame: bytes) -> bool:
        is_again = frame == self._before and self._now_ms - self._before_ms <= TWICE_MS
        self._before, self._before_ms = b"" if is_again else frame, self._now_ms
        return is_again

    def _special(self, command: int, value: int) -> int | None:
        if command == 0xA3:
            self._dtr0 = value
        elif command == 0xC3:
            self._dtr1 = value
        elif command in (0xC7, 0xC9) and self._writable and self._dtr1 in banks.BANKS:
            is_written = self._write(self._dtr1, self._dtr0, value)
            self._dtr0 = min(self._dtr0 + 1, 255)
            return value if is_written and command == 0xC7 else None
        return None

    def _set(self, command: int) -> None:
        if command in self._settings:
            self._settings[command] = self._dtr0
        elif command in JOIN:
            self.groups.add(command & 0x0F)
        elif command in LEAVE:
            self.groups.discard(command & 0x0F)
        elif command == 0x81:
            self._writable = True

    def _go(self, level: int, fade_ms: int = 0) -> None:
        self._is_fresh = False
        self.lamp.go(level, fade_ms)

    @property
    def _fade_ms(self) -> int:
        n = self._settings[0x2E]
        return round(500 * math.sqrt(2**n)) if n else 0

    def _queries(self) -> dict[int, int | None]:
        lamp = self.lamp
        status = (False, lamp.has_failed, lamp.level > 0, False, lamp.is_fading, False, False, self._is_fresh)
        return {
            0x90: sum(bit << n for n, bit in enumerate(status)),
            0x91: YES,
            0x92: YES if lamp.has_failed else None,
            0x98: self._dtr0,
            0x9C: self._dtr1,
            0xA0: MASK if lamp.has_failed else lamp.level,
            0xA3: self._settings[0x2D],
            0xA4: self._settings[0x2C],
            0xA5: self._settings[0x2E] << 4 | self._settings[0x2F],
            0xC0: sum(1 << group for group in self.groups if group < 8),
            0xC1: sum(1 << group - 8 for group in self.groups if group >= 8),
        }

    # Memory

    def _read(self) -> int | None:
        at, self._dtr0 = self._dtr0, min(self._dtr0 + 1, 255)
        if self._dtr1 not in banks.BANKS:
            return None
        if at == LOCK:
            return self._locks.get(self._dtr1, 0xFF)
        data = self._latched.get(self._dtr1) or self.bank(self._dtr1)
        return data[at] if at < len(data) and at != 1 else None

    def _write(self, bank: int, at: int, value: int) -> bool:
        if at == LOCK:
            self._locks[bank] = value
            self._latched.pop(bank, None)
            if value == LATCHED and banks.BANKS[bank].has_latch:
                self._latched[bank] = self.bank(bank)
            return True
        if at not in LOCKABLE.get(bank, ()) or self._locks.get(bank) != UNLOCKED:
            return False
        data = bytearray(self.bank(bank))
        data[at] = value
        self._rated = banks.decode(bank, bytes(data))
        return True

    def _flags_now(self) -> dict[str, bool]:
        has_failed, is_derated, is_shut_down = self.lamp.has_failed, self.lamp.is_derated, self.lamp.is_shut_down
        return NEVER | {
            "lamp_failure": has_failed,
            "open_circuit": has_failed,
            "gear_derating": is_derated,
            "lamp_derating": is_derated,
            "gear_shutdown": is_shut_down,
            "lamp_shutdown": is_shut_down,
        }

    def _count(self) -> None:
        """Count the faults that have begun."""
        flags = self._flags_now()
        if flags == self._flags:
            return
        begun = [name for name, is_so in flags.items() if is_so and not self._flags[name]]
        self._counts |= {name: self._counts.get(name, 0) + 1 for name in begun}
        self._flags = flags
