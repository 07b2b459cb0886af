"""The yard's model against closed formulas of queueing theory, and what its sensors say of a day."""

import datetime as dt
import math
import random
import statistics
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from hoflicht.catalogue import City, Hours, Role, Sensor, Yard
from hoflicht.days import WEEKDAYS
from hoflicht.hours import OpenPeriod
from simulators import demand
from simulators.bays import is_closed
from simulators.life import life, opening, stretches
from simulators.outages import Outage
from simulators.yard import USUAL, Car, Event, Law, Opening
from tests.textbook import MARKOV

BERLIN = ZoneInfo("Europe/Berlin")
TUESDAY, SATURDAY = dt.date(2026, 11, 17), dt.date(2026, 11, 21)
HOUR_MS = 3_600_000
COUNTERS = {"in": Sensor(role=Role.LANE_ENTRY), "gate": Sensor(role=Role.ENTRY_CONTROL)}
GATE = Sensor(role=Role.GATE)
PER_HOUR = 30.0  # at full load


def ms(day: dt.date, hour: int, minute: int = 0) -> int:
    return round(dt.datetime.combine(day, dt.time(hour, minute), BERLIN).timestamp() * 1000)


def textbook(law: Law, bays: int, hours: int, seed: int = 1) -> tuple[list[Car], list[Event]]:
    """The cars and the counters' events of a yard that is open for so many hours."""
    yard = Yard(
        name="", address="", lat=0, lon=0, hours=Hours(weekly={}), sensors=COUNTERS, bays=bays, usual_entries_per_hour=PER_HOUR
    )
    opens = dt.datetime(2026, 1, 1, tzinfo=BERLIN)
    closes = opens + dt.timedelta(hours=hours)
    model = Opening(yard, [OpenPeriod((opens, closes, closes))], law, random.Random(seed))
    events = list(model.events())
    return model.cars, events


def a_day(city: City, on: dt.date, law: Law = USUAL, seed: int = 1, yard: str = "hof-nord") -> tuple[list[Car], list[Event]]:
    model = opening(yard, city, seed, next(stretches(yard, city, on)), law)
    events = list(model.events())
    return model.cars, events


def wait_s(car: Car) -> float:
    assert car.let_in_ms is not None
    return (car.let_in_ms - car.came_ms) / 1000


def waits_s(cars: list[Car]) -> list[float]:
    return [wait_s(car) for car in cars if car.let_in_ms is not None]


def found_on_arrival(cars: list[Car]) -> list[int]:
    """How many cars each one found, waiting or unloading."""
    leaving = sorted(car.left_ms for car in cars if car.left_ms is not None)
    gone, found = 0, []
    for before, car in enumerate(cars):
        while gone < len(leaving) and leaving[gone] <= car.came_ms:
            gone += 1
        found.append(before - gone)
    return found


def erlang_c(bays: int, load: float) -> float:
    """P(wait > 0) in M/M/s (A. K. Erlang, 1917)."""
    offered = bays * load
    full = offered**bays / math.factorial(bays) / (1 - load)
    return full / (sum(offered**n / math.factorial(n) for n in range(bays)) + full)


@pytest.fixture(scope="module")
def mm4() -> tuple[list[Car], list[Event]]:
    """M/M/4 at a load of 0.7: some 31 000 cars."""
    return textbook(MARKOV, bays=4, hours=1_500)


def test_as_many_cars_wait_as_erlang_says(mm4: tuple[list[Car], list[Event]]) -> None:
    waits = waits_s(mm4[0])

    # The queue forgets in 75 minutes: some 600 independent looks, a standard error of 0.02.
    assert sum(wait > 0 for wait in waits) / len(waits) == pytest.approx(erlang_c(4, 0.7), abs=0.05)


@pytest.mark.parametrize("found", [4, 5, 7])
def test_a_wait_is_the_sum_of_the_gaps_of_those_in_front(mm4: tuple[list[Car], list[Event]], found: int) -> None:
    cars, _ = mm4
    waits = [wait_s(car) for car, n in zip(cars, found_on_arrival(cars), strict=True) if n == found and car.let_in_ms is not None]
    gaps, gap_s = found - 4 + 1, 3600 / PER_HOUR

    # (n - s + 1) / (s mu); cars that come one after the other share gaps, hence five standard errors of independent ones.
    assert statistics.mean(waits) == pytest.approx(gaps * gap_s, abs=5 * gap_s * math.sqrt(gaps / len(waits)))


