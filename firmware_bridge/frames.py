"""Frames: what a device said, and how frames are found again in a stream of bytes that has gaps and noise in it.

A codec says what stands at one place of the bytes (`Look`); `Resync` walks along. Where no frame starts it goes on by one byte
only, so that a good frame that begins inside a broken one is found.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeAlias, TypeVar

import msgspec

from hoflicht.quantities import QUANTITIES

NO_START = "no frame starts here"


class Sample(msgspec.Struct, frozen=True):
    """One value that a device said, in the unit that hoflicht.quantities gives the quantity."""

    quantity: str
    value: float  # finite
    sensor: str = ""  # set only where the device itself names it; else the port's
    site: str = ""  # likewise
    age_ms: int = 0  # how long before its frame it happened; never negative
    direction: str = ""  # of what passed: "inbound" comes nearer, "outbound" goes away; else empty


class Frame(msgspec.Struct, frozen=True):
    """A good frame. It may hold no samples: a sensor that warms up, a lidar that sees nothing."""

    samples: tuple[Sample, ...] = ()
    lost: int = 0  # frames that a gap in the sequence numbers shows as lost before this one
    is_doubtful: bool = False  # noise came shortly before: what is wrong with the line may have been too much for the checksum
    utc_ms: int | None = None  # Unix epoch, of its values: only a satellite receiver says it, from a fix


class Noise(msgspec.Struct, frozen=True):
    """Bytes that are part of no good frame, and why; no bytes where only one value of a good frame was given up."""

    data: bytes
    reason: str


class Decoder(Protocol):
    """Bytes in, frames out; the caller owns the port."""

    def feed(self, data: bytes) -> Iterator[Frame | Noise]:
        """Take `data` at once, even if the iterator is not consumed; hand out, in order, what it completes. Never raises."""
        ...

    @property
    def pending(self) -> int:
        """How many bytes wait for the rest of their frame; bounded by the longest frame of the protocol."""
        ...

    def give_up(self) -> Noise:
        """Wait no longer: what was pending is noise."""
        ...


T = TypeVar("T")


class Found(msgspec.Struct, Generic[T], frozen=True):
    """`length` bytes belong together and say `items`: usually one frame, none for a request that passes by."""

    length: int
    items: tuple[T | Noise, ...] = ()


# What stands at this place: something; nothing, and why (empty: it does not even look like a start); None: more bytes must come.
Look: TypeAlias = Callable[[bytes, int], Found[T] | str | None]


class Resync(Generic[T]):
    """A Decoder made of a `Look`, which must not wait any more once the longest frame is there: that bounds what is pending.

    Where every frame starts with the same byte, `head` names it, and noise is gone through at the speed of a search.
    """

    def __init__(self, look: Look[T], head: bytes = b"") -> None:
        self._look = look
        self._head = head
        self._pending = b""

    @property
    def pending(self) -> int:
        return len(self._pending)

    def feed(self, data: bytes) -> Iterator[T | Noise]:
        """Take `data` now; hand out, in order, what it completes. Neighbouring noise comes as one, with its first reason."""
        self._pending += data
        return iter(self._complete())

    def give_up(self) -> Noise:
        """Wait no longer: what was pending is noise."""
        noise, self._pending = Noise(self._pending, "the rest of a frame did not come"), b""
        return noise

    def _complete(self) -> list[T | Noise]:
        data = self._pending
        items: list[T | Noise] = []
        at = noise_from = 0
        reason = ""
        while at < len(data):
            seen = self._look(data, at)
            if seen is None:
                break
            if isinstance(seen, str):
                reason = reason or seen
                at = self._next(data, at + 1)
                continue
            if noise_from < at:
                items.append(Noise(data[noise_from:at], reason or NO_START))
            items += seen.items
            at = noise_from = at + seen.length
            reason = ""
        if noise_from < at:
            items.append(Noise(data[noise_from:at], reason or NO_START))
        self._pending = data[at:]
        return items

    def _next(self, data: bytes, at: int) -> int:
        """Where a frame may start, from `at` on."""
        found = data.find(self._head, at)
        return len(data) if found < 0 else found


def implausible(quantity: str, value: float) -> str:
    """Why `value` is no measurement of `quantity`: outside its range in hoflicht.quantities, or no number; else empty."""
    table = QUANTITIES[quantity]
    if table.low <= value <= table.high:
        return ""
    return f"{quantity} {value:g} is outside {table.low:g} to {table.high:g} {table.unit}"


def float32(data: bytes) -> float:
    """Read a big-endian IEEE 754 single, rounded to three decimals: finer than our devices measure, and 230.2 stays 230.2."""
    value: float = struct.unpack(">f", data)[0]
    return round(value, 3)
