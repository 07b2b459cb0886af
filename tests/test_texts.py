"""What a sign says, for every state and width."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.texts import one_line, two_lines
from hoflicht.wait import State, Wait

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def wait(state: State, p50_s: int | None = None, more_than_s: int | None = None) -> Wait:
    valid_until = NOON + timedelta(seconds=60)
    return Wait(yard="hof-nord", state=state, as_of=NOON, valid_until=valid_until, p50_s=p50_s, more_than_s=more_than_s)


@pytest.mark.parametrize(
    ("shown", "at_16", "at_20", "at_24"),
    [
        (None, "KEINE ANGABE", "KEINE ANGABE", "KEINE ANGABE"),
        (wait(State.UNKNOWN), "KEINE ANGABE", "KEINE ANGABE", "KEINE ANGABE"),
        (wait(State.UNKNOWN, 600), "KEINE ANGABE", "KEINE ANGABE", "KEINE ANGABE"),
        (wait(State.OPEN), "KEINE ANGABE", "KEINE ANGABE", "KEINE ANGABE"),
        (wait(State.OPEN, 0), "KEINE WARTEZEIT", "KEINE WARTEZEIT", "KEINE WARTEZEIT"),
        (wait(State.OPEN, 1), "WARTEZEIT 5 MIN", "WARTEZEIT 5 MIN", "WARTEZEIT 5 MIN"),
        (wait(State.OPEN, 660), "WARTEZEIT 15 MIN", "WARTEZEIT 15 MIN", "WARTEZEIT 15 MIN"),
        (wait(State.OPEN, 3_600), "WARTEZEIT 60 MIN", "WARTEZEIT 60 MIN", "WARTEZEIT 60 MIN"),
        (wait(State.OPEN, 3_601), "WARTEZEIT >60MIN", "WARTEZEIT >60 MIN", "WARTEZEIT >60 MIN"),
        (wait(State.OPEN, 600, 1_900), "WARTEZEIT >30MIN", "WARTEZEIT >30 MIN", "WARTEZEIT >30 MIN"),
        (wait(State.OPEN, None, 299), "KEINE ANGABE", "KEINE ANGABE", "KEINE ANGABE"),
        (wait(State.HELD, 600), "ZURZEIT GESPERRT", "EINFAHRT GESPERRT", "EINFAHRT GESPERRT"),
        (wait(State.CLOSING, 600), "KEINE EINFAHRT", "HEUTE KEINE EINFAHRT", "HEUTE KEIN EINLASS MEHR"),
        (wait(State.CLOSED), "GESCHLOSSEN", "GESCHLOSSEN", "GESCHLOSSEN"),
    ],
)
def test_one_line(shown: Wait | None, at_16: str, at_20: str, at_24: str) -> None:
    assert (one_line(shown, 16), one_line(shown, 20), one_line(shown, 24)) == (at_16, at_20, at_24)


@pytest.mark.parametrize(
    ("shown", "lines"),
    [
        (None, ("KEINE ANGABE", "")),
        (wait(State.OPEN, 0), ("KEINE WARTEZEIT", "")),
        (wait(State.OPEN, 660), ("WARTEZEIT", "15 MINUTEN")),
        (wait(State.OPEN, 9_000), ("WARTEZEIT", ">60 MINUTEN")),
        (wait(State.HELD), ("EINFAHRT", "ZURZEIT GESPERRT")),
        (wait(State.CLOSING), ("HEUTE KEINE", "EINFAHRT MEHR")),
        (wait(State.CLOSED), ("GESCHLOSSEN", "")),
    ],
)
def test_two_lines(shown: Wait | None, lines: tuple[str, str]) -> None:
    assert two_lines(shown) == lines


seconds = st.none() | st.integers(0, 100_000)


@given(st.sampled_from(State), seconds, seconds, st.integers(16, 40))
def test_no_text_is_longer_than_its_sign(state: State, p50_s: int | None, more_than_s: int | None, width: int) -> None:
    shown = wait(state, p50_s, more_than_s)

    assert 0 < len(one_line(shown, width)) <= width
    assert all(len(line) <= 16 for line in two_lines(shown))


@given(st.integers(0, 100_000))
def test_a_lower_bound_never_says_more_than_is_known(more_than_s: int) -> None:
    text = one_line(wait(State.OPEN, None, more_than_s), 24)

    shown_min = 0 if text == "KEINE ANGABE" else int(text.removeprefix("WARTEZEIT >").removesuffix(" MIN"))
    assert shown_min * 60 <= more_than_s
