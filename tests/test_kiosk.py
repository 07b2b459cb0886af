"""The monitor at the gate: large enough for who sits in a car, and never with an old number, whatever fails."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from api.citizen.languages import LANGUAGES
from api.citizen.views import view
from api.estimate.reason import Reason
from api.server import listen, serving
from api.streams import Streams
from hoflicht.catalogue import City
from hoflicht.wait import State, Trend, Trust, Wait
from tests.citizen import shot
from tests.conftest import free_port
from tests.face import Face, facing
from tests.lane import YARD, at, held, ms, steady_queue

NOW_MS = ms(90)
NORD = "Wartezeit etwa 15 Minuten"  # eight cars, of which one is let in every 80 s
NOTHING = "Keine aktuelle Angabe"
PATIENCE_S = 15.0  # with Chromium on a busy machine
HOUR_MS, DAY_MS = 3_600_000, 86_400_000

SCREENS = [(1920, 1080), (1080, 1920), (1280, 720)]
LONG_SIDE_MM = 1_218  # of a 55 inch monitor
FROM_MM = 25_000
FOR_DIGITS, FOR_WORDS = 300, 400  # distance over height: DIN 4844-1; a centimetre for each four metres


def told(state: State = State.OPEN, **more: object) -> Wait:
    return Wait(yard=YARD, state=state, as_of=at(90), valid_until=at(91), **more)  # type: ignore[arg-type]


MUCH = told(
    p10_s=2400, p50_s=3700, p90_s=5000, shown_min=60, queue=48, trust=Trust.CONFIGURED, trend=Trend.RISING, last_entry=at(570)
)
WAITS = [
    MUCH,
    msgspec.structs.replace(MUCH, shown_min=61, trust=Trust.RECKONED, latest_arrival=at(555)),
    told(p50_s=0, p10_s=0, p90_s=0),
    told(State.HELD, more_than_s=1300, queue=48, reason=Reason.GATE_HELD),
    told(State.CLOSING, next_opening=at(24 * 60)),
    told(State.CLOSED, next_opening=at(8 * 24 * 60)),
    told(State.UNKNOWN, reason=Reason.COUNTER_OUT),
]
NOTICE = "Heute ist der Container für Grünschnitt voll. " * 6  # as long as staff may write one


@pytest.fixture
def face(city: City, tmp_path: Path) -> Iterator[Face]:
    with facing(city, tmp_path, NOW_MS, steady_queue(8, 90)) as running:
        yield running


class Server:
    """The server as the monitor sees it: at one address, and now and then away."""

    def __init__(self, face: Face) -> None:
        self._face, self.port = face, free_port()
        self._running = ExitStack()
        self.page_url = f"http://127.0.0.1:{self.port}/display/{YARD}"

    def start(self) -> None:
        listener = self._running.enter_context(listen(f"127.0.0.1:{self.port}"))
        self._running.enter_context(serving(self._face.app, listener, Streams(), self._face.limits))

    def stop(self) -> None:
        self._running.close()


@pytest.fixture
def server(face: Face) -> Iterator[Server]:
    running = Server(face)
    running.start()
    yield running
    running.stop()


@contextmanager
def monitor(browser: Browser, url: str, width: int = 1920, height: int = 1080, **more: object) -> Iterator[Page]:
    """A page whose clock the test turns, and which is marked: a reload would wipe the mark away."""
    page = browser.new_page(viewport={"width": width, "height": height}, **more)  # type: ignore[arg-type]
    with page:
        page.clock.install()
        page.goto(url)
        page.evaluate("window.isUntouched = true")
        yield page


def is_untouched(page: Page) -> bool:
    return bool(page.evaluate("window.isUntouched === true"))


def says(page: Page, headline: str) -> None:
    expect(page.locator(".headline")).to_have_text(headline)


def wakes(page: Page) -> None:
    """Let it ask now."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def answering(page: Page, answer: Callable[[dict[str, object]], object]) -> None:
    """Put `answer(what the server says)` in the place of what the server says."""

    def handle(route: Route) -> None:
        route.fulfill(json=answer(route.fetch().json()))

    page.route("**/view/**", handle)


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_every_text_of_every_language_has_its_room_and_can_be_read_from_25_m(
    browser: Browser, face: Face, width: int, height: int
) -> None:
    answer = face.get(f"/view/{YARD}").json()
    with browser.new_page(viewport={"width": width, "height": height}) as page:
        page.route("**/view/**", lambda route: route.fulfill(json=answer))
        page.goto(f"{face.url}/display/{YARD}")
        for n, (wait, words, notice) in enumerate(SEEN):
            [yard] = view(face.city, {YARD: wait}, NOW_MS, words).yards
            answer["yard"] = {**msgspec.to_builtins(yard), "notice": notice}
            seen = page.evaluate(LOOK, [yard.headline, notice, ".number span" if yard.big else ".headline"])

            assert all(0 <= box[1] <= box[3] <= width and 0 <= box[2] <= box[4] <= height for box in seen["boxes"])
            assert overlapping(seen["boxes"]) == []
            assert seen["scroll"] == [width, height]
            shot(page, f"kiosk-{width}x{height}-{n:02}-{words.code}-{yard.level}")
            tall_mm = seen["letters"] * LONG_SIDE_MM / max(width, height)
            assert tall_mm >= FROM_MM / (FOR_DIGITS if yard.big else FOR_WORDS), (words.code, yard.headline)


