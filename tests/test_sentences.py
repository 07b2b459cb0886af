"""What the pages say of a wait, in every language."""

import datetime as dt
import re
import string

import msgspec
import pytest

from api.citizen.english import ENGLISH
from api.citizen.german import GERMAN
from api.citizen.languages import LANGUAGES
from api.citizen.plain_german import PLAIN_GERMAN
from api.citizen.sentences import big, detail, headline, note, queue, rough, short
from api.citizen.turkish import TURKISH
from api.citizen.views import view
from api.citizen.words import Words
from api.estimate.reason import Reason
from hoflicht.catalogue import City
from hoflicht.wait import State, Trend, Trust, Wait
from tests.lane import YARD, at, ms

NOW_MS = ms(90)


def told(state: State = State.OPEN, **more: object) -> Wait:
    return Wait(yard=YARD, state=state, as_of=at(90), valid_until=at(91), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wait", "german", "english", "number"),
    [
        (told(p50_s=0), "Keine Wartezeit", "No waiting", "0"),
        (told(p50_s=743), "Wartezeit etwa 15 Minuten", "About 15 minutes of waiting", "15"),
        (told(p50_s=743, shown_min=20), "Wartezeit etwa 20 Minuten", "About 20 minutes of waiting", "20"),
        (told(p50_s=4000), "Wartezeit mehr als 60 Minuten", "More than 60 minutes of waiting", "> 60"),
        (told(more_than_s=1600), "Wartezeit mehr als 25 Minuten", "More than 25 minutes of waiting", "> 25"),
        (told(more_than_s=100), "Wartezeit zurzeit nicht bekannt", "Waiting time not known for now", ""),
        (told(State.HELD, more_than_s=600), "Einfahrt zurzeit gesperrt", "No entry for now", ""),
        (told(State.CLOSING, p50_s=1200), "Heute keine Einfahrt mehr", "No more entry today", ""),
        (told(State.CLOSED), "Geschlossen", "Closed", ""),
        (told(State.UNKNOWN), "Keine Angabe", "No information", ""),
    ],
)
def test_a_wait_in_words(wait: Wait, german: str, english: str, number: str) -> None:
    assert (headline(wait, GERMAN), headline(wait, ENGLISH), big(wait)) == (german, english, number)


@pytest.mark.parametrize(
    ("wait", "german"),
    [
        (told(p10_s=612, p50_s=743, p90_s=1231), "meist 10 bis 25 Minuten"),
        (told(p10_s=20, p50_s=200, p90_s=800), "meist höchstens 15 Minuten"),
        (told(p10_s=600, p50_s=600, p90_s=600), "meist höchstens 10 Minuten"),
        (told(p10_s=0, p50_s=0, p90_s=0), ""),
        (told(p10_s=300, p50_s=500, p90_s=840, shown_min=20), "meist 5 bis 20 Minuten"),  # a held step lies inside
        (told(p10_s=900, p50_s=1080, p90_s=1500, shown_min=10), "meist 10 bis 25 Minuten"),
        (told(State.CLOSED, next_opening=at(24 * 60)), "Öffnet morgen um 8:00 Uhr"),
        (told(State.CLOSED, next_opening=at(60)), "Öffnet heute um 9:00 Uhr"),
        (told(State.CLOSED, next_opening=at(3 * 24 * 60)), "Öffnet Donnerstag um 8:00 Uhr"),
        (told(State.CLOSED, next_opening=at(8 * 24 * 60)), "Öffnet Dienstag, 1.12. um 8:00 Uhr"),
        (told(State.HELD, more_than_s=1300, reason=Reason.GATE_HELD), "Danach noch mindestens 20 Minuten"),
        (told(State.UNKNOWN, reason=Reason.SILENT), "Die Sensoren melden sich nicht."),
    ],
)
def test_the_second_line_tells_the_band_the_reason_or_the_opening(wait: Wait, german: str) -> None:
    assert detail(wait, GERMAN, dt.date(2026, 11, 23)) == german


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_every_reason_and_trend_is_told_in_every_language(words: Words) -> None:
    assert set(words.reasons) == set(Reason)
    assert set(words.trends) == set(Trend)
    assert set(words.notes) == set(Trust)


@pytest.mark.parametrize(
    ("wait", "before_the_number", "german"),
    [
        (told(p50_s=743, trust=Trust.MEASURED), "", ""),
        (told(p50_s=743), "", ""),  # an older api
        (told(p50_s=743, trust=Trust.CONFIGURED), "ca.", "Hier wird erst seit Kurzem gemessen; die Zahl ist nur ein Richtwert."),
        (told(p50_s=743, trust=Trust.RECKONED), "", "Ein Zähler ist ausgefallen; die Zahl ist weniger genau."),
        (told(State.CLOSED, trust=Trust.CONFIGURED), "", ""),
    ],
)
def test_how_far_a_number_may_be_relied_on(wait: Wait, before_the_number: str, german: str) -> None:
    assert (rough(wait, GERMAN), note(wait, GERMAN)) == (before_the_number, german)


