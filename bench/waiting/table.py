"""The table: each scenario's errors over the omniscient observer's, mean of the seeds, beside what is to be reached."""

import argparse
import multiprocessing
import os
import statistics
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from bench.waiting.scenarios import SCENARIOS
from bench.waiting.score import Score, score

SEEDS = 5
# Ratio to reach; what a counter difference, reset by lane sensors, with recent throughput gets.
TO_REACH = {
    "mm4": (1.12, "1.31"),
    "mg4": (1.18, "1.44"),
    "clean": (1.16, "1.64"),
    "2-percent": (1.19, "1.63"),
    "5-in-2-out": (1.22, "1.56–1.93"),
    "2-in-5-out": (1.22, "1.56–1.93"),
    "exit-out-flagged": (1.20, "1.78"),
    "exit-out": (1.23, "1.78"),
    "entry-out": (1.25, "1.77"),
    "stop": (1.35, "1.80"),
    "trailers": (1.15, "1.62"),
    "batches": (1.36, "1.97"),
    "entry-control": (1.29, "1.79"),
    "bay-sensors": (1.18, "1.72"),
    "no-lane-sensor": (2.2, "2.44"),
    "week": (1.55, "2.55"),
    "cold": (1.45, "1.72"),
}
VOICES = ("plain", "naive", "LES")


def main(argv: Sequence[str]) -> int:
    """`python -m bench.waiting [SCENARIO ...] [--seeds N]`."""
    parser = argparse.ArgumentParser(prog="python -m bench.waiting", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    for line in rows(arguments.scenarios or list(SCENARIOS), arguments.seeds):
        print(line, flush=True)
    return 0


def rows(names: Sequence[str], seeds: int = SEEDS) -> Iterator[str]:
    """The table of these scenarios, line by line; the processors share the seeds."""
    titles = ["scenario", *_cells("", [])]
    yield f"| {' | '.join(titles)} |"
    yield "|---" * len(titles) + "|"
    # Spawned, not forked: whoever asks may have threads.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        asked = {name: [pool.submit(_score, name, seed) for seed in range(seeds)] for name in names}
        for name, futures in asked.items():
            yield row(name, [future.result() for future in futures])


def row(name: str, scores: Sequence[Score]) -> str:
    """One scenario."""
    return f"| {' | '.join([name, *_cells(name, scores).values()])} |"


def _cells(name: str, scores: Sequence[Score]) -> dict[str, str]:
    """By title, in order; empty without scores."""
    reach, plain = TO_REACH.get(name, (0.0, ""))
    mean_wait_s = _mean(score.mean_wait_s for score in scores)
    return {
        "cars": f"{_mean(score.cars for score in scores):.0f}",
        "wait, min": f"{mean_wait_s / 60:.1f}",
        "longest": f"{_mean(score.longest_s for score in scores) / 60:.0f}",
        "omniscient, s": f"{_mean(score.floor_s for score in scores):.0f}",
        "ours": f"{_mean(score.ours_s / score.floor_s for score in scores):.2f}",
        "to reach": f"≤ {reach:.2f} ({plain})" if plain else "",
        **{voice: f"{_mean(score.errors_s[voice] / score.floor_s for score in scores):.2f}" for voice in VOICES},
        "within 3 min": f"{_mean(score.within_three_minutes for score in scores):.0%}",
        "in p10–p90": f"{_mean(score.covered for score in scores):.0%}",
        "bias": f"{_mean(score.bias_s for score in scores) / (mean_wait_s or 1.0):+.0%}",
        "no number": f"{_mean(score.unsaid for score in scores):.0%}",
        "bound only": f"{_mean(score.bounded for score in scores):.0%}",
        "sign changes/h": f"{_mean(score.changes_per_hour for score in scores):.1f}",
        "CPU, s": f"{_mean(score.took_s for score in scores):.1f}",
    }


def _mean(values: Iterable[float]) -> float:
    return statistics.fmean(list(values) or [0.0])


def _score(name: str, seed: int) -> Score:
    return score(SCENARIOS[name], seed)
