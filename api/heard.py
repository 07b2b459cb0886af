"""What the store holds of a yard for its estimate: what its sensors said, and which ports its gateways had open."""

from collections.abc import Iterable, Iterator

from api import waiting
from api.opening import HEALTH
from api.pace import departure_role
from hoflicht.catalogue import API, City, Role, Yard, sites_by_gateway
from hoflicht.reading import Reading
from store.readings import Store


def heard(store: Store, city: City, name: str, start_ms: int, end_ms: int) -> list[Reading]:
    """The events of the yard `name` in [start, end) that estimating and learning rest on; raises what the store raises."""
    said = store.read(name, waiting.QUANTITIES, start_ms, end_ms)
    for gateway, sites in sites_by_gateway(city).items():
        if name in sites and gateway != API:
            said += _needed(city.yards[name], store.read(gateway, (HEALTH,), start_ms, end_ms))
    return said


def _needed(yard: Yard, health: Iterable[Reading]) -> Iterable[Reading]:
    """All of it where it is the sign of life; else when a counter's port went and came back: a gateway repeats it every minute."""
    if waiting.lives_by_its_gateway(yard):
        return health
    counters = {name for name, sensor in yard.sensors.items() if sensor.role in (Role.LANE_ENTRY, departure_role(yard))}
    return _changes(reading for reading in health if reading.sensor in counters)


def _changes(readings: Iterable[Reading]) -> Iterator[Reading]:
    known: dict[str, float] = {}
    for reading in readings:
        if known.get(reading.sensor) != reading.value:
            known[reading.sensor] = reading.value
            yield reading
