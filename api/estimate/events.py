"""A yard's readings as events of its lane, in order of time."""

import math
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
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
    told: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        told[reading.quantity].append(reading)
    presence = _by_sensor(told["presence"], _with(yard, Role.LANE))
    happened = sorted([*_plain(yard, told), *_said(told[holds.HOLD]), *_moves(presence, heads(yard))], key=_rank)
    return sorted([*happened, *_looks(yard, presence), *_in_use(yard, told["occupied"])], key=attrgetter("at_ms"))


def _with(yard: Yard, role: Role) -> set[str]:
    return {name for name, sensor in yard.sensors.items() if sensor.role is role}


def _by_sensor(readings: Iterable[Reading], sensors: Container[str]) -> dict[str, list[Reading]]:
    told: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        if reading.sensor in sensors:
            told[reading.sensor].append(reading)
    return told


def _plain(yard: Yard, told: Mapping[str, Sequence[Reading]]) -> Iterator[Event]:
    entries, gates = _with(yard, Role.LANE_ENTRY), _with(yard, Role.GATE)
    counters = entries | _with(yard, departure_role(yard))
    for reading in told.get("passage", ()):
        if reading.sensor in counters:
            yield Passage(reading.at_ms, reading.sensor in entries, max(round(reading.value), 0))
    for reading in told.get("held", ()):
        if reading.sensor in gates:
            yield Hold(reading.at_ms, reading.sensor, reading.value >= 0.5)
    for reading in told.get("port_open", ()):
        if reading.sensor in counters:
            yield Outage(reading.at_ms, reading.sensor, reading.value < 0.5)


def _said(words: Iterable[Reading]) -> Iterator[Hold]:
    for spell in holds.spells(words):
        yield Hold(spell.from_ms, STAFF, True)
        yield Hold(spell.until_ms, STAFF, False)


def _looks(yard: Yard, presence: Mapping[str, Sequence[Reading]]) -> Iterator[Look]:
    for name, seen in presence.items():
        yield from looks(seen, yard.sensors[name].position_m or 0.0)


def _moves(presence: Mapping[str, Sequence[Reading]], looking: Iterable[str]) -> Iterator[MovedUp]:
    """Each time the head of the lane gets free: a car went in."""
    for sensor in looking:
        taken_ms = -SILENT_MS
        for reading in presence.get(sensor, ()):
            if reading.value >= 0.5:
                taken_ms = reading.at_ms
            elif reading.at_ms - taken_ms < SILENT_MS:
                taken_ms = -SILENT_MS
                yield MovedUp(reading.at_ms, reading.at_ms)
                yield MovedUp(reading.at_ms + WAY_OUT_MS, reading.at_ms)


def _in_use(yard: Yard, readings: Iterable[Reading]) -> Iterator[InUse]:
    """How many bays are in use, each time it has been the same for a while; nothing before every bay has spoken."""
    bays, occupied = _with(yard, Role.BAY), dict[str, bool]()
    changes: list[tuple[float, int]] = []
    for reading in readings:
        if reading.sensor not in bays:
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
