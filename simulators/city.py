"""`hoflicht simulate`: a city's sensors and signs on pseudo-terminals, in real time, from one seed."""

import argparse
import datetime as dt
import random
import selectors
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

from firmware_bridge.frames import Sample
from hoflicht import logs, stop
from hoflicht.catalogue import City, Role, load_city
from hoflicht.clock import Clock, SystemClock
from simulators.devices import Device, Node, Ops243, Sdm630, Sds011, Sps30, Tfmini
from simulators.layout import PortPlan, layout
from simulators.sign import Sign
from simulators.street import Street
from simulators.wire import Wire
from simulators.yard import Event, day

TICK_S = 0.1  # ten frames of a lidar at once: a hundred wake-ups a second would cost more than the frames
STATES_MS = 30_000  # a node repeats its states
LAMPS_MS = 60_000  # each lamp reports
LAMP_NODE, YARD_NODE = 100, 1  # node numbers: the first lamp's, and a yard's only one


def main(argv: list[str]) -> int:
    """Run until a signal."""
    parser = argparse.ArgumentParser(
        prog="hoflicht simulate",
        description="A city's sensors and signs on pseudo-terminals that speak the real byte protocols, in real time.",
    )
    parser.add_argument("city", type=Path, help="the catalogue, a TOML file")
    parser.add_argument("--ports", type=Path, required=True, help="folder for the ports: DIR/<gateway>/<port>")
    parser.add_argument("--signs", type=Path, help="folder where each sign's text can be read: DIR/<yard>.txt")
    parser.add_argument("--seed", type=int, default=1, help="another number is another city life (default: 1)")
    parser.add_argument(
        "--start-at", type=int, metavar="MS", help="say nothing of what happened before (Unix epoch, ms; default: now)"
    )
    parser.add_argument(
        "--faults", type=float, default=0.0, metavar="SHARE", help="of bytes that arrive wrong, 0 to 1 (default: 0)"
    )
    options = parser.parse_args(argv)
    logs.to_stderr()
    city = load_city(options.city)
    stopping = stop.on_signals()
    clock = SystemClock()
    start_ms = options.start_at or clock.now_ms()
    with ExitStack() as stack:
        lines = _lines(city, options.ports, options.signs, options.seed, start_ms, stack)
        run(lines, clock, random.Random(options.seed), options.faults, stopping)
    return 1 if stopping.failed else 0


class Line:
    """One device on its wire; `advance` lets the world around it go on."""

    def __init__(self, wire: Wire, device: Device, advance: Callable[[int], None]) -> None:
        self.wire = wire
        self.device = device
        self.advance = advance


def run(lines: list[Line], clock: Clock, rng: random.Random, faults: float, stopping: threading.Event) -> None:
    """Let the devices speak and answer until `stopping`."""
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.wire, selectors.EVENT_READ, line)
        while not stopping.is_set():
            now_ms = clock.now_ms()
            for line in lines:
                line.advance(now_ms)
                _send(line, line.device.said(now_ms), rng, faults)
            due_ms = now_ms + int(TICK_S * 1000)
            while (left_ms := due_ms - clock.now_ms()) > 0:
                for key, _ in selector.select(left_ms / 1000):
                    _send(key.data, key.data.device.heard(key.data.wire.read()), rng, faults)


def _send(line: Line, data: bytes, rng: random.Random, faults: float) -> None:
    if data:
        line.wire.write(damaged(data, rng, faults) if faults else data)


def damaged(data: bytes, rng: random.Random, share: float) -> bytes:
    """`data` with one bit wrong in a `share` of its bytes."""
    return bytes(byte ^ (1 << rng.randrange(8)) if rng.random() < share else byte for byte in data)


def _lines(city: City, ports: Path, signs: Path | None, seed: int, start_ms: int, stack: ExitStack) -> list[Line]:
    street = Street(city, seed)
    lines: list[Line] = []
    for gateway, plan in layout(city).items():
        wires = {port.name: stack.enter_context(Wire(ports / gateway / port.name)) for port in plan.ports}
        if plan.sign_of is not None:
            file = signs / f"{plan.sign_of}.txt" if signs else None
            lines.append(Line(stack.enter_context(Wire(ports / gateway / "sign")), Sign(file), _nothing))
            devices = {port.name: _yard_device(port, street, seed) for port in plan.ports if port.site == plan.sign_of}
            world = YardWorld(plan.sign_of, city, seed, start_ms, devices)
            lines += [Line(wires[name], device, _nothing) for name, device in devices.items()]
            lines[-1].advance = world.advance
        for port in plan.ports:
            if port.site not in city.yards:
                device, advance = _street_device(port, city, street, start_ms)
                lines.append(Line(wires[port.name], device, advance))
    # The worlds go on before their devices speak.
    return sorted(lines, key=lambda line: line.advance is _nothing)


