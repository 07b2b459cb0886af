"""What the api would have published of a yard in the past, and how far that was off: it learns from day to day as the api does."""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from api.estimate.accuracy import PUBLISHED, Measured, accuracy
from api.estimate.learning import learn
from api.estimate.opening import EARLIER, Opening
from api.estimate.profile import COLD
from api.estimate.waiting import Telling
from api.lessons import SETTLED
from api.publisher import readings as published
from hoflicht import hours
from hoflicht.catalogue import City
from hoflicht.hours import OpenPeriod
from hoflicht.instants import moment, ms, utc
from hoflicht.reading import Reading

EVERY_MS = 10 * 60_000  # coarser than live, where estimates are kept every minute
DAY = dt.timedelta(days=1)
LATELY_MS = round((DAY + SETTLED + EARLIER).total_seconds() * 1000)  # an opening of a day that is about to be learnt from


class Estimates:
    """The estimates of one yard from `start_ms` on, told piece by piece."""

    def __init__(self, yard: str, city: City, start_ms: int) -> None:
        self._yard, self._city = yard, city
        self._profile = COLD
        self._learnt_ms = start_ms  # openings that began before are not known as wholes
        self._heard: list[Reading] = []
        self._told: list[Reading] = []

    def hear(self, reading: Reading) -> None:
        """Take what a sensor said; readings come in order of time."""
        self._heard.append(reading)

    def told(self, start_ms: int, end_ms: int) -> Iterator[Reading]:
        """What was published in [start, end), and the errors of the openings that have become known before; all before is heard."""
        for period in self._settled(start_ms):
            yield from self._look_back(period)
            self._learnt_ms = ms(period.closes)
        self._heard = [reading for reading in self._heard if reading.at_ms > start_ms - LATELY_MS]
        self._told = [reading for reading in self._told if reading.at_ms > start_ms - LATELY_MS]
        instants = (moment(at_ms) for at_ms in steps(start_ms, end_ms, EVERY_MS))
        telling = Telling(self._yard, self._city, self._heard, self._profile)
        for wait in map(telling.arriving, instants):
            said = published(wait)
            self._told += [reading for reading in said if reading.quantity in PUBLISHED]
            yield from said

    def _settled(self, at_ms: int) -> Iterator[OpenPeriod]:
        """The openings that are over and not learnt from yet."""
        at = dt.datetime.fromtimestamp(at_ms / 1000, ZoneInfo(self._city.timezone))
        day = dt.datetime.fromtimestamp(self._learnt_ms / 1000, at.tzinfo).date()
        while day <= at.date():
            period = hours.period_on(day, self._city.yards[self._yard].hours, self._city)
            if period is not None and self._learnt_ms <= ms(period.opens) and ms(utc(period.closes) + SETTLED) <= at_ms:
                yield period
            day += DAY

    def _look_back(self, period: OpenPeriod) -> Iterator[Reading]:
        """Learn from an opening; what was told in it is compared with what came."""
        told = Opening(self._yard, self._city, self._heard, period, self._profile)
        measured = [Measured(*wait) for wait in told.until_last_entry().voices.measured]
        self._profile = learn(self._yard, self._city, self._heard, period, self._profile)
        yield from accuracy(self._told, measured, EVERY_MS)  # whoever joins finds nothing newer


def steps(start_ms: int, end_ms: int, step_ms: int) -> range:
    """The multiples of `step_ms` in [start, end)."""
    return range(-(-start_ms // step_ms) * step_ms, end_ms, step_ms)
