"""Two ways to do the same, in turn: A B A B …; the ratio of each pair, so that a machine that slows down slows both."""

import statistics
import time
from collections.abc import Callable

import msgspec

ROUNDS = 7


class Row(msgspec.Struct, frozen=True):
    """One line of the table: CPU seconds of ours over those of the peer; below 1 ours is cheaper."""

    what: str
    peer: str
    low: float
    median: float
    high: float

    def __str__(self) -> str:
        return f"| {self.what} | {self.peer} | {self.median:.2f} | {self.low:.2f}–{self.high:.2f} |"


def duel(what: str, ours: Callable[[], object], peer_name: str, peer: Callable[[], object]) -> Row:
    """Run both once to warm up, then in turn, and compare their CPU time."""
    ours()
    peer()
    ratios = sorted(_cpu_s(ours) / _cpu_s(peer) for _ in range(ROUNDS))
    return Row(what, peer_name, ratios[0], statistics.median(ratios), ratios[-1])


def _cpu_s(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start
