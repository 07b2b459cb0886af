"""Alpha signs (M-Protocol: Adaptive, BetaBrite): packets of text, 9600 7E1.

Only the priority file is written: label 0, always there, shown before all else that the sign may hold, held still. It blinks when
it is written. String files would not, but memory has to be set up for them, which blanks the sign and leaves it deaf for seconds; a
sign without power for a day has forgotten it, and a line that goes one way does not tell. A packet with a wrong checksum is dropped
by the sign, which does not say so either. Sources: "Alpha Sign Communications Protocol" 9708-8061; measured on a BetaBrite Classic
in mjaksn/readerboard docs/protocol-notes.md.
"""

import re
import unicodedata

import msgspec

from firmware_bridge.devices import Line
from firmware_bridge.frames import NO_START, Found, Resync
from firmware_bridge.letters import to_plain

LINE = Line(9600, 7, "E", 1)
SOH, STX, ETX, EOT = b"\x01", b"\x02", b"\x03", b"\x04"
WAKE = bytes(5)  # by which the sign finds the speed of the line
ALL = b"Z00"  # signs of every type at every address: one line, one sign
PRIORITY = b"0"
HOLD = b"\x1b b"  # in the middle, still; a text wider than the sign runs through
MAX_TEXT = 125 - len(HOLD)  # bytes; the priority file has 125
MAX_PACKET = 256  # bytes from SOH on, more than a priority file makes

# Beyond ASCII a character is 08 and its code less 60. The codes from 80 to A8 are those of code page 437. Then come others; which
# of them is ß, drawn in five by seven dots, is told in two ways.
EXTENDED, FIRST, LAST, LESS = 0x08, 0x80, 0xA8, 0x60

# The position (in the middle, above, below, all) and the mode may be left out.
_FILE = rb"\x02A(?P<label>[ -~])(?:\x1b[ -0].)?(?P<text>[\x08 -~]*)\x03"
_PACKET = re.compile(rb"\x01Z00(?P<checked>" + _FILE + rb")(?P<sum>[0-9A-F]{4})\x04")


class TextFile(msgspec.Struct, frozen=True):
    """A text that was written into a sign's memory."""

    label: str
    text: str


class Decoder(Resync[TextFile]):
    """Text files written to all signs, with a checksum: for a simulated sign and for tests."""

    def __init__(self) -> None:
        super().__init__(_look, SOH)


def show(text: str) -> bytes:
    """The packet that shows `text`, with what is beyond MAX_TEXT cut off."""
    checked = STX + b"A" + PRIORITY + HOLD + _cut(text) + ETX
    return WAKE + SOH + ALL + checked + checksum(checked) + EOT


def checksum(checked: bytes) -> bytes:
    """Of all from STX to ETX, as it is sent."""
    return b"%04X" % (sum(checked) & 0xFFFF)


def _cut(text: str) -> bytes:
    data = b""
    for letter in unicodedata.normalize("NFC", text):
        character = _bytes(letter)
        if len(data) + len(character) > MAX_TEXT:
            break
        data += character
    return data


def _bytes(letter: str) -> bytes:
    code = letter.encode("cp437", "ignore")
    if code and FIRST <= code[0] <= LAST:
        return bytes((EXTENDED, code[0] - LESS))
    return to_plain(letter).replace("~", "-").encode("ascii")  # the sign's ~ is half a space


def _look(data: bytes, at: int) -> Found[TextFile] | str | None:
    if data[at : at + 1] != SOH:
        return NO_START
    end = data.find(EOT, at, at + MAX_PACKET)
    if end < 0:
        return None if len(data) - at < MAX_PACKET else "a packet without end"
    packet = _PACKET.fullmatch(data, at, end + 1)
    if packet is None:
        return "no packet that writes a text"
    if checksum(packet["checked"]) != packet["sum"]:
        return "wrong checksum"
    return Found(end + 1 - at, (TextFile(packet["label"].decode(), _text(packet["text"])),))


def _text(data: bytes) -> str:
    pieces = re.findall(rb"\x08([ -H])|([ -~])", data)
    return "".join(bytes((code[0] + LESS,)).decode("cp437") if code else plain.decode() for code, plain in pieces)
