"""Devices at the ports of three gateways, on real ptys, whose plugs can be pulled."""

import random
import threading
import time
from pathlib import Path

from firmware_bridge.frames import Sample
from simulators.air import Air
from simulators.devices import Device, Node, Ops243, Sds011, Sps30, Tfmini
from simulators.meter import SDM630, Meter
from simulators.wire import Wire

TICK_S = 0.1
AIR = Air(pm1=5.2, pm2_5=7.4, pm4=9.1, pm10=12.3, temperature=11.0)

PORTS = {
    "gw-hof-nord": """
[ports.radar]
path = "ports/gw-hof-nord/radar"
driver = "ops243"
site = "hof-nord"
sensor = "lane-in"
together_s = 0
[ports.lidar]
path = "ports/gw-hof-nord/lidar"
driver = "tfmini"
site = "hof-nord"
sensor = "lane-3"
average_s = 1
[ports.air]
path = "ports/gw-hof-nord/air"
driver = "sps30"
site = "hof-nord"
sensor = "air"
average_s = 2
[ports.node]
path = "ports/gw-hof-nord/node"
driver = "node"
site = "hof-nord"
""",
    "gw-hof-west": """
[ports.radar]
path = "ports/gw-hof-west/radar"
driver = "ops243"
site = "hof-west"
sensor = "lane-in"
together_s = 0
[ports.lidar]
path = "ports/gw-hof-west/lidar"
driver = "tfmini"
site = "hof-west"
sensor = "lane-50"
average_s = 1
[ports.node]
path = "ports/gw-hof-west/node"
driver = "node"
site = "hof-west"
""",
    "gw-strasse": """
[ports.air]
path = "ports/gw-strasse/air"
driver = "sds011"
site = "lamp-0012"
sensor = "air"
average_s = 1
[ports.meter]
path = "ports/gw-strasse/meter"
driver = "sdm630"
site = "cabinet-07"
sensor = "meter"
average_s = 5
[ports.lamps]
path = "ports/gw-strasse/lamps"
driver = "node"
""",
}


class Lines:
    """All devices of the three gateways, in one thread; `<folder>/ports/<gateway>/<port>` are the gateways' ends."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self._rng = rng
        self._devices: dict[str, Device] = {
            "gw-hof-nord/radar": Ops243(),
            "gw-hof-nord/lidar": Tfmini(random.Random(1)),
            "gw-hof-nord/air": Sps30(lambda _at_ms: AIR),
            "gw-hof-nord/node": Node(1),
            "gw-hof-west/radar": Ops243(),
            "gw-hof-west/lidar": Tfmini(random.Random(2)),
            "gw-hof-west/node": Node(2),
            "gw-strasse/air": Sds011(lambda _at_ms: AIR),
            "gw-strasse/meter": Meter(SDM630, lambda at_ms: {"frequency": 50.0, "energy_import": (at_ms % 10**9) / 1e3}),
            "gw-strasse/lamps": Node(3),
        }
        self._wires = {name: Wire(folder / "ports" / name) for name in self._devices}
        self._lock = threading.Lock()  # a plug is not pulled in the middle of a byte
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="devices")

    @property
    def names(self) -> list[str]:
        return list(self._devices)

    def __enter__(self) -> "Lines":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.fall_silent()
        for wire in self._wires.values():
            wire.unplug()

    def fall_silent(self) -> None:
        """The devices say nothing any more; their plugs stay in."""
        self._ending.set()
        self._thread.join()

    def unplug(self, name: str) -> None:
        with self._lock:
            self._wires[name].unplug()

    def plug_in(self, name: str) -> None:
        """The device gets its power back, and has forgotten what it was told."""
        with self._lock:
            self._wires[name].plug_in()
            self._devices[name].start()

    def _run(self) -> None:
        while not self._ending.wait(TICK_S):
            now_ms = time.time_ns() // 1_000_000
            self._happen()
            with self._lock:
                for name, wire in self._wires.items():
                    wire.write(self._devices[name].heard(wire.read()) + self._devices[name].said(now_ms))

    def _happen(self) -> None:
        """Cars come and go, lamps tell how they are."""
        for device in self._devices.values():
            if isinstance(device, Ops243) and self._rng.random() < 0.1:
                device.passed(self._rng.uniform(2, 9))
            if isinstance(device, Tfmini) and self._rng.random() < 0.05:
                device.covered = not device.covered
        for name in ("gw-hof-nord/node", "gw-hof-west/node"):
            self._tell(name, 0.2, [Sample("passage", 1.0, sensor="gate-in", age_ms=self._rng.randrange(50))])
        lamp = f"lamp-{self._rng.randrange(1, 25):04d}"
        self._tell(
            "gw-strasse/lamps", 0.5, [Sample("active_power", round(self._rng.uniform(0, 60), 1), sensor="driver", site=lamp)]
        )

    def _tell(self, name: str, how_often: float, samples: list[Sample]) -> None:
        node = self._devices[name]
        assert isinstance(node, Node)
        if self._rng.random() < how_often:
            node.tell(samples)
