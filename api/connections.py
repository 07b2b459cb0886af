"""A connection of the web server that ends where its other side does nothing.

uvicorn bounds how long a connection rests between two requests, but neither how much comes of one nor how long it may take to
arrive, nor how long an answer may lie untaken, and once `limit_concurrency` connections are open it tells everybody to come back: a
few hundred that send one byte a minute (Slowloris) would be enough. So each connection is looked at every now and then; one that
has got nowhere since the last look is cut off, and one address opens only so many.
"""

import asyncio
from collections import Counter
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.guard import MAX_HEADER, MAX_TARGET
from api.limits import Callers, Limits

MAX_HEAD = MAX_TARGET + 2 * MAX_HEADER  # bytes; what is within it is answered with a reason (`api.guard`), beyond it nobody listens


def connections(limits: Limits) -> type[HttpToolsProtocol]:
    """The kind of connection of one server, which keeps to `limits`."""
    callers, opened = Callers(limits.proxies), Counter[str]()

    class Connection(HttpToolsProtocol):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self._caller: str | None = None
            self._look: asyncio.TimerHandle | None = None
            self._seen: object = None
            self._head: int | None = None  # bytes that have come of a request line and its fields; None: they are complete

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._look = self.loop.call_later(limits.patience_s, self._look_at)
            self._caller = callers.name(self.client[0]) if self.client else None
            if self._caller is None:
                return
            opened[self._caller] += 1
            if opened[self._caller] > limits.connections:
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self._look is not None:
                self._look.cancel()
            if self._caller is not None:
                opened[self._caller] -= 1
                if not opened[self._caller]:
                    del opened[self._caller]

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._head is not None:
                self._head += len(data)
                if self._head > MAX_HEAD and not self.transport.is_closing():
                    self.send_400_response("Request head too large.")

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._head = 0

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self._head = None

        def _look_at(self) -> None:
            waits = self._waits_for()
            if waits is not None and waits == self._seen:
                self.transport.abort()
                return
            self._seen = waits
            self._look = self.loop.call_later(limits.patience_s, self._look_at)

        def _waits_for(self) -> object:
            """What must change until the next look: the request that comes, or how much of an answer lies here; None: nothing."""
            untaken = self.transport.get_write_buffer_size()
            comes = self.cycle is None or self.cycle.response_complete or self.cycle.more_body
            return (self.cycle, untaken) if untaken or comes or self.transport.is_closing() else None

    return Connection
