"""The broker as our own commands set it up, for real: who gets in, and what each may say and hear."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from hoflicht import Reading, private_key, senml, topics
from hoflicht.broker import NO_MATCHING_SUBSCRIBERS, BrokerConfig, Confirmed, Connected, Event, Message, Received, Session
from hoflicht.clock import SystemClock
from ingest import certificates, mosquitto, registrar
from ingest.certificates import Pair
from ingest.quarantine import Quarantine
from store.readings import open_store
from tests.certified import CITY, enrolled_by_hand, write_authority
from tests.conftest import ROOT, Mosquitto, free_port, installed
from tests.roles import CITY as PACKAGED
from tests.roles import Role, eventually, write_ingest

DEPLOY = ROOT / "deploy"
PATIENCE_S = 15.0
TAKEN, NOT_AUTHORISED = 0x00, 0x87  # MQTT 5 §3.4.2.1


class Deployed(Mosquitto):
    """The broker as deploy/new-secrets and the commands make it, with the paths and ports of this test."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder
        self.secrets = folder / "secrets"
        self.authority = self.secrets / "authority.toml"
        self.broker = self.secrets / "broker"
        self._gateways: dict[str, BrokerConfig] = {}
        self._set_up(free_port())
        self._conf = self.broker / "mosquitto.conf"
        self._conf.write_text(f"{self._conf.read_text()}\nuser root\n")
        self._command[-1] = str(self._conf)

    def _set_up(self, tls_port: int) -> None:
        (self.folder / "city.toml").write_text(CITY)
        text = self.authority.read_text()
        for ours, here in (("/srv/hoflicht/city.toml", str(self.folder / "city.toml")), ("= 8883", f"= {tls_port}")):
            assert ours in text
            text = text.replace(ours, here)
        self.authority.write_text(text)
        self.write_config("--inner", f"127.0.0.1:{self.config.port}")

    def write_config(self, *more: str) -> None:
        assert mosquitto.main(["mosquitto", str(self.broker), "--config", str(self.authority), *more]) == 0

    def reload(self) -> None:
        """SIGHUP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def restart(self) -> None:
        self.stop()
        self.start()

    def as_role(self, name: str) -> BrokerConfig:
        """How ingest and api connect; the container's engine puts the password where only they see it."""
        password = self.folder / f"{name}_password"
        shutil.copyfile(self.secrets / f"{name}_password", password)
        return BrokerConfig(port=self.config.port, username=name, password_file=str(password))

    def as_gateway(self, name: str) -> BrokerConfig:
        """How a gateway connects that was enrolled; once for each name."""
        if name not in self._gateways:
            self._gateways[name] = enrolled_by_hand(self.authority, name, self.folder / name)
        return self._gateways[name]

    def ca(self) -> Pair:
        with closing(registrar.open_authority(self.authority, SystemClock())) as authority:
            return authority.key()


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [DEPLOY / "new-secrets", *arguments], cwd=folder, env={"PATH": path}, capture_output=True, text=True, check=False
    )


def deployment(folder: Path) -> Deployed:
    installed("mosquitto_passwd", "apt-get install mosquitto")
    assert call(folder, "127.0.0.1").returncode == 0
    return Deployed(folder)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    mosquitto = deployment(tmp_path_factory.mktemp("deployed"))
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Deployed]:
    """One for a test that revokes."""
    mosquitto = deployment(tmp_path)
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


def alert(broker: BrokerConfig) -> str | None:
    """What the broker's TLS says to who connects with these files: the name of its alert, or nothing where it lets them in."""
    context = ssl.create_default_context(cafile=broker.ca_file)
    if broker.cert_file:
        context.load_cert_chain(broker.cert_file, broker.key_file)
    with socket.create_connection((broker.host, broker.port)) as raw, context.wrap_socket(raw, server_hostname=broker.host) as tls:
        tls.settimeout(1.0)  # who is let in hears nothing before it has spoken
        try:
            tls.recv(1)
        except TimeoutError:
            return None
        except ssl.SSLError as cause:
            return cause.reason
    return "closed"


def with_files(broker: BrokerConfig, folder: Path, pair: Pair) -> BrokerConfig:
    """The same broker with another key and certificate."""
    key, certificate = folder / "other.key", folder / "other.crt"
    key.write_bytes(private_key.text(pair.key))
    certificate.write_bytes(certificates.text(pair.certificate))
    return msgspec.structs.replace(broker, cert_file=str(certificate), key_file=str(key))


