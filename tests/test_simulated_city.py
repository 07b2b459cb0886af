"""The simulated city: each sensor of the catalogue has a port, worlds tell their devices in time, the command runs and ends."""

import multiprocessing
import random
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise, takewhile
from pathlib import Path

import pytest
from msgspec.structs import replace

from firmware_bridge import ibis, ops243
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Frame, Sample
from firmware_bridge.port import Port
from hoflicht.catalogue import ESTIMATE, City, Gateway, sensors_by_site
from hoflicht.cli import main
from hoflicht.reading import Reading
from hoflicht.wait import TRUST_CODES, Trust
from simulators.city import Line
from simulators.devices import Node, Ops243, Tfmini
from simulators.estimates import Estimates
from simulators.faults import Faults
from simulators.layout import LinePlan, PortPlan, SignPlan, layout
from simulators.life import life
from simulators.street import Vehicle
from simulators.teller import Teller
from simulators.wire import Wire
from simulators.world import TrafficWorld, YardWorld
from simulators.yard import Event
from tests.roles import cpu_s

ROOT = Path(__file__).parent.parent
CITY = ROOT / "simulators" / "city.toml"
HOUR_MS = 3_600_000
PATIENCE_S = 20.0  # a loaded machine takes a while to start a process


# Layout


def test_the_ports_of_a_small_yard(city: City) -> None:
    plan = layout(city)["gw-hof-mitte"]

    assert plan.ports == (
        PortPlan("lane-in", "ops243", "hof-mitte", "lane-in"),
        PortPlan("lane-3", "tfmini", "hof-mitte", "lane-3"),
        PortPlan("node", "node", "hof-mitte", ""),
    )
    assert plan.signs == (SignPlan("sign", "hof-mitte"),)


def test_the_ports_of_the_street(city: City) -> None:
    plan = layout(city)["gw-strasse"]

    assert [(port.name, port.driver) for port in plan.ports] == [
        ("lamp-0001-traffic", "ops243"),
        ("lamp-0012-air", "sds011"),
        ("lamp-0012-traffic", "ops243"),
        ("cabinet-07-meter", "sdm630"),
    ]
    assert plan.lines == (LinePlan("dali-1", tuple(city.lamps)),)
    assert plan.signs == ()


def test_a_dali_line_has_addresses_for_64_lamps(city: City) -> None:
    many = replace(city, lamps={f"lamp-{n:03}": city.lamps["lamp-0002"] for n in range(130)}, groups=city.groups)

    assert [(line.name, len(line.lamps)) for line in layout(many)["gw-strasse"].lines] == [
        ("dali-1", 64),
        ("dali-2", 64),
        ("dali-3", 2),
    ]


def test_every_sensor_of_the_catalogue_has_a_port_and_every_driver_is_known(city: City) -> None:
    plans = layout(city).values()
    ports = [port for plan in plans for port in plan.ports]
    named = {(port.site, port.sensor) for port in ports if port.sensor}
    named |= {(lamp, "driver") for plan in plans for line in plan.lines for lamp in line.lamps}
    by_nodes = {port.site for port in ports if not port.sensor}

    assert {port.driver for port in ports} <= set(DEVICES)
    for site, sensors in sensors_by_site(city).items():
        assert [(site, s) for s in sensors - {ESTIMATE} if (site, s) not in named and site not in by_nodes] == []


def test_a_gateway_of_two_yards_has_two_signs_and_no_port_twice(city: City) -> None:
    both = replace(city, gateways={"gw": Gateway(sites=("hof-nord", "hof-west", "lamp-000*"))})
    plan = layout(both)["gw"]

    assert len(set(plan.names)) == len(plan.names) == len(plan.ports) + 3
    assert plan.signs == (SignPlan("hof-nord-sign", "hof-nord"), SignPlan("hof-west-sign", "hof-west"))


# Worlds


def told(node: Node) -> list[Sample]:
    frames = DEVICES["node"].decoder().feed(node.said(0))
    return [sample for frame in frames if isinstance(frame, Frame) for sample in frame.samples]


def nord(city: City, events: list[Event], start_ms: int) -> tuple[YardWorld, Tfmini, Ops243, Node]:
    lidar, radar, node = Tfmini(random.Random(1)), Ops243(), Node(1)
    for command in ops243.START:
        radar.heard(command)
    return (
        YardWorld(city.yards["hof-nord"], iter(events), {"lane-3": lidar, "lane-in": radar}, node, start_ms),
        lidar,
        radar,
        node,
    )


