"""Cars that stand one behind the other, and what presence sensors along them see."""

import functools
import random
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

LEAVE_MS = 2_000  # until the first car has left the sight of a sensor at the gate
REACT_MS_PER_M = 150  # the gap runs down the lane: 1 s a car
GAP_MS = 4_000  # until the next car has moved up into it
SHORTEST = 0.5  # of the usual metres a car; no car is shorter than a small one bumper to bumper

CarT = TypeVar("CarT")


class Lane(Generic[CarT]):
    """A queue before a gate; `positions` says how many metres before it each sensor looks.

    `at` plans an act, `see` says what a sensor sees from now on. Cars take `metres_per_car` with a spread of `spread_m`.
    """

    def __init__(
        self,
        positions: Mapping[str, float],
        metres_per_car: float,
        spread_m: float,
        at: Callable[[int, Callable[[int], None]], None],
        see: Callable[[int, str, bool], None],
        rng: random.Random,
    ) -> None:
        self._positions, self._metres_per_car, self._spread_m = positions, metres_per_car, spread_m
        self._at, self._tell, self._rng = at, see, rng
        self._cars: dict[int, tuple[CarT, float]] = {}  # by the order in which they came; with their metres
        self._came = 0
        self._seen = dict.fromkeys(positions, False)

    def __len__(self) -> int:
        return len(self._cars)

    def join(self, car: CarT, now_ms: int) -> int:
        """Stand behind the last; the number is for `leave`."""
        metres = self._metres_per_car
        if self._spread_m:
            metres = max(self._rng.gauss(metres, self._spread_m), SHORTEST * metres)
        self._came += 1
        self._cars[self._came] = (car, metres)
        self._look(now_ms)
        return self._came

    def move_up(self, now_ms: int) -> CarT:
        """Take out the first car; the gap that it leaves runs down the lane, past each sensor that a car stands at."""
        for sensor, position_m in self._positions.items():
            if self._covers(sensor):
                gap_ms = now_ms + LEAVE_MS + round(REACT_MS_PER_M * position_m)
                self._at(gap_ms, functools.partial(self._see, sensor, False))
                self._at(gap_ms + GAP_MS, self._look)
        car, _ = self._cars.pop(next(iter(self._cars)))
        return car

    def leave(self, number: int, now_ms: int) -> bool:
        """Take out a car that gives up; False where it stands there no more."""
        is_there = self._cars.pop(number, None) is not None
        self._look(now_ms)
        return is_there

    def clear(self, now_ms: int) -> None:
        """All are sent away."""
        self._cars.clear()
        self._look(now_ms)

    def repeat(self, now_ms: int) -> None:
        """Say again what is seen."""
        for sensor, covered in self._seen.items():
            self._tell(now_ms, sensor, covered)

    def _covers(self, sensor: str) -> bool:
        return sum(metres for _, metres in self._cars.values()) > self._positions[sensor]

    def _look(self, now_ms: int) -> None:
        for sensor in self._seen:
            self._see(sensor, self._covers(sensor), now_ms)

    def _see(self, sensor: str, covered: bool, now_ms: int) -> None:
        if covered != self._seen[sensor]:
            self._seen[sensor] = covered
            self._tell(now_ms, sensor, covered)
