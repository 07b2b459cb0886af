"""From the spool to ingest and back: batches out, receipts in, one table of states.

Live readings go first, so that after an outage the sign is right again in seconds: live is what was appended during the last
seconds, whatever its time stamps say. What is older is backlog, goes oldest first, and has at most half of the window.

A batch is done with when its receipt is there, never before. Sending it twice does no harm: a reading is a point.
"""

import enum
import logging
import random
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from edge.flights import SHORTEST_SILENCE_MS, Flight, Flights
from edge.rows import Range
from edge.spool import LAST, Batch, Spool
from hoflicht import batch as batches
from hoflicht import topics
from hoflicht.broker import NO_MATCHING_SUBSCRIBERS, Confirmed, Connected, Event, Lost, Message, Received
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload, Unavailable
from hoflicht.stop import Stopping

log = logging.getLogger(__name__)

BACKLOG_WINDOW = batches.WINDOW // 2
POLL_S = 0.2  # how long a new row may go unnoticed
LIVE_MS = 10_000  # what was appended within that is live
MARK_EVERY_MS = 1_000
LIVE_EVERY_MS = 500  # between two live batches that are not full
FIRST_HOLD_MS = 5_000  # before asking again whether somebody listens; doubles up to
LONGEST_HOLD_MS = 15_000
PROBE_READINGS = 20  # in the batch that asks: half a kilobyte, so that asking four times a minute costs less than one whole batch
REFUSED_BY_BROKER = 0x80  # MQTT 5 §2.4: reason codes from here on are failures

Birth = Callable[[], Message]
Deliver = Mapping[str, Callable[[Message], None]]  # by topic


class State(enum.StrEnum):
    """Where the uplink stands."""

    OFFLINE = "offline"  # no connection to the broker
    FLOWING = "flowing"  # a window of batches under way
    HOLDING = "holding"  # connected, but nobody takes batches: wait
    PROBING = "probing"  # one batch under way, to see whether somebody does again


class Happening(enum.StrEnum):
    """What moves it."""

    CONNECTED = "connected"
    LOST = "lost"
    RECEIPT = "receipt"  # ingest has answered
    UNHEARD = "unheard"  # the broker found nobody to give the batch to, or did not take it, or no receipt came at all
    WAITED = "waited"  # long enough


NEXT = {
    (State.OFFLINE, Happening.CONNECTED): State.FLOWING,
    (State.OFFLINE, Happening.RECEIPT): State.OFFLINE,  # MQTT 5 §3.8.4: it may come before the broker takes our subscription
    (State.FLOWING, Happening.RECEIPT): State.FLOWING,
    (State.FLOWING, Happening.UNHEARD): State.HOLDING,
    (State.HOLDING, Happening.RECEIPT): State.FLOWING,  # late, but somebody is there
    (State.HOLDING, Happening.WAITED): State.PROBING,
    (State.PROBING, Happening.UNHEARD): State.HOLDING,
    (State.PROBING, Happening.RECEIPT): State.FLOWING,
    **{(state, Happening.LOST): State.OFFLINE for state in (State.FLOWING, State.HOLDING, State.PROBING)},
    # A connection that broke while it was being made says nothing before the next one.
    **{(state, Happening.CONNECTED): State.FLOWING for state in (State.FLOWING, State.HOLDING, State.PROBING)},
}
UNDER_WAY = {State.OFFLINE: 0, State.FLOWING: batches.WINDOW, State.HOLDING: 0, State.PROBING: 1}


class Link(Protocol):
    """What the uplink needs of a Session."""

    def publish(self, message: Message) -> int: ...
    def event(self, timeout_s: float) -> Event | None: ...
    def acknowledge(self, received: Received) -> None: ...


class Status(msgspec.Struct):
    """What others may know of the uplink. The uplink writes, health reads."""

    state: State = State.OFFLINE
    trouble: str = ""  # why nobody takes batches
    latency_ms: int | None = None  # from publishing a batch to its receipt, the last one
    batches: int = 0
    receipts: int = 0
    refused: int = 0
    repeated: int = 0


def run(
    session: Link,
    spool: Spool,
    gateway: str,
    birth: Birth,
    deliver: Deliver,
    *,
    status: Status,
    clock: Clock,
    stopping: Stopping,
) -> None:
    """Send what is in the spool until `stopping`; publish `birth()` at every connection, hand other topics to `deliver`."""
    uplink = Uplink(session, spool, gateway, birth, deliver, status=status, clock=clock)
    while not stopping.is_set():
        event = session.event(POLL_S)
        if event is not None:
            uplink.handle(event)
        uplink.go_on()


