"""The whole database, every series with all its tags: a reading under a second name would be a doubled one."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from hoflicht.reading import Reading
from tests.chaos.town import BUCKET, WORKERS
from tests.conftest import Influxd

Key = tuple[str, str, str, int]


class Verdict(NamedTuple):
    """What the database has of what it should have."""

    lost: list[Reading]
    wrong: list[Reading]
    extra: list[Reading]
    doubled: list[Reading]


def dump(database: Influxd) -> list[Reading]:
    """Every point but those that ingest writes of itself; raises where one has other tags or fields than a reading has."""
    found: list[Reading] = []
    for quantity in _names(database):
        answer: Any = database.call(f"/query?db={BUCKET}&epoch=ms&q=select%20*%20from%20%22{quantity}%22%20group%20by%20*")
        for series in answer["results"][0].get("series", []):
            assert (series["columns"], sorted(series["tags"])) == (["time", "value"], ["sensor", "site"]), series["name"]
            site, sensor = series["tags"]["site"], series["tags"]["sensor"]
            if site in WORKERS:  # no spool has accepted them
                continue
            found += [Reading(site, sensor, quantity, at_ms, float(value)) for at_ms, value in series["values"]]
    return found


def compare(accepted: Iterable[Reading], stored: Iterable[Reading]) -> Verdict:
    """Hold what was accepted beside what is stored."""
    wanted: dict[Key, Reading] = {}
    wrong: list[Reading] = []
    for reading in accepted:
        if wanted.setdefault(key(reading), reading) != reading:
            wrong.append(reading)  # two values for one point: one of them is gone
    stored = list(stored)
    counts = Counter(key(reading) for reading in stored)
    have = {key(reading): reading for reading in stored}
    return Verdict(
        lost=[reading for point, reading in wanted.items() if point not in have],
        wrong=wrong + [have[point] for point, reading in wanted.items() if point in have and have[point] != reading],
        extra=[reading for point, reading in have.items() if point not in wanted],
        doubled=[have[point] for point, count in counts.items() if count > 1],
    )


def key(reading: Reading) -> Key:
    """The point that a reading is."""
    return reading.quantity, reading.site, reading.sensor, reading.at_ms


def _names(database: Influxd) -> list[str]:
    return [str(row[0]) for row in database.select(BUCKET, "show measurements")]