def test_a_yards_events_reach_the_device_that_sees_them_at_their_instant(city: City) -> None:
    events = [
        Event(2_000, "lane-in", "passage", 1.0),
        Event(2_000, "lane-in", "speed", 4.5),
        Event(3_000, "lane-3", "presence", 1.0),
        Event(4_000, "gate-in", "passage", 1.0),
    ]
    world, lidar, radar, node = nord(city, events, start_ms=1_000)
    world.advance(1_000)
    told(node)
    early = (radar.said(0), lidar.covered, told(node))
    world.advance(2_050)
    passed = radar.said(0)
    world.advance(4_100)

    assert early == (b"", False, [])
    assert passed == b'{"DetectedObjectVelocity":"4.5","direction":"inbound"}\r\n'
    assert lidar.covered
    assert told(node) == [Sample("passage", 1.0, sensor="gate-in", age_ms=100)]


def test_what_happened_before_the_start_has_left_its_traces_but_is_not_told(city: City) -> None:
    events = [
        Event(2_000, "lane-in", "speed", 4.5),
        Event(2_000, "lane-3", "presence", 1.0),
        Event(3_000, "gate-in", "passage", 1.0),
        Event(3_000, "bay-2", "occupied", 1.0),
        Event(99_000, "bay-2", "occupied", 0.0),
    ]
    world, lidar, radar, node = nord(city, events, start_ms=50_000)
    world.advance(50_000)

    assert (radar.said(0), lidar.covered) == (b"", True)
    assert [(sample.sensor, sample.value) for sample in told(node)] == [
        ("barrier", 0.0),
        ("bay-1", 0.0),
        ("bay-2", 1.0),
        ("bay-3", 0.0),
        ("bay-4", 0.0),
    ]


def test_a_node_repeats_its_states_every_half_minute(city: City) -> None:
    world, _, _, node = nord(city, [], start_ms=0)
    counts = []
    for at_ms in (0, 10_000, 29_900, 30_000, 59_900, 60_000):
        world.advance(at_ms)
        counts.append(len(told(node)))

    assert counts == [5, 0, 0, 5, 0, 5]


def test_a_radar_on_the_street_sees_each_vehicle_once() -> None:
    vehicles = [Vehicle(1_500, 11.0), Vehicle(2_500, 12.0), Vehicle(2_500, 13.0)]
    radar = Ops243()
    world = TrafficWorld(lambda start, end: (v for v in vehicles if start <= v.at_ms < end), radar, 1_000)
    said = []
    for at_ms in (900, 1_500, 1_600, 2_500, 2_501, 9_000):
        world.advance(at_ms)
        said.append(radar.said(at_ms))

    assert said == [b"", b"", b"11.0\r\n", b"", b"12.0\r\n13.0\r\n", b""]


# Lines


class Counting(Node):
    """A node that counts how often it got power."""

    starts = 0

    def start(self) -> None:
        super().start()
        self.starts += 1


def test_a_pulled_plug_comes_back_and_costs_the_device_its_power(tmp_path: Path) -> None:
    node, plugged = Counting(1), list[bool]()
    with Wire(tmp_path / "port") as wire, selectors.DefaultSelector() as selector:
        line = Line(wire, node, Faults(3_600, random.Random(1), 0))
        selector.register(wire, selectors.EVENT_READ, line)
        for now_ms in range(0, HOUR_MS, 1_000):
            line.speak(now_ms, selector)
            plugged.append(wire.is_plugged_in)
            assert wire.is_plugged_in == (wire.fileno() in {key.fd for key in selector.get_map().values()})

    pulled = sum(before and not after for before, after in pairwise(plugged))
    assert pulled > 3
    assert node.starts == 1 + pulled - (not plugged[-1])


# The past


WEDNESDAY_MS = 1_764_115_200_000  # 2025-11-26, midnight in UTC
DAY_MS = 86_400_000


def lived(city: City, yard: str, start_ms: int, end_ms: int) -> list[Reading]:
    events = life(yard, city, 1, start_ms)
    return [Reading(yard, e.sensor, e.quantity, e.at_ms, e.value) for e in takewhile(lambda e: e.at_ms < end_ms, events)]


