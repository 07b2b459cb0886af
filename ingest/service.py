"""The way from the broker to the store: batches in, points and receipts out."""

import argparse
import gc
import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from hoflicht import logs, stop, telemetry, topics
from hoflicht.broker import Session
from hoflicht.catalogue import City, load_city
from hoflicht.clock import SystemClock
from hoflicht.config import beside, load
from hoflicht.errors import Refused, Unavailable
from ingest.checks import Checks
from ingest.config import IngestConfig
from ingest.desk import Delivery, Desk, Settled
from ingest.health import Health
from ingest.intake import Intake
from ingest.quarantine import Quarantine
from ingest.signals import Signals, own_site, telling
from store.readings import Store, open_configured

log = logging.getLogger(__name__)

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
        return Session(broker, config.client_id, [topics.ALL_BATCHES, topics.ALL_READINGS], receive_maximum=config.receive_maximum)

    connect()  # a certificate that is not there ends us here, not after the first outage
    stopping = stop.on_signals()
    desk = Desk(Checks(city), store, quarantine, clock, health)
    signals = Signals(own_site(config.client_id, city), store, quarantine, clock)
    gc.freeze()  # what was imported and read stays: nobody need look through it for garbage again and again
    with telemetry.serve(config.http, health.report), telling(signals, stopping):
        run(connect, desk, health, stopping, group_size=max(1, config.receive_maximum // 2))  # one is written, one comes in
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
    intake = Intake(session, desk, health, group_size)
    with ThreadPoolExecutor(1, "settling") as beside:
        while not stopping.is_set():
            intake.gather()
            group = intake.group()
            if not group:
                continue
            deliveries = [one for one in group if isinstance(one, Delivery)]
            settling = beside.submit(desk.settle, deliveries, stopping, patience_ms)
            intake.gather_during(settling)
            settled = settling.result()
            if settled is None:
                return deliveries  # and leave what came meanwhile to its gateways
            answers = iter(settled)
            # In the order in which they came (MQTT 5 §4.6), what is left to its gateway among them.
            _answer(session, [next(answers) if isinstance(one, Delivery) else Settled(one, None) for one in group])
    return []


def _answer(session: Session, settled: list[Settled]) -> None:
    """Receipt, then PUBACK. Where the connection is gone, the gateways send again what they have no receipt for."""
    try:
        session.answer((one.received, one.receipt) for one in settled)
    except Unavailable as cause:
        log.debug("receipts are not sent: %s", cause)
