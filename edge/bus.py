"""One DALI line on a port: a frame out, its answer back.

A frame takes 17 bits at 1200 baud and a pause as long, some 30 ms; an answer, or waiting for it, another 25 (IEC 62386-101); the
way to the LUBA gateway and back 5, with a USB adapter up to 20. So a line carries some 25 frames a second.
"""

import enum
from typing import Protocol

from edge.reader import Counters
from firmware_bridge import luba
from firmware_bridge.dali import Forward
from firmware_bridge.frames import Noise
from firmware_bridge.luba import Answer, Declined, Garbled, Said, Sent, Settings
from hoflicht.clock import Clock

READ_S = 0.02  # a wait for bytes; ANSWER_S is kept to that
LOOK_MS = 1_000  # a LUBA gateway that is not there is asked no more often


class Silence(enum.Enum):
    """Why there is no answer."""

    NO = "the frame went over the bus and nobody answered"
    GARBLED = "what answered could not be read"
    NO_POWER = "the gateway of the line says that its bus has no power"
    NO_GATEWAY = "the port is away, or the gateway of the line does not say that it has sent the frame"


AWAY = (Silence.NO_POWER, Silence.NO_GATEWAY)  # it is the line, not a driver


class Wire(Protocol):
    """What the bus needs of a Port."""

    @property
    def opened(self) -> int: ...
    @property
    def errors(self) -> int: ...
    @property
    def is_open(self) -> bool: ...
    def read(self, timeout_s: float) -> bytes: ...
    def write(self, data: bytes) -> bool: ...


class Bus:
    """Asks one frame at a time; each `ask` ends within SENT_S and the time of the answer, whatever the line does."""

    def __init__(self, port: Wire, clock: Clock, counters: Counters) -> None:
        self._port = port
        self._clock = clock
        self._counters = counters
        self._decoder = luba.Decoder()
        self._opened = 0
        self._is_set_up = False
        self._looked_ms: int | None = None

    def ask(self, forward: Forward) -> int | Silence:
        """Send one frame; the answer, or why there is none. What is no question is answered with `Silence.NO` once it was sent."""
        if not self._stands():
            return Silence.NO_GATEWAY
        for _ in self._said():  # what came late belongs to a question that was given up
            pass
        priority = luba.QUERY if forward.is_query else luba.COMMAND
        if not self._port.write(luba.send(forward.data, twice=forward.twice, priority=priority)):
            return self._lost(Silence.NO_GATEWAY)
        return self._outcome(forward)

    def _outcome(self, forward: Forward) -> int | Silence:
        left = 1 + forward.twice  # times that the bus must still carry it
        until_ms = self._clock.monotonic_ms() + int(luba.SENT_S * 1000)
        while left or (forward.is_query and self._clock.monotonic_ms() < until_ms):
            for item in self._said(READ_S):
                match item:
                    case Declined(code):
                        return self._lost(Silence.NO_POWER if code == luba.NO_POWER else Silence.NO_GATEWAY)
                    case Sent(frame) if frame == forward.data:
                        left -= 1
                        until_ms = self._clock.monotonic_ms() + int(luba.ANSWER_S * 1000)
                    case Answer(value) if not left:
                        return value
                    case Garbled() if not left:
                        return Silence.GARBLED
                    case _:
                        pass
            if left and self._clock.monotonic_ms() >= until_ms:
                return self._lost(Silence.NO_GATEWAY)
        return Silence.NO

    def _stands(self) -> bool:
        """Whether the LUBA gateway was told what to tell us: each time the port was opened, and after it has fallen silent."""
        if self._is_set_up and self._port.is_open and self._port.opened == self._opened:
            return True
        self._note_port()
        now_ms = self._clock.monotonic_ms()
        if self._looked_ms is not None and now_ms - self._looked_ms < LOOK_MS:
            return False
        self._looked_ms, self._is_set_up = now_ms, False
        written = [self._port.write(request) for request in luba.START]
        self._note_port()
        if not all(written):
            return False
        if self._port.opened != self._opened:
            self._opened, self._decoder = self._port.opened, luba.Decoder()
        while not self._is_set_up and self._clock.monotonic_ms() - now_ms < luba.SENT_S * 1000:
            self._is_set_up = luba.WANTED in [item for item in self._said(READ_S) if isinstance(item, Settings)]
        return self._is_set_up

    def _lost(self, why: Silence) -> Silence:
        self._is_set_up = False  # it may have been without power
        self._note_port()
        return why

    def _said(self, timeout_s: float = 0) -> list[Said]:
        """What has come, without noise; of half a message the rest may still come, and what is too old is noise soon."""
        said: list[Said] = []
        for item in self._decoder.feed(self._port.read(timeout_s)):
            if isinstance(item, Noise):
                self._counters.noise_bytes += len(item.data)
            else:
                self._counters.frames += 1
                said.append(item)
        self._note_port()
        return said

    def _note_port(self) -> None:
        self._counters.is_open, self._counters.errors = self._port.is_open, self._port.errors
