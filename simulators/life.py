"""A yard's openings, one after the other: the same past for everybody who asks, and then the present."""

import datetime as dt
import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from hoflicht import hours
from hoflicht.catalogue import City
from hoflicht.hours import OpenPeriod
from simulators.yard import USUAL, Event, Law, Opening

SEARCH_DAYS = 400  # a yard that does not open for longer has no life to tell
DAY = dt.timedelta(days=1)
MONDAY = 0


def life(name: str, city: City, seed: int, at_ms: int, law: Law = USUAL) -> Iterator[Event]:
    """What a yard's sensors say, in order of time and for ever, from the start of the opening that may still matter at `at_ms`."""
    on = dt.datetime.fromtimestamp(at_ms / 1000, ZoneInfo(city.timezone)).date() - DAY  # its last cars may leave after midnight
    coming = stretches(name, city, on)
    now = next(coming, None)
    while now is not None:
        then = next(coming, None)
        end_ms = _starts_ms(then, law) if then else None
        for event in opening(name, city, seed, now, law).events():
            if end_ms is not None and event.at_ms >= end_ms:
                break  # a yard that never closes begins anew on Mondays, whoever is on it
            yield event
        now = then


def opening(name: str, city: City, seed: int, periods: list[OpenPeriod], law: Law = USUAL) -> Opening:
    """The yard over `periods`; the same for the same arguments."""
    return Opening(city.yards[name], periods, law, random.Random(f"{seed}/{name}/{periods[0].opens.date().isoformat()}"))


def stretches(name: str, city: City, on: dt.date) -> Iterator[list[OpenPeriod]]:
    """Periods that follow each other without a gap, from those of the day `on` or the first after it.

    None goes over the start of a week, so that whoever lives it again need not begin longer ago.
    """
    yard_hours = city.yards[name].hours
    while on.weekday() != MONDAY and _touch(hours.period_on(on - DAY, yard_hours, city), hours.period_on(on, yard_hours, city)):
        on -= DAY
    periods: list[OpenPeriod] = []
    last = on
    while on - last < dt.timedelta(days=SEARCH_DAYS):
        period = hours.period_on(on, yard_hours, city)
        if periods and (on.weekday() == MONDAY or not _touch(periods[-1], period)):
            yield periods
            periods = []
        if period is not None:
            periods.append(period)
            last = on
        on += DAY


def _touch(before: OpenPeriod | None, after: OpenPeriod | None) -> bool:
    return before is not None and after is not None and before.last_entry == before.closes == after.opens


def _starts_ms(periods: list[OpenPeriod], law: Law) -> int:
    return round((periods[0].opens.timestamp() - law.early_s) * 1000)
