"""What eight weeks tell of a yard's waits: what to expect of an hour to come, and how far such forecasts were off."""

import datetime as dt
import enum
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from api.estimate.usual import HOURS, NEEDED, Array, Days, carried, learn
from hoflicht.wait import Wait

DAYS_BACK = 56  # eight of each weekday; the store keeps raw readings for 90 days
DAYS_AHEAD = 7  # after today: each weekday once
LONGEST_H = 24  # so long a disturbance is followed; then the same hour has come again
NEAREST = 100  # errors behind a band: the share beyond p90 is then known to √(0.1 · 0.9 / 100) = 3 %
BAND = (0.1, 0.5, 0.9)

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


class Unknown(enum.StrEnum):
    """The closed list of why nothing can be said of an hour."""

    YOUNG = "fewer than nine earlier days tell of this hour"
    WEEKDAY = "no such weekday has been measured at this hour yet"


class Hour(msgspec.Struct, frozen=True):
    """The mean wait of one past hour, and the wait as it was told at the hour's end: the like of what is told now."""

    start: dt.datetime  # with its zone
    mean_s: float
    end_s: float


class Expected(NamedTuple):
    """A wait to come, in seconds."""

    mean_s: float
    p10_s: float
    p50_s: float
    p90_s: float


class Disturbance(NamedTuple):
    """By how much what was told at the instant `at` differed from what is usually told then, in roots of seconds."""

    at: dt.datetime
    root: float


class Kind(NamedTuple):
    """How a forecast is made: so many days before, or in the n-th hour after a disturbance; each kind has errors of its own."""

    days: int
    after_h: int = 0


class Errors(NamedTuple):
    """What forecasts of one kind expected in the past, and how far the root of what came was from the root of that."""

    expected_s: Array
    roots: Array


