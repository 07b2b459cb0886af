"""The estimate of one yard as it stands: who is told it, for how long, and when it is made anew.

However many ask, few questions reach the store. Four times a second at most one of those who ask looks whether the yard has said
anything new, which is a question for its last minute. Only then an estimate is made, of that minute and of what was known before,
and every four seconds of all that the store holds, for what else may have come about (a silence, a reading that comes late, a
profile); whoever asks meanwhile is told the one before.
"""

import functools
import threading
from collections.abc import Callable

from fastapi import Request
from fastapi.responses import Response

from api.reply import Body, reply
from hoflicht.clock import Clock
from hoflicht.reading import Reading
from hoflicht.wait import Wait, encode

KEEP_MS = 5_000  # nobody is told an older one
RENEW_MS = 4_000  # so it is made anew while it may still be told
LOOK_MS = 250  # a car that passes is to be in an answer within a second (`bench.latency`)
ANYBODY = Request({"type": "http", "headers": []})
RESTS = 2  # times as long as it took to make one: of a core each yard takes a third at most, whatever its sensors say


class Told:
    """An estimate, how it goes out, and what the yard had lately said then."""

    def __init__(self, wait: Wait, said: frozenset[Reading]) -> None:
        self.wait = wait
        self.body = Body(encode(wait))
        self.said = said

    @functools.cached_property
    def whole(self) -> Response:
        """The answer to all who have none yet and take it unpacked; it keeps nothing of whom it went to."""
        return reply(ANYBODY, self.body)


class Standing:
    """What `estimate` makes, as long as `said` hands out nothing new; safe to use from several threads.

    `estimate` is given what `said` has handed out; None: it is to ask for everything.
    """

    def __init__(
        self, estimate: Callable[[frozenset[Reading] | None], Told], said: Callable[[], frozenset[Reading]], clock: Clock
    ) -> None:
        self._estimate = estimate
        self._said = said
        self._clock = clock
        self._asking = threading.Lock()
        self._known: tuple[int, Told] | None = None
        self._renewed_ms = 0  # when everything was asked for
        self._look_ms = 0  # from then on it is time to look for news

    def ready(self) -> Told | None:
        """The estimate, where nobody need be asked for it; never waits."""
        known, now_ms = self._known, self._clock.monotonic_ms()
        is_due = now_ms >= self._look_ms and not self._asking.locked()
        return None if known is None or is_due or now_ms - known[0] > KEEP_MS else known[1]

    def get(self) -> Told:
        """The estimate, at most `RENEW_MS` old; waits for whoever makes it."""
        with self._asking:
            now_ms = self._clock.monotonic_ms()
            if self._known is None or now_ms - self._renewed_ms > RENEW_MS:
                self._renewed_ms = now_ms
                return self._made(now_ms, None)
            known = self._known[1]
            if now_ms < self._look_ms:
                return known
            self._look_ms = now_ms + LOOK_MS
            said = self._said()
            return known if said <= known.said else self._made(now_ms, said)

    def _made(self, now_ms: int, said: frozenset[Reading] | None) -> Told:
        told = self._estimate(said)
        self._known = (now_ms, told)
        end_ms = self._clock.monotonic_ms()
        self._look_ms = end_ms + max(LOOK_MS, RESTS * (end_ms - now_ms))
        return told
