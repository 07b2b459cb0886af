"""Staff's word: nobody is let in for now."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.estimate import holds
from api.estimate.events import Hold, events
from api.estimate.holds import Spell, held_until, spells, word
from api.estimate.waiting import estimate
from hoflicht import Reading
from hoflicht.catalogue import City
from hoflicht.wait import State
from tests.lane import YARD, at, ms, steady_queue


def told(*said: tuple[int, float]) -> list[Spell]:
    """The holds of words at so many ms, each for so many seconds."""
    return list(spells(word(YARD, at_ms, seconds) for at_ms, seconds in said))


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ([], []),
        ([(1_000, 60)], [Spell(1_000, 61_000)]),  # it ends by itself
        ([(1_000, 60), (9_000, 0)], [Spell(1_000, 9_000)]),  # or with the next word
        ([(1_000, 60), (9_000, 60)], [Spell(1_000, 9_000), Spell(9_000, 69_000)]),
        ([(1_000, 3_600), (9_000, 60)], [Spell(1_000, 9_000), Spell(9_000, 69_000)]),  # a shorter one shortens it
        ([(1_000, 0)], []),
        ([(1_000, 5), (90_000, 0)], [Spell(1_000, 6_000)]),
    ],
)
def test_a_hold_lasts_as_long_as_was_said_or_until_the_next_word(said: list[tuple[int, float]], held: list[Spell]) -> None:
    assert told(*said) == held


def test_other_readings_are_no_word_of_staff() -> None:
    assert list(spells([Reading(YARD, "barrier", "held", 0, 1.0), Reading(YARD, "barrier", "hold", 0, 60.0)])) == []


def test_a_hold_begins_with_its_instant_and_is_over_at_its_end() -> None:
    [spell] = told((1_000, 60))

    assert [held_until([spell], at_ms) for at_ms in (999, 1_000, 60_999, 61_000)] == [None, 61_000, 61_000, None]


words = st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 60)), max_size=8).map(sorted)


@given(words, st.integers(0, 100_000))
def test_what_was_so_at_an_instant_is_the_same_whatever_is_said_later(said: list[tuple[int, int]], now_ms: int) -> None:
    known = [each for each in said if each[0] <= now_ms]

    assert (held_until(told(*said), now_ms) is None) == (held_until(told(*known), now_ms) is None)


def test_a_yard_that_staff_hold_shows_no_number_but_the_least_that_is_to_come(city: City) -> None:
    free = estimate(YARD, city, steady_queue(8, 90), at(90))
    held = estimate(YARD, city, [*steady_queue(8, 90), word(YARD, ms(89), 1_800)], at(90))

    assert (free.state, held.state) == (State.OPEN, State.HELD)
    assert (held.p50_s, held.reason) == (None, "staff let nobody in for now")
    assert held.more_than_s
    assert "staff" not in held.rests_on


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ([word(YARD, ms(80), 599)], State.OPEN),
        ([word(YARD, ms(80), 601)], State.HELD),
        ([word(YARD, ms(80), 1_800), word(YARD, ms(89), 0)], State.OPEN),
        ([word(YARD, ms(91), 1_800)], State.OPEN),  # nobody has said it yet
    ],
)
def test_a_forgotten_hold_ends_by_itself(city: City, said: list[Reading], state: State) -> None:
    assert estimate(YARD, city, [*steady_queue(8, 90), *said], at(90)).state is state


def test_staff_know_without_a_sensor(city: City) -> None:
    silent = estimate(YARD, city, [], at(90))
    held = estimate(YARD, city, [word(YARD, ms(89), 600)], at(90))

    assert (silent.state, silent.reason) == (State.UNKNOWN, "the sensors are silent")
    assert (held.state, held.more_than_s, held.reason) == (State.HELD, None, "staff let nobody in for now")


def test_staff_s_word_is_no_sign_of_life_of_a_sensor(city: City) -> None:
    wait = estimate(YARD, city, [word(YARD, ms(89), 600), word(YARD, ms(90), 0)], at(90))

    assert (wait.state, wait.reason) == (State.UNKNOWN, "the sensors are silent")


def test_a_closed_yard_is_closed_whatever_is_said(city: City) -> None:
    assert estimate(YARD, city, [word(YARD, ms(-61), 600)], at(-60)).state is State.CLOSED


def test_a_hold_from_before_the_opening_holds_it(city: City) -> None:
    longest = word(YARD, ms(-179), holds.LONGEST_S)

    assert estimate(YARD, city, [longest], at(0)).state is State.HELD
    assert estimate(YARD, city, [longest], at(1)).state is State.UNKNOWN


def test_in_the_fold_of_a_day_staff_s_word_is_a_gate_of_its_own(city: City) -> None:
    said = [word(YARD, 1_000, 60), word(YARD, 9_000, 0), word(YARD, 90_000, 5)]

    assert events(city.yards[YARD], said) == [
        Hold(1_000, "staff", True),
        Hold(9_000, "staff", False),
        Hold(90_000, "staff", True),
        Hold(95_000, "staff", False),
    ]
