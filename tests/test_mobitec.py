"""Mobitec telegrams: the published rules, the check byte's escapes, and a noisy line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import mobitec
from firmware_bridge.devices import Line
from firmware_bridge.dots import Dots
from firmware_bridge.frames import Noise
from firmware_bridge.mobitec import MAX_COLUMNS, MAX_ROWS, MAX_TELEGRAM, Decoder, Picture

# Two columns by six rows: in the first strip dots 2, 4 and 5 of the left column (2 + 8 + 16 + 32 = 3A), in the second the left one.
SMALL: Dots = ("..", "#.", "..", "#.", "#.", "#.")
SMALL_TELEGRAM = bytes.fromhex("FF 06 A2 D0 02 D1 06 D2 00 D3 05 D4 77 3A 20 D2 00 D3 0A D4 77 21 20 DB FF")


@st.composite
def pictures(draw: st.DrawFn) -> Dots:
    columns, rows = draw(st.integers(1, MAX_COLUMNS)), draw(st.integers(1, MAX_ROWS))
    row = st.integers(0, 2**columns - 1).map(lambda bits: f"{bits:0{columns}b}".replace("0", ".").replace("1", "#"))
    return tuple(draw(st.lists(row, min_size=rows, max_size=rows)))


def read(data: bytes) -> list[Picture | Noise]:
    return list(Decoder().feed(data))


def test_the_line() -> None:
    assert Line(4800, 8, "N", 1) == mobitec.LINE


def test_the_check_byte_is_the_sum_of_all_behind_the_first_byte() -> None:
    assert mobitec.checksum(bytes.fromhex("06A2D070D110D200D30DD4734558414D504C45")) == b"\xce"  # the published example, put right


@pytest.mark.parametrize(
    ("checked", "sent"), [(b"\xfd", b"\xfd"), (b"\xfe", b"\xfe\x00"), (b"\xff", b"\xfe\x01"), (b"\xff\x01", b"\x00")]
)
def test_a_check_byte_that_would_mean_something_else_is_written_in_two(checked: bytes, sent: bytes) -> None:
    assert mobitec.checksum(checked) == sent


def test_a_picture_is_told_in_strips_of_five_rows() -> None:
    assert mobitec.show(6, SMALL) == SMALL_TELEGRAM
    assert read(SMALL_TELEGRAM) == [Picture(6, SMALL)]


def test_what_comes_byte_by_byte_is_read() -> None:
    decoder = Decoder()

    assert [item for byte in SMALL_TELEGRAM for item in decoder.feed(bytes((byte,)))] == [Picture(6, SMALL)]


@given(st.integers(0, 15), pictures())
def test_what_was_sent_is_read_again(address: int, picture: Dots) -> None:
    telegram = mobitec.show(address, picture)

    assert len(telegram) <= MAX_TELEGRAM
    assert read(telegram + telegram) == [Picture(address, picture)] * 2


def test_the_largest_picture_is_on_the_line_in_less_time_than_a_port_waits() -> None:
    assert len(mobitec.show(6, ("#" * MAX_COLUMNS,) * MAX_ROWS)) * 10 / 4800 < 5


@pytest.mark.parametrize("noise", [b"\x00\x80", b"\xff", b"\xff\xff", SMALL_TELEGRAM[:-3], SMALL_TELEGRAM[:10]])
def test_noise_before_a_telegram_costs_it_nothing(noise: bytes) -> None:
    assert read(noise + SMALL_TELEGRAM)[-1] == Picture(6, SMALL)


def test_no_flipped_bit_shows_another_picture() -> None:
    for bit in range(8 * len(SMALL_TELEGRAM)):
        flipped = bytearray(SMALL_TELEGRAM)
        flipped[bit // 8] ^= 1 << (bit % 8)

        assert [item for item in read(bytes(flipped)) if isinstance(item, Picture)] == []


@pytest.mark.parametrize(
    ("checked", "reason"),
    [
        (b"\x06\xa2\xd0\x02\xd1\x06\xd2\x00\xd3\x05\xd4\x77\x3a\x20", "the strips are not those of the sign"),  # one is missing
        (b"\x06\xa2\xd0\x02\xd1\x05\xd2\x00\xd3\x06\xd4\x77\x3a\x20", "the strips are not those of the sign"),  # elsewhere
        (b"\x06\xa2\xd0\x70\xd1\x10\xd2\x00\xd3\x0d\xd4\x73EXAMPLE", "no telegram that shows a picture"),  # letters of the sign
    ],
)
def test_what_shows_no_whole_picture_is_noise(checked: bytes, reason: str) -> None:
    telegram = b"\xff" + checked + mobitec.checksum(checked) + b"\xff"

    assert read(telegram + SMALL_TELEGRAM) == [Noise(telegram, reason), Picture(6, SMALL)]


def test_a_wrong_check_byte_is_noise() -> None:
    telegram = SMALL_TELEGRAM[:-2] + b"\x01\xff"

    assert read(telegram + SMALL_TELEGRAM) == [Noise(telegram, "wrong check byte"), Picture(6, SMALL)]


def test_what_waits_is_bounded() -> None:
    decoder = Decoder()
    list(decoder.feed(b"\xff" + bytes(10_000)))

    assert decoder.pending < MAX_TELEGRAM


@given(st.binary(max_size=300))
def test_any_bytes_are_pictures_or_noise(data: bytes) -> None:
    decoder = Decoder()

    items = list(decoder.feed(data))

    assert sum(len(item.data) for item in items if isinstance(item, Noise)) + decoder.pending <= len(data)
