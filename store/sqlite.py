"""The embedded store: one SQLite file, for the demo, tests and a single yard.

A point's key is (series, at_ms), and a series is (quantity, site, sensor): the names are kept once, a point takes about 20 bytes,
and every question is a range of one table. One connection writes, a few others read beside it (WAL).
"""

import queue
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hoflicht.reading import Reading
from store.answers import MAX_READ, Rejected, bounded_readings, bounded_steps
from store.file import File
from store.lines import readings_of

APPLICATION_ID = 0x686F666C  # "hofl" in the file's header: this file is ours
READERS = 4  # connections that read at the same time; the next asker waits
MAX_CACHED_SERIES = 100_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, quantity TEXT NOT NULL, site TEXT NOT NULL, sensor TEXT NOT NULL, UNIQUE (quantity, site, sensor)
);
CREATE TABLE IF NOT EXISTS points (
    series INTEGER NOT NULL, at_ms INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (series, at_ms)
) WITHOUT ROWID;
"""
UPSERT = "INSERT INTO points VALUES (?, ?, ?) ON CONFLICT (series, at_ms) DO UPDATE SET value = excluded.value"
# CROSS JOIN fixes the order of the tables: the few series first, then their range of points.
READ = """
SELECT sensor, quantity, at_ms, value FROM series CROSS JOIN points ON points.series = series.id
WHERE site = ? AND at_ms >= ? AND at_ms < ? AND quantity IN ({marks})
ORDER BY at_ms, sensor, quantity LIMIT ?
"""
LATEST = """
SELECT site, sensor, quantity, at_ms, value
FROM series CROSS JOIN points ON points.series = series.id AND at_ms = (SELECT max(at_ms) FROM points WHERE series = series.id)
WHERE at_ms >= ? AND quantity IN ({marks}) ORDER BY site, sensor, quantity
"""
STEPS = """
SELECT at_ms / :step * :step AS step_ms, {fold}(value) FROM series CROSS JOIN points ON points.series = series.id
WHERE quantity = :quantity AND site = :site AND sensor = :sensor AND at_ms >= :start AND at_ms < :end
GROUP BY step_ms ORDER BY step_ms
"""


class SqliteStore:
    """Readings in the file at `path`, which is made when there is none; raise BadConfig where the file is not one of ours."""

    def __init__(self, path: Path) -> None:
        self._file = File(path, APPLICATION_ID, SCHEMA)
        self._writing = threading.Lock()
        self._series: dict[tuple[str, str, str], int] = {}
        self._writer = self._file.connect()
        self._readers: queue.LifoQueue[sqlite3.Connection | None] = queue.LifoQueue()
        for _ in range(READERS):
            self._readers.put(None)  # opened when first needed

    def prepare(self) -> None:
        """Nothing is left to do: opening has made the tables, and every reading is kept as it is, hourly values need no place."""

    def write(self, readings: Sequence[Reading]) -> list[Rejected]:
        with self._writing, self._file.transaction(self._writer):
            fresh: dict[tuple[str, str, str], int] = {}
            rows = [(self._series_id(reading, fresh), reading.at_ms, reading.value) for reading in readings]
            self._writer.executemany(UPSERT, rows)
        self._remember(fresh)
        return []

    def write_lines(self, written: Sequence[bytes]) -> list[Rejected]:
        return self.write([reading for part in written for reading in readings_of(part)])

    def read(self, site: str, quantities: Sequence[str], start_ms: int, end_ms: int) -> list[Reading]:
        with self._reader() as connection:
            rows = connection.execute(_with_marks(READ, quantities), (site, start_ms, end_ms, *quantities, MAX_READ + 1)).fetchall()
        bounded_readings(len(rows), site)
        return [Reading(site, sensor, quantity, at_ms, value) for sensor, quantity, at_ms, value in rows]

    def latest(self, quantities: Sequence[str], since_ms: int) -> list[Reading]:
        with self._reader() as connection:
            return [Reading(*row) for row in connection.execute(_with_marks(LATEST, quantities), (since_ms, *quantities))]

    def means(self, site: str, sensor: str, quantity: str, start_ms: int, end_ms: int, step_ms: int) -> list[tuple[int, float]]:
        return self._steps("avg", (site, sensor, quantity), start_ms, end_ms, step_ms)

    def sums(self, site: str, sensor: str, quantity: str, start_ms: int, end_ms: int, step_ms: int) -> list[tuple[int, float]]:
        return self._steps("sum", (site, sensor, quantity), start_ms, end_ms, step_ms)

    def count(self) -> int:
        with self._reader() as connection:
            return int(connection.execute("SELECT count(*) FROM points").fetchone()[0])

    def ping(self) -> None:
        with self._reader() as connection:
            connection.execute("SELECT 1 FROM points LIMIT 1").fetchone()

    def close(self) -> None:
        """End all connections; waits for readers that are under way."""
        for _ in range(READERS):
            reader = self._readers.get()
            if reader is not None:
                reader.close()
        with self._writing:
            self._writer.close()

    def _steps(self, fold: str, key: tuple[str, str, str], start_ms: int, end_ms: int, step_ms: int) -> list[tuple[int, float]]:
        bounded_steps(start_ms, end_ms, step_ms)
        site, sensor, quantity = key
        bounds = {"site": site, "sensor": sensor, "quantity": quantity, "start": start_ms, "end": end_ms, "step": step_ms}
        with self._reader() as connection:
            return connection.execute(STEPS.replace("{fold}", fold), bounds).fetchall()

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        borrowed = self._readers.get()
        try:
            borrowed = borrowed or self._file.connect()
            with self._file.translated():
                yield borrowed
        finally:
            self._readers.put(borrowed)

    def _series_id(self, reading: Reading, fresh: dict[tuple[str, str, str], int]) -> int:
        key = (reading.quantity, reading.site, reading.sensor)
        known = self._series.get(key) or fresh.get(key)
        if known is None:
            self._writer.execute("INSERT OR IGNORE INTO series (quantity, site, sensor) VALUES (?, ?, ?)", key)
            found = self._writer.execute("SELECT id FROM series WHERE quantity = ? AND site = ? AND sensor = ?", key)
            known = fresh[key] = int(found.fetchone()[0])
        return known

    def _remember(self, fresh: dict[tuple[str, str, str], int]) -> None:
        """Only after the commit: a rolled back series has no id."""
        if len(self._series) + len(fresh) > MAX_CACHED_SERIES:
            self._series.clear()
        self._series.update(fresh)


def _with_marks(statement: str, values: Sequence[str]) -> str:
    return statement.replace("{marks}", ", ".join("?" * len(values)))
