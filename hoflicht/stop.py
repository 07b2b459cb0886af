"""A signal or a dying thread becomes one event."""

import os
import signal
import sys
import threading
from queue import SimpleQueue
from types import FrameType


class Stopping(threading.Event):
    """Set once the process should end; `failed` tells that a thread died, so that the exit code is 1."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = False


def on_signals() -> Stopping:
    """Return the event that SIGINT, SIGTERM, SIGHUP or a thread's death sets. A second signal ends the process at once.

    A handler runs in the middle of whatever the main thread does, which may be `wait()` holding the event's own lock: `set()` would
    then wait for ever. So another thread sets it; of all that could wake it, only SimpleQueue.put may be called in a handler.
    """
    stopping = Stopping()
    signals: SimpleQueue[int] = SimpleQueue()
    asked = False

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)
        asked = True
        signals.put(number)

    def set_on_signal() -> None:
        signals.get()
        stopping.set()

    def on_dead_thread(args: threading.ExceptHookArgs) -> None:
        stopping.failed = True
        stopping.set()
        sys.excepthook(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)

    threading.Thread(target=set_on_signal, name="signals", daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    threading.excepthook = on_dead_thread
    return stopping
