"""What holds for every codec: whole, byte by byte, after noise, back to back, with bits flipped, with anything at all."""

import itertools
import struct
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.hostile import SEALS, check
from firmware_bridge import node
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Frame, Noise, Sample, float32, implausible
from simulators.utility_meter import sml

# One exchange of every device, with what it says.
EXCHANGES: dict[str, tuple[bytes, tuple[Sample, ...]]] = {
    "sds011": (bytes.fromhex("AA C0 06 00 09 00 58 D9 40 AB"), (Sample("pm2_5", 0.6), Sample("pm10", 0.9))),
    "sps30": (
        bytes.fromhex("7E 00 03 00 FC 7E")
        + bytes.fromhex("7E 00 03 00 28 40 A7 83 20 41 17 77 BB 41 4A 5F 83 41 54 8D DD 41 D2 83 3E 42 7D 33 FC 85")
        + bytes.fromhex("42 26 17 22 42 29 A4 D9 42 2A 29 BC 3F 55 B7 E7 9E 7E"),
        (
            Sample("pm1", 5.235),
            Sample("pm2_5", 9.467),
            Sample("pm4", 12.648),
            Sample("pm10", 13.285),
            Sample("nc0_5", 26.314),
            Sample("nc1", 36.997),
            Sample("nc2_5", 41.523),
            Sample("nc4", 42.411),
            Sample("nc10", 42.541),
            Sample("particle_size", 0.835),
        ),
    ),
    "tfmini": (bytes.fromhex("59 59 79 00 E8 03 C8 08 E6"), (Sample("distance", 1.21), Sample("temperature", 25.0))),
    "ops243": (
        b'{"DetectedObjectVelocity":"9.5","direction":"inbound"}\r\n',
        (Sample("passage", 1.0, direction="inbound"), Sample("speed", 9.5, direction="inbound")),
    ),
    "sdm120": (bytes.fromhex("01 04 00 00 00 02 71 CB 01 04 04 43 66 33 34 1B 38"), (Sample("voltage", 230.2),)),
    "sdm630": (bytes.fromhex("01 04 00 00 00 02 71 CB 01 04 04 43 66 33 34 1B 38"), (Sample("voltage_l1", 230.2),)),
    "sml": (
        sml({"energy_import": 1234.5, "active_power": -812.3}),
        (Sample("energy_import", 1234.5), Sample("active_power", -812.3)),
    ),
    "lufft-umb": (
        bytes.fromhex("01 10 01 F0 09 70 31 02 2F 10 00 05 08 00 C8 00 16 AB F8 29 42 0C 00 58 02 17 00 00 00 00 00 00 00 00")
        + bytes.fromhex("08 00 5C 12 14 D3 00 00 00 06 00 20 57 12 0F 05 06 00 24 5E 12 00 00 03 F4 24 04"),
        (Sample("humidity", 42.493),),
    ),
    "nmea": (
        b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n",
        (Sample("latitude", 48.1173), Sample("longitude", 11.516667), Sample("satellites", 8.0)),
    ),
    "node": (
        node.encode(258, 7, [Sample("passage", 1.0, "gate-in", age_ms=1500)]),
        (Sample("passage", 1.0, "gate-in", age_ms=1500),),
    ),
}
# What may wait for more at most: the longest frame less a byte.
MOST_PENDING = {
    "sds011": 9,
    "sps30": 91,
    "tfmini": 8,
    "ops243": 511,
    "sdm120": 254,
    "sdm630": 254,
    "sml": 2_047,
    "lufft-umb": 119,
    "nmea": 119,
    "node": 512,
}
# JSON lines have no checksum; what a flipped bit can do there stands in test_ops243.py.
WITH_CHECKSUM = sorted(DEVICES.keys() - {"ops243"})


def fed(driver: str, chunks: Iterable[bytes]) -> list[Frame | Noise]:
    decoder = DEVICES[driver].decoder()
    return [item for chunk in chunks for item in decoder.feed(chunk)]


