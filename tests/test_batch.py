"""Batches and receipts as MQTT messages."""

import hashlib
import zlib

import pytest

from hoflicht import BadPayload, Reading, batch, senml, topics
from hoflicht.broker import Message
from hoflicht.words import WORDS

READINGS = [Reading("hof-nord", "gate-in", "passage", 1_700_000_000_000 + 997 * n, 1.0) for n in range(100)]


def test_a_batch_says_nothing_that_its_topic_says() -> None:
    message = batch.batch("gw-hof-nord", b"7-1-100", READINGS)

    assert message.topic == "hoflicht/v1/gw-hof-nord/w1"
    assert message.correlation == b"7-1-100"
    assert (message.content_type, message.encoding, message.response_topic) == ("", "", "")


@pytest.mark.parametrize(("count", "most_bytes"), [(1, 35), (100, 600)])
def test_a_batch_is_short_whatever_its_size(count: int, most_bytes: int) -> None:
    message = batch.batch("g", b"1", READINGS[:count])

    assert len(message.payload) <= most_bytes
    assert senml.decode(batch.unwrap(message)).readings == READINGS[:count]


def test_who_publishes_to_the_short_topic_may_say_otherwise() -> None:
    plain = senml.encode(READINGS)
    message = Message(
        topic=topics.batches("g"), payload=zlib.compress(plain), encoding="deflate", response_topic=topics.receipts("g")
    )

    assert batch.unwrap(message) == plain
    assert (batch.stored(message).topic, batch.stored(message).payload) == ("hoflicht/v1/g/receipts", b"stored")


def test_plain_batches_and_those_of_plain_deflate_are_read_too() -> None:
    plain = senml.encode(READINGS)

    assert batch.unwrap(Message(topic="t", payload=plain)) == plain
    assert batch.unwrap(Message(topic="t", payload=zlib.compress(plain), encoding="deflate")) == plain


def test_the_words_that_both_ends_know_are_the_same_for_ever() -> None:
    assert (
        f"sha256:{hashlib.sha256(WORDS).hexdigest()}" == "sha256:4e6d3548774d0d588b84d1f6e8904746266fbf0a7af37d8e42d10300830d0fd9"
    )


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Message(topic="t", payload=b"[]", content_type="text/csv"), "content type 'text/csv'"),
        (Message(topic="t", payload=b"[]", encoding="br"), "encoding 'br'"),
        (Message(topic="t", payload=b"[]", encoding="deflate"), "not deflated"),
        (Message(topic="t", payload=zlib.compress(b"[]" * 99)[:-3], encoding="deflate"), "cut short"),
        (Message(topic="t", payload=zlib.compress(b" " * 2_000_000), encoding="deflate"), "more than 262144 bytes"),
        (Message(topic="t", payload=b" " * 300_000), "300000 bytes"),
        (Message(topic="t", payload=b"\xff", encoding="w1"), "not deflated"),
        (Message(topic="t", payload=batch.batch("g", b"1", READINGS).payload[:-3], encoding="w1"), "cut short"),
        (Message(topic="t", payload=zlib.compress(b" " * 2_000_000, wbits=-15), encoding="w1"), "more than 262144 bytes"),
    ],
)
def test_what_cannot_be_a_batch_says_why(message: Message, reason: str) -> None:
    with pytest.raises(BadPayload, match=reason):
        batch.unwrap(message)


def test_receipts_carry_the_correlation_of_their_batch() -> None:
    message = batch.batch("g", b"7-1-100", READINGS)

    stored, refused = batch.stored(message), batch.refused(message, "not JSON")

    assert (stored.topic, stored.correlation, batch.refusal(stored)) == ("hl/g", b"7-1-100", None)
    assert stored.payload == b""
    assert (refused.topic, refused.correlation, batch.refusal(refused)) == ("hl/g", b"7-1-100", "not JSON")


def test_to_a_batch_that_says_where_its_receipt_goes_it_goes_there_and_in_full() -> None:
    message = Message(topic=topics.readings("g"), payload=b"[]", response_topic=topics.receipts("g"), correlation=b"1")

    stored = batch.stored(message)

    assert (stored.topic, stored.payload, stored.correlation) == ("hoflicht/v1/g/receipts", b"stored", b"1")
    assert batch.refusal(stored) is None


def test_a_batch_that_says_nothing_and_whose_topic_says_nothing_wants_no_receipt() -> None:
    assert batch.answered_at(Message(topic=topics.readings("g"), payload=b"[]")) == ""


def test_another_answer_is_no_receipt() -> None:
    with pytest.raises(BadPayload):
        batch.refusal(Message(topic="t", payload=b"perhaps"))
