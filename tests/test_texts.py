"""What a sign says, for every state and width."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.texts import one_line, two_lines
from hoflicht.wait import State, Trust, Wait

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def wait(state: State, p50_s: int | None = None, more_than_s: int | None = None, **more: object) -> Wait:
    told = {"p50_s": p50_s, "more_than_s": more_than_s, **more}
    return Wait(yard="hof-nord", state=state, as_of=NOON, valid_until=NOON + timedelta(seconds=60), **told)  # type: ignore[arg-type]


def cold(p50_s: int) -> Wait:
    return wait(State.OPEN, p50_s, trust=Trust.CONFIGURED)


def closing_in(left_min: int | None, p50_s: int = 1_100, trust: Trust | None = None) -> Wait:
    """An open yard where so many minutes are left to arrive; None: who joins now may be too late."""
    latest = None if left_min is None else NOON + timedelta(minutes=left_min)
    last_entry = NOON + timedelta(minutes=90)
    return wait(State.OPEN, p50_s, p90_s=1_500, last_entry=last_entry, latest_arrival=latest, trust=trust)


@pytest.mark.parametrize(
    ("shown", "at_16", "at_20", "at_24"),
    [
        (None, "KEINE ANGABE", "KEINE ANGABE", "KEINE ANGABE"),
        (wait(State.UNKNOWN), "KEINE ANGABE", "KEINE ANGABE", "KEINE ANGABE"),
        (wait(State.UNKNOWN, 600), "KEINE ANGABE", "KEINE ANGABE", "KEINE ANGABE"),
        (wait(State.OPEN), "KEINE ANGABE", "KEINE ANGABE", "KEINE ANGABE"),
        (wait(State.OPEN, 0), "KEINE WARTEZEIT", "KEINE WARTEZEIT", "KEINE WARTEZEIT"),
        (wait(State.OPEN, 60), "WARTEZEIT 5 MIN", "WARTEZEIT 5 MIN", "WARTEZEIT 5 MIN"),
        (wait(State.OPEN, 660), "WARTEZEIT 15 MIN", "WARTEZEIT 15 MIN", "WARTEZEIT 15 MIN"),
        (wait(State.OPEN, 3_600), "WARTEZEIT 60 MIN", "WARTEZEIT 60 MIN", "WARTEZEIT 60 MIN"),
        (wait(State.OPEN, 3_601), "WARTEZEIT >60MIN", "WARTEZEIT >60 MIN", "WARTEZEIT >60 MIN"),
        (wait(State.OPEN, 600, 1_900), "WARTEZEIT >30MIN", "WARTEZEIT >30 MIN", "WARTEZEIT >30 MIN"),
        (wait(State.OPEN, 660, shown_min=20), "WARTEZEIT 20 MIN", "WARTEZEIT 20 MIN", "WARTEZEIT 20 MIN"),
        (wait(State.OPEN, 3_601, shown_min=60), "WARTEZEIT 60 MIN", "WARTEZEIT 60 MIN", "WARTEZEIT 60 MIN"),
        (wait(State.OPEN, 3_600, shown_min=61), "WARTEZEIT >60MIN", "WARTEZEIT >60 MIN", "WARTEZEIT >60 MIN"),
        (cold(660), "WARTEZEIT 15 MIN", "WARTEZEIT CA. 15 MIN", "WARTEZEIT CA. 15 MIN"),
        (cold(0), "KEINE WARTEZEIT", "KEINE WARTEZEIT", "KEINE WARTEZEIT"),
        (cold(4_000), "WARTEZEIT >60MIN", "WARTEZEIT >60 MIN", "WARTEZEIT >60 MIN"),
        (wait(State.OPEN, None, 299), "KEINE ANGABE", "KEINE ANGABE", "KEINE ANGABE"),
        (wait(State.HELD, 600), "ZURZEIT GESPERRT", "EINFAHRT GESPERRT", "EINFAHRT GESPERRT"),
        (wait(State.CLOSING, 600), "KEINE EINFAHRT", "HEUTE KEINE EINFAHRT", "HEUTE KEIN EINLASS MEHR"),
        (wait(State.CLOSED), "GESCHLOSSEN", "GESCHLOSSEN", "GESCHLOSSEN"),
    ],
)
def test_one_line(shown: Wait | None, at_16: str, at_20: str, at_24: str) -> None:
    assert [one_line(shown, width) for width in (16, 20, 24)] == [(at_16,), (at_20,), (at_24,)]


@pytest.mark.parametrize(
    ("shown", "at_16", "at_24"),
    [
        (closing_in(61), ("WARTEZEIT 20 MIN",), ("WARTEZEIT 20 MIN",)),
        (closing_in(60), ("WARTEZEIT 20 MIN", "ANKUNFT BIS13:00"), ("WARTEZEIT 20 MIN", "ANKUNFT BIS 13:00")),
        (closing_in(0), ("WARTEZEIT 20 MIN", "ANKUNFT BIS12:00"), ("WARTEZEIT 20 MIN", "ANKUNFT BIS 12:00")),
        (closing_in(None), ("WARTEZEIT 20 MIN", "EINLASS UNGEWISS"), ("WARTEZEIT 20 MIN", "EINLASS HEUTE UNGEWISS")),
        (wait(State.CLOSING, 600, last_entry=NOON), ("KEINE EINFAHRT",), ("HEUTE KEIN EINLASS MEHR",)),
    ],
)
def test_towards_the_end_one_line_tells_in_turn_until_when_to_come(
    shown: Wait, at_16: tuple[str, ...], at_24: tuple[str, ...]
) -> None:
    assert (one_line(shown, 16), one_line(shown, 24)) == (at_16, at_24)


@pytest.mark.parametrize(
    ("shown", "lines"),
    [
        (None, ("KEINE ANGABE", "")),
        (wait(State.OPEN, 0), ("KEINE WARTEZEIT", "")),
        (wait(State.OPEN, 660), ("WARTEZEIT", "15 MINUTEN")),
        (wait(State.OPEN, 9_000), ("WARTEZEIT", ">60 MINUTEN")),
        (wait(State.OPEN, 660, shown_min=20), ("WARTEZEIT", "20 MINUTEN")),
        (cold(660), ("WARTEZEIT", "CA. 15 MINUTEN")),
        (closing_in(60), ("WARTEZEIT 20 MIN", "ANKUNFT BIS13:00")),
        (closing_in(60, p50_s=4_000), ("WARTEZEIT >60MIN", "ANKUNFT BIS13:00")),
        (closing_in(60, p50_s=0), ("KEINE WARTEZEIT", "ANKUNFT BIS13:00")),
        (closing_in(60, trust=Trust.CONFIGURED), ("WARTEZEIT 20 MIN", "ANKUNFT BIS13:00")),
        (closing_in(None), ("WARTEZEIT 20 MIN", "EINLASS UNGEWISS")),
        (wait(State.HELD), ("EINFAHRT", "ZURZEIT GESPERRT")),
        (wait(State.CLOSING), ("HEUTE KEINE", "EINFAHRT MEHR")),
        (wait(State.CLOSED), ("GESCHLOSSEN", "")),
    ],
)
def test_two_lines(shown: Wait | None, lines: tuple[str, str]) -> None:
    assert two_lines(shown) == lines


seconds = st.none() | st.integers(0, 100_000)


minutes_left = st.none() | st.integers(0, 600)


@given(st.sampled_from(State), seconds, seconds, st.sampled_from([*Trust, None]), minutes_left, st.integers(16, 40))
def test_no_text_is_longer_than_its_sign(
    state: State, p50_s: int | None, more_than_s: int | None, trust: Trust | None, left_min: int | None, width: int
) -> None:
    latest = None if left_min is None else NOON + timedelta(minutes=left_min)
    shown = wait(state, p50_s, more_than_s, p90_s=p50_s, trust=trust, last_entry=NOON, latest_arrival=latest)

    assert all(0 < len(text) <= width for text in one_line(shown, width))
    assert all(len(line) <= 16 for line in two_lines(shown))


@given(st.integers(0, 100_000))
def test_a_lower_bound_never_says_more_than_is_known(more_than_s: int) -> None:
    [text] = one_line(wait(State.OPEN, None, more_than_s), 24)

    shown_min = 0 if text == "KEINE ANGABE" else int(text.removeprefix("WARTEZEIT >").removesuffix(" MIN"))
    assert shown_min * 60 <= more_than_s
