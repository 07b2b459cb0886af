"""A week of the sample city, and a year of its hourly values, as line protocol: so plain that what a board shows is known.

Lamp 1 does not light, as staff have seen, lamp 2 has fallen silent, lamp 4 is dark; the others burn at 70 %. Each lamp takes 50 Wh
in an hour and burns half of it, the cabinet delivers 1.25 kWh. The expected wait is as many minutes as the hour of the day has.
"""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from hoflicht.catalogue import City
from hoflicht.faults import FAULTS

HOUR_S, DAY_S = 3_600, 86_400
WEEK_H, YEAR_H = 7 * 24, 366 * 24
LAMP_KWH, CABINET_KWH, BURNT_H = 0.05, 1.25, 0.5  # in an hour
LEVELS = ("level_target", "level_feedback", "level_actual")
FAILED_H, SILENT_H = 30, 20  # ago
WAITS: dict[str, float] = {
    "wait_p10": 300,
    "wait_p50": 600,
    "wait_p90": 1200,
    "wait_shown": 15,
    "queue_length": 7,
    "queue_p10": 5,
    "queue_p90": 10,
}
ESTIMATE: dict[str, float] = {**WAITS, "arrival_margin": 5_400, "wait_state": 0, "wait_trust": 0}
ACCURACY: dict[str, float] = {"error_mean": 130, "error_bias": -20, "within_3min": 0.75, "band_coverage": 0.8, "waits_measured": 24}
WEATHER: dict[str, float] = {"temperature": 8, "humidity": 80, "wind_speed": 6, "rain_intensity": 0.5, "illuminance": 900}
GATEWAY: dict[str, float] = {
    "uptime": 5_000,
    "spool_rows": 3,
    "spool_hours_left": 60,
    "receipt_latency": 0.2,
    "clock_synchronised": 1,
    "clock_offset": 0.1,
}
SELDOM: dict[str, float] = {"certificate_left": 30 * DAY_S, "disk_free": 0.6, "version": 1_002_003}
COUNTERS: dict[str, float] = {"dropped": 0, "quarantined": 2}
SEEN_H = 10  # ago staff have seen that lamp 1 does not light
LOUD_DB, QUIET_DB = 70.0, 60.0  # in turn
WORKER: dict[str, float] = {"stored": 60, "stored_late": 6, "store_errors": 1}  # more of it in each minute
RESTARTED = 7  # minutes after the first one: the gateway, whose counters then begin anew
FIRST_H, LAST_H = 8, 17  # of the day, with a number


def line(quantity: str, site: str, sensor: str, value: float, at_s: int) -> str:
    return f"{quantity},site={site},sensor={sensor} value={float(value)} {at_s}"


def raw(city: City, now_s: int) -> Iterator[str]:
    """Hourly what lasts, and the last quarter of an hour by the minute."""
    for hours in range(WEEK_H):
        yield from _an_hour(city, now_s - 60 - HOUR_S * hours, WEEK_H - hours)
    for lamp in city.lamps:
        for quantity in FAULTS if lamp != "lamp-0002" else ():
            for hours in range(WEEK_H):
                raised = quantity == "lamp_failure" and lamp == "lamp-0001" and hours < FAILED_H
                yield line(quantity, lamp, "driver", raised, now_s - 90 - HOUR_S * hours)
    yield line("lamp_failure", "lamp-0001", "staff", 1, now_s - SEEN_H * HOUR_S)
    yield line("level_actual", "lamp-0002", "driver", 70, now_s - SILENT_H * HOUR_S - 1_800)
    yield line("communication_failure", "lamp-0002", "watch", 1, now_s - SILENT_H * HOUR_S)
    for minutes in range(15):
        yield from _a_minute(city, now_s - 5 - 60 * minutes, 15 - minutes)
    yield from _waits(city, now_s)


def hourly(city: City, now_s: int) -> Iterator[str]:
    """What the database's task makes of a year."""
    zone = ZoneInfo(city.timezone)
    last_s = now_s // HOUR_S * HOUR_S - HOUR_S
    for hours in range(YEAR_H):
        at_s, count = last_s - HOUR_S * hours, YEAR_H - hours
        yield f"energy_import,site=cabinet-07,sensor=meter max={CABINET_KWH * count} {at_s}"
        pm10 = dust(dt.datetime.fromtimestamp(at_s, zone).date())
        yield f"pm10,site=lamp-0012,sensor=air value={pm10} {at_s}"
        yield f"pm2_5,site=lamp-0012,sensor=air value={pm10 / 2} {at_s}"
        for lamp in city.lamps if hours < 15 * 24 else ():
            yield f"energy_import,site={lamp},sensor=driver max={LAMP_KWH * count} {at_s}"
            yield f"operating_hours,site={lamp},sensor=driver max={BURNT_H * count} {at_s}"
            for level in LEVELS if hours < 3 * 24 else ():
                yield line(level, lamp, "driver", 70, at_s)
            for quantity in ("lamp_failure", "lamp_unexpected_on") if hours < 3 * 24 else ():
                has_it = (quantity, lamp) == ("lamp_failure", "lamp-0001") and hours < FAILED_H
                yield f"{quantity},site={lamp},sensor=driver max={float(has_it)} {at_s}"


