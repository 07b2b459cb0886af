"""What happens in the city, told to the devices that see it, each at its instant."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from firmware_bridge.frames import Sample
from hoflicht.catalogue import Role, Yard
from simulators.devices import Node, Ops243, Tfmini
from simulators.street import Vehicle
from simulators.walkers import Walker
from simulators.yard import Event

STATES_MS = 30_000  # a yard's node repeats its states


class World(Protocol):
    """A piece of the city."""

    def advance(self, now_ms: int) -> None:
        """Let happen what is due; `now_ms` never goes back."""
        ...


class YardWorld:
    """A yard: its lidars see cars stand, its radars see them pass, its node tells the rest.

    What happened before `start_ms` has left its traces (cars stand where they stand), but is not told.
    """

    def __init__(
        self, yard: Yard, events: Iterator[Event], seen_by: Mapping[str, Tfmini | Ops243], node: Node | None, start_ms: int
    ):
        self._states = {
            (name, {Role.GATE: "held", Role.BAY: "occupied"}[sensor.role]): 0.0
            for name, sensor in yard.sensors.items()
            if sensor.role in (Role.GATE, Role.BAY)
        }
        self._events = events
        self._next = next(events, None)
        self._seen_by = seen_by
        self._node = node
        self._start_ms = self._repeat_ms = start_ms

    def advance(self, now_ms: int) -> None:
        """Let happen what is due."""
        while self._next is not None and self._next.at_ms <= now_ms:
            self._happen(self._next, now_ms)
            self._next = next(self._events, None)
        if self._node is not None and self._states and now_ms >= self._repeat_ms:
            self._repeat_ms = now_ms + STATES_MS
            self._node.tell([Sample(quantity, value, sensor=sensor) for (sensor, quantity), value in self._states.items()])

    def _happen(self, event: Event, now_ms: int) -> None:
        device = self._seen_by.get(event.sensor)
        is_news = event.at_ms >= self._start_ms
        if isinstance(device, Tfmini):
            device.covered = event.value > 0
        elif isinstance(device, Ops243):
            if is_news and event.quantity == "speed":  # each passage has one
                device.passed(event.value)
        else:
            if (event.sensor, event.quantity) in self._states:
                self._states[event.sensor, event.quantity] = event.value
            if is_news and self._node is not None:
                self._node.tell([Sample(event.quantity, event.value, sensor=event.sensor, age_ms=now_ms - event.at_ms)])


class TrafficWorld:
    """Vehicles and people that pass a radar."""

    def __init__(self, traffic: Callable[[int, int], Iterator[Vehicle | Walker]], radar: Ops243, start_ms: int) -> None:
        self._traffic, self._radar = traffic, radar
        self._until_ms = start_ms

    def advance(self, now_ms: int) -> None:
        """Let drive by who is due."""
        if now_ms <= self._until_ms:
            return
        for each in self._traffic(self._until_ms, now_ms):
            self._radar.passed(each.speed_m_s)
        self._until_ms = now_ms
