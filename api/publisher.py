"""Every ten seconds each yard's wait goes out: to the open streams and, where it says something new, retained to the signs.

Whatever else the api has to say to the broker goes the same way in between: staff's errands, and what lamps shall do.
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from prometheus_client import Counter, Gauge

from api.errands import Errands
from api.hindsight import Findings
from api.light.shadows import Shadows
from api.yards import Yards
from hoflicht import topics, wait
from hoflicht.batch import batch
from hoflicht.broker import Confirmed, Connected, Event, Lost, Message, Received
from hoflicht.catalogue import API, ESTIMATE
from hoflicht.clock import Clock
from hoflicht.errors import Unavailable
from hoflicht.instants import ms
from hoflicht.reading import Reading
from hoflicht.wait import STATE_CODES, STEPS_MIN, TRUST_CODES, State, Wait, is_rough, may_be_late, number

log = logging.getLogger(__name__)

INTERVAL_S = 10.0
GLANCE_S = 0.5  # a stop is noticed so soon
EXPIRY_S = 60  # then the broker forgets the number; a sign without one says so
AGAIN_MS = 20_000  # what a sign shows already: one may get lost, and half of a sign's mobile data is saved
KEPT_EVERY_MS = 60_000  # estimates written back, besides every change of state
REFUSED_FROM = 0x80  # MQTT 5 §2.4: reason codes from here on are failures

published = Counter("hoflicht_api_waits_published", "Waits handed to the broker")
unpublished = Counter("hoflicht_api_waits_unpublished", "Waits that no broker took")
shown = Gauge("hoflicht_api_wait_p50_seconds", "The median wait as published; NaN where there is none", ["yard"])

Tell = Callable[[Mapping[str, Wait]], None]


class Publishing(Protocol):
    """What is needed of a `hoflicht.broker.Session`."""

    def publish(self, message: Message) -> int: ...

    def event(self, timeout_s: float) -> Event | None: ...

    def acknowledge(self, received: Received) -> None: ...


def run(
    yards: Yards,
    session: Publishing | None,
    tell: Tell,
    findings: Findings,
    errands: Errands,
    clock: Clock,
    stopping: threading.Event,
    shadows: Shadows | None = None,
) -> None:
    """Publish over `session`, if there is one, and `tell` the same waits to this process, until `stopping`.

    What hindsight puts into `findings` goes into the store the same way, and so do `errands`, at once; the session must have
    subscribed to their receipts. `shadows` are told to the gateways, who report to topics.ALL_LIGHT.
    """
    publisher = Publisher(session, errands, clock, shadows) if session is not None else None
    while not stopping.is_set():
        waits = yards.waits()
        tell(waits)
        for name, each in waits.items():
            shown.labels(name).set(float("nan") if each.p50_s is None else each.p50_s)
        if publisher is not None:
            publisher.publish(waits)
            publisher.keep(findings)
            publisher.rest(stopping)
        else:
            stopping.wait(INTERVAL_S)


class Publisher:
    """The way to the broker, and what has already gone it."""

    def __init__(self, session: Publishing, errands: Errands, clock: Clock, shadows: Shadows | None = None) -> None:
        self._session = session
        self._errands = errands
        self._shadows = shadows
        self._clock = clock
        self._told: dict[str, tuple[object, int]] = {}  # what each yard's sign shows, and when that was said
        self._kept_ms: int | None = None
        self._kept_states: dict[str, State] = {}
        self._is_refused = False

    def publish(self, waits: Mapping[str, Wait]) -> None:
        """Send what is due of `waits`; while the broker is away they are only counted, for the session tells the log."""
        now_ms = self._clock.monotonic_ms()
        try:
            for each in waits.values():
                if self._is_due(each, now_ms):
                    self._session.publish(_message(each))
                    self._told[each.yard] = _face(each), now_ms
                    published.inc()
            self._keep(waits)
        except Unavailable:
            unpublished.inc(len(waits))

    def keep(self, findings: Findings) -> None:
        """Write `findings` into the store; what is lost on the way comes again within the hour."""
        with contextlib.suppress(queue.Empty, Unavailable):
            while True:
                self._write_back(findings.get_nowait())

    def rest(self, stopping: threading.Event) -> None:
        """Run errands until the next round; a new connection begins it at once, for that broker may have forgotten everything."""
        end_ms = self._clock.monotonic_ms() + round(INTERVAL_S * 1000)
        while not stopping.is_set() and self._clock.monotonic_ms() < end_ms:
            self._errands.send(self._session.publish, self._clock.now_ms())
            if self._shadows is not None:
                self._shadows.send(self._session.publish, self._clock.now_ms())
            event = self._session.event(GLANCE_S)
            if isinstance(event, Connected):
                self._told.clear()
                return
            if isinstance(event, Lost) and self._shadows is not None:
                self._shadows.forget()
            if isinstance(event, Confirmed):
                self._heed(event)
            if isinstance(event, Received):
                self._session.acknowledge(event)
                self._settle(event.message)

    def _is_due(self, each: Wait, now_ms: int) -> bool:
        face, told_ms = self._told.get(each.yard, (None, 0))
        return face != _face(each) or now_ms - told_ms >= AGAIN_MS

    def _settle(self, message: Message) -> None:
        if message.topic == topics.answers(API):
            self._errands.settle(message)
        elif self._shadows is not None:
            self._shadows.settle(message)

    def _heed(self, confirmed: Confirmed) -> None:
        refused = confirmed.code >= REFUSED_FROM
        if refused and not self._is_refused:
            log.error("the broker refuses what the api publishes (reason 0x%02x); check its access list", confirmed.code)
        self._is_refused = refused

    def _keep(self, waits: Mapping[str, Wait]) -> None:
        """Write the estimates back, so that boards and reports see what the public saw."""
        states = {name: each.state for name, each in waits.items()}
        now_ms = self._clock.monotonic_ms()
        is_due = self._kept_ms is None or now_ms - self._kept_ms >= KEPT_EVERY_MS
        if waits and (is_due or states != self._kept_states):
            kept = [reading for each in waits.values() for reading in readings(each)]
            self._write_back(kept)
            self._kept_ms, self._kept_states = now_ms, states

    def _write_back(self, kept: Sequence[Reading]) -> None:
        self._session.publish(batch(API, b"%d" % self._clock.now_ms(), kept))


def readings(each: Wait) -> Sequence[Reading]:
    """A wait as readings of its yard's `estimate` sensor; what is not known is left out."""
    at_ms = ms(each.as_of)
    values = {
        "wait_state": STATE_CODES[each.state],
        "wait_p10": each.p10_s,
        "wait_p50": each.p50_s,
        "wait_p90": each.p90_s,
        "wait_mean": each.mean_s,
        "wait_shown": _shown_min(each),
        "wait_trust": None if each.trust is None else TRUST_CODES[each.trust],
        "queue_length": each.queue,
        "queue_p10": each.queue_p10,
        "queue_p90": each.queue_p90,
        "arrival_margin": None if each.latest_arrival is None else (each.latest_arrival - each.as_of).total_seconds(),
    }
    return [Reading(each.yard, ESTIMATE, name, at_ms, float(value)) for name, value in values.items() if value is not None]


def _shown_min(each: Wait) -> int | None:
    """The step on the faces, 61 for more than the last; a bound that the sensors prove is none, for it says nothing above it."""
    shown = number(each)
    if shown is None or each.more_than_s is not None:
        return None
    return STEPS_MIN[-1] + 1 if shown.is_more else shown.minutes


def _face(each: Wait) -> object:
    """What no sign may show late. The latest arrival moves by seconds all the time and can wait."""
    return each.state, number(each), is_rough(each), may_be_late(each), each.reason


def _message(each: Wait) -> Message:
    return Message(
        topic=topics.wait(each.yard),
        payload=wait.encode(each),
        retain=True,
        content_type="application/json",
        expiry_s=EXPIRY_S,
    )
