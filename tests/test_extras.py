"""Each extra alone in a fresh environment, from the built wheel: its role starts, and nothing else came along."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import uv

from hoflicht.broker import BrokerConfig
from tests.conftest import ROOT, free_port
from tests.roles import CITY, END_S, eventually, killed_after, write_api, write_edge, write_ingest

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
    subprocess.run([uv.find_uv_bin(), "venv", "--quiet", "--python", sys.executable, folder], check=True)
    uv_pip(folder, "install", "--quiet", f"hoflicht[{extra}] @ {wheel.as_uri()}")
    return folder / "bin"


def uv_pip(folder: Path, command: str, *arguments: str) -> str:
    program = (uv.find_uv_bin(), "pip", command, "--python", folder / "bin/python")
    return subprocess.run([*program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def distributions(programs: Path) -> set[str]:
    listed = uv_pip(programs.parent, "list", "--format=json")
    return {entry["name"] for entry in json.loads(listed)}


def answers(url: str) -> int:
    """The HTTP status at `url`; 0 while nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=END_S) as answer:
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


def running(programs: Path, role: str, config: Path) -> AbstractContextManager["subprocess.Popen[str]"]:
    """The role, started elsewhere."""
    return killed_after(subprocess.Popen([programs / "hoflicht", role, config], cwd="/", stderr=subprocess.PIPE, text=True))


def edge_starts(programs: Path, folder: Path) -> None:
    port = free_port()
    config = write_edge(folder, BrokerConfig(port=free_port()), "gw-hof-nord")
    config.write_text(f'http = "127.0.0.1:{port}"\n' + config.read_text())
    with running(programs, "edge", config) as process:
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
    with running(programs, "ingest", config) as process:
        assert eventually(lambda: answers(f"http://127.0.0.1:{port}/healthz") == 503)  # it runs, and says that the broker is away
        process.terminate()
        _, said = process.communicate(timeout=END_S)

    assert process.returncode == 0
    assert "Traceback" not in said


def api_starts(programs: Path, folder: Path) -> None:
    port = free_port()
    (folder / "token").touch()
    config = write_api(folder, BrokerConfig(port=free_port()), f"sqlite:///{folder}/readings.db", port)
    with running(programs, "api", config) as process:
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
