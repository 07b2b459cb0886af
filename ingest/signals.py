"""What ingest says about itself: its counters and its quarantine, each minute, as readings of a site of its own.

It writes them to the store itself, on a thread beside the work, and never in its way: what the store does not take is dropped.
So there are none of an outage of the store; that they are missing says it.
"""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from hoflicht import __version__, version
from hoflicht.catalogue import API, City
from hoflicht.clock import Clock
from hoflicht.errors import BadConfig, Refused, Unavailable
from hoflicht.reading import Reading, is_id
from ingest.health import BATCHES, QUARANTINED, STORE_ERRORS, STORED, STORED_LATE, WRITE_S
from ingest.quarantine import DROPPED, Quarantine
from store.readings import Store

SENSOR = "worker"  # of what is said of the whole worker; batches and packs have their receipt and fault there
EVERY_S = 60.0  # as the gateways' health
END_S = 5.0  # for a write that is under way; a store that hangs must not keep a process that wants to end
COUNTED: dict[str, Counter] = {
    "stored": STORED,
    "stored_late": STORED_LATE,
    "store_errors": STORE_ERRORS,
    "quarantine_dropped": DROPPED,
    "batches": BATCHES,
    "set_aside": QUARANTINED,
}


class Signals:
    """Belongs to one thread; `site` is the worker's client_id."""

    def __init__(self, site: str, store: Store, quarantine: Quarantine, clock: Clock) -> None:
        self._site = site
        self._store = store
        self._quarantine = quarantine
        self._clock = clock
        self._started_ms = clock.monotonic_ms()
        self._writes: tuple[float, float] = _writes()

    def tell(self) -> None:
        """Write all of it into the store, if that takes it."""
        with contextlib.suppress(Unavailable, Refused):
            self._store.write(self.readings())

    def readings(self) -> list[Reading]:
        """All of it, as it is now."""
        at_ms = self._clock.now_ms()
        own = [Reading(self._site, SENSOR, quantity, at_ms, float(value)) for quantity, value in self._values()]
        counted = [
            Reading(self._site, next(iter(labels.values()), SENSOR), quantity, at_ms, value)
            for quantity, counter in COUNTED.items()
            for labels, value in _samples(counter, "_total")
        ]
        return own + counted

    def _values(self) -> Iterator[tuple[str, float]]:
        yield "uptime", (self._clock.monotonic_ms() - self._started_ms) / 1000
        yield "version", version.number(__version__)
        packs, size = self._quarantine.room()
        yield "quarantine_packs", packs
        yield "quarantine_bytes", size
        (count, seconds), (count_before, seconds_before) = _writes(), self._writes
        self._writes = count, seconds
        if count > count_before:
            yield "write_latency", (seconds - seconds_before) / (count - count_before)


def own_site(client_id: str, city: City) -> str:
    """The site of a worker's own readings; raise BadConfig where `client_id` cannot name one, or names something else."""
    if not is_id(client_id):
        raise BadConfig(f"client_id = {client_id!r}: lower case letters, digits, hyphens and underscores, at most 63")
    if client_id in {API, *city.yards, *city.lamps, *city.cabinets, *city.gateways}:
        raise BadConfig(f"client_id = {client_id!r}: the catalogue has something else of that name; choose another, as in ingest-2")
    return client_id


@contextmanager
def telling(signals: Signals, stopping: threading.Event, every_s: float = EVERY_S) -> Iterator[None]:
    """Tell each `every_s` and at the end, beside the block, which ends once `stopping` is set."""

    def work() -> None:
        ends = False
        while not ends:
            ends = stopping.wait(every_s)
            signals.tell()

    thread = threading.Thread(target=work, name="signals", daemon=True)
    thread.start()
    yield
    thread.join(END_S)


def _writes() -> tuple[float, float]:
    """How many there were, and how long they took together."""
    ((_, count),), ((_, seconds),) = _samples(WRITE_S, "_count"), _samples(WRITE_S, "_sum")
    return count, seconds


def _samples(metric: MetricWrapperBase, suffix: str) -> list[tuple[dict[str, str], float]]:
    return [(one.labels, one.value) for family in metric.collect() for one in family.samples if one.name.endswith(suffix)]
