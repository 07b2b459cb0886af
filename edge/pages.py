"""Rows out of single pages of an SQLite file, without SQLite: a damaged page then costs what stood on it, and no more.

SQLite finds a row by way of the pages above it, so that one bad page near the root hides all behind it. But every leaf of a table
holds its rows whole, with their ids, and a row of ours is far smaller than a page and never spills. Layout: "Database File Format",
sqlite.org/fileformat2.html, §1.5 free pages, §1.6 b-tree pages, §2.1 records, §4.1 the log.
"""

import itertools
import struct
from collections.abc import Iterator
from typing import BinaryIO, TypeAlias

from edge.disk import PAGE_BYTES

LEAF = 0x0D  # a leaf of a table, in a page's first byte
LOG_HEAD, FRAME_HEAD = 32, 24
SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)  # bytes of a value by its serial type; from 12 on texts and blobs
FIRST_TEXT = 12

Value: TypeAlias = int | float | str | bytes | None
Row: TypeAlias = tuple[int, list[Value]]  # its id and its columns; the column that is the id is None there


def in_use(file: BinaryIO) -> Iterator[bytes]:
    """The pages of a database but for the free ones, as far as the list of those can be read."""
    free = frozenset(_free(file))
    for number in itertools.count(1):
        page = _page(file, number)
        if not page:
            return
        if number not in free:
            yield page


def in_log(log: bytes) -> Iterator[bytes]:
    """The pages in a write-ahead log whose own checksum is right; SQLite itself stops at the first one that is not."""
    frame = FRAME_HEAD + PAGE_BYTES
    before = log[24:32]  # a checksum goes on from the one before it
    for start in range(LOG_HEAD, len(log) - frame + 1, frame):
        page = log[start + FRAME_HEAD : start + frame]
        own = log[start + 16 : start + 24]
        if _checksum(log[start : start + 8] + page, before) == own:
            yield page
        before = own


def rows(page: bytes) -> Iterator[Row]:
    """The rows of a table's leaf that can be read; none of any other page, nor of what is no page."""
    if len(page) != PAGE_BYTES or page[0] != LEAF:
        return
    count = min(int.from_bytes(page[3:5], "big"), (PAGE_BYTES - 8) // 2)
    for (at,) in struct.iter_unpack(">H", page[8 : 8 + 2 * count]):
        try:
            yield _row(page, at)
        except (IndexError, ValueError):  # a text that is none is a ValueError too
            continue


def _row(page: bytes, at: int) -> Row:
    size, at = _varint(page, at)
    identity, at = _varint(page, at)
    head, first = _varint(page, at)
    value_at, end = at + head, at + size
    if not first <= value_at <= end <= PAGE_BYTES:
        raise ValueError("no record")
    values: list[Value] = []
    while first < at + head:
        kind, first = _varint(page, first)
        length = SIZES[kind] if kind < FIRST_TEXT else (kind - FIRST_TEXT) // 2
        values.append(_value(kind, page[value_at : value_at + length]))
        value_at += length
    if value_at != end:
        raise ValueError("no record")
    return identity, values


def _value(kind: int, data: bytes) -> Value:
    if kind in (0, 8, 9):
        return (None, 0, 1)[max(0, kind - 7)]
    if kind == 7:
        number: float = struct.unpack(">d", data)[0] if len(data) == 8 else float("nan")
        return number
    if kind < FIRST_TEXT:
        return int.from_bytes(data, "big", signed=True)
    return data.decode() if kind % 2 else data


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where the next begins."""
    number = 0
    for _ in range(8):
        number = number << 7 | data[at] & 0x7F
        at += 1
        if data[at - 1] < 0x80:
            return number, at
    return number << 8 | data[at], at + 1


def _checksum(data: bytes, before: bytes) -> bytes:
    # Sums of little-endian words: the order is the writing machine's, and all of ours are little-endian.
    first, second = struct.unpack(">2I", before)
    for even, odd in struct.iter_unpack("<2I", data):
        first = first + even + second & 0xFFFFFFFF
        second = second + odd + first & 0xFFFFFFFF
    return struct.pack(">2I", first, second)


def _free(file: BinaryIO) -> Iterator[int]:
    trunk, seen = int.from_bytes(_page(file, 1)[32:36], "big"), set[int]()
    while trunk and trunk not in seen:
        seen.add(trunk)
        page = _page(file, trunk)
        count = int.from_bytes(page[4:8], "big")
        if len(page) != PAGE_BYTES or count > PAGE_BYTES // 4 - 2:
            return
        yield trunk
        yield from struct.unpack(f">{count}I", page[8 : 8 + 4 * count])
        trunk = int.from_bytes(page[:4], "big")


def _page(file: BinaryIO, number: int) -> bytes:
    file.seek((number - 1) * PAGE_BYTES)
    return file.read(PAGE_BYTES)
