"""The waits of all yards, from what the store holds."""

import datetime as dt
import functools
import logging
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from api import waiting
from api.heard import heard
from api.opening import moment, ms
from api.profile import COLD, Profile
from api.reason import Reason
from api.recent import Recent
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload, Refused, Unavailable
from hoflicht.wait import State, Wait
from store.readings import Store

log = logging.getLogger(__name__)

KEEP_MS = 5_000  # so that thousands of clients make one question to the store

Learnt: TypeAlias = Callable[[str, dt.datetime], Profile]  # what is known of a yard at an instant, see api.hindsight


class Yards:
    """Estimates for the yards of `city`; safe to use from several threads."""

    def __init__(self, store: Store, city: City, clock: Clock, learnt: Learnt = lambda _yard, _at: COLD) -> None:
        self._store = store
        self._city = city
        self._clock = clock
        self._learnt = learnt
        self._recent = {name: Recent(functools.partial(self._ask, name), KEEP_MS, clock) for name in city.yards}
        self._is_away = False

    def wait(self, yard: str) -> Wait:
        """The wait of `yard`, at most 5 s old; unknown, with the reason, while the store is away. KeyError: no yard of the city."""
        return self._recent[yard].get()

    def waits(self) -> dict[str, Wait]:
        """The waits of all yards, in the order of the catalogue."""
        return {name: self.wait(name) for name in self._recent}

    def _ask(self, name: str) -> Wait:
        at = moment(self._clock.now_ms())
        try:
            start_ms = ms(waiting.since(self._city.yards[name], self._city, at))
            events = heard(self._store, self._city, name, start_ms, ms(at) + 1)
        except (Unavailable, Refused, BadPayload) as cause:
            return self._without_store(name, at, cause)
        wait = waiting.estimate(name, self._city, events, at, self._learnt(name, at))
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
