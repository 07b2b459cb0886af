"""Any MQTT 5 broker will do: the way of a reading over others than Mosquitto, from a gateway's disk to the store."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from edge import uplink
from edge.spool import Spool
from edge.uplink import State, Status
from hoflicht import Reading, topics
from hoflicht.broker import BrokerConfig, Message, Session
from hoflicht.catalogue import City
from hoflicht.clock import SystemClock
from hoflicht.stop import Stopping
from ingest.quarantine import Quarantine
from simulators.folder import BROKER
from store.answers import Rejected
from store.sqlite import SqliteStore
from tests.conftest import free_port, installed, wait_until_listening
from tests.meanwhile import meanwhile
from tests.roles import eventually
from tests.test_ingest import GATEWAY, NOW, ingesting, passage

READINGS = 1_200
PATIENCE_S = 30.0
TIMES = 20  # so many times as fast goes the gateway's clock: rumqttd does not say that nobody listens, so it waits for 30 s
RUMQTTD = "import sys; from iotcore import Broker\nwith Broker(config_path=sys.argv[1]): sys.stdin.read()"
HIVEMQ = """<?xml version="1.0"?>
<hivemq>
  <listeners><tcp-listener><port>{port}</port><bind-address>127.0.0.1</bind-address></tcp-listener></listeners>
  <persistence><mode>in-memory</mode></persistence>
  <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
</hivemq>
"""


class Other:
    """A broker as a process of its own."""

    def __init__(self, config: BrokerConfig, *command: str) -> None:
        self.config = config
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


Start: TypeAlias = Callable[[Path], Other]


def rumqttd(folder: Path) -> Other:
    """The one that the demo brings."""
    port, path = free_port(), folder / "broker.toml"
    path.write_text(BROKER.format(port=port))
    return Other(BrokerConfig(port=port), sys.executable, "-c", RUMQTTD, str(path))


def hivemq(folder: Path) -> Other:
    """HiveMQ CE, whose cluster is one of those for a large city."""
    java = installed("java", "apt-get install default-jdk-headless maven")
    jars = installed("jars", "bench/peers/hivemq/build ~/.cache/hoflicht/hivemq", Path.home() / ".cache/hoflicht/hivemq")
    port = free_port()
    (folder / "config.xml").write_text(HIVEMQ.format(port=port))
    quick = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    return Other(BrokerConfig(port=port), java, *quick, "-cp", f"{jars}/*", "Broker", str(folder))


class Hurried(SystemClock):
    """A clock on which what takes a gateway half a minute takes a second and a half."""

    def monotonic_ms(self) -> int:
        return TIMES * super().monotonic_ms()


class Gated(SqliteStore):
    """A store in front of whose gate a group of readings waits."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.has_come, self.gate = threading.Event(), threading.Event()

    def write(self, readings: Sequence[Reading]) -> list[Rejected]:
        if readings:
            self.has_come.set()
            self.gate.wait(PATIENCE_S)  # not for ever: a test that fails must end
        return super().write(readings)


@contextmanager
def sending(spool: Spool, path: Path, broker: BrokerConfig) -> Iterator[Status]:
    """A gateway's uplink at work on the file of `spool`."""
    status, stopping = Status(), Stopping()
    birth = Message(topic=topics.state(GATEWAY), payload=b"online", retain=True)

    def work() -> None:
        with Spool(path, 10_000_000, SystemClock()) as own, Session(broker, GATEWAY, [topics.answers(GATEWAY)]) as session:
            uplink.run(session, own, GATEWAY, lambda: birth, {}, status=status, clock=Hurried(), stopping=stopping)

    with meanwhile(work, stopping):
        yield status


@pytest.mark.live
@pytest.mark.parametrize("start", [rumqttd, hivemq])
def test_what_a_gateway_keeps_leaves_its_disk_once_the_store_has_it(start: Start, tmp_path: Path, city: City) -> None:
    path = tmp_path / "spool.db"
    with (
        closing(start(tmp_path)) as broker,
        closing(Gated(tmp_path / "readings.db")) as store,
        closing(Quarantine(tmp_path / "quarantine.db")) as quarantine,
        Spool(path, 10_000_000, SystemClock()) as spool,
    ):
        wait_until_listening(broker.config.port)
        with sending(spool, path, broker.config) as status:
            spool.append([passage(n) for n in range(READINGS)])
            assert eventually(lambda: status.state is State.HOLDING)
            assert status.trouble  # nobody takes them: no ingest is there
            with ingesting(broker, city, store, quarantine):
                assert store.has_come.wait(PATIENCE_S)
                assert not eventually(lambda: spool.state().rows < READINGS, timeout_s=0.5)
                store.gate.set()

                assert eventually(lambda: spool.state().rows == 0)
                spool.append([passage(n) for n in range(READINGS)])  # as after a lost receipt
                assert eventually(lambda: spool.state().rows == 0)

        assert store.read("hof-nord", ["passage"], NOW, NOW + READINGS) == [passage(n) for n in range(READINGS)]
        assert store.count() == READINGS
        assert quarantine.rows() == []
