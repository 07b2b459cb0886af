"""A night on a street, in fast motion: lamps on a DALI line, a radar and a cabinet door, as a process of their own.

Time passes as it does while something is done, and is skipped while nothing is to be done: the gateway's line says when, and waits
where the street does not keep up. So each byte and each answer takes the time it takes, and a night is over in minutes.
"""

import multiprocessing
import random
import selectors
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import NamedTuple

import msgspec

from firmware_bridge.frames import Sample
from hoflicht.stop import Stopping
from simulators.devices import Device, Node, Ops243
from simulators.gear import Gear
from simulators.luba import Luba
from simulators.luminaire import Fault
from simulators.wire import Wire

FIRST_BOOT_MS = 1_000_000
LOOK_S = 0.0005  # a tenth of a second of the night, when it is fast
SAMPLE_MS = 5_000
MOST_BEHIND_MS = 1_000  # the street, behind the clock; more when this machine is busy with something else
OVER = 2**62


class NightClock:
    """The time of that night; the same in every process that has it."""

    def __init__(self, start_ms: int, skipped_ms: "Synchronized[int]", lived_ms: "Synchronized[int]", zero_s: float) -> None:
        self._start_ms, self._skipped_ms, self._lived_ms, self._zero_s = start_ms, skipped_ms, lived_ms, zero_s

    @classmethod
    def at(cls, start_ms: int) -> "NightClock":
        """A clock that starts now."""
        processes = multiprocessing.get_context("spawn")
        return cls(start_ms, processes.Value("q", 0), processes.Value("q", 0), time.monotonic())

    def now_ms(self) -> int:
        return self._start_ms + self._passed_ms()

    def monotonic_ms(self) -> int:
        return FIRST_BOOT_MS + self._passed_ms()

    def is_set(self) -> bool:
        return True

    def skip(self, seconds: float) -> None:
        """Leave that out."""
        while self.now_ms() - self._lived_ms.value > MOST_BEHIND_MS:
            time.sleep(LOOK_S)
        self._skipped_ms.value += round(seconds * 1000)

    def lived(self, until_ms: int) -> None:
        """In the street all has happened until then."""
        self._lived_ms.value = until_ms

    def _passed_ms(self) -> int:
        return round((time.monotonic() - self._zero_s) * 1000) + self._skipped_ms.value


class Skipping(Stopping):
    """Where the lamps' line waits, the night goes on at once; a breath for the others, or nobody else would get a turn."""

    BREATH_S = 0.001

    def __init__(self, clock: NightClock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None or not threading.current_thread().name.startswith("line-"):
            return super().wait(timeout)
        self._clock.skip(timeout)
        return super().wait(self.BREATH_S)


class Mishap(NamedTuple):
    """What is wrong with some lamps, and when."""

    fault: Fault
    lamps: tuple[int, ...]  # addresses
    from_ms: int
    until_ms: int


class Plan(msgspec.Struct, frozen=True):
    """What happens in a night."""

    end_ms: int
    nominal_w: float
    lamps: int
    mishaps: tuple[Mishap, ...]
    passages_ms: tuple[int, ...]
    door_ms: tuple[int, int]  # open from, until before


class Row(NamedTuple):
    """What is true at an instant: light in percent and energy by address."""

    at_ms: int
    percent: tuple[float, ...]
    energy_wh: tuple[float, ...]


@contextmanager
def night(plan: Plan, clock: NightClock, folder: Path) -> Iterator[Callable[[], bool]]:
    """Let it happen behind the links `dali`, `radar` and `node` in `folder`; ask what is yielded whether it goes on."""
    process = multiprocessing.get_context("spawn").Process(target=happen, args=(plan, clock, folder), daemon=True)
    process.start()
    try:
        while not all((folder / name).exists() for name in ("dali", "radar", "node")):
            assert process.is_alive()
            time.sleep(0.05)
        yield process.is_alive
    finally:
        process.kill()
        process.join()


def truth(folder: Path) -> list[Row]:
    """What was true all night; the last line may be torn."""
    lines = (folder / "truth.jsonl").read_bytes().split(b"\n")[:-1]
    return [msgspec.json.decode(line, type=Row) for line in lines]


def happen(plan: Plan, clock: NightClock, folder: Path) -> None:
    """The process."""
    gears = [Gear(n, nominal_w=plan.nominal_w, level=0, energy_wh=1000.0 * n, on_s=0.0, starts=0) for n in range(plan.lamps)]
    radar, node = Ops243(), Node(7)
    devices: dict[str, Device] = {"dali": Luba(gears, random.Random(1)), "radar": radar, "node": node}
    passages = list(plan.passages_ms)
    sampled_ms = told_ms = 0
    with ExitStack() as stack:
        wires = {name: stack.enter_context(Wire(folder / name)) for name in devices}
        selector = stack.enter_context(selectors.DefaultSelector())
        for name, wire in wires.items():
            selector.register(wire, selectors.EVENT_READ, name)
        rows = stack.enter_context((folder / "truth.jsonl").open("wb"))
        while (now_ms := clock.now_ms()) < plan.end_ms:
            _strike(plan.mishaps, gears, now_ms)
            while passages and passages[0] <= now_ms:
                passages.pop(0)
                radar.passed(9.0)
            if now_ms - told_ms >= 60_000:
                told_ms = now_ms
                is_open = plan.door_ms[0] <= now_ms < plan.door_ms[1]
                node.tell([Sample("cabinet_door_open", float(is_open), sensor="door", site="cabinet-1")])
            _speak(devices, wires, now_ms)
            if now_ms - sampled_ms >= SAMPLE_MS:
                sampled_ms = now_ms
                lamps = [gear.lamp for gear in gears]
                row = Row(now_ms, tuple(lamp.light_percent for lamp in lamps), tuple(lamp.energy_wh for lamp in lamps))
                rows.write(msgspec.json.encode(row) + b"\n")
            clock.lived(now_ms)
            for key, _ in selector.select(LOOK_S):
                _speak(devices, wires, clock.now_ms())
                wires[key.data].write(devices[key.data].heard(wires[key.data].read()))
        clock.lived(OVER)


def _strike(mishaps: Sequence[Mishap], gears: Sequence[Gear], now_ms: int) -> None:
    for mishap in mishaps:
        for address in mishap.lamps:
            faults = gears[address].lamp.faults
            (faults.add if mishap.from_ms <= now_ms < mishap.until_ms else faults.discard)(mishap.fault)


def _speak(devices: Mapping[str, Device], wires: Mapping[str, Wire], now_ms: int) -> None:
    for name, device in devices.items():
        said = device.said(now_ms)
        if said:
            wires[name].write(said)
