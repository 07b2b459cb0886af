"""Any store that takes line protocol will do: ingest writes to VictoriaMetrics as it writes to InfluxDB, by the same URL."""

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hoflicht import Unavailable
from hoflicht.batch import STORED
from hoflicht.catalogue import City
from ingest.quarantine import Quarantine
from store.readings import Store, open_store
from tests.conftest import START_S, Mosquitto, end, free_port, installed, wait_until_listening
from tests.roles import cpu_s, eventually
from tests.test_ingest import NOW, Gateway, ingesting, is_ok, passage

READINGS = 100


class VictoriaMetrics:
    """A real one, with the options of docs/scale.md."""

    def __init__(self, folder: Path) -> None:
        program = installed("victoria-metrics", "apt-get install victoria-metrics")
        self._port = free_port()
        self._command = [
            program,
            f"-httpListenAddr=127.0.0.1:{self._port}",
            f"-storageDataPath={folder / 'victoria'}",
            "-retentionPeriod=100d",
            "-dedup.minScrapeInterval=1ms",
            "-influxSkipSingleField",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def store_url(self) -> str:
        """Bucket and organisation stand for nothing there."""
        return f"influx+http://127.0.0.1:{self._port}/city?org=city"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until_listening(self._port)

    def stop(self) -> None:
        if self._process is not None:
            end(self._process, kill=False)
            self._process = None

    def cpu_s(self) -> float:
        """What it has taken since its start."""
        assert self._process is not None
        return cpu_s(self._process.pid)

    def values(self, quantity: str) -> dict[int, list[float]]:
        """What its own API gives, by time."""
        self._ask("/internal/force_flush")  # what has just been written is not found for a second otherwise
        found: dict[int, list[float]] = {}
        for line in self._ask("/api/v1/export", {"match[]": f'{quantity}{{site="hof-nord",sensor="gate-in"}}'}).splitlines():
            series = json.loads(line)
            for at_ms, value in zip(series["timestamps"], series["values"], strict=True):
                found.setdefault(at_ms, []).append(value)
        return found

    def _ask(self, path: str, query: dict[str, str] | None = None) -> bytes:
        url = f"http://127.0.0.1:{self._port}{path}?{urllib.parse.urlencode(query or {})}"
        with urllib.request.urlopen(url, timeout=START_S) as answer:
            body: bytes = answer.read()
            return body


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    server = VictoriaMetrics(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def store(victoria: VictoriaMetrics) -> Iterator[Store]:
    with closing(open_store(victoria.store_url)) as opened:
        yield opened


@pytest.fixture
def quarantine(tmp_path: Path) -> Iterator[Quarantine]:
    with closing(Quarantine(tmp_path / "quarantine.db")) as opened:
        yield opened


@pytest.mark.live
def test_a_gateways_batches_are_in_it_once_however_often_they_came_and_no_receipt_comes_while_it_is_away(
    broker: Mosquitto, city: City, victoria: VictoriaMetrics, store: Store, quarantine: Quarantine
) -> None:
    told = [passage(n) for n in range(READINGS)]
    with ingesting(broker, city, store, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))

        gateway.send(1, *told)
        gateway.send(2, *told)
        assert [gateway.receipt(n) for n in (1, 2)] == [STORED, STORED]
        victoria.stop()
        gateway.send(3, passage(READINGS))
        assert gateway.receipt(3, timeout_s=0.5) is None
        with pytest.raises(Unavailable):
            store.write([])
        victoria.start()
        assert eventually(is_ok(health))
        gateway.send(3, passage(READINGS))
        assert gateway.receipt(3) == STORED

    assert victoria.values("passage") == {NOW + n: [1.0] for n in range(READINGS + 1)}
    assert quarantine.rows() == []
