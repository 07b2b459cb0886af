"""The uplink against a real Mosquitto, and its arithmetic in memory."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bench.gateways import Tap
from edge import uplink
from edge.flights import Flight, Flights
from edge.rows import Range
from edge.spool import Spool
from edge.tables import STAMPED
from edge.uplink import NEXT, UNDER_WAY, Happening, State, Status, Uplink
from hoflicht import Reading, batch, senml, topics
from hoflicht.broker import NO_MATCHING_SUBSCRIBERS, BrokerConfig, Confirmed, Connected, Event, Lost, Message, Received, Session
from hoflicht.clock import HandClock, SystemClock
from hoflicht.quantities import Kind
from hoflicht.stop import Stopping
from tests.conftest import Mosquitto
from tests.receiver import Ingest
from tests.roles import eventually

GATEWAY = "gw-hof-nord"
MB = 1_000_000
START_MS = 1_700_000_000_000


def passages(first: int, count: int) -> list[Reading]:
    return [Reading("hof-nord", "gate-in", "passage", START_MS + n, 1.0) for n in range(first, first + count)]


class Gateway:
    """An uplink in its thread over a spool file; `spool` is the test's own view of it."""

    def __init__(self, spool: Spool, status: Status) -> None:
        self.spool = spool
        self.status = status

    def rows(self) -> int:
        return self.spool.state().rows


@contextmanager
def gateway(path: Path, broker: BrokerConfig, heard: list[Message] | None = None) -> Iterator[Gateway]:
    clock, stopping, status = SystemClock(), Stopping(), Status()
    wait = topics.wait("hof-nord")
    session = Session(broker, GATEWAY, [topics.answers(GATEWAY), wait])
    deliver = {} if heard is None else {wait: heard.append}

    def work() -> None:
        with Spool(path, 10 * MB, clock) as own:
            birth = Message(topic=topics.state(GATEWAY), payload=b"online", retain=True)
            uplink.run(session, own, GATEWAY, lambda: birth, deliver, status=status, clock=clock, stopping=stopping)

    thread = threading.Thread(target=work)
    with Spool(path, 10 * MB, clock) as spool, session:
        thread.start()
        try:
            yield Gateway(spool, status)
        finally:
            stopping.set()
            thread.join()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


def test_what_is_stored_leaves_the_spool(path: Path, broker: Mosquitto) -> None:
    with Ingest(broker.config) as ingest, gateway(path, broker.config) as gw:
        gw.spool.append(passages(0, 1_200))

        assert eventually(lambda: gw.rows() == 0)

        assert ingest.readings() == set(passages(0, 1_200))
        assert max(len(readings) for readings in ingest.batches) == batch.MAX_READINGS
        assert gw.status.receipts == len(ingest.batches)


def test_a_batch_takes_fifty_three_bytes_both_ways_and_what_is_in_it(path: Path, broker: Mosquitto) -> None:
    car = passages(123, 1)
    cost = 53 + len(batch.batch(GATEWAY, b"", car).payload)
    with Spool(path, 10 * MB, SystemClock()) as spool:
        spool.restore([(40_000_000, "site", "sensor", "passage", START_MS, 1.0, Kind.EVENT, STAMPED)])  # a year of a busy one
    with closing(Tap(broker.config.port)) as tap, Ingest(broker.config), gateway(path, BrokerConfig(port=tap.port)) as gw:
        assert eventually(lambda: gw.rows() == 0)  # the first batch tells the topic too
        before = tap.bytes
        gw.spool.append(car)

        assert eventually(lambda: gw.rows() == 0 and tap.bytes >= before + cost)

        assert tap.bytes == before + cost


def test_a_lost_receipt_loses_nothing_and_doubles_nothing(path: Path, broker: Mosquitto) -> None:
    lose = iter([True, False, True])

    def forgetful(message: Message) -> Message | None:
        return None if next(lose, False) else batch.stored(message)

    with gateway(path, broker.config) as gw:
        with Ingest(broker.config, forgetful) as ingest:
            gw.spool.append(passages(0, 100))
            assert eventually(lambda: len(ingest.batches) == 1)
            gw.spool.append(passages(100, 100))
            assert eventually(lambda: gw.rows() == 100)  # the second one was confirmed, the first one was not
        broker.kill()
        broker.start()
        with Ingest(broker.config) as ingest:
            assert eventually(lambda: gw.rows() == 0)

            assert ingest.readings() == set(passages(0, 100))


