"""A serial port that comes back after unplugging. The one door to pyserial."""

import contextlib
import errno
import logging
import os
import select
import termios
import time
from pathlib import Path

import serial

from firmware_bridge.devices import Line
from hoflicht.errors import BadConfig

log = logging.getLogger(__name__)

MAX_READ = 4096  # bytes at once: what the kernel keeps for us
WRITE_TIMEOUT_S = 5.0  # 600 characters at 1200 baud; a port that takes no more is as good as gone
FIRST_DELAY_S = 0.5  # before the next try to open it; doubles up to
LONGEST_DELAY_S = 10.0

ADVICE = {
    errno.ENOENT: "is it plugged in? Stable names are in /dev/serial/by-id",
    errno.EACCES: "may this user read it? On Debian add it to the group dialout",
    errno.EAGAIN: "another program has it open",
    errno.EBUSY: "another program has it open",
}


class Port:
    """One serial port, used by one thread.

    It opens itself and, after a failure, opens itself again; `read` and `write` never raise for a port that is away. An outage is
    one line in the log when it starts and one when it ends. Raise BadConfig for line settings that no port has.
    """

    def __init__(self, path: str, line: Line, write_timeout_s: float = WRITE_TIMEOUT_S) -> None:
        self.path = path
        self.errors = 0  # times an open port failed
        self.opened = 0  # times it was opened: where it grows, the device may have lost its settings
        self._opened_at_s = 0.0
        self._away_since_s: float | None = None
        self._next_try_s = 0.0
        self._delay_s = FIRST_DELAY_S
        try:
            # No port yet: pyserial checks the settings and opens nothing.
            self._serial = serial.Serial(
                None, line.baud, line.bits, line.parity, line.stop, timeout=0, write_timeout=write_timeout_s, exclusive=True
            )
        except ValueError as cause:
            raise BadConfig(f"{path}: {cause}") from cause
        self._serial.port = path
        self._line = line

    def __enter__(self) -> "Port":
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        return bool(self._serial.is_open)

    def read(self, timeout_s: float) -> bytes:
        """What has come, at most MAX_READ bytes, after at most `timeout_s`; empty where nothing came or the port is away."""
        if not self._ready(timeout_s):
            return b""
        try:
            # Not pyserial's own timeout: each change of it sets up the whole line again.
            if not select.select([self._serial.fileno()], [], [], timeout_s)[0]:
                return b""
            data: bytes = self._serial.read(MAX_READ)
        except (OSError, termios.error) as cause:  # SerialException is an OSError, what tcsetattr raises is not
            self._fail(cause)
            return b""
        return data

    def write(self, data: bytes) -> bool:
        """Hand `data` to the port, which may send it later; False where the port is away."""
        if not self._ready(0):
            return False
        try:
            self._serial.write(data)
        except (OSError, termios.error) as cause:
            self._fail(cause)
            return False
        return True

    def close(self) -> None:
        """Close the port; what was written and not yet sent is still sent."""
        with contextlib.suppress(OSError, termios.error):
            self._serial.close()

    def _ready(self, timeout_s: float) -> bool:
        if self.is_open:
            return True
        wait_s = self._next_try_s - time.monotonic()
        if wait_s > 0:
            time.sleep(min(wait_s, timeout_s))
        return time.monotonic() >= self._next_try_s and self._open()

    def _open(self) -> bool:
        # A pseudo-terminal has eight bits and no parity; glibc calls asking it for others again an invalid argument.
        is_pty = Path(self.path).resolve().parent == Path("/dev/pts")
        try:
            self._serial.bytesize, self._serial.parity = (8, "N") if is_pty else (self._line.bits, self._line.parity)
            self._serial.open()
        except (OSError, termios.error) as cause:
            self._is_away(cause)
            return False
        except ValueError as cause:  # a baud rate that this hardware cannot make
            raise BadConfig(f"{self.path}: {cause}") from cause
        self.opened += 1
        self._opened_at_s = time.monotonic()
        if self._away_since_s is not None:
            log.info("%s is back after %.0f s", self.path, time.monotonic() - self._away_since_s)
            self._away_since_s = None
        return True

    def _fail(self, cause: BaseException) -> None:
        self.errors += 1
        if time.monotonic() - self._opened_at_s > LONGEST_DELAY_S:  # it held: no loose contact that flaps
            self._delay_s = FIRST_DELAY_S
        with contextlib.suppress(OSError, termios.error):
            self._serial.reset_output_buffer()  # or close() waits until a slow line has sent it
        self.close()
        self._is_away(cause)

    def _is_away(self, cause: BaseException) -> None:
        now_s = time.monotonic()
        if self._away_since_s is None:
            self._away_since_s = now_s
            log.warning("%s is away: %s; trying again until it is there", self.path, _why(cause))
        self._next_try_s = now_s + self._delay_s
        self._delay_s = min(self._delay_s * 2, LONGEST_DELAY_S)


def _why(cause: BaseException) -> str:
    number = getattr(cause, "errno", None)
    if number not in ADVICE:
        return str(cause) or type(cause).__name__
    return f"{os.strerror(number)} ({ADVICE[number]})"
