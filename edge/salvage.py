"""A damaged spool: set aside, and what SQLite can still read of it taken over into a new one."""

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from edge.spool import Spool
from edge.tables import SELECT
from hoflicht.clock import Clock
from hoflicht.errors import BadConfig
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading, is_id

log = logging.getLogger(__name__)

SLICE = 1_000  # readings taken over at a time


def mend(path: Path, limit_bytes: int, clock: Clock) -> int:
    """Leave a sound spool or none at `path`; return how many readings of a damaged one were taken over into a new one."""
    if not path.exists() or _is_sound(path):
        return 0
    aside = path.with_name(f"{path.name}.corrupt-{clock.now_ms()}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            shutil.move(part, aside.with_name(aside.name + suffix))
    saved = 0
    with Spool(path, limit_bytes, clock) as spool:
        for readings in _slices(aside):
            spool.append(readings)
            saved += len(readings)
    log.error("the spool %s was damaged; %d readings of it were saved, the file is kept as %s", path, saved, aside)
    return saved


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as db:
            return bool(db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError as cause:  # locked, or no right to read it: not the file's fault
        raise BadConfig(f"the spool {path} cannot be opened: {cause}") from cause
    except sqlite3.DatabaseError:
        return False


def _slices(damaged: Path) -> Iterator[list[Reading]]:
    readings: list[Reading] = []
    for reading in _readable(damaged):
        readings.append(reading)
        if len(readings) == SLICE:
            yield readings
            readings = []
    if readings:
        yield readings


def _readable(damaged: Path) -> Iterator[Reading]:
    """Rows from the front up to the damage, then from the back down to it."""
    front = 0
    with closing(sqlite3.connect(damaged)) as db:
        for row in _rows(db, f"{SELECT} ORDER BY id"):
            front = row[0]
            yield from _reading(row)
        for row in _rows(db, f"{SELECT} WHERE id > {front} ORDER BY id DESC"):
            yield from _reading(row)


def _rows(db: sqlite3.Connection, select: str) -> Iterator[tuple[Any, ...]]:
    try:
        yield from db.execute(select)
    except sqlite3.DatabaseError as cause:
        log.debug("the damaged spool ends here: %s", cause)


def _reading(row: tuple[Any, ...]) -> Iterator[Reading]:
    """The row as a reading, if the damage has left it one."""
    try:
        reading = msgspec.convert(dict(zip(Reading.__struct_fields__, row[1:], strict=True)), Reading)
    except msgspec.ValidationError:
        return
    quantity = QUANTITIES.get(reading.quantity)
    if quantity is not None and quantity.low <= reading.value <= quantity.high and is_id(reading.site) and is_id(reading.sensor):
        yield reading
