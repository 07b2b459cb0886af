"""A store that takes everything and keeps nothing: `python -m bench.null_store PORT` answers each write of line protocol with 204.

Where it is asked how much an ingest can do, the store must not be what stops it.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Taker(BaseHTTPRequestHandler):
    """Reads what is written, and says yes."""

    protocol_version = "HTTP/1.1"  # the connection stays open
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass  # each write would be a line


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Taker) as server:
        server.serve_forever()
