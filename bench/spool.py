"""Readings onto the disk: the spool's group commit beside one row and one commit at a time, both with synchronous=FULL."""

import sqlite3
import tempfile
from pathlib import Path

from bench.duel import Row, duel
from edge.spool import Spool
from hoflicht import Reading
from hoflicht.clock import SystemClock

READINGS = [Reading("hof-nord", "lane-3", "distance", 1_700_000_000_000 + n, float(n)) for n in range(500)]


def rows() -> list[Row]:
    """500 readings, a busy second of a gateway."""
    with tempfile.TemporaryDirectory() as folder:
        plain = sqlite3.connect(Path(folder) / "plain.db", isolation_level=None)
        plain.execute("PRAGMA journal_mode = WAL")
        plain.execute("PRAGMA synchronous = FULL")
        plain.execute("CREATE TABLE readings (site TEXT, sensor TEXT, quantity TEXT, at_ms INTEGER, value REAL)")

        def one_by_one() -> None:
            for r in READINGS:
                plain.execute("INSERT INTO readings VALUES (?, ?, ?, ?, ?)", (r.site, r.sensor, r.quantity, r.at_ms, r.value))

        with Spool(Path(folder) / "spool.db", 100_000_000, SystemClock()) as spool:
            row = duel(
                "500 readings into the spool, one group", lambda: spool.append(READINGS), "SQLite, a commit each", one_by_one
            )
        plain.close()
        return [row]
