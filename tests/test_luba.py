"""LUBA: a DALI bus behind a serial line. Vectors follow python-dali's driver; the gateway is simulators/luba.py, written apart."""

import itertools
import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import luba
from firmware_bridge.frames import Noise
from firmware_bridge.luba import Answer, Declined, Decoder, Garbled, Info, Overheard, Said, Sent, Settings, Taken
from simulators.gear import Gear
from simulators.luba import Luba, message
from tests.conftest import ROOT

ANSWER = bytes.fromhex("59 31 05 12 34 00 88 04 9E")
SAID: dict[str, tuple[bytes, Said]] = {
    "answer": (ANSWER, Answer(0x04)),
    "sent": (message(0x31, bytes.fromhex("12 34 00 10 07 0B 90")), Sent(b"\x0b\x90")),
    "overheard": (message(0x31, bytes.fromhex("12 34 00 98 C1 00 40")), Overheard(b"\xc1\x00\x40")),
    "framing error": (message(0x31, bytes.fromhex("12 34 00 BF")), Garbled("framing error")),
    "stop": (message(0x31, bytes.fromhex("12 34 00 BE")), Garbled("only a stop condition")),
    "taken": (message(0x33, b"\x07\x00"), Taken()),
    "declined": (message(0x33, b"\x03"), Declined(3)),
    "settings": (message(0x2B, b"\x00\x12"), Settings(0x00, 0x12)),
    "settings with bus supply": (message(0x2B, b"\x00\x12\x80"), Settings(0x00, 0x12)),
    "info": (
        message(0x21, bytes.fromhex("06 F6 29 19 22 87 00 00 00 00 00 00 00 02 01 02 01 70 BE D0")),
        Info(7654321234567, 2, 24166096),
    ),
}
MOST_PENDING = 23  # bytes: all but the last of the longest message


def fed(chunks: Iterable[bytes]) -> list[Said | Noise]:
    decoder = Decoder()
    return [item for chunk in chunks for item in decoder.feed(chunk)]


def merged(items: Iterable[Said | Noise]) -> list[Said | bytes]:
    """Neighbouring noise as one: how it is cut depends on how the bytes came."""
    result: list[Said | bytes] = []
    for is_noise, group in itertools.groupby(items, key=lambda item: isinstance(item, Noise)):
        if is_noise:
            result.append(b"".join(item.data for item in group if isinstance(item, Noise)))
        else:
            result += [item for item in group if not isinstance(item, Noise)]
    return result


# What we say


def test_a_level_is_sent_before_what_can_wait() -> None:
    assert luba.send(b"\x0a\xaa") == bytes.fromhex("59 32 07 00 10 02 0A AA 00 00 87")
    assert luba.send(b"\x0b\x90", priority=luba.QUERY) == bytes.fromhex("59 32 07 00 10 05 0B 90 00 00 BB")


def test_a_setting_is_sent_twice() -> None:
    assert luba.send(b"\x0b\x2c", twice=True) == bytes.fromhex("59 32 07 00 10 82 0B 2C 00 00 80")


def test_a_frame_of_24_bits_says_its_length() -> None:
    assert luba.send(b"\xc1\x00\x40") == bytes.fromhex("59 32 07 00 18 02 C1 00 40 00 AE")


def test_the_start_asks_who_is_there_and_wants_events() -> None:
    assert list(luba.START) == [bytes.fromhex("59 20 01 00 21"), bytes.fromhex("59 2A 02 00 12 3A")]


# What the gateway says


@pytest.mark.parametrize("what", SAID)
def test_a_message_is_read_whole(what: str) -> None:
    data, said = SAID[what]

    assert fed([data]) == [said]


@pytest.mark.parametrize("what", SAID)
def test_a_message_is_read_byte_by_byte(what: str) -> None:
    data, said = SAID[what]

    assert fed(bytes((byte,)) for byte in data) == [said]


@pytest.mark.parametrize("noise", [b"\x00\xff", b"\x59", b"\x59\x59", b"\x59\x31", b"\x59\x31\x05\x12", b"\x59\x21\x14"])
@pytest.mark.parametrize("what", SAID)
def test_noise_before_a_message_costs_nothing(what: str, noise: bytes) -> None:
    data, said = SAID[what]

    assert [item for item in fed([noise + data + 3 * ANSWER]) if not isinstance(item, Noise)] == [said, *3 * [Answer(4)]]


