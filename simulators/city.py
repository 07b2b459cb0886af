"""`hoflicht simulate`: a city's sensors and signs on pseudo-terminals, in real time, from one seed."""

import argparse
import functools
import heapq
import random
import selectors
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

from hoflicht import logs, stop
from hoflicht.catalogue import City, load_city
from hoflicht.clock import Clock, SystemClock
from hoflicht.errors import BadConfig
from simulators import load
from simulators.devices import Device, Node, Ops243, Sds011, Sps30, Tfmini
from simulators.faults import Fault, Faults
from simulators.lamps import LampWorld, LitStreet
from simulators.layout import LinePlan, PortPlan, layout
from simulators.life import life
from simulators.luba import Luba
from simulators.meter import SDM630, Meter
from simulators.sign import Sign
from simulators.street import Vehicle
from simulators.walkers import Walker, walkers
from simulators.wire import Wire
from simulators.world import TrafficWorld, World, YardWorld

TICK_MS = 100  # ten frames of a lidar at once: a hundred wake-ups a second would cost more than the frames
YARD_NODE = 1  # its number: a yard has only one
MOST_FAULTS_PER_HOUR = 3_600.0  # they are at least a second apart


def main(argv: list[str]) -> int:
    """Run until a signal; exit code 2 where a folder cannot be written. `load` is another city, all gateways and no devices."""
    if argv[:1] == ["load"]:
        return load.main(argv[1:])
    arguments = _parser().parse_args(argv)
    if not 0 <= arguments.faults <= MOST_FAULTS_PER_HOUR:
        raise BadConfig(f"--faults {arguments.faults:g}: from 0 to {MOST_FAULTS_PER_HOUR:g} an hour")
    logs.to_stderr()
    city = load_city(arguments.city)
    stopping = stop.on_signals()
    clock = SystemClock()
    start_ms = clock.now_ms() if arguments.start_at is None else arguments.start_at
    with ExitStack() as stack:
        try:
            plan = Plan(city, arguments.seed, start_ms, arguments.ports, arguments.signs, arguments.faults, stack)
        except OSError as cause:
            raise BadConfig(f"{cause.filename}: {cause.strerror}; choose another folder with --ports or --signs") from cause
        run(plan.lines, plan.worlds, clock, stopping)
    return 1 if stopping.failed else 0


class Line:
    """One device on its wire."""

    def __init__(self, wire: Wire, device: Device, faults: Faults | None) -> None:
        self.wire = wire
        self.device = device
        self._faults = faults
        self._fault: Fault | None = None

    def speak(self, now_ms: int, selector: selectors.BaseSelector) -> None:
        """Send what the device says by itself; pull the plug or put it in where it is the time."""
        if self._faults is not None:
            self._fault = self._faults.now(now_ms)
            self._plug(self._fault is not Fault.UNPLUGGED, selector)
        self._send(self.device.said(now_ms))

    def answer(self) -> None:
        """Send what the device answers."""
        self._send(self.device.heard(self.wire.read()))

    def _send(self, data: bytes) -> None:
        arrives = data if self._faults is None else self._faults.spoil(data, self._fault)
        if arrives:
            self.wire.write(arrives)

    def _plug(self, wanted: bool, selector: selectors.BaseSelector) -> None:
        if wanted == self.wire.is_plugged_in:
            return
        if wanted:
            self.wire.plug_in()
            self.device.start()
            selector.register(self.wire, selectors.EVENT_READ, self)
        else:
            selector.unregister(self.wire)
            self.wire.unplug()


def run(lines: list[Line], worlds: list[World], clock: Clock, stopping: threading.Event) -> None:
    """Let the city live, its devices speak and answer, until `stopping`."""
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.wire, selectors.EVENT_READ, line)
        while not stopping.is_set():
            now_ms = clock.now_ms()
            for world in worlds:
                world.advance(now_ms)
            for line in lines:
                line.speak(now_ms, selector)
            due_ms = clock.monotonic_ms() + TICK_MS - (clock.now_ms() - now_ms)
            while (left_ms := due_ms - clock.monotonic_ms()) > 0:
                for key, _ in selector.select(left_ms / 1000):
                    key.data.answer()


