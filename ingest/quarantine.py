"""What was refused, kept on disk until a person has looked at it, repaired the catalogue, and brought it in."""

import argparse
import hashlib
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from prometheus_client import Counter

from hoflicht import senml
from hoflicht.catalogue import load_city
from hoflicht.clock import SystemClock
from hoflicht.config import beside, load
from hoflicht.errors import BadConfig, BadPayload, Refused, Unavailable
from hoflicht.instants import moment
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading
from ingest.checks import Checks, Complaint
from ingest.config import IngestConfig
from ingest.verdict import Faulty, judge, refused
from store.file import File
from store.readings import Store, open_configured

APPLICATION_ID = 0x686F6671  # "hofq" in the file's header: this file is ours
MAX_ROWS = 20_000
MAX_BYTES = 64 * 1024 * 1024  # of packs: a poisoned gateway must not fill the server's disk
DROPPED = Counter("hoflicht_ingest_quarantine_dropped", "Packs that were given up because the quarantine was full")
# `digest` is the time of arrival and the SHA-256: by the time they come in order, so that a group changes one page of the index and
# not another one for each pack; the same pack is found by what is remembered. Rows of older versions have the SHA-256 alone.
SCHEMA = """
CREATE TABLE IF NOT EXISTS packs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_ms INTEGER NOT NULL, gateway TEXT NOT NULL, fault TEXT NOT NULL,
    reason TEXT NOT NULL, pack BLOB NOT NULL, size INTEGER NOT NULL, times INTEGER NOT NULL, digest BLOB NOT NULL UNIQUE
);
"""
# What each gateway has here, kept by the database itself: counting all rows at each group would cost more the fuller it is.
SHARES = (
    "CREATE TABLE IF NOT EXISTS shares (gateway TEXT PRIMARY KEY, packs INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT OR IGNORE INTO shares SELECT gateway, count(*), sum(size) FROM packs GROUP BY gateway",
    """CREATE TRIGGER IF NOT EXISTS pack_added AFTER INSERT ON packs BEGIN
        INSERT INTO shares VALUES (NEW.gateway, 1, NEW.size)
        ON CONFLICT (gateway) DO UPDATE SET packs = packs + 1, bytes = bytes + excluded.bytes;
    END""",
    """CREATE TRIGGER IF NOT EXISTS pack_dropped AFTER DELETE ON packs BEGIN
        UPDATE shares SET packs = packs - 1, bytes = bytes - OLD.size WHERE gateway = OLD.gateway;
        DELETE FROM shares WHERE gateway = OLD.gateway AND packs = 0;
    END""",
    "DROP INDEX IF EXISTS packs_by_gateway",  # of the version that counted
)
ADD = "INSERT INTO packs (received_ms, gateway, fault, reason, pack, size, times, digest) VALUES"
MOST = 100  # packs in one statement, for after each the other threads have their turn; SQLite before 3.32 takes 999 values
COME_SINCE = "SELECT id, substr(digest, -32) FROM packs WHERE id > ? ORDER BY id"
AGAIN = "UPDATE packs SET times = times + 1 WHERE id = ?"
# The oldest of whoever takes the most room: one poisoned gateway does not push out what the others have here.
SHRINK = """
DELETE FROM packs WHERE id IN (
    SELECT id FROM packs WHERE gateway = (SELECT gateway FROM shares ORDER BY bytes + 1000 * packs DESC LIMIT 1)
    ORDER BY id LIMIT ?
)
"""
CHOSEN = """
FROM packs WHERE (:id IS NULL OR id = :id) AND (:gateway = '' OR gateway = :gateway) AND instr(reason, :reason) > 0
"""


class Held(NamedTuple):
    """What is kept of one batch: who sent it, and what is wrong with which bytes."""

    gateway: str
    faulty: Faulty


