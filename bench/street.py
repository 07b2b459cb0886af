"""A street's light through a year: what programs take, and who finds less light than a main street asks for.

The real `decide` at each tick at which anything changes; between two of them the level is a straight line, so the energy is exact.
`python -m bench.street --plot night.svg` draws a night, and the energy of the year.
"""

import argparse
import bisect
import datetime as dt
import random
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from edge.dimming import Decision, Senses, decide
from edge.night import stages
from hoflicht.catalogue import City, Energy
from hoflicht.program import Program, floor_percent
from hoflicht.shadow import Duty
from hoflicht.sky import Place, dusk_and_dawn
from simulators.street import STANDBY_W, Street
from simulators.walkers import walkers

PLACE = Place(51.43, 6.76, "Europe/Berlin")
DUTY = Duty(program="of the street", lighting_class="M3")
EVENINGS = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(365)]
HOUR_MS = 3_600_000
TICK_MS = 250  # a gateway decides so often
LIT_WITHIN_MS = 2_000
SEED = 1
ALWAYS, PART_NIGHT, ADAPTIVE = (
    msgspec.toml.decode(text, type=Program)
    for text in (
        'periods = [{ steps = [{ at = "dusk", lighting_class = "M3" }] }]',
        """
        [[periods]]
        steps = [
          { at = "dusk", lighting_class = "M3" },
          { at = "23:00", lighting_class = "M5" },
          { at = "05:30", lighting_class = "M3" },
        ]""",
        """
        traffic = { lighting_class = "M3", hold_s = 45 }
        [[periods]]
        steps = [
          { at = "dusk", lighting_class = "M4" },
          { at = "23:00", lighting_class = "M5" },
          { at = "05:30", lighting_class = "M4" },
        ]""",
    )
)
PROGRAMS: Mapping[str, tuple[Program, int]] = {  # and how many times the simulated traffic
    "always on": (ALWAYS, 1),
    "part-night": (PART_NIGHT, 1),
    "adaptive": (ADAPTIVE, 1),
    "adaptive, five times the traffic": (ADAPTIVE, 5),
}
# Which share the radar at the post misses. Counters of cars miss 1 to 5 of a hundred; of people on foot it is our guess.
CARS_MISSED, WALKERS_MISSED = 0.03, 0.1
LAMPS, ROUNDS = 1_000, 40  # of the measured decisions: ten seconds of a gateway with so many lamps


class Passer(NamedTuple):
    """Somebody who comes into the radar's sight, or would."""

    at_ms: int
    is_seen: bool


class Moment(NamedTuple):
    """A tick, and what was decided at it."""

    at_ms: int
    decision: Decision


class Totals(msgspec.Struct):
    """Of a year, or of some nights."""

    kwh: float = 0.0
    dark_h: float = 0.0
    class_h: dict[str, float] = {}
    passed: int = 0
    lit: int = 0


def rows() -> Iterator[str]:
    """The year of each program, and what a decision costs."""
    return told(years())


def years() -> dict[str, Totals]:
    """The year of each program."""
    nights = {times: [passers(evening, times) for evening in EVENINGS] for times in {times for _, times in PROGRAMS.values()}}
    return {name: year(program, nights[times]) for name, (program, times) in PROGRAMS.items()}


def told(lived: Mapping[str, Totals]) -> Iterator[str]:
    """What a person reads of them."""
    energy = Energy()
    yield "| program | kWh a lamp and year | saved | M3, h | M4, h | M5, h | found M3 within 2 s |"
    yield "|---|---|---|---|---|---|---|"
    dark_h = lived["always on"].dark_h
    before_kwh = dark_h * energy.baseline_power_w / 1_000
    yield f"| {energy.baseline_power_w:.0f} W from dusk to dawn | {before_kwh:.0f} | | {dark_h:.0f} | | | |"
    for name, of in lived.items():
        hours = " | ".join(f"{of.class_h.get(kept, 0.0):.0f}" for kept in ("M3", "M4", "M5"))
        yield f"| {name} | {of.kwh:.0f} | {1 - of.kwh / before_kwh:.0%} | {hours} | {of.lit / of.passed:.1%} of {of.passed} |"
    cost_us = decision_us()
    core = cost_us * LAMPS / (1_000 * TICK_MS)
    yield f"\nA decision takes {cost_us:.1f} µs of processor time; for {LAMPS} lamps, four times a second, {core:.1%} of a core."


