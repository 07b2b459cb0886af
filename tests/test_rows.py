"""Ranges of rows, and their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.rows import ROWS, Range, name, parse

NONCE, OTHER = "0123456789abcdef", "fedcba9876543210"
RANGES = st.integers(1, ROWS - 1).flatmap(lambda first: st.builds(Range, st.just(first), st.integers(first, ROWS - 1)))
A_LIFE = st.integers(1, 10**9).map(lambda first: Range(first, first + 499))  # of a gateway


@given(RANGES)
def test_rows_are_read_back_from_their_name(rows: Range) -> None:
    assert parse(NONCE, name(NONCE, rows)) == rows


@given(A_LIFE)
def test_rows_of_another_spool_lie_beyond_all_that_this_one_will_ever_have(rows: Range) -> None:
    read = parse(OTHER, name(NONCE, rows))

    assert read is not None
    assert read.first > 10**12


def test_a_name_is_short_for_it_travels_twice() -> None:
    assert name(NONCE, Range(1_000_000, 1_000_499)) == bytes.fromhex("456789bb102f f303")


@given(st.binary(max_size=40))
def test_any_bytes_are_a_name_or_none(named: bytes) -> None:
    rows = parse(NONCE, named)

    assert rows is None or 0 <= rows.first <= rows.last < 2 * ROWS


@pytest.mark.parametrize(
    "named", ["", "01", "456789abcdef", "456789abcdef 80", "456789abcdef 01 01", "456789abcdef ffffffffffffff01"]
)
def test_other_than_two_whole_numbers_are_no_rows(named: str) -> None:
    assert parse(NONCE, bytes.fromhex(named)) is None
