"""The spool: nothing accepted is lost, nothing is handed out twice, and what must be given up is counted."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.observation import Observation
from edge.rows import Range, gaps
from edge.spool import LAST, ROW_BYTES, Spool
from hoflicht import BadConfig, Reading, Unavailable
from hoflicht.clock import HandClock
from tests.limits import files_that_do_not_grow

MB = 1_000_000


def passages(*times_ms: int) -> list[Reading]:
    return [Reading("hof-nord", "gate-in", "passage", at_ms, 1.0) for at_ms in times_ms]


def temperatures(*times_ms: int) -> list[Reading]:
    return [Reading("hof-nord", "air", "temperature", at_ms, 21.5) for at_ms in times_ms]


def all_of(spool: Spool) -> list[Reading]:
    batch = spool.batch(1, LAST, 1_000_000)
    return batch.readings if batch else []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


@pytest.fixture
def spool(path: Path, clock: HandClock) -> Iterator[Spool]:
    with Spool(path, MB, clock, boot="first") as spool:
        yield spool


def test_what_was_appended_is_there_after_reopening(path: Path, spool: Spool, clock: HandClock) -> None:
    spool.append(passages(1, 2))

    with Spool(path, MB, clock, boot="second") as again:
        assert all_of(again) == passages(1, 2)


def test_only_what_was_confirmed_is_dropped(spool: Spool) -> None:
    spool.append(passages(1, 2, 3))
    batch = spool.batch(1, LAST, limit=2)
    assert batch is not None

    gone = spool.drop(batch.range)

    assert gone == 2
    assert all_of(spool) == passages(3)
    assert spool.state().rows == 1


def test_a_batch_leaves_out_what_is_under_way(spool: Spool) -> None:
    spool.append(passages(1, 2, 3, 4, 5))

    batch = spool.batch(1, LAST, limit=10, busy=[Range(3, 3), Range(1, 1)])

    assert batch is not None
    assert batch.range == Range(2, 2)
    assert batch.readings == passages(2)


def test_gaps_are_what_is_left_between() -> None:
    assert list(gaps(Range(1, 10), [Range(8, 12), Range(2, 3)])) == [Range(1, 1), Range(4, 7)]
    assert list(gaps(Range(1, 10), [])) == [Range(1, 10)]
    assert list(gaps(Range(5, 6), [Range(1, 9)])) == []


def test_a_number_is_never_used_twice(path: Path, spool: Spool, clock: HandClock) -> None:
    spool.append(passages(1, 2))
    spool.drop(Range(1, 2))
    with Spool(path, MB, clock) as again:
        again.append(passages(3))

        batch = again.batch(1, LAST, limit=10)

        assert batch is not None
        assert batch.range == Range(3, 3)


def test_a_name_stands_for_its_rows_after_a_restart(path: Path, spool: Spool, clock: HandClock) -> None:
    spool.append(passages(1, 2, 3))
    name = spool.name(Range(1, 2))

    with Spool(path, MB, clock) as again:
        assert again.range_of(name) == Range(1, 2)


def test_a_spool_that_was_begun_anew_knows_no_name_of_its_predecessor(path: Path, spool: Spool, clock: HandClock) -> None:
    spool.append(passages(1, 2, 3))
    name = spool.name(Range(1, 3))

    with Spool(path.with_name("anew.db"), MB, clock) as anew:
        anew.append(passages(1, 2, 3))

        assert anew.range_of(name) is None


@pytest.mark.parametrize("name", [b"", b"0000000000000000-1-2", b"x-1-2", b"1-2", b"\xff" * 40])
def test_a_name_of_another_spool_stands_for_nothing(spool: Spool, name: bytes) -> None:
    spool.append(passages(1, 2, 3))

    assert spool.range_of(name) is None


@pytest.mark.parametrize(("first", "last"), [(1, 4), (4, 4), (1, 10**17), (10**17, 10**18)])
def test_a_range_that_cannot_have_been_sent_stands_for_nothing(spool: Spool, first: int, last: int) -> None:
    spool.append(passages(1, 2, 3))

    assert spool.range_of(spool.name(Range(first, last))) is None


def test_what_is_refused_lies_in_the_quarantine_with_its_reason(path: Path, spool: Spool) -> None:
    spool.append(passages(1, 2, 3))

    spool.refuse(Range(1, 2), "unknown site")

    assert all_of(spool) == passages(3)
    assert spool.state().quarantined == 2
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT at_ms, reason FROM quarantine").fetchall() == [(1, "unknown site"), (2, "unknown site")]


def test_the_quarantine_is_bounded_and_the_loss_counted(path: Path, clock: HandClock) -> None:
    with Spool(path, 10 * MB, clock) as spool:
        spool.append(temperatures(*range(10_500)))

        spool.refuse(Range(1, 10_500), "outside retention")

        state = spool.state()
        assert (state.rows, state.quarantined, state.dropped) == (0, 10_500, 500)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*), min(at_ms) FROM quarantine").fetchone() == (10_000, 500)


def test_what_was_seen_is_stamped_by_the_wall_clock(spool: Spool, clock: HandClock) -> None:
    seen_ms = clock.monotonic_ms()
    clock.advance(400)

    spool.keep([Observation("hof-nord", "gate-in", "passage", seen_ms, 1.0)])

    assert all_of(spool) == passages(1_700_000_000_000)


def test_two_cars_in_one_millisecond_stay_two(spool: Spool, clock: HandClock) -> None:
    car = Observation("hof-nord", "gate-in", "passage", clock.monotonic_ms(), 1.0)

    spool.keep([car, car])
    spool.keep([car])

    assert [reading.at_ms - clock.now_ms() for reading in all_of(spool)] == [0, 1, 2]


def test_two_values_of_one_millisecond_are_two_points(spool: Spool, clock: HandClock) -> None:
    free, taken = (Observation("hof-nord", "lane-3", "presence", clock.monotonic_ms(), value) for value in (0.0, 1.0))

    spool.keep([free, taken])

    assert [(reading.at_ms - clock.now_ms(), reading.value) for reading in all_of(spool)] == [(0, 0.0), (1, 1.0)]


def test_before_the_clock_is_set_nothing_is_sent(path: Path) -> None:
    clock = HandClock(now_ms=0, is_set=False)
    with Spool(path, MB, clock, boot="first") as spool:
        spool.keep([Observation("hof-nord", "gate-in", "passage", 5_000, 1.0)])

        assert spool.batch(1, LAST, 10) is None
        assert spool.state().rows == 1


def test_setting_the_clock_stamps_all_of_this_boot(path: Path) -> None:
    clock = HandClock(now_ms=0, is_set=False)
    with Spool(path, MB, clock, boot="first") as spool, Spool(path, MB, clock, boot="first") as reader:
        spool.keep([Observation("hof-nord", "gate-in", "passage", clock.monotonic_ms(), 1.0)])
        clock.advance(60_000)
        clock.set(1_700_000_060_000)

        spool.keep([Observation("hof-nord", "gate-in", "passage", clock.monotonic_ms(), 1.0)])

        assert all_of(reader) == passages(1_700_000_000_000, 1_700_000_060_000)


def test_a_clock_that_was_set_in_this_boot_stays_set(path: Path, clock: HandClock) -> None:
    with Spool(path, MB, clock, boot="first") as spool:
        spool.stamp()
    adrift = HandClock(is_set=False)  # NTP has not been heard for hours; the process is a new one
    adrift.advance(99_000)
    with Spool(path, MB, adrift, boot="first") as spool:
        spool.keep([Observation("hof-nord", "gate-in", "passage", adrift.monotonic_ms(), 1.0)])

        assert all_of(spool) == passages(1_700_000_099_000)


def test_what_can_never_be_stamped_goes_to_the_quarantine(path: Path) -> None:
    unset = HandClock(now_ms=0, is_set=False)
    with Spool(path, MB, unset, boot="first") as spool:
        spool.append(passages(7))
        spool.keep([Observation("hof-nord", "gate-in", "passage", 5_000, 1.0)])

    with Spool(path, MB, unset, boot="second") as spool:
        assert all_of(spool) == passages(7)
        assert (spool.state().rows, spool.state().quarantined) == (1, 1)


def test_a_full_spool_gives_up_the_oldest_samples_and_keeps_every_car(path: Path, clock: HandClock) -> None:
    with Spool(path, MB, clock) as spool:
        for n in range(0, 40_000, 500):
            spool.append(passages(n) + temperatures(*range(n, n + 500)))

        state, kept = spool.state(), all_of(spool)

    assert state.bytes <= MB
    assert state.dropped == 40_080 - len(kept)
    assert state.rows == len(kept)
    assert [reading.at_ms for reading in kept if reading.quantity == "passage"] == list(range(0, 40_000, 500))
    samples = [reading.at_ms for reading in kept if reading.quantity == "temperature"]
    assert samples == list(range(samples[0], 40_000))
    assert len(samples) > 5_000


def test_a_full_spool_of_a_boot_whose_clock_was_never_set_can_be_opened(path: Path) -> None:
    unset = HandClock(now_ms=0, is_set=False)
    with Spool(path, MB, unset, boot="first") as spool:
        while not spool.state().dropped:
            spool.keep([Observation("hof-nord", "gate-in", "passage", n, 1.0) for n in range(500)])

    with Spool(path, MB, unset, boot="second") as spool:
        state = spool.state()
        assert state.rows == 0
        assert state.quarantined > 5_000


def test_cars_push_out_samples_and_no_older_car(path: Path, clock: HandClock) -> None:
    with Spool(path, MB, clock) as spool:
        while spool.state().dropped == 0:
            spool.append(temperatures(*range(spool.last_id(), spool.last_id() + 500)))

        for n in range(0, 5_000, 500):
            spool.append(passages(*range(n, n + 500)))

        assert [reading.at_ms for reading in all_of(spool) if reading.quantity == "passage"] == list(range(5_000))


def test_a_sample_does_not_push_out_a_car(path: Path, clock: HandClock) -> None:
    def cars(spool: Spool) -> int:
        return sum(reading.quantity == "passage" for reading in all_of(spool))

    with Spool(path, MB, clock) as spool:
        while spool.state().dropped == 0:
            spool.append(passages(*range(spool.last_id(), spool.last_id() + 500)))
        before, cars_before = spool.state(), cars(spool)

        for n in range(0, 20_000, 500):
            spool.append(temperatures(*range(n, n + 500)))

        assert cars(spool) == cars_before
        after = spool.state()
    assert after.dropped - before.dropped == 20_000 - (after.rows - before.rows)


def test_a_row_takes_what_the_forecast_assumes(path: Path, clock: HandClock) -> None:
    with Spool(path, 10 * MB, clock) as spool:
        for n in range(0, 20_000, 500):
            spool.append([Reading("lamp-0012", "driver", "active_power", 1_700_000_000_000 + n + k, 41.5) for k in range(500)])

        assert spool.state().bytes / 20_000 == pytest.approx(ROW_BYTES, rel=0.25)


def test_a_disk_that_takes_nothing_is_no_error_of_the_program(path: Path, spool: Spool) -> None:
    spool.append(passages(1))
    with files_that_do_not_grow(), pytest.raises(Unavailable):
        for n in range(2, 1_000):
            spool.append(passages(n))

    spool.append(passages(1_000))

    kept = [reading.at_ms for reading in all_of(spool)]
    assert kept == [*range(1, len(kept)), 1_000]
    assert spool.state().rows == len(kept)


def test_a_folder_that_is_not_there_is_an_error_of_the_config(tmp_path: Path, clock: HandClock) -> None:
    with pytest.raises(BadConfig, match="nowhere"):
        Spool(tmp_path / "nowhere" / "spool.db", MB, clock)


def test_a_spool_of_a_later_version_is_left_alone(path: Path, clock: HandClock) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 9")

    with pytest.raises(BadConfig, match="version 9"):
        Spool(path, MB, clock)


WRITER = """
import sys
from pathlib import Path
from edge.spool import Spool
from hoflicht import Reading
from hoflicht.clock import SystemClock

