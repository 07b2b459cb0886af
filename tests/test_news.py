"""Which values of a lamp become readings."""

from edge.news import HOUR_MS, LIFE_MS, News


def told(quantity: str, values: list[tuple[int, float]]) -> list[tuple[int, int, float]]:
    """Looked at, told as of, value."""
    news = News()
    return [(at_ms, since_ms, value) for at_ms, value in values if (since_ms := news.take(quantity, value, at_ms)) is not None]


def test_a_target_is_told_at_once_and_again_each_hour() -> None:
    values = [(at_ms, 100.0 if at_ms < 60_000 else 50.0) for at_ms in range(0, 2 * HOUR_MS, 1_000)]

    assert told("level_target", values) == [(0, 0, 100.0), (60_000, 60_000, 50.0), (60_000 + HOUR_MS, 60_000 + HOUR_MS, 50.0)]


def test_a_ramp_is_one_reading_of_the_instant_at_which_it_came_to_rest() -> None:
    ramp = [(n * 250, 100.0 - n) for n in range(50)]
    rest = [(12_500 + n * 250, 50.0) for n in range(50)]

    assert told("level_feedback", [(-5_000, 100.0), (-3_000, 100.0), *ramp, *rest]) == [
        (-3_000, -5_000, 100.0),
        (14_500, 12_500, 50.0),
    ]


def test_a_ramp_of_an_hour_is_told_each_five_minutes() -> None:
    ramp = [(at_ms, 100 - at_ms / HOUR_MS * 50) for at_ms in range(0, HOUR_MS, 250)]

    times = [at_ms for at_ms, _, _ in told("level_actual", [(-4_000, 100.0), (-2_000, 100.0), *ramp])]

    assert times == [-2_000, *range(LIFE_MS - 2_000, HOUR_MS, LIFE_MS)]


def test_what_moves_by_less_than_its_step_is_told_once_an_hour() -> None:
    values = [(minute * 60_000, 230.0 + minute % 2) for minute in range(150)]

    assert [at_ms for at_ms, _, _ in told("voltage", values)] == [0, HOUR_MS, 2 * HOUR_MS]


def test_a_fault_is_told_when_it_comes_and_when_it_goes() -> None:
    values = [(minute * 60_000, float(10 <= minute < 20)) for minute in range(60)]

    assert told("lamp_failure", values) == [(0, 0, 0.0), (600_000, 600_000, 1.0), (1_200_000, 1_200_000, 0.0)]
