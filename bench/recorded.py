"""Queues that others have recorded: ours beside what one would pick instead.

`python -m bench.recorded FOLDER ...` prints a row for each folder; a folder of two months takes a minute or two. It holds

- `events.jsonl`, or the same as .gz, of the counters `gate_in` and `gate_out`; docs/waiting-time.md tells the form,
- `truth.csv`: when each car joined and how long it really waited,
- `meta.json`: the time zone `tz`, and `open_periods` as pairs of seconds since 1970.

Ours and the first three others know the counts alone; the mean of the same hour knows the true waits of the days before, and the
plain stack of these four and of the number of cars is taught the true wait of each car that has left (`bench/blend.py`). All begin
with the first day, and are scored on the cars of the eighth until the sixtieth. The last two columns are of the queue itself: how
many cars left later than one that came after them, and how far the counts, matched first in first out when all is over, are off.
"""

import datetime as dt
import math
import sys
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from api.estimate import recording
from api.estimate.replay import Learnt, Replay
from api.estimate.score import MAX_AGE_S, Car, Estimate, Score, load_truth, score
from bench.blend import blended
from hoflicht.catalogue import City, Hours, Role, Sensor, Yard
from hoflicht.days import WEEKDAYS
from hoflicht.errors import BadConfig
from hoflicht.reading import Reading

FIRST_DAY, LAST_DAY = 8, 60  # a week is left to learn in; longer recordings are scored alike
YARD, ENTRY, EXIT = "recorded", "gate_in", "gate_out"
GAPS = 20  # departures whose mean gap is the pace
PER_CAR_S = 60.0  # what the number of cars is told in to the stack, whose weight makes of it what it takes
TITLES = ("queue", "cars", "mean wait, min", "LES", "HOL", "QL", "same hour", "stack", "ours", "ratio to best", "coverage", "bias")
OF_ITSELF = ("overtaken", "match")

Period = tuple[float, float]


class Meta(msgspec.Struct, frozen=True):
    """What is known of a recording beside its events; instants are the Unix epoch in seconds."""

    tz: str
    open_periods: list[Period]


class Queue(msgspec.Struct, frozen=True):
    """One recording: what the counters said, and the cars by arrival."""

    meta: Meta
    city: City
    readings: list[Reading]
    cars: list[Car]


class Voices(msgspec.Struct, frozen=True):
    """What one would pick instead, in seconds, at the instant `at_s`."""

    at_s: float
    les_s: float  # wait of the last one that left
    hol_s: float  # what the head of the line has waited so far
    ql_s: float  # one gap for each that stands there, and one more
    same_hour_s: float  # mean true wait of that hour on earlier days
    cars: int  # that stand there, and the one that joins


class Line:
    """What two counters tell of one opening, first in first out; nobody stands there at its begin."""

    def __init__(self) -> None:
        self.les_s = 0.0
        self.measured: list[tuple[float, float]] = []  # waits that ended: joined at, how long
        self._joined: deque[float] = deque()
        self._left: deque[float] = deque(maxlen=GAPS)

    def hear(self, reading: Reading) -> None:
        """Cars were counted in or out."""
        at_s = reading.at_ms / 1000
        for _ in range(round(reading.value)):
            if reading.sensor == ENTRY:
                self._joined.append(at_s)
                continue
            self._left.append(at_s)
            if self._joined:  # who came unseen tells nothing
                joined_s = self._joined.popleft()
                self.les_s = at_s - joined_s
                self.measured.append((joined_s, self.les_s))

    def hol_s(self, at_s: float) -> float:
        """The elapsed wait of the first one."""
        return at_s - self._joined[0] if self._joined else 0.0

    def cars(self, at_s: float) -> int:
        """With the one that joins at `at_s`, which may be counted already."""
        return sum(joined_s < at_s for joined_s in self._joined) + 1

    def ql_s(self, at_s: float) -> float:
        """One gap for each of these."""
        gaps = len(self._left) - 1
        return self.cars(at_s) * ((self._left[-1] - self._left[0]) / gaps if gaps > 0 else 0.0)


