"""Readings as InfluxDB line protocol: measurement = quantity, tags site and sensor, one float field `value`, milliseconds."""

import re
from collections.abc import Sequence

import msgspec

from hoflicht.reading import Reading

BETWEEN = re.compile("[,= ]")  # none of which is in a name or a number


def lines(readings: Sequence[Reading]) -> bytes:
    """Write one line for each of `readings`; their values are finite, and their ids are ids: nothing in them needs an escape."""
    if not readings:
        return b""  # which asks whether a write would be taken
    # All at once, and by msgspec: a third of the time of repr, and to the last digit too.
    values = msgspec.json.encode([r.value for r in readings])[1:-1].decode().split(",")
    # Tags in the order of their names: the database sorts them otherwise, for each line again.
    return "\n".join(
        [f"{r.quantity},sensor={r.sensor},site={r.site} value={value} {r.at_ms}" for value, r in zip(values, readings, strict=True)]
    ).encode()


def readings_of(written: bytes) -> list[Reading]:
    """Read again what `lines` has written."""
    return [_reading(line) for line in written.decode().splitlines()]


def _reading(line: str) -> Reading:
    quantity, _, sensor, _, site, _, value, at_ms = BETWEEN.split(line)
    return Reading(site, sensor, quantity, int(at_ms), float(value))
