"""`hoflicht score`: how far estimates were from the waits that cars really had; whoever made the estimates."""

import argparse
import json
import math
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from api.estimate import table
from hoflicht.errors import BadConfig

MAX_AGE_S = 120  # a sign shows nothing older: without a sign of life its number goes within two minutes
NEAR_S = 180  # the bar that others publish: so many of their waits within 3 minutes
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
DONE, FAILED = 0, 1
FORMATS = """\
Both files are CSV with a header; other columns are skipped, and their order does not matter.

ESTIMATES.csv, rows in order of time, as `hoflicht replay` writes them; any other program may have made them:

  time_s        seconds since 1970
  wait_s        expected wait in seconds of a car that joins the queue then; empty: no number was given
  p10_s, p90_s  optional: the band, shorter in one case of ten, longer in one case of ten

TRUTH.csv, one row for each car:

  arrival_t     seconds since 1970 at which it joined the queue
  wait_s        how many seconds it really waited

A car is scored with the estimate of exactly its instant, else with the last one before it that is at most 120 seconds old. A car
for which there is none, or one without a number, is counted as not scored. Errors are estimate less truth: a bias above zero tells
people too much. The pinball loss punishes a quantile on both sides, in minutes; the smaller the better. The coverage of an honest
band from p10 to p90 is 80 %.
"""


class Estimate(NamedTuple):
    """What was told at `time_s`; seconds, None where nothing was."""

    time_s: float
    wait_s: float | None
    p10_s: float | None
    p90_s: float | None


class Car(NamedTuple):
    """One that joined the queue at `arrival_t` and waited `wait_s`."""

    arrival_t: float
    wait_s: float


class Pair(NamedTuple):
    """What a car was told, and what came true; seconds."""

    told_s: float
    true_s: float
    p10_s: float | None
    p90_s: float | None

    @property
    def error_s(self) -> float:
        return self.told_s - self.true_s


class Score(NamedTuple):
    """How good the estimates were; None where there was nothing to measure. `n_band` cars had a band beside the number."""

    n_scored: int
    n_unscored: int
    n_band: int
    mean_wait_min: float | None
    mae_min: float | None
    rmse_min: float | None
    bias_min: float | None
    pinball_10_min: float | None
    pinball_50_min: float | None
    pinball_90_min: float | None
    coverage_10_90: float | None
    within_3_min: float | None


def score(estimates: Sequence[Estimate], cars: Sequence[Car]) -> Score:
    """Compare `estimates`, which rise in time, with what `cars` really waited."""
    pairs = list(_pairs(estimates, cars))
    errors_s = [pair.error_s for pair in pairs]
    lows = [(pair.p10_s, pair.true_s) for pair in pairs if pair.p10_s is not None]
    highs = [(pair.p90_s, pair.true_s) for pair in pairs if pair.p90_s is not None]
    hits = [pair.p10_s <= pair.true_s <= pair.p90_s for pair in pairs if pair.p10_s is not None and pair.p90_s is not None]
    return Score(
        n_scored=len(pairs),
        n_unscored=len(cars) - len(pairs),
        n_band=len(hits),
        mean_wait_min=_minutes(_mean([pair.true_s for pair in pairs])),
        mae_min=_minutes(_mean([abs(error_s) for error_s in errors_s])),
        rmse_min=_minutes(_root(_mean([error_s**2 for error_s in errors_s]))),
        bias_min=_minutes(_mean(errors_s)),
        pinball_10_min=_minutes(_mean([pinball(LOW, *low) for low in lows])),
        pinball_50_min=_minutes(_mean([pinball(MIDDLE, pair.told_s, pair.true_s) for pair in pairs])),
        pinball_90_min=_minutes(_mean([pinball(HIGH, *high) for high in highs])),
        coverage_10_90=_mean(hits),
        within_3_min=_mean([abs(error_s) <= NEAR_S for error_s in errors_s]),
    )


