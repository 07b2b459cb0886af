"""The simulated yard, held against closed forms of queueing theory and against what yards do."""

import datetime as dt
import random
import statistics
from itertools import pairwise

import pytest

from hoflicht.catalogue import City, Hours, Role, Sensor, Yard
from hoflicht.hours import period_on
from simulators.yard import USUAL, Day, Event, Law, day, shape

SATURDAY = dt.date(2026, 11, 21)
BAYS, PER_HOUR = 4, 40.0
OPEN = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")


def markov(load: float, bays: int = BAYS, days: int = 100) -> list[tuple[int, int, float]]:
    """Of each car on `days` days of an M/M/s yard: cars in the lane and on the yard when it came, its wait in seconds."""
    sensors = {"in": Sensor(role=Role.LANE_ENTRY)}
    hours = Hours(weekly=OPEN)
    yard = Yard(name="M", address="", lat=51, lon=6, hours=hours, sensors=sensors, bays=bays, usual_entries_per_hour=PER_HOUR)
    city = City(name="Theory", yards={"m": yard})
    cars: list[tuple[int, int, float]] = []
    for n in range(days):
        period = period_on(SATURDAY + dt.timedelta(days=n), hours, city)
        assert period is not None
        one = Day(yard, period, Law(load=load, markov=True), random.Random(n))
        for _ in one.events():
            pass
        done = [car for car in one.cars if car.let_in_ms is not None and car.left_ms is not None]
        for car in done[100:]:  # the day begins empty
            waiting = sum(1 for c in done if c.came_ms < car.came_ms < (c.let_in_ms or 0))
            inside = sum(1 for c in done if c is not car and (c.let_in_ms or 0) <= car.came_ms < (c.left_ms or 0))
            cars.append((waiting, inside, ((car.let_in_ms or 0) - car.came_ms) / 1000))
    return cars


@pytest.fixture(scope="module")
def busy() -> list[tuple[int, int, float]]:
    return markov(load=0.8, days=12)


def erlang_c(bays: int, offered: float) -> float:
    """The probability of waiting in M/M/s (Erlang 1917), offered load in Erlang."""
    term, total = 1.0, 1.0
    for n in range(1, bays):
        term *= offered / n
        total += term
    last = term * offered / bays * bays / (bays - offered)
    return last / (total + last)


def test_as_many_wait_as_erlang_says(busy: list[tuple[int, int, float]]) -> None:
    waited = statistics.mean(wait_s > 0 for _, _, wait_s in busy)

    assert waited == pytest.approx(erlang_c(BAYS, 0.8 * BAYS), abs=0.05)


def test_the_wait_behind_n_cars_is_n_plus_one_gaps(busy: list[tuple[int, int, float]]) -> None:
    gap_s = 3600 / PER_HOUR
    for n in (0, 2, 4):
        waits_s = [wait_s for waiting, inside, wait_s in busy if waiting == n and inside == BAYS]

        assert statistics.mean(waits_s) == pytest.approx((n + 1) * gap_s, rel=0.12)


def test_one_server_waits_as_pollaczek_and_khinchine_say() -> None:
    cars = markov(load=0.6, bays=1, days=12)

    # Exponential service: rho / (mu - lambda).
    assert statistics.mean(wait_s for _, _, wait_s in cars) == pytest.approx(0.6 / (1 - 0.6) * 3600 / PER_HOUR, rel=0.15)


def test_the_queue_is_arrivals_times_wait(busy: list[tuple[int, int, float]]) -> None:
    mean_queue = statistics.mean(waiting for waiting, _, _ in busy)  # seen by arrivals, who see time averages (PASTA)
    mean_wait_h = statistics.mean(wait_s for _, _, wait_s in busy) / 3600

    assert mean_queue == pytest.approx(0.8 * PER_HOUR * mean_wait_h, rel=0.1)


def events_of(
    city: City, yard: str = "hof-nord", on: dt.date = SATURDAY, law: Law = USUAL, seed: int = 1
) -> tuple[Day, list[Event]]:
    one = day(yard, city, on, seed, law)
    assert one is not None
    return one, list(one.events())


def test_the_same_seed_yard_and_day_is_the_same_day(city: City) -> None:
    assert events_of(city)[1] == events_of(city)[1]
    assert events_of(city)[1] != events_of(city, seed=2)[1]


def test_events_come_in_order_of_time_from_the_sensors_of_the_catalogue(city: City) -> None:
    _, events = events_of(city, "hof-mitte")

    assert [event.at_ms for event in events] == sorted(event.at_ms for event in events)
    assert {event.sensor for event in events} == {"lane-in", "lane-3", "gate-in", "barrier"}


def test_a_closed_yard_has_no_day(city: City) -> None:
    assert day("hof-nord", city, dt.date(2026, 11, 22), seed=1) is None


def test_a_saturday_has_a_queue_worth_showing(city: City) -> None:
    waits_min = [(c.let_in_ms - c.came_ms) / 60_000 for c in events_of(city)[0].cars if c.let_in_ms is not None]

    assert 30 < max(waits_min) < 120
    assert statistics.median(waits_min) > 5


def test_nobody_is_let_in_after_the_last_entry(city: City) -> None:
    one, _ = events_of(city)
    last_entry_ms = dt.datetime(2026, 11, 21, 16, 30, tzinfo=dt.UTC).timestamp() * 1000

    assert max(car.let_in_ms for car in one.cars if car.let_in_ms is not None) < last_entry_ms
    assert any(car.let_in_ms is None for car in one.cars)


def test_cars_are_let_in_in_the_order_they_came(city: City) -> None:
    let_in = [car.let_in_ms for car in events_of(city)[0].cars if car.let_in_ms is not None]

    assert let_in == sorted(let_in)


def test_counters_without_miscounts_agree_with_the_truth(city: City) -> None:
    one, events = events_of(city, law=Law(missed=0, doubled=0))
    count = {name: sum(e.quantity == "passage" and e.sensor == name for e in events) for name in ("lane-in", "gate-in", "gate-out")}

    assert count["lane-in"] == len(one.cars)
    assert count["gate-in"] == count["gate-out"] == sum(car.let_in_ms is not None for car in one.cars)


def test_counters_miss_and_double(city: City) -> None:
    one, events = events_of(city, law=Law(missed=0.05, doubled=0))

    counted = sum(e.quantity == "passage" and e.sensor == "lane-in" for e in events)
    assert 0.91 < counted / len(one.cars) < 0.99


def test_a_lane_sensor_speaks_at_least_every_minute(city: City) -> None:
    times = [event.at_ms for event in events_of(city)[1] if event.sensor == "lane-120"]

    assert max(later - earlier for earlier, later in pairwise(times)) <= 60_000


def test_the_day_has_two_peaks() -> None:
    assert shape(0.3) > 1.3
    assert shape(0.5) < 0.8
    assert shape(0.72) > 1.1
    assert max(shape(n / 100) for n in range(101)) < 2
