"""IBIS telegrams: those of public drivers' tests, texts in seven bits, and a noisy bus."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import ibis
from firmware_bridge.devices import Line
from firmware_bridge.frames import Noise
from firmware_bridge.ibis import Decoder, Telegram
from hoflicht import BadConfig

TEXTS = st.text(st.sampled_from("ABCXYZÄÖÜäöüß0189 .:-"), max_size=260)


def read(data: bytes) -> list[Telegram | Noise]:
    return list(Decoder().feed(data))


def test_the_line() -> None:
    assert Line(1200, 7, "E", 2) == ibis.LINE


def test_telegrams_of_public_drivers() -> None:
    assert ibis.ds001(26) == bytes.fromhex("6C 30 32 36 0D 2A")
    assert ibis.ds003(523) == b"z523\r\x3c"
    assert ibis.ds009("RECYCLINGHOF NORD", 24) == b"vRECYCLINGHOF NORD       \r\x10"
    assert ibis.ds021(1, "BETRIEBSHOF     WALDHEIM") == b"aA12BETRIEBSHOF     WALDHEIM        \r\x3b"
    assert ibis.ds003a("WERKSTATTFAHRT" + " " * 18) == b"zA2WERKSTATTFAHRT                  \r\x7f"


@pytest.mark.parametrize(("telegram", "check"), [(b"a0\r", 0x23), (b"z523\r", 0x3C), (b"aV1\r", 0x74), (b"a?\r", 0x2C)])
def test_check_bytes(telegram: bytes, check: int) -> None:
    assert ibis.checksum(telegram) == check


@pytest.mark.parametrize(
    ("telegram", "said"),
    [
        (b"l026\r\x2a", Telegram("DS001", "026")),
        (b"z523\r\x3c", Telegram("DS003", "523")),
        (b"a0\r\x23", Telegram("DS020", "", 0)),
        (b"a?\r\x2c", Telegram("DS020", "", 15)),
        (b"aV1\r\x74", Telegram("DS120", "", 1)),
        (b"vRECYCLINGHOF NORD       \r\x10", Telegram("DS009", "RECYCLINGHOF NORD       ")),
        (b"aA12BETRIEBSHOF     WALDHEIM        \r\x3b", Telegram("DS021", "BETRIEBSHOF     WALDHEIM        ", 1)),
        (b"zA2WERKSTATTFAHRT                  \r\x7f", Telegram("DS003a", "WERKSTATTFAHRT                  ")),
        (b"zI1ABCD\r" + bytes((ibis.checksum(b"zI1ABCD\r"),)), Telegram("DS003c", "ABCD")),
        (b"u0830\r" + bytes((ibis.checksum(b"u0830\r"),)), Telegram("DS005", "0830")),
        (b"d23116\r" + bytes((ibis.checksum(b"d23116\r"),)), Telegram("DS006", "23116")),
    ],
)
def test_what_a_sign_reads(telegram: bytes, said: Telegram) -> None:
    assert read(telegram) == [said]
    assert byte_by_byte(telegram) == [said]


def byte_by_byte(data: bytes) -> list[Telegram | Noise]:
    decoder = Decoder()
    return [item for byte in data for item in decoder.feed(bytes((byte,)))]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, ÄÖÜ äöüß", "Grüße, ÄÖÜ äöüß"),
        ("É à ñ Ç Š ů", "E a n C S u"),
        ("Æ Ø Ł œ ẞ", "AE O L oe ß"),
        ("A\N{COMBINING DIAERESIS}", "Ä"),
        ("[1] {2} a|b c\\d ~", "(1) (2) a/b c/d -"),
        ("12 – 15 Min …", "12 - 15 Min ..."),
        ("„zu“ ‚auf‘ 5 €", "\"zu\" 'auf' 5 EUR"),
        ("a\tb\nc\x07d", "a b c?d"),
        ("日本 🚗", "?? ?"),
    ],
)
def test_texts_in_seven_bits(text: str, shown: str) -> None:
    assert ibis.to_text(ibis.to_ascii(text)) == shown


def test_umlauts_take_the_places_of_brackets() -> None:
    assert ibis.to_ascii("äöüßÄÖÜ") == "{|}~[\\]"


@pytest.mark.parametrize("width", [16, 20, 24])
def test_a_next_stop_is_cut_or_filled_to_its_width(width: int) -> None:
    short, long = ibis.ds009("ÄÖ", width), ibis.ds009("X" * 40, width)  # type: ignore[arg-type]

    assert short[:-2] == b"v[\\" + b" " * (width - 2)
    assert long[:-2] == b"v" + b"X" * width


def test_texts_in_blocks_end_at_240_characters() -> None:
    assert ibis.ds003a("")[:-2] == b"zA1" + b" " * 16
    assert ibis.ds003a("X" * 17)[:-2] == b"zA2" + b"X" * 17 + b" " * 15
    assert ibis.ds003a("X" * 999)[:-2] == b"zA?" + b"X" * 240
    assert ibis.ds021(10, "X" * 150)[:4] == b"aA::"


@pytest.mark.parametrize("address", [-1, 16])
def test_an_address_that_no_sign_has_is_bad_config(address: int) -> None:
    with pytest.raises(BadConfig, match=f"address {address}: a sign has one of 0 to 15"):
        ibis.ds021(address, "X")


@pytest.mark.parametrize("number", [-1, 1000])
def test_a_number_that_no_line_has_is_bad_config(number: int) -> None:
    with pytest.raises(BadConfig, match=f"{number}: a line or destination has a number from 0 to 999"):
        ibis.ds001(number)


@given(TEXTS, st.integers(0, 15))
def test_what_was_sent_is_read_again(text: str, address: int) -> None:
    [destination, shown] = read(ibis.ds003a(text) + ibis.ds021(address, text))

    assert isinstance(destination, Telegram)
    assert destination.text.rstrip() == text[:240].rstrip()
    assert shown == Telegram("DS021", destination.text, address)


@given(st.text(max_size=50))
def test_any_text_becomes_seven_bits(text: str) -> None:
    assert all(0x20 <= byte < 0x7F for byte in ibis.ds009(text, 24)[:-2])


@given(st.binary(max_size=300))
def test_any_bytes_are_telegrams_or_noise(data: bytes) -> None:
    decoder = Decoder()

    noise = sum(len(item.data) for item in decoder.feed(data) if isinstance(item, Noise))

    assert decoder.pending < 246
    assert noise + decoder.pending <= len(data)


@pytest.mark.parametrize("noise", [b"\x00\xff", b"v", b"zA2WERK", b"aA12", b"\r", b"XX\rY", b"vRECYCLINGHOF NORD       \r\x11"])
def test_noise_before_a_telegram_costs_it_nothing(noise: bytes) -> None:
    assert read(noise + ibis.ds001(26) + ibis.ds001(27))[-1] == Telegram("DS001", "027")


@pytest.mark.parametrize(
    "telegram", [ibis.ds001(26), ibis.ds009("WARTEZEIT 15 MIN", 16), ibis.ds003a("HEUTE ZU"), ibis.ds021(3, "ÖFFNET")]
)
def test_no_flipped_bit_makes_a_false_telegram(telegram: bytes) -> None:
    for bit in range(8 * len(telegram)):
        flipped = bytearray(telegram)
        flipped[bit // 8] ^= 1 << (bit % 8)

        assert [item for item in read(bytes(flipped)) if isinstance(item, Telegram)] == []
