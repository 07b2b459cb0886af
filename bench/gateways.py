"""Two gateways of the simulated city in fast motion: devices that speak their bytes, the edge's own parts, a clock turned by hand.

Only time is not real. Bytes of the devices go through decoders, drivers, the DALI line, the spool on this machine's disk and the
uplink; the uplink speaks to a real broker, and waits in real time for the receipt of what it has sent before time goes on. Bytes
are counted where they pass: those of MQTT in a proxy before the broker, those of the spool by the kernel.
"""

import datetime as dt
import functools
import heapq
import queue
import random
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import msgspec

from edge.bus import Bus
from edge.company import Company
from edge.config import HealthConfig, LampConfig, PortConfig
from edge.drivers import DRIVERS
from edge.health import FIRST_LOOK_S, Health
from edge.lamps import Line
from edge.observation import Observation
from edge.reader import Counters, Intake, Polls
from edge.rows import Range
from edge.senses import Posts
from edge.shadow import Shadow
from edge.spool import Spool
from edge.tables import STAMPED
from edge.uplink import Status, Uplink
from firmware_bridge.devices import DEVICES
from hoflicht import Reading, topics
from hoflicht.broker import BrokerConfig, Message, Session
from hoflicht.catalogue import City, duty, load_city
from hoflicht.clock import HandClock
from hoflicht.quantities import Kind
from hoflicht.shadow import Desired, encode
from hoflicht.sky import Place
from simulators.devices import Device, Node, Ops243, Sds011, Sps30, Tfmini
from simulators.lamps import LampWorld, LitStreet
from simulators.layout import GatewayPlan, PortPlan, layout
from simulators.life import life
from simulators.luba import Luba
from simulators.meter import SDM630, Meter
from simulators.station import WS10, Station
from simulators.street import Vehicle
from simulators.walkers import Walker, walkers
from simulators.weather import weather
from simulators.world import TrafficWorld, World, YardWorld
from tests.conftest import Mosquitto
from tests.receiver import Ingest
from tests.roles import CITY, eventually

SEED = 1
TICK_MS = 100  # as `hoflicht simulate` has it
FRAME_MS = 30  # of a DALI line; IEC 62386-101
LIMIT_BYTES = 200_000_000
PATIENCE_S = 30.0  # for a receipt, in real time
MAX_WAITING = 10_000
DISK = Path.home() / ".cache/hoflicht"  # the folder of temporary files may be in memory
SEEN = 40_000_000  # readings before: a year of a yard's gateway
WARM_UP_S = 120  # at the start all is new, and is told
LAMPS, YARD = "gw-strasse", "gw-hof-nord"
WEATHER = PortPlan("weather", "lufft-umb", "lamp-0012", "weather")  # which the demo does not have
STREET = HealthConfig(alive_every_s=0)  # no yard hangs there


class Stretch(msgspec.Struct, frozen=True):
    """Some minutes of a gateway, after it has warmed up."""

    seconds: int
    batches: list[list[Reading]]
    wire_bytes: int  # of MQTT, both ways
    disk_bytes: int

    @property
    def readings(self) -> int:
        """How many there were."""
        return sum(map(len, self.batches))


class Tap:
    """A way to a broker on which bytes are counted, both ways."""

    def __init__(self, port: int) -> None:
        self.bytes = 0
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for end in (self._server, *self._ends):
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            near, _ = self._server.accept()
            far = socket.create_connection(("127.0.0.1", self._to))
            self._ends += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                self.bytes += len(data)
                other.sendall(data)


def lived(gateway: str, begins: dt.datetime, seconds: int) -> Stretch:
    """So many seconds of one of the demo's gateways from `begins` on, which is local time."""
    city = load_city(CITY)
    start_ms = round(begins.replace(tzinfo=ZoneInfo(city.timezone)).timestamp() * 1000)
    with TemporaryDirectory(dir=DISK) as name:
        folder = Path(name)
        broker = Mosquitto(folder)
        broker.start()
        try:
            with (
                closing(Tap(broker.config.port)) as tap,
                Ingest(broker.config) as ingest,
                Session(BrokerConfig(port=tap.port), gateway, [topics.answers(gateway)]) as session,
            ):
                own = Gateway(gateway, city, start_ms, folder, session)
                own.live(WARM_UP_S)
                before = len(ingest.batches), tap.bytes, written_bytes()
                own.live(seconds)
                eventually(lambda: own.status.receipts == len(ingest.batches))
                after = tap.bytes, written_bytes()
                own.spool.close()
                return Stretch(seconds, ingest.batches[before[0] :], after[0] - before[1], after[1] - before[2])
        finally:
            broker.stop()


