"""What a route wants in the store, and how it hears that it is there."""

import threading
from collections.abc import Callable

import pytest

from api.errands import MAX_WAITING, Errands
from hoflicht import Reading, batch, senml
from hoflicht.broker import Message
from hoflicht.errors import Refused, Unavailable

WORD = Reading("hof-nord", "staff", "hold", 1_763_886_600_000, 60.0)


class Post:
    """A broker that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def publish(self, message: Message) -> int:
        self.sent.append(message)
        return len(self.sent)


def running(errands: Errands, answer: Callable[[Message], Message]) -> str:
    """What becomes of an errand to which ingest gives `answer`."""
    post, heard = Post(), list[str]()

    def run() -> None:
        try:
            errands.run([WORD])
            heard.append("stored")
        except (Refused, Unavailable) as cause:
            heard.append(f"{type(cause).__name__}: {cause}")

    thread = threading.Thread(target=run)
    thread.start()
    while not post.sent:
        errands.send(post.publish, 1_000)
    errands.settle(answer(post.sent[0]))
    thread.join()
    return heard[0]


def test_an_errand_is_done_when_ingest_says_that_it_is_stored() -> None:
    assert running(Errands(), batch.stored) == "stored"


def test_what_ingest_refuses_is_told_with_its_reason() -> None:
    assert running(Errands(), lambda sent: batch.refused(sent, "no such yard")) == "Refused: no such yard"


def test_an_answer_that_is_none_confirms_nothing() -> None:
    answer = running(Errands(), lambda sent: Message(topic=batch.answered_at(sent), payload=b"?", correlation=sent.correlation))

    assert answer == "Unavailable: neither stored nor refused: b'?'"


def test_another_s_receipt_confirms_nothing() -> None:
    def of_another(sent: Message) -> Message:
        return Message(topic=batch.answered_at(sent), payload=batch.STORED, correlation=b"1")

    assert running(Errands(patience_s=0.1), of_another) == "Unavailable: not confirmed within 0.1 s"


def test_an_errand_goes_the_way_of_all_readings() -> None:
    post = Post()

    def send(sent: Message) -> Message:
        post.publish(sent)
        return batch.stored(sent)

    running(Errands(), send)

    assert [message.topic for message in post.sent] == ["hoflicht/v1/api/w1"]
    assert list(senml.decode(batch.unwrap(post.sent[0])).readings) == [WORD]


def test_what_nobody_waits_for_any_more_is_not_sent() -> None:
    errands, post = Errands(patience_s=0.0), Post()
    with pytest.raises(Unavailable, match="not confirmed within 0 s"):
        errands.run([WORD])

    errands.send(post.publish, 1_000)

    assert post.sent == []


def test_only_so_many_wait_at_once() -> None:
    errands = Errands(patience_s=0.0)
    for _ in range(MAX_WAITING):
        with pytest.raises(Unavailable, match="not confirmed"):
            errands.run([WORD])

    with pytest.raises(Unavailable, match="too many are waiting"):
        errands.run([WORD])


def test_without_a_broker_one_hears_so_at_once() -> None:
    errands, heard = Errands(), list[str]()

    def away(_message: Message) -> int:
        raise Unavailable("no connection to the broker")

    def run() -> None:
        try:
            errands.run([WORD])
        except Unavailable as cause:
            heard.append(str(cause))

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        errands.send(away, 1_000)

    assert heard == ["no connection to the broker"]