def test_what_is_refused_is_set_aside_and_the_rest_goes_on(path: Path, broker: Mosquitto) -> None:
    def picky(message: Message) -> Message:
        has_poison = b"666" in senml.encode(senml.decode(batch.unwrap(message)).readings)
        return batch.refused(message, "value of the beast") if has_poison else batch.stored(message)

    with Ingest(broker.config, picky), gateway(path, broker.config) as gw:
        gw.spool.append([Reading("hof-nord", "air", "energy_import", START_MS, 666.0)])
        assert eventually(lambda: gw.spool.state().quarantined == 1)
        gw.spool.append(passages(0, 50))

        assert eventually(lambda: gw.rows() == 0)

        assert gw.spool.state().quarantined == 1
        assert gw.status.refused == 1


def test_while_nobody_listens_the_gateway_waits(path: Path, broker: Mosquitto) -> None:
    with gateway(path, broker.config) as gw:
        gw.spool.append(passages(0, 3_000))

        assert eventually(lambda: gw.status.state is State.HOLDING)
        time.sleep(1.0)
        assert gw.status.batches <= batch.WINDOW
        assert "nobody listens" in gw.status.trouble
        assert gw.rows() == 3_000

        with Ingest(broker.config) as ingest:
            assert eventually(lambda: gw.rows() == 0)
            assert ingest.readings() == set(passages(0, 3_000))
            assert gw.status.trouble == ""


def test_a_gateway_that_is_newer_than_its_server_keeps_all(path: Path, broker: Mosquitto) -> None:
    with Session(broker.config, "ingest", [topics.ALL_READINGS]) as older, gateway(path, broker.config) as gw:
        assert eventually(lambda: isinstance(older.event(0.1), Connected))
        gw.spool.append(passages(0, 10))

        assert eventually(lambda: gw.status.state is State.HOLDING)

        assert "nobody listens" in gw.status.trouble
        assert gw.rows() == 10


def test_a_broker_that_was_killed_and_comes_back_gets_everything(path: Path, broker: Mosquitto) -> None:
    with gateway(path, broker.config) as gw:
        assert eventually(lambda: gw.status.state is State.FLOWING)
        broker.kill()
        assert eventually(lambda: gw.status.state is State.OFFLINE)
        gw.spool.append(passages(0, 600))
        broker.start()

        with Ingest(broker.config) as ingest:
            assert eventually(lambda: gw.rows() == 0)

            assert ingest.readings() == set(passages(0, 600))


def test_a_late_receipt_of_an_earlier_run_drops_exactly_what_it_names(path: Path, broker: Mosquitto) -> None:
    with Spool(path, 10 * MB, SystemClock()) as spool:
        spool.append(passages(0, 10))
        name = spool.name(Range(1, 4))
    with Ingest(broker.config, lambda message: None), gateway(path, broker.config) as gw, Session(broker.config, "late") as late:
        assert eventually(lambda: gw.status.state is State.FLOWING and isinstance(late.event(0.1), Connected))
        for correlation in (b"feedfeedfeedfeed-5-10", name, b"\xff"):
            late.publish(Message(topic=topics.answers(GATEWAY), payload=batch.STORED, correlation=correlation))

        assert eventually(lambda: gw.rows() == 6)

        rest = gw.spool.batch(1, 100, 100)
        assert rest is not None
        assert rest.readings == passages(4, 6)


def test_after_an_outage_the_newest_goes_before_the_backlog(path: Path, broker: Mosquitto) -> None:
    backlog = passages(0, 20_000)
    with Spool(path, 10 * MB, SystemClock()) as spool:
        for n in range(0, len(backlog), 500):
            spool.append(backlog[n : n + 500])
    live = Reading("hof-nord", "gate-in", "passage", START_MS + 999_999, 1.0)

    def slow(message: Message) -> Message:
        time.sleep(0.05)
        return batch.stored(message)

    with Ingest(broker.config, slow) as ingest, gateway(path, broker.config) as gw:
        assert eventually(lambda: len(ingest.batches) > 2)
        gw.spool.append([live])
        before = len(ingest.batches)
        assert eventually(lambda: live in ingest.readings())
        at = next(n for n, readings in enumerate(ingest.batches) if live in readings)

        # The batches under way at that moment, half of the window, and those sent within a poll; the backlog has forty.
        assert at - before <= uplink.BACKLOG_WINDOW + 4
        assert eventually(lambda: gw.rows() == 0)
        assert ingest.readings() == {*backlog, live}


