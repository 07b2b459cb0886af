"""SML, the Smart Message Language of German electricity meters: pushed by itself every one to four seconds, 9600 8N1.

A transmission is `1B 1B 1B 1B 01 01 01 01 | messages, padded to four bytes | 1B 1B 1B 1B 1A padding crc crc`; 1B 1B 1B 1B in the
messages is sent twice. CRC-16/X-25 of all before it, low byte first.

Every value is a head and its bytes. The upper four bits of the head are its type (80: the next byte holds more of the length), the
lower four the length: of a list in values, of anything else in bytes, the head among them. A meter reading stands in the list of a
GetList response: name (OBIS), status, time, unit, power of ten, value, signature.

Source: BSI TR-03109-1, annex IV, part b (SML 1.04); units: DLMS Blue Book, table of `unit`; what real meters do:
volkszaehler/libsml, devZer0/libsml-testing.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from firmware_bridge.ccitt import crc16
from firmware_bridge.frames import Found, Frame, Noise, Resync, Sample, implausible
from hoflicht.quantities import QUANTITIES

ESCAPE, END = b"\x1b" * 4, 0x1A
START = ESCAPE + b"\x01" * 4
TAIL = 8  # bytes: escape, end, padding, CRC
MAX_FRAME = 2_048  # bytes: two seconds of the line; the longest that we know of, of a Holley that tells its history, has 684
OCTETS, TRUTH, SIGNED, UNSIGNED, LIST = 0x00, 0x40, 0x50, 0x60, 0x70
MAX_HEAD = 4  # bytes: a length of 16 bits
MAX_WIDTH = 8  # bytes of a number, by the standard
MAX_DEPTH = 8  # lists in lists; the time of a value is the seventh
MAX_POWER = 12  # of ten, either way: far beyond what meters say, and nobody can make us raise ten to a million

_PER_PHASE = {"active_power": 36, "voltage": 32, "current": 31}
_NAMES = {
    (1, 8, 0): "energy_import",
    (2, 8, 0): "energy_export",
    (16, 7, 0): "active_power",
    (14, 7, 0): "frequency",
    **{(first + 20 * n, 7, 0): f"{quantity}_l{n + 1}" for quantity, first in _PER_PHASE.items() for n in range(3)},
}
OBIS: Mapping[bytes, str] = {bytes((1, 0, *name, 255)): quantity for name, quantity in _NAMES.items()}
UNITS = {27: ("W", 0), 30: ("kWh", -3), 33: ("A", 0), 35: ("V", 0), 44: ("Hz", 0)}  # by DLMS number; watt hours are ours by 10^-3

# Meters DVS74 of DZG send 328.05 W as `53 80 25`: signed by its type and meant unsigned, whenever it takes less than four bytes.
# DZG itself names these numbers (volkszaehler/libsml, pull requests 66 and 136; issue 125 has it for phases).
DZG = b"\x0a\x01DZG"
DZG_WRONG = (range(42_000_000, 49_000_000), range(55_000_000, 59_000_000))
HOLLEY = b"\x0a\x01HLY"  # some DTZ541 send CRC-16/KERMIT, high byte first, from their RS-485 (spacemanspiff2007/SmlLib, issue 22)


class Number(msgspec.Struct, frozen=True):
    """An integer, and in how many bytes it came."""

    value: int
    width: int


Value: TypeAlias = "bytes | Number | tuple[Value, ...]"


class Decoder(Resync[Frame]):
    """What a meter pushes. One without its PIN says meter readings only, in whole kWh; what we do not know is left out.

    CRC-16 finds every corruption of up to 16 bits in a row and misses one in 65536 of the longer ones. A value outside its
    plausible range is given up alone, as a Noise without bytes.
    """

    def __init__(self) -> None:
        super().__init__(_look, ESCAPE[:1])


class _Unreadable(Exception):
    """Bytes that are no SML although their CRC is right."""


def _look(data: bytes, at: int) -> Found[Frame] | str | None:
    head = data[at : at + len(START)]
    if not START.startswith(head):
        return ""
    mark = _mark(data, at + len(START))
    is_whole = mark >= 0 and len(data) >= mark + TAIL
    end = mark + TAIL if is_whole else len(data) + 1
    if end - at > MAX_FRAME:
        return "no end"
    if not is_whole:
        return None
    return _read(data[at:end]) if data[mark + len(ESCAPE)] == END else "another one starts before its end"


def _mark(data: bytes, at: int) -> int:
    """Where the first escape from `at` on stands that is not doubled; negative: nowhere."""
    while (at := data.find(ESCAPE, at)) >= 0 and data.startswith(ESCAPE, at + len(ESCAPE)):
        at += 2 * len(ESCAPE)
    return at


def _read(frame: bytes) -> Found[Frame] | str:
    if not _is_sound(frame):
        return "wrong CRC"
    body = frame[len(START) : -TAIL].replace(2 * ESCAPE, ESCAPE)  # padding reads as ends of messages
    try:
        read = [item for message in _messages(body) for item in _said(message)]
    except _Unreadable as cause:
        return str(cause)
    samples = tuple(item for item in read if isinstance(item, Sample))
    return Found(len(frame), (Frame(samples), *(item for item in read if isinstance(item, Noise))))


def _is_sound(frame: bytes) -> bool:
    content, crc = frame[:-2], frame[-2:]
    if crc == (crc16(content, 0xFFFF) ^ 0xFFFF).to_bytes(2, "little"):
        return True
    return HOLLEY in content and crc == crc16(content, 0).to_bytes(2, "big")


def _messages(body: bytes) -> Iterator[Value]:
    at = 0
    while at < len(body):
        message, at = _value(body, at, 0)
        yield message


def _value(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    """The value at `at`, and where the next one stands; raise _Unreadable."""
    kind, length, start = _head(data, at)
    if kind == LIST:
        if depth == MAX_DEPTH:
            raise _Unreadable("lists in lists in lists")
        items: list[Value] = []
        for _ in range(length):  # each takes a byte at least: a list of thousands ends with the data
            item, start = _value(data, start, depth + 1)
            items.append(item)
        return tuple(items), start
    end = max(at + length, start)  # a length of 0 is the end of a message
    if end > len(data):
        raise _Unreadable("a value longer than its frame")
    if kind in (SIGNED, UNSIGNED):
        if not 1 <= end - start <= MAX_WIDTH:
            raise _Unreadable(f"a number of {end - start} bytes")
        return Number(int.from_bytes(data[start:end], "big", signed=kind == SIGNED), end - start), end
    if kind not in (OCTETS, TRUTH):
        raise _Unreadable(f"a value of the unknown type {kind:#04x}")
    return data[start:end], end


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Type, length, and where the bytes begin."""
    length = 0
    for place, byte in enumerate(data[at : at + MAX_HEAD], start=at):
        length = length << 4 | byte & 0x0F
        if not byte & 0x80:
            return data[at] & 0x70, length, place + 1
    raise _Unreadable("a head without an end")


