"""What goes out to the signs and back into the store, over a real broker."""

import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from api import publisher
from api.errands import Errands
from api.hindsight import Findings
from api.publisher import Publisher
from api.yards import Yards
from hoflicht import senml, topics, wait
from hoflicht.batch import unwrap
from hoflicht.broker import Connected, Event, Lost, Message, Received, Session
from hoflicht.catalogue import API, ESTIMATE, City
from hoflicht.clock import HandClock
from hoflicht.errors import Unavailable
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading
from hoflicht.wait import State, Trend, Trust, Wait
from store.readings import Store, open_store
from tests.conftest import Mosquitto
from tests.face import AwayStore
from tests.lane import YARD, at, ms, steady_queue
from tests.meanwhile import meanwhile

NOW_MS = ms(90)
PATIENCE_S = 10.0


@contextmanager
def publishing(
    city: City, store: Store, broker: Mosquitto, findings: Findings | None = None, errands: Errands | None = None
) -> Iterator[list[dict[str, Wait]]]:
    """The publisher at work; what it told this process."""
    told: list[dict[str, Wait]] = []
    stopping = threading.Event()
    clock = HandClock(NOW_MS)
    with Session(broker.config, API, [topics.answers(API)]) as session:
        yards = Yards(store, city, clock)
        asked = findings or queue.Queue(), errands or Errands()
        work = partial(publisher.run, yards, session, lambda waits: told.append(dict(waits)), *asked, clock, stopping)
        with meanwhile(work, stopping):
            yield told


def receive(session: Session, count: int) -> list[Message]:
    """The next `count` messages."""
    found: list[Message] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < count and time.monotonic() < deadline:
        event = session.event(0.2)
        if isinstance(event, Received):
            session.acknowledge(event)
            found.append(event.message)
    return found


