"""What staff did with their keys: one line each, on disk before anything is done, and never changed.

A call that changes something has two: `asked` before, and what became of it. So the trail knows of a call that a power cut ended
half way, and what cannot be written down is not done. Whoever shows no valid key leaves no line: strangers must not fill it.
"""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from api.staff.lock import locked
from hoflicht import atomic

ASKED = "asked"
MAX_BYTES = 1_000_000  # of one file, some 6 000 lines
KEPT = 10  # older files: with what one key may ask for at most (door.py) a day, as staff use it years
MODE = 0o600


class Entry(msgspec.Struct, frozen=True):
    """Who did what, when, and what became of it."""

    at: dt.datetime
    key: str  # its id
    name: str  # whose it is
    what: str
    outcome: str


class Audit:
    """The trail in the file at `path` and its older ones, `path`.1 the youngest of them."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes

    def add(self, entry: Entry) -> None:
        """Write `entry`; it is on disk when this returns. Raises OSError where that cannot be."""
        line = msgspec.json.encode(entry) + b"\n"
        folder = self._path.parent
        with locked(folder):
            self._rotate()
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, MODE)
            with os.fdopen(descriptor, "ab") as file:
                atomic.hand_over(descriptor, folder)
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    line = b"\n" + line  # a power cut tore the last one
                file.write(line)
                file.flush()
                os.fsync(descriptor)
            atomic.sync(folder)

    def entries(self) -> Iterator[Entry]:
        """All that is kept, oldest first; what is torn is left out."""
        for path in (*reversed([self._older(n) for n in range(1, KEPT + 1)]), self._path):
            try:
                lines = path.read_bytes().splitlines()
            except FileNotFoundError:
                continue
            for line in lines:
                try:
                    yield msgspec.json.decode(line, type=Entry)
                except msgspec.DecodeError:
                    continue

    def _rotate(self) -> None:
        if not self._path.exists() or self._path.stat().st_size < self._max_bytes:
            return
        for n in range(KEPT, 1, -1):
            if self._older(n - 1).exists():
                self._older(n - 1).replace(self._older(n))
        self._path.replace(self._older(1))

    def _older(self, n: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{n}")
