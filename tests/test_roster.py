"""When bays are open, learnt from departures."""

import numpy as np
import pytest

from api.profile import BINS
from api.roster import Array, usual

SHARES = np.array([0.25, 0.5, 0.75, 1.0])
PER_S = 45 / 3_600
CATALOGUE = (4.0, 4.0 / PER_S)
OPEN = slice(0, 40)  # ten hours
LUNCH = slice(16, 20)  # the fifth


def days(share: Array, count: int, seed: int = 1) -> tuple[Array, Array]:
    """Poisson departures of a yard with that share at work, and the seconds in which cars waited."""
    waiting_s = np.zeros(BINS)
    waiting_s[OPEN] = 900.0 * count
    departures = np.random.default_rng(seed).poisson(share * PER_S * waiting_s).astype(float)
    return departures, waiting_s


@pytest.mark.parametrize("seed", range(4))
def test_a_lunch_is_found_within_a_month(seed: int) -> None:
    share = np.ones(BINS)
    share[LUNCH] = 0.5

    found = usual(*days(share, 24, seed), SHARES, CATALOGUE)

    assert found.share[17:19].mean() == pytest.approx(0.5, abs=0.15)
    assert found.share[2:14].mean() == pytest.approx(1.0, abs=0.06)
    assert found.cars / found.full_s == pytest.approx(PER_S, rel=0.08)


@pytest.mark.parametrize("seed", range(4))
def test_a_day_that_is_always_the_same_has_no_lunch(seed: int) -> None:
    found = usual(*days(np.ones(BINS), 12, seed), SHARES, CATALOGUE)

    assert found.share[OPEN].min() > 0.85
    assert found.share[OPEN].mean() > 0.98
    assert found.cars / found.full_s == pytest.approx(PER_S, rel=0.08)


def test_the_rate_is_that_of_the_whole_yard_even_if_the_catalogue_is_wrong() -> None:
    share = np.ones(BINS)
    share[LUNCH] = 0.5

    found = usual(*days(share, 20), SHARES, (4.0, 4.0 / (PER_S / 2)))

    assert found.cars / found.full_s == pytest.approx(PER_S, rel=0.08)


def test_a_share_is_one_of_those_that_are_possible() -> None:
    departures, waiting_s = np.zeros(BINS), np.full(BINS, 1e6)

    found = usual(departures, waiting_s, SHARES, CATALOGUE)

    assert (found.share >= SHARES[0] - 1e-12).all()
    assert (found.share <= 1.0 + 1e-12).all()
