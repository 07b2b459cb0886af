"""The waits, answered before any route is looked for.

An estimate stands for seconds, and a city's pages and apps may ask for it thousands of times meanwhile. The way through FastAPI, a
thread and back costs some four times what the web server itself does for such an answer (`bench.wait`), so the route is taken only
where the wait must be found first; it also says in the description what is answered.
"""

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.reply import MIN_PACKED, reply
from api.yards import Yards
from hoflicht.catalogue import City

BELOW = "/v1"
PATH = "/yards/{yard}/wait"


class Ready:
    """An ASGI app: a wait that is known and fresh goes out as it is, everything else is left to `app`."""

    def __init__(self, app: ASGIApp, city: City, yards: Yards) -> None:
        self._app = app
        self._yards = yards
        self._of = {BELOW + PATH.format(yard=name): name for name in city.yards}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = self._of.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        told = None if name is None else self._yards.ready(name)
        if told is None:
            await self._app(scope, receive, send)
        else:
            is_new = all(name != b"if-none-match" for name, _ in scope["headers"]) and len(told.body.raw) < MIN_PACKED
            answer = told.whole if is_new else reply(Request(scope), told.body)
            await answer(scope, receive, send)
