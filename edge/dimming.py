"""How bright a lamp shall burn: a pure function of time, place, program, what the sensors tell, and the last decision.

Order of command: override, traffic, program, failsafe. Where a sensor or the clock does not tell what is asked for, IS_DARK and the
words NO_… of `Why` say what counts instead: never less light than a class demands.
"""

import datetime as dt
import enum
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from edge.night import evening_of, stages
from hoflicht.days import in_season
from hoflicht.instants import ms
from hoflicht.program import Program, floor_percent
from hoflicht.shadow import Command, Duty, Reason
from hoflicht.sky import Place, moonlit, sun_deg

# A clock that says it is earlier or later has not been set, whatever it says of itself: an empty battery leaves it in 1970 or 2000.
FIRST_MS, LAST_MS = (ms(dt.datetime(year, 1, 1, tzinfo=dt.UTC)) for year in (2020, 2100))
# The sun's elevation below which it is dark whatever the light sensor says: the end of civil twilight, some 3 lx under a clear sky.
# A sensor that sees more sees a shop window, or is broken.
SURELY_DARK_DEG = -6.0
# And above which it is not: a clear sky gives some 10 000 lx there and the thickest thunderstorm leaves a hundredth of it. A sensor
# that sees less is covered or broken, and its lamps would burn all day.
SURELY_LIGHT_DEG = 10.0
BRIGHTER = 2.0  # so many times the light at which lamps go on must be there before they go off: they must not see themselves
# For so long the light sensor must say otherwise: a headlight, lightning or a bird is gone by then, and dusk takes no tenth of the
# light in it.
STEADY_MS = 60_000
MOST_LX = 200_000.0  # no sensor sees more under any sun
RAIN_MM_H = 0.1  # less dries as it falls; our choice
DRIES_S = 3_600.0  # a road counts as wet so long after the last rain; our choice, sun, wind and warmth decide
EARLY_MS = 60_000  # a command counts so long before the gateway's clock has come to it: that may be a little behind
FAILSAFE = Program()  # of a lamp that has none: its dusk and its ramps


class Senses(msgspec.Struct, frozen=True):
    """What is known at the post right now; None: nobody alive tells it. What cannot be (NaN, below 0) counts as not told."""

    lux: float | None = None
    rained_ago_s: float | None = None  # since it last rained as much as RAIN_MM_H, 0 while it does; infinite: not since the start
    passed_ago_s: float | None = None  # since somebody last passed one of the duty's sensors; infinite: not since the start


class Sun(enum.Enum):
    """What the clock and the sky tell."""

    NIGHT = enum.auto()  # below SURELY_DARK_DEG
    DUSK = enum.auto()  # not above the program's sun_deg
    LOW = enum.auto()  # not above SURELY_LIGHT_DEG
    DAY = enum.auto()
    UNKNOWN = enum.auto()  # the clock is not set


class Eye(enum.Enum):
    """What the light sensor tells."""

    DARK = enum.auto()
    LIGHT = enum.auto()
    DEAD = enum.auto()  # or there is none


IS_DARK: Mapping[tuple[Sun, Eye], bool] = {
    (Sun.NIGHT, Eye.DARK): True,
    (Sun.NIGHT, Eye.LIGHT): True,  # it looks into a shop window
    (Sun.NIGHT, Eye.DEAD): True,
    (Sun.DUSK, Eye.DARK): True,
    (Sun.DUSK, Eye.LIGHT): False,
    (Sun.DUSK, Eye.DEAD): True,
    (Sun.LOW, Eye.DARK): True,  # clouds
    (Sun.LOW, Eye.LIGHT): False,
    (Sun.LOW, Eye.DEAD): False,
    (Sun.DAY, Eye.DARK): False,  # it is covered
    (Sun.DAY, Eye.LIGHT): False,
    (Sun.DAY, Eye.DEAD): False,
    (Sun.UNKNOWN, Eye.DARK): True,
    (Sun.UNKNOWN, Eye.LIGHT): False,
    (Sun.UNKNOWN, Eye.DEAD): True,  # a lamp that burns by day harms nobody
}


class Memory(msgspec.Struct, frozen=True):
    """What the next decision needs of the last one; it does not survive a restart of the process."""

    at_ms: int  # monotonic
    percent: float  # that was to be sent
    eye: Eye  # what the light sensor says, once it is steady
    turned_ms: int | None  # monotonic: since when it says otherwise


