"""A day of a yard as one CSV file: a row a step, from midnight to midnight by the city's clock."""

import csv
import datetime as dt
import io
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from api.history import counters
from api.minutes import cut
from hoflicht.catalogue import ESTIMATE, City
from hoflicht.instants import moment, ms
from store.readings import Store

ESTIMATED = {"wait_p10_s": "wait_p10", "wait_p50_s": "wait_p50", "wait_p90_s": "wait_p90", "queue": "queue_length"}  # by column
PASSED = "passed "  # a column for each counter: vehicles within the step
LISTED = 90  # days: those of which the store keeps more than hours


class DaysAnswer(msgspec.Struct, frozen=True):
    """Where the files of the last days are, the newest first; that of today grows. Older ones are made of whole hours."""

    yard: str
    time_zone: str
    days: list[str]


def as_csv(store: Store, city: City, name: str, day: dt.date, step_s: int, now_ms: int) -> bytes:
    """RFC 4180: at, estimates as means of the step, passages as its sums; steps of which nothing is known are left out.

    Until the last whole minute before `now_ms`, which is no earlier than `day`.
    """
    start_ms, end_ms = span_ms(city, day)
    end_ms = max(start_ms, min(end_ms, cut(now_ms)))
    columns: dict[str, Mapping[int, float]] = {
        column: dict(store.means(name, ESTIMATE, quantity, start_ms, end_ms, step_s * 1000))
        for column, quantity in ESTIMATED.items()
    }
    for sensor in counters(city.yards[name]):
        columns[PASSED + sensor] = dict(store.sums(name, sensor, "passage", start_ms, end_ms, step_s * 1000))
    return _written(columns, ZoneInfo(city.timezone))


def span_ms(city: City, day: dt.date) -> tuple[int, int]:
    """When `day` begins and ends in the city; 23 or 25 hours where the clocks change."""
    zone = ZoneInfo(city.timezone)
    begin, end = (dt.datetime.combine(each, dt.time(), zone) for each in (day, day + dt.timedelta(days=1)))
    return ms(begin), ms(end)


def _written(columns: Mapping[str, Mapping[int, float]], zone: ZoneInfo) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("at", *columns))
    for at_ms in sorted({at_ms for steps in columns.values() for at_ms in steps}):
        values = (round(steps[at_ms], 1) if at_ms in steps else "" for steps in columns.values())
        writer.writerow((moment(at_ms).astimezone(zone).isoformat(), *values))
    return out.getvalue().encode()
