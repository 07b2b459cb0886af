"""Devices that speak their real byte protocols: bytes out, bytes in, no port. Written apart from the decoders they talk to.

Formats and sources as in firmware_bridge. A device that loses its power forgets what it was told, as the real ones do.
"""

import datetime as dt
import random
import struct
from collections.abc import Callable, Sequence
from functools import reduce
from operator import xor
from typing import Protocol

from firmware_bridge import node
from firmware_bridge.frames import Sample
from hoflicht.errors import BadPayload
from hoflicht.instants import moment
from simulators.air import Air

MAX_HEARD = 512  # bytes that are no request; a master that sends noise for hours must not fill our memory


class Device(Protocol):
    """One end of a serial line."""

    def start(self) -> None:
        """Get power: all that was set by commands is gone."""
        ...

    def said(self, now_ms: int) -> bytes:
        """What it sends by itself up to now."""
        ...

    def heard(self, data: bytes) -> bytes:
        """What it answers."""
        ...


class Sds011:
    """A particulate matter sensor that sends once a second; zeros while it warms up."""

    WARM_UP = 3  # frames

    def __init__(self, air: Callable[[int], Air]) -> None:
        self._air = air
        self.start()

    def start(self) -> None:
        self._next_ms = 0
        self._cold_frames = self.WARM_UP

    def said(self, now_ms: int) -> bytes:
        if now_ms < self._next_ms:
            return b""
        late_ms = now_ms - self._next_ms
        self._next_ms += 1_000 if late_ms < 1_000 else late_ms + 1_000  # a pause is not made up for
        if self._cold_frames:
            self._cold_frames -= 1
            return sds011(0, 0)
        air = self._air(now_ms)
        return sds011(air.pm2_5, air.pm10)

    def heard(self, data: bytes) -> bytes:
        return b""


class Sps30:
    """A particulate matter sensor that answers once it was told to measure, and has a new value each second."""

    START, READ = 0x00, 0x03
    NOT_ALLOWED = 0x43

    def __init__(self, air: Callable[[int], Air]) -> None:
        self._air = air
        self.start()

    def start(self) -> None:
        self._measures = False
        self._now_ms = self._read_ms = 0
        self._heard = b""

    def said(self, now_ms: int) -> bytes:
        self._now_ms = now_ms
        return b""

    def heard(self, data: bytes) -> bytes:
        *frames, self._heard = (self._heard + data)[-MAX_HEARD:].split(b"\x7e")
        return b"".join(self._answer(body) for body in map(_unstuffed, frames) if _is_command(body))

    def _answer(self, body: bytes) -> bytes:
        command = body[1]
        if command == self.START and not self._measures:
            self._measures = True
            return sps30(command)
        if command != self.READ or not self._measures:
            return sps30(command, state=self.NOT_ALLOWED)
        if self._now_ms - self._read_ms < 1_000:
            return sps30(command)  # no new value since it was read
        self._read_ms = self._now_ms
        air = self._air(self._now_ms)
        counts = (factor * air.pm1 for factor in (5.03, 7.07, 7.94, 8.11, 8.13))  # as in a captured frame of PyPMS
        return sps30(command, data=struct.pack(">10f", air.pm1, air.pm2_5, air.pm4, air.pm10, *counts, 0.83))


