"""What a day counts of the pace: cars that were let in, and the seconds in which they could be.

Seconds count only once a car that is let in proves that what looks there is alive: an outage is no lunch break.
"""

import numpy as np

from api.estimate.pace import CARS, Pace
from api.estimate.profile import BINS
from api.estimate.queue import NUMBERS, Queue, summed


class Exposure:
    """Sums of one day, of which `departures`, `waiting_s` and `share_s` are by quarter of an hour."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.departures, self.waiting_s, self.share_s = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)
        self.gate_cars = self.gate_s = 0.0  # cars for which a bay was free, and the seconds until they were let in
        self.waited_s = 0.0  # by all cars together
        # What has been believed, times the seconds, of one quarter of an hour and way of looking.
        self._believed_s, self._length, self._of = np.zeros((CARS, len(pace.each))), 0, (0, False)
        self._clear()

    def _clear(self) -> None:
        self._pending_s, self._pending_gate_s, self._pending_waited_s = np.zeros(CARS), 0.0, 0.0
        self._pending: list[tuple[int, float, float]] = []  # quarter of an hour, waiting seconds and the share's

    def passes(self, queue: Queue, seconds: float, quarter: int, sees_moves: bool) -> None:
        """So many seconds in which cars could be let in; `sees_moves`: each would have been seen."""
        if (quarter, sees_moves) != self._of:
            self._sum_up()
            self._of = quarter, sees_moves
        believed_s = self._believed_s[: len(queue.p)]
        believed_s += queue.p * seconds
        self._length = max(self._length, len(queue.p))

    def _sum_up(self) -> None:
        """Sum what has been believed, times the seconds, since the quarter of an hour began or a car was let in."""
        quarter, sees_moves = self._of
        pace, length, self._length = self._pace, self._length, 0
        p_s = self._believed_s[:length]
        lane_s, somebody = p_s.dot(pace.each), 0 if pace.at_exit else 1
        pending_s = self._pending_s[somebody:length]
        pending_s += p_s.dot(pace.units_of)[somebody:]
        self._pending_waited_s += float(lane_s.dot(NUMBERS[:length]))
        waiting_s, share_s = summed(lane_s[1 if pace.at_exit else 2 :]), 0.0
        if sees_moves:
            share_s = summed(p_s[1:].dot(pace.share_of))
            self._pending_gate_s += float(np.vdot(pace.able[:length], p_s))
        self._pending.append((quarter, waiting_s, share_s))
        p_s[:] = 0.0

    def let_in(self, before: Queue, share: float, quarter: int, sees_moves: bool) -> None:
        """One was let in of those in `before`; `share` of it tells of the pace, for the rest it went straight on."""
        self._sum_up()
        lane = before.lane
        today = self._pace.today[: len(lane)]
        today += share * lane
        self._pace.today_s += self._pending_s
        self.departures[quarter] += share * before.busy()
        for at, waiting_s, share_s in self._pending:
            self.waiting_s[at] += waiting_s
            self.share_s[at] += share_s
        self.gate_cars += (1 - before.full()) if sees_moves else 0.0
        self.gate_s += self._pending_gate_s
        self.waited_s += self._pending_waited_s
        self._clear()
