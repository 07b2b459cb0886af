"""A yard's Monday, told as readings: what tests of the estimate and of its faces are made of."""

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from hoflicht.reading import Reading

YARD = "hof-nord"
OPENS = dt.datetime(2026, 11, 23, 8, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # a Monday; last entry 17:30, closes 18:00
GAP_MIN = 80 / 60  # 45 cars an hour, as the catalogue expects of hof-nord


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
    """`cars` wait from the opening on; every 80 s one is let in and another joins."""
    leaving = every(GAP_MIN, 1.0, until)
    coming = joined(*[n * 0.01 for n in range(cars)], *[minute + 0.1 for minute in leaving])
    return coming + let_in(*leaving) + moving_head(leaving, 0.3, until)