def dust(day: dt.date) -> float:
    """PM10 of a day: one in ten above 50, one more above 45."""
    return {0: 60.0, 1: 47.0}.get(day.toordinal() % 10, 20.0)


def _an_hour(city: City, at_s: int, count: int) -> Iterator[str]:
    for lamp in city.lamps:
        yield line("energy_import", lamp, "driver", LAMP_KWH * count, at_s)
        for quantity, value in {
            "operating_hours": BURNT_H * count,
            "lamp_starts": 900,
            "life_left": 15,
            "active_power": 30,
        }.items():
            yield line(quantity, lamp, "driver", value, at_s)
        for quantity, value in {"light_reason": 1, "temperature": 40, "voltage": 231}.items():
            yield line(quantity, lamp, "driver", value, at_s)
    yield line("energy_import", "cabinet-07", "meter", CABINET_KWH * count, at_s)
    for quantity, value in {"pm10": 24, "pm2_5": 12}.items():
        yield line(quantity, "lamp-0012", "air", value, at_s)
    for quantity, value in WEATHER.items():
        yield line(quantity, "lamp-0012", "weather", value, at_s)
    for n, level in enumerate((LOUD_DB, QUIET_DB)):
        yield line("sound_level", "lamp-0003", "noise", level, at_s // HOUR_S * HOUR_S + 60 * n)
    for n in range(20):
        yield line("passage", "lamp-0001", "traffic", 1, at_s // HOUR_S * HOUR_S + n)
        yield line("speed", "lamp-0001", "traffic", n + 1, at_s // HOUR_S * HOUR_S + n)
    for quantity, value in ACCURACY.items():
        yield line(quantity, "hof-nord", "estimate", value, at_s // HOUR_S * HOUR_S)
    for quantity, value in SELDOM.items():
        yield line(quantity, "gw-hof-nord", "gateway", value, at_s)


def _a_minute(city: City, at_s: int, count: int) -> Iterator[str]:
    for quantity, value in ESTIMATE.items():
        yield line(quantity, "hof-nord", "estimate", value, at_s)
    yield line("wait_mean", "hof-nord", "estimate", 60 * dt.datetime.fromtimestamp(at_s, ZoneInfo(city.timezone)).hour, at_s)
    yield line("wait_state", "hof-sued", "estimate", 4, at_s)
    for quantity, sensor in {"presence": "lane-3", "occupied": "bay-1", "passage": "gate-in"}.items():
        yield line(quantity, "hof-nord", sensor, 1, at_s)
    yield line("held", "hof-nord", "barrier", 6 <= count < 9, at_s)
    if count == 6:  # the first word of staff ever
        yield line("hold", "hof-nord", "staff", 600, at_s)
        yield line("notice", "hof-nord", "staff", 1, at_s)
    if count == 9:
        yield line("hold", "hof-nord", "staff", 0, at_s)
        yield line("notice", "hof-nord", "staff", 0, at_s)
    for lamp in city.lamps:
        for level in LEVELS if lamp != "lamp-0002" else ():
            yield line(level, lamp, "driver", 0 if lamp == "lamp-0004" else 70, at_s)
    for quantity, value in {**GATEWAY, **COUNTERS}.items():
        yield line(quantity, "gw-hof-nord", "gateway", value, at_s)
    for quantity in ("port_errors", "frames_lost", "noise_bytes"):
        yield line(quantity, "gw-hof-nord", "node", count if count > RESTARTED else 20 + count, at_s)
    for quantity, value in WORKER.items():
        yield line(quantity, "ingest", "worker", value * count, at_s)
    yield line("set_aside", "ingest", "not-a-reading", 2 * count, at_s)
    yield line("quarantine_packs", "ingest", "worker", 4, at_s)
    yield line("write_latency", "ingest", "worker", 0.03, at_s)


def _waits(city: City, now_s: int) -> Iterator[str]:
    zone = ZoneInfo(city.timezone)
    for minutes in range(0, 28 * 24 * 60, 10):
        at_s = now_s - 5 - 60 * minutes
        hour = dt.datetime.fromtimestamp(at_s, zone).hour
        if FIRST_H <= hour <= LAST_H:
            yield line("wait_mean", "hof-nord", "estimate", hour * 60, at_s)
