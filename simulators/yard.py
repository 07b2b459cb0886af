"""A recycling yard as a discrete-event model: cars come, queue, are let in, unload and leave; its sensors count, not quite rightly.

Pure and seeded: the same arguments give the same cars whoever asks and whenever, so that a day can be lived again up to now and
then go on. Arrivals are a Poisson process whose rate follows the opening hours; a car is let in when a place on the yard is free;
unloading takes a lognormal time, with a trailer three times as long. A `Law` without all that is a queue that closed formulas
describe, and the tests compare it with them. Cars, unloading and sensors draw from streams of their own: with other counters
the same cars come.
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
from hoflicht.instants import ms
from simulators import bays, demand
from simulators.bays import Closure, Span
from simulators.lane import Lane
from simulators.outages import Outage, Outages
from simulators.service import Service, service

DOUBLE_MS = 1_500  # after a car its trailer, counted as another
PARK_MS = 20_000  # from a place or the gate into a bay
REPEAT_MS = 60_000  # a lane sensor repeats what it sees, a gateway which ports are open: seldom enough to be cheap, and never gone
PATIENCE_SPREAD_MIN = 6.0
HOLD_MIN = (10, 20)
DAY_H = 10.0  # of opening, for what happens so often a day


class Event(msgspec.Struct, frozen=True):
    """What a sensor of the yard says; `port_open` is said by its gateway, of the port that has the sensor's name."""

    at_ms: int
    sensor: str
    quantity: str
    value: float


class Car(msgspec.Struct):
    """The truth about one car; None where it never came so far."""

    came_ms: int  # to the tail of the queue
    let_in_ms: int | None = None
    left_ms: int | None = None  # its bay
    gave_up_ms: int | None = None  # it left the queue unserved
    bay: int | None = None


class Law(msgspec.Struct, frozen=True):
    """How a yard behaves. Its unloading takes as long as its bays need to let in the catalogue's usual entries an hour."""

    load: demand.Load | None = None  # arrivals over capacity; None: as the opening hours make expect
    service_s: float | None = None  # mean unloading time, where it is another one
    sigma: float | None = 0.5  # of the lognormal unloading time; None: it is exponential
    trailers: float = 0.1
    trailer_factor: float = 3.0
    spare_places: int = 2  # on the yard, beside the bays
    together: int = 1  # cars are let in in groups of so many, once there is place for all of them
    every_s: float = 0.0  # the gate opens so often for as many as there is place for; 0: for each car as it can
    headway_s: float = 8.0  # between two cars at the entry control
    early_s: float = 1_200.0  # before the opening the first cars come
    roll_s: float = 20.0  # from the lane's entry to the tail or, on a free lane, to the gate
    exit_s: float = 20.0  # from a bay to the yard's exit
    spread_m: float = 0.0  # of the metres that a car takes in the lane
    missed: float = 0.015  # of passages, by each counter
    doubled: float = 0.015
    missed_out: float | None = None  # by those behind the lane, where they are not as good as those before it
    doubled_out: float | None = None
    outages: tuple[Outage, ...] = ()
    ports: bool = False  # gateways tell which ports are open
    changes_per_day: float = 3.0  # containers, each closes a bay
    holds_per_day: float = 1.0  # of the gate
    stops: tuple[tuple[float, float], ...] = ()  # (hours since the opening, minutes): nothing moves on the yard, nobody says so
    lunch_h: float = 4.0  # after the opening the first bay closes for lunch, then one after the other
    lunch_min: float = 0.0  # for so long; 0: no lunch
    lunch_spread_min: float = 5.0  # days differ by so much
    roster: tuple[tuple[float, int], ...] = ()  # (hours since the opening, bays with staff from then on); empty: all
    patience_min: float = 55.0  # of wait, as the queue looks, at which half of those who come drive on
    give_up_min: float = math.inf  # mean time after which a car leaves the queue, exponential

    def service(self, yard: Yard) -> Service:
        """The law of the unloading time at `yard`."""
        mean_s = self.service_s or yard.bays * 3600 / yard.usual_entries_per_hour
        return service(mean_s, self.sigma, self.trailers, self.trailer_factor)