def signed_by(ca: Pair, name: str, now: datetime) -> Pair:
    key = private_key.new()
    return Pair(key, certificates.for_gateway(ca, key.public_key(), name, now))


def test_a_gateway_publishes_its_own_readings_and_no_others(deployed: Deployed) -> None:
    with ExitStack() as stack:
        connected(stack, deployed.as_role("ingest"), "ingest", topics.ALL_BATCHES)
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a")

        codes = [code_of(gateway, topics.batches(name)) for name in ("gw-a", "gw-b", "api")]

    assert codes == [TAKEN, NOT_AUTHORISED, NOT_AUTHORISED]


@pytest.mark.parametrize(
    "topic",
    [
        topics.wait("hof-nord"),
        topics.answers("gw-a"),
        topics.answers("gw-b"),
        topics.state("gw-b"),
        topics.desired("gw-a", topics.CONFIG),
        topics.desired("gw-b", topics.CONFIG),
        topics.reported("gw-b", topics.CONFIG),
        topics.batches("ingest"),
    ],
)
def test_a_gateway_gives_itself_no_receipt_no_order_and_no_waiting_time(deployed: Deployed, topic: str) -> None:
    with ExitStack() as stack:
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a")

        assert code_of(gateway, topic) == NOT_AUTHORISED


def test_the_client_id_gives_no_rights(deployed: Deployed) -> None:
    with ExitStack() as stack:
        impostor = connected(stack, deployed.as_gateway("gw-b"), "gw-a")

        assert code_of(impostor, topics.batches("gw-a")) == NOT_AUTHORISED


def test_a_gateway_does_not_push_out_another_by_its_client_id(deployed: Deployed) -> None:
    with ExitStack() as stack:
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a")
        connected(stack, deployed.as_gateway("gw-b"), "gw-a")

        assert gateway.event(0.5) is None
        assert code_of(gateway, topics.state("gw-a")) in (TAKEN, NO_MATCHING_SUBSCRIBERS)


def test_a_gateway_hears_its_own_receipts_and_no_others(deployed: Deployed) -> None:
    with ExitStack() as stack:
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a", topics.answers("gw-b"), topics.answers("gw-a"))
        ingest = connected(stack, deployed.as_role("ingest"), "ingest")

        for name in ("gw-b", "gw-a"):
            ingest.publish(Message(topic=topics.answers(name), payload=b"stored"))

        assert topics_heard(gateway, until=topics.answers("gw-a")) == [topics.answers("gw-a")]


@pytest.mark.parametrize(
    "topic",
    [topics.batches("gw-b"), topics.state("gw-b"), topics.reported("gw-b", topics.CONFIG), "#", "hoflicht/v1/+/w1", "hl/#"],
)
def test_a_gateway_hears_nothing_that_another_says(deployed: Deployed, topic: str) -> None:
    with ExitStack() as stack:
        spy = connected(stack, deployed.as_gateway("gw-a"), "gw-a", topic, topics.answers("gw-a"))
        gateway = connected(stack, deployed.as_gateway("gw-b"), "gw-b")
        ingest = connected(stack, deployed.as_role("ingest"), "ingest")

        for said in (topics.batches("gw-b"), topics.state("gw-b"), topics.reported("gw-b", topics.CONFIG)):
            code_of(gateway, said)
        ingest.publish(Message(topic=topics.answers("gw-a"), payload=b"stored"))

        assert topics_heard(spy, until=topics.answers("gw-a")) == [topics.answers("gw-a")]


def test_a_gateway_hears_its_own_orders_and_no_others(deployed: Deployed) -> None:
    with ExitStack() as stack:
        gateway = connected(
            stack, deployed.as_gateway("gw-a"), "gw-a", topics.desired("gw-b", topics.CONFIG), topics.desired("gw-a", topics.CONFIG)
        )
        operator = connected(stack, deployed.as_role("operator"), "operator")

        for name in ("gw-b", "gw-a"):
            operator.publish(Message(topic=topics.desired(name, topics.CONFIG), payload=b"{}"))

        assert topics_heard(gateway, until=topics.desired("gw-a", topics.CONFIG)) == [topics.desired("gw-a", topics.CONFIG)]


