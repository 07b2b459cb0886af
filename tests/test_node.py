"""Node frames: there and back, the worked example of the docs, and bodies that want to do harm."""

import re
import zlib
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.frames import Frame, Noise, Sample
from firmware_bridge.node import MAX_FRAME, Decoder, cobs_stuff, cobs_unstuff, encode
from hoflicht import BadPayload
from hoflicht.quantities import QUANTITIES

DOCS = Path(__file__).parent.parent / "docs" / "node-frame.md"
IDS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,9}", fullmatch=True)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    quantity = draw(st.sampled_from(sorted(QUANTITIES)))
    value = draw(st.floats(QUANTITIES[quantity].low, QUANTITIES[quantity].high))
    return Sample(quantity, value, draw(IDS), draw(st.just("") | IDS), draw(st.integers(0, 86_400_000)))


def sent(body: bytes, sequence: int = 1, version: int = 1, node: int = 258) -> bytes:
    """A frame with a right CRC around any body."""
    frame = bytes((version,)) + node.to_bytes(2, "big") + sequence.to_bytes(2, "big") + body
    return b"\0" + cobs_stuff(frame + zlib.crc32(frame).to_bytes(4, "big")) + b"\0"


def said(*records: dict[Any, Any]) -> list[Frame | Noise]:
    return list(Decoder().feed(sent(cbor2.dumps(list(records)))))


def hex_block(name: str) -> bytes:
    [block] = re.findall(rf"```hex {name}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    return bytes.fromhex(re.sub(r"#.*", "", block))


@given(st.integers(0, 65535), st.integers(0, 65535), st.lists(samples(), max_size=6))
def test_what_was_encoded_is_decoded_again(node: int, sequence: int, sent_samples: list[Sample]) -> None:
    assert list(Decoder().feed(encode(node, sequence, sent_samples))) == [Frame(tuple(sent_samples))]


def test_the_example_of_the_docs_is_what_the_code_sends() -> None:
    example = [Sample("passage", 1.0, "gate-in", age_ms=1500), Sample("temperature", 41.5, "driver", "lamp-0007")]

    assert hex_block("frame") == encode(258, 7, example)
    assert hex_block("fields") == cobs_unstuff(encode(258, 7, example)[1:-1])
    assert list(Decoder().feed(hex_block("frame"))) == [Frame(tuple(example))]


@pytest.mark.parametrize(
    ("data", "stuffed"),
    [
        ("", "01"),
        ("00", "01 01"),
        ("00 00", "01 01 01"),
        ("11 22 00 33", "03 11 22 02 33"),
        ("11 22 33 44", "05 11 22 33 44"),
        ("11 00 00 00", "02 11 01 01 01"),
    ],
)
def test_cobs_examples(data: str, stuffed: str) -> None:
    assert cobs_stuff(bytes.fromhex(data)) == bytes.fromhex(stuffed)
    assert cobs_unstuff(bytes.fromhex(stuffed)) == bytes.fromhex(data)


@pytest.mark.parametrize("length", [253, 254, 255, 508, 509])
def test_cobs_blocks_are_full_at_254_bytes(length: int) -> None:
    data = bytes(n % 255 + 1 for n in range(length))

    assert cobs_unstuff(cobs_stuff(data)) == data


def test_the_last_full_block_may_be_sent_with_or_without_an_empty_one() -> None:
    assert cobs_unstuff(b"\xff" + b"x" * 254) == cobs_unstuff(b"\xff" + b"x" * 254 + b"\x01") == b"x" * 254


@given(st.binary(max_size=600))
def test_cobs_there_and_back(data: bytes) -> None:
    assert 0 not in cobs_stuff(data)
    assert cobs_unstuff(cobs_stuff(data)) == data


def test_base_fields_hold_from_their_record_on() -> None:
    assert said(
        {-2: "hof-nord/air/", -3: -2, -4: "ug/m3", -5: 10, 0: "pm10", 2: 2.5},
        {0: "pm2_5", 2: 1, 6: 1},
        {-2: "barrier/", -4: "/", -5: 0, 0: "held", 4: True},
    ) == [
        Frame(
            (
                Sample("pm10", 12.5, "air", "hof-nord", 2000),
                Sample("pm2_5", 11.0, "air", "hof-nord", 1000),
                Sample("held", 1.0, "barrier", "", 2000),
            )
        )
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({0: "passage", 2: 1}, "the name 'passage' is not <site>/<sensor>/<quantity>"),
        ({0: "a/b/c/passage", 2: 1}, "the name 'a/b/c/passage' is not <site>/<sensor>/<quantity>"),
        ({0: "gate-in/cars", 2: 1}, "unknown quantity 'cars'"),
        ({0: "gate-in/speed", 1: "km/h", 2: 1}, "speed is measured in m/s, not 'km/h'"),
        ({0: "gate-in/passage", 3: "one"}, "no number in v, no boolean in vb"),
        ({0: "gate-in/passage", 2: 51}, "passage 51 is outside 1 to 50 count"),
        ({0: "gate-in/passage", 2: 1, 6: 1}, "passage: t 1 s is not within the last day"),
        ({0: "gate-in/passage", 2: 1, 6: -86_401}, "passage: t -86401 s is not within the last day"),
        ({0: "gate-in/passage", 2: 1, 6: 1_700_000_000}, "passage: t 1.7e+09 s is not within the last day"),
        ({0: "gate-in/passage", 2: float("nan")}, "the value is not finite"),
        ({0: "gate-in/passage", 2: "1"}, "no number in v, no boolean in vb"),
        ({0: 7, 2: 1}, "a wrong type: Expected `str`, got `int` - at `$.n`"),
    ],
)
def test_a_bad_record_costs_the_good_ones_nothing(record: dict[Any, Any], reason: str) -> None:
    assert said(record, {0: "air/pm10", 2: 7}) == [Frame((Sample("pm10", 7.0, "air"),)), Noise(b"", reason)]


