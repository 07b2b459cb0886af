"""A damaged spool: what can be read is saved, what is lost is counted, and no hand is needed."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.disk import PAGE_BYTES
from edge.observation import Observation
from edge.salvage import mend
from edge.spool import LAST, Spool
from hoflicht import Reading
from hoflicht.clock import HandClock
from tests.conftest import Mosquitto
from tests.receiver import Ingest
from tests.roles import Role, eventually, write_edge

LIMIT = 10_000_000
ROWS = 5_000
ROWS_OF_A_PAGE = 100  # at most; a page of these readings holds 95
GATEWAY = "gw-hof-nord"


def readings(*numbers: int) -> list[Reading]:
    return [Reading("hof-nord", "gate-in", "passage", 1_700_000_000_000 + n, 1.0) for n in numbers]


def numbers(path: Path) -> list[int]:
    with Spool(path, LIMIT, HandClock()) as spool:
        batch = spool.batch(1, LAST, 1_000_000)
    return [reading.at_ms - 1_700_000_000_000 for reading in batch.readings] if batch else []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a spool as kill -9 leaves it: 5 000 readings, the newest of them in the log."""
    folder = tmp_path_factory.mktemp("killed")
    with Spool(folder / "spool.db", LIMIT, HandClock(), boot="first") as spool:
        for n in range(0, ROWS, 50):
            spool.append(readings(*range(n, n + 50)))
        for part in ("", "-wal"):
            shutil.copy(folder / f"spool.db{part}", folder / f"as-it-was{part}")
    return folder


@pytest.fixture
def used(killed: Path, path: Path) -> Path:
    for part in ("", "-wal"):
        shutil.copy(killed / f"as-it-was{part}", path.with_name(path.name + part))
    return path


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def bytes_read() -> int:
    """By this process, from whatever files (`rchar` of proc_pid_io(5))."""
    return int(Path("/proc/self/io").read_text().split()[1])


def behead(path: Path) -> None:
    """No first page in the file, and a log of which SQLite reads nothing."""
    overwrite(path, 0, bytes(PAGE_BYTES))
    overwrite(path.with_name(path.name + "-wal"), 32 + 24 + 100, b"torn")


def test_a_file_that_is_no_database_is_set_aside(path: Path, clock: HandClock) -> None:
    path.write_bytes(b"no database at all" * 500)

    assert mend(path, LIMIT, clock) == 0

    assert numbers(path) == []
    assert path.with_name("spool.db.corrupt-1700000000000").read_bytes().startswith(b"no database")


def test_a_database_of_somebody_else_is_set_aside(path: Path, clock: HandClock) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE songs (title TEXT)")

    mend(path, LIMIT, clock)

    assert numbers(path) == []
    assert path.with_name("spool.db.corrupt-1700000000000").exists()


@pytest.mark.parametrize("statement", ["DELETE FROM spool", "DROP TABLE boots", "DELETE FROM boots", "PRAGMA user_version = 77"])
def test_a_spool_that_lacks_a_piece_is_mended(used: Path, clock: HandClock, statement: str) -> None:
    with closing(sqlite3.connect(used, isolation_level=None)) as db:
        db.execute(statement)

    assert mend(used, LIMIT, clock) == ROWS

    assert numbers(used) == list(range(ROWS))


def test_a_sound_spool_is_left_as_it_is(used: Path, clock: HandClock) -> None:
    assert mend(used, LIMIT, clock) == 0

    assert numbers(used) == list(range(ROWS))
    assert list(used.parent.glob("*.corrupt-*")) == []


def test_what_somebody_added_to_the_file_is_no_damage(used: Path, clock: HandClock) -> None:
    with closing(sqlite3.connect(used)) as db:
        db.execute("CREATE INDEX by_site ON readings (site)")

    mend(used, LIMIT, clock)

    assert list(used.parent.glob("*.corrupt-*")) == []


