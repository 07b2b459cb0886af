"""Modbus RTU input registers, as energy meters keep them: function 04, float32 in two registers, high word first.

Request `address 04 first hi lo count hi lo crc lo hi`, answer `address 04 bytes data… crc lo hi`, exception `address 84 code crc`.
An answer does not say which registers it holds; only the request before it does. So the decoder reads both directions, which makes
it follow a bus that another master asks, too. Source: MODBUS over Serial Line V1.02, modbus.org; Eastron SDM register tables.
"""

from collections.abc import Mapping

import msgspec

from firmware_bridge.frames import Found, Frame, Noise, Resync, Sample, float32, implausible

READ_INPUT = 0x04
REFUSED = 0x80 | READ_INPUT
MAX_REGISTERS = 80  # in one request: Eastron's limit
UNASKED = "an answer nobody asked for"
REQUEST_LENGTH, EXCEPTION_LENGTH, OVERHEAD = 8, 5, 5
EXCEPTIONS = {1: "illegal function", 2: "illegal data address", 3: "illegal data value", 4: "device failure", 6: "device busy"}


class _Asked(msgspec.Struct, frozen=True):
    address: int
    first: int
    count: int


class Decoder(Resync[Frame]):
    """Answers to the requests that were fed before them; a request itself says nothing. `registers` names what we want to know.

    CRC-16 finds every corruption of up to 16 bits in a row and misses one in 65536 of the longer ones. A value outside its
    plausible range is given up alone, as a Noise without bytes. An answer that nobody asked for, and an exception, are Noise.
    """

    def __init__(self, registers: Mapping[int, str]) -> None:
        super().__init__(self._at)
        self._registers = registers
        self._asked: _Asked | None = None

    def _at(self, data: bytes, at: int) -> Found[Frame] | str | None:
        function = data[at + 1] if at + 1 < len(data) else None
        if function is None:
            return None
        if function == REFUSED:
            return self._exception(data, at)
        if function != READ_INPUT:
            return ""
        request = _request(data, at)
        if isinstance(request, _Asked):
            self._asked = request
            return Found(REQUEST_LENGTH)
        answer = self._answer(data, at)
        return request if request is None and isinstance(answer, str) else answer

    def _exception(self, data: bytes, at: int) -> Found[Frame] | str | None:
        frame = data[at : at + EXCEPTION_LENGTH]
        if len(frame) < EXCEPTION_LENGTH:
            return None
        if not _sound(frame):
            return "wrong CRC"
        self._asked = None
        return Found(len(frame), (Noise(frame, f"exception {frame[2]}: {EXCEPTIONS.get(frame[2], 'unknown')}"),))

    def _answer(self, data: bytes, at: int) -> Found[Frame] | str | None:
        head = data[at : at + 3]
        if len(head) < 3:
            return None
        frame = data[at : at + OVERHEAD + head[2]]
        is_whole = len(frame) == OVERHEAD + head[2]
        asked = self._asked
        if asked is None or (asked.address, 2 * asked.count) != (head[0], head[2]):
            # Never wait for the rest of what would be thrown away: a false start must not hold back the frames behind it.
            return Found(len(frame), (Noise(frame, UNASKED),)) if is_whole and _sound(frame) else "no answer to what was asked"
        if not is_whole:
            return None
        if not _sound(frame):
            return "wrong CRC"
        self._asked = None
        return Found(len(frame), self._items(asked.first, frame[3:-2]))

    def _items(self, first: int, values: bytes) -> tuple[Frame | Noise, ...]:
        samples: list[Sample] = []
        given_up: list[Noise] = []
        for offset in range(0, len(values) - 3, 4):
            quantity = self._registers.get(first + offset // 2)
            if quantity is None:
                continue
            value = float32(values[offset : offset + 4])
            reason = implausible(quantity, value)
            if reason:
                given_up.append(Noise(b"", reason))
            else:
                samples.append(Sample(quantity, value))
        return Frame(tuple(samples)), *given_up


def request(address: int, first: int, count: int) -> bytes:
    """Ask the device at bus `address` (1 to 247) for `count` input registers from `first` on."""
    body = bytes((address, READ_INPUT)) + first.to_bytes(2, "big") + count.to_bytes(2, "big")
    return body + crc16(body)


def crc16(data: bytes) -> bytes:
    """CRC-16/MODBUS (polynomial A001 reflected, start FFFF), low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0xA001 if byte & 1 else 0)
    return byte


_TABLE = tuple(_crc_of(byte) for byte in range(256))


def _sound(frame: bytes) -> bool:
    return crc16(frame[:-2]) == frame[-2:]


def _request(data: bytes, at: int) -> _Asked | str | None:
    frame = data[at : at + REQUEST_LENGTH]
    if len(frame) < REQUEST_LENGTH:
        return None
    first, count = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
    if not _sound(frame):
        return "wrong CRC"
    return _Asked(frame[0], first, count)