def test_a_gateway_that_may_not_publish_says_so_and_keeps_all(tmp_path: Path, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read #\n")
    broker = Mosquitto(tmp_path, f"user root\nacl_file {acl}")
    broker.start()
    with gateway(path, broker.config) as gw:
        gw.spool.append(passages(0, 10))

        assert eventually(lambda: gw.status.state is State.HOLDING)

        assert gw.rows() == 10
    broker.stop()
    assert "does not take batches of gw-hof-nord (reason code 0x87); check its access list" in caplog.text


def test_other_topics_are_delivered_and_the_birth_is_kept(path: Path, broker: Mosquitto) -> None:
    heard: list[Message] = []
    with gateway(path, broker.config, heard) as gw, Session(broker.config, "api", [topics.state(GATEWAY)]) as api:
        assert eventually(lambda: gw.status.state is State.FLOWING and isinstance(api.event(0.1), Connected))
        birth = eventually(lambda: api.event(0.1))
        api.publish(Message(topic=topics.wait("hof-nord"), payload=b"15", expiry_s=60))

        assert eventually(lambda: [message.payload for message in heard] == [b"15"])

        assert isinstance(birth, Received)
        assert birth.message.payload == b"online"


def test_every_happening_has_its_place_in_the_table() -> None:
    impossible = {
        (State.OFFLINE, Happening.LOST),
        (State.OFFLINE, Happening.UNHEARD),  # nothing is under way
        (State.OFFLINE, Happening.WAITED),
        (State.FLOWING, Happening.WAITED),
        (State.HOLDING, Happening.UNHEARD),  # nothing is under way
        (State.PROBING, Happening.WAITED),
    }

    assert set(NEXT) == {(state, happening) for state in State for happening in Happening} - impossible
    assert {state: n > 0 for state, n in UNDER_WAY.items()} == {
        State.OFFLINE: False,
        State.FLOWING: True,
        State.HOLDING: False,
        State.PROBING: True,
    }


@pytest.mark.parametrize(("tries", "due_ms"), [(1, 6_000), (2, 11_000), (3, 21_000), (6, 161_000), (7, 301_000), (99, 301_000)])
def test_a_batch_that_was_overtaken_is_waited_for_twice_as_long_each_time(tries: int, due_ms: int) -> None:
    flights = Flights()
    flights.add(Flight(Range(1, 2), 1, 1_000, is_live=True, tries=tries))
    flights.add(Flight(Range(3, 4), 2, 1_000, is_live=True))
    flights.add(Flight(Range(5, 6), 3, 1_000, is_live=True))

    flights.answered(Range(3, 4), now_ms=1_100)

    assert flights.overdue(due_ms - 1) == []
    assert [flight.rows for flight in flights.overdue(due_ms)] == [Range(1, 2)]


class Wire:
    """A link in memory: keeps what was published, and `says` comes out as events."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.says: list[Event] = []

    def publish(self, message: Message) -> int:
        self.published.append(message)
        return len(self.published)

    def event(self, timeout_s: float) -> Event | None:
        return self.says.pop(0) if self.says else None

    def acknowledge(self, received: Received) -> None:
        self.says.append(Confirmed(received.mid, 0))

    def batches(self) -> list[bytes]:
        """The names of the batches that were published, in order."""
        return [message.correlation for message in self.published if message.topic == topics.batches(GATEWAY)]


class Hand:
    """An uplink in memory, moved by hand."""

    def __init__(self, spool: Spool, clock: HandClock) -> None:
        self.wire, self.status, self._clock = Wire(), Status(), clock
        birth = Message(topic=topics.state(GATEWAY), payload=b"online")
        self.uplink = Uplink(self.wire, spool, GATEWAY, lambda: birth, {}, status=self.status, clock=clock)

    def state(self) -> State:
        return self.status.state

    def says(self, event: Event) -> None:
        self.uplink.handle(event)
        self.uplink.go_on()

    def stored(self, name: bytes) -> None:
        receipt = Message(topic=topics.answers(GATEWAY), payload=batch.STORED, correlation=name)
        self.says(Received(receipt, 1, 1, 1))

    def wait(self, seconds: float) -> None:
        self._clock.advance(round(seconds * 1000))
        self.uplink.go_on()


@pytest.fixture
def spool(path: Path, clock: HandClock) -> Iterator[Spool]:
    with Spool(path, 10 * MB, clock) as spool:
        yield spool


@pytest.fixture
def hand(spool: Spool, clock: HandClock) -> Hand:
    return Hand(spool, clock)


def test_one_batch_without_receipt_goes_again_as_it_was_while_others_flow(spool: Spool, hand: Hand) -> None:
    spool.append(passages(0, 1_000))
    hand.says(Connected())
    first, second = hand.wire.batches()
    hand.wait(1)
    hand.stored(second)

    hand.wait(3)
    assert hand.wire.batches() == [first, second]
    hand.wait(2)
    assert hand.wire.batches() == [first, second, first]
    spool.append(passages(1_000, 10))
    hand.wait(1)
    third = hand.wire.batches()[-1]
    hand.stored(third)
    hand.wait(8)
    assert hand.wire.batches() == [first, second, first, third]
    hand.wait(2)

    assert hand.wire.batches() == [first, second, first, third, first]
    assert spool.state().rows == 500


def test_on_a_slow_line_batches_that_are_answered_in_order_never_go_twice(spool: Spool, hand: Hand) -> None:
    spool.append(passages(0, 5_000))
    hand.says(Connected())
    for answered in range(10):
        hand.wait(14)  # the last of the window is answered after a minute
        hand.stored(hand.wire.batches()[answered])

    assert spool.state().rows == 0
    assert len(hand.wire.batches()) == 10


def test_silence_of_ingest_stops_the_flow_until_one_batch_is_answered(spool: Spool, hand: Hand) -> None:
    spool.append(passages(0, 5_000))
    hand.says(Connected())
    under_way = hand.wire.batches()
    assert len(under_way) == batch.WINDOW // 2  # all of it was there before: backlog

    hand.wait(31)
    assert hand.state() is State.HOLDING
    hand.wait(3)
    assert len(hand.wire.batches()) == 4
    hand.wait(4)
    assert hand.state() is State.PROBING
    assert hand.wire.batches()[4:] == [spool.name(Range(1, uplink.PROBE_READINGS))]
    hand.wait(6)
    assert hand.state() is State.HOLDING
    hand.wait(13)
    assert hand.wire.batches()[5:] == [spool.name(Range(1, uplink.PROBE_READINGS))]
    hand.stored(hand.wire.batches()[-1])

    assert hand.state() is State.FLOWING
    assert len(hand.wire.batches()) == 6 + 4


def test_a_receipt_that_comes_while_the_flow_rests_starts_it_again(spool: Spool, hand: Hand) -> None:
    spool.append(passages(0, 1_000))
    hand.says(Connected())
    first, second = hand.wire.batches()
    hand.wait(31)
    assert hand.state() is State.HOLDING

    hand.stored(first)

    assert hand.state() is State.FLOWING
    assert spool.state().rows == 500
    assert hand.wire.batches() == [first, second, second]


@pytest.mark.parametrize(("latency_s", "timeout_s"), [(0.1, 5), (2, 16), (10, 30)])
def test_silence_is_noticed_the_sooner_the_quicker_receipts_used_to_come(
    spool: Spool, hand: Hand, latency_s: float, timeout_s: int
) -> None:
    spool.append(passages(0, 10))
    hand.says(Connected())
    hand.wait(latency_s)
    hand.stored(hand.wire.batches()[0])
    spool.append(passages(10, 10))
    hand.wait(1)
    assert len(hand.wire.batches()) == 2

    hand.wait(timeout_s - 1)
    assert hand.state() is State.FLOWING
    hand.wait(1)
    assert hand.state() is State.HOLDING


def test_asking_whether_somebody_listens_grows_rarer(spool: Spool, hand: Hand) -> None:
    spool.append(passages(0, 10))
    hand.says(Connected())
    times_ms = list[int]()
    for _ in range(8):
        hand.says(Confirmed(len(hand.wire.published), NO_MATCHING_SUBSCRIBERS))
        waited_s = 0
        while hand.state() is State.HOLDING:
            hand.wait(1)
            waited_s += 1
        times_ms.append(waited_s)

    usual_s = [5, 10, 15, 15, 15, 15, 15, 15]
    assert all(0.8 * usual <= waited <= 1.2 * usual + 1 for waited, usual in zip(times_ms, usual_s, strict=True))
    assert len(hand.wire.batches()) == 9


def test_what_was_under_way_when_the_connection_broke_goes_again(spool: Spool, hand: Hand) -> None:
    spool.append(passages(0, 10))
    hand.says(Connected())
    hand.says(Lost("pulled the plug"))
    hand.wait(60)
    assert len(hand.wire.batches()) == 1

    hand.says(Connected())

    first, again = hand.wire.batches()
    assert first == again


def test_a_row_is_live_for_ten_seconds_and_backlog_after_that(spool: Spool, hand: Hand) -> None:
    spool.append(passages(0, 6_000))
    hand.says(Connected())
    assert len(hand.wire.batches()) == uplink.BACKLOG_WINDOW
    spool.append(passages(6_000, 1_000))

    hand.wait(0.2)

    assert hand.wire.batches()[4:] == [spool.name(Range(6_001, 6_500)), spool.name(Range(6_501, 7_000))]


def test_receipts_that_make_no_sense_change_nothing(spool: Spool, hand: Hand, caplog: pytest.LogCaptureFixture) -> None:
    spool.append(passages(0, 10))
    hand.says(Connected())
    name = hand.wire.batches()[0]

    hand.says(Received(Message(topic=topics.answers(GATEWAY), payload=b"maybe", correlation=name), 1, 1, 1))
    hand.says(Received(Message(topic="hoflicht/v1/somebody/receipts", payload=b"stored", correlation=name), 2, 1, 1))

    assert spool.state().rows == 10
    assert "neither stored nor refused" in caplog.text
    assert len(hand.wire.says) == 2  # both were acknowledged
