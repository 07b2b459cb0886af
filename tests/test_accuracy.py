"""What was published against what came: an hour whose waits are known by hand."""

import pytest

from api.estimate.accuracy import FEW, Measured, accuracy
from hoflicht.catalogue import ESTIMATE
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading
from tests.lane import YARD, ms


def told(minute: float, **seconds: float) -> list[Reading]:
    """What was published at `minute`: a state, and what is named of mean, p10 and p90."""
    values = {"wait_state": 0.0} | {f"wait_{name}": value for name, value in seconds.items()}
    return [Reading(YARD, ESTIMATE, quantity, ms(minute), value) for quantity, value in values.items()]


def every_minute(end: int, **seconds: float) -> list[Reading]:
    return [reading for minute in range(end) for reading in told(minute, **seconds)]


def waited(minute: float, wait_s: float, chance: float = 1.0) -> Measured:
    return Measured(ms(minute), wait_s, chance)


def by_hour(readings: list[Reading]) -> dict[int, dict[str, float]]:
    hours: dict[int, dict[str, float]] = {}
    for reading in readings:
        hours.setdefault(reading.at_ms, {})[reading.quantity] = reading.value
    return hours


def test_the_errors_of_an_hour() -> None:
    published = every_minute(60, mean=600, p10=300, p90=900)
    came = [waited(n * 5, wait_s) for n, wait_s in enumerate((500, 600, 700, 240, 900, 1_200))]

    (hour,) = by_hour(accuracy(published, came)).items()

    assert hour == (
        ms(0),
        {
            "error_mean": pytest.approx((100 + 0 + 100 + 360 + 300 + 600) / 6, abs=0.001),
            "error_bias": pytest.approx((100 + 0 - 100 + 360 - 300 - 600) / 6, abs=0.001),
            "within_3min": 0.5,
            "band_coverage": pytest.approx(4 / 6, abs=0.001),
            "waits_measured": 6.0,
        },
    )


def test_a_wait_belongs_to_the_hour_in_which_it_began() -> None:
    published = every_minute(120, mean=600, p10=300, p90=900)
    came = [waited(55, 1_800)] * 6 + [waited(60, 600)] * 7

    hours = by_hour(accuracy(published, came))

    assert {at_ms: hour["waits_measured"] for at_ms, hour in hours.items()} == {ms(0): 6.0, ms(60): 7.0}


def test_what_counts_is_what_was_told_last_before_a_car_joined() -> None:
    published = [*told(0, mean=600, p10=300, p90=900), *told(1, mean=60, p10=0, p90=120), *told(2, mean=6_000, p10=0, p90=7_000)]

    hours = by_hour(accuracy(published, [waited(1.5, 60)] * 5))

    assert hours[ms(0)]["error_mean"] == 0.0


@pytest.mark.parametrize("minute", [2.1, 30.0, -1.0])
def test_a_number_that_is_older_than_two_minutes_or_came_later_is_not_what_a_driver_saw(minute: float) -> None:
    assert accuracy(told(0, mean=600, p10=300, p90=900), [waited(minute, 600)] * 9) == []


def test_where_no_number_was_told_the_one_before_it_does_not_count() -> None:
    published = [*told(0, mean=600, p10=300, p90=900), *told(1)]

    assert accuracy(published, [waited(1.5, 600)] * 9) == []


def test_a_mean_without_a_band_is_scored_but_covers_nothing() -> None:
    hours = by_hour(accuracy(told(0, mean=600), [waited(1, 500)] * 9))

    assert hours[ms(0)] == {"error_mean": 100.0, "error_bias": 100.0, "within_3min": 1.0, "waits_measured": 9.0}


def test_where_it_is_not_sure_who_was_let_in_each_possible_wait_counts_for_its_probability() -> None:
    published = every_minute(60, mean=600, p10=300, p90=900)
    came = [waited(10, 600, 0.5), waited(9, 700, 0.25), waited(11, 400, 0.25)] * 6

    hours = by_hour(accuracy(published, came))

    assert hours[ms(0)]["waits_measured"] == 6.0
    assert hours[ms(0)]["error_mean"] == pytest.approx(0.25 * 100 + 0.25 * 200, abs=0.001)
    assert hours[ms(0)]["within_3min"] == 0.75


@pytest.mark.parametrize(("waits", "hours"), [(FEW - 1, 0), (FEW, 1)])
def test_an_hour_with_hardly_a_wait_has_no_error(waits: float, hours: int) -> None:
    published = told(0, mean=600, p10=300, p90=900)

    assert len(by_hour(accuracy(published, [waited(1, 600)] * int(waits)))) == hours


def test_nothing_published_has_no_error() -> None:
    assert accuracy([], [waited(1, 600)] * 9) == []


def test_every_error_is_within_the_range_of_its_quantity() -> None:
    published = every_minute(60, mean=86_400, p10=0, p90=86_400)

    readings = accuracy(published, [waited(n, 0.0) for n in range(60)] * 100)

    assert len(readings) == 5
    assert [r for r in readings if not QUANTITIES[r.quantity].low <= r.value <= QUANTITIES[r.quantity].high] == []
