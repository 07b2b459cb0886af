"""What each entity of the SensorThings view says of itself: OGC 18-088 §8.2, without ids and links."""

from typing import Any

from api.minutes import MINUTE_MS
from api.sensorthings.model import FEATURES, LOCATIONS, OBSERVATIONS, PROPERTIES, SENSORS, STREAMS, Entity, World, stream_of
from hoflicht.catalogue import ESTIMATE, Lamp, Yard
from hoflicht.instants import moment
from hoflicht.quantities import QUANTITIES, Kind

GEOJSON = "application/geo+json"
OBSERVED = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_"
# By SenML's name: full name, symbol, code of the Unified Code for Units of Measure (ucum.org).
UNITS = {
    "s": ("second", "s", "s"),
    "count": ("vehicles", "1", "1"),
    "%": ("percent", "%", "%"),
    "W": ("watt", "W", "W"),
    "ug/m3": ("microgram per cubic metre", "µg/m³", "ug/m3"),
}
NO_UNIT: dict[str, str | None] = {"name": None, "symbol": None, "definition": None}  # §8.2.4: of what is true or false
# The European Environment Agency's list of what is measured in the air; for the others our own page says what they are.
DEFINED = {
    "pm10": "http://dd.eionet.europa.eu/vocabulary/aq/pollutant/5",
    "pm2_5": "http://dd.eionet.europa.eu/vocabulary/aq/pollutant/6001",
}
DECIMALS = 1  # as a yard's history has it


def told(world: World, entity: Entity, self_link: str) -> dict[str, Any]:
    """The properties of `entity`."""
    if entity.kind == OBSERVATIONS:
        return _of_observation(entity)
    if entity.kind == STREAMS:
        return _of_stream(world, entity)
    if entity.kind == PROPERTIES:
        described = {"description": QUANTITIES[entity.id].meaning, "definition": DEFINED.get(entity.id, self_link)}
        return {"name": entity.id, **described}
    site, _, sensor = entity.id.partition(":")
    place = world.places[site]
    if entity.kind == SENSORS:
        about = "estimates of the platform, made of all sensors of the yard" if sensor == ESTIMATE else f"the device {sensor!r}"
        named = {"name": f"{title(world, site)}: {sensor}", "description": f"{about}, at {title(world, site)}"}
        return {**named, "encodingType": "text/html", "metadata": about}
    named = {"name": title(world, site), "description": _about(world, site)}
    if entity.kind in (LOCATIONS, FEATURES):
        key = "location" if entity.kind == LOCATIONS else "feature"
        return {**named, "encodingType": GEOJSON, key: {"type": "Point", "coordinates": [place.lon, place.lat]}}
    return {**named, "properties": {"kind": type(place).__name__.lower()}}


def title(world: World, site: str) -> str:
    """What people call `site`."""
    place = world.places[site]
    return place.name if isinstance(place, Yard) else site


def result(entity: Entity) -> float | bool:
    """What was observed: a number, or of a state whether it was so for half of the minute."""
    is_state = QUANTITIES[stream_of(entity)[2]].kind is Kind.STATE
    return entity.value >= 0.5 if is_state else round(entity.value, DECIMALS)


def instant(at_ms: int) -> str:
    """ISO 8601, whole seconds, UTC."""
    return f"{moment(at_ms):%Y-%m-%dT%H:%M:%SZ}"


def _about(world: World, site: str) -> str:
    place = world.places[site]
    if isinstance(place, Yard):
        return f"Recycling yard, {place.address}"
    return f"{'Street lamp' if isinstance(place, Lamp) else 'Feeder cabinet'}, {place.street}"


def _of_observation(entity: Entity) -> dict[str, Any]:
    begin, end = instant(entity.at_ms), instant(entity.at_ms + MINUTE_MS)
    is_count = QUANTITIES[stream_of(entity)[2]].kind is Kind.EVENT
    return {"phenomenonTime": f"{begin}/{end}", "resultTime": end, "result": round(entity.value) if is_count else result(entity)}


def _of_stream(world: World, entity: Entity) -> dict[str, Any]:
    site, sensor, name = stream_of(entity)
    quantity = QUANTITIES[name]
    observed = {Kind.STATE: "TruthObservation", Kind.EVENT: "CountObservation", Kind.SAMPLE: "Measurement"}[quantity.kind]
    folded = {Kind.STATE: "whether it was so", Kind.EVENT: "the sum", Kind.SAMPLE: "the mean"}[quantity.kind]
    unit = NO_UNIT
    if quantity.kind is not Kind.STATE:
        named, symbol, code = UNITS[quantity.unit]
        unit = {"name": named, "symbol": symbol, "definition": f"ucum:{code}"}
    return {
        "name": f"{title(world, site)}, {sensor}: {name}",
        "description": f"{quantity.meaning}; {folded} of each minute",
        "observationType": OBSERVED + observed,
        "unitOfMeasurement": unit,
    }
