"""Who stands in the lane: the cars that were counted in, matched first in first out with those that were let in.

So each departure tells the wait that somebody really had. Counters miscount, hence the match goes by the number of cars that is
believed to stand, counted from the last one that came: a count that is repaired repairs the match. Cars that have been seen in a
lane or leave bays have driven in one behind the other. Where no sensor tells so nothing shows that a line keeps its order (of
recorded queues 36 to 46 in 100 are overtaken, see docs/waiting-time.md): then a part of each departure is taken from anywhere in
it. That widens the band; the match itself stays first in first out.
"""

import math
from collections.abc import Iterator, Sequence

import msgspec

# Of departures leave from anywhere in a line that nothing keeps in order: the share overtaken in the recorded JFK departures.
# It was set with their coverage in sight; where order is kept the band is too wide for it.
OVERTAKING = 0.4
PLACES = (1 / 6, 1 / 2, 5 / 6)  # of the line, for those: its thirds
SPREAD = ((-(3**0.5), 1 / 6), (0.0, 2 / 3), (3**0.5, 1 / 6))  # three points with the variance of a normal law (Gauss–Hermite)
LEAST = 0.02  # of a car, that is still followed


class Said(msgspec.Struct, frozen=True, gc=False):
    """What was said when a car joined: each voice and the number made of them, in seconds, and the scale of its error."""

    voices_s: tuple[float, ...]
    number_s: float
    scale_s: float


class Car(msgspec.Struct, gc=False):
    """A car that was counted in; `there` is how much of it has not been let in yet, where order is not kept."""

    joined_ms: int
    said: Said | None = None
    there: float = 1.0


class Line:
    """All cars that were counted in, the last one at the end. `per_entry`: how many are let in for each that is counted.

    `gives_up_per_s`: at this rate each leaves while it waits; then that, and no share, is what becomes of those in a lane.
    """

    def __init__(self, per_entry: float, keeps_order: bool, gives_up_per_s: float = 0.0) -> None:
        self._per_entry = per_entry
        self._gives_up_per_ms = gives_up_per_s / 1000 if keeps_order else 0.0
        self._overtaking = 0.0 if keeps_order else OVERTAKING
        self._cars: list[Car] = []
        self._first = 0  # cars before that have been let in for certain

    def join(self, at_ms: int) -> Car:
        """One more is counted in."""
        car = Car(at_ms)
        self._cars.append(car)
        return car

    def head(self, waiting: float, at_ms: int) -> Car | None:
        """The first of so many that stand; None where none was counted."""
        if self._gives_up_per_ms:
            return self._head_of_those_left(waiting, at_ms)
        place = len(self._cars) - max(round(waiting / self._per_entry), 1)
        return self._cars[max(place, 0)] if self._cars else None

    def _head_of_those_left(self, waiting: float, at_ms: int) -> Car | None:
        car = None
        for car in reversed(self._cars):
            stays = math.exp(self._gives_up_per_ms * (car.joined_ms - at_ms))
            waiting -= stays
            if waiting < stays / 2:
                break
        return car

    def leaves(self, waiting: float, spread: float, at_ms: int) -> Iterator[tuple[Car, float]]:
        """Who may be the one that is let in now, of `waiting` ± `spread`, each with its probability."""
        kept = 1 - self._overtaking
        if not self._overtaking:
            for away, chance in SPREAD:
                car = self.head(max(waiting + away * spread, 1.0), at_ms)
                if car is not None:
                    yield car, chance
            return
        taken = list(self._take_first(kept / self._per_entry))
        taken += self._take_anywhere(self._overtaking / self._per_entry)
        total = sum(part for _, part in taken)
        yield from ((car, part / total) for car, part in taken)
        self._settle((waiting - 1) / self._per_entry)

    def _standing(self) -> Sequence[Car]:
        return self._cars[self._first :]

    def _take_first(self, amount: float) -> Iterator[tuple[Car, float]]:
        for car in self._standing():
            if amount <= 0:
                return
            part = min(car.there, amount)
            car.there -= part
            amount -= part
            if part > 0:
                yield car, part

    def _take_anywhere(self, amount: float) -> Iterator[tuple[Car, float]]:
        total = sum(car.there for car in self._standing())
        if total <= 0:
            return
        before, places = 0.0, list(PLACES)
        for car in self._standing():
            before += car.there / total
            while places and before >= places[0] - 1e-9:
                places.pop(0)
                yield car, amount / len(PLACES)
            car.there *= max(1 - amount / total, 0.0)

    def _settle(self, waiting: float) -> None:
        """As many stand as are believed to: what is too much had left before, what is missing came last."""
        excess = sum(car.there for car in self._standing()) - max(waiting, 0.0)
        while self._first < len(self._cars) and (excess > 0 or self._cars[self._first].there < LEAST):
            car = self._cars[self._first]
            part = min(car.there, max(excess, 0.0))
            excess -= part
            car.there -= part
            if car.there >= LEAST:
                return
            self._first += 1
