"""What the doctor says of neighbours and machines that were broken on purpose."""

import datetime as dt
import json
import os
import pty
import shutil
import stat
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from api.config import ApiConfig
from edge.health import Health
from edge.reader import Counters
from edge.spool import Spool
from edge.uplink import State as Uplink
from edge.uplink import Status
from hoflicht import telemetry, topics, wait, web
from hoflicht.broker import BrokerConfig, Confirmed, Message, Session
from hoflicht.clock import Clock, HandClock, SystemClock
from hoflicht.config import load
from ingest import registrar
from ingest.authority import BROKER_CERTIFICATE, found
from store.readings import open_store
from tests.certified import enrolled_by_hand, write_authority
from tests.conftest import Bucket, Influxd, free_port
from tests.roles import eventually
from tests.secured import Secured, password
from workshop import certificates, doctor, grafana_visit, machine
from workshop.finding import Finding, State

NOW = SystemClock()
YARD = '[yards.hof]\nname = "Hof"\naddress = "Weg 1"\nlat = 51.0\nlon = 6.0\nsensors = {}\n[yards.hof.hours]\nweekly = {}\n'


def told(findings: list[Finding], part: str) -> list[tuple[str, str, str]]:
    """State, what and why of all that was said of `part`."""
    return [(one.state, one.what, one.why) for one in findings if one.part == part]


def worst(path: Path, part: str, clock: Clock = NOW) -> Finding:
    """The one thing that is wrong with `part`."""
    [found] = [one for one in doctor.examine(path, clock) if one.part == part and one.state is State.WRONG]
    assert found.why
    assert found.next
    return found


# The broker, as our own commands set it up


