"""The sun and the moon over a place, geometrically: the centre of the disc, without refraction and without clouds."""

import datetime as dt
import functools
import math

import msgspec
from astral import Observer, julian, moon, sun


class Place(msgspec.Struct, frozen=True):
    """Where lamps stand, and in whose time their programs are written."""

    lat: float  # degrees, WGS 84
    lon: float  # eastward
    zone: str  # "Europe/Berlin"


@functools.lru_cache(maxsize=4_096)  # a thousand lamps of a gateway ask four times a second
def sun_deg(place: Place, at_s: int) -> float:
    """How high the sun stands at a second of the Unix epoch."""
    return sun.elevation(Observer(place.lat, place.lon), _utc(at_s), with_refraction=False)


@functools.lru_cache(maxsize=512)
def moonlit(place: Place, minute: int) -> float:
    """Which share of the moon is lit, at a minute of the Unix epoch; 0 while it has not risen."""
    at = _utc(minute * 60)
    if moon.elevation(Observer(place.lat, place.lon), at) <= 0:
        return 0.0
    century = julian.julianday_to_juliancentury(julian.julianday(at))
    there = moon.moon_position(julian.julianday_2000(at))
    d_sun, d_moon = math.radians(sun.sun_declination(century)), there.declination
    turn = there.right_ascension - math.radians(sun.sun_rt_ascension(century))
    # The angle between the two tells it at any instant; astral's own phase is that of a whole day, and 6 degrees ahead.
    cosine = math.sin(d_sun) * math.sin(d_moon) + math.cos(d_sun) * math.cos(d_moon) * math.cos(turn)
    return (1 - cosine) / 2


@functools.lru_cache(maxsize=1_024)
def dusk_and_dawn(place: Place, evening: dt.date, elevation_deg: float) -> tuple[int, int]:
    """When the sun sinks to `elevation_deg` on that evening and when it rises to it again, in seconds of the Unix epoch.

    Where it does not sink so far both are the middle of the night, where it does not rise so far the middles of the days.
    """
    midnight = dt.datetime.combine(evening, dt.time(), dt.UTC) + dt.timedelta(days=1)
    middle_s = round(midnight.timestamp() - place.lon / 360 * 86_400)
    return (
        _crossing(place, middle_s - 43_200, middle_s, elevation_deg),
        _crossing(place, middle_s + 43_200, middle_s, elevation_deg),
    )


def _crossing(place: Place, light_s: int, dark_s: int, elevation_deg: float) -> int:
    """The second between a lighter and a darker one from which on it is dark."""
    while abs(dark_s - light_s) > 1:
        middle_s = (light_s + dark_s) // 2
        if sun_deg(place, middle_s) > elevation_deg:
            light_s = middle_s
        else:
            dark_s = middle_s
    return dark_s


def _utc(at_s: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_s, dt.UTC)
