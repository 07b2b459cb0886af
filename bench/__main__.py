"""`make bench`: every comparison of this folder in one table, and what is a table of its own; cheap ones first.

Recorded queues are not ours to ship: see `bench.recorded`.
"""

import os
import platform
import sys
from collections.abc import Iterator

from bench import (
    HEAD,
    boards,
    codecs,
    edge,
    flash,
    forecast,
    ingest,
    latency,
    load,
    packs,
    poison,
    serial,
    signs,
    spool,
    steps,
    stream,
    street,
    telling,
    wait,
    wire,
)
from bench.waiting import table
from bench.waiting.scenarios import SCENARIOS

LASTS = "Some twenty-five minutes on two cores: twelve for the first table, five for the last, the waiting time."
BESIDE = (packs, spool, codecs, telling, wait, stream, ingest, flash, signs, wire, load, latency, edge)
ALONE = (steps, serial, street, poison, boards, forecast)


def main() -> int:
    """Print the tables as they come."""
    for line in _lines():
        print(line, flush=True)
    return 0


def _lines() -> Iterator[object]:
    yield LASTS
    yield f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n"
    yield HEAD
    for one in BESIDE:
        yield from one.rows()
    for one in ALONE:
        yield ""
        yield from one.rows()
    yield ""
    yield from table.rows(list(SCENARIOS))


if __name__ == "__main__":  # the processes that share the scenarios import this module too
    sys.exit(main())
