"""How wide a band around the number must be to hold what it promises.

Theory. Adaptive conformal inference (Gibbs and Candès 2021): each quantile of the scaled error is moved by a small step after each
wait that ended, up where the wait lay above it, down where it lay below. So the share of waits below it comes right whatever the
errors look like; no model of them is needed. The first steps are longer, and shorten as those of a stochastic approximation
(Robbins and Monro 1951): else the first day would end with the width that it began with.
"""

from api.estimate.profile import Profile

SHARES = (0.1, 0.5, 0.9)
FIRST = (-1.28, 0.0, 1.28)  # of a normal error
STEP = 0.02  # of the scale, for each wait: wrong by less than 0.02 in the share, once learnt
FIRST_STEP = 0.1  # the very first wait must not decide; then the steps shorten
DENSITY = 0.175  # of a normal error at its 10 % quantile: steps of 1 / (DENSITY * waits) find that quantile soonest


class Band:
    """The quantiles `SHARES` of the error in units of its scale."""

    def __init__(self, profile: Profile) -> None:
        self.quantiles = list(profile.band if len(profile.band) == len(SHARES) else FIRST)
        self._waits = sum(profile.waited)  # that have taught so far

    def waits_s(self, number_s: float, scale_s: float) -> list[float]:
        """The quantiles of the wait around `number_s`, rising, never negative."""
        return [max(number_s + quantile * scale_s, 0.0) for quantile in sorted(self.quantiles)]

    def learn(self, number_s: float, scale_s: float, wait_s: float, chance: float) -> None:
        """A car for which the number was `number_s` waited `wait_s`, with the probability `chance`."""
        step = max(STEP, 1 / (1 / FIRST_STEP + DENSITY * self._waits)) * chance
        self._waits += chance
        for n, share in enumerate(SHARES):
            is_below = wait_s < number_s + self.quantiles[n] * scale_s
            self.quantiles[n] += step * (share - is_below)
