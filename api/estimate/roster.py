"""How much of the yard is usually at work at each time of day, learnt from departures: nobody types a roster.

Theory. Departures in a quarter of an hour are Poisson: share times full rate times the seconds in which cars waited. Which share,
of as many as there are bays, follows by Bayes' rule from the hour around it; the full rate is what is left when the shares are
taken out (expectation maximisation: Dempster, Laird and Rubin 1977). The whole yard is believed to work unless
the counts say otherwise.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.estimate.profile import BINS

Array = NDArray[np.float64]

FULL = 0.3  # what is believed of the full share before anything is counted; the others share the rest
FULL_S = 1_800.0  # seconds with the whole yard at work that are believed in before any is seen
ROUNDS = 2  # of expectation and maximisation: the more, the more chance is taken for closures, and the rate grows by it
NEAR = np.array([0.5, 1.0, 1.0, 1.0, 0.5])  # quarters of an hour that tell of the one in their middle: shorter closures are chance


class Usual(NamedTuple):
    """`share[bin]` of the yard at work, and the full rate as so many cars in so many seconds."""

    share: Array
    cars: float
    full_s: float


def seen(share_s: Array, waiting_s: Array) -> Array:
    """The usual share of each bin where the cars in the bays are counted: `share_s` is the share believed, times the seconds."""
    near_s = np.convolve(waiting_s, NEAR, "same")
    return (np.convolve(share_s, NEAR, "same") + FULL_S) / (near_s + FULL_S)


def usual(departures: Array, waiting_s: Array, shares: Array, before: tuple[float, float]) -> Usual:
    """The roster that explains `departures` in `waiting_s` seconds of each bin.

    `shares` are those that are possible, rising, with 1.0 among them; `before` is what was believed of the full rate: cars and
    seconds.
    """
    prior = np.full(len(shares), (1 - FULL) / max(len(shares) - 1, 1))
    prior[np.argmin(np.abs(shares - 1.0))] = FULL
    near, near_s = np.convolve(departures, NEAR, "same"), np.convolve(waiting_s, NEAR, "same")
    cars = float(departures.sum()) + before[0]
    mean, full_s = np.ones(BINS), float(waiting_s.sum()) + before[1]
    for _ in range(ROUNDS):
        logs = near[:, None] * np.log(shares) - cars / full_s * near_s[:, None] * shares + np.log(prior)
        likely = np.exp(logs - logs.max(axis=1, keepdims=True))
        mean = (likely @ shares) / likely.sum(axis=1)
        full_s = float(mean @ waiting_s) + before[1]
    return Usual(mean, cars, full_s)
