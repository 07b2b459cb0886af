"""The trail of what staff did."""

import datetime as dt
from pathlib import Path

import pytest

from api.staff.audit import KEPT, Audit, Entry
from tests.limits import files_that_do_not_grow

AT = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)


def entry(n: int) -> Entry:
    return Entry(AT + dt.timedelta(seconds=n), "1f0a93c2", "control room", f"hold hof-nord for {n} minutes", "done")


def test_what_is_written_is_read_in_its_order(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    for n in range(3):
        audit.add(entry(n))

    assert list(audit.entries()) == [entry(0), entry(1), entry(2)]


def test_a_line_that_a_power_cut_tore_costs_only_itself(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    audit.add(entry(0))
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"at":"2026-11-23T09:')

    audit.add(entry(1))

    assert list(audit.entries()) == [entry(0), entry(1)]


def test_the_trail_is_bounded_and_the_oldest_goes_first(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl", max_bytes=400)
    for n in range(100):
        audit.add(entry(n))

    files = sorted(path.name for path in tmp_path.iterdir())
    kept = [each.what for each in audit.entries()]
    assert len(files) == KEPT + 1
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < (KEPT + 1) * 600
    assert kept == [entry(n).what for n in range(100 - len(kept), 100)]


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    (tmp_path / "audit.jsonl").write_bytes(b"x" * 1_000)

    with files_that_do_not_grow(1_000), pytest.raises(OSError, match="File too large"):
        audit.add(entry(0))
