"""A yard's readings as events of its lane, in order of time."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import TypeAlias

import msgspec

from api.estimate import holds
from api.estimate.lane import SILENT_MS, Look, looks
from api.estimate.pace import departure_role, heads
from hoflicht.catalogue import STAFF, Role, Yard
from hoflicht.reading import Reading

WAY_OUT_MS = 60_000  # from a bay to the counter at the exit
STEADY_BAY_MS = 60_000  # between two cars a bay is free for less


class Passage(msgspec.Struct, frozen=True, gc=False):
    """Cars that joined the queue (`joined`) or left it."""

    at_ms: int
    joined: bool
    cars: int


class MovedUp(msgspec.Struct, frozen=True, gc=False):
    """The first car of the lane went in at `went_ms`; told again when the car that made place for it must have been counted out."""

    at_ms: int
    went_ms: int


class Hold(msgspec.Struct, frozen=True, gc=False):
    """A gate that is held from now on, or no more; staff's word counts as a gate of its own."""

    at_ms: int
    gate: str
    held: bool


class InUse(msgspec.Struct, frozen=True, gc=False):
    """So many bays have been in use for a while."""

    at_ms: int
    bays: int


class Outage(msgspec.Struct, frozen=True, gc=False):
    """A counter whose port is gone from now on, or is back."""

    at_ms: int
    counter: str
    is_out: bool


Event: TypeAlias = Passage | MovedUp | Hold | InUse | Outage | Look
LATER = {MovedUp: 2, Outage: 3, Hold: 4}  # of one instant, after the passages and before what is seen for a while


def events(yard: Yard, readings: Sequence[Reading]) -> list[Event]:
    """All events in `readings`, which are sorted by time; whatever else they tell is left out."""
    bays = [name for name, sensor in yard.sensors.items() if sensor.role is Role.BAY]
    happened = sorted([*_plain(yard, readings), *_said(readings), *_moves(yard, readings)], key=_rank)
    return sorted([*happened, *_looks(yard, readings), *_in_use(bays, readings)], key=attrgetter("at_ms"))


def _plain(yard: Yard, readings: Iterable[Reading]) -> Iterator[Event]:
    entries, gates = _with(yard, Role.LANE_ENTRY), _with(yard, Role.GATE)
    counters = entries | _with(yard, departure_role(yard))
    for reading in readings:
        if reading.quantity == "passage" and reading.sensor in counters:
            yield Passage(reading.at_ms, reading.sensor in entries, max(round(reading.value), 0))
        elif reading.quantity == "held" and reading.sensor in gates:
            yield Hold(reading.at_ms, reading.sensor, reading.value >= 0.5)
        elif reading.quantity == "port_open" and reading.sensor in counters:
            yield Outage(reading.at_ms, reading.sensor, reading.value < 0.5)


def _with(yard: Yard, role: Role) -> set[str]:
    return {name for name, sensor in yard.sensors.items() if sensor.role is role}


def _said(readings: Iterable[Reading]) -> Iterator[Hold]:
    for spell in holds.spells(readings):
        yield Hold(spell.from_ms, STAFF, True)
        yield Hold(spell.until_ms, STAFF, False)


def _looks(yard: Yard, readings: Iterable[Reading]) -> Iterator[Look]:
    presence: dict[str, list[Reading]] = {}
    looking = _with(yard, Role.LANE)
    for reading in readings:
        if reading.quantity == "presence" and reading.sensor in looking:
            presence.setdefault(reading.sensor, []).append(reading)
    for name, seen in presence.items():
        yield from looks(seen, yard.sensors[name].position_m or 0.0)


def _moves(yard: Yard, readings: Iterable[Reading]) -> Iterator[MovedUp]:
    """Each time the head of the lane gets free: a car went in."""
    looking, taken_ms = heads(yard), dict[str, int]()
    for reading in readings:
        if reading.quantity != "presence" or reading.sensor not in looking:
            continue
        if reading.value >= 0.5:
            taken_ms[reading.sensor] = reading.at_ms
        elif reading.at_ms - taken_ms.pop(reading.sensor, -SILENT_MS) < SILENT_MS:
            yield MovedUp(reading.at_ms, reading.at_ms)
            yield MovedUp(reading.at_ms + WAY_OUT_MS, reading.at_ms)


def _in_use(bays: Sequence[str], readings: Iterable[Reading]) -> Iterator[InUse]:
    """How many bays are in use, each time it has been the same for a while; nothing before every bay has spoken."""
    occupied: dict[str, bool] = {}
    changes: list[tuple[float, int]] = []
    for reading in readings:
        if reading.quantity != "occupied" or reading.sensor not in bays:
            continue
        occupied[reading.sensor] = reading.value >= 0.5
        now = sum(occupied.values())
        if len(occupied) == len(bays) and (not changes or now != changes[-1][1]):
            changes.append((reading.at_ms, now))
    for (at_ms, in_use), (next_ms, _) in pairwise([*changes, (math.inf, 0)]):
        if next_ms > at_ms + STEADY_BAY_MS:
            yield InUse(round(at_ms) + STEADY_BAY_MS, in_use)


def _rank(event: Event) -> int:
    """Of one instant first who joined, then who left, for he may be the same; then what is seen of it."""
    return (0 if event.joined else 1) if isinstance(event, Passage) else LATER[type(event)]