def year(program: Program, nights: Sequence[Sequence[Passer]], evenings: Sequence[dt.date] = EVENINGS) -> Totals:
    """A lamp under `program`, night by night."""
    totals = Totals()
    for evening, passing in zip(evenings, nights, strict=True):
        add(totals, program, list(moments(program, ticks(program, evening, passing), passing)), passing)
        totals.kwh += STANDBY_W * (24 - _dark_h(program, evening)) / 1000
    return totals


def passers(evening: dt.date, times: int) -> list[Passer]:
    """Who comes by between dusk and dawn, where `times` streets have their traffic."""
    start_ms, end_ms = (1_000 * at_s for at_s in dusk_and_dawn(PLACE, evening, Program().sun_deg))
    street, zone = Street(City(name="Duisburg"), SEED), ZoneInfo(PLACE.zone)
    rng = random.Random(f"{SEED}/missed/{evening}")
    found = list[Passer]()
    for n in range(times):
        found += (Passer(each.at_ms, rng.random() >= CARS_MISSED) for each in street.traffic(f"{n}", start_ms, end_ms))
        found += (Passer(each.at_ms, rng.random() >= WALKERS_MISSED) for each in walkers(SEED, f"{n}", start_ms, end_ms, zone))
    return sorted(found)


def ticks(program: Program, evening: dt.date, passing: Sequence[Passer]) -> list[int]:
    """The ticks around every change: the last one before, the first one after, and the one at which its ramp has ended."""
    up_ms, down_ms = round(1_000 * program.ramp_up_s), round(1_000 * program.ramp_down_s)
    dusk_s, dawn_s = dusk_and_dawn(PLACE, evening, program.sun_deg)
    stages_ms = [stage.at_ms for stage in stages(program, evening, PLACE) or ()]
    comings, goings = _visits(program, passing)
    ups, downs = [1_000 * dusk_s, *stages_ms, *comings], [1_000 * dawn_s, *stages_ms, *goings]
    return sorted({*_around(ups, up_ms), *_around(downs, down_ms)})


def _visits(program: Program, passing: Sequence[Passer]) -> tuple[list[int], list[int]]:
    """When traffic begins to count after nobody was there, and when it ends."""
    seen = [each.at_ms for each in passing if each.is_seen]
    if program.traffic is None or not seen:
        return [], []
    hold_ms = round(1_000 * program.traffic.hold_s)
    gaps = [(before, after) for before, after in pairwise(seen) if after - before >= hold_ms]
    return [seen[0], *(after for _, after in gaps)], [*(before + hold_ms for before, _ in gaps), seen[-1] + hold_ms]