def written_bytes() -> int:
    """What this process has had written to block devices (proc(5), io): whole pages of 4 kB, each as often as it is made dirty."""
    return int(Path("/proc/self/io").read_text().partition("\nwrite_bytes: ")[2].partition("\n")[0])


class Wire:
    """The port of a DALI line: what is written takes its time on the bus, and who waits in vain lets time pass."""

    opened, errors, is_open = 1, 0, True

    def __init__(self, luba: Luba, clock: HandClock) -> None:
        self._luba, self._clock, self._answers = luba, clock, b""

    def write(self, data: bytes) -> bool:
        self._clock.advance(FRAME_MS)
        self._luba.said(self._clock.now_ms())
        self._answers += self._luba.heard(data)
        return True

    def read(self, timeout_s: float) -> bytes:
        answers, self._answers = self._answers, b""
        if not answers:
            self._clock.advance(round(timeout_s * 1000))
        return answers


class Port:
    """A serial port with its device."""

    def __init__(self, config: PortConfig, device: Device, intake: Intake, counters: Counters) -> None:
        of = DEVICES[config.driver]
        self._device, self._intake, self._of = device, intake, of
        self._polls = Polls(of.polls(of.address), of.poll_every_s)
        counters.is_open = True
        for request in of.start:
            device.heard(request)

    def tick(self, clock: HandClock) -> None:
        self._intake.take(self._device.said(clock.now_ms()), clock.monotonic_ms())
        request = self._polls.next(clock.monotonic_ms())
        if request is not None:
            if self._of.hears_requests:
                self._intake.take(request, clock.monotonic_ms())
            self._intake.take(self._device.heard(request), clock.monotonic_ms())


