"""One day of one seed: how far each voice was off."""

import itertools
import statistics
import time
from collections.abc import Iterable, Sequence

import msgspec

from api.estimate import steps
from bench.waiting import references
from bench.waiting.days import learnt, scored
from bench.waiting.ours import ours
from bench.waiting.scenarios import YARD, Scenario
from hoflicht.wait import Wait
from simulators.omniscient import Observer

SIGN_MS = steps.LOOK_MS  # how often the sign is looked at
REMEMBERED = steps.MEMORY_MS // SIGN_MS  # looks back that tell what it shows
ROUNDED_S = 0.5  # quantiles are whole seconds


class Score(msgspec.Struct, frozen=True):
    """Errors are means of absolute ones, in seconds, over the cars for which we named a number."""

    cars: int
    mean_wait_s: float
    longest_s: float
    ours_s: float
    errors_s: dict[str, float]  # of the references, by name
    bias_s: float
    within_three_minutes: float
    covered: float  # share of true waits within p10 to p90
    unsaid: float  # share of cars for which we named no number at all
    bounded: float  # share of cars for which we named no more than a lower bound
    changes_per_hour: float  # of the step that the sign shows
    took_s: float  # of computing, for ours

    @property
    def floor_s(self) -> float:
        """The error of the omniscient observer."""
        return self.errors_s["omniscient"]


def score(scenario: Scenario, seed: int) -> Score:
    """Live the days and ask everybody."""
    city, day = scenario.city(seed), scored(scenario, seed)
    cars = day.scored
    # A car is counted the moment it comes; what is asked is what was said just before.
    instants_ms = [car.came_ms - 1 for car in cars]
    sign_ms = list(range(day.lived.opens_ms, day.lived.last_entry_ms, SIGN_MS))
    asked_ms = sorted({*instants_ms, *sign_ms})
    started_s = time.process_time()
    said = dict(zip(asked_ms, ours(city, learnt(scenario, seed), day, asked_ms), strict=True))
    took_s = time.process_time() - started_s
    true_s = [(car.let_in_ms - car.came_ms) / 1000 for car in cars if car.let_in_ms is not None]
    yard = city.yards[YARD]
    observer = Observer(scenario.yard, day.law, day.lived, seed)
    others: dict[str, Iterable[float]] = {
        "omniscient": (observer.wait_s(car.came_ms) for car in cars),
        "plain": references.plain(yard, day, instants_ms),
        "naive": references.naive(yard, day, instants_ms),
        "LES": references.les(day, instants_ms),
    }
    waits = [said[at_ms] for at_ms in instants_ms]
    numbers_s = [number_s(wait) for wait in waits]
    return Score(
        cars=len(cars),
        mean_wait_s=statistics.mean(true_s),
        longest_s=max(true_s),
        ours_s=_error_s(numbers_s, true_s, numbers_s),
        errors_s={name: _error_s(list(voice), true_s, numbers_s) for name, voice in others.items()},
        bias_s=statistics.mean(s - t for s, t in zip(numbers_s, true_s, strict=True) if s is not None),
        within_three_minutes=statistics.mean(s is not None and abs(s - t) <= 180 for s, t in zip(numbers_s, true_s, strict=True)),
        covered=_covered(waits, true_s),
        unsaid=statistics.mean(s is None for s in numbers_s),
        bounded=statistics.mean(wait.p50_s is None and wait.more_than_s is not None for wait in waits),
        changes_per_hour=_changes([(at_ms, said[at_ms]) for at_ms in sign_ms]) / (len(sign_ms) * SIGN_MS / 3_600_000),
        took_s=took_s,
    )


def number_s(wait: Wait) -> float | None:
    """The number that is scored: the mean, else the median, else the lower bound."""
    return next((s for s in (wait.mean_s, wait.p50_s, wait.more_than_s) if s is not None), None)


def _error_s(said_s: Sequence[float | None], true_s: Sequence[float], ours_s: Sequence[float | None]) -> float:
    """Where we named no number, nobody is scored."""
    return statistics.mean(abs(s - t) for s, t, o in zip(said_s, true_s, ours_s, strict=True) if o is not None and s is not None)


def _covered(waits: Sequence[Wait], true_s: Sequence[float]) -> float:
    hits = [
        wait.p10_s - ROUNDED_S <= t <= wait.p90_s + ROUNDED_S
        for wait, t in zip(waits, true_s, strict=True)
        if wait.p10_s is not None and wait.p90_s is not None
    ]
    return statistics.mean(hits) if hits else 0.0


def _changes(waits: Sequence[tuple[int, Wait]]) -> int:
    """How often the step that is shown became another one; a state without a number is one too."""
    history = [(at_ms, wait.p50_s) for at_ms, wait in waits]
    shown = [steps.told(history[max(n - REMEMBERED, 0) : n + 1]) for n in range(len(history))]
    return sum(now != then for now, then in itertools.pairwise(shown))
