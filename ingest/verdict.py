"""What of a pack may be stored, and what is set aside with its reasons."""

import functools
from collections.abc import Callable, Sequence, Set
from typing import NamedTuple

import msgspec

from hoflicht import senml
from hoflicht.reading import Reading
from hoflicht.senml import MAX_TIME_S, NO_PLACE, RELATIVE_BELOW_S, Base, Odd, Pass, Record
from ingest.checks import IN_THE_FUTURE, MAX_FOREIGN, NO_READING, TOO_OLD, Checks, Complaint, Fault, out_of_range
from store.answers import Rejected

MAX_REASONS = 20  # that are kept of one batch: enough to see what is wrong; `hoflicht quarantine show` finds each reading's anew
MAX_SETS, MAX_TOGETHER = 256, 64  # sets of complaints whose order is remembered, some 5 MB: a broken gateway has the same again


class Faulty(msgspec.Struct, frozen=True, gc=False):
    """What of one batch is not stored, as bytes: a pack that can be decoded again, or what came where it was no pack at all.

    Faults and reasons stand once each, in order, so that the same pack has the same ones again.
    """

    faults: tuple[Fault, ...]
    reasons: tuple[str, ...]
    pack: bytes


class Verdict(NamedTuple):
    """The halves of a pack: what may be stored, and what may not, if there is any."""

    readings: list[Reading]
    faulty: Faulty | None


def judge(checks: Checks, gateway: str, payload: bytes, now_ms: int) -> Verdict:
    """Sort what `gateway` sent in the SenML pack `payload`; raise BadPayload where it is no pack at all."""
    lets = checks.lets(gateway, now_ms)
    readings, odd = senml.sift(payload, lets)
    if not odd:
        return Verdict(readings, None)

    def complaint_of(base: Base, record: Record) -> Complaint | None:
        found = senml.reading_of(base, record)
        if isinstance(found, str):
            return _no_reading(found)
        complaint = checks.complaint(gateway, found, now_ms)
        if complaint is None:
            readings.append(found)
        return complaint

    return Verdict(readings, _wrong(odd, lets, complaint_of))


def _wrong(odd: Sequence[Odd], lets: Pass, closer: Callable[[Base, Record], Complaint | None]) -> Faulty | None:
    """What of `odd` is wrong, packed at once: later it would have to come back into the processor's cache.

    What is wrong with a record as ours write them is found here, for a call would cost as much; `closer` looks at all others.
    """
    wrong: list[Base | Record] = []
    complaints: set[Complaint] = set()
    base = told = Base()
    (site, sensor, ranges, _), barred, last = NO_PLACE, None, None
    _, from_s, until_s = lets
    for one in odd:
        if isinstance(one, tuple):
            base, (site, sensor, ranges, why) = one
            barred = why if isinstance(why, Complaint) else None
            continue
        complaint = barred
        if complaint is None and one.u is None and (bounds := ranges.get(one.n)) is not None:
            if type(one.v) is float:
                low, high = bounds
                if not low <= one.v <= high:
                    complaint = out_of_range(site, sensor, one.n)
                elif RELATIVE_BELOW_S <= (time_s := base.bt + one.t) < from_s:
                    complaint = TOO_OLD
                elif until_s < time_s <= MAX_TIME_S:
                    complaint = IN_THE_FUTURE
            elif one.vb is None:
                complaint = NO_READING
        if complaint is None and (complaint := closer(base, one)) is None:
            continue
        if base is not told:
            told = base
            wrong.append(base)
        wrong.append(one)
        if complaint is not last:  # like faults come together
            last = complaint
            complaints.add(complaint)
    return _faulty(complaints, senml.packed(wrong)) if wrong else None


@functools.lru_cache(MAX_FOREIGN)
def _no_reading(reason: str) -> Complaint:
    return Complaint(Fault.NOT_A_READING, reason)


def refused(rejected: Sequence[Rejected]) -> Faulty | None:
    """What the store handed back."""
    if not rejected:
        return None
    complaints = {Complaint(Fault.REFUSED_BY_STORE, one.reason) for one in rejected}
    return _faulty(complaints, senml.encode([one.reading for one in rejected]))


def _faulty(complaints: Set[Complaint], pack: bytes) -> Faulty:
    in_order = _remembered if len(complaints) <= MAX_TOGETHER else _in_order
    return Faulty(*in_order(frozenset(complaints)), pack)


def _in_order(complaints: frozenset[Complaint]) -> tuple[tuple[Fault, ...], tuple[str, ...]]:
    reasons = sorted(one.reason for one in complaints)
    if len(reasons) > MAX_REASONS:
        reasons[MAX_REASONS:] = [f"{len(reasons) - MAX_REASONS} more"]
    return tuple(sorted({one.fault for one in complaints})), tuple(reasons)


_remembered = functools.lru_cache(MAX_SETS)(_in_order)
