"""The board of the light's energy: what it takes, against the lamps of before, and whether cabinets and lamps agree."""

from grafana_foundation_sdk.builders import bargauge, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

from dashboards import parts, uids
from dashboards.board import board, place
from dashboards.influxql import AMONG, HOUR, Query, grown, growth, hourly, over_time
from dashboards.lamps import DRIVER, METER
from dashboards.panels import bars, lines, numbers, ranking, transformed, unit_of
from dashboards.parts import Scope, any_of
from hoflicht.catalogue import City, Energy

ENERGY, BURNT = hourly("energy_import"), hourly("operating_hours")
NIGHT = "1d, 12h"  # InfluxQL: days that begin at noon, so that a night falls into one of them
WEEK = "1w, 4d"  # and weeks that begin on Monday: InfluxQL counts from a Thursday
MOST_GROUPS = 16  # bars; in a city with more the largest are shown
UTC = "UTC"


def energy(scope: Scope) -> Dashboard:
    """All lamps or one part of the city; groups and cabinets side by side."""
    meaning = "What the light takes and saves, by night, group and cabinet, from the hourly values that are kept for ever."
    empty = board(uids.ENERGY, meaning, start="now-7d", links=[uids.LAMPS, uids.CITY])
    empty.with_variable(parts.choice_of_part(scope.city)).with_variable(parts.bucket(scope.bucket))
    groups = [] if scope.city is None else [_groups(scope.city)]
    panels = [_saved(scope.city), _nights(scope.city), _agree(), *groups, _cabinets(), _year(scope.city)]
    return place(empty, panels)


def _saved(city: City | None) -> stat.Panel:
    return numbers(
        "Used and saved in view",
        "By the lamps' own meters. Before: the luminaires that stood there until then, at the power that the catalogue gives "
        "them, burning for as many hours as these did. What is saved by switching off in the night comes on top: the monthly "
        "report reckons with it, and with meters that were replaced.",
        unit_of("energy_import"),
        [Query(grown(ENERGY, DRIVER, step=NIGHT, zone=_zone(city)), "used"), _before(city)],
        of_series="sum",
    ).transformations(_saving())


def _nights(city: City | None) -> timeseries.Panel:
    zone = _zone(city)
    return bars(
        "Energy per night",
        "From noon to noon: the lamps by their own meters, the cabinets by theirs, and what the lamps of before would have taken.",
        unit_of("energy_import"),
        [
            Query(grown(ENERGY, DRIVER, step=NIGHT, zone=zone), "lamps"),
            Query(grown(ENERGY, METER, step=NIGHT, zone=zone), "cabinets"),
            _before(city),
        ],
        width=24,
    )


def _agree() -> timeseries.Panel:
    return lines(
        "Cabinets against their lamps",
        "The last two days, hour by hour. Cables and drivers lose some percent. A cabinet that is above its lamps by day and "
        "by night alike feeds somebody else, one that is above them by day only feeds lamps that burn for nothing. Choose a "
        "street or a cabinet above.",
        unit_of("energy_import"),
        [
            Query(grown(ENERGY, METER, step=HOUR), "cabinets"),
            Query(grown(ENERGY, DRIVER, step=HOUR), "lamps"),
        ],
        width=24,
    ).time_from("2d")


def _groups(city: City) -> bargauge.Panel:
    members = {group: [name for name, lamp in city.lamps.items() if lamp.group == group] for group in city.groups}
    largest = sorted((group for group in members if members[group]), key=lambda group: -len(members[group]))[:MOST_GROUPS]
    return ranking(
        "Energy by group in view",
        "By the lamps' own meters; which lamps belong to a group stands in the catalogue.",
        unit_of("energy_import"),
        [
            Query(growth(ENERGY, {"sensor": "driver", AMONG: any_of(members[group])}), f"{group}: {city.groups[group].name}")
            for group in largest
        ],
    )


def _cabinets() -> bargauge.Panel:
    return ranking(
        "Energy by cabinet in view",
        "By the cabinets' meters: what the utility bills.",
        unit_of("energy_import"),
        [Query(growth(ENERGY, {"sensor": "meter"}, ["site"]), "$tag_site")],
    )


def _year(city: City | None) -> timeseries.Panel:
    return bars(
        "Energy by week, one year",
        "By the cabinets' meters, whatever span the board shows: long nights in winter, and what dimming and new lamps changed.",
        unit_of("energy_import"),
        [
            Query(
                over_time(
                    ENERGY,
                    'non_negative_difference(last("max"))',
                    {"sensor": "meter"},
                    ["site"],
                    step=WEEK,
                    fill="none",
                    zone=_zone(city),
                ),
                "$tag_site",
            )
        ],
        width=24,
    ).time_from("1y")


def _before(city: City | None) -> Query:
    """What the luminaires of before would have taken: of a whole city their mean power, for a question knows no lamp's own."""
    usual_w = Energy().baseline_power_w if city is None else city.energy.baseline_power_w
    watts = [lamp.baseline_power_w or usual_w for lamp in city.lamps.values()] if city else []
    kilowatts = (sum(watts) / len(watts) if watts else usual_w) / 1000
    return Query(grown(BURNT, DRIVER, step=NIGHT, zone=_zone(city), times=kilowatts), "before")


def _saving() -> list[DataTransformerConfig]:
    difference = {"left": "before", "operator": "-", "right": "used", "reducer": "sum"}
    return transformed(
        ("joinByField", {"byField": "Time", "mode": "outer"}),
        ("calculateField", {"mode": "binary", "alias": "saved", "binary": difference, "replaceFields": False}),
    )


def _zone(city: City | None) -> str:
    return UTC if city is None else city.timezone
