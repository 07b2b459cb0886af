"""Alpha packets: the rules of the maker's document, texts with umlauts, and a noisy line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import alpha
from firmware_bridge.alpha import MAX_PACKET, Decoder, TextFile
from firmware_bridge.devices import Line
from firmware_bridge.frames import Noise

WAKE = Noise(bytes(5), "no frame starts here")
SHOWN = alpha.show("WARTEZEIT 12 MIN")


def read(data: bytes) -> list[TextFile | Noise]:
    return list(Decoder().feed(data))


def test_the_line() -> None:
    assert Line(9600, 7, "E", 1) == alpha.LINE


def test_the_checksum_is_the_sum_from_stx_to_etx() -> None:
    assert alpha.checksum(b"\x02AA\x1b bWARTEZEIT 12 MIN\x03") == b"056A"
    assert alpha.checksum(b"\x02GaREAD ME\x03") == b"027B"  # as a BetaBrite answered


def test_a_text_is_held_in_the_priority_file_of_all_signs() -> None:
    assert bytes(5) + b"\x01Z00\x02A0\x1b bWARTEZEIT 12 MIN\x030559\x04" == SHOWN
    assert read(SHOWN) == [WAKE, TextFile("0", "WARTEZEIT 12 MIN")]


def test_what_comes_byte_by_byte_is_read() -> None:
    decoder = Decoder()

    assert [item for byte in SHOWN[5:] for item in decoder.feed(bytes((byte,)))] == [TextFile("0", "WARTEZEIT 12 MIN")]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("äöü ÄÖÜ", b"\x08\x24\x08\x34\x08\x21 \x08\x2e\x08\x39\x08\x3a"),
        ("a\u0308", b"\x08\x24"),
        ("Ç é ñ", b"\x08\x20 \x08\x22 \x08\x44"),
        ("Straße", b"Strasse"),
        ("Ł – „€“ ~ ☃", b'L - "EUR" - ?'),
        ("\x01\x04\n", b"?? "),
    ],
)
def test_letters_beyond_ascii(text: str, data: bytes) -> None:
    assert alpha.show(text)[15:-6] == data


@given(st.text(max_size=200))
def test_any_text_makes_a_packet_of_seven_bits_that_a_sign_reads(text: str) -> None:
    packet = alpha.show(text)

    assert max(packet) < 0x80
    assert len(packet) < MAX_PACKET
    [_, shown] = read(packet)
    assert isinstance(shown, TextFile)
    assert alpha.show(shown.text) == packet


def test_a_text_that_is_too_long_is_cut_between_its_letters() -> None:
    assert read(alpha.show("A" + "Ü" * 100)) == [WAKE, TextFile("0", "A" + "Ü" * 60)]


def test_a_flipped_bit_shows_nothing_else() -> None:
    for bit in range(8 * 5, 8 * len(SHOWN)):
        flipped = bytearray(SHOWN)
        flipped[bit // 8] ^= 1 << (bit % 8)

        assert [item for item in read(bytes(flipped) + SHOWN) if isinstance(item, TextFile)] == [TextFile("0", "WARTEZEIT 12 MIN")]


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"\x01Z00\x02AQtesting 1 2 3\x04", "no packet that writes a text"),  # without a checksum
        (b"\x01Z00\x02E$\x030088\x04", "no packet that writes a text"),
        (SHOWN[5:-5] + b"0000\x04", "wrong checksum"),
        (b"\x01" + bytes(300), "a packet without end"),
    ],
)
def test_what_writes_no_text_is_noise(packet: bytes, reason: str) -> None:
    assert read(packet + SHOWN) == [Noise(packet + bytes(5), reason), TextFile("0", "WARTEZEIT 12 MIN")]


def test_what_waits_is_bounded() -> None:
    decoder = Decoder()
    list(decoder.feed(b"\x01" * 10_000))

    assert decoder.pending < MAX_PACKET
