"""The board of air, traffic, noise and weather: particulates against the law, vehicles and their speed, sound, sun, wind and rain.

Limits, in µg/m³. PM10, mean of a day: 50 on at most 35 days a year (Directive 2008/50/EC, annex XI), 45 on at most 18 days from
2030 on (Directive (EU) 2024/2881, annex I), 45 (WHO 2021). PM2.5, mean of a day: 25 on at most 18 days from 2030 on, 15 (WHO).

Noise of new roads in residential areas, in dB(A), mean of the night and of the day: 49 and 59 (16. BImSchV, § 2).
"""

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from dashboards import parts, uids
from dashboards.board import board, choice, place
from dashboards.influxql import AMONG, HOUR, Query, chosen, hourly, loudness, of_all, over_time
from dashboards.panels import BLUE, GREEN, RED, YELLOW, Limits, bars, lines, numbers, on_the_right, unit_of
from dashboards.parts import Scope

AIR, TRAFFIC, NOISE, WEATHER = ({"site": chosen(name)} for name in ("air", "traffic", "noise", "weather"))
PM10_DAY: Limits = {45: YELLOW, 50: RED}
PM2_5_DAY: Limits = {15: YELLOW, 25: RED}
OFTEN: Limits = {19: YELLOW, 36: RED}  # days above the limit: more than 18, more than 35
TOO_FAST: Limits = {50: YELLOW}  # km/h, in German towns
LOUD: Limits = {49: YELLOW, 59: RED}
KMH = 3.6  # km/h in a metre per second


def environment(scope: Scope) -> Dashboard:
    """Air, traffic, noise and weather, each at a place of the reader's choice."""
    empty = board(uids.ENVIRONMENT, "Air, traffic, noise and weather.", start="now-7d", links=[uids.CITY])
    for name, label, quantity in (
        ("air", "air at", "pm10"),
        ("traffic", "traffic at", "speed"),
        ("noise", "noise at", "sound_level"),
        ("weather", "weather at", "humidity"),
    ):
        empty.with_variable(choice(name, label, quantity))
    empty.with_variable(parts.bucket(scope.bucket))
    zone = "UTC" if scope.city is None else scope.city.timezone
    panels = [_now(), _often(zone), _days("pm10", "PM10 by day", PM10_DAY, zone), _days("pm2_5", "PM2.5 by day", PM2_5_DAY, zone)]
    return place(empty, [*panels, _vehicles(), _speed(), _sound(), _temperature(), _wind(), _rain(), _light()])


def _now() -> timeseries.Panel:
    return lines(
        "Particulates",
        "Fine dust by the hour at the chosen place. A peak in the evening is heating, at rush hour traffic. Fog swells "
        "particles, and an optical sensor then shows too much.",
        unit_of("pm10"),
        [Query(over_time(name, 'mean("value")', AIR, step=HOUR), text) for name, text in (("pm10", "PM10"), ("pm2_5", "PM2.5"))],
    )


def _often(zone: str) -> stat.Panel:
    limits = [("pm10", 50, "PM10 above 50"), ("pm10", 45, "PM10 above 45"), ("pm2_5", 25, "PM2.5 above 25")]
    return (
        numbers(
            "Days above the limit in a year",
            "Days of the last 365 whose mean was above. Allowed are 35 days above 50 µg/m³ PM10 (2008/50/EC, until 2029), "
            "and from 2030 on 18 days above 45 µg/m³ PM10 and 18 above 25 µg/m³ PM2.5 (2024/2881). An optical sensor is no "
            "reference instrument (EN 12341).",
            unit_of("wait_state"),
            [
                Query(
                    of_all(
                        'count("mean")',
                        over_time(hourly(name), 'mean("value")', AIR, step="1d", fill="none", zone=zone),
                        f'"mean" > {limit}',
                    ),
                    text,
                )
                for name, limit, text in limits
            ],
            limits=OFTEN,
            width=12,
        )
        .time_from("365d")
        .no_value("0")
        .height(8)
    )


def _days(quantity: str, title: str, limits: Limits, zone: str) -> timeseries.Panel:
    meanings = {
        "pm10": "Mean of each day, with what the law allows: 50 µg/m³ until 2029 (2008/50/EC), 45 µg/m³ from 2030 on (2024/2881) "
        "and by the WHO's guideline of 2021.",
        "pm2_5": "Mean of each day, with 25 µg/m³, which the law allows from 2030 on (2024/2881), and 15 µg/m³, the WHO's "
        "guideline of 2021.",
    }
    days = over_time(hourly(quantity), 'mean("value")', AIR, step="1d", fill="none", zone=zone)
    return bars(title, meanings[quantity], unit_of(quantity), [Query(days, "mean of the day")], limits=limits).time_from("30d")


def _vehicles() -> timeseries.Panel:
    return bars(
        "Vehicles by the hour",
        "What the radar at the chosen lamp counted, in both directions.",
        unit_of("passage"),
        [Query(over_time("passage", 'sum("value")', TRAFFIC, step=HOUR, fill="none"), "vehicles")],
    )


def _speed() -> timeseries.Panel:
    speeds = [(50, "half drive slower"), (85, "85 of 100 drive slower")]
    return lines(
        "Speed",
        "By the hour. The upper line is what traffic engineers go by (V85): more than a few km/h above the limit and the "
        "street invites it.",
        units.KilometersPerHour,
        [Query(over_time("speed", f'percentile("value", {share}) * {KMH}', TRAFFIC, step=HOUR), text) for share, text in speeds],
        limits=TOO_FAST,
    )


def _sound() -> timeseries.Panel:
    return lines(
        "Noise",
        "Sound level by the hour at the chosen place, the mean of its energy in dB(A): ten more sound twice as loud. The law "
        "allows new roads 49 in the night and 59 by day where people live (16. BImSchV), reckoned and not measured: good for "
        "comparing, no proof.",
        unit_of("sound_level"),
        [Query(loudness(NOISE, HOUR), "sound level")],
        limits=LOUD,
    )


def _temperature() -> timeseries.Panel:
    # A lamp may carry the station, and its driver tells how hot it is itself.
    outside = {**WEATHER, AMONG: "\"sensor\" != 'driver'"}
    panel = lines(
        "Temperature and humidity",
        "At the weather station. Around zero and humid: ice on the road.",
        unit_of("temperature"),
        [
            Query(over_time("temperature", 'mean("value")', outside), "temperature"),
            Query(over_time("humidity", 'mean("value")', outside), "humidity"),
        ],
        limits={-50: BLUE, 0: GREEN},
    )
    return on_the_right(panel, "humidity", unit_of("humidity"))


def _wind() -> timeseries.Panel:
    return lines(
        "Wind",
        "Mean and strongest of the averages at the weather station. From 20 m/s on branches fall, and masts sway.",
        unit_of("wind_speed"),
        [
            Query(over_time("wind_speed", 'mean("value")', WEATHER), "mean"),
            Query(over_time("wind_speed", 'max("value")', WEATHER), "strongest"),
        ],
        limits={20: RED},
    )


def _rain() -> timeseries.Panel:
    return bars(
        "Rain",
        "Intensity at the weather station: what makes lamps of a wet class brighter.",
        unit_of("rain_intensity"),
        [Query(over_time("rain_intensity", 'mean("value")', WEATHER), "rain")],
    )


def _light() -> timeseries.Panel:
    return lines(
        "Daylight",
        "Illuminance at the weather station. Street lamps go on at some ten lux; a sensor that never falls to zero sees a lamp.",
        unit_of("illuminance"),
        [Query(over_time("illuminance", 'mean("value")', WEATHER), "daylight")],
    )
