"""The observer who knows all, against closed forms and against the waits that cars then had."""

import datetime as dt
import math
import random
import statistics
from statistics import NormalDist
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from msgspec.structs import replace

from hoflicht.catalogue import Hours, Yard
from hoflicht.hours import OpenPeriod
from simulators import demand
from simulators.omniscient import Observer, residual_s
from simulators.service import Service, service
from simulators.yard import Law, Opening
from tests import textbook

OPENS = dt.datetime(2026, 1, 1, 8, tzinfo=ZoneInfo("Europe/Berlin"))
OPENS_MS = round(OPENS.timestamp() * 1000)
YARD = Yard(name="", address="", lat=0, lon=0, hours=Hours(weekly={}), sensors={}, bays=4, usual_entries_per_hour=30.0)
# Four bays of eight minutes: a car every two minutes while cars wait.
MARKOV = replace(textbook.MARKOV, load=demand.constant(0.9))
BUSY = replace(MARKOV, load=demand.constant(1.2), sigma=0.5, headway_s=8)
SATURDAY = replace(MARKOV, load=demand.constant(0.95), sigma=0.5, headway_s=8)
MINUTE_MS = 60_000


def lived(law: Law, hours: float = 9.5, seed: int = 1) -> Opening:
    closes = OPENS + dt.timedelta(hours=hours)
    opening = Opening(YARD, [OpenPeriod((OPENS, closes, closes))], law, random.Random(seed))
    for _ in opening.events():
        pass
    return opening


def bias_and_error_s(law: Law, days: int = 12) -> tuple[float, float]:
    """The mean of expected minus true waits, and its standard error by days."""
    by_day = []
    for seed in range(days):
        opening = lived(law, seed=seed)
        observer = Observer(YARD, law, opening, seed, paths=100)
        by_day.append(
            statistics.mean(
                observer.wait_s(car.came_ms) - (car.let_in_ms - car.came_ms) / 1000
                for car in opening.cars[::5]
                if car.let_in_ms is not None
            )
        )
    return statistics.mean(by_day), statistics.stdev(by_day) / math.sqrt(days)


def mean_residual_s(law: Service, elapsed_s: float) -> float:
    """E[T - t | T > t] of a lognormal T, by its partial expectation."""
    assert law.sigma is not None
    z = math.log(elapsed_s / law.median_s) / law.sigma
    return law.plain_s * NormalDist().cdf(law.sigma - z) / NormalDist().cdf(-z) - elapsed_s


def test_with_exponential_service_a_wait_is_n_minus_s_plus_one_gaps() -> None:
    opening = lived(MARKOV, hours=24)
    observer = Observer(YARD, MARKOV, opening, seed=1, paths=4_000)
    at = range(60, len(opening.cars), 40)
    found = [sum(car.came_ms < now.came_ms < (car.left_ms or 0) for car in opening.cars) for now in (opening.cars[n] for n in at)]

    expected_s = [observer.wait_s(opening.cars[n].came_ms) for n in at]

    # (n - s + 1) / (s mu); 4000 paths: four standard errors are 6 % of one gap, less of many.
    assert max(found) > 10
    assert expected_s == pytest.approx([max(n - 3, 0) * 120.0 for n in found], rel=0.07)


@pytest.mark.parametrize("elapsed_s", [1.0, 300.0, 480.0, 1_200.0])
def test_what_is_left_of_a_lognormal_service_follows_from_the_elapsed_time(elapsed_s: float) -> None:
    law = service(480.0, 0.5, trailers=0.0, trailer_factor=3.0)

    left_s = residual_s(law, elapsed_s, 100_000, np.random.default_rng(1))

    assert left_s.mean() == pytest.approx(mean_residual_s(law, elapsed_s), rel=0.02)
    assert left_s.min() >= 0


def test_what_is_left_of_an_exponential_service_has_no_memory() -> None:
    left_s = residual_s(service(480.0, None, 0.0, 3.0), 2_000.0, 100_000, np.random.default_rng(1))

    assert left_s.mean() == pytest.approx(480.0, rel=0.02)


@pytest.mark.parametrize("elapsed_s", [1.0, 600.0, 1_500.0])
def test_who_unloads_for_long_has_a_trailer_by_bayes_rule(elapsed_s: float) -> None:
    law = service(480.0, 0.5, trailers=0.1, trailer_factor=3.0)
    towing = replace(law, plain_s=3 * law.plain_s)
    weights = [share * NormalDist().cdf(-math.log(elapsed_s / each.median_s) / 0.5) for share, each in ((0.9, law), (0.1, towing))]
    means_s = [mean_residual_s(each, elapsed_s) for each in (law, towing)]

    left_s = residual_s(law, elapsed_s, 100_000, np.random.default_rng(1))

    expected_s = sum(weight * mean_s for weight, mean_s in zip(weights, means_s, strict=True)) / sum(weights)
    assert left_s.mean() == pytest.approx(expected_s, rel=0.02)