def main(argv: Sequence[str]) -> int:
    """Print one table."""
    try:
        for line in rows([Path(folder) for folder in argv]):
            print(line, flush=True)
    except BadConfig as cause:
        print(f"bench.recorded: {cause}", file=sys.stderr)
        return 2
    return 0


def rows(folders: Sequence[Path]) -> Iterator[str]:
    """The table, line by line."""
    titles = (*TITLES, *OF_ITSELF)
    yield f"| {' | '.join(titles)} |"
    yield "|---" * len(titles) + "|"
    for folder in folders:
        yield row(folder)


def row(folder: Path) -> str:
    """One recorded queue; errors are means of absolute ones in minutes, of the cars for which we named a number."""
    queue = load(folder)
    from_s, until_s = queue.meta.open_periods[FIRST_DAY - 1][0], queue.meta.open_periods[:LAST_DAY][-1][1]
    said = list(ours(queue.city, [reading for reading in queue.readings if reading.at_ms < until_s * 1000]))
    scored = [car for car in queue.cars if from_s <= car.arrival_t < until_s]
    told = [car for car in scored if _is_told(said, car.arrival_t)]
    days = list(_days(queue.readings, queue.meta))
    asked = list(voices(days, queue.cars, queue.meta))
    others = [_minutes(score(each, told).mae_min) for each in _estimates(asked)]
    stack = _minutes(score(list(_stacked(asked, queue.cars)), told).mae_min)
    itself = f"{_overtaken(told):.0%} | {_minutes(score(matched(days), told).mae_min):.2f}"
    return f"{_row(folder.resolve().name, len(scored), score(said, told), others, stack)} {itself} |"


def load(folder: Path) -> Queue:
    """What is in `folder`; raise BadConfig where that cannot be used."""
    try:
        meta = msgspec.json.decode((folder / "meta.json").read_bytes(), type=Meta)
    except (OSError, msgspec.DecodeError) as cause:
        raise BadConfig(f"{folder / 'meta.json'}: {cause}") from cause
    if len(meta.open_periods) < FIRST_DAY:
        raise BadConfig(f"{folder}: {len(meta.open_periods)} openings; scored are those from the {FIRST_DAY}th on")
    city, plain = city_of(meta), folder / "events.jsonl"
    readings = list(recording.read(plain if plain.exists() else folder / "events.jsonl.gz", YARD, city.yards[YARD]))
    cars = load_truth(folder / "truth.csv", meta.open_periods[0][0], meta.open_periods[-1][1])
    return Queue(meta, city, readings, sorted(cars))


def city_of(meta: Meta) -> City:
    """A city of one yard with two counters, open every day as on the first one; all else is as the catalogue has it by default."""
    opens, closes = (dt.datetime.fromtimestamp(at_s, ZoneInfo(meta.tz)) for at_s in meta.open_periods[0])
    hours = Hours(weekly=dict.fromkeys(WEEKDAYS, f"{opens:%H:%M}-{closes:%H:%M}"), open_on_holidays=True)
    sensors = {ENTRY: Sensor(role=Role.LANE_ENTRY), EXIT: Sensor(role=Role.ENTRY_CONTROL)}
    return City(name="", timezone=meta.tz, yards={YARD: Yard(name="", address="", lat=0, lon=0, hours=hours, sensors=sensors)})


def ours(city: City, readings: Sequence[Reading]) -> Iterator[Estimate]:
    """What this project would have said: when cars were counted in, and so often that each car finds something."""
    for at_ms, wait in Replay(YARD, city, MAX_AGE_S, Learnt()).rows(readings):
        yield Estimate(at_ms / 1000, wait.p50_s if wait.mean_s is None else wait.mean_s, wait.p10_s, wait.p90_s)


def _days(readings: Sequence[Reading], meta: Meta) -> Iterator[list[Reading]]:
    """What was heard in each opening; of one instant first who joined, then who left, for he may be the same."""
    for opens_s, closes_s in meta.open_periods:
        heard = (reading for reading in readings if opens_s * 1000 <= reading.at_ms < closes_s * 1000)
        yield sorted(heard, key=lambda reading: (reading.at_ms, reading.sensor != ENTRY))


