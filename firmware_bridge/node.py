"""Our own nodes: microcontrollers that name their sensors themselves, many of them on one line. Specified in docs/node-frame.md.

A frame is COBS-stuffed between zero bytes: version, node, sequence, SenML records in CBOR (RFC 8428 §6), CRC-32; big endian.
The one door to cbor2.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import cbor2
import msgspec

from firmware_bridge.frames import Found, Frame, Noise, Resync, Sample, implausible
from hoflicht import senml
from hoflicht.errors import BadPayload

VERSION = 1
MAX_FRAME = 512  # bytes on the wire between two zeros: a microcontroller holds two of them, and at 9600 baud it takes half a second
HEAD, TAIL = 5, 4
MAX_AGE_MS = 24 * 3_600_000  # an event that a node kept for longer tells more about its clock than about the street
MAX_DEPTH = 3  # pack, record, value
UNNAMED = "unnamed"  # stands for the site that the port's configuration knows
LABELS = {-1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", 0: "n", 1: "u", 2: "v", 4: "vb", 6: "t"}  # RFC 8428 table 4
NAME, VALUE, TIME = 0, 2, 6


class Decoder(Resync[Frame]):
    """Node frames, with sensor and site as the node names them.

    CRC-32 finds every corruption of up to 32 bits in a row and misses one in four billion of the longer ones. A record that is no
    sample, or outside its plausible range, is given up alone, as a Noise without bytes. A frame that comes twice counts once.
    """

    def __init__(self) -> None:
        super().__init__(self._segment)
        self._last: dict[int, tuple[int, bytes]] = {}  # node: sequence and CRC; a node's number has 16 bits, so at most 65 536

    def _segment(self, data: bytes, at: int) -> Found[Frame] | str | None:
        end = data.find(0, at, at + MAX_FRAME + 1)
        if end < 0:
            return None if len(data) - at <= MAX_FRAME else Found(MAX_FRAME, (Noise(data[at : at + MAX_FRAME], "no end"),))
        length = end + 1 - at
        if length == 1:
            return Found(1)
        try:
            return Found(length, tuple(self._items(cobs_unstuff(data[at:end]))))
        except BadPayload as cause:
            return Found(length, (Noise(data[at : end + 1], str(cause)),))

    def _items(self, frame: bytes) -> Iterator[Frame | Noise]:
        if len(frame) < HEAD + TAIL:
            raise BadPayload("too short")
        if zlib.crc32(frame[:-TAIL]).to_bytes(TAIL, "big") != frame[-TAIL:]:
            raise BadPayload("wrong CRC")
        if frame[0] != VERSION:
            raise BadPayload(f"version {frame[0]}, we read {VERSION}")
        samples, given_up = _samples(frame[HEAD:-TAIL])
        node, sequence = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
        before, self._last[node] = self._last.get(node), (sequence, frame[-TAIL:])
        if before == self._last[node]:
            yield Frame()
            return
        yield Frame(tuple(samples), _lost(before[0], sequence) if before else 0)
        yield from given_up


def encode(node: int, sequence: int, samples: Sequence[Sample]) -> bytes:
    """The frame that node number `node` sends, zeros at both ends; raise BadPayload where it cannot say this in one frame."""
    body = cbor2.dumps([_record(sample) for sample in samples], canonical=True)  # canonical: numbers as short as they go
    frame = bytes((VERSION,)) + node.to_bytes(2, "big") + sequence.to_bytes(2, "big") + body
    stuffed = cobs_stuff(frame + zlib.crc32(frame).to_bytes(TAIL, "big"))
    if len(stuffed) > MAX_FRAME:
        raise BadPayload(f"{len(stuffed)} bytes with {len(samples)} samples, a frame has at most {MAX_FRAME}")
    return b"\0" + stuffed + b"\0"


def cobs_stuff(data: bytes) -> bytes:
    """Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): no zero in the result, one byte more in 254."""
    stuffed = bytearray()
    rest = data + b"\0"  # the zero that the end of the frame stands for
    while rest:
        length = min(rest.index(0), 254)
        stuffed.append(length + 1)
        stuffed += rest[:length]
        rest = rest[length + (length < 254) :]
    return bytes(stuffed)


def cobs_unstuff(stuffed: bytes) -> bytes:
    """Undo `cobs_stuff`; raise BadPayload where a block runs over the end. `stuffed` holds no zero."""
    data = bytearray()
    at = 0
    while at < len(stuffed):
        code = stuffed[at]
        block = stuffed[at + 1 : at + code]
        if len(block) < code - 1:
            raise BadPayload("a COBS block runs over the end")
        data += block
        at += code
        if code < 255 and at < len(stuffed):
            data.append(0)
    return bytes(data)


def _lost(before: int, sequence: int) -> int:
    """Frames missing in between. Zero comes after a restart; a step back is a frame that was overtaken, not a loss of thousands."""
    missing = (sequence - before - 1) & 0xFFFF
    return missing if sequence != 0 and missing < 0x8000 else 0


def _record(sample: Sample) -> dict[int, str | float]:
    if not sample.sensor:
        raise BadPayload(f"{sample.quantity}: a node names its sensors")
    name = "/".join(filter(None, (sample.site, sample.sensor, sample.quantity)))
    record: dict[int, str | float] = {NAME: name, VALUE: int(sample.value) if sample.value.is_integer() else sample.value}
    if sample.age_ms:
        record[TIME] = -sample.age_ms / 1000
    return record


def _samples(body: bytes) -> tuple[list[Sample], list[Noise]]:
    if _end_of_item(body, 0, MAX_DEPTH) != len(body):
        raise BadPayload("the CBOR ends before or after the frame does")
    try:
        pack = senml.resolve(_records(cbor2.loads(body)), now_ms=0)
    except (cbor2.CBORDecodeError, msgspec.ValidationError) as cause:
        raise BadPayload(f"no SenML pack: {cause}") from cause
    samples = []
    given_up = [Noise(b"", bad.reason) for bad in pack.bad]
    for reading in pack.readings:
        reason = implausible(reading.quantity, reading.value)
        if not -MAX_AGE_MS <= reading.at_ms <= 0:
            reason = f"{reading.quantity}: t {reading.at_ms / 1000:g} s is not within the last day"
        if reason:
            given_up.append(Noise(b"", reason))
            continue
        site = "" if reading.site == UNNAMED else reading.site
        samples.append(Sample(reading.quantity, reading.value, reading.sensor, site, -reading.at_ms))
    return samples, given_up


def _records(pack: Any) -> Iterator[senml.Record]:
    """SenML records with their whole names, site included: nodes may leave it out."""
    base = ""
    for labelled in msgspec.convert(pack, list[dict[int, Any]]):
        known = {LABELS[label]: value for label, value in labelled.items() if label in LABELS}
        try:
            record = msgspec.convert(known, senml.Record)
        except msgspec.ValidationError as cause:
            record = senml.unread(f"a wrong type: {cause}", b"", known)
        base = base if record.bn is None else record.bn
        if record.v is not None or record.vb is not None or record.n:
            name = base + record.n
            record.n = name if name.count("/") != 1 else f"{UNNAMED}/{name}"
        record.bn = ""
        yield record


def _end_of_item(body: bytes, at: int, depth: int) -> int:
    """Where the CBOR item at `at` ends; raise BadPayload for anything but short plain items.

    CBOR can hold numbers that take hours to compute, arrays of 2**60 items and nesting without end (RFC 8949 §10); a SenML pack
    needs arrays, maps, texts, numbers and booleans of a stated length.
    """
    if at >= len(body) or depth == 0:
        raise BadPayload("CBOR that is cut short or nested too deep")
    major, argument = body[at] >> 5, body[at] & 31
    size = (1 << (argument - 24)) if 24 <= argument <= 27 else 0
    if argument > 27 or major in (2, 6) or (major == 7 and argument not in (20, 21, 25, 26, 27)):
        raise BadPayload("CBOR that no SenML pack needs")
    count = int.from_bytes(body[at + 1 : at + 1 + size], "big") if size else argument
    at += 1 + size
    if at > len(body) or (major in (3, 4, 5) and count > len(body)):
        raise BadPayload("CBOR that is cut short")
    if major == 3:
        return at + count
    for _ in range({4: count, 5: 2 * count}.get(major, 0)):
        at = _end_of_item(body, at, depth - 1)
    return at