def test_nobody_waits_while_a_bay_is_free(mm4: tuple[list[Car], list[Event]]) -> None:
    cars, _ = mm4

    assert {wait_s(car) for car, n in zip(cars, found_on_arrival(cars), strict=True) if n < 4 and car.let_in_ms is not None} == {
        0.0
    }


def test_littles_law_holds_between_the_counters_and_the_true_waits(mm4: tuple[list[Car], list[Event]]) -> None:
    cars, events = mm4
    car_ms = length = last_ms = 0
    for event in (event for event in events if event.quantity == "passage"):
        car_ms += length * (event.at_ms - last_ms)
        length, last_ms = length + (1 if event.sensor == "in" else -1), event.at_ms

    assert car_ms / 1000 == pytest.approx(sum(waits_s(cars)), rel=0.001)


def test_the_mean_wait_at_one_bay_is_pollaczeks_and_khinchines() -> None:
    cars, _ = textbook(replace(MARKOV, load=lambda _at_ms: 0.6, sigma=0.5), bays=1, hours=1_500)
    mean_s, squared_cv = 3600 / PER_HOUR, math.exp(0.5**2) - 1

    assert statistics.mean(waits_s(cars)) == pytest.approx(0.6 * mean_s * (1 + squared_cv) / (2 * (1 - 0.6)), rel=0.08)


def test_the_same_seed_is_the_same_day_and_another_is_another(city: City) -> None:
    assert a_day(city, TUESDAY, seed=1) == a_day(city, TUESDAY, seed=1)
    assert a_day(city, TUESDAY, seed=1) != a_day(city, TUESDAY, seed=2)


def test_a_restart_at_noon_lives_the_same_morning_and_the_same_afternoon(city: City) -> None:
    from_morning = takewhile(lambda event: event.at_ms < ms(TUESDAY, 20), life("hof-nord", city, 1, ms(TUESDAY, 6)))
    from_noon = takewhile(lambda event: event.at_ms < ms(TUESDAY, 20), life("hof-nord", city, 1, ms(TUESDAY, 12)))

    assert list(from_morning) == list(from_noon)


def test_events_come_in_order_of_time_and_from_the_yards_own_sensors(city: City) -> None:
    _, events = a_day(city, SATURDAY)

    assert [event.at_ms for event in events] == sorted(event.at_ms for event in events)
    assert {event.sensor for event in events} == set(city.yards["hof-nord"].sensors) - {"air"}


