"""What cities beyond one server need, and where each part ends, from the figures of docs/capacity.md and docs/scale.md.

`python -m bench.scale` prints the tables of docs/scale.md; `python -m bench.scale 200000 20 sim_eur=2` a column for 200 000 lamps
and 20 yards with another price of a SIM.
"""

import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench import capacity
from bench.capacity import DAY_S, Needs

DOCUMENT = Path(__file__).parent.parent / "docs" / "scale.md"
PLACES = {"one city": (46_000, 4), "the Ruhr, 11 cities": (506_000, 44), "a million lamps": (1_000_000, 88)}  # lamps and yards
MILLION, HOUR_S = 1_000_000, 3_600
KB_PER_GB = 1e6


def inputs() -> dict[str, float]:
    """The first tables of both documents."""
    return capacity.inputs() | capacity.inputs(DOCUMENT)


def column(lamps: int, yards: int, told: Mapping[str, float]) -> dict[str, str]:
    """What such a place needs, by row of the second table."""
    needed = capacity.needs(lamps, yards, told)
    per_s = needed.readings / DAY_S
    ingest, broker, store = (_cores(needed, part, told) for part in ("ingest", "broker", "store"))
    storm = _storm(needed, told)
    task_gb, task_hours = _task(needed, told)
    machines = told["copies"] * math.ceil((max(broker, storm) + ingest + store) / told["full"] / told["machine_cores"])
    euro = {
        "SIMs": needed.gateways * told["sim_eur"],
        "disk": needed.disk_gb * told["copies"] * told["gb_eur"],
        "machines": machines * told["machine_eur"],
    }
    return {
        "gateways": _whole(needed.gateways),
        "readings a second, mean and peak": f"{_whole(per_s)}, {_whole(per_s * told['peak'])}",
        "batches a second, mean": _whole(per_s / told["batch_readings"]),
        "broker: cores at peak": f"{broker:.2f}",
        "broker: cores while all come back": f"{storm:.2f}",
        "broker: connections, GB": f"{needed.gateways * told['connection_kb'] / KB_PER_GB:.1f}",
        "broker: Mosquittos, or cores of a cluster": _whole(math.ceil(max(broker, storm) / told["full"])),
        "ingest: cores at peak": f"{ingest:.2f}",
        "ingest: workers": _whole(math.ceil(ingest / told["full"])),
        "ingest: memory of each, GB": f"{(told['ingest_mb'] + lamps * told['ingest_lamp_kb'] / 1000) / 1000:.2f}",
        "store: cores at peak": f"{store:.2f}",
        "store: series": _whole(needed.series),
        "store: hourly task, GB and share of the hour": f"{task_gb:.0f}, {100 * task_hours:.0f} %",
        "store: disk, TB a copy": f"{needed.disk_gb / 1000:.1f}",
        "mobile data, GB a month": _whole(needed.data_gb),
        "€ a month: SIMs": _whole(euro["SIMs"]),
        "€ a month: disk": _whole(euro["disk"]),
        "€ a month: machines": f"{_whole(euro['machines'])} ({machines:.0f})",
        "€ a month and lamp": f"{sum(euro.values()) / lamps:.2f}",
    }


def limits(told: Mapping[str, float]) -> dict[str, float]:
    """From how many lamps on a part is full, the first one first; yards do not count."""
    one = capacity.needs(MILLION, 0, told)
    task_gb, task_hours = _task(one, told)
    shares = {
        "hourly task: memory of one InfluxDB": task_gb / told["task_gb"],
        "hourly task: an hour of one core": task_hours,
        "one Mosquitto: all come back after an outage": _storm(one, told) / told["full"],
        "one Mosquitto: readings at peak": _cores(one, "broker", told) / told["full"],
        "one ingest worker: readings at peak": _cores(one, "ingest", told) / told["full"],
        "one InfluxDB: readings at peak": _cores(one, "store", told) / told["full"] / told["machine_cores"],
        "ports of one address before the broker": one.gateways / told["ports"],
    }
    ends = {part: MILLION / share for part, share in shares.items()}
    return dict(sorted(ends.items(), key=lambda end: end[1]))


def _cores(needed: Needs, part: str, told: Mapping[str, float]) -> float:
    """At the peak."""
    return needed.readings / DAY_S * told["peak"] * told[f"{part}_million_cpu_s"] / 1e6


def _storm(needed: Needs, told: Mapping[str, float]) -> float:
    """Cores, while all gateways come back."""
    return needed.gateways * told["connect_ms"] / 1000 / told["storm_s"]


def _task(needed: Needs, told: Mapping[str, float]) -> tuple[float, float]:
    """GB and hours of a core for an hour's values."""
    return needed.series * told["task_series_kb"] / KB_PER_GB, needed.series * told["task_series_ms"] / 1000 / HOUR_S


def rows(told: Mapping[str, float]) -> Iterator[str]:
    """The second table of the document."""
    yield from _table({name: column(lamps, yards, told) for name, (lamps, yards) in PLACES.items()})


def ends(told: Mapping[str, float]) -> Iterator[str]:
    """The third table of the document."""
    yield "| full first | lamps |\n|---|---|"
    for part, lamps in limits(told).items():
        yield f"| {part} | {_whole(round(lamps, -3))} |"


def main(argv: list[str]) -> int:
    """Print the tables, or a column for what is asked for."""
    told = inputs() | {name: float(value) for name, _, value in (word.partition("=") for word in argv if "=" in word)}
    sizes = [int(word) for word in argv if "=" not in word]
    if sizes:
        print("\n".join(_table({f"{sizes[0]} lamps, {sizes[1]} yards": column(sizes[0], sizes[1], told)})))
    else:
        print("\n".join([*rows(told), "", *ends(told)]))
    return 0


def _table(columns: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    yield f"| | {' | '.join(columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    for name in next(iter(columns.values())):
        yield f"| {name} | {' | '.join(column[name] for column in columns.values())} |"


def _whole(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
