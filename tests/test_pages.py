"""The page as citizens meet it: in a real browser, with and without script, network and a place of their own."""

import contextlib
import os
import re
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest
from playwright.sync_api import Browser, Geolocation, Page, Request, expect

from api import app, publisher
from api.citizen import pages
from api.citizen.german import GERMAN
from api.citizen.sentences import big, headline, note, queue, rough
from api.estimate.reason import Reason
from api.limits import Limits
from api.server import listen
from api.staff.notices import Notice, NoticeAsked, Texts
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from hoflicht.stop import Stopping
from hoflicht.wait import State, Trend, Trust, Wait
from store.readings import open_store
from tests import office
from tests.citizen import LIVE, NORD, NOW_MS, PHONE, four_yards, morning, opened, shot, weeks
from tests.face import Face
from tests.lane import YARD, at, held
from tests.meanwhile import meanwhile
from tests.roles import eventually

STATIC = Path(pages.__file__).parent / "static"
MAX_BYTES = 60_000  # of all that a first visit loads, not compressed
IN_THE_NORTH: Geolocation = {"latitude": 51.5, "longitude": 6.75}
IN_THE_SOUTH: Geolocation = {"latitude": 51.4, "longitude": 6.75}  # Süd is 3 km away, Nord 10 km
RENEW = "RENEW_ICONS"
NOTICE = Notice(YARD, Texts(de="Heute keine Annahme von Grünschnitt.", en="No garden waste today."), at(0), at(600))


