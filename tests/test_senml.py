"""SenML packs: there and back, record by record, RFC 8428's base fields."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hoflicht import BadPayload, Reading, senml
from hoflicht.quantities import QUANTITIES

IDS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
READINGS = st.builds(
    Reading,
    site=IDS,
    sensor=IDS,
    quantity=st.sampled_from(sorted(QUANTITIES)),
    at_ms=st.integers(1_000_000_000_000, 4_000_000_000_000),
    value=st.floats(allow_nan=False, allow_infinity=False),
)


def pack(*records: dict[str, Any]) -> bytes:
    return json.dumps(records).encode()


@given(st.lists(READINGS, max_size=30))
def test_what_was_written_is_read_again(readings: list[Reading]) -> None:
    decoded = senml.decode(senml.encode(readings))

    assert sorted(decoded.readings, key=repr) == sorted(readings, key=repr)
    assert decoded.bad == []


@given(st.binary(max_size=200))
def test_any_bytes_give_a_pack_or_bad_payload(payload: bytes) -> None:
    try:
        decoded = senml.decode(payload)
    except BadPayload:
        return

    assert all(reading.quantity in QUANTITIES for reading in decoded.readings)


def test_names_are_written_once_a_sensor_and_times_relative_to_the_first() -> None:
    readings = [Reading("hof-nord", "gate-in", "passage", 1_700_000_000_000 + n, 1.0) for n in (0, 250)]

    assert senml.encode(readings) == (
        b'[{"bn":"hof-nord/gate-in/","bt":1700000000.0,"n":"passage","v":1.0,"t":0.0},{"n":"passage","v":1.0,"t":0.25}]'
    )


def test_base_fields_count_from_their_record_on() -> None:
    decoded = senml.decode(
        pack(
            {"bn": "hof-nord/air/", "bt": 1_700_000_000, "bu": "ug/m3", "bv": 10, "n": "pm10", "v": 2.5},
            {"n": "pm2_5", "v": 1, "t": 1},
            {"bn": "lamp-0001/driver/", "bv": 0, "n": "temperature", "u": "Cel", "v": 40, "t": 2},
        )
    )

    assert decoded.readings == [
        Reading("hof-nord", "air", "pm10", 1_700_000_000_000, 12.5),
        Reading("hof-nord", "air", "pm2_5", 1_700_000_001_000, 11.0),
        Reading("lamp-0001", "driver", "temperature", 1_700_000_002_000, 40.0),
    ]


def test_a_boolean_is_a_state() -> None:
    decoded = senml.decode(pack({"n": "hof-nord/barrier/held", "bt": 1_700_000_000, "vb": True}))

    assert decoded.readings == [Reading("hof-nord", "barrier", "held", 1_700_000_000_000, 1.0)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"n": "hof-nord/passage", "v": 1}, "the name 'hof-nord/passage' is not <site>/<sensor>/<quantity>"),
        ({"n": "Hof Nord/gate-in/passage", "v": 1}, "the name 'Hof Nord/gate-in/passage' is not <site>/<sensor>/<quantity>"),
        ({"n": "hof-nord/gate-in/cars", "v": 1}, "unknown quantity 'cars'"),
        ({"n": "hof-nord/gate-in/speed", "v": 1, "u": "km/h"}, "speed is measured in m/s, not 'km/h'"),
        ({"n": "hof-nord/gate-in/passage", "vs": "one"}, "no number in v, no boolean in vb"),
        ({"n": "hof-nord/gate-in/passage", "v": 1e308, "bv": 1e308}, "the value is not finite"),
        ({"n": "hof-nord/gate-in/passage", "v": 1, "bt": 1e300}, "the time is beyond the year 2100"),
        ({"n": "hof-nord/gate-in/passage", "v": 1, "bt": 0}, "the time is relative: a repeated batch would be another point"),
        ({"n": "hof-nord/gate-in/passage", "v": "one"}, "a wrong type: Expected `float | null`, got `str` - at `$.v`"),
    ],
)
def test_a_bad_record_costs_the_good_ones_nothing(record: dict[str, Any], reason: str) -> None:
    good = {"n": "hof-nord/air/pm10", "bt": 1_700_000_000, "bv": 0, "v": 7}

    decoded = senml.decode(pack({"bt": 1_700_000_000} | record, good))

    assert [bad.reason for bad in decoded.bad] == [reason]
    assert decoded.readings == [Reading("hof-nord", "air", "pm10", 1_700_000_000_000, 7.0)]


def test_a_bad_record_can_be_decoded_again_on_its_own() -> None:
    whole = pack({"bn": "hof-nord/air/", "bt": 1_700_000_000, "n": "pm10", "v": 1}, {"n": "dust", "v": 2, "t": 5})

    [bad] = senml.decode(whole).bad

    assert json.loads(bad.pack) == [{"bn": "hof-nord/air/", "bt": 1_700_000_000.0, "n": "dust", "v": 2.0, "t": 5.0}]
    assert senml.decode(bad.pack).bad == [bad]


def test_a_relative_time_counts_from_now_where_the_receiver_allows_it() -> None:
    decoded = senml.decode(pack({"n": "hof-nord/gate-in/passage", "v": 1, "t": -2.5}), now_ms=1_700_000_000_000)

    assert decoded.readings == [Reading("hof-nord", "gate-in", "passage", 1_699_999_997_500, 1.0)]


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"{}", b"7", b"[7]", b'[{"bver":11,"n":"a/b/passage","v":1}]', b"\xff\xfe", b"[NaN]"]
)
def test_what_is_no_pack_is_refused_as_a_whole(payload: bytes) -> None:
    with pytest.raises(BadPayload):
        senml.decode(payload)


def test_a_pack_is_bounded() -> None:
    with pytest.raises(BadPayload, match="more than 10000 records"):
        senml.decode(pack(*[{"n": "a/b/passage", "v": 1}] * 10_001))