def test_a_message_that_starts_inside_a_broken_one_is_found() -> None:
    for length in range(1, len(ANSWER)):
        assert fed([ANSWER[:length] + ANSWER + ANSWER])[-1] == Answer(4)


@pytest.mark.parametrize("what", SAID)
def test_no_flipped_bit_says_anything(what: str) -> None:
    data, _ = SAID[what]
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << (bit % 8)

        assert [item for item in fed([bytes(flipped)]) if not isinstance(item, Noise)] == []


@pytest.mark.parametrize(
    "payload",
    [
        bytes.fromhex("12 34 00 48 04"),  # of a kind that nobody told us
        bytes.fromhex("12 34 00 C8 04"),
        bytes.fromhex("12 34 00 88"),  # eight bits, and none there
        bytes.fromhex("12 34 00 88 04 05"),
        bytes.fromhex("12 34 00 80 04"),  # no bits
        bytes.fromhex("12 34 00 A8 04 05 06 07 08"),  # 40 bits
        bytes.fromhex("12 34 00 10 07"),  # sent, but not what
    ],
)
def test_an_event_that_we_do_not_know_is_noise(payload: bytes) -> None:
    data = message(0x31, payload)

    assert fed([data + ANSWER]) == [Noise(data, "an event of unknown kind"), Answer(4)]


def test_noise_names_its_first_reason() -> None:
    assert fed([ANSWER[:-1] + b"\x9f\x00"]) == [Noise(ANSWER[:-1] + b"\x9f\x00", "wrong check byte")]
    for length in (18, 21):  # 18 is what a gateway says of itself if asked otherwise
        assert fed([message(0x21, bytes(length))]) == [Noise(message(0x21, bytes(length)), "wrong length")]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Good messages, pieces of them, and anything between."""
    whole = st.sampled_from([data for data, _ in SAID.values()])
    piece = st.one_of(
        whole,
        whole.flatmap(lambda data: st.integers(1, len(data)).map(lambda length: data[:length])),
        st.binary(max_size=40),
        st.builds(message, st.sampled_from([0x21, 0x2B, 0x31, 0x33]), st.binary(max_size=30)),
    )
    return b"".join(draw(st.lists(piece, max_size=8)))


@given(stream=streams(), data=st.data())
def test_the_way_the_bytes_are_cut_changes_nothing(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))

    chunks = [stream[start:end] for start, end in itertools.pairwise([0, *cuts, len(stream)])]

    assert merged(fed(chunks)) == merged(fed([stream]))


@given(stream=streams())
def test_any_bytes_are_taken_and_what_waits_is_bounded(stream: bytes) -> None:
    decoder = Decoder()
    for byte in stream:
        decoder.feed(bytes((byte,)))

        assert decoder.pending <= MOST_PENDING


@given(noise=streams())
def test_after_any_noise_the_gateway_is_heard_again(noise: bytes) -> None:
    assert fed([noise + 4 * ANSWER])[-1] == Answer(4)


def test_the_messages_in_the_document_are_sound() -> None:
    document = (ROOT / "docs/dali.md").read_text(encoding="utf-8")
    written = [bytes.fromhex(text) for text in re.findall(r"`(59(?: [0-9A-F]{2})+)`", document)]

    assert written[:3] == [luba.START[0], luba.START[1], message(0x2B, b"\x00\x12")]
    assert written[3] == luba.send(b"\x0a\xaa")
    assert fed(written[4:]) == [Taken(), Sent(b"\x0a\xaa"), Answer(4), Declined(luba.NO_POWER)]


# There and back


@given(frame=st.binary(min_size=2, max_size=3), twice=st.booleans(), priority=st.integers(1, 5))
def test_what_we_send_is_told_as_sent(frame: bytes, twice: bool, priority: int) -> None:
    gateway = Luba([])
    for request in luba.START:
        gateway.heard(request)

    said = fed([gateway.heard(luba.send(frame, twice=twice, priority=priority))])

    assert said == [Taken(), Sent(frame), Sent(frame)] if twice else [Taken(), Sent(frame)]


def test_the_gateway_answers_the_start() -> None:
    gateway = Luba([Gear(5)])

    said = fed(gateway.heard(request) for request in luba.START)

    assert said == [Info(1234567654321, 4711, 24166096), luba.WANTED]
