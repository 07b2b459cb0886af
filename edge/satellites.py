"""The satellites' time as a clock.

A sentence tells the instant at which its second began, and comes when the receiver has worked it out and the line has carried it:
tenths of a second later, now more, now less. A late sentence makes it seem earlier than it is, none makes it seem later, so the one
that came soonest in the last minutes is the nearest (as the clock filter of NTP takes the least delay, RFC 5905 §10). What that one
was late by remains.

Between sentences, and where no more come, the machine's monotonic clock goes on. It is never asked what time it is.
"""

from collections import deque

from hoflicht.clock import Clock

# Sentences whose delays differ by more do not agree. Where RMC is the last of its second, nine more lines of satellites in view
# make it 0.65 s later at 9600 baud; a leap second must not agree.
AGREE_MS = 700
# In a row, until they are believed. A false time that passes its checksum is one of two or three at most; a receiver that finds its
# satellites tells the time of its own small clock for a sentence or two.
RUN = 10
WINDOW_MS = 120_000  # how long the soonest one counts: a quartz is off by 12 ms after that (100 ppm)
MAX_KEPT = 1_200  # sentences of a window, ten a second
# How long a time that does not agree with ours must last. A jammed or deceived receiver comes back within minutes; one that told
# other leap seconds than there are at first has learnt them from its satellites within 12.5 minutes, and stays right.
JUMP_MS = 600_000


class SatelliteClock:
    """A Clock that is set by what `take` gets, from one thread; `machine` gives the monotonic time.

    A time that is drawn away slowly, by less than AGREE_MS in two minutes, is followed: no sentence can show that it is false.
    """

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._offset_ms: int | None = None  # of Unix epoch to monotonic
        self._run: deque[tuple[int, int]] = deque(maxlen=MAX_KEPT)  # when they arrived, and the offset that they show
        self._run_since_ms = 0

    def now_ms(self) -> int:
        """As the satellites have told; as the machine says while the clock is not set."""
        return self._machine.now_ms() if self._offset_ms is None else self._machine.monotonic_ms() + self._offset_ms

    def monotonic_ms(self) -> int:
        """The machine's."""
        return self._machine.monotonic_ms()

    def is_set(self) -> bool:
        """Whether a run of sentences was believed; that ends with the program only."""
        return self._offset_ms is not None

    def machine_ahead_ms(self) -> int | None:
        """How far the machine's own clock is before the satellites' time; None while that is not known."""
        return None if self._offset_ms is None else self._machine.now_ms() - self.now_ms()

    def take(self, utc_ms: int, arrived_ms: int) -> None:
        """Take the time of a sentence that arrived at `arrived_ms` of the monotonic clock."""
        offset_ms = utc_ms - arrived_ms
        while self._run and self._run[0][0] < arrived_ms - WINDOW_MS:
            self._run.popleft()
        if not self._run or abs(offset_ms - self._soonest_ms()) > AGREE_MS:
            self._run.clear()
            self._run_since_ms = arrived_ms
        self._run.append((arrived_ms, offset_ms))
        if len(self._run) >= RUN and (self._agrees() or arrived_ms - self._run_since_ms >= JUMP_MS):
            self._offset_ms = self._soonest_ms()

    def _agrees(self) -> bool:
        return self._offset_ms is None or abs(self._soonest_ms() - self._offset_ms) <= AGREE_MS

    def _soonest_ms(self) -> int:
        return max(offset_ms for _, offset_ms in self._run)
