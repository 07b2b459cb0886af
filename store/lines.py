"""Readings as InfluxDB line protocol: measurement = quantity, tags site and sensor, one float field `value`, milliseconds."""

import functools
from collections.abc import Iterable

from hoflicht.reading import Reading

MAX_SERIES = 100_000  # cached beginnings of lines, some 100 bytes each; a city of 5000 lamps has about 50 000
MEASUREMENT = str.maketrans({",": r"\,", " ": r"\ "})
TAG = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\="})


def lines(readings: Iterable[Reading]) -> bytes:
    """Write one line for each of `readings`; their values are finite, their ids hold no line break."""
    return "\n".join([f"{_series(r.quantity, r.site, r.sensor)} value={r.value!r} {r.at_ms}" for r in readings]).encode()


@functools.lru_cache(MAX_SERIES)
def _series(quantity: str, site: str, sensor: str) -> str:
    # Tags in the order of their names: the database sorts them otherwise, for each line again.
    return f"{quantity.translate(MEASUREMENT)},sensor={sensor.translate(TAG)},site={site.translate(TAG)}"
