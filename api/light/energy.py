"""Energy of lamps and cabinets from their meters' hourly readings: what was used, what of it is known, and whether it adds up.

Theory. A meter only counts up, so the difference of two readings is exact however long nothing was heard in between. It is not
where the meter is another one: the reading falls, or rises by more than the lamp can take. What is between those two is not told by
the meter, and is filled with the mean of the rest; around the ends of a month the difference is shared out by time.
"""

import enum
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

HOUR_MS = 3_600_000
GAP_MS = 3 * HOUR_MS  # readings come hourly; two that are missing are no gap yet
SLACK_KWH = 0.011  # a driver counts in 10 Wh or finer, and rounding is no new meter
# What a cabinet may deliver beyond what its lamps tell: cables planned for a drop of up to 5 %, its own meter 1 % (class B of EN
# 50470-3), drivers some 2 %. A choice; the demo's street loses 3 %.
TOLERANCE = 0.08
LEAST_W = 20.0  # below that it is standby, a door contact, rounding
DAY_HOURS = 6  # of a month, before somebody drives out to look who burns by day

Samples = Sequence[tuple[int, float]]  # instant and meter reading in kWh, in order of time


class Used(NamedTuple):
    """Energy of a span, and what it rests on; hours of the span."""

    kwh: float
    interpolated_h: float  # between readings that are far apart: exact in sum, not by day
    estimated_h: float  # the meter was replaced, so the mean stands in
    missing_h: float  # before the first and after the last reading: nothing is added
    replaced: int


class Notice(enum.StrEnum):
    """What does not add up at a cabinet."""

    UNMETERED = "unmetered consumer"
    BY_DAY = "burning by day"
    SHORT = "lamps tell more than the cabinet delivers"
    NOT_COMPARED = "not compared"


class Finding(NamedTuple):
    """A notice; `watt` and `hours` as far as they belong to it."""

    notice: Notice
    watt: float = 0.0
    hours: int = 0
    lamps: int = 0  # without readings, where nothing could be compared


def used(samples: Samples, start_ms: int, end_ms: int, most_w: float) -> Used:
    """The energy of [start, end), from readings that best begin before and end after it; `most_w`: nobody takes more."""
    kwh, known_ms, interpolated_ms, lost_ms, replaced, was_lost = 0.0, 0, 0, 0, 0, False
    for (from_ms, low), (until_ms, high) in pairwise(samples):
        length_ms = until_ms - from_ms
        within_ms = max(0, min(until_ms, end_ms) - max(from_ms, start_ms))
        is_lost = not -SLACK_KWH <= high - low <= most_w * length_ms / HOUR_MS / 1000 + SLACK_KWH
        if is_lost and within_ms:
            lost_ms += within_ms
            replaced += not was_lost  # the hour of the change has a mean of both meters, so it falls twice
        elif within_ms:
            kwh += max(0.0, high - low) * within_ms / length_ms
            known_ms += within_ms
            interpolated_ms += within_ms if length_ms > GAP_MS else 0
        was_lost = is_lost
    estimate = kwh / known_ms * lost_ms if known_ms else 0.0
    missing_ms = end_ms - start_ms - known_ms - lost_ms
    return Used(kwh + estimate, interpolated_ms / HOUR_MS, lost_ms / HOUR_MS, missing_ms / HOUR_MS, replaced)


def by_hour(samples: Samples, most_w: float) -> Iterator[tuple[int, float]]:
    """Each hour between two neighbouring readings of one meter: when it begins, and its energy."""
    for (from_ms, low), (until_ms, high) in pairwise(samples):
        if until_ms - from_ms == HOUR_MS and -SLACK_KWH <= high - low <= most_w / 1000 + SLACK_KWH:
            yield from_ms, max(0.0, high - low)


class Sum:
    """What the lamps of one cabinet used, hour by hour."""

    def __init__(self, lamps: int) -> None:
        self.lamps = lamps
        self.silent = 0
        self._kwh: dict[int, float] = {}
        self._count: dict[int, int] = {}

    def add(self, hours: Iterable[tuple[int, float]]) -> None:
        """One more lamp; none at all: it is silent."""
        hour = None
        for hour, kwh in hours:
            self._kwh[hour] = self._kwh.get(hour, 0.0) + kwh
            self._count[hour] = self._count.get(hour, 0) + 1
        self.silent += hour is None

    def whole(self) -> dict[int, float]:
        """The hours of which all lamps tell."""
        return {hour: kwh for hour, kwh in self._kwh.items() if self._count[hour] == self.lamps}


def findings(cabinet: Mapping[int, float], lamps: Sum, dark: Mapping[int, bool]) -> list[Finding]:
    """What does not add up; `dark` tells of each hour whether it is night (True) or day (False), twilight being left out."""
    told = lamps.whole()
    hours = [hour for hour in told if hour in cabinet and hour in dark]
    night = [_excess_w(cabinet[hour], told[hour]) for hour in hours if dark[hour]]
    day = [_excess_w(cabinet[hour], told[hour]) for hour in hours if not dark[hour]]
    if not night or not day:
        return [Finding(Notice.NOT_COMPARED, lamps=lamps.silent)]
    found = []
    by_night_w, by_day_w = statistics.median(night), statistics.median(day)
    lasting_w = min(by_night_w, by_day_w)
    if lasting_w > LEAST_W:
        found.append(Finding(Notice.UNMETERED, lasting_w))
    # What is there by night too, whatever the cables take of it, does not burn by day only.
    constant_w = max(0.0, statistics.median([1000 * (cabinet[hour] - told[hour]) for hour in hours if dark[hour]]))
    burning = [watt - constant_w for watt in day if watt - constant_w > LEAST_W]
    if len(burning) >= DAY_HOURS:
        found.append(Finding(Notice.BY_DAY, statistics.fmean(burning), len(burning)))
    short_w = statistics.median([1000 * (told[hour] * (1 - TOLERANCE) - cabinet[hour]) for hour in hours if dark[hour]])
    if short_w > LEAST_W:
        found.append(Finding(Notice.SHORT, short_w))
    return found


def _excess_w(cabinet_kwh: float, lamps_kwh: float) -> float:
    return 1000 * (cabinet_kwh - lamps_kwh * (1 + TOLERANCE))
