"""A SQLite file of ours: opened, recognised, its errors sorted."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hoflicht import wal
from hoflicht.errors import BadConfig, Unavailable

BUSY_MS = 1_000  # wait for another process's write; a group takes some 50 ms
AWAY = {  # what may pass without a person editing a file
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}
BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class File:
    """The database at `path`; `owner` stands in its header (application_id) and tells one kind of ours from all others.

    Connections may be used from any thread, from one at a time.
    """

    def __init__(self, path: Path, owner: int, schema: str) -> None:
        self._path = path
        self._owner = owner
        self._schema = schema

    def connect(self) -> sqlite3.Connection:
        """Open the file, make it where there is none; raise BadConfig where it is not ours, Unavailable where it is locked."""
        try:
            connection = sqlite3.connect(self._path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
        except sqlite3.OperationalError as cause:
            raise BadConfig(f"{self._path}: {cause}; is the folder there and writable?") from cause
        try:
            with self.translated():
                self._make_ours(connection)
                # FULL, not NORMAL: WAL with NORMAL may lose the last commits on power loss (sqlite.org/pragma.html).
                connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Commit what the block does, durably; undo it where the block or the commit fails."""
        with self.translated():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn SQLite's errors into ours: locked or full is Unavailable, corrupt is BadConfig, a bug stays what it is."""
        try:
            yield
        except sqlite3.DatabaseError as cause:
            code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code (sqlite.org/rescode.html)
            if code in AWAY:
                raise Unavailable(f"{self._path}: {cause}") from cause
            if code in BROKEN:
                raise BadConfig(f"{self._path}: {cause}; move the file away or name another one") from cause
            raise

    def _make_ours(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")  # both looks see one moment: another process may be making the file just now
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        connection.execute("COMMIT")
        if owner == self._owner:
            return
        if tables:
            raise BadConfig(f"{self._path}: another program's database; name another file")
        wal.turn_on(connection, BUSY_MS / 1000)
        # Together with the schema, so that no other process ever sees the tables without their owner.
        connection.executescript(f"BEGIN IMMEDIATE; {self._schema} PRAGMA application_id = {self._owner}; COMMIT;")
