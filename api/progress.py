"""How long it takes until so many cars have been let in, with the yard as it is and as it usually goes on.

Theory. If the share of the yard at work is s(t), the k-th car is let in when the integral of s has grown to k / R, R being the rate
of the whole yard. What is known of the bays now fades with `TURNOVER_S` into what is usual at that time of day: a lunch that comes
every noon is foreseen, a bay that is closed now will open again.
"""

import numpy as np

from api.pace import TURNOVER_S, Pace
from api.queue import Queue

STEP_S = 120.0
AHEAD_S = np.arange(0.0, 4 * 3_600.0 + STEP_S, STEP_S)  # no wait is told beyond
FADING = np.exp(-AHEAD_S / TURNOVER_S)
NEGLIGIBLE = 1e-4
HALF = 0.5  # of a car: of two that join together each has half a one in front


class Progress:
    """The way of each state from one instant on."""

    def __init__(self, pace: Pace, since_opening_s: float) -> None:
        self._pace = pace
        # A bay is at work on a car until the next one is in it.
        self._each_s = 1 / pace.full + (pace.gate_s / (pace.bays - 1) if pace.at_exit else 0.0)
        usual = pace.usual_share(since_opening_s + AHEAD_S)
        departing = pace.share[:, None] / usual[0]  # how much more than usual is at work; it fades to one
        share = np.maximum(usual * (1 + (departing - 1) * FADING), 0.5 / len(pace.share))
        share[:, 0] = pace.share
        worked = np.cumsum((share[:, 1:] + share[:, :-1]) * STEP_S / 2, axis=1)
        self._worked = np.concatenate([np.zeros((len(share), 1)), worked], axis=1)

    def wait_s(self, queue: Queue, behind: float, first_s: float | None = None) -> float:
        """The expected wait of a car that has `behind` cars behind it that were counted already.

        `first_s`: what one waits that finds the lane empty, where sensors tell that it is and the lane is what is counted.
        """
        wait_s = 0.0
        lane = np.arange(len(queue.p)) - behind
        for state, chance in enumerate(queue.states):
            if chance < NEGLIGIBLE:
                continue
            in_front = lane[:, None] - self._pace.places[:, state]
            cars = np.maximum(in_front + 1, 0)
            waits_s = np.interp(cars * self._each_s[: len(lane), None], self._worked[state], AHEAD_S)
            if self._pace.at_exit:
                waits_s[in_front < -HALF] = 0.0
                once_s = np.interp(cars / self._pace.full[: len(lane), None], self._worked[state], AHEAD_S)
                waits_s = np.maximum(waits_s, once_s + self._pace.gate_s)
            elif first_s is not None:
                waits_s[in_front < HALF] = first_s
            else:
                waits_s[in_front < HALF] *= 1 - self._pace.straight
            wait_s += float(np.vdot(queue.p[:, :, state], waits_s))
        return wait_s
