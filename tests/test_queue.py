"""How many cars stand in the lane, as a probability for each number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.queue import ANY, EMPTY, MAX_CARS, MISCOUNT, Mass, Sight, at_least, entered, left, median, seen

HEAD_FREE, HEAD_TAKEN = Sight(False, 3, 7), Sight(True, 3, 7)
TAKEN_AT_50, FREE_AT_50 = Sight(True, 50, 7), Sight(False, 50, 7)


def after(*steps: str) -> Mass:
    mass: Mass = EMPTY
    for step in steps:
        mass = after_one(mass, step)
    return mass


def after_one(mass: Mass, step: str) -> Mass:
    return entered(mass) if step == "in" else left(mass)


def test_a_car_that_joins_is_one_more_but_for_miscounts() -> None:
    assert after("in") == pytest.approx([MISCOUNT, 1 - 2 * MISCOUNT, MISCOUNT])


def test_a_car_that_leaves_an_empty_lane_leaves_it_empty() -> None:
    assert after("out", "out", "out") == [1.0]


def test_as_many_out_as_in_is_most_likely_none() -> None:
    mass = after(*["in"] * 20, *["out"] * 20)

    assert median(mass) == 0


def test_the_count_grows_less_sure_with_every_car() -> None:
    few, many = after(*["in"] * 5), after(*["in"] * 40)

    assert (median(few), median(many)) == (5, 40)
    assert max(many) < max(few)


def test_a_free_head_empties_the_lane() -> None:
    drifted = after("in", "in", "out")

    assert seen(drifted, HEAD_FREE)[0] > 0.5
    assert seen(seen(drifted, HEAD_FREE), HEAD_FREE)[0] > 0.95


def test_cars_that_still_roll_are_not_taken_away_by_a_free_head() -> None:
    assert median(seen(after("in"), HEAD_FREE, elsewhere=1)) == 1


def test_a_taken_place_outweighs_a_wrong_count_after_three_looks() -> None:
    mass = after("in", "in")
    for _ in range(3):
        mass = seen(mass, TAKEN_AT_50)

    assert median(mass) >= 8


def test_a_free_place_bounds_whatever_was_believed() -> None:
    mass: Mass = ANY
    for _ in range(4):
        mass = seen(mass, FREE_AT_50)

    assert median(mass) <= 8


def test_a_taken_place_proves_a_number_of_cars() -> None:
    assert [at_least(position_m, 7) for position_m in (3, 6.9, 50, 120)] == [1, 1, 8, 18]


@given(st.lists(st.sampled_from(["in", "out", HEAD_FREE, HEAD_TAKEN, TAKEN_AT_50, FREE_AT_50]), max_size=60))
def test_whatever_happens_the_probabilities_sum_to_one(steps: list[str | Sight]) -> None:
    mass: Mass = EMPTY
    for step in steps:
        mass = seen(mass, step) if isinstance(step, Sight) else after_one(mass, step)

    assert sum(mass) == pytest.approx(1.0)
    assert min(mass) >= 0.0
    assert len(mass) <= MAX_CARS + 1
