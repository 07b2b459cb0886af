"""A yard's past, in even steps of whole minutes, as JSON or CSV."""

import csv
import datetime as dt
import enum
import io
from typing import NamedTuple

import msgspec

from api.minutes import cut
from api.problems import Wrong
from hoflicht.catalogue import ESTIMATE, City, Role, Yard
from hoflicht.instants import moment, ms
from hoflicht.quantities import QUANTITIES
from store.readings import Store

MAX_STEP_S = 86_400
MAX_STEPS = 5_000  # of one answer: three days by the minute, half a year by the hour; some 300 kB
MAX_SPAN = dt.timedelta(days=31)
COUNTING = (Role.LANE_ENTRY, Role.ENTRY_CONTROL, Role.YARD_EXIT)


class Quantity(enum.StrEnum):
    """What a history can be asked of."""

    WAIT_P50 = "wait_p50"
    QUEUE_LENGTH = "queue_length"
    PASSAGE = "passage"


class Point(msgspec.Struct, frozen=True):
    """The step that begins at `at`."""

    at: dt.datetime
    value: float


class Series(msgspec.Struct, frozen=True):
    """One sensor's steps; those without a reading are left out."""

    sensor: str
    points: list[Point]


class HistoryAnswer(msgspec.Struct, frozen=True):
    """Means of each step; of `passage` the sum: vehicles that passed within it."""

    yard: str
    quantity: str
    unit: str
    step_s: int
    series: list[Series]


class Span(NamedTuple):
    """[start, end) in steps of whole minutes."""

    start: dt.datetime
    end: dt.datetime
    step_s: int


def history(store: Store, city: City, name: str, quantity: Quantity, span: Span) -> HistoryAnswer:
    """The past of `quantity` at the yard `name`, from and until whole minutes; raise Wrong where one answer does not hold it."""
    start_ms, end_ms, step_ms = cut(ms(span.start)), cut(ms(span.end)), span.step_s * 1000
    if end_ms <= start_ms:
        raise Wrong(422, "from must be before to, by a minute or more")
    length = span.end - span.start
    if length > MAX_SPAN or length.total_seconds() / span.step_s > MAX_STEPS:
        raise Wrong(422, f"at most {MAX_SPAN.days} days and {MAX_STEPS} steps in one answer; ask for less or for longer steps")
    if quantity is Quantity.PASSAGE:
        counting = counters(city.yards[name])
        series = {sensor: store.sums(name, sensor, quantity, start_ms, end_ms, step_ms) for sensor in counting}
    else:
        series = {ESTIMATE: store.means(name, ESTIMATE, quantity, start_ms, end_ms, step_ms)}
    told = [Series(sensor, [_point(at_ms, value) for at_ms, value in steps]) for sensor, steps in series.items()]
    return HistoryAnswer(name, quantity.value, QUANTITIES[quantity].unit, span.step_s, told)


def counters(yard: Yard) -> list[str]:
    """The sensors of `yard` whose passages are told."""
    return sorted(sensor for sensor, entry in yard.sensors.items() if entry.role in COUNTING)


def as_csv(answer: HistoryAnswer) -> bytes:
    """RFC 4180: at, sensor, value."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("at", "sensor", answer.quantity))
    for series in answer.series:
        writer.writerows((point.at.isoformat(), series.sensor, point.value) for point in series.points)
    return out.getvalue().encode()


def _point(at_ms: int, value: float) -> Point:
    return Point(moment(at_ms), round(value, 1))
