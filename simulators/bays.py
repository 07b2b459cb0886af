"""When bays are closed: for lunch, for a change of containers, for want of staff; and when the whole yard stands."""

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

CHANGE_MIN = (10, 20)  # a full container goes and an empty one comes


class Span(msgspec.Struct, frozen=True):
    """From `start_ms` on, before `end_ms`."""

    start_ms: int
    end_ms: int

    def holds(self, at_ms: int) -> bool:
        """Whether `at_ms` lies in it."""
        return self.start_ms <= at_ms < self.end_ms


class Closure(Span, frozen=True):
    """A bay that takes no further car; one that unloads there stays until it is done. The staff know of it from `known_ms` on."""

    bay: int
    known_ms: int = 0


def is_closed(closures: Iterable[Closure], bay: int, at_ms: int) -> bool:
    """Whether `bay` takes no car at `at_ms`."""
    return any(closure.bay == bay and closure.holds(at_ms) for closure in closures)


def lunches(bays: int, first_ms: int, minutes: float) -> Iterator[Closure]:
    """One bay after the other, the first from `first_ms` on."""
    length_ms = round(minutes * 60_000)
    for bay in range(bays):
        start_ms = first_ms + bay * length_ms
        yield Closure(start_ms, start_ms + length_ms, bay)


def unstaffed(bays: int, roster: Sequence[tuple[float, int]], opens_ms: int, closes_ms: int) -> Iterator[Closure]:
    """`roster`: from so many hours after the opening on, so many bays have staff; the others are closed."""
    edges_ms = [*(opens_ms + round(hours * 3_600_000) for hours, _ in roster), closes_ms]
    for (start_ms, end_ms), (_, staffed) in zip(pairwise(edges_ms), roster, strict=True):
        for bay in range(staffed, bays):
            yield Closure(start_ms, end_ms, bay)


def changes(bays: int, starts_ms: Iterable[int], closures: Sequence[Closure], rng: random.Random) -> Iterator[Closure]:
    """Changes of containers, of which nobody knows before; none where it would close the last bay."""
    for start_ms in starts_ms:
        change = Closure(start_ms, start_ms + round(rng.uniform(*CHANGE_MIN) * 60_000), rng.randrange(bays), start_ms)
        if any(not is_closed(closures, bay, start_ms) for bay in range(bays) if bay != change.bay):
            yield change
