"""A yard has a number only while its gateway lives: the sign that it gives, who misses it, and what is shown without it."""

import datetime as dt
import os
import queue
import tty
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from api.estimate.waiting import GONE_MS, estimate, estimates
from api.heard import ASKED_FOR_MS, heard
from api.publisher import EXPIRY_S, INTERVAL_S
from api.standing import KEEP_MS
from api.yards import Yards
from bench.gateways import Tap
from edge import health
from edge.config import HealthConfig
from edge.health import Health
from edge.observation import Observation
from edge.reader import Counters
from edge.sign import Latest
from edge.spool import Spool
from edge.uplink import Status
from hoflicht import hours, topics, wait
from hoflicht.broker import BrokerConfig, Message
from hoflicht.catalogue import City, Gateway, Hours
from hoflicht.clock import HandClock
from hoflicht.days import WEEKDAYS
from hoflicht.reading import Reading
from hoflicht.stop import Stopping
from hoflicht.wait import State, number
from simulators.folder import Folder, Ports
from simulators.life import opening
from store.readings import Store, open_store
from tests.conftest import Mosquitto
from tests.lane import YARD, at, free_lane, joined, let_in, ms
from tests.receiver import Ingest
from tests.roles import Role, eventually, write_edge

GATEWAY = "gw-hof-nord"
SECOND = 1 / 60  # of a minute
REASON = "the sensors are silent"


def alive(start: float, end: float, gateway: str = GATEWAY) -> list[Reading]:
    """A gateway's sign of life every 20 s."""
    return [Reading(gateway, "node", "port_open", at_ms, 1.0) for at_ms in range(ms(start), ms(end) + 1, 20_000)]


def counting(city: City) -> City:
    """Hof Nord with two counters and nothing else."""
    yard = city.yards[YARD]
    return replace(city, yards={YARD: replace(yard, sensors={name: yard.sensors[name] for name in ("lane-in", "gate-in")})})


# Who misses it


def test_a_yard_is_unknown_a_minute_after_the_last_sign_of_life(city: City) -> None:
    events = joined(58) + let_in(58.5) + alive(0, 60)

    minute_later, then = (estimate(YARD, counting(city), events, at(minute)) for minute in (61, 61 + SECOND))

    assert (minute_later.state, minute_later.queue) == (State.OPEN, 0)
    assert (then.state, then.p50_s, then.mean_s, then.queue, then.reason) == (State.UNKNOWN, None, None, None, REASON)


def test_lane_sensors_that_repeat_every_minute_do_not_keep_a_number_whose_gateway_is_gone(city: City) -> None:
    events = free_lane(60) + alive(0, 59)

    last, then = (estimate(YARD, city, events, at(minute)) for minute in (60, 60 + SECOND))

    assert (last.state, then.state, then.reason) == (State.OPEN, State.UNKNOWN, REASON)


def test_a_gateway_that_lives_does_not_speak_for_lane_sensors_that_are_silent(city: City) -> None:
    events = free_lane(60) + alive(0, 70)

    within, beyond = (estimate(YARD, city, events, at(minute)) for minute in (62.5, 62.6))

    assert (within.state, beyond.state, beyond.reason) == (State.OPEN, State.UNKNOWN, REASON)


def test_each_gateway_of_a_yard_is_missed_once_it_has_spoken(city: City) -> None:
    lane, gate = "gw-lane", "gw-gate"
    both = counting(replace(city, gateways={name: Gateway(sites=(YARD,)) for name in (lane, gate)}))
    living = alive(0, 70, lane)

    never, heard_once = (estimate(YARD, both, events, at(70)) for events in (living, living + alive(0, 60, gate)))

    assert (never.state, heard_once.state) == (State.OPEN, State.UNKNOWN)


def test_a_gateway_that_is_back_carries_the_number_again(city: City) -> None:
    events = alive(0, 30) + alive(40, 50)

    waits = list(estimates(YARD, counting(city), events, [at(minute) for minute in (30, 35, 40, 50)]))

    assert [each.state for each in waits] == [State.OPEN, State.UNKNOWN, State.OPEN, State.OPEN]


def test_a_gateway_with_no_port_left_is_gone(city: City) -> None:
    unplugged = [replace(sign, value=0.0) for sign in alive(58.5, 70)]

    assert estimate(YARD, counting(city), alive(0, 58) + unplugged, at(60)).state is State.UNKNOWN


def test_where_no_gateway_is_in_the_catalogue_counters_may_be_silent(city: City) -> None:
    recorded = counting(replace(city, gateways={}))

    quiet = estimate(YARD, recorded, joined(1) + let_in(2), at(60))

    assert (quiet.state, quiet.queue) == (State.OPEN, 0)


def test_in_a_recording_sensors_and_gateways_may_be_silent(city: City) -> None:
    told = list(estimates(YARD, counting(city), joined(1) + let_in(2) + alive(0, 5), [at(60)], alive=True))

    assert [each.state for each in told] == [State.OPEN]


