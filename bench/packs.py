"""A batch on its way into InfluxDB: SenML decoded and checked, line protocol written."""

import json
import math

from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision

from bench.duel import Row, duel
from hoflicht import Reading, senml
from store.lines import lines

READINGS = [Reading("hof-nord", f"lane-{n % 4}", "distance", 1_700_000_000_000 + 997 * n, n / 7) for n in range(100)]
PAYLOAD = senml.encode(READINGS)
REPEATS = 200


def rows() -> list[Row]:
    """The two steps that each reading takes at ingest."""
    return [
        duel(
            f"{REPEATS} SenML batches of 100 → checked readings",
            _decode_ours,
            "stdlib json, the same checks by hand",
            _decode_by_hand,
        ),
        duel(f"{REPEATS} times 100 readings → line protocol", _lines_ours, "influxdb-client Point", _lines_by_points),
    ]


def _decode_ours() -> None:
    for _ in range(REPEATS):
        senml.decode(PAYLOAD)


def _decode_by_hand() -> None:
    for _ in range(REPEATS):
        readings = []
        name, base_s = "", 0.0
        for record in json.loads(PAYLOAD):
            name, base_s = record.get("bn", name), record.get("bt", base_s)
            site, sensor, quantity = (name + record["n"]).split("/")
            value = float(record["v"])
            if not math.isfinite(value):
                raise ValueError(value)
            readings.append(Reading(site, sensor, quantity, round((base_s + record.get("t", 0.0)) * 1000), value))


def _lines_ours() -> None:
    for _ in range(REPEATS):
        lines(READINGS)


def _lines_by_points() -> None:
    for _ in range(REPEATS // 10):  # a tenth, and ten times each, so that a round stays short
        for r in READINGS * 10:
            Point(r.quantity).tag("sensor", r.sensor).tag("site", r.site).field("value", r.value).time(
                r.at_ms, WritePrecision.MS
            ).to_line_protocol()
