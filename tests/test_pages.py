"""The page and the kiosk as people meet them: in a real browser, with and without script."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from api import pages
from api.reason import Reason
from api.sentences import big, detail, headline, note, queue, rough
from api.views import view
from api.words import ENGLISH, GERMAN, LANGUAGES, Words
from hoflicht.catalogue import City
from hoflicht.wait import State, Trend, Trust, Wait
from tests.face import Face, facing
from tests.lane import YARD, at, free_lane, held, ms, steady_queue

NOW_MS = ms(90)
NORD = "Wartezeit etwa 15 Minuten"  # eight cars, of which one is let in every 80 s
SUED = [reading for reading in free_lane(90) if reading.sensor != "lane-120"]


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


@pytest.fixture
def face(city: City, tmp_path: Path) -> Iterator[Face]:
    """Nord has a queue, Süd is free, West is silent, Mitte is held."""
    elsewhere = [("hof-sued", SUED), ("hof-mitte", [*(r for r in free_lane(90) if r.sensor == "lane-3"), *held(80, True)])]
    readings = steady_queue(8, 90) + [
        type(r)(site, r.sensor, r.quantity, r.at_ms, r.value) for site, some in elsewhere for r in some
    ]
    with facing(city, tmp_path, NOW_MS, readings) as running:
        running.tell()
        yield running


def opened(browser: Browser, url: str, width: int = 1280, height: int = 900, language: str = "de-DE", script: bool = True) -> Page:
    size: ViewportSize = {"width": width, "height": height}
    page = browser.new_page(viewport=size, locale=language, java_script_enabled=script)
    page.goto(url)
    return page


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
def test_the_page_shows_every_yard_with_and_without_script(browser: Browser, face: Face, script: bool) -> None:
    with opened(browser, face.url, script=script) as page:
        expect(page.locator("h1")).to_have_text("Wartezeiten der Recyclinghöfe")
        expect(page.locator("h2")).to_have_text(
            ["Recyclinghof Nord", "Recyclinghof Süd", "Recyclinghof West", "Recyclinghof Mitte"]
        )
        expect(page.locator(".headline")).to_have_text([NORD, "Keine Wartezeit", "Keine Angabe", "Einfahrt zurzeit gesperrt"])
        expect(page.locator(".best:visible")).to_have_count(1)
        expect(page.locator('[data-yard="hof-sued"] .best')).to_be_visible()


@pytest.mark.browser
def test_a_new_number_comes_without_a_reload(browser: Browser, face: Face) -> None:
    with opened(browser, face.url) as page:
        place = page.locator('[data-yard="hof-nord"] .headline')
        expect(place).to_have_text(NORD)
        face.store.write(held(90.1, True))
        face.clock.advance(10_000)
        face.tell()

        expect(place).to_have_text("Einfahrt zurzeit gesperrt")


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/", "/display/hof-nord"])
def test_a_number_goes_away_when_its_time_is_over(browser: Browser, face: Face, path: str) -> None:
    page = browser.new_page(locale="de-DE")
    with page:
        page.clock.install()
        page.route(re.compile(r"/live(\?|\.json)"), lambda route: route.abort())  # the network is gone from here on
        page.goto(face.url + path)
        nord = page.locator('[data-yard="hof-nord"]')
        expect(nord.locator(".headline")).to_have_text(NORD)

        page.clock.run_for(61_000)

        expect(nord.locator(".headline")).to_have_text("Keine aktuelle Angabe")
        expect(nord.locator(".number")).to_be_hidden()
        expect(nord.locator(".age")).to_have_text("Zuletzt gehört um 9:30 Uhr")


@pytest.mark.browser
def test_without_a_stream_the_page_polls(browser: Browser, face: Face) -> None:
    page = browser.new_page(locale="de-DE")
    with page:
        page.clock.install()
        page.route(re.compile(r"/live\?"), lambda route: route.abort())
        page.goto(face.url)
        face.store.write(held(90.1, True))
        face.clock.advance(10_000)

        page.clock.run_for(31_000)

        expect(page.locator('[data-yard="hof-nord"] .headline')).to_have_text("Einfahrt zurzeit gesperrt")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("locale", "query", "title"),
    [
        ("de-DE", "", "Wartezeiten der Recyclinghöfe"),
        ("en-GB", "", "Waiting times at the recycling yards"),
        ("en-GB", "?lang=de", "Wartezeiten der Recyclinghöfe"),
        ("fr-FR", "", "Wartezeiten der Recyclinghöfe"),
    ],
)
def test_the_language_is_the_readers(browser: Browser, face: Face, locale: str, query: str, title: str) -> None:
    with opened(browser, f"{face.url}/{query}", language=locale) as page:
        expect(page.locator("h1")).to_have_text(title)


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (1366, 768)])
@pytest.mark.parametrize("yard", ["hof-nord", "hof-sued", "hof-west", "hof-mitte"])
def test_the_kiosk_fills_its_screen_and_never_scrolls(browser: Browser, face: Face, yard: str, width: int, height: int) -> None:
    with opened(browser, f"{face.url}/display/{yard}", width, height) as page:
        spread = page.evaluate(
            """() => [...document.querySelectorAll('h1, .clock, [data-field], .meaning')].filter(e => e.offsetParent).map(e => {
                const box = e.getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom]; })"""
        )

        expect(page.locator(".clock")).to_have_text("9:30")
        assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [width, height]
        assert all(left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in spread)


EVERYTHING = told(
    p10_s=2400,
    p50_s=3700,
    p90_s=5000,
    shown_min=60,
    queue=48,
    trust=Trust.CONFIGURED,
    trend=Trend.RISING,
    last_entry=at(570),
)
MUCH = [
    EVERYTHING,
    msgspec.structs.replace(EVERYTHING, shown_min=61, trust=Trust.RECKONED, latest_arrival=at(555)),
    told(State.HELD, more_than_s=1300, queue=48, reason=Reason.GATE_HELD),
    told(State.UNKNOWN, reason=Reason.COUNTER_OUT),
]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (1366, 768), (800, 480)])
@pytest.mark.parametrize("wait", MUCH, ids=["rough", "reckoned", "held", "unknown"])
def test_the_kiosk_has_room_for_the_longest_texts(browser: Browser, face: Face, wait: Wait, width: int, height: int) -> None:
    with opened(browser, f"{face.url}/display/hof-nord", width, height) as page:
        pages.tell(face.streams, face.city, {YARD: wait}, NOW_MS)
        expect(page.locator(".headline")).to_have_text(headline(wait, GERMAN))
        spread = page.evaluate(PLACES)

    assert all(left >= 0 and top >= 0 and right <= width and bottom <= height for _, left, top, right, bottom in spread)
    assert overlapping(spread) == []


@pytest.mark.browser
@pytest.mark.parametrize("wait", MUCH, ids=["rough", "reckoned", "held", "unknown"])
def test_the_page_tells_the_same_on_a_phone(browser: Browser, face: Face, wait: Wait) -> None:
    with opened(browser, face.url, 360, 740) as page:
        pages.tell(face.streams, face.city, {YARD: wait}, NOW_MS)
        nord = page.locator('[data-yard="hof-nord"]')
        expect(nord.locator(".headline")).to_have_text(headline(wait, GERMAN))
        told_there = {field: nord.locator(f'[data-field="{field}"]').inner_text() for field in ("rough", "big", "note", "queue")}

        assert told_there == {
            "rough": rough(wait, GERMAN),
            "big": big(wait),
            "note": note(wait, GERMAN),
            "queue": queue(wait, GERMAN),
        }
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def overlapping(spread: list[tuple[str, float, float, float, float]]) -> list[tuple[str, str]]:
    """Pairs of texts of which one lies on the other."""
    return [
        (a, b)
        for n, (a, left, top, right, bottom) in enumerate(spread)
        for b, left_b, top_b, right_b, bottom_b in spread[n + 1 :]
        if min(right, right_b) - max(left, left_b) > 1 and min(bottom, bottom_b) - max(top, top_b) > 1
    ]


PLACES = """() => [...document.querySelectorAll('h1, .clock, .number, .headline, .detail, .note, footer p')]
    .filter(e => e.offsetParent && e.textContent.trim()).map(e => {
        const box = e.getBoundingClientRect(); return [e.className || e.tagName, box.left, box.top, box.right, box.bottom]; })"""


@pytest.mark.browser
def test_a_phone_needs_no_sideways_scrolling(browser: Browser, face: Face) -> None:
    with opened(browser, face.url, 360, 740) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.browser
def test_nothing_is_asked_of_third_parties_and_nothing_is_kept(browser: Browser, face: Face) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page = browser.new_page()
    with page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(face.url)
        expect(page.locator(".age").first).to_have_text("Updated just now")

        assert all(url.startswith(face.url) for url in asked)
        assert page.context.cookies() == []
        assert complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_are_readable_in_both_schemes(browser: Browser, face: Face, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme, locale="de-DE")  # type: ignore[arg-type]
    with page:
        page.goto(face.url)
        contrasts = page.evaluate(CONTRASTS)

    assert len(contrasts) > 20
    assert {text: ratio for text, ratio in contrasts if ratio < 4.5} == {}  # WCAG 2.2, 1.4.3


CONTRASTS = """() => {
    const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const light = (rgb) => {
        const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number).map(channel);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (e) => {
        const colour = getComputedStyle(e).backgroundColor;
        return colour === 'rgba(0, 0, 0, 0)' ? ground(e.parentElement) : colour;
    };
    const shown = [...document.querySelectorAll('p, h1, h2, a, span')].filter(e => e.offsetParent && e.textContent.trim());
    return shown.map(e => {
        const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
        return [e.textContent.trim(), (a + 0.05) / (b + 0.05)];
    });
}"""
