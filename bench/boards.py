"""How long the questions of boards and alarms take in a large city: `python -m bench.boards`, some minutes, the real InfluxDB.

A thousand lamps on twenty cabinets, a hundred gateways, four yards, ten sensors of air. Written is what is looked at when a board
is opened: raw readings at the rates of `edge.news`, of the last three days, of energy and faults eight, of waits 28; of the hourly
values a year of cabinets and air, and five weeks of the lamps: 17 million points. With `--full` it is all that lies there after a
year: raw readings of 90 days, and a year of each hour that a board asks for. These are 281 million, and take an hour or so.
"""

import argparse
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from dashboards.alarms import alarms
from dashboards.boards import boards
from hoflicht.catalogue import Cabinet, City, Gateway, Group, Lamp
from hoflicht.faults import FAULTS
from store.hourly import hourly_bucket
from tests.asked import filled_in, sent
from tests.conftest import ORG, Influxd

LAMPS, STREETS, CABINETS, GATEWAYS, GROUPS, AIRS = 1_000, 40, 20, 100, 10, 10
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
QUICK_MS = 200  # what a person does not wait for
TURNS = 3  # the best counts: the first one reads from the disk
GROUP = 50_000  # lines of one write
OFFSETS = 10  # not all lamps speak in the same second
SLOWEST = 10
RAW_DAYS, WEEKS = 90, 53
BUCKET = "city"
CHOSEN = {
    "site": "hof-1",
    "gateway": "gw-001",
    "lamp": "lamp-0001",
    "air": "lamp-0001",
    "traffic": "lamp-0001",
    "noise": "lamp-0001",
    "weather": "lamp-0001",
}
YARDS = tuple(f"hof-{n}" for n in range(1, 5))
ESTIMATES = ("wait_p10", "wait_p50", "wait_p90", "wait_mean", "wait_shown", "queue_length", "wait_state", "wait_trust")
OF_GATEWAY = ("uptime", "spool_rows", "spool_hours_left", "receipt_latency", "clock_synchronised", "dropped", "quarantined")
# From the rules of edge.news: the level every five minutes at least, energy each 10 Wh (90 times a day), the rest by the hour.
OFTEN = {"level_actual": 5 * MINUTE_S}
HOURLY = (  # raw readings
    "level_target",
    "level_feedback",
    "light_reason",
    "active_power",
    "voltage",
    "temperature",
    "operating_hours",
    "life_left",
)
# Of which the boards ask for hourly values.
IN_HOURS = (
    "energy_import",
    "operating_hours",
    "level_target",
    "level_feedback",
    "level_actual",
    "lamp_failure",
    "lamp_unexpected_on",
)


class Answer(NamedTuple):
    """One question, how long it took, and how much came back."""

    name: str
    ms: float
    values: int


class Block(NamedTuple):
    """Lines of one series, and how many."""

    lines: str
    size: int


def rows(is_full: bool = False) -> Iterator[object]:
    """Fill, ask, and tell the slowest."""
    city = _city()
    with tempfile.TemporaryDirectory() as folder:
        influxd = Influxd(Path(folder))
        influxd.start()
        try:
            influxd.set_up()
            began = time.monotonic()
            points = _fill(influxd, city, is_full)
            yield f"{points / 1e6:.1f} million points written in {time.monotonic() - began:.0f} s\n"
            for what, answers in (("boards", _ask(influxd, city)), ("alarms", _ask_for_alarms(influxd, city))):
                yield from _told(what, sorted(answers, key=lambda answer: -answer.ms))
        finally:
            influxd.stop()


def _told(what: str, answers: Sequence[Answer]) -> Iterator[str]:
    yield f"| the slowest of {len(answers)} questions of the {what} | ms (best of {TURNS}) | values | |\n|---|---|---|---|"
    for answer in answers[:SLOWEST]:
        yield f"| {answer.name} | {answer.ms:.0f} | {answer.values} | {'' if answer.ms < QUICK_MS else 'slow'} |"
    slow = sum(answer.ms >= QUICK_MS for answer in answers)
    yield f"\n{slow} take {QUICK_MS} ms or more; all together {sum(answer.ms for answer in answers) / 1000:.1f} s\n"


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


def _fill(influxd: Influxd, city: City, is_full: bool) -> int:
    now_s = int(time.time())
    written = 0
    for bucket, blocks in {BUCKET: _raw(city, now_s, is_full), hourly_bucket(BUCKET): _hours(city, now_s, is_full)}.items():
        influxd.bucket(bucket, retention_s=0)
        waiting, count = list[str](), 0
        for block in blocks:
            waiting.append(block.lines)
            count += block.size
            if count >= GROUP:
                _write(influxd, bucket, waiting)
                written, waiting, count = written + count, [], 0
        _write(influxd, bucket, waiting)
        written += count
    return written


def _raw(city: City, now_s: int, is_full: bool) -> Iterator[Block]:
    """Day by day, the oldest first, as InfluxDB likes it."""
    for ago in reversed(range(RAW_DAYS if is_full else 28)):
        begin_s = now_s - (ago + 1) * DAY_S
        yield from _yards(begin_s)
        if is_full or ago < 8:
            yield from _energy(city, begin_s)
            yield from _faults(city, begin_s)
            yield from _environment(begin_s)
        if is_full or ago < 3:
            yield from _lamps(city, begin_s)
            yield from _platform(city, begin_s)


def _yards(begin_s: int) -> Iterator[Block]:
    for yard in YARDS:
        for quantity in ESTIMATES:
            yield _series(quantity, yard, "estimate", begin_s, MINUTE_S)
        yield _series("passage", yard, "gate-in", begin_s, 5 * MINUTE_S)


