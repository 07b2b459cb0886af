"""/healthz and Prometheus /metrics of a role without a web server of its own."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from hoflicht import config, web
from hoflicht.errors import BadConfig

Health = Callable[[], dict[str, object]]  # what a person would look at; `ok` false answers 503


@contextmanager
def serve(address: str, health: Health) -> Iterator[None]:
    """Answer on `address` ("127.0.0.1:9101") while the block runs; an empty address answers nowhere."""
    if not address:
        yield
        return
    try:
        server = ThreadingHTTPServer(config.address("http =", address, "127.0.0.1:9101"), _handler(health))
    except OSError as cause:
        raise BadConfig(f'http = "{address}": {cause.strerror}; choose another port') from cause
    with web.running(server, "http"):
        yield


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds; a client that sends nothing must not hold a thread

        def do_GET(self) -> None:
            if self.path == "/healthz":
                state = health()
                self._answer(200 if state.get("ok") else 503, "application/json", json.dumps(state).encode())
            elif self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))
            else:
                self._answer(404, "text/plain", b"/healthz or /metrics\n")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass  # a scrape every few seconds is no news

    return Handler
