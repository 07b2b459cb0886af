"""Batches and receipts as MQTT messages."""

import zlib

import pytest

from hoflicht import BadPayload, Reading, batch, senml
from hoflicht.broker import Message

READINGS = [Reading("hof-nord", "gate-in", "passage", 1_700_000_000_000 + 997 * n, 1.0) for n in range(100)]


def test_a_batch_tells_where_its_receipt_goes() -> None:
    message = batch.batch("gw-hof-nord", b"7-1-100", READINGS)

    assert message.topic == "hoflicht/v1/gw-hof-nord/readings"
    assert message.response_topic == "hoflicht/v1/gw-hof-nord/receipts"
    assert message.correlation == b"7-1-100"
    assert message.content_type == "application/senml+json"


def test_a_large_batch_travels_deflated_and_a_small_one_does_not() -> None:
    large, small = batch.batch("g", b"1", READINGS), batch.batch("g", b"1", READINGS[:1])

    assert (large.encoding, small.encoding) == ("deflate", "")
    assert len(large.payload) < 12 * len(READINGS)
    assert senml.decode(batch.unwrap(large)).readings == READINGS
    assert senml.decode(batch.unwrap(small)).readings == READINGS[:1]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Message(topic="t", payload=b"[]", content_type="text/csv"), "content type 'text/csv'"),
        (Message(topic="t", payload=b"[]", encoding="br"), "encoding 'br'"),
        (Message(topic="t", payload=b"[]", encoding="deflate"), "not deflated"),
        (Message(topic="t", payload=zlib.compress(b"[]" * 99)[:-3], encoding="deflate"), "cut short"),
        (Message(topic="t", payload=zlib.compress(b" " * 2_000_000), encoding="deflate"), "more than 1048576 bytes"),
        (Message(topic="t", payload=b" " * 300_000), "300000 bytes"),
    ],
)
def test_what_cannot_be_a_batch_says_why(message: Message, reason: str) -> None:
    with pytest.raises(BadPayload, match=reason):
        batch.unwrap(message)


def test_receipts_carry_the_correlation_of_their_batch() -> None:
    message = batch.batch("g", b"7-1-100", READINGS)

    stored, refused = batch.stored(message), batch.refused(message, "not JSON")

    assert (stored.topic, stored.correlation, batch.refusal(stored)) == ("hoflicht/v1/g/receipts", b"7-1-100", None)
    assert (refused.topic, refused.correlation, batch.refusal(refused)) == ("hoflicht/v1/g/receipts", b"7-1-100", "not JSON")


def test_another_answer_is_no_receipt() -> None:
    with pytest.raises(BadPayload):
        batch.refusal(Message(topic="t", payload=b"perhaps"))
