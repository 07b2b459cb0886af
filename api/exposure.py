"""What a day counts of the pace: cars that were let in, and the seconds in which they could be.

Seconds count only once a car that is let in proves that what looks there is alive: an outage is no lunch break.
"""

import numpy as np

from api.pace import CARS, Pace
from api.profile import BINS
from api.queue import Queue


class Exposure:
    """Sums of one day, of which `departures`, `waiting_s` and `share_s` are by quarter of an hour."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.departures, self.waiting_s, self.share_s = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)
        self.gate_cars = self.gate_s = 0.0  # cars for which a bay was free, and the seconds until they were let in
        self._clear()

    def _clear(self) -> None:
        self._pending_s, self._pending_gate_s = np.zeros(CARS), 0.0
        self._pending_waiting_s, self._pending_share_s = np.zeros(BINS), np.zeros(BINS)

    def passes(self, queue: Queue, seconds: float, quarter: int, sees_moves: bool) -> None:
        """So many seconds in which cars could be let in; `sees_moves`: each would have been seen."""
        p, pace = queue.p, self._pace
        self._pending_s[: len(p)] += (p * pace.units[: len(p)]).sum(axis=(1, 2)) * seconds
        self._pending_waiting_s[quarter] += queue.busy() * seconds
        if sees_moves:
            self._pending_share_s[quarter] += float(p[1:].sum(axis=(0, 1)) @ pace.share) * seconds
            self._pending_gate_s += float(np.vdot(pace.able[: len(p)], p)) * seconds

    def let_in(self, before: Queue, share: float, quarter: int, sees_moves: bool) -> None:
        """One was let in of those in `before`; `share` of it tells of the pace, for the rest it went straight on."""
        lane = before.lane
        self._pace.today[: len(lane)] += share * lane
        self._pace.today_s += self._pending_s
        self.departures[quarter] += share * before.busy()
        self.waiting_s += self._pending_waiting_s
        self.share_s += self._pending_share_s
        self.gate_cars += (1 - before.full()) if sees_moves else 0.0
        self.gate_s += self._pending_gate_s
        self._clear()
