"""Meters of the network operator: SML by its rules, and by what real meters make of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.ccitt import crc16
from firmware_bridge.frames import Frame, Noise, Sample
from firmware_bridge.sml import MAX_FRAME, Decoder
from simulators.utility_meter import VALUES, sml, transmission

POWER = "77 07 01 00 10 07 00 FF 01 01 62 1B 52 FE {} 01"  # 1-0:16.7.0, W, hundredths
ENERGY = "77 07 01 00 01 08 00 FF 01 01 62 1E 52 {} {} 01"  # 1-0:1.8.0, Wh
METER = "0A 01 48 4F 46 00 00 01 02 03"
DZG = "0A 01 44 5A 47 00"
HOLLEY = "0A 01 48 4C 59 02 00 00 00 01"


def message(kind: str, content: bytes) -> bytes:
    return bytes.fromhex(f"76 05 00 00 00 02 62 00 62 00 72 63 {kind}") + content + bytes.fromhex("63 00 00 00")


def response(*entries: str, meter: str = METER) -> bytes:
    """A transmission with one GetList response."""
    head = bytes.fromhex(f"77 01 0B {meter} 01 01") + bytes((0x70 + len(entries),))
    return transmission(message("07 01", head + b"".join(map(bytes.fromhex, entries)) + b"\x01\x01"))


def read(data: bytes) -> list[Frame | Noise]:
    return list(Decoder().feed(data))


def said(data: bytes) -> list[tuple[str, float]]:
    return [(sample.quantity, sample.value) for item in read(data) if isinstance(item, Frame) for sample in item.samples]


@pytest.mark.parametrize(
    ("number", "watts"),
    [
        ("52 FF", -0.01),
        ("53 7F FF", 327.67),
        ("53 D6 CA", -105.5),  # devZer0/libsml-testing, pull request 15: a DVS74 whose bug is mended
        ("54 00 80 25", 328.05),
        ("54 FF FF FF", -0.01),
        ("55 FF FE 13 93", -1260.61),
        ("56 00 00 01 00 00", 655.36),
        ("57 FF FF FF FF 00 00", -655.36),
        ("58 00 00 00 00 01 00 00", 655.36),
        ("59 FF FF FF FF FF FF FF FF", -0.01),
        ("62 FF", 2.55),
        ("63 80 25", 328.05),
        ("69 00 00 00 00 00 01 86 A0", 1000.0),
    ],
)
def test_numbers_have_any_width_and_may_have_a_sign(number: str, watts: float) -> None:
    assert said(response(POWER.format(number))) == [("active_power", watts)]


@pytest.mark.parametrize(
    ("entry", "kwh"),
    [
        (ENERGY.format("FF", "65 01 67 7C 7A"), 2355.929),  # tenths of a watt hour
        (ENERGY.format("FB", "69 00 00 00 0A 7A C1 BC 17"), 450.09189911),  # hundred thousandths
        (ENERGY.format("03", "63 04 D2"), 1234.0),  # whole kWh: a meter without its PIN
        (ENERGY.format("00", "62 00"), 0.0),
        ("77 07 01 00 01 08 00 FF 01 01 62 1E 01 63 27 10 01", 10.0),  # no power of ten: as it stands
    ],
)
def test_energy_is_told_in_kwh_whatever_its_power_of_ten(entry: str, kwh: float) -> None:
    assert said(response(entry)) == [("energy_import", kwh)]


def test_a_meter_with_its_pin_says_all_it_measures() -> None:
    values = {quantity: 10.0 + n for n, quantity in enumerate(VALUES)}

    assert said(sml(values)) == list(values.items())
    assert len(values) == 13


@pytest.mark.parametrize("serial", ["02 80 DE 80", "02 82 22 5E", "02 EB AE 3F", "03 47 3B C0", "03 84 44 BF"])
@pytest.mark.parametrize("name", ["10", "24", "38", "4C"])
def test_a_dvs74_of_dzg_means_small_numbers_without_their_sign(serial: str, name: str) -> None:
    def watts(number: str) -> float:
        frame = response(POWER.format(number).replace("00 10 07", f"00 {name} 07"), meter=f"{DZG} {serial}")
        return said(frame)[0][1]

    assert watts("53 8B 28") == 356.24  # devZer0/libsml-testing, pull request 16: the display showed that
    assert watts("52 FF") == 2.55
    assert watts("54 80 25 00") == 83980.8
    assert watts("55 FF FE 13 93") == -1260.61
    assert watts("53 01 00") == 2.56


@pytest.mark.parametrize(
    "meter",
    [
        f"{DZG} 02 80 DE 7F",  # before the first wrong one
        f"{DZG} 02 EB AE 40",  # behind them
        f"{DZG} 03 84 44 C0",
        f"{DZG} 03 93 87 00",  # 60 000 000: mended
        f"{DZG} 02 65 BA 71",  # a DVBS12: volkszaehler/libsml, issue 162
        "0A 01 45 4D 48 00 02 82 22 5E",  # another maker with such a number
    ],
)
def test_other_meters_mean_what_they_say(meter: str) -> None:
    assert said(response(POWER.format("53 8B 28"), meter=meter)) == [("active_power", -299.12)]


def test_a_reading_that_looks_like_an_escape_comes_through() -> None:
    frame = response(ENERGY.format("FF", "69 00 00 00 1B 1B 1B 1B 1B"))

    assert b"\x1b" * 9 in frame
    assert said(frame) == [("energy_import", 11641887.8235)]


def test_a_list_may_have_more_than_fifteen_entries_and_a_text_more_than_fourteen_bytes() -> None:
    key = "77 07 81 81 C7 82 05 FF 01 01 01 01 83 02" + 48 * "AB" + "01"
    entries = "".join([*[key] * 16, POWER.format("52 64")])
    content = bytes.fromhex(f"77 01 0B {METER} 01 01 F1 01 {entries} 01 01")

    assert said(transmission(message("07 01", content))) == [("active_power", 1.0)]


@pytest.mark.parametrize(
    "entry",
    [
        "77 07 01 00 10 07 00 FF 01 01 01 01 05 45 4D 48 00 01",  # a text
        "77 07 01 00 10 07 00 FF 01 01 62 1B 52 FE 01 01",  # no value
        "77 07 01 00 10 07 00 FF 01 01 62 1B 52 FE 42 01 01",  # true
        "77 07 01 00 10 07 00 FF 01 01 01 52 FE 53 01 00 01",  # no unit
        "77 07 01 00 10 07 00 FF 01 01 62 1C 52 FE 53 01 00 01",  # VA
        "77 07 01 00 10 07 00 FF 01 01 62 1E 52 FE 53 01 00 01",  # Wh, which power is not
        "77 07 01 00 10 07 00 FF 01 01 62 1B 52 7F 53 01 00 01",  # 10^127
        "77 07 01 00 10 07 00 FF 01 01 62 1B 59 7F FF FF FF FF FF FF FF 53 01 00 01",  # a power of ten that nobody could raise
        "77 07 01 00 01 08 01 FF 01 01 62 1E 52 FF 53 01 00 01",  # the first tariff
        "77 07 01 00 01 08 00 60 01 01 62 1E 52 FF 53 01 00 01",  # of yesterday
        "77 07 01 01 01 08 00 FF 01 01 62 1E 52 FF 53 01 00 01",  # another channel
        "72 62 01 62 02",
        "01",
    ],
)
def test_what_we_do_not_know_is_left_out(entry: str) -> None:
    assert read(response(entry, POWER.format("52 64"))) == [Frame((Sample("active_power", 1.0),))]


def test_a_value_that_cannot_be_is_given_up_alone() -> None:
    frame = response(POWER.format("55 7F FF FF FF"), POWER.format("52 64"))

    assert read(frame) == [
        Frame((Sample("active_power", 1.0),)),
        Noise(b"", "active_power 2.14748e+07 is outside -1e+06 to 1e+06 W"),
    ]


@pytest.mark.parametrize("content", ["76 01 01 05 00 00 00 01 0B 0A 01 48 4F 46 00 00 01 02 03 01 01", "71 01", "01", "62 00"])
def test_a_transmission_without_readings_is_a_frame_without_samples(content: str) -> None:
    assert read(transmission(message("01 01", bytes.fromhex(content)))) == [Frame()]
    assert read(transmission(b"")) == [Frame()]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ("76", "a head without an end"),
        ("7F 01 01", "a head without an end"),
        ("8F 8F 8F 8F 01", "a head without an end"),
        ("FF FF FF 7F 01", "a head without an end"),
        ("05 00", "a value longer than its frame"),
        ("8F 0F 00", "a value longer than its frame"),
        ("61", "a number of 0 bytes"),
        ("6A 00 00 00 00 00 00 00 00 00", "a number of 9 bytes"),
        ("12 00", "a value of the unknown type 0x10"),
        (("71 " * 9) + "01", "lists in lists in lists"),
        ("71 " * 1_000, "lists in lists in lists"),
    ],
)
def test_what_is_no_sml_behind_a_right_crc_is_noise(messages: str, reason: str) -> None:
    broken, good = transmission(bytes.fromhex(messages)), response(POWER.format("52 64"))

    noise, *rest = read(broken + good)

    assert noise == Noise(broken, reason)
    assert rest == [Frame((Sample("active_power", 1.0),))]


def test_lists_as_deep_as_allowed_are_read() -> None:
    assert read(transmission(bytes.fromhex("71 " * 8 + "01"))) == [Frame()]


def test_a_body_that_never_ends_is_given_up() -> None:
    decoder = Decoder()
    start = bytes.fromhex("1B 1B 1B 1B 01 01 01 01")

    waiting = list(decoder.feed(start + bytes(MAX_FRAME - 9)))
    given_up = list(decoder.feed(b"\0"))

    assert (waiting, decoder.pending) == ([], 0)
    assert [(len(noise.data), noise.reason) for noise in given_up if isinstance(noise, Noise)] == [(MAX_FRAME, "no end")]


def test_the_longest_transmission_is_read_and_a_longer_one_is_not() -> None:
    padded = bytes.fromhex("70 " * (MAX_FRAME - 16))

    assert read(transmission(padded)) == [Frame()]
    assert [type(item) for item in read(transmission(padded + b"\x70" * 4))] == [Noise]


def test_the_next_transmission_ends_one_that_lost_its_end() -> None:
    good = response(POWER.format("52 64"))
    cut = good[:-8]

    assert read(cut + good) == [Noise(cut, "another one starts before its end"), Frame((Sample("active_power", 1.0),))]


@pytest.mark.parametrize("lost", [9, 40, 60])
def test_a_lost_byte_costs_its_transmission_and_no_other(lost: int) -> None:
    good = response(POWER.format("52 64"))
    short = good[:lost] + good[lost + 1 :]

    assert read(short + good) == [Noise(short, "wrong CRC"), Frame((Sample("active_power", 1.0),))]


def with_kermit(frame: bytes) -> bytes:
    return frame[:-2] + crc16(frame[:-2], 0).to_bytes(2, "big")


def test_holley_alone_may_have_a_crc_of_its_own() -> None:
    holley, other = response(POWER.format("52 64"), meter=HOLLEY), response(POWER.format("52 64"))

    assert said(holley) == said(with_kermit(holley)) == [("active_power", 1.0)]
    assert read(with_kermit(other)) == [Noise(with_kermit(other), "wrong CRC")]


def test_the_check_values_of_the_crcs() -> None:
    # Of "123456789", as in every catalogue of CRCs
    assert crc16(b"123456789", 0xFFFF) == 0x6F91  # CRC-16/MCRF4XX
    assert crc16(b"123456789", 0xFFFF) ^ 0xFFFF == 0x906E  # CRC-16/X-25
    assert crc16(b"123456789", 0) == 0x2189  # CRC-16/KERMIT


TLV = st.recursive(
    st.one_of(
        st.binary(max_size=8).map(lambda data: bytes((len(data) + 1,)) + data),
        st.binary(min_size=1, max_size=8).map(lambda data: bytes((0x51 + len(data),)) + data),
        st.binary(min_size=1, max_size=8).map(lambda data: bytes((0x61 + len(data),)) + data),
    ),
    lambda items: st.lists(items, max_size=7).map(lambda inner: bytes((0x70 + len(inner),)) + b"".join(inner)),
    max_leaves=30,
)


@given(content=TLV)
def test_any_content_of_a_response_is_taken(content: bytes) -> None:
    (item,) = read(transmission(message("07 01", content)))

    assert isinstance(item, Frame) or item.reason == "lists in lists in lists"


@given(name=st.sampled_from(sorted(VALUES)), unit=TLV, power=TLV, value=TLV)
def test_any_entry_of_a_list_is_taken(name: str, unit: bytes, power: bytes, value: bytes) -> None:
    named = b"\x77\x07" + bytes((1, 0, *VALUES[name][0], 255)) + b"\x01\x01"
    content = bytes.fromhex(f"77 01 0B {METER} 01 01 71") + named + unit + power + value + b"\x01\x01\x01"

    assert read(transmission(message("07 01", content)))


@given(
    energy=st.integers(0, 10**9).map(lambda tenths: tenths / 10_000),
    power=st.integers(-(10**6), 10**6).map(lambda tenths: tenths / 10),
)
def test_what_a_meter_measures_comes_through(energy: float, power: float) -> None:
    assert said(sml({"energy_export": energy, "active_power": power})) == [("energy_export", energy), ("active_power", power)]
