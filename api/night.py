"""How long it is dark: the hours for which a lamp that nobody dims burns."""

import datetime as dt

from astral import Observer, sun

HOUR_MS = 3_600_000
STEP_MS = 5 * 60_000  # of the sum; over a month the error is some minutes
DUSK_DEG = -2.0  # as a program's, unless it says otherwise: hoflicht.program


def sun_deg(lat: float, lon: float, at_ms: int) -> float:
    """How high the centre of the sun stands, without refraction."""
    return sun.elevation(Observer(lat, lon), dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC), with_refraction=False)


def dark_h(lat: float, lon: float, start_ms: int, end_ms: int) -> float:
    """Hours of [start, end) in which lamps burn from dusk to dawn."""
    middles = range(start_ms + STEP_MS // 2, end_ms, STEP_MS)
    return sum(sun_deg(lat, lon, at_ms) < DUSK_DEG for at_ms in middles) * STEP_MS / HOUR_MS
