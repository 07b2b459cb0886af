"""The live estimates of a city: what they rest on, what they have learnt of the days before, and how far they were off."""

import datetime as dt
import logging
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from api import publisher
from api.estimate.accuracy import PUBLISHED, Measured, accuracy
from api.estimate.opening import Opening
from api.estimate.profile import COLD
from api.estimate.waiting import estimates
from api.heard import heard
from api.hindsight import Findings, Hindsight, learnt
from api.lessons import before
from api.standing import KEEP_MS, LOOK_MS, RENEW_MS
from api.yards import LATELY_MS, Yards
from hoflicht import hours
from hoflicht.catalogue import ESTIMATE, City, load_city
from hoflicht.clock import HandClock, SystemClock
from hoflicht.errors import Unavailable
from hoflicht.instants import moment
from hoflicht.reading import Reading
from hoflicht.wait import Trust
from simulators.folder import open_round_the_clock
from simulators.life import opening
from store.readings import Store, open_store
from store.sqlite import SqliteStore
from tests.conftest import Mosquitto, free_port
from tests.lane import GAP_MIN, YARD, at, every, let_in, ms, presence, steady_queue
from tests.roles import CITY, Role, eventually, write_api, write_ingest

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
NEVER = threading.Event()


@pytest.fixture
def nord(city: City) -> City:
    """A city with one yard, open from eight to ten, but this Monday until six; the last entry is half an hour before."""
    yard = city.yards[YARD]
    weekly = dict.fromkeys(yard.hours.weekly, "08:00-10:00")
    short = replace(yard.hours, weekly=weekly, special={"2026-11-23": "08:00-18:00"})
    return replace(city, yards={YARD: replace(yard, hours=short)})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Hof Nord on four of its last five openings, from Tuesday on, a Saturday among them; and this Monday until 9:30."""
    with closing(open_store(f"sqlite:///{tmp_path / 'readings.db'}")) as opened:
        opened.write(steady_queue(8, 90))
        for days in (2, 3, 4, 6):
            opened.write(earlier(days))
        yield opened


def earlier(days: int) -> list[Reading]:
    """A day before: a queue for an hour, which then is let in."""
    cars = 4 + days % 3
    end = 61 + cars * GAP_MIN
    lane = [reading for sensor in ("lane-3", "lane-50", "lane-120") for reading in presence(sensor, end, 90, False)]
    day = steady_queue(cars, 60) + let_in(*every(GAP_MIN, 61, end)) + lane
    return [replace(reading, at_ms=reading.at_ms - days * DAY_MS) for reading in day]


def hindsight(store: Store, city: City, minute: float, findings: Findings | None = None) -> Hindsight:
    return Hindsight(store, city, HandClock(ms(minute)), findings)


# What an estimate rests on


def test_of_a_counters_port_only_the_changes_are_events(city: City, store: Store) -> None:
    store.write([Reading("gw-hof-nord", "lane-in", "port_open", ms(n), float(n not in (3, 4))) for n in range(200)])
    store.write([Reading("gw-hof-nord", "air", "port_open", ms(n), 0.0) for n in range(200)])
    store.write([Reading("gw-hof-mitte", "lane-in", "port_open", ms(n), 0.0) for n in range(200)])

    ports = sorted(minute_of(r) for r in heard(store, city, YARD, ms(0), ms(200)) if r.quantity == "port_open")

    # And the signs of life of the last 40 minutes, the time that the estimate looks back.
    assert ports == [(0, 1.0), (3, 0.0), (5, 1.0), *[(n, 1.0) for n in range(159, 200)]]


def minute_of(reading: Reading) -> tuple[int, float]:
    return (reading.at_ms - ms(0)) // 60_000, reading.value


def test_of_any_other_port_the_signs_of_life_are_kept(city: City, store: Store) -> None:
    store.write([Reading("gw-hof-nord", "air", "port_open", ms(n), float(n < 190)) for n in range(200)])

    ports = sorted(minute_of(r) for r in heard(store, city, YARD, ms(0), ms(200)) if r.quantity == "port_open")

    assert ports == [(0, 1.0), *[(n, 1.0) for n in range(159, 190)]]


def test_a_counter_whose_port_is_gone_is_told_as_dead_reckoning(nord: City, store: Store) -> None:
    store.write([Reading("gw-hof-nord", "lane-in", "port_open", ms(n), float(n < 85)) for n in range(91)])
    store.write([Reading("gw-hof-nord", "lane-3", "port_open", ms(n), 1.0) for n in range(91)])

    wait = Yards(store, nord, HandClock(ms(90))).wait(YARD)

    assert wait.trust is Trust.RECKONED


class AskedStore(SqliteStore):
    """A store that keeps over how many minutes it was asked for the yard's readings."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.minutes: list[int] = []

    def read(self, site: str, quantities: Sequence[str], start_ms: int, end_ms: int) -> list[Reading]:
        if site == YARD:
            self.minutes.append((end_ms - start_ms) // 60_000)
        return super().read(site, quantities, start_ms, end_ms)


def test_for_a_car_that_passes_only_the_last_minute_is_read_and_after_four_seconds_all_again(nord: City, tmp_path: Path) -> None:
    clock = HandClock(ms(90))
    with closing(AskedStore(tmp_path / "readings.db")) as store:
        store.write(steady_queue(8, 90))
        yards = Yards(store, nord, clock)
        for _ in range(2 * RENEW_MS // LOOK_MS):
            clock.advance(LOOK_MS)
            store.write([Reading(YARD, "lane-in", "passage", clock.now_ms(), 1.0)])

            assert yards.wait(YARD).as_of == moment(clock.now_ms()).replace(microsecond=0)

    assert [minutes for minutes in store.minutes if minutes > 1] == [270, 270]


def test_what_was_read_again_and_what_was_not_come_to_the_wait_of_who_starts_now(nord: City, tmp_path: Path) -> None:
    clock, rng = HandClock(ms(90)), random.Random(1)
    delays_ms = (0, 30_000, 120_000)
    coming = [(reading.at_ms + rng.choices(delays_ms, (20, 4, 1))[0], reading) for reading in steady_queue(8, 95)]
    with closing(SqliteStore(tmp_path / "readings.db")) as store:
        yards, begin_ms, compared = Yards(store, nord, clock), 0, 0
        told = yards.wait(YARD)
        for _ in range(120):
            clock.advance(rng.choice((250, 500, 1_000, RENEW_MS + 1)))
            now_ms = clock.now_ms()
            store.write([reading for arrives_ms, reading in coming if begin_ms < arrives_ms <= now_ms])
            begin_ms, before, told = now_ms, told, yards.wait(YARD)
            lately = [arrives_ms - reading.at_ms for arrives_ms, reading in coming if now_ms - 2 * RENEW_MS < arrives_ms <= now_ms]
            if told is not before and max(lately, default=0) < LATELY_MS:
                compared += 1
                assert told == Yards(store, nord, clock).wait(YARD)
    assert compared > 30


# What is learnt of the days before


def test_an_opening_is_learnt_from_where_it_ended_three_hours_before(city: City) -> None:
    opening = hours.period_on(dt.date(2026, 11, 23), city.yards[YARD].hours, city)
    assert opening is not None

    periods = before(city, YARD, opening)

    assert len(periods) == 8 * 6 - 1  # Sundays are closed, and so is the third of October, a Saturday
    assert (periods[0].opens.date(), periods[-1].opens.date()) == (dt.date(2026, 9, 28), dt.date(2026, 11, 21))


def test_round_the_clock_yesterday_is_not_learnt_from_before_tomorrow(tmp_path: Path) -> None:
    city = round_the_clock(tmp_path)
    opening = hours.period_on(dt.date(2026, 11, 23), city.yards[YARD].hours, city)
    assert opening is not None

    assert before(city, YARD, opening)[-1].opens.date() == dt.date(2026, 11, 21)


def test_before_anything_is_learnt_the_catalogue_is_trusted_and_then_what_was_measured(nord: City, store: Store) -> None:
    clock = HandClock(ms(90))
    looking_back = Hindsight(store, nord, clock, None)
    yards = Yards(store, nord, clock, looking_back.profile)

    cold = yards.wait(YARD)
    looking_back.look(NEVER)
    clock.advance(KEEP_MS + 1)
    warm = yards.wait(YARD)

    assert (cold.trust, warm.trust) == (Trust.CONFIGURED, Trust.MEASURED)
    assert learnt.labels(YARD)._value.get() == 4.0


def test_replicas_that_start_at_different_times_know_the_same(nord: City, store: Store) -> None:
    night, noon = hindsight(store, nord, -40), hindsight(store, nord, 240)

    night.look(NEVER)
    noon.look(NEVER)

    assert night.profile(YARD, at(90)) == noon.profile(YARD, at(90))
    assert night.profile(YARD, at(90)).days == 4


def test_an_opening_is_prepared_for_within_the_hour_before_it(nord: City, store: Store) -> None:
    early, late = hindsight(store, nord, -70), hindsight(store, nord, -50)

    early.look(NEVER)
    late.look(NEVER)

    assert (early.profile(YARD, at(0)).days, late.profile(YARD, at(0)).days) == (0, 4)


def test_what_comes_late_changes_what_is_known_from_the_next_opening_on(nord: City, store: Store) -> None:
    clock = HandClock(ms(90))
    running = Hindsight(store, nord, clock, None)
    running.look(NEVER)
    store.write(earlier(5))

    running.look(NEVER)
    today = running.profile(YARD, at(91)).days
    clock.set(ms(24 * 60 - 30))
    running.look(NEVER)
    tomorrow = running.profile(YARD, at(24 * 60)).days

    assert today == 4
    assert tomorrow == 6  # the late day and this Monday


def test_until_a_new_opening_is_learnt_for_the_profile_of_the_last_one_stands(nord: City, store: Store) -> None:
    running = hindsight(store, nord, 90)
    running.look(NEVER)

    assert running.profile(YARD, at(24 * 60 + 5)).days == 4


def test_a_process_that_ends_learns_no_further(nord: City, store: Store) -> None:
    stopping = threading.Event()
    stopping.set()
    running = hindsight(store, nord, 90)

    running.look(stopping)

    assert running.profile(YARD, at(90)) == COLD


class LeavingStore(SqliteStore):
    """A store that goes away after so many questions."""

    def __init__(self, path: Path, answers: int) -> None:
        super().__init__(path)
        self.answers = answers

    def read(self, site: str, quantities: Sequence[str], start_ms: int, end_ms: int) -> list[Reading]:
        self.answers -= 1
        if self.answers < 0:
            raise Unavailable("the database is restarting")
        return super().read(site, quantities, start_ms, end_ms)


def test_a_store_that_goes_away_amid_learning_is_asked_again(nord: City, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(LeavingStore(tmp_path / "readings.db", answers=10)) as store, caplog.at_level(logging.INFO):
        store.write(earlier(2))
        running = hindsight(store, nord, 90)
        running.look(NEVER)
        running.look(NEVER)
        away = running.profile(YARD, at(90))
        store.answers = 1_000
        running.look(NEVER)

    assert (away, running.profile(YARD, at(90)).days) == (COLD, 1)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "INFO"]
    assert caplog.messages[0] == "nothing is learnt from past days until the store answers: the database is restarting"
    assert caplog.messages[1].startswith("hof-nord: learnt from 1 openings before 2026-11-23 in ")


# How far the published waits were off


def publish(store: Store, start: int, end: int, mean_s: float = 600.0) -> None:
    """The same number each minute."""
    values = {"wait_state": 0.0, "wait_mean": mean_s, "wait_p10": mean_s / 2, "wait_p90": mean_s * 2}
    store.write([Reading(YARD, ESTIMATE, name, ms(n), value) for n in range(start, end) for name, value in values.items()])


def taken(findings: Findings) -> list[Reading]:
    return [] if findings.empty() else list(findings.get_nowait())


def test_an_hour_is_scored_once_its_cars_are_in_and_again_with_each_later_one(nord: City, store: Store) -> None:
    store.write(steady_queue(8, 200))
    publish(store, 0, 200)
    clock, findings = HandClock(ms(179)), Findings()
    running = Hindsight(store, nord, clock, findings)
    scored = []
    for minute in (179, 180, 200, 240):
        clock.set(ms(minute))
        running.look(NEVER)
        scored.append(sorted({(r.at_ms - ms(0)) // HOUR_MS for r in taken(findings)}))

    assert scored == [[], [0], [], [0, 1]]


def test_the_errors_are_those_of_what_was_published(nord: City, store: Store) -> None:
    store.write(steady_queue(8, 200))
    publish(store, 0, 200, mean_s=400.0)
    findings = Findings()

    hindsight(store, nord, 240, findings).look(NEVER)
    last = {r.quantity: r.value for r in taken(findings) if r.at_ms == ms(60)}

    # Eight cars wait, one is let in every 80 s: 640 s, 240 more than told.
    assert last["waits_measured"] == pytest.approx(45, abs=1)
    assert last["error_bias"] == pytest.approx(-240, abs=30)


def test_the_error_found_is_the_true_one_although_counters_miscount(nord: City) -> None:
    period = hours.period_on(dt.date(2026, 11, 9), nord.yards[YARD].hours, nord)
    assert period is not None
    day = opening(YARD, nord, 7, [period])
    events = [Reading(YARD, event.sensor, event.quantity, event.at_ms, event.value) for event in day.events()]
    minutes = range(0, 570, 2)
    instants = [period.opens + dt.timedelta(minutes=minute) for minute in minutes]
    published = [r for wait in estimates(YARD, nord, events, instants) for r in publisher.readings(wait) if r.quantity in PUBLISHED]
    true = [Measured(car.came_ms, (car.let_in_ms - car.came_ms) / 1000) for car in day.cars if car.let_in_ms is not None]
    found = [Measured(*wait) for wait in Opening(YARD, nord, events, period).until_last_entry().voices.measured]

    assert mean_error(accuracy(published, found)) == pytest.approx(mean_error(accuracy(published, true)), rel=0.15)


def mean_error(readings: list[Reading]) -> float:
    """Of a whole day, from its hours."""
    errors = [reading.value for reading in readings if reading.quantity == "error_mean"]
    waits = [reading.value for reading in readings if reading.quantity == "waits_measured"]
    return sum(error * count for error, count in zip(errors, waits, strict=True)) / sum(waits)


def test_a_replica_that_starts_later_finds_the_same_errors(nord: City, store: Store) -> None:
    store.write(steady_queue(8, 200))
    publish(store, 0, 200)
    one, other = Findings(), Findings()
    clock = HandClock(ms(-30))
    early = Hindsight(store, nord, clock, one)
    early.look(NEVER)
    clock.set(ms(240))
    early.look(NEVER)

    hindsight(store, nord, 250, other).look(NEVER)

    assert taken(one) == taken(other) != []


def test_the_last_hours_are_scored_after_closing(nord: City, store: Store) -> None:
    findings = Findings()
    store.write(steady_queue(8, 560))
    publish(store, 500, 580)
    clock = HandClock(ms(600 + 119))
    running = Hindsight(store, nord, clock, findings)
    running.look(NEVER)
    before_eight = {r.at_ms for r in taken(findings)}
    clock.set(ms(600 + 121))
    running.look(NEVER)

    assert before_eight == {ms(480)}
    assert {r.at_ms for r in taken(findings)} == {ms(480), ms(540)}


def test_without_a_publisher_nothing_is_scored_and_what_finds_no_place_is_left(nord: City, store: Store) -> None:
    store.write(steady_queue(8, 200))
    publish(store, 0, 200)
    full = Findings(1)
    full.put_nowait([])

    hindsight(store, nord, 240, None).look(NEVER)
    hindsight(store, nord, 240, full).look(NEVER)

    assert taken(full) == []
    assert full.empty()


def round_the_clock(folder: Path) -> City:
    path = folder / "city.toml"
    path.write_text(open_round_the_clock(CITY.read_text(encoding="utf-8")), encoding="utf-8")
    return load_city(path)


def hour_that_is_settled(clock: SystemClock) -> tuple[int, list[Reading]]:
    """The start of an hour that ended two hours ago, cars that waited eleven minutes in it, and "ten minutes" as published."""
    hour_ms = (clock.now_ms() - 2 * HOUR_MS) // HOUR_MS * HOUR_MS - HOUR_MS
    joined_ms = range(hour_ms, hour_ms + HOUR_MS, 80_000)
    cars = [Reading(YARD, "lane-in", "passage", each, 1.0) for each in joined_ms]
    cars += [Reading(YARD, "gate-in", "passage", each + 660_000, 1.0) for each in joined_ms]
    told = [
        Reading(YARD, ESTIMATE, quantity, at_ms, value)
        for at_ms in range(hour_ms, hour_ms + HOUR_MS, 60_000)
        for quantity, value in (("wait_state", 0.0), ("wait_mean", 600.0), ("wait_p10", 300.0), ("wait_p90", 900.0))
    ]
    return hour_ms, cars + told


@pytest.mark.live
@pytest.mark.slow
def test_the_error_of_what_was_published_comes_into_the_store(tmp_path: Path, broker: Mosquitto) -> None:
    round_the_clock(tmp_path)
    url = f"sqlite:///{tmp_path / 'readings.db'}"
    hour_ms, readings = hour_that_is_settled(SystemClock())
    ingest = write_ingest(tmp_path, broker.config, url)
    api = write_api(tmp_path, broker.config, url, free_port(), tmp_path / "city.toml")
    with closing(open_store(url)) as store, Role(tmp_path, "ingest", ingest), Role(tmp_path, "api", api):
        store.write(readings)
        errors = eventually(lambda: store.read(YARD, ("error_bias", "within_3min", "waits_measured"), hour_ms, hour_ms + 1), 90)

    values = {reading.quantity: reading.value for reading in errors if reading.sensor == ESTIMATE}
    assert values["waits_measured"] > 20
    assert values["error_bias"] == pytest.approx(-60, abs=60)
    assert values["within_3min"] > 0.9
