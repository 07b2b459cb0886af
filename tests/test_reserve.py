"""Space that is kept for a full disk."""

from pathlib import Path

import pytest

from edge.disk import LOG_PAGES, PAGE_BYTES
from edge.reserve import RESERVE_BYTES, Reserve
from tests.limits import files_that_do_not_grow


@pytest.fixture
def reserve(tmp_path: Path) -> Reserve:
    return Reserve(tmp_path / "spool.db")


def test_the_space_is_really_taken(tmp_path: Path, reserve: Reserve) -> None:
    assert reserve.hold()

    assert (tmp_path / "spool.db-reserve").stat().st_blocks * 512 >= RESERVE_BYTES


def test_it_is_held_once_and_given_once(tmp_path: Path, reserve: Reserve) -> None:
    assert [reserve.hold(), reserve.hold(), reserve.give(), reserve.give()] == [True, False, True, False]

    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_space_none_is_held(tmp_path: Path, reserve: Reserve) -> None:
    with files_that_do_not_grow():
        assert not reserve.hold()

    assert list(tmp_path.iterdir()) == []


def test_the_whole_log_finds_room_in_it() -> None:
    assert LOG_PAGES * PAGE_BYTES < RESERVE_BYTES / 1.5
