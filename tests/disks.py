"""A real file system of a few megabytes, to be filled up."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[Path]:
    """A tmpfs of that size at `at`; where mounting is not allowed the test is skipped with a word, in CI it fails."""
    at.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", at], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        said = f"no small disk without the right to mount: {mounted.stderr.strip()}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(said)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


class Hog:
    """Somebody else's file, as large as the disk lets it be."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "somebody-elses.log"

    def fill(self, but: int = 0) -> None:
        """Take all bytes that are free, or all `but` some."""
        with self._path.open("ab", buffering=0) as file:
            try:
                while not but or shutil.disk_usage(self._path.parent).free > but:
                    file.write(bytes(4_096))
            except OSError:
                return

    def free(self) -> None:
        self._path.unlink()
