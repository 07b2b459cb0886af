"""One point in ten is bad: what the good ones lose by it, measured on the real parts."""

import pytest

from bench.poison import BATCHES, PAIRS, measure

# We want 0.95; `make bench` says what is reached. This holds on two processors that other programs use at the same time, where
# single pairs range from 0.5 to 1.4, and three of them together came to 0.86 at the least: by the clock or by processor time,
# whichever the others disturbed less.
FLOOR = 0.8


@pytest.mark.chaos
@pytest.mark.parametrize("is_mixed", [False, True])
def test_bad_ones_cost_the_good_ones_little_and_all_of_them_are_set_aside(is_mixed: bool) -> None:
    result = measure(PAIRS, BATCHES, is_mixed)

    print(result)
    assert result.stored == result.good
    assert (result.quarantined, result.innocent) == (result.bad, 0)
    assert max(result.wall.rounds, result.cpu.rounds) >= FLOOR
