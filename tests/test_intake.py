"""Groups of what comes, from a real broker."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from hoflicht import Reading, batch, topics
from hoflicht.broker import Confirmed, Connected, Session
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from ingest.checks import Checks
from ingest.desk import Delivery, Desk
from ingest.health import Health
from ingest.intake import Intake
from ingest.quarantine import Quarantine
from store.sqlite import SqliteStore
from tests.conftest import Mosquitto

GATEWAY = "gw-hof-nord"
CLOCK = HandClock()


@pytest.fixture
def intake(broker: Mosquitto, city: City, tmp_path: Path) -> Iterator[Intake]:
    with ExitStack() as stack:
        store = stack.enter_context(closing(SqliteStore(tmp_path / "readings.db")))
        quarantine = stack.enter_context(closing(Quarantine(tmp_path / "quarantine.db")))
        session = stack.enter_context(Session(broker.config, "ingest", [topics.ALL_BATCHES]))
        health = Health(CLOCK, "")
        made = Intake(session, Desk(Checks(city), store, quarantine, CLOCK, health), health, group_size=3)
        while "broker" in health.report():
            made.gather()
        yield made


@pytest.fixture
def gateway(broker: Mosquitto) -> Iterator[Session]:
    with Session(broker.config, GATEWAY) as session:
        assert isinstance(session.event(30), Connected)
        yield session


def send(gateway: Session, *numbers: int) -> None:
    """Return when the broker has them, which is when it has sent them on."""
    for n in numbers:
        gateway.publish(batch.batch(GATEWAY, b"%d" % n, [Reading("hof-nord", "gate-in", "passage", CLOCK.now_ms() + n, 1.0)]))
    for _ in numbers:
        assert isinstance(gateway.event(30), Confirmed)


def write_while(intake: Intake, comes: Callable[[], None]) -> None:
    """Gather as while a group is written, and let `comes` happen in that time."""
    settling = Future[None]()
    waiting = threading.Thread(target=intake.gather_during, args=(settling,))
    waiting.start()
    comes()
    settling.set_result(None)
    waiting.join(30)
    assert not waiting.is_alive()


def told(intake: Intake) -> list[bytes]:
    return [one.received.message.correlation for one in intake.group() if isinstance(one, Delivery)]


def test_the_next_group_is_opened_while_one_is_written(intake: Intake, gateway: Session) -> None:
    send(gateway, 1, 2, 3, 4)
    never = Future[None]()

    intake.gather_during(never)  # returns, because the group is full

    assert told(intake) == [b"1", b"2", b"3"]
    intake.gather()
    assert told(intake) == [b"4"]


def test_what_is_written_does_not_wait_for_the_next_group_to_become_full(intake: Intake, gateway: Session) -> None:
    write_while(intake, lambda: send(gateway, 1))

    while not (first := told(intake)):
        intake.gather()
    assert first == [b"1"]


def test_a_group_that_was_begun_while_one_was_written_grows_until_nothing_comes(intake: Intake, gateway: Session) -> None:
    write_while(intake, lambda: send(gateway, 1))
    send(gateway, 2, 3)

    intake.gather()

    assert told(intake) == [b"1", b"2", b"3"]
