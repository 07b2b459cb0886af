"""The city's catalogue: who speaks for what, and mistakes by name."""

from pathlib import Path

import pytest

from hoflicht import BadConfig
from hoflicht.catalogue import City, load_city, sensors_by_site, sites_by_gateway

YARD = """
name = "Testhausen"
[yards.hof]
name = "Hof"
address = "Weg 1"
lat = 51.0
lon = 6.0
[yards.hof.hours]
weekly = { mon = "08:00-18:00" }
[yards.hof.sensors]
lane-in = { role = "lane-entry" }
"""


def test_duisburg_has_four_yards_and_a_street_of_24_lamps(city: City) -> None:
    assert [yard.name for yard in city.yards.values()] == [
        "Recyclinghof Nord",
        "Recyclinghof Süd",
        "Recyclinghof West",
        "Recyclinghof Mitte",
    ]
    assert len(city.lamps) == 24


def test_a_gateway_speaks_for_its_sites_and_itself(city: City) -> None:
    sites = sites_by_gateway(city)

    assert sites["gw-hof-nord"] == {"hof-nord", "gw-hof-nord"}
    assert sites["gw-strasse"] == {*city.lamps, "cabinet-07", "gw-strasse"}
    assert sites["api"] == set(city.yards)


def test_a_yard_has_its_sensors_and_an_estimate(city: City) -> None:
    assert sensors_by_site(city)["hof-mitte"] == {"lane-in", "lane-3", "gate-in", "barrier", "estimate"}


@pytest.mark.parametrize("span", ["08:00-18:00", "20:00-04:00", "04:00-04:00", "00:00-24:00"])
def test_a_span_may_go_past_midnight(tmp_path: Path, span: str) -> None:
    path = tmp_path / "city.toml"
    path.write_text(YARD.replace("08:00-18:00", span))

    assert load_city(path).yards["hof"].hours.weekly == {"mon": span}


def test_names_may_hold_underscores(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(YARD.replace("lane-in", "gate_in").replace("yards.hof", "yards.hof_nord"))

    assert sensors_by_site(load_city(path)) == {"hof_nord": {"gate_in", "estimate"}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('"08:00-18:00"', '"8-18"', '[yards.hof] hours: \'8-18\' is no span; examples: "08:00-18:00", "20:00-04:00"'),
        ('"08:00-18:00"', '"24:00-08:00"', "[yards.hof] hours: '24:00-08:00' is no span; examples:"),
        ("mon =", "monday =", "[yards.hof] hours.weekly: 'monday' is no day; allowed: mon, tue, wed, thu, fri, sat, sun"),
        ('"lane-entry"', '"lane"', "[yards.hof] sensors.lane-in: a lane sensor needs position_m, its distance from the entry"),
        ("lane-in =", "estimate =", "[yards.hof] sensors: 'estimate' is taken by the platform's own estimate"),
        ("lane-in =", "staff =", "[yards.hof] sensors: 'staff' is taken by what staff say"),
        (
            "lane-in =",
            "_lane =",
            "[hof] '_lane' cannot name a sensor: lower case letters, digits, hyphens and underscores, at most 63",
        ),
        (
            "lane-in =",
            "Lane_In =",
            "[hof] 'Lane_In' cannot name a sensor: lower case letters, digits, hyphens and underscores, at most 63",
        ),
        ("yards.hof", "yards.api", "the name 'api' stands for two things"),
        ("[yards.hof.hours]", '[gateways]\ng = { sites = ["hoff"] }\n[yards.hof.hours]', "[gateways.g] sites: 'hoff' matches no"),
        ('name = "Testhausen"', 'name = "T"\ntimezone = "Europe/Berlyn"', "timezone 'Europe/Berlyn' is not in the IANA database"),
        ('"lane-entry"', '"lane-entrance"', "[yards.hof.sensors.lane-in.role] Invalid enum value 'lane-entrance'"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, before: str, after: str, expected: str) -> None:
    path = tmp_path / "city.toml"
    path.write_text(YARD.replace(before, after))

    with pytest.raises(BadConfig) as caught:
        load_city(path)

    assert str(caught.value).startswith(f"{path}: {expected}")