class Tfmini:
    """A lidar across the lane, a hundred frames a second; `covered` says whether a car stands before it."""

    FRAME_MS = 10
    MOST_AT_ONCE = 20  # frames; after a pause the past is not made up for
    CAR_CM, KERB_CM = 140, 610  # to a car's side; to the other side of the lane

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.covered = False
        self.start()

    def start(self) -> None:
        self._next_ms = 0

    def said(self, now_ms: int) -> bytes:
        frames = min((now_ms - self._next_ms) // self.FRAME_MS, self.MOST_AT_ONCE)
        if frames <= 0:
            return b""
        self._next_ms = now_ms - (now_ms - self._next_ms) % self.FRAME_MS
        distance_cm = (self.CAR_CM if self.covered else self.KERB_CM) + self._rng.randrange(-3, 4)
        return tfmini(distance_cm, self._rng.randrange(900, 1_400), 31.5) * frames

    def heard(self, data: bytes) -> bytes:
        return b""


class Ops243:
    """A radar; it starts with raw speeds as plain numbers and must be told to send detected objects as JSON."""

    UNITS = {b"UM": ("m-per-sec", 1.0), b"UK": ("km-per-hr", 3.6)}

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self._unit, self._json, self._objects, self._raw = "UM", False, False, True
        self._factor = 1.0
        self._lines: list[str] = []
        self._heard = b""

    def passed(self, speed_m_s: float, direction: str = "inbound") -> None:
        """A vehicle goes by."""
        speed = f"{speed_m_s * self._factor:.1f}"
        if self._raw:
            plain = speed if direction == "inbound" else f"-{speed}"
            self._lines.append(f'{{"speed":{speed}, "direction":"{direction}"}}' if self._json else plain)
        if self._objects and self._json:
            self._lines.append(f'{{"DetectedObjectVelocity":"{speed}","direction":"{direction}"}}')

    def said(self, now_ms: int) -> bytes:
        lines, self._lines = self._lines, []
        return "".join(f"{line}\r\n" for line in lines).encode("ascii")

    def heard(self, data: bytes) -> bytes:
        self._heard = (self._heard + data)[-MAX_HEARD:]
        answer = b""
        while len(self._heard) >= 2:
            if self._heard[:1] not in b"OUIRMN":  # no command of two letters starts so: one byte was lost or is noise
                self._heard = self._heard[1:]
                continue
            command, self._heard = self._heard[:2], self._heard[2:]
            answer += self._obey(command)
        return answer

    def _obey(self, command: bytes) -> bytes:
        if command in self.UNITS:
            unit, self._factor = self.UNITS[command]
            return f'{{"Units":"{unit}"}}\r\n'.encode()
        self._json = {b"OJ": True, b"Oj": False}.get(command, self._json)
        self._objects = {b"ON": True, b"On": False}.get(command, self._objects)
        self._raw = {b"OS": True, b"Os": False}.get(command, self._raw)
        return b""


class Gnss:
    """A satellite receiver that stands: RMC and GGA each period, some tenths of a second late; no fix without its antenna."""

    LATE_MS = (120, 480)

    def __init__(self, latitude: float, longitude: float, rng: random.Random, period_ms: int = 1_000) -> None:
        self._latitude, self._longitude = latitude, longitude
        self._rng = rng
        self._period_ms = period_ms
        self.has_antenna = True
        self.off_ms = 0  # by how much a deceiver turns its time
        self.start()

    def start(self) -> None:
        self._told_ms = self._late_ms = 0

    def said(self, now_ms: int) -> bytes:
        at_ms = (now_ms - self._late_ms) // self._period_ms * self._period_ms
        if at_ms <= self._told_ms:
            return b""
        self._told_ms = at_ms
        self._late_ms = self._rng.randrange(*self.LATE_MS) * self._period_ms // 1_000
        latitude, longitude = (place + self._rng.gauss(0, 2e-5) for place in (self._latitude, self._longitude))  # two metres
        utc_ms = at_ms + self.off_ms
        return rmc(utc_ms, latitude, longitude, self.has_antenna) + gga(utc_ms, latitude, longitude, 11 if self.has_antenna else 0)

    def heard(self, data: bytes) -> bytes:
        return b""


class Node:
    """A microcontroller of our own: what it is told to tell goes out at once."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.start()

    def start(self) -> None:
        self._sequence = 0
        self._frames = b""

    def tell(self, samples: Sequence[Sample]) -> None:
        """Put `samples` on the line, in as many frames as they need."""
        try:
            self._frames += node.encode(self._number, self._sequence, samples)
        except BadPayload:
            if len(samples) < 2:
                raise
            self.tell(samples[: len(samples) // 2])
            self.tell(samples[len(samples) // 2 :])
            return
        self._sequence = (self._sequence + 1) % 0x1_0000

    def said(self, now_ms: int) -> bytes:
        frames, self._frames = self._frames, b""
        return frames

    def heard(self, data: bytes) -> bytes:
        return b""


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


def rmc(at_ms: int, latitude: float, longitude: float, has_fix: bool = True) -> bytes:
    """An RMC sentence of a receiver that stands: empty fields where there is nothing to say."""
    at = moment(at_ms)
    place = _place(latitude, longitude) if has_fix else ",,,"
    return _sentence(f"GNRMC,{_time(at)},{'A' if has_fix else 'V'},{place},0.012,,{at:%d%m%y},,,{'A' if has_fix else 'N'},V")


def gga(at_ms: int, latitude: float, longitude: float, satellites: int) -> bytes:
    """A GGA sentence; without satellites there is no fix."""
    at = moment(at_ms)
    place = _place(latitude, longitude) if satellites else ",,,"
    height = "0.9,33.1,M,46.9,M" if satellites else "99.99,,,,"
    return _sentence(f"GNGGA,{_time(at)},{place},{int(satellites > 0)},{satellites:02},{height},,")


def _time(at: dt.datetime) -> str:
    return f"{at:%H%M%S}.{at.microsecond // 1_000:03}"


def _place(latitude: float, longitude: float) -> str:
    sides = ("N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W")
    angles = [divmod(round(abs(degrees) * 60, 5), 60) for degrees in (latitude, longitude)]
    fields = (
        f"{int(whole):0{width}}{minutes:08.5f},{side}" for (whole, minutes), width, side in zip(angles, (2, 3), sides, strict=True)
    )
    return ",".join(fields)


def _sentence(body: str) -> bytes:
    return f"${body}*{reduce(xor, body.encode('ascii')):02X}\r\n".encode("ascii")


def _unstuffed(stuffed: bytes) -> bytes:
    first, *rest = stuffed.split(b"\x7d")
    return first + b"".join(bytes((part[0] ^ 0x20,)) + part[1:] for part in rest if part)


def _is_command(body: bytes) -> bool:
    """Whether a master's frame is whole: address, command, length, data, sum."""
    return len(body) >= 4 and len(body) == 4 + body[2] and 0xFF - (sum(body[:-1]) & 0xFF) == body[-1]
