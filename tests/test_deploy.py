"""deploy/: what compose.yaml and the Caddyfile say is so, by the programs that read them."""

import json
import os
import re
import socket
import ssl
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import yaml

from api.limits import Limits
from hoflicht import cli
from hoflicht.catalogue import City
from tests.conftest import ROOT, free_port, installed
from tests.face import Face, facing
from tests.lane import ms, steady_queue
from tests.roles import eventually
from workshop.backup import INFLUXDB, load_backup

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "hoflicht"}
MADE = {"./secrets", "./secrets/broker"}  # by deploy/new-secrets
OF_THE_HOST = {"/var/backups/hoflicht"}  # made by Docker
TAB = "\t"


def defaults(text: str) -> str:
    """As compose reads it while no variable is set."""
    return re.sub(r"\$\{\w+:[-+]([^}]*)\}", lambda found: "" if ":+" in found[0] else found[1], text)


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Target by source, of all volumes."""
    pairs = [defaults(volume).removesuffix(":ro").rsplit(":", 1) for volume in service.get("volumes", [])]
    return {target: source for source, target in pairs}


def secrets(service: dict[str, Any]) -> set[str]:
    """The names under /run/secrets."""
    return {secret if isinstance(secret, str) else secret["target"] for secret in service.get("secrets", [])}


@pytest.fixture(scope="module")
def specification() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads((ROOT / "tests/cases/compose/compose-spec.json").read_text()))


def test_the_compose_file_follows_the_specification(specification: jsonschema_rs.Validator) -> None:
    assert [error.message for error in specification.iter_errors(COMPOSE)] == []


def test_the_specification_would_find_a_slip(specification: jsonschema_rs.Validator) -> None:
    wrong = {"services": {"api": {"image": "hoflicht", "restrat": "no"}}}

    assert ["restrat" in error.message for error in specification.iter_errors(wrong)] == [True]


def test_every_file_that_is_mounted_is_there() -> None:
    named = {source for service in SERVICES.values() for source in mounts(service).values()}
    files = {source for source in named if source.startswith((".", "/"))} - MADE - OF_THE_HOST

    assert [source for source in files if not (DEPLOY / source).exists()] == []
    assert named - files - MADE - OF_THE_HOST == set(COMPOSE["volumes"])


def test_services_and_secrets_that_are_named_exist() -> None:
    waits_for = {name for service in SERVICES.values() for name in service.get("depends_on", {})}
    handed = {
        secret if isinstance(secret, str) else secret["source"]
        for service in SERVICES.values()
        for secret in service.get("secrets", [])
    }

    assert waits_for <= set(SERVICES)
    assert handed == set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_bounded_and_of_one_version(name: str) -> None:
    service = SERVICES[name]

    assert {"mem_limit", "logging", "restart"} <= set(service)
    assert name in OURS or re.search(r":\d+\.\d+(\.\d+)?$", service["image"])


@pytest.mark.parametrize("name", OURS)
def test_a_role_of_ours_may_write_nothing_but_its_volumes(name: str) -> None:
    assert (SERVICES[name]["read_only"], SERVICES[name]["cap_drop"]) == (True, ["ALL"])


def test_only_web_server_broker_and_authority_can_be_opened_to_the_world() -> None:
    opened = {name for name, service in SERVICES.items() if any("HOFLICHT_BIND" in port for port in service.get("ports", []))}
    others = [port for name, service in SERVICES.items() if name not in opened for port in service.get("ports", [])]

    assert opened == {"mosquitto", "caddy", "hoflicht"}
    assert [port for port in others if not port.startswith("127.0.0.1:")] == []
    assert {defaults(port).split(":")[0] for name in opened for port in SERVICES[name]["ports"]} == {"127.0.0.1"}


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if str(service.get("command", "")).find(".toml") > 0])
def test_a_command_is_one_of_ours_and_its_config_is_mounted(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = SERVICES[name]["command"]
    [config] = [word for word in command if word.endswith(".toml") and "=" not in word] or ["/etc/hoflicht/city.toml"]

    assert config in mounts(SERVICES[name])
    if (
        name != "boards"
    ):  # nothing lies at that path here, so the role reads its words and then ends with a complaint about the file
        assert cli.main(command) == 2
        assert f"{config}: cannot be read" in capsys.readouterr().err


def test_the_boards_are_written_by_the_command_that_compose_gives(tmp_path: Path) -> None:
    here = {"/provisioning": str(tmp_path), "/etc/hoflicht/city.toml": str(ROOT / "simulators/city.toml")}
    command = [defaults(word) for word in SERVICES["boards"]["command"]]
    for path, local in here.items():
        command = [word.replace(path, local) for word in command]

    assert cli.main(command) == 0

    assert set(here) <= {*mounts(SERVICES["boards"])}
    assert mounts(SERVICES["grafana"])["/etc/grafana/provisioning"] == mounts(SERVICES["boards"])["/provisioning"]
    [source] = (tmp_path / "datasources").glob("*.yaml")
    [read] = set(re.findall(r"/run/secrets/(\w+)", source.read_text()))
    assert read in secrets(SERVICES["grafana"])


@pytest.mark.parametrize("role", ["ingest", "api", "prepare"])
def test_a_sample_names_only_what_its_container_has(role: str) -> None:
    service = SERVICES[role]
    text = (DEPLOY / "etc" / Path(service["command"][-1]).name).read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    hosts = set(re.findall(r'^host = "(.+)"$', lines, re.MULTILINE)) | set(re.findall(r"http://([\w.]+):", lines))

    assert hosts == {"mosquitto", "influxdb"} <= set(SERVICES)
    assert "/var/lib/hoflicht" in mounts(service)
    assert set(re.findall(r'"/run/secrets/(\w+)"', lines)) - secrets(service) <= (
        {"broker_password"} if role == "prepare" else set()
    )


def test_a_back_up_reads_every_volume_that_cannot_be_made_anew() -> None:
    service = SERVICES["backup"]
    config = load_backup(DEPLOY / "etc" / "backup.toml")
    there = mounts(service)

    assert {*config.folders.values(), config.folder} <= set(there)
    kept = {there[path] for path in config.folders.values()}
    anew = {"provisioning", "grafana", "caddy", "caddy-config", "influxdb-config"}
    assert set(COMPOSE["volumes"]) - kept - anew == {"influxdb"}
    assert config.store is not None
    assert config.store.url == tomllib.loads((DEPLOY / "etc" / "ingest.toml").read_text())["store"]["url"]
    assert INFLUXDB in config.store.url
    assert there["/run/secrets"] == "./secrets"


def test_the_image_has_every_package_of_ours() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = re.findall(r"^COPY (\w+) (\w+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)

    assert sorted(copied) == sorted((package, package) for package in packages)


@pytest.mark.parametrize("script", ["new-secrets", "gateway/install"])
def test_a_shell_would_not_trip_over_a_script(script: str) -> None:
    program = installed("shellcheck", "apt-get install shellcheck")

    said = subprocess.run([program, DEPLOY / script], capture_output=True, text=True, check=False)

    assert said.stdout + said.stderr == ""
    assert os.access(DEPLOY / script, os.X_OK)


class Caddy:
    """The real web server over deploy/Caddyfile; only ports, and the names of its neighbours, are those of this test."""

    def __init__(self, folder: Path, api: str, grafana: str, **variables: str) -> None:
        self._program = installed("caddy", "apt-get install caddy")
        self.port = free_port()
        self.folder = folder
        ports = f"{{\n{TAB}http_port {free_port()}\n{TAB}https_port {self.port}\n{TAB}admin off\n"
        text = (DEPLOY / "Caddyfile").read_text()
        for there, here in (("\n{\n", f"\n{ports}"), ("api:8000", api), ("grafana:3000", grafana)):
            assert text.count(there) == 1
            text = text.replace(there, here)
        (folder / "Caddyfile").write_text(text)
        self._environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "PATH": os.environ["PATH"], **variables}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [self._program, "run", "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"]
        with (self.folder / "caddy.log").open("wb") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        assert eventually(lambda: all(self._has_certificate(name) for name in ("localhost", "grafana.localhost")))

    def _has_certificate(self, name: str) -> bool:
        """Caddy listens before its CA has signed."""
        anybody = ssl.create_default_context()
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), timeout=5) as raw,
                anybody.wrap_socket(raw, server_hostname=name),
            ):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def client(self, address: str) -> httpx.Client:
        """Somebody at `address` who trusts Caddy's own CA."""
        ca = self.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        transport = httpx.HTTPTransport(verify=ssl.create_default_context(cafile=str(ca)), local_address=address)
        return httpx.Client(base_url=f"https://localhost:{self.port}", transport=transport, timeout=30)


