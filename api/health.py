"""/healthz and /metrics: what a person or a monitor looks at first."""

import logging

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from api.answers import Health
from api.openapi import describe
from api.recent import Recent
from api.reply import JSON
from hoflicht import __version__
from hoflicht.clock import Clock
from hoflicht.errors import Refused, Unavailable
from store.readings import Store

log = logging.getLogger(__name__)

KEEP_MS = 5_000  # a ping takes the lock that a write needs; strangers must not hold it
LATE_S = 60  # estimates come every ten seconds; now not even a sign shows the last one


class Pulse:
    """Whether the parts behind the face live."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._told_ms: int | None = None
        self._trouble: type[Exception] | None = None
        self._answers = Recent(self._ping, KEEP_MS, clock)

    def beat(self) -> None:
        """Note that estimates were just made, and ask the store: at night an estimate needs no reading of it."""
        self._told_ms = self._clock.monotonic_ms()
        self._answers.get()

    def health(self) -> Health:
        """The state now; `ok` only with a store that answers and fresh estimates."""
        age_s = None if self._told_ms is None else (self._clock.monotonic_ms() - self._told_ms) // 1000
        answers = self._answers.get()
        return Health(answers and age_s is not None and age_s <= LATE_S, __version__, "answers" if answers else "away", age_s)

    def _ping(self) -> bool:
        try:
            self._store.ping()
        except (Unavailable, Refused) as cause:
            self._note(cause)
            return False  # the log says why; strangers need not know
        self._note(None)
        return True

    def _note(self, cause: Unavailable | Refused | None) -> None:
        """Tell of trouble once, and of its end; by its kind, for the words of one outage differ from try to try."""
        before, self._trouble = self._trouble, None if cause is None else type(cause)
        if self._trouble is before:
            return
        if cause is None:
            log.warning("the store answers again")
        elif isinstance(cause, Refused):
            log.error(
                "the store refuses us: %s; put that right, such as the token in [store] token_file, and restart the api", cause
            )
        else:
            log.warning("the store is away: %s", cause)


WELL = describe(Health, tagged=False)
WELL["responses"][503] = {"description": "It is not", "content": WELL["responses"][200]["content"]}


def router(pulse: Pulse) -> APIRouter:
    """The routes for operators."""
    routes = APIRouter()

    @routes.get("/healthz", tags=["platform"], summary="Is the platform well? 503 where it is not", **WELL)
    def healthz() -> Response:
        health = pulse.health()
        return Response(msgspec.json.encode(health), 200 if health.ok else 503, {"Cache-Control": "no-store"}, JSON)

    @routes.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(REGISTRY), headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_LATEST)

    return routes
