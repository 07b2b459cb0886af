"""A week of the demo city as it comes, told by who tells it in a city that runs; only time, broker and cables are those of a test.

The week is the past that the demo writes (simulators.past). Its last minutes are lived: a gateway with its own drivers, spool and
uplink reads simulated devices on lines that are disturbed, leads a simulated lamp, and says how it is; ingest takes all of it into
the store and says how it is, the api says how good its numbers were and who is missed, and staff have their word.

No simulator has them, so they are made here: the sound level and the cabinet's door that a simulated node tells, the hours of a
worn lamp, and what goes wrong five minutes before the end.
"""

import datetime as dt
import queue
import random
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import msgspec

from api.errands import Errands
from api.estimate import holds
from api.hindsight import FINDINGS, Hindsight
from api.silence import Watch
from api.staff.alarms import Alarms
from api.staff.herald import NOTICE
from edge.config import PortConfig
from edge.drivers import DRIVERS, Driver
from edge.fix import Fix
from edge.health import Health
from edge.observation import Observation
from edge.reader import Counters, Intake, Polls
from edge.satellites import SatelliteClock
from edge.spool import Spool
from edge.uplink import Status, Uplink
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Sample
from firmware_bridge.port import Port
from hoflicht import Reading, batch, topics
from hoflicht.broker import Connected, Event, Message, Received
from hoflicht.catalogue import STAFF, City
from hoflicht.clock import HandClock
from hoflicht.errors import Unavailable
from ingest.checks import Checks
from ingest.desk import Desk
from ingest.health import Health as IngestHealth
from ingest.quarantine import Quarantine
from ingest.signals import Signals
from simulators.devices import Device, Gnss, Node
from simulators.faults import Faults
from simulators.lamps import LampWorld, LitStreet
from simulators.luminaire import Fault as Gone
from simulators.past import Past, days
from simulators.station import WS10, Station
from simulators.weather import weather
from simulators.wire import Wire
from store.answers import Rejected
from store.readings import Store
from tests.certified import enrolled_by_hand, write_authority
from tests.office import Ingest
from tests.wired import Lit