SEEN = [(wait, words, notice) for words in LANGUAGES.values() for wait, notice in [*((wait, "") for wait in WAITS), (MUCH, NOTICE)]]
# Ask now, wait for the answer, measure.
LOOK = """async ([headline, notice, letters]) => {
    const text = (name) => document.querySelector(name).textContent;
    document.dispatchEvent(new Event('visibilitychange'));
    for (let n = 0; n < 300 && (text('.headline') !== headline || text('.notice') !== notice); n++) {
        document.dispatchEvent(new Event('visibilitychange'));
        await new Promise(requestAnimationFrame);
    }
    if (text('.headline') !== headline) throw new Error(text('.headline'));
    const style = getComputedStyle(document.querySelector(letters)), pen = document.createElement('canvas').getContext('2d');
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const texts = [...document.querySelectorAll('h1, .clock, .number, .headline, .detail, .note, .notice, footer p')];
    return {
        boxes: texts.filter(e => e.offsetParent && e.textContent.trim()).map(e => {
            const box = e.getBoundingClientRect(); return [e.className || e.tagName, box.left, box.top, box.right, box.bottom]; }),
        scroll: [document.documentElement.scrollWidth, document.documentElement.scrollHeight],
        letters: pen.measureText('H1').actualBoundingBoxAscent,
    };
}"""


def overlapping(spread: list[tuple[str, float, float, float, float]]) -> list[tuple[str, str]]:
    """Pairs of texts of which one lies on the other."""
    return [
        (a, b)
        for n, (a, left, top, right, bottom) in enumerate(spread)
        for b, left_b, top_b, right_b, bottom_b in spread[n + 1 :]
        if min(right, right_b) - max(left, left_b) > 1 and min(bottom, bottom_b) - max(top, top_b) > 1
    ]


@pytest.mark.browser
def test_the_picture_wanders_within_its_margin_also_where_motion_is_reduced(browser: Browser, face: Face) -> None:
    with monitor(browser, f"{face.url}/display/{YARD}", 1080, 1920, reduced_motion="reduce") as page:
        says(page, NORD)
        places = page.evaluate(
            """() => [0, 1, 2, 3, 4, 5, 6, 7, 8].map(step => {
                document.getAnimations()[0].currentTime = step * 240000 + 1000;
                const box = document.querySelector('main').getBoundingClientRect();
                return [box.left, box.top, box.right, box.bottom].map(Math.round); })"""
        )

    assert len({tuple(place) for place in places}) == 8
    assert places[0] == places[8]
    assert all(left > 0 and top > 0 and right < 1080 and bottom < 1920 for left, top, right, bottom in places)


@pytest.mark.browser
def test_a_new_number_comes_by_itself(browser: Browser, face: Face) -> None:
    with monitor(browser, f"{face.url}/display/{YARD}") as page:
        says(page, NORD)
        expect(page.locator(".clock")).to_have_text("9:30")
        face.store.write(held(90.1, True))
        face.clock.advance(10_000)

        page.clock.run_for(10_000)

        says(page, "Einfahrt zurzeit gesperrt")
        expect(page.locator(".number")).to_be_hidden()


@pytest.mark.browser
def test_nobody_else_is_asked_and_nothing_is_kept(browser: Browser, face: Face) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    with browser.new_page() as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{face.url}/display/{YARD}")
        says(page, NORD)

        assert all(url.startswith(face.url) for url in asked)
        assert (page.context.cookies(), page.evaluate("localStorage.length + sessionStorage.length")) == ([], 0)
        assert complaints == []


@pytest.mark.browser
def test_a_minute_after_the_last_news_there_is_no_number(browser: Browser, server: Server) -> None:
    with monitor(browser, server.page_url) as page:
        says(page, NORD)
        server.stop()
        page.clock.run_for(58_000)
        says(page, NORD)
        expect(page.locator(".age")).to_have_text("Stand: vor 50 Sekunden")

        page.clock.run_for(2_000)

        says(page, NOTHING)
        expect(page.locator(".number")).to_be_hidden()
        expect(page.locator(".age")).to_have_text("Zuletzt gehört um 9:30 Uhr")


@pytest.mark.browser
def test_a_number_that_calls_itself_good_for_longer_goes_all_the_same(browser: Browser, server: Server) -> None:
    with monitor(browser, server.page_url) as page:
        answering(page, lambda news: {**news, "yard": {**news["yard"], "valid_s": 3600}})  # type: ignore[dict-item]
        wakes(page)
        says(page, NORD)
        page.unroute_all(behavior="ignoreErrors")
        server.stop()

        page.clock.run_for(60_000)

        says(page, NOTHING)