def test_an_operator_hears_what_became_of_an_order_and_says_nothing_else(deployed: Deployed) -> None:
    with ExitStack() as stack:
        operator = connected(
            stack, deployed.as_role("operator"), "operator", topics.reported("+", topics.CONFIG), topics.ALL_BATCHES
        )
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a")

        code_of(gateway, topics.batches("gw-a"))
        code_of(gateway, topics.reported("gw-a", topics.CONFIG))

        assert topics_heard(operator, until=topics.reported("gw-a", topics.CONFIG)) == [topics.reported("gw-a", topics.CONFIG)]
        assert {code_of(operator, make("gw-a")) for make in (topics.batches, topics.answers, topics.state)} == {NOT_AUTHORISED}


def test_everyone_may_read_the_waiting_times(deployed: Deployed) -> None:
    with ExitStack() as stack:
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a", topics.ALL_WAITS)
        api = connected(stack, deployed.as_role("api"), "api")

        api.publish(Message(topic=topics.wait("hof-nord"), payload=b"{}"))

        assert topics_heard(gateway, until=topics.wait("hof-nord")) == [topics.wait("hof-nord")]


def test_ingest_takes_every_batch_and_answers_it(deployed: Deployed) -> None:
    with ExitStack() as stack:
        ingest = connected(stack, deployed.as_role("ingest"), "ingest", topics.ALL_BATCHES)
        gateways = [connected(stack, deployed.as_gateway(name), name, topics.answers(name)) for name in ("gw-a", "gw-b")]

        heard: list[str] = []
        for gateway, name in zip(gateways, ("gw-a", "gw-b"), strict=True):
            gateway.publish(Message(topic=topics.batches(name), payload=b"[]"))
            heard += topics_heard(ingest, until=topics.batches(name))

        assert heard == [topics.batches("gw-a"), topics.batches("gw-b")]
        assert [code_of(ingest, topics.answers(name)) for name in ("gw-a", "gw-b")] == [TAKEN, TAKEN]


def test_who_says_in_full_what_a_batch_is_has_the_same_rights_as_others(deployed: Deployed) -> None:
    with ExitStack() as stack:
        ingest = connected(stack, deployed.as_role("ingest"), "ingest", topics.ALL_READINGS)
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a", topics.receipts("gw-b"), topics.receipts("gw-a"))

        assert [code_of(gateway, topics.readings(name)) for name in ("gw-b", "api", "gw-a")] == [
            NOT_AUTHORISED,
            NOT_AUTHORISED,
            TAKEN,
        ]
        assert topics_heard(ingest, until=topics.readings("gw-a")) == [topics.readings("gw-a")]
        for name in ("gw-b", "gw-a"):
            ingest.publish(Message(topic=topics.receipts(name), payload=b"stored"))
        assert topics_heard(gateway, until=topics.receipts("gw-a")) == [topics.receipts("gw-a")]


@pytest.mark.parametrize(
    "topic",
    [
        topics.batches("gw-a"),
        topics.batches("ingest"),
        topics.wait("hof-nord"),
        topics.state("gw-a"),
        topics.desired("gw-a", topics.CONFIG),
    ],
)
def test_ingest_may_say_nothing_else(deployed: Deployed, topic: str) -> None:
    with ExitStack() as stack:
        ingest = connected(stack, deployed.as_role("ingest"), "ingest")

        assert code_of(ingest, topic) == NOT_AUTHORISED


def test_the_api_says_waits_and_its_own_readings_only(deployed: Deployed) -> None:
    with ExitStack() as stack:
        connected(stack, deployed.as_role("ingest"), "ingest", topics.ALL_BATCHES)
        api = connected(stack, deployed.as_role("api"), "api")

        codes = {topic: code_of(api, topic) for topic in (topics.batches("api"), topics.batches("gw-a"), topics.answers("gw-a"))}

    assert codes == {
        topics.batches("api"): TAKEN,
        topics.batches("gw-a"): NOT_AUTHORISED,
        topics.answers("gw-a"): NOT_AUTHORISED,
    }


def test_the_api_hears_what_became_of_its_own_readings_and_nothing_else(deployed: Deployed) -> None:
    with ExitStack() as stack:
        own, others = topics.answers("api"), [topics.answers("gw-a"), topics.batches("gw-a")]
        api = connected(stack, deployed.as_role("api"), "api", *others, own)
        ingest = connected(stack, deployed.as_role("ingest"), "ingest")
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a")

        code_of(gateway, topics.batches("gw-a"))
        for topic in (topics.answers("gw-a"), own):
            code_of(ingest, topic)

        assert topics_heard(api, until=own) == [own]


