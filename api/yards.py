"""The waits of all yards, from what the store holds."""

import datetime as dt
import functools
import logging

import msgspec

from api import waiting
from api.lane import SILENT_MS
from api.reason import Reason
from api.recent import Recent
from hoflicht.catalogue import API, City, sites_by_gateway
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload, Refused, Unavailable
from hoflicht.reading import Reading
from hoflicht.wait import State, Wait
from store.readings import Store

log = logging.getLogger(__name__)

KEEP_MS = 5_000  # so that thousands of clients make one question to the store


class Yards:
    """Estimates for the yards of `city`; safe to use from several threads."""

    def __init__(self, store: Store, city: City, clock: Clock) -> None:
        self._store = store
        self._city = city
        self._clock = clock
        self._recent = {name: Recent(functools.partial(self._ask, name), KEEP_MS, clock) for name in city.yards}
        self._is_away = False

    def wait(self, yard: str) -> Wait:
        """The wait of `yard`, at most 5 s old; unknown, with the reason, while the store is away. KeyError: no yard of the city."""
        return self._recent[yard].get()

    def waits(self) -> dict[str, Wait]:
        """The waits of all yards, in the order of the catalogue."""
        return {name: self.wait(name) for name in self._recent}

    def _ask(self, name: str) -> Wait:
        at = dt.datetime.fromtimestamp(self._clock.now_ms() / 1000, dt.UTC)
        try:
            wait = waiting.estimate(name, self._city, self._events(name, at), at)
        except (Unavailable, Refused, BadPayload) as cause:
            return self._without_store(name, at, cause)
        if self._is_away:
            self._is_away = False
            log.info("the store answers again")
        return wait

    def _without_store(self, name: str, at: dt.datetime, cause: Exception) -> Wait:
        """What is known without a reading: the opening hours; never an old number."""
        if not self._is_away:
            self._is_away = True
            log.warning("no estimates until the store answers: %s", cause)
        wait = waiting.estimate(name, self._city, (), at)
        return msgspec.structs.replace(wait, reason=Reason.STORE_AWAY) if wait.state is State.UNKNOWN else wait

    def _events(self, name: str, at: dt.datetime) -> list[Reading]:
        yard = self._city.yards[name]
        start_ms = round(waiting.since(yard, self._city, at).timestamp() * 1000)
        end_ms = round(at.timestamp() * 1000) + 1
        events = self._store.read(name, waiting.QUANTITIES, start_ms, end_ms)
        if waiting.lives_by_its_gateway(yard):
            gateways = {gateway for gateway, sites in sites_by_gateway(self._city).items() if name in sites and gateway != API}
            health = self._store.latest((waiting.HEALTH,), end_ms - SILENT_MS)
            events += [reading for reading in health if reading.site in gateways]
        return events
