"""What others publish on, under /v1: days as files, calendars, feeds, places, and the catalogue of all of it."""

import datetime as dt
import functools
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.address import base
from api.citizen import place_data
from api.known import YardId, known
from api.minutes import MINUTE_S
from api.open_data import calendar, daybook, excerpts, feed
from api.open_data.daybook import DaysAnswer
from api.open_data.dcat import Catalogue
from api.openapi import describe, describe_forms
from api.problems import Wrong
from api.reply import ATOM, CSV, ICS, JSONLD, TURTLE, Body, reply
from api.staff.notices import Notices
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.days import is_date
from hoflicht.instants import moment
from store.readings import Store

TODAY_S = 60  # how long a file of today may be kept
DAY_S = 86_400  # what was told late by a gateway without network is in a file of the past a day later
HOUR_S = 3_600  # what changes with the catalogue or at midnight
KEPT = 64  # documents of a day, 100 kB each: one a yard, and another for each name by which we are asked
LONGEST_STEP_S = 3_600
USUAL_STEP_S = 300
Day = Annotated[str, Path(pattern=r"^20\d\d-\d\d-\d\d$", description="A day in the city", examples=["2026-11-20"])]
Step = Annotated[int, Query(ge=MINUTE_S, le=LONGEST_STEP_S, multiple_of=MINUTE_S, description="Seconds, whole minutes")]
Language = Annotated[Literal["de", "de-simple", "en", "tr"], Query(alias="lang", description="German where there is no other text")]


def router(city: City, store: Store, notices: Notices, clock: Clock) -> APIRouter:
    """The routes for `city`."""
    routes = APIRouter(prefix="/v1")

    def today() -> dt.date:
        return place_data.today(city, moment(clock.now_ms()))

    @functools.lru_cache(KEPT)
    def calendar_of(name: str, day: dt.date, address: str) -> Body:
        return Body(calendar.as_ics(city, name, day, address))

    @functools.lru_cache(KEPT)
    def places_on(day: dt.date, address: str) -> Body:
        return Body(place_data.places(city, day, address))

    _add_days(routes, city, store, clock, today)
    _add_catalogue(routes, city, today)

    @routes.get(
        "/yards/{yard}/hours.ics",
        tags=["publications"],
        summary="Opening hours of a yard, twelve months",
        **describe_forms({ICS: excerpts.CALENDAR}),
    )
    def hours(request: Request, yard: YardId) -> Response:
        name = known(city, yard)
        named = {"Content-Disposition": f'inline; filename="{name}.ics"'}
        return reply(request, calendar_of(name, today(), base(request, city)), ICS, HOUR_S, named)

    @routes.get(
        "/places", tags=["publications"], summary="Yards as schema.org has places", **describe_forms({JSONLD: excerpts.PLACES})
    )
    def places(request: Request) -> Response:
        return reply(request, places_on(today(), base(request, city)), JSONLD, HOUR_S)

    @routes.get("/notices.atom", tags=["publications"], summary="Notices as a feed", **describe_forms({ATOM: excerpts.FEED}))
    def atom(request: Request, language: Language = "de") -> Response:
        told = feed.as_atom(city, notices, language, base(request, city), moment(clock.now_ms()))
        return reply(request, told, ATOM, TODAY_S)

    return routes


def _add_days(routes: APIRouter, city: City, store: Store, clock: Clock, today: Callable[[], dt.date]) -> None:
    @routes.get("/yards/{yard}/days", tags=["publications"], summary="Where a yard's days are", **describe(DaysAnswer))
    def all_days(request: Request, yard: YardId) -> Response:
        name, newest = known(city, yard), today()
        days = [newest - dt.timedelta(days=n) for n in range(daybook.LISTED)]
        answer = DaysAnswer(name, city.timezone, [f"/v1/yards/{name}/days/{day}.csv" for day in days])
        return reply(request, msgspec.json.encode(answer), max_age_s=HOUR_S)

    @routes.get(
        "/yards/{yard}/days/{day}.csv", tags=["publications"], summary="A day of a yard", **describe_forms({CSV: excerpts.DAY})
    )
    def one_day(request: Request, yard: YardId, day: Day, step: Step = USUAL_STEP_S) -> Response:
        name = known(city, yard)
        if not is_date(day):
            raise Wrong(422, f"day: {day} is no date")
        date = dt.date.fromisoformat(day)
        if date > today():
            raise Wrong(404, f"{day} is still to come")
        named = {"Content-Disposition": f'inline; filename="{name}-{day}.csv"'}
        kept_s = TODAY_S if date == today() else DAY_S
        return reply(request, daybook.as_csv(store, city, name, date, step, clock.now_ms()), CSV, kept_s, named)


def _add_catalogue(routes: APIRouter, city: City, today: Callable[[], dt.date]) -> None:
    def catalogue(request: Request, as_turtle: bool) -> Response:
        told = Catalogue(city, today(), base(request, city))
        return reply(request, told.as_turtle() if as_turtle else told.as_jsonld(), TURTLE if as_turtle else JSONLD, HOUR_S)

    forms = {JSONLD: excerpts.CATALOGUE, TURTLE: excerpts.CATALOGUE_TURTLE}

    @routes.get("/catalogue", tags=["publications"], summary="DCAT-AP.de: what open data there are", **describe_forms(forms))
    def as_accepted(request: Request) -> Response:
        return catalogue(request, "text/turtle" in request.headers.get("accept", ""))

    @routes.get(
        "/catalogue.jsonld", tags=["publications"], summary="The same as JSON-LD", **describe_forms({JSONLD: forms[JSONLD]})
    )
    def as_jsonld(request: Request) -> Response:
        return catalogue(request, False)

    @routes.get("/catalogue.ttl", tags=["publications"], summary="The same as Turtle", **describe_forms({TURTLE: forms[TURTLE]}))
    def as_turtle(request: Request) -> Response:
        return catalogue(request, True)
