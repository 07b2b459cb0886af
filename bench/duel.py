"""Two ways to do the same, in turn: A B A B …; the ratio of each pair, so that a machine that slows down slows both."""

import statistics
import time
from collections.abc import Callable

import msgspec

ROUNDS = 7


class Row(msgspec.Struct, frozen=True):
    """One line of the table: CPU milliseconds of ours and of the peer, round by round; below 1 ours is cheaper."""

    what: str
    peer: str
    ours_ms: list[float]
    peer_ms: list[float]

    def __str__(self) -> str:
        ratios = [one / other for one, other in zip(self.ours_ms, self.peer_ms, strict=True)]
        told = f"{statistics.median(self.ours_ms):.1f} | {statistics.median(self.peer_ms):.1f} | {statistics.median(ratios):.2f}"
        return f"| {self.what}, CPU ms | {self.peer} | {told} | {min(ratios):.2f}–{max(ratios):.2f} | |"


def duel(what: str, ours: Callable[[], object], peer_name: str, peer: Callable[[], object]) -> Row:
    """Run both once to warm up, then in turn, and compare their CPU time."""
    ours()
    peer()
    rounds = [(cpu_ms(ours), cpu_ms(peer)) for _ in range(ROUNDS)]
    return Row(what, peer_name, [one for one, _ in rounds], [other for _, other in rounds])


def cpu_ms(run: Callable[[], object]) -> float:
    """What `run` takes of the processor."""
    start_ns = time.process_time_ns()
    run()
    return (time.process_time_ns() - start_ns) / 1e6
