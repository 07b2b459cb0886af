"""Each extra alone in a fresh environment, from the built wheel: its role starts, and nothing else came along."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from hoflicht.broker import BrokerConfig
from tests.conftest import ROOT, free_port
from tests.roles import CITY, END_S, eventually, write_api, write_edge, write_ingest

pytestmark = pytest.mark.slow

FOREIGN = {
    "edge": {"fastapi", "uvicorn", "influxdb-client", "grafana-api", "iotcore", "smpclient"},
    "ingest": {"fastapi", "uvicorn", "pyserial", "grafana-api", "iotcore", "smpclient"},
    "api": {"pyserial", "grafana-api", "iotcore", "smpclient"},
    "dashboards": {"fastapi", "paho-mqtt", "pyserial", "influxdb-client", "iotcore", "smpclient"},
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    [built] = folder.glob("hoflicht-*.whl")
    return built


def install(wheel: Path, extra: str, folder: Path) -> Path:
    """A fresh environment with one extra; its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    quiet = ("--quiet", "--disable-pip-version-check")
    subprocess.run([folder / "bin/pip", "install", *quiet, f"hoflicht[{extra}] @ {wheel.as_uri()}"], check=True)
    return folder / "bin"


def distributions(programs: Path) -> set[str]:
    listed = subprocess.run(
        [programs / "pip", "list", "--format=freeze", "--disable-pip-version-check"], check=True, capture_output=True, text=True
    )
    return {line.partition("==")[0].lower().replace("_", "-") for line in listed.stdout.splitlines()}


def answers(url: str) -> int:
    """The HTTP status at `url`; 0 while nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


@pytest.mark.parametrize("extra", FOREIGN)
def test_an_extra_brings_its_role_and_nothing_else(extra: str, wheel: Path, tmp_path: Path) -> None:
    programs = install(wheel, extra, tmp_path / "venv")

    assert distributions(programs) & FOREIGN[extra] == set()
    {"edge": edge_starts, "ingest": ingest_starts, "api": api_starts, "dashboards": dashboards_builds}[extra](programs, tmp_path)


def edge_starts(programs: Path, folder: Path) -> None:
    port = free_port()
    config = write_edge(folder, BrokerConfig(port=free_port()), "gw-hof-nord")
    config.write_text(f'http = "127.0.0.1:{port}"\n' + config.read_text())
    with subprocess.Popen([programs / "hoflicht", "edge", config], cwd="/", stderr=subprocess.PIPE, text=True) as process:
        assert eventually(lambda: answers(f"http://127.0.0.1:{port}/metrics") == 200)
        time.sleep(1.0)
        process.terminate()
        _, said = process.communicate(timeout=END_S)

    assert process.returncode == 0
    assert said.count("no broker at 127.0.0.1") == 1
    assert "Traceback" not in said


def ingest_starts(programs: Path, folder: Path) -> None:
    port = free_port()
    config = write_ingest(folder, BrokerConfig(port=free_port()), f"sqlite:///{folder}/readings.db", http_port=port)
    with subprocess.Popen([programs / "hoflicht", "ingest", config], cwd="/", stderr=subprocess.PIPE, text=True) as process:
        assert eventually(lambda: answers(f"http://127.0.0.1:{port}/healthz") == 503)  # it runs, and says that the broker is away
        process.terminate()
        _, said = process.communicate(timeout=END_S)

    assert process.returncode == 0
    assert "Traceback" not in said


def api_starts(programs: Path, folder: Path) -> None:
    port = free_port()
    (folder / "token").touch()
    config = write_api(folder, BrokerConfig(port=free_port()), f"sqlite:///{folder}/readings.db", port)
    with subprocess.Popen([programs / "hoflicht", "api", config], cwd="/", stderr=subprocess.PIPE, text=True) as process:
        assert eventually(lambda: answers(f"http://127.0.0.1:{port}/v1/yards") == 200)
        assert answers(f"http://127.0.0.1:{port}/") == 200
        process.terminate()
        _, said = process.communicate(timeout=END_S)

    assert process.returncode == 0
    assert "Traceback" not in said


def dashboards_builds(programs: Path, folder: Path) -> None:
    subprocess.run([programs / "hoflicht", "dashboards", "build", folder / "grafana"], check=True, cwd="/")

    assert list((folder / "grafana").rglob("*.json"))


def test_the_catalogue_of_the_demo_is_in_the_wheel(wheel: Path) -> None:
    listed = subprocess.run([sys.executable, "-m", "zipfile", "-l", wheel], check=True, capture_output=True, text=True).stdout

    assert "simulators/city.toml" in listed
    assert CITY.exists()
