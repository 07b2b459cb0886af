"""What others publish on: days as files, calendars, feeds and places, read by others' readers."""

import csv
import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.citizen import place_data
from api.open_data import calendar, excerpts, ical
from api.staff.notices import NoticeAsked, Texts
from hoflicht import Reading
from hoflicht.catalogue import City, Hours
from hoflicht.hours import period_on
from tests.face import Face, facing
from tests.lane import YARD, joined, let_in, ms, steady_queue
from tests.office import NOW, NOW_MS, Office, opened

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = dt.date(2026, 11, 23)
DAY = "/v1/yards/hof-nord/days/{day}.csv"
ATOM = "{http://www.w3.org/2005/Atom}"
NIGHTS = Hours(weekly=dict.fromkeys(("sat", "sun"), "20:00-04:00"), special={"2026-12-24": "08:00-12:00"})


@pytest.fixture(scope="module")
def face(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    """Hof Nord with eight cars, twenty seconds past 9:30; the day before, three cars were let in at 8:00:10."""
    yesterday = [*joined(-1_439), *let_in(*(-1_440 + n / 60 for n in (10, 11, 12)))]
    told = [Reading(YARD, "estimate", name, ms(-1_439), value) for name, value in (("wait_p50", 310.0), ("queue_length", 4.0))]
    with facing(city, tmp_path_factory.mktemp("face"), NOW_MS + 20_000, yesterday + told + steady_queue(8, 90)) as running:
        yield running


@pytest.fixture
def office(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened(city, tmp_path_factory.mktemp("office")) as office:
        yield office


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines()))


def test_a_day_is_a_file_of_steps_from_midnight_to_midnight_in_the_city(face: Face) -> None:
    answer = face.get(DAY.format(day="2026-11-22"))

    assert rows(answer.text) == [
        [*("at", "wait_p10_s", "wait_p50_s", "wait_p90_s", "queue", "passed gate-in", "passed gate-out", "passed lane-in")],
        ["2026-11-22T08:00:00+01:00", "", "310.0", "", "4.0", "3.0", "", "1.0"],
    ]
    assert answer.headers["content-disposition"] == 'inline; filename="hof-nord-2026-11-22.csv"'
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("text/csv; charset=utf-8", "public, max-age=86400")


def test_a_day_that_runs_is_told_until_the_last_whole_minute_and_kept_for_one(face: Face) -> None:
    face.store.write(let_in(90.1))
    first = face.get(DAY.format(day=TODAY) + "?step=60")
    face.store.write(let_in(90.2))
    again = face.get(DAY.format(day=TODAY) + "?step=60")

    assert first.headers["cache-control"] == "public, max-age=60"
    assert (rows(first.text)[-1][0], again.content) == ("2026-11-23T09:27:00+01:00", first.content)


def test_what_is_no_day_of_the_past_is_a_problem(face: Face) -> None:
    asked = {"2026-11-24": 404, "2026-02-30": 422, "1763886600": 422, "2026-11-22?step=30": 404, "0001-01-01": 422}
    answers = {day: face.get(DAY.format(day=day)).status_code for day in asked}

    assert answers == asked
    steps = {step: face.get(DAY.format(day="2026-11-22") + f"?step={step}").status_code for step in (59, 60, 61, 90, 3_600, 3_660)}
    assert steps == {59: 422, 60: 200, 61: 422, 90: 422, 3_600: 200, 3_660: 422}


def test_the_files_of_the_last_days_are_listed(face: Face) -> None:
    listed = face.get("/v1/yards/hof-nord/days").json()

    assert (listed["time_zone"], len(listed["days"])) == ("Europe/Berlin", 90)
    assert [face.get(path).status_code for path in listed["days"][:2]] == [200, 200]


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-11-22T07:00:11Z&to=2026-11-22T07:02:00Z&step=60",  # the difference to a whole minute would be a car
        "from=2026-11-22T07:00:00.5Z&to=2026-11-22T07:02:59Z&step=60",
        "from=2026-11-22T07:00:00Z&to=2026-11-22T07:02:00Z&step=60",
    ],
)
def test_no_history_tells_single_cars_apart_by_the_second(face: Face, query: str) -> None:
    answer = face.get(f"/v1/yards/hof-nord/history?quantity=passage&{query}").json()

    points = {series["sensor"]: [(point["at"], point["value"]) for point in series["points"]] for series in answer["series"]}
    assert points["gate-in"] == [("2026-11-22T07:00:00Z", 3.0)]


@pytest.mark.parametrize("query", ["from=2026-11-22T07:00:11Z&to=2026-11-22T07:00:12Z", "from=2026-11-22T07:00:00Z&step=61"])
def test_a_history_of_seconds_is_refused(face: Face, query: str) -> None:
    assert face.get(f"/v1/yards/hof-nord/history?quantity=passage&{query}").status_code == 422


