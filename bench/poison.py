"""Good readings beside bad ones: a real Mosquitto, the real ingest process, a real InfluxDB.

Rounds are sent clean and poisoned in turn, with the same number of good points. Poisoned means that one point in ten is bad; a
message that is no batch at all counts as the points of a batch. A round runs from the first publish to the last receipt, so the
time of the best clean round over that of the best poisoned one is what the bad ones leave of the good ones' throughput: best ones,
because other programs only ever make a round longer. The same ratio of the processor time of broker, ingest and database, in all
rounds together, tells it where they are always in the way.
"""

import itertools
import json
import os
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

from hoflicht import Reading, batch, senml, topics
from hoflicht.broker import Connected, Lost, Message, Received, Session
from hoflicht.catalogue import load_city
from ingest.checks import Checks, Fault
from ingest.quarantine import Quarantine
from tests.conftest import ORG, Influxd, Mosquitto, free_port, wait_until_listening
from tests.roles import CITY, Role, cpu_s, eventually, write_ingest

PAIRS = 5  # of rounds; more, and what is bad in all of them would not fit into the quarantine
BATCHES = 900  # a round: some two seconds of ingest at full speed
GOOD, BAD = 458, 42  # points of a batch
NONSENSE_EVERY = 42  # batches: each of these messages counts as a batch's points, so that of all one in ten is bad
GATEWAYS = (
    16  # each with at most as many batches under way as a gateway has: more than ingest takes at once, so that it never waits
)
PATIENCE_S = 60.0
DAY_MS = 86_400_000
START_MS = time.time_ns() // 1_000_000 - 2 * DAY_MS  # of the good points: within what ingest takes
BUCKET = "poison"
YARD = """
[yards.hof-{n}]
name = "Hof {n}"
address = "Weg {n}"
lat = 51.0
lon = 6.0
hours.weekly = {{ mon = "08:00-18:00" }}
sensors = {{ gate-in = {{}}, gate-out = {{}}, lane-in = {{}} }}
[gateways.gw-{n}]
sites = ["hof-{n}"]
"""

Patch = dict[str, object]


class Kind(NamedTuple):
    """A way for a point to be bad: the fault that ingest finds, what the reading is then, what its record says instead."""

    fault: Fault
    spoil: Callable[[Reading], Reading] = lambda good: good
    patch: Patch = {}


POINTS = {
    "a wrong type": Kind(Fault.NOT_A_READING, patch={"v": "one"}),
    "an unknown quantity": Kind(Fault.NOT_A_READING, patch={"n": "colour"}),
    "not a number": Kind(Fault.NOT_A_READING, patch={"v": float("nan")}),
    "infinite": Kind(Fault.NOT_A_READING, patch={"v": float("inf")}),
    "out of range": Kind(Fault.OUT_OF_RANGE, lambda good: replace(good, value=1e6)),
    "beyond retention": Kind(Fault.TOO_OLD, lambda good: replace(good, at_ms=good.at_ms - 100 * DAY_MS)),
    "from the future": Kind(Fault.IN_THE_FUTURE, lambda good: replace(good, at_ms=good.at_ms + 3 * DAY_MS)),
    "a foreign site": Kind(Fault.FOREIGN_SITE, lambda good: replace(good, site="hof-0" if good.site == "hof-1" else "hof-1")),
    "an unknown site": Kind(Fault.UNKNOWN_SITE, lambda good: replace(good, site="hof-ost")),
    "an unknown sensor": Kind(Fault.UNKNOWN_SENSOR, lambda good: replace(good, sensor="gate-9")),
}
# Messages that are no batch: payload and encoding. `nonce` makes each another one, as the quarantine keeps the like once.
MESSAGES: Mapping[str, Callable[[bytes], tuple[bytes, str]]] = {
    "not SenML": lambda nonce: (b"hello " + nonce, ""),
    "another encoding": lambda nonce: (nonce, "brotli"),
    "not deflated": lambda nonce: (b"[]" + nonce, batch.DEFLATE),
    "cut short": lambda nonce: (zlib.compress(b'[{"n":"' + nonce * 20)[:-4], batch.DEFLATE),
    "a bomb": lambda nonce: (zlib.compress(b" " * 20_000_000 + nonce), batch.DEFLATE),
    "too long a message": lambda nonce: (nonce + b" " * batch.MAX_PAYLOAD, ""),
    "too long a pack": lambda nonce: (
        zlib.compress(b"[%b{%b}]" % (b"{}," * senml.MAX_RECORDS, b'"n":"%b"' % nonce)),
        batch.DEFLATE,
    ),
}


class Round(msgspec.Struct, frozen=True):
    """What one round took: seconds on the wall, seconds of all processors."""

    wall_s: float
    cpu_s: float


