"""Panels of what is wrong with lamps and cabinets, for the boards of the city and of the street."""

from grafana_foundation_sdk.builders import bargauge, table

from dashboards import uids
from dashboards.board import address, look
from dashboards.influxql import Query, Where, last, newest_of, of_all
from dashboards.panels import RED, YELLOW, numbered, ranking, rows, transformed, unit_of
from dashboards.places import MIXED, Places, grouped, kept, lamps_of, one_row_a_site, only
from hoflicht.catalogue import City
from hoflicht.faults import FAULTS

# What lasts is told again every hour by the lamp, and every day by the api that misses it.
LASTING = "time > now() - 25h"
FAULT_WORDS = {
    "lamp_failure": "does not light",
    "lamp_unexpected_on": "burns by day",
    "cycling_failure": "goes on and off",
    "dimming_failure": "does not dim",
    "lamp_power_too_high": "too much power",
    "lamp_power_too_low": "too little power",
    "supply_loss": "no mains",
    "high_temperature": "too hot",
    "control_gear_comm_failure": "driver is silent",
    "cabinet_door_open": "cabinet door open",
    "communication_failure": "not heard of",
}


def not_lit(where: Where) -> list[Query]:
    """How many do not light, and how many are not heard of."""
    return [_count("lamp_failure", where), _count("communication_failure", where)]


def open_faults(where: Where, width: int) -> bargauge.Panel:
    """How many there are of each kind."""
    return ranking(
        "Open faults by kind",
        "How many lamps and cabinets have each fault now. Tonight somebody must go where lamps do not light, a whole line "
        "has no mains, or a cabinet's door is open; the others can wait for the next round.",
        unit_of("lamp_failure"),
        [_count(quantity, where) for quantity in FAULTS],
        limits={1: YELLOW, 5: RED},
        width=width,
    ).no_value("0")


def where(chosen: Where, city: City | None, width: int) -> table.Panel:
    """Which lamps and cabinets, with their streets where there is a catalogue."""
    panel = rows(
        "Where",
        "Lamps, cabinets and gateways with open faults; a click leads to the lamp.",
        unit_of("lamp_failure"),
        [each(chosen)],
        names={kept("faults", "sum"): "faults", kept("street"): "street"},
        width=width,
    ).data_links(look("Look at this lamp", address(uids.LAMP, "lamp")))
    return _with_streets(panel, city, chosen)


def by_street(city: City, width: int) -> table.Panel:
    """How many there are in each street."""
    panel = rows(
        "Open faults by street",
        "Many in one street at once: a cable, a fuse or a cabinet.",
        unit_of("lamp_failure"),
        [each(None)],
        names={f"{kept('faults', 'sum')} (sum)": "faults", kept("street"): "street"},
        width=width,
    )
    summed = ("groupBy", grouped(kept("street"), {kept("faults", "sum"): "sum"}))
    return _with_streets(panel, city, None).with_transformation(transformed(summed)[0])


def each(chosen: Where) -> Query:
    """A row for each fault of a lamp or cabinet; the column is called faults."""
    newest = newest_of(FAULTS, chosen, ["site", "sensor"], since=LASTING)
    # The site as a column: to group by it once more would take six times as long.
    return Query(of_all('"one" AS "faults", "site"', newest, '"one" > 0'), table=True)


def _count(quantity: str, where: Where) -> Query:
    newest = last(quantity, where, ["site", "sensor"], since=LASTING)
    return Query(of_all(f'sum("{quantity}")', newest), FAULT_WORDS[quantity])


def _with_streets(panel: table.Panel, city: City | None, chosen: Where) -> table.Panel:
    if city is not None:
        targets: list[Query | Places] = [each(chosen), Places(lamps_of(city))]
        panel.datasource(MIXED).targets([*numbered(targets)])
    one_row = one_row_a_site({"faults": "sum", "street": "lastNotNull"})
    return panel.transformations(transformed(*one_row, ("filterByValue", only(kept("faults", "sum"), "greater", value=0))))