def test_what_rests_on_a_base_that_cannot_be_read_is_not_taken_for_another_sensors() -> None:
    frame, *noise = said(
        {-2: "barrier/", 0: "held", 2: 1}, {-2: 7, 0: "held", 2: 0}, {0: "held", 2: 0}, {-2: "door/", 0: "held", 2: 0}
    )

    assert frame == Frame((Sample("held", 1.0, "barrier"), Sample("held", 0.0, "door")))
    assert len(noise) == 2


def test_a_gap_in_the_sequence_is_counted_for_each_node() -> None:
    decoder = Decoder()
    frames = [(1, 65534), (2, 9), (1, 1), (2, 10), (2, 13)]

    lost = [item.lost for node, sequence in frames for item in decoder.feed(encode(node, sequence, [])) if isinstance(item, Frame)]

    assert lost == [0, 0, 2, 0, 2]


@pytest.mark.parametrize("sequence", [0, 6, 40_000])
def test_a_restart_or_a_step_back_is_no_loss(sequence: int) -> None:
    decoder = Decoder()
    decoder.feed(encode(1, 7, []))

    assert list(decoder.feed(encode(1, sequence, []))) == [Frame()]


def test_a_frame_that_comes_twice_counts_once() -> None:
    decoder = Decoder()
    frame = encode(1, 7, [Sample("passage", 1.0, "gate-in")])

    assert list(decoder.feed(frame + frame)) == [Frame((Sample("passage", 1.0, "gate-in"),)), Frame()]


