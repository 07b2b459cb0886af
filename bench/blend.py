"""A plain online stack of what one would pick instead: the dozen lines that an estimate with a model of the queue must beat.

Recursive least squares with forgetting, each residual weighed by its inverse (Schlossmacher 1973). It is taught more than we are:
the true wait of each car, as soon as that car has left, where we know the counts alone.
"""

import heapq
from collections.abc import Iterator, Sequence

import numpy as np

KEPT = 0.9995  # of the weight of a wait when one more has ended
UNIT_S = 600.0  # all are told in ten minutes, so that weights and constant are of one size
DOUBT = 1.0  # variance of the first weights: the first dozens of waits decide
FLAT_S = 60.0  # residuals below a minute weigh alike


def blended(said: Sequence[tuple[float, ...]], joined_s: Sequence[float], waits_s: Sequence[float]) -> Iterator[float]:
    """What the stack of `said` tells each car that joined at `joined_s`, which rise; `waits_s` are the true ones."""
    size = len(said[0]) + 1
    weights, doubt = np.array([*[1 / (size - 1)] * (size - 1), 0.0]), np.eye(size) * DOUBT
    under_way: list[tuple[float, int]] = []
    for car, at_s in enumerate(joined_s):
        while under_way and under_way[0][0] < at_s:
            ended = heapq.heappop(under_way)[1]
            voices = np.array([*said[ended], UNIT_S]) / UNIT_S
            error = waits_s[ended] / UNIT_S - voices @ weights
            gain = doubt @ voices / (KEPT * max(abs(error), FLAT_S / UNIT_S) + voices @ doubt @ voices)
            weights, doubt = weights + gain * error, (doubt - np.outer(gain, voices @ doubt)) / KEPT
        yield max(float(np.array([*said[car], UNIT_S]) @ weights), 0.0)
        heapq.heappush(under_way, (at_s + waits_s[car], car))
