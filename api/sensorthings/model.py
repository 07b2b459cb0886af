"""What the SensorThings view is made of: OGC 18-088 §8, as far as a city tells it everybody.

A Thing is a place of the catalogue: a yard, a lamp, a cabinet that has told of the air. Its Location and the FeatureOfInterest are
the same place. A Sensor is a device there, a Datastream one public quantity of it, an Observation a whole minute of that.

An id is made of the ids above it, "hof-nord:gate-in:passage", so that it stays what it is and most relations can be read off it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from api.answers import AIR_QUANTITIES
from api.history import MAX_SPAN, Quantity, counters
from api.minutes import MINUTE_MS
from api.problems import Wrong
from api.recent import Recent
from hoflicht.catalogue import ESTIMATE, Cabinet, City, Lamp, Yard, sensors_by_site
from hoflicht.clock import Clock
from store.readings import Store

THINGS, LOCATIONS, PAST_LOCATIONS, STREAMS = "Things", "Locations", "HistoricalLocations", "Datastreams"
SENSORS, PROPERTIES, OBSERVATIONS, FEATURES = "Sensors", "ObservedProperties", "Observations", "FeaturesOfInterest"
# §8.2: which entities there are, and where each leads to. What leads to many is called by the plural.
RELATIONS: dict[str, dict[str, str]] = {
    THINGS: {"Locations": LOCATIONS, "HistoricalLocations": PAST_LOCATIONS, "Datastreams": STREAMS},
    LOCATIONS: {"Things": THINGS, "HistoricalLocations": PAST_LOCATIONS},
    PAST_LOCATIONS: {"Thing": THINGS, "Locations": LOCATIONS},
    STREAMS: {"Thing": THINGS, "Sensor": SENSORS, "ObservedProperty": PROPERTIES, "Observations": OBSERVATIONS},
    SENSORS: {"Datastreams": STREAMS},
    PROPERTIES: {"Datastreams": STREAMS},
    OBSERVATIONS: {"Datastream": STREAMS, "FeatureOfInterest": FEATURES},
    FEATURES: {"Observations": OBSERVATIONS},
}
# The properties that the standard knows; what it calls optional may be missing here.
FIELDS: dict[str, tuple[str, ...]] = {
    THINGS: ("name", "description", "properties"),
    LOCATIONS: ("name", "description", "encodingType", "location", "properties"),
    PAST_LOCATIONS: ("time",),
    STREAMS: (
        *("name", "description", "observationType", "unitOfMeasurement", "observedArea", "phenomenonTime", "resultTime"),
        "properties",
    ),
    SENSORS: ("name", "description", "encodingType", "metadata", "properties"),
    PROPERTIES: ("name", "description", "definition", "properties"),
    OBSERVATIONS: ("phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters"),
    FEATURES: ("name", "description", "encodingType", "feature", "properties"),
}
ID, SELF, ALIASES = "@iot.id", "@iot.selfLink", {"id": "@iot.id", "selfLink": "@iot.selfLink"}

DRIVER = "driver"  # the sensor of a lamp that stands for its control gear
OF_DRIVERS = ("level_target", "level_actual", "active_power", "lamp_failure")
REACH_MS = round(MAX_SPAN.total_seconds() * 1000)  # as far back as one answer of a yard's history
# A month of a lamp's minutes would tell when somebody comes home along it; /v1/lamps has its last day.
REACH_OF_DRIVERS_MS = 86_400_000
KEEP_MS = 10 * MINUTE_MS  # who measures the air; a new one may wait so long


class Entity(NamedTuple):
    """One entity; the last two are an Observation's."""

    kind: str  # the name of its collection
    id: str
    at_ms: int = 0  # the begin of its minute
    value: float = 0.0


class Allowance:
    """How much work one request may make; raise Wrong beyond."""

    LOOK, WRITE, READ = 1, 20, 200  # a property held against a filter, an entity in the answer, a question to the store
    ALL = 200_000  # a month of minutes by three properties, which takes a second; or 10 000 entities of 600 bytes

    def __init__(self) -> None:
        self._left = self.ALL

    def take(self, work: int) -> None:
        """Do `work` of it."""
        self._left -= work
        if self._left < 0:
            raise Wrong(
                400, "too much in one answer; narrow it by a path, a filter of phenomenonTime, a smaller $top or less $expand"
            )


def is_many(relation: str) -> bool:
    """Whether `relation` leads to a collection."""
    return relation in RELATIONS


def check(kind: str, names: tuple[str, ...]) -> None:
    """Raise Wrong where an entity of `kind` has nothing at the path `names`."""
    for name in names:
        if name in RELATIONS[kind]:
            kind = RELATIONS[kind][name]
        elif name in FIELDS[kind] or ALIASES.get(name, name) in (ID, SELF):
            return  # what follows is inside a JSON value
        else:
            known = (ID, *FIELDS[kind], *RELATIONS[kind])
            raise Wrong(400, f"there is no {name!r} in {kind}; there are: {', '.join(known)}")
    raise Wrong(400, f"{'/'.join(names)} is an entity, not a property")


