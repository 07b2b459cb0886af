"""How long it lasts that more or less of the yard works than is usual at that time of day.

Theory. Of what is unusual now exp(-t/T) is left after a time t (a process that forgets: Uhlenbeck and Ornstein 1930). The means of
two quarters of an hour one behind the other then go together by (1 - exp(-x))² / 2(x - 1 + exp(-x)), with x a quarter of an hour
over T. So T follows from how much alike they were on the days before: minutes where a lunch begins now earlier and now later,
hours where a whole day has fewer people than another.
"""

import numpy as np
from numpy.typing import NDArray

from api.estimate.profile import BINS

Array = NDArray[np.float64]

QUARTER_S = 86_400 / BINS
FIRST_S = 3_600.0  # before anything is learnt: a container change or a lunch is shorter, a want of staff longer
FIRST_SQUARES = 0.1  # is believed in like so much: an hour and a half with one bay of four closed
TELLS_S = 300.0  # a quarter of an hour in which cars waited for less tells of them alone
X = np.linspace(0.05, 6.0, 120)  # from five hours to two and a half minutes
ALIKE = (1 - np.exp(-X)) ** 2 / (2 * (X - 1 + np.exp(-X)))


def alike(share_s: Array, waiting_s: Array, usual: Array) -> tuple[float, float]:
    """What a day tells: sums of products of neighbours and of squares.

    By quarter of an hour: seconds in which cars waited, the share at work times these, and the share that is usual.
    """
    told = waiting_s >= TELLS_S
    unusual = np.where(told, share_s / np.maximum(waiting_s, TELLS_S) - usual, 0.0)
    both = told[1:] & told[:-1]
    return float(unusual[1:][both] @ unusual[:-1][both]), float((unusual[1:][both] ** 2 + unusual[:-1][both] ** 2).sum()) / 2


def lasts_s(told: tuple[float, float]) -> float:
    """After how many seconds 1/e of what is unusual is left; `told`: sums of what the days tell."""
    first = float(np.interp(QUARTER_S / FIRST_S, X, ALIKE))
    found = (told[0] + FIRST_SQUARES * first) / (told[1] + FIRST_SQUARES)
    return QUARTER_S / float(np.interp(-found, -ALIKE, X))
