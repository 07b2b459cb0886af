"""Readings as SenML (RFC 8428): JSON on MQTT, the same records as CBOR in node frames.

A record's full name is `<site>/<sensor>/<quantity>`; base name, time, value and unit apply from their record on (§4.1). The unit
follows from the quantity and is left out when we write; where a sender gives one it must be the table's. A pack is read record by
record: a bad record is handed back with its reason and costs the good ones nothing.
"""

import functools
import operator
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Annotated, Any, NamedTuple

import msgspec

from hoflicht.errors import BadPayload
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading, is_id

CONTENT_TYPE = "application/senml+json"
MAX_RECORDS = 10_000  # in one pack; a batch of ours has at most 500
VERSION = 10  # RFC 8428 §4.4: a pack of a later version must be refused
RELATIVE_BELOW_S = 2**28  # §4.5.3: a smaller time counts from now
MAX_PLACES = 10_000  # base names that are remembered as sound or not, some 3 MB; what an ingest lets pass it remembers itself
MAX_NAME = 200  # characters of a name, base name or unit: sound ones are shorter, and what is kept of bad ones is bounded
EXACT_BELOW = 2.0**53  # whole numbers in a float; larger ones are as short with an exponent
MAX_TIME_S = 4_102_444_800.0  # the year 2100: no clock of ours says so, and milliseconds stay exact in a float
# A base field of a wrong type: no name, no unit, no time and beyond every range, so that nothing is taken for another sensor's.
SPOILT, SPOILT_NUMBER = "\0", 1e300
ALL_SPOILT = {"bn": SPOILT, "bt": SPOILT_NUMBER, "bu": SPOILT, "bv": SPOILT_NUMBER}
AT_MS = operator.attrgetter("at_ms")
Ranges = Mapping[str, tuple[float, float]]  # the lowest and the highest value of a quantity
FINITE: Ranges = dict.fromkeys(QUANTITIES, (-sys.float_info.max, sys.float_info.max))
NO_QUANTITY: Ranges = {}
NO_NUMBER = "no number in v, no boolean in vb"
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


class Base(msgspec.Struct, frozen=True, gc=False):
    """What a record rests on."""

    bn: str = ""
    bt: float = 0.0
    bu: str = ""
    bv: float = 0.0


class Unread(Record, gc=False):
    """A record that cannot be read: why, its own JSON, and its base fields, of which a spoilt one spoils the records after it."""

    bver: int = 0  # of no record, so that this one is not taken for one
    reason: str = ""
    own: bytes = b""


class Bad(msgspec.Struct, frozen=True, gc=False):
    """A record that is no reading, and why."""

    reason: str
    base: Base
    record: Record

    @property
    def pack(self) -> bytes:
        """A pack of this one alone, which can be decoded again."""
        return packed([self.base, self.record])


class Pack(msgspec.Struct, frozen=True):
    """What a payload held, each list in its order; a reading with something odd, as a unit, stands after those without."""

    readings: list[Reading]
    bad: list[Bad]


class Place(NamedTuple):
    """Whose records follow a base name; site and sensor are empty where it is none of `<site>/<sensor>/`."""

    site: str
    sensor: str
    ranges: Ranges  # within which a value has nothing odd
    barred: object = None  # why nothing that is said here passes, in the words of who has made the place


NO_PLACE = Place("", "", NO_QUANTITY)
Odd = Record | tuple[Base, Place]  # a record that does not pass; before the first one, what it and those after it rest on


class Pass(NamedTuple):
    """What is a reading with no more to say about it."""

    place: Callable[[str], Place]  # of a base name
    from_s: float
    until_s: float


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


def packed(records: Iterable[Base | Record]) -> bytes:
    """A pack of these, which can be decoded again."""
    return _encoder.encode([msgspec.Raw(one.own) if type(one) is Unread else one for one in records])


def decode(payload: bytes, now_ms: int | None = None) -> Pack:
    """Read a SenML JSON pack; relative times need `now_ms` and are bad without it. Raise BadPayload where it is no pack at all."""
    return resolve(_records(payload), now_ms)


def resolve(records: Iterable[Record], now_ms: int | None) -> Pack:
    """Apply base fields (RFC 8428 §4.6) and make readings of what is sound."""
    readings, odd = _sift(records, ALL)
    pack, base = Pack(readings, []), Base()
    for one in odd:
        if isinstance(one, tuple):
            base, _ = one
        elif isinstance(found := reading_of(base, one, now_ms), Reading):
            readings.append(found)
        else:
            pack.bad.append(Bad(found, base, one))
    return pack


def sift(payload: bytes, lets: Pass) -> tuple[list[Reading], list[Odd]]:
    """Read a SenML JSON pack: what `lets` lets pass, and all else. Raise BadPayload where it is no pack at all."""
    return _sift(_records(payload), lets)


def _sift(records: Iterable[Record], lets: Pass) -> tuple[list[Reading], list[Odd]]:
    """The one loop that every reading goes through; of its own functions it calls none for a record with nothing odd."""
    readings: list[Reading] = []
    odd: list[Odd] = []
    place, from_s, until_s = lets
    base, told, base_s = Base(), None, 0.0
    site, sensor, ranges, _ = at = NO_PLACE
    for one in records:
        if one.bn is not None or one.bt is not None or one.bver != VERSION or one.bu is not None or one.bv is not None:
            if isinstance(one, Unread):
                odd += [(base, at), one]
            base = _rebased(base, one)
            base_s = base.bt
            site, sensor, ranges, _ = at = NO_PLACE if base.bu or base.bv else place(base.bn)
        value = one.v
        if type(value) is float and one.u is None and (bounds := ranges.get(one.n)) is not None:
            low, high = bounds
            if low <= value <= high and from_s <= (time_s := base_s + one.t) <= until_s:
                readings.append(Reading(site, sensor, one.n, round(time_s * 1000), value))
                continue
        if value is not None or one.vb is not None or one.n:  # not of base fields only
            if base is not told:
                told = base
                odd.append((base, at))
            odd.append(one)
    return readings, odd


