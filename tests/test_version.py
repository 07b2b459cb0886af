"""Versions as numbers."""

import pytest

from hoflicht import version


@pytest.mark.parametrize(
    ("text", "number"), [("0.1.0", 1_000), ("1.2.3", 1_002_003), ("12.0.45rc1", 12_000_045), ("1.2.3.dev4", 1_002_003)]
)
def test_a_version_is_a_number_that_rises_with_it(text: str, number: int) -> None:
    assert version.number(text) == number
