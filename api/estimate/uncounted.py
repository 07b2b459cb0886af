"""How many more or fewer cars may be there than were counted: what is put beside a mass over cars, so that it can be found out.

`p[lane, pair]` is a probability, `lane` its sums over cars in the lane.
"""

import functools
import math

import numpy as np

from api.estimate.pace import CARS, Array

DOUBT = 3e-4  # between two looks of a lane sensor a counter fails for good, and the true number is another one by
DOUBT_FADES = 0.7  # some cars, each further one so much less likely; three looks of a sensor then outweigh a wrong count
FARTHEST = 40  # cars beyond all that are believed in: the weight is less than 1e-10 there


def doubted(p: Array, lane: Array) -> Array:
    """The same with a little weight on numbers far from what was counted, so that a lane sensor can prove a counter wrong."""
    length = min(len(p) + FARTHEST, CARS)
    share = (1 - DOUBT_FADES) / (1 + DOUBT_FADES)  # the spread of one car's weight sums to one
    spread = _fading()[:length, : len(p)] @ lane * share
    other: Array = DOUBT * spread[:, None] * p.sum(axis=0)
    other[: len(p)] += (1 - DOUBT) * p
    return other


def missed(p: Array, chance: float, cars: float) -> Array:
    """With that chance so many cars more, in the mean of a Poisson number."""
    most = math.ceil(cars + 4 * math.sqrt(cars)) + 1  # beyond lies less than one in ten thousand
    more: Array = np.zeros((len(p) + most, p.shape[1]))
    more[: len(p)] = (1 - chance) * p
    likely = math.exp(-cars)
    for n in range(most + 1):
        more[n : n + len(p)] += chance * likely * p
        likely *= cars / (n + 1)
    return more[:CARS]


@functools.lru_cache(1)
def _fading() -> Array:
    n = np.arange(CARS)
    return np.asarray(DOUBT_FADES ** np.abs(n[:, None] - n))
