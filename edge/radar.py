"""A radar at a lane: each vehicle is a passage and its speed, at once."""

from collections.abc import Iterator

from edge.config import PortConfig
from edge.observation import Observation, observe
from firmware_bridge.frames import Frame


class Radar:
    """`passage` and `speed` of vehicles in the port's `direction`.

    The radar reports a vehicle again while it is in view, so reports that follow each other within `together_s` are one. A report
    without a direction counts: the radar itself was then told to report one direction only. On a doubtful line the passage counts
    and the speed does not: without a checksum one digit may have become another, and no second report tells.
    """

    def __init__(self, port: PortConfig) -> None:
        self._port = port
        self._last_ms: dict[str, int] = {}

    def take(self, frame: Frame, arrived_ms: int) -> Iterator[Observation]:
        """Take one frame; hand out the vehicle that it reports, if it is a new one."""
        for passage in (sample for sample in frame.samples if sample.quantity == "passage"):
            if self._port.direction not in ("both", passage.direction) and passage.direction:
                return
            last_ms = self._last_ms.get(passage.direction)
            self._last_ms[passage.direction] = arrived_ms
            if last_ms is None or arrived_ms - last_ms >= self._port.together_s * 1000:
                told = (passage,) if frame.is_doubtful else frame.samples
                yield from (observe(sample, self._port.site, self._port.sensor, arrived_ms) for sample in told)
