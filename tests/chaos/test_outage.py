"""The database is away for a day, and comes back: nothing is lost, what happens now goes before what happened then, and quickly.

A day's readings of three gateways, a million, are appended as fast as the disk takes them: it is their number that matters, not
the hours. While they drain, phases in which live readings are appended follow phases in which none are, on one machine in one run,
so that a slow machine slows both alike.
"""

import itertools
import statistics
import threading
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.spool import Spool
from hoflicht.clock import SystemClock
from hoflicht.reading import Reading
from ingest.desk import LONGEST_DELAY_S
from tests.chaos import report
from tests.chaos.dump import compare, dump
from tests.chaos.town import BUCKET, GATEWAYS, Town, ask, most_memory_mb
from tests.roles import eventually

BACKLOG = 334_000  # readings of one gateway
APART_MS = 86_400_000 // BACKLOG
SLICE = 2_000  # readings in one append
QUANTITIES = ("temperature", "humidity", "pm2_5", "pm10", "illuminance", "active_power")
LIVE = "energy_export"
LIVE_EVERY_S = 0.25
LIVE_READINGS = 5  # in one append: twenty a second, some hundred times what a gateway with six ports says
PHASE_S = 2.0  # with or without live readings
REST_S = 0.7  # between two phases: what the first has left is gone
LOOK_S = 0.1
LIMIT_BYTES = 200_000_000

# MB of resident memory at most; docs/operations.md says them. An agent holds a window of batches and a page cache beside the
# interpreter and its libraries; ingest fifty batches, as they came, as readings and as lines; the broker what is under way.
MOST_EDGE_MB = 80
MOST_INGEST_MB = 150
MOST_BROKER_MB = 30

pytestmark = [pytest.mark.chaos, pytest.mark.live]


def old(site: str, sensor: str, start_ms: int, n: int) -> Reading:
    """The n-th reading of the day."""
    return Reading(site, sensor, QUANTITIES[n % len(QUANTITIES)], start_ms + APART_MS * n, float(n * 7_919 % 1_000) / 10)


class Now:
    """Appends live readings to all spools while `is_on`, and notes when each append had returned and when it could be asked for."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.is_on = threading.Event()
        self.appended: dict[str, list[tuple[Reading, float]]] = {site: [] for site, _ in GATEWAYS.values()}
        self.seen_s: dict[tuple[str, int], float] = {}
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._append, args=(name, *where)) for name, where in GATEWAYS.items()]
        self._threads.append(threading.Thread(target=self._look))

    def __enter__(self) -> "Now":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def readings(self) -> list[Reading]:
        return [reading for some in self.appended.values() for reading, _ in some]

    def latencies_s(self) -> list[float]:
        """From an append's return to being there for a query, the shortest first."""
        lates = [
            self.seen_s.get((site, int(reading.value)), float("inf")) - at_s
            for site, some in self.appended.items()
            for reading, at_s in some
        ]
        return sorted(lates)

    def _append(self, gateway: str, site: str, sensor: str) -> None:
        numbers = itertools.count()
        with Spool(self._town.spool(gateway), LIMIT_BYTES, SystemClock()) as spool:
            while not self._ending.wait(LIVE_EVERY_S):
                if self.is_on.is_set():
                    now_ms = time.time_ns() // 1_000_000
                    readings = [Reading(site, sensor, LIVE, now_ms + n, float(next(numbers))) for n in range(LIVE_READINGS)]
                    spool.append(readings)
                    self.appended[site] += [(reading, time.monotonic()) for reading in readings]

    def _look(self) -> None:
        while not self._ending.wait(LOOK_S):
            for site, sensor in GATEWAYS.values():
                where = f"site = '{site}' and sensor = '{sensor}' and time > now() - 20s"
                try:
                    rows = self._town.database.select(BUCKET, f"select value from {LIVE} where {where}")
                except (urllib.error.URLError, OSError):
                    continue
                now_s = time.monotonic()
                for row in rows:
                    self.seen_s.setdefault((site, int(float(str(row[1])))), now_s)


