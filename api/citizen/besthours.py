"""When a yard is open today and when it is best to come, in the words of one language."""

import datetime as dt

from api.citizen.sentences import band, clock, day, up
from api.citizen.words import Words
from api.estimate.forecast import ForecastAnswer, HourForecast, best
from hoflicht.catalogue import City, Hours
from hoflicht.hours import period_at, period_on
from hoflicht.wait import State

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
MAX_AGE = HOUR  # of a forecast: later the hour on which it rests is over, and who looks ahead has been stuck for long


def opening(now: dt.datetime, hours: Hours, city: City, words: Words) -> str:
    """The opening hours of today, or of the night that is not over."""
    period = period_at(now, hours, city) or period_on(now.date(), hours, city)
    if period is None:
        return words.hours_closed
    if period.closes.astimezone(dt.UTC) - period.opens.astimezone(dt.UTC) >= DAY:
        return words.hours_always
    told = words.hours if period.last_entry == period.closes else words.hours_last
    return told.format(opens=clock(period.opens), closes=clock(period.closes), last=clock(period.last_entry))


class BestHours:
    """What the forecast of a yard that keeps `hours` says at `now`; None: the weeks before could not be looked at."""

    def __init__(self, forecast: ForecastAnswer | None, now: dt.datetime, hours: Hours, city: City) -> None:
        self._is_away = forecast is None or now - forecast.as_of >= MAX_AGE
        ahead = [] if forecast is None or self._is_away else forecast.hours
        left = [hour for hour in ahead if hour.state is State.OPEN and hour.at.astimezone(dt.UTC) + HOUR > now]
        self._known = [hour for hour in left if hour.mean_s is not None]
        self._known_today = [hour for hour in self._known if hour.at.date() == now.date()]
        self._best, self._best_today = best(self._known), best(self._known_today)
        self._now, self._hours, self._city = now, hours, city

    def today(self, words: Words) -> str:
        """The best hour that is left of today; empty where the yard lets nobody in any more, or nothing is known of it."""
        if not self._known_today:
            return ""
        if self._best_today is None:
            return words.none_today
        return self._told(self._best_today, words.best_both if self._best_today == self._best else words.best_today, words)

    def week(self, words: Words) -> str:
        """The best hour of the coming seven days, unless it is today's best, or why none is told."""
        if self._is_away:
            return words.forecast_away
        if not self._known:
            return words.forecast_young
        if self._best is None:
            return words.none_week
        return "" if self._best == self._best_today else self._told(self._best, words.best_week, words)

    def _told(self, at: dt.datetime, sentence: str, words: Words) -> str:
        chosen = next(hour for hour in self._known if hour.at == at)
        start, end = _slot(at, self._hours, self._city)
        when = day(start.date(), self._now.date(), words)
        return sentence.format(day=when, start=clock(start), end=clock(end), expected=_expected(chosen, words))


def _expected(hour: HourForecast, words: Words) -> str:
    minutes = up(hour.p50_s or 0)
    told = band(hour.p10_s or 0, hour.p90_s or 0, minutes, words)
    if not told:
        return words.expected_none
    return words.expected.format(n=minutes, band=told) if minutes else words.expected_free.format(band=told)


def _slot(at: dt.datetime, hours: Hours, city: City) -> tuple[dt.datetime, dt.datetime]:
    """What of the hour that begins at `at` lies between opening and last entry."""
    begins = at.astimezone(dt.UTC)
    ends = begins + HOUR
    for on in (at.date() - DAY, at.date()):
        period = period_on(on, hours, city)
        if period is not None and period.opens.astimezone(dt.UTC) < ends and begins < period.last_entry.astimezone(dt.UTC):
            begins, ends = max(begins, period.opens.astimezone(dt.UTC)), min(ends, period.last_entry.astimezone(dt.UTC))
    return begins.astimezone(at.tzinfo), ends.astimezone(at.tzinfo)
