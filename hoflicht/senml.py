"""Readings as SenML (RFC 8428): JSON on MQTT, the same records as CBOR in node frames.

A record's full name is `<site>/<sensor>/<quantity>`; base name, time, value and unit apply from their record on (§4.1). The unit
follows from the quantity and is left out when we write; where a sender gives one it must be the table's. A pack is read record by
record: a bad record is handed back with its reason and costs the good ones nothing.
"""

import functools
import operator
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Annotated, Any, TypeVar

import msgspec

from hoflicht.errors import BadPayload
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading, is_id

CONTENT_TYPE = "application/senml+json"
MAX_RECORDS = 10_000  # in one pack; a batch of ours has at most 500
VERSION = 10  # RFC 8428 §4.4: a pack of a later version must be refused
RELATIVE_BELOW_S = 2**28  # §4.5.3: a smaller time counts from now
MAX_PLACES = 100_000  # sensors that are remembered as sound or not; a city of 46 000 lamps has about that many, some 30 MB
MAX_NAME = 200  # characters: sound ones are shorter, and what is remembered is bounded
EXACT_BELOW = 2.0**53  # whole numbers in a float; larger ones are as short with an exponent
MAX_TIME_S = 4_102_444_800.0  # the year 2100: no clock of ours says so, and milliseconds stay exact in a float
MAX_BASE = 200  # characters of a base name or unit: sound ones are shorter, and every bad record keeps a copy of its base
# A base field of a wrong type: no name, no unit, no time and beyond every range, so that nothing is taken for another sensor's.
SPOILT, SPOILT_NUMBER = "\0", 1e300
AT_MS = operator.attrgetter("at_ms")
T = TypeVar("T")
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Record(msgspec.Struct, omit_defaults=True, gc=False):
    """One SenML record as it stands on the wire; the labels of RFC 8428 table 1 that carry a number or a boolean."""

    bver: int = VERSION
    bn: str | None = None
    bt: float | None = None
    bu: str | None = None
    bv: float | None = None
    n: Annotated[str, msgspec.Meta(max_length=MAX_NAME)] = ""
    u: str | None = None
    v: float | str | bool | None = None  # read whatever stands there: the commonest fault must not cost its pack the fast way
    vb: bool | None = None
    t: float = 0.0


class Base(msgspec.Struct, gc=False):
    """What a record rests on."""

    bn: str = ""
    bt: float = 0.0
    bu: str = ""
    bv: float = 0.0


class Bad(msgspec.Struct, frozen=True, gc=False):
    """A record that is no reading: why, and a pack with its base fields which can be decoded again."""

    reason: str
    pack: bytes


class Pack(msgspec.Struct, frozen=True):
    """What a payload held, in its order."""

    readings: list[Reading]
    bad: list[Bad]


_encoder = msgspec.json.Encoder()
_fast = msgspec.json.Decoder(list[Record])
_raw = msgspec.json.Decoder(list[msgspec.Raw])
_record = msgspec.json.Decoder(Record)
_fields = msgspec.json.Decoder(dict[str, Any])


def encode(readings: Sequence[Reading]) -> bytes:
    """Write `readings` as a SenML JSON pack by site and sensor; times count from the earliest, numbers are as short as can be."""
    if not readings:
        return b"[]"
    base_ms = min(map(AT_MS, readings))
    by_sensor: defaultdict[tuple[str, str], list[Reading]] = defaultdict(list)
    for reading in readings:
        by_sensor[reading.site, reading.sensor].append(reading)
    records: list[Record] = []
    for (site, sensor), own in sorted(by_sensor.items()):
        first = len(records)
        records += [_written(one, base_ms) for one in sorted(own, key=AT_MS)]
        records[first].bn = f"{site}/{sensor}/"
    records[0].bt = _short(base_ms / 1000)
    return _encoder.encode(records)


