"""The MQTT 5 packets that come and go by the thousand, as bytes (OASIS MQTT 5.0 §2.1, §3.3, §3.4)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from hoflicht.errors import BadPayload
from hoflicht.varint import read, written

PUBLISH, PUBACK = 0x30, 0x40  # the kind of a packet, with the flags of its head cut off
KIND, QOS, RETAIN = 0xF0, 0x06, 0x01
MOST_LENGTH_BYTES = 4  # of a length (§1.5.5)
# Properties of a publish (§3.3.2.3). There is no topic alias: the broker may use one only to a client that asks for it.
FORMAT, EXPIRY, CORRELATION, SUBSCRIPTION, USER = 0x01, 0x02, 0x09, 0x0B, 0x26
TEXTS = {0x03: "content_type", 0x08: "response_topic"}


class Packet(NamedTuple):
    """One packet: the first byte of its head, and what follows its length."""

    head: int
    body: bytes


class Publish(NamedTuple):
    """What a PUBLISH says; `mid` is 0 with QoS 0. `properties`: those that we use, as hoflicht.broker.Message names them."""

    topic: str
    qos: int
    mid: int
    retain: bool
    properties: dict[str, Any]
    payload: bytes


class Decoder:
    """Bytes in, packets out; each is bounded by the maximum packet size that the broker was told."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Take `data` now; hand out, in order, what it completes. BadPayload: a length that is none, and there is no way on."""
        self._pending += data
        return self._complete()

    def _complete(self) -> Iterator[Packet]:
        at, data = 0, self._pending
        while (found := read(data, at + 1, MOST_LENGTH_BYTES)) is not None and found[1] + found[0] <= len(data):
            length, start = found
            yield Packet(data[at], data[start : start + length])
            at = start + length
        self._pending = data[at:]


def publish(packet: Packet) -> Publish:
    """Read a PUBLISH; raise BadPayload where it is none. Texts that are no UTF-8 are read all the same, with U+FFFD."""
    try:
        return _publish(packet)
    except IndexError as cause:
        raise BadPayload("a packet that is cut short") from cause


def answer(topic: str, payload: bytes, correlation: bytes) -> bytes:
    """A PUBLISH with QoS 0; `payload` and `correlation` are short."""
    property_ = bytes([CORRELATION]) + sized(correlation)
    body = sized(topic.encode()) + written(len(property_)) + property_ + payload
    return bytes([PUBLISH]) + written(len(body)) + body


def acknowledgement(mid: int) -> bytes:
    """A PUBACK that says yes (§3.4.2.1)."""
    return bytes([PUBACK, 2, mid >> 8, mid & 255])


def _publish(packet: Packet) -> Publish:
    body = packet.body
    topic, at = _bytes(body, 0)
    qos = (packet.head & QOS) >> 1
    mid = 0
    if qos:
        mid, at = body[at] << 8 | body[at + 1], at + 2
    found = read(body, at, MOST_LENGTH_BYTES)
    if found is None:
        raise BadPayload("properties without a length")
    end = sum(found)
    properties = _properties(body[:end], found[1])
    return Publish(topic.decode("utf-8", "replace"), qos, mid, bool(packet.head & RETAIN), properties, body[end:])


def _properties(body: bytes, at: int) -> dict[str, Any]:
    """The properties from `at` to the end of `body`."""
    known: dict[str, Any] = {}
    while at < len(body):
        kind = body[at]
        if kind in TEXTS:
            value, at = _bytes(body, at + 1)
            known[TEXTS[kind]] = value.decode("utf-8", "replace")
        elif kind == CORRELATION:
            known["correlation"], at = _bytes(body, at + 1)
        elif kind == USER:
            name, at = _bytes(body, at + 1)
            value, at = _bytes(body, at)
            if name == b"encoding":
                known["encoding"] = value.decode("utf-8", "replace")
        elif kind == EXPIRY:
            known["expiry_s"], at = int.from_bytes(body[at + 1 : at + 5], "big"), at + 5
        elif kind == FORMAT:
            at += 2
        else:
            at = _after(kind, body, at)
    return known


def _after(kind: int, body: bytes, at: int) -> int:
    found = read(body, at + 1, MOST_LENGTH_BYTES) if kind == SUBSCRIPTION else None
    if found is None:
        raise BadPayload(f"a property 0x{kind:x} that no publish has")
    return found[1]


def _bytes(body: bytes, at: int) -> tuple[bytes, int]:
    """What has its length in front of it, and where it ends."""
    end = at + 2 + (body[at] << 8 | body[at + 1])
    if end > len(body):
        raise BadPayload("a text that is longer than its packet")
    return body[at + 2 : end], end


def sized(content: bytes) -> bytes:
    """With its length in front (§1.5.4)."""
    return len(content).to_bytes(2, "big") + content
