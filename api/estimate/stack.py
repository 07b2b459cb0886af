"""Several voices that each say how long the wait is, and one number out of them: weighed by their worth on waits that ended.

Theory. Online stacking (Wolpert 1992; Breiman 1996) by recursive least squares with forgetting (Haykin, Adaptive Filter Theory),
made robust by weighing each residual by its inverse (iteratively re-weighted least squares for the median: Schlossmacher 1973), so
that one odd wait moves little. A model fitted to one kind of queue fails on another; what is learnt here is how far each voice
carries at this yard. The waits come late, when a car was let in: each is held against what the voices had said when it joined.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from api.estimate.profile import Profile

Array = NDArray[np.float64]

KEPT = 0.9995  # of the weight of a wait when one more has ended: some 2 000 waits count, a week or two of a yard
UNIT_S = 600.0  # voices are told in ten minutes, so that weights and intercept are of one size
DOUBT = 0.001  # variance of the first weights: a thousand waits that are as long as the usual error outweigh them
FIRST_SCALE_S = 300.0  # usual error before any wait has ended
LEAST_SCALE_S = 60.0  # of it, for the first weights: where nobody has waited yet the first wait must not decide alone
SCALE_KEPT = 0.995  # of the usual error, when one more wait has ended
FLAT = 0.3  # residuals below this share of the usual error weigh alike: else the one that fits would decide alone


class Stack:
    """Weights of voices, the last of which is the constant; `first` are those before anything is learnt."""

    def __init__(self, first: Sequence[float], profile: Profile) -> None:
        size = len(first) + 1
        fits = len(profile.stack) == size
        self.weights: Array = np.array(profile.stack if fits else [*(UNIT_S * weight for weight in first), 0.0])
        self.scale_s = profile.stack_scale_s or FIRST_SCALE_S
        # Against the variance of an error, so that a queue of minutes is learnt as soon as one of hours. On the first day none is
        # known, and what is measured rests on a count that has learnt nothing.
        usual_s = max(profile.stack_scale_s or UNIT_S, LEAST_SCALE_S)
        doubt = profile.stack_doubt if fits else np.eye(size).ravel() * DOUBT * (UNIT_S / usual_s) ** 2
        self.doubt: Array = np.array(doubt).reshape(size, size)

    def wait_s(self, voices_s: Sequence[float]) -> float:
        """One number of all voices, never negative."""
        return max(float(_scaled(voices_s).dot(self.weights)), 0.0)

    def learn(self, voices_s: Sequence[float], wait_s: float) -> None:
        """A car for which the voices had said so was let in after `wait_s`."""
        voices = _scaled(voices_s)
        error_s = wait_s - float(voices.dot(self.weights))
        self.scale_s += (1 - SCALE_KEPT) * (abs(error_s) - self.scale_s)
        counts = self.scale_s / max(abs(error_s), FLAT * self.scale_s, 1.0)
        doubted: Array = self.doubt.dot(voices)
        gain = doubted / (KEPT / counts + float(voices.dot(doubted)))
        self.weights = self.weights + gain * error_s
        self.doubt = (self.doubt - gain[:, None] * doubted) / KEPT


def _scaled(voices_s: Sequence[float]) -> Array:
    return np.array([*voices_s, UNIT_S]) / UNIT_S
