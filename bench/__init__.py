"""Ours beside what one would pick instead, as ratios inside one run."""

from collections.abc import Iterable

HEAD = "| what | beside | ours | peer | ratio (median) | range | to reach |\n|---|---|---|---|---|---|---|"


def show(rows: Iterable[object]) -> None:
    """Print one comparison as `python -m bench.NAME` does, row by row as they come."""
    print(HEAD, flush=True)
    for row in rows:
        print(row, flush=True)