@pytest.mark.parametrize(
    "law",
    [
        SATURDAY,
        replace(SATURDAY, trailers=0.1),
        replace(SATURDAY, lunch_min=30.0, load=demand.constant(0.8)),
        replace(SATURDAY, every_s=300.0, service_s=330.0),
        replace(SATURDAY, roster=((0.0, 3), (2.0, 4), (6.0, 3))),
    ],
    ids=["lognormal", "trailers", "lunch", "batches", "roster"],
)
def test_on_the_whole_cars_wait_as_long_as_the_observer_expects(law: Law) -> None:
    bias_s, error_s = bias_and_error_s(law)

    assert abs(bias_s) < 3 * error_s + 5


def test_the_observer_knows_of_the_lunch_to_come() -> None:
    opening = lived(replace(BUSY, lunch_min=30.0, lunch_spread_min=0.0))
    blind = lived(BUSY)  # the same cars
    shortly_before_ms = OPENS_MS + 239 * MINUTE_MS

    knowing_s = Observer(YARD, BUSY, opening, seed=1).wait_s(shortly_before_ms)
    unknowing_s = Observer(YARD, BUSY, blind, seed=1).wait_s(shortly_before_ms)

    assert knowing_s / unknowing_s == pytest.approx(4 / 3, rel=0.06)


def test_a_stop_that_has_begun_puts_everything_off_to_its_end() -> None:
    with_stop, without = lived(replace(BUSY, stops=((3.0, 20.0),))), lived(BUSY)
    as_it_begins_ms = OPENS_MS + 180 * MINUTE_MS

    waits_s = [Observer(YARD, BUSY, opening, seed=1).wait_s(as_it_begins_ms) for opening in (with_stop, without)]

    assert waits_s[0] - waits_s[1] == pytest.approx(20 * 60)


def test_time_that_stood_still_is_no_time_of_unloading() -> None:
    begins_ms, ends_ms = OPENS_MS + 180 * MINUTE_MS, OPENS_MS + 200 * MINUTE_MS
    nobody_comes_meanwhile = replace(BUSY, load=lambda at_ms: 0.0 if begins_ms <= at_ms < ends_ms else 1.2)
    with_stop, without = lived(replace(nobody_comes_meanwhile, stops=((3.0, 20.0),))), lived(nobody_comes_meanwhile)

    after_s = Observer(YARD, BUSY, with_stop, seed=1).wait_s(ends_ms)
    before_s = Observer(YARD, BUSY, without, seed=1).wait_s(begins_ms)

    assert before_s > 300
    assert after_s == pytest.approx(before_s)


def test_a_change_of_containers_is_no_news_to_come_but_known_once_it_has_begun() -> None:
    law = replace(BUSY, changes_per_day=1.0)
    changed, unchanged = lived(law), lived(BUSY)
    change = changed.closures[0]

    def surprise_s(at_ms: int) -> float:
        return Observer(YARD, law, changed, seed=1).wait_s(at_ms) - Observer(YARD, law, unchanged, seed=1).wait_s(at_ms)

    assert surprise_s(change.start_ms - 1) == 0.0
    assert surprise_s(change.start_ms) > 60


def test_before_the_opening_all_wait_for_it() -> None:
    opening = lived(replace(MARKOV, early_s=1_800))

    assert Observer(YARD, MARKOV, opening, seed=1).wait_s(OPENS_MS - 30 * MINUTE_MS) == 1_800


def test_who_gives_up_lets_the_others_wait_less() -> None:
    patient = lived(BUSY)
    at_ms = OPENS_MS + 400 * MINUTE_MS

    patient_s = Observer(YARD, BUSY, patient, seed=1).wait_s(at_ms)
    impatient_s = Observer(YARD, replace(BUSY, give_up_min=30.0), patient, seed=1).wait_s(at_ms)

    # n cars leave at n/30 a minute on top of one every two minutes: log(1 + n/15) / (1/30) instead of 2n.
    cars = patient_s / 120
    assert impatient_s / 60 == pytest.approx(30 * math.log(1 + cars / 15), rel=0.15)


def test_the_observer_refuses_a_yard_with_places_before_the_bays() -> None:
    with pytest.raises(ValueError, match="spare_places"):
        Observer(YARD, replace(MARKOV, spare_places=2), lived(MARKOV, hours=1), seed=1)
