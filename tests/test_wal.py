"""The write-ahead log of a file that several open at the same time."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from hoflicht import wal


def opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)


def test_of_many_that_open_a_new_file_at_once_none_is_turned_away(tmp_path: Path) -> None:
    modes: list[str] = []
    together = threading.Barrier(8)

    def open_it(path: Path) -> None:
        with closing(opened(path)) as connection:
            together.wait()
            wal.turn_on(connection, patience_s=5)
            modes.append(connection.execute("PRAGMA journal_mode").fetchone()[0])

    for n in range(20):
        threads = [threading.Thread(target=open_it, args=(tmp_path / f"{n}.db",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert modes == ["wal"] * 160


def test_a_file_that_stays_locked_is_told(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "f.db")) as holder, closing(opened(tmp_path / "f.db")) as other:
        holder.execute("BEGIN EXCLUSIVE")
        other.execute("PRAGMA busy_timeout = 0")

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            wal.turn_on(other, patience_s=0.1)
