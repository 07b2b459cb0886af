"""Batches and their receipts as MQTT 5 messages.

A batch of ours says nothing that its topic says: encoding, content type, where the receipt goes; and the topic is told once a
connection. Whoever publishes to `topics.readings` says it in properties, and is answered in full where these say.
"""

import zlib
from collections.abc import Sequence

from hoflicht import senml, topics
from hoflicht.broker import Message
from hoflicht.errors import BadPayload
from hoflicht.reading import Reading
from hoflicht.words import WORDS

MAX_READINGS = 500  # in one batch: some 10 kB on the air, so a GPRS link sends one in seconds
WINDOW = 8  # batches of one gateway without a receipt; below the 20 that Mosquitto takes at once from one client
MAX_PAYLOAD = 256 * 1024  # bytes of a message, either way, and of what it inflates to, which could be gigabytes
DEFLATE = "deflate"  # RFC 1950; what others may send
WORDED = topics.WORDED  # RFC 1951 with the dictionary hoflicht.words; what we send
RAW = -15  # zlib's word for RFC 1951 and a window of 32 KiB
STORED = b""  # in a receipt of ours
STORED_IN_FULL = b"stored"  # to whom says where the receipt goes
REFUSED = b"refused "


def batch(gateway: str, correlation: bytes, readings: Sequence[Reading]) -> Message:
    """Wrap `readings` so that ingest can answer with a receipt that carries `correlation`."""
    deflater = zlib.compressobj(zlib.Z_BEST_COMPRESSION, wbits=RAW, zdict=WORDS)
    return Message(
        topic=topics.batches(gateway),
        payload=deflater.compress(senml.encode(readings)) + deflater.flush(),
        correlation=correlation,
        is_aliased=True,
    )


def unwrap(message: Message) -> bytes:
    """The SenML payload of a batch, inflated; raise BadPayload where it is too large, of another type or encoding."""
    if message.content_type not in ("", senml.CONTENT_TYPE):
        raise BadPayload(f"content type {message.content_type[:64]!r}, expected {senml.CONTENT_TYPE}")
    if len(message.payload) > MAX_PAYLOAD:
        raise BadPayload(f"{len(message.payload)} bytes, at most {MAX_PAYLOAD} are read")
    encoding = message.encoding or (WORDED if topics.is_worded(message.topic) else "")
    if not encoding:
        return message.payload
    if encoding not in (DEFLATE, WORDED):
        raise BadPayload(f"encoding {encoding[:32]!r}, expected {WORDED}, {DEFLATE} or none")
    inflater = zlib.decompressobj(RAW, zdict=WORDS) if encoding == WORDED else zlib.decompressobj()
    try:
        payload = inflater.decompress(message.payload, MAX_PAYLOAD)
    except zlib.error as cause:
        raise BadPayload(f"not deflated: {cause}") from cause
    if not inflater.eof:
        raise BadPayload(f"cut short, or inflates to more than {MAX_PAYLOAD} bytes")
    return payload


def answered_at(to: Message) -> str:
    """The topic of the receipt: what the batch says, or what its own topic says; empty where it wants none."""
    gateway = topics.gateway_of(to.topic) if topics.is_worded(to.topic) else None
    return to.response_topic or (topics.answers(gateway) if gateway else "")


def stored(to: Message) -> Message:
    """The receipt that lets the gateway drop its batch."""
    return Message(topic=answered_at(to), payload=STORED_IN_FULL if to.response_topic else STORED, correlation=to.correlation)


def refused(to: Message, reason: str) -> Message:
    """The receipt that makes the gateway set its batch aside."""
    return Message(topic=answered_at(to), payload=REFUSED + reason.encode()[:500], correlation=to.correlation)


def refusal(receipt: Message) -> str | None:
    """Why the batch was refused, None where it was stored; raise BadPayload for anything else."""
    if receipt.payload in (STORED, STORED_IN_FULL):
        return None
    if receipt.payload.startswith(REFUSED):
        return receipt.payload.removeprefix(REFUSED).decode("utf-8", "replace")
    raise BadPayload(f"neither stored nor refused: {receipt.payload[:64]!r}")
