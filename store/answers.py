"""What every store answers, and how much of it."""

import msgspec

from hoflicht.errors import BadPayload
from hoflicht.reading import Reading

MAX_READ = 1_000_000  # readings in one answer: some 150 MB of memory; a yard makes about 60 000 a day
MAX_STEPS = 50_000  # means in one answer: more points than any plot has pixels


class Rejected(msgspec.Struct, frozen=True):
    """A reading that the store will never take, and why, in the store's own words."""

    reading: Reading
    reason: str


def bounded_steps(start_ms: int, end_ms: int, step_ms: int) -> None:
    """Raise BadPayload where [start, end) has too many steps for one answer."""
    if (end_ms - start_ms) // step_ms > MAX_STEPS:
        raise BadPayload(f"more than {MAX_STEPS} steps; ask for longer ones")


def bounded_readings(count: int, site: str) -> None:
    """Raise BadPayload where `count` readings are too many for one answer."""
    if count > MAX_READ:
        raise BadPayload(f"more than {MAX_READ} readings of {site}; ask for a shorter time")