def _said(message: Value) -> Iterator[Sample | Noise]:
    match message:
        case (_, _, _, (Number(value=0x0701), (_, bytes() as meter, _, _, tuple() as entries, *_)), *_):  # GetList response
            for entry in entries:
                yield from _reading(entry, _is_wrongly_signed(meter))
        case _:  # Open and Close responses
            return


def _reading(entry: Value, is_wrongly_signed: bool) -> Iterator[Sample | Noise]:
    match entry:
        case (bytes() as name, _, _, Number(value=unit), scaler, Number() as number, *_) if name in OBIS and unit in UNITS:
            quantity, (symbol, power) = OBIS[name], UNITS[unit]
        case _:
            return
    power += scaler.value if isinstance(scaler, Number) else 0
    if QUANTITIES[quantity].unit != symbol or abs(power) > MAX_POWER:
        return
    said = number.value
    if is_wrongly_signed and symbol == "W" and said < 0 and number.width < 4:
        said += 1 << 8 * number.width
    value = float(said * 10**power if power >= 0 else said / 10**-power)
    reason = implausible(quantity, value)
    yield Noise(b"", reason) if reason else Sample(quantity, value)


def _is_wrongly_signed(meter: bytes) -> bool:
    number = int.from_bytes(meter[len(DZG) :], "big")
    return meter.startswith(DZG) and any(number in wrong for wrong in DZG_WRONG)
