"""One opening of a yard and what was heard of it, ready to be told from instant to instant."""

import datetime as dt
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter

from api.estimate import holds
from api.estimate.day import BEFORE_MS, Day
from api.estimate.events import Event
from api.estimate.events import events as events_of
from api.estimate.pace import departure_role
from api.estimate.profile import COLD, Profile
from hoflicht import hours
from hoflicht.catalogue import City, Role, gateways_of
from hoflicht.hours import OpenPeriod
from hoflicht.instants import ms, utc
from hoflicht.reading import Reading

EARLIER = dt.timedelta(milliseconds=BEFORE_MS)
HEALTH = "port_open"
MOMENT = dt.timedelta(seconds=1)


class Opening:
    """The opening `period` of `yard`, an id of `city`, after the days that made `profile`; `events` as waiting.py wants them."""

    def __init__(
        self,
        yard: str,
        city: City,
        events: Sequence[Reading],
        period: OpenPeriod,
        profile: Profile = COLD,
    ) -> None:
        self.period = period
        self.yard = city.yards[yard]
        self.has_gateway = bool(gateways_of(city, yard))
        hours_of = self.yard.hours
        self.goes_on = hours.period_at(period.closes, hours_of, city) is not None  # nobody is turned away at its end
        self._follows = hours.period_at(period.opens - MOMENT, hours_of, city) is not None
        self._name = yard
        self._read(events)
        self._day, self._coming = self._begun(profile), deque(self._events)
        self._until_ms = self._day.at_ms  # has been told

    def _read(self, events: Iterable[Reading]) -> None:
        series = _series(events, ms(utc(self.period.opens) - EARLIER), ms(self.period.closes))
        telling = {sensor for sensor, entry in self.yard.sensors.items() if entry.role is not Role.OTHER}
        self._own = _in_time(own for (site, sensor, _), own in series if site == self._name and sensor in telling)
        self._signs_ms: dict[str, list[int]] = {}  # by gateway: when it said of a port that it is open
        for (site, _, quantity), health in series:
            if quantity == HEALTH:
                self._signs_ms.setdefault(site, []).extend(reading.at_ms for reading in health if is_open(reading))
        for signs_ms in self._signs_ms.values():
            signs_ms.sort()
        roles = (Role.LANE_ENTRY, departure_role(self.yard), Role.GATE)
        counting = {sensor for sensor, entry in self.yard.sensors.items() if entry.role in roles}
        self._first_ms = {r.sensor: r.at_ms for r in reversed(self._own) if r.sensor in counting}
        flagged = changes(_in_time(health for (_, sensor, quantity), health in series if quantity == HEALTH and sensor in telling))
        said = _in_time(words for (site, _, quantity), words in series if quantity == holds.HOLD and site == self._name)
        self._others = [*flagged, *filter(holds.is_word, said)]
        self._events = events_of(self.yard, [*self._own, *self._others] if self._others else self._own)

    def hear(self, events: Iterable[Reading]) -> bool:
        """Know `events` from now on and go on from what was told last; False: they tell something else of the time before that."""
        known, signs = self._past()
        self._read(events)
        self._coming = deque(event for event in self._events if event.at_ms > self._until_ms)
        now_known, now_signs = self._past()
        return now_known == known and now_signs <= signs  # of signs of life `api.heard` gives up the old ones

    def _past(self) -> tuple[list[Reading], set[tuple[str, int]]]:
        """All readings of the time that has been told, and the signs of life."""
        until_ms = self._until_ms
        known = [reading for reading in chain(self._own, self._others) if reading.at_ms <= until_ms]
        return known, {(name, at_ms) for name, signs_ms in self._signs_ms.items() for at_ms in signs_ms if at_ms <= until_ms}

    def _begun(self, profile: Profile, is_trial: bool = False) -> Day:
        return Day(self.yard, ms(self.period.opens), profile, self._follows, is_trial)

    def log_likelihood(self, profile: Profile) -> float:
        """How likely the whole day would be with another profile."""
        day = _told(self._begun(profile, is_trial=True), deque(self._events), ms(self.period.last_entry))
        return day.queue.log_likelihood

    def until(self, at_ms: int) -> Day:
        """The day as it stood at `at_ms`, no earlier than what was asked before; who asks often hears the same."""
        self._until_ms = at_ms
        return _told(self._day, self._coming, at_ms)

    def until_last_entry(self) -> Day:
        """The whole day."""
        return self.until(ms(self.period.last_entry))

    def have_spoken(self, at_ms: int) -> set[str]:
        """The counters that had counted and the gates that had been told of by then."""
        return {sensor for sensor, first_ms in self._first_ms.items() if first_ms <= at_ms}

    def last_heard_ms(self, at_ms: int) -> int:
        """When a sensor was last heard; 0: never."""
        heard = bisect_right(self._own, at_ms, key=lambda reading: reading.at_ms)
        return self._own[heard - 1].at_ms if heard else 0

    def last_sign_ms(self, at_ms: int) -> int | None:
        """When the gateway that has been silent longest gave its last sign of life; None where none has given any.

        Nobody knows which sensor hangs at which gateway, so each that has spoken is missed.
        """
        given = [signs_ms[n - 1] for signs_ms in self._signs_ms.values() if (n := bisect_right(signs_ms, at_ms))]
        return min(given, default=None)


def _told(day: Day, coming: deque[Event], at_ms: int) -> Day:
    """`day` as it stands at `at_ms`, with those of `coming` taken in that come until then."""
    while coming and coming[0].at_ms <= at_ms:
        day.take(coming.popleft())
    return day.seen_at(at_ms)


def changes(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Each sensor's first reading of one quantity, and those that tell something else than the one before."""
    known: dict[tuple[str, str], float] = {}
    for reading in readings:
        key = reading.site, reading.sensor
        if known.get(key) != reading.value:
            known[key] = reading.value
            yield reading


def is_open(reading: Reading) -> bool:
    """Whether it is a gateway's word that a port is open, which is its sign of life: with no port it would hear nothing."""
    return reading.quantity == HEALTH and reading.value >= 0.5


def _series(events: Iterable[Reading], from_ms: int, until_ms: int) -> list[tuple[tuple[str, str, str], list[Reading]]]:
    """By site, sensor and quantity each point once, by time; equal whatever the order and the number of repeats of `events`."""
    series: dict[tuple[str, str, str], list[Reading]] = defaultdict(list)
    for reading in events:
        if from_ms <= reading.at_ms <= until_ms:
            series[reading.site, reading.sensor, reading.quantity].append(reading)
    return [(name, _once(readings)) for name, readings in sorted(series.items())]


def _once(readings: Sequence[Reading]) -> list[Reading]:
    once = {reading.at_ms: reading for reading in readings}
    if len(once) < len(readings):
        # Two values for one point cannot come from the store; where they come from elsewhere the higher one stands.
        once = {reading.at_ms: reading for reading in sorted(readings, key=attrgetter("value"))}
    return sorted(once.values(), key=attrgetter("at_ms"))


def _in_time(series: Iterable[Sequence[Reading]]) -> list[Reading]:
    return sorted(chain.from_iterable(series), key=attrgetter("at_ms"))