USUAL = Law()


class Opening:
    """A yard from its opening until its last car has left; `periods` follow each other without a gap, usually there is one.

    Iterate over `events()` once, at any pace; `cars` grows meanwhile. `closures`, `stops` and `holds` are known from the start.
    """

    def __init__(self, yard: Yard, periods: Sequence[OpenPeriod], law: Law, rng: random.Random) -> None:
        self._yard, self._law = yard, law
        self.opens_ms, self.last_entry_ms, self._closes_ms = (
            ms(instant) for instant in (periods[0].opens, periods[-1].last_entry, periods[-1].closes)
        )
        self._arrivals, self._work, self._luck = (random.Random(rng.random()) for _ in range(3))
        self._load = law.load or demand.usual(periods, rng.random())
        self._service = law.service(yard)
        self._heap: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()
        self._said: list[Event] = []
        self._inside: deque[Car] = deque()  # let in, waiting for a bay
        self._bays: list[Car | None] = [None] * yard.bays
        self._ends_ms = [0] * yard.bays
        self._of_group = self._of_batch = 0
        self._next_entry_ms = self.opens_ms
        self._sensors = {role: [name for name, s in yard.sensors.items() if s.role is role] for role in Role}
        positions = {name: yard.sensors[name].position_m or 0.0 for name in self._sensors[Role.LANE]}
        self._lane: Lane[Car] = Lane(positions, yard.metres_per_car, law.spread_m, self._at, self._see, self._luck)
        self.cars: list[Car] = []
        self.closures = list(self._closures(rng))
        self.stops = [self._span(self._after_ms(after_h), minutes) for after_h, minutes in law.stops]
        self.holds = [self._span(at_ms, rng.uniform(*HOLD_MIN)) for at_ms in self._moments(law.holds_per_day, rng)]
        self._outages = Outages(yard, law.outages, self.opens_ms)

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

    def _begin(self) -> None:
        start_ms = self.opens_ms - round(self._law.early_s * 1000)
        self._at(start_ms, self._repeat)
        for gate in self._sensors[Role.GATE]:
            self._say(start_ms, gate, "held", 0.0)
        for bay in self._sensors[Role.BAY]:
            self._say(start_ms, bay, "occupied", 0.0)
        self._at(start_ms, self._plan_arrival)
        self._at(self.opens_ms, self._open_gate if self._law.every_s else self._admit)
        self._at(self.last_entry_ms, self._lane.clear)
        for closure in self.closures:
            self._at(closure.end_ms, self._go_on)
        for hold in self.holds:
            self._at(hold.start_ms, self._tell_hold)
            self._at(hold.end_ms, self._tell_hold)
        for stop in self.stops:
            self._at(stop.start_ms, functools.partial(self._stop, stop))
            self._at(stop.end_ms, self._go_on)
        for at_ms, sensor, is_open in self._outages.port_changes():
            self._say(at_ms, sensor, "port_open", float(is_open))

    # What is planned

    def _after_ms(self, hours: float) -> int:
        return self.opens_ms + round(hours * 3_600_000)

    def _span(self, start_ms: int, minutes: float) -> Span:
        return Span(start_ms, start_ms + round(minutes * 60_000))

    def _closures(self, rng: random.Random) -> Iterator[Closure]:
        law, number = self._law, self._yard.bays
        planned = list(bays.unstaffed(number, law.roster, self.opens_ms, self._closes_ms))
        if law.lunch_min:
            late_min = rng.uniform(-law.lunch_spread_min, law.lunch_spread_min)
            planned += bays.lunches(number, self._after_ms(law.lunch_h + late_min / 60), law.lunch_min)
        yield from planned
        yield from bays.changes(number, self._moments(law.changes_per_day, rng), planned, rng)

    def _moments(self, a_day: float, rng: random.Random) -> list[int]:
        expected = a_day * (self.last_entry_ms - self.opens_ms) / 3_600_000 / DAY_H
        count = int(expected) + (rng.random() < expected % 1)
        return sorted(rng.randrange(self.opens_ms, self.last_entry_ms) for _ in range(count))

    # Arrivals

    def _plan_arrival(self, now_ms: int) -> None:
        """The next arrival by thinning (Lewis and Shedler 1979): candidates at the highest rate, kept by the rate at their time."""
        highest_per_ms = demand.MOST * self._yard.usual_entries_per_hour / 3_600_000
        at_ms = now_ms + max(1, round(self._arrivals.expovariate(highest_per_ms)))
        if at_ms >= self.last_entry_ms:
            return
        if self._arrivals.random() < self._load(at_ms) / demand.MOST:
            self._at(at_ms, self._arrive)
        self._at(at_ms, self._plan_arrival)

    def _arrive(self, now_ms: int) -> None:
        wait_min = len(self._lane) / self._yard.usual_entries_per_hour * 60
        if self._arrivals.random() < 1 / (1 + math.exp((self._law.patience_min - wait_min) / PATIENCE_SPREAD_MIN)):
            return  # looks at the queue and drives on
        car = Car(now_ms)
        self.cars.append(car)
        entrances = self._sensors[Role.LANE_ENTRY]
        if entrances:
            self._count(now_ms, self._arrivals.choice(entrances), with_speed=True)
        self._at(now_ms + round(self._law.roll_s * 1000), functools.partial(self._join, car))

    def _join(self, car: Car, now_ms: int) -> None:
        if now_ms >= self.last_entry_ms:
            return
        number = self._lane.join(car, now_ms)
        if self._law.give_up_min < math.inf:
            patience_ms = round(self._arrivals.expovariate(1 / self._law.give_up_min) * 60_000)
            self._at(now_ms + patience_ms, functools.partial(self._give_up, car, number))
        self._admit(now_ms)

    def _give_up(self, car: Car, number: int, now_ms: int) -> None:
        if self._lane.leave(number, now_ms):
            car.gave_up_ms = now_ms

    # The gate

    def _open_gate(self, now_ms: int) -> None:
        self._of_batch = min(self._places(now_ms), len(self._lane))
        self._admit(now_ms)
        if now_ms < self.last_entry_ms:
            self._at(now_ms + round(self._law.every_s * 1000), self._open_gate)

    def _admit(self, now_ms: int) -> None:
        if not len(self._lane) or not self.opens_ms <= now_ms < self.last_entry_ms or not self._has_place(now_ms):
            return
        if any(span.holds(now_ms) for span in (*self.holds, *self.stops)):
            return
        if now_ms < self._next_entry_ms:
            self._at(self._next_entry_ms, self._admit)
            return
        self._of_group = (self._of_group + 1) % self._law.together
        self._of_batch -= 1
        self._next_entry_ms = now_ms + round(self._law.headway_s * 1000)
        car = self._lane.move_up(now_ms)
        car.let_in_ms = now_ms
        for sensor in self._sensors[Role.ENTRY_CONTROL]:
            self._count(now_ms, sensor)
        self._inside.append(car)
        self._unload(now_ms)
        self._admit(now_ms)

    def _open_bays(self, now_ms: int) -> list[int]:
        return [bay for bay in range(self._yard.bays) if not bays.is_closed(self.closures, bay, now_ms)]

    def _places(self, now_ms: int) -> int:
        """How many more cars may be on the yard."""
        return sum(self._bays[bay] is None for bay in self._open_bays(now_ms)) + self._law.spare_places - len(self._inside)

    def _has_place(self, now_ms: int) -> bool:
        """Whether one more may come in: one of the batch, or the next of its group, or the first of a new one."""
        free = self._places(now_ms)
        if self._law.every_s:
            return free > 0 and self._of_batch > 0
        whole_group = min(self._law.together, len(self._lane), len(self._open_bays(now_ms)) + self._law.spare_places)
        return free > 0 and (self._of_group > 0 or free >= whole_group)

    def _tell_hold(self, now_ms: int) -> None:
        for gate in self._sensors[Role.GATE]:
            self._say(now_ms, gate, "held", float(any(hold.holds(now_ms) for hold in self.holds)))
        self._admit(now_ms)

    # On the yard

    def _go_on(self, now_ms: int) -> None:
        self._unload(now_ms)
        self._admit(now_ms)

    def _unload(self, now_ms: int) -> None:
        for number in self._open_bays(now_ms):
            if self._inside and self._bays[number] is None:
                service_ms = self._service.drawn_ms(self._work)
                car = self._bays[number] = self._inside.popleft()
                car.bay = number
                self._tell_bay(number, now_ms + min(PARK_MS, service_ms // 2), 1.0)
                self._leave_at(number, now_ms + service_ms)

    def _leave_at(self, number: int, end_ms: int) -> None:
        self._ends_ms[number] = end_ms
        self._at(end_ms, functools.partial(self._leave, number))

    def _leave(self, number: int, now_ms: int) -> None:
        if now_ms != self._ends_ms[number]:
            return  # a stop has put it off
        car, self._bays[number] = self._bays[number], None
        if car is not None:
            car.left_ms = now_ms
        self._tell_bay(number, now_ms, 0.0)
        for sensor in self._sensors[Role.YARD_EXIT]:
            self._count(now_ms + round(self._law.exit_s * 1000), sensor)
        self._go_on(now_ms)

    def _stop(self, stop: Span, now_ms: int) -> None:
        """Nothing moves: whoever unloads loses the time."""
        for number, car in enumerate(self._bays):
            if car is not None:
                self._leave_at(number, self._ends_ms[number] + stop.end_ms - now_ms)

    # What the sensors make of it

    def _say(self, at_ms: int, sensor: str, quantity: str, value: float) -> None:
        self._at(at_ms, lambda now_ms: self._hear(Event(now_ms, sensor, quantity, value)))

    def _hear(self, event: Event) -> None:
        if event.quantity == "port_open" or not self._outages.silences(event.sensor, event.at_ms):
            self._said.append(event)

    def _see(self, now_ms: int, sensor: str, covered: bool) -> None:
        self._say(now_ms, sensor, "presence", float(covered))

    def _tell_bay(self, number: int, at_ms: int, occupied: float) -> None:
        if number < len(self._sensors[Role.BAY]):
            self._say(at_ms, self._sensors[Role.BAY][number], "occupied", occupied)

    def _count(self, at_ms: int, sensor: str, with_speed: bool = False) -> None:
        chance = self._luck.random()
        missed, doubled = self._miscounts(self._yard.sensors[sensor].role)
        for n in range(0 if chance < missed else 2 if chance > 1 - doubled else 1):
            self._say(at_ms + DOUBLE_MS * n, sensor, "passage", 1.0)
            if with_speed:
                self._say(at_ms + DOUBLE_MS * n, sensor, "speed", round(self._luck.uniform(2.5, 7.5), 1))

    def _miscounts(self, role: Role) -> tuple[float, float]:
        law = self._law
        if role is Role.LANE_ENTRY:
            return law.missed, law.doubled
        return (
            law.missed if law.missed_out is None else law.missed_out,
            law.doubled if law.doubled_out is None else law.doubled_out,
        )

    def _repeat(self, now_ms: int) -> None:
        self._lane.repeat(now_ms)
        if self._law.ports:
            for sensor, is_open in self._outages.ports(now_ms):
                self._say(now_ms, sensor, "port_open", float(is_open))
        if now_ms + REPEAT_MS < self._closes_ms:
            self._at(now_ms + REPEAT_MS, self._repeat)
