"""An answer that is asked for once and handed to everybody for a few seconds."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from hoflicht.clock import Clock

T = TypeVar("T")


class Recent(Generic[T]):
    """What `ask` answers, at most `keep_ms` old; however many ask at the same time, one of them fetches it. Errors are not kept."""

    def __init__(self, ask: Callable[[], T], keep_ms: int, clock: Clock) -> None:
        self._ask = ask
        self._keep_ms = keep_ms
        self._clock = clock
        self._asking = threading.Lock()
        self._known: tuple[int, T] | None = None

    def get(self) -> T:
        """The answer; raise what `ask` raises."""
        with self._asking:
            now_ms = self._clock.monotonic_ms()
            if self._known is None or now_ms - self._known[0] > self._keep_ms:
                self._known = (now_ms, self._ask())
            return self._known[1]
