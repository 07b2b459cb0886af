"""A damaged spool: set aside, and what its pages still hold taken over into a new one, without a hand.

Row ids are never used twice and rows do not change, so it does not matter in which version of a page a row is found. What was sent
already may be found again and goes once more, which changes nothing.

    damaged file → `<spool>.damaged`, its log after it → `<spool>.mending` is filled → takes the spool's place → the damaged one is
    kept as `<spool>.corrupt-<time>`

A crash at any arrow: the next start goes on there, and begins filling anew. SQLite knows only whether its log is whole, not its
pages: a value that was changed inside a page that is otherwise sound is not found out.
"""

import itertools
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from edge import pages
from edge.disk import BUSY_S, PAGE_BYTES, translated
from edge.reserve import Reserve
from edge.spool import Heritage, Row, Spool
from edge.tables import STATEMENTS, VERSION
from hoflicht import atomic
from hoflicht.clock import Clock
from hoflicht.errors import BadConfig, Unavailable
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import is_id
from hoflicht.senml import MAX_TIME_S

log = logging.getLogger(__name__)

SLICE = 1_000  # readings taken over at a time
MAX_LOG_BYTES = 16_000_000  # of a log that is looked through; usually it has 1 MB
MAX_TIME_MS = int(MAX_TIME_S) * 1000
QUARANTINE_COLUMNS = 8
# What the program relies on in every row; SQLite would hand out a text where a number should be. Names are for ingest to check.
PLAUSIBLE = (
    f"typeof(at_ms) = 'integer' AND at_ms BETWEEN -{MAX_TIME_MS} AND {MAX_TIME_MS} AND typeof(value) = 'real'"
    " AND value BETWEEN -1e15 AND 1e15 AND boot IN (SELECT boot FROM boots)"
)


def mend(path: Path, limit_bytes: int, clock: Clock) -> int:
    """Leave a sound spool or none at `path`; return how many readings of a damaged one were taken over.

    Raise Unavailable where the disk does not take it now.
    """
    damaged = _part(path, ".damaged")
    if not damaged.exists():
        if not path.exists():
            return 0
        if not os.access(path, os.R_OK | os.W_OK):
            raise BadConfig(f"the spool {path} cannot be opened: may we read and write it?")
        log_before = _log_of(path)
        if _is_sound(path):
            return _add_lost_end(path, limit_bytes, clock, log_before)
        _rename(path, damaged)
    saved = 0 if path.exists() else _take_over(damaged, path, limit_bytes, clock)
    _keep_aside(damaged, path, limit_bytes, clock)
    return saved


def _is_sound(path: Path) -> bool:
    """Whether it is a spool, new or used; one of a later version is sound and none of ours to mend."""
    if path.stat().st_size % PAGE_BYTES:  # SQLite would fill up the page that was cut, and half a number looks like one
        return False
    try:
        return _looks_sound(path)
    except Unavailable:
        if not Reserve(path).give():  # a full disk has no room for the index of the log
            raise
        return _looks_sound(path)


def _looks_sound(path: Path) -> bool:
    # Read-only, for at its end SQLite would delete a log of which it can read nothing.
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with translated(path), closing(sqlite3.connect(uri, timeout=BUSY_S, uri=True)) as db:
            db.execute("BEGIN")  # one view of it: whoever else appends meanwhile does not make it look wrong
            version = db.execute("PRAGMA user_version").fetchone()[0]
            tables = db.execute("SELECT sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY rowid").fetchall()
            if db.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                return False
            ours = {(statement,) for statement in STATEMENTS if statement.startswith("CREATE")}
            if not ours <= set(tables):  # what somebody added, an index or a trigger, harms nothing
                return version > VERSION or not tables
            counted = db.execute("SELECT rows FROM spool").fetchall()
            wall_clock = db.execute("SELECT offset_ms FROM boots WHERE boot = 0").fetchall()
            rows, plausible = db.execute(f"SELECT count(*), total({PLAUSIBLE}) FROM readings").fetchone()
            return bool(version == VERSION and counted == [(rows,)] and wall_clock == [(0,)] and plausible == rows)
    except (sqlite3.DatabaseError, UnicodeDecodeError):  # the latter where SQLite's own message quotes what is damaged
        return False