class Ratio(msgspec.Struct, frozen=True):
    """Clean over poisoned: of the rounds, as `_ratio` was told to take them, and of each pair."""

    rounds: float
    pairs: list[float]

    def __str__(self) -> str:
        return f"{self.rounds:.2f} | {min(self.pairs):.2f}–{max(self.pairs):.2f}"


class Result(msgspec.Struct, frozen=True):
    """All rounds: how they compare, and what was sent, stored and set aside, by fault."""

    wall: Ratio
    cpu: Ratio
    good_per_s: float  # of the best poisoned round
    good: int
    stored: int
    bad: Counter[str]
    quarantined: Counter[str]
    innocent: int  # readings in the quarantine that have no fault

    def __str__(self) -> str:
        counts = f"{self.stored} of {self.good} | {self.quarantined.total()} of {self.bad.total()} | {self.innocent}"
        return f"{self.wall} | {self.cpu} | {self.good_per_s:.0f} | {counts}"


def rows() -> Iterator[str]:
    """The table; a line in its place where a program is missing."""
    try:
        yield from _rows()
    except pytest.skip.Exception as cause:
        yield f"bad readings beside good ones: not measured, {cause}"


def _rows() -> Iterator[str]:
    yield "| bad ones | good ones' throughput | range | by processor time | range | good ones/s | stored | set aside | wrongly |"
    yield "|---|---|---|---|---|---|---|---|---|"
    yield f"| one kind in a batch | {measure(PAIRS, BATCHES, is_mixed=False)} |"
    yield f"| every kind in each batch | {measure(PAIRS, BATCHES, is_mixed=True)} |"


def _ratio(clean: list[float], poisoned: list[float], of: Callable[[list[float]], float]) -> Ratio:
    return Ratio(of(clean) / of(poisoned), [one / other for one, other in zip(clean, poisoned, strict=True)])


def measure(pairs: int, batches: int, is_mixed: bool) -> Result:
    """Send so many pairs of rounds, after one to warm up, and look into store and quarantine afterwards."""
    took: dict[bool, list[Round]] = {False: [], True: []}
    sent: Counter[str] = Counter()
    with TemporaryDirectory() as name, laboratory(Path(name)) as lab:
        for number in range(2 * pairs + 2):
            is_poisoned = number % 4 in (1, 2)  # clean, poisoned, poisoned, clean: what drifts drifts for both
            messages, bad = messages_of(number, batches, is_poisoned, is_mixed)
            took[is_poisoned].append(lab.send(messages))
            sent += bad
        stored = lab.stored()
        quarantined, innocent = lab.quarantined()
    clean, poisoned = took[False][1:], took[True][1:]
    return Result(
        wall=_ratio([one.wall_s for one in clean], [one.wall_s for one in poisoned], min),
        cpu=_ratio([one.cpu_s for one in clean], [one.cpu_s for one in poisoned], sum),
        good_per_s=batches * GOOD / min(one.wall_s for one in poisoned),
        good=(2 * pairs + 2) * batches * GOOD,
        stored=stored,
        bad=sent,
        quarantined=quarantined,
        innocent=innocent,
    )


class Laboratory:
    """Broker, store and ingest, and a session that sends for all gateways."""

    def __init__(self, session: Session, influxd: Influxd, folder: Path) -> None:
        self._session = session
        self._influxd = influxd
        self._folder = folder
        self._waiting: Counter[str] = Counter()  # batches without a receipt, by the topic of theirs

    def send(self, messages: Sequence[Message]) -> Round:
        """Send all, and return when each has its receipt."""
        cpu_s, start_s = _cpu_s(), time.monotonic()
        for message in messages:
            while self._waiting[message.response_topic] >= batch.WINDOW:
                self._listen()
            self._session.publish(message)
            self._waiting[message.response_topic] += 1
        while self._waiting.total():
            self._listen()
        return Round(time.monotonic() - start_s, _cpu_s() - cpu_s)

    def stored(self) -> int:
        """Points in the database, without what ingest says of itself."""
        return sum(int(str(row[1])) for row in self._influxd.select(BUCKET, "SELECT count(value) FROM /.*/ WHERE site != 'ingest'"))

    def quarantined(self) -> tuple[Counter[str], int]:
        """How much of each fault lies in the quarantine, and how many readings in it have none."""
        checks, found, innocent = Checks(load_city(self._folder / "city.toml")), Counter[str](), 0
        now_ms = time.time_ns() // 1_000_000
        with closing(Quarantine(self._folder / "quarantine.db")) as quarantine:
            for row in quarantine.rows():
                if row.fault == Fault.NOT_A_PACK:
                    found[row.fault] += row.times
                    continue
                pack = senml.decode(quarantine.pack(row.id) or b"")
                found[Fault.NOT_A_READING] += row.times * len(pack.bad)
                complaints = [checks.complaint(row.gateway, reading, now_ms) for reading in pack.readings]
                found.update(one.fault.value for one in complaints if one is not None for _ in range(row.times))
                innocent += complaints.count(None)
        return found, innocent

    def _listen(self) -> None:
        event = self._session.event(PATIENCE_S)
        if event is None or isinstance(event, Lost):
            raise TimeoutError(f"{self._waiting.total()} messages have no receipt: {event}")
        if isinstance(event, Received):
            self._session.acknowledge(event)
            self._waiting[event.message.topic] -= 1


