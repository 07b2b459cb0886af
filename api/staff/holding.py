"""The staff API under /v1/staff: what a person at the yard knows and no sensor does. Each call needs a key and is audited.

What they say of lamps stands in api/light/, open faults in orders.py.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from api.answers import HoldAnswer
from api.errands import Errands
from api.estimate import holds
from api.known import YardId, known
from api.light.lights import Lights
from api.light.shadows import Shadows
from api.openapi import STAFF_KEY, STAFF_PROBLEMS, describe
from api.problems import Wrong
from api.reply import JSON
from api.staff.door import DONE, Door
from api.staff.keys import Key, Scope
from api.staff.notices import Notices
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.errors import Refused, Unavailable
from hoflicht.instants import moment
from hoflicht.reading import Reading
from store.readings import Store

LONGEST_MIN = holds.LONGEST_S // 60
USUAL_MIN = 60

Minutes = Annotated[int, Query(ge=1, le=LONGEST_MIN, description="Then cars are let in again, unless it is said anew")]


class Staff(NamedTuple):
    """What the staff API stands on."""

    door: Door
    errands: Errands
    lights: Lights
    shadows: Shadows
    notices: Notices


def router(city: City, store: Store, staff: Staff, clock: Clock) -> APIRouter:
    """The routes for staff of `city`."""
    routes = APIRouter(prefix="/v1/staff", tags=["staff"])
    asked = {**describe(HoldAnswer, problems=STAFF_PROBLEMS, tagged=False), "openapi_extra": STAFF_KEY}
    reader, holder = Depends(staff.door.wants(Scope.READ)), Depends(staff.door.wants(Scope.HOLD))

    @routes.get("/yards/{yard}/hold", summary="Until when staff hold a yard", **asked)
    def look(yard: YardId, key: Annotated[Key, reader]) -> Response:
        name = known(city, yard)
        staff.door.note(key, f"look at the hold of {name}", DONE)
        now_ms = clock.now_ms()
        words = store.read(name, (holds.HOLD,), now_ms - holds.LONGEST_S * 1000, now_ms + 1)
        return _answer(name, holds.held_until(holds.spells(words), now_ms))

    @routes.put("/yards/{yard}/hold", summary="Let nobody in for now", **asked)
    def hold(yard: YardId, key: Annotated[Key, holder], minutes: Minutes = USUAL_MIN) -> Response:
        name, at_ms = known(city, yard), clock.now_ms()
        with staff.door.noting(key, f"hold {name} for {minutes} minutes"):
            say(staff.errands, [holds.word(name, at_ms, minutes * 60)])
        return _answer(name, at_ms + minutes * 60_000)

    @routes.delete("/yards/{yard}/hold", summary="Let cars in again", **asked)
    def release(yard: YardId, key: Annotated[Key, holder]) -> Response:
        name = known(city, yard)
        with staff.door.noting(key, f"release {name}"):
            say(staff.errands, [holds.word(name, clock.now_ms(), 0)])
        return _answer(name, None)

    return routes


def say(errands: Errands, words: Sequence[Reading]) -> None:
    """Return once `words` are stored; raise Wrong where they may not be."""
    try:
        errands.run(words)
    except Unavailable as cause:
        raise Wrong(503, f"{cause}; ask again, saying it twice does no harm") from cause
    except Refused as cause:
        raise Wrong(503, f"the way into the database is closed: {cause}") from cause


def _answer(yard: str, until_ms: int | None) -> Response:
    until = None if until_ms is None else moment(until_ms)
    return Response(msgspec.json.encode(HoldAnswer(yard, until)), media_type=JSON)
