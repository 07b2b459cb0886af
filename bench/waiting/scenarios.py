"""The yards and days on which the estimate is tried."""

import datetime as dt
import math
from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from hoflicht.catalogue import City, Gateway, Hours, Role, Sensor, Yard
from hoflicht.days import WEEKDAYS
from hoflicht.hours import OpenPeriod
from simulators import demand
from simulators.outages import Outage
from simulators.yard import Law

YARD, GATEWAY = "hof", "gw-hof"
SATURDAY, MONDAY = dt.date(2026, 11, 28), dt.date(2026, 11, 23)
OUT_MIN = 20.0
BUSY_H = (2.0, 7.5)  # hours after the opening between which troubles begin: there is a queue then
MISSED, DOUBLED = 0.75, 0.25  # of miscounts: cars close behind each other are more frequent than trailers

LANE = {
    "lane-in": Sensor(role=Role.LANE_ENTRY),
    "lane-3": Sensor(role=Role.LANE, position_m=3),
    "lane-50": Sensor(role=Role.LANE, position_m=50),
    "lane-120": Sensor(role=Role.LANE, position_m=120),
}
EXIT = {"gate-out": Sensor(role=Role.YARD_EXIT)}
CONTROL = {"gate-in": Sensor(role=Role.ENTRY_CONTROL)}
BAYS = {f"bay-{n}": Sensor(role=Role.BAY) for n in range(1, 5)}
SATURDAYS = Hours(weekly={"sat": "08:00-18:00"}, last_entry_before_min=30)
BASE = Yard(name="Hof", address="", lat=0, lon=0, hours=SATURDAYS, sensors=LANE | EXIT, bays=4, usual_entries_per_hour=30.0)

# A car is let in as soon as a bay is free; bays close one after the other for lunch, half an hour each.
CLEAN = Law(
    trailers=0.0,
    spare_places=0,
    early_s=0.0,
    roll_s=0.0,
    spread_m=1.0,
    missed=0.0,
    doubled=0.0,
    ports=True,
    changes_per_day=0.0,
    holds_per_day=0.0,
    lunch_min=30.0,
    patience_min=60.0,
)
STEADY = replace(CLEAN, lunch_min=0.0, patience_min=math.inf)

Demand = Callable[[Sequence[OpenPeriod], float], demand.Load]


class Scenario(msgspec.Struct, frozen=True):
    """One row of the table."""

    law: Law = CLEAN
    yard: Yard = BASE
    load: Demand = demand.rush
    on: dt.date = SATURDAY  # the scored day, or the first of a stretch of them
    learnt: int = 8  # so many weeks before, what was on that day is learnt from
    out: Outage | None = None  # on the scored day; when, is drawn
    stops: bool = False  # on the scored day the yard stands once
    prior: tuple[float, ...] = (1.0,)  # by what the catalogue's usual entries are wrong, by seed in turn

    def city(self, seed: int) -> City:
        """What the estimate is told of the yard."""
        told = replace(self.yard, usual_entries_per_hour=self.yard.usual_entries_per_hour * self.prior[seed % len(self.prior)])
        return City(name="", yards={YARD: told}, gateways={GATEWAY: Gateway(sites=(YARD,))})


def _late(periods: Sequence[OpenPeriod], phase: float) -> demand.Load:
    """The second peak comes two hours later: at the last entry cars are turned away."""
    usual = demand.rush(periods, phase)
    return lambda at_ms: usual(at_ms - 2 * 3_600_000)


def _constant(_periods: Sequence[OpenPeriod], _phase: float) -> demand.Load:
    return demand.constant(0.9)


def _counting(law: Law, share_in: float, share_out: float) -> Law:
    """With so large a share of miscounts before and behind the lane."""
    return replace(
        law,
        missed=share_in * MISSED,
        doubled=share_in * DOUBLED,
        missed_out=share_out * MISSED,
        doubled_out=share_out * DOUBLED,
    )


ONE_LANE_SENSOR = {name: LANE[name] for name in ("lane-in", "lane-3")}
NO_LANE_SENSOR = {"lane-in": LANE["lane-in"]}
GATE = {"barrier": Sensor(role=Role.GATE)}
SECOND_ENTRANCE = {"lane-in-2": Sensor(role=Role.LANE_ENTRY)}
ALL_SATURDAY = replace(BASE, hours=Hours(weekly={"sat": "00:00-24:00"}))  # long enough to forget that it began empty
ALL_WEEK = replace(BASE, hours=Hours(weekly=dict.fromkeys(WEEKDAYS, "00:00-24:00")), sensors=ONE_LANE_SENSOR | EXIT)
# Three to six people over the day; each bay takes nine minutes a car, so that four and a half of them let in the usual 30.
ROSTER = ((0.0, 3), (1.5, 5), (4.0, 3), (5.0, 6), (8.0, 4))
USUALLY = _counting(CLEAN, 0.02, 0.02)

SCENARIOS: dict[str, Scenario] = {
    "mm4": Scenario(replace(STEADY, sigma=None), ALL_SATURDAY, _constant),
    "mg4": Scenario(STEADY, ALL_SATURDAY, _constant),
    "clean": Scenario(CLEAN),
    "2-percent": Scenario(USUALLY),
    "5-in-2-out": Scenario(_counting(CLEAN, 0.05, 0.02)),
    "2-in-5-out": Scenario(_counting(CLEAN, 0.02, 0.05)),
    "5-percent": Scenario(_counting(CLEAN, 0.05, 0.05)),
    "exit-out-flagged": Scenario(USUALLY, out=Outage(Role.YARD_EXIT, 0.0, OUT_MIN, flagged=True)),
    "exit-out": Scenario(USUALLY, out=Outage(Role.YARD_EXIT, 0.0, OUT_MIN)),
    "entry-out": Scenario(USUALLY, out=Outage(Role.LANE_ENTRY, 0.0, OUT_MIN)),
    "stop": Scenario(USUALLY, stops=True),
    "trailers": Scenario(replace(USUALLY, trailers=0.1)),
    # 330 s of unloading and half of five minutes until the gate opens again are the 480 s of the base.
    "batches": Scenario(replace(USUALLY, every_s=300.0, service_s=330.0)),
    "entry-control": Scenario(USUALLY, replace(BASE, sensors=LANE | CONTROL)),
    "bay-sensors": Scenario(USUALLY, replace(BASE, sensors=LANE | EXIT | BAYS)),
    "no-lane-sensor": Scenario(_counting(CLEAN, 0.05, 0.05), replace(BASE, sensors=NO_LANE_SENSOR | EXIT)),
    "week": Scenario(replace(USUALLY, lunch_min=0.0), ALL_WEEK, demand.usual, MONDAY, learnt=1),
    "cold": Scenario(USUALLY, learnt=0, prior=(1.4, 0.6)),
    "early-queue": Scenario(replace(USUALLY, early_s=2_400.0)),
    "turned-away": Scenario(USUALLY, load=_late),
    "driving-on": Scenario(replace(USUALLY, patience_min=25.0)),
    "giving-up": Scenario(replace(USUALLY, give_up_min=120.0)),
    "containers": Scenario(replace(USUALLY, changes_per_day=4.0)),
    "held-gate": Scenario(replace(USUALLY, holds_per_day=1.0), replace(BASE, sensors=LANE | EXIT | GATE)),
    "other-shape": Scenario(
        replace(USUALLY, lunch_min=0.0, service_s=540.0, roster=ROSTER),
        replace(BASE, sensors=LANE | SECOND_ENTRANCE | EXIT, bays=6),
    ),
}
