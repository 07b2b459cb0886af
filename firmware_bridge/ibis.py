"""IBIS telegrams (VDV 300) to passenger signs: 1200 baud 7E2, ASCII text, CR, check byte.

The check byte is 7F xor all bytes before it, the CR included. Small numbers are "VDV hex" digits, `0123456789:;<=>?`. Seven bits
leave the umlauts the places of brackets, as in DIN 66003. Source: tests of public IBIS drivers; "IBIS Datensätze"
(cybox.ib-luehning.de).
"""

import re
import unicodedata
from typing import Literal

import msgspec

from firmware_bridge.devices import Line
from firmware_bridge.frames import Found, Resync
from firmware_bridge.letters import to_plain
from hoflicht.errors import BadConfig

LINE = Line(1200, 7, "E", 2)
CR = 0x0D
DIGITS = "0123456789:;<=>?"
BLOCK = 16  # characters: texts of variable length come in blocks
MAX_BLOCKS = 15  # one VDV digit
MAX_TELEGRAM = 4 + MAX_BLOCKS * BLOCK + 2  # bytes: the longest text with its head, CR and check byte

_UMLAUTS = str.maketrans("äöüßÄÖÜ", "{|}~[\\]")
_TO_UMLAUTS = {sign: letter for letter, sign in _UMLAUTS.items()}
# What a sign would show as an umlaut.
_TAKEN = str.maketrans("[]{}|\\~", "()()//-")

# Telegrams with their heads; address: one VDV digit, blocks: one VDV digit that counts the text in blocks of so many characters.
_TELEGRAMS: tuple[tuple[str, re.Pattern[bytes], int], ...] = (
    ("DS001", re.compile(rb"l(?P<text>\d{3})"), 0),
    ("DS003", re.compile(rb"z(?P<text>\d{3})"), 0),
    ("DS003a", re.compile(rb"zA(?P<blocks>[1-?])(?P<text>[ -~]+)"), BLOCK),
    ("DS003c", re.compile(rb"zI(?P<blocks>[1-?])(?P<text>[ -~]+)"), 4),
    ("DS005", re.compile(rb"u(?P<text>\d{4})"), 0),
    ("DS006", re.compile(rb"d(?P<text>\d{5})"), 0),
    ("DS009", re.compile(rb"v(?P<text>[ -~]{16}|[ -~]{20}|[ -~]{24})"), 0),
    ("DS020", re.compile(rb"a(?P<address>[0-?])(?P<text>)"), 0),
    ("DS021", re.compile(rb"aA(?P<address>[0-?])(?P<blocks>[1-?])(?P<text>[ -~]+)"), BLOCK),
    ("DS120", re.compile(rb"aV(?P<address>[0-?])(?P<text>)"), 0),
)


class Telegram(msgspec.Struct, frozen=True):
    """A telegram that a sign received: its name in VDV 300, its text with umlauts, the address of the sign where it names one."""

    name: str
    text: str
    address: int | None = None


class Decoder(Resync[Telegram]):
    """Telegrams of the bus, for a sign and for tests.

    The check byte has seven bits and misses one corruption in 128, so the telegram must be one we know, with exactly its length.
    """

    def __init__(self) -> None:
        super().__init__(_look)


def ds001(line: int) -> bytes:
    """Show line number `line`, 0 to 999."""
    return _telegram(f"l{_three_digits(line)}")


def ds003(destination: int) -> bytes:
    """Show the destination stored under this number, 0 to 999."""
    return _telegram(f"z{_three_digits(destination)}")


def ds003a(text: str) -> bytes:
    """Show `text` as destination, in lines of 16 characters as the sign has them; at most 240."""
    return _telegram(f"zA{_blocks(text)}")


def ds009(text: str, width: Literal[16, 20, 24] = 24) -> bytes:
    """Show `text` as next stop, cut or filled to `width` characters (DS009, DS009a, DS009b)."""
    return _telegram(f"v{to_ascii(text)[:width]:<{width}}")


def ds021(address: int, text: str) -> bytes:
    """Show `text` on the sign with this address, 0 to 15, in blocks of 16 characters; at most 240. Else raise BadConfig."""
    if not 0 <= address < len(DIGITS):
        raise BadConfig(f"address {address}: a sign has one of 0 to {len(DIGITS) - 1}")
    return _telegram(f"aA{DIGITS[address]}{_blocks(text)}")


def checksum(telegram: bytes) -> int:
    """The check byte of `telegram`, its CR included."""
    check = 0x7F
    for byte in telegram:
        check ^= byte
    return check & 0x7F


def to_ascii(text: str) -> str:
    """`text` in the sign's seven bits: umlauts in their places, other letters without accents, `?` for what has no likeness."""
    return "".join(
        letter.translate(_UMLAUTS) if ord(letter) in _UMLAUTS else to_plain(letter).translate(_TAKEN)
        for letter in unicodedata.normalize("NFC", text).replace("ẞ", "ß")
    )


def to_text(ascii_text: str) -> str:
    """What a sign shows for these seven-bit characters."""
    return ascii_text.translate(_TO_UMLAUTS)


def _telegram(text: str) -> bytes:
    body = text.encode("ascii") + bytes((CR,))
    return body + bytes((checksum(body),))


def _three_digits(number: int) -> str:
    if not 0 <= number <= 999:
        raise BadConfig(f"{number}: a line or destination has a number from 0 to 999")
    return f"{number:03}"


def _blocks(text: str) -> str:
    plain = to_ascii(text)[: MAX_BLOCKS * BLOCK]
    blocks = max(1, -(-len(plain) // BLOCK))
    return f"{DIGITS[blocks]}{plain:<{blocks * BLOCK}}"


def _look(data: bytes, at: int) -> Found[Telegram] | str | None:
    end = data.find(CR, at, at + MAX_TELEGRAM - 1)
    if end < 0:
        return None if len(data) - at < MAX_TELEGRAM else "no CR"
    if end + 1 == len(data):
        return None
    telegram = _read(data[at:end])
    if telegram is None:
        return "no telegram we know"
    if checksum(data[at : end + 1]) != data[end + 1]:
        return "wrong check byte"
    return Found(end + 2 - at, (telegram,))


def _read(body: bytes) -> Telegram | None:
    for name, pattern, block in _TELEGRAMS:
        match = pattern.fullmatch(body)
        if match is None:
            continue
        parts = match.groupdict()
        if block and len(parts["text"]) != DIGITS.index(parts["blocks"].decode()) * block:
            continue
        address = DIGITS.index(parts["address"].decode()) if "address" in parts else None
        return Telegram(name, to_text(parts["text"].decode()), address)
    return None
