"""One day of a yard's lane, told event by event in order of time: how many cars stand, and how fast they are let in."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import msgspec

from api import queue, rate
from api.lane import Lane, Look, looks
from api.queue import Mass, Sight
from api.rate import Rate
from hoflicht.catalogue import Role, Yard
from hoflicht.reading import Reading

# A car that finds the lane free is through so soon after it was counted. Waits are long against it; so a departure counts for
# the rate only when the lane has been in use for longer, and cars that came so lately are rolling, not waiting.
ROLLING_MS = 30_000
MAX_CARS_AT_ONCE = 50  # one reading of a passage; hoflicht.quantities allows no more


class Passage(msgspec.Struct, frozen=True):
    """Cars that joined the queue (`joined`) or left it."""

    at_ms: int
    joined: bool
    cars: int


class Hold(msgspec.Struct, frozen=True):
    """A gate that is held from now on, or no more."""

    at_ms: int
    gate: str
    held: bool


Event: TypeAlias = Passage | Hold | Look


class Day:
    """The state of a lane after the events so far. `passages_tell` is False where one of the two counters is missing."""

    def __init__(self, yard: Yard, opens_ms: int, passages_tell: bool) -> None:
        self._yard = yard
        self.passages_tell = passages_tell
        # Where only the exit counts departures, the count holds the cars on the yard too; the lane begins behind the full bays.
        self.inside = yard.bays if departure_role(yard) is Role.YARD_EXIT and passages_tell else 0
        self._counted = Rate(0.0, 0.0)
        self._at_ms = opens_ms  # exposure begins with the opening
        self._opens_ms = opens_ms
        self._waiting_since_ms: int | None = None
        self._joined_ms: deque[int] = deque(maxlen=queue.MAX_CARS)
        self._held_gates: set[str] = set()
        self.mass: Mass = queue.EMPTY
        self.lane = Lane()
        self.released_ms = opens_ms  # the last time a hold ended
        self.last_left_ms = opens_ms
        self.rate_at_last_left = self.rate
        self.stood_since_left = 0  # cars that stood at the head since the last departure was counted
        self.left_unexplained = 0  # departures since the last entry beyond the cars there were

    @property
    def held(self) -> bool:
        """Whether a gate says that nobody is let in."""
        return bool(self._held_gates)

    @property
    def rate(self) -> Rate:
        """What the configured rate and the day so far say."""
        prior = rate.usual(self._yard.usual_entries_per_hour)
        return Rate(prior.shape + self._counted.shape, prior.exposure_s + self._counted.exposure_s)

    def rolling(self, at_ms: int) -> int:
        """How many cars came so lately that they may not have reached the gate; none while one stands there."""
        head = self.lane.head(at_ms, self._yard.metres_per_car)
        if head is not None and head.occupied:
            return 0
        return sum(1 for joined_ms in self._joined_ms if at_ms - joined_ms < ROLLING_MS)

    def take(self, event: Event) -> None:
        """Let the time until `event` pass, and take it in."""
        self.pass_until(event.at_ms)
        if isinstance(event, Look):
            self._look(event)
        elif isinstance(event, Hold):
            self._hold(event)
        else:
            for _ in range(event.cars):
                self._join(event.at_ms) if event.joined else self._leave(event.at_ms)
        self._note_waiting(event.at_ms)

    def pass_until(self, at_ms: int) -> None:
        """Let time pass; while cars wait and none is held back, it is exposure."""
        passed_ms = at_ms - self._at_ms
        if passed_ms <= 0:
            return
        exposed_ms = 0
        if self._waiting_since_ms is not None and not self.held:
            exposed_ms = max(0, min(passed_ms, at_ms - self._waiting_since_ms - ROLLING_MS))
        self._counted = rate.faded(self._counted, passed_ms / 1000, exposed_ms / 1000)
        self._at_ms = at_ms

    def _join(self, at_ms: int) -> None:
        self._joined_ms.append(at_ms)
        self.left_unexplained = 0
        if self.passages_tell:
            self.mass = queue.entered(self.mass)
            self.left_unexplained = -queue.median(self.mass)

    def _leave(self, at_ms: int) -> None:
        self.last_left_ms = at_ms
        self.stood_since_left = 0
        self.left_unexplained += 1
        if self._waiting_since_ms is not None and at_ms - self._waiting_since_ms >= ROLLING_MS and not self.held:
            self._counted = Rate(self._counted.shape + 1, self._counted.exposure_s)
        self.rate_at_last_left = self.rate
        if self.passages_tell:
            self.mass = queue.left(self.mass)

    def _hold(self, hold: Hold) -> None:
        if hold.held:
            self._held_gates.add(hold.gate)
        elif hold.gate in self._held_gates:
            self._held_gates.discard(hold.gate)
            self.released_ms = hold.at_ms

    def _look(self, look: Look) -> None:
        before = self.lane.latest(look.sensor)
        has_just_stopped = look.occupied and before is not None and before.occupied is None
        if has_just_stopped and look.position_m <= self._yard.metres_per_car:
            self.stood_since_left += 1
        self.lane.note(look)
        steady = self.lane.steady(look.at_ms)
        if not self.passages_tell:
            self.mass = queue.ANY if steady else queue.EMPTY
            for each in steady:
                self._see(each)
        elif look in steady:
            self._see(look)

    def _see(self, look: Look) -> None:
        if look.occupied is not None:
            elsewhere = self.inside + (0 if look.occupied else self.rolling(look.at_ms))
            self.mass = queue.seen(self.mass, Sight(look.occupied, look.position_m, self._yard.metres_per_car), elsewhere)

    def _note_waiting(self, at_ms: int) -> None:
        if sum(self.mass[: self.inside + 1]) > 0.5:
            self._waiting_since_ms = None
        elif self._waiting_since_ms is None:
            self._waiting_since_ms = max(at_ms, self._opens_ms)


class Telling:
    """One day, told as far as asked; `readings` are sorted by time and of this yard only."""

    def __init__(self, yard: Yard, readings: Sequence[Reading], opens_ms: int) -> None:
        roles = {sensor.role for sensor in yard.sensors.values()}
        self._day = Day(yard, opens_ms, Role.LANE_ENTRY in roles and departure_role(yard) in roles)
        self._events = deque(sorted(_events(yard, readings), key=_order))

    def until(self, at_ms: int) -> Day:
        """The day as it stood at `at_ms`, no earlier than what was asked before; it changes when more is asked."""
        while self._events and self._events[0].at_ms <= at_ms:
            self._day.take(self._events.popleft())
        self._day.pass_until(at_ms)
        return self._day


def departure_role(yard: Yard) -> Role:
    """Whose passages say that a car left the queue: the entry control's, or the exit's where there is none."""
    has_control = any(sensor.role is Role.ENTRY_CONTROL for sensor in yard.sensors.values())
    return Role.ENTRY_CONTROL if has_control else Role.YARD_EXIT


def _events(yard: Yard, readings: Iterable[Reading]) -> Iterable[Event]:
    presence: dict[str, list[Reading]] = {}
    departs = departure_role(yard)
    for reading in readings:
        role = yard.sensors[reading.sensor].role
        if reading.quantity == "passage" and role in (Role.LANE_ENTRY, departs):
            cars = min(max(round(reading.value), 0), MAX_CARS_AT_ONCE)
            yield Passage(reading.at_ms, role is Role.LANE_ENTRY, cars)
        elif reading.quantity == "held" and role is Role.GATE:
            yield Hold(reading.at_ms, reading.sensor, reading.value >= 0.5)
        elif reading.quantity == "presence" and role is Role.LANE:
            presence.setdefault(reading.sensor, []).append(reading)
    for sensor, seen in presence.items():
        yield from looks(seen, yard.sensors[sensor].position_m or 0.0)


def _order(event: Event) -> tuple[int, int]:
    """By time; at the same instant any fixed order will do."""
    return event.at_ms, isinstance(event, Passage) + 2 * isinstance(event, Look)
