"""What stands before every route: how much may be asked, and what every answer carries.

In: a bound on requests by address, on path, header and body. Out: no third party, no guessing of types, no referrer; and for the
open API: free to every site's script. Strict-Transport-Security is the business of the proxy that speaks TLS (RFC 6797 §7.2 forbids
it without).
"""

from collections.abc import Mapping

from fastapi.responses import Response
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.citizen import style
from api.limits import Buckets, Callers
from api.problems import Problem

MAX_TARGET = 2_000  # bytes of path and query; the longest that means anything here has some 200
MAX_HEADER = 8_192  # bytes of all header fields; nginx and Apache take as many in one; a browser sends some 1 000
NO_BODY = "no request here needs a body"
MAX_BODY = 1_024  # bytes; no request here needs a body, and none is read, but
YARDS, NOTICE = "/v1/staff/yards/", "/notice"  # a yard's notice:
MAX_NOTICE = 16 * 1_024  # bytes; four texts of 280 characters, where each is written as two \uXXXX
PROGRAMS = "/v1/staff/programs/"  # and a program of light:
MAX_PROGRAM = 64 * 1_024  # bytes; fifty periods of twenty steps have as much
CALLER = "hoflicht.caller"  # in a scope: who asks, as `Callers` names him
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    f"style-src 'self' {style.SOURCE}; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",  # all of it is public; a city's site may show it
}
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag, Retry-After"}
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match, Accept, Last-Event-ID",
    "Access-Control-Max-Age": "86400",
}
ENDLESS = ("/stream", "/live")  # a stream without its body would never end
OPEN = ("/v1/", "/v1.1", "/openapi.json", "/view/", "/widget.js")  # what scripts of other sites may read
# What other sites may show in a frame, for nothing can be clicked there: the widget, and the monitor's page, which players of
# digital signage show so.
FRAMED = ("/widget/", "/display/")
MAY_FRAME = {"Content-Security-Policy": SECURITY["Content-Security-Policy"].replace("frame-ancestors 'none'", "frame-ancestors *")}
STAFF_PATH = "/v1/staff/"  # but not this
STAFF_ONLY = {"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store"}

Pairs = list[tuple[bytes, bytes]]

refused = Counter("hoflicht_api_refused", "Requests refused before any route saw them", ["status"])


class Carried:
    """Headers that an answer carries whatever it says itself; written once, for they are most of a small answer."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._names = {name for name, _ in self._pairs}

    def over(self, said: Pairs) -> Pairs:
        """What goes out where an answer has `said` something."""
        return [pair for pair in said if pair[0] not in self._names] + self._pairs


TO_ALL = Carried(SECURITY)
TO_SCRIPTS = Carried(SECURITY | CORS)
TO_FRAMES = Carried(SECURITY | MAY_FRAME)
TO_STAFF = Carried(SECURITY | STAFF_ONLY)


def _carried(path: str) -> Carried:
    if path.startswith(STAFF_PATH):
        return TO_STAFF
    if path.startswith(OPEN):
        return TO_SCRIPTS
    return TO_FRAMES if path.startswith(FRAMED) else TO_ALL


class Guard:
    """An ASGI middleware. CORS headers go out unasked, so that a shared cache never holds an answer without them."""

    def __init__(self, app: ASGIApp, callers: Callers, buckets: Buckets) -> None:
        self._app = app
        self._callers = callers
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        carried = _carried(scope["path"])

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": carried.over(message["headers"])}
            await send(message)

        caller = self._callers.name(scope["client"][0]) if scope.get("client") else None
        refusal = self._refusal(scope, caller)
        if refusal is not None:
            refused.labels(refusal.status_code).inc()
            await refusal(scope, receive, guarded)
        elif carried is TO_SCRIPTS and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, send)
        else:
            # RFC 9110 §9.3.2: HEAD is GET; the server keeps the body to itself
            is_head = scope["method"] == "HEAD" and not scope["path"].endswith(ENDLESS)
            method = "GET" if is_head else scope["method"]
            await self._app({**scope, "method": method, CALLER: caller}, receive, guarded)

    def _refusal(self, scope: Scope, caller: str | None) -> Response | None:
        wait_s = self._buckets.take(caller) if caller is not None else 0
        if wait_s:
            return Problem.often().response({"Retry-After": str(wait_s)})
        problem = _too_large(scope)
        return None if problem is None else problem.response({"Connection": "close"})  # what still comes of it is not read


def _too_large(scope: Scope) -> Problem | None:
    """What in the request has more bytes than anything here needs."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET:
        return Problem.of(414, f"path and query may have {MAX_TARGET} bytes")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER:
        return Problem.of(431, f"all header fields together may have {MAX_HEADER} bytes")
    told = dict(scope["headers"])
    length = int(told.get(b"content-length", 0))  # the server lets only digits pass
    bound, what = _body_of(scope["path"])
    if b"transfer-encoding" not in told and length <= bound:
        return None
    return Problem.of(413, f"{what} may have {bound} bytes, and says in Content-Length how many" if what else NO_BODY)


def _body_of(path: str) -> tuple[int, str]:
    """How many bytes the body of a request for `path` may have, and what it is."""
    if path.startswith(PROGRAMS):
        return MAX_PROGRAM, "a program"
    return (MAX_NOTICE, "a notice") if path.startswith(YARDS) and path.endswith(NOTICE) else (MAX_BODY, "")
