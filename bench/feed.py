"""Gateways that cost next to nothing: batches made beforehand, as bytes of MQTT 5 on one socket, QoS 1, as fast as the broker goes.

`python -m bench.feed PORT FORMAT READINGS MESSAGES FIRST_MS` makes them, says so, waits for a line, sends, and says so again. A
process of its own, so that neither its memory nor its time is in the way of what is measured.
"""

import itertools
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from hoflicht import Reading, senml, topics
from hoflicht.packets import sized
from hoflicht.varint import written
from store.lines import lines

GATEWAYS, LAMPS = 50, 5  # and lamps of each
QUANTITIES = {"level_actual": 80.0, "active_power": 43.1, "voltage": 229.7, "temperature": 31.5}
STEP_MS = 100  # between two looks at the lamps of a gateway
WINDOW = 200  # messages without the broker's word: enough that it never waits for us
LINES, SENML = "lines", "senml"
CONNECT = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x03fed"  # a clean start, no keep-alive (MQTT 5 §3.1)
CONNACK, PUBACK, QOS_1 = 0x20, 0x40, 0x32
CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION = b"\x03", b"\x08", b"\x09"  # properties of a publish (§3.3.2.3)


def city() -> str:
    """The catalogue that all this fits in."""
    lamps = (f'[lamps.{lamp(g, n)}]\nstreet = "Weg {g}"\nlat = 51.0\nlon = 6.0\n' for g in range(GATEWAYS) for n in range(LAMPS))
    gateways = (f'[gateways.gw-{g}]\nsites = ["lamp-{g}-*"]\n' for g in range(GATEWAYS))
    return "\n".join(['name = "Kleinstadt"', *lamps, *gateways])


def lamp(gateway: int, number: int) -> str:
    """The name of a gateway's lamp."""
    return f"lamp-{gateway}-{number}"


def batches(size: int, messages: int, first_ms: int) -> Iterator[tuple[int, list[Reading]]]:
    """So many batches of `size` readings, each with its gateway; no point twice."""
    looks = [_look(gateway, first_ms) for gateway in range(GATEWAYS)]
    for n in range(messages):
        gateway = n % GATEWAYS
        yield gateway, list(itertools.islice(looks[gateway], size))


def _look(gateway: int, first_ms: int) -> Iterator[Reading]:
    for n in itertools.count():
        for number in range(LAMPS):
            for quantity, value in QUANTITIES.items():
                yield Reading(lamp(gateway, number), "driver", quantity, first_ms + n * STEP_MS, value + n % 10 / 10)


def packets_of(form: str, size: int, messages: int, first_ms: int) -> list[bytes]:
    """All of these batches as publishes, in that form."""
    made = batches(size, messages, first_ms)
    if form == LINES:
        return [_publish(n, f"lines/gw-{gateway}", b"", lines(readings)) for n, (gateway, readings) in enumerate(made)]
    return [
        _publish(n, topics.readings(f"gw-{gateway}"), _batch(n, gateway), senml.encode(own))
        for n, (gateway, own) in enumerate(made)
    ]


def _batch(number: int, gateway: int) -> bytes:
    """What a gateway says with a batch, so that it gets a receipt."""
    to = sized(topics.receipts(f"gw-{gateway}").encode())
    return CONTENT_TYPE + sized(senml.CONTENT_TYPE.encode()) + RESPONSE_TOPIC + to + CORRELATION + sized(b"%d" % number)


def _publish(number: int, topic: str, properties: bytes, payload: bytes) -> bytes:
    mid = number % 0xFFFF + 1
    body = sized(topic.encode()) + mid.to_bytes(2, "big") + written(len(properties)) + properties + payload
    return bytes([QOS_1]) + written(len(body)) + body


def send(port: int, packets: Sequence[bytes]) -> None:
    """Publish all, and return when the broker has them."""
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
        connection.sendall(CONNECT)
        _hear(answers, CONNACK, 1)
        on_the_way = 0
        for n in range(0, len(packets), WINDOW):
            chunk = packets[n : n + WINDOW]
            connection.sendall(b"".join(chunk))
            _hear(answers, PUBACK, on_the_way)
            on_the_way = len(chunk)
        _hear(answers, PUBACK, on_the_way)


def _hear(answers: BinaryIO, kind: int, count: int) -> None:
    """Take so many answers of this kind; each is shorter than 128 bytes."""
    for _ in range(count):
        head = answers.read(2)
        if len(head) < 2 or head[0] != kind:
            raise ConnectionError(f"expected an answer 0x{kind:x}, got {head!r}")
        answers.read(head[1])


def main(argv: Sequence[str]) -> int:
    """Make, wait, send."""
    port, form, size, messages, first_ms = argv
    packets = packets_of(form, int(size), int(messages), int(first_ms))
    print("made", flush=True)
    sys.stdin.readline()
    send(int(port), packets)
    print("sent", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
