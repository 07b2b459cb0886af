"""The weather over a place: temperature, wind, rain and daylight at an instant, with their days, seasons and slow wandering."""

import math
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from simulators.air import WEATHER_MS, air
from simulators.drift import drift
from simulators.sun import elevation_deg

GUST_MS = 60_000
SHOWER_MS = 20 * 60_000
FRONT_MS = 3 * 3_600_000
RAINS_ABOVE = 1.35  # of the front and its showers together: some 8 % of the hours
LUMENS_PER_WATT = 115  # of daylight, about

# Illuminance of level ground under a clear sky by the height of the sun's centre, in degrees and lux: P. K. Seidelmann,
# "Explanatory Supplement to the Astronomical Almanac" (1992), p. 491. Between them its logarithm goes straight.
DAYLIGHT = (
    (-18.0, 6.5e-4),
    (-12.0, 8.1e-3),
    (-6.0, 3.4),
    (-3.0, 79.0),
    (-0.8, 453.0),
    (5.0, 4_500.0),
    (10.0, 11_100.0),
    (20.0, 27_400.0),
    (45.0, 77_800.0),
    (90.0, 129_000.0),
)


class Weather(msgspec.Struct, frozen=True):
    """What a weather station measures, by the names and in the units of hoflicht.quantities."""

    temperature: float
    humidity: float
    pressure: float
    wind_speed: float
    wind_direction: float
    rain_intensity: float
    global_radiation: float
    illuminance: float


def weather(seed: int, place: str, at_ms: int, lat: float, lon: float, zone: ZoneInfo) -> Weather:
    """The weather at `place`; a pure function of its arguments."""
    rain = _rain(seed, place, at_ms)
    cloud = 1 / (1 + math.exp(-1.5 * drift(f"{seed}/cloud", at_ms, FRONT_MS) - 3 * rain))  # 0 clear, 1 overcast
    # A thick deck lets a tenth through.
    light = daylight_lx(elevation_deg(at_ms, lat, lon)) * 0.1**cloud
    temperature = air(seed, place, at_ms, zone).temperature
    breeze = drift(f"{seed}/wind", at_ms, WEATHER_MS) + 0.4 * drift(f"{seed}/gust/{place}", at_ms, GUST_MS)
    veer = 60 * drift(f"{seed}/veer", at_ms, WEATHER_MS) + 12 * drift(f"{seed}/veer/{place}", at_ms, GUST_MS)
    return Weather(
        temperature=temperature,
        humidity=round(min(100.0, max(25.0, 72 - light / 3_000 + 8 * drift(f"{seed}/damp", at_ms, FRONT_MS) + 6 * rain)), 1),
        pressure=round(1_013 + 9 * drift(f"{seed}/pressure", at_ms, 2 * WEATHER_MS), 1),
        wind_speed=round(2.8 * math.exp(0.5 * breeze), 1),
        wind_direction=round(230 + veer, 1) % 360,  # mostly from the south-west
        rain_intensity=round(rain, 2),
        global_radiation=round(light / LUMENS_PER_WATT, 1),
        illuminance=round(light, 3),
    )


def daylight_lx(elevation: float) -> float:
    """Illuminance under a clear sky, the sun's centre at `elevation` degrees; below -18 it is night."""
    height = max(elevation, DAYLIGHT[0][0])
    (low, dark), (high, bright) = next(pair for pair in pairwise(DAYLIGHT) if height <= pair[1][0])
    return dark * math.pow(bright / dark, (height - low) / (high - low))


def _rain(seed: int, place: str, at_ms: int) -> float:
    """In mm/h: a front over the city brings showers to its places."""
    wet = drift(f"{seed}/front", at_ms, FRONT_MS) + 0.6 * drift(f"{seed}/shower/{place}", at_ms, SHOWER_MS) - RAINS_ABOVE
    return 4 * wet**1.5 if wet > 0 else 0.0
