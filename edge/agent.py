"""`hoflicht edge`: a gateway. Reads sensors, keeps what they say on disk, sends it until ingest has it, and drives signs."""

import argparse
import contextlib
import logging
import os
import queue
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
from prometheus_client import REGISTRY

from edge import health, heap, reader, sign, spooler, uplink, watchdog
from edge.company import Company
from edge.config import CLOCKS, RECEIVER, SATELLITES, EdgeConfig, PortConfig, load_edge
from edge.drivers import DRIVERS, Driver
from edge.fix import Fix
from edge.health import Health
from edge.light import Light
from edge.loan import Loan, file_of
from edge.metrics import Metrics
from edge.observation import Observation
from edge.reader import Counters, Intake
from edge.salvage import mend
from edge.satellites import SatelliteClock
from edge.sign import PROTOCOLS, Latest
from edge.spool import Spool
from edge.trial import Trial
from edge.uplink import State, Status
from firmware_bridge.port import Port
from hoflicht import __version__, logs, stop, telemetry, topics
from hoflicht.broker import Message, Session
from hoflicht.clock import Clock, SystemClock
from hoflicht.errors import BadConfig, Unavailable
from hoflicht.instants import moment
from hoflicht.place import GATEWAY

log = logging.getLogger(__name__)

END_S = 10.0  # for threads to notice the end; a serial write may take five seconds
LOOK_S = 0.5  # for the proof of a config on trial
AGAIN_S = 5.0  # between two tries of a disk that takes nothing
RECEIVE_MAXIMUM = 20  # receipts and waits under way to us


def main(argv: list[str]) -> int:
    """Run until SIGTERM or Ctrl-C; 0 ended as asked, 1 a part of it failed."""
    arguments = _parser().parse_args(argv)
    logs.to_stderr(arguments.verbose)
    if arguments.check:
        config = load_edge(arguments.config)
        Agent(config, SystemClock())
        parts = f"{len(config.ports)} ports, {len(config.signs)} signs" + (f", {len(config.lamps)} lamps" if config.lamps else "")
        sys.stdout.write(f"{arguments.config}: {config.gateway}, {parts}: all well\n")
        return 0
    heap.share()
    trial = Trial(arguments.config)
    stopping = stop.on_signals()
    code = _run(trial, stopping)
    if trial.wants_restart:
        sys.stderr.flush()
        os.execv(sys.executable, sys.orig_argv)
    return code


def _run(trial: Trial, stopping: stop.Stopping) -> int:
    try:
        Agent(trial.config, _clock(trial.config.clock), trial).run(stopping)
    except (BadConfig, Unavailable) as cause:
        if trial.is_on:
            trial.roll_back(str(cause))
        elif isinstance(cause, BadConfig):
            raise
        else:
            log.error("%s", cause)
            return 1
    if stopping.failed and trial.is_on:
        trial.roll_back("a part of the program failed")
    return 1 if stopping.failed else 0


def _clock(name: str) -> Clock:
    machine = SystemClock(trust_ntp_only=CLOCKS[name])
    return SatelliteClock(machine) if name == SATELLITES else machine


