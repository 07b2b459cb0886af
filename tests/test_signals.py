"""What ingest says about itself."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from hoflicht import BadConfig, Reading, Refused, Unavailable, topics
from hoflicht.batch import batch
from hoflicht.broker import Message, Received
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from hoflicht.quantities import QUANTITIES
from ingest.checks import Checks, Fault
from ingest.desk import Desk
from ingest.health import WRITE_S, Health
from ingest.quarantine import Quarantine
from ingest.signals import Signals, own_site, telling
from store.answers import Rejected
from store.readings import open_store
from store.sqlite import SqliteStore
from tests.conftest import Mosquitto
from tests.roles import Role, eventually, write_ingest

GATEWAY = "gw-hof-nord"
MINUTE_MS = 60_000


class Troubled(SqliteStore):
    """A store that raises `trouble` instead of taking a write, while there is any, and lets the worker's own wait at a gate."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.trouble: Unavailable | Refused | None = None
        self.tried = 0
        self.gate = threading.Event()
        self.gate.set()

    def write(self, readings: Sequence[Reading]) -> list[Rejected]:
        self.tried += 1
        if readings and readings[0].site == "ingest":
            self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        return super().write(readings)


@dataclass
class Worker:
    clock: HandClock
    store: Troubled
    quarantine: Quarantine
    desk: Desk
    signals: Signals

    def settle(self, *messages: Message, patience_ms: int | None = None) -> None:
        self.desk.settle([self.desk.opened(Received(one, 1, 1, 1)) for one in messages], threading.Event(), patience_ms)

    def told(self) -> dict[tuple[str, str], float]:
        return {(one.sensor, one.quantity): one.value for one in self.signals.readings()}

    def rises(self, change: Callable[[], None]) -> dict[tuple[str, str], float]:
        """What `change` adds to the counters; they count for the whole process, the other tests' part too."""
        before = self.told()
        change()
        return {key: value - before[key] for key, value in self.told().items() if key in before and value != before[key]}


@pytest.fixture
def worker(tmp_path: Path, city: City, clock: HandClock) -> Iterator[Worker]:
    with closing(Troubled(tmp_path / "readings.db")) as store, closing(Quarantine(tmp_path / "quarantine.db")) as quarantine:
        desk = Desk(Checks(city), store, quarantine, clock, Health(clock, "put the right token into secrets/token"))
        yield Worker(clock, store, quarantine, desk, Signals("ingest", store, quarantine, clock))


def message(worker: Worker, *readings: Reading) -> Message:
    return batch(GATEWAY, b"%d" % worker.clock.monotonic_ms(), readings)


def passage(worker: Worker, ago_ms: int = 0, sensor: str = "gate-in") -> Reading:
    return Reading("hof-nord", sensor, "passage", worker.clock.now_ms() - ago_ms, 1.0)


def test_what_was_stored_is_counted_and_what_came_late_among_it(worker: Worker) -> None:
    in_time = [passage(worker, ago_ms) for ago_ms in (0, 1, 4 * MINUTE_MS)]
    late = [passage(worker, 6 * MINUTE_MS), passage(worker, 24 * 60 * MINUTE_MS)]

    assert worker.rises(lambda: worker.settle(message(worker, *in_time, *late))) == {
        ("worker", "stored"): 5,
        ("worker", "stored_late"): 2,
        ("stored", "batches"): 1,
    }


