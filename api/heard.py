"""What the store holds of a yard for its estimate: what its sensors said, and which ports its gateways had open."""

from collections.abc import Iterable, Iterator

from api.estimate import waiting
from api.estimate.opening import HEALTH, changes, is_open
from api.estimate.pace import departure_role
from api.estimate.steps import MEMORY_MS
from hoflicht.catalogue import City, Role, Yard, gateways_of
from hoflicht.reading import Reading
from store.readings import Store

ASKED_FOR_MS = MEMORY_MS + waiting.GONE_MS  # the estimate looks back so far for signs of life


def heard(store: Store, city: City, name: str, start_ms: int, end_ms: int) -> list[Reading]:
    """The events of the yard `name` in [start, end) that estimating and learning rest on; raises what the store raises."""
    said = store.read(name, waiting.QUANTITIES, start_ms, end_ms)
    for gateway in gateways_of(city, name):
        health = store.read(gateway, (HEALTH,), start_ms, end_ms)
        said += {*_flags(city.yards[name], health), *_signs(health, end_ms - ASKED_FOR_MS)}
    return said


def _flags(yard: Yard, health: Iterable[Reading]) -> Iterator[Reading]:
    """When a counter's port went and came back: a gateway repeats it all day."""
    counters = {name for name, sensor in yard.sensors.items() if sensor.role in (Role.LANE_ENTRY, departure_role(yard))}
    return changes(reading for reading in health if reading.sensor in counters)


def _signs(health: Iterable[Reading], since_ms: int) -> list[Reading]:
    """The signs of life from `since_ms` on, and the first: who has spoken is missed once he is silent, who never spoke is not."""
    signs = [reading for reading in health if is_open(reading)]
    return signs[:1] + [reading for reading in signs[1:] if reading.at_ms >= since_ms]