def samples(items: Iterable[Frame | Noise]) -> list[tuple[Sample, ...]]:
    return [item.samples for item in items if isinstance(item, Frame) and item.samples]


def merged(items: Iterable[Frame | Noise]) -> list[Frame | bytes]:
    """Neighbouring noise as one: how it is cut depends on how the bytes came, what it is must not."""
    result: list[Frame | bytes] = []
    for is_noise, group in itertools.groupby((item for item in items), key=lambda item: isinstance(item, Noise)):
        if is_noise:
            result.append(b"".join(item.data for item in group if isinstance(item, Noise)))
        else:
            result += [item for item in group if isinstance(item, Frame)]
    return result


def test_every_device_has_an_exchange_here() -> None:
    assert EXCHANGES.keys() == DEVICES.keys() == MOST_PENDING.keys()


@pytest.mark.parametrize("driver", DEVICES)
def test_a_frame_is_read_whole(driver: str) -> None:
    exchange, said = EXCHANGES[driver]

    items = fed(driver, [exchange])

    assert samples(items) == [said]
    assert [item for item in items if isinstance(item, Noise)] == []


@pytest.mark.parametrize("driver", DEVICES)
def test_a_frame_is_read_byte_by_byte(driver: str) -> None:
    exchange, _ = EXCHANGES[driver]

    assert fed(driver, (bytes((byte,)) for byte in exchange)) == fed(driver, [exchange])


@pytest.mark.parametrize("driver", sorted(DEVICES.keys() - {"node"}))
def test_two_frames_come_back_to_back(driver: str) -> None:
    exchange, said = EXCHANGES[driver]

    assert samples(fed(driver, [exchange + exchange])) == [said, said]


@pytest.mark.parametrize(
    "noise", [b"\x00\xff\x55", b"\xaa", b"\xaa\xc0", b"\x59", b"\x59\x59", b"\x7e", b"\x01\x04", b'{"speed":1', b"}\r"]
)
@pytest.mark.parametrize("driver", DEVICES)
def test_noise_costs_one_frame_at_most(driver: str, noise: bytes) -> None:
    exchange, said = EXCHANGES[driver]
    decoder = DEVICES[driver].decoder()

    items = [*decoder.feed(noise + exchange), *decoder.feed(exchange if driver != "node" else node.encode(258, 8, said))]

    assert samples(items)[-1] == said


@pytest.mark.parametrize("driver", ["sds011", "sps30", "tfmini", "sdm120", "sdm630", "sml", "lufft-umb", "nmea"])
def test_a_good_frame_that_starts_inside_a_broken_one_is_found(driver: str) -> None:
    exchange, said = EXCHANGES[driver]
    for length in range(1, len(exchange)):
        items = fed(driver, [exchange[:length] + exchange + exchange])

        assert said in samples(items)


@pytest.mark.parametrize("driver", WITH_CHECKSUM)
def test_no_flipped_bit_makes_a_false_reading(driver: str) -> None:
    exchange, _ = EXCHANGES[driver]
    for bit in range(8 * len(exchange)):
        flipped = bytearray(exchange)
        flipped[bit // 8] ^= 1 << (bit % 8)
        if driver == "sps30" and bit < 8 * 6:
            continue  # in the request before it; the answer is still right

        assert samples(fed(driver, [bytes(flipped)])) == []


@pytest.mark.parametrize("driver", WITH_CHECKSUM)
def test_a_flipped_bit_costs_one_frame_at_most(driver: str) -> None:
    exchange, said = EXCHANGES[driver]
    after = exchange if driver != "node" else node.encode(258, 8, said)
    for bit in range(8 * len(exchange)):
        flipped = bytearray(exchange)
        flipped[bit // 8] ^= 1 << (bit % 8)

        assert samples(fed(driver, [bytes(flipped) + after + after]))[-1] == said


@st.composite
def streams(draw: st.DrawFn, driver: str) -> bytes:
    """Good exchanges, pieces of them, and anything between."""
    exchange, _ = EXCHANGES[driver]
    piece = st.one_of(
        st.just(exchange),
        st.integers(1, len(exchange)).map(lambda length: exchange[:length]),
        st.binary(max_size=40),
        st.sampled_from([b"\x00", b"\n", b"\x7e", b"\x59\x59", b"\xaa\xc0", b"\x01\x04"]),
    )
    return b"".join(draw(st.lists(piece, max_size=8)))


@pytest.mark.parametrize("driver", DEVICES)
@given(data=st.data())
def test_the_way_the_bytes_are_cut_changes_nothing(driver: str, data: st.DataObject) -> None:
    stream = data.draw(streams(driver))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))

    chunks = [stream[start:end] for start, end in itertools.pairwise([0, *cuts, len(stream)])]

    assert merged(fed(driver, chunks)) == merged(fed(driver, [stream]))


