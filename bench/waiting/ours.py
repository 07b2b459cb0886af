"""The estimate of this project, asked as the api asks it."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from api.estimate.learning import learn
from api.estimate.profile import COLD
from api.estimate.waiting import estimates
from bench.waiting.days import Day
from bench.waiting.scenarios import YARD
from hoflicht.catalogue import City
from hoflicht.wait import Wait


def ours(city: City, learnt: Iterable[Day], day: Day, instants_ms: Sequence[int]) -> Iterator[Wait]:
    """What was said at each of `instants_ms`, which rise, after the days `learnt`; of an opening that is over the night learns."""
    profile = COLD
    for before in learnt:
        for period in before.periods:
            profile = learn(YARD, city, before.readings, period, profile)
    instants = [dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC) for at_ms in instants_ms]
    for n, period in enumerate(day.periods):
        if n:
            profile = learn(YARD, city, day.readings, day.periods[n - 1], profile)
        is_last = n == len(day.periods) - 1
        asked = [at for at in instants if is_last or at < period.closes]
        instants = instants[len(asked) :]
        yield from estimates(YARD, city, day.readings, asked, profile)
