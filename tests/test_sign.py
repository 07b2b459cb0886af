"""A sign on a pty: shows the number, and takes it away when it is old."""

import os
import pty
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

import pytest

from edge import matrix, sign
from edge.sign import PROTOCOLS, Latest, Shape
from firmware_bridge import alpha, ibis, mobitec
from firmware_bridge.devices import Line
from firmware_bridge.frames import Noise
from firmware_bridge.port import Port
from hoflicht import wait as waits
from hoflicht.broker import Message
from hoflicht.clock import HandClock
from hoflicht.stop import Stopping
from hoflicht.wait import State, Wait
from tests.meanwhile import meanwhile
from tests.roles import eventually

NOW = datetime.fromtimestamp(1_700_000_000, UTC)
DECODERS: dict[str, Callable[[], ibis.Decoder | alpha.Decoder]] = {
    "ibis-ds009": ibis.Decoder,
    "alpha": alpha.Decoder,
}  # of the signs with one line


def published(
    minutes: int, expiry_s: int | None = 60, valid_s: int = 60, age_s: int = 0, latest_arrival: datetime | None = None
) -> Message:
    as_of = NOW - timedelta(seconds=age_s)
    wait = Wait(
        yard="hof-nord",
        state=State.OPEN,
        as_of=as_of,
        valid_until=as_of + timedelta(seconds=valid_s),
        p50_s=minutes * 60,
        latest_arrival=latest_arrival,
    )
    return Message(topic="t", payload=waits.encode(wait), expiry_s=expiry_s)


@pytest.fixture
def latest(clock: HandClock) -> Latest:
    return Latest("hof-nord", clock)


class Display:
    """The far end of the line: `texts` are what was shown, one after the other."""

    def __init__(self, master: int, protocol: str) -> None:
        self._master = master
        self._decoder = mobitec.Decoder() if protocol == "mobitec" else DECODERS[protocol]()
        self.texts: list[str] = []

    def text(self) -> str:
        with_data = os.read(self._master, 4096)
        self.texts += [_said(item) for item in self._decoder.feed(with_data) if not isinstance(item, Noise)]
        return self.texts[-1] if self.texts else ""


def _said(item: ibis.Telegram | alpha.TextFile | mobitec.Picture) -> str:
    return "\n".join(item.dots) if isinstance(item, mobitec.Picture) else item.text.strip()


