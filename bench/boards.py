"""How long the boards' questions take in a large city: `python -m bench.boards`, some four minutes, the real InfluxDB.

A thousand lamps on twenty cabinets, a hundred gateways, four yards, ten sensors of air. Written is what the boards look at when
they are opened: raw readings at the rates of `edge.news`, of the last three days, of energy eight, of waits 28; of the hourly
values a year of cabinets and air, and five weeks of the lamps. All of 90 days would be 85 million points, and a year of all hours
60 million more: InfluxDB keeps them by days and weeks, and does not touch what lies outside the span of a question.
"""

import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from dashboards.boards import boards
from hoflicht.catalogue import Cabinet, City, Gateway, Group, Lamp
from hoflicht.faults import FAULTS
from store.hourly import hourly_bucket
from tests.asked import sent
from tests.conftest import ORG, Influxd

LAMPS, STREETS, CABINETS, GATEWAYS, GROUPS, AIRS = 1_000, 40, 20, 100, 10, 10
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
QUICK_MS = 200  # what a person does not wait for
TURNS = 3  # the best counts: the first one reads from the disk
GROUP = 20_000  # lines of one write
SLOWEST = 10
BUCKET = "city"
CHOSEN = {
    "site": "hof-1",
    "gateway": "gw-001",
    "lamp": "lamp-0001",
    "air": "lamp-0001",
    "traffic": "lamp-0001",
    "weather": "lamp-0001",
}
YARDS = tuple(f"hof-{n}" for n in range(1, 5))
ESTIMATES = ("wait_p10", "wait_p50", "wait_p90", "wait_mean", "wait_shown", "queue_length", "wait_state", "wait_trust")
OF_GATEWAY = ("uptime", "spool_rows", "spool_hours_left", "receipt_latency", "clock_synchronised", "dropped", "quarantined")
# From the rules of edge.news: the level every five minutes at least, energy each 10 Wh (90 times a day), the rest by the hour.
OFTEN = {"level_actual": 5 * MINUTE_S}
HOURLY = (
    "level_target",
    "level_feedback",
    "light_reason",
    "active_power",
    "voltage",
    "temperature",
    "operating_hours",
    "life_left",
)


class Answer(NamedTuple):
    """One question, how long it took, and how much came back."""

    name: str
    ms: float
    values: int


def rows() -> Iterator[object]:
    """Fill, ask, and tell the slowest."""
    city = _city()
    with tempfile.TemporaryDirectory() as folder:
        influxd = Influxd(Path(folder))
        influxd.start()
        try:
            influxd.set_up()
            began = time.monotonic()
            points = _fill(influxd, city)
            yield f"{points / 1e6:.1f} million points written in {time.monotonic() - began:.0f} s\n"
            answers = sorted(_ask(influxd, city), key=lambda answer: -answer.ms)
        finally:
            influxd.stop()
    yield f"| the slowest of {len(answers)} questions | ms (best of {TURNS}) | values | |\n|---|---|---|---|"
    for answer in answers[:SLOWEST]:
        yield f"| {answer.name} | {answer.ms:.0f} | {answer.values} | {'' if answer.ms < QUICK_MS else 'slow'} |"
    yield f"\n{sum(answer.ms >= QUICK_MS for answer in answers)} take {QUICK_MS} ms or more"


def _city() -> City:
    lamps = {
        f"lamp-{n:04}": Lamp(
            street=f"Straße {n % STREETS}",
            lat=51.4 + n / 1e4,
            lon=6.7,
            group=f"group-{n % GROUPS}",
            cabinet=f"cabinet-{n % CABINETS:02}",
        )
        for n in range(1, LAMPS + 1)
    }
    cabinets = {f"cabinet-{n:02}": Cabinet(street=f"Straße {n}", lat=51.4, lon=6.7) for n in range(CABINETS)}
    groups = {f"group-{n}": Group(name=f"Group {n}") for n in range(GROUPS)}
    gateways = {f"gw-{n:03}": Gateway(sites=(f"lamp-{n:03}*",)) for n in range(GATEWAYS)}
    return City(name="Large", lamps=lamps, cabinets=cabinets, groups=groups, gateways=gateways)


def _fill(influxd: Influxd, city: City) -> int:
    now_s = int(time.time())
    written = 0
    for bucket, lines in {BUCKET: _raw(city, now_s), hourly_bucket(BUCKET): _hours(city, now_s)}.items():
        influxd.bucket(bucket, retention_s=0)
        while body := list(islice(lines, GROUP)):
            _write(influxd, bucket, body)
            written += len(body)
    return written


def _raw(city: City, now_s: int) -> Iterator[str]:
    """Day by day, the oldest first, as InfluxDB likes it."""
    for ago in reversed(range(28)):
        begin_s = now_s - (ago + 1) * DAY_S
        yield from _yards(begin_s)
        if ago < 8:
            yield from _energy(city, begin_s)
        if ago < 7:
            yield from _environment(begin_s)
        if ago < 3:
            yield from _lamps(city, begin_s)
            yield from _platform(city, begin_s)


