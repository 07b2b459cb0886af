"""Panels of what is wrong with lamps and cabinets, for the boards of the city and of the street."""

from grafana_foundation_sdk.builders import bargauge, table

from dashboards import uids
from dashboards.board import address, look
from dashboards.influxql import BY_STAFF, Query, Where, last, newest_of, of_all
from dashboards.panels import RED, YELLOW, numbered, ranking, rows, transformed, unit_of
from dashboards.places import MIXED, Places, grouped, kept, lamps_of, one_row_a_site, only
from hoflicht.catalogue import STAFF, City
from hoflicht.faults import FAULTS

# What lasts is told again every hour by the lamp, and every day by the api that misses it.
LASTING = "time > now() - 25h"
SEEN = "time > now() - 7d"  # as long as an alarm heeds what staff have seen (dashboards.alarms)
TOLD = f"\"sensor\" != '{STAFF}' AND {LASTING}"  # what staff say of a fault is no other fault


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
    queries = [each(chosen), _seen(chosen)]
    panel = rows(
        "Where",
        "Lamps, cabinets and gateways with open faults; a click leads to the lamp. Seen: how many faults of it staff have "
        "acknowledged in the last seven days; those alarm nobody.",
        unit_of("lamp_failure"),
        queries,
        names={kept("faults", "sum"): "faults", kept("seen", "sum"): "seen", kept("street"): "street"},
        width=width,
    ).data_links(look("Look at this lamp", address(uids.LAMP, "lamp")))
    return _with_streets(panel, city, queries)


def by_street(city: City, width: int) -> table.Panel:
    """How many there are in each street."""
    queries = [each(None)]
    panel = rows(
        "Open faults by street",
        "Many in one street at once: a cable, a fuse or a cabinet.",
        unit_of("lamp_failure"),
        queries,
        names={f"{kept('faults', 'sum')} (sum)": "faults", kept("street"): "street"},
        width=width,
    )
    summed = ("groupBy", grouped(kept("street"), {kept("faults", "sum"): "sum"}))
    return _with_streets(panel, city, queries).with_transformation(transformed(summed)[0])


def each(chosen: Where) -> Query:
    """A row for each fault of a lamp or cabinet; the column is called faults."""
    newest = newest_of(FAULTS, chosen, ["site"], since=TOLD)
    # The site as a column: to group by it once more would take six times as long.
    return Query(of_all('"one" AS "faults", "site"', newest, '"one" > 0', since=TOLD), table=True)


def _seen(chosen: Where) -> Query:
    """A row for each fault that staff have seen; the column is called seen."""
    newest = newest_of(FAULTS, {**(chosen or {}), **BY_STAFF}, ["site"], since=SEEN)
    return Query(of_all('"one" AS "seen", "site"', newest, since=SEEN), table=True)


def _count(quantity: str, where: Where) -> Query:
    newest = last(quantity, where, ["site"], since=TOLD)
    return Query(of_all(f'sum("{quantity}")', newest, since=TOLD), FAULTS[quantity].en)


def _with_streets(panel: table.Panel, city: City | None, queries: list[Query]) -> table.Panel:
    if city is not None:
        targets: list[Query | Places] = [*queries, Places(lamps_of(city))]
        panel.datasource(MIXED).targets([*numbered(targets)])
    one_row = one_row_a_site({"faults": "sum", "seen": "sum", "street": "lastNotNull"})
    return panel.transformations(transformed(*one_row, ("filterByValue", only(kept("faults", "sum"), "greater", value=0))))
