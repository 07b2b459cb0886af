"""A line of lamps on a pty where it is midnight now, whatever the time: its drivers live in a thread, in real time."""

import datetime as dt
import select
import threading
import time
from pathlib import Path

from simulators.gear import Gear
from simulators.luba import Luba
from simulators.wire import Wire
from tests.roles import eventually

TRIES = 3  # of what must take less than so long at its quickest: a busy machine may stand still for a while


class Street:
    """Two lamps on a line that lives in a thread of its own, at a place where it is midnight now."""

    def __init__(self, folder: Path) -> None:
        self.gears = [Gear(0, level=0), Gear(1, level=0)]
        self.path = folder / "dali"
        self._luba = Luba(self.gears)
        self._wire = Wire(self.path)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._wire.unplug()

    def tables(self) -> str:
        now = dt.datetime.now(dt.UTC)
        lon = -(now.hour + now.minute / 60) * 15
        lamps = "".join(f'[lamps.lamp-{n:04}]\nline = "dali"\naddress = {n}\n' for n in range(len(self.gears)))
        light = f'[light]\nlat = 0.0\nlon = {lon if lon >= -180 else lon + 360}\nzone = "UTC"\n'
        return f'{light}[lines.dali]\npath = "{self.path}"\n{lamps}'

    def levels(self) -> list[int]:
        return [gear.lamp.wanted for gear in self.gears]

    def shows(self, *levels: int, within_s: float = 15.0) -> float:
        """How long it took until the lamps had these levels; fails where they do not in time."""
        began = time.monotonic()
        assert eventually(lambda: self.levels() == list(levels), within_s), self.levels()
        return time.monotonic() - began

    def _live(self) -> None:
        while not self._ended.is_set():
            select.select([self._wire], [], [], 0.05)
            self._luba.said(time.time_ns() // 1_000_000)
            self._wire.write(self._luba.heard(self._wire.read()))