def test_a_node_that_restarts_with_the_same_number_is_heard() -> None:
    decoder = Decoder()
    decoder.feed(encode(1, 0, [Sample("passage", 1.0, "gate-in", age_ms=10)]))

    assert list(decoder.feed(encode(1, 0, [Sample("passage", 1.0, "gate-in", age_ms=20)]))) == [
        Frame((Sample("passage", 1.0, "gate-in", age_ms=20),))
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "CBOR that is cut short or nested too deep"),
        (b"\x81" * 400 + b"\x01", "CBOR that is cut short or nested too deep"),  # 400 arrays, one in the other
        (b"\x9b\x7f" + b"\xff" * 7, "CBOR that is cut short"),  # an array of 2**63 - 1 items
        (b"\xbb\x7f" + b"\xff" * 7, "CBOR that is cut short"),
        (b"\x7b\x7f" + b"\xff" * 7 + b"abc", "CBOR that is cut short"),
        (b"\x9f\xff", "CBOR that no SenML pack needs"),  # indefinite length
        (b"\x81\xa1\x02\xc5\x82\x1b\x7f" + b"\xff" * 7 + b"\x01", "CBOR that no SenML pack needs"),  # 2**(2**63): a big float
        (b"\x81\xa1\x02\xc2\x58\xff" + b"\xff" * 255, "CBOR that no SenML pack needs"),  # a big number
        (b"\x81\xd8\x1c\x81\xd8\x1d\x00", "CBOR that no SenML pack needs"),  # an array that holds itself
        (b"\x81\xf6", "CBOR that no SenML pack needs"),
        (b"\x80\x80", "the CBOR ends before or after the frame does"),
        (b"\x18", "CBOR that is cut short"),
        (b"\x01", "no SenML pack: Expected `array`, got `int`"),
        (b"\x81\xa1\x61\xff\x01", "no SenML pack: "),  # a text that is no UTF-8
        (b"\x81\xa1\x61n\x01", "no SenML pack: Expected `int`, got `str` - at `key` in `$[0]`"),
        (b"\x81\xa2\x20\x0b\x00\x61a", "SenML version 11, we read 10"),
    ],
)
def test_a_body_that_is_no_pack_is_noise(body: bytes, reason: str) -> None:
    frame = sent(body)

    [item] = Decoder().feed(frame)

    assert isinstance(item, Noise)
    assert item.data == frame[1:]
    assert item.reason.startswith(reason)


PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8) | st.binary(max_size=8)
NESTED = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(-6, 8) | st.text(max_size=3), inner)
)
RECORDS = st.lists(
    st.dictionaries(st.integers(-6, 8), PLAIN | st.sampled_from(["gate-in/passage", "gate-in/", "passage"])), max_size=4
)


@given(st.binary(max_size=100) | NESTED.map(cbor2.dumps) | RECORDS.map(cbor2.dumps))
def test_any_body_with_a_right_crc_is_a_frame_or_noise(body: bytes) -> None:
    for item in Decoder().feed(sent(body)):
        assert not isinstance(item, Frame) or all(sample.quantity in QUANTITIES for sample in item.samples)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (sent(b"\x80", version=2), "version 2, we read 1"),
        (b"\0\x03\x01\x01\0", "too short"),
        (b"\0\x05\x01\x01\0", "a COBS block runs over the end"),
        (b"\0" + cobs_stuff(bytes(12)) + b"\0", "wrong CRC"),
    ],
)
def test_a_broken_frame_is_noise(frame: bytes, reason: str) -> None:
    assert list(Decoder().feed(frame)) == [Noise(frame[1:], reason)]


def test_a_frame_has_a_bound() -> None:
    assert MAX_FRAME == 512
    assert list(Decoder().feed(b"\x01" * 513)) == [Noise(b"\x01" * 512, "no end")]
    with pytest.raises(BadPayload, match="a frame has at most 512"):
        encode(1, 1, [Sample("passage", 1.0, "gate-in")] * 30)


def test_a_node_names_its_sensors() -> None:
    with pytest.raises(BadPayload, match="passage: a node names its sensors"):
        encode(1, 1, [Sample("passage", 1.0)])
