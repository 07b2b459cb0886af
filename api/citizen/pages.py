"""The public page and the kiosk: HTML from the server, kept fresh by a small script, whole without it."""

import datetime as dt
import functools
from collections.abc import Mapping
from pathlib import Path

import jinja2
import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from markupsafe import Markup

from api import address, streams
from api.citizen import place_data, style
from api.citizen.german import GERMAN
from api.citizen.languages import LANGUAGES
from api.citizen.views import NONE, Look, View, view
from api.citizen.words import Words
from api.estimate.forecast import ForecastAnswer
from api.known import known
from api.reply import HTML, JSON, reply
from api.staff.notices import Notice
from api.streams import Stream, Streams
from hoflicht import __version__
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.instants import moment
from hoflicht.wait import Wait

FOLDER = Path(__file__).parent
MAX_ACCEPTED = 10  # languages of an Accept-Language header that are looked at
MANIFEST = "application/manifest+json"
DAY_S = 86_400  # an icon on a home screen can wait so long for a new name
ICON_SIZES = (192, 512)  # px; what Chromium asks of an app
KEPT_PLACES = 4  # days and addresses; a year of opening days takes some milliseconds a yard
FRESH = {"Cache-Control": "no-cache", "Vary": "Accept-Language"}


def tell(
    open_streams: Streams,
    city: City,
    waits: Mapping[str, Wait],
    now_ms: int,
    notices: Mapping[str, Notice] = NONE,
    forecasts: Mapping[str, ForecastAnswer] = NONE,
) -> None:
    """Hand what the pages show of `waits` to every open page."""
    told = {code: view(city, waits, now_ms, words, notices, forecasts) for code, words in LANGUAGES.items()}
    open_streams.put({_channel(code): streams.event("view", _encode(each)) for code, each in told.items()})


def static() -> StaticFiles:
    """Scripts, icons, and the styles of the other faces."""
    return StaticFiles(directory=FOLDER / "static")


def router(city: City, look: Look, open_streams: Streams, clock: Clock) -> APIRouter:
    """The pages, and what their script asks for."""
    routes = APIRouter(include_in_schema=False)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )

    @functools.lru_cache(KEPT_PLACES)
    def known_places(day: dt.date, base: str) -> bytes:
        return place_data.places(city, day, base)

    def page(template: str, words: Words, **more: object) -> Response:
        html = templates.get_template(template).render(city=city, words=words, view=look(words), version=__version__, **more)
        return Response(html, headers={**FRESH, "Content-Language": words.code}, media_type=HTML)

    @routes.get("/")
    def everybody(request: Request) -> Response:
        day = place_data.today(city, moment(clock.now_ms()))
        places = Markup(known_places(day, address.base(request, city)).decode())
        return page("yards.html", _language(request), languages=LANGUAGES.values(), style=Markup(style.SHEET), places=places)

    @routes.get("/display/{yard}")
    def kiosk(request: Request, yard: str) -> Response:
        return page("display.html", LANGUAGES.get(request.query_params.get("lang", ""), GERMAN), yard=known(city, yard))

    @routes.get("/manifest.webmanifest")
    def manifest(request: Request) -> Response:
        body = msgspec.json.encode(_manifest(city, _language(request)))
        return reply(request, body, MANIFEST, DAY_S, {"Vary": "Accept-Language"})

    @routes.get("/live.json")
    def poll(request: Request) -> Response:
        return Response(_encode(look(_language(request))), headers={"Cache-Control": "no-store"}, media_type=JSON)

    @routes.get("/live")
    async def live(request: Request) -> Response:
        return Stream(open_streams, frozenset([_channel(_language(request).code)]))

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


def _manifest(city: City, words: Words) -> dict[str, object]:
    """What a phone puts on its home screen (W3C Web Application Manifest)."""
    icons = [{"src": f"/static/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"} for size in ICON_SIZES]
    return {
        "id": "/",
        "name": f"{words.title} · {city.name}",
        "short_name": words.app,
        "description": words.lead,
        "lang": words.code,
        "start_url": f"/?lang={words.code}",
        "scope": "/",
        "display": "standalone",
        "theme_color": "#0b6b4f",
        "background_color": "#f4f6f5",
        "icons": [*icons, {"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}],
    }
