"""Notices of yards: what may stand in one, how long it stands, and that it is there after a restart."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.errands import Errands
from api.staff.herald import Herald
from api.staff.notices import Notice, NoticeAsked, Notices, Texts
from hoflicht import Reading
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from hoflicht.errors import BadConfig, BadPayload, Refused, Unavailable
from store.readings import open_store
from tests.office import NOW, NOW_MS

HOUR_MS = 3_600_000
TEXTS = Texts(de="Heute kein Grünschnitt", en="No garden waste today")


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW_MS)


@pytest.fixture
def notices(city: City, tmp_path: Path, clock: HandClock) -> Notices:
    return Notices(tmp_path / "notices.json", city.yards, clock)


def asked(hours: float = 2, texts: Texts = TEXTS) -> NoticeAsked:
    return NoticeAsked(texts=texts, until=NOW + dt.timedelta(hours=hours))


def test_a_notice_stands_until_its_end(notices: Notices, clock: HandClock) -> None:
    notice = notices.put_up("hof-nord", asked(hours=2))
    stands = notices.current()
    clock.advance(2 * HOUR_MS - 1)
    still = notices.current()
    clock.advance(1)

    assert stands == still == {"hof-nord": Notice("hof-nord", TEXTS, NOW, NOW + dt.timedelta(hours=2))}
    assert notice == stands["hof-nord"]
    assert notices.current() == {}


def test_a_yard_has_one_notice_and_the_next_takes_its_place(notices: Notices) -> None:
    notices.put_up("hof-nord", asked())
    notices.put_up("hof-sued", asked())
    notices.put_up("hof-nord", asked(texts=Texts(de="Waage außer Betrieb")))

    assert {yard: notice.texts.de for yard, notice in notices.current().items()} == {
        "hof-nord": "Waage außer Betrieb",
        "hof-sued": "Heute kein Grünschnitt",
    }


def test_a_notice_is_taken_down(notices: Notices, clock: HandClock) -> None:
    notices.put_up("hof-nord", asked())
    clock.advance(60_000)
    notices.take_down("hof-nord")
    notices.take_down("hof-sued")  # which has none

    assert notices.current() == {}
    assert {yard: notice.until for yard, notice in notices.latest().items()} == {"hof-nord": NOW + dt.timedelta(minutes=1)}


def test_a_notice_is_there_after_a_restart(city: City, tmp_path: Path, notices: Notices, clock: HandClock) -> None:
    notices.put_up("hof-nord", asked())

    assert Notices(tmp_path / "notices.json", city.yards, clock).current() == notices.current() != {}
    assert (tmp_path / "notices.json").stat().st_mode & 0o777 == 0o600


def test_two_processes_lose_nothing_of_each_other(city: City, tmp_path: Path, notices: Notices, clock: HandClock) -> None:
    Notices(tmp_path / "notices.json", city.yards, clock).put_up("hof-sued", asked())
    notices.put_up("hof-nord", asked())

    assert list(notices.current()) == ["hof-nord", "hof-sued"]


def test_a_yard_that_the_catalogue_has_lost_has_no_notice(city: City, tmp_path: Path, notices: Notices, clock: HandClock) -> None:
    notices.put_up("hof-nord", asked())

    assert Notices(tmp_path / "notices.json", ["hof-sued"], clock).current() == {}


def test_a_language_without_a_text_of_its_own_has_the_german_one(notices: Notices) -> None:
    notice = notices.put_up("hof-nord", asked(texts=Texts(de="Heute zu", simple="Heute ist zu.", tr="Bugün kapalı")))

    assert [notice.words(code) for code in ("de", "de-simple", "en", "tr", "pl")] == [
        *("Heute zu", "Heute ist zu.", "Heute zu", "Bugün kapalı", "Heute zu"),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("zu\nzu", "one line"),
        ("zu\u2028zu", "one line"),
        ("zu\x07", "one line"),
        ("\u202eznarg", "one line"),  # turns the direction of writing
        (" zu", "no blanks at its ends"),
        ("   ", "no blanks at its ends"),
        ("<b>zu</b>", "no markup"),
    ],
)
def test_a_text_is_one_line_of_plain_words(notices: Notices, text: str, complaint: str) -> None:
    for code, texts in (("de", Texts(de=text)), ("tr", Texts(de="zu", tr=text))):
        with pytest.raises(BadPayload, match=f"texts.{code}: {complaint}"):
            notices.put_up("hof-nord", asked(texts=texts))

    assert notices.current() == {}


@pytest.mark.parametrize("hours", [-1, 0, 90 * 24 + 0.01])
def test_a_notice_has_an_end_within_a_season(notices: Notices, hours: float) -> None:
    with pytest.raises(BadPayload, match="until: within the next 90 days"):
        notices.put_up("hof-nord", asked(hours))

    assert notices.current() == {}


@pytest.mark.parametrize("text", ["{", '{"notes":[]}', '{"notices":[{"yard":"hof-nord"}]}'])
def test_a_file_that_is_none_of_ours_ends_the_start(city: City, tmp_path: Path, clock: HandClock, text: str) -> None:
    (tmp_path / "notices.json").write_text(text)

    with pytest.raises(BadConfig, match=r"notices\.json: not staff's notices"):
        Notices(tmp_path / "notices.json", city.yards, clock)


class Told(Errands):
    """Errands that end in a list, or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[Reading] = []
        self.fails: Exception | None = None

    def run(self, readings: object) -> None:
        if self.fails is not None:
            raise self.fails
        assert isinstance(readings, list)
        self.words += readings


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def herald(notices: Notices, clock: HandClock, told: Told, tmp_path: Path) -> Iterator[Callable[[], Herald]]:
    """A herald, as after a start, with a store that has what was told."""
    with contextlib.ExitStack() as stack:

        def start() -> Herald:
            store = stack.enter_context(contextlib.closing(open_store(f"sqlite:///{tmp_path / 'readings.db'}")))
            store.write(told.words)
            return Herald(notices, store, told, clock)

        yield start


