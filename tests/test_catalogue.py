"""The city's catalogue: who speaks for what, and mistakes by name."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hoflicht import BadConfig
from hoflicht.catalogue import City, Gateway, Lamp, cabinet_of, duty, load_city, sensors_by_site, sites_by_gateway
from hoflicht.hours import load_with_holidays
from hoflicht.shadow import Duty
from simulators import load

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


def unplaced(caught: BadConfig, path: Path) -> str:
    """What is wrong, without file and line."""
    said = str(caught)
    assert said.startswith(f"{path}: ")
    return re.sub(r"^line \d+: ", "", said.removeprefix(f"{path}: "))


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("lamp-1", {"lamp-1"}),  # and not those that begin so
        ("lamp-1*", {"lamp-1", "lamp-10", "lamp-11"}),
        ("lamp-1?", {"lamp-10", "lamp-11"}),
        ("lamp-[29]", {"lamp-2"}),
        ("*-1", {"lamp-1"}),
        ("lamp-*0", {"lamp-10"}),
    ],
)
def test_a_gateway_speaks_for_what_its_pattern_names(pattern: str, named: set[str]) -> None:
    lamps = {f"lamp-{n}": Lamp(street="Weg", lat=51.0, lon=6.0) for n in (11, 1, 2, 10)}

    assert sites_by_gateway(City(name="Testhausen", lamps=lamps, gateways={"gw": Gateway(sites=(pattern,))}))["gw"] == named | {
        "gw"
    }


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
        ('"08:00-18:00"', '"8-18"', '[yards.hof.hours.weekly] mon: \'8-18\' is no span; examples: "08:00-18:00", "20:00-04:00"'),
        ('"08:00-18:00"', '"24:00-08:00"', "[yards.hof.hours.weekly] mon: '24:00-08:00' is no span; examples:"),
        ("mon =", "monday =", "[yards.hof.hours.weekly] monday: no day is called so; allowed: mon, tue, wed, thu, fri, sat, sun"),
        ('"lane-entry"', '"lane"', "[yards.hof.sensors.lane-in] a lane sensor needs position_m, its distance from the entry"),
        ("lane-in =", "estimate =", "[yards.hof] sensors: 'estimate' is taken by the platform's own estimate"),
        ("lane-in =", "staff =", "[yards.hof] sensors: 'staff' is taken by what staff say"),
        (
            "lane-in =",
            "_lane =",
            "[yards.hof] sensors: '_lane' cannot name a sensor: lower case letters, digits, hyphens and underscores, at most 63",
        ),
        (
            "lane-in =",
            "Lane_In =",
            "[yards.hof] sensors: 'Lane_In' cannot name a sensor: lower case letters, digits, hyphens and underscores, at most 63",
        ),
        ("yards.hof", "yards.api", "[yards.api] the name 'api' stands for two things"),
        (
            "[yards.hof.hours]",
            '[gateways]\ng = { sites = ["hoff"] }\n[yards.hof.hours]',
            "[gateways.g] sites[0]: 'hoff' matches no",
        ),
        ('name = "Testhausen"', 'name = "T"\ntimezone = "Europe/Berlyn"', "timezone: 'Europe/Berlyn' is not in the IANA database"),
        ('"lane-entry"', '"lane-entrance"', "[yards.hof.sensors.lane-in] role: Invalid enum value 'lane-entrance'"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, before: str, after: str, expected: str) -> None:
    path = tmp_path / "city.toml"
    path.write_text(YARD.replace(before, after))

    with pytest.raises(BadConfig) as caught:
        load_city(path)

    assert unplaced(caught.value, path).startswith(expected)


# Light

LIGHT = """
name = "Testhausen"
[programs.night]
periods = [{ steps = [{ at = "dusk", percent = 100 }, { at = "23:00", lighting_class = "M5" }] }]
[programs.park]
[groups.street]
name = "Lange Straße"
program = "night"
lighting_class = "M3"
traffic = ["lamp-1/traffic"]
[cabinets.cabinet-1]
street = "Lange Straße"
lat = 51.4
lon = 6.7
[lamps]
lamp-1 = { street = "Lange Straße", lat = 51.4, lon = 6.7, group = "street", sensors = ["driver", "traffic"] }
lamp-2 = { street = "Lange Straße", lat = 51.4, lon = 6.7, group = "street", program = "park", nominal_power_w = 30 }
lamp-3 = { street = "Seitenweg", lat = 51.4, lon = 6.7 }
"""


def lit(folder: Path, old: str = "", new: str = "") -> City:
    assert old in LIGHT
    (folder / "city.toml").write_text(LIGHT.replace(old, new))
    return load_city(folder / "city.toml")


def test_what_a_lamp_leaves_out_is_its_groups(tmp_path: Path) -> None:
    city = lit(tmp_path)

    assert duty(city, "lamp-1") == Duty(program="night", lighting_class="M3", traffic=("lamp-1/traffic",))
    assert duty(city, "lamp-2") == Duty(program="park", lighting_class="M3", traffic=("lamp-1/traffic",), nominal_power_w=30)
    assert duty(city, "lamp-3") == Duty()


def test_a_lamp_is_fed_by_the_only_cabinet_of_its_street(tmp_path: Path) -> None:
    city = lit(tmp_path)

    assert [cabinet_of(city, lamp) for lamp in city.lamps] == ["cabinet-1", "cabinet-1", ""]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('program = "night"', 'program = "nigth"', "[groups.street] program: there is no 'nigth' in this file; there are: night"),
        ('street", program', 'strete", program', "[lamps.lamp-2] group: there is no 'strete' in this file"),
        ('"lamp-1/traffic"', '"lamp-9/traffic"', "[groups.street] traffic: 'lamp-9/traffic' is no sensor of this file"),
        ('"M3"', '"M7"', "[groups.street] lighting_class: 'M7' is no lighting class of EN 13201-2; allowed: M1, M2"),
        ('"23:00"', '"11pm"', "[programs.night.periods[0].steps[1]] at: '11pm' is no instant of a night"),
        ('"M3"', '"P3"', "[lamps.lamp-1] program 'night' asks for a lighting class: M5 cannot be told from P3"),
        ('"M3"', '""', "[lamps.lamp-1] program 'night' asks for a lighting class: M5 cannot be told from no lighting_class"),
        ('"M3"', '"M6"', "[lamps.lamp-1] program 'night' asks for a lighting class: M5 is more than the lamp gives, M6"),
        ("[groups.street]", "[groups.Street]", "[groups.Street] 'Street' cannot name a group"),
    ],
)  # fmt: skip
def test_mistakes_about_light_are_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(BadConfig) as caught:
        lit(tmp_path, old, new)

    assert unplaced(caught.value, tmp_path / "city.toml").startswith(complaint)
    with pytest.raises(BadConfig, match=re.escape(str(caught.value))):  # and so by the roles that need holidays
        load_with_holidays(tmp_path / "city.toml")


GROWS = """
import gc, sys
from pathlib import Path
from hoflicht.catalogue import load_city

def resident_kb():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4

before_kb = resident_kb()
city = load_city(Path(sys.argv[1]))
print((resident_kb() - before_kb) / len(city.lamps))
"""


def test_a_large_catalogue_leaves_nothing_of_its_parser_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "city.toml"
    file.write_text("".join(load.city_of(5_000, lamps=1)))

    told = subprocess.run([sys.executable, "-c", GROWS, file], capture_output=True, text=True, check=True)

    assert float(told.stdout) < 2.2  # kB for a lamp and its gateway; 2.6 with what the parser has given up
