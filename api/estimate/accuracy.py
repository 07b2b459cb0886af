"""How far the waits that were published were from those that cars then really had, hour by hour.

A wait is measured back when its car is let in. Where counters miscount it is not sure which car that was: then several are
possible, each with its probability, and each counts for so much. To take only the likeliest would flatter: the number that was
published rests on the same count, so where that is wrong both are wrong alike.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hoflicht.catalogue import ESTIMATE
from hoflicht.reading import Reading

PUBLISHED = ("wait_state", "wait_mean", "wait_p10", "wait_p90")  # each publication has a state, a number not always
HOUR_MS = 3_600_000
OLD_MS = 120_000  # estimates are kept once a minute: one may be lost; an older one was not what the driver saw
CLOSE_S = 180.0  # the bar that border crossings set: within three minutes
FEW = 5.0  # waits; of so many the mean absolute error is known to a third (0.76 / √5), of fewer it says nothing of the hour


class Measured(NamedTuple):
    """A car that joined the queue then waited so long, with this probability."""

    joined_ms: int
    wait_s: float
    chance: float = 1.0


class Told(NamedTuple):
    """What was published at one instant, in seconds; None where there was no such number."""

    mean_s: float | None
    p10_s: float | None
    p90_s: float | None


class Outcome(NamedTuple):
    """One wait as it was told and as it came; `is_inside` the band, None where none was told."""

    error_s: float  # above 0: told too long
    is_inside: bool | None
    chance: float


def accuracy(published: Sequence[Reading], measured: Iterable[Measured], old_ms: int = OLD_MS) -> list[Reading]:
    """The errors of one yard by the hour in which the cars joined, stamped at its start; none where hardly a wait was measured.

    `published` are readings of PUBLISHED of its `estimate`; what was told last before a car joined, no longer than `old_ms` before,
    is what its driver went by. A wait for which no number was told is not counted.
    """
    told = _told(published)
    instants = sorted(told)
    by_hour: dict[int, list[Outcome]] = {}
    for each in measured:
        place = bisect_right(instants, each.joined_ms)
        if place and each.joined_ms - instants[place - 1] <= old_ms:
            hour_ms = each.joined_ms // HOUR_MS * HOUR_MS
            by_hour.setdefault(hour_ms, []).extend(_outcome(told[instants[place - 1]], each))
    return [reading for at_ms in sorted(by_hour) for reading in _readings(published[0].site, at_ms, by_hour[at_ms])]


def _told(published: Iterable[Reading]) -> dict[int, Told]:
    values: dict[int, dict[str, float]] = {}
    for reading in published:
        values.setdefault(reading.at_ms, {})[reading.quantity] = reading.value
    return {at_ms: Told(v.get("wait_mean"), v.get("wait_p10"), v.get("wait_p90")) for at_ms, v in values.items()}


def _outcome(told: Told, came: Measured) -> Iterator[Outcome]:
    if told.mean_s is None:
        return
    is_inside = None if told.p10_s is None or told.p90_s is None else told.p10_s <= came.wait_s <= told.p90_s
    yield Outcome(told.mean_s - came.wait_s, is_inside, came.chance)


def _readings(yard: str, at_ms: int, outcomes: Sequence[Outcome]) -> Iterator[Reading]:
    waits = sum(outcome.chance for outcome in outcomes)
    if waits < FEW:
        return
    values = {
        "error_mean": sum(abs(o.error_s) * o.chance for o in outcomes) / waits,
        "error_bias": sum(o.error_s * o.chance for o in outcomes) / waits,
        "within_3min": sum(o.chance for o in outcomes if abs(o.error_s) <= CLOSE_S) / waits,
        "waits_measured": waits,
    }
    banded = sum(o.chance for o in outcomes if o.is_inside is not None)
    if banded >= FEW:
        values["band_coverage"] = sum(o.chance for o in outcomes if o.is_inside) / banded
    yield from (Reading(yard, ESTIMATE, quantity, at_ms, round(value, 3)) for quantity, value in values.items())
