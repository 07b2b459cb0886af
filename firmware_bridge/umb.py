"""Lufft UMB, binary, version 1.0: weather stations, polled on RS-485, 19200 8N1.

`01 10 | to lo hi | from lo hi | length | 02 | command 10 payload… | 03 | crc lo hi | 04`; the length is that of command to payload.
The upper four bits of an address are the class of the device: 7001 is the first weather station, F001 the first master. Numbers
have their low byte first. CRC-16/MCRF4XX of all before it.

| command | a request's payload | an answer's |
|---|---|---|
| 23 | channel | status, channel, type, value |
| 2F | count, channels | status, count, and for each: length, status, channel, type, value |

Source: G. Lufft, "UMB Protocol 1.0" and "Operating Manual Smart Weather Sensor" ch. 19; frames of a WS10 in
OttHydromet/node-red-umbparser, doc/WS10DataDump.txt.
"""

import struct
from collections.abc import Iterable, Mapping

from firmware_bridge.ccitt import crc16
from firmware_bridge.frames import Found, Frame, Noise, Resync, Sample, implausible

SOH, VERSION, STX, ETX, EOT = 0x01, 0x10, 0x02, 0x03, 0x04
STATION, MASTER = 0x7, 0xF  # classes
ONE_CHANNEL, MANY_CHANNELS = 0x23, 0x2F
NO_SUCH_CHANNEL = 0x24  # the model does not measure that
HEAD, TAIL = 8, 4  # bytes before the command, and behind the payload
LAYOUTS = {0x10: "<B", 0x11: "<b", 0x12: "<H", 0x13: "<h", 0x14: "<I", 0x15: "<i", 0x16: "<f", 0x17: "<d"}

# Current values in metric units, each with the factor to ours. Manual, ch. 19.1; 903 is a WS10's, in klx, as
# OttHydromet/node-red-umbparser lists it.
CHANNELS: Mapping[int, tuple[str, float]] = {
    100: ("temperature", 1),
    200: ("humidity", 1),
    300: ("pressure", 1),
    400: ("wind_speed", 1),
    500: ("wind_direction", 1),
    820: ("rain_intensity", 1),
    900: ("global_radiation", 1),
    903: ("illuminance", 1_000),
}
# Bytes, each channel a double: the longest answer to what we ask. A false start must not make the frames behind it wait for more.
MAX_LENGTH = 4 + 13 * len(CHANNELS)


class Decoder(Resync[Frame]):
    """Answers of weather stations; requests, and what other devices on the bus say, are taken and say nothing.

    CRC-16 finds every corruption of up to 16 bits in a row and misses one in 65536 of the longer ones. A value that the station
    itself doubts, or that is outside its plausible range, is given up alone, as a Noise without bytes.
    """

    def __init__(self) -> None:
        super().__init__(_look, bytes((SOH,)))


def request(number: int, channels: Iterable[int] = CHANNELS) -> bytes:
    """Ask weather station `number` (1 to 255) for `channels`, all in one."""
    asked = b"".join(channel.to_bytes(2, "little") for channel in channels)
    body = bytes((MANY_CHANNELS, VERSION, len(asked) // 2)) + asked
    frame = struct.pack("<BBHHBB", SOH, VERSION, STATION << 12 | number, MASTER << 12 | 1, len(body), STX) + body + bytes((ETX,))
    return frame + crc16(frame, 0xFFFF).to_bytes(2, "little") + bytes((EOT,))


def _look(data: bytes, at: int) -> Found[Frame] | str | None:
    head = data[at : at + HEAD]
    if head[0] != SOH or head[1:2] not in (b"", bytes((VERSION,))):
        return ""
    if len(head) < HEAD:
        return None
    _, _, to, sender, length, stx = struct.unpack("<BBHHBB", head)
    if stx != STX or not 2 <= length <= MAX_LENGTH:
        return "no head of a frame"
    frame = data[at : at + HEAD + length + TAIL]
    if len(frame) < HEAD + length + TAIL:
        return None
    if frame[-4] != ETX or frame[-1] != EOT or crc16(frame[:-3], 0xFFFF) != int.from_bytes(frame[-3:-1], "little"):
        return "wrong CRC"
    return _answer(frame) if (sender >> 12, to >> 12) == (STATION, MASTER) else Found(len(frame))


def _answer(frame: bytes) -> Found[Frame] | str:
    command, payload = frame[HEAD], frame[HEAD + 2 : -TAIL]
    if payload[:1] > b"\0":
        return Found(len(frame), (Noise(frame, f"the station answers with status {payload[0]:#04x}"),))
    entries = _entries(command, payload)
    if entries is None:
        return "wrong length"
    read = [item for entry in entries if (item := _read(entry))]
    samples = tuple(item for item in read if isinstance(item, Sample))
    return Found(len(frame), (Frame(samples), *(item for item in read if isinstance(item, Noise))))


def _entries(command: int, payload: bytes) -> list[bytes] | None:
    """Status, channel, type and value of each channel; None where the lengths do not fit."""
    if command != MANY_CHANNELS:
        return [payload] if command == ONE_CHANNEL else []
    entries: list[bytes] = []
    left = payload[2:]
    while left:
        length, left = left[0], left[1:]
        entries.append(left[:length])
        if not length or len(left) < length:
            return None
        left = left[length:]
    return entries if len(entries) == int.from_bytes(payload[1:2], "big") else None


def _read(entry: bytes) -> Sample | Noise | None:
    quantity, factor = CHANNELS.get(int.from_bytes(entry[1:3], "little"), ("", 0))
    if not quantity or entry[0] == NO_SUCH_CHANNEL:
        return None
    if entry[0]:
        return Noise(b"", f"{quantity}: status {entry[0]:#04x}")
    layout = LAYOUTS.get(int.from_bytes(entry[3:4], "big"), "")
    if not layout or struct.calcsize(layout) != len(entry[4:]):
        return Noise(b"", f"{quantity}: no number of a known type")
    value = round(struct.unpack(layout, entry[4:])[0] * factor, 3)  # finer than it measures, and 0.1 stays 0.1
    reason = implausible(quantity, value)
    return Noise(b"", reason) if reason else Sample(quantity, value)
