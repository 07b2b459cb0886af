"""`make bench`: every comparison of this folder, cheap ones first. Recorded queues are not ours to ship: see `bench.recorded`."""

import os
import platform
import sys
from collections.abc import Iterator

from bench import boards, codecs, forecast, packs, poison, serial, spool, street, telling
from bench.waiting import table
from bench.waiting.scenarios import SCENARIOS

LASTS = "Some twenty minutes on two cores: six until the forecast, a minute for it, the rest for the waiting time."


def main() -> int:
    """Print the tables as they come."""
    for line in _lines():
        print(line, flush=True)
    return 0


def _lines() -> Iterator[object]:
    yield LASTS
    yield f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    yield "\n| ours | beside | ratio (median) | range |\n|---|---|---|---|"
    yield from packs.rows()
    yield from spool.rows()
    yield ""
    yield from codecs.rows()
    yield ""
    yield from serial.rows()
    yield ""
    yield from street.rows()
    yield ""
    yield from poison.rows()
    yield ""
    yield from boards.rows()
    yield ""
    yield from forecast.rows()
    yield ""
    yield "| what the api thinks about | CPU, ms (median) | range |\n|---|---|---|"
    yield from telling.rows()
    yield ""
    yield from table.rows(list(SCENARIOS))


if __name__ == "__main__":  # the processes that share the scenarios import this module too
    sys.exit(main())
