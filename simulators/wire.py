"""A serial line that is a pseudo-terminal: the device's end is ours, the gateway's end has a stable name."""

import array
import contextlib
import fcntl
import os
import termios
import tty
from pathlib import Path

MAX_UNREAD = 2_048  # bytes; at a real UART they are lost much sooner when nobody reads, and the kernel itself keeps 4095
MAX_READ = 4_096


class Wire:
    """A pty in raw mode; `link` is a symbolic link to the gateway's end, made anew at each plugging in.

    Reading and writing never wait: what nobody reads is lost.
    """

    def __init__(self, link: Path) -> None:
        self._link = link
        self._ours: int | None = None
        self._theirs: int | None = None
        self.plug_in()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    @property
    def is_plugged_in(self) -> bool:
        return self._ours is not None

    def plug_in(self) -> None:
        """Make the line, with a new name behind the link."""
        if self._ours is not None:
            return
        self._ours, self._theirs = os.openpty()
        # The gateway's end stays open here too: without any reader a write would fail instead of being lost.
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self._link.parent.mkdir(parents=True, exist_ok=True)
        new = self._link.with_name(f"{self._link.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(os.ttyname(self._theirs))
        new.replace(self._link)

    def unplug(self) -> None:
        """Take the line away, as a cable that is pulled."""
        if self._ours is None or self._theirs is None:
            return
        self._link.unlink(missing_ok=True)
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = None

    def fileno(self) -> int:
        """For `selectors`; -1 while it is unplugged."""
        return -1 if self._ours is None else self._ours

    def write(self, data: bytes) -> int:
        """Send what fits; return how many bytes that were."""
        if self._ours is None or self._theirs is None:
            return 0
        unread = array.array("i", (0,))
        fcntl.ioctl(self._theirs, termios.FIONREAD, unread)
        with contextlib.suppress(BlockingIOError):
            return os.write(self._ours, data[: max(0, MAX_UNREAD - unread[0])])
        return 0

    def read(self) -> bytes:
        """What the gateway has sent; empty where there is nothing."""
        if self._ours is None:
            return b""
        with contextlib.suppress(BlockingIOError):
            return os.read(self._ours, MAX_READ)
        return b""
