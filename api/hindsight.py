"""What is known only afterwards: what the weeks before taught of each yard, and how far the published waits were off.

One thread does it beside the estimates, which go on meanwhile with what was known before. It keeps nothing that it could not
find again in the store, so a restart costs a minute and no number.
"""

import datetime as dt
import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec
from prometheus_client import Gauge

from api.estimate.accuracy import HOUR_MS, PUBLISHED, Measured, accuracy
from api.estimate.opening import EARLIER, Opening
from api.estimate.profile import COLD, Profile
from api.heard import heard
from api.lessons import taught
from hoflicht import hours
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload, Refused, Unavailable
from hoflicht.hours import OpenPeriod
from hoflicht.instants import moment, ms, utc
from hoflicht.reading import Reading
from store.readings import Store

log = logging.getLogger(__name__)

LOOK_S = 60.0  # an opening is noticed so soon, and a store that is back
AHEAD = dt.timedelta(hours=1)  # before an opening; a city of a hundred yards is learnt in time
AFTER = dt.timedelta(hours=6)  # an opening: its last hour is settled three hours after its end, and told some times more
SETTLES_MS = 2 * HOUR_MS  # after its end a hour's cars are in: hardly anybody waits longer
FINDINGS = 100  # batches that may wait for the publisher; what finds no place is told again an hour later

Findings: TypeAlias = queue.Queue[Sequence[Reading]]

learnt = Gauge("hoflicht_api_profile_days", "Openings that the estimate has learnt from; 0 at a cold start", ["yard"])


class Known(msgspec.Struct):
    """What is known of one opening: the profile for it, and up to when its errors are told."""

    profile: Profile
    told_until_ms: int = 0


def run(hindsight: "Hindsight", stopping: threading.Event) -> None:
    """Look back every minute until `stopping`."""
    while not stopping.is_set():
        hindsight.look(stopping)
        stopping.wait(LOOK_S)


class Hindsight:
    """`profile` may be asked by any thread, all else belongs to one. Errors go to `findings`; None: nobody publishes them."""

    def __init__(self, store: Store, city: City, clock: Clock, findings: Findings | None) -> None:
        self._store = store
        self._city = city
        self._clock = clock
        self._findings = findings
        self._known: dict[str, dict[int, Known]] = {yard: {} for yard in city.yards}  # by opening; each change is a new dict
        self._is_away = False
        for yard in city.yards:
            learnt.labels(yard).set(0)

    def profile(self, yard: str, at: dt.datetime) -> Profile:
        """What was learnt for the opening that holds `at` or, until that is done, for an earlier one."""
        begun = [opens_ms for opens_ms in self._known[yard] if opens_ms <= ms(at)]
        return self._known[yard][max(begun)].profile if begun else COLD

    def look(self, stopping: threading.Event) -> None:
        """Learn and tell what is due; stop within a second or two where `stopping` says so."""
        at = moment(self._clock.now_ms())
        try:
            for yard, period in self._due(at):
                self._learn(yard, period, at, stopping)
            for yard, period in self._due(at):
                self._tell(yard, period, at, stopping)
        except (Unavailable, Refused, BadPayload) as cause:
            if not self._is_away:
                self._is_away = True
                log.warning("nothing is learnt from past days until the store answers: %s", cause)
            return
        if self._is_away:
            self._is_away = False
            log.info("the store answers again; past days are learnt from")

    def _due(self, at: dt.datetime) -> Iterator[tuple[str, OpenPeriod]]:
        """The openings under way, then those that come soon, then those that have just ended."""
        seen: set[tuple[str, OpenPeriod]] = set()
        for instant in (at, at + AHEAD) if self._findings is None else (at, at + AHEAD, at - AFTER):
            for name, yard in self._city.yards.items():
                period = hours.period_at(instant, yard.hours, self._city)
                if period is not None and (name, period) not in seen:
                    seen.add((name, period))
                    yield name, period

    def _learn(self, yard: str, period: OpenPeriod, at: dt.datetime, stopping: threading.Event) -> None:
        opens_ms = ms(period.opens)
        if opens_ms in self._known[yard]:
            return
        started_ms = self._clock.monotonic_ms()
        profile = taught(self._store, self._city, yard, period, stopping)
        if profile is None:
            return
        due = {ms(one.opens) for name, one in self._due(at) if name == yard}
        # What is not due any more stays only until something newer is known.
        kept = {each: known for each, known in self._known[yard].items() if each in due or each > opens_ms}
        self._known[yard] = kept | {opens_ms: Known(profile)}
        learnt.labels(yard).set(self._known[yard][max(self._known[yard])].profile.days)
        seconds = (self._clock.monotonic_ms() - started_ms) / 1000
        log.info("%s: learnt from %d openings before %s in %.0f s", yard, profile.days, period.opens.date(), seconds)

    def _tell(self, yard: str, period: OpenPeriod, at: dt.datetime, stopping: threading.Event) -> None:
        """The errors of all settled hours of an opening, again each hour: a repeat overwrites itself and mends what was lost."""
        known = self._known[yard].get(ms(period.opens))
        until_ms = (ms(at) - SETTLES_MS) // HOUR_MS * HOUR_MS
        if self._findings is None or known is None or stopping.is_set() or until_ms <= max(known.told_until_ms, ms(period.opens)):
            return
        errors = self._errors(yard, period, known.profile, until_ms)
        known.told_until_ms = until_ms
        if errors and not self._findings.full():
            self._findings.put_nowait(errors)

    def _errors(self, yard: str, period: OpenPeriod, profile: Profile, until_ms: int) -> list[Reading]:
        start_ms, end_ms = ms(utc(period.opens) - EARLIER), ms(period.closes) + 1
        told = Opening(yard, self._city, heard(self._store, self._city, yard, start_ms, end_ms), period, profile)
        measured = [Measured(*wait) for wait in told.until_last_entry().voices.measured]
        published = self._store.read(yard, PUBLISHED, ms(period.opens), min(end_ms, until_ms))
        return accuracy(published, [wait for wait in measured if wait.joined_ms < until_ms])