class Deployed(Secured):
    """A broker of our commands, with a gateway that has its certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tls_port = folder, free_port()
        self.authority = write_authority(folder)
        self.authority.write_text(f"{self.authority.read_text()}broker_port = {self.tls_port}\n")
        super().__init__(folder, self.authority, free_port())
        self.gateway = enrolled_by_hand(self.authority, "gw-a", folder / "gw-a")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    broker = Deployed(tmp_path_factory.mktemp("deployed"))
    broker.start()
    yield broker
    broker.stop()


def edge_config(folder: Path, broker: BrokerConfig, more: str = "", gateway: str = "gw-a") -> Path:
    """A gateway whose agent is asked nowhere."""
    names = ("ca_file", "cert_file", "key_file")
    files = "".join(f'{name} = "{getattr(broker, name)}"\n' for name in names if getattr(broker, name))
    path = folder / "edge.toml"
    head = f'gateway = "{gateway}"\nclock = "system"\n[spool]\npath = "spool.db"\nlimit_mb = 1\n'
    path.write_text(f'{head}[broker]\nhost = "{broker.host}"\nport = {broker.port}\n{files}{more}')
    return path


def role_config(folder: Path, kind: str, port: int, user: str, password: str, store: str = "sqlite:///readings.db") -> Path:
    """ingest or api, which answer nowhere."""
    (folder / "city.toml").write_text(f'name = "Musterstadt"\n{YARD}')
    (folder / "password").write_text(password)
    (folder / "token").write_text("a wrong token")
    listen = f'listen = "127.0.0.1:{free_port()}"\n' if kind == "api" else ""
    path = folder / f"{kind}.toml"
    path.write_text(
        f'city = "city.toml"\n{listen}[store]\nurl = "{store}"\ntoken_file = "token"\n'
        f'[broker]\nport = {port}\nusername = "{user}"\npassword_file = "password"\n'
    )
    return path


def test_a_gateway_that_is_let_in_is_well(tmp_path: Path, deployed: Deployed) -> None:
    findings = [*doctor.examine(edge_config(tmp_path, deployed.gateway), NOW)]

    assert [one for one in findings if one.state is State.WRONG] == []
    assert told(findings, "broker") == [
        ("ok", f"127.0.0.1:{deployed.tls_port} lets us in and hears our topics", ""),
        ("ok", "we may write hoflicht/v1/gw-a/reported/doctor", ""),
    ]
    assert told(findings, "certificate")[0][1].endswith("is good for 1,824 days")


@pytest.mark.parametrize(
    ("change", "what", "why"),
    [
        ({"host": "nowhere.invalid"}, "the name nowhere.invalid is not known", ""),
        ({"port": 1}, "nothing listens at 127.0.0.1:1", "refuses the connection"),
        ({"host": "localhost"}, "localhost:{tls} does not show that it is the right one", "Hostname mismatch"),
        ({"port": "inner"}, "127.0.0.1:{inner} speaks no TLS that we understand", ""),
        ({"ca_file": "other"}, "127.0.0.1:{tls} does not show that it is the right one", "self-signed certificate"),
    ],
)
def test_the_way_to_the_broker_is_told_step_by_step(
    tmp_path: Path, deployed: Deployed, change: dict[str, Any], what: str, why: str
) -> None:
    found(tmp_path / "other", SystemClock())
    real = {"inner": deployed.config.port, "other": str(tmp_path / "other" / "ca.crt")}
    changed = {key: real.get(value, value) for key, value in change.items()}
    told_broker = {name: getattr(deployed.gateway, name) for name in BrokerConfig.__struct_fields__} | changed

    finding = worst(edge_config(tmp_path, BrokerConfig(**told_broker)), "broker")

    assert finding.what == what.format(tls=deployed.tls_port, inner=deployed.config.port)
    assert why in finding.why


def test_a_broker_whose_certificate_has_ended_is_told_from_one_that_is_another(tmp_path: Path) -> None:
    broker = Deployed(tmp_path)
    old = HandClock(int(dt.datetime(2019, 1, 1, tzinfo=dt.UTC).timestamp() * 1000))
    with closing(registrar.open_authority(broker.authority, old)) as authority:
        key = certificates_key(broker.files)
        (broker.files / BROKER_CERTIFICATE).write_bytes(authority.server_certificate(key, ["127.0.0.1"]))
    broker.start()
    try:
        finding = worst(edge_config(tmp_path, broker.gateway), "broker")
    finally:
        broker.stop()

    assert finding.why == "certificate has expired"
    assert "broker-config" in finding.next
    [ended] = [one for one in doctor.examine(broker.authority, NOW) if one.state is State.WRONG]
    assert ended.what == f"{broker.files / BROKER_CERTIFICATE} has ended"


def certificates_key(folder: Path) -> Any:
    return certificates.read(folder / BROKER_CERTIFICATE).public_key()


def test_a_revoked_gateway_is_told_that_the_broker_does_not_let_it_in(tmp_path: Path) -> None:
    broker = Deployed(tmp_path)
    assert registrar.revoke(["gw-a", "--config", str(broker.authority)]) == 0
    broker.start()
    try:
        finding = worst(edge_config(tmp_path, broker.gateway), "broker")
    finally:
        broker.stop()

    assert finding.what == f"127.0.0.1:{broker.tls_port} does not let us in"


def test_a_wrong_password_is_told_in_the_broker_s_words(tmp_path: Path, deployed: Deployed) -> None:
    finding = worst(role_config(tmp_path, "ingest", deployed.config.port, "ingest", "a wrong word"), "broker")

    assert finding.what == f"127.0.0.1:{deployed.config.port} does not let us in"
    assert "Not authorized" in finding.why


def test_what_the_access_lists_forbid_is_told(tmp_path: Path, deployed: Deployed) -> None:
    finding = worst(role_config(tmp_path, "api", deployed.config.port, "ingest", password("ingest")), "broker")

    assert (finding.what, finding.why) == ("we may not write hoflicht/v1/doctor/desired/light", "reason code 0x87")


def test_a_sign_without_a_number_is_told_and_one_with(tmp_path: Path, deployed: Deployed) -> None:
    sign = '[signs.gate]\npath = "sign"\nyard = "hof"\n'
    path = edge_config(tmp_path, deployed.gateway, sign)

    before = told([*doctor.examine(path, NOW)], "sign")
    with_number(deployed)
    after = told([*doctor.examine(path, NOW)], "sign")

    assert before == [
        ("wrong", "hoflicht/v1/yards/hof/wait has no number for the sign", "the broker keeps no fresh wait; what is old it drops")
    ]
    assert after == [("ok", "hoflicht/v1/yards/hof/wait is open as of 12:00:00", "")]


def with_number(deployed: Deployed) -> None:
    """The api publishes a wait."""
    file = deployed.folder / "api_password"
    file.write_text(password("api"))
    noon = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)
    payload = wait.encode(wait.Wait(yard="hof", state=wait.State.OPEN, as_of=noon, valid_until=noon))
    with Session(BrokerConfig(port=deployed.config.port, username="api", password_file=str(file)), "api") as session:
        eventually(lambda: session.event(0.1))
        session.publish(Message(topic=topics.wait("hof"), payload=payload, retain=True))
        assert isinstance(eventually(lambda: session.event(0.1)), Confirmed)


# Certificates


def test_a_certificate_tells_its_end(deployed: Deployed) -> None:
    def days(ahead: int) -> list[tuple[str, str]]:
        now = dt.datetime.now(dt.UTC) + dt.timedelta(days=ahead)
        return [(one.state, one.what.partition("gw-a.crt ")[2]) for one in certificates.own(deployed.gateway, "gw-a", now)]

    assert days(1_700) == [("ok", "is good for 124 days")]
    assert days(1_800) == [("wrong", "ends in 24 days")]
    assert days(1_900) == [("wrong", "has ended")]
    assert days(-20_000) == [("wrong", "is not good yet")]


def test_a_certificate_that_does_not_fit_says_why(tmp_path: Path, deployed: Deployed) -> None:
    other = enrolled_by_hand(deployed.authority, "gw-b", tmp_path / "gw-b")
    found(tmp_path / "other", SystemClock())
    now = dt.datetime.now(dt.UTC)
    mixed = BrokerConfig(ca_file=str(tmp_path / "other" / "ca.crt"), cert_file=other.cert_file, key_file=deployed.gateway.key_file)

    said = [one.what.replace(str(tmp_path), "") for one in certificates.own(mixed, "gw-a", now) if one.state is State.WRONG]

    assert said == [
        "/gw-b/gw-b.crt is for 'gw-b'",
        f"{deployed.gateway.key_file} is not the key of /gw-b/gw-b.crt",
        "/gw-b/gw-b.crt is not signed by /other/ca.crt",
    ]


def test_a_key_that_everybody_may_read_is_told(tmp_path: Path, deployed: Deployed) -> None:
    key = tmp_path / "gw-a.key"
    shutil.copyfile(deployed.gateway.key_file, key)
    key.chmod(0o644)
    broker = BrokerConfig(ca_file=deployed.gateway.ca_file, cert_file=deployed.gateway.cert_file, key_file=str(key))

    [finding] = certificates.own(broker, "gw-a", dt.datetime.now(dt.UTC))

    assert finding.why == f"key_file: the file {key} is open to others (mode 644); chmod 640 {key}, or 600"


# Ports, clock, disk


@pytest.fixture
def line() -> Iterator[Path]:
    """A pseudo-terminal that nobody uses."""
    master, slave = pty.openpty()
    path = Path(os.ttyname(slave))
    os.close(slave)
    yield path
    os.close(master)


def test_a_port_is_there_or_not(tmp_path: Path, line: Path) -> None:
    (tmp_path / "file").touch()

    free, absent, file = (machine.port("port air", path, None) for path in (line, tmp_path / "tty", tmp_path / "file"))

    assert (free.state, free.what) == ("ok", f"{line} is there, and nobody is seen to have it")
    assert (absent.what, absent.why) == (f"there is no {tmp_path / 'tty'}", "no device of that name is plugged in")
    assert file.what == f"{tmp_path / 'file'} is no serial port"


def test_a_port_that_another_program_has_names_it(line: Path) -> None:
    with line.open("rb", buffering=0):
        finding = machine.port("port air", line, is_open=False)

    assert finding.what == f"{line} is in use by another program"
    assert f"(pid {os.getpid()})" in finding.why


def test_a_port_that_the_agent_has_is_well(tmp_path: Path, line: Path) -> None:
    process = tmp_path / "412"
    (process / "fd").mkdir(parents=True)
    (process / "fd" / "7").symlink_to(line)
    (process / "comm").write_text("python3\n")
    (process / "cmdline").write_bytes(b"/opt/hoflicht/bin/python3\0/opt/hoflicht/bin/hoflicht\0edge\0")

    assert machine.port("sign gate", line, None, tmp_path).what == f"{line} is open in python3 (pid 412)"
    assert machine.port("port air", line, is_open=False, processes=tmp_path).state is State.WRONG  # hoflicht sniff, perhaps


def test_a_port_that_this_user_may_not_use_names_its_group(line: Path) -> None:
    line.chmod(stat.S_IRUSR)
    user = os.geteuid()
    os.seteuid(65_534 if user == 0 else user)  # root may use all
    try:
        finding = machine.port("port air", line, None)
    finally:
        os.seteuid(user)

    assert finding.what == f"this user may not use {line}"
    assert finding.why.startswith("its mode is cr--------, its group ")
    assert "dialout" in finding.next


def test_what_the_agent_says_of_a_port_counts(tmp_path: Path, line: Path) -> None:
    assert machine.port("port air", tmp_path / "tty", is_open=True).state is State.WELL
    assert machine.port("port air", line, is_open=False).what == f"the agent cannot open {line}"


def test_a_clock_that_nobody_keeps_is_wrong_only_where_the_config_wants_a_time_service() -> None:
    unset = HandClock(0, is_set=False)

    assert machine.clock(HandClock()).state is State.WELL
    assert machine.clock(unset).what == "it is not set by a time service, and says 1970-01-01 00:00:00 UTC"
    assert machine.clock(unset, needs_ntp=False).state is State.UNTOLD


def test_a_disk_without_room_or_folder_is_told(tmp_path: Path) -> None:
    assert machine.disk(tmp_path, room=10**18).why == "1,000,000,000,000 MB may still be needed"
    assert machine.disk(tmp_path / "none").what == f"there is no folder {tmp_path / 'none'}"


# The database


@pytest.mark.live
def test_a_prepared_database_is_well(tmp_path: Path, influx: Bucket) -> None:
    config = role_config(tmp_path, "ingest", 1, "ingest", "", influx.store_url)
    (tmp_path / "token").write_text(influx.token)
    with closing(open_store(influx.store_url, influx.token)) as store:
        store.prepare()

    said = told([*doctor.examine(config, NOW)], "database")

    assert [(state, what.partition(" and last")[0]) for state, what, _ in said] == [
        ("ok", f"{influx.server.url} lets us read the bucket {influx.name}"),
        ("ok", "readings are kept for 90 days"),
        ("ok", "the hourly task is on,"),
    ]


@pytest.mark.live
def test_an_hourly_task_that_was_switched_off_is_told(tmp_path: Path, influx: Bucket) -> None:
    config = role_config(tmp_path, "ingest", 1, "ingest", "", influx.store_url)
    (tmp_path / "token").write_text(influx.token)
    with closing(open_store(influx.store_url, influx.token)) as store:
        store.prepare()
    [task] = [one for one in influx.server.call("/api/v2/tasks")["tasks"] if one["name"].endswith(influx.name)]
    headers = {"Authorization": f"Token {influx.token}", "Content-Type": "application/json"}
    address = f"{influx.server.url}/api/v2/tasks/{task['id']}"
    with urllib.request.urlopen(urllib.request.Request(address, b'{"status": "inactive"}', headers, method="PATCH")):
        finding = worst(config, "database")

    assert (finding.what, finding.why) == ("the hourly task is switched off", "its status is inactive")
    assert finding.next == f"influx task update --id {task['id']} --status active"


@pytest.mark.live
def test_a_wrong_token_and_what_was_never_prepared_are_told(tmp_path: Path, influxd: Influxd) -> None:
    influxd.bucket(f"short-{os.getpid()}", retention_s=7 * 86_400)
    url = f"influx+{influxd.url}/short-{os.getpid()}?org=hoflicht"
    config = role_config(tmp_path, "ingest", 1, "ingest", "", url)

    refused = worst(config, "database")
    (tmp_path / "token").write_text(influxd.token)
    said = told([*doctor.examine(config, NOW)], "database")

    assert (refused.what, "does not accept the token (401" in refused.why) == ("it refuses us", True)
    assert [(state, what) for state, what, _ in said[1:]] == [
        ("wrong", "readings are kept for 7 days only"),
        ("wrong", "no hourly values are kept"),
        ("unknown", "the hourly task is not seen"),
    ]


@pytest.mark.live
def test_a_clock_that_is_off_shows_beside_the_database(tmp_path: Path, influxd: Influxd) -> None:
    config = role_config(tmp_path, "ingest", 1, "ingest", "", f"influx+{influxd.url}/none?org=hoflicht")
    ahead = HandClock(SystemClock().now_ms() + 3_600_000)

    finding = worst(config, "clock", ahead)

    assert finding.what.endswith(f"s before that of {influxd.url}")


def test_a_database_that_is_away_or_not_made_yet_is_told(tmp_path: Path) -> None:
    port = free_port()
    away = role_config(tmp_path, "ingest", 1, "ingest", "", f"influx+http://127.0.0.1:{port}/b?org=o")
    assert worst(away, "database").what == f"no answer from http://127.0.0.1:{port}"

    never = role_config(tmp_path, "ingest", 1, "ingest", "")
    assert worst(never, "database").what == f"there is no {tmp_path / 'readings.db'}"
    assert not (tmp_path / "readings.db").exists()


# What runs says it itself


@contextmanager
def agent(folder: Path, clock: HandClock, status: Status, ports: dict[str, Counters]) -> Iterator[int]:
    """The report of a gateway's health over HTTP; the port."""
    health = Health("gw-a", status, ports, 1_000_000, clock, folder, None)
    port = free_port()
    with Spool(folder / "spool.db", 1_000_000, clock) as spool, telemetry.serve(f"127.0.0.1:{port}", health.report):
        health.look(spool.state())
        yield port


