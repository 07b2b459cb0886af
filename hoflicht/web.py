"""A small web server of a role that needs no framework: in a thread of its own while a block runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer


@contextmanager
def running(server: ThreadingHTTPServer, name: str, poll_s: float = 0.5) -> Iterator[None]:
    """Answer while the block runs, in the thread `name`; its end is heard after `poll_s` at the latest."""
    thread = threading.Thread(target=server.serve_forever, args=[poll_s], name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
