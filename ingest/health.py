"""What a person or a monitoring system sees of ingest: counters, /healthz, and one log line at each end of an outage."""

import logging
import threading

from prometheus_client import Counter, Gauge, Histogram

from hoflicht.clock import Clock
from hoflicht.errors import Refused, Unavailable
from hoflicht.instants import moment
from ingest.checks import Fault

log = logging.getLogger(__name__)

STORED = Counter("hoflicht_ingest_readings_stored", "Readings that the store has taken")
STORED_LATE = Counter(
    "hoflicht_ingest_readings_stored_late", "Readings that the store has taken and that were older than five minutes"
)
BATCHES = Counter("hoflicht_ingest_batches", "Batches that are settled, by receipt: stored, refused, none", ["receipt"])
QUARANTINED = Counter("hoflicht_ingest_quarantined", "Packs that were set aside, by fault", ["fault"])
GROUPS = Counter("hoflicht_ingest_groups", "Writes to the store; each carries the readings of one or more batches")
STORE_ERRORS = Counter("hoflicht_ingest_store_errors", "Writes that the store did not take; each is tried again")
WRITE_S = Histogram("hoflicht_ingest_store_write_seconds", "Time that the store takes for a group")
BROKER_CONNECTED = Gauge("hoflicht_ingest_broker_connected", "1 while batches can arrive")
STORE_UP = Gauge("hoflicht_ingest_store_up", "1 while the store takes writes")
for _receipt in ("stored", "refused", "none"):  # from 0 on: where the first one begins the series, nobody sees it rise
    BATCHES.labels(_receipt)
for _fault in Fault:
    QUARANTINED.labels(_fault)


class Health:
    """Who of the neighbours is away, why and since when; `remedy` says what a person does when the store refuses us.

    The service writes, the web server's threads read.
    """

    def __init__(self, clock: Clock, remedy: str) -> None:
        self._clock = clock
        self._remedy = remedy
        self._lock = threading.Lock()
        self._away: dict[str, tuple[int, str]] = {"broker": (clock.now_ms(), "not connected yet")}
        BROKER_CONNECTED.set(0)
        STORE_UP.set(0)

    def store_is_away(self, cause: Unavailable | Refused) -> None:
        """Note that a write failed; tell it once for each outage."""
        STORE_UP.set(0)
        STORE_ERRORS.inc()
        with self._lock:
            is_new = "store" not in self._away
            since_ms, _ = self._away.get("store", (self._clock.now_ms(), ""))
            self._away["store"] = (since_ms, str(cause))
        if is_new and isinstance(cause, Refused):
            log.error("the store refuses us: %s; %s; the gateways keep their readings until then", cause, self._remedy)
        elif is_new:
            log.warning("the store is away: %s; the gateways keep their readings until it is back", cause)

    def store_is_back(self) -> None:
        """Note that a write went well."""
        STORE_UP.set(1)
        with self._lock:
            since_ms, _ = self._away.pop("store", (0, ""))
        if since_ms:
            log.warning("the store takes readings again, after %d s", (self._clock.now_ms() - since_ms) // 1000)

    def broker_is_away(self, reason: str) -> None:
        """Note that no batch can arrive; the session logs its own outages."""
        BROKER_CONNECTED.set(0)
        with self._lock:
            self._away.setdefault("broker", (self._clock.now_ms(), reason))

    def broker_is_back(self) -> None:
        """Note that batches can arrive."""
        BROKER_CONNECTED.set(1)
        with self._lock:
            self._away.pop("broker", None)

    def report(self) -> dict[str, object]:
        """The answer of /healthz: `ok`, and for each neighbour that is away the reason and since when."""
        with self._lock:
            away = dict(self._away)
        answer: dict[str, object] = {"ok": not away}
        for name, (since_ms, reason) in away.items():
            answer[name] = f"away since {_stamp(since_ms)}: {reason}"
        return answer


def _stamp(at_ms: int) -> str:
    return moment(at_ms).isoformat(timespec="seconds")