def subscribed(broker: Mosquitto, topic: str) -> Session:
    return Session(broker.config, f"test-{topic[-5:]}", [topic])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Eight cars wait at Hof Nord at 9:30."""
    opened = open_store(f"sqlite:///{tmp_path / 'readings.db'}")
    opened.write(steady_queue(8, 90))
    yield opened
    opened.close()


@pytest.mark.live
def test_each_wait_is_retained_and_expires(city: City, store: Store, broker: Mosquitto) -> None:
    with subscribed(broker, topics.ALL_WAITS) as early:
        assert isinstance(early.event(PATIENCE_S), Connected)
        with publishing(city, store, broker):
            live = receive(early, 4)
    with subscribed(broker, topics.wait(YARD)) as late:
        kept = receive(late, 1)

    assert {message.topic for message in live} == {topics.wait(yard) for yard in city.yards}
    assert [message.retain for message in kept] == [True]
    assert 50 <= (kept[0].expiry_s or 0) <= 60
    assert wait.decode(kept[0].payload).queue == 8


@pytest.mark.live
def test_estimates_are_written_back_as_readings(city: City, store: Store, broker: Mosquitto) -> None:
    with subscribed(broker, topics.batches(API)) as ingest:
        assert isinstance(ingest.event(PATIENCE_S), Connected)
        with publishing(city, store, broker):
            batches = receive(ingest, 1)

    pack = senml.decode(unwrap(batches[0]))
    nord = {reading.quantity: reading.value for reading in pack.readings if reading.site == YARD}
    assert pack.bad == []
    assert {reading.sensor for reading in pack.readings} == {"estimate"}
    assert {reading.at_ms for reading in pack.readings} == {NOW_MS}
    assert {"wait_state", "wait_p10", "wait_p50", "wait_p90", "wait_shown", "queue_length", "arrival_margin"} <= set(nord)
    assert (nord["wait_state"], nord["queue_length"]) == (0.0, 8.0)


@pytest.mark.live
def test_what_hindsight_finds_is_written_back_too(city: City, store: Store, broker: Mosquitto) -> None:
    findings: Findings = queue.Queue()
    error = Reading(YARD, ESTIMATE, "error_mean", ms(0), 70.0)
    findings.put([error])
    with subscribed(broker, topics.batches(API)) as ingest:
        assert isinstance(ingest.event(PATIENCE_S), Connected)
        with publishing(city, store, broker, findings):
            _, found = receive(ingest, 2)

    assert list(senml.decode(unwrap(found)).readings) == [error]


@pytest.mark.live
def test_while_the_store_is_away_signs_hear_that_there_is_no_number(
    city: City, broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    with subscribed(broker, topics.wait(YARD)) as sign, caplog.at_level(logging.WARNING):
        assert isinstance(sign.event(PATIENCE_S), Connected)
        with publishing(city, AwayStore(), broker):
            heard = receive(sign, 1)

    told = wait.decode(heard[0].payload)
    assert (told.state, told.p50_s, told.reason) == (State.UNKNOWN, None, "the database does not answer")
    assert [line for line in caplog.messages if "until the store answers" in line] == [caplog.messages[0]]


@pytest.mark.live
def test_a_broker_that_comes_back_gets_the_waits_at_once(city: City, store: Store, broker: Mosquitto) -> None:
    broker.stop()
    with publishing(city, store, broker) as told:
        deadline = time.monotonic() + PATIENCE_S
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        without_broker = len(told)
        broker.start()
        with subscribed(broker, topics.wait(YARD)) as sign:
            heard = receive(sign, 1)

    assert without_broker == 1
    assert len(heard) == 1


@pytest.mark.live
def test_without_a_broker_this_process_is_told_all_the_same(city: City, store: Store) -> None:
    told: list[str] = []
    stopping = threading.Event()

    def tell(waits: object) -> None:
        told.extend(waits if isinstance(waits, dict) else [])
        stopping.set()

    publisher.run(Yards(store, city, HandClock(NOW_MS)), None, tell, queue.Queue(), Errands(), HandClock(NOW_MS), stopping)

    assert told == ["hof-nord", "hof-sued", "hof-west", "hof-mitte"]
    assert not math.isnan(publisher.shown.labels("hof-nord")._value.get())


def told(state: State = State.OPEN, **more: object) -> Wait:
    return Wait(yard=YARD, state=state, as_of=at(0), valid_until=at(1), **more)  # type: ignore[arg-type]


class Line:
    """A session in memory; what was published, while it is up, is in `waits`."""

    def __init__(self) -> None:
        self.waits: list[Wait] = []
        self.events: list[Event] = []
        self.is_up = True

    def publish(self, message: Message) -> int:
        if not self.is_up:
            raise Unavailable("no connection to the broker")
        if message.topic == topics.wait(YARD):
            self.waits.append(wait.decode(message.payload))
        return len(self.waits)

    def event(self, timeout_s: float) -> Event | None:
        return self.events.pop(0)

    def acknowledge(self, received: Received) -> None:
        """Nobody here waits for it."""


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def says(line: Line) -> Callable[[int, Wait], None]:
    """Publish a wait so many seconds after the first."""
    clock = HandClock(NOW_MS)
    publishing = Publisher(line, Errands(), clock)

    def say(at_s: int, each: Wait) -> None:
        clock.advance(1000 * at_s + NOW_MS - clock.now_ms())
        publishing.publish({YARD: each})
        if line.events:
            publishing.rest(threading.Event())

    return say


def test_what_a_sign_shows_already_is_said_again_every_twenty_seconds(line: Line, says: Callable[[int, Wait], None]) -> None:
    for at_s in range(0, 70, 10):
        says(at_s, told(p50_s=700 + at_s, shown_min=15))

    assert [each.p50_s for each in line.waits] == [700, 720, 740, 760]


@pytest.mark.parametrize(
    "other",
    [
        told(p50_s=700, shown_min=20),
        told(State.HELD, p50_s=700, shown_min=15),
        told(p50_s=700, shown_min=15, trust=Trust.CONFIGURED),
        told(p50_s=700, shown_min=15, p90_s=900, last_entry=at(570)),
        told(State.UNKNOWN, reason="the sensors are silent"),
    ],
)
def test_what_a_sign_is_to_show_instead_is_said_at_once(line: Line, says: Callable[[int, Wait], None], other: Wait) -> None:
    for at_s, each in enumerate((told(p50_s=700, shown_min=15), other, other)):
        says(10 * at_s, each)

    assert [each.state for each in line.waits] == [State.OPEN, other.state]


def test_a_broker_that_was_away_is_told_everything_again(line: Line, says: Callable[[int, Wait], None]) -> None:
    same = told(p50_s=700, shown_min=15)
    says(0, same)
    line.is_up = False
    says(30, same)
    line.is_up, line.events = True, [Lost("gone"), Connected()]
    says(31, same)
    says(32, same)

    assert len(line.waits) == 3


def test_every_number_of_a_wait_becomes_a_reading() -> None:
    known = told(
        p10_s=100,
        p50_s=200,
        p90_s=300,
        mean_s=210,
        shown_min=10,
        queue=4,
        queue_p10=3,
        queue_p90=6,
        trend=Trend.STEADY,
        trust=Trust.RECKONED,
        last_entry=at(570),
        latest_arrival=at(565),
    )

    assert {r.quantity: r.value for r in publisher.readings(known)} == {
        "wait_state": 0.0,
        "wait_p10": 100.0,
        "wait_p50": 200.0,
        "wait_p90": 300.0,
        "wait_mean": 210.0,
        "wait_shown": 10.0,
        "wait_trust": 2.0,
        "queue_length": 4.0,
        "queue_p10": 3.0,
        "queue_p90": 6.0,
        "arrival_margin": 565 * 60.0,
    }


def test_what_is_not_known_makes_no_reading() -> None:
    closed = told(State.CLOSED)

    assert [(r.quantity, r.value, r.at_ms) for r in publisher.readings(closed)] == [("wait_state", 3.0, ms(0))]


@pytest.mark.parametrize(
    ("wait", "shown"),
    [
        (told(p50_s=4_000, shown_min=61), [61.0]),
        (told(p50_s=700), [15.0]),
        (told(more_than_s=1_900), []),  # a bound says nothing of what is above it
        (told(State.CLOSING, p50_s=700, shown_min=15), []),
    ],
)
def test_the_step_is_kept_as_the_public_saw_it(wait: Wait, shown: list[float]) -> None:
    assert [r.value for r in publisher.readings(wait) if r.quantity == "wait_shown"] == shown


def test_every_reading_of_a_wait_is_within_the_range_of_its_quantity() -> None:
    extreme = told(p50_s=86_400, shown_min=61, trust=Trust.RECKONED, queue=1_000, latest_arrival=at(24 * 60))

    assert [
        r for r in publisher.readings(extreme) if not QUANTITIES[r.quantity].low <= r.value <= QUANTITIES[r.quantity].high
    ] == []
