"""The time by which lamps go: as the clock said when it was last trusted, and on from there by the monotonic one.

A gateway that has lost its time server for a day still knows when dusk is, and one whose clock somebody sets by hand does too.
"""

from hoflicht.clock import Clock


class TrustedTime:
    """Milliseconds since the epoch; None until the clock has been set in this boot of the machine."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.offset_ms: int | None = None  # to the monotonic time

    def now_ms(self) -> int | None:
        """The instant, or None while nobody can tell."""
        if self._clock.is_set():
            self.offset_ms = self._clock.now_ms() - self._clock.monotonic_ms()
        return None if self.offset_ms is None else self._clock.monotonic_ms() + self.offset_ms
