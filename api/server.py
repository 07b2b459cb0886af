"""The web server: uvicorn on a socket of ours, in a thread of its own, gone at once when told so."""

import contextlib
import logging
import resource
import socket
import threading
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from api.connections import connections
from api.limits import Limits
from api.streams import Streams
from hoflicht import config
from hoflicht.errors import BadConfig

log = logging.getLogger(__name__)

PLAIN_REQUESTS = 500  # under way besides the streams; more than that are told to come back
BACKLOG = 512
KEEP_ALIVE_S = 5  # a page asks for its style and script at once, and then for the stream
OTHER_FILES = 256  # the store, the broker, what is read now and then, and who is just being told to come back
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
def serving(app: ASGIApp, listener: socket.socket, streams: Streams, limits: Limits) -> Iterator[None]:
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
        timeout_keep_alive=KEEP_ALIVE_S,
        limit_concurrency=limits.all_streams + PLAIN_REQUESTS,
        timeout_graceful_shutdown=GRACE_S,
    )
    _may_open(limits.all_streams + PLAIN_REQUESTS + OTHER_FILES)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        streams.close()
        server.should_exit = True
        thread.join(JOIN_S)


def _may_open(files: int) -> None:
    """Let this process have so many open; systemd starts it with 1 024, for the sake of select(2), and allows more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(files, hard)), hard))
    if hard < files:
        log.warning("%d open files are allowed, but [limits] all_streams needs %d: raise the limit (LimitNOFILE=)", hard, files)