def test_a_closed_yard_is_closed_whoever_is_silent(city: City) -> None:
    assert estimate(YARD, counting(city), alive(0, 60), at(-60)).state is State.CLOSED


# What is asked of the store for it


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path / 'readings.db'}")) as opened:
        yield opened


@pytest.mark.parametrize("minute", [10, 45, 300])
def test_the_signs_that_are_fetched_are_enough(city: City, store: Store, minute: float) -> None:
    said = free_lane(minute) + alive(0, minute)
    store.write(said)

    fetched = heard(store, city, YARD, ms(-180), ms(minute) + 1)

    signs = [reading for reading in fetched if reading.quantity == "port_open"]
    assert len(signs) <= ASKED_FOR_MS / 20_000 + 2
    assert estimate(YARD, city, fetched, at(minute)) == estimate(YARD, city, said, at(minute))


def test_of_a_gateway_that_was_gone_all_day_the_first_word_is_remembered(city: City, store: Store) -> None:
    store.write(free_lane(300) + alive(0, 20, "gw-lane") + alive(0, 300))
    both = replace(city, gateways={name: Gateway(sites=(YARD,)) for name in ("gw-lane", GATEWAY)})

    fetched = heard(store, both, YARD, ms(-180), ms(300) + 1)

    assert estimate(YARD, both, fetched, at(300)).state is State.UNKNOWN


# What is shown without it


def shown(city: City, store: Store, api_ends_s: float) -> list[int]:
    """The seconds after the last sign of life at which the LED sign shows a number; the api publishes until `api_ends_s`."""
    clock = HandClock(ms(60))
    yards, latest = Yards(store, city, clock), Latest(YARD, clock)
    seconds = []
    for second in range(300):
        if second <= api_ends_s and second % INTERVAL_S == 0:
            latest.take(Message(topic=topics.wait(YARD), payload=wait.encode(yards.wait(YARD)), expiry_s=EXPIRY_S))
        told = latest.get()
        if told is not None and number(told) is not None:
            seconds.append(second)
        clock.advance(1_000)
    return seconds


def test_no_number_is_shown_longer_than_two_minutes_after_the_gateway_was_heard(city: City, store: Store) -> None:
    store.write(free_lane(65) + alive(0, 60))

    api_lives, api_goes_too, api_goes_at_the_worst_moment = (shown(city, store, ends_s) for ends_s in (300, 0, GONE_MS / 1000))

    assert api_lives == list(range(70))  # the first publishing after a minute
    assert api_goes_too == list(range(60))
    assert api_goes_at_the_worst_moment == list(range(120))


def test_the_api_tells_the_unknown_within_seconds_of_the_minute(city: City, store: Store) -> None:
    store.write(free_lane(65) + alive(0, 60))
    clock = HandClock(ms(60))
    yards = Yards(store, city, clock)
    changed_s = None
    for second in range(120):
        if changed_s is None and yards.wait(YARD).state is State.UNKNOWN:
            changed_s = second
        clock.advance(1_000)

    assert changed_s is not None
    assert GONE_MS / 1000 < changed_s <= (GONE_MS + KEEP_MS) / 1000 + 1


# Who gives it


class Turns(Stopping):
    """Ends a loop after so many turns; each wait turns the clock."""

    def __init__(self, clock: HandClock, turns: int) -> None:
        super().__init__()
        self._clock, self._left = clock, turns

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.advance(round((timeout or 0.0) * 1000))
        self._left -= 1
        return self._left <= 0


def told(clock: HandClock, ports: dict[str, Counters], folder: Path, every: HealthConfig, turns: int) -> list[Observation]:
    """What the gateway says of itself in so many turns."""
    out: queue.Queue[Observation] = queue.Queue()
    with Spool(folder / "spool.db", 1_000_000, clock) as spool:
        of = Health(GATEWAY, Status(), ports, 1_000_000, clock, folder, None)
        health.run(of, spool, out, every.every_s, every.alive_every_s, Turns(clock, turns))
    return [out.get_nowait() for _ in range(out.qsize())]


def test_between_two_reports_every_20_s_one_open_port_is_told(clock: HandClock, tmp_path: Path) -> None:
    ports = {"unplugged": Counters(), "lane-in": Counters(is_open=True), "air": Counters(is_open=True)}
    started_ms = clock.monotonic_ms() + 3_000

    seen = told(clock, ports, tmp_path, HealthConfig(), turns=5)

    words = [(one.seen_ms - started_ms, one.sensor, one.value) for one in seen if one.quantity == "port_open"]
    report = [("unplugged", 0.0), ("lane-in", 1.0), ("air", 1.0)]
    assert words == [
        *[(0, *word) for word in report],
        (20_000, "lane-in", 1.0),
        (40_000, "lane-in", 1.0),
        *[(60_000, *word) for word in report],
    ]
    assert {one.quantity for one in seen if one.seen_ms % 60_000 != started_ms % 60_000} == {"port_open"}


