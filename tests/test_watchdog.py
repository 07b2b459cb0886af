"""systemd hears that the gateway lives while its lines of lamps do, and not while one hangs."""

import queue
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import watchdog
from edge.config import load_edge
from edge.light import HUNG_MS, Light
from hoflicht.broker import BrokerConfig
from hoflicht.clock import HandClock
from hoflicht.stop import Stopping
from tests.conftest import free_port
from tests.roles import killed_after, write_edge

LIGHT = """
[light]
lat = 51.4
lon = 6.7
zone = "Europe/Berlin"
[lines.north]
path = "north"
[lines.south]
path = "south"
"""


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The end at which systemd listens, with a patience of one second."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(10)
        monkeypatch.setenv(watchdog.SOCKET, str(tmp_path / "notify"))
        monkeypatch.setenv(watchdog.MICROSECONDS, "1000000")
        yield heard


def test_no_watchdog_waits_unless_systemd_says_so(monkeypatch: pytest.MonkeyPatch, systemd: socket.socket) -> None:
    assert watchdog.pause_s() == 0.5
    monkeypatch.delenv(watchdog.MICROSECONDS)
    assert watchdog.pause_s() is None


def test_systemd_hears_nothing_of_a_gateway_that_does_not_live(systemd: socket.socket) -> None:
    class Once(Stopping):
        def wait(self, timeout: float | None = None) -> bool:
            self.set()
            return True

    systemd.setblocking(False)
    watchdog.run(lambda: False, 0.5, Once())
    with pytest.raises(BlockingIOError):
        systemd.recv(100)

    watchdog.run(lambda: True, 0.5, Once())
    assert systemd.recv(100) == b"WATCHDOG=1"


def test_one_line_that_hangs_is_enough(tmp_path: Path) -> None:
    clock = HandClock()
    config = load_edge(write_edge(tmp_path, BrokerConfig(), "gw", LIGHT))
    assert config.light is not None
    light = Light(config, config.light, queue.Queue(), {}, clock)

    assert light.is_going_on()
    clock.advance(HUNG_MS)
    light.note("north")
    assert not light.is_going_on()
    light.note("south")
    assert light.is_going_on()


@pytest.mark.parametrize("lines", ["", LIGHT])
def test_the_agent_tells_systemd_again_and_again(tmp_path: Path, systemd: socket.socket, lines: str) -> None:
    config = write_edge(tmp_path, BrokerConfig(port=free_port()), "gw", lines)
    command = [sys.executable, "-m", "hoflicht", "edge", str(config)]
    with killed_after(subprocess.Popen(command, stderr=subprocess.DEVNULL)):
        heard = [systemd.recv(100) for _ in range(3)]

    assert heard == [b"WATCHDOG=1"] * 3
