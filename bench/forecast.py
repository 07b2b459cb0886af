"""The forecast beside the same-hour mean of past weeks, on simulated months and on recorded queues.

From the fourth week on both forecast the mean wait of hours to come from what was then known: of past hours the mean wait once all
had ended, and now the mean of the waits that ended in the last quarter of an hour. The same-hour mean is that of the weekday's hour
over the same eight weeks or, where that is better, of the hour over all their days. `python -m bench.forecast` lives the simulated
months; `python -m bench.forecast TRUTH.csv ZONE` takes a recorded queue, a row "arrival_t,wait_s" for each that waited.

The median is judged by its mean absolute error, which a median makes least; the mean by its root mean square, for the same reason.
"""

import csv
import datetime as dt
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from api.estimate.forecast import HourForecast, forecast
from api.estimate.past import DAYS_BACK, Hour
from api.estimate.usual import Array
from hoflicht.catalogue import City, load_city
from hoflicht.catalogue import Hours as Opening
from hoflicht.days import WEEKDAYS
from hoflicht.wait import State, Wait
from simulators.life import opening, stretches

AHEAD_H = {"this hour": 0, "1 h": 1, "3 h": 3, "next day": 24, "7 days": 168}
BEGINS, ENDS = dt.date(2026, 8, 31), dt.date(2026, 12, 20)  # sixteen weeks with the end of summer time and two holidays in them
SEEDS = (1, 2)
LEARNING_D = 21
LATELY_S = 900  # shorter, and often nobody was let in; longer, and it is old
HOUR_S, DAY_S = 3_600, 86_400
ALWAYS = Opening(weekly=dict.fromkeys(WEEKDAYS, "00:00-24:00"), open_on_holidays=True)


class Queue(msgspec.Struct, frozen=True):
    """A queue that was: when each one came, Unix epoch, and how long it waited, in seconds."""

    city: City
    opening: Opening
    came_s: Array
    waited_s: Array
    every_h: int  # so often a forecast is made; no divisor of a day, so that all hours have their turn


class Pair(msgspec.Struct, frozen=True):
    """One forecast and what came; seconds."""

    told: HourForecast
    weekday_hour_s: float
    hour_s: float
    true_s: float


class Score(msgspec.Struct, frozen=True):
    """Errors at one distance; those of the forecast over those of the better same-hour mean."""

    ahead: str
    forecasts: int
    mean_true_s: float
    of_weekday_hour_s: float
    of_hour_s: float
    of_mean: float
    of_p50: float
    squared: float
    within_band: float

    def __str__(self) -> str:
        return (
            f"{self.ahead} | {self.forecasts} | {self.mean_true_s:.0f} | {self.of_weekday_hour_s:.0f} | {self.of_hour_s:.0f} |"
            f" {self.of_p50:.2f} | {self.of_mean:.2f} | {self.squared:.2f} | {self.within_band:.0%} |"
        )


def rows() -> Iterator[str]:
    """The simulated months as a table."""
    yield from table({"four simulated yards": [queue for seed in SEEDS for queue in simulated(seed)]})


