"""What a city of some size needs, from the figures and the assumptions in docs/capacity.md: its first table in, its second one out.

`python -m bench.capacity` prints the second table; `python -m bench.capacity 800 3 sim_eur=4.5` one row, for 800 lamps and three
yards with another price of a SIM.
"""

import math
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

DOCUMENT = Path(__file__).parent.parent / "docs" / "capacity.md"
INPUT = re.compile(r"^\| `(\w+)` \| ([\d ]+(?:\.\d+)?) \|", re.MULTILINE)
CITIES = ((0, 1), (100, 1), (500, 4), (1000, 4), (5000, 8))  # lamps and yards
HEAD = (
    "| lamps | yards | gateways | readings a day | processor, % of a core | memory for the hourly task | disk |"
    " mobile data a month | € a month |\n|---|---|---|---|---|---|---|---|---|"
)
DAY_S, MONTH_DAYS, GB = 86_400, 30, 1e9
KEPT_DAYS = 90  # of raw readings (store/hourly.py)
HOURLY_FIELDS = 4  # mean, min, max, count


def inputs(document: Path = DOCUMENT) -> dict[str, float]:
    """The first table of the document."""
    return {name: float(value.replace(" ", "")) for name, value in INPUT.findall(document.read_text(encoding="utf-8"))}


class Needs(NamedTuple):
    """What lamps and yards come to."""

    gateways: int
    readings: float  # a day
    series: float
    disk_gb: float
    data_gb: float  # a month, over mobile networks


def needs(lamps: int, yards: int, told: Mapping[str, float]) -> Needs:
    """What so many take, before what it costs."""
    gateways = math.ceil(lamps / told["lamps_per_gateway"]) + yards
    readings = lamps * told["lamp_readings"] + yards * told["yard_readings"] + gateways * told["gateway_readings"]
    series = lamps * told["lamp_series"] + yards * told["yard_series"] + gateways * told["gateway_series"]
    disk = told["reading_bytes"] * (readings * KEPT_DAYS + series * 24 * 365 * told["hourly_years"] * HOURLY_FIELDS)
    yard_kb = told["yard_kb"] + told["sign_kb"] + told["wait_kb"]
    data_kb = lamps * told["lamp_kb"] + yards * yard_kb + gateways * told["gateway_kb"]
    return Needs(gateways, readings, series, disk / GB, data_kb * told["wire_factor"] * MONTH_DAYS / 1e6)


def row(lamps: int, yards: int, told: Mapping[str, float]) -> str:
    """One row of the second table."""
    needed = needs(lamps, yards, told)
    more_gb = max(0.0, needed.disk_gb - told["server_gb"])
    euro = told["server_eur"] + more_gb * told["gb_eur"] + needed.gateways * told["sim_eur"]
    cells = (
        f"{lamps}",
        f"{yards}",
        f"{needed.gateways}",
        f"{needed.readings:,.0f}".replace(",", " "),
        f"{_processor(needed.readings, needed.series, yards, told):.1f}",
        f"{needed.series * told['task_series_kb'] / 1000:.0f} MB",
        f"{needed.disk_gb:.1f} GB",
        f"{needed.data_gb * 1000:.0f} MB",
        f"{euro:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _processor(readings: float, series: float, yards: int, told: Mapping[str, float]) -> float:
    """In per cent of a core, over a day."""
    takes_s = readings / 1e6 * told["million_cpu_s"] + series * 24 * told["task_series_ms"] / 1000
    estimates_s = yards * DAY_S / 5 * told["instant_ms"] / 1000  # each five seconds at most (api/yards.py)
    return (takes_s + estimates_s) / DAY_S * 100


def rows(told: Mapping[str, float]) -> Iterator[str]:
    """The second table of the document."""
    yield HEAD
    for lamps, yards in CITIES:
        yield row(lamps, yards, told)


def main(argv: list[str]) -> int:
    """Print all rows, or the one that is asked for."""
    told = inputs() | {name: float(value) for name, _, value in (word.partition("=") for word in argv if "=" in word)}
    sizes = [int(word) for word in argv if "=" not in word]
    print("\n".join(rows(told)) if not sizes else f"{HEAD}\n{row(sizes[0], sizes[1], told)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