def _written(reading: Reading, base_ms: int) -> Record:
    record = Record(n=reading.quantity, v=_short(reading.value))
    if reading.at_ms != base_ms:
        record.t = _short((reading.at_ms - base_ms) / 1000)
    return record


def _short(number: float) -> float:
    """A whole number as an int, which is written without its ".0"."""
    return int(number) if number.is_integer() and abs(number) < EXACT_BELOW else number


def joined(packs: Iterable[bytes]) -> bytes:
    """Packs of `encode` and of `Bad` as one, those of `Bad` last: `encode` relies on base fields that nobody has set."""
    return b"[%b]" % b",".join(pack[1:-1] for pack in packs)


def decode(payload: bytes, now_ms: int | None = None) -> Pack:
    """Read a SenML JSON pack; relative times need `now_ms` and are bad without it. Raise BadPayload where it is no pack at all."""
    try:
        records = _records(_quoted(payload))
    except UNREADABLE:
        records = _unquoted(payload)
    return resolve(records, now_ms)


def resolve(records: Iterable[Record | Bad], now_ms: int | None) -> Pack:
    """Apply base fields (RFC 8428 §4.6) and make readings of what is sound; a Bad among `records` has its own JSON as pack."""
    readings: list[Reading] = []
    bad: list[Bad] = []
    base, site, sensor = Base(), "", ""
    for record in records:
        if not isinstance(record, Record):  # asked this way round: isinstance is slow where it says no
            bad.append(Bad(record.reason, _on_base(base, record.pack)))
            continue
        # Asked here and not there: hardly any record has one of them, and a call is a tenth of all that is done with it.
        if (
            record.bn is not None
            or record.bt is not None
            or record.bver != VERSION
            or record.bu is not None
            or record.bv is not None
        ):
            _rebase(base, record)
            site, sensor = _place(base.bn)
        if record.v is None and record.vb is None and not record.n:
            continue  # a record of base fields only
        if site and record.n in QUANTITIES:
            reading = _reading(base, site, sensor, record.n, record, now_ms)
        else:
            reading = _named(base, record, now_ms)
        if isinstance(reading, Reading):
            readings.append(reading)
        else:
            bad.append(Bad(reading, _alone(base, record)))
    return Pack(readings, bad)


def _rebase(base: Base, record: Record) -> None:
    if record.bver > VERSION:
        raise BadPayload(f"SenML version {record.bver}, we read {VERSION}")
    if record.bn is not None:
        base.bn = record.bn[:MAX_BASE]
    if record.bt is not None:
        base.bt = record.bt
    if record.bu is not None:
        base.bu = record.bu[:MAX_BASE]
    if record.bv is not None:
        base.bv = record.bv


def _named(base: Base, record: Record, now_ms: int | None) -> Reading | str:
    """Where base name and name meet elsewhere than before the quantity."""
    name = base.bn + record.n
    place, _, quantity = name.rpartition("/")
    site, sensor = _place(f"{place}/")
    if not site:
        return f"the name {name[:MAX_NAME]!r} is not <site>/<sensor>/<quantity>"
    if quantity not in QUANTITIES:
        return f"unknown quantity {quantity[:64]!r}"
    return _reading(base, site, sensor, quantity, record, now_ms)


def _reading(base: Base, site: str, sensor: str, quantity: str, record: Record, now_ms: int | None) -> Reading | str:
    """A reading, or why there is none: an error that is raised costs more than all else that is done with a record."""
    unit = record.u or base.bu
    if unit and unit != QUANTITIES[quantity].unit:
        return f"{quantity} is measured in {QUANTITIES[quantity].unit}, not {unit[:32]!r}"
    if isinstance(record.v, float):
        value = record.v + base.bv
    elif record.vb is not None:
        value = float(record.vb)
    else:
        return "no number in v, no boolean in vb"
    if not isfinite(value):
        return "the value is not finite"
    time_s = base.bt + record.t
    if RELATIVE_BELOW_S <= time_s < MAX_TIME_S:
        return Reading(site, sensor, quantity, round(time_s * 1000), value)
    at_ms = _relative_ms(time_s, now_ms)
    return at_ms if isinstance(at_ms, str) else Reading(site, sensor, quantity, at_ms, value)


