"""Notices over HTTP: everybody reads them under /v1/notices, staff put them up and take them down under /v1/staff."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.answers import NoticesAnswer
from api.known import YardId, known
from api.openapi import describe
from api.problems import Wrong
from api.reply import JSON, reply
from api.staff.control import answered, body_of, described
from api.staff.door import Door
from api.staff.keys import Key, Scope
from api.staff.notices import Notice, NoticeAsked, Notices
from hoflicht.catalogue import City
from hoflicht.errors import BadConfig, BadPayload

log = logging.getLogger(__name__)

BODY = {"requestBody": {"required": True, "content": {JSON: {"schema": {"$ref": "#/components/schemas/NoticeAsked"}}}}}


def router(city: City, notices: Notices) -> APIRouter:
    """The route for everybody."""
    routes = APIRouter(prefix="/v1", tags=["yards"])

    @routes.get("/notices", summary="What staff tell of the yards", **describe(NoticesAnswer))
    def all_notices(request: Request) -> Response:
        return reply(request, msgspec.json.encode(_all(city, notices)))

    return routes


def staff_router(city: City, notices: Notices, door: Door) -> APIRouter:
    """The routes for staff."""
    routes = APIRouter(prefix="/v1/staff", tags=["staff"])
    noticer = Depends(door.wants(Scope.NOTICE))
    asked = described(Notice)
    written = {**asked, "openapi_extra": {**asked["openapi_extra"], **BODY}}

    @routes.put("/yards/{yard}/notice", summary="Put up a yard's notice", **written)
    def put_up(yard: YardId, key: Annotated[Key, noticer], body: Annotated[bytes, Depends(body_of)]) -> Response:
        name = known(city, yard)
        with door.noting(key, f"put up a notice at {name}"), _translated():
            return answered(notices.put_up(name, msgspec.json.decode(body, type=NoticeAsked)))

    @routes.delete("/yards/{yard}/notice", summary="Take a yard's notice down", **described(NoticesAnswer))
    def take_down(yard: YardId, key: Annotated[Key, noticer]) -> Response:
        name = known(city, yard)
        with door.noting(key, f"take down the notice at {name}"), _translated():
            notices.take_down(name)
        return answered(_all(city, notices))

    return routes


def _all(city: City, notices: Notices) -> NoticesAnswer:
    return NoticesAnswer(city.name, list(notices.current().values()))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, BadPayload) as cause:
        raise Wrong(422, str(cause)) from cause
    except (BadConfig, OSError) as cause:
        log.error("a notice of staff cannot be written: %s", cause)
        raise Wrong(503, "the notice cannot be written; the log of the server knows more") from cause
