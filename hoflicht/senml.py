"""Readings as SenML (RFC 8428): JSON on MQTT, the same records as CBOR in node frames.

A record's full name is `<site>/<sensor>/<quantity>`; base name, time, value and unit apply from their record on (§4.1). The unit
follows from the quantity and is left out when we write; where a sender gives one it must be the table's. A pack is read record by
record: a bad record is handed back with its reason and costs the good ones nothing.
"""

import functools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hoflicht.errors import BadPayload
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading, is_id

CONTENT_TYPE = "application/senml+json"
MAX_RECORDS = 10_000  # in one pack; a batch of ours has at most 500
VERSION = 10  # RFC 8428 §4.4: a pack of a later version must be refused
RELATIVE_BELOW_S = 2**28  # §4.5.3: a smaller time counts from now
MAX_NAMES = 100_000  # remembered as sound; a city of 5000 lamps has about 50 000, some 30 MB
MAX_TIME_S = 4_102_444_800.0  # the year 2100: no clock of ours says so, and milliseconds stay exact in a float


class Record(msgspec.Struct, omit_defaults=True, gc=False):
    """One SenML record as it stands on the wire; the labels of RFC 8428 table 1 that carry a number or a boolean."""

    bver: int = VERSION
    bn: str | None = None
    bt: float | None = None
    bu: str | None = None
    bv: float | None = None
    n: str = ""
    u: str | None = None
    v: float | None = None
    vb: bool | None = None
    t: float = 0.0


class Bad(msgspec.Struct, frozen=True):
    """A record that is no reading: why, and a pack of that one record which can be decoded again."""

    reason: str
    pack: bytes


class Pack(msgspec.Struct, frozen=True):
    """What a payload held, in its order."""

    readings: list[Reading]
    bad: list[Bad]


_encoder = msgspec.json.Encoder()
_fast = msgspec.json.Decoder(list[Record])
_slow = msgspec.json.Decoder(list[dict[str, Any]])


def encode(readings: Sequence[Reading]) -> bytes:
    """Write `readings` as one SenML JSON pack, grouped by site and sensor, times relative to the earliest."""
    if not readings:
        return b"[]"
    base_ms = min(reading.at_ms for reading in readings)
    records: list[Record] = []
    name = None
    for reading in sorted(readings, key=lambda r: (r.site, r.sensor, r.at_ms)):
        prefix = f"{reading.site}/{reading.sensor}/"
        records.append(
            Record(
                bn=prefix if prefix != name else None,
                bt=None if records else base_ms / 1000,
                n=reading.quantity,
                v=reading.value,
                t=(reading.at_ms - base_ms) / 1000,
            )
        )
        name = prefix
    return _encoder.encode(records)


def decode(payload: bytes, now_ms: int | None = None) -> Pack:
    """Read a SenML JSON pack; relative times need `now_ms` and are bad without it. Raise BadPayload where it is no pack at all."""
    try:
        records: list[Any] = _fast.decode(payload)
    except msgspec.ValidationError:
        records = _decode_one_by_one(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise BadPayload(f"not JSON: {cause}") from cause
    return resolve(records, now_ms)


def resolve(records: Iterable[Record | Bad], now_ms: int | None) -> Pack:
    """Apply base fields (RFC 8428 §4.6) and make readings of what is sound."""
    readings: list[Reading] = []
    bad: list[Bad] = []
    base = Record(bn="", bt=0.0, bv=0.0)
    for count, record in enumerate(records, start=1):
        if count > MAX_RECORDS:
            raise BadPayload(f"more than {MAX_RECORDS} records")
        if isinstance(record, Bad):
            bad.append(record)
            continue
        _rebase(base, record)
        if record.v is None and record.vb is None and not record.n:
            continue  # a record of base fields only
        try:
            readings.append(_reading(base, record, now_ms))
        except BadPayload as cause:
            bad.append(Bad(str(cause), _alone(base, record)))
    return Pack(readings, bad)


def _rebase(base: Record, record: Record) -> None:
    if record.bver > VERSION:
        raise BadPayload(f"SenML version {record.bver}, we read {VERSION}")
    if record.bn is not None:
        base.bn = record.bn
    if record.bt is not None:
        base.bt = record.bt
    if record.bu is not None:
        base.bu = record.bu
    if record.bv is not None:
        base.bv = record.bv


def _reading(base: Record, record: Record, now_ms: int | None) -> Reading:
    site, sensor, quantity = _key(f"{base.bn}{record.n}")
    unit = record.u or base.bu
    if unit is not None and unit != QUANTITIES[quantity].unit:
        raise BadPayload(f"{quantity} is measured in {QUANTITIES[quantity].unit}, not {unit[:32]!r}")
    if record.vb is not None:
        value = float(record.vb)
    elif record.v is not None:
        value = record.v + (base.bv or 0.0)
    else:
        raise BadPayload("no number in v, no boolean in vb")
    if not math.isfinite(value):
        raise BadPayload("the value is not finite")
    return Reading(site, sensor, quantity, _at_ms(base.bt or 0.0, record.t, now_ms), value)


@functools.lru_cache(MAX_NAMES)
def _key(name: str) -> tuple[str, str, str]:
    parts = name.split("/")
    if len(parts) != 3 or not (is_id(parts[0]) and is_id(parts[1])):
        raise BadPayload(f"the name {name[:200]!r} is not <site>/<sensor>/<quantity>")
    if parts[2] not in QUANTITIES:
        raise BadPayload(f"unknown quantity {parts[2][:64]!r}")
    return parts[0], parts[1], parts[2]


def _at_ms(base_s: float, t_s: float, now_ms: int | None) -> int:
    time_s = base_s + t_s
    if not abs(time_s) < MAX_TIME_S:
        raise BadPayload("the time is beyond the year 2100")
    at_ms = round(time_s * 1000)
    if time_s >= RELATIVE_BELOW_S:
        return at_ms
    if now_ms is None:
        raise BadPayload("the time is relative: a repeated batch would be another point")
    return now_ms + at_ms


def _alone(base: Record, record: Record) -> bytes:
    own = {field: getattr(record, field) for field in ("n", "u", "v", "vb", "t")}
    return _encoder.encode([Record(bn=base.bn, bt=base.bt, bu=base.bu, bv=base.bv or None, **own)])


def _decode_one_by_one(payload: bytes) -> list[Record | Bad]:
    try:
        raws = _slow.decode(payload)
    except msgspec.DecodeError as cause:
        raise BadPayload(f"no SenML pack: {cause}") from cause
    records: list[Record | Bad] = []
    base: dict[str, Any] = {}
    for raw in raws:
        base |= {label: raw[label] for label in ("bn", "bt", "bu", "bv") if label in raw}
        try:
            records.append(msgspec.convert(raw, Record))
        except msgspec.ValidationError as cause:
            records.append(Bad(f"a wrong type: {cause}", _encoder.encode([base | raw])))
            records += _base_alone(raw)
    return records


def _base_alone(raw: dict[str, Any]) -> list[Record | Bad]:
    """Keep the sound base fields of a bad record, for the records after it rest on them."""
    try:
        return [msgspec.convert({label: raw[label] for label in ("bn", "bt", "bu", "bv") if label in raw}, Record)]
    except msgspec.ValidationError:
        return []  # the following records then rest on an older base or none, and fail by name or time
