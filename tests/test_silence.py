"""Who is missed: gateways, lamps and cabinets that have spoken before; and who is not."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.errands import Errands
from api.silence import GATEWAY_MS, SITE_MS, Watch
from hoflicht import Reading
from hoflicht.broker import Message
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from store.readings import Store, open_store
from tests.office import Ingest

MINUTE_MS = 60_000


class Room:
    """A watch whose words reach the store while `open`; `hear` lets sites speak now."""

    def __init__(self, city: City, store: Store, clock: HandClock) -> None:
        self.city, self.store, self.clock = city, store, clock
        self.errands = Errands(patience_s=1.0)  # a busy machine takes a while for a write; where nobody answers each look takes it
        self.watch = Watch(city, store, self.errands, clock)
        self.ingest: Ingest | None = None

    def open(self) -> None:
        self.ingest = Ingest(self.city, self.store, self.clock, self.errands)

    def close(self) -> None:
        if self.ingest is not None:
            self.ingest.close()
        self.ingest = None

    def hear(self, *sites: str) -> None:
        now_ms = self.clock.now_ms()
        told = [(site, "gateway", "uptime") if site in self.city.gateways else (site, "driver", "level_feedback") for site in sites]
        self.store.write([Reading(*each, now_ms, 50.0) for each in told])

    def live(self, minutes: int, *sites: str) -> None:
        """Let time go on, with a look every minute; `sites` speak in each."""
        for _ in range(minutes):
            self.clock.advance(MINUTE_MS)
            self.hear(*sites)
            self.watch.look()

    def missed(self) -> set[str]:
        return {reading.site for reading in self.store.latest(("communication_failure",), 0) if reading.value >= 0.5}


@pytest.fixture
def room(city: City, tmp_path: Path, clock: HandClock) -> Iterator[Room]:
    store = open_store(f"sqlite:///{tmp_path / 'readings.db'}")
    room = Room(city, store, clock)
    room.open()
    room.hear("gw-strasse", "lamp-0001", "lamp-0002", "gw-hof-nord")
    room.watch.look()
    yield room
    room.close()
    store.close()


def test_a_lamp_that_its_gateway_does_not_tell_of_any_more_is_missed(room: Room) -> None:
    room.live(SITE_MS // MINUTE_MS, "gw-strasse", "lamp-0001", "gw-hof-nord")
    before = room.missed()
    room.live(1, "gw-strasse", "lamp-0001", "gw-hof-nord")

    assert (before, room.missed()) == (set(), {"lamp-0002"})


def test_who_is_heard_again_is_missed_no_more_and_each_is_said_once(room: Room) -> None:
    room.live(40, "gw-strasse", "lamp-0001", "gw-hof-nord")
    room.live(40, "gw-strasse", "lamp-0001", "lamp-0002", "gw-hof-nord")

    said = room.store.read("lamp-0002", ("communication_failure",), 0, room.clock.now_ms() + 1)
    assert [(reading.sensor, reading.value) for reading in said] == [("watch", 1.0), ("watch", 0.0)]


def test_that_staff_have_seen_its_faults_is_no_sign_of_life_of_a_lamp(room: Room) -> None:
    seen = ("control_gear_comm_failure", "communication_failure")
    for _ in range(SITE_MS // MINUTE_MS + 1):
        room.live(1, "gw-strasse", "lamp-0001", "gw-hof-nord")
        room.store.write([Reading("lamp-0002", "staff", fault, room.clock.now_ms(), 1.0) for fault in seen])

    said = room.store.read("lamp-0002", ("communication_failure",), 0, room.clock.now_ms() + 1)
    assert [reading.value for reading in said if reading.sensor == "watch"] == [1.0]


def test_of_a_gateway_that_is_away_only_the_gateway_is_missed(room: Room) -> None:
    room.live(GATEWAY_MS // MINUTE_MS, "gw-hof-nord")
    before = room.missed()
    room.live(120, "gw-hof-nord")

    assert (before, room.missed()) == (set(), {"gw-strasse"})


def test_a_gateway_that_comes_back_gets_the_time_to_tell_of_its_lamps(room: Room) -> None:
    room.live(120, "gw-hof-nord")
    room.live(20, "gw-hof-nord", "gw-strasse")
    just_back = room.missed()
    room.live(20, "gw-hof-nord", "gw-strasse", "lamp-0001")

    assert (just_back, room.missed()) == (set(), {"lamp-0002"})


def test_while_the_api_is_cut_off_nobody_is_missed_nor_at_once_after_it(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.close()
    with caplog.at_level(logging.WARNING):
        room.live(3)
        room.clock.advance(10 * 3_600_000)
        room.live(2)
    room.open()
    room.live(GATEWAY_MS // MINUTE_MS)
    after = room.missed()
    room.live(2)

    assert (after, room.missed()) == (set(), {"gw-strasse", "gw-hof-nord"})
    assert len([line for line in caplog.messages if "nobody is missed until" in line]) == 1


def test_an_outage_that_is_shorter_than_anybody_s_time_misses_nobody_when_it_ends(room: Room) -> None:
    room.close()
    room.live(GATEWAY_MS // MINUTE_MS - 1)
    room.open()
    room.live(3)

    assert room.missed() == set()


def test_who_never_spoke_is_not_there_yet(room: Room) -> None:
    room.live(300, "gw-strasse", "lamp-0001", "lamp-0002", "gw-hof-nord")

    assert room.missed() == set()


def test_a_restart_forgets_nobody_and_misses_nobody_at_once(room: Room) -> None:
    room.live(40, "gw-strasse", "lamp-0001", "gw-hof-nord")
    room.watch = Watch(room.city, room.store, room.errands, room.clock)
    room.live(10, "gw-hof-nord")
    after = room.missed()
    room.live(1, "gw-strasse", "lamp-0002", "gw-hof-nord")

    assert (after, room.missed()) == ({"lamp-0002"}, set())


def test_a_long_silence_is_said_again_every_day(room: Room) -> None:
    room.live(40, "gw-strasse", "lamp-0001", "gw-hof-nord")
    for _ in range(3):
        room.clock.advance(86_400_000)
        room.live(1, "gw-strasse", "lamp-0001", "gw-hof-nord")

    said = room.store.read("lamp-0002", ("communication_failure",), 0, room.clock.now_ms() + 1)
    assert [reading.value for reading in said] == [1.0, 1.0, 1.0, 1.0]


def test_a_city_without_gateways_is_not_watched(tmp_path: Path, clock: HandClock) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'readings.db'}")
    errands, sent = Errands(0.01), list[Message]()

    Watch(City(name="Leer"), store, errands, clock).look()
    errands.send(sent.append, clock.now_ms())
    store.close()

    assert sent == []
