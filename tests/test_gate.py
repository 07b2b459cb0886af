"""A gate that opens at times: how often, and when next."""

import random
from collections.abc import Sequence

import pytest

from api.estimate.gate import GAPS, Gate, period_s

PERIOD_S = 300.0
START_MS = 3_000_000_000


def gate(batches_s: Sequence[float], every_s: float = PERIOD_S) -> Gate:
    """One that has let in a car at each of these seconds since the start."""
    found = Gate(every_s)
    for at_s in batches_s:
        found.let_in(START_MS + round(at_s * 1000))
    return found


def test_openings_a_whole_number_of_periods_apart_tell_the_period() -> None:
    assert period_s([300.0, 300.0, 600.0, 300.0, 900.0] * 5) == pytest.approx(300, abs=1)


def test_whoever_opens_by_hand_every_five_minutes_or_so_has_a_period_too() -> None:
    rng = random.Random(1)

    assert period_s([rng.choice((300, 600)) + rng.uniform(-30, 30) for _ in range(80)]) == pytest.approx(300, abs=10)


@pytest.mark.parametrize("seed", range(5))
def test_cars_that_are_let_in_as_bays_get_free_have_none(seed: int) -> None:
    rng = random.Random(seed)

    assert period_s([31 + rng.expovariate(1 / 110) for _ in range(200)]) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_counters_that_tell_the_minute_are_no_gate(seed: int) -> None:
    rng = random.Random(seed)

    assert period_s([60.0 * rng.randint(1, 5) for _ in range(200)]) == 0.0


def test_a_few_gaps_tell_nothing() -> None:
    assert period_s([PERIOD_S] * (GAPS - 1)) == 0.0


def test_cars_that_follow_at_once_are_of_the_same_batch() -> None:
    found = gate([0, 8, 16, 300, 308, 900])

    assert found.gaps_s == [300.0, 600.0]


def test_after_three_batches_it_is_known_when_the_gate_opens_next() -> None:
    two, three = gate([0, 300]), gate([0, 300, 900])

    assert two.opens_in_s(START_MS + 1_000_000) == float("inf")
    assert three.opens_in_s(START_MS + 1_000_000) == pytest.approx(200)


def test_a_clock_that_is_set_anew_is_followed() -> None:
    found = gate([*(300 * n for n in range(10)), *(3_100 + 300 * n for n in range(12))])

    assert found.opens_in_s(START_MS + 7_000_000) == pytest.approx(300, abs=20)


def test_batches_at_any_time_tell_nothing() -> None:
    assert gate([0, 340, 700, 980, 1_340, 1_580]).opens_in_s(START_MS + 1_700_000) == float("inf")


def test_who_is_expected_between_two_openings_gets_in_at_one_of_them() -> None:
    found = gate([0, 300, 600])

    # Opens in 200 s; half a period of each expected wait is for the gate.
    assert [found.wait_s(START_MS + 700_000, expected_s) for expected_s in (0, 150, 349, 351, 649, 651)] == pytest.approx(
        [200, 200, 200, 500, 500, 800]
    )


def test_without_a_clock_what_is_expected_stands() -> None:
    assert gate([], every_s=0.0).wait_s(START_MS + 700_000, 349.0) == 349.0


def test_a_day_on_which_hardly_anybody_came_does_not_make_forget_the_period() -> None:
    assert gate([0, 300]).learnt_s() == PERIOD_S
    assert gate([200 * n for n in range(30)]).learnt_s() == pytest.approx(200)
