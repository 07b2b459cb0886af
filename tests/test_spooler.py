"""From the queue to the disk."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge import spooler
from edge.company import Company
from edge.observation import Observation
from edge.spool import LAST, Spool
from hoflicht import Reading, Unavailable
from hoflicht.clock import HandClock, SystemClock
from tests.limits import files_that_do_not_grow
from tests.meanwhile import meanwhile
from tests.roles import eventually

MB = 1_000_000


def seen(n: int) -> Observation:
    return Observation("hof-nord", "air", "energy_import", n, float(n))


@contextmanager
def spooling(path: Path, waiting: "queue.Queue[Observation]", patience_ms: int = 0) -> Iterator[None]:
    ended = threading.Event()

    def work() -> None:
        with Spool(path, 10 * MB, SystemClock()) as own:
            spooler.run(waiting, own, Company(patience_ms), ended)

    with meanwhile(work, ended):
        yield


def values(spool: Spool) -> list[float]:
    batch = spool.batch(1, LAST, 1_000_000)
    return [reading.value for reading in batch.readings] if batch else []


def test_what_is_seen_is_on_disk_within_seconds(tmp_path: Path) -> None:
    waiting: queue.Queue[Observation] = queue.Queue()
    with spooling(tmp_path / "s.db", waiting), Spool(tmp_path / "s.db", 10 * MB, SystemClock()) as spool:
        for n in range(3):
            waiting.put(seen(n))

        assert eventually(lambda: values(spool) == [0.0, 1.0, 2.0], timeout_s=5)


def test_a_car_takes_along_what_waits_and_what_waits_goes_nowhere_without(tmp_path: Path) -> None:
    waiting: queue.Queue[Observation] = queue.Queue()
    with spooling(tmp_path / "s.db", waiting, patience_ms=60_000), Spool(tmp_path / "s.db", 10 * MB, SystemClock()) as spool:
        waiting.put(seen(1))
        eventually(waiting.empty)
        waiting.put(Observation("hof-nord", "gate-in", "passage", 2, 2.0))

        assert eventually(lambda: values(spool)) == [1.0, 2.0]


def test_at_the_end_all_that_was_read_is_kept_however_long_it_might_wait(tmp_path: Path) -> None:
    waiting: queue.Queue[Observation] = queue.Queue()
    for n in range(2_345):
        waiting.put(seen(n))
    with spooling(tmp_path / "s.db", waiting, patience_ms=60_000):
        pass

    with Spool(tmp_path / "s.db", 10 * MB, SystemClock()) as spool:
        assert values(spool) == [float(n) for n in range(2_345)]


def test_who_still_waits_when_the_end_comes_is_kept(tmp_path: Path) -> None:
    company, ended = Company(60_000), threading.Event()
    company.join(seen(1), now_ms=0)
    ended.set()

    with Spool(tmp_path / "s.db", MB, SystemClock()) as spool:
        spooler.run(queue.Queue(), spool, company, ended)

        assert values(spool) == [1.0]


def test_rows_are_stamped_when_the_clock_is_set_although_nothing_new_comes(tmp_path: Path) -> None:
    clock, ended = HandClock(now_ms=0, is_set=False), threading.Event()
    waiting: queue.Queue[Observation] = queue.Queue()
    waiting.put(seen(1_000))

    def work() -> None:
        with Spool(tmp_path / "s.db", MB, clock, boot="b") as own:
            spooler.run(waiting, own, Company(0), ended)

    thread = threading.Thread(target=work)
    thread.start()
    with Spool(tmp_path / "s.db", MB, clock, boot="b") as spool:
        assert eventually(lambda: spool.state().rows == 1)
        assert values(spool) == []

        clock.set(1_700_000_000_000)

        assert eventually(lambda: values(spool) == [1_000.0])
    ended.set()
    thread.join()


def test_a_full_disk_is_two_lines_and_no_reading_is_lost_in_between(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    waiting: queue.Queue[Observation] = queue.Queue()
    path = tmp_path / "s.db"
    with Spool(path, 10 * MB, SystemClock()) as spool, spooling(path, waiting):
        with files_that_do_not_grow():
            with pytest.raises(Unavailable):
                for n in range(1_000):
                    spool.append([Reading("hof-nord", "air", "pm10", n, 1.0)] * 10)
            accepted = spool.state().rows
            for n in range(3):
                waiting.put(seen(n))
            assert eventually(lambda: "cannot be kept" in caplog.text)

        assert eventually(lambda: "readings are kept again" in caplog.text)

        assert values(spool)[accepted:] == [0.0, 1.0, 2.0]
    assert caplog.text.count("cannot be kept") == 1