def test_a_running_agent_is_asked_and_keeps_its_place_at_the_broker(tmp_path: Path, deployed: Deployed, line: Path) -> None:
    status, ports = Status(), {"air": Counters()}
    status.state, status.trouble = Uplink.HOLDING, "nobody takes batches"
    more = f'[ports.air]\npath = "{line}"\ndriver = "sds011"\nsite = "cabinet-1"\nsensor = "air"\n'
    with agent(tmp_path, HandClock(), status, ports) as port:
        path = edge_config(tmp_path, deployed.gateway, more)
        path.write_text(f'http = "127.0.0.1:{port}"\n{path.read_text()}')
        holding = [*doctor.examine(path, NOW)]
        status.state, ports["air"].is_open = Uplink.FLOWING, True
        flowing = [*doctor.examine(path, NOW)]

    assert told(holding, "receipts") == [("wrong", "nobody takes its readings; they wait on its disk", "nobody takes batches")]
    assert told(holding, "port air")[0][1] == f"the agent cannot open {line}"
    assert told(flowing, "receipts") == [("ok", "the agent's readings reach the database", "")]
    assert told(flowing, "port air") == [("ok", f"{line}: the agent has it open", "")]
    assert told(flowing, "broker") == [
        ("ok", f"127.0.0.1:{deployed.tls_port} answers; whether it lets us in says the running edge", "")
    ]


