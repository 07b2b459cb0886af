"""Ranges of the spool's row ids, and what they are called on the wire."""

from collections.abc import Iterable, Iterator

import msgspec

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
    return bytes.fromhex(nonce)[:NONCE_BYTES] + _digits(rows.first) + _digits(rows.last - rows.first)


def parse(nonce: str, named: bytes) -> Range | None:
    """The rows that `name` named; None for another spool's rows and for what is no name."""
    numbers = _numbers(named[NONCE_BYTES:])
    if named[:NONCE_BYTES] != bytes.fromhex(nonce)[:NONCE_BYTES] or len(numbers) != 2:
        return None
    first, more = numbers
    return Range(first, first + more)


def _digits(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have their highest bit set (LEB128)."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*digits, number))


def _numbers(digits: bytes) -> list[int]:
    """The numbers that `digits` is made of; none where it is not."""
    numbers, number, shift = [], 0, 0
    for digit in digits:
        number |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            numbers.append(number)
            number = shift = 0
        elif shift == 7 * MAX_DIGITS:
            return []
    return [] if shift else numbers