class Why(enum.StrEnum):
    """What has led to a level, in words for the log."""

    OVERRIDE = "override"
    DAY = "not dark"
    STEP = "step of the program"
    BEFORE = "before the first step"
    NO_PERIOD = "no period fits this night"
    TRAFFIC = "traffic"
    WET = "wet road"
    NO_TRAFFIC_SENSOR = "nobody tells whether there is traffic"
    NO_RAIN_SENSOR = "nobody tells whether the road is wet"
    NO_PROGRAM = "no program"
    NO_CLOCK = "the clock is not set"


class Decision(msgspec.Struct, frozen=True):
    """A lamp's light from now on, in percent of its full light, linear."""

    target: float  # the goal
    percent: float  # what to send now: the goal, or the ramp's point on the way to it
    reason: Reason
    why: Why
    memory: Memory  # for the next decision


class Goal(NamedTuple):
    """A level that is asked for, and by whom."""

    percent: float
    reason: Reason
    why: Why


class Demand(NamedTuple):
    """What one asks for: a level, and a class that no cap may undercut."""

    percent: float
    lighting_class: str
    reason: Reason
    why: Why


def decide(
    now_ms: int | None,
    monotonic_ms: int,
    place: Place,
    duty: Duty,
    program: Program | None,
    senses: Senses,
    override: float | None,
    memory: Memory | None,
) -> Decision:
    """How bright a lamp shall burn.

    `now_ms` is None until the clock has been set for the first time; one that has lost its time server since still knows when dusk
    is. `program` is the one that `duty` names, None where there is none. `override` is the level of the command in force
    (`in_force`), None where there is none or it releases. `memory` is None at the start.
    """
    if now_ms is not None and not FIRST_MS <= now_ms < LAST_MS:
        now_ms = None
    kept = program or FAILSAFE
    eye, turned_ms = _look(_told(senses.lux, MOST_LX), kept.dark_lx, monotonic_ms, memory)
    sun = _sun(now_ms, place, kept.sun_deg)
    goal = _goal(now_ms, place, duty, program, senses, override, IS_DARK[sun, eye])
    percent = goal.percent if memory is None else _ramped(memory, goal.percent, monotonic_ms, kept)
    return Decision(goal.percent, percent, goal.reason, goal.why, Memory(monotonic_ms, percent, eye, turned_ms))


def in_force(commands: Iterable[Command], now_ms: int | None, monotonic_ms: int, begun_ms: Mapping[str, int]) -> dict[str, Command]:
    """The command that counts, by lamp; one whose `percent` is None releases the lamp.

    `begun_ms` tells, by a command's id, the monotonic instant at which `counts` was first true of it; the caller keeps it.
    """
    counting = (each for each in commands if counts(each, now_ms, monotonic_ms, begun_ms.get(each.id)))
    return {lamp: command for command in sorted(counting, key=lambda each: each.at_ms) for lamp in command.lamps}


def counts(command: Command, now_ms: int | None, monotonic_ms: int, begun_ms: int | None) -> bool:
    """Whether a command is in force: its time has come and is over by neither of the two clocks.

    A clock that is not set, or is behind the instant at which the command was given, cannot tell when it ends.
    """
    if now_ms is None or not command.at_ms - EARLY_MS <= now_ms < command.until_ms:
        return False
    return begun_ms is None or 0 <= monotonic_ms - begun_ms < command.until_ms - command.at_ms


def _told(value: float | None, most: float = math.inf) -> float | None:
    return value if value is not None and 0 <= value <= most else None  # NaN is in no range


def _look(lux: float | None, dark_lx: float, monotonic_ms: int, memory: Memory | None) -> tuple[Eye, int | None]:
    """What the light sensor says, and since when it says otherwise without having been believed yet."""
    if lux is None:
        return Eye.DEAD, None
    if memory is None or memory.eye is Eye.DEAD:
        return (Eye.LIGHT if lux > BRIGHTER * dark_lx else Eye.DARK), None
    turns = lux > BRIGHTER * dark_lx if memory.eye is Eye.DARK else lux < dark_lx
    if not turns:
        return memory.eye, None
    turned_ms = monotonic_ms if memory.turned_ms is None else min(memory.turned_ms, monotonic_ms)
    if monotonic_ms - turned_ms < STEADY_MS:
        return memory.eye, turned_ms
    return (Eye.LIGHT if memory.eye is Eye.DARK else Eye.DARK), None


