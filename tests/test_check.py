"""What `hoflicht check` says of files: every mistake by its line, and what is legal but odd."""

import importlib
from pathlib import Path

import msgspec
import pytest

from hoflicht.reading import ID_FORM
from tests.conftest import ROOT
from workshop import check
from workshop.files import KINDS, kind_of

CITY = """\
name = "Testhausen"
holidays = "DE-NW"

[yards.hof]
name = "Hof"
address = "Weg 1"
lat = 51.0
lon = 6.0
[yards.hof.hours]
weekly = { mon = "08:00-18:00" }
[yards.hof.sensors]
lane-in = { role = "lane-entry" }

[lamps]
lamp-1 = { street = "Weg", lat = 51.0, lon = 6.0 }
lamp-2 = { street = "Weg", lat = 51.0, lon = 6.0 }

[gateways]
gw-hof = { sites = ["hof"] }
gw-street = { sites = ["lamp-*"] }
"""
EDGE = """\
gateway = "gw-hof"
[spool]
path = "spool.db"
[ports.lane-in]
path = "/dev/ttyUSB0"
driver = "ops243"
site = "hof"
sensor = "lane-in"
"""
LIT = '[light]\nlat = 51\nlon = 6\nzone = "Europe/Berlin"\n[lines.d]\npath = "d"\n[lamps.lamp-1]\nline = "d"\naddress = 0\n'
INGEST = 'city = "city.toml"\nquarantine = "q.db"\n[store]\nurl = "sqlite:///readings.db"\n'


def checked(folder: Path, capsys: pytest.CaptureFixture[str], **texts: str) -> tuple[int, list[str]]:
    """The exit code and the lines about the files `<name>.toml`, without their folder."""
    paths = [folder / f"{name}.toml" for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    code = check.main([str(path) for path in paths])
    return code, [line.replace(f"{folder}/", "") for line in capsys.readouterr().out.splitlines()]


def test_files_in_which_nothing_is_odd_are_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(tmp_path, capsys, city=CITY, edge=EDGE, ingest=INGEST) == (0, ["3 files, 0 mistakes, 0 warnings: all well"])


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        CITY.replace('"DE-NW"', '"Nordrhein"')
        .replace("08:00-18:00", "8-18")
        .replace("lamp-2 =", "Lamp_2 =")
        .replace('"hof"]', '"hoff"]')
    )

    code, lines = checked(tmp_path, capsys, city=text)

    assert code == 2
    assert [line.partition(";")[0] for line in lines] == [
        "city.toml: line 2: holidays: 'Nordrhein' is no region of ISO 3166-2",
        "city.toml: line 10: [yards.hof.hours.weekly] mon: '8-18' is no span",
        f"city.toml: line 16: [lamps.Lamp_2] 'Lamp_2' cannot name a site: {ID_FORM}",
        "city.toml: line 19: [gateways.gw-hof] sites[0]: 'hoff' matches no yard, lamp or cabinet of this file",
        "1 file, 4 mistakes, 0 warnings",
    ]


def test_all_values_of_a_wrong_type_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = CITY.replace("51.0\nlon", '"north"\nlon').replace("lamp-2 = { street", "lamp-2 = { stret").replace('["hof"]', '"hof"')

    code, lines = checked(tmp_path, capsys, city=text)

    assert code == 2
    assert [line.partition(";")[0] for line in lines] == [
        "city.toml: line 7: [yards.hof] lat: Expected `float`, got `str`",
        "city.toml: line 16: [lamps.lamp-2] the key 'street' is missing",
        "city.toml: line 16: [lamps.lamp-2] unknown key 'stret'",
        "city.toml: line 19: [gateways.gw-hof] sites: Expected `array`, got `str`",
        "1 file, 4 mistakes, 0 warnings",
    ]


@pytest.mark.parametrize(
    ("before", "after", "warning"),
    [
        ('holidays = "DE-NW"\n', "", "holidays is not set: no public holiday is kept"),
        ('"lane-entry"', '"bay"', "line 4: [yards.hof] no sensor counts cars or watches the lane: there will be no waiting time"),
        ('{ mon = "08:00-18:00" }', "{}", "line 9: [yards.hof.hours] it is never open"),
        ('["lamp-*"]', '["lamp-1"]', "line 16: [lamps.lamp-2] no gateway speaks for lamp-2; put it into sites of one"),
        ('["hof"]', '["hof", "lamp-1"]', "line 15: [lamps.lamp-1] gw-hof and gw-street both speak for it"),
        (
            "lamp-2 = { street = \"Weg\", lat = 51.0, lon = 6.0",
            "lamp-2 = { street = \"Weg\", lat = 6.0, lon = 51.0",
            "line 16: [lamps.lamp-2] lat: 6.0, 51.0 is 5,912 km from the middle of the city",
        ),
        ("[lamps]", '[groups.g]\nname = "G"\n[lamps]', "line 14: [groups.g] no lamp is in this group"),
    ],
)  # fmt: skip
def test_what_is_legal_but_odd_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, warning: str
) -> None:
    assert before in CITY

    code, lines = checked(tmp_path, capsys, city=CITY.replace(before, after))

    assert (code, lines) == (0, [f"city.toml: warning: {warning}", "1 file, 0 mistakes, 1 warning: they may be used"])


