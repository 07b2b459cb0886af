"""How long it is dark: the hours for which a lamp that nobody dims burns."""

from hoflicht.sky import Place, sun_deg

HOUR_MS = 3_600_000
STEP_MS = 5 * 60_000  # of the sum; over a month the error is some minutes
DUSK_DEG = -2.0  # as a program's, unless it says otherwise: hoflicht.program


def dark_h(place: Place, start_ms: int, end_ms: int) -> float:
    """Hours of [start, end) in which lamps burn from dusk to dawn."""
    middles = range(start_ms + STEP_MS // 2, end_ms, STEP_MS)
    return sum(sun_deg(place, at_ms // 1000) < DUSK_DEG for at_ms in middles) * STEP_MS / HOUR_MS
