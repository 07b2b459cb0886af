"""Weeks of the past, sent the way of all readings: batches over MQTT, receipts from ingest."""

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from hoflicht import batch
from hoflicht.batch import MAX_READINGS, WINDOW
from hoflicht.broker import Connected, Received, Session
from hoflicht.errors import BadPayload, Unavailable
from hoflicht.reading import Reading

log = logging.getLogger(__name__)

SILENCE_S = 30.0  # without any receipt: something is wrong that waiting does not mend

Batches = Iterable[tuple[str, list[Reading]]]


def batches(gateway: str, readings: Iterable[Reading]) -> Iterator[tuple[str, list[Reading]]]:
    """Cut the readings of one gateway into batches."""
    remaining = iter(readings)
    while chunk := list(islice(remaining, MAX_READINGS)):
        yield gateway, chunk


def send(session: Session, planned: Batches, done: Callable[[int], None]) -> None:
    """Publish all batches and call `done(readings)` at each receipt; return when the last one is stored.

    Raise Unavailable where ingest stays silent, BadPayload where it refuses: a history that is not whole is none.
    """
    under_way: dict[bytes, int] = {}
    for number, (gateway, readings) in enumerate(planned):
        correlation = b"history-%d" % number
        session.publish(batch.batch(gateway, correlation, readings))
        under_way[correlation] = len(readings)
        while len(under_way) >= WINDOW:
            _receive(session, under_way, done)
    while under_way:
        _receive(session, under_way, done)


def _receive(session: Session, under_way: dict[bytes, int], done: Callable[[int], None]) -> None:
    silent_s = 0.0
    while True:
        event = session.event(1.0)
        if isinstance(event, Received):
            break
        silent_s += 1.0 if event is None else 0.0
        if silent_s >= SILENCE_S:
            raise Unavailable(f"no receipt for {SILENCE_S:.0f} s while the history was written")
    session.acknowledge(event)
    reason = batch.refusal(event.message)
    if reason is not None:
        raise BadPayload(f"ingest refuses the history: {reason}")
    done(under_way.pop(event.message.correlation, 0))


def wait_for_connection(session: Session, timeout_s: float = 15.0) -> None:
    """Return once `session` is up; raise Unavailable where it is not in time."""
    for _ in range(int(timeout_s)):
        if isinstance(session.event(1.0), Connected):
            return
    raise Unavailable("no connection to the broker")