def test_of_the_minute_that_runs_a_history_tells_nothing(face: Face) -> None:
    face.store.write(let_in(90.1))
    asked = "/v1/yards/hof-nord/history?quantity=passage&from=2026-11-23T08:00:00Z&step=60"
    answers = [face.get(f"{asked}{end}").json()["series"] for end in ("", "&to=2026-11-23T12:00:00Z")]

    newest = {point["at"] for series in answers[1] for point in series["points"]}
    assert answers[0] == answers[1]
    assert max(newest) == "2026-11-23T08:27:00Z"


def test_a_calendar_has_each_opening_of_twelve_months_as_the_yard_keeps_it(city: City, face: Face) -> None:
    answer = face.get("/v1/yards/hof-nord/hours.ics")
    events = icalendar.Calendar.from_ical(answer.content).events
    opening = {event.start.date(): (event.start, event.end) for event in events if isinstance(event.start, dt.datetime)}

    days = [TODAY + dt.timedelta(days=n) for n in range(366)]
    periods = {day: period_on(day, city.yards["hof-nord"].hours, city) for day in days}
    assert opening == {day: (period.opens, period.closes) for day, period in periods.items() if period is not None}
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert len({str(event["UID"]) for event in events}) == len(events) > 300


def test_a_calendar_says_why_a_yard_is_closed(face: Face) -> None:
    events = icalendar.Calendar.from_ical(face.get("/v1/yards/hof-nord/hours.ics").content).events
    closed = {str(event.start): str(event["SUMMARY"]) for event in events if not isinstance(event.start, dt.datetime)}

    assert closed["2026-12-24"] == "Recyclinghof Nord geschlossen"
    assert closed["2026-12-25"] == "Recyclinghof Nord geschlossen: Erster Weihnachtstag"
    assert (
        closed["2027-05-27"] == "Recyclinghof Nord geschlossen: Fronleichnam"
    )  # of some states only, North Rhine-Westphalia among them
    assert "2026-11-29" not in closed  # a Sunday, as ever


def test_a_calendar_is_the_same_all_day_and_another_on_the_next(city: City) -> None:
    first, again, next_day = (
        calendar.as_ics(city, "hof-nord", TODAY + dt.timedelta(days=n), "https://waiting.example.org") for n in (0, 0, 1)
    )

    assert first == again != next_day


def test_a_special_day_and_a_night_stand_in_the_calendar(city: City) -> None:
    nights = msgspec.structs.replace(city.yards["hof-nord"], hours=NIGHTS)
    changed = msgspec.structs.replace(city, yards={"hof-nord": nights})
    events = icalendar.Calendar.from_ical(calendar.as_ics(changed, "hof-nord", TODAY, "http://x")).events
    by_day = {event.start.date(): event for event in events if isinstance(event.start, dt.datetime)}

    assert str(by_day[dt.date(2026, 12, 24)]["SUMMARY"]) == "Recyclinghof Nord geöffnet (andere Zeiten)"
    night = by_day[dt.date(2027, 3, 27)]  # in which the clocks are put forward
    assert (night.start.isoformat(), night.end.isoformat()) == ("2027-03-27T20:00:00+01:00", "2027-03-28T04:00:00+02:00")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/Istanbul", "America/New_York", "Australia/Lord_Howe"])
def test_a_time_zone_is_written_so_that_every_hour_of_a_year_is_right(zone: str) -> None:
    lines = [*("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x"), *ical.timezone(zone, TODAY, TODAY + dt.timedelta(days=367))]
    [written] = icalendar.Calendar.from_ical(ical.written([*lines, "END:VCALENDAR"])).walk("VTIMEZONE")
    parts: list[Any] = [part for part in written.walk() if part.name != "VTIMEZONE"]
    # §3.6.5: an observance begins at the instant that its DTSTART and TZOFFSETFROM tell.
    begins = sorted((part["DTSTART"].dt - part["TZOFFSETFROM"].td, part["TZOFFSETTO"].td) for part in parts)

    for at in (dt.datetime(2026, 11, 23) + dt.timedelta(hours=n / 2) for n in range(2 * 24 * 366)):
        expected = at.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).utcoffset()
        assert [offset for begin, offset in begins if begin <= at][-1] == expected, at


def test_what_means_something_in_a_calendar_is_escaped() -> None:
    assert ical.text("Hof; Tor, links\\rechts\nhinten") == r"Hof\; Tor\, links\\rechts\nhinten"


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=200))
def test_any_text_comes_back_from_a_calendar_and_no_line_is_too_long(text: str) -> None:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:x",
        "BEGIN:VEVENT",
        f"SUMMARY:{ical.text(text)}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    written = ical.written(lines)

    [event] = icalendar.Calendar.from_ical(written).events
    assert str(event["SUMMARY"]) == text
    assert max(len(line) for line in written.split(b"\r\n")) <= 75


