"""Who stands in the lane, and who of them is let in."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.estimate.line import Line

NOW_MS = 9 * 60_000  # when the tenth has just joined


def line(cars: int, keeps_order: bool = True, per_entry: float = 1.0, gives_up_per_s: float = 0.0) -> Line:
    """One car a minute has joined."""
    found = Line(per_entry, keeps_order, gives_up_per_s)
    for n in range(cars):
        found.join(60_000 * n)
    return found


def taken(of: Line, waiting: float, spread: float = 0.0) -> list[tuple[int, float]]:
    """Which car is let in, by the minute in which it joined, each with its probability."""
    return [(car.joined_ms // 60_000, chance) for car, chance in of.leaves(waiting, spread, NOW_MS)]


def first(of: Line, waiting: float) -> int | None:
    head = of.head(waiting, NOW_MS)
    return None if head is None else head.joined_ms // 60_000


def test_the_first_of_so_many_is_counted_from_the_last_one_that_came() -> None:
    assert [first(line(10), waiting) for waiting in (1, 3, 10, 14)] == [9, 7, 0, 0]


def test_where_nobody_was_counted_nobody_is_first() -> None:
    assert first(line(0), 3) is None
    assert taken(line(0), 3) == []


def test_a_count_that_is_repaired_repairs_the_match() -> None:
    five_had_left_unseen = line(10)

    assert (first(five_had_left_unseen, 10), first(five_had_left_unseen, 5)) == (0, 5)


def test_where_half_of_the_cars_join_unseen_each_that_was_counted_stands_for_two() -> None:
    assert first(line(10, per_entry=2.0), 8) == 6


def test_where_half_of_those_that_wait_give_up_each_minute_few_of_those_that_came_early_are_left() -> None:
    halving = line(10, gives_up_per_s=math.log(2) / 60)

    assert [first(halving, waiting) for waiting in (1, 1.5, 1.75)] == [9, 8, 7]
    assert [first(halving, waiting) for waiting in (3, 0.1)] == [0, 9]  # more than there can be, and fewer


def test_a_lane_that_keeps_its_order_lets_in_the_first() -> None:
    assert {minute for minute, _ in taken(line(10), 4)} == {6}


def test_a_number_that_is_not_sure_leaves_several_to_be_the_first() -> None:
    minutes, chances = zip(*taken(line(12), 6, spread=2), strict=True)

    assert minutes == (9, 6, 3)  # of 12, those behind which three, six and nine stand
    assert chances == pytest.approx((1 / 6, 2 / 3, 1 / 6))


def test_in_a_lane_that_nobody_watches_most_leave_from_the_front_and_some_from_anywhere() -> None:
    chances = dict.fromkeys(range(12), 0.0)
    for minute, chance in taken(line(12, keeps_order=False), 12):
        chances[minute] += chance

    assert chances[0] == pytest.approx(0.6)
    assert [minute for minute, chance in chances.items() if chance > 0] == [0, 2, 6, 10]


def test_first_in_first_out_all_get_in_in_their_order() -> None:
    found = line(10)

    order = [{minute for minute, _ in taken(found, waiting)} for waiting in range(10, 0, -1)]

    assert order == [{n} for n in range(10)]


@given(
    st.sampled_from([0.5, 0.9, 1.0, 1.1]),
    st.booleans(),
    st.lists(st.one_of(st.just(None), st.tuples(st.floats(0, 40), st.floats(0, 10))), max_size=60),
)
def test_whoever_leaves_is_one_car_that_had_joined(
    per_entry: float, keeps_order: bool, steps: list[tuple[float, float] | None]
) -> None:
    found = Line(per_entry, keeps_order)
    joined = []
    for n, step in enumerate(steps):
        if step is None:
            joined.append(found.join(60_000 * n))
            continue
        leaves = list(found.leaves(*step, 60_000 * n))

        assert sum(chance for _, chance in leaves) == pytest.approx(1.0 if leaves else 0.0)
        assert all(chance >= 0 and any(car is one for one in joined) for car, chance in leaves)
        assert all(-1e-9 <= car.there <= 1.0 for car in joined)


@given(st.lists(st.integers(0, 1), min_size=30, max_size=80))
def test_no_more_cars_are_let_in_than_have_joined(joins: list[int]) -> None:
    found = Line(1.0, keeps_order=False)
    cars, waiting = [], 0
    for n, join in enumerate(joins):
        if join:
            cars.append(found.join(60_000 * n))
            waiting += 1
        elif waiting:
            list(found.leaves(waiting, 0.0, 60_000 * n))
            waiting -= 1

    assert sum(car.there for car in cars) == pytest.approx(waiting, abs=0.02 * max(len(cars), 1))
