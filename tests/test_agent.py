"""The whole gateway as a process: a pty in, a real Mosquitto out."""

import json
import os
import pty
import subprocess
import sys
import tty
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from edge import agent
from edge.spool import LAST, Spool
from hoflicht import topics
from hoflicht.broker import BrokerConfig, Event, Received, Session
from hoflicht.clock import SystemClock
from tests.conftest import Mosquitto, free_port
from tests.receiver import Ingest
from tests.roles import Role, eventually, killed_after, write_edge

GATEWAY = "gw-hof-nord"
# PyPMS tests/captured_data/SDS01x.hexdump: 0.6 and 0.9 ug/m3.
CAPTURED = bytes.fromhex("AAC00600060058D93DAB AAC00900090058D943AB")


class Line:
    """A pty; `path` is what the config names."""

    def __init__(self) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)

    def close(self) -> None:
        os.close(self.master)
        os.close(self._slave)


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


def air(line: Line) -> str:
    port = f'[ports.air]\npath = "{line.path}"\ndriver = "sds011"\nsite = "hof-nord"\nsensor = "air"\naverage_s = 0.2\n'
    return f"patience_s = 0\n{port}"  # of [spool]; nobody waits for air


def test_captured_bytes_become_readings_at_ingest(tmp_path: Path, broker: Mosquitto, line: Line) -> None:
    config = write_edge(tmp_path, broker.config, GATEWAY, air(line))
    with Ingest(broker.config) as ingest, Role(tmp_path, "edge", config):

        def values(quantity: str) -> list[float]:
            os.write(line.master, CAPTURED)
            return [reading.value for reading in ingest.readings() if (reading.site, reading.quantity) == ("hof-nord", quantity)]

        assert eventually(lambda: values("pm2_5"))
        assert eventually(lambda: values("pm10"))

        assert set(values("pm2_5")) == {0.75}

        def sensors() -> set[tuple[str, str]]:
            return {(reading.site, reading.sensor) for reading in ingest.readings()}

        assert eventually(lambda: {("hof-nord", "air"), (GATEWAY, "gateway"), (GATEWAY, "air")} <= sensors())


def test_an_orderly_end_keeps_what_was_read_and_says_farewell(tmp_path: Path, broker: Mosquitto, line: Line) -> None:
    config = write_edge(tmp_path, broker.config, GATEWAY, air(line))
    with Role(tmp_path, "edge", config) as edge, Session(broker.config, "watch", [topics.state(GATEWAY)]) as watch:
        assert eventually(lambda: said(watch.event(0.1)).get("status") == "online")
        os.write(line.master, CAPTURED)
        assert eventually(lambda: os.write(line.master, CAPTURED) and rows_of_air(tmp_path))

        assert edge.stop() == 0

        assert eventually(lambda: said(watch.event(0.1)).get("status") == "offline")
        assert rows_of_air(tmp_path)


def said(event: Event | None) -> dict[str, str]:
    return msgspec.json.decode(event.message.payload, type=dict[str, str]) if isinstance(event, Received) else {}


def rows_of_air(folder: Path) -> list[float]:
    with Spool(folder / f"{GATEWAY}.db", 200_000_000, SystemClock()) as spool:
        batch = spool.batch(1, LAST, 10_000)
    return [reading.value for reading in batch.readings if reading.sensor == "air" and reading.quantity == "pm10"] if batch else []


def test_birth_and_will_carry_the_same_boot(tmp_path: Path, broker: Mosquitto) -> None:
    config = write_edge(tmp_path, broker.config, GATEWAY)
    with Session(broker.config, "watch", [topics.state(GATEWAY)]) as watch, Role(tmp_path, "edge", config) as edge:
        birth = eventually(lambda: said(watch.event(0.1)))
        edge.kill()
        will = eventually(lambda: said(watch.event(0.1)))

    assert (birth["status"], will["status"]) == ("online", "offline")
    assert birth["boot"] == will["boot"]
    assert birth["at"].endswith("Z")


def test_a_broker_that_is_away_is_one_line_and_no_end(tmp_path: Path, line: Line) -> None:
    config = write_edge(tmp_path, BrokerConfig(port=free_port()), GATEWAY, air(line))
    with Role(tmp_path, "edge", config) as edge:
        assert eventually(lambda: os.write(line.master, CAPTURED) and rows_of_air(tmp_path))
        assert edge.stop() == 0

        assert edge.log.read_text().count("no broker at") == 1


def test_a_part_that_dies_ends_the_process_and_the_next_start_mends_what_it_can(tmp_path: Path, broker: Mosquitto) -> None:
    config = write_edge(tmp_path, broker.config, GATEWAY, "[health]\nevery_s = 1\n")
    spool = tmp_path / f"{GATEWAY}.db"
    command = [sys.executable, "-m", "hoflicht", "edge", str(config)]
    with killed_after(subprocess.Popen(command, stderr=subprocess.PIPE)) as process:
        assert eventually(lambda: spool.exists() and rows_of(spool))  # it runs
        with spool.open("r+b") as file:
            file.write(b"\xff" * spool.stat().st_size)
        for part in ("-wal", "-shm"):
            spool.with_name(spool.name + part).unlink(missing_ok=True)

        _, log = process.communicate(timeout=60)

    assert process.returncode == 1
    assert b"malformed" in log or b"not a database" in log
    with Role(tmp_path, "edge", config) as edge:
        assert eventually(lambda: "was damaged" in edge.log.read_text())
        assert eventually(lambda: "connected to the broker" in edge.log.read_text())
        assert edge.stop() == 0
    assert len(list(tmp_path.glob("*.corrupt-*"))) == 1


def rows_of(path: Path) -> int:
    with Spool(path, 200_000_000, SystemClock()) as spool:
        return spool.last_id()


def test_healthz_and_metrics_are_served(tmp_path: Path, broker: Mosquitto) -> None:
    port = free_port()
    config = write_edge(tmp_path, broker.config, GATEWAY)
    config.write_text(f'http = "127.0.0.1:{port}"\n' + config.read_text())

    def get(path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
                return str(answer.read().decode())
        except urllib.error.URLError:
            return ""

    with Ingest(broker.config), Role(tmp_path, "edge", config):
        assert eventually(lambda: "hoflicht_edge_batches_stored_total 1.0" in get("/metrics"))

        assert json.loads(get("/healthz"))["uplink"] == "flowing"


def test_a_config_is_checked_without_hardware(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ports = '[ports.air]\npath = "/dev/nothing"\ndriver = "sds011"\nsite = "hof-nord"\nsensor = "air"\n'
    config = write_edge(tmp_path, BrokerConfig(host="nowhere.invalid"), GATEWAY, ports)

    assert agent.main([str(config), "--check"]) == 0

    assert capsys.readouterr().out == f"{config}: gw-hof-nord, 1 ports, 0 signs: all well\n"
    assert not (tmp_path / f"{GATEWAY}.db").exists()
