"""How long it takes until so many cars have been let in, with the yard as it is and as it usually goes on.

Theory. If the share of the yard at work is s(t), the k-th car is let in when the integral of s has grown to k / R, R being the rate
of the whole yard. What is known of the bays now fades into what is usual at that time of day: a lunch that comes
every noon is foreseen, a bay that is closed now will open again.
"""

import functools
import math

import numpy as np

from api.estimate.pace import Array, Pace
from api.estimate.queue import Queue

STEP_S = 120.0
AHEAD_S = np.arange(0.0, 4 * 3_600.0 + STEP_S, STEP_S)  # no wait is told beyond
APART_S = 1e6  # longer than any way of a state
HALF = 0.5  # of a car: of two that join together each has half a one in front


def progresses(pace: Pace, since_opening_s: Array) -> list["Progress"]:
    """One from each of these instants on; many are made as fast as a few."""
    usual = pace.usual_share(since_opening_s[:, None] + AHEAD_S)[:, None, :]
    departing = pace.share[:, None] / usual[:, :, :1]  # how much more than usual is at work; it fades to one
    share = usual * (1 + (departing - 1) * np.exp(-AHEAD_S / pace.lasts_s))
    share = np.minimum(np.maximum(share, 0.5 / len(pace.share)), pace.share[-1])  # no more than all of it ever works
    share[:, :, 0] = pace.share
    worked = np.zeros(share.shape)
    ((share[:, :, 1:] + share[:, :, :-1]) * (STEP_S / 2)).cumsum(axis=2, out=worked[:, :, 1:])
    return [Progress(pace, each) for each in worked]


class Progress:
    """The way of each state from one instant on: `worked[state]` are seconds as if all of the yard did, until each of `AHEAD_S`."""

    def __init__(self, pace: Pace, worked: Array) -> None:
        self._pace = pace
        self._most = worked[:, -1:]
        # All states on one line, one behind the other, so that one look-up serves them all.
        self._begin, self._ahead_s = _line(len(worked))
        self._worked = (worked + self._begin).ravel()

    def wait_s(self, queue: Queue, behind: float, first_s: float | None = None) -> float:
        """The expected wait of a car that has `behind` cars behind it that were counted already.

        `first_s`: what one waits that finds the lane empty, where sensors tell that it is and the lane is what is counted.
        """
        pace, length = self._pace, len(queue.p)
        cars = np.maximum(pace.in_front[: length + pace.bays - 1] + (1 - behind), 0)  # in front, and itself; and who has no place
        full_s = cars * pace.each_s[: len(cars)]
        if pace.gives_up_per_s:  # some of those in front will not wait so long
            full_s = np.log1p(pace.gives_up_per_s * full_s) / pace.gives_up_per_s
        if pace.at_exit:
            few = min(2 * pace.bays + math.ceil(behind), len(cars))  # more than there are bays wait in turn, and that is longer
            both_s = self._until(np.concatenate((full_s, cars[:few] / pace.per_second)))
            waits_s, once_s = both_s[: len(cars)], both_s[len(cars) :]
            waits_s[: max(math.ceil(behind + pace.bays - 1 - HALF), 0)] = 0.0  # who has a bay
            np.maximum(waits_s[:few], once_s + pace.gate_s, out=waits_s[:few])
            return float(np.vdot(queue.p, waits_s.take(pace.without_place[:length])))
        waits_s = self._until(full_s)
        if first_s is not None:
            waits_s[cars < 1 + HALF] = first_s
        else:
            waits_s[cars < 1 + HALF] *= 1 - pace.straight
        return float(np.vdot(queue.p, waits_s.take(pace.without_place[:length])))

    def _until(self, full_s: Array) -> Array:
        """When the yard has worked for so many seconds as if all of it did; by state as the last axis."""
        # State by state, for a look-up is found near the one before it.
        return np.interp(np.minimum(full_s, self._most) + self._begin, self._worked, self._ahead_s).T


@functools.lru_cache(8)
def _line(states: int) -> tuple[Array, Array]:
    """Where each of so many states begins on one line, and how far ahead each of its places is."""
    return np.arange(float(states))[:, None] * APART_S, np.tile(AHEAD_S, states)
