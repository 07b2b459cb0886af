"""What was accepted, known without asking the product.

A trigger in the spool's file copies each row into a table of the test's own, in the transaction that keeps the row: it is there
if and only if the reading is, whoever appended it and whichever process was killed when. A reader that polls the file would miss
rows that are sent and dropped between two looks; a hook in the product would test another product; and what devices *send* is no
measure, for a port that nobody reads loses its bytes, as a real one does. Feeders keep notes of their own besides
(tests/chaos/feeder.py), so that a trigger that missed something would be found out, and a file that was lost with its trigger too.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hoflicht.reading import Reading

AUDIT = """
CREATE TABLE accepted (site TEXT, sensor TEXT, quantity TEXT, at_ms INTEGER, value REAL, boot INTEGER);
CREATE TRIGGER audit AFTER INSERT ON readings BEGIN
    INSERT INTO accepted VALUES (new.site, new.sensor, new.quantity, new.at_ms, new.value, new.boot);
END;
"""


class Audit:
    """The spool at `path`, from now on with the trigger in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as db:
            db.executescript(AUDIT)

    def accepted(self) -> list[Reading]:
        """Every reading that was ever in the spool, with the time that it has for good."""
        with self._open() as db:
            assert db.execute("SELECT count(*) FROM accepted WHERE boot != 0").fetchone() == (0,)
            return [Reading(*row) for row in db.execute("SELECT site, sensor, quantity, at_ms, value FROM accepted")]

    def lost(self) -> int:
        """How many readings the spool itself counts as given up or set aside."""
        with self._open() as db:
            return int(db.execute("SELECT dropped + quarantined FROM spool").fetchone()[0])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30)) as db:
            yield db
