"""A city of one's own: what is asked, what is written, and that it is right."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.config import load_edge
from hoflicht import BadConfig
from hoflicht.catalogue import load_city
from hoflicht.cli import COMMANDS
from tests.conftest import ROOT
from tests.test_lamps_import import GERMAN
from workshop import check, init, questions
from workshop.answers import special, weekly

ANSWERS = """\
name = "Oberhausen"
server = "hoflicht.oberhausen.example"
holidays = "DE-NW"
bounds = { south = 51.44, west = 6.71, north = 51.58, east = 6.92 }

[[yards]]
name = "Wertstoffhof \\"Süd\\""
id = "hof-sued"
address = "Am Ufer 1, 46049 Oberhausen"
lat = 51.47
lon = 6.85
hours = "mon-fri 08:00-18:00, sat 08:00-14:00"
special = "2026-12-24 closed, 2026-12-31 08:00-12:00"
last_entry_before_min = 15
sensors = [
  { name = "lane-in", role = "lane-entry", driver = "ops243", path = "/dev/serial/by-id/radar", gateway = "gw-street" },
  { name = "lane-3", role = "lane", position_m = 3, driver = "tfmini", path = "/dev/serial/by-id/lidar" },
  { name = "gate-in", role = "entry-control", driver = "node", path = "/dev/serial/by-id/node" },
  { name = "barrier", role = "gate", driver = "node", path = "/dev/serial/by-id/node" },
]
sign = { path = "/dev/serial/by-id/sign", width = 24, address = 6 }

