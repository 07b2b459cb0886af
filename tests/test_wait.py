"""What the public sees of a wait: steps, and JSON there and back."""

from datetime import UTC, datetime

import pytest

from hoflicht.wait import (
    Number,
    State,
    Trend,
    Trust,
    Wait,
    decode,
    encode,
    is_rough,
    may_be_late,
    number,
    shown_minutes,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def told(state: State = State.OPEN, **more: object) -> Wait:
    return Wait(yard="hof-nord", state=state, as_of=NOON, valid_until=NOON, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("p50_s", "minutes"),
    [(0, 0), (59, 0), (60, 5), (300, 5), (301, 10), (1800, 30), (1801, 40), (3600, 60), (3601, 61), (86_400, 61)],
)
def test_a_median_is_rounded_up_to_the_steps_of_a_sign(p50_s: int, minutes: int) -> None:
    assert shown_minutes(p50_s) == minutes


def test_a_yard_may_round_to_classes_of_its_own() -> None:
    assert [shown_minutes(p50_s, (5, 10, 20, 30)) for p50_s in (0, 301, 601, 1801)] == [5, 10, 20, 31]


def test_a_wait_is_read_as_it_was_written() -> None:
    wait = told(
        p10_s=60,
        p50_s=600,
        p90_s=900,
        mean_s=640,
        shown_min=15,
        queue=7,
        queue_p10=5,
        queue_p90=9,
        trend=Trend.RISING,
        trust=Trust.RECKONED,
    )

    assert decode(encode(wait)) == wait


def test_a_wait_of_an_older_api_is_read_too() -> None:
    old = b'{"yard":"hof-nord","state":"open","as_of":"2026-11-23T12:00:00Z","valid_until":"2026-11-23T12:00:00Z","p50_s":600}'

    assert decode(old) == told(p50_s=600)


@pytest.mark.parametrize(
    ("wait", "shown"),
    [
        (told(p50_s=660, shown_min=20), Number(20)),  # held; the median is for reckoning
        (told(p50_s=660), Number(15)),  # an older api
        (told(p50_s=0, shown_min=0), Number(0)),
        (told(p50_s=3_700, shown_min=61), Number(60, is_more=True)),
        (told(p50_s=3_700), Number(60, is_more=True)),
        (told(more_than_s=2_100), Number(30, is_more=True)),
        (told(more_than_s=9_000), Number(60, is_more=True)),
        (told(more_than_s=299), None),
        (told(), None),
        (told(State.HELD, more_than_s=2_100), None),
        (told(State.CLOSING, p50_s=600, shown_min=10), None),
    ],
)
def test_the_one_number_of_all_faces(wait: Wait, shown: Number | None) -> None:
    assert number(wait) == shown


@pytest.mark.parametrize(
    ("wait", "rough"),
    [
        (told(p50_s=600, trust=Trust.CONFIGURED), True),
        (told(p50_s=600, trust=Trust.RECKONED), False),
        (told(p50_s=600, trust=Trust.MEASURED), False),
        (told(p50_s=600), False),
        (told(p50_s=0, trust=Trust.CONFIGURED), False),  # "about none"
        (told(p50_s=4_000, trust=Trust.CONFIGURED), False),  # "about more than"
        (told(trust=Trust.CONFIGURED), False),
    ],
)
def test_only_a_number_that_rests_on_the_catalogue_is_about(wait: Wait, rough: bool) -> None:
    assert is_rough(wait) == rough


def test_who_joins_now_may_be_late_where_the_band_reaches_beyond_the_last_entry() -> None:
    assert may_be_late(told(p90_s=900, last_entry=NOON))
    assert not may_be_late(told(p90_s=900, last_entry=NOON, latest_arrival=NOON))
    assert not may_be_late(told(p90_s=900))  # a yard that never closes
    assert not may_be_late(told(State.CLOSING, p90_s=900, last_entry=NOON))
