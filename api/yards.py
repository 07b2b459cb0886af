"""The waits of all yards, from what the store holds."""

import datetime as dt
import functools
import itertools
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from api.estimate import waiting
from api.estimate.memory import Memory
from api.estimate.profile import COLD, Profile
from api.estimate.reason import Reason
from api.heard import heard
from api.reply import Body
from api.standing import Standing, Told
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload, Refused, Unavailable
from hoflicht.instants import moment, ms
from hoflicht.reading import Reading
from hoflicht.wait import State, Wait
from store.readings import Store

log = logging.getLogger(__name__)

LATELY_MS = 60_000  # where news are looked for; what comes later than that waits for the next estimate
NOTHING: frozenset[Reading] = frozenset()

Learnt: TypeAlias = Callable[[str, dt.datetime], Profile]  # what is known of a yard at an instant, see api.hindsight


class Heard(NamedTuple):
    """What was heard of a yard since then."""

    start_ms: int
    events: Sequence[Reading]


class Yards:
    """Estimates for the yards of `city`; safe to use from several threads."""

    def __init__(self, store: Store, city: City, clock: Clock, learnt: Learnt = lambda _yard, _at: COLD) -> None:
        self._store = store
        self._city = city
        self._clock = clock
        self._learnt = learnt
        self._standing = {
            name: Standing(functools.partial(self._tell, name), functools.partial(self._said, name), clock) for name in city.yards
        }
        self._memories = {name: Memory(name, city) for name in city.yards}
        self._heard: dict[str, Heard] = {}  # by yard; nothing while the store is away
        self._is_away = False

    def wait(self, yard: str) -> Wait:
        """The wait of `yard`, at most 5 s old; unknown, with the reason, while the store is away. KeyError: no yard of the city."""
        return self._standing[yard].get().wait

    def body(self, yard: str) -> Body:
        """The same as JSON."""
        return self._standing[yard].get().body

    def ready(self, yard: str) -> Told | None:
        """The same, where nobody need be asked for it; never waits."""
        return self._standing[yard].ready()

    def waits(self) -> dict[str, Wait]:
        """The waits of all yards, in the order of the catalogue."""
        return {name: self.wait(name) for name in self._standing}

    def _said(self, name: str) -> frozenset[Reading]:
        """What the yard has lately said; nothing where the store does not answer, for the next estimate tells of that."""
        now_ms = self._clock.now_ms()
        try:
            return frozenset(self._store.read(name, waiting.QUANTITIES, now_ms - LATELY_MS, now_ms + 1))
        except (Unavailable, Refused, BadPayload):
            return NOTHING

    def _tell(self, name: str, said: frozenset[Reading] | None) -> Told:
        at = moment(self._clock.now_ms())
        try:
            events = self._hear(name, at, said)
        except (Unavailable, Refused, BadPayload) as cause:
            self._heard.pop(name, None)
            return Told(self._without_store(name, at, cause), NOTHING)
        wait = self._memories[name].estimate(events, at, self._learnt(name, at))
        if self._is_away:
            self._is_away = False
            log.info("the store answers again")
        return Told(wait, _lately(name, events, ms(at)) if said is None else said)

    def _hear(self, name: str, at: dt.datetime, said: frozenset[Reading] | None) -> Sequence[Reading]:
        """What the store holds for the estimate at `at`; where the yard has lately `said` that, only this is new."""
        start_ms, before = ms(waiting.since(self._city.yards[name], self._city, at)), self._heard.get(name)
        if said is None or before is None or before.start_ms != start_ms:
            events = heard(self._store, self._city, name, start_ms, ms(at) + 1)
        else:
            is_said_again = functools.partial(_is_lately, name, ms(at))
            events = [*itertools.filterfalse(is_said_again, before.events), *said]
        self._heard[name] = Heard(start_ms, events)
        return events

    def _without_store(self, name: str, at: dt.datetime, cause: Exception) -> Wait:
        """What is known without a reading: the opening hours; never an old number."""
        if not self._is_away:
            self._is_away = True
            log.warning("no estimates until the store answers: %s", cause)
        wait = waiting.estimate(name, self._city, (), at)
        return msgspec.structs.replace(wait, reason=Reason.STORE_AWAY) if wait.state is State.UNKNOWN else wait


def _lately(name: str, events: Iterable[Reading], at_ms: int) -> frozenset[Reading]:
    return frozenset(event for event in events if _is_lately(name, at_ms, event))


def _is_lately(name: str, at_ms: int, event: Reading) -> bool:
    return event.site == name and event.at_ms >= at_ms - LATELY_MS
