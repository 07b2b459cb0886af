"""kill -9 of every part in turn, under load: what was accepted is in the database, once."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.conftest import Influxd, Mosquitto
from tests.roles import Role, eventually, write_edge, write_ingest

START_MS = time.time_ns() // 1_000_000 - 86_400_000  # yesterday: within what ingest takes
BUCKET = "readings"

# Appends readings as fast as a busy gateway does and says so after each append has returned; only then are they accepted.
FEEDER = """
import sys, time
from pathlib import Path
from hoflicht import Reading
from hoflicht.clock import SystemClock
from edge.spool import Spool

start_ms, first = int(sys.argv[2]), int(sys.argv[3])
with Spool(Path(sys.argv[1]), 64_000_000, SystemClock()) as spool:
    for n in range(first, 1_000_000, 20):
        spool.append([Reading("hof-nord", "air", "energy_import", start_ms + 7 * k, float(k)) for k in range(n, n + 20)])
        print(n + 20, flush=True)
        time.sleep(0.05)
"""


class Feeder:
    """A process that fills the spool; `accepted` are the numbers it was given a yes for."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self.accepted: list[int] = []
        self._next = 0

    def start(self) -> None:
        command = [sys.executable, "-c", FEEDER, str(self._spool), str(START_MS), str(self._next)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def kill(self) -> None:
        """SIGKILL in the middle of an append, and count what had been accepted."""
        self._process.kill()
        assert self._process.stdout is not None
        said = _numbers(self._process.stdout)
        self._process.stdout.close()
        self._process.wait()
        if said:
            self.accepted += range(self._next, said[-1])
        # The append under way at the kill may be on disk or not; its numbers are left out of the next run.
        self._next = (said[-1] if said else self._next) + 20


def _numbers(stream: IO[bytes]) -> list[int]:
    return [int(line) for line in stream.read().split(b"\n")[:-1]]


@pytest.fixture
def own_influxd(tmp_path: Path) -> Iterator[Influxd]:
    server = Influxd(tmp_path)
    server.start()
    server.set_up()
    server.bucket(BUCKET)
    yield server
    server.stop()


@pytest.mark.live
@pytest.mark.slow
def test_every_accepted_reading_is_in_the_database_once(tmp_path: Path, broker: Mosquitto, own_influxd: Influxd) -> None:
    store_url = f"influx+{own_influxd.url}/{BUCKET}?org=hoflicht"
    ingest = Role(tmp_path, "ingest", write_ingest(tmp_path, broker.config, store_url, own_influxd.token))
    edge = Role(tmp_path, "edge", write_edge(tmp_path, broker.config, "gw-hof-nord"))
    feeder = Feeder(tmp_path / "gw-hof-nord.db")
    with ingest, edge:
        feeder.start()
        for victim in (edge, ingest, broker, own_influxd, feeder) * 2:
            time.sleep(1.5)
            victim.kill()
            time.sleep(0.5)
            victim.start()
        time.sleep(1.0)
        feeder.kill()

        def stored() -> dict[int, float]:
            rows = own_influxd.select(BUCKET, "select value from energy_import where site = 'hof-nord'")
            return {int(str(at_ms)): float(str(value)) for at_ms, value in rows}

        wanted = {START_MS + 7 * n: float(n) for n in feeder.accepted}
        eventually(lambda: wanted.keys() <= stored().keys(), timeout_s=90)
        found = stored()

    assert len(feeder.accepted) > 2_000
    assert {at_ms: value for at_ms, value in wanted.items() if found.get(at_ms) != value} == {}
    # At most the append that each of the kills of the feeder cut off may be there without having been accepted.
    assert len(found.keys() - wanted.keys()) <= 3 * 20