def _nothing(_now_ms: int) -> None:
    pass


def _yard_device(port: PortPlan, street: Street, seed: int) -> Device:
    if port.driver == "ops243":
        return Ops243()
    if port.driver == "tfmini":
        return Tfmini(random.Random(f"{seed}/{port.site}/{port.name}"))
    if port.driver == "sps30":
        return Sps30(lambda now_ms: street.air(port.site, now_ms))
    return Node(YARD_NODE)


class YardWorld:
    """What happens at a yard, told to its devices at the right instant."""

    def __init__(self, yard: str, city: City, seed: int, start_ms: int, devices: dict[str, Device]) -> None:
        self._sensors = city.yards[yard].sensors
        self._devices = devices
        self._start_ms = start_ms
        self._events = _days(yard, city, seed, start_ms)
        self._next = next(self._events)
        self._states: dict[tuple[str, str], float] = {}
        self._repeat_ms = start_ms

    def advance(self, now_ms: int) -> None:
        """Let happen what is due."""
        while self._next.at_ms <= now_ms:
            self._happen(self._next, now_ms)
            self._next = next(self._events)
        node = self._devices.get("node")
        if isinstance(node, Node) and now_ms >= self._repeat_ms and self._states:
            self._repeat_ms = now_ms + STATES_MS
            node.tell([Sample(quantity, value, sensor=sensor) for (sensor, quantity), value in self._states.items()])

    def _happen(self, event: Event, now_ms: int) -> None:
        device = self._devices.get(event.sensor)
        if isinstance(device, Tfmini):
            device.covered = event.value > 0.5
        elif isinstance(device, Ops243):
            if event.quantity == "speed" and event.at_ms >= self._start_ms:
                device.passed(event.value)
        else:
            self._to_node(event, now_ms)

    def _to_node(self, event: Event, now_ms: int) -> None:
        if self._sensors[event.sensor].role in (Role.GATE, Role.BAY):
            self._states[event.sensor, event.quantity] = event.value
        node = self._devices.get("node")
        if isinstance(node, Node) and event.at_ms >= self._start_ms:
            node.tell([Sample(event.quantity, event.value, sensor=event.sensor, age_ms=max(0, now_ms - event.at_ms))])


def _days(yard: str, city: City, seed: int, start_ms: int) -> Iterator[Event]:
    """The yard's life from the day of `start_ms` on, for ever."""
    on = dt.datetime.fromtimestamp(start_ms / 1000, ZoneInfo(city.timezone)).date()
    while True:
        today = day(yard, city, on, seed)
        if today is not None:
            yield from today.events()
        on += dt.timedelta(days=1)


def _street_device(port: PortPlan, city: City, street: Street, start_ms: int) -> tuple[Device, Callable[[int], None]]:
    if port.driver == "sds011":
        return Sds011(lambda now_ms: street.air(port.site, now_ms)), _nothing
    if port.driver == "sdm630":
        return Sdm630(street.cabinet), _nothing
    if port.driver == "ops243":
        radar = Ops243()
        return radar, Traffic(radar, port.site, street, start_ms).advance
    lamps = Lamps(city, street, start_ms)
    return lamps, lamps.advance


class Traffic:
    """Vehicles on the street, told to a radar."""

    def __init__(self, radar: Ops243, where: str, street: Street, start_ms: int) -> None:
        self._radar, self._where, self._street = radar, where, street
        self._until_ms = start_ms

    def advance(self, now_ms: int) -> None:
        """Let drive by who is due."""
        for vehicle in self._street.traffic(self._where, self._until_ms, now_ms):
            self._radar.passed(vehicle.speed_m_s)
        self._until_ms = max(now_ms, self._until_ms)


class Lamps:
    """The nodes of all lamps on one line; each reports once a minute, one after the other."""

    def __init__(self, city: City, street: Street, start_ms: int) -> None:
        self._street = street
        self._nodes = {name: Node(LAMP_NODE + n) for n, name in enumerate(city.lamps)}
        gap_ms = LAMPS_MS // max(1, len(self._nodes))
        self._due_ms = {name: start_ms + n * gap_ms for n, name in enumerate(self._nodes)}

    def advance(self, now_ms: int) -> None:
        """Let report who is due."""
        for name, node in self._nodes.items():
            if now_ms >= self._due_ms[name]:
                self._due_ms[name] = now_ms + LAMPS_MS
                node.tell(self._street.lamp(name, now_ms))

    def said(self, now_ms: int) -> bytes:
        """What all nodes have to say."""
        return b"".join(node.said(now_ms) for node in self._nodes.values())

    def heard(self, data: bytes) -> bytes:
        """Nothing: nodes only speak."""
        return b""
