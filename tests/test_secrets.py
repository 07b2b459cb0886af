"""No secret is where others can read it: not in a file of theirs, a log, a process list, or this repository."""

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from hoflicht import BadConfig, config, private_key
from hoflicht.broker import BrokerConfig, Session
from hoflicht.config import secret
from tests.certified import enrolled_by_hand, write_authority
from tests.conftest import ROOT, Bucket, Mosquitto, free_port
from tests.roles import END_S, Role, eventually, write_api, write_edge, write_ingest

PASSWORD = "the-password-of-this-test-0123456789"
TOKEN = "the-token-of-this-test-0123456789"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_owner_and_group_may_read_a_secret(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "token", TOKEN, mode)

    assert secret(str(path), "token_file") == TOKEN


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602, 0o601, 0o777])
def test_a_secret_that_is_open_to_others_is_not_taken_and_the_remedy_is_named(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "token", TOKEN, mode)

    with pytest.raises(BadConfig) as caught:
        secret(str(path), "[store] token_file")

    assert str(caught.value) == (f"[store] token_file: the file {path} is open to others (mode {mode:o}); chmod 640 {path}, or 600")


def test_a_link_is_as_open_as_what_it_leads_to(tmp_path: Path) -> None:
    written(tmp_path / "token", TOKEN, 0o644)
    (tmp_path / "link").symlink_to("token")

    with pytest.raises(BadConfig, match="is open to others"):
        secret(str(tmp_path / "link"), "token_file")


def test_what_a_containers_engine_has_put_there_may_have_its_own_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "ENGINES", tmp_path / "run" / "secrets")
    (tmp_path / "run" / "secrets").mkdir(parents=True)
    path = written(tmp_path / "run" / "secrets" / "influx_token", TOKEN, 0o444)

    assert secret(str(path), "token_file") == TOKEN


def test_the_folder_of_the_engines_is_the_usual_one() -> None:
    assert Path("/run/secrets") == config.ENGINES


def test_a_way_around_the_folder_of_the_engines_is_no_way_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "ENGINES", tmp_path / "secrets")
    (tmp_path / "secrets").mkdir()
    written(tmp_path / "token", TOKEN, 0o644)

    with pytest.raises(BadConfig, match="is open to others"):
        secret(f"{tmp_path}/secrets/../token", "token_file")


def test_a_file_that_is_too_large_for_a_secret_is_none(tmp_path: Path) -> None:
    path = written(tmp_path / "token", "x" * 20_000, 0o600)

    with pytest.raises(BadConfig, match="is too large for a secret"):
        secret(str(path), "token_file")