def _add_lost_end(path: Path, limit_bytes: int, clock: Clock, log_before: bytes) -> int:
    """Put back what stood in the log behind a place that cannot be read: SQLite drops all of that."""
    with Spool(path, limit_bytes, clock) as spool:
        last = spool.last_id()
        found = [row for row in _readings(pages.in_log(log_before), Heritage()) if (row[0] or 0) > last]
        if not found:
            return 0
        before = spool.state().rows
        spool.restore(found)
        saved = spool.state().rows - before
    log.error("the log of the spool %s was damaged; %d readings of it were saved", path, saved)
    return saved


def _take_over(damaged: Path, path: Path, limit_bytes: int, clock: Clock) -> int:
    if _part(path, "-wal").exists():
        _rename(_part(path, "-wal"), _part(damaged, "-wal"))
    _part(path, "-shm").unlink(missing_ok=True)
    mending = _part(path, ".mending")
    for suffix in ("", "-wal", "-shm"):
        _part(mending, suffix).unlink(missing_ok=True)
    Reserve(path).give()
    with Spool(mending, limit_bytes, clock) as spool:
        lost = _fill(spool, damaged)
        saved = spool.state().rows
    Reserve(mending).give()
    _rename(mending, path)
    log.error("the spool %s was damaged; %d readings of it were saved, %d lost", path, saved, lost)
    return saved


def _fill(spool: Spool, damaged: Path) -> int:
    """Take over what can be read; return how many readings are known to be lost."""
    heritage = Heritage()
    with damaged.open("rb") as file:
        rows = _readings(itertools.chain(pages.in_use(file), pages.in_log(_log_of(damaged))), heritage)
        while some := list(itertools.islice(rows, SLICE)):
            spool.restore(some)
    return spool.inherit(heritage)


def _keep_aside(damaged: Path, path: Path, limit_bytes: int, clock: Clock) -> None:
    """Keep the damaged file for a person, one at a time, and none where the spool will need its space."""
    for older in path.parent.glob(f"{path.name}.corrupt-*"):
        older.unlink()
    aside = _part(path, f".corrupt-{clock.now_ms()}")
    has_room = shutil.disk_usage(path.parent).free >= limit_bytes
    for suffix in ("-wal", ""):  # the file itself last: as long as it is there we are not done
        part = _part(damaged, suffix)
        if part.exists() and has_room:
            _rename(part, _part(aside, suffix))
        part.unlink(missing_ok=True)
    log.error("the damaged file is %s", f"kept as {aside}" if has_room else "not kept: there is no room for it")


def _readings(leaves: Iterator[bytes], heritage: Heritage) -> Iterator[Row]:
    """The readings on `leaves`, as far as the damage has left them plausible; what else stands there goes into `heritage`."""
    for identity, values in itertools.chain.from_iterable(map(pages.rows, leaves)):
        match values:
            case [None, str(site), str(sensor), str(quantity), int(at_ms), int() | float() as value, int(), int(boot)]:
                known = QUANTITIES.get(quantity)
                if known and known.low <= value <= known.high and is_id(site) and is_id(sensor) and abs(at_ms) < MAX_TIME_MS:
                    yield identity, site, sensor, quantity, at_ms, float(value), known.kind, boot
            case _:
                _note(heritage, identity, values)


def _note(heritage: Heritage, identity: int, values: list[pages.Value]) -> None:
    """Where a row is found twice the later one is right: the log comes after the file."""
    match values:
        case [None, str(name), None | int() as offset_ms]:
            if offset_ms is not None or identity not in heritage.boots:
                heritage.boots[identity] = (name, offset_ms)
        case [str(), int(rows), int(dropped), int(quarantined)]:
            heritage.rows, heritage.dropped, heritage.quarantined = rows, dropped, quarantined
        case [None, *_, str(), int()] if len(values) == QUARANTINE_COLUMNS:
            heritage.quarantine[identity] = values[1:]


def _log_of(path: Path) -> bytes:
    log_file = _part(path, "-wal")
    if not log_file.exists():
        return b""
    with log_file.open("rb") as file:
        return file.read(MAX_LOG_BYTES)


def _rename(path: Path, to: Path) -> None:
    path.rename(to)
    atomic.sync(path.parent)


def _part(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
