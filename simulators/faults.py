"""What goes wrong on a line: noise, wrong bits, silence, a pulled plug; seeded, so that a bad day can be lived again."""

import enum
import random


class Fault(enum.Enum):
    """What is wrong for a while, and for how long, in seconds."""

    NOISE = (2.0, 20.0)  # a motor nearby: bytes that nobody sent
    BITS = (5.0, 60.0)  # a bad contact: one bit in a hundred bytes
    SILENCE = (20.0, 300.0)  # the device hangs
    UNPLUGGED = (3.0, 60.0)


MAX_NOISE = 24  # bytes in one tenth of a second
WRONG_BYTES = 0.01
HOUR_MS = 3_600_000


class Faults:
    """The faults of one line, `per_hour` on average, at least one second apart."""

    def __init__(self, per_hour: float, rng: random.Random, now_ms: int) -> None:
        self._per_hour = per_hour
        self._rng = rng
        self._fault: Fault | None = None
        self._until_ms = self._plan(now_ms)

    def now(self, now_ms: int) -> Fault | None:
        """What is wrong at this instant; ask in order of time."""
        if now_ms >= self._until_ms:
            if self._fault is None:
                self._fault = self._rng.choice(list(Fault))
                self._until_ms = now_ms + round(1000 * self._rng.uniform(*self._fault.value))
            else:
                self._fault = None
                self._until_ms = self._plan(now_ms)
        return self._fault

    def spoil(self, data: bytes, fault: Fault | None) -> bytes:
        """What arrives of `data` while this is wrong."""
        if fault is Fault.NOISE:
            return self._rng.randbytes(self._rng.randrange(MAX_NOISE)) + data
        if fault is Fault.BITS:
            return bytes(byte ^ (1 << self._rng.randrange(8)) if self._rng.random() < WRONG_BYTES else byte for byte in data)
        return data if fault is None else b""

    def _plan(self, now_ms: int) -> int:
        return now_ms + 1_000 + round(self._rng.expovariate(self._per_hour / HOUR_MS))
