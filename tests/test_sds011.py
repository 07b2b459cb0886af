"""SDS011 frames, captured by avaldebe/PyPMS."""

import pytest

from firmware_bridge.frames import Frame, Noise, Sample
from firmware_bridge.sds011 import Decoder


@pytest.mark.parametrize(("frame", "value"), [("AA C0 06 00 06 00 58 D9 3D AB", 0.6), ("AA C0 09 00 09 00 58 D9 43 AB", 0.9)])
def test_captured_frames(frame: str, value: float) -> None:
    assert list(Decoder().feed(bytes.fromhex(frame))) == [Frame((Sample("pm2_5", value), Sample("pm10", value)))]


def test_the_range_ends_where_the_data_sheet_says() -> None:
    assert list(Decoder().feed(bytes.fromhex("AA C0 0F 27 0F 27 58 D9 9D AB"))) == [
        Frame((Sample("pm2_5", 999.9), Sample("pm10", 999.9)))
    ]
    assert list(Decoder().feed(bytes.fromhex("AA C0 0F 27 10 27 58 D9 9E AB"))) == [
        Noise(bytes.fromhex("AA C0 0F 27 10 27 58 D9 9E AB"), "more than 999.9 ug/m3")
    ]


def test_all_zero_is_warming_up_and_no_clean_air() -> None:
    assert list(Decoder().feed(bytes.fromhex("AA C0 00 00 00 00 58 D9 31 AB"))) == [Frame()]


def test_the_answer_to_a_command_is_no_measurement() -> None:
    assert list(Decoder().feed(bytes.fromhex("AA C5 06 01 01 00 58 D9 39 AB"))) == [Frame()]


@pytest.mark.parametrize(
    "command",
    [
        "AA B4 06 01 01 00 00 00 00 00 00 00 00 00 00 FF FF 06 AB",
        "AA B4 04 00 00 00 00 00 00 00 00 00 00 00 00 FF FF 02 AB",
    ],
)
def test_a_command_is_no_frame_of_the_sensor(command: str) -> None:
    assert list(Decoder().feed(bytes.fromhex(command))) == [Noise(bytes.fromhex(command), "no frame starts here")]
