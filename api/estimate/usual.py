"""The wait that is usual at an hour of a weekday, learnt from past days, and how much of a disturbance is left some hours later.

**Usual.** The mean of a weekday's hour over eight weeks is a mean of eight noisy days. So it leans on more: on the mean of that
hour over all days, times what the weekday is worth beside the others (partial pooling; Gelman et al., *Bayesian Data Analysis*,
ch. 5). How much it leans, and how fast old weeks fade, is chosen by what would have forecast the past days best.

**Scale.** The wait of a car behind n others is a sum of n gaps: its variance grows with its mean. Square roots of such values
spread alike whatever their mean (Bartlett 1936), so errors are compared, carried on and collected as differences of roots.

A day is a row of 24 hours of the clock, in seconds; NaN where nobody waited or nobody measured.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Days = npt.NDArray[np.intp]

HOURS = 24
WEEKDAYS = 7
# Candidates. Faster than two weeks a weekday would rest on its last two values alone.
HALF_LIVES_D = (np.inf, 56.0, 28.0, 14.0)
# Candidates: the pooled mean counts as so many values. One is next to none, 256 as good as "all weekdays are alike".
LEANINGS = (1.0, 4.0, 16.0, 64.0, 256.0)
NEEDED = 9  # values: the lowest and the highest of n bound a tenth each where 1 / (n + 1) <= 0.1; fewer tell neither p10 nor p90


def learn(waits_s: Array, weekdays: Days) -> Array:
    """The usual waits in seconds, [day, weekday, hour], as they were known before each of the days; NaN where the hour is unknown.

    Of all candidates the one whose forecasts of each day, made before it, were best.
    """
    each = np.arange(len(waits_s))
    best, least = np.full((len(waits_s), WEEKDAYS, HOURS), np.nan), np.inf
    for half_life_d in HALF_LIVES_D:
        sums, counts = _tally(waits_s, weekdays, 0.5 ** (1 / half_life_d))
        for leaning in LEANINGS:
            usual = _pooled(sums, counts, leaning)
            errors = np.sqrt(waits_s) - np.sqrt(usual[each, weekdays])
            squares = errors[np.isfinite(errors)] ** 2
            if len(squares) and squares.mean() < least:
                best, least = usual, squares.mean()
    return best


def carried(told: Array, came: Array, longest_h: int) -> Array:
    """How much of what was unusual at the end of an hour was still so in the 1st, 2nd, … hour after it, by least squares.

    `told` and `came` are differences from the usual, hour after hour: of what was told at its end, and of its wait. The share
    never grows again, and where fewer than `NEEDED` pairs tell, as over the night of a yard that closes, nothing is left.
    """
    shares = [1.0]
    for hours in range(1, longest_h + 1):
        early, late = told[:-hours], came[hours:]
        paired = np.isfinite(early) & np.isfinite(late)
        squares = float(early[paired] @ early[paired])
        share = float(early[paired] @ late[paired]) / squares if squares > 0 and paired.sum() >= NEEDED else 0.0
        shares.append(min(shares[-1], max(0.0, share)))
    return np.array(shares[1:])


def _tally(waits_s: Array, weekdays: Days, keep: float) -> tuple[Array, Array]:
    """Sums and counts by weekday and hour before each day; what is older counts less."""
    sums, counts = (np.zeros((len(waits_s) + 1, WEEKDAYS, HOURS)) for _ in range(2))
    measured = np.isfinite(waits_s)
    known_s = np.where(measured, waits_s, 0.0)
    for day, weekday in enumerate(weekdays):
        sums[day + 1], counts[day + 1] = sums[day] * keep, counts[day] * keep
        sums[day + 1, weekday] += known_s[day]
        counts[day + 1, weekday] += measured[day]
    return sums[:-1], counts[:-1]


def _pooled(sums: Array, counts: Array, leaning: float) -> Array:
    """Each weekday's hour, leaning on the hour of all days times what the weekday is worth."""
    total = counts.sum(axis=1)
    hour = np.divide(sums.sum(axis=1), total, out=np.zeros_like(total), where=total > 0)[:, None]
    lean_s = leaning * (hour.sum(axis=2) / np.maximum(1, (total > 0).sum(axis=1, keepdims=True)))
    expected = (counts * hour).sum(axis=2) + lean_s
    weekday = np.divide(sums.sum(axis=2) + lean_s, expected, out=np.ones_like(expected), where=expected > 0)
    usual = (sums + leaning * hour * weekday[:, :, None]) / (counts + leaning)
    return np.where(total[:, None] > 0, usual, np.nan)