@pytest.fixture
def face(city: City, tmp_path: Path) -> Iterator[Face]:
    """An api that believes Caddy alone; three requests at once, and one more in an hour."""
    limits = Limits(proxies=("127.0.0.1/32",), requests_per_s=1 / 3600, burst=3)
    with facing(city, tmp_path, ms(90), steady_queue(8, 110), limits=limits) as running:
        yield running


@pytest.fixture
def caddy(face: Face, tmp_path: Path) -> Iterator[Caddy]:
    running = Caddy(
        tmp_path, face.url.removeprefix("http://"), f"127.0.0.1:{free_port()}", HOFLICHT_STAFF_FROM="127.0.0.2/32 10.0.0.0/8"
    )
    running.start()
    yield running
    running.stop()


def test_caddy_understands_every_line_with_and_without_names_of_its_own(tmp_path: Path) -> None:
    program = installed("caddy", "apt-get install caddy")
    names = {"HOFLICHT_SITE": "waiting.example.org", "HOFLICHT_GRAFANA": "grafana.example.org", "HOFLICHT_TLS": "tls internal"}
    command = [program, "adapt", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile", "--validate"]
    found = {}
    for kind, variables in (("trial", {}), ("named", {**names, "HOFLICHT_TLS": ""}), ("internal", names)):
        environment = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "PATH": os.environ["PATH"], **variables}
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        assert '"level":"warn"' not in said.stderr
        found[kind] = said.stdout

    assert '"host":["localhost"]' in found["trial"]
    assert '"host":["waiting.example.org"]' in found["named"]
    assert "internal" not in found["named"]  # a public CA
    assert '"module":"internal"' in found["internal"]


