"""The open API under /v1: each route asks, translates and answers."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BeforeValidator

from api import answers, outlook, ready, streams
from api.history import MAX_STEP_S, HistoryAnswer, Quantity, Span, as_csv, history
from api.known import YardId, known
from api.minutes import MINUTE_S
from api.openapi import describe
from api.outlook import Outlooks
from api.reply import CSV, GEOJSON, JSON, reply, wants_csv
from api.staff.notices import Notices
from api.still import Forms, Still
from api.streams import Stream, Streams
from api.yards import Yards
from hoflicht import wait
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.instants import moment
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


Geo = Annotated[Literal["json", "geojson"], Query(alias="format", description="`geojson`: a FeatureCollection (RFC 7946)")]
Table = Annotated[Literal["json", "csv"] | None, Query(alias="format", description="Without it the Accept header decides")]
Instant = Annotated[AwareDatetime, BeforeValidator(_of_this_century)]
From = Annotated[Instant | None, Query(alias="from", description="RFC 3339 with its zone, `+` as `%2B`; default: a day ago")]
Until = Annotated[Instant | None, Query(alias="to", description="RFC 3339 with its zone; default: now")]
Step = Annotated[
    int,
    Query(
        ge=MINUTE_S,
        le=MAX_STEP_S,
        multiple_of=MINUTE_S,
        description="Length of a step in seconds, whole minutes; `from` and `to` are cut to them",
    ),
]
What = Annotated[Quantity, Query(description="`passage` is a sum of each step, the others are means")]


def channel(yard: str) -> str:
    """The stream on which the waits of `yard` are told."""
    return f"wait/{yard}"


def tell(open_streams: Streams, waits: Mapping[str, Wait]) -> None:
    """Hand `waits` to everybody who listens."""
    open_streams.put({channel(name): streams.event("wait", wait.encode(each)) for name, each in waits.items()})


def router(
    city: City, store: Store, yards: Yards, outlooks: Outlooks, notices: Notices, open_streams: Streams, clock: Clock
) -> APIRouter:
    """The routes under /v1 for `city`."""
    routes = APIRouter(prefix=ready.BELOW)
    _add_yards(routes, city, yards, notices)
    _add_history(routes, city, store, clock)
    routes.include_router(outlook.router(city, outlooks))
    _add_streams(routes, city, open_streams)
    _add_places(routes, city, store, clock)
    return routes


def _add_yards(routes: APIRouter, city: City, yards: Yards, notices: Notices) -> None:
    @routes.get("/yards", tags=["yards"], summary="All yards with their present wait", **describe(answers.YardsAnswer, GEOJSON))
    def all_yards(request: Request, form: Geo = "json") -> Response:
        answer = answers.yards_answer(city, yards.waits(), notices.current())
        if form == "geojson":
            return reply(request, msgspec.json.encode(answers.geojson(answer.yards)), GEOJSON)
        return reply(request, msgspec.json.encode(answer))

    @routes.get("/yards/{yard}", tags=["yards"], summary="One yard with its present wait", **describe(answers.YardAnswer))
    def one_yard(request: Request, yard: YardId) -> Response:
        name = known(city, yard)
        answer = answers.yard_answer(name, city.yards[name], city, yards.wait(name), notices.current().get(name))
        return reply(request, msgspec.json.encode(answer))

    @routes.get(ready.PATH, tags=["yards"], summary="The present wait of a yard", **describe(Wait))
    def one_wait(request: Request, yard: YardId) -> Response:
        return reply(request, yards.body(known(city, yard)))  # where api.ready has none


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
        now = moment(clock.now_ms())
        until = min(end or now, now)  # of the minute that runs nothing is told
        answer = history(store, city, name, quantity, Span(start or until - dt.timedelta(days=1), until, step))
        if wants_csv(request, form):
            named = {"Content-Disposition": f'inline; filename="{name}-{quantity.value}.csv"'}
            return reply(request, as_csv(answer), CSV, HISTORY_MAX_AGE_S, named)
        return reply(request, msgspec.json.encode(answer), JSON, HISTORY_MAX_AGE_S)


def _add_streams(routes: APIRouter, city: City, open_streams: Streams) -> None:
    told = describe(Wait, streams.MEDIA_TYPE, tagged=False)
    of_each = {name: frozenset([channel(name)]) for name in city.yards}
    of_all = frozenset().union(*of_each.values())

    @routes.get("/stream", tags=["streams"], summary="Each new wait of all yards", **told)
    async def all_waits() -> Response:
        return Stream(open_streams, of_all)

    @routes.get("/yards/{yard}/stream", tags=["streams"], summary="Each new wait of a yard", **told)
    async def waits_of_one(yard: YardId) -> Response:
        return Stream(open_streams, of_each[known(city, yard)])


def _add_places(routes: APIRouter, city: City, store: Store, clock: Clock) -> None:
    def lamps() -> Forms:
        now_ms = clock.now_ms()
        answer = answers.lamps_answer(city, store.latest(answers.LAMP_QUANTITIES, now_ms - DAY_MS), now_ms)
        return Forms(answer, answer.lamps)

    def air() -> Forms:
        now_ms = clock.now_ms()
        answer = answers.airs_answer(city, store.latest(answers.AIR_QUANTITIES, now_ms - DAY_MS), now_ms)
        return Forms(answer, answer.air)

    lit, breathed = Still(lamps, clock), Still(air, clock)

    @routes.get(
        "/lamps", tags=["city"], summary="All lamps: place, level, power, failure", **describe(answers.LampsAnswer, GEOJSON)
    )
    def all_lamps(request: Request, form: Geo = "json") -> Response:
        return lit.reply(request, form)

    @routes.get("/air", tags=["city"], summary="The latest particulates", **describe(answers.AirsAnswer, GEOJSON))
    def all_air(request: Request, form: Geo = "json") -> Response:
        return breathed.reply(request, form)
