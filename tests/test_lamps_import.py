"""Tables of lamps as offices send them, and what becomes of each row."""

import json
import time
from pathlib import Path

import pytest

from hoflicht import BadConfig
from hoflicht.catalogue import Lamp, load_city
from workshop import import_lamps
from workshop.geography import Box
from workshop.lamps import Found, Unused, lamps
from workshop.rows import rows

GERMAN = """\
Leuchten-Nr.;Straße;Rechtswert;Hochwert;Leistung;Stadtteil
4711;Königstraße;344.912,34;5.700.123,5;56 W;Mitte
4712 a;Königstraße;32344950,1;5700130,2;28,5;
"""
KOENIGSTRASSE = {
    "lamp-4711": Lamp(street="Königstraße", district="Mitte", lat=51.43106, lon=6.768957, nominal_power_w=56),
    "lamp-4712-a": Lamp(street="Königstraße", lat=51.43113, lon=6.769497, nominal_power_w=28.5),
}


def found(folder: Path, content: str | bytes, name: str = "lamps.csv", box: Box | None = None) -> Found:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return lamps(rows(path), "", box=box)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_german_table_with_eastings_and_northings_is_read_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    assert found(tmp_path, GERMAN.encode(encoding)).lamps == KOENIGSTRASSE


@pytest.mark.parametrize(
    "text",
    [
        "id,street,lat,lon\nA1,Lange Straße,51.431,6.769\n",
        "Mastnr\tstrasse\tBreitengrad\tLängengrad\r\nA1\tLange Straße\t51,431\t6,769\r\n",
        'pole_id,street,geo_point_2d\nA1,Lange Straße,"51.431, 6.769"\n',
        "FID;Straßenname;WKT\nA1;Lange Straße;POINT (6.769 51.431)\n",
        "nummer|Standort|x|y\nA1|Lange Straße|6.769|51.431\n",
    ],
)
def test_other_headers_and_separators_say_the_same(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text).lamps == {"lamp-a1": Lamp(street="Lange Straße", lat=51.431, lon=6.769)}


@pytest.mark.parametrize(("easting", "zone"), [("33391779,5", 32), ("391779,5", 33)])
def test_the_zone_stands_before_the_easting_or_is_told(tmp_path: Path, easting: str, zone: int) -> None:
    path = tmp_path / "berlin.csv"
    path.write_text(f"nr;ost;nord\n1;{easting};5820072,3\n")

    assert lamps(rows(path), "", zone).lamps == {"lamp-1": Lamp(street="", lat=52.520001, lon=13.405004)}  # as PROJ has it


def test_a_table_without_numbers_is_numbered(tmp_path: Path) -> None:
    assert [*found(tmp_path, "lat;lon\n51,43;6,76\n51,44;6,76\n").lamps] == ["lamp-00001", "lamp-00002"]


def feature(coordinates: object, kind: str = "Point", **properties: object) -> dict[str, object]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def test_geojson_points_become_lamps(tmp_path: Path) -> None:
    collection = {
        "type": "FeatureCollection",
        "features": [
            feature([6.769, 51.431, 31.0], Leuchtennummer=17, street="Weg", power=30),
            feature([344950.1, 5700130.2], nr="18"),  # an older file, in a surveyor's metres
            feature([[6.7, 51.4], [6.8, 51.5]], "LineString", nr="19"),
            {"type": "Feature", "geometry": None, "properties": None, "id": 20},
            "no feature",
        ],
    }

    result = found(tmp_path, json.dumps(collection), "lamps.geojson")

    assert result.lamps == {
        "lamp-17": Lamp(street="Weg", lat=51.431, lon=6.769, nominal_power_w=30),
        "lamp-18": Lamp(street="", lat=51.43113, lon=6.769497),
    }
    assert result.unused == [
        Unused("feature 3", "its geometry is a LineString, no point"),
        Unused("feature 4", "no coordinates can be read: none"),
        Unused("feature 5", "it has no number"),
    ]


def test_every_row_is_a_lamp_or_is_told_with_its_line_and_reason(tmp_path: Path) -> None:
    result = found(
        tmp_path,
        "nr;strasse;lat;lon;leistung\n"
        '1;"Weg\nund Steg";51,43;6,76;50\n'
        "1;Weg;51,43;6,76;50\n"
        "1;Weg;51,44;6,76;50\n"
        ";Weg;51,43;6,76;50\n"
        "\n"
        "5;Weg;;6,76;50\n"
        "6;Weg;hier;dort;50\n"
        "7;Weg;0;0;50\n"
        "8;Weg;41,43;6,76;50\n"
        "9;Weg;51.430;312;50\n"
        "***;Weg;51,43;6,77;50\n"
        f"{'9' * 63};Weg;51,43;6,77;50\n"
        "10;Weg;51,43;6,76;viel\n",
    )

    assert [*result.lamps] == ["lamp-1", "lamp-10"]
    assert result.unused == [
        Unused("line 4", "lamp-1 is in line 3 already, at the same place"),
        Unused("line 5", "lamp-1 is in line 3 already"),
        Unused("line 6", "it has no number"),
        Unused("line 8", "no coordinates can be read: none"),
        Unused("line 9", "no coordinates can be read: 'dort' and 'hier'"),
        Unused("line 10", "its coordinates are 0 and 0"),
        Unused("line 12", "312 and 51.430 are neither degrees nor metres of UTM"),
        Unused("line 13", "'***' can be no name"),
        Unused("line 14", f"'{'9' * 40}' can be no name"),
        Unused("line 11", "lamp-8 stands 1,112 km from the middle of all"),
    ]
    assert result.remarks == [
        "line 15: lamp-10 stands exactly where lamp-1 does",
        "1 lamps whose power is not told: they are taken for 56 W (nominal_power_w)",
    ]
    assert result.rows == len(result.lamps) + len(result.unused)


