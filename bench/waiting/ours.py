"""The estimate of this project, asked as the api asks it."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from api.learning import learn
from api.profile import COLD
from api.waiting import estimates
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
    ends = [*(period.closes for period in day.periods[:-1]), dt.datetime.max.replace(tzinfo=dt.UTC)]
    for period, (begins, closes) in zip(day.periods, pairwise([dt.datetime.min.replace(tzinfo=dt.UTC), *ends]), strict=True):
        yield from estimates(YARD, city, day.readings, [at for at in instants if begins <= at < closes], profile)
        profile = learn(YARD, city, day.readings, period, profile)
