"""The board of the street lamps: who fails, how bright the street is, who wears out; of all lamps or of one part of the city."""

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import parts, uids
from dashboards.board import address, board, look, place
from dashboards.faults import not_lit, open_faults, where
from dashboards.influxql import Query, grown, hourly, of_all, over_time
from dashboards.influxql import last as newest
from dashboards.lamp import LEVELS, RECENT
from dashboards.panels import GREEN, GREY, RED, YELLOW, Limits, in_colour, lines, numbers, rows, steps, unit_of
from dashboards.parts import IN_PART, Scope

DRIVER = {"sensor": "driver", **IN_PART}  # of a lamp
METER = {"sensor": "meter", **IN_PART}  # of a feeder cabinet
ALIVE = "time > now() - 15m"  # a lamp tells its level every five minutes at least
SELDOM = "1h"  # what lasts is told again so often: a step must not be finer, or it would hold half the street
WORN = 20  # percent of the rated life; at some 4 000 hours of darkness a year and 100 000 rated, that is five years ahead
SEVERAL: Limits = {1: YELLOW, 5: RED}


def lamps(scope: Scope) -> Dashboard:
    """The street."""
    meaning = "Failures, light levels and wear of the street lamps."
    empty = board(uids.LAMPS, meaning, start="now-48h", links=[uids.LAMP, uids.ENERGY, uids.CITY])
    empty.with_variable(parts.choice_of_part(scope.city)).with_variable(parts.bucket(scope.bucket))
    panels = [_now(), _failures(), open_faults(IN_PART, 12), where(IN_PART, scope.city, 12), _levels(), _power(), _worn()]
    return place(empty, panels)


def _now() -> stat.Panel:
    level = newest("level_actual", DRIVER, ["site"], since=ALIVE)
    panel = numbers(
        "Lamps now",
        "By their last word. One that does not light waits for the next round; from five on look for a cable. Nothing is "
        "heard: neither the lamp nor its cabinet has said anything for half an hour, though the gateway does.",
        unit_of("lamp_failure"),
        [
            Query(of_all('count("level_actual")', level, '"level_actual" > 0', since=ALIVE), "burning"),
            Query(of_all('count("level_actual")', level, '"level_actual" = 0', since=ALIVE), "dark"),
            *not_lit(IN_PART),
        ],
        limits=SEVERAL,
    )
    return in_colour(in_colour(panel, "burning", GREEN), "dark", GREY)


def _failures() -> timeseries.Panel:
    return lines(
        "Failing lamps",
        "How many in each hour. A step is a cable, a fuse or a cabinet; a slope is age.",
        unit_of("lamp_failure"),
        [
            Query(over_time(hourly("lamp_failure"), 'sum("max")', DRIVER), "do not light"),
            Query(over_time(hourly("lamp_unexpected_on"), 'sum("max")', DRIVER), "burn by day"),
        ],
        width=24,
    ).interval(SELDOM)


def _levels() -> timeseries.Panel:
    return steps(
        "Light level of the street",
        "Mean of all lamps, hour by hour: what was asked for, what the gateways sent, what the drivers report. Where the "
        "three part, orders do not arrive or lamps do not obey.",
        unit_of("level_actual"),
        [Query(over_time(hourly(quantity), 'mean("value")', DRIVER), name) for quantity, name in LEVELS.items()],
    ).interval(SELDOM)


def _power() -> timeseries.Panel:
    return lines(
        "Energy by the hour",
        "What the lamps have counted, beside what the cabinets measure; a kilowatt-hour in an hour is a kilowatt. The meter "
        "above the sum is loss, a lamp that does not report, or somebody else on the cable; energy by day is a lamp that "
        "burns for nothing.",
        unit_of("energy_import"),
        [
            Query(grown("energy_import", DRIVER, step=SELDOM), "sum of the lamps"),
            Query(grown("energy_import", METER, step=SELDOM), "meter"),
        ],
    )


def _worn() -> table.Panel:
    return rows(
        "Lamps near their end",
        "Rated life that is left, by burn hours or by starts, where it is below a fifth: order in good time. A lamp may burn "
        "longer, but with less light than the street was planned for.",
        unit_of("life_left"),
        [
            Query(
                of_all(
                    '"life_left"',
                    newest("life_left", DRIVER, ["site"], since=RECENT),
                    f'"life_left" < {WORN}',
                    ["site"],
                    since=RECENT,
                ),
                table=True,
            )
        ],
        names={"life_left": "life left"},
        width=24,
    ).data_links(look("Look at this lamp", address(uids.LAMP, "lamp")))
