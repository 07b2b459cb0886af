"""How fast cars are let in, and what that says about a wait of k more cars.

Theory. While cars wait, they are let in as a Poisson stream whose rate is known only as a gamma distribution: `shape` departures
in `exposure_s` seconds of a lane that was not empty (Gamma-Poisson: Gelman et al., Bayesian Data Analysis, §2.6). A wait of k gaps
is then a gamma variable over a gamma variable, beta-prime distributed. It ends before w exactly if at least k cars are let in
within w, and that count is negative binomial, so that the beta-prime's distribution function is a finite sum:

    P(W <= w | k) = P(N(w) >= k),  P(N(w) = j) = Γ(a+j) / (Γ(a) j!) * (1-x)^a * x^j,  x = w / (w + b),  a = shape, b = exposure

One walk over j serves every k, and so the mixture over an uncertain queue costs no more than its longest member.
"""

import math
from collections.abc import Sequence

import msgspec

FADE_S = 900.0  # what happened so long ago counts 1/e: bays open and close, a longer memory tells of yesterday's crew
PRIOR_CARS = 4.0  # how many counted cars the configured rate is worth: after ten minutes of queue the count outweighs it
LONGEST_S = 86_400.0  # no wait is asked beyond a day
EXACT_S = 0.5  # a quantile is a whole second


class Rate(msgspec.Struct, frozen=True):
    """A rate known as gamma(shape, exposure): `shape` cars in `exposure_s` seconds of a lane that was not empty."""

    shape: float
    exposure_s: float

    @property
    def per_second(self) -> float:
        """The mean of what the rate may be."""
        return self.shape / self.exposure_s

    def chance_of_silence(self, silent_s: float) -> float:
        """How likely it is that nobody is let in for `silent_s` although cars wait: P(N = 0)."""
        return math.pow(self.exposure_s / (self.exposure_s + silent_s), self.shape)


def usual(per_hour: float) -> Rate:
    """What is believed before the first car of the day: the configured rate, lightly."""
    return Rate(PRIOR_CARS, PRIOR_CARS * 3_600 / max(per_hour, 0.1))


def faded(counted: Rate, passed_s: float, exposed_s: float) -> Rate:
    """`counted` after `passed_s` more seconds, the last `exposed_s` of which saw a lane that was not empty."""
    kept = math.exp(-passed_s / FADE_S)
    return Rate(counted.shape * kept, counted.exposure_s * kept + FADE_S * -math.expm1(-exposed_s / FADE_S))


def chance_within(wait_s: float, gaps: Sequence[float], rate: Rate) -> float:
    """P(W <= wait_s), where `gaps[k]` is the probability that the wait is made of k gaps."""
    x = wait_s / (wait_s + rate.exposure_s)
    exactly = math.pow(1 - x, rate.shape)  # P(N = 0)
    fewer = 0.0  # P(N < k)
    chance = 0.0
    for k, weight in enumerate(gaps):
        chance += weight * (1 - fewer)
        fewer += exactly
        exactly *= x * (rate.shape + k) / (k + 1)
    return chance


def quantile_s(share: float, gaps: Sequence[float], rate: Rate) -> int:
    """The wait that a `share` of cars does not exceed, in whole seconds, at most a day."""
    if chance_within(0.0, gaps, rate) >= share:
        return 0
    low, high = 0.0, 60.0
    while high < LONGEST_S and chance_within(high, gaps, rate) < share:
        low, high = high, high * 2
    while high - low > EXACT_S:
        middle = (low + high) / 2
        if chance_within(middle, gaps, rate) < share:
            low = middle
        else:
            high = middle
    return round(min(high, LONGEST_S))
