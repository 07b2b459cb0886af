"""Appends to a spool as a busy gateway does, and notes each append that has returned: only then its readings are accepted.

`python -m tests.chaos.feeder SPOOL LOG SITE SENSOR START_MS FIRST` is the process; a line of the log is the first number that was
not yet appended, and when that was. What a number reads is a pure function, so that nobody need believe the log about values.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from edge.spool import Spool
from hoflicht.clock import SystemClock
from hoflicht.reading import Reading
from tests.conftest import ROOT

GROUP = 10  # readings in one append
EVERY_S = 0.1
APART_MS = 7
LIMIT_BYTES = 200_000_000


class Accepted(NamedTuple):
    """The numbers below `until` were accepted at `at_s` of the monotonic clock, but for those a kill cut off."""

    until: int
    at_s: float


def reading(site: str, sensor: str, start_ms: int, n: int) -> Reading:
    """The n-th reading of a feeder: two of three are meter readings, the third is a car."""
    if n % 3 == 2:
        return Reading(site, sensor, "passage", start_ms + APART_MS * n, float(1 + n % 50))
    return Reading(site, sensor, "energy_import", start_ms + APART_MS * n, float(n))


def main(spool: str, log: str, site: str, sensor: str, start_ms: str, first: str) -> None:
    """Append for ever."""
    notes = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with Spool(Path(spool), LIMIT_BYTES, SystemClock()) as opened:
        n = int(first)
        while True:
            opened.append([reading(site, sensor, int(start_ms), k) for k in range(n, n + GROUP)])
            n += GROUP
            os.write(notes, f"{n} {time.monotonic()}\n".encode())
            time.sleep(EVERY_S)


class Feeder:
    """The process that can be killed and started again, and what came of it."""

    def __init__(self, spool: Path, site: str, sensor: str, start_ms: int) -> None:
        self.site, self.sensor, self.start_ms = site, sensor, start_ms
        self.cut_off: list[int] = []  # first numbers of the appends that were under way at a kill: on disk or not
        self._spool = spool
        self._log = spool.with_suffix(".accepted")
        self._log.touch()
        self._next = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        known = (self._spool, self._log, self.site, self.sensor, self.start_ms, self._next)
        command = [sys.executable, "-m", "tests.chaos.feeder", *map(str, known)]
        self._process = subprocess.Popen(command, cwd=ROOT)

    def kill(self) -> None:
        """SIGKILL, often in the middle of an append; its numbers are not used again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            notes = self.accepted()
            cut = max(self._next, notes[-1].until if notes else 0)
            self.cut_off.append(cut)
            self._next = cut + GROUP

    def has_ended(self) -> bool:
        """Whether it ended although nobody killed it."""
        return self._process is not None and self._process.poll() is not None

    def accepted(self) -> list[Accepted]:
        """Each append that has returned."""
        fields = (line.split() for line in self._log.read_text().split("\n")[:-1])
        return [Accepted(int(until), float(at_s)) for until, at_s in fields]

    def readings(self) -> dict[int, Reading]:
        """What was accepted, by number."""
        numbers = (n for note in self.accepted() for n in range(note.until - GROUP, note.until))
        return {n: reading(self.site, self.sensor, self.start_ms, n) for n in numbers}

    def under_way(self) -> list[list[Reading]]:
        """The appends that a kill cut off."""
        return [[reading(self.site, self.sensor, self.start_ms, n) for n in range(cut, cut + GROUP)] for cut in self.cut_off]


if __name__ == "__main__":
    main(*sys.argv[1:])
