"""Devices that speak their real byte protocols: bytes out, bytes in, no port. Written apart from the decoders they talk to.

Each has `said(now_ms)`, what it sends by itself, and `heard(data)`, what it answers. Formats and sources as in firmware_bridge.
"""

import json
import random
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from firmware_bridge import node
from firmware_bridge.frames import Sample

MAX_HEARD = 1_024  # bytes of a request that is no request


class Device(Protocol):
    """One end of a serial line."""

    def said(self, now_ms: int) -> bytes:
        """What it sends by itself up to now."""
        ...

    def heard(self, data: bytes) -> bytes:
        """What it answers."""
        ...


class Silent:
    """A device that cannot be asked."""

    def heard(self, data: bytes) -> bytes:
        """Nothing."""
        return b""


class Sds011(Silent):
    """Once a second PM2.5 and PM10, in µg/m³."""

    def __init__(self, air: Callable[[int], tuple[float, float]]) -> None:
        self._air = air
        self._next_ms = 0

    def said(self, now_ms: int) -> bytes:
        if now_ms < self._next_ms:
            return b""
        self._next_ms = now_ms + 1_000
        return sds011(*self._air(now_ms))


class Sps30:
    """Answers the master's requests once it was told to measure."""

    def __init__(self, air: Callable[[int], tuple[float, float]]) -> None:
        self._air = air
        self._now_ms = 0
        self._measures = False
        self._request = b""

    def said(self, now_ms: int) -> bytes:
        self._now_ms = now_ms
        return b""

    def heard(self, data: bytes) -> bytes:
        self._request = (self._request + data)[-MAX_HEARD:]
        answers = b""
        while self._request.count(0x7E) >= 2:
            _, body, rest = self._request.split(b"\x7e", 2)
            self._request = rest if body else b"\x7e" + rest
            if body:
                answers += self._answer(body)
        return answers

    def _answer(self, body: bytes) -> bytes:
        command = body[1]
        if command == 0x00:
            refused, self._measures = self._measures, True
            return sps30(command, state=0x43 if refused else 0)
        if command != 0x03 or not self._measures:
            return sps30(command, state=0x43)
        pm2_5, pm10 = self._air(self._now_ms)
        masses = (0.7 * pm2_5, pm2_5, 0.5 * (pm2_5 + pm10), pm10)
        counts = (5 * pm2_5, 6 * pm2_5, 6.5 * pm2_5, 6.6 * pm2_5, 6.7 * pm2_5)
        return sps30(command, data=struct.pack(">10f", *masses, *counts, 0.6))


class Tfmini(Silent):
    """A lidar over the lane, a hundred frames a second; `covered` says whether a car stands before it."""

    FRAME_MS = 10
    MOST_AT_ONCE = 20  # frames; after a pause the past is not made up for

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._next_ms = 0
        self.covered = False

    def said(self, now_ms: int) -> bytes:
        frames = min((now_ms - self._next_ms) // self.FRAME_MS, self.MOST_AT_ONCE)
        if frames <= 0:
            return b""
        self._next_ms = now_ms
        distance_cm = (160 if self.covered else 410) + self._rng.randrange(-3, 4)
        return tfmini(distance_cm, self._rng.randrange(900, 1_400), 31.5) * frames


class Ops243:
    """A radar; `passed` puts a vehicle into its view."""

    def __init__(self) -> None:
        self._lines = b""

    def passed(self, speed_m_s: float, direction: str = "inbound") -> None:
        """A vehicle goes by."""
        self._lines += json.dumps({"DetectedObjectVelocity": f"{speed_m_s:.1f}", "direction": direction}).encode() + b"\r\n"

    def said(self, now_ms: int) -> bytes:
        lines, self._lines = self._lines, b""
        return lines

    def heard(self, data: bytes) -> bytes:
        return b'{"Units":"m-per-sec"}\r\n' if b"UM" in data else b""


class Sdm630:
    """A meter on Modbus RTU; `registers` gives the float of each first register that it has."""

    def __init__(self, registers: Callable[[int], Mapping[int, float]], address: int = 1) -> None:
        self._registers = registers
        self._address = address
        self._now_ms = 0
        self._request = b""

    def said(self, now_ms: int) -> bytes:
        self._now_ms = now_ms
        return b""

    def heard(self, data: bytes) -> bytes:
        self._request = (self._request + data)[-MAX_HEARD:]
        answers = b""
        while len(self._request) >= 8:
            request, self._request = self._request[:8], self._request[8:]
            if modbus_crc(request[:6]) != request[6:]:
                self._request = b""
            elif request[0] == self._address and request[1] == 4:
                answers += self._answer(*struct.unpack(">HH", request[2:6]))
        return answers

    def _answer(self, first: int, count: int) -> bytes:
        values = self._registers(self._now_ms)
        data = b"".join(struct.pack(">f", values.get(register, 0.0)) for register in range(first, first + count, 2))
        frame = bytes((self._address, 4, len(data))) + data
        return frame + modbus_crc(frame)


class Node(Silent):
    """A microcontroller of our own: events at once, states again and again."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._sequence = 0
        self._frames = b""

    def tell(self, samples: Sequence[Sample]) -> None:
        """Put one frame on the line."""
        self._frames += node.encode(self._number, self._sequence, samples)
        self._sequence = (self._sequence + 1) % 0x1_0000

    def said(self, now_ms: int) -> bytes:
        frames, self._frames = self._frames, b""
        return frames


def sds011(pm2_5: float, pm10: float) -> bytes:
    """An SDS011 data frame."""
    body = struct.pack("<HH", round(10 * pm2_5), round(10 * pm10)) + b"\x58\xd9"
    return b"\xaa\xc0" + body + bytes((sum(body) & 0xFF, 0xAB))


def sps30(command: int, state: int = 0, data: bytes = b"") -> bytes:
    """An SPS30 answer, stuffed."""
    body = bytes((0, command, state, len(data))) + data
    body += bytes((0xFF - (sum(body) & 0xFF),))
    stuffed = b"".join(bytes((0x7D, byte ^ 0x20)) if byte in (0x7E, 0x7D, 0x11, 0x13) else bytes((byte,)) for byte in body)
    return b"\x7e" + stuffed + b"\x7e"


def tfmini(distance_cm: int, strength: int, temperature_cel: float) -> bytes:
    """A TFmini Plus data frame."""
    frame = b"YY" + struct.pack("<HHH", distance_cm, strength, round((temperature_cel + 256) * 8))
    return frame + bytes((sum(frame) & 0xFF,))


def modbus_crc(frame: bytes) -> bytes:
    """CRC-16/MODBUS, low byte first."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")
