"""What a route wants in the store: handed to the publisher, sent as a gateway would, and done once ingest says that it is stored.

The api has one way into the store, over the broker and ingest's checks; this is how somebody waits at its end.
"""

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from hoflicht.batch import batch, refusal
from hoflicht.broker import Message
from hoflicht.catalogue import API
from hoflicht.errors import BadPayload, Refused, Unavailable
from hoflicht.reading import Reading

MAX_WAITING = 8  # each holds a thread of the web server, of which there are 40
PATIENCE_S = 10.0  # a write takes under a second; who has waited longer is told that it may have failed


class Errand(NamedTuple):
    """Readings on their way; `stored` is done when they are in the store."""

    readings: Sequence[Reading]
    stored: Future[None]


class Errands:
    """Those under way. `run` may be called from any thread, the rest from the publisher's."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._waiting: queue.Queue[Errand] = queue.Queue(MAX_WAITING)
        self._sent: dict[bytes, Errand] = {}  # by correlation: those without a receipt
        self._count = 0

    def run(self, readings: Sequence[Reading]) -> None:
        """Return once `readings` are in the store.

        Raise Unavailable where nobody has confirmed it in time: they may be stored all the same, and saying it again does no harm.
        Raise Refused where ingest refuses them.
        """
        errand = Errand(readings, Future())
        try:
            self._waiting.put_nowait(errand)
            errand.stored.result(self._patience_s)
        except queue.Full as cause:
            raise Unavailable("too many are waiting for the broker") from cause
        except TimeoutError as cause:
            errand.stored.cancel()
            raise Unavailable(f"not confirmed within {self._patience_s:g} s") from cause

    def send(self, publish: Callable[[Message], object], now_ms: int) -> None:
        """Send those that somebody still waits for."""
        while not self._waiting.empty():
            errand = self._waiting.get_nowait()
            if not errand.stored.set_running_or_notify_cancel():
                continue
            self._count += 1
            correlation = b"errand-%d-%d" % (now_ms, self._count)
            try:
                publish(batch(API, correlation, errand.readings))
            except Unavailable as cause:
                errand.stored.set_exception(cause)
                continue
            self._sent[correlation] = errand
            for late in list(self._sent)[:-MAX_WAITING]:  # nobody waits for these any more
                del self._sent[late]

    def settle(self, receipt: Message) -> None:
        """Tell who waits what ingest answers."""
        errand = self._sent.pop(receipt.correlation, None)
        if errand is None:
            return  # that of an estimate, or too late
        try:
            reason = refusal(receipt)
        except BadPayload as cause:
            errand.stored.set_exception(Unavailable(str(cause)))
            return
        if reason is None:
            errand.stored.set_result(None)
        else:
            errand.stored.set_exception(Refused(reason))
