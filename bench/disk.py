"""What a reading takes on InfluxDB's disk, and how long a back-up and a restore of it last: the figures of docs/capacity.md.

`python -m bench.disk` writes a week of 200 lamps and two yards to a real influxd (on PATH, or where .ci/influxd puts it), makes a
back-up as `hoflicht backup` does, and gives it to an empty one. Not part of `make bench`: it takes a minute or two.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from hoflicht import Reading
from store.readings import open_store
from tests.conftest import ORG, TOKEN, Influxd
from tests.roles import cpu_s
from workshop import backup, restore

DAYS, LAMPS, YARDS = 7, 200, 2
DAY_MS = 86_400_000
SEED = 8
GROUP = 20_000  # readings in one write, as ingest makes them after an outage
# A lamp that keeps its program tells 800 values a day (docs/operations.md), a yard 60 000 (store/answers.py).
LAMP = (
    "level_target",
    "level_feedback",
    "level_actual",
    "active_power",
    "energy_import",
    "temperature",
    "operating_hours",
    "starts",
)
YARD = ("distance", "presence", "passage")
A_DAY = {LAMP: 100, YARD: 20_000}  # of each quantity


def rows() -> Iterator[str]:
    """One row of the table in docs/capacity.md."""
    with tempfile.TemporaryDirectory() as name:
        old, new = Server(Path(name) / "old"), Server(Path(name) / "new")
        try:
            yield _row(old, new)
        finally:
            old.influxd.stop()
            new.influxd.stop()


class Server:
    """An influxd of its own, and a config of `hoflicht backup`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.influxd = folder, Influxd(folder)
        self.influxd.start()
        self.influxd.set_up()
        self.url = f"influx+{self.influxd.url}/city?org={ORG}"
        self.config = folder / "backup.toml"
        (folder / "token").write_text(TOKEN)
        (folder / "token").chmod(0o600)
        self.config.write_text(f'folder = "."\n[folders]\n[store]\nurl = "{self.url}"\ntoken_file = "token"\n')

    def cpu_s(self) -> float:
        assert self.influxd._process is not None
        return cpu_s(self.influxd._process.pid)

    def disk(self) -> int:
        return sum(path.stat().st_blocks * 512 for path in (self.folder / "engine" / "data").rglob("*") if path.is_file())


def _row(old: Server, new: Server) -> str:
    used_s, begun_s = old.cpu_s(), time.monotonic()
    with closing(open_store(old.url, TOKEN)) as store:
        store.prepare()
        count, told = 0, readings(round(time.time()) * 1000)
        while group := list(islice(told, GROUP)):  # batched() is of Python 3.12
            store.write(group)
            count += len(group)
    used_s, written_s = old.cpu_s() - used_s, time.monotonic() - begun_s
    begun_s = time.monotonic()
    assert backup.main([str(old.config)]) == 0
    copied_s, [copy] = time.monotonic() - begun_s, [*old.folder.glob("*.tar")]
    begun_s = time.monotonic()
    assert restore.main([str(copy), str(new.config)]) == 0
    restored_s, per = time.monotonic() - begun_s, count / 1e6
    return (
        f"| {count} | {count / written_s:.0f} | {used_s / per:.1f} | {old.disk() / count:.1f} | {copy.stat().st_size / count:.1f} |"
        f" {copied_s / per:.1f} | {restored_s / per:.1f} |"
    )


def readings(now_ms: int) -> Iterator[Reading]:
    """The week until `now_ms`, hour by hour as a city tells it."""
    chance = random.Random(SEED)
    sites = [*((f"lamp-{n:04}", "driver", LAMP) for n in range(LAMPS)), *((f"yard-{n}", "lane", YARD) for n in range(YARDS))]
    for hour in range(DAYS * 24):
        start_ms = now_ms - DAYS * DAY_MS + hour * DAY_MS // 24
        for site, sensor, quantities in sites:
            for quantity in quantities:
                for _ in range(-(-A_DAY[quantities] // 24)):
                    value = round(chance.gauss(50, 10), 1) if quantity != "starts" else float(hour)
                    yield Reading(site, sensor, quantity, start_ms + chance.randrange(DAY_MS // 24), value)


if __name__ == "__main__":
    sys.stdout.writelines(f"{row}\n" for row in rows())