def test_caddy_carries_the_page_and_says_who_asks(caddy: Caddy, face: Face) -> None:
    with caddy.client("127.0.0.2") as citizen:
        page = citizen.get("/")
        metrics = citizen.get("/metrics")
        lies = [citizen.get("/v1/yards", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(4)]
    with caddy.client("127.0.0.3") as another:
        fine = another.get("/v1/yards").status_code
        staff = another.get("/v1/staff/yards/hof-nord/hold").status_code
        grafana = another.get("/", headers={"Host": "grafana.localhost"}, extensions={"sni_hostname": "grafana.localhost"})

    assert (page.status_code, page.headers["strict-transport-security"]) == (200, "max-age=31536000")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "server" not in page.headers
    assert metrics.status_code == 404
    assert lies == [200, 200, 429, 429]  # whatever he says of himself, he is one and the same
    assert (fine, staff) == (200, 403)
    assert grafana.status_code == 502  # which is not there in this test


def test_caddy_hands_an_event_stream_on_as_it_comes(caddy: Caddy, face: Face) -> None:
    with caddy.client("127.0.0.2") as citizen, citizen.stream("GET", "/v1/yards/hof-nord/stream") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 5000"
        face.tell()
        data = next(line for line in lines if line.startswith("data: "))

    assert json.loads(data.removeprefix("data: "))["yard"] == "hof-nord"


def test_a_staff_network_reaches_the_staff_api(caddy: Caddy) -> None:
    with caddy.client("127.0.0.2") as office:
        assert office.get("/v1/staff/yards/hof-nord/hold").status_code == 404  # of the api, which has no [staff] in this test


def test_the_web_server_says_so_at_once_where_the_api_is_away(tmp_path: Path) -> None:
    caddy = Caddy(tmp_path, f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    caddy.start()
    try:
        with caddy.client("127.0.0.1") as citizen:
            assert citizen.get("/").status_code == 502
    finally:
        caddy.stop()


def test_caddy_writes_nothing_of_who_asks_not_even_while_the_api_is_away(tmp_path: Path) -> None:
    caddy = Caddy(tmp_path, f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    caddy.start()
    with caddy.client("127.0.0.3") as citizen:
        assert citizen.get("/", headers={"User-Agent": "a telling browser"}).status_code == 502
    caddy.stop()

    log = (tmp_path / "caddy.log").read_text()
    assert '"status":502' in log
    assert [word for word in ("127.0.0.3", "a telling browser") if word in log] == []
