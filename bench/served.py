"""The real api as a process, over a SQLite store in which a simulated yard has lived until now, and what it takes."""

import contextlib
import datetime as dt
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

from hoflicht import Reading
from hoflicht.catalogue import load_city
from hoflicht.days import WEEKDAYS
from simulators.life import life
from store.readings import open_store
from tests.conftest import free_port, wait_until_listening
from tests.roles import cpu_s

YARD = "hof-nord"
SEED = 1
END_S = 15.0
OPEN_H = 6
# Counters alone: a lane sensor that falls silent takes the yard's number away.
CITY = f"""
name = "Kleinstadt"
[yards.{YARD}]
name = "Hof Nord"
address = "Weg 1"
lat = 51.0
lon = 6.0
usual_entries_per_hour = 45
HOURS
sensors.lane-in = {{ role = "lane-entry" }}
sensors.gate-in = {{ role = "entry-control" }}
"""


def opened(now: dt.datetime) -> str:
    """The hours of a yard that opened some six hours ago and goes on, for a bench that may run at any time."""
    begun = now.astimezone(ZoneInfo("Europe/Berlin")) - dt.timedelta(hours=OPEN_H)
    weekly = ", ".join(f'{day} = "{begun:%H}:00-{begun:%H}:00"' for day in WEEKDAYS)
    return f"hours.weekly = {{ {weekly} }}\nhours.open_on_holidays = true"


class Process:
    """A program that serves HTTP on `port`."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._pid = pid

    def cpu_s(self) -> float:
        """Its processor time so far, all threads."""
        return cpu_s(self._pid)

    def memory_mb(self) -> float:
        """Its resident memory, in MB of 1 000 000 bytes."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1_024 / 1e6


@contextmanager
def api(folder: Path, tables: str = "") -> Iterator[Process]:
    """`hoflicht api` in `folder`; `tables` are more of its config."""
    (folder / "city.toml").write_text(CITY.replace("HOURS", opened(dt.datetime.now(dt.UTC))))
    with closing(open_store(f"sqlite:///{folder / 'readings.db'}")) as store:
        store.write(lived(folder / "city.toml"))
    port, config = free_port(), folder / "api.toml"
    config.write_text(f'city = "city.toml"\nlisten = "127.0.0.1:{port}"\n[store]\nurl = "sqlite:///readings.db"\n{tables}')
    with running(port, [sys.executable, "-m", "hoflicht", "api", str(config)], folder / "api.log") as process:
        yield process


@contextmanager
def running(port: int, command: Sequence[str], log: Path) -> Iterator[Process]:
    """`command`, once it listens on `port`."""
    with log.open("wb") as file:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        wait_until_listening(port)
        yield Process(port, child.pid)
    finally:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(END_S)
        child.kill()
        child.wait()


def lived(catalogue: Path) -> list[Reading]:
    """What the yard's counters have said until now."""
    now_ms = time.time_ns() // 1_000_000
    past = takewhile(lambda event: event.at_ms <= now_ms, life(YARD, load_city(catalogue), SEED, now_ms))
    return [Reading(YARD, event.sensor, event.quantity, event.at_ms, event.value) for event in past]