def test_what_the_store_will_never_take_is_not_counted_as_stored_late(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    old = passage(worker, 60 * MINUTE_MS)
    monkeypatch.setattr(worker.store, "write", lambda _readings: [Rejected(old, "older than the database keeps")])

    assert worker.rises(lambda: worker.settle(message(worker, old, passage(worker)))) == {
        ("worker", "stored"): 1,
        ("stored", "batches"): 1,
        ("refused-by-store", "set_aside"): 1,
        ("worker", "quarantine_packs"): 1,
        ("worker", "quarantine_bytes"): worker.quarantine.rows()[0].size,
    }


def test_what_grew_late_while_the_store_was_away_and_is_refused_then_was_never_counted_as_late(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = passage(worker)
    delivery = worker.desk.opened(Received(message(worker, fresh), 1, 1, 1))
    monkeypatch.setattr(worker.store, "write", lambda _readings: [Rejected(fresh, "older than the database keeps")])

    def settle() -> None:
        worker.desk.settle([delivery], threading.Event())

    worker.clock.advance(10 * MINUTE_MS)
    rises = worker.rises(settle)

    assert ("worker", "stored_late") not in rises
    assert ("worker", "stored") not in rises


def test_what_is_set_aside_is_told_by_fault_with_the_room_it_takes(worker: Worker) -> None:
    strange = Message(topic=topics.readings("gw-fremd"), payload=b"[]", correlation=b"1", response_topic="elsewhere")

    rises = worker.rises(lambda: worker.settle(message(worker, passage(worker, sensor="gate-9")), strange))

    assert rises == {
        ("refused", "batches"): 1,
        ("none", "batches"): 1,
        ("unknown-sensor", "set_aside"): 1,
        ("worker", "quarantine_packs"): 1,
        ("worker", "quarantine_bytes"): worker.quarantine.rows()[0].size,
    }


def test_each_fault_has_a_count_before_the_first_one(worker: Worker) -> None:
    assert {sensor for sensor, quantity in worker.told() if quantity == "set_aside"} == {fault.value for fault in Fault}
    assert {sensor for sensor, quantity in worker.told() if quantity == "batches"} == {"stored", "refused", "none"}


def test_a_write_that_the_store_does_not_take_is_counted(worker: Worker) -> None:
    worker.store.trouble = Unavailable("connection refused")

    assert worker.rises(lambda: worker.settle(message(worker, passage(worker)), patience_ms=0)) == {("worker", "store_errors"): 1}


def test_the_time_of_a_write_is_that_of_the_writes_since_it_was_last_told(worker: Worker) -> None:
    worker.settle(message(worker, passage(worker)))
    assert 0 < worker.told()["worker", "write_latency"] < 5
    assert ("worker", "write_latency") not in worker.told()

    for seconds in (2.0, 4.0):
        WRITE_S.observe(seconds)

    assert worker.told()["worker", "write_latency"] == pytest.approx(3.0)
    assert ("worker", "write_latency") not in worker.told()


def test_a_worker_tells_its_age_and_its_version(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.signals.__version__", "3.2.1")
    worker.clock.advance(90_000)

    told = worker.told()

    assert told["worker", "uptime"] == 90
    assert told["worker", "version"] == 3_002_001


def test_all_that_is_told_is_a_sound_reading_of_the_workers_own_site(worker: Worker) -> None:
    worker.settle(message(worker, passage(worker)))

    told = worker.signals.readings()

    assert {(one.site, one.at_ms) for one in told} == {("ingest", worker.clock.now_ms())}
    assert [one for one in told if not QUANTITIES[one.quantity].low <= one.value <= QUANTITIES[one.quantity].high] == []


@pytest.mark.parametrize("trouble", [Unavailable("connection refused"), Refused("wrong token")])
def test_what_the_store_does_not_take_is_dropped_and_told_anew_later(worker: Worker, trouble: Unavailable | Refused) -> None:
    worker.store.trouble = trouble
    worker.signals.tell()
    worker.store.trouble = None
    lost_ms = worker.clock.now_ms()
    worker.clock.advance(MINUTE_MS)

    worker.signals.tell()

    assert [one.at_ms for one in worker.store.read("ingest", ["uptime"], 0, lost_ms + 2 * MINUTE_MS)] == [lost_ms + MINUTE_MS]


def test_a_store_that_is_away_ends_no_telling(worker: Worker) -> None:
    worker.store.trouble = Unavailable("connection refused")
    stopping = threading.Event()

    with telling(worker.signals, stopping, every_s=0.001):
        assert eventually(lambda: worker.store.tried >= 3)
        stopping.set()

    assert worker.store.count() == 0


def test_the_work_does_not_wait_for_what_is_told(worker: Worker) -> None:
    stopping = threading.Event()
    worker.store.gate.clear()
    with telling(worker.signals, stopping, every_s=0.001):
        assert eventually(lambda: worker.store.tried == 1)

        worker.settle(message(worker, passage(worker)))

        assert worker.store.count() == 1
        stopping.set()
        worker.store.gate.set()


def test_a_worker_that_ends_has_told_its_last_minute(tmp_path: Path, broker: Mosquitto) -> None:
    url = f"sqlite:///{tmp_path}/readings.db"
    with Role(tmp_path, "ingest", write_ingest(tmp_path, broker.config, url)) as ingest:
        assert eventually(lambda: "connected to the broker" in ingest.log.read_text())
        assert ingest.stop() == 0

    with closing(open_store(url)) as store:
        told = store.read("ingest", ["uptime", "stored"], 0, 2**50)
    assert [(one.sensor, one.quantity) for one in told] == [("worker", "stored"), ("worker", "uptime")]
    assert 0 < told[1].value < 60


@pytest.mark.parametrize("taken", ["api", "hof-nord", "lamp-0001", "cabinet-07", "gw-hof-nord"])
def test_a_worker_does_not_take_the_name_of_something_else(city: City, taken: str) -> None:
    with pytest.raises(BadConfig, match="the catalogue has something else of that name"):
        own_site(taken, city)


@pytest.mark.parametrize("name", ["", "Ingest", "ingest 1", "ingest@server", "i" * 64])
def test_a_worker_has_a_name_that_a_site_may_have(city: City, name: str) -> None:
    with pytest.raises(BadConfig, match="at most 63"):
        own_site(name, city)


def test_workers_have_sites_of_their_own(city: City) -> None:
    assert [own_site(name, city) for name in ("ingest", "ingest-2")] == ["ingest", "ingest-2"]
