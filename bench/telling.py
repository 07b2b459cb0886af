"""How long the api thinks: a whole day told from its stored readings, beside the counter difference; the next estimate, and one
event more."""

import datetime as dt
import itertools
import statistics
from collections.abc import Iterator

from msgspec.structs import replace

from api.estimate.learning import learn
from api.estimate.memory import Memory
from api.estimate.opening import Opening
from api.estimate.profile import COLD, Profile
from api.estimate.waiting import estimate
from api.standing import RENEW_MS
from bench import show
from bench.duel import cpu_ms
from bench.waiting import references
from bench.waiting.days import Day, learnt, scored
from bench.waiting.scenarios import BASE, USUALLY, YARD, Scenario
from hoflicht.catalogue import City, Hours

ROUNDS = 7
TWELVE_HOURS = Scenario(USUALLY, replace(BASE, hours=Hours(weekly={"sat": "07:00-19:00"}, last_entry_before_min=30)), learnt=1)
NEXT, RENEWED = 50, dt.timedelta(milliseconds=RENEW_MS)
BEFORE_CLOSING = dt.timedelta(minutes=31)  # the yard still lets in


def rows() -> Iterator[str]:
    """CPU time of a twelve-hour day, with two per cent of miscounts and three lane sensors, after one that was learnt from."""
    city, profile, day = TWELVE_HOURS.city(0), COLD, scored(TWELVE_HOURS, 0)
    for before in learnt(TWELVE_HOURS, 0):
        profile = learn(YARD, city, before.readings, before.periods[0], profile)
    at = day.periods[0].closes - BEFORE_CLOSING
    whole_ms = [cpu_ms(lambda: estimate(YARD, city, day.readings, at, profile)) for _ in range(ROUNDS)]
    plain_ms = [cpu_ms(lambda: list(references.plain(BASE, day, [round(at.timestamp() * 1000)]))) for _ in range(ROUNDS)]
    each_ms = _each_ms(Opening(YARD, city, day.readings, day.periods[0], profile), day)
    ratios = [one / other for one, other in zip(whole_ms, plain_ms, strict=True)]
    told = f"{_spread(whole_ms)} | {_spread(plain_ms)} | {statistics.median(ratios):.0f} | {min(ratios):.0f}–{max(ratios):.0f}"
    yield (
        f"| estimate: a day of twelve hours, {len(day.readings)} readings, CPU ms | counter difference over recent throughput |"
        f" {told} | ≤ 100 ms |"
    )
    next_ms = _next_ms(city, profile, day, at)
    yield f"| estimate: the next one, all readings given again, CPU ms | - | {_spread(next_ms)} | - | - | - | |"
    yield f"| estimate: one instant more, of {len(each_ms)}, CPU ms | - | {_spread(each_ms)} | - | - | - | ≤ 1 ms |"


def _next_ms(city: City, profile: Profile, day: Day, at: dt.datetime) -> list[float]:
    """How long each estimate takes that goes on from the one before, as the api asks for them while cars pass."""
    remembers, last = Memory(YARD, city), at - NEXT * RENEWED
    remembers.estimate(day.readings, last, profile)
    return [cpu_ms(lambda n=n: remembers.estimate(day.readings, last + n * RENEWED, profile)) for n in range(1, NEXT + 1)]  # type: ignore[misc]


def _each_ms(opening: Opening, day: Day) -> list[float]:
    """How long each instant takes at which anything was read, told one after the other."""
    instants_ms = [at_ms for at_ms, _ in itertools.groupby(reading.at_ms for reading in day.readings)]
    return [cpu_ms(lambda at_ms=at_ms: opening.until(at_ms)) for at_ms in instants_ms]  # type: ignore[misc]


def _spread(took_ms: list[float]) -> str:
    return f"{statistics.median(took_ms):.2f} ({min(took_ms):.2f}–{max(took_ms):.2f})"


if __name__ == "__main__":
    show(rows())