def test_of_many_alike_some_are_named_and_all_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lamps = "".join(f'lamp-{n} = {{ street = "Weg", lat = 51.0, lon = 6.0 }}\n' for n in range(3, 1_500))
    text = CITY.replace('["lamp-*"]', '["lamp-1"]').replace("[gateways]", f"{lamps}[gateways]")

    assert "no gateway speaks for lamp-2, lamp-3, lamp-4 and 1,495 more" in checked(tmp_path, capsys, city=text)[1][0]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"gw-hof"', '"gw-hoff"', "line 1: gateway: the catalogue has no gateway 'gw-hoff'; it has: gw-hof, gw-street"),
        ('site = "hof"', 'site = "lamp-1"', "line 7: [ports.lane-in] site: gw-hof does not speak for 'lamp-1' in the catalogue"),
        ('"lane-in"\n', '"lane"\n', "line 8: [ports.lane-in] sensor: hof has no 'lane' in the catalogue"),
        ("[spool]", '[signs.s]\npath = "x"\nyard = "hop"\n[spool]', "line 4: [signs.s] yard: the catalogue has no yard 'hop'"),
        (
            "[spool]",
            f'{LIT}[spool]',
            "line 8: [lamps.lamp-1] gw-hof does not speak for it in the catalogue",
        ),
    ],
)  # fmt: skip
def test_a_gateway_s_file_is_held_beside_the_catalogue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, said: str
) -> None:
    code, lines = checked(tmp_path, capsys, city=CITY, edge=EDGE.replace(before, after))

    assert (code, lines[-2].removeprefix("edge.toml: ")) == (2, said)


def test_a_sensor_that_no_port_brings_is_told_where_all_its_gateways_are_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = CITY.replace("lane-in =", 'gate-in = { role = "entry-control" }\nlane-in =')

    assert checked(tmp_path, capsys, city=more, edge=EDGE)[1] == [
        "city.toml: warning: line 4: [yards.hof] no port of gw-hof brings its sensor 'gate-in'",
        "2 files, 0 mistakes, 1 warning: they may be used",
    ]
    assert checked(tmp_path, capsys, city=more)[1] == ["1 file, 0 mistakes, 0 warnings: all well"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gateway = \n", "edge.toml: not TOML: Invalid value (at line 1, column 11)"),
        (EDGE + "sensr = 1\nbaud = 7\n", "edge.toml: line 9: [ports.lane-in] unknown key 'sensr'; allowed: path, driver,"),
    ],
)
def test_a_file_that_cannot_be_read_keeps_nobody_from_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    code, lines = checked(tmp_path, capsys, edge=text, city=CITY.replace('["hof"]', '["hop"]'))

    assert code == 2
    assert lines[0].startswith(said)
    assert "sites[0]: 'hop' matches no yard" in lines[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (INGEST.replace("sqlite", "mysql"), "ingest.toml: line 4: [store] url: 'mysql:///readings.db': expected sqlite:///"),
        (f'http = "9102"\n{INGEST}', 'ingest.toml: line 1: http: "9102": expected host:port'),
        (INGEST.replace("city.toml", "town.toml"), "ingest.toml: warning: line 1: city: there is no file"),
    ],
)
def test_the_server_s_files_are_looked_into_too(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    assert checked(tmp_path, capsys, city=CITY, ingest=text)[1][0].startswith(said)


@pytest.mark.parametrize("name", KINDS)
def test_every_sample_is_told_by_its_keys_or_its_name(name: str) -> None:
    sample = ROOT / "deploy" / "etc" / f"{name}.toml" if name != "city" else ROOT / "simulators" / "city.toml"

    assert check.main([str(sample)]) == 0
    assert kind_of(sample, {}) == name


@pytest.mark.parametrize("name", KINDS)
def test_what_tells_a_file_is_a_key_of_it(name: str) -> None:
    shape = getattr(importlib.import_module(KINDS[name].module), KINDS[name].shape)

    assert KINDS[name].telling <= {field.encode_name for field in msgspec.structs.fields(shape)}


def test_a_file_that_tells_nothing_is_asked_for_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(tmp_path, capsys, what="[broker]\n")[1][0].endswith(
        "neither its keys nor its name tell what it is; say --as city|edge|ingest|api|authority|backup|operator"
    )
    assert check.main([str(tmp_path / "what.toml"), "--as", "operator"]) == 0