def stream_of(entity: Entity) -> tuple[str, str, str]:
    """Site, sensor and quantity of a Datastream or an Observation."""
    site, sensor, quantity, *_ = entity.id.split(":")
    return site, sensor, quantity


class Known(NamedTuple):
    """All entities but the Observations, as they are for some minutes."""

    of_kind: dict[str, list[Entity]]
    of_site: dict[str, list[Entity]]  # Datastreams
    of_property: dict[str, list[Entity]]  # Datastreams


class World:
    """All entities but the Observations; what there is follows from the catalogue, and from who has told of the air."""

    def __init__(self, city: City, store: Store, clock: Clock) -> None:
        self.places: dict[str, Yard | Lamp | Cabinet] = {**city.yards, **city.lamps, **city.cabinets}
        sensors = sensors_by_site(city)

        def ask() -> Known:
            told = store.latest(AIR_QUANTITIES, clock.now_ms() - REACH_MS)
            air: dict[str, list[str]] = {}
            for each in told:
                if each.sensor in sensors.get(each.site, ()):
                    air.setdefault(each.site, []).append(f"{each.site}:{each.sensor}:{each.quantity}")
            return _known({site: [*_own(site, place), *air.get(site, ())] for site, place in self.places.items()})

        self._recent = Recent(ask, KEEP_MS, clock)

    def all(self, kind: str) -> list[Entity]:
        """Those of `kind`, in an order that stays."""
        return self._recent.get().of_kind[kind]

    def find(self, kind: str, name: str) -> Entity | None:
        """The one that is called so, no Observation."""
        if kind in (PROPERTIES, PAST_LOCATIONS):
            return Entity(kind, name) if kind == PROPERTIES and name in self._recent.get().of_property else None
        ids = [each.id for each in self._of_site(name)]
        parts = {SENSORS: 2, STREAMS: 3}.get(kind, 1)
        return Entity(kind, name) if any(each.split(":")[:parts] == name.split(":") for each in ids) else None

    def related(self, entity: Entity, relation: str) -> list[Entity]:
        """Where `relation` leads; of Observations, the Datastreams that they are in."""
        kind = RELATIONS[entity.kind][relation]
        if kind == PAST_LOCATIONS:
            return []
        if kind in (STREAMS, OBSERVATIONS):
            return self._streams(entity)
        site, _, rest = entity.id.partition(":")
        if kind == SENSORS:
            return [Entity(kind, f"{site}:{rest.partition(':')[0]}")]
        return [Entity(kind, stream_of(entity)[2] if kind == PROPERTIES else site)]

    def _of_site(self, name: str) -> list[Entity]:
        return self._recent.get().of_site.get(name.partition(":")[0], [])

    def _streams(self, entity: Entity) -> list[Entity]:
        if entity.kind in (STREAMS, OBSERVATIONS):
            return [Entity(STREAMS, ":".join(stream_of(entity)))]
        if entity.kind == PROPERTIES:
            return self._recent.get().of_property[entity.id]
        streams = self._of_site(entity.id)
        return [each for each in streams if each.id.startswith(f"{entity.id}:")] if entity.kind == SENSORS else streams

    def reach_ms(self, stream: Entity) -> int:
        """How far back there are Observations in `stream`."""
        site, sensor, _ = stream_of(stream)
        return REACH_OF_DRIVERS_MS if sensor == DRIVER and isinstance(self.places[site], Lamp) else REACH_MS


def _known(ids: dict[str, list[str]]) -> Known:
    of_site = {site: [Entity(STREAMS, each) for each in told] for site, told in ids.items() if told}
    streams = [each for told in of_site.values() for each in told]
    of_property: dict[str, list[Entity]] = {}
    for each in streams:
        of_property.setdefault(stream_of(each)[2], []).append(each)
    of_kind = {kind: [Entity(kind, site) for site in of_site] for kind in (THINGS, LOCATIONS, FEATURES)}
    sensors = dict.fromkeys(each.id.rpartition(":")[0] for each in streams)
    of_kind[SENSORS] = [Entity(SENSORS, each) for each in sensors]
    of_kind[PROPERTIES] = [Entity(PROPERTIES, each) for each in of_property]
    return Known({**of_kind, STREAMS: streams, PAST_LOCATIONS: []}, of_site, of_property)  # nothing here has ever moved


def _own(site: str, place: Yard | Lamp | Cabinet) -> Iterator[str]:
    """The Datastreams that a place has by the catalogue alone."""
    if isinstance(place, Yard):
        yield from (f"{site}:{ESTIMATE}:{quantity}" for quantity in (Quantity.WAIT_P50, Quantity.QUEUE_LENGTH))
        yield from (f"{site}:{sensor}:{Quantity.PASSAGE}" for sensor in counters(place))
    elif DRIVER in place.sensors and isinstance(place, Lamp):
        yield from (f"{site}:{DRIVER}:{quantity}" for quantity in OF_DRIVERS)
