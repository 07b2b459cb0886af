"""What a reading takes on the wire: MQTT's bytes both ways, its own, its receipt's, what confirms the two, pings and state.

Beside SenML one would pick two things. A publish with QoS 1 for each reading, as JSON, which is what most gateways do: sent, and
counted as ours are. And Sparkplug B in the same batches, which is the standard of industry for thrift: names as aliases, a
time stamp for each, values of four bytes, by pysparkplug; QoS 0, as it wants. Neither of them is told that a database has it.

Not counted, ours nor theirs: TCP/IP and TLS, some 70 bytes a packet, and the waiting time that the api sends to a yard's sign.
"""

import datetime as dt
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench import show
from bench.gateways import LAMPS, YARD, Stretch, Tap, lived
from hoflicht import Reading, senml, topics
from hoflicht.broker import BrokerConfig, Confirmed, Connected, Message, Session
from tests.conftest import Mosquitto

WEDNESDAY, SATURDAY = dt.date(2026, 11, 25), dt.date(2026, 11, 28)
KEEPALIVE_S, PING_BYTES = 30, 4  # ours, where there is nothing else to say: PINGREQ and PINGRESP
CASES = {  # what, the gateway, the day, its hours, minutes of each
    "a lamp gateway at night": (LAMPS, WEDNESDAY, (19, 22, 5), 8),
    "a yard's gateway, closed": (YARD, SATURDAY, (2, 4, 21), 30),
    "a yard's gateway on a busy Saturday": (YARD, SATURDAY, (9, 11, 14), 20),
}
TO_REACH = "≤ 12 bytes"
SINGLES = 200  # readings that are sent one by one, of each stretch
PEER = Path(__file__).parent / "peers" / "sparkplug"
HOME = Path.home() / ".cache/hoflicht/sparkplug"


class Shares(msgspec.Struct, frozen=True):
    """Bytes a reading in one stretch."""

    ours: float
    single: float
    sparkplug: float


def rows() -> Iterator[str]:
    """Two rows a case."""
    subprocess.run([PEER / "build", HOME], check=True, stdout=subprocess.DEVNULL)
    for what, (gateway, day, hours, minutes) in CASES.items():
        shares = [_shares(gateway, lived(gateway, dt.datetime.combine(day, dt.time(hour)), 60 * minutes)) for hour in hours]
        ours = [each.ours for each in shares]
        yield _row(what, "SenML JSON, a publish each", ours, [each.single for each in shares])
        yield _row(what, "Sparkplug B in the same batches, without receipts", ours, [each.sparkplug for each in shares])


def _row(what: str, beside: str, ours: Sequence[float], peer: Sequence[float]) -> str:
    ratios = [one / other for one, other in zip(ours, peer, strict=True)]
    median = statistics.median
    return (
        f"| bytes on the wire per reading, {what} | {beside} | {median(ours):.1f} | {median(peer):.1f} | {median(ratios):.2f} |"
        f" {min(ratios):.2f}–{max(ratios):.2f} | {TO_REACH} |"
    )


def _shares(gateway: str, stretch: Stretch) -> Shares:
    # Time goes too fast for the broker's clock, so pings are reckoned: as if nothing else had been said.
    ours = stretch.wire_bytes + stretch.seconds // KEEPALIVE_S * PING_BYTES
    singles = [reading for batch in stretch.batches for reading in batch][:: max(1, stretch.readings // SINGLES)]
    return Shares(
        ours / stretch.readings,
        _single_bytes(gateway, singles) / len(singles),
        _sparkplug_bytes(gateway, stretch) / stretch.readings,
    )


def _single_bytes(gateway: str, readings: Sequence[Reading]) -> int:
    with TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder))
        broker.start()
        try:
            with closing(Tap(broker.config.port)) as tap, Session(BrokerConfig(port=tap.port), gateway) as session:
                while not isinstance(session.event(1), Connected):
                    pass
                time.sleep(0.2)  # the last bytes of connecting
                before = tap.bytes
                for reading in readings:
                    payload = senml.encode([reading])
                    session.publish(Message(topic=topics.readings(gateway), payload=payload, content_type=senml.CONTENT_TYPE))
                    while not isinstance(session.event(1), Confirmed):
                        pass
                return tap.bytes - before
        finally:
            broker.stop()


def _sparkplug_bytes(gateway: str, stretch: Stretch) -> int:
    batches = [[(f"{r.site}/{r.sensor}/{r.quantity}", r.at_ms, r.value) for r in batch] for batch in stretch.batches]
    told = b"\n".join(msgspec.json.encode(batch) for batch in batches)
    sizes = subprocess.run([HOME / "bin/python", PEER / "sizes.py"], input=told, check=True, stdout=subprocess.PIPE).stdout
    topic = f"spBv1.0/duisburg/NDATA/{gateway}"
    return sum(_publish_bytes(topic, int(size)) for size in sizes.split())


def _publish_bytes(topic: str, payload: int) -> int:
    """An MQTT 5 publish with QoS 0 and no properties (§3.3)."""
    rest = 2 + len(topic) + 1 + payload
    return 1 + (1 if rest < 128 else 2 if rest < 16_384 else 3) + rest


if __name__ == "__main__":
    show(rows())