@functools.lru_cache(MAX_PLACES)
def _place(name: str) -> tuple[str, str]:
    """Site and sensor of `<site>/<sensor>/`, both empty where it is something else."""
    parts = name.split("/")
    if len(parts) != 3 or parts[2] or not (is_id(parts[0]) and is_id(parts[1])):
        return "", ""
    return sys.intern(parts[0]), sys.intern(parts[1])  # there is one `gateway` for each of ten thousand


def _relative_ms(time_s: float, now_ms: int | None) -> int | str:
    if not abs(time_s) < MAX_TIME_S:
        return "the time is beyond the year 2100"
    if now_ms is None:
        return "the time is relative: a repeated batch would be another point"
    return now_ms + round(time_s * 1000)


def _alone(base: Base, record: Record) -> bytes:
    """A pack of `record` with all that it rests on in itself."""
    record.bn, record.bt, record.bu, record.bv = base.bn, base.bt, base.bu, base.bv
    return _encoder.encode((record,))


def _on_base(base: Base, own: bytes) -> bytes:
    return b"[%b,%b]" % (_encoder.encode(base), own)


def _records(payload: bytes) -> Iterable[Record | Bad]:
    try:
        return _bounded(_fast.decode(payload))
    except (msgspec.ValidationError, UnicodeDecodeError):
        return _one_by_one(_bounded(_raw.decode(payload)))


def _quoted(payload: bytes) -> bytes:
    """Make texts of the words that JSON does not have and many a sender writes all the same (Python's json does)."""
    # A single letter is found in a fiftieth of the time of a word, and hardly any pack has one of these.
    starts = [at for at in (payload.find(b"N"), payload.find(b"I")) if at > 0]
    if not starts:
        return payload
    first = min(starts) - 1  # a minus may stand before it
    odd = payload[first:].replace(b"NaN", b'"NaN"').replace(b"Infinity", b'"Infinity"').replace(b'-"Infinity"', b'"-Infinity"')
    return payload[:first] + odd


def _unquoted(payload: bytes) -> Iterable[Record | Bad]:
    """Read a pack as it is, which may have had such a word within a text."""
    try:
        return _records(payload)
    except msgspec.ValidationError as cause:
        raise BadPayload(f"no SenML pack: {cause}") from cause
    except UNREADABLE as cause:
        raise BadPayload(f"not JSON: {cause}") from cause


def _bounded(records: list[T]) -> list[T]:
    if len(records) > MAX_RECORDS:
        raise BadPayload(f"more than {MAX_RECORDS} records")
    return records


def _one_by_one(records: Iterable[msgspec.Raw]) -> Iterator[Record | Bad]:
    for record in records:
        try:
            yield _record.decode(record)
        except UNREADABLE as cause:
            yield Bad(f"no record: {cause}", bytes(record))
            yield _base_alone(record)


def base_alone(bad: Mapping[str, Any]) -> Record:
    """The base fields of a bad record; a spoilt one spoils the records after it, for they must not rest on an older one."""
    bn, bt, bu, bv = (bad.get(label) for label in ("bn", "bt", "bu", "bv"))
    return Record(bn=_text(bn), bt=_number(bt), bu=_text(bu), bv=_number(bv))


def _base_alone(raw: msgspec.Raw) -> Record:
    try:
        return base_alone(_fields.decode(raw) if bytes(raw).startswith(b"{") else {})
    except UNREADABLE:
        return Record(bn=SPOILT, bt=SPOILT_NUMBER, bu=SPOILT, bv=SPOILT_NUMBER)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else SPOILT


def _number(value: Any) -> float | None:
    is_number = type(value) in (int, float) and abs(value) < SPOILT_NUMBER  # no bool; an int may be too long for a float
    return None if value is None else float(value) if is_number else SPOILT_NUMBER
