"""Ranges of the spool's row ids, and what they are called on the wire."""

from collections.abc import Iterable, Iterator

import msgspec

from hoflicht import varint
from hoflicht.errors import BadPayload

NONCE_BYTES = 4  # of the spool's eight: one in four billion spools is taken for its predecessor
MAX_DIGITS = 9  # of 7 bits: a row's id is below 2**63


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
    return bytes.fromhex(nonce)[:NONCE_BYTES] + varint.written(rows.first) + varint.written(rows.last - rows.first)


def parse(nonce: str, named: bytes) -> Range | None:
    """The rows that `name` named; None for another spool's rows and for what is no name."""
    if named[:NONCE_BYTES] != bytes.fromhex(nonce)[:NONCE_BYTES]:
        return None
    try:
        first = varint.read(named, NONCE_BYTES, MAX_DIGITS)
        more = first and varint.read(named, first[1], MAX_DIGITS)
    except BadPayload:
        return None
    return Range(first[0], first[0] + more[0]) if first and more and more[1] == len(named) else None
