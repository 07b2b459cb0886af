"""One yard by itself: what its monitor asks for, and the widget that a city's own pages embed, as an element or in a frame.

They ask, and are not told over a stream: a city's front page has more readers than a server has streams, what is asked for may lie
in a cache for a moment, and a question either brings news or has failed, while a stream may also hang.
"""

from pathlib import Path
from typing import Annotated

import jinja2
import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.citizen.german import GERMAN
from api.citizen.languages import LANGUAGES
from api.citizen.views import Look, YardView
from api.citizen.words import Words
from api.known import YardId, known
from api.reply import HTML, JSON, reply
from hoflicht import __version__
from hoflicht.catalogue import City

FOLDER = Path(__file__).parent
SCRIPT = "text/javascript; charset=utf-8"
KEPT_S = 5  # by caches on the way; the scripts count it off the validity
SCRIPT_KEPT_S = 3_600  # by browsers: after an update the old widget lives on for an hour, beside the new server
LANGUAGE_PLACE = "{/* words by language */}"

Language = Annotated[str, Query(alias="lang", max_length=35, description="BCP 47; German where it is none of ours")]


class Told(msgspec.Struct, frozen=True):
    """All that a script needs to show one yard, and to take it away again."""

    version: str  # of the server: a monitor loads itself anew when it changes
    now_ms: int  # the server's clock: a monitor's own may be wrong
    expired: str
    fresh: str
    aged: str
    unit: str  # of the number
    yard: YardView


def router(city: City, look: Look) -> APIRouter:
    """The view of one yard, and the widget in its two forms."""
    routes = APIRouter(include_in_schema=False)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    script = _script()

    def told(yard: str, words: Words) -> Told:
        name = known(city, yard)
        everything = look(words)  # for what is said of one yard may rest on the others
        [seen] = (each for each in everything.yards if each.id == name)
        return Told(__version__, everything.now_ms, words.expired, words.age_now, words.age_s, words.minutes, seen)

    @routes.get("/view/{yard}")
    def one(request: Request, yard: YardId, language: Language = GERMAN.code) -> Response:
        return reply(request, msgspec.json.encode(told(yard, _words(language))), JSON, KEPT_S)

    @routes.get("/widget.js")
    def element(request: Request) -> Response:
        return reply(request, script, SCRIPT, SCRIPT_KEPT_S)

    @routes.get("/widget/{yard}")
    def frame(yard: YardId, language: Language = GERMAN.code) -> Response:
        words = _words(language)
        html = templates.get_template("widget.html").render(words=words, yard=told(yard, words).yard, version=__version__)
        return Response(html, headers={"Cache-Control": "no-cache", "Content-Language": words.code}, media_type=HTML)

    return routes


def _words(language: str) -> Words:
    """`language` as it stands, else its main part ("de-AT" is told in "de"), else German."""
    return LANGUAGES.get(language) or LANGUAGES.get(language.partition("-")[0], GERMAN)


def _script() -> bytes:
    """The widget without its comments, with what it says where no server has ever answered it."""
    lines = (FOLDER / "static" / "widget.js").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line.strip() for line in lines if not line.strip().startswith("//"))
    silent = {code: words.expired for code, words in LANGUAGES.items()}
    return text.replace(LANGUAGE_PLACE, msgspec.json.encode(silent).decode()).encode()