class Past:
    """The last eight weeks of one yard at the instant `now`; `present` is its wait at that instant, where there is one."""

    def __init__(self, history: Sequence[Hour], zone: ZoneInfo, now: dt.datetime, present: Wait | None) -> None:
        self._zone = zone
        now = now.astimezone(dt.UTC)  # two times of one zone would be compared by the clock on the wall
        self._first = now.astimezone(self._zone).date() - DAYS_BACK * DAY
        dates = [self._first + n * DAY for n in range(DAYS_BACK + 1 + DAYS_AHEAD)]
        self._weekdays: Days = np.array([date.weekday() for date in dates])
        self._days: Days = np.arange(DAYS_BACK + 1)  # the last one is today
        whole = [hour for hour in history if hour.start.astimezone(dt.UTC) + HOUR <= now]
        self._waits_s = self._rows((hour.start, hour.mean_s) for hour in whole)
        self._usual_s = learn(self._waits_s, self._weekdays[self._days])
        self._usual_roots = np.sqrt(self._usual(self._days, self._days)).ravel()
        ends_s = self._rows((hour.start, hour.end_s) for hour in whole)
        self._usual_ends = np.sqrt(learn(ends_s, self._weekdays[self._days])[self._days, self._weekdays[self._days]]).ravel()
        self._told = np.sqrt(ends_s).ravel() - self._usual_ends
        self._shares = carried(self._told, np.sqrt(self._waits_s).ravel() - self._usual_roots, LONGEST_H)
        self._disturbance = self._present(now, present) or self._latest()
        self._errors: dict[Kind, Errors] = {}

    def expect(self, start: dt.datetime) -> Expected | Unknown:
        """The wait in the hour from `start`, today or within the seven days after it."""
        reason = self._unknown(start)
        if reason is not None:
            return reason
        mean_s, kind = self._mean(start)
        errors = self._like(mean_s, kind)
        if len(errors) < NEEDED:
            return Unknown.YOUNG
        # By rank / (n + 1): that is right for a value that is still to come, whatever the distribution.
        p10_s, p50_s, p90_s = np.quantile(np.maximum(0.0, mean_s**0.5 + errors) ** 2, BAND, method="weibull").tolist()
        return Expected(mean_s, p10_s, p50_s, p90_s)

    def _rows(self, values: Iterable[tuple[dt.datetime, float]]) -> Array:
        sums, counts = (np.zeros((DAYS_BACK + 1, HOURS)) for _ in range(2))
        for start, value in values:
            day, clock = self._place(start)
            if day >= 0:
                sums[day, clock] += value
                counts[day, clock] += 1  # in autumn one hour of the clock comes twice
        return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)

    def _place(self, instant: dt.datetime) -> tuple[int, int]:
        local = instant.astimezone(self._zone)
        return (local.date() - self._first).days, local.hour

    def _usual(self, known: Days, days: Days) -> Array:
        """The usual waits of `days`, as they were told before the days `known`."""
        return self._usual_s[known, self._weekdays[days]]

    def _present(self, now: dt.datetime, present: Wait | None) -> Disturbance | None:
        """Beside what is usually told now: between the ends of the hour before and of this one."""
        wait_s = None if present is None else present.p50_s if present.mean_s is None else present.mean_s
        if wait_s is None:
            return None
        day, clock = self._place(now)
        hour = day * HOURS + clock
        usual = self._usual_ends[hour - 1 : hour + 1]
        passed = (now - now.replace(minute=0, second=0, microsecond=0)) / HOUR
        told = usual[np.isfinite(usual)] if not np.isfinite(usual).all() else [usual[0] + passed * (usual[1] - usual[0])]
        return Disturbance(now, wait_s**0.5 - float(told[0])) if len(told) else None

    def _latest(self) -> Disturbance | None:
        """That of the last whole hour of which something was told, at its end."""
        known = np.flatnonzero(np.isfinite(self._told))
        if not len(known):
            return None
        day, clock = divmod(int(known[-1]), HOURS)
        start = dt.datetime.combine(self._first + day * DAY, dt.time(clock), self._zone).astimezone(dt.UTC)
        return Disturbance(start + HOUR, float(self._told[known[-1]]))

    def _unknown(self, start: dt.datetime) -> Unknown | None:
        day, clock = self._place(start)
        measured = np.isfinite(self._waits_s[:-1, clock])
        if measured.sum() < NEEDED:
            return Unknown.YOUNG
        return None if measured[self._weekdays[: len(measured)] == self._weekdays[day]].any() else Unknown.WEEKDAY

    def _mean(self, start: dt.datetime) -> tuple[float, Kind]:
        day, clock = self._place(start)
        today = self._days[-1:]
        usual_s = float(self._usual(today, np.array([day]))[0, clock])
        if self._disturbance is not None:
            later_h = max(0.0, (start.astimezone(dt.UTC) - self._disturbance.at) / HOUR)
            share = float(np.interp(later_h, np.arange(LONGEST_H), self._shares, right=0.0))
            if share > 0:
                return max(0.0, usual_s**0.5 + share * self._disturbance.root) ** 2, Kind(0, round(later_h) + 1)
        return usual_s, Kind(day - int(today[0]))

    def _like(self, mean_s: float, kind: Kind) -> Array:
        """The errors of past forecasts of that kind, of those that expected most nearly the same."""
        if kind not in self._errors:
            self._errors[kind] = self._carried_errors(kind.after_h) if kind.after_h else self._usual_errors(kind.days)
        past = self._errors[kind]
        return past.roots[np.argsort(np.abs(past.expected_s - mean_s), kind="stable")[:NEAREST]]

    def _usual_errors(self, ahead: int) -> Errors:
        days = self._days[ahead:]
        return _errors(self._waits_s[days].ravel(), np.sqrt(self._usual(days - ahead, days)).ravel())

    def _carried_errors(self, hours: int) -> Errors:
        roots = self._usual_roots[hours:] + self._shares[hours - 1] * self._told[:-hours]
        return _errors(self._waits_s.ravel()[hours:], np.maximum(0.0, roots))


def _errors(waits_s: Array, expected_roots: Array) -> Errors:
    errors = np.sqrt(waits_s) - expected_roots
    known = np.isfinite(errors)
    return Errors(expected_roots[known] ** 2, errors[known])
