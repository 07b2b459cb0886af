"""A port that the agent lends to a command for a while: an advisory lock on a file beside the spool.

The kernel takes the lock back with the process that holds it, so a command that is killed gives the port back at once. The file
stays, it is empty; that it is there means nothing.
"""

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hoflicht.clock import Clock
from hoflicht.errors import BadConfig, Refused

log = logging.getLogger(__name__)

LOOK_MS = 1_000  # between two looks of the agent
READABLE = 0o644  # the agent may run as another user than the command, and there is nothing to be read
TRIES, PAUSE_S = 20, 0.05  # to get the lock: the agent's look holds it too, for microseconds


def file_of(spool: str, port: str) -> Path:
    """Where the port of this name is borrowed."""
    return Path(f"{spool}-lent-{port}")


@contextmanager
def borrowed(file: Path) -> Iterator[None]:
    """Hold the loan; the agent closes the port soon after. Raise Refused where another command has it, BadConfig for no access."""
    try:
        number = os.open(file, os.O_RDONLY | os.O_CREAT, READABLE)
    except OSError as cause:
        raise BadConfig(f"{file}: {cause.strerror}; run this as the gateway's user: sudo -u hoflicht …") from cause
    with os.fdopen(number):
        with contextlib.suppress(PermissionError):  # somebody else's: it has got its mode from him
            os.fchmod(number, READABLE)  # whatever the umask
        tries = 1
        while not _lock(number, fcntl.LOCK_EX):
            if tries == TRIES:
                raise Refused(f"{file}: another command has borrowed this port")
            tries += 1
            time.sleep(PAUSE_S)
        yield


class Loan:
    """The agent's side: is the port `name` lent? Each end of a loan is one line in the log."""

    def __init__(self, file: Path, name: str, clock: Clock) -> None:
        self._file = file
        self._name = name
        self._clock = clock
        self._looked_ms = -LOOK_MS
        self._is_out = False

    def is_out(self) -> bool:
        """As it was at a look less than LOOK_MS ago."""
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._looked_ms >= LOOK_MS:
            self._looked_ms = now_ms
            was_out, self._is_out = self._is_out, _is_held(self._file)
            if self._is_out != was_out:
                log.info("port %s %s", self._name, "is lent to another program" if self._is_out else "is back and read again")
        return self._is_out


def _is_held(file: Path) -> bool:
    try:
        number = os.open(file, os.O_RDONLY)
    except OSError:  # nobody has ever borrowed it
        return False
    with os.fdopen(number):
        return not _lock(number, fcntl.LOCK_SH)


def _lock(number: int, kind: int) -> bool:
    try:
        fcntl.flock(number, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
