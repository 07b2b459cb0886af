"""A recycling yard as a discrete-event model: cars come, queue, are let in, unload and leave; its sensors count, not quite rightly.

Pure and seeded: the same arguments give the same cars whoever asks and whenever, so that a day can be lived again up to now and
then go on. Arrivals are a Poisson process whose rate follows the opening hours; a car is let in when a place on the yard is free;
unloading takes a lognormal time, with a trailer three times as long. A `Law` without all that is a queue that closed formulas
describe, and the tests compare it with them.
"""

import functools
import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import msgspec

from hoflicht.catalogue import Role, Yard
from hoflicht.hours import OpenPeriod
from simulators import demand

DOUBLE_MS = 1_500  # after a car its trailer, counted as another
LEAVE_MS = 2_000  # until the first car has left the sight of a sensor at the gate
REACT_MS_PER_M = 150  # the gap runs down the lane: 1 s a car
PARK_MS = 20_000  # from a place or the gate into a bay
GAP_MS = 4_000  # until the next car has moved up into it
REPEAT_MS = 60_000  # a lane sensor repeats what it sees
PATIENCE_SPREAD_MIN = 6.0
CHANGE_MIN, HOLD_MIN = (10, 20), (10, 20)
DAY_H = 10.0  # of opening, for what happens so often a day


class Event(msgspec.Struct, frozen=True):
    """What a sensor of the yard says."""

    at_ms: int
    sensor: str
    quantity: str
    value: float


class Car(msgspec.Struct):
    """The truth about one car; None where it never came so far."""

    came_ms: int  # to the tail of the queue
    let_in_ms: int | None = None
    left_ms: int | None = None  # its bay


class Law(msgspec.Struct, frozen=True):
    """How a yard behaves. Its unloading takes as long as its bays need to let in the catalogue's usual entries an hour."""

    load: demand.Load | None = None  # arrivals over capacity; None: as the opening hours make expect
    sigma: float | None = 0.5  # of the lognormal unloading time; None: it is exponential
    trailers: float = 0.1
    trailer_factor: float = 3.0
    spare_places: int = 2  # on the yard, beside the bays
    together: int = 1  # cars are let in in groups of so many, once there is place for all of them
    headway_s: float = 8.0  # between two cars at the entry control
    early_s: float = 1_200.0  # before the opening the first cars come
    roll_s: float = 20.0  # from the lane's entry to the tail or, on a free lane, to the gate
    missed: float = 0.015  # of passages, by each counter
    doubled: float = 0.015
    changes_per_day: float = 3.0  # containers, each closes a bay
    holds_per_day: float = 1.0  # of the gate
    patience_min: float = 55.0  # of wait, as the queue looks, at which half of those who come drive on


USUAL = Law()


