"""What a sensor said, at a time on this machine's own scale; the wall clock is asked only when it goes to disk.

A gateway without a battery clock runs for a while before its clock is set, and the setting is a jump of decades. Between a byte's
arrival and the disk lies up to a second, so that a wall-clock time taken on arrival could be one from before the jump.
"""

import msgspec

from firmware_bridge.frames import Sample
from hoflicht.quantities import QUANTITIES, Kind
from hoflicht.reading import is_id

MAX_AGE_MS = 7 * 86_400_000  # a node keeps events for hours at most; more is a broken counter
# Of each kind, far more than fall into the time that a clock may be set back by; a hundred bytes each. What is told once a minute
# hardly ever meets another one's millisecond.
REMEMBERED = {Kind.EVENT: 2_048, Kind.STATE: 512, Kind.SAMPLE: 512}


class Observation(msgspec.Struct, frozen=True, gc=False):
    """A reading before its time stamp: `seen_ms` counts from the machine's boot (Clock.monotonic_ms)."""

    site: str
    sensor: str
    quantity: str
    seen_ms: int
    value: float


def is_sound(sample: Sample, site: str, sensor: str) -> bool:
    """Tell whether `sample` can be a reading: a known quantity, a value in its range, names that are ids, a possible age.

    `site` and `sensor` are the port's, for devices that do not name themselves.
    """
    quantity = QUANTITIES.get(sample.quantity)
    if quantity is None or not quantity.low <= sample.value <= quantity.high:  # NaN is in no range
        return False
    return is_id(sample.site or site) and is_id(sample.sensor or sensor) and 0 <= sample.age_ms <= MAX_AGE_MS


def observe(sample: Sample, site: str, sensor: str, arrived_ms: int) -> Observation:
    """What a sound `sample` says, at the time when it happened."""
    seen_ms = arrived_ms - sample.age_ms
    return Observation(sample.site or site, sample.sensor or sensor, sample.quantity, seen_ms, sample.value)


class Distinct:
    """Moves an observation by a millisecond where an equal one has been: two cars must not become one point.

    Nor must two values: bytes that waited in the kernel are read at one instant, and of a lane that was free and is not, that batch
    would be the truth that was sent last, perhaps again.
    """

    def __init__(self, kind: Kind) -> None:
        self._most = REMEMBERED[kind]
        # Hashes take a third of the memory; where two things share one, a millisecond is passed over for nothing.
        self._seen: dict[int, None] = {}

    def at_ms(self, observation: Observation, at_ms: int) -> int:
        """The first free millisecond from `at_ms` on for this site, sensor and quantity."""
        while (key := hash((observation.site, observation.sensor, observation.quantity, at_ms))) in self._seen:
            at_ms += 1
        self._seen[key] = None
        if len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]
        return at_ms
