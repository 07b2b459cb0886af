"""Programs of light as data: what can be written, what a class asks for, which days are meant."""

import datetime as dt

import msgspec
import pytest

from hoflicht.days import in_season, is_date, is_day_of_year
from hoflicht.program import LIGHTING_CLASSES, MAX_STEPS, Program, complaints, floor_percent


def program(text: str) -> Program:
    return msgspec.toml.decode(text.encode(), type=Program)


def only_complaint(text: str) -> str:
    (complaint,) = complaints(program(text))
    return complaint.text


@pytest.mark.parametrize(
    "at", ["dusk", "dawn", "dusk+00:30", "dusk-00:05", "dawn-01:00", "dawn+12:59", "00:00", "12:00", "23:59", "03:05"]
)
def test_an_instant_of_a_night_is_the_suns_or_the_clocks(at: str) -> None:
    assert list(complaints(program(f'[[periods]]\nsteps = [{{ at = "{at}" }}]'))) == []


@pytest.mark.parametrize(
    "at", ["", "noon", "24:00", "7:00", "dusk+1:00", "dusk 00:30", "dawn-13:00", "dawn-00:60", "23:00+00:10", "23:00\\n"]
)
def test_what_is_none_is_named_with_examples(at: str) -> None:
    complaint = only_complaint(f'[[periods]]\nsteps = [{{ at = "{at}" }}]')

    assert complaint.startswith("[periods[0].steps[0]] at: ")
    assert "dusk+00:30" in complaint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            '[[periods]]\nsteps = [{ at = "dusk", lighting_class = "M7" }]',
            "[periods[0].steps[0]] lighting_class: 'M7' is no lighting class",
        ),
        ('[[periods]]\nsteps = []\nweekdays = ["sam"]', "[periods[0]] weekdays: 'sam' is no day"),
        ('[[periods]]\nsteps = []\ndates = ["2026-02-29"]', "[periods[0]] dates: '2026-02-29' is no date"),
        ('[[periods]]\nsteps = []\nfirst_day = "11-01"', "[periods[0]] first_day and last_day belong together"),
        (
            '[[periods]]\nsteps = []\nfirst_day = "11-01"\nlast_day = "11-31"',
            "[periods[0]] last_day: '11-31' is no day of the year",
        ),
        ('[[caps]]\npercent = 50\nlast_day = "09-30"', "[caps[0]] first_day and last_day belong together"),
        ('[traffic]\nlighting_class = "m3"', "[traffic] lighting_class: 'm3' is no lighting class"),
        ('wet_class = "wet"', "wet_class: 'wet' is no lighting class"),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_place(text: str, complaint: str) -> None:
    assert only_complaint(text).startswith(complaint)


@pytest.mark.parametrize(
    "text",
    [
        "dark_lx = nan",
        "dark_lx = 0",
        "sun_deg = 4",
        "sun_deg = -7",
        "ramp_up_s = -1",
        "[[caps]]\npercent = 101",
        "[[caps]]\npercent = nan",
        "[[caps]]\npercent = 50\nmoon_share = 1.1",
        '[[periods]]\nsteps = [{ at = "dusk", percent = inf }]',
        '[[periods]]\nsteps = [{ at = "dusk", level = 50 }]',
        "[[periods]]\nsteps = [" + '{ at = "dusk" },' * (MAX_STEPS + 1) + "]",
    ],
)
def test_a_number_out_of_its_range_and_an_unknown_key_are_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        program(text)


@pytest.mark.parametrize(
    ("demanded", "planned", "percent"),
    [
        ("", "", 0.0),
        ("", "M3", 0.0),
        ("M3", "M3", 100.0),
        ("M4", "M3", 75.0),
        ("M5", "M3", 50.0),
        ("P5", "P4", 60.0),
        ("C5", "C0", 15.0),
        ("M2", "M3", 100.0),  # more than the lamp has
        ("P4", "M3", 100.0),  # lux beside candela: it cannot be told
        ("M5", "", 100.0),
        ("M7", "M3", 100.0),
    ],
)
def test_a_class_is_kept_at_its_share_of_what_the_lamp_was_planned_for(demanded: str, planned: str, percent: float) -> None:
    assert floor_percent(demanded, planned) == pytest.approx(percent)


def test_a_higher_number_of_a_class_asks_for_less() -> None:
    for letter in "MCP":
        asked = [LIGHTING_CLASSES[name] for name in sorted(LIGHTING_CLASSES) if name.startswith(letter)]
        assert len(asked) == 6
        assert asked == sorted(set(asked), reverse=True)


@pytest.mark.parametrize(
    ("text", "is_one"), [("2026-12-24", True), ("2024-02-29", True), ("2026-02-29", False), ("24.12.2026", False), ("", False)]
)
def test_dates(text: str, is_one: bool) -> None:
    assert is_date(text) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"), [("11-01", True), ("02-29", True), ("02-30", False), ("13-01", False), ("1-1", False), ("11-01\n", False)]
)
def test_days_of_the_year(text: str, is_one: bool) -> None:
    assert is_day_of_year(text) is is_one


@pytest.mark.parametrize(
    ("day", "first", "last", "is_in"),
    [
        ("2026-07-01", "", "", True),
        ("2026-04-01", "04-01", "09-30", True),
        ("2026-09-30", "04-01", "09-30", True),
        ("2026-10-01", "04-01", "09-30", False),
        ("2026-12-31", "11-15", "01-06", True),
        ("2027-01-06", "11-15", "01-06", True),
        ("2027-01-07", "11-15", "01-06", False),
        ("2026-11-14", "11-15", "01-06", False),
        ("2024-02-29", "02-29", "02-29", True),
    ],
)
def test_a_season_has_both_its_ends_and_may_span_new_year(day: str, first: str, last: str, is_in: bool) -> None:
    assert in_season(dt.date.fromisoformat(day), first, last) is is_in