def test_places_are_what_search_engines_read(city: City, face: Face) -> None:
    answer = face.get("/v1/places")
    nord = answer.json()["@graph"][0]

    assert answer.headers["content-type"] == "application/ld+json"
    assert (nord["@type"], nord["name"], nord["@id"]) == ("RecyclingCenter", "Recyclinghof Nord", f"{face.url}/v1/yards/hof-nord")
    assert (nord["address"]["streetAddress"], nord["address"]["postalCode"]) == ("Im Holtkamp 84", "47167")
    assert nord["geo"] == {"@type": "GeoCoordinates", "latitude": 51.4936, "longitude": 6.7486}
    [weekly] = nord["openingHoursSpecification"]
    assert (weekly["opens"], weekly["closes"], len(weekly["dayOfWeek"])) == ("08:00", "18:00", 6)
    special = {each["validFrom"]: (each["opens"], each["closes"]) for each in nord["specialOpeningHoursSpecification"]}
    assert special["2026-12-24"] == special["2027-05-27"] == ("00:00", "00:00")


def test_a_special_day_has_its_own_hours_and_nothing_ends_the_script_that_holds_a_place(city: City) -> None:
    odd = msgspec.structs.replace(city.yards["hof-nord"], name="</script><b>", address="am Tor", hours=NIGHTS)
    told = place_data.places(msgspec.structs.replace(city, yards={"odd": odd}), TODAY, "http://x")
    [place] = msgspec.json.decode(told)["@graph"]

    assert b"<" not in told
    assert (place["name"], place["address"]) == ("</script><b>", "am Tor")
    [christmas_eve] = [each for each in place["specialOpeningHoursSpecification"] if each["validFrom"] == "2026-12-24"]
    assert (christmas_eve["opens"], christmas_eve["closes"]) == ("08:00", "12:00")


def feed(office: Office, query: str = "") -> Any:
    answer = office.face.get(f"/v1/notices.atom{query}")
    assert answer.headers["content-type"] == "application/atom+xml"
    return ET.fromstring(answer.content)


def test_notices_are_a_feed(office: Office) -> None:
    empty = feed(office)
    until = NOW + dt.timedelta(hours=2)
    office.notices.put_up(
        "hof-nord", NoticeAsked(texts=Texts(de="Waage & Tor <gesperrt>".replace("<", "„").replace(">", "“")), until=until)
    )
    office.clock.advance(60_000)
    office.notices.put_up("hof-sued", NoticeAsked(texts=Texts(de="Heute zu", en="Closed today"), until=until))
    german, english = feed(office), feed(office, "?lang=en")
    office.clock.advance(3 * 3_600_000)
    over = feed(office)

    assert (empty.findall(f"{ATOM}entry"), over.findall(f"{ATOM}entry")) == ([], [])
    titles = [entry.findtext(f"{ATOM}title") for entry in german.findall(f"{ATOM}entry")]
    assert titles == ["Recyclinghof Süd: Heute zu", "Recyclinghof Nord: Waage & Tor „gesperrt“"]
    assert english.findall(f"{ATOM}entry")[0].findtext(f"{ATOM}content") == "Closed today\nGilt bis 23.11.2026, 11:30 Uhr."
    assert [each.findtext(f"{ATOM}updated") for each in (empty, german, over)] == [
        *("1970-01-01T00:00:00+00:00", "2026-11-23T08:31:00+00:00", "2026-11-23T10:30:00+00:00"),
    ]
    ids = [element.text for element in german.iter(f"{ATOM}id")]
    assert len(set(ids)) == 3
    assert [element.text for element in english.iter(f"{ATOM}id")] == ids


def test_all_of_it_is_for_every_site_and_told_once(face: Face) -> None:
    paths = ("hours.ics", "days", "days/2026-11-22.csv")
    for path in (*(f"/v1/yards/hof-nord/{each}" for each in paths), "/v1/places", "/v1/notices.atom", "/v1/catalogue"):
        first = face.get(path)
        again = face.get(path, if_none_match=first.headers["etag"])

        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert first.headers["access-control-allow-origin"] == "*"
        assert first.headers["cache-control"].startswith("public, max-age=")


def test_a_host_that_is_none_is_written_nowhere(face: Face) -> None:
    answers = [face.get("/v1/places", host=host) for host in ("evil.example/<x>", 'a"b', "waiting.example.org:8443", "[::1]:8000")]

    assert [answer.status_code for answer in answers] == [400, 400, 200, 200]
    assert answers[2].json()["@graph"][0]["url"] == "http://waiting.example.org:8443/"


def test_the_examples_of_the_description_are_read_by_those_who_read_the_answers() -> None:
    [event] = icalendar.Calendar.from_ical(excerpts.CALENDAR).events

    assert event.start == dt.date(2026, 12, 24)
    assert ET.fromstring(excerpts.FEED.encode()).findtext(f"{ATOM}entry/{ATOM}content", "").startswith("Grünschnitt")
    assert [len(row) for row in rows(excerpts.DAY)] == [7, 7, 7]
