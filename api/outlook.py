"""`/v1/yards/{yard}/forecast`: the outlook on today and the coming week, from what the store keeps of past weeks."""

import contextlib
import datetime as dt
import functools
import threading
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.estimate.forecast import ForecastAnswer, answer, forecast
from api.estimate.past import DAYS_BACK, Hour
from api.known import YardId, known
from api.openapi import describe
from api.recent import Recent
from api.reply import JSON, reply
from api.yards import Yards
from hoflicht.catalogue import ESTIMATE, City
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload, Refused, Unavailable
from hoflicht.instants import moment
from store.readings import Store

STEP_MS = 600_000  # the last of an hour stands for its end: ten values as they are written back, so that one alone decides little
HOUR_MS = 3_600_000
KEEP_HISTORY_MS = 600_000  # a new hour is learnt so late; until then what is told now stands for it
LOOK_S = 300.0  # a forecast takes some tenths of a second a yard, and the best hour of the day seldom changes sooner
KEEP_MS = 60_000  # of an answer: the wait of now moves only the next hours, and those by less than it moves itself
TOLD = ("wait_p50", "wait_mean")  # the later one counts where both are known; older weeks may have the median only


def router(city: City, outlooks: "Outlooks") -> APIRouter:
    """The route, to be put under /v1."""
    routes = APIRouter()

    @routes.get(
        "/yards/{yard}/forecast", tags=["yards"], summary="The wait to expect, today and this week", **describe(ForecastAnswer)
    )
    def ahead(request: Request, yard: YardId) -> Response:
        return reply(request, msgspec.json.encode(outlooks.get(known(city, yard))), JSON, KEEP_MS // 1000)

    return routes


class Outlooks:
    """The forecasts of all yards; however many ask, the store is asked for the weeks of a yard once in ten minutes."""

    def __init__(self, city: City, store: Store, yards: Yards, clock: Clock) -> None:
        self._of = {name: Outlook(name, city, store, yards, clock) for name in city.yards}
        self._seen: Mapping[str, ForecastAnswer] = {}

    def get(self, yard: str) -> ForecastAnswer:
        """The forecast of `yard`, at most a minute old; raise what the store raises."""
        return self._of[yard].get()

    def look(self) -> None:
        """Make `seen` what is forecast now."""
        seen: dict[str, ForecastAnswer] = {}
        for name, each in self._of.items():
            with contextlib.suppress(Unavailable, Refused, BadPayload):
                seen[name] = each.get()
        self._seen = seen

    @property
    def seen(self) -> Mapping[str, ForecastAnswer]:
        """The forecasts when they were last looked at, without those whose weeks the store did not tell: no page waits for them."""
        return self._seen


def run(outlooks: Outlooks, stopping: threading.Event) -> None:
    """Look at all forecasts again and again, until `stopping`."""
    while not stopping.is_set():
        outlooks.look()
        stopping.wait(LOOK_S)


class Outlook:
    """The forecast of one yard; safe to use from several threads."""

    def __init__(self, name: str, city: City, store: Store, yards: Yards, clock: Clock) -> None:
        self._name = name
        self._city = city
        self._yards = yards
        self._clock = clock
        self._history = Recent(functools.partial(self._ask, store), KEEP_HISTORY_MS, clock)
        self._answer = Recent(self._look, KEEP_MS, clock)

    def get(self) -> ForecastAnswer:
        """The forecast, at most a minute old; raise what the store raises."""
        return self._answer.get()

    def _look(self) -> ForecastAnswer:
        now = dt.datetime.fromtimestamp(self._clock.now_ms() / 1000, ZoneInfo(self._city.timezone))
        opening = self._city.yards[self._name].hours
        hours = forecast(self._history.get(), opening, self._city, now, self._yards.wait(self._name))
        return answer(self._name, hours, now)

    def _ask(self, store: Store) -> list[Hour]:
        end_ms = self._clock.now_ms() // HOUR_MS * HOUR_MS
        start_ms = end_ms - DAYS_BACK * 24 * HOUR_MS
        told: dict[int, float] = {}
        for quantity in TOLD:
            told.update(store.means(self._name, ESTIMATE, quantity, start_ms, end_ms, STEP_MS))
        return in_hours(told)


def in_hours(told: dict[int, float]) -> list[Hour]:
    """Hours of what was told in steps, by the start of each in ms: the mean of its steps, and the last one of them."""
    hours: dict[int, list[float]] = {}
    for at_ms in sorted(told):
        hours.setdefault(at_ms // HOUR_MS * HOUR_MS, []).append(told[at_ms])
    return [Hour(moment(at_ms), sum(steps_s) / len(steps_s), steps_s[-1]) for at_ms, steps_s in hours.items()]