@pytest.mark.parametrize("content", [b"\xff\xfe" + TOKEN.encode(), b"-----BEGIN PRIVATE " + f"KEY-----\n{TOKEN}".encode()])
def test_a_key_that_cannot_be_read_is_not_quoted(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ca.key"
    path.write_bytes(content)

    with pytest.raises(BadConfig) as caught:
        private_key.read(path, "the CA's key")

    assert str(path) in str(caught.value)
    assert "the-token" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_gateway_whose_key_is_open_to_others_does_not_start(tmp_path: Path) -> None:
    enrolled_by_hand(write_authority(tmp_path), "gw-a", tmp_path / "gateway")
    (tmp_path / "gateway" / "gw-a.key").chmod(0o644)

    answer = hoflicht("edge", tmp_path / "gateway" / "edge.toml", "--check")

    key = tmp_path / "gateway" / "gw-a.key"
    assert (answer.returncode, answer.stderr) == (
        2,
        f"hoflicht edge: [broker] key_file: the file {key} is open to others (mode 644); chmod 640 {key}, or 600\n",
    )


def test_a_key_within_its_certificates_file_is_looked_at_too(tmp_path: Path) -> None:
    broker = enrolled_by_hand(write_authority(tmp_path), "gw-a", tmp_path / "gateway")
    both = written(tmp_path / "both.pem", Path(broker.cert_file).read_text() + Path(broker.key_file).read_text(), 0o644)

    with pytest.raises(BadConfig, match=r"key_file: the file .*both\.pem is open to others"):
        Session(BrokerConfig(ca_file=broker.ca_file, cert_file=str(both)), "gw-a")


@pytest.mark.parametrize("role", ["ingest", "api"])
def test_a_role_whose_token_is_open_to_others_does_not_start(tmp_path: Path, role: str) -> None:
    url = f"sqlite:///{tmp_path}/readings.db"
    path = write_ingest(tmp_path, BrokerConfig(), url, TOKEN)
    if role == "api":
        path = write_api(tmp_path, BrokerConfig(), url, free_port())
    (tmp_path / "token").chmod(0o644)

    answer = hoflicht(role, path)

    assert answer.returncode == 2
    assert "[store] token_file: the file" in answer.stderr
    assert f"chmod 640 {tmp_path / 'token'}, or 600" in answer.stderr
    assert TOKEN not in answer.stderr


@pytest.mark.parametrize("role", ["edge", "ingest", "api"])
def test_a_role_whose_password_is_open_to_others_does_not_start(tmp_path: Path, role: str) -> None:
    path = configured(tmp_path, role, BrokerConfig(), f"sqlite:///{tmp_path}/readings.db")
    (tmp_path / "password").chmod(0o644)

    answer = hoflicht(role, path)

    assert answer.returncode == 2
    assert f"[broker] password_file: the file {tmp_path / 'password'} is open to others" in answer.stderr
    assert PASSWORD not in answer.stderr


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that knows nobody's password."""
    (tmp_path / "known").write_text("somebody:$7$101$AAAA$AAAA\n")
    mosquitto = Mosquitto(tmp_path, f"user root\npassword_file {tmp_path / 'known'}")
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@pytest.mark.parametrize("role", ["edge", "ingest", "api"])
def test_a_wrong_password_is_in_no_log_and_no_process_list(tmp_path: Path, strict: Mosquitto, role: str) -> None:
    path = configured(tmp_path, role, strict.config, f"sqlite:///{tmp_path}/readings.db")

    with Role(tmp_path, role, "--verbose", path) as running:
        assert eventually(lambda: "Not authorized" in running.log.read_text())
        seen = seen_from_outside(running)

    for known in (PASSWORD, TOKEN):
        assert known not in running.log.read_text()
        assert known not in seen


@pytest.mark.live
@pytest.mark.parametrize("role", ["ingest", "api"])
def test_a_wrong_token_is_in_no_log_no_answer_and_no_process_list(
    tmp_path: Path, broker: Mosquitto, influx: Bucket, role: str
) -> None:
    port = free_port()
    path = configured(tmp_path, role, broker.config, influx.store_url, port)

    with Role(tmp_path, role, "--verbose", path) as running:
        assert eventually(lambda: TROUBLE[role].search(health(port) + running.log.read_text()))
        seen = seen_from_outside(running) + health(port)

    for known in (PASSWORD, TOKEN):
        assert known not in running.log.read_text()
        assert known not in seen


TROUBLE = {"ingest": re.compile("unauthorized|401"), "api": re.compile('"store":"away"')}


def health(port: int) -> str:
    """What /healthz says; nothing while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return str(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return str(refused.read())
    except OSError:
        return ""


@pytest.mark.live
def test_a_token_from_the_environment_is_in_no_log(
    tmp_path: Path, broker: Mosquitto, influx: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_ingest(tmp_path, broker.config, influx.store_url)
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "token_file" not in line))
    monkeypatch.setenv("INFLUX_TOKEN", TOKEN)

    with Role(tmp_path, "ingest", "--verbose", path) as running:
        assert eventually(lambda: TROUBLE["ingest"].search(running.log.read_text()))

    assert TOKEN not in running.log.read_text()


@pytest.mark.parametrize("content", [b"\xff" + TOKEN.encode(), f"{TOKEN}\n{TOKEN}".encode(), TOKEN.encode() + b"\xc3\xa4"])
def test_a_token_that_cannot_be_one_is_not_quoted(tmp_path: Path, content: bytes) -> None:
    path = write_ingest(tmp_path, BrokerConfig(), f"influx+http://127.0.0.1:{free_port()}/b?org=o")
    (tmp_path / "token").write_bytes(content)

    answer = hoflicht("ingest", path)

    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert "the-token" not in answer.stderr


def test_the_token_of_grafana_is_in_no_output(tmp_path: Path) -> None:
    token = written(tmp_path / "token", TOKEN, 0o600)
    url = f"http://127.0.0.1:{free_port()}"

    answer = hoflicht("dashboards", "push", "--url", url, "--token-file", token)

    assert answer.returncode == 1
    assert url in answer.stderr
    assert TOKEN not in answer.stdout + answer.stderr


def test_the_code_of_an_invitation_is_in_no_process_list(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    code = f"{'0123456789abcdef' * 2}.{'0' * 64}"
    url = f"https://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "hoflicht", "enroll", "gw-a", url, "--folder", str(tmp_path / "gateway")]

    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert eventually(lambda: "gw-a" in outside(process.pid))
        seen = outside(process.pid)
        _, said = process.communicate(code, timeout=END_S)

    assert code not in seen
    assert "does not answer" in said
    assert code[:32] not in said


SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/]{20}",
    "an InfluxDB token": r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{86}==",
    "a Grafana token": r"gl[a-z]{1,3}_[A-Za-z0-9]{32}",
    "a password of Mosquitto": r"\$[67]\$\d+\$[A-Za-z0-9+/=]{16}\$[A-Za-z0-9+/=]{40}",
    "32 random bytes": r"(?<![0-9a-f])(?<!sha256:)(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{64}(?![0-9a-f])",
}
EXAMPLES = {
    "a private key": "-----BEGIN EC PRIVATE " + "KEY-----\nMHcCAQEEIGxZ0z0123456789",
    "an InfluxDB token": "aB3_" * 21 + "xy" + "==",
    "a Grafana token": "glsa_" + "aB3x" * 8,
    "a password of Mosquitto": "$7$" + "101$" + "a" * 16 + "$" + "b" * 88,
    "32 random bytes": "0a1b2c3d" * 8,
}


@pytest.mark.parametrize("kind", SECRETS)
def test_the_search_finds_what_it_looks_for(kind: str) -> None:
    assert re.search(SECRETS[kind], f"x = {EXAMPLES[kind]!s}\n")


def test_no_file_of_this_repository_holds_a_secret() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    texts = {name: (ROOT / name).read_text(errors="replace") for name in tracked if name and (ROOT / name).is_file()}

    found = {name: kind for name, text in texts.items() for kind, pattern in SECRETS.items() if re.search(pattern, text)}

    assert len(texts) > 200
    assert found == {}


def written(path: Path, content: str, mode: int) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


def configured(folder: Path, role: str, broker: BrokerConfig, store_url: str, port: int = 0) -> Path:
    """The role's config with a password for the broker and a token for the store."""
    (folder / "password").write_text(PASSWORD)
    path = write_ingest(folder, broker, store_url, TOKEN, port)
    if role == "api":
        path = write_api(folder, broker, store_url, port or free_port())
    elif role == "edge":
        path = write_edge(folder, broker, "gw-hof-nord")
    path.write_text(path.read_text().replace("[broker]\n", '[broker]\nusername = "x"\npassword_file = "password"\n'))
    return path


def seen_from_outside(role: Role) -> str:
    assert role._process is not None
    return outside(role._process.pid)


def outside(pid: int) -> str:
    """What other programs may see of a process: its command line; and its environment, which its children get."""
    return "".join(Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace") for name in ("cmdline", "environ"))


def hoflicht(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hoflicht", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=END_S, check=False)
