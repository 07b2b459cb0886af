"""What a lane sensor sees, and how well each number of cars in the lane explains it.

Theory. Standing cars take `metres_per_car` each, give or take; so the n-th one ends at a place that is normal about n times as
much, and a sensor at some place sees a car if the queue reaches so far. A sensor that turns from free to taken, or back, tells the
very number at that moment; who came and went since is counted on from there.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from api.estimate.lane import Passed
from api.estimate.pace import CARS, Array

MISLED = 0.02  # a sensor says so although the lane is not so: a pedestrian, a puddle
# A sensor inside a standing queue looks at a gap: 2 of 7 metres would be 0.3. The simulated sensors see no gaps, and 0.1 erred
# less there than 0.2 and 0.35; no lane in the field has been measured yet.
BETWEEN_CARS = 0.1
NUMBERS = np.arange(CARS)
SPREAD_M = 1.5  # by which the place of one standing car varies; n cars vary by SPREAD_M * sqrt(n)


class Sight(NamedTuple):
    """What a lane sensor at `position_m` before the gate steadily sees: a car, or none."""

    occupied: bool
    position_m: float
    metres_per_car: float

    @property
    def is_free_head(self) -> bool:
        """Whether no car stands at the gate."""
        return not self.occupied and self.position_m <= self.metres_per_car


def at_least(position_m: float, metres_per_car: float) -> int:
    """How many cars stand where a sensor at `position_m` steadily sees one."""
    return math.floor(position_m / metres_per_car) + 1


@functools.lru_cache(2_048)  # the same few sensors tell the same few things all day; 7 MB at most
def chances(sight: Sight, rolling: int = 0, since: Passed | None = None, beyond: int = 0) -> Array:
    """How likely `sight` is with each number of cars in the lane, of which the last `rolling` may not stand yet.

    `since`: the sensor saw the contrary until one car came or went, and then these. `beyond`: it has told the same of so many cars
    more, where it sees one, or fewer; what that told is taken out, for the place of those who stood there then is the same.
    """
    rolling = 0 if sight.occupied else rolling
    lane = np.maximum(NUMBERS - rolling, 0)
    standing = _standing_chances(sight)
    if since is None:
        seen = standing if sight.occupied else 1 - standing
        if not beyond:
            return np.asarray(seen[lane])
        before = lane + beyond if sight.occupied else np.maximum(lane - beyond, 0)
        return np.asarray(seen[lane] / seen[np.minimum(before, CARS - 1)])
    then = lane + since.let_in - max(since.joined - rolling, 0)
    taken, before = (standing[np.minimum(np.maximum(n, 0), CARS - 1)] for n in (then, then + (-1 if sight.occupied else 1)))
    return np.asarray(taken * (1 - before) if sight.occupied else (1 - taken) * before)


@functools.lru_cache(256)
def _standing_chances(sight: Sight) -> Array:
    """For each number of cars the probability that the sensor sees one of them stand."""
    position_m, metres_per_car = sight.position_m, sight.metres_per_car
    # The head of the lane has a line to stop at, so nobody stops with a gap in front of that sensor.
    surest = 1 - MISLED if position_m <= metres_per_car else 1 - BETWEEN_CARS
    reaches = [(n * metres_per_car - position_m) / (SPREAD_M * math.sqrt(n)) for n in range(1, CARS)]
    return np.array([MISLED, *(MISLED + (surest - MISLED) * 0.5 * math.erfc(-reach / math.sqrt(2)) for reach in reaches)])