def _rebased(base: Base, record: Record) -> Base:
    if record.bver > VERSION:
        raise BadPayload(f"SenML version {record.bver}, we read {VERSION}")
    return Base(
        base.bn if record.bn is None else record.bn[:MAX_NAME],
        base.bt if record.bt is None else record.bt,
        base.bu if record.bu is None else record.bu[:MAX_NAME],
        base.bv if record.bv is None else record.bv,
    )


def reading_of(base: Base, record: Record, now_ms: int | None = None) -> Reading | str:
    """A reading, or why there is none: an error that is raised costs more than all else that is done with a record."""
    named = _named(base, record)
    if isinstance(named, str):
        return named
    site, sensor, quantity = named
    unit = record.u or base.bu
    if unit and unit != QUANTITIES[quantity].unit:
        return f"{quantity} is measured in {QUANTITIES[quantity].unit}, not {unit[:32]!r}"
    if isinstance(record.v, float):
        value = record.v + base.bv
    elif record.vb is not None:
        value = float(record.vb)
    else:
        return NO_NUMBER
    if not isfinite(value):
        return "the value is not finite"
    at_ms = _at_ms(base.bt + record.t, now_ms)
    return at_ms if isinstance(at_ms, str) else Reading(site, sensor, quantity, at_ms, value)


def _named(base: Base, record: Record) -> tuple[str, str, str] | str:
    """Site, sensor and quantity."""
    if isinstance(record, Unread):
        return record.reason
    (site, sensor, _, _), quantity = place_of(base.bn), record.n
    if not site or "/" in quantity:  # base name and name meet elsewhere than before the quantity
        name = base.bn + quantity
        place, _, quantity = name.rpartition("/")
        site, sensor, _, _ = place_of(f"{place}/")
        if not site:
            return f"the name {name[:MAX_NAME]!r} is not <site>/<sensor>/<quantity>"
    return (site, sensor, quantity) if quantity in QUANTITIES else f"unknown quantity {quantity[:64]!r}"


def parts_of(name: str) -> tuple[str, str]:
    """Site and sensor of `<site>/<sensor>/`, both empty where it is something else."""
    parts = name.split("/")
    if len(parts) != 3 or parts[2] or not (is_id(parts[0]) and is_id(parts[1])):
        return "", ""
    return sys.intern(parts[0]), sys.intern(parts[1])  # there is one `gateway` for each of ten thousand


@functools.lru_cache(MAX_PLACES)
def place_of(name: str) -> Place:
    """The same, with every number that is one."""
    site, sensor = parts_of(name)
    return Place(site, sensor, FINITE if site else NO_QUANTITY)


ALL = Pass(place_of, RELATIVE_BELOW_S, MAX_TIME_S)


def _at_ms(time_s: float, now_ms: int | None) -> int | str:
    if RELATIVE_BELOW_S <= time_s <= MAX_TIME_S:
        return round(time_s * 1000)
    if not abs(time_s) <= MAX_TIME_S:
        return "the time is beyond the year 2100"
    if now_ms is None:
        return "the time is relative: a repeated batch would be another point"
    return now_ms + round(time_s * 1000)


def _records(payload: bytes) -> Iterable[Record]:
    try:
        return _read(_quoted(payload))
    except UNREADABLE:
        return _unquoted(payload)


def _read(payload: bytes) -> Iterable[Record]:
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


def _unquoted(payload: bytes) -> Iterable[Record]:
    """Read a pack as it is, which may have had such a word within a text."""
    try:
        return _read(payload)
    except msgspec.ValidationError as cause:
        raise BadPayload(f"no SenML pack: {cause}") from cause
    except UNREADABLE as cause:
        raise BadPayload(f"not JSON: {cause}") from cause


def _bounded(records: list[Any]) -> list[Any]:
    if len(records) > MAX_RECORDS:
        raise BadPayload(f"more than {MAX_RECORDS} records")
    return records


def _one_by_one(records: Iterable[msgspec.Raw]) -> Iterator[Record]:
    for record in records:
        try:
            yield _record.decode(record)
        except UNREADABLE as cause:
            yield unread(f"no record: {cause}", bytes(record), _fields_of(record))


def _fields_of(record: msgspec.Raw) -> Mapping[str, Any]:
    try:
        return _fields.decode(record) if bytes(record).startswith(b"{") else {}
    except UNREADABLE:
        return ALL_SPOILT


def unread(reason: str, own: bytes, fields: Mapping[str, Any]) -> Unread:
    """A record that cannot be read; a base field of a wrong type spoils those after it, which must not rest on an older one."""
    bn, bt, bu, bv = (fields.get(label) for label in ("bn", "bt", "bu", "bv"))
    return Unread(bn=_text(bn), bt=_number(bt), bu=_text(bu), bv=_number(bv), reason=reason, own=own)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else SPOILT


def _number(value: Any) -> float | None:
    is_number = type(value) in (int, float) and abs(value) < SPOILT_NUMBER  # no bool; an int may be too long for a float
    return None if value is None else float(value) if is_number else SPOILT_NUMBER
