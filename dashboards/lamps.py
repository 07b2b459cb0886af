"""The board of the street lamps: who fails, what the street burns, and one lamp in detail."""

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.influxql import Query, chosen, last, over_time, total
from dashboards.panels import RED, YELLOW, bars, board, choice, lines, numbers, place, rows, steps, unit_of

UID = "hoflicht-lamps"
LAMP = {"site": chosen("lamp"), "sensor": "driver"}
DRIVER = {"sensor": "driver"}  # of a lamp
METER = {"sensor": "meter"}  # of a feeder cabinet
NIGHT = "1d, 12h"  # InfluxQL: days that begin at noon UTC, so that a night falls into one of them
REPORTS = "5m"  # every lamp speaks at least so often; a sum over a finer step would hold half the street
LEVELS = {"level_target": "target", "level_feedback": "feedback", "level_actual": "actual"}


def lamps() -> Dashboard:
    """The street, then one lamp."""
    meaning = "Failures, light levels, power and energy of the street lamps."
    empty = board(UID, "Street lamps", meaning, start="now-48h").with_variable(choice("lamp", "lamp", "level_actual"))
    return place(empty, [_failing(), _failures(), _failed(), _levels(), _power(), _energy(), _lamp(), _lamp_power()])


def _failing() -> stat.Panel:
    return numbers(
        "Lamps that do not light",
        "Lamps whose last word was: I do not light although I should. One waits for the next round; from five on look for a cable.",
        unit_of("lamp_failure"),
        [Query(f'SELECT sum("lamp_failure") FROM ({last("lamp_failure", by=["site"])})', "lamps")],
        limits={1: YELLOW, 5: RED},
    )


def _failures() -> timeseries.Panel:
    return lines(
        "Failing lamps",
        "How many at each moment. A step is a cable, a fuse or a cabinet; a slope is age.",
        unit_of("lamp_failure"),
        [Query(total("lamp_failure", 'max("value")'), "lamps")],
    ).interval(REPORTS)


def _failed() -> table.Panel:
    return rows(
        "Where",
        "The failing lamps, with the age of their last word.",
        unit_of("lamp_failure"),
        [
            Query(
                f'SELECT "lamp_failure" FROM ({last("lamp_failure", by=["site"])}) WHERE "lamp_failure" > 0 GROUP BY "site"',
                table=True,
            )
        ],
    )


def _levels() -> timeseries.Panel:
    return steps(
        "Light level of the street",
        "Mean of all lamps: what was asked for, what the gateways sent, what the drivers report. Where the three part, "
        "orders do not arrive or lamps do not obey.",
        unit_of("level_actual"),
        [Query(over_time(quantity, 'mean("value")'), name) for quantity, name in LEVELS.items()],
    )


def _power() -> timeseries.Panel:
    return lines(
        "Power of the street",
        "The sum that the lamps report, beside what the cabinets measure. The meter above the sum is loss, a lamp that does not "
        "report, or somebody else on the cable; power by day is a lamp that burns for nothing.",
        unit_of("active_power"),
        [
            Query(total("active_power", 'mean("value")', DRIVER), "sum of the lamps"),
            Query(over_time("active_power", 'mean("value")', METER, ["site"]), "meter $tag_site"),
        ],
    ).interval(REPORTS)


def _energy() -> timeseries.Panel:
    return bars(
        "Energy per night",
        "By the cabinets' meters, from noon to noon (UTC). Choose a span of two weeks or more to compare nights.",
        unit_of("energy_import"),
        [
            Query(
                over_time("energy_import", 'non_negative_difference(last("value"))', METER, ["site"], step=NIGHT, fill="none"),
                "$tag_site",
            )
        ],
        width=24,
    )


def _lamp() -> timeseries.Panel:
    return steps(
        "Light level of one lamp",
        "Target is what was asked for, feedback what the gateway sent, actual what the driver reports.",
        unit_of("level_actual"),
        [Query(over_time(quantity, 'last("value")', LAMP), name) for quantity, name in LEVELS.items()],
    )


def _lamp_power() -> timeseries.Panel:
    return lines(
        "Power of one lamp",
        "Follows the level. Power without light is a failed module, light without power a failed sensor.",
        unit_of("active_power"),
        [Query(over_time("active_power", 'mean("value")', LAMP), "power")],
    )
