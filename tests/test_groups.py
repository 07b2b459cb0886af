"""Lamps of one program on a line of several are told their level in one frame, as a group of their drivers."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from hoflicht.broker import Message
from hoflicht.clock import HandClock
from hoflicht.program import Period, Program, Step
from hoflicht.shadow import Command, Desired, Duty, Outcome, encode
from simulators.gear import Gear
from simulators.luminaire import Fault
from tests import wired
from tests.wired import NIGHT_MS, Lit

HALF_ARC, FULL_ARC = 229, 254
LAST, LAST_BUT_ONE = 0x80 | 15 << 1, 0x80 | 14 << 1  # address bytes of groups
SETTLED_S = 20  # a driver has said what it is, and been told what it shall be


def steady(percent: float) -> Program:
    return Program(periods=(Period(steps=(Step(at="dusk", percent=percent),)),), ramp_up_s=0, ramp_down_s=0)


class Mixed(Lit):
    """A line whose lamps burn by several programs, of which each is another level."""

    def say(self, programs: Mapping[str, str], commands: Sequence[Command] = ()) -> None:
        """What the city wants: a program for each lamp."""
        self._version += 1
        wanted = Desired(
            version=self._version,
            programs={name: steady(50) for name in set(programs.values())},
            lamps={lamp: Duty(program=name) for lamp, name in programs.items()},
            commands=tuple(commands),
        )
        self.shadow.take(Message(topic="t", payload=encode(wanted)))

    def sent(self) -> list[bytes]:
        """The levels that went over the bus since they were asked for last."""
        levels = [frame for frame in self.wire.frames if not frame[0] & 1]
        self.wire.frames.clear()
        return levels


def mixed(folder: Path, gears: Sequence[Gear], *, are_a: int) -> tuple[Mixed, dict[str, str]]:
    """A line that has settled: of its lamps the first burn by the program "a", the others by "b"."""
    own = Mixed(folder, gears, HandClock(NIGHT_MS))
    programs = {name: "a" if n < are_a else "b" for n, name in enumerate(own.names)}
    own.say(programs)
    own.live(SETTLED_S)
    own.sent()
    return own, programs


def five() -> list[Gear]:
    return [Gear(address, level=HALF_ARC) for address in range(5)]


def test_an_override_of_most_lamps_of_a_line_lands_within_two_seconds_through_a_slow_adapter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, programs = mixed(tmp_path, [Gear(address, level=HALF_ARC) for address in range(44)], are_a=42)
    own.live(20)
    monkeypatch.setattr(wired, "FRAME_MS", 50)  # one by one the last of them would wait for 2.1 s

    own.say(programs, [own.override(80, lasts_s=600, names=own.names[:42])])
    own.live(2)

    assert [gear.lamp.wanted for gear in own.gears] == 42 * [246] + 2 * [HALF_ARC]
    assert own.shadow.report().outcomes["c"].keys() <= {Outcome.ACCEPTED, Outcome.APPLIED}


def test_lamps_of_one_program_are_told_in_one_frame_and_others_do_not_hear_it(tmp_path: Path) -> None:
    own, programs = mixed(tmp_path, five(), are_a=3)

    own.say(programs, [own.override(100, lasts_s=600, names=own.names[:3])])
    own.live(5)

    assert own.sent()[0] == bytes((LAST, FULL_ARC))
    assert own.levels() == [FULL_ARC] * 3 + [HALF_ARC] * 2


def test_a_part_of_a_program_is_told_lamp_by_lamp(tmp_path: Path) -> None:
    own, programs = mixed(tmp_path, five(), are_a=3)

    own.say(programs, [own.override(100, lasts_s=600, names=own.names[:2])])
    own.live(5)

    assert set(own.sent()) == {bytes((0 << 1, FULL_ARC)), bytes((1 << 1, FULL_ARC))}


def test_a_line_of_one_program_needs_no_groups(tmp_path: Path) -> None:
    own, programs = mixed(tmp_path, five(), are_a=5)

    own.say(programs, [own.override(100, lasts_s=600)])
    own.live(5)

    sent = own.sent()
    assert sent[0] == bytes((0xFE, FULL_ARC))
    assert {LAST, LAST_BUT_ONE}.isdisjoint(frame[0] for frame in sent)
    assert [gear.groups for gear in own.gears] == [set()] * 5


def test_a_driver_keeps_the_groups_that_are_not_ours_and_is_told_once(tmp_path: Path) -> None:
    gears = five()
    gears[0].groups = {3}
    mixed(tmp_path, gears, are_a=3)
    assert [gear.groups for gear in gears] == [{3, 15}, {15}, {15}, {14}, {14}]

    again, _ = mixed(tmp_path, gears, are_a=3)

    assert [frame for frame in again.wire.frames if frame[0] & 1 and 0x60 <= frame[1] < 0x80] == []


def test_a_driver_with_groups_of_a_former_life_is_not_told_with_others_before_it_has_left_them(tmp_path: Path) -> None:
    gears = five()
    for gear in gears:
        gear.groups = {15}
    own = Mixed(tmp_path, gears, HandClock(NIGHT_MS))
    programs = {name: "a" if n < 3 else "b" for n, name in enumerate(own.names)}

    own.say(programs, [own.override(100, lasts_s=600, names=own.names[:3])])
    own.live(SETTLED_S)

    assert own.levels() == [FULL_ARC] * 3 + [HALF_ARC] * 2
    assert bytes((LAST, FULL_ARC)) not in own.sent()
    assert [gear.groups for gear in gears] == [{15}] * 3 + [{14}] * 2


def test_a_new_driver_in_an_old_place_gets_its_level_and_its_group(tmp_path: Path) -> None:
    own, programs = mixed(tmp_path, five(), are_a=3)
    own.gears[0].lamp.faults.add(Fault.SUPPLY_LOSS)
    own.live(5)
    own.gears[0].groups = set()
    own.gears[0].lamp.faults.clear()
    own.live(1)

    own.say(programs, [own.override(20, lasts_s=600, names=own.names[:3])])
    own.live(5)

    assert own.levels() == [195] * 3 + [HALF_ARC] * 2
    own.live(SETTLED_S)
    assert own.gears[0].groups == {15}


def test_a_driver_that_is_dead_from_the_start_does_not_keep_the_others_from_one_frame(tmp_path: Path) -> None:
    gears = five()
    gears[4].lamp.faults.add(Fault.MUTE)
    own, programs = mixed(tmp_path, gears, are_a=3)

    own.say(programs, [own.override(100, lasts_s=600, names=own.names[:3])])
    own.live(2)

    assert bytes((LAST, FULL_ARC)) in own.sent()


def test_another_program_is_another_group_from_then_on(tmp_path: Path) -> None:
    own, programs = mixed(tmp_path, five(), are_a=3)
    programs[own.names[2]] = "b"
    own.say(programs)
    own.live(SETTLED_S)
    assert [gear.groups for gear in own.gears] == [{15}, {15}, {14}, {14}, {14}]
    own.sent()

    own.say(programs, [own.override(100, lasts_s=600, names=own.names[2:])])
    own.live(5)

    assert own.sent()[0] == bytes((LAST_BUT_ONE, FULL_ARC))


def test_whatever_happens_no_lamp_hears_a_level_that_it_shall_not_have(tmp_path: Path) -> None:
    rng = random.Random(6)
    own = Mixed(tmp_path, [Gear(address, level=HALF_ARC) for address in range(6)], HandClock(NIGHT_MS))
    lamps = own.line._lamps
    wrong: list[str] = []
    grouped = 0
    for turn in range(60):
        gear = rng.choice(own.gears)
        gear.lamp.faults ^= {rng.choice([Fault.MUTE, Fault.HALF_MUTE, Fault.SUPPLY_LOSS])}
        gear.groups ^= {rng.choice([14, 15])} if not gear.lamp.has_mains else set()  # somebody puts another one in its place
        programs = {name: rng.choice("aab") for name in own.names}
        names = rng.sample(own.names, rng.randrange(1, 6)) if turn % 2 else [name for name in own.names if programs[name] == "a"]
        own.say(programs, [own.override(rng.choice([20, 100]), 300, names=names)] if names else [])
        until_ms = own.clock.monotonic_ms() + rng.choice([2_000, 15_000])
        while own.clock.monotonic_ms() < until_ms:
            own.wire.frames.clear()
            own.clock.advance(own.line.go_on())
            own.luba.said(own.clock.now_ms())
            for to, level in (frame for frame in own.wire.frames if not frame[0] & 1):
                hearing = [n for n, gear in enumerate(own.gears) if _hears(gear, to)]
                wrong += [f"turn {turn}: {to:02X} {level}" for n in hearing if lamps[n].wanted != level]
                grouped += to in (LAST, LAST_BUT_ONE)

    assert wrong == []
    assert grouped > 10


def _hears(gear: Gear, to: int) -> bool:
    is_deaf = not gear.lamp.has_mains or Fault.MUTE in gear.lamp.faults
    return not is_deaf and to >> 1 in {gear.address, 0x7F, *(0x40 | group for group in gear.groups)}
