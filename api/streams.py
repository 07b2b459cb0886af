"""Server-sent events: each change is encoded once, and each client holds one slot per channel for the newest.

A queue per client would grow with the slowest of them, and a display has no use for a number that has been replaced. What a client
has not taken in when the next one comes is overwritten.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fastapi.responses import Response
from prometheus_client import Gauge
from starlette.types import Receive, Scope, Send

from api.guard import CALLER
from api.limits import ALL_STREAMS
from api.problems import Problem

MEDIA_TYPE = "text/event-stream"
PING_S = 15.0  # below the 30 s after which proxies and mobile networks drop an idle connection
PING = b": ping\n\n"
HELLO = b"retry: 5000\n\n"

clients = Gauge("hoflicht_api_streams", "Open event streams")


def event(name: str, data: bytes) -> bytes:
    """One event on the wire; `data` is a single line."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


class Slot:
    """What one client has still to be told: the newest event of each of its channels."""

    def __init__(self, channels: frozenset[str]) -> None:
        self._channels = channels
        self._pending: dict[str, bytes] = {}
        self._waiting: asyncio.Future[None] | None = None
        self._is_woken = False

    def put(self, news: Mapping[str, bytes]) -> None:
        """Let what is for this client wait for it."""
        mine = {channel: what for channel, what in news.items() if channel in self._channels}
        if mine:
            self._pending.update(mine)
            self.wake()

    def wake(self) -> None:
        """End `take` at once, or the next one."""
        self._is_woken = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def take(self, within_s: float) -> bytes:
        """What is to be told, once there is something; nothing after so long, or when woken."""
        if not self._is_woken:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            timer = loop.call_later(within_s, self.wake)
            try:
                await self._waiting
            finally:
                timer.cancel()
        taken = b"".join(self._pending.values())
        self._pending.clear()
        self._is_woken = False
        return taken


class Streams:
    """All open streams. `put` and `close` may be called from any thread, the rest from the server's loop."""

    def __init__(self, ping_s: float = PING_S, max_clients: int = ALL_STREAMS, max_of_one: int = ALL_STREAMS) -> None:
        self.ping_s = ping_s
        self._max_clients = max_clients
        self._max_of_one = max_of_one  # caller
        self._of = Counter[str]()
        self._latest: dict[str, bytes] = {}
        self._slots: set[Slot] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self.is_closed = False

    def put(self, news: Mapping[str, bytes]) -> None:
        """Make each `event` of `news` the newest of its channel."""
        with self._lock:
            self._latest |= news
            loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._spread, news)

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

    @property
    def is_empty(self) -> bool:
        """Whether nobody listens."""
        return not self._slots

    def has_enough(self, caller: str | None) -> bool:
        """Whether `caller` has as many as one may have."""
        return caller is not None and self._of[caller] >= self._max_of_one

    @contextmanager
    def slot(self, channels: frozenset[str], caller: str | None = None) -> Iterator[Slot]:
        """A client's place, with the newest events waiting in it."""
        slot = Slot(channels)
        with self._lock:
            self._loop = asyncio.get_running_loop()
            slot.put(self._latest)
        self._slots.add(slot)
        self._of.update([caller] if caller else [])
        clients.set(len(self._slots))
        try:
            yield slot
        finally:
            self._slots.discard(slot)
            self._of -= Counter([caller] if caller else [])  # keeps only who has one left
            clients.set(len(self._slots))

    def _spread(self, news: Mapping[str, bytes]) -> None:
        for slot in self._slots:
            slot.put(news)

    def _wake(self) -> None:
        for slot in self._slots:
            slot.wake()


class Stream(Response):
    """The answer to a client that wants to be told; it ends when the client or the server does.

    Who takes in nothing is cut off by his connection (`api.connections`).
    """

    def __init__(self, streams: Streams, channels: frozenset[str]) -> None:
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
        gone.add_done_callback(lambda _: slot.wake())
        what = HELLO
        try:
            while not gone.done() and not self._streams.is_closed:
                await send({"type": "http.response.body", "body": what, "more_body": True})
                what = await slot.take(self._streams.ping_s) or PING
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()


async def _disconnect(receive: Receive) -> bool:
    while (await receive())["type"] != "http.disconnect":
        pass
    return True
