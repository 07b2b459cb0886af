"""The widget on a city's own page: another server, another origin, a strict policy."""

import contextlib
import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from api.citizen.turkish import TURKISH
from hoflicht.catalogue import City
from tests.citizen import shot
from tests.conftest import ROOT
from tests.face import Face, facing
from tests.lane import held, ms, steady_queue

NOW_MS = ms(90)
NORD = "Wartezeit etwa 15 Minuten"
MAX_BYTES = 6_000  # of the script: less than the small picture that would else stand in its place
PATIENCE_MS = 15_000  # Chromium on a busy machine

PAGE = """<!doctype html>
<html lang="de"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Stadt</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {host}; connect-src {host}; frame-src {host};
 require-trusted-types-for 'script'">
{script}</head>
<body><main><h1>Recycling</h1>{body}</main></body></html>"""


SCRIPT = '<script src="{host}/widget.js" defer></script>'
# As the documentation tells a city to write it.
AS_ELEMENT, AS_FRAME = re.findall(r"```html\n(.*?)```", (ROOT / "docs" / "widget.md").read_text(encoding="utf-8"), re.DOTALL)


class CityPage(http.server.BaseHTTPRequestHandler):
    """The city's web server: one page, which embeds what the test says."""

    def __init__(self, page: dict[str, str], *more: object) -> None:
        self._page = page
        super().__init__(*more)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        body = self._page["html"].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def face(city: City, tmp_path: Path) -> Iterator[Face]:
    with facing(city, tmp_path, NOW_MS, steady_queue(8, 90)) as running:
        yield running


class Embedding:
    """Opens the city's page with some HTML of ours in it."""

    def __init__(self, browser: Browser, face: Face, url: str, page: dict[str, str]) -> None:
        self._browser, self._face, self._url, self._page = browser, face, url, page
        self.complaints: list[str] = []
        self.asked: list[str] = []

    @contextlib.contextmanager
    def open(self, body: str, script: str = SCRIPT, **more: object) -> Iterator[Page]:
        html = PAGE.format(host="{host}", script=script, body=body.replace("https://warten.example.org", "{host}"))
        self._page["html"] = html.replace("{host}", self._face.url)
        with self._browser.new_page(**more) as page:  # type: ignore[arg-type]
            page.on("console", lambda message: self.complaints.append(message.text))
            page.on("request", lambda request: self.asked.append(request.url))
            # A page with a route has no cache: that would go by a clock which no test turns.
            page.route("**/view/**", lambda route: route.continue_())
            page.clock.install()
            page.goto(self._url)
            yield page


@pytest.fixture
def embedding(browser: Browser, face: Face) -> Iterator[Embedding]:
    page = {"html": ""}
    # By another name than ours: another site.
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(CityPage, page)) as server:
        thread = threading.Thread(target=server.serve_forever, name="city")
        thread.start()
        try:
            yield Embedding(browser, face, f"http://localhost:{server.server_port}/", page)
        finally:
            server.shutdown()
            thread.join()


def says(page: Page, headline: str) -> None:
    expect(page.locator("hoflicht-wait .headline")).to_have_text(headline, timeout=PATIENCE_MS)


@pytest.mark.browser
def test_a_city_embeds_it_with_one_line_and_it_keeps_itself_fresh(face: Face, embedding: Embedding) -> None:
    with embedding.open(AS_ELEMENT.replace("></hoflicht", "><a href='/waiting'>Wartezeiten</a></hoflicht"), script="") as page:
        widget = page.locator("hoflicht-wait")
        says(page, NORD)
        expect(widget.locator(".name")).to_have_text("Recyclinghof Nord")
        expect(widget.locator(".number")).to_have_text("ca. 15 Min.")
        expect(widget.locator(".age")).to_have_text("Stand: gerade eben")
        expect(widget.locator("a")).to_be_hidden()
        face.store.write(held(90.1, True))
        face.clock.advance(20_000)
        page.clock.run_for(20_000)
        says(page, "Einfahrt zurzeit gesperrt")
        expect(widget.locator(".number")).to_be_hidden()

        assert embedding.complaints == []  # the city's policy names our address and nothing else
        assert {url.split("/")[2] for url in embedding.asked} == {
            face.url.split("/")[2],
            f"localhost:{page.url.split(':')[2].rstrip('/')}",
        }
        assert page.context.cookies() == []


@pytest.mark.browser
def test_without_network_its_number_goes_with_its_time(face: Face, embedding: Embedding) -> None:
    with embedding.open('<hoflicht-wait yard="hof-nord"></hoflicht-wait>') as page:
        says(page, NORD)
        page.route("**/view/**", lambda route: route.abort())
        page.clock.run_for(50_000)
        says(page, NORD)
        expect(page.locator(".age")).to_have_text("Stand: vor 50 Sekunden")
        page.clock.run_for(6_000)  # it may have lain in a cache for five seconds
        says(page, "Keine aktuelle Angabe")
        expect(page.locator(".age")).to_have_text("Zuletzt gehört um 9:30 Uhr")
        page.unroute_all(behavior="ignoreErrors")

        page.clock.run_for(20_000)

        says(page, NORD)


@pytest.mark.browser
def test_a_phone_that_slept_shows_nothing_of_yesterday(face: Face, embedding: Embedding) -> None:
    with embedding.open('<hoflicht-wait yard="hof-nord"></hoflicht-wait>') as page:
        says(page, NORD)
        page.route("**/view/**", lambda route: route.abort())
        page.clock.set_system_time("2100-01-01T00:00:00Z")

        page.clock.run_for(1_000)

        says(page, "Keine aktuelle Angabe")


