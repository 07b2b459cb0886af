"""systemd's watchdog: it is told that we live only while each line of lamps does, and starts us again where one hangs.

A gateway that hangs leaves its lamps as they were, at dusk dark, and what hangs does not end by itself.
"""

import os
import socket
from collections.abc import Callable

from hoflicht.stop import Stopping

SOCKET, MICROSECONDS = "NOTIFY_SOCKET", "WATCHDOG_USEC"  # sd_notify(3), sd_watchdog_enabled(3)
ALIVE = b"WATCHDOG=1"


def pause_s() -> float | None:
    """How often systemd wants to hear of us, twice in its time; None where no watchdog waits."""
    told = os.environ.get(MICROSECONDS, "")
    return int(told) / 2_000_000 if told.isdecimal() and os.environ.get(SOCKET) else None


def run(is_alive: Callable[[], bool], every_s: float, stopping: Stopping) -> None:
    """Tell systemd so, as long as `is_alive`, until `stopping`."""
    path = os.environ[SOCKET]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notice:
        while not stopping.is_set():
            if is_alive():
                # "@": a name in Linux's abstract space, which begins with a zero byte.
                notice.sendto(ALIVE, f"\0{path[1:]}" if path.startswith("@") else path)
            stopping.wait(every_s)