def _energy(city: City, begin_s: int) -> Iterator[Block]:
    for lamp in city.lamps:
        yield _series("energy_import", lamp, "driver", begin_s, DAY_S // 90)
    for cabinet in city.cabinets:
        yield _series("energy_import", cabinet, "meter", begin_s, MINUTE_S)


def _faults(city: City, begin_s: int) -> Iterator[Block]:
    for quantity in FAULTS:
        for lamp in city.lamps:
            yield _series(quantity, lamp, "driver", begin_s, HOUR_S, 0)


def _environment(begin_s: int) -> Iterator[Block]:
    for n in range(1, AIRS + 1):
        for quantity in ("pm10", "pm2_5", "humidity"):
            yield _series(quantity, f"lamp-{n:04}", "air", begin_s, MINUTE_S)
        yield _series("sound_level", f"lamp-{n:04}", "noise", begin_s, MINUTE_S, 0.1)
        yield _series("speed", f"lamp-{n:04}", "traffic", begin_s, MINUTE_S)


def _platform(city: City, begin_s: int) -> Iterator[Block]:
    for gateway in city.gateways:
        for quantity in OF_GATEWAY:
            yield _series(quantity, gateway, "gateway", begin_s, MINUTE_S)
        for quantity in ("port_errors", "frames_lost", "noise_bytes"):
            yield _series(quantity, gateway, "dali-1", begin_s, MINUTE_S)
    for quantity in ("stored", "stored_late", "store_errors", "quarantine_packs", "write_latency"):
        yield _series(quantity, "ingest", "worker", begin_s, MINUTE_S)


def _lamps(city: City, begin_s: int) -> Iterator[Block]:
    for lamp in city.lamps:
        for quantity, every_s in OFTEN.items():
            yield _series(quantity, lamp, "driver", begin_s, every_s)
        for quantity in HOURLY:
            yield _series(quantity, lamp, "driver", begin_s, HOUR_S)


def _hours(city: City, now_s: int, is_full: bool) -> Iterator[Block]:
    """Week by week."""
    for ago in reversed(range(WEEKS)):
        begin_s = (now_s - (ago + 1) * 7 * DAY_S) // HOUR_S * HOUR_S
        for n in range(1, AIRS + 1):
            for quantity in ("pm10", "pm2_5"):
                yield _week(quantity, f"lamp-{n:04}", "air", begin_s)
        for cabinet in city.cabinets:
            yield _week("energy_import", cabinet, "meter", begin_s)
        for quantity in IN_HOURS if is_full or ago < 5 else ():
            for lamp in city.lamps:
                yield _week(quantity, lamp, "driver", begin_s)


def _series(quantity: str, site: str, sensor: str, begin_s: int, every_s: int, times: float = 1.0) -> Block:
    """A day of it."""
    offset_s = sum(site.encode()) % OFFSETS * every_s // OFFSETS
    return _block(f"{quantity},site={site},sensor={sensor} value=", _day(begin_s + offset_s, every_s, times))


def _week(quantity: str, site: str, sensor: str, begin_s: int) -> Block:
    """Hourly values of a week."""
    return _block(f"{quantity},site={site},sensor={sensor} value=", _week_of_hours(begin_s))


def _block(start: str, ends: Sequence[str]) -> Block:
    return Block("\n".join(start + end for end in ends), len(ends))


# What follows the "=" is the same for thousands of series: made once, it is a tenth of the work.


@lru_cache(maxsize=100)
def _day(begin_s: int, every_s: int, times: float) -> list[str]:
    return [f"{at_s % 977 * times} {at_s}" for at_s in range(begin_s, begin_s + DAY_S, every_s)]


@lru_cache(maxsize=1)
def _week_of_hours(begin_s: int) -> list[str]:
    values = ((at_s, at_s / HOUR_S % 10_000) for at_s in range(begin_s, begin_s + 7 * DAY_S, HOUR_S))
    return [f"{value},min={value},max={value},count=60 {at_s}" for at_s, value in values]


def _write(influxd: Influxd, bucket: str, lines: list[str]) -> None:
    url = f"{influxd.url}/api/v2/write?org={ORG}&bucket={bucket}&precision=s"
    request = urllib.request.Request(url, "\n".join(lines).encode(), {"Authorization": f"Token {influxd.token}"})
    urllib.request.urlopen(request, timeout=300).close()


def _ask(influxd: Influxd, city: City) -> Iterator[Answer]:
    for board in boards(city=city, bucket=BUCKET):
        for panel in board["panels"]:
            for target in panel["targets"]:
                if "query" in target:
                    query = sent(board, panel, target, BUCKET, CHOSEN)
                    yield _timed(influxd, f"{board['title']}: {panel['title']} {target['refId']}", query)


def _ask_for_alarms(influxd: Influxd, city: City) -> Iterator[Answer]:
    for rule in alarms(city):
        for query in filter(None, (rule.ask, rule.against)):
            yield _timed(influxd, rule.title.en, filled_in(query, BUCKET, CHOSEN, rule.range_s))


def _timed(influxd: Influxd, name: str, query: str) -> Answer:
    times, found = [], []
    for _ in range(TURNS):
        began = time.monotonic()
        found = influxd.select(BUCKET, query)
        times.append(1000 * (time.monotonic() - began))
    return Answer(name, min(times), len(found))


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all that lies there after a year")
    for line in rows(parser.parse_args().full):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
