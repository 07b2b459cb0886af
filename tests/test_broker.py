"""The MQTT 5 session, against a real Mosquitto."""

import gc
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from hoflicht import BadConfig, Unavailable
from hoflicht.attempt import Attempt
from hoflicht.broker import (
    MAX_WAITING,
    NO_MATCHING_SUBSCRIBERS,
    BrokerConfig,
    Confirmed,
    Connected,
    Event,
    Lost,
    Message,
    Received,
    Session,
)
from hoflicht.place import GATEWAY, Place, pause_s
from tests.chaos.town import Broker
from tests.conftest import Mosquitto, free_port

E = TypeVar("E", bound=Event)


def next_of(session: Session, kind: type[E], timeout_s: float = 15.0) -> E:
    """The next event of that kind; others on the way are dropped."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        event = session.event(0.2)
        if isinstance(event, kind):
            return event
    raise TimeoutError(f"no {kind.__name__}")


def test_a_message_arrives_with_its_properties(broker: Mosquitto) -> None:
    sent = Message(
        topic="a/b", payload=b"x", content_type="text/plain", encoding="deflate", response_topic="r", correlation=b"7", expiry_s=60
    )
    with Session(broker.config, "reader", ["a/+"]) as reader, Session(broker.config, "writer") as writer:
        next_of(reader, Connected)
        next_of(writer, Connected)

        token = writer.publish(sent)

        assert next_of(reader, Received).message == sent
        assert next_of(writer, Confirmed) == Confirmed(token, 0)


def test_a_topic_with_a_number_is_told_anew_at_each_connection(broker: Mosquitto) -> None:
    said = Message(topic="a/b", payload=b"x", is_aliased=True)
    with Session(broker.config, "reader", ["a/b"]) as reader, Session(broker.config, "writer") as writer:
        for _ in range(2):
            next_of(reader, Connected)
            next_of(writer, Connected)
            for _ in range(3):
                writer.publish(said)
                received = next_of(reader, Received)
                reader.acknowledge(received)
                assert (received.message.topic, received.message.payload) == ("a/b", b"x")
            broker.kill()
            broker.start()


def test_topics_have_numbers_as_far_as_the_broker_takes_them() -> None:
    none, two = Attempt(), Attempt()
    two.most_aliases = 2

    assert none.alias("a") is None
    assert [two.alias(topic) for topic in ("a", "b", "c", "b")] == [(1, False), (2, False), None, (2, True)]


def test_a_large_message_arrives_whole(broker: Mosquitto) -> None:
    payload = bytes(range(256)) * 1_200
    with Session(broker.config, "reader", ["a/b"]) as reader, Session(broker.config, "writer") as writer:
        next_of(reader, Connected)
        next_of(writer, Connected)

        writer.publish(Message(topic="a/b", payload=payload))
        writer.publish(Message(topic="a/b", payload=b"after it"))

        assert [next_of(reader, Received).message.payload for _ in range(2)] == [payload, b"after it"]


def test_an_answer_goes_with_qos_0_and_what_it_answers_is_acknowledged(broker: Mosquitto) -> None:
    with (
        Session(broker.config, "asking", ["answers"]) as asking,
        Session(broker.config, "answering", ["questions"], receive_maximum=1) as answering,
    ):
        next_of(asking, Connected)
        next_of(answering, Connected)
        for n in range(3):
            asking.publish(Message(topic="questions", payload=b"%d" % n, correlation=b"%d" % n))

        for n in range(3):  # the next one comes when the one before is acknowledged
            received = next_of(answering, Received)
            assert answering.event(0.1) is None
            answering.answer([(received, Message(topic="answers", payload=b"yes", correlation=b"%d" % n) if n != 1 else None)])

        answers = [next_of(asking, Received) for _ in range(2)]
    assert [(one.message.correlation, one.message.payload, one.qos) for one in answers] == [(b"0", b"yes", 0), (b"2", b"yes", 0)]


def test_a_publish_that_nobody_reads_says_so(broker: Mosquitto) -> None:
    with Session(broker.config, "writer") as writer:
        next_of(writer, Connected)

        token = writer.publish(Message(topic="a/b", payload=b"x"))

        assert next_of(writer, Confirmed) == Confirmed(token, NO_MATCHING_SUBSCRIBERS)


def test_without_a_connection_nothing_is_taken() -> None:
    with Session(BrokerConfig(port=free_port()), "writer") as writer, pytest.raises(Unavailable):
        writer.publish(Message(topic="a/b", payload=b"x"))


def test_a_service_that_is_busy_while_much_of_it_is_confirmed_goes_on_publishing(broker: Mosquitto) -> None:
    with Session(broker.config, "reader", ["a/b"]) as reader, Session(broker.config, "busy") as busy:
        next_of(reader, Connected)
        next_of(busy, Connected)

        def work() -> None:
            for n in range(2 * MAX_WAITING):
                busy.publish(Message(topic="a/b", payload=b"%d" % n))

        threading.Thread(target=work, daemon=True).start()

        for n in range(2 * MAX_WAITING):
            received = next_of(reader, Received)
            reader.acknowledge(received)
            assert received.message.payload == b"%d" % n


def test_a_session_comes_back_after_the_broker_does(broker: Mosquitto) -> None:
    with Session(broker.config, "reader", ["a/b"]) as reader:
        next_of(reader, Connected)
        broker.kill()
        next_of(reader, Lost)
        broker.start()

        next_of(reader, Connected)

        reader.publish(Message(topic="a/b", payload=b"again"))
        assert next_of(reader, Received).message.payload == b"again"


def test_a_broker_that_hangs_is_given_up_after_two_keepalives(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    broker.start()
    try:
        with Session(broker.config, "reader", ["a/b"], place=Place(keepalive_s=1, least_spread_s=0.1, most_spread_s=0.1)) as reader:
            next_of(reader, Connected)
            os.kill(broker.pid, signal.SIGSTOP)

            next_of(reader, Lost, timeout_s=5.0)

            os.kill(broker.pid, signal.SIGCONT)
            next_of(reader, Connected)
    finally:
        broker.kill()


def test_no_more_messages_are_under_way_than_were_asked_for(broker: Mosquitto) -> None:
    with Session(broker.config, "writer") as writer, Session(broker.config, "reader", ["a/b"], receive_maximum=2) as reader:
        next_of(writer, Connected)
        next_of(reader, Connected)
        for n in range(5):
            writer.publish(Message(topic="a/b", payload=b"%d" % n))
        first = next_of(reader, Received)
        next_of(reader, Received)

        assert reader.event(0.5) is None
        reader.acknowledge(first)
        assert next_of(reader, Received).message.payload == b"2"


def test_the_will_is_published_when_the_process_vanishes(broker: Mosquitto) -> None:
    program = f"""
