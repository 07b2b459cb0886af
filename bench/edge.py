"""A gateway with eight ports beside ThingsBoard's: memory and processor time, at the same bytes in the same stretch of time.

Eight simulated devices speak their own protocols, a lidar with a hundred frames a second among them. What each says goes to three
gateways at the same instant: to ours, as deploy/etc/edge.toml has it, with TLS, its own certificate and /metrics that is asked; to
ThingsBoard's (bench/peers/tb_gateway) as it comes, which publishes every value; and to another one of these that publishes the
last value of each minute, its cheapest way and the nearest to our means. Our gateway asks the devices that want to be asked; theirs
cannot, and gets the answers without asking. Ours checks sums, takes means and keeps each reading on disk until it is in the store;
theirs cuts bytes out of what has come and keeps them in its SQLite store. Telegraf has no input for serial lines but Modbus.

`python -m bench.edge day` is a day of ours alone in fast motion, 24 minutes: each second brings what a minute does, means, reports
of health, batches with their receipts, a look at /metrics; cars come as on a busy Saturday. The lidar alone is as slow as ever.
"""

import os
import random
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from bench import show
from bench.peers.tb_gateway import peer
from bench.peers.tb_gateway.peer import Peer
from firmware_bridge.devices import SDM120_REGISTERS
from hoflicht.broker import BrokerConfig
from ingest import mosquitto
from simulators.air import Air
from simulators.devices import Device, Gnss, Ops243, Sds011, Sps30, Tfmini
from simulators.meter import Meter
from simulators.station import WS10, Station
from simulators.utility_meter import UtilityMeter
from simulators.wire import Wire
from tests.certified import enrolled_by_hand, write_authority
from tests.conftest import Mosquitto, free_port, wait_until_listening
from tests.roles import CITY, Role, write_edge, write_ingest

TICK_S = 0.01  # a frame of the lidar
WARM_UP_S = 20.0  # by then all are connected and have used what they use once
ROUNDS, ROUND_S = 4, 30.0  # of some twenty ticks of the kernel's clock for the cheapest of them
MOST_MB, MOST_RATIO = 40, 0.3
GATEWAY, YARD = "gw-a", "hof"
DRIVERS = ("tfmini", "ops243", "sds011", "sps30", "sdm120", "sml", "lufft-umb", "nmea")
AIR = Air(pm1=6.0, pm2_5=8.4, pm4=9.9, pm10=12.1, temperature=11.0)
METER = {"voltage": 230.0, "current": 4.0, "active_power": 900.0, "frequency": 50.0, "energy_import": 1_000.0}
UTILITY_METER = {"energy_import": 1_000.0, "active_power": 900.0, "voltage_l1": 230.0, "current_l1": 4.0, "frequency": 50.0}
WEATHER = {"temperature": 11.0, "humidity": 75.0, "pressure": 1_013.0, "wind_speed": 3.0, "wind_direction": 230.0}
CAR_EVERY_MS = 20_000
CAR_STAYS = 0.4  # of that time
DAY_S, LOOK_S = 1_440, 120  # a day in fast motion, and between two looks at its memory
FAST_CAR_EVERY_MS = 3_000
# What a minute brings comes each second.
FAST = {
    "[spool]\n": "[spool]\npatience_s = 1\n",
    "[ports.tfmini]\n": "[health]\nevery_s = 1\nalive_every_s = 1\n[ports.tfmini]\n",
    f'site = "{YARD}"\n': f'site = "{YARD}"\naverage_s = 1\n',
}
CATALOGUE = f"""
name = "Kleinstadt"
[yards.{YARD}]
name = "Hof"
address = "Weg 1"
lat = 51.4
lon = 6.7
hours.weekly = {{ mon = "08:00-18:00" }}
sensors = {{ {", ".join(f"{driver} = {{}}" for driver in DRIVERS)} }}
[gateways.{GATEWAY}]
sites = ["{YARD}"]
"""


class Used(msgspec.Struct, frozen=True):
    """What a gateway has used so far."""

    cpu_s: float
    peak_mb: float  # VmHWM
    share_mb: float  # now, pages that others have too counted in part: PSS


