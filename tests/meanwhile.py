"""What works beside a test."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def meanwhile(work: Callable[[], object], ended: threading.Event) -> Iterator[None]:
    """Let a thread do `work` until the block ends: then `ended` is set, and the thread waited for."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