@pytest.mark.browser
def test_a_server_that_hangs_is_given_up_and_asked_again(browser: Browser, server: Server) -> None:
    with monitor(browser, server.page_url) as page, ExitStack() as stack:
        says(page, NORD)
        server.stop()
        with socket.create_server(("127.0.0.1", server.port)) as silent:
            silent.settimeout(PATIENCE_S)
            page.clock.run_for(10_000)
            question, _ = silent.accept()
            stack.enter_context(question)
        page.clock.run_for(50_000)
        says(page, NOTHING)
        server.start()

        page.clock.run_for(20_000)

        says(page, NORD)
        assert is_untouched(page)


@pytest.mark.browser
def test_an_answer_without_sense_is_no_news(browser: Browser, face: Face) -> None:
    bodies = ["", "{", "null", "[]", '{"version": 1}', '{"yard": {}}']
    with monitor(browser, f"{face.url}/display/{YARD}") as page:
        for body in bodies:
            says(page, NORD)
            page.route("**/view/**", lambda route, _request, body=body: route.fulfill(body=body))
            page.clock.run_for(60_000)
            says(page, NOTHING)
            page.unroute_all(behavior="ignoreErrors")
            page.clock.run_for(10_000)

        says(page, NORD)


@pytest.mark.browser
def test_a_clock_that_is_set_back_and_stands_keeps_no_number_alive(browser: Browser, server: Server) -> None:
    with monitor(browser, server.page_url) as page:
        says(page, NORD)
        server.stop()
        page.clock.set_fixed_time("2020-01-01T00:00:00Z")

        page.clock.run_for(60_000)

        says(page, NOTHING)


@pytest.mark.browser
def test_a_machine_that_slept_shows_nothing_of_yesterday(browser: Browser, server: Server) -> None:
    with monitor(browser, server.page_url) as page:
        says(page, NORD)
        server.stop()
        page.clock.set_system_time("2100-01-01T00:00:00Z")  # performance.now() stood still the while

        page.clock.run_for(1_000)

        says(page, NOTHING)
        server.start()
        page.clock.run_for(10_000)
        says(page, NORD)


@pytest.mark.browser
def test_a_day_without_network_ends_by_itself_and_costs_no_memory(browser: Browser, face: Face, server: Server) -> None:
    with monitor(browser, server.page_url) as page:
        says(page, NORD)
        probe = page.context.new_cdp_session(page)

        def used() -> tuple[int, int]:
            probe.send("HeapProfiler.collectGarbage")
            return probe.send("Memory.getDOMCounters")["nodes"], probe.send("Runtime.getHeapUsage")["usedSize"]

        server.stop()
        page.clock.run_for(HOUR_MS)
        nodes, heap = used()
        page.clock.run_for(HOUR_MS)
        nodes_later, heap_later = used()
        page.clock.fast_forward(DAY_MS - 2 * HOUR_MS)
        says(page, NOTHING)
        face.clock.advance(DAY_MS)
        face.store.write([type(r)(r.site, r.sensor, r.quantity, r.at_ms + DAY_MS, r.value) for r in steady_queue(8, 90)])
        server.start()

        page.clock.run_for(20_000)

        says(page, NORD)
        assert is_untouched(page)
        assert nodes_later < nodes + 10  # a leak of one each minute would be 60
        assert heap_later < heap + 100_000  # bytes; 30 of each second would be as much


@pytest.mark.browser
def test_another_version_of_the_server_is_loaded_but_not_again_and_again(browser: Browser, face: Face) -> None:
    with monitor(browser, f"{face.url}/display/{YARD}") as page:
        answering(page, lambda news: {**news, "version": "another"})
        page.clock.run_for(300_000)
        says(page, NORD)
        assert is_untouched(page)

        with page.expect_navigation():
            page.clock.run_for(310_000)

        says(page, NORD)
        assert not is_untouched(page)


@pytest.mark.browser
def test_without_its_script_the_page_shows_no_number_that_would_stay(browser: Browser, face: Face) -> None:
    page = browser.new_page()
    with page:
        page.route("**/kiosk.js*", lambda route: route.abort())
        page.goto(f"{face.url}/display/{YARD}")

        says(page, NOTHING)
        assert "15" not in page.locator("main").inner_text()


@pytest.mark.parametrize(("asked", "code"), [("?lang=tr", "tr"), ("?lang=xx", "de"), ("", "de")])
def test_the_monitor_speaks_the_language_of_its_address_and_not_that_of_its_browser(face: Face, asked: str, code: str) -> None:
    html = face.get(f"/display/{YARD}{asked}", accept_language="en").text

    assert f'<html lang="{code}">' in html
    assert f'data-ask="/view/{YARD}?lang={code}"' in html


@pytest.mark.browser
def test_everybody_can_read_it_in_light_and_dark(browser: Browser, face: Face) -> None:
    with browser.new_page(color_scheme="light") as page:
        page.goto(f"{face.url}/display/{YARD}")
        says(page, NORD)
        light = Axe().run(page).response["violations"]
        page.emulate_media(color_scheme="dark")

        assert (light, Axe().run(page).response["violations"]) == ([], [])