def voices(days: Sequence[Sequence[Reading]], cars: Sequence[Car], meta: Meta) -> Iterator[Voices]:
    """What each of the others would have said at the instants of `cars`, which rise."""
    zone = ZoneInfo(meta.tz)
    by_hour: defaultdict[int, list[float]] = defaultdict(list)
    for heard, (opens_s, closes_s) in zip(days, meta.open_periods, strict=True):
        today = [car for car in cars if opens_s <= car.arrival_t < closes_s]
        hours = [dt.datetime.fromtimestamp(car.arrival_t, zone).hour for car in today]
        yield from _of_day(heard, today, [_mean(by_hour[hour]) for hour in hours])
        for hour, car in zip(hours, today, strict=True):
            by_hour[hour].append(car.wait_s)


def _of_day(heard: Sequence[Reading], cars: Sequence[Car], same_hour_s: Sequence[float]) -> Iterator[Voices]:
    line, coming = Line(), deque(heard)
    for car, usual_s in zip(cars, same_hour_s, strict=True):
        at_s = car.arrival_t
        while coming and coming[0].at_ms <= at_s * 1000:
            line.hear(coming.popleft())
        yield Voices(at_s, line.les_s, line.hol_s(at_s), line.ql_s(at_s), usual_s, line.cars(at_s))


def matched(days: Sequence[Sequence[Reading]]) -> list[Estimate]:
    """What the counts tell afterwards of each car, as if it had been told when the car joined; of one instant the mean."""
    waits_s: defaultdict[float, list[float]] = defaultdict(list)
    for heard in days:
        line = Line()
        for reading in heard:
            line.hear(reading)
        for joined_s, wait_s in line.measured:
            waits_s[joined_s].append(wait_s)
    return [Estimate(joined_s, _mean(each), None, None) for joined_s, each in sorted(waits_s.items())]


def _is_told(said: Sequence[Estimate], at_s: float) -> bool:
    """Whether a number had been said, as `api.estimate.score` wants it."""
    place = bisect_right(said, at_s, key=lambda each: each.time_s)
    return place > 0 and at_s - said[place - 1].time_s <= MAX_AGE_S and said[place - 1].wait_s is not None


def _overtaken(cars: Sequence[Car]) -> float:
    """The share that left later than one that joined after them; `cars` by arrival."""
    count, first_s = 0, math.inf
    for car in reversed(cars):
        left_s = car.arrival_t + car.wait_s
        count += left_s > first_s
        first_s = min(first_s, left_s)
    return count / max(len(cars), 1)


def _estimates(said: Sequence[Voices]) -> Iterator[list[Estimate]]:
    """Each voice as a column."""
    for name in ("les_s", "hol_s", "ql_s", "same_hour_s"):
        yield [Estimate(each.at_s, getattr(each, name), None, None) for each in said]


def _stacked(said: Sequence[Voices], cars: Sequence[Car]) -> Iterator[Estimate]:
    """What the plain stack says; `said` are the voices at the instants of those of `cars` that came while it was open."""
    asked_s = {each.at_s for each in said}
    waits_s = [car.wait_s for car in cars if car.arrival_t in asked_s]
    voices_s = [(each.les_s, each.hol_s, each.ql_s, each.same_hour_s, each.cars * PER_CAR_S) for each in said]
    told_s = blended(voices_s, [each.at_s for each in said], waits_s)
    return (Estimate(each.at_s, wait_s, None, None) for each, wait_s in zip(said, told_s, strict=True))


def _row(name: str, cars: int, own: Score, others_min: Sequence[float], stack_min: float) -> str:
    mean_min, own_min = _minutes(own.mean_wait_min), _minutes(own.mae_min)
    scored = f"{own.n_scored}" if own.n_scored == cars else f"{own.n_scored} of {cars}"
    cells = [
        name,
        scored,
        *(f"{minutes:.2f}" for minutes in (mean_min, *others_min, stack_min, own_min)),
        f"{own_min / min(others_min):.2f}",
    ]
    return f"| {' | '.join(cells)} | {own.coverage_10_90 or 0.0:.1%} | {_minutes(own.bias_min) / mean_min:+.1%} |"


def _minutes(value: float | None) -> float:
    return float("nan") if value is None else value


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
