"""Lamps in the words of others: names of FIWARE's and TALQ's models, for a management system that reads those.

It is their vocabulary, not their protocols: no context broker is spoken to, and TALQ's certified interface is another thing.
FIWARE: smart-data-models/dataModel.Streetlighting (Streetlight 0.2.1, StreetlightGroup 0.1.1, StreetlightControlCabinet 0.1.0).
TALQ: data model 2.7.1. docs/staff.md lists what is filled.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from api.answers import Measured
from api.light.posts import PostAnswer
from hoflicht.catalogue import City
from hoflicht.faults import FAULTS
from hoflicht.shadow import Reason

TALQ = "2.7.1"
URN = "urn:ngsi-ld:{type}:{id}"  # ETSI GS CIM 009, §4.3.6
METER = ("active_power", "energy_import", "frequency", "voltage_l1", "voltage_l2", "voltage_l3")
# FIWARE knows four states of a street light; of ours only these say that its lamp is defective.
DEFECTIVE = {"lampFailure", "cyclingFailure", "lampUnexpectedOn", "controlGearCommFailure"}
POWER_STATE = {"on": "on", "dimmed": "low", "off": "off", "failed": "off"}
MONITOR = {  # of LampMonitorFunction, by quantity
    "operating_hours": "operatingHours",
    "lamp_starts": "switchOnCounter",
    "active_power": "activePower",
    "energy_import": "activeEnergy",
    "power_factor": "powerFactor",
    "voltage": "supplyVoltage",
    "temperature": "temperature",
}
ACTUATOR = {"level_target": "targetLightCommand", "level_feedback": "feedbackLightCommand", "level_actual": "actualLightState"}
REASONS = {Reason.FAILSAFE: "default", Reason.PROGRAM: "program", Reason.SENSOR: "sensor", Reason.OVERRIDE: "override"}
ELSEWHERE = {"communication_failure": "CommunicationFunction"}  # of the faults; all others are events of the monitor


class Device(msgspec.Struct, frozen=True):
    """A device of TALQ: functions with attributes and, by name, which events last."""

    address: str
    functions: dict[str, dict[str, Any]]


class TalqAnswer(msgspec.Struct, frozen=True):
    """All lamps as TALQ devices."""

    version: str
    devices: list[Device]


class FiwareAnswer(msgspec.Struct, frozen=True):
    """NGSI-LD entities in keyValues, as the models' own examples write them."""

    entities: list[dict[str, Any]]


def fiware(city: City, lamps: list[PostAnswer], cabinets: Mapping[str, Mapping[str, Measured]]) -> list[dict[str, Any]]:
    """Every lamp, group and cabinet; what is not known is left out."""
    entities = [_streetlight(city, post) for post in lamps]
    by_group: dict[str, list[PostAnswer]] = {}
    for post in lamps:
        by_group.setdefault(post.group, []).append(post)
    entities += [_group(name, city.groups[name].name, by_group.get(name, [])) for name in city.groups]
    return entities + [_cabinet(city, name, lamps, values) for name, values in cabinets.items()]


def talq(post: PostAnswer) -> Device:
    """One lamp."""
    monitor: dict[str, Any] = {MONITOR[name]: value.value for name, value in post.values.items() if name in MONITOR}
    actuator: dict[str, Any] = {}
    reason = post.values.get("light_reason")
    for name, attribute in ACTUATOR.items():
        if name in post.values:
            value = post.values[name]
            actuator[attribute] = {"level": value.value, "timestamp": value.at.isoformat()}
            if name == "level_target" and reason is not None:
                actuator[attribute]["reason"] = REASONS[Reason(round(reason.value))]
    actuator |= {"calendarID": post.program} if post.program else {}
    basic = {
        "displayName": post.id,
        "assetId": post.id,
        "location": {"latitude": post.lat, "longitude": post.lon, "address": post.street},
    }
    functions: dict[str, dict[str, Any]] = {
        "BasicFunction": basic,
        "CommunicationFunction": {},
        "LampActuatorFunction": actuator,
        "LampMonitorFunction": monitor,
    }
    for name, fault in FAULTS.items():
        if name != "cabinet_door_open":
            functions[ELSEWHERE.get(name, "LampMonitorFunction")][fault.talq] = fault.talq in post.faults
    return Device(post.id, functions)


def _streetlight(city: City, post: PostAnswer) -> dict[str, Any]:
    values = post.values
    level, power, volts = values.get("level_actual"), values.get("active_power"), values.get("voltage")
    energy = values.get("energy_import")
    newest_at = max((value.at for value in values.values()), default=None)
    told = {
        "location": _point(post.lon, post.lat),
        "address": {"streetAddress": post.street, "addressLocality": city.name},
        "status": "defectiveLamp" if DEFECTIVE & set(post.faults) else "ok",
        "powerState": POWER_STATE.get(post.state.value),
        "illuminanceLevel": None if level is None else round(level.value / 100, 4),
        "powerConsumption": None if power is None else power.value,
        "lifetimePowerConsumption": None if energy is None else energy.value,
        "powerRating": post.nominal_power_w,
        "voltage": None if volts is None else volts.value,
        "controllingMethod": "individual",
        "circuit": post.cabinet or None,
        "refStreetlightGroup": _urn("StreetlightGroup", post.group),
        "refStreetlightControlCabinet": _urn("StreetlightControlCabinet", post.cabinet),
        "observationDateTime": None if newest_at is None else newest_at.isoformat(),
    }
    return _entity("Streetlight", post.id, told)


def _group(name: str, displayed: str, lamps: list[PostAnswer]) -> dict[str, Any]:
    programs = {post.program for post in lamps}
    levels = [post.values["level_actual"].value for post in lamps if "level_actual" in post.values]
    told = {
        "name": displayed,
        "location": {"type": "MultiPoint", "coordinates": [[post.lon, post.lat] for post in lamps]} if lamps else None,
        "activeProgramId": programs.pop() if len(programs) == 1 else None,
        "illuminanceLevel": round(sum(levels) / len(levels) / 100, 4) if levels else None,
    }
    return _entity("StreetlightGroup", name, told)


def _cabinet(city: City, name: str, lamps: list[PostAnswer], values: Mapping[str, Measured]) -> dict[str, Any]:
    cabinet = city.cabinets[name]
    groups = sorted({post.group for post in lamps if post.cabinet == name and post.group})
    named = {
        "energyConsumed": "energy_import",
        "totalActivePower": "active_power",
        "frequency": "frequency",
        "voltageR": "voltage_l1",
        "voltageS": "voltage_l2",
        "voltageT": "voltage_l3",
    }
    told = {
        "location": _point(cabinet.lon, cabinet.lat),
        "address": {"streetAddress": cabinet.street, "addressLocality": city.name},
        "workingMode": "automatic",
        "features": ["astronomicalClock", "individualControl"],
        "refStreetlightGroup": [_urn("StreetlightGroup", group) for group in groups] or None,
        **{attribute: values[quantity].value for attribute, quantity in named.items() if quantity in values},
    }
    return _entity("StreetlightControlCabinet", name, told)


def _entity(kind: str, name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    filled = {attribute: value for attribute, value in told.items() if value is not None}
    return {"id": _urn(kind, name), "type": kind, **filled}


def _urn(kind: str, name: str) -> str | None:
    return URN.format(type=kind, id=name) if name else None


def _point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}
