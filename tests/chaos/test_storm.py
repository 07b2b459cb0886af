"""Two thousand gateways come back after the broker was restarted: evenly, and all are served again."""

import itertools
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hoflicht import Reading, batch
from hoflicht.broker import Message
from hoflicht.clock import SystemClock
from hoflicht.place import GATEWAY, pause_s
from simulators.crowd import Crowd, Make
from tests.chaos import report
from tests.chaos.town import Broker, Part
from tests.roles import broker_table

GATEWAYS = 2_000
OUTAGES_S = (0.5, 20.0)  # a restart, and one after which each gateway has tried several times
SERVED_AFTER_S = 120.0
PEAK = 3.0  # times the mean
MOST_PER_S = 400  # a connection with certificates costs Mosquitto's one core some 2 ms
LOOK_S = 0.1
FILES = 3 * GATEWAYS  # open at once: a socket of each here, and one in the broker
ONCE_MS = 86_400_000  # between two batches: each gateway sends one when it is connected, and no other during the test

pytestmark = [pytest.mark.chaos, pytest.mark.live]


@pytest.fixture
def many_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], FILES), max(before[1], FILES)))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def write_ingest(folder: Path, broker: Broker) -> Path:
    """Ingest with a catalogue of that many gateways."""
    (folder / "city.toml").write_text(
        'name = "Many"\n[lamps]\nlamp-1 = { street = "A", lat = 51.4, lon = 6.7 }\n[gateways]\n'
        + "".join(f'{name} = {{ sites = ["lamp-1"] }}\n' for name in names())
    )
    path = folder / "ingest.toml"
    path.write_text(f'city = "city.toml"\n{broker_table(broker.config)}[store]\nurl = "sqlite:///{folder / "readings.db"}"\n')
    return path


def names() -> list[str]:
    return [f"gw-{n:04d}" for n in range(GATEWAYS)]


def saying(name: str) -> Make:
    """Batches of one reading."""
    numbers = itertools.count(1)

    def made() -> Message:
        number = next(numbers)
        return batch.batch(name, b"%d" % number, [Reading(name, "gateway", "uptime", time.time_ns() // 1_000_000, float(number))])

    return made


def live(crowd: Crowd, is_so: Callable[[], bool], timeout_s: float) -> list[tuple[float, int]]:
    """Let the crowd live until it is so, or time is up; when it looked, and how many were connected then."""
    seen: list[tuple[float, int]] = []
    end_s = time.monotonic() + timeout_s
    while not is_so() and time.monotonic() < end_s:
        crowd.turn(LOOK_S)
        seen.append((time.monotonic(), crowd.tally.connected))
    return seen


def storm(crowd: Crowd, broker: Broker, outage_s: float) -> dict[str, float]:
    """Take the broker away, and see how all come back."""
    broker.kill()
    served = crowd.tally.stored
    live(crowd, lambda: False, outage_s)
    back_s = time.monotonic()
    starting = threading.Thread(target=broker.start)  # meanwhile the crowd goes on: were it to wait, its tries would pile up
    starting.start()
    seen = live(crowd, lambda: crowd.tally.stored == served + GATEWAYS, SERVED_AFTER_S)
    starting.join()
    first_s = next(at_s for at_s, connected in seen if connected)
    last_s = next(at_s for at_s, connected in seen if connected == crowd.tally.connected)
    by_second = {int(at_s - first_s): connected for at_s, connected in seen if at_s >= first_s}  # at the end of each
    return {
        "outage_s": outage_s,
        "served": crowd.tally.stored - served,
        "served_in_s": round(seen[-1][0] - back_s, 1),
        "mean_per_s": round(crowd.tally.connected / (last_s - first_s)),
        "peak_per_s": max(later - earlier for earlier, later in itertools.pairwise((0, *by_second.values()))),
    }


def test_two_thousand_gateways_come_back_evenly_and_are_served_again(tmp_path: Path, many_files: None) -> None:
    broker = Broker(tmp_path)
    broker.start()
    crowd = Crowd(broker.config, ONCE_MS, SystemClock())
    try:
        with Part(tmp_path, "ingest", write_ingest(tmp_path, broker)), closing(crowd):
            for name in names():  # nobody switches thousands on at one instant
                crowd.add(name, saying(name), round(1000 * pause_s(0, GATEWAY)))
            live(crowd, lambda: crowd.tally.stored == GATEWAYS, SERVED_AFTER_S)
            storms = [storm(crowd, broker, outage_s) for outage_s in OUTAGES_S]
    finally:
        broker.kill()

    report.add("storm", gateways=GATEWAYS, storms=storms)
    assert [storm["served"] for storm in storms] == [GATEWAYS] * len(OUTAGES_S)
    assert max(storm["served_in_s"] for storm in storms) <= SERVED_AFTER_S
    assert max(storm["peak_per_s"] / storm["mean_per_s"] for storm in storms) <= PEAK
    assert max(storm["peak_per_s"] for storm in storms) <= MOST_PER_S
