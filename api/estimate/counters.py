"""Which counters are out: their port says so, or what else is seen does.

Theory. Cars come at random at the usual rate, so a gap of x usual ones has the probability exp(-x) while the counter at the entry
lives, and 1 once it is out. That it went out soon after the last car has the odds of a failure within one usual gap; Bayes' rule
makes of both how likely it is out now. With that chance as many have come as do in such a time, a Poisson number of them.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from api.estimate.events import Outage
from api.estimate.pace import departure_role
from api.estimate.tally import Tally
from hoflicht.catalogue import Role, Yard

MOVES = 3  # of the head of the lane without a departure: that counter is out, not unlucky (0.03 ** 3)
OUT_PER_S = 1 / (300 * 3_600)  # a counter fails for a while, and its port does not say so, once in a month of openings
UNLIKELY = 0.01  # a smaller chance changes too little: less than a tenth of a car
GAPS = 11.0  # usual ones without a car: that counter is out with nine chances in ten where thirty cars an hour are usual
SOME_DAYS = 0.9  # learnt, before a gap between cars is unusual: the catalogue knows the pace, not the demand


class Blind(NamedTuple):
    """Counters that are known to be out."""

    entry: bool = False
    departure: bool = False


SIGHTED = Blind()  # as nearly always


def chance_out(gaps: float, arrivals_per_s: float) -> float:
    """How likely a counter is out that has counted nobody for so many usual gaps."""
    odds = OUT_PER_S / arrivals_per_s * math.exp(min(gaps, 100.0))
    return odds / (1 + odds)


class Counters:
    """The counters of one opening of `yard`; `tally` knows what is usual."""

    def __init__(self, yard: Yard, tally: Tally) -> None:
        self._roles = {name: sensor.role for name, sensor in yard.sensors.items()}
        self._departs = departure_role(yard)
        self._tally = tally
        self._gone: frozenset[str] = frozenset()
        self._entry_says_out = False
        self.departure_says_out = False  # the port is gone of what counts those who leave
        self.moved_unexplained = 0  # times the head of the lane moved up since the last departure was counted
        self._chance = self._gaps = 0.0  # of the gap that goes on: as far as it has been heeded

    def hear(self, outage: Outage) -> None:
        """The port of a counter is gone, or is back."""
        self._gone = self._gone | {outage.counter} if outage.is_out else self._gone - {outage.counter}
        says_out = {self._roles[counter] for counter in self._gone}
        self._entry_says_out, self.departure_says_out = Role.LANE_ENTRY in says_out, self._departs in says_out

    def blind(self, gap_s: float, since_opening_s: float) -> Blind:
        """Which are out, where nobody has been counted in for `gap_s` while others still left."""
        entry = self._entry_says_out or (gap_s > 0 and self._unusual_gaps(gap_s, since_opening_s) > GAPS)
        departure = self.departure_says_out or self.moved_unexplained >= MOVES
        return Blind(entry, departure) if entry or departure else SIGHTED

    def missed(self, gap_s: float, since_opening_s: float) -> Iterator[tuple[float, float]]:
        """How many cars, in the mean, have joined uncounted since this was asked last, each with its chance.

        `gap_s`: since the last one was counted, or since somebody waits; who came before did not queue.
        """
        gaps = self._unusual_gaps(gap_s, since_opening_s)
        chance = chance_out(gaps, self._tally.arrivals_per_s(since_opening_s))
        if gaps <= self._gaps or chance < UNLIKELY:
            return
        yield chance - self._chance, gaps
        if self._chance:
            yield self._chance, gaps - self._gaps
        self._chance, self._gaps = chance, gaps

    def gap_ends(self) -> None:
        """A car was counted in, or nobody waits."""
        self._chance = self._gaps = 0.0

    def _unusual_gaps(self, gap_s: float, since_opening_s: float) -> float:
        """How many usual gaps that is, once it is known what is usual."""
        if gap_s <= 0 or self._tally.days <= SOME_DAYS:
            return 0.0
        return gap_s * self._tally.arrivals_per_s(since_opening_s)
