"""From a rate that is known roughly to the wait of so many cars."""

import math

import pytest

from api.rate import LONGEST_S, Rate, chance_within, faded, quantile_s, usual


def test_one_gap_of_a_rate_known_by_one_car_has_the_median_of_its_exposure() -> None:
    # Exponential over exponential: P(W > w) = b / (w + b), so the median is b.
    assert quantile_s(0.5, [0.0, 1.0], Rate(1.0, 100.0)) == 100


def test_a_rate_known_for_sure_makes_exponential_gaps() -> None:
    sure = Rate(1e6, 1e6 * 80)

    assert quantile_s(0.5, [0.0, 1.0], sure) == pytest.approx(80 * math.log(2), abs=1)
    assert chance_within(160.0, [0.0, 0.0, 1.0], sure) == pytest.approx(1 - math.exp(-2) * 3, abs=1e-4)  # Erlang of order two


@pytest.mark.parametrize("k", [1, 3, 10, 40])
def test_the_mean_wait_is_that_of_a_beta_prime(k: int) -> None:
    rate = Rate(12.0, 960.0)
    gaps = [0.0] * k + [1.0]

    # The mean is the sum of P(W > w); a beta-prime's is k * b / (a - 1).
    mean_s = sum((1 - chance_within(s + 5.0, gaps, rate)) * 10 for s in range(0, 60_000, 10))

    assert mean_s == pytest.approx(k * 960 / 11, rel=0.01)


def test_no_gap_is_no_wait() -> None:
    assert [quantile_s(share, [0.95, 0.05], Rate(12.0, 960.0)) for share in (0.1, 0.5, 0.9)] == [0, 0, 0]


def test_an_uncertain_queue_widens_the_band() -> None:
    rate = Rate(12.0, 960.0)
    certain, uncertain = [0.0] * 6 + [1.0], [0.0] * 3 + [0.5] + [0.0] * 5 + [0.5]

    def width_s(gaps: list[float]) -> int:
        return quantile_s(0.9, gaps, rate) - quantile_s(0.1, gaps, rate)

    assert width_s(uncertain) > 1.2 * width_s(certain)


def test_a_wait_beyond_a_day_is_a_day() -> None:
    assert quantile_s(0.9, [0.0] * 100 + [1.0], Rate(0.1, 1e6)) == LONGEST_S


def test_the_configured_rate_is_believed_lightly() -> None:
    assert usual(45) == Rate(4.0, 320.0)
    assert usual(45).per_second * 3_600 == 45


def test_counts_fade_while_time_passes_and_idle_time_is_no_evidence() -> None:
    idle = faded(Rate(10.0, 800.0), 900, 0)
    waiting = faded(Rate(10.0, 800.0), 900, 900)

    assert idle.per_second == pytest.approx(10 / 800)
    assert idle.shape == pytest.approx(10 / math.e)
    assert waiting.per_second < idle.per_second


def test_a_long_silence_is_unlikely_while_cars_wait() -> None:
    assert Rate(10.0, 800.0).chance_of_silence(80) == pytest.approx((800 / 880) ** 10)