def test_a_port_that_opens_or_closes_is_told_with_the_next_sign(clock: HandClock, tmp_path: Path) -> None:
    ports = {"lane-in": Counters(is_open=True), "node": Counters()}
    of = Health(GATEWAY, Status(), ports, 1_000_000, clock, tmp_path, None)
    said = []
    for lane, node in ((True, False), (False, True), (False, True), (False, False), (False, False)):
        ports["lane-in"].is_open, ports["node"].is_open = lane, node
        said.append([(one.sensor, one.value) for one in of.sign_of_life()])

    assert said == [
        [("lane-in", 1.0), ("node", 0.0)],
        [("lane-in", 0.0), ("node", 1.0)],
        [("node", 1.0)],
        [("node", 0.0)],
        [],
    ]


@pytest.mark.parametrize(("every_s", "alive_every_s", "apart_s"), [(60, 0, 60), (60, 25, 20), (10, 20, 10), (120, 20, 20)])
def test_signs_are_never_farther_apart_than_asked_for(
    clock: HandClock, tmp_path: Path, every_s: float, alive_every_s: int, apart_s: int
) -> None:
    every_so = HealthConfig(every_s=every_s, alive_every_s=alive_every_s)

    seen = told(clock, {"node": Counters(is_open=True)}, tmp_path, every_so, turns=9)

    signs_ms = [one.seen_ms for one in seen if one.quantity == "port_open"]
    assert {after - before for before, after in pairwise(signs_ms)} == {apart_s * 1000}


def test_in_the_demo_only_gateways_of_yards_give_it(city: City, tmp_path: Path) -> None:
    folder = Folder.take(tmp_path / "demo", seed=1)

    folder.write(city, Ports(api=1, broker=2, ingest=3))

    spared = [name for name in city.gateways if "alive_every_s = 0" in folder.config(name).read_text()]
    assert spared == ["gw-strasse"]


def test_the_yards_of_the_demo_are_never_unknown_while_they_live(city: City) -> None:
    period = hours.period_on(at(0).date(), city.yards["hof-mitte"].hours, city)
    assert period is not None
    day = opening("hof-mitte", city, 1, [period])
    said = [Reading("hof-mitte", one.sensor, one.quantity, one.at_ms, one.value) for one in day.events()]
    start_ms, end_ms = round(period.opens.timestamp() * 1000), round(period.last_entry.timestamp() * 1000)
    signs = [Reading("gw-hof-mitte", "lane-in", "port_open", at_ms, 1.0) for at_ms in range(start_ms, end_ms, 20_000)]
    instants = [period.opens + dt.timedelta(seconds=second) for second in range(0, (end_ms - start_ms) // 1000, 170)]

    for events in (said, said + signs):  # what is written of the past is without signs
        assert State.UNKNOWN not in {each.state for each in estimates("hof-mitte", city, events, instants)}


# A real gateway at a real broker


@pytest.fixture
def port_path() -> Iterator[str]:
    """A port that opens; nobody says anything on it."""
    device, gateway = os.openpty()
    tty.setraw(gateway)
    yield os.ttyname(gateway)
    os.close(device)
    os.close(gateway)


def open_all_week(city: City) -> City:
    counters = counting(city)
    always = Hours(weekly=dict.fromkeys(WEEKDAYS, "00:00-24:00"), open_on_holidays=True)
    return replace(counters, yards={YARD: replace(counters.yards[YARD], hours=always)})


@pytest.mark.slow
def test_a_real_gateway_carries_the_number_and_takes_it_with_it(
    city: City, tmp_path: Path, broker: Mosquitto, port_path: str
) -> None:
    node = f'patience_s = 0\n[health]\nalive_every_s = 1\n[ports.node]\npath = "{port_path}"\ndriver = "node"\nsite = "hof-nord"\n'
    with closing(Tap(broker.config.port)) as wire, Ingest(broker.config) as ingest:
        config = write_edge(tmp_path, BrokerConfig(port=wire.port), GATEWAY, node)

        def signs_ms() -> list[int]:
            return sorted({reading.at_ms for reading in ingest.readings() if reading.quantity == "port_open"})

        with Role(tmp_path, "edge", config) as edge:
            assert eventually(lambda: len(signs_ms()) >= 3)
            before, before_bytes = len(ingest.batches), wire.bytes
            assert eventually(lambda: len(ingest.batches) >= before + 6)
            cost = (wire.bytes - before_bytes) / (len(ingest.batches) - before)
            edge.kill()

        heard_ms = signs_ms()
        yard = open_all_week(city)
        last, then = (
            estimate(YARD, yard, sorted(ingest.readings(), key=lambda reading: reading.at_ms), instant(heard_ms[-1] + after_ms))
            for after_ms in (GONE_MS, GONE_MS + 1_000)
        )

    assert max(after - before for before, after in pairwise(heard_ms)) < 3_000
    assert (last.state, then.state, then.reason) == (State.OPEN, State.UNKNOWN, REASON)
    assert 75 < cost < 105  # bytes: batch, its confirmation and the receipt; docs/wire.md counts them by the day


def instant(at_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
