"""What of a pack may be stored, and what is set aside, each part with its reason."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from hoflicht import senml
from hoflicht.reading import Reading
from ingest.checks import Checks, Complaint, Fault
from store.answers import Rejected

MAX_PARTS = 20  # faulty packs of one batch; a sensor gone mad must not cost thousands of rows


class Faulty(msgspec.Struct, frozen=True, gc=False):
    """Something that is not stored, as bytes: a pack that can be decoded again, or what came where it was no pack at all."""

    fault: Fault
    reason: str
    pack: bytes


class Verdict(msgspec.Struct, frozen=True):
    """The halves of a pack: what may be stored, and what may not or is no reading; `nonsense` where it is no pack at all."""

    readings: list[Reading] = []
    wrong: Mapping[Complaint, list[Reading]] = {}
    bad: list[senml.Bad] = []
    nonsense: tuple[Faulty, ...] = ()

    def faulty(self) -> list[Faulty]:
        """What is set aside, a pack for each reason; apart from `judge`, because the store need not wait for it."""
        faulty = [*self.nonsense, *_packed(self.wrong), *_no_readings(self.bad)]
        if len(faulty) <= MAX_PARTS:
            return faulty
        reason = f"{faulty[0].reason} (one of many faults in this batch)"
        return [Faulty(faulty[0].fault, reason, senml.joined(one.pack for one in faulty))]


def judge(checks: Checks, gateway: str, payload: bytes, now_ms: int) -> Verdict:
    """Sort what `gateway` sent in the SenML pack `payload`; raise BadPayload where it is no pack at all."""
    pack = senml.decode(payload)
    readings: list[Reading] = []
    wrong: defaultdict[Complaint, list[Reading]] = defaultdict(list)
    for reading in pack.readings:
        complaint = checks.complaint(gateway, reading, now_ms)
        if complaint is None:
            readings.append(reading)
        else:
            wrong[complaint].append(reading)
    return Verdict(readings, wrong, pack.bad)


def refused(rejected: Iterable[Rejected]) -> list[Faulty]:
    """What the store handed back."""
    wrong: defaultdict[Complaint, list[Reading]] = defaultdict(list)
    for one in rejected:
        wrong[Complaint(Fault.REFUSED_BY_STORE, one.reason)].append(one.reading)
    return _packed(wrong)


def _packed(wrong: Mapping[Complaint, list[Reading]]) -> list[Faulty]:
    """One pack for each reason."""
    return [Faulty(*complaint, senml.encode(readings)) for complaint, readings in wrong.items()]


def _no_readings(bad: Iterable[senml.Bad]) -> list[Faulty]:
    """One pack for each reason."""
    alike: defaultdict[str, list[bytes]] = defaultdict(list)
    for one in bad:
        alike[one.reason].append(one.pack)
    return [Faulty(Fault.NOT_A_READING, reason, senml.joined(packs)) for reason, packs in alike.items()]
