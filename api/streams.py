"""Server-sent events: each change is encoded once, and each client holds one slot per channel for the newest.

A queue per client would grow with the slowest of them, and a display has no use for a number that has been replaced. What a client
has not taken in when the next one comes is overwritten.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from fastapi.responses import Response
from prometheus_client import Gauge
from starlette.types import Receive, Scope, Send

from api.guard import CALLER
from api.problems import Problem

MEDIA_TYPE = "text/event-stream"
MAX_CLIENTS = 1_000  # an open stream costs some 30 kB here; pages that find no place poll instead
PING_S = 15.0  # below the 30 s after which proxies and mobile networks drop an idle connection
SEND_S = 20.0  # a client that takes in nothing for so long is gone
PING = b": ping\n\n"
HELLO = b"retry: 5000\n\n"

clients = Gauge("hoflicht_api_streams", "Open event streams")


def event(name: str, data: bytes) -> bytes:
    """One event on the wire; `data` is a single line."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


class Slot:
    """What one client has still to be told: the newest event of each of its channels."""

    def __init__(self, channels: Iterable[str]) -> None:
        self.channels = frozenset(channels)
        self.pending: dict[str, bytes] = {}
        self.changed = asyncio.Event()

    def put(self, channel: str, what: bytes) -> None:
        if channel in self.channels:
            self.pending[channel] = what
            self.changed.set()

    def take(self) -> bytes:
        self.changed.clear()
        taken = b"".join(self.pending.values())
        self.pending.clear()
        return taken


class Streams:
    """All open streams. `put` and `close` may be called from any thread, the rest from the server's loop."""

    def __init__(self, ping_s: float = PING_S, max_clients: int = MAX_CLIENTS, max_of_one: int = MAX_CLIENTS) -> None:
        self.ping_s = ping_s
        self._max_clients = max_clients
        self._max_of_one = max_of_one  # caller
        self._of = Counter[str]()
        self._latest: dict[str, bytes] = {}
        self._slots: set[Slot] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self.is_closed = False

    def put(self, channel: str, what: bytes) -> None:
        """Make `what`, an `event`, the newest of `channel`."""
        with self._lock:
            self._latest[channel] = what
            loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._spread, channel, what)

    def close(self) -> None:
        """End every stream, so that the server can end."""
        self.is_closed = True
        with self._lock:
            loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    @property
    def is_full(self) -> bool:
        """Whether one more client is too many."""
        return len(self._slots) >= self._max_clients

    def has_enough(self, caller: str | None) -> bool:
        """Whether `caller` has as many as one may have."""
        return caller is not None and self._of[caller] >= self._max_of_one

    @contextmanager
    def slot(self, channels: Iterable[str], caller: str | None = None) -> Iterator[Slot]:
        """A client's place, with the newest events waiting in it."""
        slot = Slot(channels)
        with self._lock:
            self._loop = asyncio.get_running_loop()
            for channel in sorted(slot.channels & self._latest.keys()):
                slot.put(channel, self._latest[channel])
        self._slots.add(slot)
        self._of.update([caller] if caller else [])
        clients.set(len(self._slots))
        try:
            yield slot
        finally:
            self._slots.discard(slot)
            self._of -= Counter([caller] if caller else [])  # keeps only who has one left
            clients.set(len(self._slots))

    def _spread(self, channel: str, what: bytes) -> None:
        for slot in self._slots:
            slot.put(channel, what)

    def _wake(self) -> None:
        for slot in self._slots:
            slot.changed.set()


class Stream(Response):
    """The answer to a client that wants to be told; it ends when the client or the server does."""

    def __init__(self, streams: Streams, channels: Iterable[str]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, media_type=MEDIA_TYPE)
        self._streams = streams
        self._channels = channels

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._streams.is_full or self._streams.is_closed:
            await Problem.busy().response()(scope, receive, send)
            return
        caller = scope.get(CALLER)
        if self._streams.has_enough(caller):
            await Problem.crowded().response()(scope, receive, send)
            return
        with self._streams.slot(self._channels, caller) as slot:
            headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]  # it has no end to know
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._tell(slot, receive, send)

    async def _tell(self, slot: Slot, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_disconnect(receive))
        changed = asyncio.create_task(slot.changed.wait())
        what = HELLO
        try:
            while not gone.done() and not self._streams.is_closed:
                async with asyncio.timeout(SEND_S):
                    await send({"type": "http.response.body", "body": what, "more_body": True})
                await asyncio.wait((gone, changed), timeout=self._streams.ping_s, return_when=asyncio.FIRST_COMPLETED)
                what = slot.take() or PING
                if changed.done():
                    changed = asyncio.create_task(slot.changed.wait())
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # the server closes the connection of an answer that was not finished
        finally:
            gone.cancel()
            changed.cancel()


async def _disconnect(receive: Receive) -> bool:
    while (await receive())["type"] != "http.disconnect":
        pass
    return True
