"""Lamps for other management systems, under /v1/staff/export: what api.exports makes of them."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response

from api.alarms import Alarms
from api.answers import measured, newest
from api.control import Control, answered, described
from api.exports import METER, TALQ, FiwareAnswer, TalqAnswer, fiware, talq
from api.keys import Key
from api.posts import QUANTITIES, PostAnswer
from api.recent import Recent
from api.routes import DAY_MS
from api.yards import KEEP_MS
from hoflicht.reading import Reading
from store.readings import Store


def router(control: Control, store: Store, alarms: Alarms) -> APIRouter:
    """The routes for exports."""
    routes = APIRouter(prefix="/v1/staff/export", tags=["staff"])
    clock, city = control.clock, control.city
    wanted = tuple(dict.fromkeys((*QUANTITIES, *METER)))
    latest: Recent[list[Reading]] = Recent(lambda: store.latest(wanted, clock.now_ms() - DAY_MS), KEEP_MS, clock)

    def posts() -> list[PostAnswer]:
        return control.posts.lamps(city.lamps, control.said(), latest.get(), alarms.open(), clock.now_ms())

    @routes.get("/fiware", summary="Lamps, groups and cabinets by FIWARE's names", **described(FiwareAnswer))
    def as_fiware(key: Annotated[Key, control.reader]) -> Response:
        control.look(key, "the export for FIWARE")
        known = newest(latest.get())
        cabinets = {
            name: {quantity: measured(reading, clock.now_ms()) for quantity, reading in known.get(name, {}).items()}
            for name in city.cabinets
        }
        return answered(FiwareAnswer(fiware(city, posts(), cabinets)))

    @routes.get("/talq", summary="Lamps by TALQ's names", **described(TalqAnswer))
    def as_talq(key: Annotated[Key, control.reader]) -> Response:
        control.look(key, "the export for TALQ")
        return answered(TalqAnswer(TALQ, [talq(post) for post in posts()]))

    return routes
