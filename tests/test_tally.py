"""What usually happens at each time of day."""

import msgspec
import pytest

from api.estimate.profile import BINS, COLD
from api.estimate.tally import Tally

PER_S = 45 / 3_600
HOUR_S = 3_600.0
BAYS = 4


def tally(days: float = 0.0, **learnt: tuple[float, ...]) -> Tally:
    return Tally(msgspec.structs.replace(COLD, days_kept=days, **learnt), PER_S, BAYS)


def test_before_the_first_day_as_many_come_as_the_catalogue_says() -> None:
    assert tally().arrivals_per_s(2 * HOUR_S) == pytest.approx(PER_S)


def test_after_some_weeks_as_many_come_as_came_at_that_time() -> None:
    busy_hour = tuple(20 * 900 * 3 * PER_S if 8 <= n < 16 else 0.0 for n in range(BINS))  # three times as many, on twenty days

    found = tally(20.0, arrivals=busy_hour)

    assert found.arrivals_per_s(3 * HOUR_S) == pytest.approx(3 * PER_S, rel=0.05)
    assert found.arrivals_per_s(8 * HOUR_S) < 0.1 * PER_S


def test_before_any_wait_was_measured_the_same_hour_says_what_the_others_say() -> None:
    assert tally().same_hour_s(2 * HOUR_S, otherwise_s=500.0) == 500.0


def test_waits_of_the_same_hour_are_told_again_the_surer_the_more_there_were() -> None:
    found = tally()
    for _ in range(3):
        found.ended(2 * HOUR_S, 900.0, found_taken=None)
    few_s = found.same_hour_s(2 * HOUR_S, otherwise_s=100.0)
    for _ in range(60):
        found.ended(2 * HOUR_S, 900.0, found_taken=None)

    assert 400 < few_s < 600
    assert found.same_hour_s(2 * HOUR_S, otherwise_s=100.0) == pytest.approx(900, rel=0.05)
    assert found.same_hour_s(6 * HOUR_S, otherwise_s=100.0) == 100.0


def test_who_finds_the_lane_empty_waits_as_those_did_who_found_as_many_bays_taken() -> None:
    found = tally()
    before_s = found.first_wait_s(taken=BAYS)
    for _ in range(97):
        found.ended(HOUR_S, 0.0, found_taken=1)
        found.ended(HOUR_S, 60.0, found_taken=BAYS)
    found.ended(HOUR_S, 2_000.0, found_taken=None)

    assert before_s == 0.0
    assert found.first_wait_s(taken=1) == pytest.approx(0, abs=1)
    assert found.first_wait_s(taken=BAYS) == pytest.approx(60, rel=0.05)
    assert found.first_wait_s(taken=2) == pytest.approx(30, rel=0.05)  # of two nothing is known yet


@pytest.mark.parametrize("since_s", [-7_200.0, 0.0, 86_399.0, 90_000.0])
def test_before_the_opening_and_after_a_day_the_nearest_time_counts(since_s: float) -> None:
    found = tally()

    found.came(since_s)
    found.ended(since_s, 100.0, found_taken=None)

    assert (sum(found.arrivals), sum(found.waited)) == (1.0, 1.0)
    assert found.arrivals_per_s(since_s) > PER_S
