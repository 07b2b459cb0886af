"""`hoflicht edge`: a gateway. Reads sensors, keeps what they say on disk, sends it until ingest has it, and drives signs."""

import argparse
import logging
import queue
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
from prometheus_client import REGISTRY

from edge import health, reader, sign, spooler, uplink
from edge.config import CLOCKS, EdgeConfig, load_edge
from edge.drivers import DRIVERS
from edge.health import Health
from edge.metrics import Metrics
from edge.observation import Observation
from edge.reader import Counters, Intake
from edge.salvage import mend
from edge.sign import Latest
from edge.spool import Spool
from edge.uplink import Status
from firmware_bridge import ibis
from firmware_bridge.port import Port
from hoflicht import __version__, logs, stop, telemetry, topics
from hoflicht.broker import Message, Session
from hoflicht.clock import Clock, SystemClock
from hoflicht.errors import Unavailable

log = logging.getLogger(__name__)

END_S = 10.0  # for threads to notice the end; a serial write may take five seconds
RECEIVE_MAXIMUM = 20  # receipts and waits under way to us


def main(argv: list[str]) -> int:
    """Run until SIGTERM or Ctrl-C; 0 ended as asked, 1 a part of it failed."""
    arguments = _parser().parse_args(argv)
    logs.to_stderr(arguments.verbose)
    config = load_edge(arguments.config)
    clock = SystemClock(trust_ntp_only=CLOCKS[config.clock])
    agent = Agent(config, clock)
    if arguments.check:
        sys.stdout.write(f"{arguments.config}: {config.gateway}, {len(config.ports)} ports, {len(config.signs)} signs: all well\n")
        return 0
    stopping = stop.on_signals()
    try:
        agent.run(stopping)
    except Unavailable as cause:
        log.error("%s", cause)
        return 1
    return 1 if stopping.failed else 0


class Agent:
    """All parts of one gateway; building it touches no hardware and no network."""

    def __init__(self, config: EdgeConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._boot = uuid.uuid4().hex
        self._waiting: queue.Queue[Observation] = queue.Queue(spooler.MAX_WAITING)
        self._status = Status()
        self._counters = {name: Counters() for name in config.ports}
        self._limit_bytes = config.spool.limit_mb * 1_000_000
        self._health = Health(config.gateway, self._status, self._counters, self._limit_bytes, clock)
        self._latest = {sign.yard: Latest(sign.yard, clock) for sign in config.signs.values()}
        self._ports = {name: Port(port.path, port.line()) for name, port in config.ports.items()}
        self._sign_ports = {name: Port(sign.path, ibis.LINE) for name, sign in config.signs.items()}
        self._session = Session(
            config.broker,
            config.gateway,
            [topics.receipts(config.gateway), *(topics.wait(yard) for yard in self._latest)],
            will=self._state("offline"),
            receive_maximum=RECEIVE_MAXIMUM,
        )

    def run(self, stopping: stop.Stopping) -> None:
        """Run all threads until `stopping`; what was read by then is on disk when this returns."""
        mend(Path(self._config.spool.path), self._limit_bytes, self._clock)
        self._spool().close()  # what is wrong with it is said now and here
        ended = threading.Event()
        with telemetry.serve(self._config.http, self._health.report), _registered(Metrics(self._health)), self._session:
            writer = _start("spooler", partial(self._keep, ended))
            sender = _start("uplink", partial(self._send, stopping))
            sources = list(self._start_sources(stopping))
            log.info("%s reads %d ports and drives %d signs", self._config.gateway, len(self._ports), len(self._sign_ports))
            stopping.wait()
            for thread in sources:
                thread.join(END_S)
            ended.set()
            writer.join(END_S)
            sender.join(END_S)
            self._session.close(farewell=self._state("offline"))

    def _start_sources(self, stopping: stop.Stopping) -> Iterator[threading.Thread]:
        for name in self._ports:
            yield _start(f"port-{name}", partial(self._read, name, stopping))
        for name in self._sign_ports:
            yield _start(f"sign-{name}", partial(self._show, name, stopping))
        yield _start("health", partial(self._look, stopping))

    def _read(self, name: str, stopping: stop.Stopping) -> None:
        config, counters = self._config.ports[name], self._counters[name]
        intake = Intake(config, DRIVERS[config.driver](config), self._waiting, counters)
        with self._ports[name] as port:
            reader.run(port, config, intake, counters, clock=self._clock, stopping=stopping)

    def _show(self, name: str, stopping: stop.Stopping) -> None:
        config = self._config.signs[name]
        build = sign.PROTOCOLS[config.protocol]
        with self._sign_ports[name] as port:
            sign.run(port, self._latest[config.yard], lambda wait: build(wait, config.width, config.address), self._clock, stopping)

    def _keep(self, ended: threading.Event) -> None:
        with self._spool() as spool:
            spooler.run(self._waiting, spool, ended)

    def _send(self, stopping: stop.Stopping) -> None:
        deliver = {topics.wait(yard): latest.take for yard, latest in self._latest.items()}
        with self._spool() as spool:
            uplink.run(
                self._session,
                spool,
                self._config.gateway,
                partial(self._state, "online"),
                deliver,
                status=self._status,
                clock=self._clock,
                stopping=stopping,
            )

    def _look(self, stopping: stop.Stopping) -> None:
        with self._spool() as spool:
            every = self._config.health
            health.run(self._health, spool, self._waiting, every.every_s, every.alive_every_s, stopping)

    def _spool(self) -> Spool:
        return Spool(Path(self._config.spool.path), self._limit_bytes, self._clock)

    def _state(self, status: str) -> Message:
        said = {"status": status, "boot": self._boot, "version": __version__}
        if status == "online" and self._clock.is_set():
            said["at"] = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Message(topic=topics.state(self._config.gateway), payload=msgspec.json.encode(said), retain=True)


@contextmanager
def _registered(metrics: Metrics) -> Iterator[None]:
    REGISTRY.register(metrics)
    try:
        yield
    finally:
        REGISTRY.unregister(metrics)


def _start(name: str, work: Callable[[], None]) -> threading.Thread:
    # Daemons: a thread that hangs in a driver must not keep a process alive that wants to end.
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht edge",
        description="Run a gateway: read the sensors at its serial ports, keep every reading on disk until the database has it, and"
        " show waiting times on its signs. Ends cleanly on SIGTERM or Ctrl-C; exit code 0, 1 where a part failed, 2 for a config"
        " that must be edited.",
    )
    parser.add_argument("config", type=Path, metavar="CONFIG", help="TOML file; deploy/etc/edge.toml is a commented sample")
    parser.add_argument("--check", action="store_true", help="only check the config; touches no hardware and no network")
    parser.add_argument("--verbose", action="store_true", help="log details too")
    return parser