[programs.half-night]
periods = [{ weekdays = ["fri"], steps = [{ at = "dusk", percent = 100 }, { at = "23:00", percent = 50 }] }]
traffic = { hold_s = 45 }
"""
LAMPS = '[lamps]\ntable = "lamps.csv"\nprogram = "half-night"\n'


def made(folder: Path, answers: str = ANSWERS, name: str = "city") -> Path:
    """The folder that comes of `answers`."""
    (folder / "answers.toml").write_text(answers, encoding="utf-8")
    (folder / "lamps.csv").write_text(GERMAN.replace("5.700.", "5.705.").replace("5700130", "5705130"), encoding="utf-8")
    assert init.main([str(folder / name), "--answers", str(folder / "answers.toml")]) == 0
    return folder / name


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.*"))}


@pytest.mark.parametrize("answers", [ANSWERS, ANSWERS + LAMPS, f'store = "sqlite"\n{ANSWERS}{LAMPS}', 'name = "A"\nserver = "b"\n'])
def test_what_is_written_is_right(tmp_path: Path, answers: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(tmp_path, answers)

    code = check.main([str(path) for path in sorted(folder.rglob("*.toml"))])

    warnings = [line for line in capsys.readouterr().out.splitlines() if ": warning: " in line]
    assert code == 0
    # Which lamp is at which address of which line no table tells: that, and nothing else, is left to do.
    assert [line for line in warnings if "brings its sensor 'driver'" not in line and "holidays is not set" not in line] == []


def test_all_that_was_answered_is_in_the_catalogue(tmp_path: Path) -> None:
    city = load_city(made(tmp_path, ANSWERS + LAMPS) / "city.toml")

    yard = city.yards["hof-sued"]
    assert (city.name, city.holidays, yard.name, yard.address) == (
        "Oberhausen",
        "DE-NW",
        'Wertstoffhof "Süd"',
        "Am Ufer 1, 46049 Oberhausen",
    )
    assert yard.hours.weekly == {**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-18:00"), "sat": "08:00-14:00"}
    assert (yard.hours.special, yard.hours.closed_on) == ({"2026-12-31": "08:00-12:00"}, ("2026-12-24",))
    assert (yard.hours.last_entry_before_min, yard.sensors["lane-3"].position_m) == (15, 3)
    assert {name: gateway.sites for name, gateway in city.gateways.items()} == {
        "gw-hof-sued": ("hof-sued",),
        "gw-street": ("hof-sued", "lamp-*"),
    }
    assert (len(city.lamps), city.lamps["lamp-4711"].group) == (2, "street-lights")
    assert city.groups["street-lights"].program == "half-night"
    sign = load_edge(tmp_path / "city" / "gateways" / "gw-hof-sued.toml").signs["hof-sued"]
    assert (sign.yard, sign.protocol, sign.width, sign.address) == ("hof-sued", "ibis-ds009", 24, 6)
    program = city.programs["half-night"]
    assert program.traffic is not None
    assert (program.periods[0].weekdays, program.periods[0].steps[1].percent, program.traffic.hold_s) == (("fri",), 50, 45)


def test_a_table_of_lamps_may_come_beside_the_answers(tmp_path: Path) -> None:
    (tmp_path / "answers.toml").write_text(ANSWERS, encoding="utf-8")
    (tmp_path / "table.csv").write_text("id,lat,lon\n1,51.47,6.85\n", encoding="utf-8")

    init.main([str(tmp_path / "city"), "--answers", str(tmp_path / "answers.toml"), "--lamps", str(tmp_path / "table.csv")])

    city = load_city(tmp_path / "city" / "city.toml")
    assert ([*city.lamps], city.gateways["gw-street"].sites) == (["lamp-1"], ("hof-sued", "lamp-*"))


def test_the_same_answers_give_the_same_files(tmp_path: Path) -> None:
    first, second = texts(made(tmp_path, ANSWERS + LAMPS)), texts(made(tmp_path, ANSWERS + LAMPS, "again"))

    assert [*first] == ["README.md", "api.toml", "city.toml", "gateways/gw-hof-sued.toml", "gateways/gw-street.toml", "ingest.toml"]
    assert first == second


@pytest.mark.parametrize("store", ["influx", "sqlite"])
def test_the_next_steps_name_what_is_there(tmp_path: Path, store: str) -> None:
    folder = made(tmp_path, f'store = "{store}"\n{ANSWERS}{LAMPS}')

    steps = (folder / "README.md").read_text(encoding="utf-8")
    used = set(re.findall(r"(?:`|\n)hoflicht ([a-z-]+)", steps))
    assert {"check", "doctor", "enroll", "authority"} <= used <= {*COMMANDS}
    assert [name for name in re.findall(r"`(gateways/[^`*]+)`", steps) if not (folder / name).exists()] == []
    units = set(re.findall(r"hoflicht-[a-z]+\.(?:service|timer)", steps))
    assert [name for name in units if not (ROOT / "deploy" / "systemd" / name).exists()] == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = made(tmp_path)
    (folder / "city.toml").unlink()
    (folder / "README.md").write_text("mine")

    with pytest.raises(BadConfig, match=r"README.md: there already, and nothing is overwritten"):
        made(tmp_path)

    assert (folder / "README.md").read_text() == "mine"
    assert not (folder / "city.toml").exists()


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("oberhausen.example", "https://x", "line 2: server: 'hoflicht.https://x' is no name or address of a machine"),
        ('"DE-NW"', '"DE-XY"', "line 3: holidays: the holidays of 'DE-XY' are not known; an example: DE-NW"),
        ("lat = 51.47", "lat = 51.74", "line 10: [yards[0]] lat: 51.74, 6.85 lies outside the bounds of the city"),
        ("mon-fri 08:00-18:00,", "mo-fr 8-18,", "line 12: [yards[0]] hours: 'mo-fr 8-18' is no day with its hours"),
        ("2026-12-24 closed", "24.12. zu", "line 13: [yards[0]] special: '24.12. zu' is no date with its hours"),
        ('"tfmini"', '"tfmin"', "line 17: [yards[0].sensors[1]] driver: 'tfmin' is unknown; known: lufft-umb,"),
        ("position_m = 3, ", "", "line 17: [yards[0].sensors[1]] a lane sensor needs position_m"),
        ('"barrier"', '"Barrier"', "line 19: [yards[0].sensors[3]] name: 'Barrier' cannot be a name"),
        ("width = 24", "width = 25", "line 21: [yards[0].sign] width: Invalid enum value 25"),
        ("by-id/lidar", "by-id/sign", "line 21: [yards[0].sign] path: /dev/serial/by-id/sign at gw-hof-sued is taken by lane-3"),
        ('"dusk"', '"dsk"', "line 24: [programs.half-night.periods[0].steps[0]] at: 'dsk' is no instant of a night"),
    ],
)
def test_an_answer_that_cannot_be_meant_is_told_by_its_line(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    assert before in ANSWERS

    with pytest.raises(BadConfig) as caught:
        made(tmp_path, ANSWERS.replace(before, after))

    assert complaint in str(caught.value)
    assert not (tmp_path / "city").exists()


@pytest.mark.parametrize(
    ("told", "hours"),
    [
        ("mon 08:00-18:00", {"mon": "08:00-18:00"}),
        ("sat-mon 10:00-24:00", {"mon": "10:00-24:00", "sat": "10:00-24:00", "sun": "10:00-24:00"}),
        ("sat-sun 08:00-18:00, sun 10:00-12:00, ", {"sat": "08:00-18:00", "sun": "10:00-12:00"}),
    ],
)  # fmt: skip
def test_hours_are_told_in_a_line(told: str, hours: dict[str, str]) -> None:
    assert weekly(told) == hours


@pytest.mark.parametrize(
    "told", ["mon", "mon-", "mon 8-18", "mon-xyz 08:00-18:00", "08:00-18:00", "mon 08:00-18:00 tue 08:00-18:00"]
)
def test_hours_that_are_none_are_refused(told: str) -> None:
    with pytest.raises(ValueError, match="is no day with its hours"):
        weekly(told)


def test_other_days_are_told_in_a_line() -> None:
    assert special("2026-12-24 closed, 2026-12-31 08:00-12:00") == ({"2026-12-31": "08:00-12:00"}, ("2026-12-24",))


# At a terminal

TYPED = [
    *("Oberhausen", "https://x", "hof.example", "", "DE-XX", "", "51 6", "51.44 6.71 51.58 6.92", "sqlite"),
    *("", "north", "51,47 6,85", "Hof Süd", "Weg 1", "mo 8", "mon-sat 08:00-18:00", "", "", "0", "3", "", ""),
    *("", "lane-in", "lane-entry", "ops24", "ops243", "/dev/ttyUSB0", ""),
    *("maybe", "y", "lane-3", "lane", "tfmini", "/dev/ttyUSB1", "drei", "3", "gw-post", "no"),
    *("yes", "/dev/ttyUSB2", "", "20", "no"),
]  # fmt: skip


def test_the_questions_lead_to_the_same_files_as_a_file_of_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed: Iterator[str] = iter(TYPED)
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    written = made(
        tmp_path,
        'name = "Oberhausen"\nserver = "hof.example"\nholidays = "DE-NW"\nstore = "sqlite"\n'
        "bounds = { south = 51.44, west = 6.71, north = 51.58, east = 6.92 }\n"
        '[[yards]]\nlat = 51.47\nlon = 6.85\nname = "Hof Süd"\naddress = "Weg 1"\nhours = "mon-sat 08:00-18:00"\n'
        "last_entry_before_min = 15\nbays = 3\nsensors = [\n"
        '{ name = "lane-in", role = "lane-entry", driver = "ops243", path = "/dev/ttyUSB0" },\n'
        '{ name = "lane-3", role = "lane", driver = "tfmini", path = "/dev/ttyUSB1", position_m = 3, gateway = "gw-post" },\n]\n'
        'sign = { path = "/dev/ttyUSB2", width = 20 }\n',
    )
    capsys.readouterr()

    assert init.main([str(tmp_path / "typed")]) == 0

    assert [*typed] == []
    assert texts(tmp_path / "typed") == texts(written)
    said = capsys.readouterr().out
    assert "a whole number from 1 to 100" in said  # 0 bays
    assert "a country and its part, as in DE-NW" in said
    assert "one of: sds011, sps30" in said  # no driver is called ops24


def test_who_breaks_off_has_written_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupted)

    assert init.main([str(tmp_path / "city")]) == 1
    assert capsys.readouterr().err == "\nhoflicht init: nothing was written\n"
    assert not (tmp_path / "city").exists()


def test_lamps_are_asked_about_where_there_is_a_table() -> None:
    typed = iter(["A", "b", "", "", "51.44 6.71 51.58 6.92", "", "no", "", "40"])

    raw = questions.ask(lambda _: next(typed), lambda _: None, has_table=True)

    assert raw["lamps"] == {"gateway": "gw-street", "program": "night"}
    assert [step["percent"] for step in raw["programs"]["night"]["periods"][0]["steps"]] == [100, 40, 100]


def test_who_answers_nothing_is_sent_to_a_file() -> None:
    def nobody(_: str) -> str:
        raise EOFError

    with pytest.raises(BadConfig, match="give --answers FILE"):
        questions.ask(nobody, lambda _: None, has_table=False)


def test_wrong_answers_without_end_come_to_an_end() -> None:
    said: list[str] = []

    with pytest.raises(BadConfig, match="no answer to: The city"):
        questions.ask(lambda _: "", said.append, has_table=False)
    assert len(said) == 21
