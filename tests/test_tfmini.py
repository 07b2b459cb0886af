"""TFmini frames, built by the rules of Benewake's manual."""

import pytest

from firmware_bridge.frames import Frame, Noise, Sample
from firmware_bridge.tfmini import Decoder


def frame(distance_cm: int, strength: int, temperature_cel: float) -> bytes:
    body = b"\x59\x59" + b"".join(n.to_bytes(2, "little") for n in (distance_cm, strength, round((temperature_cel + 256) * 8)))
    return body + bytes((sum(body) & 0xFF,))


def test_a_distance() -> None:
    assert list(Decoder().feed(bytes.fromhex("59 59 79 00 E8 03 C8 08 E6"))) == [
        Frame((Sample("distance", 1.21), Sample("temperature", 25.0)))
    ]


def test_a_weak_signal_is_no_distance() -> None:
    assert list(Decoder().feed(bytes.fromhex("59 59 00 00 50 00 F0 08 FA"))) == [Frame((Sample("temperature", 30.0),))]


@pytest.mark.parametrize(
    ("distance_cm", "strength"), [(300, 99), (300, 65535), (0, 1000), (9, 1000), (1201, 1000), (65535, 1000), (0x5959, 1000)]
)
def test_what_is_unreliable_or_out_of_range_is_no_distance(distance_cm: int, strength: int) -> None:
    assert list(Decoder().feed(frame(distance_cm, strength, 25.0))) == [Frame((Sample("temperature", 25.0),))]


@pytest.mark.parametrize(("distance_cm", "strength"), [(10, 100), (1200, 65534)])
def test_the_ends_of_the_range_are_distances(distance_cm: int, strength: int) -> None:
    assert list(Decoder().feed(frame(distance_cm, strength, 25.0))) == [
        Frame((Sample("distance", distance_cm / 100), Sample("temperature", 25.0)))
    ]


def test_the_head_in_the_data_does_not_shift_the_frames() -> None:
    # 89 cm is 59 00, and the sum before it happens to be 59: three heads in a row, the first of them false.
    stream = b"\x59" + frame(0x59, 0x59, 25.0) * 3

    assert list(Decoder().feed(stream)) == [
        Noise(b"\x59", "wrong sum"),
        *[Frame((Sample("temperature", 25.0),))] * 3,
    ]


def test_a_false_head_costs_one_byte_only() -> None:
    stream = frame(0x59, 0x0159, 25.0)[3:] + frame(0x59, 0x0159, 25.0) * 2

    assert [item for item in Decoder().feed(stream) if isinstance(item, Frame)] == [
        Frame((Sample("distance", 0.89), Sample("temperature", 25.0)))
    ] * 2


def test_a_right_sum_of_an_impossible_chip_is_noise() -> None:
    assert list(Decoder().feed(frame(300, 1000, 125.5))) == [Noise(frame(300, 1000, 125.5), "a chip of 125.5 Cel")]


@pytest.mark.parametrize("answer", ["5A 04 01 5F", "5A 07 01 01 02 03 68", "5A 05 07 00 66", "5A 04 11 6F"])
def test_commands_and_their_answers_are_no_frames(answer: str) -> None:
    assert list(Decoder().feed(bytes.fromhex(answer))) == [Noise(bytes.fromhex(answer), "no frame starts here")]
