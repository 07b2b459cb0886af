"""A signal or a dying thread becomes one event."""

import os
import signal
import sys
import threading
from types import FrameType


class Stopping(threading.Event):
    """Set once the process should end; `failed` tells that a thread died, so that the exit code is 1."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = False


def on_signals() -> Stopping:
    """Return the event that SIGINT, SIGTERM, SIGHUP or a thread's death sets. A second signal ends the process at once."""
    stopping = Stopping()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        stopping.set()

    def on_dead_thread(args: threading.ExceptHookArgs) -> None:
        stopping.failed = True
        stopping.set()
        sys.excepthook(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    threading.excepthook = on_dead_thread
    return stopping