def _yards(begin_s: int) -> Iterator[str]:
    for yard in YARDS:
        for quantity in ESTIMATES:
            yield from _series(quantity, yard, "estimate", begin_s, MINUTE_S)
        yield from _series("passage", yard, "gate-in", begin_s, 5 * MINUTE_S)


def _energy(city: City, begin_s: int) -> Iterator[str]:
    for lamp in city.lamps:
        yield from _series("energy_import", lamp, "driver", begin_s, DAY_S // 90)
    for cabinet in city.cabinets:
        yield from _series("energy_import", cabinet, "meter", begin_s, MINUTE_S)


def _environment(begin_s: int) -> Iterator[str]:
    for n in range(1, AIRS + 1):
        for quantity in ("pm10", "pm2_5", "humidity"):
            yield from _series(quantity, f"lamp-{n:04}", "air", begin_s, MINUTE_S)
        yield from _series("speed", f"lamp-{n:04}", "traffic", begin_s, MINUTE_S)


def _platform(city: City, begin_s: int) -> Iterator[str]:
    for gateway in city.gateways:
        for quantity in OF_GATEWAY:
            yield from _series(quantity, gateway, "gateway", begin_s, MINUTE_S)
        for quantity in ("port_errors", "frames_lost", "noise_bytes"):
            yield from _series(quantity, gateway, "dali-1", begin_s, MINUTE_S)
    for quantity in ("stored", "stored_late", "store_errors", "quarantine_packs", "write_latency"):
        yield from _series(quantity, "ingest", "worker", begin_s, MINUTE_S)


def _lamps(city: City, begin_s: int) -> Iterator[str]:
    for lamp in city.lamps:
        for quantity, every_s in OFTEN.items():
            yield from _series(quantity, lamp, "driver", begin_s, every_s)
        for quantity in (*HOURLY, *FAULTS):
            yield from _series(quantity, lamp, "driver", begin_s, HOUR_S, 0.0 if quantity in FAULTS else 1.0)


def _hours(city: City, now_s: int) -> Iterator[str]:
    """Week by week."""
    for ago in reversed(range(53)):
        begin_s = (now_s - (ago + 1) * 7 * DAY_S) // HOUR_S * HOUR_S
        for at_s in range(begin_s, begin_s + 7 * DAY_S, HOUR_S):
            for n in range(AIRS):
                for quantity in ("pm10", "pm2_5"):
                    yield _hour(quantity, f"lamp-{n + 1:04}", "air", at_s)
            for cabinet in city.cabinets:
                yield _hour("energy_import", cabinet, "meter", at_s)
            for lamp in city.lamps if ago < 5 else ():
                yield _hour("energy_import", lamp, "driver", at_s)
                yield _hour("operating_hours", lamp, "driver", at_s)
                yield _hour("level_actual", lamp, "driver", at_s)


def _series(quantity: str, site: str, sensor: str, begin_s: int, every_s: int, times: float = 1.0) -> Iterator[str]:
    start = f"{quantity},site={site},sensor={sensor} value="
    offset_s = sum(site.encode()) % every_s  # not all lamps speak in the same second
    return (f"{start}{at_s % 977 * times} {at_s}" for at_s in range(begin_s + offset_s, begin_s + DAY_S, every_s))


def _hour(quantity: str, site: str, sensor: str, at_s: int) -> str:
    value = at_s / HOUR_S % 10_000
    return f"{quantity},site={site},sensor={sensor} value={value},min={value},max={value},count=60 {at_s}"


def _write(influxd: Influxd, bucket: str, lines: list[str]) -> None:
    url = f"{influxd.url}/api/v2/write?org={ORG}&bucket={bucket}&precision=s"
    request = urllib.request.Request(url, "\n".join(lines).encode(), {"Authorization": f"Token {influxd.token}"})
    urllib.request.urlopen(request, timeout=60).close()


def _ask(influxd: Influxd, city: City) -> Iterator[Answer]:
    for board in boards(city=city, bucket=BUCKET):
        for panel in board["panels"]:
            for target in panel["targets"]:
                if "query" in target:
                    query = sent(board, panel, target, BUCKET, CHOSEN)
                    yield _timed(influxd, f"{board['title']}: {panel['title']} {target['refId']}", query)


def _timed(influxd: Influxd, name: str, query: str) -> Answer:
    times, found = [], []
    for _ in range(TURNS):
        began = time.monotonic()
        found = influxd.select(BUCKET, query)
        times.append(1000 * (time.monotonic() - began))
    return Answer(name, min(times), len(found))


def main() -> int:
    """Print the table."""
    for line in rows():
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
