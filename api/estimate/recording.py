"""A yard's recorded events, one JSON object a line: `{"t": 1199186040, "sensor": "gate-in", "v": 1}`, in order of time.

`t` is the Unix epoch in seconds, UTC, and may have a fraction; `v` is a number of vehicles for a counter, 0 or 1 for a state. What
a sensor measures follows from its role; `"quantity"` says otherwise. Blank lines and other keys are skipped.
"""

import gzip
import math
import zlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import msgspec

from hoflicht.catalogue import Role, Yard
from hoflicht.config import choose
from hoflicht.errors import BadConfig, BadPayload
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading

MAX_LINE = 4_096  # bytes; an event takes about sixty
MAX_TIME_S = 4_102_444_800  # the year 2100; a time in milliseconds, the usual mistake, lies far beyond
MEASURES = {
    Role.LANE_ENTRY: "passage",
    Role.ENTRY_CONTROL: "passage",
    Role.YARD_EXIT: "passage",
    Role.LANE: "presence",
    Role.BAY: "occupied",
    Role.GATE: "held",
}


class Event(msgspec.Struct, frozen=True):
    """One line."""

    t: float
    sensor: str
    v: float
    quantity: str = ""


def read(path: Path, name: str, yard: Yard) -> Iterator[Reading]:
    """The readings of `yard`, called `name`, in order of time; a file that ends in .gz is unpacked.

    A reading is a point, so passages of one counter at one instant become one reading of their sum. Raise BadConfig with the number
    of the line, at the first one that cannot be used, and where there is none.
    """
    for at_ms, events in groupby(_events(path, yard), key=lambda event: round(event.t * 1000)):
        points: dict[tuple[str, str], float] = {}
        for event in events:
            key = event.sensor, event.quantity
            points[key] = event.v + (points.get(key, 0.0) if event.quantity == "passage" else 0.0)
        for (sensor, quantity), value in points.items():
            yield Reading(name, sensor, quantity, at_ms, value)


def _events(path: Path, yard: Yard) -> Iterator[Event]:
    """As the file holds them, each with its quantity."""
    before_s = -math.inf
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            event = _event(line, yard)
            if event.t < before_s:
                raise BadPayload(f"t goes back from {before_s:.15g} to {event.t:.15g}; events stand in order of time")
        except (BadConfig, BadPayload) as cause:
            raise BadConfig(f"{path}, line {number}: {cause}") from cause
        before_s = event.t
        yield event
    if before_s == -math.inf:
        raise BadConfig(f"{path}: there is no event in it")


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while line := file.readline(MAX_LINE):
                yield line
    except (OSError, EOFError, zlib.error) as cause:
        raise BadConfig(f"{path}: cannot be read ({getattr(cause, 'strerror', None) or cause})") from cause


def _event(line: bytes, yard: Yard) -> Event:
    """One line, checked as ingest checks what comes from a gateway."""
    if len(line) == MAX_LINE:
        raise BadPayload(f"longer than {MAX_LINE} bytes, which no event is")
    try:
        event = msgspec.json.decode(line, type=Event)
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise BadPayload(f'{cause}; an event is {{"t": 1199186040, "sensor": "gate-in", "v": 1}}') from cause
    if not 0 <= event.t < MAX_TIME_S:
        raise BadPayload(f"t is {event.t:.15g}; it is seconds since 1970, before the year 2100")
    name = event.quantity or MEASURES.get(choose("sensor", event.sensor, yard.sensors).role)
    if name is None:
        raise BadPayload(f'sensor {event.sensor!r} has no role in the catalogue; give it one, or say what it measures: "quantity"')
    quantity = choose("quantity", name, QUANTITIES)
    if not quantity.low <= event.v <= quantity.high:
        raise BadPayload(f"v is {event.v:.15g}; {name} ({quantity.meaning}) is from {quantity.low:g} to {quantity.high:g}")
    return msgspec.structs.replace(event, quantity=name)
