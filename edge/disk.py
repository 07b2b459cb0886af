"""One SQLite file on a disk that may be full, worn or away: what goes wrong is Unavailable, and a reserve makes room to forget.

WAL with synchronous=FULL: what is committed is on the medium. SQLite itself keeps the limit (max_page_count), so that a full file
and a full disk are one case, SQLITE_FULL.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.reserve import Reserve
from hoflicht import wal
from hoflicht.errors import BadConfig, Unavailable

PAGE_BYTES = 4_096
LOG_PAGES = 250  # 1 MB, half of the reserve
CACHE_KB = 256  # of each thread's connection: SQLite's usual 2 MB fill once rows pile up, stay, and save no time (measured)
SMALLEST_BYTES = 1_000_000  # below, giving up rows would be all it does
BUSY_S = 30.0  # another thread commits in milliseconds, but a worn card may stall for seconds

AWAY = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,  # a full disk too: there is no room for the index of the log
    sqlite3.SQLITE_CANTOPEN,  # the log or its index; a missing folder is told when the file itself is opened
    sqlite3.SQLITE_READONLY,
)


class Disk:
    """One thread's connection `db` to the file at `path`, which grows to `limit_bytes` at most."""

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self.path = path
        self._reserve = Reserve(path)
        self._most_pages = max(limit_bytes, SMALLEST_BYTES) // PAGE_BYTES
        try:
            self.db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        except sqlite3.OperationalError as cause:
            raise BadConfig(f"the spool {path} cannot be opened ({cause}); does its folder exist, may we write there?") from cause
        self.db.text_factory = _text
        try:
            self._set_up()
        except BaseException:
            self.db.close()
            raise

    def close(self) -> None:
        """Close the connection; what was committed is on disk already."""
        self.db.close()

    def hold_reserve(self) -> None:
        """Keep space for a full disk; where there is none left for that, the file must not take the rest."""
        if not self._reserve.is_held() and not self._reserve.hold():
            self._grow_no_more()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block or nothing; raise Unavailable where the disk does not take it."""
        with translated(self.path):
            try:
                self.db.execute("BEGIN IMMEDIATE")
                yield self.db
                self.db.execute("COMMIT")
            finally:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")

    def start_log_over(self) -> None:
        """On a full disk the log cannot grow; after a checkpoint it is written again from its start, in the space that it has.

        The checkpoint may need space, and so does a log that is still short: the reserve. From then on the file grows no more,
        until there is space for a reserve again.
        """
        if self._reserve.hold():
            self._limit_pages(self._most_pages)
        while True:
            try:
                with translated(self.path):
                    self.db.execute("PRAGMA wal_checkpoint(RESTART)")
                break
            except Unavailable as cause:
                if not is_full(cause) or not self._reserve.give():
                    raise
                self._grow_no_more()
        if self._room_for_log() < LOG_PAGES * PAGE_BYTES and self._reserve.give():
            self._grow_no_more()

    def _room_for_log(self) -> int:
        log = self.path.with_name(f"{self.path.name}-wal")
        return (log.stat().st_size if log.exists() else 0) + shutil.disk_usage(self.path.parent).free

    def _set_up(self) -> None:
        with translated(self.path):
            self.db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            wal.turn_on(self.db, BUSY_S)
            self.db.execute("PRAGMA synchronous = FULL")  # WAL with NORMAL may lose the last commits when the power goes
            self.db.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
            self.db.execute(f"PRAGMA cache_size = -{CACHE_KB}")
            self._limit_pages(self._most_pages)

    def _grow_no_more(self) -> None:
        self._limit_pages(self.db.execute("PRAGMA page_count").fetchone()[0])

    def _limit_pages(self, pages: int) -> None:
        self.db.execute(f"PRAGMA max_page_count = {pages}")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """What the disk is to blame for becomes Unavailable; a damaged file and a bug do not."""
    try:
        yield
    except sqlite3.OperationalError as cause:
        if cause.sqlite_errorcode & 0xFF not in AWAY:  # the low byte is the error, the rest its shade
            raise
        raise Unavailable(f"{path}: {cause}") from cause


def is_full(cause: Unavailable) -> bool:
    """Whether the file or the disk is full, rather than busy or away."""
    return isinstance(cause.__cause__, sqlite3.OperationalError) and cause.__cause__.sqlite_errorcode == sqlite3.SQLITE_FULL


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")  # a letter that the card has lost must not stop all others