def _sun(now_ms: int | None, place: Place, dusk_deg: float) -> Sun:
    if now_ms is None:
        return Sun.UNKNOWN
    elevation_deg = sun_deg(place, now_ms // 1000)
    if elevation_deg < SURELY_DARK_DEG:
        return Sun.NIGHT
    if elevation_deg <= dusk_deg:
        return Sun.DUSK
    return Sun.LOW if elevation_deg <= SURELY_LIGHT_DEG else Sun.DAY


def _goal(
    now_ms: int | None,
    place: Place,
    duty: Duty,
    program: Program | None,
    senses: Senses,
    override: float | None,
    is_dark: bool,
) -> Goal:
    if override is not None:
        return Goal(min(100.0, max(0.0, override)), Reason.OVERRIDE, Why.OVERRIDE)
    if not is_dark:
        return Goal(0.0, Reason.FAILSAFE if program is None or now_ms is None else Reason.PROGRAM, Why.DAY)
    if program is None:
        return Goal(100.0, Reason.FAILSAFE, Why.NO_PROGRAM)
    if now_ms is None:
        return Goal(100.0, Reason.FAILSAFE, Why.NO_CLOCK)
    evening = evening_of(now_ms, place)
    cap = _cap(program, evening, now_ms, place)
    demands = (_step(program, evening, now_ms, place), *_traffic(program, senses), *_wet(program, senses))
    return max((_granted(demand, duty, cap) for demand in demands), key=lambda goal: goal.percent)  # the first of equals


def _step(program: Program, evening: dt.date, now_ms: int, place: Place) -> Demand:
    night = stages(program, evening, place)
    if night is None:
        return Demand(100.0, "", Reason.PROGRAM, Why.NO_PERIOD)
    step = next((stage.step for stage in reversed(night) if stage.at_ms <= now_ms), None)
    if step is None:
        return Demand(100.0, "", Reason.PROGRAM, Why.BEFORE)
    return Demand(step.percent, step.lighting_class, Reason.PROGRAM, Why.STEP)


def _traffic(program: Program, senses: Senses) -> Iterator[Demand]:
    if program.traffic is None:
        return
    ago_s = _told(senses.passed_ago_s)
    if ago_s is None:
        yield Demand(program.traffic.percent, program.traffic.lighting_class, Reason.FAILSAFE, Why.NO_TRAFFIC_SENSOR)
    elif ago_s < program.traffic.hold_s:
        yield Demand(program.traffic.percent, program.traffic.lighting_class, Reason.SENSOR, Why.TRAFFIC)


def _wet(program: Program, senses: Senses) -> Iterator[Demand]:
    if not program.wet_class:
        return
    ago_s = _told(senses.rained_ago_s)
    if ago_s is None:
        yield Demand(0.0, program.wet_class, Reason.FAILSAFE, Why.NO_RAIN_SENSOR)
    elif ago_s < DRIES_S:
        yield Demand(0.0, program.wet_class, Reason.SENSOR, Why.WET)


def _cap(program: Program, evening: dt.date, now_ms: int, place: Place) -> float:
    counting = (
        cap.percent
        for cap in program.caps
        if in_season(evening, cap.first_day, cap.last_day)
        and (cap.moon_share is None or moonlit(place, now_ms // 60_000) >= cap.moon_share)
    )
    return min(counting, default=100.0)


def _granted(demand: Demand, duty: Duty, cap: float) -> Goal:
    floor = floor_percent(demand.lighting_class, duty.lighting_class)
    return Goal(max(floor, min(demand.percent, cap)), demand.reason, demand.why)


def _ramped(memory: Memory, target: float, monotonic_ms: int, program: Program) -> float:
    """The point of the way from the last level to `target`."""
    passed_s = max(0, monotonic_ms - memory.at_ms) / 1000
    ramp_s = program.ramp_up_s if target > memory.percent else program.ramp_down_s
    way = 100 * passed_s / ramp_s if ramp_s else 100.0
    return min(target, memory.percent + way) if target > memory.percent else max(target, memory.percent - way)