def test_the_api_tells_gateways_how_their_lamps_burn_and_nothing_else(deployed: Deployed) -> None:
    with ExitStack() as stack:
        gateway = connected(stack, deployed.as_gateway("gw-a"), "gw-a", topics.desired("gw-a", "#"))
        api = connected(stack, deployed.as_role("api"), "api", topics.ALL_LIGHT, topics.reported("gw-a", topics.CONFIG))
        asked = [topics.desired("gw-a", topics.CONFIG), topics.reported("gw-a", topics.LIGHT), topics.desired("gw-a", topics.LIGHT)]

        codes = [code_of(api, topic) for topic in asked]
        heard = topics_heard(gateway, until=topics.desired("gw-a", topics.LIGHT))
        for kind in (topics.CONFIG, topics.LIGHT):
            code_of(gateway, topics.reported("gw-a", kind))

        assert codes == [NOT_AUTHORISED, NOT_AUTHORISED, TAKEN]
        assert heard == [topics.desired("gw-a", topics.LIGHT)]
        assert topics_heard(api, until=topics.reported("gw-a", topics.LIGHT)) == [topics.reported("gw-a", topics.LIGHT)]


def test_a_wrong_password_stays_outside(deployed: Deployed, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "password").write_text("guessed")
    broker = BrokerConfig(port=deployed.config.port, username="ingest", password_file=str(tmp_path / "password"))

    with Session(broker, "ingest") as session:
        event = session.event(1.0)

    assert event is None
    assert "it refuses ingest: Not authorized" in caplog.text


def test_without_a_password_nobody_gets_in_from_inside_the_server(deployed: Deployed, caplog: pytest.LogCaptureFixture) -> None:
    with Session(BrokerConfig(port=deployed.config.port), "anybody") as session:
        event = session.event(1.0)

    assert event is None
    assert "it refuses anybody: Not authorized" in caplog.text


def test_a_gateway_of_the_city_gets_in(deployed: Deployed) -> None:
    assert alert(deployed.as_gateway("gw-a")) is None


def test_without_a_certificate_nobody_gets_in(deployed: Deployed) -> None:
    stranger = msgspec.structs.replace(deployed.as_gateway("gw-a"), cert_file="", key_file="")

    assert alert(stranger) == "TLSV13_ALERT_CERTIFICATE_REQUIRED"


def test_a_certificate_of_a_foreign_ca_opens_nothing(deployed: Deployed, tmp_path: Path) -> None:
    foreign = write_authority(tmp_path)
    with closing(registrar.open_authority(foreign, SystemClock())) as authority:
        stranger = signed_by(authority.key(), "gw-a", datetime.now(UTC))

    assert alert(with_files(deployed.as_gateway("gw-a"), tmp_path, stranger)) == "TLSV1_ALERT_UNKNOWN_CA"


def test_a_certificate_that_has_run_out_opens_nothing(deployed: Deployed, tmp_path: Path) -> None:
    old = signed_by(deployed.ca(), "gw-a", datetime.now(UTC) - certificates.LIFE - timedelta(hours=1))

    assert alert(with_files(deployed.as_gateway("gw-a"), tmp_path, old)) == "SSLV3_ALERT_CERTIFICATE_EXPIRED"


def test_the_certificate_of_a_server_opens_nothing(deployed: Deployed, tmp_path: Path) -> None:
    key = private_key.new()
    server = Pair(key, certificates.for_server(deployed.ca(), key.public_key(), ["gw-a"], datetime.now(UTC)))

    assert alert(with_files(deployed.as_gateway("gw-a"), tmp_path, server)) == "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho lets go of a refused socket without closing it
def test_a_gateway_does_not_talk_to_a_broker_of_another_name(deployed: Deployed, caplog: pytest.LogCaptureFixture) -> None:
    with Session(msgspec.structs.replace(deployed.as_gateway("gw-a"), host="localhost"), "gw-a") as session:
        event = session.event(1.0)

    assert event is None
    assert "Hostname mismatch, certificate is not valid for 'localhost'" in caplog.text


