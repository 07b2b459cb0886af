"""A file is there whole, or as it was before."""

import os
from pathlib import Path

import pytest

from hoflicht import BadConfig, atomic
from tests.limits import files_that_do_not_grow


def test_a_file_is_replaced_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"old")
    path.chmod(0o644)

    atomic.write(path, b"new", atomic.PRIVATE)

    assert path.read_bytes() == b"new"
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert list(tmp_path.iterdir()) == [path]


def test_content_then_name_are_on_disk_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(handle: int) -> None:
        steps.append("folder" if Path(f"/proc/self/fd/{handle}").readlink() == tmp_path else "content")
        fsync(handle)

    def note_replace(path: Path, target: Path) -> Path:
        steps.append("name")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)

    atomic.write(tmp_path / "key", b"new", atomic.PRIVATE)

    assert steps == ["content", "name", "folder"]


def test_a_disk_that_is_full_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "crl.pem"
    path.write_bytes(b"old")

    with files_that_do_not_grow(), pytest.raises(BadConfig, match=r"crl\.pem: cannot be written \(File too large\)"):
        atomic.write(path, b"x" * 300_000, atomic.PUBLIC)

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"nowhere/key: cannot be written \(No such file or directory\)"):
        atomic.write(tmp_path / "nowhere" / "key", b"new", atomic.PRIVATE)