@pytest.fixture(params=DECODERS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def shown(protocol: str, latest: Latest, clock: HandClock) -> Iterator[Display]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    stopping = Stopping()

    def work() -> None:
        with Port(os.ttyname(slave), PROTOCOLS[protocol].line) as port:
            sign.run(port, latest, lambda wait: PROTOCOLS[protocol].build(wait, Shape()), clock, stopping)

    try:
        with meanwhile(work, stopping):
            yield Display(master, protocol)
    finally:
        os.close(slave)
        os.close(master)


def reads(display: Display, text: str) -> bool:
    def same() -> bool:
        try:
            return display.text() == text
        except BlockingIOError:
            return bool(display.texts) and display.texts[-1] == text

    return eventually(same, timeout_s=5)


def test_the_sign_shows_the_number_and_goes_blank_when_it_expires(protocol: str, latest: Latest, clock: HandClock) -> None:
    with shown(protocol, latest, clock) as display:
        assert reads(display, "KEINE ANGABE")
        latest.take(published(15))
        assert reads(display, "WARTEZEIT 15 MIN")
        clock.advance(59_999)
        latest.take(published(20, expiry_s=1))
        assert reads(display, "WARTEZEIT 20 MIN")

        clock.advance(1_000)

        assert reads(display, "KEINE ANGABE")


def test_a_sign_of_dots_shows_the_number_large_and_loses_it_when_it_expires(latest: Latest, clock: HandClock) -> None:
    def picture(wait: Wait | None) -> str:
        [only] = matrix.pictures(wait, 112, 16)
        return "\n".join(only)

    with shown("mobitec", latest, clock) as display:
        latest.take(published(15, expiry_s=1))
        assert reads(display, picture(latest.get()))

        clock.advance(1_000)

        assert reads(display, picture(None))


def test_the_telegram_is_repeated_for_a_sign_that_was_without_power(protocol: str, latest: Latest, clock: HandClock) -> None:
    with shown(protocol, latest, clock) as display:
        assert reads(display, "KEINE ANGABE")
        before = len(display.texts)

        clock.advance(20_000)

        assert reads(display, "KEINE ANGABE")
        assert eventually(lambda: reads(display, "KEINE ANGABE") and len(display.texts) > before)


def test_towards_the_end_wait_and_latest_arrival_take_turns(protocol: str, latest: Latest, clock: HandClock) -> None:
    berlin = timezone(timedelta(hours=1))
    clock.advance(-clock.monotonic_ms() % 16_000)
    latest.take(published(15, latest_arrival=NOW.astimezone(berlin) + timedelta(minutes=30)))
    with shown(protocol, latest, clock) as display:
        assert reads(display, "WARTEZEIT 15 MIN")
        clock.advance(8_000)
        assert reads(display, "ANKUNFT BIS23:43")
        clock.advance(8_000)

        assert reads(display, "WARTEZEIT 15 MIN")


def test_a_gateway_that_ends_takes_the_number_away(protocol: str, latest: Latest, clock: HandClock) -> None:
    latest.take(published(15))
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    stopping = Stopping()
    stopping.set()
    with Port(os.ttyname(slave), PROTOCOLS[protocol].line) as port:
        sign.run(port, latest, lambda wait: PROTOCOLS[protocol].build(wait, Shape()), clock, stopping)

    assert Display(master, protocol).text() == "KEINE ANGABE"
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize(
    ("message", "shown_s"),
    [
        (published(15, expiry_s=60, valid_s=60), 60),
        (published(15, expiry_s=7, valid_s=60), 7),  # retained, and the broker has counted down
        (published(15, expiry_s=60, valid_s=7), 7),
        (published(15, expiry_s=30, age_s=86_400), 30),  # our wall clock is a day ahead: spans do not care
        (published(15, expiry_s=None, age_s=50), 10),  # a broker that counts nothing: the wall clock has to do
        (published(15, expiry_s=None, age_s=70), 0),
        (Message(topic="t", payload=b"", expiry_s=60), 0),
        (Message(topic="t", payload=b"{}", expiry_s=60), 0),
    ],
)
def test_a_number_lasts_as_long_as_broker_and_api_say(message: Message, shown_s: int, latest: Latest, clock: HandClock) -> None:
    latest.take(message)

    if shown_s:
        clock.advance(shown_s * 1000 - 1)
        assert latest.get() is not None
        clock.advance(1)
    assert latest.get() is None


def test_without_expiry_and_without_a_clock_there_is_no_number() -> None:
    latest = Latest("hof-nord", HandClock(is_set=False))

    latest.take(published(15, expiry_s=None))

    assert latest.get() is None


def test_a_bad_message_takes_an_older_number_away(latest: Latest) -> None:
    latest.take(published(15))

    latest.take(Message(topic="t", payload=b"garbage", expiry_s=60))

    assert latest.get() is None


def test_each_protocol_fills_its_telegram() -> None:
    wait = waits.decode(published(15).payload)

    def telegram(protocol: str, width: int, address: int) -> bytes:
        [only] = PROTOCOLS[protocol].build(wait, Shape(width, address))
        return only

    assert telegram("ibis-ds009", 24, 0).startswith(b"vWARTEZEIT 15 MIN        \r")
    assert telegram("ibis-ds003a", 16, 0).startswith(b"zA2WARTEZEIT       15 MINUTEN      \r")
    assert telegram("ibis-ds021", 16, 3).startswith(b"aA32WARTEZEIT       15 MINUTEN      \r")
    assert telegram("alpha", 24, 0) == alpha.show("WARTEZEIT 15 MIN")
    assert telegram("mobitec", 16, 6) == mobitec.show(6, *matrix.pictures(wait, 112, 16))


def test_each_protocol_has_its_line() -> None:
    lines = {name: protocol.line for name, protocol in PROTOCOLS.items()}

    assert lines.pop("alpha") == Line(9600, 7, "E", 1)
    assert lines.pop("mobitec") == Line(4800, 8, "N", 1)
    assert set(lines.values()) == {Line(1200, 7, "E", 2)}