class Row(NamedTuple):
    """What is kept, without its bytes; `received_ms` is the first time, `times` how often the same came.

    `fault` and `reason` have a line for each of theirs.
    """

    id: int
    received_ms: int
    gateway: str
    fault: str
    reason: str
    size: int
    times: int

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each of them."""
        return tuple(self.reason.split("\n"))


class Choice(NamedTuple):
    """Which rows are meant: all that fit every field that is not empty; `reason` is any part of one of theirs."""

    id: int | None = None
    gateway: str = ""
    reason: str = ""


ALL = Choice()
MAX_SHOWN = 2_000  # characters of something that is no pack
DONE, FAILED = 0, 1


class Quarantine:
    """The file at `path`, which is made when there is none; several processes may use it, each from one thread at a time.

    Bounded in rows and bytes. All raises Unavailable where the disk is full or another process holds the file.
    """

    def __init__(self, path: Path, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> None:
        self._file = File(path, APPLICATION_ID, SCHEMA)
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._numbers: dict[bytes, int] = {}  # by SHA-256, of what is here and of what has gone; 8 MB at most
        self._last = 0
        self._connection = self._file.connect()
        self._connection.execute("PRAGMA temp_store = MEMORY")  # else each group would make a file and remove it
        self._make_shares()

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def add(self, held: Sequence[Held], now_ms: int) -> None:
        """Keep `held`, on disk when this returns; what is here already is counted once more."""
        if held:
            with self._changing():
                self._add(held, now_ms)

    def replace(self, number: int, held: Sequence[Held], now_ms: int) -> None:
        """Keep `held` instead of the row `number`; nothing is lost in between."""
        with self._changing():
            self._connection.execute("DELETE FROM packs WHERE id = ?", (number,))
            self._add(held, now_ms)

    def room(self) -> tuple[int, int]:
        """How many packs are here, and how many bytes they have."""
        with self._lock, self._file.translated():
            return self._room()

    def rows(self, choice: Choice = ALL) -> list[Row]:
        """What is kept, oldest first."""
        with self._file.translated():
            found = self._connection.execute(
                f"SELECT id, received_ms, gateway, fault, reason, size, times {CHOSEN} ORDER BY id", choice._asdict()
            )
            return [Row(*row) for row in found]

    def pack(self, number: int) -> bytes | None:
        """The bytes of the row `number`; None where it is gone."""
        with self._file.translated():
            found = self._connection.execute("SELECT pack FROM packs WHERE id = ?", (number,)).fetchone()
        return bytes(found[0]) if found else None

    def drop(self, choice: Choice) -> int:
        """Give up what `choice` means and nothing else has a reason to keep; return how many rows that were."""
        with self._changing():
            chosen = [row.id for row in self.rows(choice) if all(choice.reason in reason for reason in row.reasons)]
            self._connection.executemany("DELETE FROM packs WHERE id = ?", [(number,) for number in chosen])
        return len(chosen)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock, self._file.transaction(self._connection):
            self._learn()
            yield

    def _learn(self) -> None:
        """Remember what has come in since, by us or another process; before we change anything, for that may be undone."""
        if len(self._numbers) > 2 * self._max_rows:  # at least half of them are gone
            self._numbers, self._last = {}, 0
        for number, digest in self._connection.execute(COME_SINCE, (self._last,)):
            self._numbers[digest] = self._last = number

    def _add(self, held: Sequence[Held], now_ms: int) -> None:
        fresh: dict[bytes, tuple[object, ...]] = {}
        times: dict[bytes, int] = {}
        for one in held:
            digest, columns = _columns(one, now_ms)
            if digest in fresh or not self._counts_again(digest):
                fresh[digest] = columns
                times[digest] = times.get(digest, 0) + 1
        rows = [(*columns, times[digest], now_ms.to_bytes(8, "big") + digest) for digest, columns in fresh.items()]
        for first in range(0, len(rows), MOST):
            some = rows[first : first + MOST]
            self._connection.execute(ADD + ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * len(some)), list(chain.from_iterable(some)))
        self._shrink()

    def _counts_again(self, digest: bytes) -> bool:
        """Count this pack once more, if it is here."""
        number = self._numbers.get(digest)
        return number is not None and self._connection.execute(AGAIN, (number,)).rowcount == 1

    def _shrink(self) -> None:
        packs, size = self._room()
        while packs > self._max_rows or size > self._max_bytes:
            share = max(1, packs // 200)  # in steps, for each looks for the greediest anew
            DROPPED.inc(self._connection.execute(SHRINK, (share,)).rowcount)
            packs, size = self._room()

    def _room(self) -> tuple[int, int]:
        packs, size = self._connection.execute("SELECT total(packs), total(bytes) FROM shares").fetchone()
        return int(packs), int(size)

    def _make_shares(self) -> None:
        with self._file.translated():
            made = self._connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'shares'").fetchone()[0]
        if not made:
            with self._changing():
                for statement in SHARES:
                    self._connection.execute(statement)


def _columns(held: Held, now_ms: int) -> tuple[bytes, tuple[object, ...]]:
    faults, reasons, pack = "\n".join(held.faulty.faults), "\n".join(held.faulty.reasons), held.faulty.pack
    digest = hashlib.sha256(b"\0".join([held.gateway.encode(), reasons.encode(), pack])).digest()
    return digest, (now_ms, held.gateway, faults, reasons, pack, len(pack))


def main(argv: list[str]) -> int:
    """Run `hoflicht quarantine list|show|retry|drop CONFIG`."""
    parser = argparse.ArgumentParser(
        prog="hoflicht quarantine",
        description="Look at what ingest has refused; after the repair (often a line in the catalogue) bring it in with retry.",
        epilog="--id, --gateway and --reason narrow each action down; drop wants at least one of them. ingest may keep running.",
    )
    parser.add_argument("action", choices=["list", "show", "retry", "drop"], help="show prints the readings of each pack")
    parser.add_argument("config", type=Path, help="the TOML file of ingest")
    parser.add_argument("--id", type=int, metavar="N", help="only this one")
    parser.add_argument("--gateway", default="", metavar="ID", help="only what this gateway sent")
    parser.add_argument("--reason", default="", metavar="TEXT", help="only where the reason holds this text")
    options = parser.parse_args(argv)
    config = load(options.config, IngestConfig)
    choice = Choice(options.id, options.gateway, options.reason)
    with closing(Quarantine(beside(options.config, config.quarantine))) as quarantine:
        if options.action == "retry":
            with closing(open_configured(config.store, options.config)) as store:
                return _retry(quarantine, choice, _checks(config, options.config), store)
        if options.action == "drop":
            _drop(quarantine, choice)
        elif options.action == "show":
            checks = _checks(config, options.config)
            for row in quarantine.rows(choice):
                _say(_described(row, quarantine.pack(row.id) or b"", checks))
        else:
            _say(_listed(quarantine.rows(choice)))
    return DONE


def _checks(config: IngestConfig, path: Path) -> Checks:
    return Checks(load_city(beside(path, config.city)))


def _drop(quarantine: Quarantine, choice: Choice) -> None:
    if choice == ALL:
        raise BadConfig("drop gives packs up for ever: say which, by --id, --gateway or --reason")
    dropped = quarantine.drop(choice)
    left = len(quarantine.rows(choice))
    _say(
        f"dropped {dropped} packs"
        + (f"; {left} stay, for they hold other faults too: retry them, or drop them by --id" if left else "")
    )


def retry(quarantine: Quarantine, row: Row, checks: Checks, store: Store, now_ms: int) -> int:
    """Try one pack again as if it came now; keep what is still refused; return how many readings the store has taken."""
    pack = quarantine.pack(row.id)
    if pack is None:
        return 0  # somebody else was quicker
    try:
        verdict = judge(checks, row.gateway, pack, now_ms)
    except BadPayload:
        return 0  # no pack then, no pack now
    rejected = store.write(verdict.readings) if verdict.readings else []
    left = [one for one in (verdict.faulty, refused(rejected)) if one is not None]
    if [(one.reasons, one.pack) for one in left] != [(row.reasons, pack)]:
        quarantine.replace(row.id, [Held(row.gateway, one) for one in left], now_ms)
    return len(verdict.readings) - len(rejected)


def _retry(quarantine: Quarantine, choice: Choice, checks: Checks, store: Store) -> int:
    rows = quarantine.rows(choice)
    readings = packs = 0
    code = DONE
    try:
        for row in rows:
            stored = retry(quarantine, row, checks, store, SystemClock().now_ms())
            readings += stored
            packs += 1 if stored else 0
    except (Unavailable, Refused) as cause:
        sys.stderr.write(f"hoflicht quarantine: stopped: {cause}\n")
        code = FAILED
    left = len(quarantine.rows(choice))
    _say(f"tried {len(rows)} packs: {readings} readings of {packs} packs are in the store, {left} packs stay")
    return code


def _listed(rows: Sequence[Row]) -> str:
    if not rows:
        return "the quarantine holds nothing of that kind"
    lines = [f"{'id':>6}  {'first came (UTC)':<16}  {'gateway':<20}  {'times':>6}  {'bytes':>7}  reason"]
    lines += [
        f"{r.id:>6}  {_stamp(r.received_ms)}  {r.gateway:<20}  {r.times:>6}  {r.size:>7}  {_in_short(r.reasons)}" for r in rows
    ]
    return "\n".join(lines)


def _in_short(reasons: Sequence[str]) -> str:
    first, *others = reasons
    return f"{first} (and {len(others)} more)" if others else first


def _described(row: Row, pack: bytes, checks: Checks) -> str:
    """Each reading with what the present catalogue has against it."""
    head = f"{row.id}: {row.gateway}, first came {_stamp(row.received_ms)} UTC, {row.times} times"
    head = "\n".join([head, *(f"  {reason}" for reason in row.reasons)])
    try:
        decoded = senml.decode(pack)
    except BadPayload:
        return f"{head}\n    {pack[:MAX_SHOWN]!r}"
    lines = [_as_text(one, checks.complaint(row.gateway, one, row.received_ms)) for one in decoded.readings]
    lines += [f"    {bad.pack[:MAX_SHOWN]!r}  ({bad.reason})" for bad in decoded.bad]
    return "\n".join([head, *lines])


def _as_text(reading: Reading, complaint: Complaint | None) -> str:
    unit = QUANTITIES[reading.quantity].unit
    name = f"{reading.site}/{reading.sensor}/{reading.quantity}"
    return f"    {_stamp(reading.at_ms)}  {name} = {reading.value:g} {unit}" + (f"  ({complaint.reason})" if complaint else "")


def _stamp(at_ms: int) -> str:
    return moment(at_ms).strftime("%Y-%m-%d %H:%M")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
