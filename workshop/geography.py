"""How far apart two places are, well enough to see that one of them is a slip."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

DEGREE_KM = 111.2  # of latitude
FAR_KM = 60.0  # from the middle of a city; Berlin, the largest of Germany, is 45 km across


class Spot(NamedTuple):
    """Where something stands, in degrees."""

    lat: float
    lon: float


class Box(NamedTuple):
    """In which all lamps stand, in degrees."""

    south: float
    west: float
    north: float
    east: float

    def holds(self, spot: Spot) -> bool:
        """Whether `spot` lies in it."""
        return self.south <= spot.lat <= self.north and self.west <= spot.lon <= self.east


def middle(spots: Sequence[Spot]) -> Spot:
    """The median of `spots`, of which a few that are wrong move nothing."""
    return Spot(statistics.median(spot.lat for spot in spots), statistics.median(spot.lon for spot in spots))


def km(one: Spot, other: Spot) -> float:
    """The distance on a flat map: right to a percent within a city, and far enough beyond it."""
    east = (one.lon - other.lon) * math.cos(math.radians(other.lat))
    return math.hypot(one.lat - other.lat, east) * DEGREE_KM