class Agent:
    """All parts of one gateway; building it touches no hardware and no network."""

    def __init__(self, config: EdgeConfig, clock: Clock, trial: Trial | None = None) -> None:
        self._config = config
        self._trial = trial
        self._clock = clock
        self._boot = uuid.uuid4().hex
        self._desired = topics.desired(config.gateway, topics.CONFIG)
        self._waiting: queue.Queue[Observation] = queue.Queue(spooler.MAX_WAITING)
        self._status = Status()
        self._counters = {name: Counters() for name in (*config.ports, *config.lines)}
        self._limit_bytes = config.spool.limit_mb * 1_000_000
        certificate = Path(config.broker.cert_file) if config.broker.cert_file else None
        spool = Path(config.spool.path).parent
        self._health = Health(config.gateway, self._status, self._counters, self._limit_bytes, clock, spool, certificate)
        self._light = None if config.light is None else Light(config, config.light, self._waiting, self._counters, clock)
        self._latest = {sign.yard: Latest(sign.yard, clock) for sign in config.signs.values()}
        self._ports = {name: Port(port.path, port.line()) for name, port in config.ports.items()}
        self._sign_ports = {name: Port(sign.path, PROTOCOLS[sign.protocol].line) for name, sign in config.signs.items()}
        lit = (self._light.desired,) if self._light else ()
        self._session = Session(
            config.broker,
            config.gateway,
            [topics.answers(config.gateway), self._desired, *(topics.wait(yard) for yard in self._latest), *lit],
            will=self._state("offline"),
            receive_maximum=RECEIVE_MAXIMUM,
            place=GATEWAY,
        )

    def run(self, stopping: stop.Stopping) -> None:
        """Run all threads until `stopping`; what was read by then is on disk when this returns."""
        lamps = list(self._start_lamps(stopping))  # light waits for no disk
        if not self._has_spool(stopping):
            return
        ended = threading.Event()
        with telemetry.serve(self._config.http, self._health.report), _registered(Metrics(self._health)), self._session:
            writer = _start("spooler", partial(self._keep, ended))
            sender = _start("uplink", partial(self._send, stopping))
            sources = [*lamps, *self._start_sources(stopping)]
            log.info("%s reads %d ports and drives %d signs", self._config.gateway, len(self._ports), len(self._sign_ports))
            stopping.wait()
            for thread in sources:
                thread.join(END_S)
            ended.set()
            writer.join(END_S)
            sender.join(END_S)
            self._session.close(farewell=self._state("offline"))

    def _has_spool(self, stopping: stop.Stopping) -> bool:
        """Wait for a sound spool: a full disk is somebody else's log, and goes away; False where the end comes first."""
        is_away = False
        while not stopping.is_set():
            try:
                mend(Path(self._config.spool.path), self._limit_bytes, self._clock)
                self._spool().close()  # what is wrong with it is said now and here
            except Unavailable as cause:
                if not is_away:
                    log.error("there is no room for the spool yet: %s; trying again, nothing is read until then", cause)
                is_away = True
                stopping.wait(AGAIN_S)
            else:
                if is_away:
                    log.warning("there is room for the spool again")
                return True
        return False

    def _start_lamps(self, stopping: stop.Stopping) -> Iterator[threading.Thread]:
        for name, work in self._light.works(self._session.publish) if self._light else ():
            yield _start(name, partial(work, stopping))
        pause_s = watchdog.pause_s()
        if pause_s is not None:
            is_alive = self._light.is_going_on if self._light else lambda: True
            yield _start("watchdog", partial(watchdog.run, is_alive, pause_s, stopping))

    def _start_sources(self, stopping: stop.Stopping) -> Iterator[threading.Thread]:
        for name in self._ports:
            yield _start(f"port-{name}", partial(self._read, name, stopping))
        for name in self._sign_ports:
            yield _start(f"sign-{name}", partial(self._show, name, stopping))
        yield _start("health", partial(self._look, stopping))
        if self._trial is not None and self._trial.is_on:
            yield _start("trial", partial(self._watch, self._trial, stopping))

    def _read(self, name: str, stopping: stop.Stopping) -> None:
        config, counters = self._config.ports[name], self._counters[name]
        intake = Intake(config, self._driver(config), self._waiting, counters, self._light.posts if self._light else None)
        loan = Loan(file_of(self._config.spool.path, name), name, self._clock)
        with self._ports[name] as port:
            reader.run(port, config, intake, counters, clock=self._clock, stopping=stopping, is_lent=loan.is_out)

    def _driver(self, config: PortConfig) -> Driver:
        if config.driver != RECEIVER:
            return DRIVERS[config.driver](config)
        return Fix(config, self._clock if isinstance(self._clock, SatelliteClock) else SatelliteClock(self._clock))

    def _show(self, name: str, stopping: stop.Stopping) -> None:
        config = self._config.signs[name]
        build = PROTOCOLS[config.protocol].build
        with self._sign_ports[name] as port:
            sign.run(port, self._latest[config.yard], lambda wait: build(wait, config.shape), self._clock, stopping)

    def _keep(self, ended: threading.Event) -> None:
        with self._spool() as spool:
            spooler.run(self._waiting, spool, Company(round(self._config.spool.patience_s * 1000)), ended)

    def _send(self, stopping: stop.Stopping) -> None:
        deliver: dict[str, Callable[[Message], None]] = {topics.wait(yard): latest.take for yard, latest in self._latest.items()}
        deliver[self._desired] = partial(self._take, stopping)
        if self._light is not None:
            deliver[self._light.desired] = self._light.take
        with self._spool() as spool:
            uplink.run(
                self._session,
                spool,
                self._config.gateway,
                self._birth,
                deliver,
                status=self._status,
                clock=self._clock,
                stopping=stopping,
            )

    def _birth(self) -> Message:
        self._report()
        if self._light is not None:
            self._light.born()
        return self._state("online")

    def _take(self, stopping: stop.Stopping, message: Message) -> None:
        if self._trial is None or not self._trial.offer(message.payload):
            return
        self._report()
        if self._trial.wants_restart:
            stopping.set()

    def _watch(self, trial: Trial, stopping: stop.Stopping) -> None:
        """Wait for the proof of a config on trial: an answer of ingest, for there is always the gateway's own health to be sent."""
        until_ms = self._clock.monotonic_ms() + self._config.prove_s * 1000
        while trial.is_on and not stopping.wait(LOOK_S):
            if self._status.receipts + self._status.refused:
                trial.prove()
                self._report()
            elif self._clock.monotonic_ms() >= until_ms:
                broker = f"{self._config.broker.host}:{self._config.broker.port}"
                why = self._status.trouble or (
                    "" if self._status.state is State.FLOWING else f"no connection to the broker at {broker}"
                )
                trial.roll_back(f"no receipt within {self._config.prove_s:g} s{why and ': '}{why}")
        if trial.wants_restart:
            stopping.set()

    def _report(self) -> None:
        said = self._trial and self._trial.report()
        if said:
            with contextlib.suppress(Unavailable):  # the next connection says it
                self._session.publish(said)

    def _look(self, stopping: stop.Stopping) -> None:
        with self._spool() as spool:
            every = self._config.health
            health.run(self._health, spool, self._waiting, every.every_s, every.alive_every_s, stopping)

    def _spool(self) -> Spool:
        return Spool(Path(self._config.spool.path), self._limit_bytes, self._clock)

    def _state(self, status: str) -> Message:
        said = {"status": status, "boot": self._boot, "version": __version__}
        if status == "online" and self._clock.is_set():
            said["at"] = moment(self._clock.now_ms()).strftime("%Y-%m-%dT%H:%M:%SZ")
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
