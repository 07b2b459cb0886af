"""What the public sees of a wait: steps, and JSON there and back."""

from datetime import UTC, datetime

import pytest

from hoflicht.wait import State, Trend, Wait, decode, encode, shown_minutes


@pytest.mark.parametrize(
    ("p50_s", "minutes"), [(0, 0), (1, 5), (300, 5), (301, 10), (1800, 30), (1801, 40), (3600, 60), (3601, 61), (86_400, 61)]
)
def test_a_median_is_rounded_up_to_the_steps_of_a_sign(p50_s: int, minutes: int) -> None:
    assert shown_minutes(p50_s) == minutes


def test_a_wait_is_read_as_it_was_written() -> None:
    instant = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    wait = Wait(
        yard="hof-nord",
        state=State.OPEN,
        as_of=instant,
        valid_until=instant,
        p10_s=60,
        p50_s=600,
        p90_s=900,
        queue=7,
        trend=Trend.RISING,
    )

    assert decode(encode(wait)) == wait
