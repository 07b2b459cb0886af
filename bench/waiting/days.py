"""A scenario lived: the days that are learnt from, and the one that is scored."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from bench.waiting.scenarios import BUSY_H, GATEWAY, OUT_MIN, YARD, Scenario
from hoflicht.hours import OpenPeriod
from hoflicht.reading import Reading
from simulators.life import stretches
from simulators.yard import Car, Law, Opening

WEEK = dt.timedelta(days=7)


class Day(msgspec.Struct, frozen=True):
    """One opening: what the sensors and the gateway said, in order of time, and the truth."""

    periods: Sequence[OpenPeriod]
    law: Law
    readings: list[Reading]
    lived: Opening

    @property
    def scored(self) -> list[Car]:
        """Cars that came while the yard was open, and got in."""
        return [car for car in self.lived.cars if car.came_ms >= self.lived.opens_ms and car.let_in_ms is not None]


def learnt(scenario: Scenario, seed: int) -> Iterator[Day]:
    """The openings before the scored one."""
    for ago in range(scenario.learnt, 0, -1):
        yield _lived(scenario, seed, scenario.on - ago * WEEK, scenario.law)


def scored(scenario: Scenario, seed: int) -> Day:
    """The last opening, with its trouble."""
    rng = random.Random(f"trouble/{seed}")
    law = scenario.law
    if scenario.out is not None:
        law = replace(law, outages=(replace(scenario.out, after_h=rng.uniform(*BUSY_H)),))
    if scenario.stops:
        law = replace(law, stops=((rng.uniform(*BUSY_H), OUT_MIN),))
    return _lived(scenario, seed, scenario.on, law)


def _lived(scenario: Scenario, seed: int, on: dt.date, law: Law) -> Day:
    """The same seed has the same cars in all scenarios of one yard."""
    periods = next(stretches(YARD, scenario.city(seed), on))
    rng = random.Random(f"{seed}/{on.isoformat()}")
    law = replace(law, load=scenario.load(periods, rng.random()))
    lived = Opening(scenario.yard, periods, law, rng)
    readings = [
        Reading(GATEWAY if event.quantity == "port_open" else YARD, event.sensor, event.quantity, event.at_ms, event.value)
        for event in lived.events()
    ]
    return Day(periods, law, readings, lived)