import time
from hoflicht.broker import BrokerConfig, Message, Session
will = Message(topic="g/state", payload=b"offline", retain=True)
with Session(BrokerConfig(port={broker.config.port}), "g", will=will) as session:
    print(session.event(15), flush=True)
    time.sleep(60)
"""
    with Session(broker.config, "reader", ["g/state"]) as reader:
        next_of(reader, Connected)
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"Connected()\n"

            process.kill()

            assert next_of(reader, Received).message.payload == b"offline"


def test_an_orderly_end_leaves_a_farewell_and_no_will(broker: Mosquitto) -> None:
    with Session(broker.config, "reader", ["g/state"]) as reader:
        next_of(reader, Connected)
        with Session(broker.config, "g", will=Message(topic="g/state", payload=b"vanished")) as session:
            next_of(session, Connected)

            session.close(Message(topic="g/state", payload=b"offline"))

            assert next_of(reader, Received).message.payload == b"offline"
            assert reader.event(0.5) is None


def test_a_certificate_that_is_not_there_is_an_error_of_the_config() -> None:
    with pytest.raises(BadConfig, match="ca_file"):
        Session(BrokerConfig(ca_file="/nowhere/ca.pem"), "g")


def test_the_brokers_files_stand_beside_the_config(tmp_path: Path) -> None:
    broker = BrokerConfig(host="b", ca_file="ca.pem", key_file="/etc/key").beside(tmp_path / "edge.toml")

    assert broker == BrokerConfig(host="b", ca_file=str(tmp_path / "ca.pem"), key_file="/etc/key")


def test_an_outage_is_one_line_in_the_log(broker: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    with Session(broker.config, "reader") as reader:
        next_of(reader, Connected)
        broker.kill()
        next_of(reader, Lost)
        time.sleep(3)  # some tries

    assert sum("no broker at" in message for message in caplog.messages) == 1


def test_a_broker_that_refuses_says_once_what_to_check(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "known").write_text("somebody:$7$101$AAAA$AAAA\n")
    (tmp_path / "password").write_text("a guess")
    strict = Mosquitto(tmp_path, f"user root\npassword_file {tmp_path / 'known'}")
    strict.start()
    try:
        config = msgspec.structs.replace(strict.config, username="g", password_file=str(tmp_path / "password"))
        with Session(config, "g") as session:
            assert session.event(3.0) is None
    finally:
        strict.stop()

    said = [message for message in caplog.messages if "no broker at" in message]
    assert len(said) == 1
    assert "it refuses g: Not authorized (check [broker] username, password_file or certificate)" in said[0]


def test_connections_that_ended_keep_no_file_descriptor(broker: Mosquitto) -> None:
    gc.disable()  # what only a collection would close is open for hours on a quiet gateway
    try:
        before = open_files()
        with Session(broker.config, "g", ["a/b"]) as session:
            for _ in range(2):
                next_of(session, Connected)
                broker.kill()
                next_of(session, Lost)
                broker.start()

        left = open_files() - before
    finally:
        gc.enable()

    assert left == set()


@pytest.mark.parametrize("outage_s", [0, 1, 3, 5, 10, 15, 20, 30, 45, 60, 90, 300])
def test_two_thousand_gateways_come_back_evenly_however_long_the_broker_was_away(outage_s: float) -> None:
    random.seed(outage_s)

    came_s = sorted(came_back_s(outage_s) for _ in range(2_000))

    taken_s = came_s[-1] - came_s[0]
    in_each_second = [sum(second <= at_s - came_s[0] < second + 1 for at_s in came_s) for second in range(int(taken_s) + 1)]
    assert max(in_each_second) <= 3 * len(came_s) / taken_s
    assert 10 < taken_s <= 60


def came_back_s(outage_s: float) -> float:
    """When a gateway is there again, counted from the end of the outage, whose every try fails at once."""
    at_s = pause_s(0, GATEWAY)
    while at_s < outage_s:
        at_s += pause_s(at_s, GATEWAY)
    return at_s - outage_s


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}
