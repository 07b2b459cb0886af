"""Values that wander: a curve that is the same whoever asks for whichever instant, so that past and present fit together."""

import functools
import math
import random


def drift(name: str, at_ms: int, step_ms: int) -> float:
    """A smooth curve through one standard normal number each `step_ms`, drawn from `name`; continuous, about -3 to 3."""
    step, into = divmod(at_ms, step_ms)
    weight = (1 - math.cos(math.pi * into / step_ms)) / 2
    return _node(name, step) * (1 - weight) + _node(name, step + 1) * weight


@functools.lru_cache(maxsize=65_536)  # a hundred curves for a day of their slowest steps; an old node is drawn again when asked for
def _node(name: str, step: int) -> float:
    return random.Random(f"{name}/{step}").gauss(0, 1)
