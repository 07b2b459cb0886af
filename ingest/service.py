"""The way from the broker to the store: batches in, points and receipts out."""

import argparse
import gc
import logging
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hoflicht import logs, stop, telemetry, topics
from hoflicht.broker import Connected, Event, Lost, Received, Session
from hoflicht.catalogue import City, load_city
from hoflicht.clock import SystemClock
from hoflicht.config import beside, load
from hoflicht.errors import Refused, Unavailable
from ingest.checks import Checks
from ingest.config import IngestConfig
from ingest.desk import Delivery, Desk, Settled
from ingest.health import Health
from ingest.quarantine import Quarantine
from ingest.shares import Shares
from ingest.signals import Signals, own_site, telling
from store.readings import Store, open_configured

log = logging.getLogger(__name__)

POLL_S = 0.5  # how late a signal may be heard
LINGER_S = 0.02  # wait so long for more: a write costs as much as some thousand readings
MAX_GROUP_READINGS = 50_000  # in one write: 4 MB of lines, 0.3 s
PATIENCE_MS = 5_000  # of an outage before we leave the broker, so that gateways learn that nobody is there
DONE, FAILED = 0, 1


def main(argv: list[str]) -> int:
    """Run `hoflicht ingest CONFIG`: one worker, until a signal."""
    parser = argparse.ArgumentParser(
        prog="hoflicht ingest",
        description="Take the gateways' batches from the MQTT broker, write them to the store, and answer each with a receipt.",
    )
    parser.add_argument("config", type=Path, help="a TOML file; deploy/etc/ingest.toml is an example")
    parser.add_argument("--prepare", action="store_true", help="make bucket, retention and hourly values in the store, then end")
    parser.add_argument("--verbose", action="store_true", help="log more")
    options = parser.parse_args(argv)
    logs.to_stderr(options.verbose)
    config = load(options.config, IngestConfig)
    city = load_city(beside(options.config, config.city))
    with closing(open_configured(config.store, options.config)) as store:
        if options.prepare:
            return _prepare(store, config)
        with closing(Quarantine(beside(options.config, config.quarantine))) as quarantine:
            return _work(config, options.config, city, store, quarantine)


def _prepare(store: Store, config: IngestConfig) -> int:
    try:
        store.prepare()
    except (Unavailable, Refused) as cause:
        log.error("not prepared: %s", cause)
        return FAILED
    sys.stdout.write(f"prepared: {config.store.url}\n")
    return DONE


def _work(config: IngestConfig, path: Path, city: City, store: Store, quarantine: Quarantine) -> int:
    clock = SystemClock()
    broker = config.broker.beside(path)
    place = f"the file {beside(path, config.store.token_file)}" if config.store.token_file else "INFLUX_TOKEN or [store] token_file"
    health = Health(clock, f"put the right token into {place} and restart ingest")

    def connect() -> Session:
        return Session(broker, config.client_id, [topics.ALL_READINGS], receive_maximum=config.receive_maximum)

    connect()  # a certificate that is not there ends us here, not after the first outage
    stopping = stop.on_signals()
    desk = Desk(Checks(city), store, quarantine, clock, health)
    signals = Signals(own_site(config.client_id, city), store, quarantine, clock)
    gc.freeze()  # what was imported and read stays: nobody need look through it for garbage again and again
    with telemetry.serve(config.http, health.report), telling(signals, stopping):
        run(connect, desk, health, stopping, group_size=config.receive_maximum)
    return FAILED if stopping.failed else DONE


def run(
    connect: Callable[[], Session],
    desk: Desk,
    health: Health,
    stopping: threading.Event,
    *,
    group_size: int,
    patience_ms: int = PATIENCE_MS,
) -> None:
    """Settle batches at `desk` until `stopping`; be at the broker only while the store takes them.

    `connect` makes a session at the broker, not yet entered. A group that the store has not taken within `patience_ms` is kept, and
    writing it is the way back: what made it fail must be over, be it the network, the token or the disk. Nobody waits for its
    receipts any more, so the gateways send it again, and nothing changes.
    """
    kept: list[Delivery] = []
    while desk.settle(kept, stopping) is not None:
        with connect() as session:
            kept = _serve(session, desk, health, stopping, group_size=group_size, patience_ms=patience_ms)
        health.broker_is_away("left, because the store takes nothing")


def _serve(
    session: Session, desk: Desk, health: Health, stopping: threading.Event, *, group_size: int, patience_ms: int
) -> list[Delivery]:
    """Settle group by group; return the one that the store does not take."""
    shares = Shares()
    while not stopping.is_set():
        event = session.event(POLL_S)
        if not isinstance(event, Received):
            _note(event, health)
            continue
        group = _collect(session, event, desk, health, shares, group_size)
        deliveries = [one for one in group if isinstance(one, Delivery)]
        settled = desk.settle(deliveries, stopping, patience_ms)
        if settled is None:
            return deliveries
        answers = iter(settled)
        # In the order in which they came (MQTT 5 §4.6), what is left to its gateway among them.
        _answer(session, [next(answers) if isinstance(one, Delivery) else Settled(one, None) for one in group])
    return []


def _collect(
    session: Session, first: Received, desk: Desk, health: Health, shares: Shares, group_size: int
) -> list[Delivery | Received]:
    """What has come and what comes within a moment, unopened where its gateway has had its share.

    The next group comes in while this one is written.
    """
    shares.begin()
    group: list[Delivery | Received] = []
    readings = 0
    event: Event | None = first
    while event is not None:
        if isinstance(event, Received) and shares.has_room(event):
            delivery = desk.opened(event)
            group.append(delivery)
            shares.count(event, len(delivery.verdict.readings))
            readings += len(delivery.verdict.readings)
        elif isinstance(event, Received):
            group.append(event)
        _note(event, health)
        is_full = len(group) >= group_size or readings >= MAX_GROUP_READINGS
        event = None if is_full else session.event(LINGER_S)
    return group


def _answer(session: Session, settled: list[Settled]) -> None:
    """Receipt, then PUBACK. Where the connection is gone, the gateways send again what they have no receipt for."""
    for one in settled:
        if one.receipt is not None:
            try:
                session.publish(one.receipt)
            except Unavailable as cause:
                log.debug("receipts are not sent: %s", cause)
                return
        session.acknowledge(one.received)


def _note(event: Event | None, health: Health) -> None:
    if isinstance(event, Connected):
        health.broker_is_back()
    elif isinstance(event, Lost):
        health.broker_is_away(event.reason)
