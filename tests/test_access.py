"""deploy/mosquitto for real: the configuration starts, and its access list lets and refuses."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hoflicht import topics
from hoflicht.broker import BrokerConfig, Confirmed, Connected, Event, Message, Received, Session
from tests.conftest import ROOT, Mosquitto, free_port, installed

DEPLOY = ROOT / "deploy"
CERTIFICATES = "mosquitto/certificates"
PATIENCE_S = 15.0
TAKEN, NOT_AUTHORISED = 0x00, 0x87  # MQTT 5 §3.4.2.1


class Deployed(Mosquitto):
    """The broker as deploy/ has it, with the paths and ports of this test."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.secrets = folder / "secrets"
        self.tls_port = free_port()
        moved = {
            "/run/secrets": str(self.secrets),
            "/mosquitto/config/acl": str(DEPLOY / "mosquitto" / "acl"),
            "/mosquitto/data": str(folder),
            "listener 8883": f"listener {self.tls_port} 127.0.0.1",
            "listener 1883": f"listener {self.config.port} 127.0.0.1",
        }
        conf = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text()
        for ours, here in moved.items():
            assert ours in conf
            conf = conf.replace(ours, here)
        (folder / "mosquitto.conf").write_text(f"{conf}\nuser root\n")

    def as_role(self, name: str) -> BrokerConfig:
        """How ingest and api connect."""
        return BrokerConfig(port=self.config.port, username=name, password_file=str(self.secrets / f"{name}_password"))

    def as_gateway(self, name: str) -> BrokerConfig:
        """How a gateway connects."""
        files = {"ca_file": "ca.crt", "cert_file": f"{name}.crt", "key_file": f"{name}.key"}
        return BrokerConfig(port=self.tls_port, **{key: str(self.secrets / file) for key, file in files.items()})