@pytest.fixture
def face(city: City, tmp_path: Path) -> Iterator[Face]:
    with four_yards(city, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def still(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    """The same, for tests that change nothing."""
    with four_yards(city, tmp_path_factory.mktemp("still")) as running:
        yield running


def told(page: Page, field: str, yard: str = YARD) -> str:
    return page.locator(f'article[data-yard="{yard}"] [data-field="{field}"]').inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
def test_the_page_shows_every_yard_with_and_without_script(browser: Browser, still: Face, script: bool) -> None:
    with opened(browser, still.url, script=script) as page:
        expect(page.locator("h1")).to_have_text("Wartezeiten der Recyclinghöfe")
        expect(page.locator("article h2")).to_have_text(
            ["Recyclinghof Nord", "Recyclinghof Süd", "Recyclinghof West", "Recyclinghof Mitte"]
        )
        expect(page.locator("article .headline")).to_have_text(
            [NORD, "Keine Wartezeit", "Keine Angabe", "Einfahrt zurzeit gesperrt"]
        )
        expect(page.locator(".glance .short")).to_have_text(["ca. 15 Min. →", "0 Min. →", "Keine Angabe", "Gesperrt"])
        expect(page.locator(".best:visible")).to_have_count(1)
        expect(page.locator('article[data-yard="hof-sued"] .best')).to_be_visible()
        assert page.locator("#near").is_visible() == script


def test_a_yard_tells_all_that_is_known_of_it(city: City, tmp_path: Path) -> None:
    with four_yards(city, tmp_path, weeks("hof-nord")) as face:
        nord, sued, *_ = face.get("/live.json?lang=de").json()["yards"]
        page = face.get("/?lang=de").text

    fields = ("state", "detail", "trend", "queue", "arrival", "hours", "today", "week", "heard")
    assert {field: nord[field] for field in fields} == {
        "state": "Geöffnet",
        "detail": "meist 5 bis 20 Minuten",
        "trend": "Wartezeit gleichbleibend",
        "queue": "Etwa 8 Autos warten",
        "arrival": "Ankunft bis 17:15 Uhr",
        "hours": "Heute 8:00 bis 18:00 Uhr, letzte Einfahrt 17:30 Uhr",
        "today": "Beste Zeit heute und in den nächsten 7 Tagen: 13:00 bis 14:00 Uhr. "
        "Erwartet werden etwa 5 Minuten, meist höchstens 5 Minuten.",
        "week": "",
        "heard": "Zuletzt gehört um 9:30 Uhr",
    }
    assert (sued["today"], sued["week"]) == ("", GERMAN.forecast_young)
    assert all(nord[field] in page for field in fields)


def test_what_staff_tell_stands_on_the_page_in_its_language_until_it_ends(city: City, tmp_path: Path) -> None:
    with office.opened(city, tmp_path) as staff:
        texts = Texts(de="Heute kein Grün & Laub", tr="Bugün bahçe atığı yok")
        staff.notices.put_up(YARD, NoticeAsked(texts=texts, until=at(100)))
        during = [staff.face.get(f"/?lang={code}").text for code in ("tr", "en")]
        staff.clock.advance(10 * 60_000)
        after = staff.face.get("/?lang=tr").text

    assert 'lang="tr">Duyuru: Bugün bahçe atığı yok<' in during[0]
    assert 'lang="de">Hinweis: Heute kein Grün &amp; Laub<' in during[1]
    assert "Duyuru" not in after


def test_the_server_looks_ahead_by_itself_and_tells_open_pages(city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "INTERVAL_S", 0.2)
    stopping, clock = Stopping(), HandClock(NOW_MS)
    store = open_store(f"sqlite:///{tmp_path / 'readings.db'}")
    store.write(morning() + weeks(YARD))
    with listen("127.0.0.1:0") as listener, contextlib.closing(store):
        work = partial(app.run, city, store, None, listener, Limits(), None, None, clock, stopping)
        with meanwhile(work, stopping), httpx.Client(verify=False) as client:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/live"
            assert eventually(lambda: "Beste Zeit heute" in client.get(url + ".json").text)
            with client.stream("GET", url) as answer:
                lines = answer.iter_lines()
                assert eventually(lambda: "Beste Zeit heute" in next(lines))


@pytest.mark.browser
def test_news_come_without_a_reload(browser: Browser, face: Face) -> None:
    with opened(browser, face.url) as page:
        place = page.locator('article[data-yard="hof-nord"]')
        expect(place.locator(".headline")).to_have_text(NORD)
        face.store.write(held(90.1, True))
        face.clock.advance(10_000)
        pages.tell(face.streams, face.city, face.yards.waits(), face.clock.now_ms(), {YARD: NOTICE})

        expect(place.locator(".headline")).to_have_text("Einfahrt zurzeit gesperrt")
        expect(page.locator('.glance [data-yard="hof-nord"] .short')).to_have_text("Gesperrt")
        expect(place.locator(".notice")).to_have_text("Hinweis: Heute keine Annahme von Grünschnitt.")
        expect(page.locator("#news")).to_have_text("Recyclinghof Nord: Einfahrt zurzeit gesperrt")


@pytest.mark.browser
def test_a_number_turns_grey_with_its_age_and_goes_when_its_time_is_over(browser: Browser, face: Face) -> None:
    page = browser.new_page(viewport=PHONE, locale="de-DE")
    with page:
        page.clock.install()
        page.route(LIVE, lambda route: route.abort())  # the network is gone from here on
        page.goto(face.url)
        nord = page.locator('article[data-yard="hof-nord"]')
        tone = "getComputedStyle(document.querySelector('article .number')).color"
        fresh = page.evaluate(tone)

        page.clock.run_for(31_000)
        expect(nord.locator(".headline")).to_have_text(NORD)
        expect(nord.locator(".age")).to_have_text("Stand: vor 30 Sekunden")
        expect(page.locator("#offline")).to_have_text(GERMAN.stale)
        expect(page.locator(".best:visible")).to_have_count(0)
        grey = page.evaluate(tone)
        shot(page, "offline-grey")

        page.clock.run_for(30_000)
        expect(nord.locator(".headline")).to_have_text("Keine aktuelle Angabe")
        expect(nord.locator(".number")).to_be_hidden()
        expect(nord.locator(".age")).to_have_text("Zuletzt gehört um 9:30 Uhr")
        expect(page.locator(".glance .short")).to_have_text(["Keine Angabe"] * 4)
        expect(page.locator(".best:visible")).to_have_count(0)
        expect(page.locator("#offline")).to_have_text(GERMAN.offline)
        shot(page, "offline-gone")
        assert (fresh, grey) == ("rgb(138, 82, 0)", "rgb(81, 96, 90)")


@pytest.mark.browser
def test_who_loses_his_network_is_told_at_once_and_finds_news_when_it_is_back(browser: Browser, face: Face) -> None:
    with opened(browser, face.url) as page:
        page.context.set_offline(True)
        expect(page.locator("#offline")).to_have_text(GERMAN.stale)
        face.store.write(held(90.1, True))
        face.clock.advance(10_000)
        page.context.set_offline(False)

        expect(page.locator('article[data-yard="hof-nord"] .headline')).to_have_text("Einfahrt zurzeit gesperrt")
        expect(page.locator("#offline")).to_have_text("")


@pytest.mark.browser
def test_without_a_stream_the_page_polls(browser: Browser, face: Face) -> None:
    page = browser.new_page(locale="de-DE")
    with page:
        page.clock.install()
        page.route(re.compile(r"/live\?"), lambda route: route.abort())
        page.goto(face.url)
        face.store.write(held(90.1, True))
        face.clock.advance(10_000)

        page.clock.run_for(21_000)

        expect(page.locator('article[data-yard="hof-nord"] .headline')).to_have_text("Einfahrt zurzeit gesperrt")


@pytest.mark.parametrize(
    ("accepted", "query", "title"),
    [
        ("de-DE,de;q=0.9", "", "Wartezeiten der Recyclinghöfe"),
        ("en-GB", "", "Waiting times at the recycling yards"),
        ("tr-TR,tr;q=0.9,en;q=0.8", "", "Geri dönüşüm merkezlerindeki bekleme süreleri"),
        ("en-GB", "?lang=de", "Wartezeiten der Recyclinghöfe"),
        ("en-GB", "?lang=de-simple", "Wie lange müssen Sie am Recyclinghof warten?"),
        ("fr-FR", "?lang=xx", "Wartezeiten der Recyclinghöfe"),
    ],
)
def test_the_language_is_the_readers(still: Face, accepted: str, query: str, title: str) -> None:
    page = still.get(f"/{query}", accept_language=accepted)

    assert f"<h1>{title}</h1>" in page.text
    assert f'<html lang="{page.headers["content-language"]}">' in page.text
    assert page.text.count('aria-current="true"') == 1


@contextlib.contextmanager
def at_place(browser: Browser, place: Geolocation) -> Iterator[Page]:
    """A phone that is at `place` and may tell the page so."""
    context = browser.new_context(viewport=PHONE, locale="de-DE", geolocation=place, permissions=["geolocation"])
    with context, context.new_page() as page:
        yield page


@pytest.mark.browser
def test_nearer_and_quicker_stand_side_by_side_and_the_place_stays_in_the_phone(browser: Browser, still: Face) -> None:
    asked: list[str] = []
    with at_place(browser, IN_THE_NORTH) as page:
        page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
        page.goto(still.url)
        expect(page.locator("#pair")).to_be_hidden()
        expect(page.locator("#near-private")).to_contain_text("bleibt in diesem Gerät")

        page.click("#locate")

        near, quick = page.locator("#near-choice"), page.locator("#quick-choice")
        expect(near).to_have_text(re.compile(r"Am nächsten\s+Recyclinghof Nord\s+Wartezeit etwa 15 Minuten\s+0,7 km Luftlinie"))
        expect(quick).to_have_text(re.compile(r"Am schnellsten\s+Recyclinghof Süd\s+Keine Wartezeit\s+15 km Luftlinie"))
        order = ["Recyclinghof Nord", "Recyclinghof Mitte", "Recyclinghof West", "Recyclinghof Süd"]
        expect(page.locator("article h2")).to_have_text(order)
        expect(page.locator(".glance a")).to_have_text(order)
        shot(page, "phone-near-and-quick")
        assert len(asked) > 3
        assert [url for url in asked if "51." in url or "6.7" in url] == []


@pytest.mark.browser
def test_where_the_nearest_is_the_quickest_one_yard_is_named(browser: Browser, still: Face) -> None:
    with at_place(browser, IN_THE_SOUTH) as page:
        page.goto(still.url)
        page.click("#locate")

        expect(page.locator("#near-choice")).to_contain_text("Am nächsten und am schnellsten")
        expect(page.locator("#quick-choice")).to_be_hidden()


@pytest.mark.browser
def test_who_keeps_his_place_to_himself_loses_nothing(browser: Browser, still: Face) -> None:
    with opened(browser, still.url) as page:  # without the permission
        page.click("#locate")

        expect(page.locator("#located")).to_have_text(GERMAN.near_failed)
        expect(page.locator("article h2").first).to_have_text("Recyclinghof Nord")
        expect(page.locator("#pair")).to_be_hidden()


KEPT = """async () => [localStorage.length, sessionStorage.length, document.cookie, (await caches.keys()).length,
    (await indexedDB.databases()).length, (await navigator.serviceWorker.getRegistrations()).length]"""


@pytest.mark.browser
def test_a_visit_is_small_asks_no_third_party_and_leaves_nothing_behind(browser: Browser, still: Face) -> None:
    sizes: dict[str, int] = {}
    complaints: list[str] = []

    def weigh(request: Request) -> None:
        response = request.response()
        sizes[request.url] = len(response.body()) if response else 0

    page = browser.new_page(locale="en-GB")
    with page:
        page.on("requestfinished", weigh)
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(still.url, wait_until="load")
        expect(page.locator(".age").first).to_have_text("Updated just now")
        expect(page.locator("#locate")).to_be_visible()
        for extra in ("/manifest.webmanifest?lang=en", "/static/icon.svg", "/live.json?lang=en", "/static/icon-192.png"):
            sizes[still.url + extra] = len(still.get(extra).content)  # what a browser may load besides

        assert {url.removeprefix(still.url).partition("?")[0] for url in sizes} >= {"/", "/static/live.js"}
        assert all(url.startswith(still.url) for url in sizes)
        assert sum(sizes.values()) < MAX_BYTES
        assert page.context.cookies() == []
        assert page.evaluate(KEPT) == [0, 0, "", 0, 0, 0]
        assert complaints == []  # of the strict policy, for one


def test_search_engines_find_the_yards_in_the_page(still: Face) -> None:
    [data] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', still.get("/").text)

    assert [(place["@type"], place["name"], place["url"]) for place in msgspec.json.decode(data)["@graph"]] == [
        ("RecyclingCenter", yard.name, still.url + "/") for yard in still.city.yards.values()
    ]


@pytest.mark.browser
def test_the_page_can_be_installed(browser: Browser, still: Face) -> None:
    with opened(browser, f"{still.url}/?lang=tr") as page:
        devtools = page.context.new_cdp_session(page)
        manifest = devtools.send("Page.getAppManifest")
        errors = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]

    assert manifest["errors"] == []
    assert {error["errorId"] for error in errors} <= {"in-incognito"}  # which every page of a test is
    assert msgspec.json.decode(manifest["data"])["short_name"] == "Bekleme"


@pytest.mark.browser
@pytest.mark.parametrize("size", pages.ICON_SIZES)
def test_an_icon_is_the_drawing_in_its_size(browser: Browser, size: int) -> None:
    path = STATIC / f"icon-{size}.png"
    if os.environ.get(RENEW):
        with browser.new_page(viewport={"width": size, "height": size}) as page:
            drawing = (STATIC / "icon.svg").read_text(encoding="utf-8").replace("<svg ", f'<svg width="{size}" height="{size}" ')
            page.set_content(f"<body style='margin:0'>{drawing}")
            page.screenshot(path=path, omit_background=True)
    head = path.read_bytes()[:24]

    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == (size, size), f"renew with: {RENEW}=1 python -m pytest tests/test_pages.py"


MUCH = Wait(
    yard=YARD,
    state=State.OPEN,
    as_of=at(90),
    valid_until=at(91),
    p10_s=2400,
    p50_s=3700,
    p90_s=5000,
    shown_min=60,
    queue=48,
    trust=Trust.CONFIGURED,
    trend=Trend.RISING,
    last_entry=at(570),
)
HELD = Wait(yard=YARD, state=State.HELD, as_of=at(90), valid_until=at(91), more_than_s=1300, queue=48, reason=Reason.GATE_HELD)


@pytest.mark.browser
def test_the_longest_texts_have_their_room_on_a_phone(browser: Browser, face: Face) -> None:
    with opened(browser, face.url) as page:
        for wait in (MUCH, msgspec.structs.replace(MUCH, shown_min=61, trust=Trust.RECKONED, latest_arrival=at(555)), HELD):
            pages.tell(face.streams, face.city, {YARD: wait}, NOW_MS, {YARD: NOTICE})
            nord = page.locator('article[data-yard="hof-nord"]')
            expect(nord.locator(".headline")).to_have_text(headline(wait, GERMAN))
            expect(nord.locator('[data-field="note"]')).to_have_text(note(wait, GERMAN))

            assert [told(page, field) for field in ("rough", "big", "queue")] == [
                rough(wait, GERMAN),
                big(wait),
                queue(wait, GERMAN),
            ]
            assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