@pytest.mark.parametrize("driver", DEVICES)
@given(data=st.data())
def test_any_bytes_are_taken_and_what_waits_is_bounded(driver: str, data: st.DataObject) -> None:
    decoder = DEVICES[driver].decoder()
    for chunk in data.draw(st.lists(st.binary(max_size=300), max_size=8)):
        decoder.feed(chunk)

        assert decoder.pending <= MOST_PENDING[driver]


@pytest.mark.parametrize("driver", DEVICES)
@given(pieces=st.lists(st.binary(max_size=300), max_size=8))
def test_after_any_noise_the_second_frame_is_heard(driver: str, pieces: list[bytes]) -> None:
    check(driver, pieces)


@pytest.mark.parametrize("driver", SEALS)
@given(content=st.binary(max_size=200))
def test_any_content_with_a_right_checksum_is_taken(driver: str, content: bytes) -> None:
    check(driver, [SEALS[driver](content)])


@pytest.mark.parametrize("driver", ["sds011", "sps30", "tfmini", "sdm120", "sml", "lufft-umb"])
@given(stream=st.binary(max_size=300))
def test_a_byte_that_is_in_no_frame_is_noise_or_waits(driver: str, stream: bytes) -> None:
    decoder = DEVICES[driver].decoder()

    items = list(decoder.feed(stream))

    noise = b"".join(item.data for item in items if isinstance(item, Noise))
    if not any(isinstance(item, Frame) for item in items):
        assert noise + stream[len(noise) :] == stream
        assert len(noise) + decoder.pending == len(stream)


def test_bytes_are_taken_even_if_nobody_looks_at_the_frames() -> None:
    decoder = DEVICES["sds011"].decoder()
    exchange, said = EXCHANGES["sds011"]

    decoder.feed(exchange[:4])
    decoder.feed(exchange[4:9])

    assert samples(decoder.feed(exchange[9:])) == [said]


def test_noise_names_its_first_reason() -> None:
    assert fed("sds011", [bytes.fromhex("13 37 AA C0 06 00 06 00 58 D9 3E AB 00")]) == [
        Noise(bytes.fromhex("13 37 AA C0 06 00 06 00 58 D9 3E AB 00"), "wrong sum or tail")
    ]
    assert fed("sds011", [b"\x13\x37"]) == [Noise(b"\x13\x37", "no frame starts here")]


@pytest.mark.parametrize(
    ("single", "value"),
    [("43663334", 230.2), ("00000000", 0.0), ("C0A00000", -5.0), ("49742400", 1_000_000.0), ("7F800000", float("inf"))],
)
def test_singles_are_read_with_three_decimals(single: str, value: float) -> None:
    assert float32(bytes.fromhex(single)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 2_001.0])
def test_what_cannot_be_is_told(value: float) -> None:
    assert implausible("pm10", value) == f"pm10 {value:g} is outside 0 to 2000 ug/m3"


@given(st.integers(0, 2**32 - 1))
def test_any_single_is_read(bits: int) -> None:
    (exact,) = struct.unpack(">f", bits.to_bytes(4, "big"))

    value = float32(bits.to_bytes(4, "big"))

    assert value == pytest.approx(exact, abs=0.0005, rel=1e-6, nan_ok=True)
