"""Time as an argument."""

import ctypes
import time
from typing import Protocol

TIME_ERROR = 5  # adjtimex(2): "the system clock is not synchronized to a reliable server"
# find_library would start a process; and once, for each of these makes a class of its own, and it is asked each second.
LIBC = ctypes.CDLL(None, use_errno=True)


class Clock(Protocol):
    """What logic may know of time."""

    def now_ms(self) -> int:
        """Unix epoch in milliseconds, UTC; may jump, and is wrong until the clock is set."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds since the machine's boot; never jumps, counts through suspend."""
        ...

    def is_set(self) -> bool:
        """Whether `now_ms` may be believed."""
        ...


class SystemClock:
    """This machine's clock.

    With `trust_ntp_only` it counts as set once the kernel says that a time service disciplines it (adjtimex): a gateway without a
    battery clock starts in 1970 or at its last shutdown, and no look at the date can tell the latter.
    """

    def __init__(self, trust_ntp_only: bool = False) -> None:
        self._trust_ntp_only = trust_ntp_only

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def is_set(self) -> bool:
        return not self._trust_ntp_only or _kernel_says_synchronised()


class HandClock:
    """A clock that tests turn by hand."""

    def __init__(self, now_ms: int = 1_700_000_000_000, is_set: bool = True) -> None:
        self._now_ms = now_ms
        self._monotonic_ms = 1_000
        self._is_set = is_set

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    def is_set(self) -> bool:
        return self._is_set

    def advance(self, ms: int) -> None:
        """Let `ms` pass."""
        self._now_ms += ms
        self._monotonic_ms += ms

    def jump(self, ms: int) -> None:
        """Set the clock by so much, as a person would: the kernel does not call it synchronised any more."""
        self._now_ms += ms
        self._is_set = False

    def set(self, now_ms: int) -> None:
        """Set the clock, as NTP would; the monotonic time does not notice."""
        self._now_ms = now_ms
        self._is_set = True


def _kernel_says_synchronised() -> bool:
    timex = ctypes.create_string_buffer(256)  # struct timex is 208 bytes on 64-bit Linux; modes = 0 only reads
    answer: int = LIBC.adjtimex(timex)
    return answer not in (-1, TIME_ERROR)
