"""The board of the whole city: what is wrong now, and where to look further."""

from grafana_foundation_sdk.builders import geomap, stat
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from dashboards import faults, uids
from dashboards.board import OF_SERIES, address, board, look, place
from dashboards.environment import PM2_5_DAY, PM10_DAY
from dashboards.influxql import LATELY, Query, growth, last, of_all, once
from dashboards.lamps import ALIVE, SEVERAL
from dashboards.panels import GREEN, GREY, RED, in_colour, in_unit, numbers, unit_of
from dashboards.parts import Scope
from dashboards.places import dot, kept, lamps_of, map_of, yards_of
from dashboards.yards import ESTIMATE_OF_ALL, LONG_WAIT
from hoflicht.catalogue import City
from hoflicht.wait import STATE_CODES, State

DAY = "time > now() - 24h"
KNOWN = "time > now() - 7d"  # a gateway that has been away for longer was taken down, or is on the list of the missing anyway
GATEWAY = {"sensor": "gateway"}  # as which it speaks of itself


def city(scope: Scope) -> Dashboard:
    """All of it at a glance."""
    below = [uids.LAMPS, uids.YARDS, uids.ENERGY, uids.ENVIRONMENT, uids.PLATFORM]
    empty = board(uids.CITY, "What is wrong in the city now, and where to look further.", start="now-24h", links=below)
    panels: list[Builder[Panel]] = [_lamps(), _gateways(), _yards(), _waits(), _energy(), _air()]
    if scope.city is not None:
        panels += [_map_of_lamps(scope.city), _map_of_yards(scope.city)]
    panels += [faults.open_faults(None, 8), faults.where(None, scope.city, 16)]
    if scope.city is not None:
        panels.append(faults.by_street(scope.city, 24))
    return place(empty, panels)


def _lamps() -> stat.Panel:
    level = last("level_actual", {"sensor": "driver"}, ["site"], since=ALIVE)
    panel = numbers(
        "Lamps",
        "By their last word. Nothing is heard: of lamps, cabinets and gateways that the api misses.",
        unit_of("lamp_failure"),
        [
            Query(of_all('count("level_actual")', level, '"level_actual" > 0', since=ALIVE), "burning"),
            Query(of_all('count("level_actual")', level, '"level_actual" = 0', since=ALIVE), "dark"),
            *faults.not_lit(None),
        ],
        limits=SEVERAL,
        width=12,
    ).data_links(look("Street lamps", address(uids.LAMPS)))
    return in_colour(in_colour(panel, "burning", GREEN), "dark", GREY)


def _gateways() -> stat.Panel:
    panel = numbers(
        "Gateways",
        "Heard of in the last five minutes, and in the last seven days. Where the two differ, the board of the platform says "
        "who is silent.",
        unit_of("lamp_failure"),
        [
            Query(of_all('count("uptime")', last("uptime", GATEWAY, ["site"], since=LATELY), since=LATELY), "online"),
            Query(of_all('count("uptime")', last("uptime", GATEWAY, ["site"], since=KNOWN), since=KNOWN), "known"),
        ],
        width=6,
    ).data_links(look("Platform", address(uids.PLATFORM)))
    return in_colour(panel, "known", GREY)


def _yards() -> stat.Panel:
    state = last("wait_state", ESTIMATE_OF_ALL, ["site"], since=LATELY)
    panel = numbers(
        "Yards",
        "Open with a number on sign and page, and without one though they may be open: there the sensors carry none.",
        unit_of("wait_state"),
        [
            Query(of_all('count("wait_state")', state, f'"wait_state" < {STATE_CODES[State.CLOSED]}', since=LATELY), "open"),
            Query(of_all('count("wait_state")', state, f'"wait_state" = {STATE_CODES[State.UNKNOWN]}', since=LATELY), "unknown"),
        ],
        limits={1: RED},
        width=6,
    ).data_links(look("Recycling yards", address(uids.YARDS)))
    return in_colour(panel, "open", GREEN)


def _waits() -> stat.Panel:
    return numbers(
        "Wait now",
        "Median wait at each yard that shows a number at this moment; a click leads to the yard.",
        unit_of("wait_p50"),
        [Query(last("wait_p50", ESTIMATE_OF_ALL, ["site"], since=LATELY), "$tag_site")],
        limits=LONG_WAIT,
        width=12,
    ).data_links(look("Look at this yard", address(uids.YARDS, "site", OF_SERIES)))


def _energy() -> stat.Panel:
    return numbers(
        "Energy of the light in 24 hours",
        "By the cabinets' meters, and by those in the lamps. They differ by what cables and drivers lose.",
        unit_of("energy_import"),
        [
            Query(growth("energy_import", {"sensor": "meter"}, since=DAY), "cabinets"),
            Query(growth("energy_import", {"sensor": "driver"}, since=DAY), "lamps"),
        ],
        width=6,
    ).data_links(look("Energy of the light", address(uids.ENERGY)))


def _air() -> stat.Panel:
    means = {name: once(name, 'mean("value")', None, ["site"], since=DAY) for name in ("pm10", "pm2_5")}
    panel = numbers(
        "Air in 24 hours, worst place",
        "Mean of the last 24 hours where it was highest. Optical sensors: good for comparing, no proof before the law.",
        unit_of("pm10"),
        [Query(of_all(f'max("{name}")', means[name]), text) for name, text in (("pm10", "PM10"), ("pm2_5", "PM2.5"))],
        limits=PM10_DAY,
        width=6,
    ).data_links(look("Environment", address(uids.ENVIRONMENT)))
    return in_unit(panel, "PM2.5", unit_of("pm2_5"), PM2_5_DAY)


def _map_of_lamps(catalogue: City) -> geomap.Panel:
    level = last("level_actual", {"sensor": "driver"}, ["site"], since=ALIVE)
    return map_of(
        "Map of the lamps",
        "Lamps and cabinets where the catalogue has them; red has a fault, a larger dot burns brighter.",
        lamps_of(catalogue),
        [
            faults.each(None),
            Query(level, table=True),
        ],
        how={"faults": "sum", "level_actual": "lastNotNull"},
        names={kept("faults", "sum"): "faults", kept("level_actual"): "actual"},
        dots=dot(kept("faults", "sum"), size=kept("level_actual")),
        limits={1: RED},
    )


def _map_of_yards(catalogue: City) -> geomap.Panel:
    return map_of(
        "Map of the yards",
        "In the colour of the wait, with the minutes that page and sign show. Green without a number: none is shown now.",
        yards_of(catalogue),
        [Query(last("wait_shown", ESTIMATE_OF_ALL, ["site"], since=LATELY), table=True)],
        how={"wait_shown": "lastNotNull"},
        names={kept("wait_shown"): "shown"},
        dots=dot(kept("wait_shown"), text=kept("wait_shown")),
        limits={seconds / 60: colour for seconds, colour in LONG_WAIT.items()},
    )
