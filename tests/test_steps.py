"""What a sign shows, held so that it does not flicker: rules one by one, and what holds whatever the estimate does."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.estimate.steps import looks, told
from hoflicht.wait import STEPS_MIN, shown_minutes

MINUTE_MS = 60_000
STEPS = (*STEPS_MIN, 61)
medians_s = st.none() | st.integers(0, 4_500)
# Minutes of an estimate that stays a while and then is elsewhere.
days = st.lists(st.tuples(medians_s, st.integers(1, 8)), min_size=1, max_size=25).map(
    lambda stays: [p50_s for p50_s, minutes in stays for _ in range(minutes)]
)


def by_minute(*minutes: float | None, start: int = 0) -> list[tuple[int, int | None]]:
    """A median a minute, in minutes."""
    return [((start + n) * MINUTE_MS, None if m is None else round(m * 60)) for n, m in enumerate(minutes)]


def in_turn(p50s: list[int | None]) -> list[int | None]:
    """What is shown at each whole minute, by a fold from the first one on."""
    history = [(n * MINUTE_MS, p50_s) for n, p50_s in enumerate(p50s)]
    return [told(history[: n + 1]) for n in range(len(history))]


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [
        ((), None),
        ((12,), 15),
        ((12, None), None),  # no number: at once
        ((12, None, 17), 20),  # and back
        ((12, 17, 17), 15),  # up: not before two minutes
        ((12, 17, 17, 17), 20),
        ((12, 17, 14, 17, 17), 15),  # in one piece
        ((12, 16, 16, 16, 16, 16), 15),  # less than a third of the step beyond: never
        ((35, 43, 43, 43), 40),  # 30 % of ten minutes
        ((35, 44, 44, 44), 50),
        ((60, 62, 62, 62), 60),
        ((60, 64, 64, 64), 61),
        ((60, 75, 75, 75, 59, 59, 59, 59, 59), 61),
        ((12, 9, 9, 9, 9, 9), 15),  # down: not before five minutes
        ((12, 9, 9, 9, 9, 9, 9), 10),
        ((12, 9, 9, 9, 12, 9, 9, 9), 15),
        ((12, 9, 9, 9, 9, 4, 4), 5),  # to where the median is by then
        ((12, 27), 30),  # three steps: at once
        ((12, 0), 0),
        ((12, 22), 15),  # two are not enough
    ],
)
def test_a_history_and_what_is_shown_after_it(minutes: tuple[float | None, ...], shown: int | None) -> None:
    assert told(by_minute(*minutes)) == shown


def test_between_two_whole_minutes_only_a_jump_changes_what_is_shown() -> None:
    history = by_minute(12, 17, 17)

    assert told([*history, (150_000, 17 * 60)]) == 15
    assert told([*history, (150_000, 27 * 60)]) == 30


def test_a_yard_may_prefer_classes() -> None:
    classes = (5, 10, 20, 30)

    assert [told(by_minute(minutes), classes) for minutes in (0, 11, 30, 31)] == [5, 20, 30, 31]


def test_the_looks_are_whole_minutes_of_the_last_forty_and_the_instant_itself() -> None:
    noon_ms = 1_795_428_000_000

    assert looks(noon_ms + 10_000) == [*range(noon_ms - 39 * MINUTE_MS, noon_ms + 1, MINUTE_MS), noon_ms + 10_000]
    assert looks(noon_ms) == [*range(noon_ms - 40 * MINUTE_MS, noon_ms, MINUTE_MS), noon_ms]


@given(st.integers(0, 100_000), st.integers(1, 60))
def test_a_median_that_never_changes_is_shown_rounded_up(p50_s: int, minutes: int) -> None:
    assert in_turn([p50_s] * minutes)[-1] == shown_minutes(p50_s)


@given(days, st.integers(0, 4_500))
def test_a_median_that_stays_is_shown_after_five_minutes_or_exceeds_it_by_what_is_tolerated(
    before: list[int | None], p50_s: int
) -> None:
    shown = in_turn([*before, *[p50_s] * 7])[-1]

    assert shown is not None
    width_min = 10 if shown >= 30 else 5
    assert shown <= shown_minutes(p50_s)
    assert p50_s <= (shown + 0.3 * width_min) * 60 or shown == 61


@given(days)
def test_what_is_shown_is_never_off_by_more_than_two_steps(p50s: list[int | None]) -> None:
    for p50_s, shown in zip(p50s, in_turn(p50s), strict=True):
        assert (p50_s is None) == (shown is None)
        if p50_s is not None and shown is not None:
            assert abs(STEPS.index(shown) - STEPS.index(shown_minutes(p50_s))) <= 2


@given(days)
def test_but_for_jumps_no_change_up_comes_within_two_minutes_of_another_and_none_down_within_five(p50s: list[int | None]) -> None:
    shown = in_turn(p50s)

    changed = 0  # minute of the last change
    for minute, (before, after) in enumerate(pairwise(shown), start=1):
        if before == after:
            continue
        is_jump = before is None or after is None or abs(STEPS.index(after) - STEPS.index(before)) >= 3
        if not is_jump and before is not None and after is not None:
            assert minute - changed >= (2 if after > before else 5)
        changed = minute


@given(days, days, st.integers(1, len(STEPS) - 2), st.data())
def test_a_fold_that_begins_later_agrees_once_the_median_lay_five_minutes_in_one_step(
    forgotten: list[int | None], later: list[int | None], step: int, data: st.DataObject
) -> None:
    width_min = STEPS[step] - STEPS[step - 1]
    low_s = round((STEPS[step - 1] + 0.3 * width_min) * 60) + 1
    calm: list[int | None] = list(data.draw(st.lists(st.integers(low_s, STEPS[step] * 60), min_size=7, max_size=7)))

    long, short = in_turn([*forgotten, *calm, *later]), in_turn([*calm, *later])

    assert long[len(forgotten) + 6 :] == short[6:]


@given(days, days)
def test_a_fold_that_begins_later_agrees_from_where_there_was_no_number(
    forgotten: list[int | None], later: list[int | None]
) -> None:
    assert in_turn([*forgotten, None, *later])[len(forgotten) :] == in_turn([None, *later])


@given(days, medians_s)
def test_what_comes_later_changes_nothing(p50s: list[int | None], next_s: int | None) -> None:
    assert in_turn([*p50s, next_s])[:-1] == in_turn(p50s)
