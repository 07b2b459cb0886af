"""One reading's whole way on real parts: captured bytes down a pty, edge, Mosquitto, ingest, InfluxDB, api, sign."""

import json
import os
import threading
import time
import tty
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge import ibis, node, sps30
from firmware_bridge.frames import Sample
from simulators.folder import open_round_the_clock
from tests.conftest import Bucket, Mosquitto, free_port, wait_until_listening
from tests.roles import CITY, Role, eventually, write_api, write_edge, write_ingest

pytestmark = [pytest.mark.live, pytest.mark.slow]

# Captured from real sensors: avaldebe/PyPMS tests/captured_data.
SDS011 = bytes.fromhex("AA C0 09 00 09 00 58 D9 43 AB")
SPS30 = bytes.fromhex(
    "7E 00 03 00 28 40 A7 83 20 41 17 77 BB 41 4A 5F 83 41 54 8D DD 41 D2 83 3E 42 7D 33 FC 85 42 26 17 22 42 29 A4 D9"
    "42 2A 29 BC 3F 55 B7 E7 9E 7E"
)
# As printed in the makers' manuals.
OPS243 = b'{"DetectedObjectVelocity":"5.5","direction":"inbound"}\r\n'
TFMINI_121_CM = bytes.fromhex("59 59 79 00 E8 03 C8 08 E6")


class Line:
    """The device's end of a serial line that is a pty; `path` is the gateway's end."""

    def __init__(self) -> None:
        self._device, self._gateway = os.openpty()
        tty.setraw(self._gateway)
        os.set_blocking(self._device, False)
        self.path = os.ttyname(self._gateway)

    def say(self, data: bytes) -> None:
        os.write(self._device, data)

    def heard(self) -> bytes:
        try:
            return os.read(self._device, 4096)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        os.close(self._device)
        os.close(self._gateway)


class Yard:
    """Real devices' bytes on six lines, until it is closed."""

    NAMES = ("air-lamp", "air-yard", "radar", "lidar", "node", "sign")

    def __init__(self) -> None:
        self.lines = {name: Line() for name in self.NAMES}
        self.sign_text = ""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="devices")
        self._sign = ibis.Decoder()

    def __enter__(self) -> "Yard":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        for line in self.lines.values():
            line.close()

    def _run(self) -> None:
        sequence = 0
        while not self._ending.wait(0.1):
            sequence += 1
            if sps30.READ in self.lines["air-yard"].heard():
                self.lines["air-yard"].say(SPS30)
            for item in self._sign.feed(self.lines["sign"].heard()):
                if isinstance(item, ibis.Telegram):
                    self.sign_text = item.text.strip()
            self.lines["lidar"].say(TFMINI_121_CM * 10)
            if sequence % 10 == 0:
                self.lines["air-lamp"].say(SDS011)
                barrier = [Sample("held", 0.0, sensor="barrier")]
                self.lines["node"].say(node.encode(1, sequence, barrier))


@contextmanager
def city_on(tmp_path: Path, broker: Mosquitto, influx: Bucket, yard: Yard, api_port: int) -> Iterator[None]:
    """Two gateways, ingest and api as processes."""
    city = tmp_path / "city.toml"
    city.write_text(open_round_the_clock(CITY.read_text()))
    paths = {name: line.path for name, line in yard.lines.items()}
    nord = f"""
patience_s = 0
[ports.air]
path = "{paths["air-yard"]}"
driver = "sps30"
site = "hof-nord"
sensor = "air"
average_s = 2
[ports.radar]
path = "{paths["radar"]}"
driver = "ops243"
site = "hof-nord"
sensor = "lane-in"
[ports.lidar]
path = "{paths["lidar"]}"
driver = "tfmini"
site = "hof-nord"
sensor = "lane-3"
near_m = 1.0
[ports.node]
path = "{paths["node"]}"
driver = "node"
site = "hof-nord"
[signs.sign]
path = "{paths["sign"]}"
protocol = "ibis-ds009"
yard = "hof-nord"
width = 16
"""
    street = f"""
patience_s = 0
[ports.air]
path = "{paths["air-lamp"]}"
driver = "sds011"
site = "lamp-0012"
sensor = "air"
average_s = 2
"""
    with ExitStack() as stack:
        stack.enter_context(Role(tmp_path, "ingest", write_ingest(tmp_path, broker.config, influx.store_url, influx.token)))
        stack.enter_context(Role(tmp_path, "edge", write_edge(tmp_path, broker.config, "gw-hof-nord", nord)))
        stack.enter_context(Role(tmp_path, "edge", write_edge(tmp_path, broker.config, "gw-strasse", street)))
        stack.enter_context(Role(tmp_path, "api", write_api(tmp_path, broker.config, influx.store_url, api_port, city)))
        wait_until_listening(api_port)
        yield


def get(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return json.loads(answer.read())


def test_captured_bytes_arrive_as_points_in_the_api_and_on_the_sign(tmp_path: Path, broker: Mosquitto, influx: Bucket) -> None:
    port = free_port()
    with Yard() as yard, city_on(tmp_path, broker, influx, yard, port):

        def values(quantity: str, site: str) -> set[object]:
            return {row[1] for row in influx.select(f"select value from {quantity} where site = '{site}'")}

        def passages(sensor: str) -> int:
            return len(influx.select(f"select value from passage where sensor = '{sensor}'"))

        # The captured frames, as the makers' manuals read them.
        assert eventually(lambda: values("pm2_5", "lamp-0012")) == {0.9}
        assert eventually(lambda: values("pm10", "lamp-0012")) == {0.9}
        assert eventually(lambda: values("pm1", "hof-nord")) == {5.235}
        assert eventually(lambda: values("particle_size", "hof-nord")) == {0.835}
        # No car yet, and sensors that say so: nobody waits.
        assert eventually(lambda: values("presence", "hof-nord")) == {0.0}
        assert eventually(lambda: get(port, "/v1/yards/hof-nord/wait")["p50_s"] == 0, timeout_s=60)
        assert eventually(lambda: yard.sign_text == "KEINE WARTEZEIT")

        # Twelve cars join, far enough apart to be told from each other; one is let in.
        for _ in range(12):
            yard.lines["radar"].say(OPS243)
            time.sleep(1.5)
        yard.lines["node"].say(node.encode(2, 1, [Sample("passage", 1.0, sensor="gate-in", age_ms=250)]))

        eventually(lambda: passages("lane-in") == 12 and passages("gate-in") == 1)
        assert (passages("lane-in"), passages("gate-in")) == (12, 1)
        assert {round(float(str(v)), 2) for v in values("speed", "hof-nord")} == {5.5}
        assert eventually(lambda: (get(port, "/v1/yards/hof-nord/wait")["queue"] or 0) >= 9, timeout_s=90)
        # Those cars are still rolling for half a minute, then they wait.
        wait = eventually(lambda: (w := get(port, "/v1/yards/hof-nord/wait"))["p50_s"] and w, timeout_s=90)
        assert wait["state"] == "open"
        assert wait["p10_s"] < wait["p50_s"] < wait["p90_s"]
        # A number that goes up is shown after two minutes.
        assert eventually(lambda: yard.sign_text.startswith("WARTEZEIT"), timeout_s=180)
