"""How many cars wait, how many have a bay and how much of the yard is at work: one probability for each triple, never a bare count.

Theory. A hidden Markov model, filtered forward (Rabiner 1989). Counters miss cars and count trailers twice, cars turn away unseen:
so an entry adds one car to the lane on average and spreads the mass a little. A car that is let in leaves the lane and takes a
bay; one that is gone frees it. Each is seen where something looks: a counter at the gate or the gap at the head of the lane, a
counter at the exit. A time in which nothing was seen makes every state that would have shown something less likely; what a lane
sensor sees multiplies each number by how well it explains the sight. So a count that drifts is pulled back by whatever is seen: a
free head, a standing tail, cars that are gone and followed by none, which are a bay that closed. Where cars give up unseen each
that waits does so at a rate (Erlang-A: Garnett, Mandelbaum and Reiman 2002): a count that is too high then comes down by itself.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from api.estimate import uncounted
from api.estimate.lane import Passed
from api.estimate.pace import CARS, COARSE_S, ODD, OPEN, SHUT, STRAIGHT_S, UNKNOWN, Array, Pace
from api.estimate.sight import Sight, chances
from api.estimate.uncounted import DOUBT

MISCOUNTS = (0.001, 0.005, 0.02, 0.05, 0.1)  # candidates of the variance that an entry adds; the likeliest is learnt
MOST_LEAVE = 0.5  # of the cars that join a queue; where more leave it unseen nothing can be said
SURPRISING = 0.5  # a sight less likely than this makes us doubt the count
NEGLIGIBLE = 1e-9
LEAST = 1e-300  # a smaller sum is 0: what it would have to be scaled by is beyond all numbers
ALIKE = 1e-4  # a sight that moves less of the mass tells nothing: the hundreds of a day move less than one car that comes
STEP_S = 60.0  # time goes by in such steps: what is usual changes little meanwhile, what is odd adds up to less than a hundredth
UNSEEN_STEP_S = 10.0  # where cars come or go unseen, at most one in each
OPEN_S = 30.0  # after a car was let in the next one follows, if there is a bay for it
SURE = 0.9  # of the bays that work so many are seen in use while cars wait: between two cars one is free for a moment
NUMBERS, ONES = np.arange(CARS, dtype=np.float64), np.ones(CARS)  # of cars
SQUARES = NUMBERS**2


class Unseen(NamedTuple):
    """What happens unseen, because nothing looks there or what does is known to be out."""

    entry: bool = False
    let_in: bool = False
    gone: bool = False


class Queue:
    """The mass `p[lane, pair]` over cars in the lane and, as in `pace`, pairs of cars in bays and states, its sums `lane`; and the
    logarithm of how likely all that was seen has been.

    Where cars are counted at the entry control nothing tells of the bays: then there is one pair for each state.
    """

    def __init__(self, pace: Pace, miscount: float, let_in_per_entry: float, start: Sequence[float] = (1.0,)) -> None:
        self.pace = pace
        self.log_likelihood = 0.0
        self._fresh = 0.0  # how sure the one car that waits, if it is one, found nobody, and may go straight on
        self._fresh_s = 0.0  # for so many seconds more,
        self._straight_per_s = 0.0  # at this rate
        self._is_shut = False  # but for these, by its clock
        self._open_s = 0.0  # for so long whoever may go in does: the gate has let in one just now
        self._since_s = self._drifted_s = 0.0  # since the opening; and since what goes slowly was last heeded
        low, high = max(1 - let_in_per_entry, 0.0), max(let_in_per_entry - 1, 0.0)
        if pace.gives_up_per_s:
            low = 0.0  # they leave later
        # Who finds nobody in front has no reason to turn away, where that can be seen at all.
        turn_away = min(low / pace.queueing, MOST_LEAVE)
        self._entry = (turn_away + miscount / 2, max(1 - turn_away - high - miscount, 0.0), high + miscount / 2)
        alone = self._entry if pace.queueing == 1 else (miscount / 2, max(1 - high - miscount, 0.0), high + miscount / 2)
        self._alone_joins, self._alone = alone[1], np.subtract(alone, self._entry)[:, None]
        lane = np.array(start) / sum(start)
        p: Array = np.zeros((len(lane), len(pace.each)))
        p[0, : len(pace.share)] = lane[0] * pace.usual(0.0)
        p[1:, pace.while_waiting] = lane[1:, None] * pace.usual(0.0)
        self.believe(p)

    @property
    def states(self) -> Array:
        """The probability of each state of the yard."""
        return np.asarray(ONES[: len(self.p)].dot(self.p).dot(self.pace.by_state))

    def copy(self) -> "Queue":
        """What is believed now, whatever is seen later; masses are never changed in place."""
        other = object.__new__(Queue)
        other.__dict__.update(self.__dict__)
        return other

    def believe(self, p: Array) -> float:
        """From now on `p` is believed, as a probability and without the far end that it hardly has; return what it summed to.

        At a sum of 0 what cannot be has been seen: then what was believed is kept.
        """
        lane: Array = p.dot(self.pace.each)
        cars: list[float] = lane.tolist()
        total = believed = sum(cars)
        if total > LEAST:
            while cars[-1] < NEGLIGIBLE * total:
                cars.pop()
            if len(cars) < len(lane):
                p, lane, believed = p[: len(cars)], lane[: len(cars)], sum(cars)
            scale = 1 / believed
            self.p, self.lane = p * scale, lane * scale
            self._mean = -1.0
        return total

    def mean_waiting(self) -> float:
        """How many cars are expected in the lane."""
        if self._mean < 0:  # not reckoned yet: it is asked several times at each event
            self._mean = float(self.lane.dot(NUMBERS[: len(self.lane)]))
        return self._mean

    def spread_waiting(self) -> float:
        """The standard deviation of the number of cars in the lane."""
        return math.sqrt(max(float(self.lane.dot(SQUARES[: len(self.lane)])) - self.mean_waiting() ** 2, 0.0))

    def at_work(self) -> float:
        """How much of the yard is expected to be at work."""
        return summed(self.p.dot(self.pace.share_of))

    def mean_inside(self) -> float:
        """How many cars are expected in the bays, where that is known."""
        return float(ONES[: len(self.p)].dot(self.p).dot(self.pace.inside))

    def busy(self) -> float:
        """The probability that all that is at work has somebody to serve: a queue, or one behind the first in the lane."""
        return summed(self.lane[1 if self.pace.at_exit else 2 :])

    def full(self) -> float:
        """The probability that no bay is free for the next car."""
        return max(1.0 - summed(self.p.dot(self.pace.has_place)), 0.0)

    def forget(self) -> None:
        """Any number of cars may be there."""
        self.believe(np.repeat(self.p.sum(axis=0, keepdims=True), CARS, axis=0))

    def passes(
        self, seconds: float, since_opening_s: float, unseen: Unseen, arrivals_per_s: float, gate_opens_in_s: float = math.inf
    ) -> None:
        """Time goes by in which nothing is seen where something looks; a gate that has a clock opens in `gate_opens_in_s`."""
        self._is_shut = gate_opens_in_s < math.inf
        settles = unseen.let_in and self.pace.at_exit
        flows = self.pace.gives_up_per_s > 0 or unseen.entry or unseen.gone or (unseen.let_in and not settles)
        longest_s, told, p = UNSEEN_STEP_S if flows else STEP_S, self.pace.told(unseen.let_in, unseen.gone), self.p
        while seconds > 0:
            if gate_opens_in_s <= 0:
                self._open_s, gate_opens_in_s = OPEN_S, gate_opens_in_s + self.pace.gate.every_s
            step_s = min(seconds, longest_s, self._open_s or STEP_S, self._fresh_s or STEP_S, gate_opens_in_s)
            if settles:
                self.settle()
                p = self.p
            since_opening_s, gate_opens_in_s, seconds = since_opening_s + step_s, gate_opens_in_s - step_s, seconds - step_s
            self._since_s, self._drifted_s = since_opening_s, self._drifted_s + step_s
            p = self._silent(p, step_s, told[self._gate_is], unseen)
            if flows or settles or seconds <= 0:
                self._become(p)
                self._flow(step_s, unseen, settles, arrivals_per_s)
                p = self.p
            self._fresh_s, self._open_s = max(self._fresh_s - step_s, 0.0), max(self._open_s - step_s, 0.0)

    def settle(self) -> None:
        """Whoever waits takes a bay that is free: what is not seen happens at once."""
        p = self.p
        for _ in range(self.pace.bays - 1):
            moving = p * self.pace.has_place
            moving[0] = 0.0
            p = self._moved(moving, p - moving)
        self.believe(p)

    def entered(self, clock_s: float = 0.0) -> None:
        """A car was seen to join; the counters' clock ticks once in `clock_s`: whoever goes straight on does so within a tick."""
        found_nobody = float(self.lane[0]) * self._alone_joins
        self._join(self._entry, self._alone)
        straight_s = max(clock_s, STRAIGHT_S)
        if not self.pace.has_bays and straight_s <= COARSE_S:
            self.pace.found_nobody += found_nobody
            self._fresh, self._fresh_s = found_nobody / max(float(self.lane[1:2].sum()), found_nobody, NEGLIGIBLE), straight_s
            self._straight_per_s = -math.log(1 - self.pace.straight) / straight_s

    def missed(self, chance: float, cars: float) -> None:
        """With that chance so many cars, in the mean of a Poisson number, have joined unseen."""
        self.believe(uncounted.missed(self.p, chance, cars))

    def let_in(self, paced: bool = True) -> float:
        """A car was seen to leave the lane; return how sure it is that it had found nobody in front of it and went straight on.

        `paced`: at a time that tells of the pace. Who leaves so soon after one came is likely that one, whatever was counted:
        that is how a count that ran away is found out.
        """
        p = self._drifted(self.p)
        weighed = p * self._entering() if paced else p
        odd = ODD * ODD * self.pace.per_second if self.pace.at_exit and paced else 0.0
        alone = 0.0
        if paced and self._fresh_s:
            doubt = DOUBT if self.pace.most_go_straight else 0.0
            alone = self._straight_per_s * ((1 - doubt) * self._fresh * float(self.lane[1:2].sum()) + doubt)
            weighed = (1 - doubt) * weighed
            weighed[1:2] *= 1 - self._fresh
        straight = alone / (alone + float(weighed.sum())) if alone else 0.0
        self.pace.went_straight += straight
        moved = self._moved(weighed, odd * p)
        if alone:
            moved[0] += alone * p.sum(axis=0)
        self._become(moved)
        self._open_s, self._fresh_s = OPEN_S, 0.0
        return straight

    def gone(self, paced: bool = True) -> None:
        """A car was seen to leave the yard."""
        self._become(self._drifted(self.p).dot(self.pace.freeing if paced else self.pace.out))

    def reopen(self, usual: Array) -> None:
        """What was believed of the yard rested on a counter that was out."""
        p = np.zeros_like(self.p)
        p[:, self.pace.while_waiting] = self.lane[:, None] * usual
        self.believe(p)

    def seen(self, sight: Sight, rolling: int = 0, since: Passed | None = None, beyond: int = 0) -> None:
        """A lane sensor steadily sees `sight`; the last `rolling` cars may not stand yet.

        `since`: it saw the contrary until one car came or went, and then these; `beyond`: it saw the same when the queue was so
        many cars longer, if they stood there, or shorter. A sight that the present mass does not expect also makes the counters
        doubtful.
        """
        likely = chances(sight, rolling, since, beyond)
        if float(self.lane.dot(likely[: len(self.lane)])) < SURPRISING * (1 if since is None else SURPRISING):
            self.believe(uncounted.doubted(self.p, self.lane))
        self._become(self.p * likely[: len(self.p), None])

    def expects(self, sight: Sight, rolling: int = 0, beyond: int = 0) -> bool:
        """Whether `sight` tells nothing, because every number that is believed makes it as likely; then it is taken in here."""
        likely = chances(sight, rolling, None, beyond)[: len(self.lane)]
        expected = float(self.lane.dot(likely))
        if expected < SURPRISING or float(self.lane.dot(np.abs(likely - expected))) > ALIKE * expected:
            return False
        self.log_likelihood += math.log(expected)
        return True

    def in_use(self, bays: int) -> None:
        """So many bays are steadily in use."""
        if self.pace.at_exit:
            anything = self.p.dot(self.pace.by_state).dot(self.pace.by_state.T) / self.pace.bays
            self.believe((1 - DOUBT) * self.p + DOUBT * anything)
            self._become(self.p * np.where(self.pace.inside == bays, SURE, (1 - SURE) / self.pace.bays))

    def _silent(self, p: Array, step_s: float, told: Array, unseen: Unseen) -> Array:
        """`p` times how likely it is that nothing was seen, and after what goes slowly where that is due."""
        kept: Array = np.exp(told[: len(p)] * -step_s)
        if self._fresh_s and not unseen.let_in and len(p) > 1:
            stays = self._fresh * math.exp(-self._straight_per_s * step_s)
            kept[1] = stays + (1 - self._fresh) * kept[1]
            self._fresh = stays / float(kept[1].max())
        kept *= p
        return self._drifted(kept) if self._drifted_s >= STEP_S else kept

    def _flow(self, step_s: float, unseen: Unseen, settles: bool, arrivals_per_s: float) -> None:
        """What goes on unseen meanwhile."""
        if unseen.let_in and not settles:
            self._move(self._entering() * step_s)
        if unseen.gone:
            self._free(self.pace.gone * step_s)
        if self.pace.gives_up_per_s:
            self._give_up(step_s)
        if unseen.entry:
            comes = min(arrivals_per_s * step_s, 1.0)
            self._join((1 - comes, comes, 0.0))

    @property
    def _gate_is(self) -> int:
        return OPEN if self._open_s else SHUT if self._is_shut else UNKNOWN

    def _entering(self) -> Array:
        return self.pace.entering[self._gate_is][: len(self.p)]

    def _join(self, kernel: tuple[float, float, float], alone: Array | None = None) -> None:
        """By none, one or two cars more, each with its probability; `alone`: how much more where there is nobody yet."""
        p = np.zeros((len(self.p) + 2, len(self.pace.each)))
        for more, chance in enumerate(kernel):
            joined = p[more : more + len(self.p)]  # to add to p[…] itself would write it twice
            joined += chance * self.p
        if alone is not None:
            found_nobody = p[:3]
            found_nobody += alone * self.p[0]
        self.believe(p[:CARS])

    def _give_up(self, seconds: float) -> None:
        """Each that waits may leave unseen; the longer the line, the more do: so a count that is too high does not stay so."""
        leave = self.p * np.minimum(NUMBERS[: len(self.p)] * (self.pace.gives_up_per_s * seconds), 1.0)[:, None]
        p = self.p - leave
        p[:-1] += leave[1:]
        self.believe(p)

    def _move(self, cars: Array) -> None:
        """So many cars, less than one, go in."""
        moves = self.p * np.minimum(cars[: len(self.p)], 1.0)
        moves[0] = 0.0
        self.believe(self._moved(moves, self.p - moves))

    def _free(self, cars: Array) -> None:
        """So many cars, less than one, leave the bays."""
        leave = self.p * np.minimum(cars, 1.0)
        self.believe(self.p - leave + leave.dot(self.pace.out))

    def _drifted(self, p: Array) -> Array:
        """`p` after what goes slowly, for all the time since it was last heeded.

        Cars pass the counters unseen, and bays turn over. It is due before a car is let in or gone: what is believed just after
        that, as a free bay for somebody who waits, soon proves right or wrong, and must not be blurred by the minute before.
        """
        seconds, self._drifted_s = self._drifted_s, 0.0
        if not seconds:
            return p
        before, after = self.pace.usual(self._since_s - seconds), self.pace.usual(self._since_s)
        if after is not before:
            other = p * self.pace.by_state.dot(after / before)
            p = other * (p.sum() / other.sum())  # that the hour goes on proves nothing
        alone, waiting = self.pace.turning(after)
        drifted: Array = p.dot(waiting)
        drifted[0] = p[0].dot(alone)
        if self.pace.at_exit and len(p) > 1:
            moves = p[1:] * self._entering()[1:]
            moves *= ODD
            still_there, one_fewer = drifted[1:], drifted[:-1]
            still_there -= moves
            one_fewer += moves.dot(self.pace.into)
        drifted *= seconds
        drifted += p
        return drifted

    def _moved(self, moving: Array, staying: Array) -> Array:
        """With those that move added to `staying`: they leave the lane and take a free bay; where none was, one got free unseen."""
        into = moving.dot(self.pace.into)
        one_fewer, none = staying[:-1], staying[0]
        one_fewer += into[1:]
        none += into[0]
        return staying

    def _become(self, p: Array) -> None:
        """Take `p` for what is believed now: what was believed times how well it explains what was seen."""
        total = self.believe(p)
        self.log_likelihood += math.log(total) if total > LEAST else 0.0


def summed(mass: Array) -> float:
    """As its own method would, which takes three times as long for so few."""
    masses: list[float] = mass.tolist()
    return sum(masses)


def quantile(mass: Array, share: float) -> int:
    """The number of cars that a `share` of the probability does not exceed."""
    return int(np.searchsorted(np.cumsum(mass), share * mass.sum() - 1e-12))