def call(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([DEPLOY / script, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    installed("mosquitto_passwd", "apt-get install mosquitto")
    folder = tmp_path_factory.mktemp("deployed")
    assert call(folder, "new-secrets", "127.0.0.1").returncode == 0
    for name in ("gw-a", "gw-b"):
        assert call(folder / "secrets", CERTIFICATES, "gateway", name).returncode == 0
    mosquitto = Deployed(folder)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


def wait_for(session: Session, kind: type[Event]) -> Event:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        event = session.event(0.2)
        if isinstance(event, kind):
            return event
    raise TimeoutError(f"no {kind.__name__}")


def connected(stack: ExitStack, broker: BrokerConfig, name: str, *subscriptions: str) -> Session:
    session = stack.enter_context(Session(broker, name, subscriptions))
    wait_for(session, Connected)
    return session


def code_of(session: Session, topic: str) -> int:
    """What the broker says to a publish on `topic`."""
    session.publish(Message(topic=topic, payload=b"x"))
    confirmed = wait_for(session, Confirmed)
    assert isinstance(confirmed, Confirmed)
    return confirmed.code


def topics_heard(session: Session, until: str) -> list[str]:
    """The topics of all messages up to the first on `until`."""
    heard: list[str] = []
    while not heard or heard[-1] != until:
        received = wait_for(session, Received)
        assert isinstance(received, Received)
        session.acknowledge(received)
        heard.append(received.message.topic)
    return heard


def test_a_gateway_publishes_its_own_readings_and_no_others(deployed: Deployed) -> None:
    with ExitStack() as stack:
        connected(stack, deployed.as_role("ingest"), "ingest", topics.ALL_READINGS)
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a")

        codes = [code_of(gateway, topics.readings(name)) for name in ("gw-a", "gw-b", "api")]

    assert codes == [TAKEN, NOT_AUTHORISED, NOT_AUTHORISED]


@pytest.mark.parametrize(
    "topic",
    [topics.wait("hof-nord"), topics.receipts("gw-a"), topics.receipts("gw-b"), topics.state("gw-b"), "hoflicht/v1/gw-a/desired"],
)
def test_a_gateway_gives_itself_no_receipt_no_order_and_no_waiting_time(deployed: Deployed, topic: str) -> None:
    with ExitStack() as stack:
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a")

        assert code_of(gateway, topic) == NOT_AUTHORISED


def test_the_client_id_gives_no_rights(deployed: Deployed) -> None:
    with ExitStack() as stack:
        impostor = connected(stack, deployed.as_gateway("gw-b"), "gw-a")

        assert code_of(impostor, topics.readings("gw-a")) == NOT_AUTHORISED


def test_a_gateway_hears_its_own_receipts_and_no_others(deployed: Deployed) -> None:
    with ExitStack() as stack:
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a", topics.receipts("gw-b"), topics.receipts("gw-a"))
        ingest = connected(stack, deployed.as_role("ingest"), "ingest")

        for name in ("gw-b", "gw-a"):
            ingest.publish(Message(topic=topics.receipts(name), payload=b"stored"))

        assert topics_heard(gateway, until=topics.receipts("gw-a")) == [topics.receipts("gw-a")]


def test_a_gateway_hears_no_readings_of_another(deployed: Deployed) -> None:
    with ExitStack() as stack:
        spy = connected(stack, deployed.as_gateway("gw-a"), "gw-a", topics.readings("gw-b"), topics.receipts("gw-a"))
        gateway = connected(stack, deployed.as_gateway("gw-b"), "gw-b")
        ingest = connected(stack, deployed.as_role("ingest"), "ingest")

        code_of(gateway, topics.readings("gw-b"))
        ingest.publish(Message(topic=topics.receipts("gw-a"), payload=b"stored"))

        assert topics_heard(spy, until=topics.receipts("gw-a")) == [topics.receipts("gw-a")]


def test_everyone_may_read_the_waiting_times(deployed: Deployed) -> None:
    with ExitStack() as stack:
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a", topics.ALL_WAITS)
        api = connected(stack, deployed.as_role("api"), "api")

        api.publish(Message(topic=topics.wait("hof-nord"), payload=b"{}"))

        assert topics_heard(gateway, until=topics.wait("hof-nord")) == [topics.wait("hof-nord")]


def test_ingest_takes_every_batch_and_answers_it(deployed: Deployed) -> None:
    with ExitStack() as stack:
        ingest = connected(stack, deployed.as_role("ingest"), "ingest", topics.ALL_READINGS)
        gateways = [connected(stack, deployed.as_gateway(name), name, topics.receipts(name)) for name in ("gw-a", "gw-b")]

        heard: list[str] = []
        for gateway, name in zip(gateways, ("gw-a", "gw-b"), strict=True):
            gateway.publish(Message(topic=topics.readings(name), payload=b"[]"))
            heard += topics_heard(ingest, until=topics.readings(name))

        assert heard == [topics.readings("gw-a"), topics.readings("gw-b")]
        assert [code_of(ingest, topics.receipts(name)) for name in ("gw-a", "gw-b")] == [TAKEN, TAKEN]


@pytest.mark.parametrize("topic", [topics.readings("gw-a"), topics.wait("hof-nord"), topics.state("gw-a")])
def test_ingest_may_say_nothing_else(deployed: Deployed, topic: str) -> None:
    with ExitStack() as stack:
        ingest = connected(stack, deployed.as_role("ingest"), "ingest")

        assert code_of(ingest, topic) == NOT_AUTHORISED


def test_the_api_says_waits_and_its_own_readings_only(deployed: Deployed) -> None:
    with ExitStack() as stack:
        connected(stack, deployed.as_role("ingest"), "ingest", topics.ALL_READINGS)
        api = connected(stack, deployed.as_role("api"), "api")

        codes = {topic: code_of(api, topic) for topic in (topics.readings("api"), topics.readings("gw-a"), topics.receipts("gw-a"))}

    assert codes == {
        topics.readings("api"): TAKEN,
        topics.readings("gw-a"): NOT_AUTHORISED,
        topics.receipts("gw-a"): NOT_AUTHORISED,
    }


def test_a_wrong_password_stays_outside(deployed: Deployed, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "password").write_text("guessed")
    broker = BrokerConfig(port=deployed.config.port, username="ingest", password_file=str(tmp_path / "password"))

    with Session(broker, "ingest") as session:
        event = session.event(1.0)

    assert event is None
    assert "it refuses ingest: Not authorized" in caplog.text


def test_without_a_certificate_of_the_city_nobody_gets_in(deployed: Deployed, caplog: pytest.LogCaptureFixture) -> None:
    stranger = BrokerConfig(port=deployed.tls_port, ca_file=str(deployed.secrets / "ca.crt"))

    with Session(stranger, "gw-a") as session:
        event = session.event(1.0)

    assert event is None
    assert f"no broker at 127.0.0.1:{deployed.tls_port}" in caplog.text


def test_a_key_in_use_is_not_made_anew(deployed: Deployed) -> None:
    before = (deployed.secrets / "gw-a.key").read_bytes()

    again = call(deployed.secrets, CERTIFICATES, "gateway", "gw-a")

    assert again.returncode == 2
    assert "gw-a.key exists already" in again.stderr
    assert (deployed.secrets / "gw-a.key").read_bytes() == before


@pytest.mark.parametrize("name", ["", "GW", "../gw", "gw a", "ingest", "api"])
def test_no_certificate_is_made_for_a_name_that_is_not_a_gateways(deployed: Deployed, name: str) -> None:
    assert call(deployed.secrets, CERTIFICATES, "gateway", name).returncode == 2


def test_new_secrets_do_not_take_the_place_of_old_ones(deployed: Deployed) -> None:
    before = {path.name: path.read_bytes() for path in deployed.secrets.iterdir()}

    again = call(deployed.secrets.parent, "new-secrets", "127.0.0.1")

    assert again.returncode == 2
    assert {path.name: path.read_bytes() for path in deployed.secrets.iterdir()} == before


def test_no_password_stands_in_the_brokers_file(deployed: Deployed) -> None:
    hashed = (deployed.secrets / "mosquitto_passwords").read_text()

    assert [line.split(":")[0] for line in hashed.splitlines()] == ["ingest", "api"]
    assert (deployed.secrets / "ingest_password").read_text().strip() not in hashed