class Gateway:
    """One of the city's gateways, with what hangs at it; `live` lets time pass."""

    def __init__(self, name: str, city: City, start_ms: int, folder: Path, session: Session) -> None:
        self.clock = HandClock(start_ms)
        self.clock.advance(60_000)  # since the machine's start
        self.spool = Spool(folder / f"{name}.db", LIMIT_BYTES, self.clock, boot="bench")
        self._age()
        self.status = Status()
        self.worlds: list[World] = []
        self._out: queue.Queue[Observation] = queue.Queue(MAX_WAITING)
        self._session = session
        self._posts = Posts()
        self._counters: dict[str, Counters] = {}
        self._city, self._street = city, LitStreet(city, SEED, start_ms)
        self._start_ms = start_ms
        plan = layout(city)[name]
        self._ports = self._plugged(plan, (*plan.ports, WEATHER) if plan.lines else plan.ports)
        self._lines = [self._line(number, plan, folder) for number in range(len(plan.lines))]
        self._health = Health(name, self.status, self._counters, LIMIT_BYTES, self.clock, folder, None)
        self._every = HealthConfig() if plan.signs else STREET
        self._uplink = Uplink(session, self.spool, name, lambda: _birth(name), {}, status=self.status, clock=self.clock)
        self._look_ms = self.clock.monotonic_ms() + round(FIRST_LOOK_S * 1000)
        self._looks = 0
        self._company = Company(60_000)

    def _age(self) -> None:
        """Let many rows have been there: what a batch is called is longer than in the first hour."""
        self.spool.restore([(SEEN, "site", "sensor", "uptime", self.clock.now_ms(), 0.0, Kind.SAMPLE, STAMPED)])
        self.spool.drop(Range(SEEN, SEEN))

    def live(self, seconds: float) -> None:
        """Let so much time pass."""
        until_ms = self.clock.monotonic_ms() + round(seconds * 1000)
        tick_ms = self.clock.monotonic_ms()
        while (now_ms := self.clock.monotonic_ms()) < until_ms:
            if now_ms >= tick_ms:
                self._tick()
                tick_ms = now_ms + TICK_MS
            idle_ms = min([line.go_on() for line in self._lines], default=TICK_MS)
            self.clock.advance(max(0, min(idle_ms, tick_ms - self.clock.monotonic_ms())))

    def _tick(self) -> None:
        for world in self.worlds:
            world.advance(self.clock.now_ms())
        for port in self._ports:
            port.tick(self.clock)
        self._look()
        self._keep()
        self._send()

    def _look(self) -> None:
        if self.clock.monotonic_ms() < self._look_ms:
            return
        rounds = 1 if not self._every.alive_every_s else round(self._every.every_s / self._every.alive_every_s)
        is_report = self._looks % rounds == 0
        for seen in self._health.look(self.spool.state()) if is_report else self._health.sign_of_life():
            self._out.put_nowait(seen)
        self._looks += 1
        self._look_ms += round(self._every.every_s / rounds * 1000)

    def _keep(self) -> None:
        for _ in range(self._out.qsize()):
            self._company.join(self._out.get_nowait(), self.clock.monotonic_ms())
        if self._company.left_ms(self.clock.monotonic_ms()) == 0:
            self.spool.keep(self._company.leave())

    def _send(self) -> None:
        self._uplink.go_on()
        while self.status.batches > self.status.receipts or not self._is_connected():
            event = self._session.event(PATIENCE_S)
            assert event is not None, "no receipt"
            self._uplink.handle(event)

    def _is_connected(self) -> bool:
        return self.status.state != "offline"

    # What hangs at it, as simulators.city has it

    def _plugged(self, plan: GatewayPlan, ports: tuple[PortPlan, ...]) -> list[Port]:
        devices = [(port, self._device(port)) for port in ports]
        for sign in plan.signs:
            seen_by = {port.sensor: device for port, device in devices if isinstance(device, Tfmini | Ops243)}
            node = next((device for _, device in devices if isinstance(device, Node)), None)
            events = life(sign.yard, self._city, SEED, self._start_ms)
            self.worlds.append(YardWorld(self._city.yards[sign.yard], events, seen_by, node, self._start_ms))
        return [self._port(port, device) for port, device in devices]

    def _port(self, port: PortPlan, device: Device) -> Port:
        config = PortConfig(path=port.name, driver=port.driver, site=port.site, sensor=port.sensor)
        counters = self._counters[port.name] = Counters()
        intake = Intake(config, DRIVERS[port.driver](config), self._out, counters, self._posts)
        return Port(config, device, intake, counters)

    def _device(self, port: PortPlan) -> Device:
        where, street = port.site, self._street
        if port.driver == "ops243":
            radar = Ops243()
            if where in self._city.lamps:
                self.worlds.append(TrafficWorld(functools.partial(self._passing, where), radar, self._start_ms))
            return radar
        made: Mapping[str, Callable[[], Device]] = {
            "tfmini": lambda: Tfmini(random.Random(f"{SEED}/{where}/{port.sensor}")),
            "sps30": lambda: Sps30(lambda now_ms: street.air(where, now_ms)),
            "sds011": lambda: Sds011(lambda now_ms: street.air(where, now_ms)),
            "sdm630": lambda: Meter(SDM630, lambda now_ms: street.cabinet(where, now_ms)),
            "lufft-umb": lambda: Station(WS10, self._weather),
            "node": lambda: Node(1),
        }
        return made[port.driver]()

    def _weather(self, now_ms: int) -> Mapping[str, float]:
        lamp = next(iter(self._city.lamps.values()))
        return msgspec.structs.asdict(weather(SEED, "street", now_ms, lamp.lat, lamp.lon, ZoneInfo(self._city.timezone)))

    def _passing(self, site: str, start_ms: int, end_ms: int) -> Iterator[Vehicle | Walker]:
        on_foot = walkers(SEED, site, start_ms, end_ms, ZoneInfo(self._city.timezone))
        return heapq.merge(self._street.traffic(site, start_ms, end_ms), on_foot, key=lambda each: each.at_ms)

    def _line(self, number: int, plan: GatewayPlan, folder: Path) -> Line:
        own = plan.lines[number]
        gears = {name: self._street.hang(address, name) for address, name in enumerate(own.lamps)}
        self.worlds.append(LampWorld(gears, self._street))
        counters = self._counters[own.name] = Counters(is_open=True)
        bus = Bus(Wire(Luba(list(gears.values())), self.clock), self.clock, counters)
        first = self._city.lamps[own.lamps[0]]
        shadow = Shadow(folder / f"light-{number}", "bench", frozenset(own.lamps), self.clock)
        wanted = Desired(version=1, programs=dict(self._city.programs), lamps={name: duty(self._city, name) for name in own.lamps})
        shadow.take(Message(topic="desired", payload=encode(wanted)))
        lamps = {name: LampConfig(line=own.name, address=address) for address, name in enumerate(own.lamps)}
        place = Place(first.lat, first.lon, self._city.timezone)
        return Line(lamps, bus, place, shadow, self._posts, self._out, counters, self.clock)


def _birth(gateway: str) -> Message:
    said = b'{"status":"online","boot":"7f3c0e5a9b1d4c2e8f6a7b3d5c1e9f02","version":"0.1.0","at":"2026-11-25T21:00:00Z"}'
    return Message(topic=topics.state(gateway), payload=said, retain=True)
