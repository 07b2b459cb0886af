"""How many cars there are and how much of the yard is at work: one probability for each pair, never a bare count.

Theory. A hidden Markov model, filtered forward (Rabiner 1989). Counters miss cars and count trailers twice, cars turn away unseen:
so an entry shifts the mass by one car on average and spreads it a little; a departure shifts it down; a time without departures
makes every state that would have had one less likely; what a lane sensor sees multiplies each number by how well it explains the
sight. Nothing is below zero. So a count that drifts is pulled back by whatever is seen: a free head, a standing tail, or departures
that come slower than such a queue would let them.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from api.pace import CARS, TURNOVER_S, Array, Pace

MISCOUNTS = (0.001, 0.005, 0.02, 0.05, 0.1)  # candidates of the variance that an entry adds; the likeliest is learnt
MISLED = 0.02  # a sensor says so although the lane is not so: a pedestrian, a puddle
# A sensor inside a standing queue looks at a gap: 2 of 7 metres would be 0.3. The simulated sensors see no gaps, and 0.1 erred
# less there than 0.2 and 0.35; no lane in the field has been measured yet.
BETWEEN_CARS = 0.1
SPREAD_M = 1.5  # by which the place of one standing car varies; n cars vary by SPREAD_M * sqrt(n)
DOUBT = 3e-4  # between two looks of a lane sensor a counter fails for good, and the true number is another one by
DOUBT_FADES = 0.7  # some cars, each further one so much less likely; three looks of a sensor then outweigh a wrong count
SURPRISING = 0.5  # a sight less likely than this makes us doubt the count
NEGLIGIBLE = 1e-9
STEP_S = 120.0  # time goes by in steps so long: what is usual changes little meanwhile
UNSEEN_STEP_S = 10.0  # where cars come or go unseen, at most one in each
SURE = 0.9  # of the bays that work so many are seen in use while cars wait: between two cars one is free for a moment


class Sight(NamedTuple):
    """What a lane sensor at `position_m` before the gate steadily sees: a car, or none."""

    occupied: bool
    position_m: float
    metres_per_car: float


class Blind(NamedTuple):
    """Counters that are known to be out: what passes them happens unseen."""

    entry: bool = False
    departure: bool = False


class Queue:
    """The mass `p[n, c]` over cars and states of `pace`, and the logarithm of how likely all that was seen has been."""

    def __init__(self, pace: Pace, miscount: float, departures_per_entry: float, start: Sequence[float] = (1.0,)) -> None:
        self.pace = pace
        self.log_likelihood = 0.0
        low, high = max(1 - departures_per_entry, 0.0), max(departures_per_entry - 1, 0.0)
        self._entry = (low + miscount / 2, max(1 - low - high - miscount, 0.0), high + miscount / 2)
        self.p: Array = np.outer(np.array(start) / sum(start), pace.usual(0.0))

    @property
    def cars(self) -> Array:
        """The probability of each number of cars there, those in the bays too where they are counted."""
        return np.asarray(self.p.sum(axis=1))

    @property
    def states(self) -> Array:
        """The probability of each state of the yard."""
        return np.asarray(self.p.sum(axis=0))

    def waiting(self) -> Array:
        """The probability of each number of cars in the lane."""
        if not self.pace.at_exit:
            return self.cars
        places = self.pace.lane[: len(self.p)].astype(np.int64)
        return np.asarray(np.bincount(places.ravel(), weights=self.p.ravel(), minlength=len(self.p)), dtype=np.float64)

    def mean_waiting(self) -> float:
        """How many cars are expected in the lane."""
        return float(np.vdot(self.p, self.pace.lane[: len(self.p)]))

    def spread_waiting(self) -> float:
        """The standard deviation of the number of cars in the lane."""
        lane = self.pace.lane[: len(self.p)]
        return math.sqrt(max(float(np.vdot(self.p, lane * lane)) - self.mean_waiting() ** 2, 0.0))

    def busy(self) -> float:
        """The probability that all that is at work has somebody to serve: a queue, or one behind the first in the lane."""
        return float(np.vdot(self.p, self.pace.busy[: len(self.p)]))

    def forget(self) -> None:
        """Any number of cars may be there."""
        self.p = np.outer(np.full(CARS, 1 / CARS), self.states)

    def passes(self, seconds: float, since_opening_s: float, blind: Blind, arrivals_per_s: float) -> None:
        """Time goes by in which no counter that works says anything."""
        while seconds > 0:
            step_s = min(seconds, UNSEEN_STEP_S if any(blind) else STEP_S)
            rate = self.pace.rate[: len(self.p)]
            if blind.departure:
                self._depart_unseen(rate, step_s)
            else:
                self._weigh(np.exp(-rate * step_s))
            if blind.entry:
                comes = min(arrivals_per_s * step_s, 1.0)
                self._join((1 - comes, comes, 0.0))
            self._turn_over(step_s, since_opening_s)
            since_opening_s += step_s
            seconds -= step_s

    def entered(self) -> None:
        """A car was seen to join."""
        self._join(self._entry)

    def left(self) -> tuple[Array, float]:
        """A car was seen to leave; return the probability of each number that there was before, and that somebody waited."""
        self._weigh(self.pace.rate[: len(self.p)])
        before, waited = self.cars, self.busy()
        self.slips_out()
        return before, waited

    def slips_out(self) -> None:
        """A car was seen to leave at a time that tells nothing of the pace."""
        p = np.empty_like(self.p)
        p[:-1] = self.p[1:]
        p[-1] = 0.0
        p[0] += self.p[0]
        self.p = _trimmed(p)

    def reopen(self, usual: Array) -> None:
        """What was believed of the yard rested on a counter that was out."""
        self.p = np.outer(self.cars, usual)

    def seen(self, sight: Sight, rolling: int = 0, turned: bool = False) -> None:
        """A lane sensor steadily sees `sight`; the last `rolling` cars may not stand yet.

        `turned`: it saw the contrary until one car came or went. A sight that the present mass does not expect also makes the
        counters doubtful.
        """
        chances = self._chances(sight, rolling, turned, len(self.p))
        if float((self.p * chances).sum()) < SURPRISING * (SURPRISING if turned else 1):
            self.p = self._doubted()
            chances = self._chances(sight, rolling, turned, len(self.p))
        self._weigh(chances)

    def in_use(self, bays: int) -> None:
        """So many bays are steadily in use."""
        n = np.arange(len(self.p))[:, None]
        expected = np.minimum(n, self.pace.inside) if self.pace.at_exit else np.broadcast_to(self.pace.inside, self.p.shape)
        self._weigh(np.where(expected == bays, SURE, (1 - SURE) / len(self.pace.share)))

    def _join(self, kernel: tuple[float, float, float]) -> None:
        none, one, two = kernel
        p = np.zeros((len(self.p) + 2, self.p.shape[1]))
        p[:-2] = none * self.p
        p[1:-1] += one * self.p
        p[2:] += two * self.p
        self.p = _trimmed(p[:CARS])

    def _turn_over(self, step_s: float, since_opening_s: float) -> None:
        """Bays open and close: by the time of day, and as nobody knows."""
        before, after = self.pace.usual(since_opening_s), self.pace.usual(since_opening_s + step_s)
        kept = math.exp(-step_s / TURNOVER_S)
        p = self.p
        if after is not before:
            p = p * (after / before)
            p /= p.sum()
        self.p = kept * p + np.outer((1 - kept) * self.cars, after)

    def _depart_unseen(self, rate: Array, step_s: float) -> None:
        gone = self.p * np.minimum(rate * step_s, 1.0)
        gone[0] = 0.0
        self.p = self.p - gone
        self.p[:-1] += gone[1:]

    def _weigh(self, chances: Array) -> None:
        p = self.p * chances
        total = float(p.sum())
        if total <= 0.0:  # what cannot be has been seen: keep what was believed
            return
        self.log_likelihood += math.log(total)
        self.p = p / total

    def _chances(self, sight: Sight, rolling: int, turned: bool, length: int) -> Array:
        standing = _standing_chances(CARS, sight)
        lane = np.arange(length)[:, None] - self.pace.inside - (0 if sight.occupied else rolling)
        taken = standing[np.maximum(lane, 0)]
        if not turned:
            return np.asarray(taken if sight.occupied else 1 - taken)
        before = standing[np.clip(lane + (-1 if sight.occupied else 1), 0, CARS - 1)]
        return np.asarray(taken * (1 - before) if sight.occupied else (1 - taken) * before)

    def _doubted(self) -> Array:
        """The same with a little weight on numbers far from what was counted, so that a lane sensor can prove a counter wrong."""
        cars = np.zeros(CARS)
        cars[: len(self.p)] = self.cars
        share = (1 - DOUBT_FADES) / (1 + DOUBT_FADES)  # the spread of one car's weight sums to one
        spread = _fading() @ cars * share
        p = np.outer(DOUBT * spread, self.states)
        p[: len(self.p)] += (1 - DOUBT) * self.p
        return _trimmed(p)


def at_least(position_m: float, metres_per_car: float) -> int:
    """How many cars stand where a sensor at `position_m` steadily sees one."""
    return math.floor(position_m / metres_per_car) + 1


def quantile(mass: Array, share: float) -> int:
    """The number of cars that a `share` of the probability does not exceed."""
    return int(np.searchsorted(np.cumsum(mass), share * mass.sum() - 1e-12))


@functools.lru_cache(1)
def _fading() -> Array:
    n = np.arange(CARS)
    return np.asarray(DOUBT_FADES ** np.abs(n[:, None] - n))


@functools.lru_cache(256)  # the same few sensors ask every minute of the day
def _standing_chances(length: int, sight: Sight) -> Array:
    """For each number of cars the probability that the sensor sees one of them stand."""
    position_m, metres_per_car = sight.position_m, sight.metres_per_car
    # The head of the lane has a line to stop at, so nobody stops with a gap in front of that sensor.
    surest = 1 - MISLED if position_m <= metres_per_car else 1 - BETWEEN_CARS
    reaches = [(n * metres_per_car - position_m) / (SPREAD_M * math.sqrt(n)) for n in range(1, length)]
    return np.array([MISLED, *(MISLED + (surest - MISLED) * 0.5 * math.erfc(-reach / math.sqrt(2)) for reach in reaches)])


def _trimmed(p: Array) -> Array:
    """Without the far end that nothing believes in."""
    last = len(p)
    floor = NEGLIGIBLE * float(p.sum())
    while last > 1 and float(p[last - 1].sum()) < floor:
        last -= 1
    p = p[:last]
    return np.asarray(p / p.sum())