class Uplink:
    """The loop's memory: what is under way, and what happens next."""

    def __init__(
        self, session: Link, spool: Spool, gateway: str, birth: Birth, deliver: Deliver, *, status: Status, clock: Clock
    ) -> None:
        self._session = session
        self._spool = spool
        self._gateway = gateway
        self._birth = birth
        self._deliver = deliver
        self._status = status
        self._clock = clock
        self._birth_token: int | None = None
        self._flights = Flights()
        self._marks: deque[tuple[int, int]] = deque()  # when, and the newest row then
        self._hold_ms = FIRST_HOLD_MS
        self._held_until_ms = self._live_sent_ms = 0

    def handle(self, event: Event) -> None:
        """Take what the session says."""
        match event:
            case Connected():
                self._flights.forget()
                self._happens(Happening.CONNECTED)
                self._birth_token = self._publish(self._birth())
            case Lost():
                self._flights.forget()  # arrived or not, nobody knows: it goes again
                self._happens(Happening.LOST)
            case Confirmed(token, code):
                self._confirmed(token, code)
            case Received(message):
                if message.topic == topics.answers(self._gateway):
                    self._receipt(message)
                elif message.topic in self._deliver:
                    self._deliver[message.topic](message)
                self._session.acknowledge(event)

    def go_on(self) -> None:
        """Do what is due by now: repeat what is overdue, fill the window."""
        now_ms = self._clock.monotonic_ms()
        self._mark(now_ms)
        if self._status.state is State.HOLDING and now_ms >= self._held_until_ms:
            self._happens(Happening.WAITED)
        self._repeat_overdue(now_ms)
        while len(self._flights) < UNDER_WAY[self._status.state] and self._send_next(now_ms):
            pass

    def _happens(self, happening: Happening) -> None:
        self._status.state = NEXT[self._status.state, happening]
        log.debug("uplink: %s, now %s", happening, self._status.state)

    def _mark(self, now_ms: int) -> None:
        if not self._marks or now_ms - self._marks[-1][0] >= MARK_EVERY_MS:
            self._marks.append((now_ms, self._spool.last_id()))
        while now_ms - self._marks[0][0] > LIVE_MS:
            self._marks.popleft()

    def _send_next(self, now_ms: int) -> bool:
        border = self._marks[0][1]
        most = PROBE_READINGS if self._status.state is State.PROBING else batches.MAX_READINGS
        live = self._spool.batch(border + 1, LAST, most, self._flights.rows())
        is_worth_it = live is not None and (len(live.readings) == most or now_ms - self._live_sent_ms >= LIVE_EVERY_MS)
        if live is not None and is_worth_it:
            self._live_sent_ms = now_ms
            return self._send(live, is_live=True, tries=1)
        if self._flights.of_backlog() >= BACKLOG_WINDOW:
            return False
        old = self._spool.batch(1, border, most, self._flights.rows())
        return old is not None and self._send(old, is_live=False, tries=1)

    def _send(self, batch: Batch, is_live: bool, tries: int) -> bool:
        token = self._publish(batches.batch(self._gateway, self._spool.name(batch.range), batch.readings))
        if token is None:
            return False
        self._flights.add(Flight(batch.range, token, self._clock.monotonic_ms(), is_live, tries))
        self._status.batches += 1
        return True

    def _publish(self, message: Message) -> int | None:
        try:
            return self._session.publish(message)
        except Unavailable as cause:  # Lost is on its way to us, or the next Connected
            log.debug("not published: %s", cause)
            return None

    def _repeat_overdue(self, now_ms: int) -> None:
        patience_ms = SHORTEST_SILENCE_MS if self._status.state is State.PROBING else self._flights.patience_ms
        if self._flights.silence_ms(now_ms) >= patience_ms:
            self._nobody_takes("no receipt in time: ingest is away, or slow")
        for flight in self._flights.overdue(now_ms):
            self._flights.land(flight.rows)
            batch = self._spool.batch(flight.rows.first, flight.rows.last, batches.MAX_READINGS)
            if batch is not None and self._send(batch, flight.is_live, flight.tries + 1):
                self._status.repeated += 1

    def _confirmed(self, token: int, code: int) -> None:
        if token == self._birth_token and code >= REFUSED_BY_BROKER:
            log.warning("the broker does not take the state of %s (reason code 0x%02x); check its access list", self._gateway, code)
        if self._flights.by_token(token) is None:
            return
        if code == NO_MATCHING_SUBSCRIBERS:
            self._nobody_takes("nobody listens to batches: no ingest is connected to the broker")
        elif code >= REFUSED_BY_BROKER:
            self._nobody_takes(
                f"the broker does not take batches of {self._gateway} (reason code 0x{code:02x}); check its access list"
            )

    def _nobody_takes(self, why: str) -> None:
        if not self._status.trouble:
            log.warning("%s; readings stay here, trying again until they are taken", why)
        self._status.trouble = why
        self._flights.forget()  # what did arrive is dropped by its late receipt all the same
        jittered_ms = round(self._hold_ms * random.uniform(0.8, 1.2))  # not all gateways in step
        self._held_until_ms = self._clock.monotonic_ms() + jittered_ms
        self._hold_ms = min(self._hold_ms * 2, LONGEST_HOLD_MS)
        self._happens(Happening.UNHEARD)

    def _receipt(self, message: Message) -> None:
        rows = self._spool.range_of(message.correlation)
        if rows is None:
            log.debug("a receipt for rows that are not ours: %r", message.correlation[:64])
            return
        try:
            self._settle(rows, batches.refusal(message))
        except BadPayload as cause:
            log.warning("a receipt that cannot be read: %s", cause)
            return
        except Unavailable as cause:  # the rows stay, go again, and come back as another receipt
            log.warning("a receipt cannot be noted: %s", cause)
        self._answered(rows)

    def _settle(self, rows: Range, refusal: str | None) -> None:
        if refusal is None:
            self._spool.drop(rows)
            self._status.receipts += 1
            return
        count = self._spool.refuse(rows, refusal)
        self._status.refused += 1
        log.warning("ingest refuses %d readings: %s; they are in the quarantine of the spool", count, refusal)

    def _answered(self, rows: Range) -> None:
        now_ms = self._clock.monotonic_ms()
        flight = self._flights.answered(rows, now_ms)
        if flight is not None:
            self._status.latency_ms = now_ms - flight.sent_ms
        if self._status.trouble:
            log.warning("batches are taken again")
            self._status.trouble = ""
        self._hold_ms = FIRST_HOLD_MS
        self._happens(Happening.RECEIPT)