@pytest.mark.slow
def test_past_estimates_are_those_of_an_api_that_learnt_each_night_and_tell_how_far_they_were_off(city: City) -> None:
    yard, end_ms = "hof-mitte", WEDNESDAY_MS + 2 * DAY_MS
    past = Estimates(yard, city, WEDNESDAY_MS)
    for reading in lived(city, yard, WEDNESDAY_MS, end_ms):
        past.hear(reading)
    first = list(past.told(WEDNESDAY_MS, WEDNESDAY_MS + DAY_MS))
    second = list(past.told(WEDNESDAY_MS + DAY_MS, end_ms))

    trusts = [{r.value for r in day if r.quantity == "wait_trust"} for day in (first, second)]
    scored = [{r.at_ms // DAY_MS * DAY_MS for r in day if r.quantity == "error_mean"} for day in (first, second)]
    assert trusts == [{TRUST_CODES[Trust.CONFIGURED]}, {TRUST_CODES[Trust.MEASURED]}]
    assert scored == [set(), {WEDNESDAY_MS}]


@pytest.mark.slow
def test_a_process_of_its_own_tells_the_same_past_and_ends_with_who_asks(city: City) -> None:
    yard, until_ms = "hof-mitte", WEDNESDAY_MS + DAY_MS // 2
    here = Estimates(yard, city, WEDNESDAY_MS)
    for reading in lived(city, yard, WEDNESDAY_MS, until_ms):
        here.hear(reading)
    with closing(Teller(yard, city, 1, WEDNESDAY_MS)) as teller:
        teller.ask(WEDNESDAY_MS, until_ms)
        told = teller.told()
    left = [process.name for process in multiprocessing.active_children()]

    assert told == list(here.told(WEDNESDAY_MS, until_ms))
    assert len(told) > 100
    assert left == []


# The command


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = ["simulate", str(CITY), "--ports", str(tmp_path / "ports"), "--signs", str(tmp_path / "signs")]
    with subprocess.Popen([sys.executable, "-m", "hoflicht", *command], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE_S
        while not (tmp_path / "ports" / "gw-strasse" / "dali-1").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield process
        if process.poll() is None:
            process.kill()


def samples(path: Path, driver: str, at_least: int) -> list[Sample]:
    """What a gateway's port hears there, as a gateway sets up and asks."""
    device = DEVICES[driver]
    decoder = device.decoder()
    heard: list[Sample] = []
    deadline = time.monotonic() + PATIENCE_S
    with Port(str(path), device.line) as port:
        while len(heard) < at_least and time.monotonic() < deadline:
            for request in (*device.start, *device.polls(device.address)):
                list(decoder.feed(request))
                port.write(request)
            items = decoder.feed(port.read(0.3))
            heard += [sample for item in items if isinstance(item, Frame) for sample in item.samples]
    return heard


def test_a_gateway_finds_the_city_at_its_ports_and_a_signal_ends_it(running: subprocess.Popen[bytes], tmp_path: Path) -> None:
    ports, sign = tmp_path / "ports", tmp_path / "signs" / "hof-nord.txt"
    lidar = samples(ports / "gw-hof-nord" / "lane-3", "tfmini", at_least=20)
    meter = samples(ports / "gw-strasse" / "cabinet-07-meter", "sdm630", at_least=10)
    air = samples(ports / "gw-hof-nord" / "air", "sps30", at_least=10)
    node = samples(ports / "gw-hof-mitte" / "node", "node", at_least=0)
    with Port(str(ports / "gw-hof-nord" / "sign"), ibis.LINE) as port:
        port.write(ibis.ds009("WARTEZEIT 25 MIN"))
        deadline = time.monotonic() + PATIENCE_S
        while sign.read_text(encoding="utf-8") != "WARTEZEIT 25 MIN\n" and time.monotonic() < deadline:
            time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    code = running.wait(PATIENCE_S)

    assert {sample.quantity for sample in lidar} == {"distance", "temperature"}
    assert {sample.quantity for sample in air} >= {"pm1", "pm2_5", "pm4", "pm10"}
    assert {sample.quantity for sample in meter} >= {"voltage_l1", "active_power", "energy_import"}
    assert {sample.sensor for sample in node} <= {"barrier", "gate-in"}
    assert sign.read_text(encoding="utf-8") == "WARTEZEIT 25 MIN\n"
    assert code == 0
    assert [path for path in ports.rglob("*") if path.is_symlink()] == []


def test_the_whole_city_needs_a_small_part_of_one_core(running: subprocess.Popen[bytes]) -> None:
    time.sleep(1.0)  # the start is not what is measured
    before_s = cpu_s(running.pid)
    time.sleep(3.0)

    assert (cpu_s(running.pid) - before_s) / 3.0 < 0.15


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--ports", "/dev/null/ports"], "choose another folder with --ports"),
        (["--ports", "/tmp", "--faults", "-1"], "--faults -1: from 0 to 3600 an hour"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert main(["simulate", str(CITY), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
