"""The web server: uvicorn on a socket of ours, in a thread of its own, gone at once when told so."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from api.connections import connections
from api.guard import MAX_HEADER, MAX_TARGET
from api.limits import Limits
from api.streams import MAX_CLIENTS, Streams
from hoflicht import config
from hoflicht.errors import BadConfig

PLAIN_REQUESTS = 500  # under way besides the streams; more than that are told to come back
BACKLOG = 512
KEEP_ALIVE_S = 5  # a page asks for its style and script at once, and then for the stream
GRACE_S = 2  # for answers under way when we end; streams end at once
JOIN_S = 5.0


def listen(address: str) -> socket.socket:
    """A socket that listens on "host:port"; raise BadConfig where that is no address of this machine or in use."""
    host, port = config.address("listen =", address, "127.0.0.1:8000")
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG)
        # Connections inherit it. asyncio sets it only where a socket names its protocol; without it the second part of an answer on
        # a kept connection waits for the other side's acknowledgement, 40 ms on Linux.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as cause:
        raise BadConfig(
            f'listen = "{address}": {(cause.strerror or str(cause)).partition(" (")[0]}; choose another address or port'
        ) from cause


@contextlib.contextmanager
def serving(app: FastAPI, listener: socket.socket, streams: Streams, limits: Limits) -> Iterator[None]:
    """Answer on `listener` while the block runs; then end `streams` and close."""
    config = uvicorn.Config(
        app,
        http=connections(limits),
        ws="none",
        log_config=None,
        log_level="error",  # that it starts and ends we say ourselves, and strangers who send nonsense fill no log
        access_log=False,  # addresses of citizens belong into no log
        lifespan="off",
        server_header=False,
        forwarded_allow_ips=list(limits.proxies),
        h11_max_incomplete_event_size=MAX_TARGET + 2 * MAX_HEADER,  # beyond what is answered with a reason it just closes
        timeout_keep_alive=KEEP_ALIVE_S,
        limit_concurrency=MAX_CLIENTS + PLAIN_REQUESTS,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        streams.close()
        server.should_exit = True
        thread.join(JOIN_S)
