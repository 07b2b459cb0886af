"""What has come from the broker, opened and in groups: the next one is made while the one before it is written."""

from concurrent.futures import Future
from typing import Any

from hoflicht.broker import Connected, Event, Lost, Received, Session
from ingest.desk import Delivery, Desk
from ingest.health import Health
from ingest.shares import Shares

POLL_S = 0.5  # how late a signal may be heard
LINGER_S = 0.02  # wait so long for more: a write costs as much as some thousand readings
MAX_GROUP_READINGS = 10_000  # in one write: what InfluxDB recommends at most; a tenth of a second


class Intake:
    """The group that is being made, of at most `group_size` batches; belongs to one thread."""

    def __init__(self, session: Session, desk: Desk, health: Health, group_size: int) -> None:
        self._session = session
        self._desk = desk
        self._health = health
        self._group_size = group_size
        self._shares = Shares()
        self._group: list[Delivery | Received] = []
        self._readings = 0

    def gather(self) -> None:
        """Wait for something to come, and for what comes within a moment."""
        wait_s = LINGER_S if self._group else POLL_S
        while not self._is_full() and (event := self._session.event(wait_s)) is not None:
            self._take(event)
            wait_s = LINGER_S

    def gather_during(self, settling: Future[Any]) -> None:
        """Take what comes until `settling` has ended."""
        while not self._is_full() and not settling.done():
            event = self._session.event(LINGER_S)
            if event is not None:
                self._take(event)

    def group(self) -> list[Delivery | Received]:
        """Hand the group out and begin a new one. Unopened is in it what is beyond the share of its gateway."""
        group, self._group, self._readings = self._group, [], 0
        self._shares.begin()
        return group

    def _is_full(self) -> bool:
        return len(self._group) >= self._group_size or self._readings >= MAX_GROUP_READINGS

    def _take(self, event: Event) -> None:
        if isinstance(event, Received):
            self._open(event)
        elif isinstance(event, Connected):
            self._health.broker_is_back()
        elif isinstance(event, Lost):
            self._health.broker_is_away(event.reason)

    def _open(self, received: Received) -> None:
        if not self._shares.has_room(received):
            self._group.append(received)
            return
        delivery = self._desk.opened(received)
        self._group.append(delivery)
        self._shares.count(received, delivery.readings)
        self._readings += delivery.readings