def test_what_stands_outside_the_bounds_is_not_used(tmp_path: Path) -> None:
    result = found(tmp_path, "nr;lat;lon\n1;51,43;6,76\n2;51,60;6,76\n", box=Box(51.3, 6.6, 51.5, 6.9))

    assert ([*result.lamps], result.unused) == (["lamp-1"], [Unused("line 3", "it stands outside the bounds")])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the first line has no columns"),
        (b"just a line\n", "the first line has no columns"),
        (b'{"type": "Feature"}', "no FeatureCollection (RFC 7946): the key 'features' is missing"),
        (b'{"features": [', "neither CSV nor GeoJSON"),
        (b'nr;lat\n1;"' + b"x" * 140_000 + b'"\n', "line 2: field larger than field limit"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(BadConfig) as caught:
        found(tmp_path, content)

    assert str(caught.value).startswith(f"{tmp_path / 'lamps.csv'}: {complaint}")


# Into the catalogue

CITY = """\
# A city of our own.
name = "Testhausen"

[groups.street]
name = "Königstraße"

[lamps] # the first ones
lamp-4711 = { street = "by hand", lat = 51.43, lon = 6.77 } # stays

[gateways]
gw-street = { sites = ["lamp-*"] }
"""


def imported(folder: Path, city: str, *options: str) -> int:
    (folder / "city.toml").write_text(city, encoding="utf-8")
    (folder / "lamps.csv").write_text(GERMAN, encoding="utf-8")
    return import_lamps.main([str(folder / "lamps.csv"), str(folder / "city.toml"), *options])


def test_lamps_come_into_the_catalogue_and_what_a_person_wrote_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(tmp_path, CITY, "--group", "street") == 0

    after = (tmp_path / "city.toml").read_text(encoding="utf-8")
    line = 'lamp-4712-a = { street = "Königstraße", lat = 51.43113, lon = 6.769497, nominal_power_w = 28.5, group = "street" }\n'
    assert after == CITY.replace("# the first ones\n", f"# the first ones\n{line}")
    assert load_city(tmp_path / "city.toml").lamps["lamp-4711"].street == "by hand"
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path / 'lamps.csv'}: lamp-4711: not used: the catalogue has it already",
        f"{tmp_path / 'lamps.csv'}: 2 rows, 1 lamps, 1 not used",
        f"wrote {tmp_path / 'city.toml'}",
    ]


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    imported(tmp_path, CITY)
    once = (tmp_path / "city.toml").read_bytes()

    assert import_lamps.main([str(tmp_path / "lamps.csv"), str(tmp_path / "city.toml")]) == 1
    assert (tmp_path / "city.toml").read_bytes() == once


def test_a_dry_run_writes_nothing_and_lamps_without_a_gateway_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    city = 'name = "Testhausen"\n'

    assert imported(tmp_path, city, "--dry-run") == 0

    assert (tmp_path / "city.toml").read_text() == city
    assert "warning: [lamps.lamp-4711] no gateway speaks for lamp-4711, lamp-4712-a" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("city", "options", "complaint"),
    [
        ('name = "T"\nlamps = {}\n', [], "line 2: write the lamps as a table, which begins with the line [lamps]"),
        ('name = "T"\n', ["--group", "strete"], "line 4: [lamps.lamp-4711] group: there is no 'strete' in this file"),
    ],
)
def test_a_catalogue_that_would_be_wrong_is_not_written(tmp_path: Path, city: str, options: list[str], complaint: str) -> None:
    with pytest.raises(BadConfig, match=r"city\.toml") as caught:
        imported(tmp_path, city, *options)

    assert complaint in str(caught.value)
    assert (tmp_path / "city.toml").read_text() == city


def test_all_lamps_of_a_large_city_take_seconds(tmp_path: Path) -> None:
    lines = [f"{n};Straße {n % 900};{344_000 + n % 300 * 30};{5_700_000 + n // 300 * 30};56" for n in range(46_000)]
    (tmp_path / "city.toml").write_text('name = "Duisburg"\n[gateways]\ngw = { sites = ["lamp-*"] }\n')
    (tmp_path / "lamps.csv").write_text("\n".join(["nr;strasse;ost;nord;leistung", *lines]), encoding="utf-8")
    begun = time.process_time()

    assert import_lamps.main([str(tmp_path / "lamps.csv"), str(tmp_path / "city.toml")]) == 0

    assert time.process_time() - begun < 15  # 3 s; what compares each lamp with all others takes 20 and more
    assert (tmp_path / "city.toml").read_text(encoding="utf-8").count("\nlamp-") == 46_000
