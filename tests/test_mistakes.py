"""What a person reads who made a mistake: one line that says what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from hoflicht.broker import BrokerConfig
from tests.conftest import Bucket, Mosquitto, free_port
from tests.roles import END_S, Role, eventually, write_api, write_edge, write_ingest

PORT = """
[ports.air]
path = "{path}"
driver = "{driver}"
site = "hof-nord"
sensor = "air"
"""


def hoflicht(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hoflicht", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=END_S, check=False)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("gateway =", "gatway =", "line 1: unknown key 'gatway'; allowed: gateway, "),
        ("host =", "hots =", "line 4: [broker] unknown key 'hots'; allowed: host, port, "),
        ("driver =", "drivr =", "[ports.air] unknown key 'drivr'; allowed: "),
        (
            '"sds011"',
            '"sds01"',
            "[ports.air] driver: 'sds01' is unknown; known: lufft-umb, nmea, node, ops243, sdm120, sdm630, sds011, sml",
        ),
        ("port = ", "port = x", "not TOML: "),
        ('"gw-hof-nord"', '"GW Nord"', "gateway"),
    ],
)
def test_a_wrong_config_of_a_gateway_names_file_and_key(tmp_path: Path, before: str, after: str, expected: str) -> None:
    config = write_edge(tmp_path, BrokerConfig(), "gw-hof-nord", PORT.format(path="/dev/null", driver="sds011"))
    config.write_text(config.read_text().replace(before, after))

    answer = hoflicht("edge", config)

    assert answer.returncode == 2
    assert answer.stderr.startswith(f"hoflicht edge: {config}: ")
    assert expected in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_port_that_is_not_there_is_one_line_and_the_gateway_goes_on(tmp_path: Path, broker: Mosquitto) -> None:
    config = write_edge(tmp_path, broker.config, "gw-hof-nord", PORT.format(path="/dev/ttyNOWHERE", driver="sds011"))
    with Role(tmp_path, "edge", config) as edge:
        assert eventually(lambda: "connected to the broker" in edge.log.read_text())
        assert eventually(lambda: "/dev/ttyNOWHERE" in edge.log.read_text())
        assert edge.stop() == 0

    [line] = [line for line in edge.log.read_text().splitlines() if "/dev/ttyNOWHERE" in line]
    assert "is it plugged in?" in line


def test_a_broker_that_is_away_is_one_line(tmp_path: Path) -> None:
    port = free_port()
    with Role(tmp_path, "edge", write_edge(tmp_path, BrokerConfig(port=port), "gw-hof-nord")) as edge:
        assert eventually(lambda: f"no broker at 127.0.0.1:{port}" in edge.log.read_text())
        assert edge.stop() == 0

    assert edge.log.read_text().count("no broker at") == 1


@pytest.mark.live
def test_a_wrong_token_is_one_line_that_names_its_file(tmp_path: Path, broker: Mosquitto, influx: Bucket) -> None:
    config = write_ingest(tmp_path, broker.config, influx.store_url, "a wrong token")
    with Role(tmp_path, "ingest", config) as ingest:
        assert eventually(lambda: "token" in ingest.log.read_text())
        assert ingest.stop() == 0

    [line] = [line for line in ingest.log.read_text().splitlines() if "token" in line]
    assert line.startswith("ERROR")
    assert str(tmp_path / "token") in line


def test_a_store_that_is_no_store_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "token").touch()
    answer = hoflicht("ingest", write_ingest(tmp_path, BrokerConfig(), "mysql://db"))

    assert answer.returncode == 2
    assert "sqlite:///" in answer.stderr
    assert "influx+http" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_holidays_that_nobody_knows_end_the_api_at_its_start(tmp_path: Path) -> None:
    (tmp_path / "token").touch()
    city = tmp_path / "city.toml"
    city.write_text('name = "Testhausen"\nholidays = "DE-XY"\n')

    answer = hoflicht("api", write_api(tmp_path, BrokerConfig(), f"sqlite:///{tmp_path}/readings.db", free_port(), city))

    assert answer.returncode == 2
    assert answer.stderr == f"hoflicht api: {city}: line 2: holidays: the holidays of 'DE-XY' are not known; an example: DE-NW\n"


def test_a_busy_port_is_one_line(tmp_path: Path, broker: Mosquitto) -> None:
    (tmp_path / "token").touch()
    config = write_api(tmp_path, broker.config, f"sqlite:///{tmp_path}/readings.db", broker.config.port)

    answer = hoflicht("api", config)

    assert answer.returncode == 2
    assert str(broker.config.port) in answer.stderr
    assert "Traceback" not in answer.stderr