class Opening:
    """A yard from its opening until its last car has left; `periods` follow each other without a gap, usually there is one.

    Iterate over `events()` once, at any pace; `cars` grows meanwhile.
    """

    def __init__(self, yard: Yard, periods: Sequence[OpenPeriod], law: Law, rng: random.Random) -> None:
        self._yard, self._law, self._rng = yard, law, rng
        self._opens, self._last_entry, self._closes = (
            round(instant.timestamp() * 1000) for instant in (periods[0].opens, periods[-1].last_entry, periods[-1].closes)
        )
        self._load = law.load or demand.usual(periods, rng.random())
        self._heap: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()
        self._said: list[Event] = []
        self._lane: deque[Car] = deque()
        self._inside: deque[Car] = deque()  # let in, waiting for a bay
        self._bays: list[Car | None] = [None] * yard.bays
        self._closed_bays = self._holds = self._of_group = 0
        self._next_entry_ms = self._opens
        self._sensors = {role: [name for name, s in yard.sensors.items() if s.role is role] for role in Role}
        self._seen = dict.fromkeys(self._sensors[Role.LANE], False)
        self.cars: list[Car] = []

    def events(self) -> Iterator[Event]:
        """All that the sensors say, in order of time, from before the opening until the last car has left."""
        self._begin()
        while self._heap:
            now_ms, _, act = heapq.heappop(self._heap)
            act(now_ms)
            yield from self._said
            self._said.clear()

    def _at(self, at_ms: int, act: Callable[[int], None]) -> None:
        heapq.heappush(self._heap, (at_ms, next(self._order), act))

    def _say(self, at_ms: int, sensor: str, quantity: str, value: float) -> None:
        self._at(at_ms, lambda now_ms: self._said.append(Event(now_ms, sensor, quantity, value)))

    def _begin(self) -> None:
        start_ms = self._opens - round(self._law.early_s * 1000)
        self._at(start_ms, self._repeat)
        for gate in self._sensors[Role.GATE]:
            self._say(start_ms, gate, "held", 0.0)
        for bay in self._sensors[Role.BAY]:
            self._say(start_ms, bay, "occupied", 0.0)
        self._at(start_ms, self._plan_arrival)
        self._at(self._opens, self._admit)
        self._at(self._last_entry, self._turn_away)
        for at_ms in self._moments(self._law.changes_per_day):
            self._at(at_ms, self._change_container)
        for at_ms in self._moments(self._law.holds_per_day):
            self._at(at_ms, self._hold)

    def _moments(self, a_day: float) -> list[int]:
        expected = a_day * (self._last_entry - self._opens) / 3_600_000 / DAY_H
        count = int(expected) + (self._rng.random() < expected % 1)
        return [self._rng.randrange(self._opens, self._last_entry) for _ in range(count)]

    # Arrivals

    def _plan_arrival(self, now_ms: int) -> None:
        """The next arrival by thinning (Lewis and Shedler 1979): candidates at the highest rate, kept by the rate at their time."""
        highest_per_ms = demand.MOST * self._yard.usual_entries_per_hour / 3_600_000
        at_ms = now_ms + max(1, round(self._rng.expovariate(highest_per_ms)))
        if at_ms >= self._last_entry:
            return
        if self._rng.random() < self._load(at_ms) / demand.MOST:
            self._at(at_ms, self._arrive)
        self._at(at_ms, self._plan_arrival)

    def _arrive(self, now_ms: int) -> None:
        wait_min = len(self._lane) / self._yard.usual_entries_per_hour * 60
        if self._rng.random() < 1 / (1 + math.exp((self._law.patience_min - wait_min) / PATIENCE_SPREAD_MIN)):
            return  # looks at the queue and drives on
        car = Car(now_ms)
        self.cars.append(car)
        for sensor in self._sensors[Role.LANE_ENTRY]:
            self._count(now_ms, sensor, with_speed=True)
        self._at(now_ms + round(self._law.roll_s * 1000), lambda at_ms: self._join(car, at_ms))

    def _join(self, car: Car, now_ms: int) -> None:
        if now_ms >= self._last_entry:
            return
        self._lane.append(car)
        self._look(now_ms)
        self._admit(now_ms)

    # The gate

    def _admit(self, now_ms: int) -> None:
        if not self._lane or self._holds or not self._opens <= now_ms < self._last_entry or not self._has_place():
            return
        if now_ms < self._next_entry_ms:
            self._at(self._next_entry_ms, self._admit)
            return
        self._of_group = (self._of_group + 1) % self._law.together
        self._next_entry_ms = now_ms + round(self._law.headway_s * 1000)
        self._move_up(now_ms)
        car = self._lane.popleft()
        car.let_in_ms = now_ms
        for sensor in self._sensors[Role.ENTRY_CONTROL]:
            self._count(now_ms, sensor)
        self._inside.append(car)
        self._unload(now_ms)
        self._admit(now_ms)

    def _has_place(self) -> bool:
        """Whether one more may come in: the next of its group, or the first of a new one."""
        places = self._yard.bays - self._closed_bays + self._law.spare_places
        free = places - len(self._inside) - sum(car is not None for car in self._bays)
        return free > 0 and (self._of_group > 0 or free >= min(self._law.together, len(self._lane), places))

    def _hold(self, now_ms: int) -> None:
        self._set_holds(now_ms, self._holds + 1)
        self._at(now_ms + self._minutes_ms(HOLD_MIN), lambda at_ms: self._set_holds(at_ms, self._holds - 1))

    def _set_holds(self, now_ms: int, holds: int) -> None:
        if (holds > 0) != (self._holds > 0):
            for gate in self._sensors[Role.GATE]:
                self._say(now_ms, gate, "held", float(holds > 0))
        self._holds = holds
        self._admit(now_ms)

    def _turn_away(self, now_ms: int) -> None:
        self._lane.clear()
        self._look(now_ms)

    # On the yard

    def _unload(self, now_ms: int) -> None:
        for number, there in enumerate(self._bays[: self._yard.bays - self._closed_bays]):
            if self._inside and there is None:
                service_ms = self._service_ms()
                self._bays[number] = self._inside.popleft()
                self._tell_bay(number, now_ms + min(PARK_MS, service_ms // 2), 1.0)
                self._at(now_ms + service_ms, functools.partial(self._leave, number))

    def _leave(self, number: int, now_ms: int) -> None:
        car, self._bays[number] = self._bays[number], None
        if car is not None:
            car.left_ms = now_ms
        self._tell_bay(number, now_ms, 0.0)
        for sensor in self._sensors[Role.YARD_EXIT]:
            self._count(now_ms + round(self._law.roll_s * 1000), sensor)
        self._unload(now_ms)
        self._admit(now_ms)

    def _service_ms(self) -> int:
        law, mean_s = self._law, self._yard.bays * 3600 / self._yard.usual_entries_per_hour
        if law.sigma is None:
            return max(1, round(1000 * self._rng.expovariate(1 / mean_s)))
        plain_s = mean_s / (1 + law.trailers * (law.trailer_factor - 1))
        time_s = self._rng.lognormvariate(math.log(plain_s) - law.sigma**2 / 2, law.sigma)
        return max(1, round(1000 * time_s * (law.trailer_factor if self._rng.random() < law.trailers else 1)))

    def _change_container(self, now_ms: int) -> None:
        if self._closed_bays < self._yard.bays - 1:
            self._closed_bays += 1
            self._at(now_ms + self._minutes_ms(CHANGE_MIN), self._open_bay)

    def _open_bay(self, now_ms: int) -> None:
        self._closed_bays -= 1
        self._unload(now_ms)
        self._admit(now_ms)

    def _minutes_ms(self, low_high_min: tuple[int, int]) -> int:
        return round(self._rng.uniform(*low_high_min) * 60_000)

    # What the sensors make of it

    def _tell_bay(self, number: int, at_ms: int, occupied: float) -> None:
        if number < len(self._sensors[Role.BAY]):
            self._say(at_ms, self._sensors[Role.BAY][number], "occupied", occupied)

    def _count(self, at_ms: int, sensor: str, with_speed: bool = False) -> None:
        chance = self._rng.random()
        times = 0 if chance < self._law.missed else 2 if chance > 1 - self._law.doubled else 1
        for n in range(times):
            self._say(at_ms + DOUBLE_MS * n, sensor, "passage", 1.0)
            if with_speed:
                self._say(at_ms + DOUBLE_MS * n, sensor, "speed", round(self._rng.uniform(2.5, 7.5), 1))

    def _position_m(self, sensor: str) -> float:
        return self._yard.sensors[sensor].position_m or 0.0

    def _covers(self, sensor: str) -> bool:
        return len(self._lane) * self._yard.metres_per_car > self._position_m(sensor)

    def _look(self, now_ms: int) -> None:
        for sensor in self._seen:
            self._see(sensor, self._covers(sensor), now_ms)

    def _see(self, sensor: str, covered: bool, now_ms: int) -> None:
        if covered != self._seen[sensor]:
            self._seen[sensor] = covered
            self._say(now_ms, sensor, "presence", float(covered))

    def _move_up(self, now_ms: int) -> None:
        """The gap that the first car leaves runs down the lane, past each sensor that a car stands at."""
        for sensor in self._seen:
            if self._covers(sensor):
                gap_ms = now_ms + LEAVE_MS + round(REACT_MS_PER_M * self._position_m(sensor))
                self._at(gap_ms, functools.partial(self._see, sensor, False))
                self._at(gap_ms + GAP_MS, self._look)

    def _repeat(self, now_ms: int) -> None:
        for sensor, covered in self._seen.items():
            self._say(now_ms, sensor, "presence", float(covered))
        if now_ms + REPEAT_MS < self._closes:
            self._at(now_ms + REPEAT_MS, self._repeat)
