"""The board of one lamp: what it shall do and why, what it does, what it used, what is wrong with it."""

from grafana_foundation_sdk.builders import stat, statetimeline, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import uids
from dashboards.board import board, choice, marks, place
from dashboards.influxql import Query, chosen, growth, last, marked, over_time, said
from dashboards.panels import BLUE, GREEN, GREY, RED, YELLOW, Limits, in_unit, lines, numbers, on_the_right, states, steps, unit_of
from dashboards.parts import Scope
from hoflicht.faults import FAULTS
from hoflicht.shadow import Reason

SITE = {"site": chosen("lamp")}
LAMP = {**SITE, "sensor": "driver"}
OF_LAMPS = {quantity: fault for quantity, fault in FAULTS.items() if quantity != "cabinet_door_open"}
RECENT = "time > now() - 26h"  # what hardly changes is told every hour; a lamp that is silent for a day is missed anyway
LEVELS = {"level_target": "target", "level_feedback": "feedback", "level_actual": "actual"}
REASONS = {
    Reason.FAILSAFE: ("failsafe", RED),
    Reason.PROGRAM: ("program", GREEN),
    Reason.SENSOR: ("sensor", BLUE),
    Reason.OVERRIDE: ("override", YELLOW),
}
LIFE: Limits = {0: RED, 20: GREEN}  # percent
HOT: Limits = {75: YELLOW, 85: RED}  # °C inside the driver, as edge.faults has them


def lamp(_: Scope) -> Dashboard:
    """One lamp."""
    empty = board(uids.LAMP, "One lamp: level and reason, power, energy, wear and faults.", start="now-24h", links=[uids.LAMPS])
    empty.with_variable(choice("lamp", "lamp", "level_actual"))
    empty.annotation(marks("fault begins", RED, marked(FAULTS, SITE), "site"))
    empty.annotation(marks("seen by staff", BLUE, said(FAULTS, SITE), "site"))
    panels = [_facts(), _wear(), _levels(), _reasons(), _faults(), _power(), _inside()]
    return place(empty, panels)


def _facts() -> stat.Panel:
    return numbers(
        "Energy in view",
        "By the driver's own meter, in the span of time that the board shows.",
        unit_of("energy_import"),
        [Query(growth("energy_import", LAMP), "energy")],
        width=6,
    )


def _wear() -> stat.Panel:
    panel = numbers(
        "Wear",
        "Hours burnt, times switched on, and how much of the rated life is left, by hours or by starts, whichever is less. "
        "Many starts for few hours are a contact that is loose or a sensor that flutters.",
        unit_of("operating_hours"),
        [
            Query(last("operating_hours", LAMP, since=RECENT), "hours burnt"),
            Query(last("lamp_starts", LAMP, since=RECENT), "starts"),
            Query(last("life_left", LAMP, since=RECENT), "life left"),
        ],
        width=18,
    )
    return in_unit(in_unit(panel, "starts", unit_of("lamp_starts")), "life left", unit_of("life_left"), LIFE)


def _levels() -> timeseries.Panel:
    return steps(
        "Light level of one lamp",
        "Target is what was asked for, feedback what the gateway sent, actual what the driver reports. Where target and "
        "feedback part, the gateway holds something back; where feedback and actual part, the lamp does not obey.",
        unit_of("level_actual"),
        [Query(over_time(quantity, 'last("value")', LAMP, fill="previous"), name) for quantity, name in LEVELS.items()],
    )


def _reasons() -> statetimeline.Panel:
    return states(
        "Why it burns so",
        "Program: calendar and sun. Sensor: traffic or weather raised it. Override: somebody asked for it, until it expires. "
        "Failsafe: the gateway has neither program nor clock, and gives full light when it is dark.",
        [Query(over_time("light_reason", 'last("value")', LAMP, fill="previous"), "reason")],
        {reason.value: word for reason, word in REASONS.items()},
        width=12,
    )


def _faults() -> statetimeline.Panel:
    return states(
        "Faults",
        "Each fault that the lamp, or the platform on its behalf, has told of; red needs somebody soon.",
        [Query(over_time(quantity, 'max("value")', SITE, fill="previous"), fault.en) for quantity, fault in OF_LAMPS.items()],
        {0: ("well", GREY), 1: ("fault", RED)},
    )


def _power() -> timeseries.Panel:
    return lines(
        "Power of one lamp",
        "Follows the level. Power without light is a failed module, light without power a failed sensor.",
        unit_of("active_power"),
        [Query(over_time("active_power", 'mean("value")', LAMP, fill="previous"), "power")],
    )


def _inside() -> timeseries.Panel:
    panel = lines(
        "Inside the driver",
        "Temperature, and the mains voltage on the right. Heat that rises over weeks is a dirty or a broken heat sink.",
        unit_of("temperature"),
        [
            Query(over_time("temperature", 'mean("value")', LAMP, fill="previous"), "temperature"),
            Query(over_time("voltage", 'mean("value")', LAMP, fill="previous"), "mains voltage"),
        ],
        limits=HOT,
    )
    return on_the_right(panel, "mains voltage", unit_of("voltage"))
