"""PUBLISH and PUBACK as bytes: beside paho, which writes what we read and reads what we write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import _packet
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hoflicht import BadPayload
from hoflicht.packets import PUBLISH, Decoder, Packet, Publish, acknowledgement, answer, publish

TOPIC = b"\x00\x03a/b"
SHORT = st.binary(max_size=300)


def properties(**named: object) -> bytes:
    """As paho writes them."""
    made = Properties(PacketTypes.PUBLISH)
    for name, value in named.items():
        setattr(made, name, value)
    return bytes(made.pack())


ALL = properties(
    PayloadFormatIndicator=1,
    MessageExpiryInterval=77,
    ContentType="application/senml+json",
    ResponseTopic="hoflicht/v1/gw-1/receipts",
    CorrelationData=b"\x00\xff",
    SubscriptionIdentifier=300,
    UserProperty=[("encoding", "deflate"), ("colour", "red")],
)


def test_a_publish_is_read_with_all_its_properties() -> None:
    read = publish(Packet(0x33, TOPIC + b"\x01\x02" + ALL + b"payload"))

    assert read == Publish(
        topic="a/b",
        qos=1,
        mid=258,
        retain=True,
        properties={
            "expiry_s": 77,
            "content_type": "application/senml+json",
            "response_topic": "hoflicht/v1/gw-1/receipts",
            "correlation": b"\x00\xff",
            "encoding": "deflate",
        },
        payload=b"payload",
    )


def test_a_publish_with_qos_0_has_no_number() -> None:
    assert publish(Packet(0x30, TOPIC + b"\x00x")) == Publish("a/b", 0, 0, False, {}, b"x")


def test_a_text_that_is_no_utf_8_costs_the_connection_nothing() -> None:
    read = publish(Packet(0x30, b"\x00\x02\xff/" + b"\x05\x03\x00\x02\xfe\xff" + b"x"))

    assert (read.topic, read.properties, read.payload) == ("\ufffd/", {"content_type": "\ufffd\ufffd"}, b"x")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\x00\x04a/b",  # a topic that is longer than its packet
        TOPIC + b"\x01",  # half a number
        TOPIC + b"\x00\x01",  # no properties
        TOPIC + b"\x00\x01\x80",  # half a length
        TOPIC + b"\x00\x01\xff\xff\xff\xff",  # a length that does not end
        TOPIC + b"\x00\x01\x04\x09\x00\x09x",  # correlation data longer than all properties
        TOPIC + b"\x00\x01\x01\x7f",  # a property that there is not
        TOPIC + b"\x00\x01\x03\x23\x00\x01",  # a topic alias, which nobody has allowed
    ],
)
def test_what_is_no_publish_is_a_bad_payload(body: bytes) -> None:
    with pytest.raises(BadPayload):
        publish(Packet(0x32, body))


@given(st.binary(max_size=60), st.integers(0x30, 0x3F))
def test_any_bytes_give_a_publish_or_a_bad_payload(body: bytes, head: int) -> None:
    try:
        read = publish(Packet(head, body))
    except BadPayload:
        return

    assert read.payload == body[len(body) - len(read.payload) :]


@given(st.text("ab/", min_size=1, max_size=40), SHORT, SHORT)
def test_paho_reads_what_we_answer(topic: str, payload: bytes, correlation: bytes) -> None:
    ((head, body),) = Decoder().feed(answer(topic, payload, correlation))

    read = _packet.decode_publish(head, body, MQTTProtocolVersion.MQTTv5)
    assert (read.qos, read.topic, read.payload, read.retain) == (0, topic.encode(), payload, False)
    assert read.properties.CorrelationData == correlation  # type: ignore[union-attr]


@given(st.integers(1, 65_535))
def test_paho_reads_what_we_acknowledge(mid: int) -> None:
    ((head, body),) = Decoder().feed(acknowledgement(mid))

    read = _packet.decode_puback(head, body, MQTTProtocolVersion.MQTTv5)
    assert (read.mid, read.reason.value) == (mid, 0)


@given(st.lists(SHORT, max_size=8), st.integers(1, 400))
def test_packets_come_out_whole_however_the_bytes_came(payloads: list[bytes], step: int) -> None:
    stream = b"".join(answer("a/b", payload, b"1") for payload in payloads)
    decoder = Decoder()

    packets = [packet for at in range(0, len(stream), step) for packet in decoder.feed(stream[at : at + step])]

    assert [(packet.head, publish(packet).payload) for packet in packets] == [(PUBLISH, payload) for payload in payloads]


def test_a_length_that_does_not_end_is_a_bad_payload() -> None:
    with pytest.raises(BadPayload):
        list(Decoder().feed(b"\x30\xff\xff\xff\xff"))