def test_without_its_first_page_nothing_is_lost(used: Path, clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    behead(used)

    assert mend(used, LIMIT, clock) == ROWS

    assert numbers(used) == list(range(ROWS))
    assert f"{used} was damaged; {ROWS} readings of it were saved, 0 lost" in caplog.text


def test_a_bad_page_costs_the_rows_that_stood_on_it(used: Path, clock: HandClock) -> None:
    with closing(sqlite3.connect(used)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = used.stat().st_size // PAGE_BYTES
    for page in (pages // 4, pages // 2, pages - 3):
        overwrite(used, page * PAGE_BYTES, b"\xff" * PAGE_BYTES)

    saved = mend(used, LIMIT, clock)

    kept = numbers(used)
    assert len(kept) == saved
    assert kept == sorted(set(kept))
    assert ROWS - 3 * ROWS_OF_A_PAGE <= saved < ROWS
    with Spool(used, LIMIT, clock) as spool:
        assert spool.state().dropped == ROWS - saved


def test_a_damaged_file_is_gone_over_once(path: Path, clock: HandClock) -> None:
    with Spool(path, LIMIT, clock) as spool:
        spool.append(readings(*range(ROWS)))
    overwrite(path, 0, bytes(PAGE_BYTES))
    size, before = path.stat().st_size, bytes_read()

    mend(path, LIMIT, clock)

    # Once for whether it is damaged, once for what it still holds.
    assert bytes_read() - before < 2.5 * size


def test_what_stands_behind_a_tear_in_the_log_is_saved(used: Path, clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    frames = (used.with_name("spool.db-wal").stat().st_size - 32) // (24 + PAGE_BYTES)
    overwrite(used.with_name("spool.db-wal"), 32 + frames // 4 * (24 + PAGE_BYTES), b"torn")

    saved = mend(used, LIMIT, clock)

    assert saved > 50
    assert numbers(used) == list(range(ROWS))
    assert f"the log of the spool {used} was damaged; {saved} readings of it were saved" in caplog.text


def test_readings_without_a_time_get_theirs_after_the_damage(path: Path) -> None:
    clock = HandClock(now_ms=0, is_set=False)
    with Spool(path, LIMIT, clock, boot="first") as spool:
        spool.keep([Observation("hof-nord", "gate-in", "passage", clock.monotonic_ms() + n, 1.0) for n in range(3)])
    overwrite(path, 0, bytes(PAGE_BYTES))

    assert mend(path, LIMIT, clock) == 3

    clock.set(1_700_000_000_000)
    with Spool(path, LIMIT, clock, boot="first") as spool:
        spool.stamp()
        batch = spool.batch(1, LAST, 10)
    assert batch is not None
    assert batch.readings == readings(0, 1, 2)


def test_what_was_set_aside_and_counted_stays_so(path: Path, clock: HandClock) -> None:
    with Spool(path, LIMIT, clock) as spool:
        spool.append(readings(*range(10)))
        batch = spool.batch(1, LAST, 4)
        assert batch is not None
        spool.refuse(batch.range, "unknown site")
    overwrite(path, 0, bytes(PAGE_BYTES))

    mend(path, LIMIT, clock)

    with Spool(path, LIMIT, clock) as spool:
        assert (spool.state().rows, spool.state().quarantined, spool.state().dropped) == (6, 4, 0)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*), min(reason) FROM quarantine").fetchone() == (4, "unknown site")


def test_what_was_sent_long_ago_does_not_come_back_from_free_pages(path: Path, clock: HandClock) -> None:
    with Spool(path, LIMIT, clock) as spool:
        for n in range(0, ROWS, 500):
            spool.append(readings(*range(n, n + 500)))
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA secure_delete = OFF")  # some builds of SQLite empty what they free, others do not
        db.execute("DELETE FROM readings WHERE id <= ?", (ROWS - 10,))
        db.execute("DELETE FROM spool")  # the damage
        db.commit()

    mend(path, LIMIT, clock)

    assert set(numbers(path)) <= set(range(ROWS - 10 - ROWS_OF_A_PAGE, ROWS))


def test_a_number_that_became_a_text_does_not_stop_the_gateway(used: Path, clock: HandClock) -> None:
    with closing(sqlite3.connect(used)) as db:
        db.execute("UPDATE readings SET at_ms = 'x' WHERE id = 7")
        db.commit()

    assert mend(used, LIMIT, clock) == ROWS - 1

    assert numbers(used) == [n for n in range(ROWS) if n != 6]


def test_a_letter_that_is_none_does_not_stop_the_gateway(used: Path, clock: HandClock) -> None:
    with closing(sqlite3.connect(used)) as db:
        db.execute("UPDATE readings SET site = CAST(x'686fff' AS TEXT) WHERE id = 7")
        db.commit()

    mend(used, LIMIT, clock)

    assert numbers(used) == list(range(ROWS))


def test_only_the_newest_damaged_file_is_kept(path: Path, clock: HandClock) -> None:
    for _ in range(3):
        path.write_bytes(b"no database at all" * 500)
        mend(path, LIMIT, clock)
        clock.advance(1_000)

    assert [file.name for file in path.parent.glob("*.corrupt-*")] == ["spool.db.corrupt-1700000002000"]


def after_the_first_arrow(path: Path) -> None:
    path.rename(f"{path}.damaged")


def while_the_new_one_is_filled(path: Path) -> None:
    path.rename(f"{path}.damaged")
    path.with_name("spool.db-wal").rename(f"{path}.damaged-wal")
    with Spool(Path(f"{path}.mending"), LIMIT, HandClock()) as spool:
        spool.append(readings(1, 2, 3))


def when_the_new_one_has_its_place(path: Path) -> None:
    shutil.copy(path, f"{path}.damaged")
    mend(path, LIMIT, HandClock())
    next(path.parent.glob("*.corrupt-*")).unlink()


@pytest.mark.parametrize("crash", [after_the_first_arrow, while_the_new_one_is_filled, when_the_new_one_has_its_place])
def test_a_crash_amid_mending_costs_nothing(used: Path, clock: HandClock, crash: Callable[[Path], None]) -> None:
    behead(used)
    crash(used)

    mend(used, LIMIT, clock)

    assert numbers(used) == list(range(ROWS))
    assert not [file for file in used.parent.iterdir() if ".damaged" in file.name or ".mending" in file.name]


def test_a_gateway_starts_on_a_damaged_spool_and_sends_what_was_saved(tmp_path: Path, broker: Mosquitto, killed: Path) -> None:
    spool = tmp_path / f"{GATEWAY}.db"
    for part in ("", "-wal"):
        shutil.copy(killed / f"as-it-was{part}", f"{spool}{part}")
    behead(spool)

    with Ingest(broker.config) as ingest, Role(tmp_path, "edge", write_edge(tmp_path, broker.config, GATEWAY)) as edge:
        eventually(lambda: set(readings(*range(ROWS))) <= ingest.readings())

        assert set(readings(*range(ROWS))) <= ingest.readings()
        assert f"was damaged; {ROWS} readings of it were saved, 0 lost" in edge.log.read_text()
        assert edge.stop() == 0


def cut(path: Path, chance: random.Random) -> None:
    """A file that ends early."""
    with path.open("r+b") as file:
        file.truncate(chance.randrange(path.stat().st_size + 1))


def wipe(path: Path, chance: random.Random) -> None:
    """Some pages of zeros, or of anything."""
    pages = max(1, path.stat().st_size // PAGE_BYTES)
    for _ in range(chance.randint(1, 5)):
        data = bytes(PAGE_BYTES) if chance.random() < 0.5 else chance.randbytes(PAGE_BYTES)
        overwrite(path, chance.randrange(pages) * PAGE_BYTES, data)


def scratch(path: Path, chance: random.Random) -> None:
    """Some single bytes."""
    for _ in range(chance.randint(1, 40)):
        overwrite(path, chance.randrange(max(1, path.stat().st_size)), chance.randbytes(1))


def replace(path: Path, chance: random.Random) -> None:
    """Another file."""
    path.write_bytes(chance.randbytes(chance.choice((0, 1, 99, 4_096, 50_000))))


DAMAGES = (cut, wipe, scratch, replace)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), harm=st.lists(st.tuples(st.sampled_from(DAMAGES), st.booleans()), min_size=1, max_size=3))
def test_whatever_happened_to_the_file_the_gateway_goes_on(
    killed: Path, path: Path, seed: int, harm: list[tuple[Callable[[Path, random.Random], None], bool]]
) -> None:
    for file in path.parent.iterdir():
        file.unlink()
    for part in ("", "-wal"):
        shutil.copy(killed / f"as-it-was{part}", path.with_name(path.name + part))
    chance = random.Random(seed)
    for damage, is_log in harm:
        damage(path.with_name("spool.db-wal") if is_log else path, chance)

    mend(path, LIMIT, HandClock())

    kept = numbers(path)
    if not any(damage is scratch for damage, _ in harm):  # which may change a number
        assert len(kept) == len(set(kept))
        assert set(kept) <= set(range(ROWS))
    with Spool(path, LIMIT, HandClock()) as spool:
        assert spool.state().rows == len(kept)
        spool.append(readings(ROWS))
    assert numbers(path) == [*kept, ROWS]
    assert mend(path, LIMIT, HandClock()) == 0
