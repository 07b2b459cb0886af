"""From the broker to the store, against a real Mosquitto and both stores."""

import json
import logging
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

from hoflicht import Reading, Refused, Unavailable, cli, senml, topics
from hoflicht.batch import STORED, STORED_IN_FULL, batch
from hoflicht.broker import NO_MATCHING_SUBSCRIBERS, BrokerConfig, Confirmed, Connected, Message, Received, Session
from hoflicht.catalogue import City
from hoflicht.clock import SystemClock
from ingest.checks import Checks
from ingest.desk import Desk
from ingest.health import Health
from ingest.quarantine import Quarantine
from ingest.service import run
from store.answers import Rejected
from store.readings import Store, open_store
from store.sqlite import SqliteStore
from tests.conftest import Bucket, Influxd, Mosquitto, free_port
from tests.roles import Role, eventually, write_ingest

NOW = time.time_ns() // 1_000_000 - 60_000
GATEWAY = "gw-hof-nord"
PATIENCE_MS = 300


def passage(n: int = 0, sensor: str = "gate-in", site: str = "hof-nord") -> Reading:
    return Reading(site, sensor, "passage", NOW + n, 1.0)


class Running(Protocol):
    """A broker that has been started."""

    config: BrokerConfig


class Gateway:
    """The other end: publishes batches and hears receipts."""

    def __init__(self, broker: BrokerConfig, name: str = GATEWAY) -> None:
        self.name = name
        self._session = Session(broker, name, [topics.answers(name), topics.receipts(name)])
        self.receipts: list[tuple[bytes, bytes]] = []  # correlation and payload
        self.codes: list[int] = []  # of the broker's PUBACKs

    def __enter__(self) -> "Gateway":
        self._session.__enter__()
        assert isinstance(self._session.event(15), Connected)
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def send(self, number: int, *readings: Reading) -> None:
        self.send_message(batch(self.name, b"%d" % number, readings))

    def send_message(self, message: Message) -> None:
        self._session.publish(message)

    def listen(self, seconds: float) -> None:
        """Take what comes, until nothing has come for so long."""
        while event := self._session.event(seconds):
            if isinstance(event, Received):
                self.receipts.append((event.message.correlation, event.message.payload))
                self._session.acknowledge(event)
            elif isinstance(event, Confirmed):
                self.codes.append(event.code)

    def receipt(self, number: int, timeout_s: float = 15.0) -> bytes | None:
        """The receipt of the batch with this number, waited for."""
        deadline = time.monotonic() + timeout_s
        while b"%d" % number not in dict(self.receipts) and time.monotonic() < deadline:
            self.listen(0.05)
        return dict(self.receipts).get(b"%d" % number)


@contextmanager
def ingesting(broker: Running, city: City, store: Store, quarantine: Quarantine) -> Iterator[Health]:
    """`run` in a thread, at the broker as soon as the store takes readings."""
    clock = SystemClock()
    health = Health(clock, "put the right token into secrets/token and restart ingest")
    desk = Desk(Checks(city), store, quarantine, clock, health)
    stopping = threading.Event()

    def connect() -> Session:
        return Session(broker.config, "ingest", [topics.ALL_BATCHES, topics.ALL_READINGS], receive_maximum=20)

    def work() -> None:
        run(connect, desk, health, stopping, group_size=20, patience_ms=PATIENCE_MS)

    thread = threading.Thread(target=work, name="ingest")
    thread.start()
    try:
        yield health
    finally:
        stopping.set()
        thread.join(timeout=20)
        assert not thread.is_alive()


def is_ok(health: Health) -> Callable[[], bool]:
    return lambda: health.report() == {"ok": True}


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path}/readings.db")) as opened:
        yield opened


@pytest.fixture
def quarantine(tmp_path: Path) -> Iterator[Quarantine]:
    with closing(Quarantine(tmp_path / "quarantine.db")) as opened:
        yield opened


