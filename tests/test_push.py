"""`hoflicht configure` and a real gateway at a real broker: what is good stays, what would cut the branch off comes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge import configure
from edge.trial import MAX_STARTS
from hoflicht import BadConfig
from hoflicht.broker import BrokerConfig
from ingest import certificates
from ingest.certificates import Pair
from tests.conftest import Mosquitto, free_port
from tests.receiver import Ingest
from tests.roles import Role, broker_table, eventually, write_edge
from tests.test_agent import GATEWAY

PROVE_S = 6


def write_operator(folder: Path, broker: BrokerConfig) -> Path:
    path = folder / "operator.toml"
    files = "".join(
        f'{name} = "{getattr(broker, name)}"\n' for name in ("ca_file", "cert_file", "key_file") if getattr(broker, name)
    )
    path.write_text(broker_table(broker) + files)
    return path


class Branch:
    """A gateway in a folder, and who may configure it."""

    def __init__(self, folder: Path, broker: BrokerConfig, own: Path) -> None:
        self.folder = folder
        self.own = own.read_text()
        self._operator = write_operator(folder, broker)
        self.edge = Role(folder, "edge", own)

    def push(self, text: str, version: int = 1, wait_s: float = 60, prove_s: int = PROVE_S) -> int:
        file = self.folder / "new.toml"
        file.write_text(f"prove_s = {prove_s}\n{text}")
        return configure.main(
            [GATEWAY, str(file), "--operator", str(self._operator), "--version", str(version), "--wait", str(wait_s)]
        )

    def starts(self) -> int:
        return self.edge.log.read_text().count("connected to the broker")


@pytest.fixture
def branch(tmp_path: Path, broker: Mosquitto) -> Iterator[Branch]:
    branch = Branch(tmp_path, broker.config, write_edge(tmp_path, broker.config, GATEWAY))
    with Ingest(broker.config), branch.edge:
        assert eventually(branch.starts)
        yield branch


def test_a_good_config_is_applied_and_the_same_version_again_is_nothing(branch: Branch, capfd: pytest.CaptureFixture[str]) -> None:
    assert branch.push(branch.own + "[health]\nevery_s = 7\n") == 0

    assert capfd.readouterr().out == f"{GATEWAY}: version 1: trying\n{GATEWAY}: version 1: applied\n"
    starts = branch.starts()
    assert branch.push(branch.own + "[health]\nevery_s = 7\n") == 0
    assert branch.starts() == starts == 2
    assert branch.edge.stop() == 0


@pytest.mark.chaos
def test_a_broker_that_is_not_there_is_rolled_back(branch: Branch, capfd: pytest.CaptureFixture[str]) -> None:
    wrong = free_port()
    right = next(line for line in branch.own.splitlines() if line.startswith("port"))

    assert branch.push(branch.own.replace(right, f"port = {wrong}")) == 1

    reason = f"no receipt within {PROVE_S} s: no connection to the broker at 127.0.0.1:{wrong}"
    assert capfd.readouterr().out.splitlines()[-1] == f"{GATEWAY}: version 1: rolled-back: {reason}"
    assert branch.push(branch.own + "[health]\nevery_s = 7\n", version=2) == 0


def test_a_config_that_cannot_start_is_rolled_back(branch: Branch, capfd: pytest.CaptureFixture[str]) -> None:
    taken = branch.own.split("port = ")[1].split("\n")[0]

    assert branch.push(f'http = "127.0.0.1:{taken}"\n{branch.own}') == 1

    assert "rolled-back: http = " in capfd.readouterr().out
    assert branch.push(branch.own + "[health]\nevery_s = 7\n", version=2) == 0


def test_a_config_without_its_certificate_is_refused(branch: Branch, capfd: pytest.CaptureFixture[str]) -> None:
    assert branch.push(branch.own.replace("[broker]\n", '[broker]\nca_file = "none.crt"\n')) == 1

    assert f"{GATEWAY}: version 1: refused: [broker] ca_file" in capfd.readouterr().out
    assert branch.starts() == 1


def test_kill_9_amid_the_trial_costs_a_start_and_nothing_else(branch: Branch, capfd: pytest.CaptureFixture[str]) -> None:
    def tried() -> int:
        return branch.edge.log.read_text().count("is tried")

    assert branch.push(branch.own.replace("port = ", "port = 1#"), wait_s=0.5, prove_s=600) == 1
    assert eventually(tried)
    for _ in range(MAX_STARTS - 1):
        before = tried()
        branch.edge.kill()
        branch.edge.start()
        assert eventually(lambda: tried() > before)  # noqa: B023

    branch.edge.kill()
    branch.edge.start()

    assert eventually(lambda: "is rolled back: it ended 3 times" in branch.edge.log.read_text())
    assert eventually(lambda: branch.starts() == 2)


def test_another_gateways_file_is_not_even_sent(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('gateway = "gw-b"\n[spool]\npath = "s"\n')
    operator = write_operator(tmp_path, BrokerConfig())

    with pytest.raises(BadConfig, match="this is not the config of gw-a"):
        configure.main(["gw-a", str(tmp_path / "other.toml"), "--operator", str(operator)])


class Authority:
    """A CA in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        key = ec.generate_private_key(ec.SECP256R1())
        self.ca = Pair(key, certificates.new_ca(key, datetime.now(UTC)))
        (folder / "ca.crt").write_bytes(certificates.text(self.ca.certificate))

    def issue(self, name: str, file: str) -> tuple[str, str]:
        """The paths of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        gateway = certificates.for_gateway(self.ca, key.public_key(), name, now)
        certificate = certificates.for_server(self.ca, key.public_key(), [name], now) if name == "127.0.0.1" else gateway
        (self._folder / f"{file}.crt").write_bytes(certificates.text(certificate))
        (self._folder / f"{file}.key").write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return str(self._folder / f"{file}.crt"), str(self._folder / f"{file}.key")


@contextmanager
def mutual_tls(folder: Path, authority: Authority) -> Iterator[tuple[Mosquitto, int]]:
    """A broker, and its port for those with a certificate."""
    certificate, key = authority.issue("127.0.0.1", "broker")
    port = free_port()
    files = f"cafile {folder}/ca.crt\ncertfile {certificate}\nkeyfile {key}"
    broker = Mosquitto(folder, f"listener {port} 127.0.0.1\n{files}\nrequire_certificate true\nuser root")
    broker.start()
    yield broker, port
    broker.stop()


@pytest.mark.chaos
def test_a_certificate_that_the_broker_does_not_know_is_rolled_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    authority = Authority(tmp_path)
    authority.issue(GATEWAY, "right")
    (tmp_path / "foreign").mkdir()
    for path in Authority(tmp_path / "foreign").issue(GATEWAY, "wrong"):
        Path(path).rename(tmp_path / Path(path).name)
    with mutual_tls(tmp_path, authority) as (broker, port):
        own = tmp_path / f"{GATEWAY}.toml"
        secured = f'port = {port}\nca_file = "ca.crt"\ncert_file = "right.crt"\nkey_file = "right.key"\n'
        own.write_text(f'gateway = "{GATEWAY}"\nclock = "system"\n[broker]\n{secured}[spool]\npath = "spool.db"\n')
        branch = Branch(tmp_path, broker.config, own)
        with Ingest(broker.config), branch.edge:
            assert eventually(branch.starts)

            assert branch.push(branch.own.replace("right.", "wrong.")) == 1

            assert "rolled-back: no receipt within" in capfd.readouterr().out
            assert eventually(lambda: branch.starts() == 2)
