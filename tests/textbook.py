"""A queue of the textbook: nothing but arrivals, bays and exponential service, and counters that never err."""

import math

from simulators.yard import Law

MARKOV = Law(
    load=lambda _at_ms: 0.7,
    sigma=None,
    trailers=0,
    spare_places=0,
    headway_s=0,
    early_s=0,
    roll_s=0,
    changes_per_day=0,
    holds_per_day=0,
    patience_min=math.inf,
    missed=0,
    doubled=0,
)
