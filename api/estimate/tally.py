"""What is counted over the days, by time of day: cars that came, and how long they had waited."""

import math
import operator
from collections.abc import Sequence

from api.estimate.pace import BIN_S
from api.estimate.profile import BINS, Profile

NEAR = (0.25, 0.5, 1.0, 0.5, 0.25)  # what the quarters of an hour around this one count
SAME_HOUR_CARS = 3.0  # waits that another word is worth, where an hour has little history
FIRST_CARS = 3.0  # waits that another word is worth for cars that find the lane empty: of nothing at a new yard
ARRIVALS_DAYS = 1.0  # days that the catalogue's usual entries are worth


class Tally:
    """Sums by quarter of an hour since the opening, this day's among them; and of cars that found the lane empty, by bays taken."""

    def __init__(self, profile: Profile, usual_per_s: float, bays: int) -> None:
        self.days = profile.days_kept
        # Lists: single elements of arrays are slow to ask for.
        self.arrivals = _filled(profile.arrivals, BINS)
        self.waits_s = _filled(profile.waits_s, BINS)
        self.waited = _filled(profile.waited, BINS)
        self.first_cars = _filled(profile.first_cars, bays + 1)
        self.first_s = _filled(profile.first_s, bays + 1)
        self._usual_per_s = usual_per_s
        self._per_s: dict[int, float] = {}  # by quarter of an hour, since a car came last: it is asked at each event

    def came(self, since_opening_s: float) -> None:
        """A car joined."""
        self.arrivals[quarter(since_opening_s)] += 1
        self._per_s.clear()

    def ended(self, since_opening_s: float, wait_s: float, found_taken: int | None) -> None:
        """A car that had joined then was let in after `wait_s`; it had found the lane empty and so many bays taken, if not None."""
        at = quarter(since_opening_s)
        self.waits_s[at] += wait_s
        self.waited[at] += 1
        if found_taken is not None:
            self.first_cars[found_taken] += 1
            self.first_s[found_taken] += wait_s

    def arrivals_per_s(self, since_opening_s: float) -> float:
        """How many cars usually come at that time of day."""
        at = quarter(since_opening_s)
        if at not in self._per_s:
            near = _near(self.arrivals, since_opening_s) / sum(NEAR)
            self._per_s[at] = (near + ARRIVALS_DAYS * self._usual_per_s * BIN_S) / ((self.days + ARRIVALS_DAYS) * BIN_S)
        return self._per_s[at]

    def same_hour_s(self, since_opening_s: float, otherwise_s: float) -> float:
        """How long cars usually waited that came at that time of day; `otherwise_s` where little is known."""
        waited = _near(self.waited, since_opening_s)
        return (_near(self.waits_s, since_opening_s) + SAME_HOUR_CARS * otherwise_s) / (waited + SAME_HOUR_CARS)

    def first_wait_s(self, taken: int) -> float:
        """How long a car waits that finds the lane empty and so many bays taken."""
        mean_s = sum(self.first_s) / (sum(self.first_cars) + FIRST_CARS)
        return (self.first_s[taken] + FIRST_CARS * mean_s) / (self.first_cars[taken] + FIRST_CARS)


def quarter(since_opening_s: float) -> int:
    """Which quarter of an hour of the day; the first and the last hold what is before and after."""
    at = int(since_opening_s / BIN_S)
    return at if 0 <= at < BINS else 0 if at < 0 else BINS - 1


def _near(sums: Sequence[float], since_opening_s: float) -> float:
    first = quarter(since_opening_s) - len(NEAR) // 2
    return math.fsum(map(operator.mul, NEAR[max(-first, 0) :], sums[max(first, 0) : first + len(NEAR)]))


def _filled(sums: tuple[float, ...], length: int) -> list[float]:
    return list(sums) if len(sums) == length else [0.0] * length
