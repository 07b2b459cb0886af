"""A bare Starlette route on the settings of our own server: it answers the bytes of a file, and nothing else.

`python -m bench.peers.starlette.bare PORT PATH FILE`
"""

import sys
import threading
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.limits import Limits
from api.server import listen, serving
from api.streams import Streams


def main(port: str, path: str, file: str) -> None:
    """Answer until killed."""
    body = Path(file).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(body, media_type="application/json")

    with listen(f"127.0.0.1:{port}") as listener, serving(Starlette(routes=[Route(path, answer)]), listener, Streams(), Limits()):
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
