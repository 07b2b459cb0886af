"""When bays are open, learnt from departures."""

import numpy as np
import pytest

from api.estimate.profile import BINS
from api.estimate.roster import FULL_S, Array, seen, usual

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


def test_a_roster_that_was_seen_is_the_share_believed_of_the_seconds_in_which_cars_waited() -> None:
    waiting_s = np.zeros(BINS)
    waiting_s[OPEN] = 24 * 900.0
    share_s = waiting_s.copy()
    share_s[LUNCH] *= 0.5

    found = seen(share_s, waiting_s)

    assert found[17:19] == pytest.approx([0.55, 0.55], abs=0.1)  # quarters of an hour next to a lunch blur its ends
    assert found[2:14] == pytest.approx(np.ones(12))


def test_where_nobody_waited_the_whole_yard_is_believed_to_work() -> None:
    assert seen(np.zeros(BINS), np.zeros(BINS)) == pytest.approx(np.ones(BINS))


def test_half_an_hour_outweighs_the_belief_in_the_whole_yard_as_much_as_it_agrees_with_it() -> None:
    waiting_s = np.zeros(BINS)
    waiting_s[20] = FULL_S

    found = seen(waiting_s / 2, waiting_s)

    assert found[20] == pytest.approx(0.75)


def test_a_roster_that_was_seen_lies_between_nothing_and_the_whole_yard() -> None:
    waiting_s = np.full(BINS, 1e6)

    found = seen(np.linspace(0, 1, BINS) * waiting_s, waiting_s)

    assert found.min() >= 0.0
    assert found.max() <= 1.0 + 1e-12
