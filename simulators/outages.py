"""Sensors that say nothing for a while, and what their gateway says of them meanwhile."""

from collections.abc import Iterator, Sequence

import msgspec

from hoflicht.catalogue import Role, Yard
from simulators.bays import Span


class Outage(msgspec.Struct, frozen=True):
    """Sensors of a role that say nothing for a while; `flagged`: their gateway says that the port is gone."""

    role: Role
    after_h: float  # since the opening
    minutes: float
    flagged: bool = False

    def span(self, opens_ms: int) -> Span:
        """When it is, on a day that opens so."""
        start_ms = opens_ms + round(self.after_h * 3_600_000)
        return Span(start_ms, start_ms + round(self.minutes * 60_000))


class Outages:
    """Those of one day."""

    def __init__(self, yard: Yard, outages: Sequence[Outage], opens_ms: int) -> None:
        self._yard = yard
        self._spans = [(outage, outage.span(opens_ms)) for outage in outages]

    def silences(self, sensor: str, at_ms: int) -> bool:
        """Whether nothing comes from `sensor` at `at_ms`."""
        role = self._yard.sensors[sensor].role
        return any(outage.role is role and span.holds(at_ms) for outage, span in self._spans)

    def port_changes(self) -> Iterator[tuple[int, str, bool]]:
        """When, of which sensor, and whether its port is open from then on."""
        for outage, span in self._spans:
            for name, sensor in self._yard.sensors.items():
                if outage.flagged and sensor.role is outage.role:
                    yield span.start_ms, name, False
                    yield span.end_ms, name, True

    def ports(self, at_ms: int) -> Iterator[tuple[str, bool]]:
        """Each sensor and whether its port is open."""
        for name, sensor in self._yard.sensors.items():
            gone = any(outage.flagged and outage.role is sensor.role and span.holds(at_ms) for outage, span in self._spans)
            yield name, not gone
