"""The door at which gateways ask for certificates: HTTPS, three paths, everything bounded.

Who has no certificate yet shows a code, who has one shows it in the TLS handshake. `GET /ca.crt` is for gateways that know only the
CA's fingerprint.
"""

import contextlib
import logging
import os
import re
import socket
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from hoflicht import private_key, web
from hoflicht.clock import Clock
from hoflicht.config import address
from hoflicht.errors import BadConfig, BadPayload, Refused, Unavailable
from hoflicht.invitation import CA, ENROLL, MAX_BODY, RENEW, Answer, Question, Renewal, decoded
from ingest.authority import Authority

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 16  # at once; a gateway needs a tenth of a second
LONGEST_S = 20.0  # of one connection; a mobile network needs two, and who drips bytes shall not hold a place
POLL_S = 0.1  # how late the end may be heard
PER_MINUTE = 10  # questions from one network; enrolling takes one, and gateways of one mobile network share addresses
UNEXPECTED = "not the expected JSON"
LENGTH = re.compile("[0-9]{1,5}")
MAX_NETWORKS = 10_000  # counted at once, some megabytes; more in one minute are an attack, and wait


class Limiter:
    """Counts requests by network for each minute: an IPv4 address, or the /64 that an IPv6 host may choose from."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._asked: Counter[str] = Counter()

    def lets(self, caller: str) -> bool:
        """Count a request from the address `caller`, and tell whether it is answered."""
        network = web.network(web.address(caller))
        with self._lock:
            minute = self._clock.monotonic_ms() // 60_000
            if minute != self._minute:
                self._minute, self._asked = minute, Counter()
            if network not in self._asked and len(self._asked) >= MAX_NETWORKS:
                return False
            self._asked[network] += 1
            return self._asked[network] <= PER_MINUTE


@contextlib.contextmanager
def serve(authority: Authority, listen: str, names: list[str], clock: Clock) -> Iterator[None]:
    """Answer on `listen` ("0.0.0.0:8443") while the block runs; `names` are those by which gateways call this server."""
    where = address("listen =", listen, "0.0.0.0:8443")
    context = _context(authority, names)
    try:
        server = _Server(where, _handler(authority, Limiter(clock)), context)
    except OSError as cause:
        raise BadConfig(f'listen = "{listen}": {cause}; choose another address or port') from cause
    with web.running(server, "https", POLL_S):
        yield


def _context(authority: Authority, names: list[str]) -> ssl.SSLContext:
    """TLS with a key that is made now and lives in memory only: nothing to keep, nothing to renew."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key = private_key.new()
    with (
        _in_memory(private_key.text(key)) as key_file,
        _in_memory(authority.server_certificate(key.public_key(), names)) as certificate,
    ):
        context.load_cert_chain(certificate, key_file)
    context.load_verify_locations(cadata=authority.ca)
    context.verify_mode = ssl.CERT_OPTIONAL  # none yet, or one of ours; another one ends the handshake
    return context


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """A path under which `content` can be read, and which is on no disk: ssl takes keys from files only."""
    handle = os.memfd_create("hoflicht")
    try:
        os.write(handle, content)
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)
        self._context = context
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread, the handshake included: a client that says nothing holds up nobody else."""
        watched = request.dup()
        deadline = threading.Timer(LONGEST_S, _hang_up, [watched])
        deadline.start()
        try:
            with contextlib.suppress(OSError):  # of TLS and of the network: the client's affair, and it has been told
                super().process_request_thread(self._context.wrap_socket(request, server_side=True), client_address)
        finally:
            deadline.cancel()
            watched.close()
            request.close()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exception(), OSError):
            log.debug("a connection from %s ended early", client_address[0])
        else:
            super().handle_error(request, client_address)  # a bug of ours: its traceback


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _handler(authority: Authority, limiter: Limiter) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "hoflicht", ""

        def do_GET(self) -> None:
            if self.path == CA:
                self._say(200, "application/x-pem-file", authority.ca.encode())
            else:
                self._fail(404, f"GET {CA}, POST {ENROLL} or {RENEW}")

        def do_POST(self) -> None:
            try:
                if not limiter.lets(self.client_address[0]):
                    return self._fail(429, "too many requests; try again in a minute")
                answer = self._answer(self._body())
            except BadPayload as cause:
                return self._fail(400, str(cause))
            except Refused as cause:
                log.warning("refused %s: %s", self.client_address[0], cause)
                return self._fail(403, str(cause))
            except (BadConfig, Unavailable) as cause:
                log.error("cannot sign: %s", cause)
                return self._fail(503, "the authority cannot sign now; its log says why")
            return self._say(200, "application/json", msgspec.json.encode(answer))

        def _answer(self, body: bytes) -> Answer:
            if self.path == ENROLL:
                return authority.enroll(decoded(body, Question, UNEXPECTED))
            if self.path == RENEW:
                shown: Any = self.connection.getpeercert()
                if not shown:
                    raise Refused("a renewal needs the certificate that is to be renewed")
                return authority.renew(int(shown["serialNumber"], 16), decoded(body, Renewal, UNEXPECTED))
            raise BadPayload(f"GET {CA}, POST {ENROLL} or {RENEW}")

        def _body(self) -> bytes:
            length = self.headers.get("Content-Length", "")
            if not LENGTH.fullmatch(length) or int(length) > MAX_BODY:
                raise BadPayload(f"a body of at most {MAX_BODY} bytes, with its Content-Length, is expected")
            return self.rfile.read(int(length))

        def _fail(self, status: int, reason: str) -> None:
            self._say(status, "application/json", msgspec.json.encode({"error": reason}))

        def _say(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass  # what matters is logged where it is decided

    return Handler
