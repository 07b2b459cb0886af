"""What of a pack may be stored, and what is set aside with its reasons."""

import functools
from collections.abc import Sequence, Set
from typing import NamedTuple

import msgspec

from hoflicht import senml
from hoflicht.reading import Reading
from ingest.checks import MAX_FOREIGN, Checks, Complaint, Fault
from store.answers import Rejected

MAX_REASONS = 20  # that are kept of one batch: enough to see what is wrong; `hoflicht quarantine show` finds each reading's anew


class Faulty(msgspec.Struct, frozen=True, gc=False):
    """What of one batch is not stored, as bytes: a pack that can be decoded again, or what came where it was no pack at all.

    Faults and reasons stand once each, in order, so that the same pack has the same ones again.
    """

    faults: tuple[Fault, ...]
    reasons: tuple[str, ...]
    pack: bytes


class Aside(msgspec.Struct, frozen=True, gc=False):
    """What is set aside of a batch, as it came: `wrong` of a pack, or a `payload` that is none."""

    complaints: Set[Complaint]
    wrong: Sequence[senml.Odd] = ()
    payload: bytes = b""

    def faulty(self) -> Faulty:
        """The same as bytes; apart from `judge`, because the store need not wait for it."""
        return _faulty(self.complaints, senml.packed(self.wrong) if self.wrong else self.payload)


class Verdict(NamedTuple):
    """The halves of a pack: what may be stored, and what may not, if there is any."""

    readings: list[Reading]
    aside: Aside | None

    def faulty(self) -> Faulty | None:
        """What is set aside."""
        return None if self.aside is None else self.aside.faulty()


def judge(checks: Checks, gateway: str, payload: bytes, now_ms: int) -> Verdict:
    """Sort what `gateway` sent in the SenML pack `payload`; raise BadPayload where it is no pack at all."""
    readings, odd = senml.sift(payload, checks.lets(gateway, now_ms))
    return Verdict(readings, _sorted(checks, gateway, readings, odd, now_ms) if odd else None)


def _sorted(checks: Checks, gateway: str, readings: list[Reading], odd: Sequence[senml.Odd], now_ms: int) -> Aside | None:
    """What of `odd` is wrong; what is not goes to `readings`."""
    wrong: list[senml.Odd] = []
    complaints: set[Complaint] = set()
    for one in odd:
        complaint = _no_reading(one.reason) if one.reading is None else checks.complaint(gateway, one.reading, now_ms)
        if complaint is not None:
            wrong.append(one)
            complaints.add(complaint)
        elif one.reading is not None:
            readings.append(one.reading)
    return Aside(complaints, wrong) if wrong else None


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
    reasons = sorted(one.reason for one in complaints)
    if len(reasons) > MAX_REASONS:
        reasons[MAX_REASONS:] = [f"{len(reasons) - MAX_REASONS} more"]
    return Faulty(tuple(sorted({one.fault for one in complaints})), tuple(reasons), pack)