@contextmanager
def laboratory(folder: Path) -> Iterator[Laboratory]:
    """All of it running in `folder`, with a city of its own."""
    city, influxd, mosquitto, http_port = folder / "city.toml", Influxd(folder), Mosquitto(folder), free_port()
    city.write_text('name = "Kleinstadt"\n' + "".join(YARD.format(n=n) for n in range(GATEWAYS)))
    try:
        influxd.start()
        influxd.set_up()
        influxd.bucket(BUCKET)
        mosquitto.start()
        config = write_ingest(folder, mosquitto.config, f"influx+{influxd.url}/{BUCKET}?org={ORG}", influxd.token, http_port)
        config.write_text(config.read_text().replace(str(CITY), str(city)))
        with Role(folder, "ingest", config), Session(mosquitto.config, "gateways", [topics.receipts("+")]) as session:
            wait_until_listening(http_port)
            if not eventually(lambda: is_well(http_port)) or not isinstance(session.event(PATIENCE_S), Connected):
                raise TimeoutError("ingest does not become well")
            yield Laboratory(session, influxd, folder)
    finally:
        mosquitto.stop()
        influxd.stop()


def _cpu_s() -> float:
    """Processor time of all that we started: broker, ingest and database."""
    children = Path(f"/proc/{os.getpid()}/task/{threading.main_thread().native_id}/children").read_text().split()
    return sum(cpu_s(int(child)) for child in children)


def is_well(http_port: int) -> bool:
    """Whether a role says so of itself."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{http_port}/healthz", timeout=PATIENCE_S).close()
    except urllib.error.HTTPError as answer:
        answer.close()
        return False
    return True


def messages_of(number: int, batches: int, is_poisoned: bool, is_mixed: bool) -> tuple[list[Message], Counter[str]]:
    """The messages of a round, and the faults in them; no two rounds share a point."""
    messages: list[Message] = []
    bad: Counter[str] = Counter()
    kinds = itertools.cycle(POINTS.values())
    nonsense = itertools.cycle(MESSAGES.values())
    for n in range(batches):
        good = _good(n % GATEWAYS, START_MS + (number * batches + n) * GOOD)
        payload = senml.encode(good)
        if is_poisoned:
            chosen = list(itertools.islice(kinds, BAD)) if is_mixed else [next(kinds)] * BAD
            payload = payload[:-1] + b"," + _spoilt(chosen, good)[1:]
            bad.update(kind.fault.value for kind in chosen)
        messages.append(_message(n % GATEWAYS, zlib.compress(payload), batch.DEFLATE))
        if is_poisoned and n % NONSENSE_EVERY == NONSENSE_EVERY - 1:
            messages.append(_message(n % GATEWAYS, *next(nonsense)(b"%d-%d" % (number, n))))
            bad[Fault.NOT_A_PACK.value] += 1
    return messages, bad


def _good(gateway: int, first_ms: int) -> list[Reading]:
    sensors = ("gate-in", "gate-out", "lane-in")
    return [Reading(f"hof-{gateway}", sensors[n % 3], "passage", first_ms + n, 1.0) for n in range(GOOD)]


def _spoilt(kinds: Sequence[Kind], good: Sequence[Reading]) -> bytes:
    """So many of `good` gone bad, written as a gateway writes them, after those of a whole batch: as if from a sensor gone mad."""
    bad = sorted(((kind.spoil(one), kind.patch) for kind, one in zip(kinds, good, strict=False)), key=lambda one: _order(one[0]))
    records = msgspec.json.decode(senml.encode([reading for reading, _ in bad]))
    patched = [record | patch for record, (_, patch) in zip(records, bad, strict=True)]
    return json.dumps(patched, separators=(",", ":")).encode()


def _order(reading: Reading) -> tuple[str, str, int]:
    """That of `senml.encode`."""
    return reading.site, reading.sensor, reading.at_ms


def _message(gateway: int, payload: bytes, encoding: str) -> Message:
    name = f"gw-{gateway}"
    return Message(
        topic=topics.readings(name), payload=payload, encoding=encoding, response_topic=topics.receipts(name), correlation=b"1"
    )


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
