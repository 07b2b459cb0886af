"""NMEA sentences of public parsers' tests, and those of receivers that have no fix, no date or the wrong century."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.frames import Frame, Noise, Sample, implausible
from firmware_bridge.nmea import Decoder, checksum

DUISBURG = "5126.07000,N,00645.74000,E"
GGA = "GNGGA,073000.00,5126.07000,N,00645.74000,E,{},08,0.9,545.4,M,46.9,M,,"
IN_DUISBURG = (Sample("latitude", 51.4345), Sample("longitude", 6.762333))


def sentence(body: str) -> bytes:
    return f"${body}*{checksum(body.encode()):02X}\r\n".encode()


def read(data: bytes) -> list[Frame | Noise]:
    return list(Decoder().feed(data))


def only(body: str) -> Frame:
    [frame] = read(sentence(body))
    assert isinstance(frame, Frame)
    return frame


def rmc(time: str = "073000.00", status: str = "A", date: str = "231126", tail: str = ",,A") -> Frame:
    return only(f"GNRMC,{time},{status},{DUISBURG},0.012,,{date}{tail and ','}{tail}")


def ms(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp()) * 1000  # type: ignore[arg-type,misc]


def test_sentences_of_public_tests() -> None:
    munich = (Sample("latitude", 48.1173), Sample("longitude", 11.516667))

    assert read(b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n") == [Frame(munich)]
    assert read(b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n") == [
        Frame((*munich, Sample("satellites", 8.0)))
    ]
    assert read(b"$GNRMC,073000.00,A,5126.07000,N,00645.74000,E,0.012,,231126,,,A*6F\r\n") == [
        Frame(IN_DUISBURG, utc_ms=ms(2026, 11, 23, 7, 30))
    ]


@pytest.mark.parametrize("talker", ["GP", "GN", "GL", "GA", "BD"])
def test_every_talker_is_heard(talker: str) -> None:
    assert only(f"{talker}{GGA.format(1)[2:]}").samples == (*IN_DUISBURG, Sample("satellites", 8.0))


def test_south_and_west_are_below_zero() -> None:
    samples = only("GPGGA,073000,3351.408,S,07040.500,W,1,08,0.9,545.4,M,46.9,M,,").samples

    assert [sample.value for sample in samples] == [-33.8568, -70.675, 8.0]


@pytest.mark.parametrize(("quality", "is_fix"), [*((n, True) for n in "12345"), *((n, False) for n in ("", *"0678"))])
def test_dead_reckoning_a_hand_and_a_simulator_are_no_fix(quality: str, is_fix: bool) -> None:
    assert bool(only(GGA.format(quality)).samples) is is_fix


@pytest.mark.parametrize(
    ("status", "tail"),
    [("V", ",,A"), ("V", ",,N"), ("A", ",,E"), ("A", ",,N"), ("A", ",,M"), ("A", ",,S"), ("", ",,A")],
)
def test_without_a_fix_there_is_neither_position_nor_time(status: str, tail: str) -> None:
    assert rmc(status=status, tail=tail) == Frame()


@pytest.mark.parametrize("tail", [",", ",,A", ",,D", ",,R", ",,A,V"])
def test_a_fix_of_every_version_of_the_standard_is_one(tail: str) -> None:
    assert rmc(tail=tail) == Frame(IN_DUISBURG, utc_ms=ms(2026, 11, 23, 7, 30))


def test_a_receiver_that_has_just_started_sends_empty_fields() -> None:
    stream = sentence("GNRMC,,V,,,,,,,,,,N,V") + sentence("GNGGA,,,,,,0,00,99.99,,,,,,")

    assert read(stream) == [Frame(), Frame()]


@pytest.mark.parametrize(
    ("time", "date", "utc_ms"),
    [
        ("073000.00", "", None),
        ("", "231126", None),
        ("073000.00", "310226", None),
        ("073000.00", "311225", None),
        ("073000.00", "090407", None),  # 1024 weeks behind
        ("073000.00", "230394", None),
        ("073000.00", "231179", ms(2079, 11, 23, 7, 30)),
        ("243000.00", "231126", None),
        ("073061.00", "231126", None),
        ("073000.25", "231126", ms(2026, 11, 23, 7, 30) + 250),
        ("073000", "231126", ms(2026, 11, 23, 7, 30)),
        ("235960.00", "311226", ms(2027, 1, 1, 0, 0)),  # a leap second
    ],
)
def test_a_time_needs_a_possible_date_of_our_days(time: str, date: str, utc_ms: int | None) -> None:
    assert rmc(time=time, date=date) == Frame(IN_DUISBURG, utc_ms=utc_ms)


def test_a_time_without_a_date_is_none() -> None:
    assert only(GGA.format(1)).utc_ms is None


@pytest.mark.parametrize(
    "body", ["GPGSV,3,1,11,03,03,111,00", "PUBX,00,073000.00", "PGRMC,A,1", "GNVTG,,T,,M,0.012,N,0.022,K,A", ","]
)
def test_what_else_a_receiver_says_is_a_frame_without_samples(body: str) -> None:
    assert only(body) == Frame()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("GNRMC,073000.00,A,5126.07", "RMC with 4 fields"),
        ("GNGGA,073000.00", "GGA with 2 fields"),
        (GGA.format(1).replace("5126.07000", ""), "no position in a sentence with a fix"),
        (GGA.format(1).replace("5126.07000", "5166.07000"), "no position in a sentence with a fix"),
        (GGA.format(1).replace("N,", "E,").replace("E,1", "N,1"), "no position in a sentence with a fix"),
        (GGA.format(1).replace("5126", "9126"), "latitude 91.4345 is outside -90 to 90 lat"),
        (GGA.format(1).replace("00645", "18145"), "longitude 181.762 is outside -180 to 180 lon"),
    ],
)
def test_a_sentence_that_contradicts_itself_is_noise(body: str, reason: str) -> None:
    assert read(sentence(body)) == [Noise(sentence(body), reason)]


@given(st.sampled_from(["GNRMC", "GNGGA", ""]), st.text(st.sampled_from("0123456789.,,,,AVNSEW- $*"), max_size=90))
def test_any_content_with_a_right_checksum_is_taken(name: str, content: str) -> None:
    for item in read(sentence(name + content) + sentence("GNTXT")):
        for sample in item.samples if isinstance(item, Frame) else ():
            assert not implausible(sample.quantity, sample.value)


def test_a_sentence_without_its_checksum_is_noise() -> None:
    assert read(b"$GNGGA,073000.00\r\n" + sentence("GNTXT")) == [Noise(b"$GNGGA,073000.00\r\n", "no sentence"), Frame()]


def test_a_sentence_is_found_behind_one_that_lost_its_end() -> None:
    noise, frame = read(b"$GNRMC,0730" + sentence(GGA.format(1)))

    assert (noise, frame) == (Noise(b"$GNRMC,0730", "no sentence"), only(GGA.format(1)))


def test_a_line_without_end_is_given_up() -> None:
    decoder = Decoder()

    assert list(decoder.feed(b"$" + b"x" * 118)) == []
    assert list(decoder.feed(b"x")) == [Noise(b"$" + b"x" * 119, "a line without end")]
    assert list(decoder.feed(sentence("GNTXT"))) == [Frame()]
