"""How far the day of a yard has been told: the next estimate goes on from there, and comes to what the whole day would.

A day that is told anew each time a car passes is read and folded hundreds of times. But the fold knows no way back: where a reading
comes late, what was learnt changes, another opening begins or the clock is set back, it begins anew. So nothing is ever told that
a replica would not tell that has just started.
"""

import datetime as dt
from collections.abc import Sequence

from api.estimate.profile import Profile
from api.estimate.waiting import Telling, since
from hoflicht.catalogue import City
from hoflicht.instants import ms
from hoflicht.reading import Reading
from hoflicht.wait import Wait


class Memory:
    """What is remembered of `yard`, an id of `city`; not safe to use from several threads."""

    def __init__(self, yard: str, city: City) -> None:
        self._yard = yard
        self._city = city
        self._telling: Telling | None = None
        self._of: tuple[dt.datetime, Profile] | None = None
        self._until_ms = 0
        self.begun = 0  # how often a day was told from its begin on

    def estimate(self, events: Sequence[Reading], at: dt.datetime, profile: Profile) -> Wait:
        """What `waiting.estimate` says of the same."""
        of, telling = (since(self._city.yards[self._yard], self._city, at), profile), self._telling
        if telling is None or of != self._of or ms(at) < self._until_ms or not telling.hear(events):
            telling = Telling(self._yard, self._city, events, profile)
            self.begun += 1
        self._telling, self._of, self._until_ms = telling, of, ms(at)
        return telling.estimate(at)
