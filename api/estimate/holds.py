"""Staff's word that nobody is let in for now: each hold ends by itself, and the next word takes its place.

One reading carries all of it: from `at_ms` on for `value` seconds, 0 to let in again. So a release that is forgotten or lost on the
way holds no yard for ever, and nobody needs to know an earlier word to understand a later one.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hoflicht.catalogue import STAFF
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading

HOLD = "hold"
# Three hours: longer than any container change, and no longer than the estimate looks back before an opening (day.py).
LONGEST_S = round(QUANTITIES[HOLD].high)


class Spell(NamedTuple):
    """Nobody is let in from `from_ms` until before `until_ms`."""

    from_ms: int
    until_ms: int


def word(yard: str, at_ms: int, seconds: float) -> Reading:
    """Staff say at `at_ms` that nobody is let in for so long."""
    return Reading(yard, STAFF, HOLD, at_ms, float(seconds))


def is_word(reading: Reading) -> bool:
    """Whether it is one of staff."""
    return reading.sensor == STAFF and reading.quantity == HOLD


def spells(readings: Iterable[Reading]) -> Iterator[Spell]:
    """The holds of one yard, from readings in order of time."""
    words = [reading for reading in readings if is_word(reading)]
    for n, said in enumerate(words):
        until_ms = said.at_ms + round(said.value * 1000)
        if n + 1 < len(words):
            until_ms = min(until_ms, words[n + 1].at_ms)
        if until_ms > said.at_ms:
            yield Spell(said.at_ms, until_ms)


def held_until(held: Iterable[Spell], at_ms: int) -> int | None:
    """When the hold ends that is in force at `at_ms`; None where none is."""
    return next((spell.until_ms for spell in held if spell.from_ms <= at_ms < spell.until_ms), None)
