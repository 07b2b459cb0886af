"""What a yard has taught us: all that the estimate of a day takes from the days before.

A snapshot of the night, some tens of kilobytes of JSON. It is a fold over the openings before, so it can be computed again from the
stored events, and every replica that does so has the same.
"""

import msgspec

EQUAL_CARS = 200.0  # counted cars that the belief in equal counters is worth: one busy day
UNLIKE = 0.1  # two counters that differ by more than this do not count the same: each errs by some hundredths
BINS = 96  # quarters of an hour of a day, counted from the opening


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the openings before; older ones fade. Empty: nothing was learnt."""

    days: int = 0
    days_kept: float = 0.0  # the same, older ones fading as all sums below
    entries: float = 0.0  # cars counted in, less those that still stood there at the end, and
    exits: float = 0.0  # cars counted out, and
    moves: float = 0.0  # how often the head of the lane got free, and
    exits_beside: float = 0.0  # cars counted out while something looked there
    departures: tuple[float, ...] = ()  # cars let in, by how many were there, and
    exposure_s: tuple[float, ...] = ()  # the seconds in which they could be, by the same
    bin_departures: tuple[float, ...] = ()  # cars let in while others waited, by quarter of an hour, and
    bin_waiting_s: tuple[float, ...] = ()  # the seconds in which cars waited, by the same
    bin_share_s: tuple[float, ...] = ()  # where each car is seen to be let in: the share of the yard at work, times these seconds
    unusual: tuple[float, float] = (0.0, 0.0)  # how long it lasts that another share works than usual, see lasting.py
    gate_cars: float = 0.0  # cars for which a bay was free, and
    gate_s: float = 0.0  # the sum of the seconds until they were let in
    gate_every_s: float = 0.0  # how often the gate opens; 0: it has no clock
    straight: tuple[float, float] = (0.0, 0.0)  # cars that found nobody in front; those of them that went straight on
    arrivals: tuple[float, ...] = ()  # cars counted in, by quarter of an hour
    waits_s: tuple[float, ...] = ()  # sums of waits measured back, by quarter of an hour, and
    waited: tuple[float, ...] = ()  # of how many cars
    first_cars: tuple[float, ...] = ()  # cars that found the lane empty, by how many bays were likely taken, and
    first_s: tuple[float, ...] = ()  # the sums of their waits
    miscount: int = 2  # which of queue.MISCOUNTS explains the counters best: at first 1 to 5 % off; and by how much
    evidence: tuple[float, float] = (0.0, 0.0)  # the next lower and the next higher one do better; logarithms
    waited_s: float = 0.0  # the sum of the seconds that all cars waited
    gives_up_per_s: float = 0.0  # the rate at which each that waits leaves unseen, where some do and that is seen;
    gives_up_evidence: tuple[float, float] = (0.0, 0.0)  # and how much better a lower and a higher one do
    carried: tuple[float, ...] = ()  # where the next opening follows without a gap: the mass over cars three hours before it
    stack: tuple[float, ...] = ()  # weights of the voices, and
    stack_doubt: tuple[float, ...] = ()  # their covariance, row by row
    stack_scale_s: float = 0.0  # usual error of the stack
    band: tuple[float, ...] = ()  # quantiles of the scaled error, see band.py

    @property
    def sees_moves(self) -> bool:
        """Whether the head of the lane gets free about as often as a car is counted out: else it overlooks some, or flickers."""
        return abs(self._moves_per_exit - 1) < UNLIKE

    @property
    def per_entry(self) -> float:
        """How many cars are let in for each counted in: below one where some leave unseen, above where some come so."""
        exits = (self.exits + EQUAL_CARS) / (self.entries + EQUAL_CARS)
        return exits * self._moves_per_exit if self.sees_moves else exits

    @property
    def lost_per_s(self) -> float:
        """The cars that left unseen, over the seconds that all waited."""
        return max(1 - self.per_entry, 0.0) * self.entries / self.waited_s if self.waited_s else 0.0

    @property
    def _moves_per_exit(self) -> float:
        return (self.moves + EQUAL_CARS) / (self.exits_beside + EQUAL_CARS)


COLD = Profile()
