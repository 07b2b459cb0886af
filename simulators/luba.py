"""A Lunatone LUBA gateway with a DALI bus of drivers behind it. Written apart from firmware_bridge/luba.py; same source."""

import random
from collections.abc import Sequence

from simulators.gear import Gear

MOST_DRIVERS = 64  # short addresses of a bus
HEAD = 0x59
LENGTHS = {0x20: (1,), 0x2A: (2, 3), 0x32: (7,)}  # bytes of data in what it is asked
ABOUT = (1234567654321).to_bytes(6, "big") + (4711).to_bytes(8, "big") + b"\x01\x02" + (24166096).to_bytes(4, "big")
FRAMING_ERROR = 0x80 | 63
NO_POWER, NO_FRAME = b"\x01", b"\x06"  # why it declines
NO_EVENTS, NO_SENT, NO_RECEIVED = 0x80, 0x40, 0x20  # what it can be set to


class Luba:
    """The gateway. After power it tells nothing of the bus until it was set to, the worst that the document leaves open.

    Faults of drivers are theirs; those of the bus are these two.
    """

    def __init__(self, gears: Sequence[Gear], rng: random.Random | None = None) -> None:
        if len(gears) > MOST_DRIVERS:
            raise ValueError(f"{len(gears)} drivers: a bus has addresses for {MOST_DRIVERS}")
        self.gears = gears
        self.is_bus_down = False  # no power on the bus
        self.garbled = 0.0  # share of the answers that nobody can read
        self._rng = rng or random.Random(1)
        self._now_ms = 0
        self.start()

    def start(self) -> None:
        self._no_events = NO_EVENTS
        self._number = 0
        self._heard = b""
        self._was_down = False

    def said(self, now_ms: int) -> bytes:
        self._now_ms = now_ms
        for gear in self.gears:
            gear.live(now_ms)
            if self.is_bus_down and not self._was_down:
                gear.lose_bus()
        self._was_down = self.is_bus_down
        return b""

    def heard(self, data: bytes) -> bytes:
        self._heard += data
        answers = b""
        while len(self._heard) > 2:
            asked = self._heard[: 4 + self._heard[2]]
            is_head = asked[0] == HEAD and asked[2] in LENGTHS.get(asked[1], ())
            if is_head and len(asked) < 4 + asked[2]:
                break
            if not is_head or _check(asked[1:-1]) != asked[-1]:
                self._heard = self._heard[1:]
                continue
            self._heard = self._heard[len(asked) :]
            answers += self._answer(asked[1], asked[3:-1])
        return answers

    def _answer(self, command: int, data: bytes) -> bytes:
        if command == 0x20:
            return message(0x21, ABOUT)
        if command == 0x2A:
            self._no_events = data[1]
            return message(0x2B, data)
        return self._send(bits=data[1], is_twice=data[2] & 0x80 > 0, frame=data[3:7])

    def _send(self, bits: int, is_twice: bool, frame: bytes) -> bytes:
        if bits not in (16, 24) or self.is_bus_down:
            return message(0x33, NO_POWER if self.is_bus_down else NO_FRAME)
        self._number = self._number % 0xFF + 1
        events = b"".join(self._on_the_bus(frame[: bits // 8]) for _ in range(1 + is_twice))
        return message(0x33, bytes((self._number, 0))) + events

    def _on_the_bus(self, frame: bytes) -> bytes:
        answers = [answer for gear in self.gears if (answer := gear.hear(frame)) is not None]
        sent = b"" if self._no_events & (NO_EVENTS | NO_SENT) else self._event(8 * len(frame), bytes((self._number,)) + frame)
        if not answers or self._no_events & (NO_EVENTS | NO_RECEIVED):
            return sent
        if len(answers) > 1 or self._rng.random() < self.garbled:
            return sent + self._event(FRAMING_ERROR)
        return sent + self._event(0x88, bytes(answers))

    def _event(self, status: int, payload: bytes = b"") -> bytes:
        return message(0x31, (self._now_ms & 0xFFFF).to_bytes(2, "big") + bytes((0, status)) + payload)


def message(command: int, data: bytes) -> bytes:
    """What a gateway or its master says."""
    body = bytes((command, len(data))) + data
    return bytes((HEAD,)) + body + bytes((_check(body),))


def _check(body: bytes) -> int:
    check = 0
    for byte in body:
        check ^= byte
    return check
