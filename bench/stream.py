"""One change to thousands of open event streams of the real api: when the last of them has it, and what they cost.

The client is one loop over epoll that reads and notes the time, so that it leaves the server its core. A change is what the api
tells its streams every ten seconds. It begins when the first byte of it is anywhere: the bench cannot see into the api, whose
thread hands a change to all streams at once.
"""

import contextlib
import resource
import select
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from api.publisher import INTERVAL_S
from bench import show
from bench.served import YARD, Process, api

CLIENTS = 5_000
OF_ONE = 100  # from one address, as `[limits] streams` has it
CHANGES = 4
AT_ONCE = 100  # connections that are being made
REQUEST = f"GET /v1/yards/{YARD}/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode()
HELLO = b"retry: "
PATIENCE_S = 60.0
LIMITS = "[limits]\nproxies = []\nrequests_per_s = 1_000.0\n"  # no address is let off; each opens its streams at once
FILES = CLIENTS + 100


class Result(msgspec.Struct, frozen=True):
    """How long after its first byte each change was at the clients, in ms, and what the server took for it."""

    last_ms: list[float]  # the last client
    p99_ms: list[float]
    cpu_ms: list[float]
    alone_mb: float
    crowded_mb: float


class Crowd:
    """Clients that listen."""

    def __init__(self, port: int, clients: int) -> None:
        self._epoll = select.epoll()
        self._lines = {}
        for n in range(clients):
            line = socket.create_connection(("127.0.0.1", port), PATIENCE_S, (f"127.0.1.{1 + n // OF_ONE}", 0))
            line.sendall(REQUEST)
            line.setblocking(False)
            self._lines[line.fileno()] = line
            self._epoll.register(line, select.EPOLLIN)
            if n % AT_ONCE == AT_ONCE - 1:
                self.hear(AT_ONCE, HELLO)
        self.hear(clients % AT_ONCE, HELLO)

    def hear(self, clients: int, what: bytes) -> list[float]:
        """When each of so many clients had got all of the next event or other line that begins so."""
        at_s: list[float] = []
        said = dict.fromkeys(self._lines, b"")
        end_s = time.monotonic() + PATIENCE_S
        while len(at_s) < clients:
            for file, _ in self._epoll.poll(1.0):
                chunk = self._lines[file].recv(65_536)
                now_s = time.monotonic()
                before, said[file] = said[file], said[file] + chunk
                if not chunk or b" 503 " in chunk or b" 429 " in chunk:
                    raise ConnectionError(f"a stream ended: {said[file]!r}")
                if not _has(what, before) and _has(what, said[file]):
                    at_s.append(now_s)
            if time.monotonic() > end_s:
                raise TimeoutError(f"{len(at_s)} of {clients} clients have heard")
        return at_s

    def close(self) -> None:
        """All leave."""
        for line in self._lines.values():
            line.close()
        self._epoll.close()


def _has(what: bytes, said: bytes) -> bool:
    _, found, after = said.partition(what)
    return bool(found) and b"\n\n" in after


def rows() -> Iterator[str]:
    """The table's lines."""
    found = measure(CLIENTS, CHANGES)
    yield f"| {CLIENTS} event streams, one change: last byte, p99, ms | - | {_told(found.p99_ms)} | ≤ 500 |"
    yield f"| the same, the very last client, ms | - | {_told(found.last_ms)} | |"
    yield f"| the same, CPU of the api for one change, ms | - | {_told(found.cpu_ms)} | |"
    each_kb = (found.crowded_mb - found.alone_mb) * 1_000 / CLIENTS
    yield f"| the same, memory of the api, MB | - | {found.crowded_mb:.0f} | | | {each_kb:.1f} kB a stream | ≤ 300 |"


def measure(clients: int, changes: int) -> Result:
    """So many clients hear so many changes, after one that finds them all there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(FILES, hard)), hard))
    with TemporaryDirectory() as name, api(Path(name), LIMITS) as server:
        alone_mb = server.memory_mb()
        with contextlib.closing(Crowd(server.port, clients)) as crowd:
            crowd.hear(clients, b"event: wait")
            heard = [_change(server, crowd, clients) for _ in range(changes)]
            crowded_mb = server.memory_mb()
    return Result(
        last_ms=[at_ms[-1] for at_ms, _ in heard],
        p99_ms=[at_ms[int(0.99 * clients)] for at_ms, _ in heard],
        cpu_ms=[cpu_ms for _, cpu_ms in heard],
        alone_mb=alone_mb,
        crowded_mb=crowded_mb,
    )


def _change(server: Process, crowd: Crowd, clients: int) -> tuple[list[float], float]:
    time.sleep(INTERVAL_S / 2)  # what the last change brought is over
    cpu_s = server.cpu_s()
    at_s = sorted(crowd.hear(clients, b"event: wait"))
    return [1_000 * (each_s - at_s[0]) for each_s in at_s], 1_000 * (server.cpu_s() - cpu_s)


def _told(figures: Sequence[float]) -> str:
    return f"{statistics.median(figures):.0f} | | | {min(figures):.0f}–{max(figures):.0f}"


if __name__ == "__main__":
    show(rows())
