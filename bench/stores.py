"""The same readings into InfluxDB and into VictoriaMetrics, by the same lines over the same door: processor and disk.

`python -m bench.stores` writes the week of bench/disk.py to each in turn. Not part of `make bench`: it takes some minutes.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from bench.disk import GROUP, Server, readings
from store.readings import open_store
from tests.conftest import TOKEN
from tests.test_other_stores import VictoriaMetrics


def rows() -> Iterator[str]:
    """The table."""
    yield "| store | readings | CPU s a million | bytes a reading on disk |"
    yield "|---|---|---|---|"
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name) / "influx")
        try:
            count, cpu_s = _write(server.url, TOKEN), server.cpu_s()
            yield f"| InfluxDB | {count} | {cpu_s / count * 1e6:.1f} | see bench/disk.py |"
        finally:
            server.influxd.stop()
        victoria = VictoriaMetrics(Path(name))
        victoria.start()
        try:
            count = _write(victoria.store_url, "")
            cpu_s = victoria.cpu_s()
        finally:
            victoria.stop()  # writes all that it has to disk
        disk = sum(path.stat().st_blocks * 512 for path in (Path(name) / "victoria").rglob("*") if path.is_file())
        yield f"| VictoriaMetrics | {count} | {cpu_s / count * 1e6:.1f} | {disk / count:.1f} |"


def _write(url: str, token: str) -> int:
    count, told = 0, readings(round(time.time()) * 1000)
    with closing(open_store(url, token)) as store:
        if token:
            store.prepare()
        while group := list(islice(told, GROUP)):
            store.write(group)
            count += len(group)
    return count


if __name__ == "__main__":
    sys.stdout.writelines(f"{row}\n" for row in rows())
