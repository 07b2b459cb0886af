"""A gateway without a disk, of which thousands fit into one process: it connects, sends one batch, and waits for its receipt.

MQTT 5 by hand, because a thread and a client library for each would measure this machine and not the broker. When to come back is
the product's own rule (hoflicht.place.pause_s), and so is how long to wait where nobody listens.
"""

import asyncio
import random
import struct
import time
from collections.abc import Mapping

from edge.uplink import FIRST_HOLD_MS
from hoflicht import batch, topics
from hoflicht.broker import CONNECT_TIMEOUT_S, NO_MATCHING_SUBSCRIBERS, Message
from hoflicht.place import GATEWAY, pause_s
from hoflicht.reading import Reading

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 0x10, 0x20, 0x32, 0x40, 0x82, 0x90
CLEAN_START, QOS_1 = 0x02, 0x01
RECEIPT_S = 10.0  # then the batch goes again


class LightGateway:
    """`connected_s` and `served_s` are when its present connection came up, and when a batch sent over it was receipted."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.connected_s: float | None = None
        self.served_s: float | None = None
        self._port = port
        self._sent = 0

    async def run(self) -> None:
        """Live until cancelled. The first connection is late as after an outage: nobody switches thousands on at one instant."""
        away_since_s = time.monotonic()
        while True:
            await asyncio.sleep(pause_s(time.monotonic() - away_since_s, GATEWAY))
            try:
                await self._live()
            except (OSError, EOFError, TimeoutError):
                if self.connected_s is not None:
                    away_since_s = time.monotonic()
                self.connected_s = self.served_s = None

    async def _live(self) -> None:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                writer.write(connect(self.name))
                await expect(reader, CONNACK)
                self.connected_s = time.monotonic()
                writer.write(subscribe(topics.receipts(self.name)))
                await expect(reader, SUBACK)
            while self.served_s is None:
                if await self._is_served(reader, writer):
                    self.served_s = time.monotonic()
                else:
                    await asyncio.sleep(FIRST_HOLD_MS / 1000 * random.uniform(0.8, 1.2))
            await reader.read()
            raise EOFError("the broker is gone")
        finally:
            writer.close()

    async def _is_served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send a batch; whether its receipt came."""
        self._sent += 1
        correlation = str(self._sent).encode()
        reading = Reading(self.name, "gateway", "uptime", time.time_ns() // 1_000_000, float(self._sent))
        writer.write(publish(batch.batch(self.name, correlation, [reading]), 2))
        try:
            async with asyncio.timeout(RECEIPT_S):
                while True:
                    kind, body = await packet(reader)
                    if kind & 0xF0 == PUBACK and body[2:3] == bytes((NO_MATCHING_SUBSCRIBERS,)):
                        return False
                    if kind & 0xF0 == PUBLISH & 0xF0:
                        end_of_topic = 2 + int.from_bytes(body[:2])
                        writer.write(bytes((PUBACK, 2)) + body[end_of_topic : end_of_topic + 2])
                        if body.endswith(batch.STORED) and correlation in body:
                            return True
        except TimeoutError:
            return False


def connect(client_id: str) -> bytes:
    """CONNECT (MQTT 5 §3.1), without a keep-alive: what is measured is coming back."""
    return framed(CONNECT, text("MQTT") + bytes((5, CLEAN_START, 0, 0, 0)) + text(client_id))


def subscribe(topic: str) -> bytes:
    """SUBSCRIBE (§3.8), packet 1."""
    return framed(SUBSCRIBE, struct.pack(">HB", 1, 0) + text(topic) + bytes((QOS_1,)))


def publish(message: Message, packet_id: int) -> bytes:
    """PUBLISH with QoS 1 (§3.3) and the properties of a batch."""
    properties = b"\x03" + text(message.content_type) + b"\x08" + text(message.response_topic)
    properties += b"\x09" + struct.pack(">H", len(message.correlation)) + message.correlation
    if message.encoding:
        properties += b"\x26" + text("encoding") + text(message.encoding)
    head = text(message.topic) + struct.pack(">H", packet_id) + bytes((len(properties),))
    return framed(PUBLISH, head + properties + message.payload)


def framed(kind: int, body: bytes) -> bytes:
    """The fixed header (§2.1) before `body`."""
    length, left = b"", len(body)
    while True:
        left, low = divmod(left, 128)
        length += bytes((low | (0x80 if left else 0),))
        if not left:
            return bytes((kind,)) + length + body


def text(value: str) -> bytes:
    """A string as MQTT writes it (§1.5.4)."""
    return struct.pack(">H", len(value.encode())) + value.encode()


async def packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next packet: its first byte, and what follows the fixed header."""
    kind = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return kind, await reader.readexactly(length)


async def expect(reader: asyncio.StreamReader, wanted: int) -> None:
    """Read the one packet that must come now; raise ConnectionError where it is another one, or a refusal."""
    kind, body = await packet(reader)
    if kind != wanted or (wanted == CONNACK and body[1] >= 0x80):
        raise ConnectionError(f"packet {kind:#x} {body[:8].hex()} instead of {wanted:#x}")


def in_each_second(times_s: Mapping[str, float]) -> list[int]:
    """How many fall into each second from the first one on."""
    first_s = min(times_s.values())
    counts = [0] * (int(max(times_s.values()) - first_s) + 1)
    for at_s in times_s.values():
        counts[int(at_s - first_s)] += 1
    return counts
