"""Cars that may be there beside those that were counted."""

import numpy as np
import pytest

from api.estimate.pace import CARS, Array
from api.estimate.uncounted import DOUBT, doubted, missed


def five_cars() -> Array:
    p = np.zeros((6, 2))
    p[5] = 0.25, 0.75
    return p


def lane(p: Array) -> Array:
    return np.asarray(p.sum(axis=1))


def test_cars_that_were_missed_with_some_chance_are_a_poisson_number_more() -> None:
    found = lane(missed(five_cars(), chance=0.5, cars=8.0))

    assert found.sum() == pytest.approx(1.0, abs=1e-3)
    assert found @ np.arange(len(found)) == pytest.approx(5 + 0.5 * 8, abs=0.02)
    assert found[5] == pytest.approx(0.5, abs=1e-3)
    assert found[:5].sum() == 0.0


def test_what_is_believed_of_the_yard_is_the_same_with_cars_that_were_missed() -> None:
    found = missed(five_cars(), chance=0.5, cars=3.0)

    assert found.sum(axis=0) == pytest.approx([0.25, 0.75], abs=1e-3)


def test_no_line_grows_beyond_its_bound() -> None:
    p = np.zeros((CARS, 1))
    p[-1] = 1.0

    assert len(missed(p, chance=1.0, cars=20.0)) == CARS


def test_a_little_weight_lies_on_every_number_and_less_on_the_farther_ones() -> None:
    p = five_cars()

    found = lane(doubted(p, lane(p)))

    assert found[5] == pytest.approx(1 - DOUBT, abs=DOUBT)
    assert found[4] == pytest.approx(found[6])
    assert 0.0 < found[20] < found[10] < found[6] < DOUBT
