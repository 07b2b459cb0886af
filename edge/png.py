"""A picture with few colours as a PNG file (RFC 2083), so that a gateway needs no library for one."""

import struct
import zlib
from collections.abc import Sequence

Colour = tuple[int, int, int]  # red, green, blue
SIGNATURE = b"\x89PNG\r\n\x1a\n"
BITS, INDEXED = 8, 3  # a byte for each pixel, which is the number of a colour
NO_FILTER = b"\x00"  # before each row


def png(rows: Sequence[bytes], colours: Sequence[Colour]) -> bytes:
    """The file for `rows` of equal length, whose bytes count in `colours`."""
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), BITS, INDEXED, 0, 0, 0)
    palette = b"".join(bytes(colour) for colour in colours)
    data = zlib.compress(b"".join(NO_FILTER + row for row in rows), 9)
    return SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"PLTE", palette) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
