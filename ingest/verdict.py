"""What of a pack may be stored, and what is set aside with its reasons."""

from collections.abc import Sequence, Set

import msgspec

from hoflicht import senml
from hoflicht.reading import Reading
from ingest.checks import Checks, Complaint, Fault
from store.answers import Rejected

MAX_REASONS = 20  # that are kept of one batch: enough to see what is wrong; `hoflicht quarantine show` finds each reading's anew


class Faulty(msgspec.Struct, frozen=True, gc=False):
    """What of one batch is not stored, as bytes: a pack that can be decoded again, or what came where it was no pack at all.

    Faults and reasons stand once each, in order, so that the same pack has the same ones again.
    """

    faults: tuple[Fault, ...]
    reasons: tuple[str, ...]
    pack: bytes


class Verdict(msgspec.Struct, frozen=True):
    """The halves of a pack: what may be stored, and what may not or is no reading; `nonsense` where it is no pack at all."""

    readings: list[Reading] = []
    wrong: list[Reading] = []
    complaints: Set[Complaint] = frozenset()  # about `wrong`
    bad: list[senml.Bad] = []
    nonsense: Faulty | None = None

    def faulty(self) -> Faulty | None:
        """What is set aside; apart from `judge`, because the store need not wait for it."""
        if not (self.wrong or self.bad):
            return self.nonsense
        no_readings = {Complaint(Fault.NOT_A_READING, one.reason) for one in self.bad}
        packs = [senml.encode(self.wrong)] if self.wrong else []
        return _faulty(self.complaints | no_readings, senml.joined([*packs, *(one.pack for one in self.bad)]))


def judge(checks: Checks, gateway: str, payload: bytes, now_ms: int) -> Verdict:
    """Sort what `gateway` sent in the SenML pack `payload`; raise BadPayload where it is no pack at all."""
    pack = senml.decode(payload)
    readings: list[Reading] = []
    wrong: list[Reading] = []
    complaints: set[Complaint] = set()
    for reading in pack.readings:
        complaint = checks.complaint(gateway, reading, now_ms)
        if complaint is None:
            readings.append(reading)
        else:
            wrong.append(reading)
            complaints.add(complaint)
    return Verdict(readings, wrong, complaints, pack.bad)


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