SEED = 4  # few cars wait at the end: whoever joins a longer queue does not get in any more, and no number is shown
# A Saturday in winter: the yard is open and the lamps burn. The past is told more coarsely than the present: of the lamps each half
# hour, of the yards each ten minutes, two minutes ago.
NOW_MS = round(dt.datetime(2026, 12, 19, 17, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)
LIVED_MIN = 50  # the last minutes, from before dusk on: then a lamp has shown of each fault that it has it not
TROUBLE_MIN = 5  # before the end something breaks
WEEK_MS, MINUTE_MS = 7 * 86_400_000, 60_000
BEGAN_MS = NOW_MS - LIVED_MIN * MINUTE_MS
YARD, GATEWAY = "hof-nord", "gw-strasse"
LAMP = "lamp-0001"  # one of the street: each costs a tenth of a second a minute
NETWORK_MS = 180  # to ingest and back, over a mobile network
SMALL_BYTES = 2_000_000  # a spool that is full before Monday
WORN_S = 31_000 * 3_600  # more hours than the others: a lamp that hung elsewhere before
SAID = (Sample("sound_level", 61.5, sensor="noise"), Sample("cabinet_door_open", 0.0, site="cabinet-07", sensor="door"))
DISTURBED = 200.0  # times an hour, a line that needs a person
TOGETHER = 40  # batches of the past that ingest takes in at once
ROUNDS = 300  # of the uplink, half a minute: the readings of a minute are long gone then
PATIENCE_S = 20.0  # of the api, on a busy machine


class Way:
    """Broker and ingest in one: what is published is settled at the desk, and answered a moment later."""

    def __init__(self, desk: Desk, clock: HandClock) -> None:
        self._desk, self._clock = desk, clock
        self._events: deque[Event] = deque([Connected()])

    def publish(self, message: Message) -> int:
        if message.topic == topics.batches(GATEWAY):
            self._clock.advance(NETWORK_MS)
            self._events += [Received(each, 0, 1, 1) for each in settled(self._desk, [message])]
        return 0

    def event(self, timeout_s: float) -> Event | None:
        return self._events.popleft() if self._events else None

    def acknowledge(self, received: Received) -> None:
        """Nobody here forgets anything."""


def settled(desk: Desk, messages: Sequence[Message]) -> list[Message]:
    """Let ingest take them in; its receipts."""
    done = desk.settle([desk.opened(Received(message, 0, 1, 1)) for message in messages], threading.Event())
    return [one.receipt for one in done or [] if one.receipt is not None]


class Stumbling:
    """A store whose database is away for some writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failing = 0

    def write_lines(self, written: Sequence[bytes]) -> list[Rejected]:
        if self.failing:
            self.failing -= 1
            raise Unavailable("the database is away")
        return self._store.write_lines(written)


class Cable:
    """A device, the line that it hangs on, and what a gateway takes from there."""

    def __init__(
        self, config: PortConfig, device: Device, out: "queue.Queue[Observation]", driver: Driver, faults: Faults | None
    ) -> None:
        self.device, self.counters = device, Counters(is_open=True)
        kind = DEVICES[config.driver]
        self._polls = Polls(kind.polls(kind.address if config.address is None else config.address), kind.poll_every_s)
        self._hears_requests = kind.hears_requests
        self._intake = Intake(config, driver, out, self.counters)
        self._faults = faults

    def live(self, clock: HandClock) -> None:
        """What has come since the last time, and the answer to what is asked now."""
        said = self.device.said(clock.now_ms())
        request = self._polls.next(clock.monotonic_ms())
        if request is not None:
            said += (request if self._hears_requests else b"") + self.device.heard(request)
        arrives = said if self._faults is None else self._faults.spoil(said, self._faults.now(clock.now_ms()))
        self._intake.take(arrives, clock.monotonic_ms())


class Post:
    """The gateway of the street: a lamp, a weather station, a node that hears and sees, a satellite receiver, a lidar."""

    def __init__(self, city: City, folder: Path, clock: HandClock, desk: Desk, stack: ExitStack) -> None:
        self._clock = clock
        self._street = LitStreet(city, SEED, clock.now_ms())
        self._gear = self._street.hang(1, LAMP)
        self._gear.lamp.on_s += WORN_S
        self._world = LampWorld({LAMP: self._gear}, self._street)
        self._lit = Lit(folder, [self._gear], clock)
        self._lit.want(city.programs["hauptstrasse"], lighting_class="M3")
        self._node = Node(1)
        self._cables = {each[0]: self._hung(*each) for each in self._devices(city)}
        self._wire = stack.enter_context(Wire(folder / "lidar"))
        self._lidar, self._broken = Counters(), False
        self._port = stack.enter_context(Port(str(folder / "lidar"), DEVICES["tfmini"].line))
        self._spool = stack.enter_context(Spool(folder / "spool.db", SMALL_BYTES, clock))
        self._way, status = Way(desk, clock), Status()
        birth = Message(topic=topics.state(GATEWAY), payload=b"online")
        self._uplink = Uplink(self._way, self._spool, GATEWAY, lambda: birth, {}, status=status, clock=clock)
        ports = {name: cable.counters for name, cable in self._cables.items()}
        ports |= {"dali-1": self._lit.counters, "lidar": self._lidar}
        certificate = enrolled_by_hand(write_authority(folder), "gw-a", folder / "enrolled").cert_file
        self._health = Health(GATEWAY, status, ports, SMALL_BYTES, clock, folder, Path(certificate))

    def _devices(self, city: City) -> Iterator[tuple[str, str, str, Device]]:
        zone, place = ZoneInfo(city.timezone), city.lamps[LAMP]

        def measure(at_ms: int) -> Mapping[str, float]:
            measured: dict[str, float] = msgspec.structs.asdict(weather(SEED, LAMP, at_ms, place.lat, place.lon, zone))
            return measured

        yield "weather", "lufft-umb", LAMP, Station(WS10, measure)
        yield "gnss", "nmea", GATEWAY, Gnss(place.lat, place.lon, random.Random(SEED))
        yield "noise", "node", LAMP, self._node

    def _hung(self, name: str, driver: str, site: str, device: Device) -> Cable:
        config = PortConfig(path=name, driver=driver, site=site, sensor=name, average_s=30)
        takes = Fix(config, SatelliteClock(self._clock)) if driver == "nmea" else DRIVERS[driver](config)
        faults = Faults(DISTURBED, random.Random(SEED), self._clock.now_ms()) if driver == "node" else None
        return Cable(config, device, self._lit.out, takes, faults)

    def live(self, until_ms: int) -> None:
        """Second by second; then say how it is, and send all of it."""
        self._world.advance(self._clock.now_ms())
        if self._broken:
            self._gear.lamp.faults.add(Gone.LAMP_FAILURE)
        while self._clock.now_ms() < until_ms:
            self._node.tell(SAID)
            for cable in self._cables.values():
                cable.live(self._clock)
            self._lit.live(1.0)
        self._port.read(0)
        self._lidar.is_open, self._lidar.errors = self._port.is_open, self._port.errors
        self._spool.keep([*self._lit.told, *self._health.look(self._spool.state())])
        self._lit.told.clear()
        self._send()

    def break_something(self) -> None:
        """A lamp, and the plug of the lidar falls out."""
        self._broken = True
        self._wire.unplug()

    def _send(self) -> None:
        for _ in range(ROUNDS):
            event = self._way.event(0)
            if event is not None:
                self._uplink.handle(event)
            self._uplink.go_on()
            self._clock.advance(100)
            if not self._spool.state().rows:
                return
        raise AssertionError("ingest does not take what the spool holds")


def live(city: City, store: Store, folder: Path) -> int:
    """Write the week into `store`; return when it ends, a moment after NOW_MS."""
    clock = HandClock(BEGAN_MS)
    stumbling = Stumbling(store)
    with ExitStack() as stack:
        quarantine = stack.enter_context(closing(Quarantine(folder / "quarantine.db")))
        desk = Desk(Checks(city), cast("Store", stumbling), quarantine, clock, IngestHealth(clock, "mend it"))
        signals = Signals("ingest", store, quarantine, clock)
        past = stack.enter_context(Past(city, SEED, NOW_MS - WEEK_MS))
        for _, end_ms in days(city, NOW_MS - WEEK_MS, BEGAN_MS):
            _tell(past.sent(end_ms), desk)
        post = Post(city, folder, clock, desk, stack)
        for minute in range(LIVED_MIN):
            post.live(BEGAN_MS + (minute + 1) * MINUTE_MS)
            signals.tell()
            if minute == LIVED_MIN - TROUBLE_MIN:
                post.break_something()
                stumbling.failing = 1
                unknown = Reading(LAMP, "nobody-knows-me", "temperature", clock.now_ms(), 8.0)
                settled(desk, [batch.batch(GATEWAY, b"odd", [unknown])])
        _tell(((gateway, [each for each in told if each.site != LAMP]) for gateway, told in past.sent(NOW_MS)), desk)
        _have_their_word(city, store, clock)
    return clock.now_ms() + 1


def _tell(told: Iterable[tuple[str, list[Reading]]], desk: Desk) -> None:
    """Let ingest take in the past, as the demo sends it."""
    sent = (batch.batch(gateway, b"past", readings) for gateway, readings in told if readings)
    while together := list(islice(sent, TOGETHER)):
        settled(desk, together)


def _have_their_word(city: City, store: Store, clock: HandClock) -> None:
    """The api's: how good its numbers were, and who is missed; and staff's, of a yard and of a lamp that does not light."""
    errands, findings = Errands(PATIENCE_S), queue.Queue[Sequence[Reading]](FINDINGS)
    Hindsight(store, city, clock, findings).look(threading.Event())
    ingest = Ingest(city, store, clock, errands)
    try:
        errands.run(findings.get_nowait())
        Watch(city, store, errands, clock).look()
        errands.run([holds.word(YARD, clock.now_ms(), 600), Reading(YARD, STAFF, NOTICE, clock.now_ms(), 1.0)])
        errands.run(Alarms(store, city, clock).words(LAMP, "lamp_failure"))
    finally:
        ingest.close()
