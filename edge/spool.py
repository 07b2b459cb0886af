"""Readings on disk until the database has them.

A reading is accepted once `append` or `keep` has returned: it is on the medium then. It leaves the file
only by `drop` (ingest has it in the database), `refuse` (ingest cannot use it: the quarantine table) or because the file is full.

A batch is a range of row ids. Ids are never used twice (AUTOINCREMENT), and all rows of a range were in the batch when it was
formed, so nonce, first and last name the same rows for ever: a receipt after a restart drops exactly what was stored. The nonce
is the file's own; a spool that was begun anew ignores the receipts of its predecessor.

The time of a row is `at_ms` plus the offset of its boot. Boot 0 stands for the wall clock and has offset 0. A row that was taken
while the clock was not set belongs to this boot, counts from its start, and has no time until the boot gets its offset: one write
stamps them all. A batch ends before the first row without a time.

A full spool and a full disk are one case (`edge.disk`): the oldest rows of the least important kind make room.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from edge import rows as row_ranges
from edge.disk import PAGE_BYTES, Disk, is_full
from edge.observation import Distinct, Observation
from edge.rows import Range
from edge.tables import INSERT, SELECT, STAMPED, STATEMENTS, VERSION, new_nonce
from hoflicht.clock import Clock
from hoflicht.errors import BadConfig, Unavailable
from hoflicht.quantities import QUANTITIES, Kind
from hoflicht.reading import Reading

log = logging.getLogger(__name__)
T = TypeVar("T")

ROW_BYTES = 64  # of the file for one reading, its share of the tree included
SLICE = 1_000  # rows given up at a time, so that a full spool does not pay for a delete at every append
STEP_MS = 1_000  # between the clocks; less is the time between asking the one and the other on a busy machine
MAX_QUARANTINE = 10_000  # rows, some 1 MB; the oldest go first
LAST = 2**63 - 1
LOST_BOOT = "the spool was damaged: when the gateway started is not known"
NEVER_SET = "the clock was never set while the gateway ran"

Row: TypeAlias = tuple[int | None, str, str, str, int, float, int, int]  # id, or None for the next; then as in the table


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


class Heritage(msgspec.Struct):
    """What a spool takes over from a damaged one beside its readings."""

    rows: int = 0  # readings that were there
    dropped: int = 0
    quarantined: int = 0
    boots: dict[int, tuple[str, int | None]] = {}  # name and offset by key
    quarantine: dict[int, list[int | float | str | bytes | None]] = {}  # columns by id


class Spool:
    """One thread's view of the file at `path`; every thread opens its own."""

    def __init__(self, path: Path, limit_bytes: int, clock: Clock, boot: str = "") -> None:
        self._clock = clock
        self._boot = boot or this_boot()
        self._distinct = {kind: Distinct(kind) for kind in Kind}  # each its own: samples would soon push out the events
        self._given_up_to = dict.fromkeys(Kind, 0)  # no older row of that kind is left
        self._is_stamping = False
        self._offset_ms: int | None = None
        self._disk = Disk(path, limit_bytes)
        self._db = self._disk.db
        try:
            self._open()
        except BaseException:
            self._disk.close()
            raise

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was appended is on disk already."""
        self._disk.close()

    def append(self, readings: Sequence[Reading]) -> None:
        """Keep readings with their times; on disk when it returns. Raise Unavailable where nothing at all can be written.

        In a full spool the oldest rows of the least important kind make room; what is less important than all that is there is
        itself given up. Both are counted.
        """
        self._insert(
            [(None, r.site, r.sensor, r.quantity, r.at_ms, r.value, QUANTITIES[r.quantity].kind, STAMPED) for r in readings]
        )

    def keep(self, observations: Sequence[Observation]) -> None:
        """Stamp what was seen and keep it, or keep it until it can be stamped; otherwise as `append`."""
        stamped = self.stamp()
        boot = STAMPED if stamped else self._with_room(self._boot_key)
        offset_ms = self._offset_ms or 0
        rows: list[Row] = []
        for seen in observations:
            kind = QUANTITIES[seen.quantity].kind
            at_ms = self._distinct[kind].at_ms(seen, seen.seen_ms + offset_ms)
            rows.append((None, seen.site, seen.sensor, seen.quantity, at_ms, seen.value, kind, boot))
        self._insert(rows)

    def restore(self, rows: Sequence[Row]) -> None:
        """Keep rows of a damaged spool under their ids, each id once; otherwise as `append`."""
        self._insert(rows)

    def inherit(self, from_damaged: Heritage) -> int:
        """Take over what else there was once all rows are here; return how many readings are known to be lost, now counted."""
        with self._disk.transaction() as db:
            for boot, (name, offset_ms) in from_damaged.boots.items():
                db.execute("INSERT OR IGNORE INTO boots VALUES (?, ?, ?)", (boot, name, offset_ms))
            for identity, columns in from_damaged.quarantine.items():
                db.execute("INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (identity, *columns))
            lost = max(0, from_damaged.rows - self.state().rows)
            db.execute(
                "UPDATE spool SET dropped = dropped + ?, quarantined = ?", (from_damaged.dropped + lost, from_damaged.quarantined)
            )
            self._set_aside("boot NOT IN (SELECT boot FROM boots)", (), LOST_BOOT)
        return lost

    def stamp(self) -> bool:
        """Give all rows of this boot their time once the clock is set; tell whether it is.

        While the clock is trusted it says how far it is from the monotonic one. When it is trusted no more, that distance stays: a
        kernel without a time server for hours is right to the second, and one whose clock was set by hand to a wrong hour is not.
        What has its time keeps it, for it may be in the database already.
        """
        if self._clock.is_set():
            self._trust(self._clock.now_ms() - self._clock.monotonic_ms())
        if self._offset_ms is not None and not self._is_stamping:
            self._with_room(self._stamp)
            self._is_stamping = True
        return self._is_stamping

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
        return self._with_room(lambda: self._forget(rows))

    def refuse(self, rows: Range, reason: str) -> int:
        """Move what ingest cannot use to the quarantine; return how many rows that were."""
        while True:
            try:
                with self._disk.transaction():
                    return self._set_aside("id BETWEEN ? AND ?", (rows.first, rows.last), reason)
            except Unavailable as cause:
                if not is_full(cause) or not self._give_up(Kind.EVENT):
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
        return State(
            rows, pages * PAGE_BYTES, self.last_id(), max(0, age_ms), dropped, quarantined, self._known_offset_ms() is not None
        )

    def _open(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise BadConfig(f"the spool {self._disk.path} has tables of version {version}, this program knows {VERSION}")
        while not self._begun(is_new=version == 0):
            pass
        self._offset_ms = self._known_offset_ms()
        self._disk.hold_reserve()
        self._nonce: str = self._db.execute("SELECT nonce FROM spool").fetchone()[0]

    def _with_room(self, write: Callable[[], T]) -> T:
        """Do a small write; where there is no space for it in the log, make some and do it again."""
        try:
            return write()
        except Unavailable as cause:
            if not is_full(cause):
                raise
            self._disk.start_log_over()
            return write()

    def _begun(self, is_new: bool) -> bool:
        """Do what is to be done at the start; False where a full spool had to give up rows for it, and it is to be done again."""
        try:
            self._begin()
        except Unavailable as cause:
            if is_new or not is_full(cause) or not self._give_up(Kind.EVENT):
                raise
            return False
        return True

    def _begin(self) -> None:
        with self._disk.transaction() as db:
            # Asked with the lock: another thread may have been faster.
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in STATEMENTS:
                    db.execute(statement)
                db.execute("INSERT INTO spool VALUES (?, 0, 0, 0)", (new_nonce(),))
            self._settle_earlier_boots()

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
        with self._disk.transaction() as db:
            gone = db.execute("DELETE FROM readings WHERE id BETWEEN ? AND ?", (rows.first, rows.last)).rowcount
            db.execute("UPDATE spool SET rows = rows - ?", (gone,))
        return gone

    def _insert(self, rows: Sequence[Row]) -> None:
        if self._try_insert(rows):
            return
        for kind in sorted(Kind, reverse=True):
            ours = [row for row in rows if row[6] == kind]
            while ours and not self._try_insert(ours):
                if not self._give_up(up_to=kind):
                    with self._disk.transaction() as db:
                        db.execute("UPDATE spool SET dropped = dropped + ?", (len(ours),))
                    break

    def _try_insert(self, rows: Sequence[Row]) -> bool:
        try:
            with self._disk.transaction() as db:
                count = db.executemany(INSERT, rows).rowcount
                db.execute("UPDATE spool SET rows = rows + ?", (count,))
        except Unavailable as cause:
            if is_full(cause):
                return False
            raise
        return True

    def _give_up(self, up_to: Kind) -> int:
        """Delete a slice of the oldest rows of the least important kind; 0 where there is none up to that kind."""
        self._disk.start_log_over()
        for kind in (kind for kind in sorted(Kind) if kind <= up_to):
            with self._disk.transaction() as db:
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

    def _trust(self, offset_ms: int) -> None:
        if self._offset_ms is not None and abs(offset_ms - self._offset_ms) > STEP_MS:
            log.warning("the clock was set by %+.0f s; what has its time keeps it", (offset_ms - self._offset_ms) / 1000)
        self._offset_ms = offset_ms

    def _stamp(self) -> None:
        with self._disk.transaction() as db:
            db.execute("INSERT INTO boots (name, offset_ms) VALUES (?, NULL) ON CONFLICT DO NOTHING", (self._boot,))
            db.execute("UPDATE boots SET offset_ms = ? WHERE name = ? AND offset_ms IS NULL", (self._offset_ms, self._boot))

    def _boot_key(self) -> int:
        with self._disk.transaction() as db:
            db.execute("INSERT INTO boots (name, offset_ms) VALUES (?, NULL) ON CONFLICT DO NOTHING", (self._boot,))
            return int(db.execute("SELECT boot FROM boots WHERE name = ?", (self._boot,)).fetchone()[0])

    def _known_offset_ms(self) -> int | None:
        """The distance of the clocks as it was when the clock was first trusted in this boot."""
        found = self._db.execute("SELECT offset_ms FROM boots WHERE name = ?", (self._boot,)).fetchone()
        return found[0] if found else None

    def _last_with_time(self) -> int:
        first_without = self._db.execute(
            f"SELECT min(id) FROM readings WHERE boot != {STAMPED} AND boot IN (SELECT boot FROM boots WHERE offset_ms IS NULL)"
        ).fetchone()[0]
        return LAST if first_without is None else first_without - 1


def this_boot() -> str:
    """The kernel's name for the time since the machine was started."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
