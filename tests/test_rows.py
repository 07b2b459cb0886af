"""Ranges of rows, and their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.rows import Range, name, parse

NONCE, OTHER = "0123456789abcdef", "fedcba9876543210"
ROWS = st.integers(1, 2**62).flatmap(lambda first: st.builds(Range, st.just(first), st.integers(first, 2**62)))


@given(ROWS)
def test_rows_are_read_back_from_their_name_by_their_own_spool_only(rows: Range) -> None:
    assert parse(NONCE, name(NONCE, rows)) == rows
    assert parse(OTHER, name(NONCE, rows)) is None


def test_a_name_is_short_for_it_travels_twice() -> None:
    assert name(NONCE, Range(1_000_000, 1_000_499)) == bytes.fromhex("01234567 c0843d f303")


@given(st.binary(max_size=40))
def test_any_bytes_are_a_name_or_none(named: bytes) -> None:
    rows = parse(NONCE, bytes.fromhex(NONCE)[:4] + named)

    assert rows is None or rows.first <= rows.last < 2**64


@pytest.mark.parametrize("digits", ["", "01", "0101 01", "8001", "01 80", "ffffffffffffffffffff 01 01"])
def test_other_than_two_whole_numbers_are_no_rows(digits: str) -> None:
    assert parse(NONCE, bytes.fromhex(NONCE)[:4] + bytes.fromhex(digits)) is None
