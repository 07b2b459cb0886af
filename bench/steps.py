"""Where the time of a batch goes at ingest: its steps one by one, in one thread, with a store that takes all and keeps nothing.

What is not in it is what the process pays beside: its way into the database, three threads that hand over to each other, and caches
that broker and database share with it. `bench.ingest` has all of it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import feed
from bench.duel import cpu_ms
from hoflicht import packets
from hoflicht.broker import Message, Received
from hoflicht.catalogue import load_city
from hoflicht.clock import SystemClock
from hoflicht.link import CHUNK
from hoflicht.packets import Decoder
from ingest.checks import Checks
from ingest.desk import Delivery, Desk, Settled
from ingest.health import Health
from ingest.quarantine import Quarantine
from ingest.verdict import judge
from store.answers import Rejected
from store.lines import lines
from store.sqlite import SqliteStore

SIZES = (20, 100)
READINGS = 60_000
GROUP_READINGS = 4_000  # as ingest takes them with 20 a message
ROUNDS = 7
HEAD = "| step | µs a message of 20 | of 100 |\n|---|---|---|"


class Nowhere(SqliteStore):
    """Takes all, keeps nothing."""

    def write_lines(self, written: Sequence[bytes]) -> list[Rejected]:
        b"\n".join(filter(None, written))
        return []


def rows() -> Iterator[str]:
    """The steps of a message with 20 and with 100 readings, the fastest of some rounds each."""
    with TemporaryDirectory() as name:
        found = [_steps(Path(name) / str(size), size) for size in SIZES]
    yield HEAD
    for step in found[0]:
        yield f"| {step} | {' | '.join(f'{each[step]:.1f}' for each in found)} |"


def _steps(folder: Path, size: int) -> dict[str, float]:
    folder.mkdir()
    (folder / "city.toml").write_text(feed.city())
    clock, checks = SystemClock(), Checks(load_city(folder / "city.toml"))
    first_ms = clock.now_ms() - 86_400_000
    sent = b"".join(feed.packets_of(feed.SENML, size, READINGS // size, first_ms))
    told = [own for _, own in feed.batches(size, READINGS // size, first_ms)]
    with closing(Nowhere(folder / "nowhere.db")) as store, closing(Quarantine(folder / "quarantine.db")) as quarantine:
        desk = Desk(checks, store, quarantine, clock, Health(clock, "-"))
        messages, each = list(_received(sent)), GROUP_READINGS // size
        groups = [[desk.opened(one) for one in messages[n : n + each]] for n in range(0, len(messages), each)]
        settled = [one for group in groups for one in _settled(desk, group)]
        took = {
            "packets and properties read (MQTT)": _us(lambda: list(_received(sent)), len(messages)),
            "opened, all of it": _us(lambda: [desk.opened(one) for one in messages], len(messages)),
            "- of that decoded and checked (SenML, catalogue)": _us(
                lambda: [
                    judge(checks, f"gw-{n % feed.GATEWAYS}", one.message.payload, clock.now_ms()) for n, one in enumerate(messages)
                ],
                len(messages),
            ),
            "- of that written as lines": _us(lambda: [lines(own) for own in told], len(messages)),
            "settled: joined, counted, receipts": _us(lambda: [_settled(desk, group) for group in groups], len(messages)),
            "receipt and PUBACK written (MQTT)": _us(lambda: [_answered(one) for one in settled], len(messages)),
        }
    return took | {"all": sum(us for step, us in took.items() if not step.startswith("-"))}


def _received(sent: bytes) -> Iterator[Received]:
    decoder = Decoder()
    for at in range(0, len(sent), CHUNK):
        for packet in decoder.feed(sent[at : at + CHUNK]):
            one = packets.publish(packet)
            message = Message(topic=one.topic, payload=one.payload, retain=one.retain, **one.properties)
            yield Received(message, one.mid, one.qos, 1)


def _settled(desk: Desk, group: Sequence[Delivery]) -> list[Settled]:
    return desk.settle(group, threading.Event()) or []


def _answered(one: Settled) -> bytes:
    receipt = one.receipt
    assert receipt is not None
    return packets.answer(receipt.topic, receipt.payload, receipt.correlation) + packets.acknowledgement(one.received.mid)


def _us(step: Callable[[], object], messages: int) -> float:
    """The fastest round: other programs only ever make one longer."""
    return min(cpu_ms(step) for _ in range(ROUNDS)) * 1000 / messages


if __name__ == "__main__":
    for line in rows():
        print(line)