def test_what_was_enrolled_runs_a_gateway_up_to_the_store(deployed: Deployed, tmp_path: Path) -> None:
    deployed.as_gateway("gw-a")
    edge = deployed.folder / "gw-a" / "edge.toml"
    running = tmp_path / "edge.toml"
    text = (
        edge.read_text()
        .replace('"ntp"', '"system"')
        .replace("/var/lib/hoflicht", str(tmp_path))
        .replace('http = "127.0.0.1:9101"', "")
    )
    running.write_text(text.replace('_file = "', f'_file = "{edge.parent}/') + "[health]\nevery_s = 1\n")
    url = f"sqlite:///{tmp_path}/readings.db"
    ingest = write_ingest(tmp_path, deployed.config, url)
    inner = deployed.as_role("ingest")
    ingest.write_text(
        'client_id = "worker"\n'  # that city has a gateway of the usual name
        + ingest.read_text()
        .replace(str(PACKAGED), str(deployed.folder / "city.toml"))
        .replace("[broker]", f'[broker]\nusername = "{inner.username}"\npassword_file = "{inner.password_file}"')
    )

    with Role(tmp_path, "ingest", ingest), Role(tmp_path, "edge", running), closing(open_store(url)) as store:
        assert eventually(store.count) > 0


def revoke(deployed: Deployed, gateway: str) -> None:
    assert registrar.revoke([gateway, "--config", str(deployed.authority)]) == 0


def test_a_revoked_gateway_stays_outside_once_the_broker_has_started_again(fresh: Deployed) -> None:
    stolen, other = fresh.as_gateway("gw-a"), fresh.as_gateway("gw-b")

    revoke(fresh, "gw-a")
    fresh.restart()

    assert alert(stolen) == "SSLV3_ALERT_CERTIFICATE_REVOKED"
    assert alert(other) is None


def test_until_then_it_may_stay_and_even_come_again(fresh: Deployed) -> None:
    with ExitStack() as stack:
        connected(stack, fresh.as_role("ingest"), "ingest", topics.ALL_BATCHES)
        gateway = connected(stack, fresh.as_gateway("gw-a"), "gw-a")

        revoke(fresh, "gw-a")

        assert code_of(gateway, topics.batches("gw-a")) == TAKEN
        assert alert(fresh.as_gateway("gw-a")) is None


def test_sighup_is_enough_for_new_connections_and_not_for_those_that_stand(fresh: Deployed) -> None:
    with ExitStack() as stack:
        connected(stack, fresh.as_role("ingest"), "ingest", topics.ALL_BATCHES)
        gateway = connected(stack, fresh.as_gateway("gw-a"), "gw-a")

        revoke(fresh, "gw-a")
        fresh.reload()

        assert eventually(lambda: alert(fresh.as_gateway("gw-a"))) == "SSLV3_ALERT_CERTIFICATE_REVOKED"
        assert code_of(gateway, topics.batches("gw-a")) == TAKEN


def test_a_gateway_that_was_revoked_comes_back_with_a_new_key(fresh: Deployed) -> None:
    fresh.as_gateway("gw-a")
    revoke(fresh, "gw-a")
    fresh.restart()

    again = enrolled_by_hand(fresh.authority, "gw-a", fresh.folder / "again")

    assert alert(again) is None


def test_a_list_that_has_run_out_would_keep_everybody_outside(fresh: Deployed) -> None:
    """Why ours lasts as long as the CA."""
    ca, now = fresh.ca(), datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.certificate.subject)
    builder = builder.last_update(now - timedelta(days=2)).next_update(now - timedelta(days=1))
    (fresh.broker / "crl.pem").write_bytes(certificates.text(builder.sign(ca.key, hashes.SHA256())))
    gateway = fresh.as_gateway("gw-a")

    fresh.restart()

    assert alert(gateway) == "SSLV3_ALERT_CERTIFICATE_EXPIRED"


def test_a_second_run_keeps_the_brokers_key_and_what_is_revoked(fresh: Deployed) -> None:
    stolen, other = fresh.as_gateway("gw-a"), fresh.as_gateway("gw-b")
    revoke(fresh, "gw-a")
    key = (fresh.broker / "broker.key").read_bytes()

    fresh.write_config("--inner", f"127.0.0.1:{fresh.config.port}")
    (fresh.broker / "mosquitto.conf").write_text((fresh.broker / "mosquitto.conf").read_text() + "user root\n")
    fresh.restart()

    assert (fresh.broker / "broker.key").read_bytes() == key
    assert (alert(stolen), alert(other)) == ("SSLV3_ALERT_CERTIFICATE_REVOKED", None)