class Street:
    """The devices, and the lines on which the gateways hear them: ours, which may ask, and those that only listen."""

    def __init__(self, ours: Sequence[Wire], others: Sequence[Sequence[Wire]], car_every_ms: int = CAR_EVERY_MS) -> None:
        rng = random.Random("edge")
        self._car_every_ms = car_every_ms
        self._lidar, self._radar = Tfmini(rng), Ops243()
        devices: tuple[Device, ...] = (
            self._lidar,
            self._radar,
            Sds011(lambda _ms: AIR),
            Sps30(lambda _ms: AIR),
            Meter(SDM120_REGISTERS, lambda _ms: METER),
            UtilityMeter(lambda _ms: UTILITY_METER),
            Station(WS10, lambda _ms: WEATHER),
            Gnss(51.4345, 6.7623, rng),
        )
        self._lines = [(device, ours[n], [each[n] for each in others]) for n, device in enumerate(devices)]
        self._cars = 0

    def live(self, seconds: float) -> None:
        """Let them speak for so long."""
        end_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < end_s:
            self._speak(time.time_ns() // 1_000_000)
            time.sleep(max(0.0, TICK_S - (time.monotonic() - now_s)))

    def _speak(self, now_ms: int) -> None:
        self._lidar.covered = now_ms % self._car_every_ms < self._car_every_ms * CAR_STAYS
        if now_ms // self._car_every_ms != self._cars:
            self._cars = now_ms // self._car_every_ms
            self._radar.passed(4.2)
        for device, ours, others in self._lines:
            said = device.said(now_ms) + device.heard(ours.read())
            if said:
                for wire in (ours, *others):
                    wire.write(said)


class Laboratory(msgspec.Struct, frozen=True):
    """All three gateways at the same devices."""

    street: Street
    edge_pid: int
    http_port: int
    each_value: Peer
    each_minute: Peer

    @property
    def pids(self) -> tuple[int, int, int]:
        """Ours first."""
        return self.edge_pid, self.each_value.pid, self.each_minute.pid


def rows() -> Iterator[str]:
    """The table; a line in its place where a program is missing."""
    try:
        yield from _rows()
    except pytest.skip.Exception as cause:
        yield f"| edge | not measured: {cause} | | | | | |"


def _rows() -> Iterator[str]:
    with TemporaryDirectory() as name, laboratory(Path(name)) as lab:
        lab.street.live(WARM_UP_S)
        used = [[_used(pid) for pid in lab.pids]]
        for _ in range(ROUNDS):
            lab.street.live(ROUND_S)
            _ask(lab.http_port, "metrics")
            used.append([_used(pid) for pid in lab.pids])
        _all_well(lab)
    names = ("tb-gateway, each value", "tb-gateway, the last value of each minute")
    for n, what in enumerate(names, 1):
        yield _cpu_row(what, [one[0].cpu_s for one in used], [one[n].cpu_s for one in used])
    for n, what in enumerate(names, 1):
        yield _memory_row(what, used[-1][0], used[-1][n])


def _cpu_row(what: str, ours: list[float], theirs: list[float]) -> str:
    ratios = sorted((b - a) / (d - c) for a, b, c, d in zip(ours, ours[1:], theirs, theirs[1:], strict=False))
    shares = " | ".join(f"{100 * (one[-1] - one[0]) / ROUNDS / ROUND_S:.2f}" for one in (ours, theirs))
    ratio = f"{statistics.median(ratios):.2f} | {ratios[0]:.2f}–{ratios[-1]:.2f}"
    return f"| edge, eight ports: processor, % of a core | {what} | {shares} | {ratio} | ≤ {MOST_RATIO} × |"


def _memory_row(what: str, ours: Used, theirs: Used) -> str:
    cells = " | ".join(map(_memory, (ours, theirs)))
    return (
        f"| edge, eight ports: peak memory (PSS), MB | {what} | {cells} | {ours.peak_mb / theirs.peak_mb:.2f} | | ≤ {MOST_MB} MB |"
    )


@contextmanager
def laboratory(folder: Path) -> Iterator[Laboratory]:
    """Broker, ingest and the three gateways, while the block runs."""
    with ExitStack() as stack:
        secured = _server(folder, stack)
        wires = {name: _wires(folder / name, stack) for name in ("ours", "each", "last")}
        each_value, each_minute = (_peer(folder, name, every_s, stack) for name, every_s in (("each", 0), ("last", 60)))
        http_port = free_port()
        edge_pid = _edge(folder, _our_config(folder, secured, http_port), http_port, stack)
        yield Laboratory(Street(wires["ours"], [wires["each"], wires["last"]]), edge_pid, http_port, each_value, each_minute)


def day() -> Iterator[str]:
    """A row a look, and what counts is the last."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder, http_port = Path(name), free_port()
        secured = _server(folder, stack)
        street = Street(_wires(folder / "ours", stack), [], FAST_CAR_EVERY_MS)
        config = _our_config(folder, secured, http_port)
        text = config.read_text()
        for slow, fast in FAST.items():
            text = text.replace(slow, fast)
        config.write_text(text)
        pid = _edge(folder, config, http_port, stack)
        for second in range(1, DAY_S + 1):
            street.live(1)
            _ask(http_port, "metrics")
            if second % LOOK_S == 0:
                used = _used(pid)
                hours = second * 24 // DAY_S
                what = f"edge, eight ports: peak memory (PSS) after {hours} h in fast motion, MB"
                yield f"| {what} | - | {_memory(used)} | - | - | - | ≤ {MOST_MB} MB |"
        if not msgspec.json.decode(_ask(http_port, "healthz"))["ok"]:
            raise RuntimeError("our gateway was cheap because it did not work")


def _server(folder: Path, stack: ExitStack) -> BrokerConfig:
    """Broker and ingest; how our gateway reaches them."""
    broker, secured = _brokers(folder, stack)
    config = write_ingest(folder, broker, f"sqlite:///{folder / 'store.db'}")
    config.write_text(config.read_text().replace(str(CITY), str(folder / "city.toml")))
    stack.enter_context(Role(folder, "ingest", config))
    return secured


def _wires(folder: Path, stack: ExitStack) -> list[Wire]:
    return [stack.enter_context(Wire(folder / driver)) for driver in DRIVERS]


def _edge(folder: Path, config: Path, http_port: int, stack: ExitStack) -> int:
    """Our gateway's process, once it answers."""
    with (folder / "edge.log").open("wb") as log:
        command = [sys.executable, "-m", "hoflicht", "edge", str(config)]
        edge = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    stack.callback(edge.wait)
    stack.callback(edge.terminate)
    wait_until_listening(http_port)
    return edge.pid


def _memory(used: Used) -> str:
    return f"{used.peak_mb:.1f} ({used.share_mb:.1f})"


def _peer(folder: Path, name: str, every_s: float, stack: ExitStack) -> Peer:
    """A gateway of theirs at the lines in `name`, and a broker of its own: all of them speak in the same topics."""
    at = folder / f"tb-{name}"
    at.mkdir()
    return stack.enter_context(peer.running(at / "gateway", _started(Mosquitto(at), stack), folder / name, every_s=every_s))


def _started(server: Mosquitto, stack: ExitStack) -> BrokerConfig:
    stack.callback(server.stop)
    server.start()
    return server.config


def _brokers(folder: Path, stack: ExitStack) -> tuple[BrokerConfig, BrokerConfig]:
    """A Mosquitto, as it is reached in the clear, and as our gateway reaches it, by TLS with its own certificate."""
    authority = write_authority(folder)
    (folder / "city.toml").write_text(CATALOGUE)
    files, port = folder / "broker", free_port()
    files.mkdir()
    with redirect_stdout(StringIO()):
        mosquitto.main(["mosquitto", str(files), "--config", str(authority)])
        ours = enrolled_by_hand(authority, GATEWAY, folder / GATEWAY)
    certificates = f"cafile {files}/ca.crt\ncertfile {files}/broker.crt\nkeyfile {files}/broker.key\nrequire_certificate true"
    server = Mosquitto(folder, f"user root\nlistener {port} 127.0.0.1\n{certificates}")
    return _started(server, stack), msgspec.structs.replace(ours, host="127.0.0.1", port=port)


def _our_config(folder: Path, broker: BrokerConfig, http_port: int) -> Path:
    ports = [f'[ports.{name}]\npath = "ours/{name}"\ndriver = "{name}"\nsite = "{YARD}"\nsensor = "{name}"\n' for name in DRIVERS]
    config = write_edge(folder, broker, GATEWAY, "".join(ports))
    files = "".join(f'{key} = "{getattr(broker, key)}"\n' for key in ("ca_file", "cert_file", "key_file"))
    text = config.read_text().replace("[broker]\n", f"[broker]\n{files}")
    config.write_text(f'http = "127.0.0.1:{http_port}"\n{text}')
    return config


def _all_well(lab: Laboratory) -> None:
    """Complain where a gateway was cheap because it did not work."""
    report = msgspec.json.decode(_ask(lab.http_port, "healthz"))
    frames = {name: port["frames"] for name, port in report["ports"].items()}
    wanted = ROUNDS * ROUND_S / TICK_S
    told = [gateway.told for gateway in (lab.each_value, lab.each_minute)]
    if not report["ok"] or frames["tfmini"] < wanted or not all(frames[name] for name in DRIVERS):
        raise RuntimeError(f"our gateway does not read them all: {report}")
    if told[0]["tfmini"] < wanted or not all(one[name] for one in told for name in DRIVERS):
        raise RuntimeError(f"a peer does not tell them all: {told}")


def _ask(http_port: int, page: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{http_port}/{page}", timeout=10) as answer:
        said: bytes = answer.read()
        return said


def _used(pid: int) -> Used:
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]  # its own and its children's, proc(5)
    return Used(
        sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
        _mb(Path(f"/proc/{pid}/status"), "VmHWM"),
        _mb(Path(f"/proc/{pid}/smaps_rollup"), "Pss"),
    )


def _mb(file: Path, name: str) -> float:
    """What the kernel tells in units of 1024 bytes."""
    return next(int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith(f"{name}:")) * 1024 / 1e6


if __name__ == "__main__":
    show(day() if "day" in sys.argv else rows())
