"""The page for everybody: WCAG 2.2 AA by axe in Chromium, by keyboard, magnified, narrow, without motion, read aloud."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from api.citizen import pages
from api.citizen.german import GERMAN
from api.citizen.languages import LANGUAGES
from api.staff.notices import Notice, Texts
from hoflicht.catalogue import City
from tests.citizen import LIVE, NOW_MS, PHONE, four_yards, opened, shot, weeks
from tests.face import Face
from tests.lane import YARD, at

NOTICE = Notice(YARD, Texts(de="Heute keine Annahme von Grünschnitt."), at(0), at(600))
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
NARROW: ViewportSize = {"width": 320, "height": 568}  # 1.4.10: 1280 pixels at 400 %
MIN_TARGET = 24  # pixels: 2.5.8


@pytest.fixture(scope="module")
def face(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    """Nobody changes it: time stands still, and all tests see the same yards, with a notice and a forecast at Nord."""
    with four_yards(city, tmp_path_factory.mktemp("face"), weeks("hof-nord")) as running:
        pages.tell(running.streams, running.city, running.yards.waits(), NOW_MS, {YARD: NOTICE}, running.outlooks.seen)
        yield running


def violations(page: Page) -> list[str]:
    """What axe finds, with the places."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found]


def sideways(page: Page) -> int:
    """Pixels that one would have to scroll to the side."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


@pytest.mark.browser
@pytest.mark.parametrize("code", LANGUAGES)
def test_axe_finds_nothing_in_any_language_or_scheme(browser: Browser, face: Face, code: str) -> None:
    context = browser.new_context(viewport=PHONE, permissions=["geolocation"], geolocation={"latitude": 51.5, "longitude": 6.75})
    with context, context.new_page() as page:
        page.goto(f"{face.url}/?lang={code}")
        expect(page.locator(".notice").first).to_have_text("Hinweis: Heute keine Annahme von Grünschnitt.")
        expect(page.locator(".notice").first).to_have_attribute("lang", "de")  # 3.1.2: staff wrote no other
        page.click("#locate")
        expect(page.locator("#quick-choice")).to_be_visible()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            shot(page, f"phone-{code}-{scheme}")
            assert violations(page) == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_a_desk_loses_its_network(browser: Browser, face: Face, scheme: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="de-DE", color_scheme=scheme)  # type: ignore[arg-type]
    with page:
        page.clock.install()
        page.route(LIVE, lambda route: route.abort())
        page.goto(face.url)
        for silence_ms, words in ((31_000, GERMAN.stale), (30_000, GERMAN.offline)):
            page.clock.run_for(silence_ms)
            expect(page.locator("#offline")).to_have_text(words)
            shot(page, f"desk-{scheme}-{silence_ms}")
            assert violations(page) == []


FOCUSED = """() => {
    const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
    const outlined = parseFloat(style.outlineWidth) >= 2 && style.outlineStyle === 'solid';
    const seen = box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
    return [e.textContent.trim(), outlined, seen, Math.min(box.width, box.height)];
}"""


@pytest.mark.browser
def test_every_control_is_reached_by_keyboard_with_its_focus_to_be_seen(browser: Browser, face: Face) -> None:
    with opened(browser, face.url) as page:
        expect(page.locator("#locate")).to_be_visible()
        controls = [text.strip() for text in page.locator("a:visible, button:visible").all_text_contents()]
        walked = []
        for _ in controls:
            page.keyboard.press("Tab")
            walked.append(page.evaluate(FOCUSED))

        assert [text for text, *_ in walked] == controls
        assert controls[0] == GERMAN.skip
        assert [text for text, outlined, seen, _ in walked if not (outlined and seen)] == []
        assert [(text, size) for text, _, _, size in walked if size < MIN_TARGET] == []


@pytest.mark.browser
def test_the_first_link_skips_to_the_yards(browser: Browser, face: Face) -> None:
    with opened(browser, face.url) as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")

        assert page.evaluate("document.activeElement.textContent") == "Recyclinghof Nord"


# 1.4.12; the browser lets a script of ours do so, as it lets a reader's own style sheet
SPACED = """() => { for (const e of document.querySelectorAll('body *')) {
    e.style.lineHeight = '1.5'; e.style.letterSpacing = '0.12em'; e.style.wordSpacing = '0.16em'; } }"""


@pytest.mark.browser
@pytest.mark.parametrize("code", LANGUAGES)
def test_nothing_scrolls_sideways_on_a_narrow_screen_in_large_letters_or_with_wide_spaces(
    browser: Browser, face: Face, code: str
) -> None:
    with opened(browser, f"{face.url}/?lang={code}", NARROW) as page:
        expect(page.locator(".notice").first).to_be_visible()
        assert sideways(page) == 0
        page.evaluate("document.documentElement.style.fontSize = '200%'")  # 1.4.4
        shot(page, f"narrow-{code}-large")
        assert sideways(page) == 0
        page.evaluate("document.documentElement.style.fontSize = ''")
        page.evaluate(SPACED)
        assert sideways(page) == 0


MOVING = """() => [...document.querySelectorAll('*')].filter(e => {
    const style = getComputedStyle(e);
    return parseFloat(style.transitionDuration) > 0 || parseFloat(style.animationDuration) > 0; }).length"""


@pytest.mark.browser
def test_nothing_moves_where_no_motion_is_wanted(browser: Browser, face: Face) -> None:
    with opened(browser, face.url) as page:
        page.emulate_media(reduced_motion="no-preference")
        assert page.evaluate(MOVING) == 4  # cards, whose edge changes its colour softly
        page.emulate_media(reduced_motion="reduce")
        assert page.evaluate(MOVING) == 0


SPOKEN = """() => {
    window.spoken = [];
    const listen = (e) => new MutationObserver(() => { if (e.textContent) window.spoken.push(e.textContent); });
    for (const e of document.querySelectorAll('[role=status], [aria-live]'))
        listen(e).observe(e, { childList: true, subtree: true, characterData: true });
}"""


@pytest.mark.browser
def test_who_listens_hears_changes_once_a_minute_at_most(browser: Browser, face: Face) -> None:
    page = browser.new_page(locale="de-DE")
    answers = [face.get("/live.json?lang=de").json() for _ in range(2)]
    for yard in answers[1]["yards"]:
        yard["headline"] = "Wartezeit etwa 30 Minuten"
    turn = 0
    with page:
        page.clock.install()
        page.route("**/live?**", lambda route: route.abort())
        page.route("**/live.json**", lambda route: route.fulfill(json=answers[turn % 2]))
        page.goto(face.url)
        page.evaluate(SPOKEN)
        for turn in range(1, 5):
            with page.expect_response("**/live.json**"):
                page.clock.run_for(20_000)
            expect(page.locator("article .headline").last).to_have_text(answers[turn % 2]["yards"][-1]["headline"])
        spoken = page.evaluate("window.spoken")

    assert len(spoken) in (1, 2)  # in eighty seconds, of four changes
    assert spoken[0] == " – ".join(f"{yard['name']}: Wartezeit etwa 30 Minuten" for yard in answers[1]["yards"])


@pytest.mark.browser
def test_on_paper_stands_when_it_was_so_and_nothing_to_click(browser: Browser, face: Face) -> None:
    with opened(browser, face.url) as page:
        page.emulate_media(media="print", color_scheme="dark")
        shot(page, "print")

        expect(page.locator("article .printed").first).to_have_text("Zuletzt gehört um 9:30 Uhr")
        expect(page.locator("article .printed").first).to_be_visible()
        assert page.locator("a:visible, button:visible, .age:visible").count() == 0
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
