"""Ranges of the spool's row ids, and what they are called on the wire."""

from collections.abc import Iterable, Iterator

import msgspec

from hoflicht import varint
from hoflicht.errors import BadPayload

FIRST_BYTES = 6  # counted from a random number: of spools with 40 million rows one in seven million is taken for its predecessor
ROWS = 1 << 8 * FIRST_BYTES  # ids; a thousand a second are that many in nine thousand years
MAX_DIGITS = 7  # of 7 bits: what comes after the first row is below ROWS


class Range(msgspec.Struct, frozen=True, order=True):
    """Rows by their ids, both ends included."""

    first: int
    last: int


def gaps(wanted: Range, busy: Iterable[Range]) -> Iterator[Range]:
    """What is left of `wanted` between the ranges of `busy`, in order."""
    first = wanted.first
    for taken in sorted(busy):
        last = min(taken.first - 1, wanted.last)
        if first <= last:
            yield Range(first, last)
        first = max(first, taken.last + 1)
    if first <= wanted.last:
        yield Range(first, wanted.last)


def name(nonce: str, rows: Range) -> bytes:
    """What the wire calls these rows of the spool with this nonce (docs/decisions/0001)."""
    return ((_zero(nonce) + rows.first) % ROWS).to_bytes(FIRST_BYTES, "big") + varint.written(rows.last - rows.first)


def parse(nonce: str, named: bytes) -> Range | None:
    """The rows that `name` named; None for what is no name. Another spool's rows lie far beyond all that there have been."""
    first = (int.from_bytes(named[:FIRST_BYTES], "big") - _zero(nonce)) % ROWS
    try:
        more = varint.read(named, FIRST_BYTES, MAX_DIGITS)
    except BadPayload:
        return None
    return Range(first, first + more[0]) if more and more[1] == len(named) else None


def _zero(nonce: str) -> int:
    """From where the rows count: of the nonce's end, for names have begun with its begin."""
    return int.from_bytes(bytes.fromhex(nonce)[-FIRST_BYTES:], "big")