def table(queues: dict[str, list[Queue]]) -> Iterator[str]:
    """Each name's scores over all its queues."""
    yield (
        "| queue | ahead | forecasts | true wait, s | error of the weekday's hour, s | of the hour, s |"
        " error of p50 / better of these | of the mean | root mean square of the mean | within p10–p90 |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, each in queues.items():
        for told in scores(each):
            yield f"| {name} | {told}"


def scores(queues: Iterable[Queue]) -> list[Score]:
    """One score for each distance."""
    pairs: dict[str, list[Pair]] = {ahead: [] for ahead in AHEAD_H}
    for queue in queues:
        for ahead, pair in _pairs(queue):
            pairs[ahead].append(pair)
    return [_score(ahead, found) for ahead, found in pairs.items()]


def simulated(seed: int) -> Iterator[Queue]:
    """The yards of the simulated city over sixteen weeks."""
    city = load_city(Path(str(files("simulators") / "city.toml")))
    for name, yard in city.yards.items():
        waits = []
        for periods in stretches(name, city, BEGINS):
            if periods[0].opens.date() > ENDS:
                break
            lived = opening(name, city, seed, periods)
            list(lived.events())
            waits += [(car.came_ms / 1000, (car.let_in_ms - car.came_ms) / 1000) for car in lived.cars if car.let_in_ms]
        came_s, waited_s = np.array(waits).T
        yield Queue(city, yard.hours, came_s, waited_s, 5)


def recorded(truth: Path, zone: str) -> Queue:
    """A queue that never closes, from a file with a row for each that waited."""
    with truth.open(encoding="utf-8", newline="") as file:
        waits = [(float(row["arrival_t"]), float(row["wait_s"])) for row in csv.DictReader(file)]
    came_s, waited_s = np.array(waits).T
    return Queue(City(name="recorded", timezone=zone), ALWAYS, came_s, waited_s, 1)


def _pairs(queue: Queue) -> Iterator[tuple[str, Pair]]:
    true_s = _hourly(queue.came_s, queue.waited_s)
    told_s = _told(queue)
    first_s, last_s = min(true_s), max(true_s)
    for now_s in range(first_s + LEARNING_D * DAY_S, last_s, queue.every_h * HOUR_S):
        if now_s - HOUR_S not in true_s:
            continue  # closed
        known_s = _known(queue, now_s)
        hours = forecast(_history(known_s, told_s), queue.opening, queue.city, _local(queue, now_s), _present(told_s, queue, now_s))
        told = {round(each.at.timestamp()): each for each in hours}
        for ahead, after_h in AHEAD_H.items():
            at_s = now_s + after_h * HOUR_S
            if at_s in true_s and at_s in told and told[at_s].mean_s is not None:
                weekday_hour_s, hour_s = _same_hour(queue, known_s, at_s)
                yield ahead, Pair(told[at_s], weekday_hour_s, hour_s, true_s[at_s])


def _known(queue: Queue, now_s: int) -> dict[int, float]:
    """The means of the hours all of whose waits had ended by then; those of eight weeks."""
    came = (queue.came_s < now_s) & (queue.came_s >= now_s - DAYS_BACK * DAY_S)
    waiting_s = queue.came_s[came & (queue.came_s + queue.waited_s > now_s)]
    until_s = waiting_s.min() // HOUR_S * HOUR_S if len(waiting_s) else now_s
    known = came & (queue.came_s < until_s)
    return _hourly(queue.came_s[known], queue.waited_s[known])


def _told(queue: Queue) -> dict[int, float]:
    """What a plain look back would tell at each full hour: the mean of the waits that ended in the quarter of an hour before."""
    ended_s = queue.came_s + queue.waited_s
    order = np.argsort(ended_s, kind="stable")
    ended_s, waited_s = ended_s[order], queue.waited_s[order]
    told_s = {}
    for at_s in range(int(ended_s[0] // HOUR_S) * HOUR_S, int(ended_s[-1]) + HOUR_S, HOUR_S):
        first, end = np.searchsorted(ended_s, (at_s - LATELY_S, at_s), side="right")
        if first < end:
            told_s[at_s] = float(waited_s[first:end].mean())
    return told_s


def _history(known_s: dict[int, float], told_s: dict[int, float]) -> list[Hour]:
    return [
        Hour(dt.datetime.fromtimestamp(at_s, dt.UTC), mean_s, told_s.get(at_s + HOUR_S, mean_s)) for at_s, mean_s in known_s.items()
    ]


def _present(told_s: dict[int, float], queue: Queue, now_s: int) -> Wait | None:
    now = _local(queue, now_s)
    return Wait(yard="", state=State.OPEN, as_of=now, valid_until=now, mean_s=round(told_s[now_s])) if now_s in told_s else None


def _same_hour(queue: Queue, known_s: dict[int, float], at_s: int) -> tuple[float, float]:
    """The means of past hours of that weekday and clock, and of that clock on all days."""
    at = _local(queue, at_s)
    of_hour = [(past.weekday(), mean_s) for past_s, mean_s in known_s.items() if (past := _local(queue, past_s)).hour == at.hour]
    of_weekday = [mean_s for weekday, mean_s in of_hour if weekday == at.weekday()]
    return float(np.mean(of_weekday)), float(np.mean([mean_s for _, mean_s in of_hour]))


def _local(queue: Queue, at_s: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_s, ZoneInfo(queue.city.timezone))


def _hourly(came_s: Array, waited_s: Array) -> dict[int, float]:
    """The mean wait of those who came in each hour, by its start."""
    hours = (came_s // HOUR_S).astype(int)
    sums, counts = np.bincount(hours - hours.min(), waited_s), np.bincount(hours - hours.min())
    return {int(hours.min() + n) * HOUR_S: float(sums[n] / counts[n]) for n in np.flatnonzero(counts)}


def _score(ahead: str, pairs: Sequence[Pair]) -> Score:
    numbers = [(p.told.mean_s, p.told.p10_s, p.told.p50_s, p.told.p90_s, p.weekday_hour_s, p.hour_s, p.true_s) for p in pairs]
    mean_s, p10_s, p50_s, p90_s, weekday_hour_s, hour_s, true_s = np.array(numbers, dtype=float).T
    errors = [float(np.abs(each - true_s).mean()) for each in (weekday_hour_s, hour_s, mean_s, p50_s)]
    squares = [float(((each - true_s) ** 2).mean()) for each in (weekday_hour_s, hour_s, mean_s)]
    return Score(
        ahead=ahead,
        forecasts=len(pairs),
        mean_true_s=float(true_s.mean()),
        of_weekday_hour_s=errors[0],
        of_hour_s=errors[1],
        of_mean=errors[2] / min(errors[:2]),
        of_p50=errors[3] / min(errors[:2]),
        squared=(squares[2] / min(squares[:2])) ** 0.5,
        within_band=float(((p10_s <= true_s) & (true_s <= p90_s)).mean()),
    )


def main(argv: Sequence[str]) -> int:
    """Print one table."""
    for line in table({Path(argv[0]).parent.name: [recorded(Path(argv[0]), argv[1])]}) if argv else rows():
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
