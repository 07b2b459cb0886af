"""The wait to expect in each hour of today and the coming seven days, with a band, from the waits of past weeks.

1. The expected wait is the usual one of that weekday's hour (`usual.py`); it follows the season as old weeks fade. A holiday
   on which the yard is closed is in neither past nor future. The days beside it count as the weekdays they are: eight weeks hold
   two or three of them, and a factor learnt from so few made their forecasts worse, up to true differences of two fifths.
2. The next hours carry on what is unusual now, by the share that was left after so many hours in the past.
3. The band comes from the errors that the same kind of forecast made on past days (split conformal prediction; Lei et al.,
   *Distribution-free predictive inference for regression*, JASA 113, 2018): those at the most similar expected waits.
4. No number is told where fewer than nine earlier days tell of that hour of the clock, for then one value in ten lies beyond all
   that were seen; nor where none of that weekday does, for it might be like none of the others: Saturdays are the worst.
"""

import datetime as dt
import statistics
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

import msgspec

from api.estimate.past import DAY, DAYS_AHEAD, HOUR, Hour, Past, Unknown
from hoflicht.catalogue import City
from hoflicht.catalogue import Hours as Opening
from hoflicht.hours import period_on
from hoflicht.wait import State, Wait


class HourForecast(msgspec.Struct, frozen=True, kw_only=True):
    """The hour that begins at `at`: whole seconds, None where the yard is closed or, with a `reason`, where nothing can be said."""

    at: dt.datetime
    state: State  # open or closed
    mean_s: int | None = None
    p10_s: int | None = None
    p50_s: int | None = None
    p90_s: int | None = None
    reason: str | None = None


class ForecastAnswer(msgspec.Struct, frozen=True):
    """The hours from the one under way on, and the best of today and of all; None where none stands out."""

    yard: str
    as_of: dt.datetime
    hours: list[HourForecast]
    best_today: dt.datetime | None = None
    best_week: dt.datetime | None = None


def forecast(
    history: Sequence[Hour], opening: Opening, city: City, now: dt.datetime, present: Wait | None = None
) -> list[HourForecast]:
    """Every hour from the one under way to the end of the seventh day, from the whole hours of the last eight weeks."""
    zone = ZoneInfo(city.timezone)
    past = Past(history, zone, now, present)
    told = []
    for start in _starts(now, zone):
        if not _is_open(start, now, opening, city):
            told.append(HourForecast(at=start, state=State.CLOSED))
            continue
        expected = past.expect(start)
        if isinstance(expected, Unknown):
            told.append(HourForecast(at=start, state=State.OPEN, reason=expected))
        else:
            numbers = {name: round(seconds) for name, seconds in expected._asdict().items()}
            told.append(HourForecast(at=start, state=State.OPEN, **numbers))
    return told


def answer(yard: str, hours: list[HourForecast], now: dt.datetime) -> ForecastAnswer:
    """`hours` with the best of them."""
    today = [hour for hour in hours if hour.at.date() == hours[0].at.date()]
    return ForecastAnswer(yard, now, hours, best(today), best(hours))


def best(hours: Iterable[HourForecast]) -> dt.datetime | None:
    """The hour with the least expected wait, where even its p90 is below the mean of all; else the choice is within the noise."""
    known = [(hour.mean_s, hour.p90_s, hour.at) for hour in hours if hour.mean_s is not None and hour.p90_s is not None]
    if not known:
        return None
    usual_s = statistics.mean(mean_s for mean_s, _, _ in known)
    return min(((mean_s, at) for mean_s, p90_s, at in known if p90_s < usual_s), default=(0, None))[1]


def _starts(now: dt.datetime, zone: ZoneInfo) -> Iterator[dt.datetime]:
    """Whole hours of UTC, as the store has them, in the city's zone."""
    start = now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    last = now.astimezone(zone).date() + DAYS_AHEAD * DAY
    while start.astimezone(zone).date() <= last:
        yield start.astimezone(zone)
        start += HOUR


def _is_open(start: dt.datetime, now: dt.datetime, opening: Opening, city: City) -> bool:
    """Whether somebody who comes within the hour, and not in the past, may be let in."""
    begins = start.astimezone(dt.UTC)
    first, end = max(begins, now.astimezone(dt.UTC)), begins + HOUR
    periods = (period_on(day, opening, city) for day in (start.date() - DAY, start.date()))
    return any(
        period.opens.astimezone(dt.UTC) < end and first < period.last_entry.astimezone(dt.UTC) for period in periods if period
    )
