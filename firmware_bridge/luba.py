"""Lunatone LUBA: a DALI bus behind RS-232, 38400 8N1.

`59 command length data… check`, check = xor of all bytes from the command on. We say 32, "send this DALI frame": bus, bits, mode,
four bytes of frame. The gateway says 33 once it has taken it, then an event 31 for each frame that went over the bus, in order:
tick (two bytes), bus, status, the frame. A driver's answer is the event after its question's; "no" is no event at all.
Source: python-dali 0.16, dali/driver/serial.py, after Lunatone's "LUBA Protocol"; never tried on hardware here.
"""

from functools import reduce
from operator import xor
from typing import TypeAlias

import msgspec

from firmware_bridge.devices import Line
from firmware_bridge.frames import Found, Noise, Resync

LINE = Line(38400)
HEAD = 0x59
INFO, SETTINGS, SEND = 0x20, 0x2A, 0x32  # what we say; the gateway's answer to each has the next number
EVENT = 0x31
LENGTHS = {INFO + 1: range(20, 21), SETTINGS + 1: range(2, 4), EVENT: range(4, 10), SEND + 1: range(1, 3)}  # bytes of data
TWICE = 0x80
COMMAND, QUERY = 2, 5  # priorities of DALI-2 (IEC 62386-101): what a person waits for, and what can wait for it
SENT, RECEIVED = 0, 2  # kinds of events; we want no others
NO_BUFFER_EVENTS, NO_MACRO_EVENTS = 0x10, 0x02
NO_POWER = 1  # why a frame is declined; others: 2, 3 not now, 4 too many, 5 no such bus, 6 no such frame, 7 a macro runs
ONLY_STOP, FRAMING_ERROR = 62, 63  # instead of a number of bits
MAX_BITS = 32
# A driver answers within 10.5 ms and speaks for 10 ms (IEC 62386-101), and a USB adapter may hold its bytes back for another 16 ms.
ANSWER_S = 0.05  # after Sent; then the answer is "no"
SENT_S = 1.0  # after `send`; python-dali waits so long on a busy bus


class Sent(msgspec.Struct, frozen=True):
    """The gateway put this frame on the bus; one that goes twice is told twice."""

    frame: bytes


class Answer(msgspec.Struct, frozen=True):
    """Eight bits that a driver said, to the last frame that was Sent before, however late they come."""

    value: int


class Garbled(msgspec.Struct, frozen=True):
    """Something answered that cannot be read: two drivers at once, or noise on the bus."""

    reason: str


class Overheard(msgspec.Struct, frozen=True):
    """Another controller on the bus said this."""

    frame: bytes


class Taken(msgspec.Struct, frozen=True):
    """The gateway has taken a frame and will send it."""


class Declined(msgspec.Struct, frozen=True):
    """The gateway does not send the last frame it was given."""

    code: int  # NO_POWER and others


class Info(msgspec.Struct, frozen=True):
    """What the gateway says of itself."""

    gtin: int
    serial: int
    article: int


class Settings(msgspec.Struct, frozen=True):
    """How the gateway works, and which events it does not tell."""

    mode: int
    no_events: int


Said: TypeAlias = Sent | Answer | Garbled | Overheard | Taken | Declined | Info | Settings

WANTED = Settings(mode=0x00, no_events=NO_BUFFER_EVENTS | NO_MACRO_EVENTS)


class Decoder(Resync[Said]):
    """What a gateway says.

    Its 8-bit check misses two flipped bits in the same place of two bytes; command, length and kind of event must fit as well.
    """

    def __init__(self) -> None:
        super().__init__(_look, bytes((HEAD,)))


def send(frame: bytes, *, twice: bool = False, priority: int = COMMAND) -> bytes:
    """Ask the gateway to send a DALI `frame` of up to four bytes, where asked twice in a row, as DALI wants it of settings."""
    mode = priority | (TWICE if twice else 0)
    return _message(SEND, bytes((0, 8 * len(frame), mode)) + frame.ljust(4, b"\0"))


def _message(command: int, data: bytes) -> bytes:
    body = bytes((command, len(data))) + data
    return bytes((HEAD,)) + body + bytes((_check(body),))


def _check(body: bytes) -> int:
    return reduce(xor, body)


START = (_message(INFO, b"\0"), _message(SETTINGS, bytes((WANTED.mode, WANTED.no_events))))  # each time the port was opened


def _look(data: bytes, at: int) -> Found[Said] | str | None:
    head = data[at : at + 3]
    if head[0] != HEAD or (len(head) > 1 and head[1] not in LENGTHS):
        return ""
    if len(head) < 3:
        return None
    if head[2] not in LENGTHS[head[1]]:
        return "wrong length"
    message = data[at : at + 4 + head[2]]
    if len(message) < 4 + head[2]:
        return None
    if _check(message[1:-1]) != message[-1]:
        return "wrong check byte"
    return Found(len(message), (_said(message[1], message[3:-1]) or Noise(message, "an event of unknown kind"),))


def _said(command: int, data: bytes) -> Said | None:
    if command == EVENT:
        return _event(data[3] >> 6, data[3] & 0x3F, data[4:])
    if command == SETTINGS + 1:
        return Settings(data[0], data[1])
    if command == SEND + 1:
        return Declined(data[0]) if len(data) == 1 else Taken()
    gtin, serial, article = (int.from_bytes(data[start:end], "big") for start, end in ((0, 6), (6, 14), (16, 20)))
    return Info(gtin, serial, article)


def _event(kind: int, bits: int, rest: bytes) -> Said | None:
    if kind == SENT and len(rest) > 1:
        return Sent(rest[1:])  # after the gateway's number for it
    if kind != RECEIVED:
        return None
    if bits in (ONLY_STOP, FRAMING_ERROR):
        return Garbled("only a stop condition" if bits == ONLY_STOP else "framing error")
    if not 1 <= bits <= MAX_BITS or len(rest) != (bits + 7) // 8:
        return None
    return Answer(rest[0]) if bits == 8 else Overheard(rest)