NOW = time.time_ns() // 1_000_000 - 60_000


def publish(broker: BrokerConfig, gateway: str, site: str) -> None:
    """What anybody can do at a broker that asks nobody who he is: speak on the topic of `gateway` about `site`."""
    reading = Reading(site, "gate-in", "passage", NOW, 1.0)
    with ExitStack() as stack:
        session = connected(stack, broker, "anybody")
        session.publish(Message(topic=topics.readings(gateway), payload=senml.encode([reading])))
        wait_for(session, Confirmed)


@pytest.mark.parametrize(
    ("gateway", "site", "stored", "fault"),
    [
        ("gw-hof-nord", "hof-sued", 0, "foreign-site"),
        ("gw-fremd", "hof-nord", 0, "unknown-gateway"),
        # What ingest cannot tell: only the broker knows who has spoken.
        ("gw-hof-sued", "hof-sued", 1, None),
    ],
)
def test_at_a_broker_that_lets_everybody_in_ingest_still_goes_by_topic_and_catalogue(
    broker: Mosquitto, tmp_path: Path, gateway: str, site: str, stored: int, fault: str | None
) -> None:
    url = f"sqlite:///{tmp_path}/readings.db"
    config = write_ingest(tmp_path, broker.config, url)
    with Role(tmp_path, "ingest", config) as ingest:
        assert eventually(lambda: "connected to the broker" in ingest.log.read_text())
        publish(broker.config, gateway, site)
        with closing(open_store(url)) as store:
            assert eventually(lambda: store.count() + len(quarantined(config)) == 1)

            assert store.count() == stored
        assert quarantined(config) == ([fault] if fault else [])


def quarantined(config: Path) -> list[str]:
    with closing(Quarantine(config.parent / "quarantine.db")) as kept:
        return [row.fault for row in kept.rows()]


def test_new_secrets_do_not_take_the_place_of_old_ones(deployed: Deployed) -> None:
    before = {path.name: path.read_bytes() for path in deployed.secrets.rglob("*") if path.is_file()}

    again = call(deployed.folder, "127.0.0.1")

    assert again.returncode == 2
    assert {path.name: path.read_bytes() for path in deployed.secrets.rglob("*") if path.is_file()} == before


def test_no_password_stands_in_the_brokers_file(deployed: Deployed) -> None:
    hashed = (deployed.broker / "passwords").read_text()

    assert [line.split(":")[0] for line in hashed.splitlines()] == ["ingest", "api", "operator"]
    assert (deployed.secrets / "ingest_password").read_text().strip() not in hashed


@pytest.mark.parametrize("host", ["", "broker.example.org/x", "a b", "x;id"])
def test_a_host_that_is_none_makes_no_secrets(tmp_path: Path, host: str) -> None:
    assert call(tmp_path, host).returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_only_its_owner_gets_into_the_folder_of_the_secrets(deployed: Deployed) -> None:
    assert oct(deployed.secrets.stat().st_mode)[-3:] == "700"
    assert oct((deployed.secrets / "authority" / "ca.key").stat().st_mode)[-3:] == "600"


def test_the_configuration_names_files_that_are_there_as_a_container_sees_them(tmp_path: Path) -> None:
    config = write_authority(tmp_path)
    (tmp_path / "broker").mkdir()

    mosquitto.main(["mosquitto", str(tmp_path / "broker"), "--config", str(config), "--mounted-at", "/mosquitto/config"])

    conf = (tmp_path / "broker" / "mosquitto.conf").read_text()
    files = set(re.findall(r"^\w+file /mosquitto/config/(\S+)$", conf, re.MULTILINE))
    assert files - {path.name for path in (tmp_path / "broker").iterdir()} == {"passwords"}
    assert len(files) == 7
    assert str(tmp_path) not in conf


def test_every_secret_that_compose_mounts_is_made(deployed: Deployed) -> None:
    compose = (DEPLOY / "compose.yaml").read_text()
    made_by_influxdb = {"influx_ingest_token", "influx_read_token"}

    assert (
        set(re.findall(r"\{file: secrets/(\S+)\}", compose)) - {path.name for path in deployed.secrets.iterdir()}
        == made_by_influxdb
    )
    assert "./secrets/broker:/mosquitto/config:ro" in compose