def drained(town: Town) -> list[int]:
    """How much of each backlog has gone: the oldest goes first."""
    return [ask(town.spool(name), "SELECT min(id) FROM readings") - 1 for name in GATEWAYS]


def phases(town: Town, live: Now) -> Iterator[tuple[bool, float]]:
    """Readings of the backlog that go in a second, with and without live ones, in turn until it is nearly gone."""
    with_live = False
    while True:
        (live.is_on.set if with_live else live.is_on.clear)()
        time.sleep(REST_S)
        before, started_s = sum(drained(town)), time.monotonic()
        time.sleep(PHASE_S)
        after, ended_s = sum(drained(town)), time.monotonic()
        if min(ask(town.spool(name), "SELECT min(id) FROM readings") or BACKLOG for name in GATEWAYS) > 0.9 * BACKLOG:
            return
        yield with_live, (after - before) / (ended_s - started_s)
        with_live = not with_live


def test_a_day_without_the_database_is_made_up_for_and_now_goes_first(tmp_path: Path) -> None:
    start_ms = time.time_ns() // 1_000_000 - 2 * 86_400_000
    with Town(tmp_path, {}, None) as town:
        town.database.kill()
        for name, where in GATEWAYS.items():
            with Spool(town.spool(name), LIMIT_BYTES, SystemClock()) as spool:
                for n in range(0, BACKLOG, SLICE):
                    spool.append([old(*where, start_ms, k) for k in range(n, min(n + SLICE, BACKLOG))])
        assert town.waiting() >= len(GATEWAYS) * BACKLOG
        # Each asks again at a moment of its own, and the first would be done before the last begins: let them begin together.
        for edge in town.edges.values():
            edge.kill()
        town.database.start()
        time.sleep(LONGEST_DELAY_S + 2.0)  # until ingest has tried again
        for edge in town.edges.values():
            edge.start()
        started_s = time.monotonic()
        eventually(lambda: min(drained(town)) > SLICE, timeout_s=60)

        with Now(town) as live:
            rates = list(phases(town, live))
            live.is_on.clear()
            left = town.drain(120)
            drained_s = time.monotonic() - started_s
            time.sleep(1.0)
        memory = {
            "edge": max(most_memory_mb(edge.pid) for edge in town.edges.values()),
            "ingest": max(most_memory_mb(worker.pid) for worker in town.workers.values()),
            "broker": most_memory_mb(town.broker.pid),
        }
        wanted = [old(*where, start_ms, n) for where in GATEWAYS.values() for n in range(BACKLOG)] + live.readings()
        verdict = compare(wanted, (reading for reading in dump(town.database) if reading.site not in GATEWAYS))

    latencies = live.latencies_s()
    idle, busy = (statistics.median(rate for is_busy, rate in rates if is_busy is kind) for kind in (False, True))
    p99_s = latencies[len(latencies) * 99 // 100]
    report.add(
        "outage",
        readings=len(wanted),
        lost=len(verdict.lost),
        doubled=len(verdict.doubled),
        extra=len(verdict.extra),
        wrong=len(verdict.wrong),
        live_readings=len(latencies),
        live_median_s=round(statistics.median(latencies), 2),
        live_p99_s=round(p99_s, 2),
        drained_in_s=round(drained_s),
        per_second_alone=round(idle),
        per_second_with_live=round(busy),
        share_of_idle=round(busy / idle, 2),
        memory_mb=memory,
    )
    assert left == 0
    assert [list(part[:5]) for part in verdict] == [[], [], [], []]
    assert p99_s < 2.0
    assert busy >= 0.8 * idle
    assert memory["edge"] <= MOST_EDGE_MB
    assert memory["ingest"] <= MOST_INGEST_MB
    assert memory["broker"] <= MOST_BROKER_MB
