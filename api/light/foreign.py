"""Lamps for other management systems, under /v1/staff/export: what exports.py makes of them."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response

from api.answers import measured, newest
from api.light.exports import TALQ, FiwareAnswer, TalqAnswer, fiware, talq
from api.staff.control import Control, answered, described
from api.staff.keys import Key


def router(control: Control) -> APIRouter:
    """The routes for exports."""
    routes = APIRouter(prefix="/v1/staff/export", tags=["staff"])
    clock, city = control.clock, control.city

    @routes.get("/fiware", summary="Lamps, groups and cabinets by FIWARE's names", **described(FiwareAnswer))
    def as_fiware(key: Annotated[Key, control.reader]) -> Response:
        control.look(key, "the export for FIWARE")
        known = newest(control.latest())
        cabinets = {
            name: {quantity: measured(reading, clock.now_ms()) for quantity, reading in known.get(name, {}).items()}
            for name in city.cabinets
        }
        return answered(FiwareAnswer(fiware(city, control.lamps(city.lamps), cabinets)))

    @routes.get("/talq", summary="Lamps by TALQ's names", **described(TalqAnswer))
    def as_talq(key: Annotated[Key, control.reader]) -> Response:
        control.look(key, "the export for TALQ")
        return answered(TalqAnswer(TALQ, [talq(post) for post in control.lamps(city.lamps)]))

    return routes
