"""`GET /v1/yards/{id}/wait` of the real api, beside a bare Starlette route that returns the same bytes on the same settings.

Both processes run all the time and are asked in turn, over connections that are kept, by a client that only counts bytes.
"""

import asyncio
import statistics
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench import show
from bench.served import YARD, Process, api, running
from tests.conftest import free_port

PATH = f"/v1/yards/{YARD}/wait"
ROUNDS = 7
ROUND_S = 2.0
WARM_S = 10.0  # at its start the api learns from the days before
CONNECTIONS = 16  # enough that the server never waits for a question
REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".encode()
PATIENCE_S = 30.0


class Round(msgspec.Struct, frozen=True):
    """Answers a second, and a second of the server's processor time."""

    per_s: float
    per_cpu_s: float


class Line(asyncio.Protocol):
    """A connection that asks again as soon as it has an answer."""

    def __init__(self) -> None:
        self.answers = 0
        self._transport: asyncio.Transport | None = None
        self._due = 0  # bytes of the answer still to come
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        if not self._due:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 200 "):
                raise ValueError(head)
            length = int(head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0])
            self._due, self._head, data = length, b"", body
        self._due -= len(data)
        if not self._due:
            self.answers += 1
            assert self._transport is not None
            self._transport.write(REQUEST)


def rows() -> Iterator[str]:
    """The table's lines."""
    ours, bare = measure()
    yield _row("`GET /wait`, requests/s", [one.per_s for one in ours], [one.per_s for one in bare], "≥ 0.8")
    yield _row("`GET /wait`, requests/CPU s", [one.per_cpu_s for one in ours], [one.per_cpu_s for one in bare], "")


def measure(rounds: int = ROUNDS, round_s: float = ROUND_S) -> tuple[list[Round], list[Round]]:
    """Ours and the peer's rounds."""
    with TemporaryDirectory() as name, api(Path(name)) as ours:
        body = Path(name) / "body"
        body.write_bytes(_body(ours.port))
        port = free_port()
        command = [sys.executable, "-m", "bench.peers.starlette.bare", str(port), PATH, str(body)]
        with running(port, command, Path(name) / "bare.log") as bare:
            for warmed in (ours, bare):
                asyncio.run(_round(warmed, WARM_S))
            pairs = [(asyncio.run(_round(ours, round_s)), asyncio.run(_round(bare, round_s))) for _ in range(rounds)]
    return [one for one, _ in pairs], [other for _, other in pairs]


def _body(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{PATH}", timeout=PATIENCE_S) as answer:
        body: bytes = answer.read()
        return body


async def _round(server: Process, round_s: float) -> Round:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Line, "127.0.0.1", server.port) for _ in range(CONNECTIONS)]
    cpu_s, start_s, before = server.cpu_s(), time.monotonic(), sum(line.answers for _, line in made)
    await asyncio.sleep(round_s)
    answers = sum(line.answers for _, line in made) - before
    cpu_s, wall_s = server.cpu_s() - cpu_s, time.monotonic() - start_s
    for transport, _ in made:
        transport.close()
    await asyncio.sleep(0)
    return Round(answers / wall_s, answers / cpu_s)


def _row(what: str, ours: list[float], bare: list[float], to_reach: str) -> str:
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    told = f"{statistics.median(ours):.0f} | {statistics.median(bare):.0f} | {statistics.median(ratios):.2f}"
    return f"| {what} | a bare Starlette route | {told} | {min(ratios):.2f}–{max(ratios):.2f} | {to_reach} |"


if __name__ == "__main__":
    show(rows())
