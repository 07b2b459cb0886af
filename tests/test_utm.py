"""A surveyor's metres as degrees, beside points that surveyors have published."""

import math

import pytest

from workshop import utm

SOUTH = 10_000_000  # what is added to northings south of the equator


def degrees(whole: int, minutes: int, seconds: float) -> float:
    return math.copysign(abs(whole) + minutes / 60 + seconds / 3600, whole)


@pytest.mark.parametrize(
    ("easting", "northing", "zone", "lat", "lon"),
    [
        # Flinders Peak and Buninyong, the second in both of its zones: GDA technical manual (ICSM), on GRS80 as ETRS89 is.
        (273_741.297, 5_796_489.777, 55, degrees(-37, 57, 3.7203), degrees(144, 25, 29.5244)),
        (228_854.052, 5_828_259.038, 55, degrees(-37, 39, 10.1561), degrees(143, 55, 35.3839)),
        (758_173.797, 5_828_674.340, 54, degrees(-37, 39, 10.1561), degrees(143, 55, 35.3839)),
    ],
)
def test_published_points_are_met_to_two_millimetres(easting: float, northing: float, zone: int, lat: float, lon: float) -> None:
    spot = utm.spot(easting, northing - SOUTH, zone)

    assert spot.lat == pytest.approx(lat, abs=2e-8)
    assert spot.lon == pytest.approx(lon, abs=2e-8)


def test_north_of_the_equator_it_is_the_mirror_image() -> None:
    north, south = utm.spot(344_950.1, 5_700_130.2, 32), utm.spot(344_950.1, -5_700_130.2, 32)

    assert (north.lat, north.lon) == (-south.lat, south.lon)
