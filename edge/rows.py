"""Ranges of the spool's row ids, and what they are called on the wire."""

import re
from collections.abc import Iterable, Iterator

import msgspec

NAME = re.compile(rb"([0-9a-f]{16})-([0-9]{1,18})-([0-9]{1,18})")  # 18 digits always fit SQLite's 64 bits


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
    return f"{nonce}-{rows.first}-{rows.last}".encode()


def parse(nonce: str, named: bytes) -> Range | None:
    """The rows that `name` named; None for another spool's rows and for what is no name."""
    match = NAME.fullmatch(named)
    if match is None or match[1].decode() != nonce:
        return None
    rows = Range(int(match[2]), int(match[3]))
    return rows if rows.first <= rows.last else None