def _around(changes: Iterable[int], ramp_ms: int) -> Iterator[int]:
    for change in changes:
        tick = -(-change // TICK_MS) * TICK_MS
        yield from (tick - TICK_MS, tick, tick + ramp_ms)


def moments(program: Program, at: Sequence[int], passing: Sequence[Passer]) -> Iterator[Moment]:
    """What is decided at each of these ticks."""
    seen = [each.at_ms for each in passing if each.is_seen]
    memory = None
    for tick in at:
        n = bisect.bisect_right(seen, tick)
        ago_s = (tick - seen[n - 1]) / 1_000 if n else float("inf")
        decision = decide(tick, tick, PLACE, DUTY, program, Senses(None, float("inf"), ago_s), None, memory)
        memory = decision.memory
        yield Moment(tick, decision)


def add(totals: Totals, program: Program, night: Sequence[Moment], passing: Sequence[Passer]) -> None:
    """Count a night: energy, hours in each class, and who found M3."""
    for before, after in pairwise(night):
        hours = (after.at_ms - before.at_ms) / HOUR_MS
        totals.kwh += DUTY.nominal_power_w * hours * _mean_percent(program, before, after) / 100_000
        if after.decision.target:
            totals.dark_h += hours
            kept = _kept(after.decision.target)
            totals.class_h[kept] = totals.class_h.get(kept, 0.0) + hours
    starts = [moment.at_ms for moment in night]
    for each in passing:
        at_ms = each.at_ms + LIT_WITHIN_MS
        n = bisect.bisect_right(starts, at_ms)
        if 0 < n < len(night):
            totals.passed += 1
            totals.lit += _kept(_percent_at(program, night[n - 1], night[n], at_ms)) == "M3"


def _kept(percent: float) -> str:
    return next((name for name in ("M3", "M4", "M5") if percent >= floor_percent(name, DUTY.lighting_class)), "less")


def decision_us() -> float:
    """CPU time of a decision, a thousand lamps four times a second."""
    start_ms = round(dt.datetime(2026, 11, 26, 23, 30, tzinfo=dt.UTC).timestamp() * 1_000)
    memory = None
    started = time.process_time()
    for tick in range(start_ms, start_ms + ROUNDS * TICK_MS, TICK_MS):
        senses = Senses(3.0, float("inf"), (tick - start_ms) / 1_000)
        for _ in range(LAMPS):
            memory = decide(tick, tick, PLACE, DUTY, ADAPTIVE, senses, None, memory).memory
    return 1e6 * (time.process_time() - started) / LAMPS / ROUNDS


def _dark_h(program: Program, evening: dt.date) -> float:
    dusk_s, dawn_s = dusk_and_dawn(PLACE, evening, program.sun_deg)
    return (dawn_s - dusk_s) / 3_600


def _ramp_ms(program: Program, before: Moment, after: Moment) -> float:
    """How long the level is on its way from one moment's to the other's."""
    change = after.decision.percent - before.decision.percent
    return abs(change) / 100 * 1_000 * (program.ramp_up_s if change > 0 else program.ramp_down_s)


def _mean_percent(program: Program, before: Moment, after: Moment) -> float:
    share = _ramp_ms(program, before, after) / (after.at_ms - before.at_ms)
    return share * (before.decision.percent + after.decision.percent) / 2 + (1 - share) * after.decision.percent


def _percent_at(program: Program, before: Moment, after: Moment, at_ms: int) -> float:
    ramp_ms = _ramp_ms(program, before, after)
    share = min(1.0, (at_ms - before.at_ms) / ramp_ms) if ramp_ms else 1.0
    return before.decision.percent + share * (after.decision.percent - before.decision.percent)


def main(argv: Sequence[str]) -> int:
    """Print the table; draw a night where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    asked = parser.parse_args(argv)
    lived = years()
    for row in told(lived):
        print(row)
    if asked.plot:
        kwh = {name: of.kwh for name, of in lived.items()}
        asked.plot.write_text(drawn(dt.date(2026, 11, 26), kwh), encoding="utf-8")
    return 0


# The drawing: a library for it would be larger than all the rest of the bench

WIDTH, HEIGHT, LEFT, TOP, BAR = 960, 120, 90, 24, 50
COLOURS = {"always on": "#888", "part-night": "#06c", "adaptive": "#c50"}


def drawn(evening: dt.date, kwh: Mapping[str, float]) -> str:
    """A night of three programs as SVG: the level over time, a tick for whoever passes; and beside it the energy of the year."""
    passing = passers(evening, 1)
    start_ms, end_ms = (1_000 * at_s for at_s in dusk_and_dawn(PLACE, evening, Program().sun_deg))
    scale = WIDTH / (end_ms - start_ms)
    parts = list[str]()
    for n, (name, colour) in enumerate(COLOURS.items()):
        program, _ = PROGRAMS[name]
        bottom = TOP + (n + 1) * HEIGHT
        night = list(moments(program, ticks(program, evening, passing), passing))
        points = " ".join(
            f"{LEFT + (at_ms - start_ms) * scale:.1f},{bottom - decision.percent * 0.9:.1f}" for at_ms, decision in night
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/><text x="4" y="{bottom - 4}">{name}</text>')
        high, right = 90 * kwh[name] / max(kwh.values()), LEFT + WIDTH + 10
        parts.append(f'<rect x="{right}" y="{bottom - high:.1f}" width="{BAR}" height="{high:.1f}" fill="{colour}"/>')
        parts.append(f'<text x="{right + BAR + 6}" y="{bottom - 4}">{kwh[name]:.0f} kWh a year</text>')
    foot = TOP + 3 * HEIGHT + 12
    parts += (
        f'<path d="M{LEFT + (each.at_ms - start_ms) * scale:.1f} {foot}v8" stroke="#000" stroke-width=".5"/>' for each in passing
    )
    for hour_ms in range(-(-start_ms // HOUR_MS) * HOUR_MS, end_ms, HOUR_MS):
        hour = dt.datetime.fromtimestamp(hour_ms / 1000, ZoneInfo(PLACE.zone)).hour
        parts.append(f'<text x="{LEFT + (hour_ms - start_ms) * scale:.0f}" y="{foot + 24}" text-anchor="middle">{hour}</text>')
    size = f'viewBox="0 0 {LEFT + WIDTH + BAR + 120} {foot + 32}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">{"".join(parts)}</svg>\n'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
