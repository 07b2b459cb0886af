"""Recorded events: what a line may hold, and what is said of one that cannot be used."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest

from api.estimate.recording import read
from hoflicht import BadConfig, Reading
from hoflicht.catalogue import Hours, Role, Sensor, Yard

YARD = Yard(
    name="Hof",
    address="Weg 1",
    lat=51.0,
    lon=6.0,
    hours=Hours(weekly={}),
    sensors={
        "gate_in": Sensor(role=Role.LANE_ENTRY),
        "gate_out": Sensor(role=Role.ENTRY_CONTROL),
        "lane-3": Sensor(role=Role.LANE, position_m=3.0),
        "bay-1": Sensor(role=Role.BAY),
        "barrier": Sensor(role=Role.GATE),
        "air": Sensor(),
    },
)
CAR = '{"t": 1199186040, "sensor": "gate_in", "v": 1}'


def readings(path: Path, lines: Sequence[str]) -> list[Reading]:
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(read(path, "hof", YARD))


@pytest.mark.parametrize(
    ("sensor", "quantity"),
    [
        ("gate_in", "passage"),
        ("gate_out", "passage"),
        ("lane-3", "presence"),
        ("bay-1", "occupied"),
        ("barrier", "held"),
    ],
)
def test_the_role_of_a_sensor_says_what_it_measures(tmp_path: Path, sensor: str, quantity: str) -> None:
    told = readings(tmp_path / "events.jsonl", [f'{{"t": 1199186040.25, "sensor": "{sensor}", "v": 1}}'])

    assert told == [Reading("hof", sensor, quantity, 1_199_186_040_250, 1.0)]


def test_a_line_may_say_what_was_measured(tmp_path: Path) -> None:
    told = readings(tmp_path / "events.jsonl", ['{"t": 1199186040, "sensor": "air", "v": 12.5, "quantity": "pm10"}'])

    assert told == [Reading("hof", "air", "pm10", 1_199_186_040_000, 12.5)]


def test_cars_that_share_an_instant_are_one_reading_of_their_sum(tmp_path: Path) -> None:
    leaves = CAR.replace("gate_in", "gate_out")

    told = readings(tmp_path / "events.jsonl", [CAR, leaves, CAR, CAR.replace("40", "41")])

    assert told == [
        Reading("hof", "gate_in", "passage", 1_199_186_040_000, 2.0),
        Reading("hof", "gate_out", "passage", 1_199_186_040_000, 1.0),
        Reading("hof", "gate_in", "passage", 1_199_186_041_000, 1.0),
    ]


def test_of_two_states_at_one_instant_the_later_line_stands(tmp_path: Path) -> None:
    held = CAR.replace("gate_in", "barrier")

    told = readings(tmp_path / "events.jsonl", [held, held.replace('"v": 1', '"v": 0')])

    assert told == [Reading("hof", "barrier", "held", 1_199_186_040_000, 0.0)]


def test_blank_lines_and_other_keys_are_skipped(tmp_path: Path) -> None:
    told = readings(tmp_path / "events.jsonl", ["", CAR.replace("}", ', "lane": "left"}'), "  "])

    assert [reading.sensor for reading in told] == ["gate_in"]


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(f"{CAR}\n".encode()))

    assert len(list(read(path, "hof", YARD))) == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("t;sensor;v", "JSON is malformed: invalid character"),
        ("\xff", "JSON is malformed: invalid character (byte 0); an event is {"),
        (CAR + " " * 5_000 + "x", "longer than 4096 bytes, which no event is"),
        ('{"t": 1199186041, "sensor": "gate_in"}', "Object missing required field `v`; an event is {"),
        (CAR.replace("1199186040", '"noon"'), "Expected `float`, got `str` - at `$.t`; an event is {"),
        (CAR.replace("1199186040", "1199186040000"), "t is 1199186040000; it is seconds since 1970, before the year 2100"),
        (CAR.replace("40,", "39.5,"), "t goes back from 1199186040 to 1199186039.5; events stand in order of time"),
        (
            CAR.replace("gate_in", "gate-in"),
            "sensor 'gate-in' is unknown; known: air, barrier, bay-1, gate_in, gate_out, lane-3 (did",
        ),
        (
            CAR.replace("gate_in", "air"),
            "sensor 'air' has no role in the catalogue; give it one, or say what it measures: \"quantity\"",
        ),
        (CAR.replace("}", ', "quantity": "cars"}'), "quantity 'cars' is unknown; known: "),
        (CAR.replace('"v": 1', '"v": 0'), "v is 0; passage (vehicles that passed at this instant) is from 1 to 50"),
        (CAR.replace('"v": 1', '"v": 1e999'), "Number out of range - at `$.v`"),
        (CAR.replace("gate_in", "lane-3").replace('"v": 1', '"v": 2'), "v is 2; presence ("),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, expected: str) -> None:
    path = tmp_path / "events.jsonl"

    with pytest.raises(BadConfig) as caught:
        readings(path, [CAR, "", line])

    assert str(caught.value).startswith(f"{path}, line 3: {expected}")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        list(read(tmp_path / "events.jsonl", "hof", YARD))

    assert str(caught.value) == f"{tmp_path / 'events.jsonl'}: cannot be read (No such file or directory)"


PACKED = gzip.compress(f"{CAR}\n".encode())


@pytest.mark.parametrize("packed", [PACKED[:-9], CAR.encode(), PACKED[:12] + b"\xff" * 30], ids=["cut", "not packed", "damaged"])
def test_a_packed_file_that_cannot_be_unpacked_is_named(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(packed)

    with pytest.raises(BadConfig, match=r"events\.jsonl\.gz: cannot be read"):
        list(read(path, "hof", YARD))