class Plan:
    """The lines and worlds of a city; wires are closed with `stack`."""

    def __init__(
        self, city: City, seed: int, start_ms: int, ports: Path, signs: Path | None, faults_per_hour: float, stack: ExitStack
    ) -> None:
        self._city, self._seed, self._start_ms, self._signs = city, seed, start_ms, signs
        self._faults_per_hour, self._stack = faults_per_hour, stack
        self._street = LitStreet(city, seed, start_ms)
        self.lines: list[Line] = []
        self.worlds: list[World] = []
        if signs is not None:
            signs.mkdir(parents=True, exist_ok=True)
        for gateway, plan in layout(city).items():
            devices = [(port, self._device(port)) for port in plan.ports]
            for port, device in devices:
                self._line(ports / gateway / port.name, device)
            for line in plan.lines:
                self._line(ports / gateway / line.name, self._luba(line))
            for sign in plan.signs:
                self._line(ports / gateway / sign.name, self._sign(sign.yard))
                self.worlds.append(self._yard(sign.yard, [(port, device) for port, device in devices if port.site == sign.yard]))

    def _line(self, link: Path, device: Device) -> None:
        faults = None
        if self._faults_per_hour:
            faults = Faults(self._faults_per_hour, random.Random(f"{self._seed}/{link.parent.name}/{link.name}"), self._start_ms)
        self.lines.append(Line(self._stack.enter_context(Wire(link)), device, faults))

    def _sign(self, yard: str) -> Sign:
        return Sign(yard, None if self._signs is None else self._signs / f"{yard}.txt")

    def _device(self, port: PortPlan) -> Device:
        if port.driver == "ops243":
            radar = Ops243()
            if port.site in self._city.lamps:
                self.worlds.append(TrafficWorld(functools.partial(self._passing, port.site), radar, self._start_ms))
            return radar
        if port.driver == "tfmini":
            return Tfmini(random.Random(f"{self._seed}/{port.site}/{port.sensor}"))
        if port.driver == "sps30":
            return Sps30(lambda now_ms: self._street.air(port.site, now_ms))
        if port.driver == "sds011":
            return Sds011(lambda now_ms: self._street.air(port.site, now_ms))
        if port.driver == "sdm630":
            return Meter(SDM630, lambda now_ms: self._street.cabinet(port.site, now_ms))
        return Node(YARD_NODE)

    def _passing(self, site: str, start_ms: int, end_ms: int) -> Iterator[Vehicle | Walker]:
        """Who passes a radar on the street; it does not tell wheels from feet."""
        on_foot = walkers(self._seed, site, start_ms, end_ms, ZoneInfo(self._city.timezone))
        return heapq.merge(self._street.traffic(site, start_ms, end_ms), on_foot, key=lambda each: each.at_ms)

    def _luba(self, line: LinePlan) -> Luba:
        gears = {name: self._street.hang(address, name) for address, name in enumerate(line.lamps)}
        self.worlds.append(LampWorld(gears, self._street))
        return Luba(list(gears.values()))

    def _yard(self, yard: str, devices: list[tuple[PortPlan, Device]]) -> YardWorld:
        seen_by = {port.sensor: device for port, device in devices if isinstance(device, Tfmini | Ops243)}
        node = next((device for _, device in devices if isinstance(device, Node)), None)
        events = life(yard, self._city, self._seed, self._start_ms)
        return YardWorld(self._city.yards[yard], events, seen_by, node, self._start_ms)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht simulate",
        description="A city's sensors and signs on pseudo-terminals that speak the real byte protocols, in real time."
        " Ports are links in DIR/<gateway>/<port>; Ctrl-C ends it. `hoflicht simulate load --help`: many gateways at a broker.",
    )
    parser.add_argument("city", metavar="CITY", type=Path, help="the catalogue, a TOML file")
    parser.add_argument("--ports", type=Path, required=True, metavar="DIR", help="folder for the ports")
    parser.add_argument("--signs", type=Path, metavar="DIR", help="folder where each sign's text can be read: <yard>.txt")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another number is another city life (default: 1)")
    parser.add_argument(
        "--faults",
        type=float,
        default=0.0,
        metavar="RATE",
        help="noise, wrong bits, silence, pulled plugs: so many per port and hour",
    )
    parser.add_argument(
        "--start-at", type=int, metavar="MS", help="tell nothing of what happened before (Unix epoch in ms; default: now)"
    )
    return parser
