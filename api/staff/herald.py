"""Tells the store which yard has a notice and since when, as readings of its staff, so that plots can be annotated.

It holds the file of notices beside what was said last, and says what differs: so what ends by itself is told too, and what could
not be told is told later, with the instant at which it was so.
"""

import logging
import threading
from collections.abc import Iterator

from api.errands import Errands
from api.staff.notices import Notices
from hoflicht.catalogue import STAFF
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload, Refused, Unavailable
from hoflicht.instants import ms
from hoflicht.reading import Reading
from store.readings import Store

log = logging.getLogger(__name__)

NOTICE = "notice"
LOOK_S = 10.0  # a plot shows minutes
LOOK_BACK_MS = 91 * 86_400_000  # the longest notice, and a day


class Herald:
    """Looks, and says what has changed."""

    def __init__(self, notices: Notices, store: Store, errands: Errands, clock: Clock) -> None:
        self._notices = notices
        self._store = store
        self._errands = errands
        self._clock = clock
        self._said: dict[str, int] | None = None  # by yard: since when the notice stands that the store knows of

    def look(self) -> None:
        """One look; what cannot be said now is said at a later one."""
        try:
            if self._said is None:
                latest = self._store.latest((NOTICE,), self._clock.now_ms() - LOOK_BACK_MS)
                self._said = {reading.site: reading.at_ms for reading in latest if reading.value >= 0.5}
            for word in list(self._news(self._said)):
                self._say(word, self._said)
        except (Unavailable, BadPayload) as cause:
            log.debug("notices are told to the store later: %s", cause)

    def _news(self, said: dict[str, int]) -> Iterator[Reading]:
        current, latest = self._notices.current(), self._notices.latest()
        for yard in said.keys() - latest.keys():  # the file was moved away
            yield Reading(yard, STAFF, NOTICE, self._clock.now_ms(), 0.0)
        for yard, notice in latest.items():
            since_ms, until_ms = ms(notice.since), ms(notice.until)
            if yard in current and said.get(yard) != since_ms:
                yield Reading(yard, STAFF, NOTICE, since_ms, 1.0)
            elif yard not in current and yard in said:
                yield Reading(yard, STAFF, NOTICE, until_ms, 0.0)

    def _say(self, word: Reading, said: dict[str, int]) -> None:
        try:
            self._errands.run([word])
        except Refused as cause:  # what is too old for the store will not grow younger
            log.warning("the store does not take the word that %s has a notice: %s", word.site, cause)
        if word.value:
            said[word.site] = word.at_ms
        else:
            del said[word.site]


def run(herald: Herald, stopping: threading.Event) -> None:
    """Look every ten seconds until `stopping`."""
    while not stopping.is_set():
        herald.look()
        stopping.wait(LOOK_S)
