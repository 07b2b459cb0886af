"""SenML packs: there and back, record by record, RFC 8428's base fields."""

import json
import math
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


# What a sender may write where SenML wants a number or a name; json writes NaN and infinities as bare words.
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["a/b/", "passage", "%RH", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
RECORDS = st.dictionaries(st.sampled_from(["bn", "bt", "bu", "bv", "bver", "n", "u", "v", "vb", "vs", "t"]), JSON, max_size=6)
CUT = st.tuples(st.lists(RECORDS | JSON, max_size=6), st.integers(0, 300), st.binary(max_size=3)).map(
    lambda made: _damaged(json.dumps(made[0]).encode(), made[1], made[2])
)


def _damaged(payload: bytes, at: int, other: bytes) -> bytes:
    return payload[:at] + other + payload[at + len(other) :]


@given(st.binary(max_size=200) | st.lists(RECORDS | JSON, max_size=6).map(lambda records: json.dumps(records).encode()) | CUT)
def test_any_bytes_give_a_pack_or_bad_payload(payload: bytes) -> None:
    try:
        decoded = senml.decode(payload)
    except BadPayload:
        return

    assert all(reading.quantity in QUANTITIES and math.isfinite(reading.value) for reading in decoded.readings)
    assert [senml.decode(bad.pack) for bad in decoded.bad] == [senml.Pack([], [bad]) for bad in decoded.bad]


def test_names_are_written_once_a_sensor_and_times_relative_to_the_first() -> None:
    readings = [Reading("hof-nord", "gate-in", "passage", 1_700_000_000_000 + n, 1.0) for n in (0, 250)]

    assert senml.encode(readings) == (
        b'[{"bn":"hof-nord/gate-in/","bt":1700000000,"n":"passage","v":1},{"n":"passage","v":1,"t":0.25}]'
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
        ({"n": "hof-nord/gate-in/passage", "v": "one"}, "no number in v, no boolean in vb"),
        ({"n": "hof-nord/gate-in/passage", "v": True}, "no number in v, no boolean in vb"),
        ({"n": "hof-nord/gate-in/passage", "v": [1]}, "no record: Expected `bool | float | str | null`, got `array` - at `$.v`"),
        ({"n": "hof-nord/gate-in/passage", "v": 10**400}, "no record: Number out of range - at `$.v`"),
        ({"n": 7, "v": 1}, "no record: Expected `str`, got `int` - at `$.n`"),
        ({"n": "x" * 201, "v": 1}, "no record: Expected `str` of length <= 200 - at `$.n`"),
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

    assert json.loads(bad.pack) == [
        {"bn": "hof-nord/air/", "bt": 1_700_000_000.0, "bu": "", "bv": 0.0},
        {"n": "dust", "v": 2.0, "t": 5.0},
    ]
    assert senml.decode(bad.pack).bad == [bad]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_cannot_say_costs_the_good_ones_nothing(word: str) -> None:
    # What Python's own json writes for such a float.
    payload = b'[{"bn": "hof-nord/air/", "bt": 1700000000, "n": "pm10", "v": 1}, {"n": "pm10", "v": %b, "t": 1}]' % word.encode()

    decoded = senml.decode(payload)

    assert decoded.readings == [Reading("hof-nord", "air", "pm10", 1_700_000_000_000, 1.0)]
    base = {"bn": "hof-nord/air/", "bt": 1_700_000_000.0, "bu": "", "bv": 0.0}
    assert [json.loads(bad.pack) for bad in decoded.bad] == [[base, {"n": "pm10", "v": word, "t": 1.0}]]


@pytest.mark.parametrize("nonsense", [b"7", b"null", b'"pm10"', b"[]", b'{"n":"\xff","v":1}', b'{"n":{},"v":1e999}'])
def test_what_stands_between_records_costs_them_nothing(nonsense: bytes) -> None:
    base = b'"bn":"hof-nord/air/","bt":1700000000,"bu":"","bv":0'

    decoded = senml.decode(b'[{%b,"n":"pm10","v":1},%b,{%b,"n":"pm10","v":2}]' % (base, nonsense, base))

    assert [reading.value for reading in decoded.readings] == [1.0, 2.0]
    assert [bad.pack.endswith(b",%b]" % nonsense) for bad in decoded.bad] == [True]


@pytest.mark.parametrize("field", [{"bn": 7}, {"bt": "now"}, {"bt": True}, {"bv": "1"}, {"bv": 10**400}, {"bu": 7}])
def test_nothing_rests_on_a_base_older_than_one_that_is_spoilt(field: dict[str, Any]) -> None:
    first = {"bn": "hof-nord/air/", "bt": 1_700_000_000, "bu": "ug/m3", "bv": 1, "n": "pm10", "v": 1}
    last = {"bn": "hof-nord/air/", "bt": 1_700_000_000, "bu": "", "bv": 0, "n": "pm10", "v": 4}

    decoded = senml.decode(pack(first, field | {"n": "pm10", "v": 2}, {"n": "pm10", "v": 3}, last))

    plausible = [reading.value for reading in decoded.readings if reading.value < 1_000]
    assert sorted(plausible) == [2.0, 4.0]


def test_bad_records_do_not_multiply_a_long_base() -> None:
    decoded = senml.decode(pack({"bn": "x" * 500_000}, *[{"n": "passage", "v": 1}] * 5_000))

    assert len(decoded.bad) == 5_000
    assert sum(len(bad.pack) for bad in decoded.bad) < 2_000_000


def test_a_relative_time_counts_from_now_where_the_receiver_allows_it() -> None:
    decoded = senml.decode(pack({"n": "hof-nord/gate-in/passage", "v": 1, "t": -2.5}), now_ms=1_700_000_000_000)

    assert decoded.readings == [Reading("hof-nord", "gate-in", "passage", 1_699_999_997_500, 1.0)]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"{}",
        b"7",
        b'[{"bver":11,"n":"a/b/passage","v":1}]',
        b"\xff\xfe",
        b"[{]",
        b"[" * 100_000,
        b'[{"n":7,"z":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    ],
)
def test_what_is_no_pack_is_refused_as_a_whole(payload: bytes) -> None:
    with pytest.raises(BadPayload):
        senml.decode(payload)


def test_a_pack_is_bounded() -> None:
    with pytest.raises(BadPayload, match="more than 10000 records"):
        senml.decode(pack(*[{"n": "a/b/passage", "v": 1}] * 10_001))
