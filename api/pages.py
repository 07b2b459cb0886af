"""The public page and the kiosk: HTML from the server, kept fresh by a small script, whole without it."""

from collections.abc import Mapping
from pathlib import Path

import jinja2
import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from api import streams
from api.problems import Wrong
from api.reply import HTML, JSON
from api.streams import Stream, Streams
from api.views import View, view
from api.words import GERMAN, LANGUAGES, Words
from api.yards import Yards
from hoflicht import __version__
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.wait import Wait

FOLDER = Path(__file__).parent
MAX_ACCEPTED = 10  # languages of an Accept-Language header that are looked at
FRESH = {"Cache-Control": "no-cache", "Vary": "Accept-Language"}


def tell(open_streams: Streams, city: City, waits: Mapping[str, Wait], now_ms: int) -> None:
    """Hand what the pages show of `waits` to every open page."""
    for code, words in LANGUAGES.items():
        open_streams.put(_channel(code), streams.event("view", _encode(view(city, waits, now_ms, words))))


def static() -> StaticFiles:
    """Style and script."""
    return StaticFiles(directory=FOLDER / "static")


def router(city: City, yards: Yards, open_streams: Streams, clock: Clock) -> APIRouter:
    """The pages, and what their script asks for."""
    routes = APIRouter(include_in_schema=False)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )

    def page(request: Request, template: str, words: Words, **more: object) -> Response:
        now = view(city, yards.waits(), clock.now_ms(), words)
        html = templates.get_template(template).render(
            city=city, words=words, view=now, version=__version__, link=_link(request), **more
        )
        return Response(html, headers={**FRESH, "Content-Language": words.code}, media_type=HTML)

    @routes.get("/")
    def everybody(request: Request) -> Response:
        return page(request, "yards.html", _language(request))

    @routes.get("/display/{yard}")
    def kiosk(request: Request, yard: str) -> Response:
        if yard not in city.yards:
            raise Wrong(404, f"there is no yard {yard!r}; there are: {', '.join(city.yards)}")
        return page(request, "display.html", LANGUAGES.get(request.query_params.get("lang", ""), GERMAN), yard=yard)

    @routes.get("/live.json")
    def poll(request: Request) -> Response:
        body = _encode(view(city, yards.waits(), clock.now_ms(), _language(request)))
        return Response(body, headers={"Cache-Control": "no-store"}, media_type=JSON)

    @routes.get("/live")
    async def live(request: Request) -> Response:
        return Stream(open_streams, [_channel(_language(request).code)])

    return routes


def _channel(language: str) -> str:
    return f"view/{language}"


def _encode(what: View) -> bytes:
    return msgspec.json.encode(what)


def _language(request: Request) -> Words:
    """?lang= where it names one of ours, else the first of Accept-Language that does, else German."""
    asked = request.query_params.get("lang", "")
    accepted = [part.partition(";")[0].strip()[:2] for part in request.headers.get("accept-language", "").split(",")[:MAX_ACCEPTED]]
    return next((LANGUAGES[code] for code in (asked, *accepted) if code in LANGUAGES), GERMAN)


def _link(request: Request) -> str:
    """What a link to another page of ours must end with to keep a language that was chosen by hand."""
    asked = request.query_params.get("lang", "")
    return f"?lang={asked}" if asked in LANGUAGES else ""
