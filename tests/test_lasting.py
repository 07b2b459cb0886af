"""How long it lasts that more or less of the yard works than is usual."""

import numpy as np
import pytest

from api.estimate.lasting import FIRST_S, QUARTER_S, alike, lasts_s
from api.estimate.profile import BINS

FULL_S = np.full(BINS, QUARTER_S)
USUAL = np.full(BINS, 0.75)


def days(forgets_s: float, count: int) -> tuple[float, float]:
    """What so many days tell of a share that forgets so fast, by its means over quarters of an hour."""
    rng, step_s = np.random.default_rng(7), 60.0
    kept, told = np.exp(-step_s / forgets_s), np.zeros(2)
    for _ in range(count):
        noise, path = rng.normal(0.0, 0.1 * np.sqrt(1 - kept**2), BINS * 15), [0.0]
        for each in noise:
            path.append(kept * path[-1] + float(each))
        share = 0.75 + np.array(path[1:]).reshape(BINS, 15).mean(axis=1)
        told += alike(share * QUARTER_S, FULL_S, USUAL)
    return float(told[0]), float(told[1])


@pytest.mark.parametrize("forgets_s", [600.0, 1_800.0, 7_200.0])
def test_how_fast_a_share_forgets_is_found_in_how_much_alike_neighbouring_quarters_of_an_hour_are(forgets_s: float) -> None:
    assert lasts_s(days(forgets_s, 60)) == pytest.approx(forgets_s, rel=0.25)


def test_before_anything_is_learnt_it_lasts_an_hour() -> None:
    assert lasts_s((0.0, 0.0)) == pytest.approx(FIRST_S, rel=0.01)


def test_one_quiet_day_hardly_changes_that() -> None:
    assert lasts_s((0.001, 0.002)) == pytest.approx(FIRST_S, rel=0.1)


def test_what_is_told_stays_within_minutes_and_hours() -> None:
    assert 60.0 < lasts_s((-5.0, 5.0)) < lasts_s((5.0, 5.0)) < 6 * 3_600


def test_a_quarter_of_an_hour_in_which_hardly_anybody_waited_tells_nothing() -> None:
    waited_s = FULL_S.copy()
    waited_s[1::2] = 60.0

    assert alike(0.5 * waited_s, waited_s, USUAL) == (0.0, 0.0)
    assert alike(0.5 * FULL_S, FULL_S, USUAL) == pytest.approx(((BINS - 1) / 16, (BINS - 1) / 16))
