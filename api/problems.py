"""Errors as RFC 9457 problem details: for people to read and for programs to tell apart."""

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from hoflicht.errors import BadPayload, HoflichtError, Refused, Unavailable

MEDIA_TYPE = "application/problem+json"
BLANK = "about:blank"  # RFC 9457 §4.2.1: the status says it all
RETRY_S = 10
METHODS = ("GET", "PUT", "DELETE")  # those that anything here understands
MAX_DETAIL = 500  # characters; a detail may quote what was asked
TITLES = {
    400: "Bad request",
    401: "No valid key",
    403: "This key may not do that",
    404: "Not found",
    405: "Method not allowed",
    413: "Body too large",
    414: "Address too long",
    422: "A parameter is not as it should be",
    429: "Too many requests",
    431: "Header too large",
    501: "Not known here",
    503: "Not available for now",
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457 §3.1."""

    title: str
    status: int
    detail: str = ""
    type: str = BLANK

    @classmethod
    def of(cls, status: int, detail: str) -> "Problem":
        """A problem with the usual title of `status`."""
        return cls(TITLES.get(status, "Error"), status, detail[:MAX_DETAIL])

    @classmethod
    def busy(cls) -> "Problem":
        """There are as many streams as this server carries."""
        return cls.of(503, "too many open streams; ask for /v1/yards/{yard}/wait every 30 seconds instead")

    @classmethod
    def crowded(cls) -> "Problem":
        """This address has as many streams as one may have."""
        return cls.of(429, "too many open streams from this address; ask for /v1/yards/{yard}/wait every 30 seconds instead")

    @classmethod
    def often(cls) -> "Problem":
        """This address has asked for more than its share."""
        return cls.of(429, "too many requests from this address; keep to Cache-Control, and ask again after Retry-After seconds")

    def response(self, headers: dict[str, str] | None = None) -> Response:
        """The HTTP answer."""
        body = msgspec.json.encode({"type": self.type, "title": self.title, "status": self.status, "detail": self.detail})
        retry = {"Retry-After": str(RETRY_S)} if self.status in (429, 503) else {}
        return Response(body, self.status, {**retry, **(headers or {}), "Cache-Control": "no-store"}, MEDIA_TYPE)


class Wrong(HoflichtError):
    """The request cannot be answered; `problem` tells the client why, `headers` what to do."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem.of(status, detail)
        self.headers = headers


def answer_errors(app: FastAPI) -> None:
    """Translate every error of a route, of the router, and of this program itself."""

    async def wrong(_request: Request, cause: Exception) -> Response:
        assert isinstance(cause, Wrong)
        return cause.problem.response(cause.headers)

    async def routing(request: Request, cause: Exception) -> Response:
        assert isinstance(cause, HTTPException)
        headers = dict(cause.headers or {})
        allowed = ", ".join(_methods(request)) or "GET"  # none: what is mounted, which is files
        if cause.status_code == 405:
            headers["Allow"] = allowed
        details = {404: f"there is nothing at {request.url.path}", 405: f"{request.method} is not understood here; use {allowed}"}
        return Problem.of(cause.status_code, details.get(cause.status_code, str(cause.detail))).response(headers)

    async def parameter(_request: Request, cause: Exception) -> Response:
        assert isinstance(cause, RequestValidationError)
        return Problem.of(422, "; ".join(f"{error['loc'][-1]}: {error['msg']}" for error in cause.errors())).response()

    async def too_much(_request: Request, cause: Exception) -> Response:
        return Problem.of(400, str(cause)).response()

    async def away(_request: Request, _cause: Exception) -> Response:
        return Problem.of(503, "the database does not answer; try again in a few seconds").response()  # its address is nobody's

    async def bug(_request: Request, _cause: Exception) -> Response:
        return Problem("Internal error", 500, "this is our fault; the log of the server knows more").response()

    app.add_exception_handler(Wrong, wrong)
    app.add_exception_handler(HTTPException, routing)
    app.add_exception_handler(RequestValidationError, parameter)
    app.add_exception_handler(BadPayload, too_much)
    app.add_exception_handler(Unavailable, away)
    app.add_exception_handler(Refused, away)
    app.add_exception_handler(500, bug)


def _methods(request: Request) -> list[str]:
    """What the address that was asked for understands; a route knows only of its own method, and RFC 9110 §15.5.6 wants all."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    return [method for method, scope in scopes.items() if any(route.matches(scope)[0] is Match.FULL for route in routes)]