@pytest.mark.parametrize(
    ("wait", "german"),
    [
        (told(p50_s=743, queue=8), "Etwa 8 Autos warten"),
        (told(p50_s=100, queue=1), "Ein Auto wartet"),
        (told(State.HELD, queue=3), "Etwa 3 Autos warten"),
        (told(p50_s=0, queue=0), ""),
        (told(more_than_s=1600), ""),
        (told(State.CLOSED, queue=2), ""),
    ],
)
def test_how_many_cars_wait(wait: Wait, german: str) -> None:
    assert queue(wait, GERMAN) == german


def test_only_a_shorter_wait_is_highlighted(city: City) -> None:
    def best(**minutes: int) -> list[str]:
        waits = {name.replace("_", "-"): told(p50_s=60 * n) for name, n in minutes.items()}
        return [yard.id for yard in view(city, waits, NOW_MS, GERMAN).yards if yard.best]

    assert best(hof_nord=15, hof_sued=5, hof_west=30) == ["hof-sued"]
    assert best(hof_nord=5, hof_sued=5) == []
    assert best(hof_nord=0, hof_sued=0, hof_west=10) == ["hof-nord", "hof-sued"]


@pytest.mark.parametrize(("bound_s", "best"), [(400, []), (1600, ["hof-sued"])])
def test_more_than_so_many_minutes_is_never_the_shortest(city: City, bound_s: int, best: list[str]) -> None:
    waits = {"hof-nord": told(more_than_s=bound_s), "hof-sued": told(p50_s=600)}

    assert [yard.id for yard in view(city, waits, NOW_MS, GERMAN).yards if yard.best] == best


@pytest.mark.parametrize(
    ("wait", "level"),
    [
        (told(p50_s=0), "free"),
        (told(p50_s=300, shown_min=10), "short"),
        (told(p50_s=500, shown_min=15), "medium"),  # the colour is that of the number beside it
        (told(p50_s=1500), "medium"),
        (told(p50_s=1501), "long"),
        (told(more_than_s=400), "medium"),
        (told(more_than_s=2000), "long"),
        (told(more_than_s=100), "unknown"),
        (told(State.HELD, p50_s=300), "held"),
    ],
)
def test_the_colour_of_a_yard(city: City, wait: Wait, level: str) -> None:
    assert view(city, {YARD: wait}, NOW_MS, GERMAN).yards[0].level == level


def test_who_may_come_too_late_is_told_so(city: City) -> None:
    def arrival(wait: Wait) -> str:
        return view(city, {YARD: wait}, NOW_MS, GERMAN).yards[0].arrival

    open_until = told(p50_s=600, p90_s=900, last_entry=at(570))
    assert arrival(msgspec.structs.replace(open_until, latest_arrival=at(555))) == "Ankunft bis 17:15 Uhr"
    assert arrival(open_until) == "Einfahrt heute nicht mehr sicher"
    assert arrival(told(p50_s=600, p90_s=900)) == ""  # a yard that never closes
    assert arrival(told(State.UNKNOWN)) == ""


@pytest.mark.parametrize(
    ("wait", "german", "turkish"),
    [
        (told(p50_s=743), "15 Min.", "15 dk."),
        (told(p50_s=743, trust=Trust.CONFIGURED), "ca. 15 Min.", "yakl. 15 dk."),
        (told(p50_s=4000), "> 60 Min.", "> 60 dk."),
        (told(more_than_s=100), "Keine Angabe", "Bilgi yok"),
        (told(State.HELD), "Gesperrt", "Giriş durduruldu"),
    ],
)
def test_a_wait_in_a_line_of_a_list(wait: Wait, german: str, turkish: str) -> None:
    assert (short(wait, GERMAN), short(wait, TURKISH)) == (german, turkish)


def texts(words: Words) -> dict[str, str]:
    """All that `words` say, by name."""
    told: dict[str, object] = msgspec.to_builtins(words)
    single = {name: text for name, text in told.items() if isinstance(text, str)}
    tables = {name: table for name, table in told.items() if isinstance(table, dict)}
    return single | {f"{name}.{key}": text for name, table in tables.items() for key, text in table.items()}


def braces(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


OPTIONAL = {"day"}  # a language may do without the day where it says "today" anyhow


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_every_language_fills_in_what_german_does(words: Words) -> None:
    german = texts(GERMAN)

    assert {name: braces(text) - OPTIONAL for name, text in texts(words).items()} == {
        name: braces(text) - OPTIONAL for name, text in german.items()
    }
    assert {name for name, text in texts(words).items() if not text} == {"notes.measured"}


def test_turkish_has_no_suffix_behind_a_figure() -> None:
    assert {name: text for name, text in texts(TURKISH).items() if re.search(r"\}['’\w]", text)} == {}


def test_plain_german_is_short_and_without_abbreviations() -> None:
    sentences = [part for text in texts(PLAIN_GERMAN).values() for part in re.split(r"(?<=[.:?!])\s", text)]

    assert {each for each in sentences if len(each.split()) > 12} == set()
    assert {each for each in sentences if re.search(r"\b(Min|ca|z\. ?B|Std|Nr|usw|bzw)\b\.?|;", each)} == set()


def test_a_name_under_an_icon_is_short() -> None:
    assert {words.code for words in LANGUAGES.values() if len(words.app) > 12} == set()
