"""How many cars there are and how much of the yard is at work, as a probability for each pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.pace import CARS, Pace
from api.profile import COLD
from api.queue import Blind, Queue, Sight, at_least, quantile
from tests.lane import AT_CONTROL, AT_EXIT

MISCOUNT = 0.02
GAP_S = 80.0
WORKING, NOBODY_COMES = Blind(), 0.0
HEAD_FREE, HEAD_TAKEN = Sight(False, 3, 7), Sight(True, 3, 7)
TAKEN_AT_50, FREE_AT_50 = Sight(True, 50, 7), Sight(False, 50, 7)


def queue(joined: int = 0) -> Queue:
    """The queue before a control, after so many have been counted in."""
    found = Queue(Pace(AT_CONTROL, COLD), MISCOUNT, 1.0)
    for _ in range(joined):
        found.entered()
    return found


def on_site(joined: int, parted: int = 0) -> Queue:
    """A yard of four bays that counts at its exit."""
    found = Queue(Pace(AT_EXIT, COLD), MISCOUNT, 1.0)
    for _ in range(joined):
        found.entered()
    for _ in range(parted):
        found.left()
    return found


def median(of: Queue) -> int:
    return quantile(of.waiting(), 0.5)


def mean(of: Queue) -> float:
    return float(of.cars @ np.arange(len(of.cars)))


def test_a_car_that_joins_is_one_more_but_for_miscounts() -> None:
    assert queue(1).cars == pytest.approx([MISCOUNT / 2, 1 - MISCOUNT, MISCOUNT / 2])


def test_where_a_tenth_leaves_uncounted_an_entry_is_nine_tenths_of_a_car() -> None:
    found = Queue(Pace(AT_CONTROL, COLD), MISCOUNT, departures_per_entry=0.9)

    found.entered()

    assert mean(found) == pytest.approx(0.9)


def test_a_car_that_leaves_an_empty_lane_leaves_it_empty() -> None:
    found = queue()

    found.left()

    assert found.cars == pytest.approx([1.0])


def test_as_many_out_as_in_is_most_likely_none() -> None:
    found = queue(20)
    for _ in range(20):
        found.left()

    assert median(found) == 0


def test_the_count_grows_less_sure_with_every_car() -> None:
    few, many = queue(5), queue(40)

    assert (median(few), median(many)) == (5, 40)
    assert max(many.cars) < max(few.cars)


def test_a_free_head_empties_the_lane() -> None:
    drifted = queue(2)
    drifted.left()

    for _ in range(3):
        drifted.seen(HEAD_FREE)

    assert drifted.waiting()[0] > 0.95


def test_cars_that_still_roll_are_not_taken_away_by_a_free_head() -> None:
    rolling = queue(1)

    rolling.seen(HEAD_FREE, rolling=1)

    assert median(rolling) == 1


def test_a_taken_place_outweighs_a_wrong_count_after_three_looks() -> None:
    counted_two = queue(2)

    for _ in range(3):
        counted_two.seen(TAKEN_AT_50)

    assert median(counted_two) >= 7


def test_a_free_place_bounds_whatever_was_believed() -> None:
    anything = queue()
    anything.forget()

    for _ in range(4):
        anything.seen(FREE_AT_50)

    assert median(anything) <= 7


def test_a_place_that_is_taken_just_now_tells_the_very_number() -> None:
    anything = queue()
    anything.forget()

    anything.seen(TAKEN_AT_50, turned=True)

    assert int(np.argmax(anything.cars)) == at_least(50, 7)


def test_a_taken_place_proves_a_number_of_cars() -> None:
    assert [at_least(position_m, 7) for position_m in (3, 6.9, 50, 120)] == [1, 1, 8, 18]


def test_without_departures_a_queue_grows_unlikely() -> None:
    one_or_none = queue()
    one_or_none.p = np.vstack([one_or_none.p, one_or_none.p]) / 2

    one_or_none.passes(4 * GAP_S, 0.0, WORKING, NOBODY_COMES)

    assert one_or_none.cars[0] > 0.9


def test_a_long_silence_while_many_wait_is_a_yard_that_stands() -> None:
    waiting = queue(20)

    waiting.passes(15 * GAP_S, 0.0, WORKING, NOBODY_COMES)

    assert median(waiting) == 20
    assert waiting.states @ waiting.pace.share < 0.3


def test_departures_that_come_slowly_show_how_many_bays_are_open() -> None:
    found = queue(60)
    for _ in range(40):
        found.passes(2 * GAP_S, 0.0, WORKING, NOBODY_COMES)
        found.left()

    assert found.pace.share[int(np.argmax(found.states))] == 0.5


def test_a_yard_of_which_nothing_is_heard_becomes_the_usual_one_again() -> None:
    stands = queue()
    stands.p = np.outer([1.0], [1.0, *[0.0] * (len(stands.pace.share) - 1)])

    stands.passes(6 * 3_600, 0.0, WORKING, NOBODY_COMES)

    assert stands.states @ stands.pace.share == pytest.approx(1.0, abs=0.05)


def test_while_the_counter_at_the_gate_is_out_cars_are_let_in_unseen() -> None:
    found = queue(20)

    found.passes(5 * GAP_S, 0.0, Blind(departure=True), NOBODY_COMES)

    assert mean(found) == pytest.approx(15, abs=0.5)
    assert found.log_likelihood == 0.0  # nothing was seen, so nothing speaks for or against the count


def test_while_the_counter_at_the_tail_is_out_cars_join_unseen() -> None:
    found = queue(10)

    found.passes(5 * GAP_S, 0.0, Blind(entry=True, departure=True), 2 / GAP_S)

    assert mean(found) == pytest.approx(15, abs=0.5)


def test_what_happens_unseen_does_not_depend_on_how_often_one_looks() -> None:
    seldom, often = queue(20), queue(20)

    seldom.passes(600.0, 0.0, Blind(departure=True), NOBODY_COMES)
    for n in range(60):
        often.passes(10.0, 10.0 * n, Blind(departure=True), NOBODY_COMES)

    assert mean(seldom) == pytest.approx(mean(often), abs=0.2)


def test_cars_that_have_a_bay_do_not_wait() -> None:
    assert [median(on_site(cars)) for cars in (3, 4, 5, 9)] == [0, 0, 1, 5]


def test_bays_that_are_free_while_many_are_there_are_closed() -> None:
    nine = on_site(9)

    for _ in range(3):
        nine.in_use(2)

    assert nine.pace.share[int(np.argmax(nine.states))] == 0.5
    assert median(nine) == 7


def test_what_was_seen_is_the_less_likely_the_odder_it_was() -> None:
    expected, odd = queue(8), queue(8)

    expected.seen(HEAD_TAKEN)
    odd.seen(HEAD_FREE)

    assert odd.log_likelihood < expected.log_likelihood < 0


def test_where_an_opening_follows_another_the_queue_is_the_one_that_was_left() -> None:
    follows = Queue(Pace(AT_CONTROL, COLD), MISCOUNT, 1.0, start=(1.0, 1.0, 2.0))

    assert follows.cars == pytest.approx([0.25, 0.25, 0.5])


blinds = st.builds(Blind, st.booleans(), st.booleans())
sights = st.builds(Sight, st.booleans(), st.sampled_from([0.0, 3.0, 50.0, 120.0, 900.0]), st.just(7.0))
steps = st.one_of(
    st.tuples(st.just("entered"), st.integers(1, 60)),
    st.tuples(st.just("left"), st.integers(1, 60)),
    st.tuples(st.just("slips_out"), st.just(1)),
    st.tuples(st.just("passes"), st.floats(0, 20_000), st.floats(-10_000, 90_000), blinds, st.floats(0, 0.1)),
    st.tuples(st.just("seen"), sights, st.integers(0, 5), st.booleans()),
    st.tuples(st.just("in_use"), st.integers(0, 4)),
    st.tuples(st.just("forget")),
)


@settings(max_examples=60)
@given(st.booleans(), st.lists(steps, max_size=25))
def test_whatever_happens_the_probabilities_sum_to_one(at_exit: bool, taken: list[tuple[str, ...]]) -> None:
    found = on_site(0) if at_exit else queue()

    for name, *arguments in taken:
        if name in ("entered", "left", "slips_out"):
            for _ in range(int(arguments[0])):
                getattr(found, name)()
        else:
            getattr(found, name)(*arguments)

    assert found.p.sum() == pytest.approx(1.0)
    assert found.p.min() >= 0.0
    assert len(found.p) <= CARS
    assert found.waiting().sum() == pytest.approx(1.0)
    assert np.isfinite(found.log_likelihood)