def pinball(share: float, told: float, true: float) -> float:
    """The loss of a quantile; its mean is least where `told` is the true one (Koenker and Bassett 1978, Econometrica 46)."""
    return max(share * (true - told), (share - 1) * (true - told))


def _pairs(estimates: Sequence[Estimate], cars: Sequence[Car]) -> Iterator[Pair]:
    for car in cars:
        place = bisect_right(estimates, car.arrival_t, key=lambda estimate: estimate.time_s)
        if place == 0 or car.arrival_t - estimates[place - 1].time_s > MAX_AGE_S:
            continue
        told = estimates[place - 1]
        if told.wait_s is not None:
            yield Pair(told.wait_s, car.wait_s, told.p10_s, told.p90_s)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _root(square: float | None) -> float | None:
    return None if square is None else math.sqrt(square)


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 60


def load_estimates(path: Path) -> list[Estimate]:
    """Read estimates; raise BadConfig that names the line where one cannot be used."""
    estimates: list[Estimate] = []
    for row in table.rows(path, ("time_s", "wait_s")):
        told = Estimate(row.number("time_s"), *(row.perhaps(name) for name in ("wait_s", "p10_s", "p90_s")))
        if estimates and told.time_s < estimates[-1].time_s:
            raise BadConfig(f"{row.where}: time_s goes back; rows stand in order of time")
        estimates.append(told)
    return estimates


def load_truth(path: Path, from_s: float, until_s: float) -> list[Car]:
    """Read the cars that arrived from `from_s` until before `until_s`; raise BadConfig that names the line."""
    cars = [Car(row.number("arrival_t"), row.number("wait_s")) for row in table.rows(path, ("arrival_t", "wait_s"))]
    return [car for car in cars if from_s <= car.arrival_t < until_s]


def main(argv: list[str]) -> int:
    """Run `hoflicht score ESTIMATES.csv TRUTH.csv`."""
    options = _parser().parse_args(argv)
    measured = score(load_estimates(options.estimates), load_truth(options.truth, options.from_s, options.until_s))
    sys.stdout.write((json.dumps(measured._asdict()) if options.json else described(measured)) + "\n")
    if measured.n_scored:
        return DONE
    sys.stderr.write(f"hoflicht score: no car of {options.truth} has an estimate in {options.estimates}\n")
    return FAILED


def described(measured: Score) -> str:
    """One line a measure, for a person."""

    def minutes(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f} min"

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{value:.1%}".replace("%", " %")

    lines = {
        "cars scored": str(measured.n_scored),
        "cars not scored": str(measured.n_unscored),
        "mean true wait": minutes(measured.mean_wait_min),
        "mean absolute error": minutes(measured.mae_min),
        "root mean square error": minutes(measured.rmse_min),
        "bias": f"{minutes(measured.bias_min)} (above 0: told too long)",
        "pinball loss at 10 %": minutes(measured.pinball_10_min),
        "pinball loss at 50 %": minutes(measured.pinball_50_min),
        "pinball loss at 90 %": minutes(measured.pinball_90_min),
        "coverage of p10 to p90": f"{percent(measured.coverage_10_90)} of {measured.n_band} cars with a band (aim: 80 %)",
        "within 3 minutes": percent(measured.within_3_min),
    }
    return "\n".join(f"{name:<23} {value}" for name, value in lines.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht score",
        description="Compare estimates of the waiting time with the waits that cars really had.",
        epilog=FORMATS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("estimates", type=Path, metavar="ESTIMATES.csv", help="what was told, as `hoflicht replay` writes it")
    parser.add_argument("truth", type=Path, metavar="TRUTH.csv", help="what came true")
    parser.add_argument(
        "--from",
        dest="from_s",
        type=float,
        default=-math.inf,
        metavar="T",
        help="only cars that arrived then (seconds since 1970) or later",
    )
    parser.add_argument(
        "--until", dest="until_s", type=float, default=math.inf, metavar="T", help="only cars that arrived before then"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, for a program")
    return parser
