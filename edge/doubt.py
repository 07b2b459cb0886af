"""After noise on a line a frame with a good checksum may still be a false one: it counts once another one says about the same."""

from collections.abc import Iterator

import msgspec

from firmware_bridge.frames import Frame
from hoflicht.quantities import QUANTITIES

# Good frames after noise until the line is clean again. Text is the weakest: six bits of a report make a digit another one and
# leave no noise, while 350 bits of a line do, the mean of reports and shorter echoes. Where a share p of the bits is wrong, that
# and so many lines without noise before it happen to 6 p exp(-35 000 p) of the reports: one in 16 000 at most (p = 1/35 000).
DOUBTFUL_FRAMES = 100


class Tolerance(msgspec.Struct, frozen=True):
    """By how much neighbouring frames may differ: `absolute` in the unit, and a share of the larger value."""

    absolute: float
    share: float


# By unit. Currents and powers are not in it: they change honestly from one frame to the next.
# Particles: closer than the sensors measure (SPS30 10 µg/m³ or 10 %, 100/cm³ or 10 %; SDS011 10 µg/m³ or 15 %; their data sheets).
# Voltage, frequency: a public network keeps within 10 % and 1 % of 230 V and 50 Hz (EN 50160).
# Energy: what a street of lamps takes within minutes.
# Temperature, humidity, pressure: what a shower and a gust front change within seconds. Wind and light are as currents.
TOLERANCES = {
    "ug/m3": Tolerance(1, 0.1),
    "1/cm3": Tolerance(1, 0.1),
    "um": Tolerance(0.1, 0.1),
    "V": Tolerance(0, 0.1),
    "Hz": Tolerance(0, 0.02),
    "kWh": Tolerance(1, 0.001),
    "kvarh": Tolerance(1, 0.001),
    "Cel": Tolerance(2, 0),
    "%RH": Tolerance(5, 0),
    "hPa": Tolerance(1, 0),
}


class Doubt:
    """Lets frames of a clean line through; holds a doubtful one back until the last believed one or the next one agrees with it."""

    def __init__(self) -> None:
        self._believed: Frame | None = None
        self._held: tuple[Frame, int] | None = None

    def take(self, frame: Frame, arrived_ms: int) -> Iterator[tuple[Frame, int]]:
        """Take one frame; hand out what is believed now, each with the time of its arrival."""
        if frame.samples:
            held, self._held = self._held, None
            if held is not None and frame.is_doubtful and _agree(held[0], frame):
                yield held
            elif frame.is_doubtful and (self._believed is None or not _agree(self._believed, frame)):
                self._held = frame, arrived_ms
                return
            self._believed = frame
        yield frame, arrived_ms


def _agree(one: Frame, other: Frame) -> bool:
    """Tell whether two frames are about the same things and differ in none of them by more than it may change meanwhile."""
    values = {sample.quantity: sample.value for sample in one.samples}
    both = [(sample.quantity, values[sample.quantity], sample.value) for sample in other.samples if sample.quantity in values]
    return bool(both) and all(is_near(*compared) for compared in both)


def is_near(quantity: str, one: float, other: float) -> bool:
    """Tell whether two values of `quantity` may both be true of a line's neighbouring frames."""
    tolerance = TOLERANCES.get(QUANTITIES[quantity].unit)
    return tolerance is None or abs(one - other) <= tolerance.absolute + tolerance.share * max(abs(one), abs(other))
