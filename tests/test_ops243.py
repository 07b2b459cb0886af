"""OPS243 lines, as the maker's documents and drivers show them."""

import pytest

from firmware_bridge.frames import Frame, Noise, Sample
from firmware_bridge.ops243 import Decoder

DETECTED = b'{"DetectedObjectVelocity":"34.2","direction":"inbound"}\r\n'


def passage(speed: float, direction: str = "") -> Frame:
    return Frame((Sample("passage", 1.0, direction=direction), Sample("speed", speed, direction=direction)))


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        (b'{"speed":0.58, "direction":"inbound", "time":105, "tick":135}', Frame((Sample("speed", 0.58, direction="inbound"),))),
        (b'{"DetectedObjectCount":3}', Frame()),
        (b'{"Product":"OPS243"}', Frame()),
        (b'{"Units":"km-per-hr"}', Frame()),
        (b'{"Clock":"50"}', Frame()),
        (b"137.429,3.6", Frame((Sample("speed", 3.6, direction="inbound"),))),
        (b"137.429,-3.6", Frame((Sample("speed", 3.6, direction="outbound"),))),
        (b'{"DetectedObjectVelocity":"34.2","direction":"inbound"}', passage(34.2, "inbound")),
        (b'{"DetectedObjectVelocity":-8,"direction":"outbound"}', passage(8.0, "outbound")),
        (b'{"DetectedObjectVelocity":-8}', passage(8.0, "outbound")),
        (b'{"DetectedObjectVelocity":8}', passage(8.0)),
        (b'{"time":"12.3","unit":"kmph","DetectedObjectVelocity":36}', passage(10.0)),
    ],
)
def test_lines(line: bytes, frame: Frame) -> None:
    assert list(Decoder().feed(line + b"\r\n")) == [frame]
    assert list(Decoder().feed(line + b"\n")) == [frame]


def test_the_radar_says_in_which_units_it_counts() -> None:
    stream = b'{"Units":"km-per-hr"}\r\n' + DETECTED + b'{"Units":"m-per-sec"}\r\n' + DETECTED

    assert list(Decoder().feed(stream)) == [Frame(), passage(9.5, "inbound"), Frame(), passage(34.2, "inbound")]


def test_units_that_nobody_knows_are_noise_and_change_nothing() -> None:
    broken = b'{"Units":"m-per-sdc"}\r\n'

    assert list(Decoder().feed(broken + DETECTED)) == [Noise(broken, "unknown units 'm-per-sdc'"), passage(34.2, "inbound")]


def test_a_radar_that_names_directions_names_them_always() -> None:
    nameless = b'{"DetectedObjectVelocity":"8.0","dirmction":"outbound"}\r\n'

    assert list(Decoder().feed(nameless)) == [passage(8.0)]
    assert list(Decoder().feed(DETECTED + nameless)) == [
        passage(34.2, "inbound"),
        Noise(nameless, "a report without its direction"),
    ]


def test_a_radar_that_tells_the_direction_by_the_sign_alone_is_heard_both_ways() -> None:
    stream = b'{"DetectedObjectVelocity":-8}\n{"DetectedObjectVelocity":8}\n'

    assert list(Decoder().feed(stream)) == [passage(8.0, "outbound"), passage(8.0)]


@pytest.mark.parametrize("broken", [b"\x81\x02", b'{"DetectedObjectVelocity":"3', DETECTED[:-1] + b"\x1a"])
def test_a_report_behind_a_line_that_lost_its_end_is_found(broken: bytes) -> None:
    noise, found = Decoder().feed(broken + DETECTED)

    assert isinstance(noise, Noise)
    assert (noise.data, found) == (broken, passage(34.2, "inbound"))


def test_blank_lines_say_nothing() -> None:
    assert list(Decoder().feed(b"\r\n\n" + DETECTED)) == [passage(34.2, "inbound")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'ectVelocity":"34.2","direction":"inbound"}\n', "no JSON"),
        (b"3.6\n", "no JSON"),
        (b'{"DetectedObjectVelocity":"34\n', "no report: Input data was truncated"),
        (b'{"DetectedObjectVelocity":[1,2]}\n', "no report: Expected `float | null`, got `array` - at `$.DetectedObjectVelocity`"),
        (b'{"DetectedObjectVelocity":"fast"}\n', "no report: Expected `float | null`, got `str` - at `$.DetectedObjectVelocity`"),
        (b'{"DetectedObjectVelocity":"34.2","direction":"inboune"}\n', "unknown direction 'inboune'"),
        (b'{"DetectedObjectVelocity":"70.1","direction":"inbound"}\n', "a speed of 70.1 m/s"),
        (b'{"DetectedObjectVelocity":0}\n', "a speed of 0 m/s"),
        (b'{"DetectedObjectVelocitx":"34.2","direction":"inbound"}\n', "a report without its speed"),
        (b'{"DetectedObjectVelocity":"nan"}\n', "a speed of nan m/s"),
        (b'{"DetectedObjectVelocity":3,"unit":"knots"}\n', "a speed in unknown units 'knots'"),
    ],
)
def test_what_is_no_report_is_noise(line: bytes, reason: str) -> None:
    assert list(Decoder().feed(line + DETECTED)) == [Noise(line, reason), passage(34.2, "inbound")]


def test_a_line_without_end_is_given_up() -> None:
    decoder = Decoder()

    assert list(decoder.feed(b"x" * 600)) == [Noise(b"x" * 512, "a line without end")]
    assert decoder.pending == 88
    assert list(decoder.feed(b"\n" + DETECTED)) == [Noise(b"x" * 88 + b"\n", "no JSON"), passage(34.2, "inbound")]


def test_a_flipped_bit_is_seen_everywhere_but_in_a_digit() -> None:
    unseen: dict[int, list[float]] = {}
    for bit in range(8 * (len(DETECTED) - 2)):
        flipped = bytearray(DETECTED)
        flipped[bit // 8] ^= 1 << (bit % 8)
        for item in Decoder().feed(bytes(flipped)):
            if isinstance(item, Frame) and item.samples and item.samples[-1].value != 34.2:
                unseen.setdefault(bit // 8, []).append(item.samples[-1].value)

    assert unseen == {27: [24.2, 14.2], 28: [35.2, 36.2, 30.2], 30: [34.3, 34.0, 34.6]}


def test_a_flipped_bit_never_turns_a_car_round() -> None:
    for bit in range(8 * len(DETECTED)):
        flipped = bytearray(DETECTED)
        flipped[bit // 8] ^= 1 << (bit % 8)
        directions = {
            sample.direction for item in Decoder().feed(bytes(flipped)) if isinstance(item, Frame) for sample in item.samples
        }

        assert directions <= {"inbound", ""}
