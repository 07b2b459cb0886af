"""The desk where batches are opened, settled and answered; the order of its steps is the promise that nothing is lost.

store has it, quarantine has the rest → receipt → PUBACK. A crash at any arrow means that the gateway sends the batch again,
which changes nothing: the same reading is the same point, the same pack is kept once.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from hoflicht import batch, topics
from hoflicht.broker import Message, Received
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload, Refused, Unavailable
from hoflicht.reading import Reading
from ingest.checks import Checks, Fault
from ingest.health import BATCHES, GROUPS, QUARANTINED, STORED, STORED_LATE, WRITE_S, Health
from ingest.quarantine import Held, Quarantine
from ingest.verdict import Faulty, judge, refused
from store.answers import Rejected
from store.lines import lines, readings_of
from store.readings import Store

FIRST_DELAY_S = 0.2  # before the second try; doubles up to
LONGEST_DELAY_S = 10.0
LATE_MS = 5 * 60_000  # longer than any average, pause or repeat of a gateway that is well


class Delivery(NamedTuple):
    """A message, from whom it came, and what of it may be stored: as lines, for a group of readings would fit into no cache."""

    received: Received
    gateway: str
    lines: bytes
    readings: int
    late: int  # of these, when it was opened
    opened_ms: int
    faulty: Faulty | None
    receipt: Message | None  # where any of it is stored; None where the answer would go to somebody else


class Settled(NamedTuple):
    """A message that is done with, and the answer to it, if it may have one."""

    received: Received
    receipt: Message | None


class Desk:
    """Takes deliveries in and settles them with store and quarantine."""

    def __init__(self, checks: Checks, store: Store, quarantine: Quarantine, clock: Clock, health: Health) -> None:
        self._checks = checks
        self._store = store
        self._quarantine = quarantine
        self._clock = clock
        self._health = health
        # Beside the write to the store: so that bad readings do not keep the good ones waiting for another disk.
        self._beside = ThreadPoolExecutor(1, "quarantine")
        self._aside: tuple[Sequence[Delivery], Future[None]] | None = None

    def opened(self, received: Received) -> Delivery:
        """Read a message; the gateway is the one of its topic, whatever stands inside."""
        message = received.message
        gateway = topics.gateway_of(message.topic) or repr(message.topic[:200])
        payload, now_ms = message.payload, self._clock.now_ms()
        try:
            payload = batch.unwrap(message)
            good, faulty = judge(self._checks, gateway, payload, now_ms)
        except BadPayload as cause:
            good, faulty = [], Faulty((Fault.NOT_A_PACK,), (str(cause),), payload)
        late = _late(good, now_ms)
        receipt = batch.stored(message)
        is_own = receipt.topic in (topics.answers(gateway), topics.receipts(gateway))
        return Delivery(received, gateway, lines(good), len(good), late, now_ms, faulty, receipt if is_own else None)

    def settle(
        self, deliveries: Sequence[Delivery], stopping: threading.Event, patience_ms: int | None = None
    ) -> list[Settled] | None:
        """Store what is good and set the rest aside, both on disk when this returns; None where that did not succeed.

        It is tried again until `patience_ms` are over (None: for ever) or `stopping` is set. Without deliveries it is a question
        to the store whether it would take any.
        """
        started_ms = self._clock.monotonic_ms()
        delay_s = FIRST_DELAY_S
        while not stopping.is_set():
            try:
                settled = self._settle(deliveries)
            except (Unavailable, Refused) as cause:
                self._health.store_is_away(cause)
            else:
                self._health.store_is_back()
                return settled
            if patience_ms is not None and self._clock.monotonic_ms() - started_ms >= patience_ms:
                return None
            stopping.wait(delay_s)
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)
        return None

    def _settle(self, deliveries: Sequence[Delivery]) -> list[Settled]:
        aside = self._setting_aside(deliveries)
        rejected = self._write(deliveries)
        late = [refused(own) for own in rejected]
        aside.result()
        self._hold(deliveries, late)
        faulty = [one.faulty or own for one, own in zip(deliveries, late, strict=True)]
        self._aside = None
        counts = [delivery.readings - len(own) for delivery, own in zip(deliveries, rejected, strict=True)]
        STORED.inc(sum(counts))
        late_rejected = [
            _late([one.reading for one in own], by.opened_ms) for by, own in zip(deliveries, rejected, strict=True) if own
        ]
        STORED_LATE.inc(sum([one.late for one in deliveries]) - sum(late_rejected))
        return _answered(deliveries, counts, faulty)

    def _setting_aside(self, deliveries: Sequence[Delivery]) -> Future[None]:
        """Once for a group, however often its write is tried: the quarantine counts how often a pack came."""
        if self._aside is None or self._aside[0] is not deliveries or self._aside[1].exception() is not None:
            self._aside = deliveries, self._beside.submit(self._hold, deliveries, [one.faulty for one in deliveries])
        return self._aside[1]

    def _hold(self, deliveries: Sequence[Delivery], faulty: Sequence[Faulty | None]) -> None:
        held = [Held(delivery.gateway, one) for delivery, one in zip(deliveries, faulty, strict=True) if one is not None]
        self._quarantine.add(held, self._clock.now_ms())
        for fault, count in Counter(fault for one in held for fault in one.faulty.faults).items():
            QUARANTINED.labels(fault).inc(count)

    def _write(self, deliveries: Sequence[Delivery]) -> list[list[Rejected]]:
        """One write for all; what the store hands back, by delivery."""
        with WRITE_S.time():
            rejected = self._store.write_lines([delivery.lines for delivery in deliveries])
        GROUPS.inc(1 if deliveries else 0)
        reasons = {one.reading: one for one in rejected}
        if not reasons:
            return [[] for _ in deliveries]
        return [[reasons[one] for one in readings_of(delivery.lines) if one in reasons] for delivery in deliveries]


def _late(readings: Sequence[Reading], now_ms: int) -> int:
    late_ms = now_ms - LATE_MS
    return sum([one.at_ms < late_ms for one in readings])


def _answered(deliveries: Sequence[Delivery], stored: Sequence[int], faulty: Sequence[Faulty | None]) -> list[Settled]:
    settled = [Settled(one.received, _receipt(one, n, bad)) for one, n, bad in zip(deliveries, stored, faulty, strict=True)]
    unanswered = [one.receipt for one in settled].count(None)
    turned_down = sum([one.receipt is not other.receipt for one, other in zip(settled, deliveries, strict=True)])
    for receipt, number in (("none", unanswered), ("refused", turned_down), ("stored", len(settled) - unanswered - turned_down)):
        BATCHES.labels(receipt).inc(number)
    return settled


def _receipt(delivery: Delivery, stored: int, faulty: Faulty | None) -> Message | None:
    """`stored` where anything was, for the rest lies in our quarantine."""
    if stored or faulty is None or delivery.receipt is None:
        return delivery.receipt
    return batch.refused(delivery.received.message, "; ".join(faulty.reasons))
