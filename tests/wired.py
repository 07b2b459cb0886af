"""A DALI line in memory, in a time that tests turn: our bus and lamps at one end, a simulated gateway and drivers at the other."""

import queue
import random
from collections.abc import Sequence
from pathlib import Path

from edge.bus import Bus
from edge.config import LampConfig
from edge.lamps import Line
from edge.observation import Observation
from edge.reader import Counters
from edge.senses import Posts
from edge.shadow import Shadow
from hoflicht.broker import Message
from hoflicht.clock import HandClock
from hoflicht.program import Program
from hoflicht.shadow import Command, Desired, Duty, encode
from hoflicht.sky import Place
from simulators.gear import Gear
from simulators.luba import Luba

DUISBURG = Place(51.43, 6.76, "Europe/Berlin")
# 2026-11-25 at 12:00 and at 22:00 in Duisburg: the sun is up, and 55 degrees below the horizon.
NOON_MS, NIGHT_MS = 1_795_604_400_000, 1_795_640_400_000
FRAME_MS = 30  # of the bus; IEC 62386-101


class Wire:
    """A port: what is written takes its time on the bus, who waits in vain lets time pass."""

    def __init__(self, luba: Luba, clock: HandClock) -> None:
        self.luba = luba
        self.opened, self.errors = 1, 0
        self.is_open = True
        self.frames: list[bytes] = []
        self.stray = b""  # bytes that have come before the next request
        self.late = b""  # and after it, before its answer
        self._clock = clock
        self._answers = b""

    def write(self, data: bytes) -> bool:
        if self.is_open:
            self.frames += [data[6:8]] if data[1] == 0x32 else []
            self._clock.advance(FRAME_MS)
            self.luba.said(self._clock.now_ms())
            self._answers += self.late + self.luba.heard(data)
            self.late = b""
        return self.is_open

    def read(self, timeout_s: float) -> bytes:
        answers, self.stray, self._answers = self.stray + self._answers, b"", b""
        if not answers:
            self._clock.advance(round(timeout_s * 1000))
        return answers


class Lit:
    """A line of lamps, and what came of it."""

    def __init__(self, folder: Path, gears: Sequence[Gear], clock: HandClock) -> None:
        self.clock = clock
        self.gears = list(gears)
        self.luba = Luba(self.gears, random.Random(5))
        self.wire = Wire(self.luba, clock)
        self.names = [f"lamp-{gear.address:04}" for gear in gears]
        self.counters = Counters()
        self.posts = Posts()
        self.shadow = Shadow(folder / "spool.db-light", "boot", frozenset(self.names), clock)
        self.out: queue.Queue[Observation] = queue.Queue(1_000_000)
        self.told: list[Observation] = []
        lamps = {name: LampConfig(line="dali", address=gear.address) for name, gear in zip(self.names, gears, strict=True)}
        bus = Bus(self.wire, clock, self.counters)
        self.line = Line(lamps, bus, DUISBURG, self.shadow, self.posts, self.out, self.counters, clock)
        self._version = 0

    def want(self, program: Program | None = None, commands: Sequence[Command] = (), **duty: object) -> None:
        """What the city says of all lamps."""
        self._version += 1
        named = {} if program is None else {"night": program}
        duties = {name: Duty(program="night" if named else "", **duty) for name in self.names}  # type: ignore[arg-type]
        wanted = Desired(version=self._version, programs=named, lamps=duties, commands=tuple(commands))
        self.shadow.take(Message(topic="t", payload=encode(wanted)))

    def override(self, percent: float | None, lasts_s: int, names: Sequence[str] = (), id: str = "c") -> Command:
        now_ms = self.clock.now_ms()
        return Command(id=id, lamps=tuple(names or self.names), percent=percent, at_ms=now_ms, until_ms=now_ms + 1000 * lasts_s)

    def live(self, seconds: float) -> None:
        """Let so much time pass, and the line do its work in it."""
        until_ms = self.clock.monotonic_ms() + round(1000 * seconds)
        while self.clock.monotonic_ms() < until_ms:
            self.clock.advance(self.line.go_on())
            self.luba.said(self.clock.now_ms())
        while not self.out.empty():
            self.told.append(self.out.get_nowait())

    def values(self, quantity: str, lamp: str = "") -> list[float]:
        return [seen.value for seen in self.told if seen.quantity == quantity and seen.site == (lamp or self.names[0])]

    def levels(self) -> list[int]:
        return [gear.lamp.level for gear in self.gears]
