"""Several voices, and one number out of them."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.estimate.profile import COLD
from api.estimate.stack import Array, Stack

FIRST = (1.0, 0.0, 0.0, 0.0)
RNG = np.random.default_rng


def stack() -> Stack:
    return Stack(FIRST, COLD)


def waits(count: int, seed: int = 1) -> Array:
    """Waits of twenty minutes and ten more or less, s."""
    return np.asarray(RNG(seed).uniform(600, 1_800, count))


def taught(of: Stack, best: int, count: int, seed: int = 1) -> Stack:
    """After waits of which the voice `best` was off by a minute, and the others by ten."""
    errors = RNG(seed + 1).normal(0, 600, (count, len(FIRST)))
    errors[:, best] /= 10
    for wait_s, error in zip(waits(count, seed), errors, strict=True):
        of.learn(tuple(wait_s + error), float(wait_s))
    return of


def error_s(of: Stack, best: int) -> float:
    """Mean absolute error of the number on a hundred waits that were not learnt."""
    errors = RNG(99).normal(0, 600, (100, len(FIRST)))
    errors[:, best] /= 10
    told = [of.wait_s(tuple(wait_s + error)) - wait_s for wait_s, error in zip(waits(100, 98), errors, strict=True)]
    return float(np.abs(told).mean())


def test_before_anything_is_learnt_the_model_speaks_alone() -> None:
    assert stack().wait_s((700.0, 100.0, 2_000.0, 0.0)) == pytest.approx(700)


@pytest.mark.parametrize("best", range(4))
def test_the_voice_that_is_right_is_listened_to(best: int) -> None:
    learnt = taught(stack(), best, 10_000)  # some weeks: the voices are to be doubted slowly

    assert error_s(learnt, best) < 75  # of itself 48, of each other voice 480
    assert int(np.argmax(learnt.weights)) == best


def test_when_another_voice_becomes_the_better_one_it_is_followed() -> None:
    learnt = taught(taught(stack(), 0, 2_000), 3, 6_000, seed=5)

    assert error_s(learnt, 3) < 120


def test_a_constant_error_is_taken_out() -> None:
    learnt = stack()
    for wait_s in waits(3_000):
        learnt.learn((wait_s + 300, wait_s + 300, wait_s + 300, wait_s + 300), float(wait_s))

    assert learnt.wait_s((1_500.0,) * 4) == pytest.approx(1_200, abs=60)


def test_one_odd_wait_moves_little() -> None:
    learnt = taught(stack(), 0, 500)
    before_s = learnt.wait_s((900.0,) * 4)

    learnt.learn((900.0,) * 4, 6 * 3_600.0)

    assert learnt.wait_s((900.0,) * 4) == pytest.approx(before_s, rel=0.03)


@pytest.mark.parametrize("shorter", [1, 10])
def test_a_queue_of_minutes_is_learnt_as_soon_as_one_of_hours(shorter: int) -> None:
    learnt = Stack(FIRST, msgspec.structs.replace(COLD, stack_scale_s=600 / shorter))
    errors = RNG(2).normal(0, 600, (2_000, len(FIRST)))
    errors[:, 3] /= 10
    for wait_s, error in zip(waits(2_000) / shorter, errors / shorter, strict=True):
        learnt.learn(tuple(wait_s + error), float(wait_s))

    assert learnt.weights[0] < 300  # half of what the model had at first


def test_where_nobody_has_waited_yet_the_first_wait_does_not_decide_alone() -> None:
    unused = Stack(FIRST, msgspec.structs.replace(COLD, stack_scale_s=0.5))

    unused.learn((300.0,) * 4, 900.0)

    assert unused.wait_s((300.0,) * 4) < 400


def test_what_was_learnt_goes_on_from_a_profile() -> None:
    learnt = taught(stack(), 2, 50)
    profile = msgspec.structs.replace(
        COLD, stack=tuple(learnt.weights), stack_doubt=tuple(learnt.doubt.ravel()), stack_scale_s=learnt.scale_s
    )

    again, straight = taught(Stack(FIRST, profile), 2, 50, seed=7), taught(learnt, 2, 50, seed=7)

    assert again.weights.tolist() == straight.weights.tolist()
    assert again.scale_s == straight.scale_s


def test_weights_of_other_voices_are_not_taken_over() -> None:
    of_two = msgspec.structs.replace(COLD, stack=(500.0, 100.0, 0.0), stack_doubt=(0.0,) * 9, stack_scale_s=60.0)

    assert Stack(FIRST, of_two).weights.tolist() == stack().weights.tolist()


seconds = st.floats(0, 14_400)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.tuples(seconds, seconds, seconds, seconds), seconds), max_size=60), st.tuples(*[seconds] * 4))
def test_no_wait_is_ever_negative(taken: list[tuple[tuple[float, ...], float]], asked: tuple[float, ...]) -> None:
    learnt = stack()
    for voices_s, wait_s in taken:
        learnt.learn(voices_s, wait_s)

    assert learnt.wait_s(asked) >= 0.0
    assert np.isfinite(learnt.wait_s(asked))
    assert np.linalg.eigvalsh(learnt.doubt).min() > -1e-9


def test_voices_that_always_say_the_same_run_nothing_away() -> None:
    learnt = stack()
    for _ in range(30_000):  # weeks of an empty yard: what is forgotten must not become doubt without bound
        learnt.learn((0.0, 0.0, 0.0, 0.0), 0.0)

    learnt.learn((600.0, 500.0, 700.0, 600.0), 650.0)

    assert learnt.wait_s((600.0, 500.0, 700.0, 600.0)) == pytest.approx(625, abs=50)
    assert learnt.wait_s((1_200.0, 300.0, 100.0, 900.0)) < 3_600