@pytest.mark.browser
def test_what_was_never_answered_says_so_in_the_language_of_its_element(face: Face, embedding: Embedding) -> None:
    with embedding.open('<hoflicht-wait yard="hof-nord" lang="tr"></hoflicht-wait>') as page:
        page.route("**/view/**", lambda route: route.abort())
        page.reload()

        says(page, TURKISH.expired)


@pytest.mark.browser
def test_a_wrong_yard_is_told_in_the_console_and_asked_for_once(face: Face, embedding: Embedding) -> None:
    with embedding.open('<hoflicht-wait yard="hof-nord"></hoflicht-wait>') as page:
        for yard in ("hof-ost", "", "../v1/yards/hof-nord"):
            says(page, NORD)
            asked = len(embedding.asked)
            page.locator("hoflicht-wait").evaluate("(element, yard) => element.setAttribute('yard', yard)", yard)
            says(page, "Keine aktuelle Angabe")
            page.clock.run_for(60_000)
            page.locator("hoflicht-wait").evaluate("element => element.setAttribute('yard', 'hof-nord')")
            says(page, NORD)

            assert len(embedding.asked) == asked + 2
            assert sum(f'<hoflicht-wait yard="{yard}">: ' in said for said in embedding.complaints) == 1
        assert "there is no yard 'hof-ost'; there are: hof-nord" in " ".join(embedding.complaints)


@pytest.mark.browser
def test_languages(face: Face, embedding: Embedding) -> None:
    asked = ["en", "en-GB", "de-AT", "fr"]
    with embedding.open("".join(f'<hoflicht-wait yard="hof-nord" lang="{code}"></hoflicht-wait>' for code in asked)) as page:
        expect(page.locator(".headline")).to_have_text(
            ["About 15 minutes of waiting", "About 15 minutes of waiting", NORD, NORD], timeout=PATIENCE_MS
        )


@pytest.mark.browser
def test_a_page_that_nobody_looks_at_asks_nothing(face: Face, embedding: Embedding) -> None:
    with embedding.open('<hoflicht-wait yard="hof-nord"></hoflicht-wait>') as page:
        says(page, NORD)
        page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
        before = len(embedding.asked)

        page.clock.run_for(120_000)

        assert len(embedding.asked) == before


@pytest.mark.browser
def test_it_can_be_read_by_everybody_in_light_and_dark(face: Face, embedding: Embedding) -> None:
    yards = '<hoflicht-wait yard="hof-nord"></hoflicht-wait><hoflicht-wait yard="hof-sued"></hoflicht-wait>'
    with embedding.open(yards, color_scheme="light") as page:
        expect(page.locator("hoflicht-wait .headline")).to_have_text([NORD, "Keine Angabe"], timeout=PATIENCE_MS)
        expect(page.get_by_role("group", name="Recyclinghof Nord")).to_be_visible()
        light = Axe().run(page).response["violations"]
        shot(page, "widget-light")
        page.emulate_media(color_scheme="dark")
        shot(page, "widget-dark")

        assert (light, Axe().run(page).response["violations"]) == ([], [])


@pytest.mark.browser
def test_in_a_frame_it_is_the_same(face: Face, embedding: Embedding) -> None:
    with embedding.open(AS_FRAME.replace("lang=de", "lang=en"), script="") as page:
        inside = page.frame_locator("iframe")
        expect(inside.locator(".headline")).to_have_text("About 15 minutes of waiting", timeout=PATIENCE_MS)
        assert inside.locator("a, button, input, [tabindex]").count() == 0
        assert embedding.complaints == []


def test_a_frame_without_script_has_the_words_and_one_that_lost_its_script_on_the_way_has_no_number(face: Face) -> None:
    with_script, without = split_by_script(face.get("/widget/hof-nord").text)

    assert NORD in without
    assert 'http-equiv="refresh"' in without
    assert "Minuten" not in with_script


def split_by_script(html: str) -> tuple[str, str]:
    """What a browser with script makes of the page, and what it leaves to one without."""
    return re.sub(r"<noscript>.*?</noscript>", "", html, flags=re.DOTALL), "".join(
        re.findall(r"<noscript>(.*?)</noscript>", html, re.DOTALL)
    )


@pytest.mark.browser
def test_the_page_with_controls_is_in_no_frame(face: Face, embedding: Embedding) -> None:
    with embedding.open(f'<iframe src="{face.url}/" title="The page"></iframe>') as page:
        page.wait_for_load_state()

        assert any("frame-ancestors" in said for said in embedding.complaints)


def test_what_may_be_framed_and_what_other_sites_may_read(face: Face) -> None:
    def told(path: str) -> tuple[bool, bool]:
        headers = face.get(path).headers
        return "frame-ancestors *" in headers["content-security-policy"], headers.get("access-control-allow-origin") == "*"

    assert {path: told(path) for path in ("/widget/hof-nord", "/display/hof-nord", "/", "/view/hof-nord", "/widget.js")} == {
        "/widget/hof-nord": (True, False),
        "/display/hof-nord": (True, False),
        "/": (False, False),
        "/view/hof-nord": (False, True),
        "/widget.js": (False, True),
    }


def test_the_script_is_small_and_may_be_kept(face: Face) -> None:
    answer = face.get("/widget.js")

    assert len(answer.content) < MAX_BYTES
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert face.get("/widget.js", if_none_match=answer.headers["etag"]).status_code == 304


def test_the_view_of_a_yard_may_lie_in_a_cache_for_a_moment(face: Face) -> None:
    answer = face.get("/view/hof-nord?lang=tr")

    assert answer.headers["cache-control"] == "public, max-age=5"
    assert answer.json()["yard"]["headline"] == "Bekleme süresi yaklaşık 15 dakika"
    assert {face.get(f"/{path}/hof-ost").status_code for path in ("view", "widget")} == {404}
    assert face.get(f"/view/hof-nord?lang={'x' * 36}").status_code == 422
