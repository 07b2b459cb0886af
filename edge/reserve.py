"""Disk space kept for the moment when there is none: without it a full disk could not even be told to forget."""

import contextlib
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

RESERVE_BYTES = 2_000_000  # more than the spool's log ever holds: that much the spool's file may have to grow by


class Reserve:
    """A file beside the spool whose only content is its size."""

    def __init__(self, spool: Path) -> None:
        self._path = spool.with_name(f"{spool.name}-reserve")

    def is_held(self) -> bool:
        """Whether the space is taken."""
        return self._path.exists()

    def hold(self) -> bool:
        """Take the space; False where it was held already, or there is none."""
        if self.is_held():
            return False
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError as cause:
            log.debug("no space to keep in reserve: %s", cause)
            with contextlib.suppress(OSError):
                self._path.unlink()
            return False
        return True

    def give(self) -> bool:
        """Give the space back to the disk; False where none was held."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