def test_a_bay_is_left_before_the_next_car_is_in_it(city: City) -> None:
    _, events = a_day(city, SATURDAY)
    for bay in ("bay-1", "bay-4"):
        said = [(event.at_ms, event.value) for event in events if event.sensor == bay]

        assert [value for _, value in said] == [0.0, 1.0] * (len(said) // 2) + [0.0]
        assert all(now[0] < then[0] for now, then in pairwise(said))


def test_who_is_in_the_lane_at_the_last_entry_is_turned_away(city: City) -> None:
    cars, events = a_day(city, TUESDAY, replace(USUAL, load=lambda _at_ms: 1.7, patience_min=math.inf))

    assert sum(car.let_in_ms is None for car in cars) > 50
    assert max(car.let_in_ms for car in cars if car.let_in_ms is not None) < ms(TUESDAY, 17, 30)
    assert [event.value for event in events if event.quantity == "presence" and event.at_ms > ms(TUESDAY, 17, 32)].count(1.0) == 0


def test_a_closed_day_has_no_events(city: City) -> None:
    first = next(event for event in life("hof-nord", city, 1, ms(SATURDAY, 20)) if event.at_ms > ms(SATURDAY, 20))

    assert first.at_ms == ms(SATURDAY + dt.timedelta(days=2), 7, 40)


def test_a_yard_that_never_opens_has_no_life(city: City) -> None:
    shut = replace(city, yards={"shut": replace(city.yards["hof-nord"], hours=Hours(weekly={}))})

    assert list(life("shut", shut, 1, ms(TUESDAY, 12))) == []


def test_a_saturday_reaches_half_an_hour_and_a_tuesday_is_mostly_quick(city: City) -> None:
    saturdays = [max(waits_s(a_day(city, SATURDAY, seed=seed)[0])) / 60 for seed in range(7)]
    tuesdays = [statistics.median(waits_s(a_day(city, TUESDAY, seed=seed)[0])) / 60 for seed in range(7)]

    assert 30 <= statistics.median(saturdays) <= 60
    assert statistics.median(tuesdays) <= 3


def test_without_miscounts_the_counters_tell_the_truth(city: City) -> None:
    cars, events = a_day(city, SATURDAY, replace(USUAL, missed=0, doubled=0))

    counted = {
        name: sum(e.sensor == name and e.quantity == "passage" for e in events) for name in ("lane-in", "gate-in", "gate-out")
    }

    assert counted == {
        "lane-in": len(cars),
        "gate-in": len(waits_s(cars)),
        "gate-out": len(waits_s(cars)),
    }


def test_counters_miss_and_double_as_often_as_they_are_told_to(city: City) -> None:
    cars, events = a_day(city, SATURDAY, replace(USUAL, missed=0.2, doubled=0.1))

    counted = sum(event.sensor == "lane-in" and event.quantity == "passage" for event in events)

    assert counted / len(cars) == pytest.approx(0.9, abs=0.09)


@pytest.mark.parametrize(("sensor", "position_m"), [("lane-3", 3), ("lane-50", 50), ("lane-120", 120)])
def test_a_lane_sensor_is_covered_when_the_queue_reaches_it(city: City, sensor: str, position_m: int) -> None:
    law = replace(USUAL, roll_s=0, load=lambda _at_ms: 1.2)
    cars, events = a_day(city, SATURDAY, law)
    looks = right = 0
    for at_ms in range(ms(SATURDAY, 8), ms(SATURDAY, 17), 20_000):
        moves = [t for car in cars for t in (car.came_ms, car.let_in_ms) if t is not None and at_ms - 30_000 < t <= at_ms]
        if moves:
            continue  # the lane is on the move
        queue = sum(car.came_ms <= at_ms and (car.let_in_ms is None or car.let_in_ms > at_ms) for car in cars)
        covered = [event.value for event in events if event.sensor == sensor and event.at_ms <= at_ms][-1]
        looks, right = looks + 1, right + (covered == (queue * 7 > position_m))

    assert looks > 100
    assert right == looks


def test_a_gap_runs_down_a_standing_lane(city: City) -> None:
    _, events = a_day(city, SATURDAY, replace(USUAL, load=lambda _at_ms: 1.5))
    seen = [(event.at_ms, event.value) for event in events if event.sensor == "lane-50"]

    gaps_ms = [then[0] - now[0] for now, then in pairwise(seen) if (now[1], then[1]) == (0.0, 1.0)]

    assert len(gaps_ms) > 100
    assert statistics.median(gaps_ms) == 4_000


def test_nobody_is_let_in_while_the_gate_is_held(city: City) -> None:
    cars, events = a_day(city, SATURDAY, replace(USUAL, holds_per_day=6))
    held = [(event.at_ms, event.value) for event in events if event.quantity == "held"]
    spans = [(now[0], then[0]) for now, then in pairwise(held) if now[1] == 1.0]

    assert len(spans) >= 3
    assert [car for car in cars for start, end in spans if car.let_in_ms is not None and start < car.let_in_ms < end] == []


def test_a_group_is_let_in_together(city: City) -> None:
    law = replace(USUAL, together=4, holds_per_day=0, changes_per_day=0, load=lambda _at_ms: 1.5)
    cars, _ = a_day(city, TUESDAY, law)

    entries_ms = [car.let_in_ms for car in cars if car.let_in_ms is not None]
    of_groups = [[then - now for now, then in pairwise(entries_ms[first : first + 4])] for first in range(200, 280, 4)]

    assert of_groups == [[8_000, 8_000, 8_000]] * 20


def test_never_more_cars_are_on_the_yard_than_it_has_places_for(city: City) -> None:
    cars, _ = a_day(city, SATURDAY)
    steps = sorted([(car.let_in_ms, 1) for car in cars if car.let_in_ms] + [(car.left_ms, -1) for car in cars if car.left_ms])

    inside = most = 0
    for _, step in steps:
        inside += step
        most = max(most, inside)

    assert most == 6  # four bays and two places to wait


# A yard of four bays, its troubles one by one

TROUBLED = Yard(
    name="",
    address="",
    lat=0,
    lon=0,
    hours=Hours(weekly={}),
    bays=4,
    usual_entries_per_hour=PER_HOUR,
    sensors={
        "in": Sensor(role=Role.LANE_ENTRY),
        "head": Sensor(role=Role.LANE, position_m=3),
        "out": Sensor(role=Role.YARD_EXIT),
        "bay-1": Sensor(role=Role.BAY),
    },
)
BUSY = replace(MARKOV, load=demand.constant(1.1), sigma=0.5)
OPENS = dt.datetime(2026, 11, 21, 8, tzinfo=BERLIN)


def troubled(law: Law, yard: Yard = TROUBLED, seed: int = 1) -> tuple[Opening, list[Event]]:
    """Ten hours of it, from eight o'clock on."""
    closes = OPENS + dt.timedelta(hours=10)
    model = Opening(yard, [OpenPeriod((OPENS, closes, closes))], law, random.Random(seed))
    return model, list(model.events())


def h(hours: float) -> int:
    """So many hours after the opening, in ms."""
    return round(OPENS.timestamp() * 1000 + hours * HOUR_MS)


def passages(events: list[Event], sensor: str, start_ms: int = 0, end_ms: int = 10**15) -> int:
    return sum(e.sensor == sensor and e.quantity == "passage" and start_ms <= e.at_ms < end_ms for e in events)


def busy_bays(cars: list[Car], at_ms: int) -> int:
    return sum(car.let_in_ms <= at_ms < (car.left_ms or 0) for car in cars if car.let_in_ms is not None)


def test_other_counters_see_the_same_cars() -> None:
    sure, _ = troubled(BUSY)
    unsure, _ = troubled(replace(BUSY, missed=0.05, doubled=0.02))

    assert sure.cars == unsure.cars


def test_each_side_miscounts_at_its_own_rate() -> None:
    model, events = troubled(replace(BUSY, missed=0.2, missed_out=0.0, doubled_out=0.1))
    served = sum(car.left_ms is not None for car in model.cars)

    assert passages(events, "in") / len(model.cars) == pytest.approx(0.8, abs=0.07)
    assert passages(events, "out") / served == pytest.approx(1.1, abs=0.05)


@pytest.mark.parametrize(("role", "sensor"), [(Role.LANE_ENTRY, "in"), (Role.YARD_EXIT, "out")])
def test_a_counter_that_is_out_counts_nobody_and_the_cars_come_all_the_same(role: Role, sensor: str) -> None:
    model, events = troubled(replace(BUSY, outages=(Outage(role, 3.0, 20.0),)))

    assert passages(events, sensor, h(3), h(3) + 20 * 60_000) == 0
    assert passages(events, sensor, h(2), h(3)) > 20
    assert passages(events, sensor, h(3) + 20 * 60_000, h(4)) > 10
    assert model.cars == troubled(BUSY)[0].cars


@pytest.mark.parametrize("flagged", [True, False])
def test_only_a_flagged_outage_is_told_by_the_port(flagged: bool) -> None:
    _, events = troubled(replace(BUSY, ports=True, outages=(Outage(Role.YARD_EXIT, 3.0, 20.0, flagged=flagged),)))
    gone = {(e.sensor, e.at_ms) for e in events if e.quantity == "port_open" and e.value == 0.0}
    told = [e.at_ms for e in events if e.quantity == "port_open" and e.sensor == "out"]

    assert {sensor for sensor, _ in gone} == ({"out"} if flagged else set())
    assert all(h(3) <= at_ms < h(3) + 20 * 60_000 for _, at_ms in gone)
    assert max(then - now for now, then in pairwise(told)) <= 60_000


def test_bays_close_for_lunch_one_after_the_other() -> None:
    model, _ = troubled(replace(BUSY, lunch_min=30.0, lunch_spread_min=0.0))

    busy = {hour: busy_bays(model.cars, h(hour)) for hour in (3.9, 4.45, 4.95, 5.45, 5.95, 6.9)}

    assert busy == {3.9: 4, 4.45: 3, 4.95: 3, 5.45: 3, 5.95: 3, 6.9: 4}


def test_lunch_is_at_about_the_same_time_each_day() -> None:
    starts_h = [(troubled(replace(BUSY, lunch_min=30.0), seed=seed)[0].closures[0].start_ms - h(0)) / HOUR_MS for seed in range(20)]

    assert max(abs(hours - 4.0) for hours in starts_h) <= 5 / 60
    assert len(set(starts_h)) == 20


def test_a_bay_whose_container_is_changed_takes_no_car() -> None:
    model, _ = troubled(replace(BUSY, changes_per_day=4.0))

    assert len(model.closures) == 4
    assert all(10 * 60_000 <= closure.end_ms - closure.start_ms <= 20 * 60_000 for closure in model.closures)
    assert not any(is_closed(model.closures, car.bay, car.let_in_ms) for car in model.cars if car.bay is not None and car.let_in_ms)


def test_the_last_open_bay_stays_open() -> None:
    model, _ = troubled(replace(BUSY, changes_per_day=20.0), replace(TROUBLED, bays=1))

    assert model.closures == []


def test_so_many_bays_work_as_have_staff() -> None:
    model, _ = troubled(replace(BUSY, roster=((0.0, 2), (3.0, 4), (6.0, 1))))

    assert [busy_bays(model.cars, h(hour)) for hour in (2.9, 5.9, 9.0)] == [2, 4, 1]


def test_while_the_yard_stands_nobody_enters_nobody_leaves_and_nobody_says_so() -> None:
    model, events = troubled(replace(BUSY, stops=((3.0, 20.0),)), replace(TROUBLED, sensors=TROUBLED.sensors | {"gate": GATE}))
    moves_ms = [at_ms for car in model.cars for at_ms in (car.let_in_ms, car.left_ms) if at_ms is not None]

    assert [at_ms for at_ms in moves_ms if h(3) < at_ms < h(3) + 20 * 60_000] == []
    assert {event.value for event in events if event.quantity == "held"} == {0.0}
    assert sum(h(2.667) < at_ms < h(3) for at_ms in moves_ms) > 10


def test_batches_are_let_in_every_five_minutes_as_many_as_there_is_place_for() -> None:
    model, _ = troubled(replace(BUSY, every_s=300.0, headway_s=8.0))
    entries_ms = [(car.let_in_ms - h(0)) % 300_000 for car in model.cars if car.let_in_ms is not None]

    assert set(entries_ms) == {0, 8_000, 16_000, 24_000}
    assert max(busy_bays(model.cars, h(n / 12) + 30_000) for n in range(120)) == 4


def test_who_comes_between_two_batches_waits_for_the_next() -> None:
    model, _ = troubled(replace(BUSY, load=demand.constant(0.05), every_s=300.0))

    assert {(car.let_in_ms - h(0)) % 300_000 for car in model.cars if car.let_in_ms is not None} == {0}


def test_who_gives_up_is_seen_by_no_counter() -> None:
    model, events = troubled(replace(BUSY, load=demand.constant(1.4), give_up_min=40.0))
    gone = [car for car in model.cars if car.gave_up_ms is not None]

    assert len(gone) > 20
    assert all(car.let_in_ms is None for car in gone)
    assert passages(events, "in") == len(model.cars)
    assert passages(events, "out") == sum(car.left_ms is not None for car in model.cars)


def test_who_drives_on_at_the_sight_of_the_queue_is_not_counted() -> None:
    model, events = troubled(replace(BUSY, load=demand.constant(1.4), patience_min=15.0))

    assert max(waits_s(model.cars)) < 45 * 60
    assert passages(events, "in") == len(model.cars) < len(troubled(replace(BUSY, load=demand.constant(1.4)))[0].cars)


def test_before_the_opening_a_queue_waits_for_it() -> None:
    model, _ = troubled(replace(BUSY, early_s=1_800.0))
    early = [car for car in model.cars if car.came_ms < h(0)]

    assert len(early) > 8
    assert min(car.let_in_ms for car in early if car.let_in_ms is not None) == h(0)


def test_two_entrances_share_the_cars() -> None:
    sensors = TROUBLED.sensors | {"in-2": Sensor(role=Role.LANE_ENTRY)}
    model, events = troubled(BUSY, replace(TROUBLED, sensors=sensors))
    counts = passages(events, "in"), passages(events, "in-2")

    assert sum(counts) == len(model.cars)
    assert min(counts) > 0.4 * sum(counts)


def test_a_trailer_takes_three_times_as_long_and_the_yard_as_a_whole_the_same() -> None:
    law = replace(BUSY, trailers=0.2).service(TROUBLED)
    rng = random.Random(1)

    times_s = [law.drawn_ms(rng) / 1000 for _ in range(20_000)]

    assert statistics.mean(times_s) == pytest.approx(480.0, rel=0.02)
    assert law.plain_s * (0.8 + 0.2 * 3) == pytest.approx(480.0)


def test_the_head_of_the_lane_is_free_for_seconds_when_a_car_moves_up() -> None:
    _, events = troubled(replace(BUSY, load=demand.constant(1.6), headway_s=8.0))
    seen = [(e.at_ms, e.value) for e in events if e.sensor == "head" and h(5) < e.at_ms < h(6)]
    gaps_ms = [then[0] - now[0] for now, then in pairwise(seen) if now[1] == 0.0]

    assert len(gaps_ms) > 20
    assert statistics.median(gaps_ms) == max(gaps_ms) == 4_000


def test_cars_take_more_or_less_of_the_lane() -> None:
    sensors = {"in": Sensor(role=Role.LANE_ENTRY), "far": Sensor(role=Role.LANE, position_m=50)}
    model, events = troubled(replace(BUSY, spread_m=1.0), replace(TROUBLED, sensors=sensors))
    covered = [e.at_ms for e in events if e.sensor == "far" and e.value == 1.0]
    lengths = {sum(car.came_ms <= at_ms < (car.let_in_ms or 10**15) for car in model.cars) for at_ms in covered}

    # Eight cars of seven metres reach beyond 50 m, but not always.
    assert {7, 8, 9} <= lengths


def test_a_rush_begins_before_noon_outlasts_lunch_and_has_some_25_cars_an_hour() -> None:
    days = []
    for seed in range(7):
        periods = [OpenPeriod((OPENS, OPENS + dt.timedelta(hours=9.5), OPENS + dt.timedelta(hours=10)))]
        law = replace(BUSY, load=demand.rush(periods, random.Random(seed).random()), lunch_min=30.0)
        days.append(troubled(law, seed=seed)[0].cars)

    longest_min = [max(waits_s(cars)) / 60 for cars in days]

    assert statistics.mean(len(cars) for cars in days) / 9.5 == pytest.approx(25, abs=1.5)
    assert 35 <= statistics.median(longest_min) <= 65


def round_the_clock(city: City) -> City:
    always = Hours(weekly=dict.fromkeys(WEEKDAYS, "00:00-24:00"), open_on_holidays=True)
    return replace(city, yards={name: replace(yard, hours=always) for name, yard in city.yards.items()})


@pytest.fixture(scope="module")
def always_open(city: City) -> list[Car]:
    """A week of a yard that never closes."""
    return a_day(round_the_clock(city), TUESDAY)[0]


def test_a_yard_that_never_closes_lives_on_at_midnight(always_open: list[Car]) -> None:
    midnight_ms = ms(SATURDAY, 0)

    assert sum(car.came_ms < midnight_ms <= car.let_in_ms for car in always_open if car.let_in_ms is not None) > 3


def test_a_yard_that_never_closes_has_a_queue_at_all_hours(always_open: list[Car]) -> None:
    queues = [
        sum(car.came_ms <= at_ms < (car.let_in_ms or at_ms) for car in always_open)
        for at_ms in range(ms(TUESDAY, 1), ms(SATURDAY, 23), HOUR_MS)
    ]

    assert sum(queue > 0 for queue in queues) / len(queues) > 0.85
    assert max(queues) < 60


def test_a_week_that_never_closes_begins_anew_without_going_back_in_time(city: City) -> None:
    events = list(
        takewhile(lambda e: e.at_ms < ms(TUESDAY, 1), life("hof-sued", round_the_clock(city), 1, ms(TUESDAY, 0) - 36 * HOUR_MS))
    )

    assert [event.at_ms for event in events] == sorted(event.at_ms for event in events)
