"""Readings on disk until the database has them.

A reading is accepted once `append` or `keep` has returned: WAL with synchronous=FULL has it on the medium then. It leaves the file
only by `drop` (ingest has it in the database), `refuse` (ingest cannot use it: the quarantine table) or because the file is full.

A batch is a range of row ids. Ids are never used twice (AUTOINCREMENT), and all rows of a range were in the batch when it was
formed, so `<nonce>-<first>-<last>` names the same rows for ever: a receipt after a restart drops exactly what was stored. The nonce
is the file's own; a spool that was begun anew ignores the receipts of its predecessor.

The time of a row is `at_ms` plus the offset of its boot. Boot 0 stands for the wall clock and has offset 0. A row that was taken
while the clock was not set belongs to this boot, counts from its start, and has no time until the boot gets its offset: one write
stamps them all. A batch ends before the first row without a time.

SQLite itself keeps the limit (max_page_count), so that a full spool and a full disk are one case, SQLITE_FULL.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import msgspec

from edge import rows as row_ranges
from edge.observation import Distinct, Observation
from edge.reserve import Reserve
from edge.rows import Range
from edge.tables import INSERT, SCHEMA, SELECT, STAMPED, VERSION
from hoflicht import wal
from hoflicht.clock import Clock
from hoflicht.errors import BadConfig, Unavailable
from hoflicht.quantities import QUANTITIES, Kind
from hoflicht.reading import Reading

PAGE_BYTES = 4_096
LOG_PAGES = 250  # 1 MB, half of the reserve
SMALLEST_BYTES = 1_000_000  # below, giving up rows would be all it does
BUSY_S = 30.0  # another thread commits in milliseconds, but a worn card may stall for seconds
ROW_BYTES = 64  # of the file for one reading, its share of the tree included
SLICE = 1_000  # rows given up at a time, so that a full spool does not pay for a delete at every append
MAX_QUARANTINE = 10_000  # rows, some 1 MB; the oldest go first
LAST = 2**63 - 1
NEVER_SET = "the clock was never set while the gateway ran"

AWAY = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)

Row: TypeAlias = tuple[str, str, str, int, float, int, int]


class Batch(msgspec.Struct, frozen=True):
    """All rows of a range, in the order of their ids."""

    range: Range
    readings: list[Reading]


class State(msgspec.Struct, frozen=True):
    """What the spool says of itself; `dropped` and `quarantined` count since the file was made."""

    rows: int
    bytes: int
    last_id: int
    age_ms: int  # of the oldest reading; 0 where there is none
    dropped: int
    quarantined: int
    is_stamping: bool  # the clock is set, or was in this boot


class Spool:
    """One thread's view of the file at `path`; every thread opens its own."""

    def __init__(self, path: Path, limit_bytes: int, clock: Clock, boot: str = "") -> None:
        self._path = path
        self._clock = clock
        self._boot = boot or _this_boot()
        self._distinct = Distinct()
        self._reserve = Reserve(path)
        self._most_pages = max(limit_bytes, SMALLEST_BYTES) // PAGE_BYTES
        self._given_up_to = dict.fromkeys(Kind, 0)  # no older row of that kind is left
        self._is_stamping = False
        try:
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        except sqlite3.OperationalError as cause:
            raise BadConfig(f"the spool {path} cannot be opened ({cause}); does its folder exist, may we write there?") from cause
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was appended is on disk already."""
        self._db.close()

    def append(self, readings: Sequence[Reading]) -> None:
        """Keep readings with their times; on disk when it returns. Raise Unavailable where nothing at all can be written.

        In a full spool the oldest rows of the least important kind make room; what is less important than all that is there is
        itself given up. Both are counted.
        """
        self._insert([(r.site, r.sensor, r.quantity, r.at_ms, r.value, QUANTITIES[r.quantity].kind, STAMPED) for r in readings])

    def keep(self, observations: Sequence[Observation]) -> None:
        """Stamp what was seen and keep it, or keep it until it can be stamped; otherwise as `append`."""
        stamped = self.stamp()
        boot = STAMPED if stamped else self._boot_key()
        offset_ms = self._clock.now_ms() - self._clock.monotonic_ms() if stamped else 0
        rows: list[Row] = []
        for seen in observations:
            kind = QUANTITIES[seen.quantity].kind
            at_ms = seen.seen_ms + offset_ms
            at_ms = self._distinct.at_ms(seen, at_ms) if kind is Kind.EVENT else at_ms
            rows.append((seen.site, seen.sensor, seen.quantity, at_ms, seen.value, kind, boot))
        self._insert(rows)

    def stamp(self) -> bool:
        """Give all rows of this boot their time once the clock is set; tell whether it is.

        Once set is set for the rest of the boot: a kernel that has not heard from a time server for hours says "not synchronised"
        of a clock that is right to the second.
        """
        if self._is_stamping or not (self._clock.is_set() or self._was_set()):
            return self._is_stamping
        with self._transaction() as db:
            offset_ms = self._clock.now_ms() - self._clock.monotonic_ms()
            db.execute("INSERT INTO boots (name, offset_ms) VALUES (?, NULL) ON CONFLICT DO NOTHING", (self._boot,))
            db.execute("UPDATE boots SET offset_ms = ? WHERE name = ? AND offset_ms IS NULL", (offset_ms, self._boot))
        self._is_stamping = True
        return True

    def batch(self, first: int, last: int, limit: int, busy: Iterable[Range] = ()) -> Batch | None:
        """The oldest rows of `first`..`last`, at most `limit`, as one range that neither holds nor touches a row of `busy`."""
        last = min(last, self._last_with_time())
        for gap in row_ranges.gaps(Range(first, last), busy):
            rows = self._db.execute(
                f"{SELECT} WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?", (gap.first, gap.last, limit)
            ).fetchall()
            if rows:
                return Batch(Range(rows[0][0], rows[-1][0]), [Reading(*row[1:]) for row in rows])
        return None

    def drop(self, rows: Range) -> int:
        """Forget what the database has; return how many rows that were."""
        try:
            return self._forget(rows)
        except Unavailable as cause:
            if not _is_full(cause):
                raise
            self._start_log_over()
            return self._forget(rows)

    def refuse(self, rows: Range, reason: str) -> int:
        """Move what ingest cannot use to the quarantine; return how many rows that were."""
        while True:
            try:
                with self._transaction():
                    return self._set_aside("id BETWEEN ? AND ?", (rows.first, rows.last), reason)
            except Unavailable as cause:
                if not _is_full(cause) or not self._give_up(Kind.EVENT):
                    raise

    def name(self, rows: Range) -> bytes:
        """What the wire calls these rows."""
        return row_ranges.name(self._nonce, rows)

    def range_of(self, name: bytes) -> Range | None:
        """The range that `name` stands for; None where it is no name of this file's."""
        rows = row_ranges.parse(self._nonce, name)
        return rows if rows is not None and rows.last <= self.last_id() else None

    def last_id(self) -> int:
        """The id of the newest row there has been; 0 before the first."""
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'readings'").fetchone()
        return int(row[0]) if row else 0

    def state(self) -> State:
        """Ask the file about itself."""
        rows, dropped, quarantined = self._db.execute("SELECT rows, dropped, quarantined FROM spool").fetchone()
        pages = self._db.execute("PRAGMA page_count").fetchone()[0] - self._db.execute("PRAGMA freelist_count").fetchone()[0]
        oldest = self._db.execute("SELECT at_ms, offset_ms FROM readings JOIN boots USING (boot) ORDER BY id LIMIT 1").fetchone()
        age_ms = 0
        if oldest is not None:
            at_ms, offset_ms = oldest
            age_ms = self._clock.monotonic_ms() - at_ms if offset_ms is None else self._clock.now_ms() - at_ms - offset_ms
        return State(rows, pages * PAGE_BYTES, self.last_id(), max(0, age_ms), dropped, quarantined, self._was_set())

    def _open(self) -> None:
        db = self._db
        db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        wal.turn_on(db, BUSY_S)
        db.execute("PRAGMA synchronous = FULL")  # WAL with NORMAL may lose the last commits when the power goes
        db.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        self._limit_pages(self._most_pages)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise BadConfig(f"the spool {self._path} has tables of version {version}, this program knows {VERSION}")
        with self._transaction():
            # Asked again with the lock: another thread may have been faster.
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in SCHEMA.strip().split(";\n"):
                    db.execute(statement)
                db.execute("INSERT INTO spool VALUES (?, 0, 0, 0)", (secrets.token_hex(8),))
            self._settle_earlier_boots()
        self._reserve.hold()
        self._nonce: str = db.execute("SELECT nonce FROM spool").fetchone()[0]

    def _settle_earlier_boots(self) -> None:
        others = "name NOT IN ('', ?)"
        unset = f"boot IN (SELECT boot FROM boots WHERE offset_ms IS NULL AND {others})"
        if self._db.execute(f"SELECT 1 FROM readings WHERE {unset} LIMIT 1", (self._boot,)).fetchone():
            self._set_aside(unset, (self._boot,), NEVER_SET)
        unused = f"{others} AND NOT EXISTS (SELECT 1 FROM readings WHERE readings.boot = boots.boot AND readings.boot != {STAMPED})"
        if self._db.execute(f"SELECT 1 FROM boots WHERE {unused}", (self._boot,)).fetchone():
            self._db.execute(f"DELETE FROM boots WHERE {unused}", (self._boot,))

    def _set_aside(self, where: str, values: tuple[object, ...], reason: str) -> int:
        count: int = self._db.execute(
            "INSERT INTO quarantine (site, sensor, quantity, at_ms, value, reason, since_ms)"
            f" SELECT site, sensor, quantity, at_ms, value, ?, ? FROM readings WHERE {where} ORDER BY id",
            (reason, self._clock.now_ms(), *values),
        ).rowcount
        self._db.execute(f"DELETE FROM readings WHERE {where}", values)
        forgotten = self._db.execute(
            "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?", (MAX_QUARANTINE,)
        ).rowcount
        self._db.execute(
            "UPDATE spool SET rows = rows - ?, quarantined = quarantined + ?, dropped = dropped + ?", (count, count, forgotten)
        )
        return count

    def _forget(self, rows: Range) -> int:
        with self._transaction() as db:
            gone = db.execute("DELETE FROM readings WHERE id BETWEEN ? AND ?", (rows.first, rows.last)).rowcount
            db.execute("UPDATE spool SET rows = rows - ?", (gone,))
        return gone

    def _insert(self, rows: Sequence[Row]) -> None:
        if self._try_insert(rows):
            return
        for kind in sorted(Kind, reverse=True):
            ours = [row for row in rows if row[5] == kind]
            while ours and not self._try_insert(ours):
                if not self._give_up(up_to=kind):
                    with self._transaction() as db:
                        db.execute("UPDATE spool SET dropped = dropped + ?", (len(ours),))
                    break

    def _try_insert(self, rows: Sequence[Row]) -> bool:
        try:
            with self._transaction() as db:
                db.executemany(INSERT, rows)
                db.execute("UPDATE spool SET rows = rows + ?", (len(rows),))
        except Unavailable as cause:
            if _is_full(cause):
                return False
            raise
        return True

    def _give_up(self, up_to: Kind) -> int:
        """Delete a slice of the oldest rows of the least important kind; 0 where there is none up to that kind."""
        self._start_log_over()
        for kind in (kind for kind in sorted(Kind) if kind <= up_to):
            with self._transaction() as db:
                oldest = "SELECT id FROM readings WHERE kind = ? AND id > ? ORDER BY id LIMIT ?"
                done = self._given_up_to[kind]
                newest = db.execute(f"SELECT max(id) FROM ({oldest})", (kind, done, SLICE)).fetchone()[0]
                if newest is None:
                    continue
                gone = db.execute("DELETE FROM readings WHERE kind = ? AND id > ? AND id <= ?", (kind, done, newest)).rowcount
                db.execute("UPDATE spool SET rows = rows - ?, dropped = dropped + ?", (gone, gone))
                self._given_up_to[kind] = newest
                return int(gone)
        return 0

    def _start_log_over(self) -> None:
        """On a full disk the log cannot grow; after a checkpoint it is written again from its start, in the space that it has.

        The checkpoint may need space: the reserve. From then on the file grows no more, until there is space for a reserve again.
        """
        if self._reserve.hold():
            self._limit_pages(self._most_pages)
        while True:
            try:
                with self._translated():
                    self._db.execute("PRAGMA wal_checkpoint(RESTART)")
                return
            except Unavailable as cause:
                if not _is_full(cause) or not self._reserve.give():
                    raise
                self._limit_pages(self._db.execute("PRAGMA page_count").fetchone()[0])

    def _limit_pages(self, pages: int) -> None:
        self._db.execute(f"PRAGMA max_page_count = {pages}")

    def _boot_key(self) -> int:
        find = "SELECT boot FROM boots WHERE name = ?"
        found = self._db.execute(find, (self._boot,)).fetchone()
        if found is None:
            with self._transaction() as db:
                db.execute("INSERT INTO boots (name, offset_ms) VALUES (?, NULL) ON CONFLICT DO NOTHING", (self._boot,))
                found = db.execute(find, (self._boot,)).fetchone()
        return int(found[0])

    def _was_set(self) -> bool:
        found = self._db.execute("SELECT 1 FROM boots WHERE name = ? AND offset_ms IS NOT NULL", (self._boot,)).fetchone()
        return found is not None

    def _last_with_time(self) -> int:
        first_without = self._db.execute(
            f"SELECT min(id) FROM readings WHERE boot != {STAMPED} AND boot IN (SELECT boot FROM boots WHERE offset_ms IS NULL)"
        ).fetchone()[0]
        return LAST if first_without is None else first_without - 1

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._translated():
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as cause:
            if cause.sqlite_errorcode & 0xFF not in AWAY:  # the low byte is the error, the rest its shade
                raise
            raise Unavailable(f"{self._path}: {cause}") from cause


def _is_full(cause: Unavailable) -> bool:
    return isinstance(cause.__cause__, sqlite3.OperationalError) and cause.__cause__.sqlite_errorcode == sqlite3.SQLITE_FULL


def _this_boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