with Spool(Path(sys.argv[1]), 64_000_000, SystemClock()) as spool:
    for n in range(0, 10_000_000, 7):
        spool.append([Reading("hof-nord", "air", "pm10", k, float(k % 1000)) for k in range(n, n + 7)])
        print(n + 7, flush=True)
"""


def test_after_a_kill_everything_that_was_accepted_is_there_once(path: Path, clock: HandClock) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.3)
        os.kill(writer.pid, signal.SIGKILL)
        accepted = int(writer.stdout.read().split(b"\n")[-2])

    with Spool(path, 64 * MB, clock) as spool:
        times_ms = [reading.at_ms for reading in all_of(spool)]
    assert times_ms[:accepted] == list(range(accepted))
    assert len(times_ms) in (accepted, accepted + 7)  # the append under way may have got to the disk


class SpoolMachine(RuleBasedStateMachine):
    """Any sequence of calls against a list of what must be there; two lanes take batches from both sides of a border."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "spool.db"
        self._clock = HandClock(is_set=False)
        self._spool = Spool(self._path, MB, self._clock, boot="0")
        self._boot = 0
        self._number = 0
        self._waiting: set[int] = set()
        self._unstamped: set[int] = set()
        self._quarantined = 0
        self._under_way: dict[Range, set[int]] = {}

    @rule(count=st.integers(1, 8))
    def append(self, count: int) -> None:
        numbers = range(self._number, self._number + count)
        self._number += count
        self._spool.append([Reading("hof-nord", "air", "energy_import", 1, float(n)) for n in numbers])
        self._waiting |= set(numbers)

    @rule(count=st.integers(1, 8))
    def keep(self, count: int) -> None:
        numbers = range(self._number, self._number + count)
        self._number += count
        self._spool.keep([Observation("hof-nord", "air", "energy_import", 1, float(n)) for n in numbers])
        self._waiting |= set(numbers)
        if not self._clock.is_set():
            self._unstamped |= set(numbers)

    @rule(border=st.integers(0, 40), live=st.booleans(), limit=st.integers(1, 10))
    def take(self, border: int, live: bool, limit: int) -> None:
        first, last = (border + 1, LAST) if live else (1, border)
        batch = self._spool.batch(first, last, limit, self._under_way)
        if batch is None:
            return
        numbers = {int(reading.value) for reading in batch.readings}
        assert first <= batch.range.first <= batch.range.last <= last
        assert len(numbers) == len(batch.readings) <= limit
        assert numbers <= self._waiting
        assert numbers.isdisjoint(self._unstamped)
        assert all(numbers.isdisjoint(others) for others in self._under_way.values())
        assert self._spool.range_of(self._spool.name(batch.range)) == batch.range
        self._under_way[batch.range] = numbers

    @precondition(lambda self: self._under_way)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        rows = data.draw(st.sampled_from(sorted(self._under_way)))
        numbers = self._under_way.pop(rows)
        assert self._spool.drop(rows) == len(numbers)
        self._waiting -= numbers

    @precondition(lambda self: self._under_way)
    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        rows = data.draw(st.sampled_from(sorted(self._under_way)))
        numbers = self._under_way.pop(rows)
        assert self._spool.refuse(rows, "why") == len(numbers)
        self._waiting -= numbers
        self._quarantined += len(numbers)

    @rule()
    def forget_what_is_under_way(self) -> None:
        self._under_way.clear()

    @rule()
    def set_the_clock(self) -> None:
        self._clock.set(1_700_000_000_000)
        self._spool.stamp()
        self._unstamped.clear()

    @rule(power_cut=st.booleans())
    def reopen(self, power_cut: bool) -> None:
        self._spool.close()
        if power_cut:
            self._boot += 1
            self._quarantined += len(self._unstamped)
            self._waiting -= self._unstamped
            self._unstamped.clear()
        self._spool = Spool(self._path, MB, self._clock, boot=str(self._boot))

    @invariant()
    def the_books_are_right(self) -> None:
        state = self._spool.state()
        assert (state.rows, state.dropped, state.quarantined) == (len(self._waiting), 0, self._quarantined)

    @invariant()
    def all_that_waits_and_has_a_time_can_be_sent(self) -> None:
        sendable = {int(reading.value) for reading in all_of(self._spool)}
        assert sendable <= self._waiting
        if not self._unstamped:
            assert sendable == self._waiting

    def teardown(self) -> None:
        self._spool.close()
        self._folder.cleanup()


TestAnySequence = SpoolMachine.TestCase
TestAnySequence.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
