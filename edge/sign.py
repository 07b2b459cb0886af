"""One sign that shows one yard's wait, and never an old one.

The number comes with its own end: the message expiry that the broker counts down, and the validity that the api gave it. Both are
spans, so the watchdog runs on the monotonic clock and works while the wall clock is wrong. A sign keeps its last text for ever;
therefore it is told that there is no number when there is none.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from edge import matrix, texts
from firmware_bridge import alpha, ibis, mobitec
from firmware_bridge.devices import Line
from firmware_bridge.port import Port
from hoflicht import wait as waits
from hoflicht.broker import Message
from hoflicht.clock import Clock
from hoflicht.instants import ms
from hoflicht.stop import Stopping
from hoflicht.wait import Wait

log = logging.getLogger(__name__)

LINE = 16  # characters of a block in DS003a and DS021
REPEAT_MS = 20_000  # a sign that was without power for a moment shows the number again after that
LOOK_S = 0.25  # how long a new or an expired number waits; an Alpha sign misses what comes sooner after the last packet
TURN_MS = 8_000  # of each text on a sign with one line; who drives by at walking pace reads both

Telegrams = tuple[bytes, ...]  # to be shown in turn; at least one


class Shape(msgspec.Struct, frozen=True):
    """How a sign was built, as far as its telegrams depend on it."""

    width: int = 16  # characters, of a sign with letters of its own
    address: int = 1
    columns: int = 112  # dots, of a sign that is told each
    rows: int = 16


Build = Callable[[Wait | None, Shape], Telegrams]


def _ds009(wait: Wait | None, shape: Shape) -> Telegrams:
    length: Literal[16, 20, 24] = 16 if shape.width <= 16 else 20 if shape.width <= 20 else 24
    return tuple(ibis.ds009(text, length) for text in texts.one_line(wait, shape.width))


def _ds003a(wait: Wait | None, _shape: Shape) -> Telegrams:
    return (ibis.ds003a(_two_blocks(wait)),)


def _ds021(wait: Wait | None, shape: Shape) -> Telegrams:
    return (ibis.ds021(shape.address, _two_blocks(wait)),)


def _two_blocks(wait: Wait | None) -> str:
    return "".join(f"{line:<{LINE}}" for line in texts.two_lines(wait))


def _alpha(wait: Wait | None, shape: Shape) -> Telegrams:
    return tuple(alpha.show(text) for text in texts.one_line(wait, shape.width))


def _mobitec(wait: Wait | None, shape: Shape) -> Telegrams:
    return tuple(mobitec.show(shape.address, picture) for picture in matrix.pictures(wait, shape.columns, shape.rows))


class Protocol(msgspec.Struct, frozen=True):
    """What a kind of sign is told, and over which line."""

    line: Line
    build: Build


PROTOCOLS: Mapping[str, Protocol] = {
    "ibis-ds009": Protocol(ibis.LINE, _ds009),
    "ibis-ds003a": Protocol(ibis.LINE, _ds003a),
    "ibis-ds021": Protocol(ibis.LINE, _ds021),
    "alpha": Protocol(alpha.LINE, _alpha),
    "mobitec": Protocol(mobitec.LINE, _mobitec),
}


class Latest:
    """The newest wait of a yard and until when it may be shown: filled by the uplink's thread, read by the sign's."""

    def __init__(self, yard: str, clock: Clock) -> None:
        self._yard = yard
        self._clock = clock
        self._lock = threading.Lock()
        self._wait: Wait | None = None
        self._until_ms = 0  # monotonic

    def take(self, message: Message) -> None:
        """Note what the api published; an empty, unreadable or undated message takes the number away."""
        try:
            wait = waits.decode(message.payload) if message.payload else None
        except msgspec.DecodeError as cause:
            log.warning("the wait of %s cannot be read (%s); its sign shows no number", self._yard, cause)
            wait = None
        lasts_ms = 0 if wait is None else self._lasts_ms(wait, message.expiry_s)
        with self._lock:
            self._wait, self._until_ms = wait, self._clock.monotonic_ms() + lasts_ms

    def get(self) -> Wait | None:
        """The wait, or None where there is none that may be shown now."""
        with self._lock:
            return self._wait if self._clock.monotonic_ms() < self._until_ms else None

    def _lasts_ms(self, wait: Wait, expiry_s: int | None) -> int:
        valid_ms = int((wait.valid_until - wait.as_of).total_seconds() * 1000)
        if expiry_s is not None:
            return min(valid_ms, expiry_s * 1000)
        # The broker does not count down, and a retained message may be old: only a clock that is set can tell how old.
        if not self._clock.is_set():
            return 0
        return min(valid_ms, ms(wait.valid_until) - self._clock.now_ms())


def run(port: Port, latest: Latest, telegrams: Callable[[Wait | None], Telegrams], clock: Clock, stopping: Stopping) -> None:
    """Keep the sign right until `stopping`; then take the number away, for nobody is left to do it later."""
    shown, shown_ms, opened = b"", 0, 0
    while not stopping.wait(LOOK_S):
        in_turn = telegrams(latest.get())
        wanted = in_turn[clock.monotonic_ms() // TURN_MS % len(in_turn)]
        is_due = clock.monotonic_ms() - shown_ms >= REPEAT_MS
        if (wanted != shown or is_due or port.opened != opened) and port.write(wanted):
            shown, shown_ms, opened = wanted, clock.monotonic_ms(), port.opened
    port.write(telegrams(None)[0])
