"""Many gateways in one thread, at a real broker and a real ingest."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hoflicht import BadConfig, cli, topics
from hoflicht.broker import BrokerConfig, Connected, Received, Session
from hoflicht.catalogue import City, load_city
from hoflicht.clock import SystemClock
from ingest.quarantine import Quarantine
from simulators import load
from simulators.crowd import Crowd, Tally
from store.readings import Store, open_store
from tests.conftest import Mosquitto
from tests.roles import eventually
from tests.test_ingest import ingesting, is_ok
from tests.test_other_brokers import Hurried
from tests.test_push import Authority, mutual_tls

GATEWAYS, LAMPS = 20, 2
READINGS = 25  # more than a gateway of two lamps has to say at one instant
EVERY_MS = 2_000


@pytest.fixture
def many(tmp_path: Path) -> City:
    path = tmp_path / "many.toml"
    assert cli.main(["simulate", "load", str(path), "--make", "--gateways", str(GATEWAYS), "--lamps", str(LAMPS)]) == 0
    return load_city(path)


@pytest.fixture
def quarantine(tmp_path: Path) -> Iterator[Quarantine]:
    with closing(Quarantine(tmp_path / "quarantine.db")) as opened:
        yield opened


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path}/readings.db")) as opened:
        yield opened


def crowd_at(broker: BrokerConfig, city: City) -> Crowd:
    return load.crowd_of(load.gateways(city), broker, READINGS, EVERY_MS, Hurried())


def live(crowd: Crowd, is_so: Callable[[], bool]) -> bool:
    """Let the crowd go on until it is so."""

    def lived() -> bool:
        for _ in range(100):
            crowd.turn(0.001)
        return is_so()

    return eventually(lived)


def end(crowd: Crowd) -> None:
    load.run(crowd, GATEWAYS, 0, threading.Event(), print)


def test_each_gateway_is_a_client_of_its_own_and_what_it_sends_is_in_the_store_once(
    broker: Mosquitto, many: City, sqlite: Store, quarantine: Quarantine
) -> None:
    heard: Counter[str] = Counter()
    with (
        ingesting(broker, many, sqlite, quarantine) as health,
        Session(broker.config, "listener", [topics.batches("+")]) as listener,
    ):
        assert eventually(is_ok(health))
        assert isinstance(listener.event(15), Connected)
        crowd = crowd_at(broker.config, many)
        assert live(crowd, lambda: crowd.tally.stored >= 10 * GATEWAYS)
        end(crowd)
        while isinstance(event := listener.event(0.2), Received):
            listener.acknowledge(event)
            heard[event.message.topic] += 1

    tally = crowd.tally
    assert (tally.waiting, tally.refused, tally.repeated, tally.lost) == (0, 0, 0, 0)
    assert sqlite.count() == tally.stored * READINGS
    assert heard.keys() == {topics.batches(f"gw-{n:05}") for n in range(GATEWAYS)}
    assert max(heard.values()) < 3 * min(heard.values())  # each at its own pace, none left out
    assert 0 < tally.percentile_ms(50) <= tally.percentile_ms(99)


def test_a_crowd_comes_back_to_a_broker_that_was_killed_and_loses_nothing(
    broker: Mosquitto, many: City, sqlite: Store, quarantine: Quarantine
) -> None:
    with ingesting(broker, many, sqlite, quarantine) as health:
        assert eventually(is_ok(health))
        crowd = crowd_at(broker.config, many)
        assert live(crowd, lambda: crowd.tally.stored >= GATEWAYS)
        broker.kill()
        assert live(crowd, lambda: crowd.tally.connected == 0)
        broker.start()
        before = crowd.tally.stored

        assert live(crowd, lambda: crowd.tally.connected == GATEWAYS and crowd.tally.stored > before + GATEWAYS)
        end(crowd)

    assert crowd.tally.lost == GATEWAYS
    assert crowd.tally.waiting == 0
    assert sqlite.count() == crowd.tally.stored * READINGS


def test_while_nobody_listens_the_crowd_keeps_its_batches_and_waits(
    broker: Mosquitto, many: City, sqlite: Store, quarantine: Quarantine
) -> None:
    crowd = crowd_at(broker.config, many)

    assert live(crowd, lambda: crowd.tally.unheard > 2 * GATEWAYS)
    assert (crowd.tally.batches, crowd.tally.waiting) == (GATEWAYS, GATEWAYS)
    with ingesting(broker, many, sqlite, quarantine):
        assert live(crowd, lambda: crowd.tally.stored > GATEWAYS)
        end(crowd)

    assert sqlite.count() == crowd.tally.stored * READINGS


def test_gateways_that_ingest_does_not_know_are_told_so(
    broker: Mosquitto, many: City, city: City, sqlite: Store, quarantine: Quarantine
) -> None:
    with ingesting(broker, city, sqlite, quarantine) as health:
        assert eventually(is_ok(health))
        crowd = crowd_at(broker.config, many)
        assert live(crowd, lambda: crowd.tally.refused > GATEWAYS)
        end(crowd)

    assert (crowd.tally.stored, crowd.tally.waiting, sqlite.count()) == (0, 0, 0)


def test_each_shows_a_certificate_of_its_own(tmp_path: Path, many: City) -> None:
    authority = Authority(tmp_path)
    for name in list(many.gateways)[:3]:
        authority.issue(name, name)
    with mutual_tls(tmp_path, authority) as (_, port):
        file = tmp_path / "load.toml"
        file.write_text(
            f'[broker]\nport = {port}\nca_file = "ca.crt"\ncert_file = "{{gateway}}.crt"\nkey_file = "{{gateway}}.key"\n'
        )
        sites = load.gateways(many, 3)
        crowd = load.crowd_of(sites, load.broker_of(file), READINGS, EVERY_MS, SystemClock())

        assert live(crowd, lambda: crowd.tally.unheard >= 3)
        crowd.close()
    assert crowd.tally.lost == 0


def test_the_last_line_tells_it_all() -> None:
    latency_ms = Counter({35: 98, 120: 1, 1_900: 1})
    tally = Tally(connected=50, lost=2, batches=103, stored=99, refused=1, repeated=7, unheard=4, latency_ms=latency_ms)

    assert load.summary(50, 21, tally) == (
        "50 gateways, 2163 readings in 103 batches: 99 stored, 1 refused, 3 without a receipt; 7 went again, nobody heard 4,"
        " 2 connections lost; receipts within 35 ms (p50), 120 ms (p99)"
    )


def test_the_command_ends_with_that_line(
    tmp_path: Path, many: City, broker: Mosquitto, sqlite: Store, quarantine: Quarantine
) -> None:
    file = tmp_path / "load.toml"
    file.write_text(f"[broker]\nport = {broker.config.port}\n")
    asked = [
        str(tmp_path / "many.toml"),
        "--broker",
        str(file),
        "--gateways",
        "4",
        "--readings",
        "5",
        "--every",
        "0.2",
        "--seconds",
        "1",
    ]
    with ingesting(broker, many, sqlite, quarantine) as health:
        assert eventually(is_ok(health))
        told = subprocess.run(
            [sys.executable, "-m", "hoflicht", "simulate", "load", *asked], capture_output=True, text=True, check=True
        )

    assert told.stdout.startswith(f"4 gateways, {sqlite.count()} readings in {sqlite.count() // 5} batches: ")


def test_a_batch_without_a_receipt_makes_the_command_fail() -> None:
    assert load.exit_code(Tally(batches=3, stored=2, refused=1)) == 0
    assert load.exit_code(Tally(batches=3, stored=1, refused=1)) == 1
    assert load.exit_code(Tally()) == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--gateways", "50001"], "--gateways 50001: from 1 to 50000"),
        (["--every", "0.01"], "--every 0.01: from 0.1 to 86400"),
        (["--readings", "500", "--every", "0.5"], "--readings 500 every 0.5 s: at most one a millisecond in half of that time"),
        (["--gateways", "21"], "the catalogue has 20 gateways with lamps; --make writes one with as many as you want"),
        (["--make"], "File exists; --make writes a new file"),
    ],
)
def test_what_cannot_be_is_said_before_anybody_connects(
    asked: list[str], told: str, many: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["simulate", "load", str(tmp_path / "many.toml"), *asked]) == 2

    assert told in capsys.readouterr().err


def test_more_sockets_than_the_system_allows_are_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (1_000, 5_000))

    with pytest.raises(BadConfig, match="10100 open files are needed and 5000 allowed; see ulimit -Hn"):
        load.open_files(10_100)
