"""What a sign of dots shows: the number large, words whole, on every size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.matrix import MIN_COLUMNS, MIN_ROWS, pictures
from edge.texts import one_line
from firmware_bridge.dots import Dots, line, placed
from firmware_bridge.mobitec import MAX_COLUMNS, MAX_ROWS
from hoflicht.wait import State, Trust, Wait
from tests.test_texts import NOON, closing_in, cold, wait


def shows(picture: Dots, part: Dots) -> bool:
    """Whether `part` stands somewhere in `picture`."""
    width = len(part[0])
    return any(
        tuple(row[x : x + width] for row in picture[y : y + len(part)]) == part
        for y in range(len(picture) - len(part) + 1)
        for x in range(len(picture[0]) - width + 1)
    )


@pytest.mark.parametrize(
    ("shown", "large", "small"),
    [
        (wait(State.OPEN, 660), ["15"], ["WARTEZEIT", "MIN"]),
        (wait(State.OPEN, 660, shown_min=20), ["20"], ["WARTEZEIT", "MIN"]),
        (wait(State.OPEN, 9_000), [">60"], ["WARTEZEIT", "MIN"]),
        (cold(660), ["15"], ["WARTEZEIT", "CA.", "MIN"]),
        (wait(State.OPEN, 0), [], ["KEINE", "WARTEZEIT"]),
        (wait(State.HELD), [], ["EINFAHRT", "GESPERRT"]),
        (wait(State.CLOSING), [], ["HEUTE KEINE", "EINFAHRT MEHR"]),
        (wait(State.CLOSED), [], ["GESCHLOSSEN"]),
        (None, [], ["KEINE", "ANGABE"]),
    ],
)
def test_on_sixteen_rows_the_number_is_large_and_words_have_two_lines(
    shown: Wait | None, large: list[str], small: list[str]
) -> None:
    [picture] = pictures(shown, 112, 16)

    assert all(shows(picture, line(text, 2)) for text in large)
    assert all(shows(picture, line(text)) for text in small)


@pytest.mark.parametrize(("left_min", "until"), [(60, ["ANKUNFT", "BIS 13:00"]), (None, ["EINLASS HEUTE", "UNGEWISS"])])
def test_towards_the_end_it_tells_in_turn_until_when_to_come(left_min: int | None, until: list[str]) -> None:
    number, arrival = pictures(closing_in(left_min), 112, 16)

    assert shows(number, line("20", 2))
    assert all(shows(arrival, line(text)) for text in until)


@pytest.mark.parametrize(
    "shown", [None, wait(State.OPEN, 660), cold(660), wait(State.OPEN, 0), wait(State.HELD), wait(State.CLOSING)]
)
def test_the_smallest_sign_says_what_one_with_sixteen_letters_does(shown: Wait | None) -> None:
    assert pictures(shown, MIN_COLUMNS, MIN_ROWS) == tuple(
        placed(line(text), MIN_COLUMNS, MIN_ROWS) for text in one_line(shown, 16)
    )


def test_letters_are_as_narrow_as_they_are_so_seventeen_may_stand_where_another_sign_has_sixteen() -> None:
    _, arrival = pictures(closing_in(60), MIN_COLUMNS, MIN_ROWS)

    assert shows(arrival, line("ANKUNFT BIS 13:00"))


def test_a_word_with_room_for_it_is_large() -> None:
    [picture] = pictures(wait(State.CLOSED), 140, 19)

    assert shows(picture, line("GESCHLOSSEN", 2))


def test_a_larger_sign_has_a_larger_number() -> None:
    [picture] = pictures(wait(State.OPEN, 660), 140, 24)

    assert shows(picture, line("15", 3))


seconds = st.none() | st.integers(0, 100_000)


@given(
    st.sampled_from(State),
    seconds,
    seconds,
    st.sampled_from([*Trust, None]),
    st.integers(MIN_COLUMNS, MAX_COLUMNS),
    st.integers(MIN_ROWS, MAX_ROWS),
)
def test_every_state_has_a_picture_of_just_the_size_of_the_sign(
    state: State, p50_s: int | None, more_than_s: int | None, trust: Trust | None, columns: int, rows: int
) -> None:
    shown = wait(state, p50_s, more_than_s, p90_s=p50_s, trust=trust, last_entry=NOON)

    for picture in pictures(shown, columns, rows):
        assert [len(row) for row in picture] == [columns] * rows
        assert "#" in "".join(picture)
