"""How wide the band around the number is."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from api.estimate.band import Band
from api.estimate.profile import COLD

SCALE_S = 240.0
Errors = Callable[[np.random.Generator, int], np.ndarray[tuple[int, ...], np.dtype[np.float64]]]

SHAPES: dict[str, Errors] = {
    "normal": lambda rng, count: rng.normal(0, 1, count),
    "far too narrow a scale": lambda rng, count: rng.normal(0, 4, count),
    "always told too short": lambda rng, count: rng.normal(1.5, 0.5, count),
    "seldom and then much too short": lambda rng, count: rng.exponential(2, count) - 0.5,
}


def learnt(shape: str, count: int, seed: int = 1) -> Band:
    band = Band(COLD)
    for error in SHAPES[shape](np.random.default_rng(seed), count):
        band.learn(1_800.0, SCALE_S, 1_800.0 + SCALE_S * float(error), 1.0)
    return band


@pytest.mark.parametrize("shape", SHAPES)
def test_eight_of_ten_waits_lie_inside_whatever_the_errors_look_like(shape: str) -> None:
    low_s, _, high_s = learnt(shape, 2_000).waits_s(1_800.0, SCALE_S)

    waits_s = 1_800.0 + SCALE_S * SHAPES[shape](np.random.default_rng(2), 4_000)

    assert np.mean((low_s <= waits_s) & (waits_s <= high_s)) == pytest.approx(0.8, abs=0.07)


def test_a_band_is_right_within_a_hundred_waits() -> None:
    low_s, _, high_s = learnt("always told too short", 100).waits_s(1_800.0, SCALE_S)

    assert (low_s + high_s) / 2 > 1_800.0
    assert low_s < 1_800.0 + 1.5 * SCALE_S < high_s


def test_errors_half_as_wide_as_expected_are_learnt_on_the_first_day() -> None:
    band = Band(COLD)
    for error in np.random.default_rng(1).normal(0, 0.5, 150):
        band.learn(1_800.0, SCALE_S, 1_800.0 + SCALE_S * float(error), 1.0)

    low_s, _, high_s = band.waits_s(1_800.0, SCALE_S)

    assert (high_s - low_s) / SCALE_S == pytest.approx(2 * 1.28 * 0.5, abs=0.4)


def test_the_first_wait_does_not_decide() -> None:
    band = Band(COLD)

    band.learn(1_000.0, 100.0, 5_000.0, 1.0)

    assert band.waits_s(1_000.0, 100.0) == pytest.approx([873, 1_005, 1_137], abs=1)


def test_before_anything_is_learnt_the_errors_are_taken_as_normal() -> None:
    assert Band(COLD).waits_s(1_000.0, 100.0) == pytest.approx([872, 1_000, 1_128])


def test_a_band_rises_and_is_never_negative() -> None:
    crossed = Band(msgspec.structs.replace(COLD, band=(0.4, -0.2, 0.1)))

    assert crossed.waits_s(1_000.0, 100.0) == pytest.approx([980, 1_010, 1_040])
    assert Band(COLD).waits_s(10.0, 100.0)[:2] == [0.0, 10.0]


def test_a_wait_that_is_only_likely_counts_by_its_probability() -> None:
    whole, half = Band(COLD), Band(COLD)

    whole.learn(1_000.0, 100.0, 2_000.0, 1.0)
    half.learn(1_000.0, 100.0, 2_000.0, 0.5)

    moved = [(a - b) for a, b in zip(whole.quantiles, Band(COLD).quantiles, strict=True)]
    assert [a - b for a, b in zip(half.quantiles, Band(COLD).quantiles, strict=True)] == pytest.approx([m / 2 for m in moved])


def test_what_was_learnt_goes_on_from_a_profile() -> None:
    band = learnt("normal", 50)

    assert Band(msgspec.structs.replace(COLD, band=tuple(band.quantiles))).quantiles == band.quantiles
