"""The air of a city: particulates and temperature at an instant, with their days, seasons and slow wandering."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from simulators.drift import drift

WEATHER_MS = 9 * 3_600_000  # the air mass over the city: the same at every place
PLACE_MS = 20 * 60_000  # what is burnt, driven and swept nearby
RUSH_HOURS = (8.0, 17.5)
TYPICAL_PM2_5 = 9.0  # µg/m³; German cities have a yearly mean of 8 to 12 (Umweltbundesamt)


class Air(msgspec.Struct, frozen=True):
    """Particulates in µg/m³, temperature in degrees Celsius."""

    pm1: float
    pm2_5: float
    pm4: float
    pm10: float
    temperature: float


def air(seed: int, place: str, at_ms: int, zone: ZoneInfo) -> Air:
    """The air at `place`; a pure function of its arguments."""
    local = datetime.fromtimestamp(at_ms / 1000, zone)
    hour = local.hour + local.minute / 60
    rush = sum(math.exp(-(((hour - peak) / 1.5) ** 2)) for peak in RUSH_HOURS) * (1.0 if local.weekday() < 5 else 0.4)
    cold = math.cos(2 * math.pi * (local.timetuple().tm_yday - 20) / 365.25)  # 1 in January, -1 in July
    weather, nearby = drift(f"{seed}/weather", at_ms, WEATHER_MS), drift(f"{seed}/air/{place}", at_ms, PLACE_MS)
    pm2_5 = TYPICAL_PM2_5 * math.exp(0.45 * weather + 0.12 * nearby + 0.25 * rush + 0.2 * cold)
    coarse = 0.45 * pm2_5 * math.exp(0.3 * rush + 0.15 * drift(f"{seed}/dust/{place}", at_ms, PLACE_MS))
    return Air(
        pm1=round(0.72 * pm2_5, 2),
        pm2_5=round(pm2_5, 2),
        pm4=round(pm2_5 + 0.6 * coarse, 2),
        pm10=round(pm2_5 + coarse, 2),
        temperature=round(10.8 - 8 * cold + 3.5 * math.cos(2 * math.pi * (hour - 15) / 24) + 2.5 * weather, 1),
    )
