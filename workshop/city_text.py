"""The catalogue of a new city, with a word on each key."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from hoflicht.catalogue import Lamp
from workshop import written
from workshop.answers import Answers, YardAnswer, special, weekly, yard_gateway, yard_id

HEAD = """\
# The catalogue of {city}: all that makes this city. Server and gateways read it when they start.
# hoflicht check city.toml tells every mistake by its line; a later lamp or yard is some more lines like these.

name = {name}
timezone = {timezone}
# Whose public holidays are kept (ISO 3166-2, as in "DE-NW"); "" keeps none.
holidays = {holidays}
"""
YARDS = """
# Yards. Places are in degrees; usual_entries_per_hour counts until the platform has counted cars for itself.
# Hours are in the city's time: "20:00-04:00" ends on the next day. last_entry_before_min: minutes before closing after which nobody
# is let in. special: other hours on a date; closed_on: dates on which it stays closed.
#
# Sensors say by their role what they tell the estimate of the waiting time:
#   lane-entry     passages of cars that join the queue        entry-control  passages of cars that are let in
#   lane           presence at position_m before the gate      yard-exit      passages of cars that leave the yard
#   bay            occupancy of an unloading bay               gate           held or not
#   other          air, weather, power: not for the estimate
"""
PROGRAMS = """
# Programs of light; docs/light.md explains steps, classes and traffic.
"""
GROUPS = """
# Lamps that are switched together; what a lamp leaves out is its group's.
"""
GATEWAYS = """
# The computers at yards and posts, and the sites that each speaks for; "lamp-00*" stands for all that begin so. One gateway leads
# at most 1024 lamps.
[gateways]
"""
LAMPS = """
# Street lamps, as they came from the table; hoflicht import-lamps adds more.
[lamps]
"""


def catalogue(answers: Answers, lamps: Mapping[str, Lamp]) -> str:
    """The text of city.toml."""
    value = written.value
    parts = [
        HEAD.format(city=answers.name, name=value(answers.name), timezone=value(answers.timezone), holidays=value(answers.holidays))
    ]
    if answers.yards:
        parts += [YARDS, *(_yard(yard) for yard in answers.yards)]
    if answers.programs:
        parts += [PROGRAMS, *(_table(f"programs.{written.key(name)}", _own(one)) for name, one in answers.programs.items())]
    if answers.lamps and lamps:
        group = {"name": answers.lamps.group, "program": answers.lamps.program, "lighting_class": answers.lamps.lighting_class}
        told = {key: one for key, one in group.items() if one}
        parts += [GROUPS, _table(f"groups.{written.key(answers.lamps.group)}", told)]
    parts += [GATEWAYS, *(f"{name} = {value({'sites': sites})}\n" for name, sites in sites_by_gateway(answers, lamps).items())]
    if lamps:
        parts += [LAMPS, *(written.lamp(name, lamp) for name, lamp in lamps.items())]
    return "".join(parts)


def sites_by_gateway(answers: Answers, lamps: Mapping[str, Lamp]) -> dict[str, list[str]]:
    """The sites that each gateway speaks for: a yard's sensors may hang at several."""
    sites: dict[str, list[str]] = {}
    for yard in answers.yards:
        for gateway in dict.fromkeys([yard_gateway(yard), *(sensor.gateway for sensor in yard.sensors if sensor.gateway)]):
            sites.setdefault(gateway, []).append(yard_id(yard))
    if answers.lamps and lamps:
        sites.setdefault(answers.lamps.gateway, []).append("lamp-*")
    return sites


def _yard(yard: YardAnswer) -> str:
    name = written.key(yard_id(yard))
    place = {"name": yard.name, "address": yard.address, "lat": yard.lat, "lon": yard.lon, "bays": yard.bays}
    spans, closed = special(yard.special)
    hours: dict[str, Any] = {"weekly": weekly(yard.hours), "last_entry_before_min": yard.last_entry_before_min}
    hours |= ({"special": spans} if spans else {}) | ({"closed_on": closed} if closed else {})
    sensors = {sensor.name: {"role": str(sensor.role), "position_m": sensor.position_m} for sensor in yard.sensors}
    told = {name: {key: one for key, one in sensor.items() if one is not None} for name, sensor in sensors.items()}
    return (
        _table(f"yards.{name}", place | {"usual_entries_per_hour": yard.usual_entries_per_hour})
        + _table(f"yards.{name}.hours", hours).lstrip()
        + _table(f"yards.{name}.sensors", told).lstrip()
    )


def _table(name: str, told: Mapping[str, Any]) -> str:
    return "".join([f"\n[{name}]\n", *(f"{written.key(key)} = {written.value(one)}\n" for key, one in told.items())])


def _own(told: msgspec.Struct) -> dict[str, Any]:
    """What is not the default, as TOML has it."""
    return dict(_fields(told))


def _fields(told: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(told):
        one = getattr(told, field.name)
        if field.default is msgspec.NODEFAULT or one != field.default:
            yield field.name, _plain(one)


def _plain(one: Any) -> Any:
    if isinstance(one, msgspec.Struct):
        return _own(one)
    return [_plain(each) for each in one] if isinstance(one, tuple) else one
