"""What is seen waits in memory for company, and goes to disk in one commit and to ingest in one batch.

A commit costs a memory card as much as hundreds of readings, and a batch with its receipt as much as thirty. So only what somebody
waits for goes on soon, and takes along all that is there; the rest waits up to a minute. It is not accepted before it is on disk: a
power cut takes with it up to a minute of air, weather and power, as it takes the minute that a driver averages over.

    soon                passages; a state that has changed, a fault among them; a lamp's light under an override, and its end
    within SIGN_MS      the sign of life (edge.health), which carries a yard's number for a minute
    within patience     a state that is said again; samples; light that follows program and traffic
"""

from edge.observation import Observation
from hoflicht.quantities import QUANTITIES, Kind
from hoflicht.shadow import Reason

SOON_MS = 500  # a car at the gate is a passage, a free lane and a taken bay within moments; a public number follows within 2 s
SIGN_MS = 10_000  # of the 60 s that a yard's number outlives its gateway, which speaks each 20 s: one sign may still be lost
SIGN = "port_open"
LIGHT = ("level_target", "level_feedback", "level_actual", "light_reason")
MAX_HELD = 500  # as many as one batch takes
MAX_STATES = 10_000  # remembered, some 2 MB; names come from the line, and a state beyond is taken for changed


class Company:
    """Who waits, and until when. Times are monotonic."""

    def __init__(self, patience_ms: int) -> None:
        self._patience_ms = max(patience_ms, SOON_MS)
        self._held: list[Observation] = []
        self._due_ms = 0
        self._states: dict[tuple[str, str, str], float] = {}

    def join(self, seen: Observation, now_ms: int) -> None:
        """Let `seen` wait as long as it may."""
        due_ms = now_ms + min(self._wait_ms(seen), self._patience_ms)
        self._due_ms = min(self._due_ms, due_ms) if self._held else due_ms
        self._held.append(seen)

    def __len__(self) -> int:
        return len(self._held)

    def left_ms(self, now_ms: int) -> int | None:
        """How long they may wait from now on, 0 where they are to go; None where nobody waits."""
        if not self._held:
            return None
        return 0 if len(self._held) >= MAX_HELD else max(0, self._due_ms - now_ms)

    def leave(self) -> list[Observation]:
        """All of them, in the order in which they came; nobody waits any more."""
        held, self._held = self._held, []
        return held

    def _wait_ms(self, seen: Observation) -> int:
        if seen.quantity == SIGN:
            return SIGN_MS
        return SOON_MS if self._is_urgent(seen) else self._patience_ms

    def _is_urgent(self, seen: Observation) -> bool:
        kind = QUANTITIES[seen.quantity].kind
        if kind is not Kind.STATE:
            return kind is Kind.EVENT or (seen.quantity in LIGHT and self._is_overridden(seen))
        before = self._last(seen)
        if seen.quantity in LIGHT:
            return seen.value != before and Reason.OVERRIDE in (seen.value, before)
        return seen.value != before

    def _last(self, seen: Observation) -> float | None:
        """The value that this state had before; `seen` has it from now on."""
        key = (seen.site, seen.sensor, seen.quantity)
        before = self._states.get(key)
        if key in self._states or len(self._states) < MAX_STATES:
            self._states[key] = seen.value
        return before

    def _is_overridden(self, seen: Observation) -> bool:
        return self._states.get((seen.site, seen.sensor, "light_reason")) == Reason.OVERRIDE