class Flaky(SqliteStore):
    """A store that answers a write with `trouble` while there is any, and that can be made to wait at its gate."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.trouble: Unavailable | Refused | None = None
        self.gate = threading.Event()
        self.gate.set()

    def write(self, readings: Sequence[Reading]) -> list[Rejected]:
        self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        return super().write(readings)


@pytest.fixture
def flaky(tmp_path: Path) -> Iterator[Flaky]:
    with closing(Flaky(tmp_path / "flaky.db")) as opened:
        yield opened


def stored(store: Store) -> list[Reading]:
    return store.read("hof-nord", ["passage", "temperature"], NOW - 10_000, NOW + 10_000)


def test_a_batch_becomes_points_and_its_receipt_follows(
    broker: Mosquitto, city: City, store: Store, quarantine: Quarantine
) -> None:
    with ingesting(broker, city, store, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))

        gateway.send(7, passage(0), passage(1, "gate-out"))

        assert gateway.receipt(7) == STORED
    assert stored(store) == [passage(0), passage(1, "gate-out")]
    assert quarantine.rows() == []


def test_there_is_no_receipt_before_the_store_has_it(broker: Mosquitto, city: City, flaky: Flaky, quarantine: Quarantine) -> None:
    with ingesting(broker, city, flaky, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))
        flaky.gate.clear()

        gateway.send(1, passage())

        assert gateway.receipt(1, timeout_s=0.5) is None
        flaky.gate.set()
        assert gateway.receipt(1) == STORED
        assert stored(flaky) == [passage()]


def test_many_batches_are_all_answered(broker: Mosquitto, city: City, store: Store, quarantine: Quarantine) -> None:
    with ingesting(broker, city, store, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))

        for n in range(100):
            gateway.send(n, passage(2 * n), passage(2 * n + 1))

        assert [gateway.receipt(n) for n in range(100)] == [STORED] * 100
    assert stored(store) == [passage(n) for n in range(200)]


def test_the_same_batch_twice_is_stored_once_and_answered_twice(
    broker: Mosquitto, city: City, store: Store, quarantine: Quarantine
) -> None:
    with ingesting(broker, city, store, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))

        gateway.send(1, passage())
        gateway.send(1, passage())
        gateway.send(2, passage(1))

        assert gateway.receipt(2) == STORED
        assert [number for number, _ in gateway.receipts] == [b"1", b"1", b"2"]
    assert stored(store) == [passage(0), passage(1)]


def test_poison_is_set_aside_and_the_good_ones_are_stored(
    broker: Mosquitto, city: City, store: Store, quarantine: Quarantine
) -> None:
    hot = Reading("hof-nord", "air", "temperature", NOW, 900.0)
    with ingesting(broker, city, store, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))

        gateway.send(1, passage(0), hot, passage(1))

        assert gateway.receipt(1) == STORED
    assert stored(store) == [passage(0), passage(1)]
    (row,) = quarantine.rows()
    assert (row.gateway, row.fault, row.reason) == (
        GATEWAY,
        "out-of-range",
        "hof-nord/air: temperature is not within -60 to 150 Cel",
    )
    assert senml.decode(quarantine.pack(row.id) or b"").readings == [hot]


def test_a_gateway_that_speaks_for_another_site_is_refused(
    broker: Mosquitto, city: City, sqlite: Store, quarantine: Quarantine
) -> None:
    with ingesting(broker, city, sqlite, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))

        gateway.send(1, passage(site="hof-sued"))

        assert gateway.receipt(1) == b"refused gw-hof-nord does not speak for hof-sued"
    assert sqlite.count() == 0
    assert [row.fault for row in quarantine.rows()] == ["foreign-site"]


NO_PACKS = [
    (Message(topic="", payload=b"hello"), b"refused not JSON"),
    (Message(topic="", payload=b'{"passage": 1}'), b"refused no SenML pack"),
    (Message(topic="", payload=b"[]", content_type="text/plain"), b"refused content type 'text/plain'"),
    (Message(topic="", payload=b"[]", encoding="deflate"), b"refused not deflated"),
    (Message(topic="", payload=b"[]", encoding="brotli"), b"refused encoding 'brotli'"),
]


@pytest.mark.parametrize("case", NO_PACKS)
def test_what_is_no_pack_is_refused_and_kept(
    broker: Mosquitto, city: City, sqlite: Store, quarantine: Quarantine, case: tuple[Message, bytes]
) -> None:
    message, begins = case
    with ingesting(broker, city, sqlite, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))

        gateway.send_message(
            msgspec.structs.replace(
                message, topic=topics.readings(GATEWAY), response_topic=topics.receipts(GATEWAY), correlation=b"1"
            )
        )

        assert (gateway.receipt(1) or b"").startswith(begins)
    assert [(row.fault, quarantine.pack(row.id)) for row in quarantine.rows()] == [("not-a-pack", message.payload)]


def test_who_says_in_full_what_a_batch_is_has_a_receipt_where_it_says_and_in_full(
    broker: Mosquitto, city: City, sqlite: Store, quarantine: Quarantine
) -> None:
    message = Message(
        topic=topics.readings(GATEWAY),
        payload=senml.encode([passage()]),
        content_type=senml.CONTENT_TYPE,
        response_topic=topics.receipts(GATEWAY),
        correlation=b"1",
    )
    with (
        ingesting(broker, city, sqlite, quarantine) as health,
        Session(broker.config, "by-hand", [topics.receipts(GATEWAY)]) as by_hand,
    ):
        assert eventually(is_ok(health))
        assert isinstance(by_hand.event(15), Connected)

        by_hand.publish(message)

        assert isinstance(by_hand.event(15), Confirmed)
        event = by_hand.event(15)
        assert isinstance(event, Received)
        assert (event.message.payload, event.message.correlation) == (STORED_IN_FULL, b"1")
    assert stored(sqlite) == [passage()]


@pytest.mark.parametrize(
    "response_topic", ["", topics.receipts("gw-hof-sued"), topics.answers("gw-hof-sued"), "hoflicht/v1/yards/hof-nord/wait"]
)
def test_nobody_gets_a_receipt_in_anothers_name(
    broker: Mosquitto, city: City, sqlite: Store, quarantine: Quarantine, response_topic: str
) -> None:
    message = Message(
        topic=topics.readings(GATEWAY), payload=senml.encode([passage()]), response_topic=response_topic, correlation=b"1"
    )
    with (
        ingesting(broker, city, sqlite, quarantine) as health,
        Session(broker.config, "listener", ["#"]) as listener,
        Gateway(broker.config) as gateway,
    ):
        assert eventually(is_ok(health))
        assert isinstance(listener.event(15), Connected)

        gateway.send_message(message)
        gateway.send(2, passage(1))

        assert gateway.receipt(2) == STORED
        heard = []
        while isinstance(event := listener.event(0.3), Received):
            heard.append(event.message.topic)
            listener.acknowledge(event)
    assert heard == [topics.readings(GATEWAY), topics.batches(GATEWAY), topics.answers(GATEWAY)]
    assert stored(sqlite) == [passage(0), passage(1)]


def test_what_the_database_refuses_for_good_is_set_aside_and_the_rest_of_its_group_is_stored(
    broker: Mosquitto, city: City, influxd: Influxd, quarantine: Quarantine
) -> None:
    name = f"one-hour-{free_port()}"
    influxd.bucket(name, retention_s=3_600)
    old = passage(-2 * 3_600_000)
    with (
        closing(open_store(f"influx+{influxd.url}/{name}?org=hoflicht", influxd.token)) as store,
        ingesting(broker, city, store, quarantine) as health,
        Gateway(broker.config) as gateway,
    ):
        assert eventually(is_ok(health))

        gateway.send(1, old, passage(0))
        gateway.send(2, old)

        assert gateway.receipt(1) == STORED
        assert gateway.receipt(2) == b"refused older than the database keeps"
        assert stored(store) == [passage(0)]
    assert [(row.fault, row.times) for row in quarantine.rows()] == [("refused-by-store", 2)]


def test_a_short_outage_is_bridged_without_leaving_the_broker(
    broker: Mosquitto, city: City, flaky: Flaky, quarantine: Quarantine
) -> None:
    with ingesting(broker, city, flaky, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))
        flaky.trouble = Unavailable("gone for a moment")
        gateway.send(1, passage())
        assert eventually(lambda: "store" in health.report())

        flaky.trouble = None

        assert gateway.receipt(1) == STORED
    assert stored(flaky) == [passage()]


def test_a_bad_one_is_counted_once_however_often_the_store_has_to_be_asked(
    broker: Mosquitto, city: City, flaky: Flaky, quarantine: Quarantine
) -> None:
    with ingesting(broker, city, flaky, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))
        flaky.trouble = Unavailable("gone for some tries")
        gateway.send(1, passage(), passage(1, "gate-9"))
        assert eventually(lambda: "left" in str(health.report().get("broker")))
        time.sleep(0.8)  # two more tries

        flaky.trouble = None
        assert eventually(is_ok(health))

    assert stored(flaky) == [passage()]
    assert [(row.fault, row.times) for row in quarantine.rows()] == [("unknown-sensor", 1)]


def test_in_a_long_outage_ingest_leaves_so_that_gateways_keep_their_readings_and_nothing_is_lost(
    broker: Mosquitto, city: City, flaky: Flaky, quarantine: Quarantine, caplog: pytest.LogCaptureFixture
) -> None:
    with ingesting(broker, city, flaky, quarantine) as health, Gateway(broker.config) as gateway:
        assert eventually(is_ok(health))
        flaky.trouble = Unavailable("the database is gone")
        gateway.send(1, passage(0))
        assert eventually(lambda: "left" in str(health.report().get("broker")))
        gateway.listen(0.1)
        gateway.codes.clear()

        gateway.send(2, passage(1))
        gateway.listen(0.5)
        assert (gateway.codes, gateway.receipts) == ([NO_MATCHING_SUBSCRIBERS], [])

        flaky.trouble = None
        assert eventually(is_ok(health))
        assert stored(flaky) == [passage(0)]  # the group that was under way
        gateway.send(1, passage(0))
        gateway.send(2, passage(1))
        assert [gateway.receipt(1), gateway.receipt(2)] == [STORED, STORED]
    assert stored(flaky) == [passage(0), passage(1)]
    told = [record.getMessage() for record in caplog.records if record.name == "ingest.health"]
    assert told[0] == "the store is away: the database is gone; the gateways keep their readings until it is back"
    assert told[1].startswith("the store takes readings again, after ")
    assert len(told) == 2


def test_a_wrong_token_holds_everything_and_says_once_what_to_do(
    broker: Mosquitto, city: City, influx: Bucket, quarantine: Quarantine, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_store(influx.store_url, "wrong")) as store, ingesting(broker, city, store, quarantine) as health:
        assert eventually(lambda: "store" in health.report())
        time.sleep(0.8)  # two more tries

        assert str(health.report()["broker"]).endswith("not connected yet")
    (record,) = [record for record in caplog.records if record.name == "ingest.health"]
    assert record.levelno == logging.ERROR
    assert "does not accept the token" in record.getMessage()
    assert "put the right token into secrets/token and restart ingest" in record.getMessage()


def test_a_quarantine_that_cannot_be_written_holds_the_batch(
    broker: Mosquitto, city: City, sqlite: Store, quarantine: Quarantine, tmp_path: Path
) -> None:
    with (
        ingesting(broker, city, sqlite, quarantine) as health,
        Gateway(broker.config) as gateway,
        closing(sqlite3.connect(tmp_path / "quarantine.db", isolation_level=None)) as other,
    ):
        assert eventually(is_ok(health))
        other.execute("BEGIN IMMEDIATE")
        gateway.send(1, passage(0), passage(1, "gate-9"))
        assert gateway.receipt(1, timeout_s=1.5) is None

        other.execute("ROLLBACK")

        assert eventually(is_ok(health))
        gateway.send(1, passage(0), passage(1, "gate-9"))
        assert gateway.receipt(1) == STORED
    assert [(row.fault, row.times) for row in quarantine.rows()] == [("unknown-sensor", 2)]


def test_a_broker_that_restarts_is_found_again(broker: Mosquitto, city: City, sqlite: Store, quarantine: Quarantine) -> None:
    with ingesting(broker, city, sqlite, quarantine) as health:
        assert eventually(is_ok(health))
        broker.kill()
        assert eventually(lambda: "broker" in health.report())
        broker.start()
        assert eventually(is_ok(health))

        with Gateway(broker.config) as gateway:
            gateway.send(1, passage())
            assert gateway.receipt(1) == STORED


# --- hoflicht ingest, the process


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()
    except OSError as cause:
        return 0, str(cause)


def test_the_process_serves_health_and_metrics_and_ends_on_a_signal(broker: Mosquitto, influx: Bucket, tmp_path: Path) -> None:
    port = free_port()
    with Role(tmp_path, "ingest", write_ingest(tmp_path, broker.config, influx.store_url, influx.token, port)) as ingest:
        assert eventually(lambda: get(port, "/healthz")[0] == 200)
        with Gateway(broker.config) as gateway:
            gateway.send(1, passage(0), passage(1), passage(2, "gate-9"))
            assert gateway.receipt(1) == STORED

        metrics = get(port, "/metrics")[1].splitlines()
        code = ingest.stop()

    assert code == 0
    assert "hoflicht_ingest_readings_stored_total 2.0" in metrics
    assert 'hoflicht_ingest_batches_total{receipt="stored"} 1.0' in metrics
    assert 'hoflicht_ingest_quarantined_total{fault="unknown-sensor"} 1.0' in metrics
    assert "hoflicht_ingest_groups_total 1.0" in metrics
    assert "hoflicht_ingest_broker_connected 1.0" in metrics
    assert "hoflicht_ingest_store_up 1.0" in metrics
    assert influx.select("SELECT value FROM passage") == [[NOW, 1], [NOW + 1, 1]]


def test_a_process_without_its_store_is_not_well_and_says_why(broker: Mosquitto, tmp_path: Path) -> None:
    port = free_port()
    url = f"influx+http://127.0.0.1:{free_port()}/bucket?org=hoflicht"
    with Role(tmp_path, "ingest", write_ingest(tmp_path, broker.config, url, "token", port)) as ingest:
        assert eventually(lambda: "store" in get(port, "/healthz")[1])
        code, body = get(port, "/healthz")
        ended = ingest.stop()

    assert (code, json.loads(body)["ok"], ended) == (503, False, 0)
    assert json.loads(body)["store"].startswith("away since 20")
    assert ingest.log.read_text().count("the store is away") == 1


def test_batches_survive_that_ingest_is_killed_between_store_and_receipt(broker: Mosquitto, influx: Bucket, tmp_path: Path) -> None:
    with (
        Role(tmp_path, "ingest", write_ingest(tmp_path, broker.config, influx.store_url, influx.token)) as ingest,
        Gateway(broker.config) as gateway,
    ):
        answered: set[int] = set()
        for n in range(300):  # sends again what has no receipt, as a gateway does
            for number in range(60):
                if number not in answered:
                    gateway.send(number, passage(number))
            if n in (2, 5):
                ingest.kill()
                ingest.start()
            gateway.listen(0.3)
            answered = {int(number) for number, _ in gateway.receipts}
            if len(answered) == 60 and n > 5:
                break

    assert answered == set(range(60))
    assert influx.select("SELECT value FROM passage WHERE site = 'hof-nord'") == [[NOW + n, 1] for n in range(60)]


def test_preparing_makes_the_bucket_and_ends(
    broker: Mosquitto, influxd: Influxd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"prepared-{free_port()}"
    config = write_ingest(tmp_path, broker.config, f"influx+{influxd.url}/{name}?org=hoflicht", influxd.token)

    assert cli.main(["ingest", str(config), "--prepare"]) == 0

    assert capsys.readouterr().out == f"prepared: influx+{influxd.url}/{name}?org=hoflicht\n"
    assert [bucket["name"] for bucket in influxd.call(f"/api/v2/buckets?name={name}")["buckets"]] == [name]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('quarantin = "q.db"', "did you mean 'quarantine'"),
        ("receive_maximum = 0", "receive_maximum"),
        ("receive_maximum = 9999", "receive_maximum"),
        ('city = "nowhere.toml"', "nowhere.toml: cannot be read"),
        ('store = { url = "mysql://x" }', "expected sqlite:///"),
        ('http = "9102"', "expected host:port"),
        ('broker = { ca_file = "no-ca.pem" }', "ca_file"),
    ],
)
def test_a_mistake_in_the_config_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    defaults = {
        "city": f'city = "{Path(__file__).parent.parent / "simulators" / "city.toml"}"',
        "store": 'store = { url = "sqlite:///r.db" }',
    }
    defaults.pop(line.split(maxsplit=1)[0], None)
    (tmp_path / "ingest.toml").write_text("\n".join([line, *defaults.values()]))

    assert cli.main(["ingest", str(tmp_path / "ingest.toml")]) == 2

    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1
    assert said in error[0]
