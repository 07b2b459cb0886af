"""The estimate beside what is often shown instead, the delay of the last car that was let in (LES), on simulated yards.

For an instant every ten minutes of two Saturdays and a Tuesday at all four yards: the wait that the next car then really had.
Counters miscount by 1.5 % either way, containers are changed, the gate is held once a day, trailers take three times as long.
"""

import datetime as dt
import statistics
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import msgspec

from api.waiting import estimates
from hoflicht import Reading
from hoflicht.catalogue import City, load_city
from simulators.life import opening, stretches

DAYS = (dt.date(2026, 11, 21), dt.date(2026, 11, 24), dt.date(2026, 11, 28))
STEP = dt.timedelta(minutes=10)
SOON_MS = 5 * 60_000  # the next car must come so soon, or nobody knows what its wait would have been


class Moment(msgspec.Struct, frozen=True):
    """One instant, in seconds: what was said, what the last car had waited, what the next one did wait."""

    p10_s: int
    p50_s: int
    p90_s: int
    last_s: float
    true_s: float


class Score(msgspec.Struct, frozen=True):
    """Errors over all moments."""

    moments: int
    mean_true_s: float
    mean_error_s: float
    mean_error_of_les_s: float
    within_band: float
    within_three_minutes: float

    def __str__(self) -> str:
        return (
            f"| {self.moments} | {self.mean_true_s:.0f} | {self.mean_error_s:.0f} | {self.mean_error_of_les_s:.0f} |"
            f" {self.mean_error_s / self.mean_error_of_les_s:.2f} | {self.within_band:.0%} | {self.within_three_minutes:.0%} |"
        )


def score() -> Score:
    """Live the days and compare."""
    city = load_city(Path(str(files("simulators") / "city.toml")))
    moments = [moment for seed, on in enumerate(DAYS) for yard in city.yards for moment in _moments(city, yard, on, seed)]
    errors_s = [abs(m.p50_s - m.true_s) for m in moments]
    return Score(
        len(moments),
        statistics.mean(m.true_s for m in moments),
        statistics.mean(errors_s),
        statistics.mean(abs(m.last_s - m.true_s) for m in moments),
        statistics.mean(m.p10_s - 30 <= m.true_s <= m.p90_s + 30 for m in moments),
        statistics.mean(error_s <= 180 for error_s in errors_s),
    )


def _moments(city: City, yard: str, on: dt.date, seed: int) -> Iterator[Moment]:
    periods = next(stretches(yard, city, on))
    lived = opening(yard, city, seed, periods)
    events = [Reading(yard, e.sensor, e.quantity, e.at_ms, e.value) for e in lived.events()]
    cars = [(car.came_ms, car.let_in_ms) for car in lived.cars if car.let_in_ms is not None]
    opens, last_entry = periods[0].opens, periods[-1].last_entry
    instants = [opens + n * STEP for n in range(1, int((last_entry - opens) / STEP))]
    for instant, wait in zip(instants, estimates(yard, city, events, instants), strict=True):
        at_ms = round(instant.timestamp() * 1000)
        next_car = next(((came, let_in) for came, let_in in cars if came >= at_ms), None)
        last_car = max(((let_in, came) for came, let_in in cars if let_in <= at_ms), default=None)
        if wait.p10_s is None or wait.p50_s is None or wait.p90_s is None or next_car is None or last_car is None:
            continue
        if next_car[0] - at_ms <= SOON_MS:
            last_s, true_s = (last_car[0] - last_car[1]) / 1000, (next_car[1] - next_car[0]) / 1000
            yield Moment(wait.p10_s, wait.p50_s, wait.p90_s, last_s, true_s)
