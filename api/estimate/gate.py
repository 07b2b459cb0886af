"""A gate that opens at times and lets in as many as there is place for: how often, and when it does so next.

Theory. Where the gate opens by a clock the first cars of all batches come a whole number of periods apart: as angles of a circle
of that period their gaps all point one way (Mardia and Jupp, Directional Statistics, 2000). The period is the longest of which that
is true; when the gate opens next is told by the direction in which the last batches point.
"""

import cmath
import math
from collections.abc import Sequence

import numpy as np

FOLLOWS_MS = 30_000  # who is let in so soon after another one is of the same batch
SHORTEST_S = 90.0  # a gate that opens more often is as good as open; and the clock of counters that tell the minute beats faster
LONGEST_S = 1_200.0  # nobody lets cars wait longer; longer gaps tell of an empty lane or of a yard that stands
STEP_S = 1.0  # between the periods that are tried
NEARLY = 0.1  # shorter than the longest one on which they agree may be that on which they agree best
LONGER = 1.05  # than the mean gap no period is, but for chance: to a circle that is far longer all gaps point one way
AGREE = 0.8  # is the mean of directions that vary by a tenth of the period; of a hundred by chance it is hardly ever 0.3
GAPS = 20  # are needed to learn a period
KEPT = 0.8  # of what was known of the direction, a batch later: the last five count, so a clock that is set anew is followed
BATCHES = 3  # before the direction is known


def period_s(gaps_s: Sequence[float]) -> float:
    """How often the gate opens whose batches began so many seconds apart; 0 where it has no clock."""
    gaps = np.array([gap_s for gap_s in gaps_s if gap_s <= LONGEST_S])
    if len(gaps) < GAPS:
        return 0.0
    tried = np.arange(SHORTEST_S, float(gaps.mean()) * LONGER, STEP_S)
    agree = np.cos(2 * math.pi * gaps[:, None] / tried).mean(axis=0)
    agreed = np.flatnonzero(agree >= AGREE)
    if not len(agreed):
        return 0.0
    near = tried >= (1 - NEARLY) * tried[agreed[-1]]
    return float(tried[near][np.argmax(agree[near])])


class Gate:
    """The gate of one opening, of which earlier ones taught that it opens every `every_s`; 0: nothing."""

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self.gaps_s: list[float] = []  # between the first cars of two batches
        self._last_ms = self._batch_ms = 0
        self._direction, self._weight, self._batches = 0j, 0.0, 0

    def let_in(self, at_ms: int) -> None:
        """A car that had waited was let in."""
        follows = at_ms - self._last_ms < FOLLOWS_MS
        self._last_ms = at_ms
        if follows:
            return
        if self._batch_ms:
            self.gaps_s.append((at_ms - self._batch_ms) / 1000)
        self._batch_ms = at_ms
        if self.every_s:
            self._batches += 1
            self._direction = KEPT * self._direction + cmath.rect(1.0, self._angle(at_ms))
            self._weight = KEPT * self._weight + 1

    def opens_in_s(self, at_ms: int) -> float:
        """How long it takes until the gate opens next; infinite where nobody knows."""
        if self._batches < BATCHES or abs(self._direction) < AGREE * self._weight:
            return math.inf
        ahead = (cmath.phase(self._direction) - self._angle(at_ms)) % (2 * math.pi)
        return ahead / (2 * math.pi) * self.every_s

    def wait_s(self, at_ms: int, expected_s: float) -> float:
        """When a car will be let in that is expected to be after so long, at any time: at the opening that is most likely its own.

        In the mean it waits half a period for it once there is place.
        """
        opens_in_s = self.opens_in_s(at_ms)
        if opens_in_s == math.inf:
            return expected_s
        return opens_in_s + self.every_s * math.ceil(max(expected_s - self.every_s / 2 - opens_in_s, 0.0) / self.every_s)

    def learnt_s(self) -> float:
        """How often it opens, as far as is known at the end of the day."""
        return period_s(self.gaps_s) if len(self.gaps_s) >= GAPS else self.every_s

    def _angle(self, at_ms: int) -> float:
        return 2 * math.pi * (at_ms / 1000 / self.every_s % 1.0)
