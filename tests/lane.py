"""A yard's Monday, told as readings: what tests of the estimate and of its faces are made of."""

import datetime as dt
import math
import random
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import msgspec

from hoflicht.catalogue import Hours, Role, Sensor, Yard
from hoflicht.days import WEEKDAYS
from hoflicht.reading import Reading

YARD = "hof-nord"
OPENS = dt.datetime(2026, 11, 23, 8, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # a Monday; last entry 17:30, closes 18:00
GAP_MIN = 80 / 60  # 45 cars an hour, as the catalogue expects of hof-nord


# Counters alone, in the two places where cars may be counted out; 45 cars an hour, four bays.
AT_CONTROL = Yard(
    name="Hof",
    address="Weg 1",
    lat=51.0,
    lon=6.0,
    hours=Hours(weekly=dict.fromkeys(WEEKDAYS[:6], "08:00-18:00"), last_entry_before_min=30),
    sensors={"lane-in": Sensor(role=Role.LANE_ENTRY), "gate-in": Sensor(role=Role.ENTRY_CONTROL)},
    usual_entries_per_hour=45,
)
AT_EXIT = msgspec.structs.replace(
    AT_CONTROL, sensors={"lane-in": Sensor(role=Role.LANE_ENTRY), "gate-out": Sensor(role=Role.YARD_EXIT)}
)
# The same with a sensor that looks at the first car of the lane: it sees each that is let in.
HEAD = {"lane-3": Sensor(role=Role.LANE, position_m=3)}
LOOKED_AT = msgspec.structs.replace(AT_CONTROL, sensors=AT_CONTROL.sensors | HEAD)
HEAD_SEEN = msgspec.structs.replace(AT_EXIT, sensors=AT_EXIT.sensors | HEAD)


def at(minute: float) -> dt.datetime:
    """`minute` minutes after the opening."""
    return OPENS + dt.timedelta(minutes=minute)


def ms(minute: float) -> int:
    return round(at(minute).timestamp() * 1000)


def joined(*minutes: float) -> list[Reading]:
    """Cars counted at the end of the queue."""
    return [Reading(YARD, "lane-in", "passage", ms(minute), 1.0) for minute in minutes]


def let_in(*minutes: float) -> list[Reading]:
    """Cars counted at the gate."""
    return [Reading(YARD, "gate-in", "passage", ms(minute), 1.0) for minute in minutes]


def gone(*minutes: float) -> list[Reading]:
    """Cars counted at the yard's exit."""
    return [Reading(YARD, "gate-out", "passage", ms(minute), 1.0) for minute in minutes]


def presence(sensor: str, start: float, end: float, occupied: bool) -> list[Reading]:
    """A lane sensor that says the same from `start` to `end`, repeated every minute."""
    count = int(end - start) + 1
    return [Reading(YARD, sensor, "presence", ms(start + n), float(occupied)) for n in range(count)]


def held(minute: float, is_held: bool) -> list[Reading]:
    return [Reading(YARD, "barrier", "held", ms(minute), float(is_held))]


def every(gap: float, start: float, end: float) -> list[float]:
    """Minutes from `start` on, before `end`, `gap` apart."""
    return [start + n * gap for n in range(int((end - start) / gap))]


def free_lane(until: float) -> list[Reading]:
    """Sensors at 3, 50 and 120 m that see nobody from the opening on."""
    return [reading for sensor in ("lane-3", "lane-50", "lane-120") for reading in presence(sensor, 0, until, False)]


def moving_head(let_in_at: Iterable[float], start: float, end: float) -> list[Reading]:
    """The head sensor of a queue: occupied, but for five seconds after each car that is let in."""
    readings = presence("lane-3", start, end, True)
    for minute in let_in_at:
        readings += [
            Reading(YARD, "lane-3", "presence", ms(minute), 0.0),
            Reading(YARD, "lane-3", "presence", ms(minute) + 5_000, 1.0),
        ]
    return readings


def steady_queue(cars: int, until: float) -> list[Reading]:
    """`cars` wait from the opening on; every 80 s one is let in and at once another joins."""
    leaving = every(GAP_MIN, 1.0, until)
    # At once: else the time between would speak for a single car, whose lane is empty then so that nobody can leave.
    coming = joined(*[n * 0.01 for n in range(cars)], *[minute + 0.01 for minute in leaving])
    return coming + let_in(*leaving) + moving_head(leaving, 0.3, until)


def random_day(seed: int, until: float = 560, day: int = 0, gap: float = GAP_MIN) -> list[Reading]:
    """A day of counters alone: cars come at random, nearly as many as can be let in, one every `gap` minutes in the mean."""
    rng = random.Random(seed)
    coming, leaving, minute, free = [], [], 0.0, 0.0
    while (minute := minute + rng.expovariate(0.95 / gap)) < until:
        coming.append(minute)
        free = free + rng.expovariate(1 / gap) if free > minute else minute + 0.3
        leaving.append(free)
    start = 24 * 60 * day
    return joined(*[start + m for m in coming]) + let_in(*[start + m for m in leaving if m < until])


def unloading_day(
    seed: int,
    until: float = 560,
    day: int = 0,
    gap: float = GAP_MIN,
    gate: float = 0.0,
    lunch: tuple[float, float] = (0.0, 0.0),
    patience: float = math.inf,
) -> list[Reading]:
    """A day of HEAD_SEEN: cars come at random, `gap` minutes apart in the mean, and unload for four times 80 s in one of four bays.
    They come for `until` minutes, and all leave.

    The gate opens every `gate` minutes for as many as there are bays free; 0: always. At `lunch` two bays take nobody.
    Each that waits leaves unseen after `patience` minutes in the mean.
    """
    rng = random.Random(seed)
    free, start = [0.0] * 4, 24.0 * 60 * day
    coming, staying, going, leaving, minute = [], [], [-1.0], [], 0.0
    while (minute := minute + rng.expovariate(1 / gap)) < until:
        able = [lunch[1] if bay < 2 and lunch[0] <= max(at, minute) < lunch[1] else at for bay, at in enumerate(free)]
        ready = max(minute + 0.1, min(able))  # it rolls up first
        opens = gate * math.ceil(ready / gate) if gate else ready
        goes = max(opens, going[-1] + 0.15)
        coming.append(start + minute)
        if patience < math.inf and goes - minute > rng.expovariate(1 / patience):
            continue
        staying.append(start + minute)
        going.append(goes)
        bay = able.index(min(able))
        free[bay] = going[-1] + rng.expovariate(1 / (4 * GAP_MIN))
        leaving.append(start + free[bay])
    heads = [start + minute for minute in going[1:]]
    return joined(*coming) + gone(*leaving) + gaps(staying, heads, start, max(leaving) + 1)


def gaps(coming: Sequence[float], going: Sequence[float], start: float, end: float) -> list[Reading]:
    """The head sensor of a lane that these cars join and leave: free for five seconds at least after each that leaves."""
    taken = [max(came + 0.05, before + 5 / 60) for came, before in zip(coming, [start, *going], strict=False)]
    turns = [(start, 0.0), *((m, 1.0) for m in taken), *((m, 0.0) for m in going)]
    told = sorted(turn for turn in turns if turn[0] < end)
    repeats = [(start + n, next(state for m, state in reversed(told) if m <= start + n)) for n in range(int(end - start))]
    return [Reading(YARD, "lane-3", "presence", ms(m), state) for m, state in sorted([*told, *repeats])]
