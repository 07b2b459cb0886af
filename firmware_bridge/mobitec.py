"""Mobitec signs (Luminator): LED and flip-dot matrices of buses, each dot told by us, RS-485 4800 8N1.

A telegram is FF, address, A2, size, sections, check byte, FF. A section has its place and a font; font 77 has a letter for each of
the 32 ways in which five dots can stand above each other (20 and 1 for the uppermost, 2, 4, 8, 16), so a picture is a strip of such
letters for each five rows, and the place of a strip is the row below it. The check byte is the sum of all behind the first FF, with
FE sent as FE 00 and FF as FE 01. Sources: Nosen92/maskin-flipdot protocol.md and mobitec.py, of which the printed sums are wrong; a
C program for the same sign.
"""

import re

import msgspec

from firmware_bridge.devices import Line
from firmware_bridge.dots import DARK, LIT, Dots, width
from firmware_bridge.frames import NO_START, Found, Resync

LINE = Line(4800)
EDGE = 0xFF  # begins and ends a telegram
TEXT_MODE = 0xA2
COLUMNS, ROWS, LEFT, BELOW, FONT = 0xD0, 0xD1, 0xD2, 0xD3, 0xD4  # what the byte behind each of these means
STRIPS = 0x77  # the font of five dots above each other
STRIP_ROWS = 5
NO_DOT = 0x20
MAX_COLUMNS, MAX_ROWS = 250, 26  # no byte is FE or FF then; that much takes 3.2 s on the line, and a port waits 5 s
MAX_TELEGRAM = 7 + (6 + MAX_COLUMNS) * -(-MAX_ROWS // STRIP_ROWS) + 3  # bytes

_STRIP = rb"\xd2\x00\xd3[\x05-\x1e]\xd4\x77[ -?]+"
_TELEGRAM = re.compile(
    rb"\xff(?P<checked>[\x00-\x0f]\xa2\xd0(?P<columns>[\x01-\xfa])\xd1(?P<rows>[\x01-\x1a])(?P<strips>(?:%s)+))"
    rb"(?P<sum>\xfe[\x00\x01]|[\x00-\xfd])\xff" % _STRIP,
    re.DOTALL,
)


class Picture(msgspec.Struct, frozen=True):
    """What the sign with this address was told to show."""

    address: int
    dots: Dots


class Decoder(Resync[Picture]):
    """Pictures of the bus, for tests and previews. The sum misses some corruption, so the strips must fill the sign exactly."""

    def __init__(self) -> None:
        super().__init__(_look, bytes((EDGE,)))


def show(address: int, picture: Dots) -> bytes:
    """The telegram that shows `picture`, as large as the sign: at most MAX_COLUMNS by MAX_ROWS, on the sign with this address."""
    checked = bytes((address, TEXT_MODE, COLUMNS, width(picture), ROWS, len(picture)))
    for top in range(0, len(picture), STRIP_ROWS):
        strip = picture[top : top + STRIP_ROWS]
        columns = (sum(1 << n for n, row in enumerate(strip) if row[x] == LIT) for x in range(width(picture)))
        checked += bytes((LEFT, 0, BELOW, top + STRIP_ROWS, FONT, STRIPS, *(NO_DOT + column for column in columns)))
    return bytes((EDGE,)) + checked + checksum(checked) + bytes((EDGE,))


def checksum(checked: bytes) -> bytes:
    """Of all between the first FF and itself, as it is sent: one byte or two."""
    check = sum(checked) & 0xFF
    return bytes((check,)) if check < 0xFE else bytes((0xFE, check - 0xFE))


def _look(data: bytes, at: int) -> Found[Picture] | str | None:
    if data[at] != EDGE:
        return NO_START
    end = data.find(EDGE, at + 1, at + MAX_TELEGRAM)
    if end < 0:
        return None if len(data) - at < MAX_TELEGRAM else "a telegram without end"
    telegram = _TELEGRAM.fullmatch(data, at, end + 1)
    if telegram is None:
        return "no telegram that shows a picture"
    if checksum(telegram["checked"]) != telegram["sum"]:
        return "wrong check byte"
    dots = _dots(telegram["strips"], telegram["columns"][0], telegram["rows"][0])
    return "the strips are not those of the sign" if dots is None else Found(end + 1 - at, (Picture(telegram["checked"][0], dots),))


def _dots(strips: bytes, columns: int, rows: int) -> Dots | None:
    length = 6 + columns
    if len(strips) != length * -(-rows // STRIP_ROWS):
        return None
    drawn: list[str] = []
    for top in range(0, rows, STRIP_ROWS):
        strip = strips[top // STRIP_ROWS * length :][:length]
        if strip[:6] != bytes((LEFT, 0, BELOW, top + STRIP_ROWS, FONT, STRIPS)):
            return None
        drawn += ["".join(LIT if letter - NO_DOT >> n & 1 else DARK for letter in strip[6:]) for n in range(STRIP_ROWS)]
    return tuple(drawn[:rows])
