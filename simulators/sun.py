"""The sun over a place, and the night that follows from it.

Low-precision formulas of the Astronomical Almanac, as in J. Michalsky, "The Astronomical Almanac's algorithm for approximate solar
position (1950-2050)", Solar Energy 40 (1988): right to about 0.01 degree, refraction left out.
"""

import functools
import math
from datetime import UTC, datetime

import msgspec

J2000_MS = int(datetime(2000, 1, 1, 12, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000
LAMPS_ON_DEG = -2.0  # of the sun's centre: some 15 lx are left, about where public lighting is switched


class Night(msgspec.Struct, frozen=True):
    """From the instant the lamps go on to the instant they go off; the same where the sun does not set so far."""

    dusk_ms: int
    dawn_ms: int


def elevation_deg(at_ms: int, lat: float, lon: float) -> float:
    """How high the sun's centre stands; `lon` counts eastward."""
    declination, ascension = _place(at_ms)
    hour_angle = math.radians(_sidereal_deg(at_ms) + lon) - ascension
    phi = math.radians(lat)
    sine = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(hour_angle)
    return math.degrees(math.asin(sine))


@functools.lru_cache(maxsize=8_192)
def night_after(noon: int, lat: float, lon: float) -> Night:
    """The night that follows noon number `noon`, in central European longitudes, where the sun is highest near noon UTC."""
    middle_ms = noon_ms(noon) + DAY_MS // 2 - round(lon / 360 * DAY_MS)
    return Night(_crossing(noon_ms(noon), middle_ms, lat, lon), _crossing(noon_ms(noon + 1), middle_ms, lat, lon))


def noon_before(at_ms: int) -> int:
    """The number of the last noon UTC, in days since J2000."""
    return (at_ms - J2000_MS) // DAY_MS


def noon_ms(noon: int) -> int:
    """The instant of noon number `noon`."""
    return J2000_MS + noon * DAY_MS


def _crossing(light_ms: int, dark_ms: int, lat: float, lon: float) -> int:
    """When the sun passes LAMPS_ON_DEG between a lighter and a darker instant, to the second; the dark one where it never does."""
    while abs(dark_ms - light_ms) > 1_000:
        middle_ms = (light_ms + dark_ms) // 2
        if elevation_deg(middle_ms, lat, lon) > LAMPS_ON_DEG:
            light_ms = middle_ms
        else:
            dark_ms = middle_ms
    return dark_ms


def _days(at_ms: int) -> float:
    return (at_ms - J2000_MS) / DAY_MS


def _place(at_ms: int) -> tuple[float, float]:
    """Declination and right ascension, in radians."""
    days = _days(at_ms)
    mean_longitude = 280.460 + 0.9856474 * days
    anomaly = math.radians(357.528 + 0.9856003 * days)
    longitude = math.radians(mean_longitude + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    obliquity = math.radians(23.439 - 0.0000004 * days)
    ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    return math.asin(math.sin(obliquity) * math.sin(longitude)), ascension


def _sidereal_deg(at_ms: int) -> float:
    return 15 * (18.697374558 + 24.06570982441908 * _days(at_ms)) % 360
