"""Ten minutes in which every few seconds a part is killed, a plug is pulled or the network fails, and nothing may be lost.

What was accepted is known from the spools themselves (tests/chaos/audit.py) and, for the feeders, from their own notes. The same
seed plans the same faults; HOFLICHT_CHAOS_SEED and HOFLICHT_CHAOS_S choose seed and length.
"""

import heapq
import math
import os
import random
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from hoflicht.reading import Reading
from tests.chaos import report
from tests.chaos.audit import Audit
from tests.chaos.dump import compare, dump, key
from tests.chaos.feeder import Feeder
from tests.chaos.lines import PORTS, Lines
from tests.chaos.plan import EVERY_S, Fault, Kind, plan
from tests.chaos.town import BUCKET, GATEWAYS, Town
from tests.chaos.toxiproxy import DISTANCE, Link, Toxiproxy

SEED = int(os.environ.get("HOFLICHT_CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
DURATION_S = float(os.environ.get("HOFLICHT_CHAOS_S", "600"))
LOOK_S = 0.5
FAR = {"latency": 500, "jitter": 400}  # ms each way: a mobile cell that is overcrowded
SETTLE_S = 180.0  # for the spools to become empty when all is well again: a hold of the uplink lasts up to a minute
LONGEST_RECOVERY_S = 90.0  # two pauses of a session at most (hoflicht.place.GATEWAY), a hold, and other faults between

pytestmark = [pytest.mark.chaos, pytest.mark.live]


class Remedy(NamedTuple):
    """How a fault is made, and how it is ended."""

    begin: Callable[[], None]
    end: Callable[[], None]


class Recovery(NamedTuple):
    """How long after the end of a fault all that a gateway had accepted by then was in the database."""

    took_s: float
    gateway: str
    fault: Fault


class Watch:
    """What the database has of each gateway's feeder, looked at all the time."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._seen: list[tuple[float, dict[str, int]]] = []  # when, and the newest number by site
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def seen_at(self, site: str, number: int, from_s: float) -> float | None:
        """When from `from_s` on this number or a later one was in the database."""
        return next((at_s for at_s, newest in self._seen if at_s >= from_s and newest.get(site, -1) >= number), None)

    def _run(self) -> None:
        while not self._ending.wait(LOOK_S):
            try:
                self._seen.append((time.monotonic(), self._newest()))
            except (urllib.error.URLError, OSError, KeyError):  # killed
                continue

    def _newest(self) -> dict[str, int]:
        newest: dict[str, int] = {}
        for site, sensor in GATEWAYS.values():
            where = f"site = '{site}' and sensor = '{sensor}'"
            rows = self._town.database.select(BUCKET, f"select last(value) from energy_import where {where}")
            if rows:
                newest[site] = int(float(str(rows[0][1])))
        return newest


def test_nothing_that_was_accepted_is_lost_or_doubled_whatever_fails(tmp_path: Path) -> None:
    print(f"\nseed {SEED}, {DURATION_S:.0f} s")
    start_ms = time.time_ns() // 1_000_000 - 86_400_000  # yesterday: no number is a time of today's devices
    with ExitStack() as stack:
        network = stack.enter_context(Toxiproxy(tmp_path))
        lines = stack.enter_context(Lines(tmp_path, random.Random(SEED)))
        town = Town(tmp_path, PORTS, network)
        audits = [Audit(town.spool(name)) for name in GATEWAYS]
        stack.enter_context(town)
        feeders = {name: Feeder(town.spool(name), *where, start_ms) for name, where in GATEWAYS.items()}
        watch = stack.enter_context(Watch(town))
        for feeder in feeders.values():
            feeder.start()
            stack.callback(feeder.kill)
        remedies = remedies_for(town, feeders, lines)
        faults = plan(SEED, DURATION_S, {kind: list(by_target) for kind, by_target in remedies.items()})

        ended = live_through(faults, remedies, lambda: still_running(town, feeders))
        lines.fall_silent()
        time.sleep(3)  # what the ports have read by now is on disk
        for feeder in feeders.values():
            feeder.kill()
        network.keep_up()
        left = town.drain(SETTLE_S)
        time.sleep(2 * LOOK_S)

        accepted = [reading for audit in audits for reading in audit.accepted()]
        given_up = sum(audit.lost() for audit in audits)
        verdict = compare(accepted, dump(town.database))
        recoveries = recoveries_from(ended, feeders, watch)
        tracebacks = [log.name for log in tmp_path.glob("*.log") if "Traceback" in log.read_text()]

    longest = recoveries[-1]
    report.add(
        "chaos",
        seed=SEED,
        duration_s=round(DURATION_S),
        readings=len(accepted),
        faults=len(ended),
        by_kind=dict(Counter(str(fault.kind) for _, fault in ended)) | {"network crashed": network.crashes},
        lost=len(verdict.lost),
        doubled=len(verdict.doubled),
        extra=len(verdict.extra),
        wrong=len(verdict.wrong),
        median_recovery_s=round(recoveries[len(recoveries) // 2].took_s, 1),
        longest_recovery_s=round(longest.took_s, 1),
        longest_after=f"{longest.fault.kind}, {longest.fault.target}",
    )
    assert (left, given_up, tracebacks) == (0, 0, [])
    assert [list(part[:5]) for part in verdict] == [[], [], [], []]
    assert unexplained(feeders, accepted) == []
    assert len(ended) >= 0.8 * DURATION_S / EVERY_S
    assert longest.took_s <= LONGEST_RECOVERY_S


def remedies_for(town: Town, feeders: dict[str, Feeder], lines: Lines) -> dict[Kind, dict[str, Remedy]]:
    """What can go wrong with what."""

    def on_links(begin: Callable[[Link], None]) -> dict[str, Remedy]:
        return {name: Remedy(lambda link=link: begin(link), link.heal) for name, link in town.links.items()}  # type: ignore[misc]

    rng = random.Random(SEED)
    streams = (("upstream",), ("downstream",), ("upstream", "downstream"))
    return {
        Kind.KILL_EDGE: {name: Remedy(edge.kill, edge.start) for name, edge in town.edges.items()},
        Kind.KILL_INGEST: {name: Remedy(worker.kill, worker.start) for name, worker in town.workers.items()},
        Kind.KILL_BROKER: {"broker": Remedy(town.broker.kill, town.broker.start)},
        Kind.KILL_DATABASE: {"database": Remedy(town.database.kill, town.database.start)},
        Kind.KILL_FEEDER: {f"feeder-{name}": Remedy(feeder.kill, feeder.start) for name, feeder in feeders.items()},
        Kind.UNPLUG: {name: Remedy(lambda n=name: lines.unplug(n), lambda n=name: lines.plug_in(n)) for name in lines.names},  # type: ignore[misc]
        Kind.CUT: on_links(Link.cut),
        Kind.SLOW: {
            name: Remedy(lambda link=link: link.stretch(FAR), lambda link=link: link.stretch(DISTANCE))  # type: ignore[misc]
            for name, link in town.links.items()
        },
        Kind.NARROW: on_links(lambda link: link.spoil("bandwidth", {"rate": 8})),  # kB/s: GPRS on a good day
        Kind.RESET: on_links(lambda link: link.spoil("reset_peer", {"timeout": 0})),
        Kind.DEAF: on_links(lambda link: link.spoil("timeout", {"timeout": 0}, rng.choice(streams))),
    }


def live_through(
    faults: list[Fault], remedies: dict[Kind, dict[str, Remedy]], check: Callable[[], None]
) -> list[tuple[float, Fault]]:
    """Begin and end each fault at its time; when each of them had ended, by the monotonic clock."""
    steps = [(fault.at_s, False, fault) for fault in faults] + [(fault.ends_s, True, fault) for fault in faults]
    heapq.heapify(steps)
    started_s = time.monotonic()
    ended: list[tuple[float, Fault]] = []
    while steps:
        due_s, is_end, fault = heapq.heappop(steps)
        time.sleep(max(0.0, started_s + due_s - time.monotonic()))
        check()
        remedy = remedies[fault.kind][fault.target]
        if is_end:
            remedy.end()
            ended.append((time.monotonic(), fault))
        else:
            remedy.begin()
    return ended


def still_running(town: Town, feeders: dict[str, Feeder]) -> None:
    """What is not killed runs."""
    assert [name for name, part in (town.edges | town.workers).items() if part.has_ended()] == []
    assert [name for name, feeder in feeders.items() if feeder.has_ended()] == []


def recoveries_from(ended: list[tuple[float, Fault]], feeders: dict[str, Feeder], watch: Watch) -> list[Recovery]:
    """For each fault and each gateway it touched, the shortest first. Other faults go on or begin meanwhile; they count."""
    found: list[Recovery] = []
    notes = {name: feeder.accepted() for name, feeder in feeders.items()}
    for end_s, fault in ended:
        touched = [name for name in GATEWAYS if name in fault.target] or list(GATEWAYS)
        for name in touched:
            before = [note.until for note in notes[name] if note.at_s <= end_s]
            if before and fault.kind is not Kind.UNPLUG:  # which readings that took, nobody can say
                newest = max(n for n in range(before[-1]) if n % 3 != 2)  # the watch sees meter readings
                at_s = watch.seen_at(feeders[name].site, newest, end_s)
                found.append(Recovery(math.inf if at_s is None else at_s - end_s, name, fault))
    return sorted(found)


def unexplained(feeders: dict[str, Feeder], accepted: list[Reading]) -> list[str]:
    """Where the audit and the feeders' notes differ by anything but whole appends that a kill cut off."""
    complaints: list[str] = []
    for name, feeder in feeders.items():
        audited = {key(r): r for r in accepted if (r.site, r.sensor) == (feeder.site, feeder.sensor) and is_fed(r)}
        noted = {key(reading): reading for reading in feeder.readings().values()}
        cut_off = {key(reading): reading for group in feeder.under_way() for reading in group}
        if missed := [reading for point, reading in noted.items() if audited.get(point) != reading]:
            complaints.append(f"{name}: {len(missed)} accepted readings were never in the spool, {missed[0]}")
        if strange := [reading for point, reading in audited.items() if (noted | cut_off).get(point) != reading]:
            complaints.append(f"{name}: {len(strange)} readings that no append explains, {strange[0]}")
        halves = [group for group in feeder.under_way() if 0 < sum(key(reading) in audited for reading in group) < len(group)]
        if halves:
            complaints.append(f"{name}: {len(halves)} appends were kept in part")
    return complaints


def is_fed(reading: Reading) -> bool:
    """Whether a feeder said it, and no device of today."""
    return reading.at_ms < time.time_ns() // 1_000_000 - 43_200_000
