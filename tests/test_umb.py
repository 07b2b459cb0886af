"""Lufft's weather stations: frames of the maker's manual and of a WS10, and what a station cannot say."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Frame, Noise, Sample
from firmware_bridge.umb import CHANNELS, MAX_LENGTH, Decoder, request
from hoflicht.quantities import QUANTITIES
from simulators.station import WS10, Station, umb

# "Operating Manual Smart Weather Sensor" ch. 19.3
ASKED_ONE = bytes.fromhex("01 10 01 70 01 F0 04 02 23 10 64 00 03 61 D9 04")
ANSWERED_ONE = bytes.fromhex("01 10 01 F0 01 70 0A 02 23 10 00 64 00 16 00 00 B4 41 03 C6 22 04")
# OttHydromet/node-red-umbparser, doc/WS10DataDump.txt: channels 200, 600, 4700, 22304 and 24100 of a WS10
ASKED_MANY = bytes.fromhex("01 10 09 70 01 F0 0D 02 2F 10 05 C8 00 58 02 5C 12 20 57 24 5E 03 2E 7E 04")
ANSWERED_MANY = bytes.fromhex(
    "01 10 01 F0 09 70 31 02 2F 10 00 05 08 00 C8 00 16 AB F8 29 42 0C 00 58 02 17 00 00 00 00 00 00 00 00"
    "08 00 5C 12 14 D3 00 00 00 06 00 20 57 12 0F 05 06 00 24 5E 12 00 00 03 F4 24 04"
)
TEMPERATURE = Frame((Sample("temperature", 22.5),))


def answer(*entries: str) -> bytes:
    """To a request for many channels; each entry is status, channel, type, value."""
    data = [bytes.fromhex(entry) for entry in entries]
    return umb(0x2F, bytes((0, len(data))) + b"".join(bytes((len(entry),)) + entry for entry in data))


def read(data: bytes) -> list[Frame | Noise]:
    return list(Decoder().feed(data))


def test_the_manuals_exchange() -> None:
    assert read(ASKED_ONE + ANSWERED_ONE) == [TEMPERATURE]


def test_many_channels_are_asked_for_as_the_maker_does() -> None:
    assert request(9, (200, 600, 4700, 22304, 24100)) == ASKED_MANY


def test_of_many_channels_those_we_know_are_read() -> None:
    assert read(ASKED_MANY + ANSWERED_MANY) == [Frame((Sample("humidity", 42.493),))]


def test_a_port_asks_its_station_for_everything_in_one_request() -> None:
    (asked,) = DEVICES["lufft-umb"].polls(3)

    assert asked[2:4] == bytes.fromhex("03 70")
    assert asked[10:-4] == bytes.fromhex("08 64 00 C8 00 2C 01 90 01 F4 01 34 03 84 03 87 03")


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("10 FA", 250.0),
        ("11 CE", -50.0),
        ("12 04 01", 260.0),
        ("13 CE FF", -50.0),
        ("14 04 01 00 00", 260.0),
        ("15 CE FF FF FF", -50.0),
        ("16 CD CC CC 3D", 0.1),
        ("17 9A 99 99 99 99 99 B9 3F", 0.1),
    ],
)
def test_every_type_of_number_is_read(number: str, value: float) -> None:
    quantity, channel = ("temperature", "64 00") if value < 200 else ("wind_direction", "F4 01")

    assert read(answer(f"00 {channel} {number}")) == [Frame((Sample(quantity, value),))]


def test_illuminance_comes_in_kilolux() -> None:
    assert read(answer("00 87 03 16 0A D7 23 3C")) == [Frame((Sample("illuminance", 10.0),))]


def test_a_value_that_the_station_doubts_is_given_up_alone() -> None:
    frame = answer("00 64 00 16 00 00 B4 41", "55 F4 01", "28 90 01 16 00 00 00 00")

    assert read(frame) == [
        TEMPERATURE,
        Noise(b"", "wind_direction: status 0x55"),
        Noise(b"", "wind_speed: status 0x28"),
    ]


def test_what_a_model_does_not_measure_is_no_news() -> None:
    assert read(answer("00 64 00 16 00 00 B4 41", "24 84 03", "24 87 03")) == [TEMPERATURE]


@pytest.mark.parametrize("status", [0x10, 0x28, 0xFF])
def test_a_station_that_refuses_says_why(status: int) -> None:
    frame = umb(0x2F, bytes((status,)))

    assert read(frame + ANSWERED_ONE) == [Noise(frame, f"the station answers with status {status:#04x}"), TEMPERATURE]


@pytest.mark.parametrize("number", ["16 00 00 C0 7F", "16 00 00 48 43"])
def test_a_value_that_cannot_be_is_given_up_alone(number: str) -> None:
    frame, noise = read(answer("00 64 00 16 00 00 B4 41", f"00 C8 00 {number}"))

    assert frame == TEMPERATURE
    assert isinstance(noise, Noise)
    assert noise.reason.endswith("is outside 0 to 100 %RH")


@pytest.mark.parametrize("number", ["", "16", "16 00 00 B4", "16 00 00 B4 41 00", "18 00 00 B4 41"])
def test_a_number_of_no_known_type_is_given_up_alone(number: str) -> None:
    assert read(answer(f"00 64 00 {number}")) == [Frame(), Noise(b"", "temperature: no number of a known type")]


@pytest.mark.parametrize("payload", ["00 02 08 00 64 00 16 00 00 B4 41", "00 01 09 00 64 00 16 00 00 B4 41", "00 01 00"])
def test_an_answer_whose_lengths_do_not_fit_is_noise(payload: str) -> None:
    frame = umb(0x2F, bytes.fromhex(payload))

    assert read(frame + ANSWERED_ONE) == [Noise(frame, "wrong length"), TEMPERATURE]


def test_other_devices_on_the_bus_say_nothing() -> None:
    # "IRS31Pro-UMB Operating Manual" ch. 18.3: a road sensor's answer, channels 101, 601 and 900
    road = bytes.fromhex(
        "01 10 01 F0 01 90 1C 02 2F 10 00 03 08 00 65 00 16 ED 14 CF 41 08 00 59 02 16 80 E3 25 3F 05 00 84 03 10 0A 03 FC A2 04"
    )

    assert read(road + ANSWERED_ONE) == [TEMPERATURE]


def test_other_commands_are_frames_without_samples() -> None:
    version = bytes.fromhex("01 10 01 F0 09 70 11 02 2D 10 00 13 01 00 A2 01 41 06 FF FF 00 08 01 91 03 03 E5 3F 04")

    assert read(version) == [Frame()]


@pytest.mark.parametrize("start", ["01 10", "01 10 01 F0 01 70 FF 02", "01 10 01 F0 01 70 01 02", "01 10 01 F0 01 70 20 03"])
def test_a_false_start_holds_nothing_back(start: str) -> None:
    items = read(bytes.fromhex(start) + ANSWERED_ONE)

    assert items[-1] == TEMPERATURE


def test_the_longest_answer_fits() -> None:
    entries = [f"00 {struct.pack('<H', channel).hex()} 17 {struct.pack('<d', 0.5).hex()}" for channel in CHANNELS]
    entries[2] = f"00 2C 01 17 {struct.pack('<d', 1013.5).hex()}"

    (frame,) = read(answer(*entries))

    assert isinstance(frame, Frame)
    assert len(frame.samples) == len(CHANNELS)
    assert answer(*entries)[6] == MAX_LENGTH


@given(
    values=st.fixed_dictionaries(
        {quantity: st.floats(QUANTITIES[quantity].low, QUANTITIES[quantity].high) for quantity, _ in CHANNELS.values()}
    )
)
def test_what_a_station_measures_comes_through(values: dict[str, float]) -> None:
    (frame,) = read(Station(WS10, lambda _at_ms: values).heard(request(1)))

    assert isinstance(frame, Frame)
    assert {sample.quantity: sample.value for sample in frame.samples} == pytest.approx(values, rel=1e-6, abs=1e-3)