def word(ms_on: int, value: float) -> Reading:
    return Reading("hof-nord", "staff", "notice", NOW_MS + ms_on, value)


def test_the_store_is_told_when_a_notice_begins_and_ends(
    notices: Notices, clock: HandClock, told: Told, herald: Callable[[], Herald]
) -> None:
    running = herald()
    running.look()
    notices.put_up("hof-nord", asked(hours=1))
    clock.advance(5_000)
    for _ in range(2):
        running.look()
    clock.advance(HOUR_MS)
    for _ in range(2):
        running.look()

    assert told.words == [word(0, 1.0), word(HOUR_MS, 0.0)]


def test_the_store_is_told_when_a_notice_is_taken_down_or_another_takes_its_place(
    notices: Notices, clock: HandClock, told: Told, herald: Callable[[], Herald]
) -> None:
    running = herald()
    for change in (
        lambda: notices.put_up("hof-nord", asked()),
        lambda: notices.put_up("hof-nord", asked()),
        lambda: notices.take_down("hof-nord"),
    ):
        clock.advance(60_000)
        change()
        running.look()

    assert told.words == [word(60_000, 1.0), word(120_000, 1.0), word(180_000, 0.0)]


def test_after_a_restart_nothing_is_told_twice_and_a_missed_end_is_told(
    notices: Notices, clock: HandClock, told: Told, herald: Callable[[], Herald]
) -> None:
    notices.put_up("hof-nord", asked(hours=1))
    herald().look()
    herald().look()
    clock.advance(3 * HOUR_MS)
    herald().look()
    herald().look()

    assert told.words == [word(0, 1.0), word(HOUR_MS, 0.0)]


def test_a_notice_whose_file_is_gone_is_told_to_be_over(city: City, clock: HandClock, told: Told, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'readings.db'}")
    store.write([word(-60_000, 1.0)])
    running = Herald(Notices(tmp_path / "notices.json", city.yards, clock), store, told, clock)
    for _ in range(2):
        running.look()
    store.close()

    assert told.words == [word(0, 0.0)]


def test_what_cannot_be_told_now_is_told_later_as_it_was(
    notices: Notices, clock: HandClock, told: Told, herald: Callable[[], Herald]
) -> None:
    running = herald()
    notices.put_up("hof-nord", asked())
    told.fails = Unavailable("no connection to the broker")
    running.look()
    clock.advance(60_000)
    told.fails = None
    running.look()

    assert told.words == [word(0, 1.0)]


def test_what_the_store_will_never_take_is_not_told_for_ever(
    notices: Notices, told: Told, herald: Callable[[], Herald], caplog: pytest.LogCaptureFixture
) -> None:
    running = herald()
    notices.put_up("hof-nord", asked())
    told.fails = Refused("older than 89 days: was the gateway's clock set?")
    for _ in range(3):
        running.look()

    assert [record.levelname for record in caplog.records] == ["WARNING"]
