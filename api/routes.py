"""The open API under /v1: each route asks, translates and answers."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BeforeValidator

from api import answers, outlook, streams
from api.history import MAX_STEP_S, MIN_STEP_S, HistoryAnswer, Quantity, Span, as_csv, history
from api.openapi import describe
from api.opening import moment
from api.problems import Wrong
from api.recent import Recent
from api.reply import CSV, GEOJSON, JSON, reply, wants_csv
from api.streams import Stream, Streams
from api.yards import KEEP_MS, Yards
from hoflicht import wait
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.wait import Wait
from store.readings import Store

DAY_MS = 86_400_000  # a lamp or an air sensor that was silent for longer is left without a value
HISTORY_MAX_AGE_S = 60
DEFAULT_STEP_S = 300


def _of_this_century(text: str) -> str:
    """No number, which would be read as seconds since 1970, and no year that leaves no room for a day before it."""
    if not re.match(r"20\d\d-\d\d-\d\d[Tt ]", text):
        raise ValueError("expected an instant of the years 2000 to 2099, an example: 2026-11-23T08:00:00Z")
    return text


YardId = Annotated[str, Path(max_length=63, description="Id of a yard, as /v1/yards lists it", examples=["hof-nord"])]
Geo = Annotated[Literal["json", "geojson"], Query(alias="format", description="`geojson`: a FeatureCollection (RFC 7946)")]
Table = Annotated[Literal["json", "csv"] | None, Query(alias="format", description="Without it the Accept header decides")]
Instant = Annotated[AwareDatetime, BeforeValidator(_of_this_century)]
From = Annotated[Instant | None, Query(alias="from", description="RFC 3339 with its zone, `+` as `%2B`; default: a day ago")]
Until = Annotated[Instant | None, Query(alias="to", description="RFC 3339 with its zone; default: now")]
Step = Annotated[int, Query(ge=MIN_STEP_S, le=MAX_STEP_S, description="Length of a step in seconds")]
What = Annotated[Quantity, Query(description="`passage` is a sum of each step, the others are means")]


def channel(yard: str) -> str:
    """The stream on which the waits of `yard` are told."""
    return f"wait/{yard}"


def tell(open_streams: Streams, waits: Mapping[str, Wait]) -> None:
    """Hand `waits` to everybody who listens."""
    for name, each in waits.items():
        open_streams.put(channel(name), streams.event("wait", wait.encode(each)))


def router(city: City, store: Store, yards: Yards, open_streams: Streams, clock: Clock) -> APIRouter:
    """The routes under /v1 for `city`."""
    routes = APIRouter(prefix="/v1")
    _add_yards(routes, city, yards)
    _add_history(routes, city, store, clock)
    routes.include_router(outlook.router(city, store, yards, clock))
    _add_streams(routes, city, open_streams)
    _add_places(routes, city, store, clock)
    return routes


def _add_yards(routes: APIRouter, city: City, yards: Yards) -> None:
    @routes.get("/yards", tags=["yards"], summary="All yards with their present wait", **describe(answers.YardsAnswer, GEOJSON))
    def all_yards(request: Request, form: Geo = "json") -> Response:
        answer = answers.yards_answer(city, yards.waits())
        return _places_reply(request, answer, answer.yards, form)

    @routes.get("/yards/{yard}", tags=["yards"], summary="One yard with its present wait", **describe(answers.YardAnswer))
    def one_yard(request: Request, yard: YardId) -> Response:
        name = known(city, yard)
        return reply(request, msgspec.json.encode(answers.yard_answer(name, city.yards[name], city, yards.wait(name))))

    @routes.get("/yards/{yard}/wait", tags=["yards"], summary="The present wait of a yard", **describe(Wait))
    def one_wait(request: Request, yard: YardId) -> Response:
        return reply(request, wait.encode(yards.wait(known(city, yard))))


def _add_history(routes: APIRouter, city: City, store: Store, clock: Clock) -> None:
    @routes.get("/yards/{yard}/history", tags=["yards"], summary="The past of a yard", **describe(HistoryAnswer, CSV))
    def past(
        request: Request,
        yard: YardId,
        *,
        quantity: What = Quantity.WAIT_P50,
        start: From = None,
        end: Until = None,
        step: Step = DEFAULT_STEP_S,
        form: Table = None,
    ) -> Response:
        name = known(city, yard)
        until = end or moment(clock.now_ms())
        answer = history(store, city, name, quantity, Span(start or until - dt.timedelta(days=1), until, step))
        if wants_csv(request, form):
            named = {"Content-Disposition": f'inline; filename="{name}-{quantity.value}.csv"'}
            return reply(request, as_csv(answer), CSV, HISTORY_MAX_AGE_S, named)
        return reply(request, msgspec.json.encode(answer), JSON, HISTORY_MAX_AGE_S)


def _add_streams(routes: APIRouter, city: City, open_streams: Streams) -> None:
    told = describe(Wait, streams.MEDIA_TYPE, tagged=False)

    @routes.get("/stream", tags=["streams"], summary="Each new wait of all yards", **told)
    async def all_waits() -> Response:
        return Stream(open_streams, [channel(name) for name in city.yards])

    @routes.get("/yards/{yard}/stream", tags=["streams"], summary="Each new wait of a yard", **told)
    async def waits_of_one(yard: YardId) -> Response:
        return Stream(open_streams, [channel(known(city, yard))])


def _add_places(routes: APIRouter, city: City, store: Store, clock: Clock) -> None:
    def latest(quantities: tuple[str, ...], fill: Callable[..., Any]) -> Recent[Any]:
        def ask() -> Any:
            now_ms = clock.now_ms()
            return fill(city, store.latest(quantities, now_ms - DAY_MS), now_ms)

        return Recent(ask, KEEP_MS, clock)

    lamps: Recent[answers.LampsAnswer] = latest(answers.LAMP_QUANTITIES, answers.lamps_answer)
    air: Recent[answers.AirsAnswer] = latest(answers.AIR_QUANTITIES, answers.airs_answer)

    @routes.get(
        "/lamps", tags=["city"], summary="All lamps: place, level, power, failure", **describe(answers.LampsAnswer, GEOJSON)
    )
    def all_lamps(request: Request, form: Geo = "json") -> Response:
        answer = lamps.get()
        return _places_reply(request, answer, answer.lamps, form)

    @routes.get("/air", tags=["city"], summary="The latest particulates", **describe(answers.AirsAnswer, GEOJSON))
    def all_air(request: Request, form: Geo = "json") -> Response:
        answer = air.get()
        return _places_reply(request, answer, answer.air, form)


def _places_reply(request: Request, answer: msgspec.Struct, places: list[Any], form: str) -> Response:
    if form == "geojson":
        return reply(request, msgspec.json.encode(answers.geojson(places)), GEOJSON)
    return reply(request, msgspec.json.encode(answer))


def known(city: City, yard: str) -> str:
    """`yard`, where the city has it; else raise Wrong."""
    if yard not in city.yards:
        raise Wrong(404, f"there is no yard {yard!r}; there are: {', '.join(city.yards)}")
    return yard
