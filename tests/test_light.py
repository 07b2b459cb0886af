"""A whole gateway with lamps as a process: a real Mosquitto, and a line of simulated drivers on a pty."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from edge import agent
from hoflicht import shadow, topics
from hoflicht.broker import BrokerConfig, Connected, Message, Received, Session
from hoflicht.program import Period, Program, Step
from hoflicht.shadow import Command, Desired, Duty, Outcome, Reported
from tests.conftest import Mosquitto, free_port
from tests.disks import Hog, small_disk
from tests.midnight import TRIES, Street
from tests.receiver import Ingest
from tests.roles import Role, eventually, write_edge

pytestmark = pytest.mark.live

GATEWAY = "gw-strasse"
HALF = Program(periods=(Period(steps=(Step(at="dusk", percent=50),)),), ramp_up_s=0.5, ramp_down_s=0.5)
HALF_ARC, FULL, OVERRIDE_ARC = 229, 254, 195  # 50, 100 and 20 % of the light


class City:
    """Says what the lamps shall do, and hears what becomes of it."""

    def __init__(self, broker: BrokerConfig) -> None:
        self._session = Session(broker, "api", [topics.reported(GATEWAY, topics.LIGHT)])
        self.reported = Reported(version=0)

    def __enter__(self) -> "City":
        self._session.__enter__()
        assert eventually(lambda: isinstance(self._session.event(0.1), Connected))
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def say(self, *commands: Command, version: int | None = None) -> None:
        duties = {f"lamp-{n:04}": Duty(program="night") for n in range(2)}
        wanted = Desired(version=version or time.time_ns() // 1_000_000, programs={"night": HALF}, lamps=duties, commands=commands)
        self.send(shadow.encode(wanted))

    def send(self, payload: bytes) -> None:
        self._session.publish(Message(topic=topics.desired(GATEWAY, topics.LIGHT), payload=payload, retain=True))

    def hears(self) -> Reported:
        while (event := self._session.event(0.05)) is not None:
            if isinstance(event, Received):
                self.reported = shadow.reported(event.message.payload)
                self._session.acknowledge(event)
        return self.reported


def override(seconds: float, percent: float = 20) -> Command:
    now_ms = time.time_ns() // 1_000_000
    return Command(id="c", lamps=("lamp-0000",), percent=percent, at_ms=now_ms, until_ms=now_ms + round(1000 * seconds))


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    street = Street(tmp_path)
    yield street
    street.close()


def test_an_override_lands_within_two_seconds_is_reported_and_ends_by_itself(
    tmp_path: Path, broker: Mosquitto, street: Street
) -> None:
    config = write_edge(tmp_path, broker.config, GATEWAY, street.tables())
    with Ingest(broker.config) as ingest, City(broker.config) as city, Role(tmp_path, "edge", config):
        city.say()
        street.shows(HALF_ARC, HALF_ARC)

        def took_s(number: int) -> float:
            city.say(msgspec.structs.replace(override(6), id=f"c{number}"))
            landed_s = street.shows(OVERRIDE_ARC, HALF_ARC)
            assert eventually(lambda: city.hears().outcomes == {f"c{number}": {Outcome.APPLIED: ("lamp-0000",)}}, 5)
            street.shows(HALF_ARC, HALF_ARC)
            assert eventually(lambda: city.hears().outcomes == {f"c{number}": {Outcome.EXPIRED: ("lamp-0000",)}}, 5)
            return landed_s

        assert any(took_s(number) < 2 for number in range(TRIES))

        def reasons() -> set[float]:
            return {one.value for one in ingest.readings() if (one.site, one.quantity) == ("lamp-0000", "light_reason")}

        assert eventually(lambda: {1.0, 3.0} <= reasons())


@pytest.mark.chaos
def test_kill_9_in_an_override_and_a_start_without_a_broker_goes_on_until_its_end(
    tmp_path: Path, broker: Mosquitto, street: Street
) -> None:
    config = write_edge(tmp_path, broker.config, GATEWAY, street.tables())
    with City(broker.config) as city, Role(tmp_path, "edge", config) as edge:
        city.say(override(15))
        street.shows(OVERRIDE_ARC, HALF_ARC)
        assert eventually(lambda: city.hears().version, 5)  # so it is on disk
        edge.kill()
        broker.kill()
        for gear in street.gears:
            gear.lamp.go(0)

        edge.start()

        street.shows(OVERRIDE_ARC, HALF_ARC, within_s=10)
        street.shows(HALF_ARC, HALF_ARC, within_s=20)


def test_what_cannot_be_followed_is_reported_and_the_lamps_go_on(tmp_path: Path, broker: Mosquitto, street: Street) -> None:
    config = write_edge(tmp_path, broker.config, GATEWAY, street.tables())
    with City(broker.config) as city, Role(tmp_path, "edge", config):
        city.say(version=5)
        street.shows(HALF_ARC, HALF_ARC)

        city.send(b'{"version":6,"lamps":{"lamp-0000":{"program":"nowhere"}}}')

        assert eventually(lambda: city.hears().refused_version == 6, 5)
        assert (city.reported.version, "no program 'nowhere'" in city.reported.refused) == (5, True)
        assert street.levels() == [HALF_ARC, HALF_ARC]


@pytest.mark.chaos
def test_a_broker_that_has_forgotten_everything_is_told_again(tmp_path: Path, broker: Mosquitto, street: Street) -> None:
    config = write_edge(tmp_path, broker.config, GATEWAY, street.tables())
    with Role(tmp_path, "edge", config):
        with City(broker.config) as city:
            city.say(version=5)
            assert eventually(lambda: city.hears().version == 5)
        broker.kill()
        broker.start()

        with City(broker.config) as city:
            assert eventually(lambda: city.hears().version == 5)


def test_lamps_burn_with_a_broker_that_is_never_there(tmp_path: Path, street: Street) -> None:
    config = write_edge(tmp_path, BrokerConfig(port=free_port()), GATEWAY, street.tables())
    with Role(tmp_path, "edge", config) as edge:
        street.shows(FULL, FULL)
        assert edge.stop() == 0

    assert street.levels() == [FULL, FULL]  # an orderly end leaves them as they are


def test_lamps_burn_although_the_disk_is_full_from_the_start(tmp_path: Path, street: Street) -> None:
    with small_disk(tmp_path / "disk", 2) as disk:
        config = write_edge(disk, BrokerConfig(port=free_port()), GATEWAY, street.tables())
        Hog(disk).fill()
        with Role(tmp_path, "edge", config) as edge:
            assert eventually(lambda: "no room for the spool" in edge.log.read_text())
            street.shows(FULL, FULL)


def test_a_config_with_lamps_is_checked_without_hardware(
    tmp_path: Path, street: Street, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_edge(tmp_path, BrokerConfig(), GATEWAY, street.tables())

    assert agent.main([str(config), "--check"]) == 0

    assert capsys.readouterr().out == f"{config}: gw-strasse, 0 ports, 0 signs, 2 lamps: all well\n"
