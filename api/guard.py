"""What every answer carries: no third party, no guessing of types, no referrer; and for the API: open to every site's script."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors *",  # a city's site may show the page in a frame; it has nothing to click
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag, Retry-After"}
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match, Accept, Last-Event-ID",
    "Access-Control-Max-Age": "86400",
}
ENDLESS = ("/stream", "/live")  # a stream without its body would never end
OPEN = ("/v1/", "/openapi.json")  # what scripts of other sites may read


class Guard:
    """An ASGI middleware. CORS headers go out unasked, so that a shared cache never holds an answer without them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_open = scope["path"].startswith(OPEN)
        if is_open and scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": _raw(PREFLIGHT)})
            await send({"type": "http.response.body", "body": b""})
            return

        if scope["method"] == "HEAD" and not scope["path"].endswith(ENDLESS):
            scope = {**scope, "method": "GET"}  # RFC 9110 §9.3.2; the server keeps the body to itself

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**SECURITY, **CORS} if is_open else SECURITY)
            await send(message)

        await self._app(scope, receive, guarded)


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
