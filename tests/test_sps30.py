"""SPS30 exchanges: frames captured by avaldebe/PyPMS and printed in its documents."""

import struct

import pytest

from firmware_bridge.frames import Frame, Noise, Sample
from firmware_bridge.sps30 import READ, START, Decoder

CAPTURED = (
    "7E 00 03 00 28 40 A7 83 20 41 17 77 BB 41 4A 5F 83 41 54 8D DD 41 D2 83 3E 42 7D 33 FC 85"
    "42 26 17 22 42 29 A4 D9 42 2A 29 BC 3F 55 B7 E7 9E 7E"
)


def answer(values: bytes, command: int = 3, state: int = 0) -> bytes:
    """What a sensor sends; the stuffing is written out a second time here."""
    body = bytes((0, command, state, len(values))) + values
    body += bytes((~sum(body) & 0xFF,))
    escapes = {0x7E: b"\x7d\x5e", 0x7D: b"\x7d\x5d", 0x11: b"\x7d\x31", 0x13: b"\x7d\x33"}
    return b"\x7e" + b"".join(escapes.get(byte, bytes((byte,))) for byte in body) + b"\x7e"


def test_the_captured_answer() -> None:
    [frame] = Decoder().feed(bytes.fromhex(CAPTURED))

    assert isinstance(frame, Frame)
    assert {sample.quantity: sample.value for sample in frame.samples} == pytest.approx(
        {
            "pm1": 5.23,
            "pm2_5": 9.47,
            "pm4": 12.65,
            "pm10": 13.28,
            "nc0_5": 26.31,
            "nc1": 37.00,
            "nc2_5": 41.52,
            "nc4": 42.41,
            "nc10": 42.54,
            "particle_size": 0.83,
        },
        abs=0.0051,  # they are printed with two decimals
    )


def test_requests_pass_by() -> None:
    assert bytes.fromhex("7E 00 00 02 01 03 F9 7E") == START
    assert bytes.fromhex("7E 00 03 00 FC 7E") == READ
    assert list(Decoder().feed(START + READ + bytes.fromhex("7E 00 01 00 FE 7E"))) == []


def test_no_new_value_is_a_frame_without_samples() -> None:
    assert list(Decoder().feed(bytes.fromhex("7E 00 03 00 00 FC 7E"))) == [Frame()]


def test_a_start_that_comes_too_late_is_no_error() -> None:
    assert list(Decoder().feed(bytes.fromhex("7E 00 00 43 00 BC 7E"))) == [Frame()]


def test_a_sensor_that_does_not_measure_says_so() -> None:
    assert list(Decoder().feed(answer(b"", state=0x43))) == [Noise(answer(b"", state=0x43), "the sensor answers with error 0x43")]


def test_a_warning_of_the_fan_leaves_the_values_good() -> None:
    assert list(Decoder().feed(answer(bytes(40), state=0x80))) == [
        Frame(
            tuple(
                Sample(name, 0.0)
                for name in ("pm1", "pm2_5", "pm4", "pm10", "nc0_5", "nc1", "nc2_5", "nc4", "nc10", "particle_size")
            )
        )
    ]


def test_stuffing_is_undone_in_one_pass() -> None:
    # 41 7D 31 00 in the value would become 41 11 00 … if the 7D that was unstuffed counted again.
    values = bytes.fromhex("41 7D 31 00") + bytes.fromhex("41 7E 11 13") * 9

    [frame] = Decoder().feed(answer(values))

    assert isinstance(frame, Frame)
    assert frame.samples[0] == Sample("pm1", 15.824)
    assert frame.samples[9] == Sample("particle_size", 15.879)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (bytes.fromhex("7E 00 03 7D 30 00 FC 7E"), "wrong stuffing"),
        (bytes.fromhex("7E 00 03 00 00 FC 7D 7E"), "wrong stuffing"),
        (bytes.fromhex("7E 00 03 00 00 FB 7E"), "wrong sum"),
        (bytes.fromhex("7E 00 03 00 07 F5 7E"), "wrong length"),
        (answer(bytes(20)), "20 bytes of values, expected 40"),
        (answer(b"\x7f\xc0\x00\x00" * 10), "pm1 nan is outside 0 to 1000 ug/m3"),
        (answer(bytes.fromhex("45 00 00 00") + bytes(36)), "pm1 2048 is outside 0 to 1000 ug/m3"),
        (answer(struct.pack(">10f", 5, 4, 6, 7, 1, 2, 3, 4, 5, 0.8)), "fewer small and large particles than small ones"),
        (answer(struct.pack(">10f", 4, 5, 6, 7, 1, 2, 3, 5, 4, 0.8)), "fewer small and large particles than small ones"),
        (b"\x7e" + bytes(91), "no end"),
    ],
)
def test_what_does_not_fit_is_noise(frame: bytes, reason: str) -> None:
    noise = [item for item in Decoder().feed(frame + READ) if isinstance(item, Noise)]

    assert b"".join(item.data for item in noise)[: len(frame) - 1] == frame[:-1]
    assert noise[0].reason == reason
