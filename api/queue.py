"""How many cars stand in the lane: a probability for each number, never a bare count.

Counters miss cars and count trailers twice, 1 to 5 in a hundred. So a passage moves most of the probability by one car and leaves a
little behind; nothing moves below zero, and what a lane sensor sees multiplies each number by how well it explains the sight.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

MISCOUNT = 0.015  # of passages are seen for nothing, and as many stand for two cars: counters are off by 1 to 5 %
MISLED = 0.02  # a sensor says so although the lane is not so: a pedestrian, a puddle
BETWEEN_CARS = 0.2  # a sensor inside a standing queue looks at a gap: about 2 of 7 metres, less where cars stop close
SPREAD_M = 1.5  # by which the place of one standing car varies; n cars vary by SPREAD_M * sqrt(n)
DOUBT = 3e-4  # between two looks of a lane sensor a counter fails for good, and the true number is another one by
DOUBT_FADES = 0.7  # some cars, each further one so much less likely; three looks of a sensor then outweigh a wrong count
DOUBT_CARS = 20  # and no more
SURPRISING = 0.5  # a sight less likely than this makes us doubt the count
MAX_CARS = 150  # a kilometre of cars; longer queues cannot be told apart and are the road's affair
NEGLIGIBLE = 1e-6


class Sight(NamedTuple):
    """What a lane sensor at `position_m` before the gate steadily sees: a car, or none."""

    occupied: bool
    position_m: float
    metres_per_car: float


Mass: TypeAlias = Sequence[float]  # [n] = probability that n cars are in the lane

EMPTY: Mass = (1.0,)
ANY: Mass = (1 / (MAX_CARS + 1),) * (MAX_CARS + 1)


def entered(mass: Mass) -> Mass:
    """After a car was seen to join."""
    padded = [0.0, 0.0, *mass, 0.0, 0.0]
    return _trimmed(
        [
            MISCOUNT * padded[n + 2] + (1 - 2 * MISCOUNT) * padded[n + 1] + MISCOUNT * padded[n]
            for n in range(min(len(mass) + 2, MAX_CARS + 1))
        ]
    )


def left(mass: Mass) -> Mass:
    """After a car was seen to leave the lane; where none was believed to stand, one had been missed."""
    padded = [*mass, 0.0, 0.0]
    moved = [MISCOUNT * padded[n] + (1 - 2 * MISCOUNT) * padded[n + 1] + MISCOUNT * padded[n + 2] for n in range(len(mass))]
    # From an empty lane only a miscount can leave, of this counter or the other: little weight, unless nothing else has any.
    moved[0] = 2 * MISCOUNT * padded[0] + (1 - MISCOUNT) * padded[1] + MISCOUNT * padded[2]
    return _trimmed(moved)


def seen(mass: Mass, sight: Sight, elsewhere: int = 0) -> Mass:
    """After `sight`; the first `elsewhere` cars stand where no lane sensor sees them: on the yard, or still rolling.

    A sight that the present mass does not expect also makes the counters doubtful.
    """
    explained = _explained(mass, sight, elsewhere)
    if sum(explained) < SURPRISING:
        explained = _explained(_doubted(mass), sight, elsewhere)
    return _trimmed(explained)


def at_least(position_m: float, metres_per_car: float) -> int:
    """How many cars stand where a sensor at `position_m` steadily sees one."""
    return math.floor(position_m / metres_per_car) + 1


def median(mass: Mass) -> int:
    """The number of cars that is as likely exceeded as not."""
    total = 0.0
    for n, weight in enumerate(mass):
        total += weight
        if total >= 0.5:
            return n
    return len(mass) - 1


def _doubted(mass: Mass) -> Mass:
    """The same with a little weight on numbers far from what was counted, so that a lane sensor can prove a counter wrong."""
    length = min(len(mass) + DOUBT_CARS, MAX_CARS + 1)
    wide = [*mass, *[0.0] * (length - len(mass))]
    below = above = 0.0
    spread = [0.0] * length  # what comes to each number from all others, fading with their distance
    for n in range(length):
        spread[n] += below
        below = (below + wide[n]) * DOUBT_FADES
    for n in reversed(range(length)):
        spread[n] += above
        above = (above + wide[n]) * DOUBT_FADES
    share = DOUBT * (1 - DOUBT_FADES) / (2 * DOUBT_FADES)  # the spread of one car's weight sums to its inverse
    return [(1 - DOUBT) * weight + share * more for weight, more in zip(wide, spread, strict=True)]


def _explained(mass: Mass, sight: Sight, elsewhere: int) -> list[float]:
    """Each number's weight times the chance that the sensor then sees what it sees."""
    standing = _standing_chances(max(len(mass) - elsewhere, 1), sight)
    chances = [standing[0]] * min(elsewhere, len(mass) - 1) + standing
    if sight.occupied:
        return [weight * chance for weight, chance in zip(mass, chances, strict=True)]
    return [weight * (1 - chance) for weight, chance in zip(mass, chances, strict=True)]


@functools.lru_cache(4_096)  # the same few sensors ask every minute of the day
def _standing_chances(length: int, sight: Sight) -> list[float]:
    """For each number of cars the probability that the sensor sees one of them stand."""
    position_m, metres_per_car = sight.position_m, sight.metres_per_car
    # The head of the lane has a line to stop at, so nobody stops with a gap in front of that sensor.
    surest = 1 - MISLED if position_m <= metres_per_car else 1 - BETWEEN_CARS
    chances = [MISLED]
    for n in range(1, length):
        reach = (n * metres_per_car - position_m) / (SPREAD_M * math.sqrt(n))
        chances.append(MISLED + (surest - MISLED) * 0.5 * math.erfc(-reach / math.sqrt(2)))
    return chances


def _trimmed(mass: list[float]) -> Mass:
    least = NEGLIGIBLE * sum(mass)
    while len(mass) > 1 and mass[-1] < least:
        mass.pop()
    total = sum(mass)
    return [weight / total for weight in mass]
