"""What goes wrong when: drawn from a seed alone, so that a bad run can be had again (as far as a machine runs twice alike)."""

import enum
import math
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

EVERY_S = 2.4  # on average: 250 in ten minutes


class Kind(enum.StrEnum):
    """How a part or the network between two fails."""

    KILL_EDGE = "edge killed"
    KILL_INGEST = "ingest killed"
    KILL_BROKER = "broker killed"
    KILL_DATABASE = "database killed"
    KILL_FEEDER = "feeder killed"
    UNPLUG = "serial line unplugged"
    CUT = "link cut"
    SLOW = "link slow"
    NARROW = "link narrow"
    RESET = "link reset"
    DEAF = "link half open"


# How often beside the others, and how long at least and at most, in seconds. A killed process comes back at once, as systemd does
# it, or a little later, as a machine that starts again does; a network has hiccups and outages.
FAULTS: Mapping[Kind, tuple[int, float, float]] = {
    Kind.KILL_EDGE: (4, 0.1, 8.0),
    Kind.KILL_INGEST: (4, 0.1, 8.0),
    Kind.KILL_BROKER: (2, 0.1, 8.0),
    Kind.KILL_DATABASE: (2, 0.1, 8.0),
    Kind.KILL_FEEDER: (2, 0.1, 2.0),
    Kind.UNPLUG: (2, 0.2, 10.0),
    Kind.CUT: (2, 0.1, 20.0),
    Kind.SLOW: (2, 2.0, 20.0),
    Kind.NARROW: (2, 2.0, 20.0),
    Kind.RESET: (2, 0.1, 10.0),
    Kind.DEAF: (2, 0.5, 20.0),
}


class Fault(NamedTuple):
    """Something that is wrong from `at_s` on for `lasts_s`."""

    at_s: float
    lasts_s: float
    kind: Kind
    target: str

    @property
    def ends_s(self) -> float:
        return self.at_s + self.lasts_s


def plan(seed: int, duration_s: float, targets: Mapping[Kind, Sequence[str]]) -> list[Fault]:
    """The faults of a run, in order of their beginnings; what is broken already is not broken again."""
    rng = random.Random(seed)
    kinds, weights = list(FAULTS), [weight for weight, _, _ in FAULTS.values()]
    faults: list[Fault] = []
    busy_until_s: dict[str, float] = {}
    at_s = EVERY_S
    while at_s < duration_s:
        kind = rng.choices(kinds, weights)[0]
        free = [target for target in targets[kind] if busy_until_s.get(target, 0.0) < at_s]
        if free:
            _, shortest_s, longest_s = FAULTS[kind]
            lasts_s = math.exp(rng.uniform(math.log(shortest_s), math.log(longest_s)))  # many short, few long
            fault = Fault(at_s, min(lasts_s, duration_s - at_s), kind, rng.choice(free))
            faults.append(fault)
            busy_until_s[fault.target] = fault.ends_s + 0.5
            at_s += rng.uniform(0.5, 1.5) * EVERY_S
        else:
            at_s += 0.1
    return faults
