"""SQLite's write-ahead log, as every file of ours has it."""

import sqlite3
import time

RETRY_S = 0.02


def turn_on(connection: sqlite3.Connection, patience_s: float) -> None:
    """Switch the file to its write-ahead log; raise sqlite3.OperationalError where another connection holds it for longer.

    Switching needs the file alone for a moment, and SQLite's own waiting does not cover that: of two that open a new file at once
    one is told at once that it is locked.
    """
    deadline_s = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as cause:
            if cause.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(RETRY_S)
        else:
            return