def test_a_role_that_does_not_run_is_told_with_its_unit(tmp_path: Path) -> None:
    config = role_config(tmp_path, "api", 1, "api", "")

    finding = worst(config, "api")

    assert finding.why == f"http://{load(config, ApiConfig).listen}/healthz: Connection refused"
    assert "journalctl -u hoflicht-api" in finding.next


# Grafana


@contextmanager
def answering(answers: dict[str, tuple[int, Any]]) -> Iterator[str]:
    """A server that knows these paths, and says 404 to all others."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, {"message": "Not found"}))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with web.running(server, "grafana", poll_s=0.02):
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, ("wrong", "{url} is not well")),
        ({"/api/health": (200, {"database": "ok", "version": "12.3.0"})}, ("wrong", "it has no data source hoflicht-influxdb")),
        (
            {
                "/api/health": (200, {"database": "ok", "version": "12.3.0"}),
                "/api/datasources/uid/hoflicht-influxdb/health": (400, {"message": "unauthorized access"}),
            },
            ("wrong", "its data source does not reach the readings"),
        ),
        (
            {
                "/api/health": (200, {"database": "ok", "version": "12.3.0"}),
                "/api/datasources/uid/hoflicht-influxdb/health": (200, {"message": "datasource is working. 42 measurements found"}),
            },
            ("ok", "its data source answers: datasource is working. 42 measurements found"),
        ),
    ],
)
def test_grafana_is_asked_for_itself_and_its_data_source(
    tmp_path: Path, answers: dict[str, tuple[int, Any]], expected: tuple[str, str]
) -> None:
    (tmp_path / "token").write_text("glsa_token")
    with answering(answers) as url:
        *_, last = grafana_visit.findings(url, str(tmp_path / "token"))

    assert (last.state, last.what) == (expected[0], expected[1].format(url=url))


# The command


def test_lines_are_for_a_person_and_json_for_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = edge_config(tmp_path, BrokerConfig(port=1))

    assert doctor.main([str(config)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert doctor.main([str(config), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)

    at = next(n for n, line in enumerate(lines) if "nothing listens at 127.0.0.1:1" in line)
    assert (lines[0], lines[-1]) == (str(config), "1 thing is wrong")
    assert lines[at].split() == ["WRONG", "broker", "nothing", "listens", "at", "127.0.0.1:1"]
    assert [line.strip().partition(":")[0] for line in lines[at + 1 : at + 3]] == ["why", "next"]
    assert answer["well"] is False
    assert [one for one in answer["looked_at"][str(config)] if one["state"] == "wrong"] == [
        {
            "part": "broker",
            "state": "wrong",
            "what": "nothing listens at 127.0.0.1:1",
            "why": "the machine is there and refuses the connection",
            "next": "is it running? docker compose ps mosquitto, or systemctl status mosquitto",
        }
    ]


def test_a_config_that_must_be_edited_is_another_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "edge.toml").write_text('gateway = "GW"\n[spool]\npath = "s"\n')

    assert doctor.main([str(tmp_path / "edge.toml")]) == 2
    assert "edge.toml: line 1: gateway: 'GW' cannot be a name" in capsys.readouterr().out
