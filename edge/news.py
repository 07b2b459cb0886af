"""When a lamp's value is worth a reading: mobile data cost money, and a ramp is not forty of them.

A value is told once it differs from what was told last by the step of its quantity and has been the same for the time of rest, and
otherwise again after a while, so that who looks sees that it still holds. A value that never rests is told as often too.
"""

from collections.abc import Mapping

import msgspec

from hoflicht.faults import FAULTS

HOUR_MS = 3_600_000
LIFE_MS = 300_000  # the level that the driver reports is the sign that the lamp is reached
REST_MS = 2_000  # a ramp moves four times a second, and a question is asked each two


class Rule(msgspec.Struct, frozen=True):
    """What makes a value of a quantity news."""

    step: float
    again_ms: int = HOUR_MS
    rest_ms: int = 0


RULES: Mapping[str, Rule] = {
    "level_target": Rule(0.05),
    "light_reason": Rule(1),
    "level_feedback": Rule(0.05, rest_ms=REST_MS),
    "level_actual": Rule(0.05, LIFE_MS, REST_MS),
    # A lamp at 50 W takes these steps in five to twelve minutes.
    "active_power": Rule(1.0),
    "energy_import": Rule(0.01),
    "voltage": Rule(2.0),
    "temperature": Rule(2.0),
    "power_factor": Rule(0.02),
    "operating_hours": Rule(1.0),
    "lamp_starts": Rule(1),
    "life_left": Rule(0.1),
    **dict.fromkeys(FAULTS, Rule(1)),
}


class _Told(msgspec.Struct):
    value: float | None = None
    at_ms: int = 0
    next: float | None = None
    since_ms: int = 0


class News:
    """What was told of one lamp."""

    def __init__(self) -> None:
        self._told = {quantity: _Told() for quantity in RULES}

    def take(self, quantity: str, value: float, now_ms: int) -> int | None:
        """Take the present value and tell since when it is so; None where it is no news."""
        rule, told = RULES[quantity], self._told[quantity]
        if value != told.next:
            told.next, told.since_ms = value, now_ms
        is_other = told.value is None or abs(value - told.value) >= rule.step
        is_late = told.value is not None and now_ms - told.at_ms >= rule.again_ms
        if not is_late and not (is_other and now_ms - told.since_ms >= rule.rest_ms):
            return None
        told.value, told.at_ms = value, now_ms
        return told.since_ms if is_other else now_ms
