"""A recycling yard as a discrete-event model: cars come, queue, are let in, unload and leave; sensors count them, nearly rightly.

Pure and seeded: the same seed, yard and day give the same cars whoever asks and whenever, so that a day can be lived again up to
now and then go on. Arrivals are a Poisson process whose rate follows the opening hours; a car is let in when a place on the yard is
free; unloading takes a lognormal time, with a trailer three times as long. `Law.markov` leaves all else out and makes service
exponential: a queue that closed formulas describe.
"""

import datetime as dt
import functools
import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from hoflicht import hours
from hoflicht.catalogue import City, Role, Yard

ROLL_MS = 20_000  # from the lane's entry to the tail or, on a free lane, to the gate
MOVE_UP_MS = 4_000  # the gap that runs down the lane when its first car is let in
HEADWAY_MS = 8_000  # between two cars at the entry control
EARLY_MS = 20 * 60_000  # before the opening the first cars come
DOUBLE_MS = 1_500  # after a car its trailer, counted as another
REPEAT_MS = 60_000  # a lane sensor repeats what it sees
PEAK_PERIOD_H = 10.0  # the shape of a day repeats after so long where a yard never closes
SATURDAY, SUNDAY = 5, 6
WEEKDAY_LOAD = (0.92, 0.8, 0.8, 0.85, 0.95, 1.12, 1.0)  # Monday first; facts on yards: Saturdays are the worst


class Event(msgspec.Struct, frozen=True):
    """What a sensor of the yard says."""

    at_ms: int
    sensor: str
    quantity: str
    value: float


class Car(msgspec.Struct):
    """The truth about one car; None where it never came so far."""

    came_ms: int
    let_in_ms: int | None = None
    left_ms: int | None = None


class Law(msgspec.Struct, frozen=True):
    """How the yard behaves."""

    load: float = 1.0  # times the usual arrivals
    sigma: float = 0.5  # of the lognormal unloading time
    trailers: float = 0.1
    trailer_factor: float = 3.0
    spare_places: int = 2  # on the yard, beside the bays
    missed: float = 0.015  # of passages, by each counter
    doubled: float = 0.015
    changes_per_day: float = 3.0  # containers, each closes a bay
    holds_per_day: float = 1.0  # of the gate
    patience: int = 40  # cars in the lane at which half of those who come turn away
    markov: bool = False  # M/M/s: constant arrivals at `load` × capacity, exponential service, no extras


USUAL = Law()


class Day:
    """One open period of one yard; iterate over `events()` once, `cars` grows meanwhile."""

    def __init__(self, yard: Yard, period: hours.OpenPeriod, law: Law, rng: random.Random) -> None:
        self._yard, self._law, self._rng = yard, law, rng
        self._opens, self._last_entry, self._closes = (_ms(instant) for instant in period)
        self._weekday = period.opens.weekday()
        self._heap: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()
        self._said: list[Event] = []
        self._lane: deque[Car] = deque()
        self._yard_cars: deque[Car] = deque()  # let in, waiting for a bay
        self._bays: list[Car | None] = [None] * yard.bays
        self._closed_bays = 0
        self._held = False
        self._next_entry_ms = self._opens
        self._sensors = {role: [name for name, s in yard.sensors.items() if s.role is role] for role in Role}
        self._covered = dict.fromkeys(self._sensors[Role.LANE], False)
        self.cars: list[Car] = []

    def events(self) -> Iterator[Event]:
        """All that the sensors say, in order of time, from before the opening until the last car has left."""
        self._begin()
        while self._heap:
            now_ms, _, act = heapq.heappop(self._heap)
            act(now_ms)
            self._said.sort(key=lambda event: event.at_ms)
            yield from self._said
            self._said.clear()

    def _at(self, at_ms: int, act: Callable[[int], None]) -> None:
        heapq.heappush(self._heap, (at_ms, next(self._order), act))

    def _say(self, at_ms: int, sensor: str, quantity: str, value: float) -> None:
        self._at(at_ms, lambda now_ms: self._said.append(Event(now_ms, sensor, quantity, value)))

    def _begin(self) -> None:
        start_ms = self._opens if self._law.markov else self._opens - EARLY_MS
        self._at(start_ms, self._repeat)
        for gate in self._sensors[Role.GATE]:
            self._say(start_ms, gate, "held", 0.0)
        for bay in self._sensors[Role.BAY]:
            self._say(start_ms, bay, "occupied", 0.0)
        self._at(self._opens, self._admit)
        self._at(self._last_entry, self._turn_away)
        self._at(start_ms, self._plan_arrival)
        if not self._law.markov:
            for at_ms in self._moments(self._law.changes_per_day):
                self._at(at_ms, self._change_container)
            for at_ms in self._moments(self._law.holds_per_day):
                self._at(at_ms, self._hold)

    def _moments(self, a_day: float) -> list[int]:
        count = int(a_day) + (self._rng.random() < a_day % 1)
        return [self._rng.randrange(self._opens, max(self._opens + 1, self._last_entry)) for _ in range(count)]

    # Arrivals

    def _plan_arrival(self, now_ms: int) -> None:
        """The next arrival by thinning (Lewis and Shedler 1979): candidates at the highest rate, kept by the rate at their time."""
        highest = 2.0 * self._law.load * self._yard.usual_entries_per_hour / 3.6e6
        at_ms = now_ms + max(1, round(self._rng.expovariate(highest)))
        if at_ms >= self._last_entry:
            return
        if self._rng.random() < self._rate(at_ms) / highest:
            self._at(at_ms, self._arrive)
        self._at(at_ms, self._plan_arrival)

    def _rate(self, at_ms: int) -> float:
        """Cars a millisecond."""
        usual = self._law.load * self._yard.usual_entries_per_hour / 3.6e6
        if self._law.markov:
            return usual
        if at_ms < self._opens:
            return 0.5 * usual
        open_h = (self._closes - self._opens) / 3.6e6
        share = ((at_ms - self._opens) / 3.6e6 % PEAK_PERIOD_H) / min(open_h, PEAK_PERIOD_H)
        return usual * WEEKDAY_LOAD[self._weekday] * shape(share)

    def _arrive(self, now_ms: int) -> None:
        waiting = len(self._lane)
        if not self._law.markov and self._rng.random() < 1 / (1 + math.exp((self._law.patience - waiting) / 4)):
            return  # looks at the queue and drives on
        car = Car(now_ms)
        self.cars.append(car)
        for sensor in self._sensors[Role.LANE_ENTRY]:
            self._count(now_ms, sensor, with_speed=True)
        self._at(now_ms + (0 if self._law.markov else ROLL_MS), lambda at_ms: self._join(car, at_ms))

    def _join(self, car: Car, now_ms: int) -> None:
        if now_ms >= self._last_entry:
            return
        self._lane.append(car)
        self._look(now_ms)
        self._admit(now_ms)

    # The gate

    def _admit(self, now_ms: int) -> None:
        places = self._yard.bays - self._closed_bays + (0 if self._law.markov else self._law.spare_places)
        inside = len(self._yard_cars) + sum(1 for car in self._bays if car)
        if not self._lane or self._held or inside >= places or now_ms < self._opens or now_ms >= self._last_entry:
            return
        if now_ms < self._next_entry_ms:
            self._at(self._next_entry_ms, self._admit)
            return
        car = self._lane.popleft()
        car.let_in_ms = now_ms
        for sensor in self._sensors[Role.ENTRY_CONTROL]:
            self._count(now_ms, sensor)
        if not self._law.markov:
            self._next_entry_ms = now_ms + HEADWAY_MS
            self._move_up(now_ms)
        self._yard_cars.append(car)
        self._unload(now_ms)
        self._admit(now_ms)

    def _hold(self, now_ms: int) -> None:
        self._set_held(now_ms, True)
        self._at(now_ms + self._rng.randrange(8, 15) * 60_000, lambda at_ms: self._set_held(at_ms, False))

    def _set_held(self, now_ms: int, held: bool) -> None:
        self._held = held
        for gate in self._sensors[Role.GATE]:
            self._say(now_ms, gate, "held", float(held))
        self._admit(now_ms)

    def _turn_away(self, now_ms: int) -> None:
        self._lane.clear()
        self._look(now_ms)

    # On the yard

    def _unload(self, now_ms: int) -> None:
        for number, there in enumerate(self._bays):
            if self._yard_cars and there is None and number < self._yard.bays - self._closed_bays:
                self._occupy(number, self._yard_cars.popleft(), now_ms)

    def _occupy(self, number: int, car: Car, now_ms: int) -> None:
        self._bays[number] = car
        self._tell_bay(number, now_ms)
        self._at(now_ms + self._service_ms(), lambda at_ms: self._leave(number, at_ms))

    def _leave(self, number: int, now_ms: int) -> None:
        car = self._bays[number]
        assert car is not None
        car.left_ms = now_ms
        self._bays[number] = None
        self._tell_bay(number, now_ms)
        for sensor in self._sensors[Role.YARD_EXIT]:
            self._count(now_ms + (0 if self._law.markov else ROLL_MS), sensor)
        self._unload(now_ms)
        self._admit(now_ms)

    def _service_ms(self) -> int:
        mean_s = self._yard.bays * 3600 / self._yard.usual_entries_per_hour
        if self._law.markov:
            return max(1, round(1000 * self._rng.expovariate(1 / mean_s)))
        law = self._law
        plain_s = mean_s / (1 + law.trailers * (law.trailer_factor - 1))
        time_s = self._rng.lognormvariate(math.log(plain_s) - law.sigma**2 / 2, law.sigma)
        return round(1000 * time_s * (law.trailer_factor if self._rng.random() < law.trailers else 1))

    def _change_container(self, now_ms: int) -> None:
        if self._closed_bays < self._yard.bays - 1:
            self._closed_bays += 1
            self._at(now_ms + self._rng.randrange(10, 20) * 60_000, self._open_bay)

    def _open_bay(self, now_ms: int) -> None:
        self._closed_bays -= 1
        self._unload(now_ms)
        self._admit(now_ms)

    def _tell_bay(self, number: int, now_ms: int) -> None:
        if number < len(self._sensors[Role.BAY]):
            self._say(now_ms, self._sensors[Role.BAY][number], "occupied", float(self._bays[number] is not None))

    # What the sensors make of it

    def _count(self, now_ms: int, sensor: str, with_speed: bool = False) -> None:
        chance = self._rng.random()
        times = 0 if chance < self._law.missed else 2 if chance > 1 - self._law.doubled else 1
        for n in range(times):
            self._say(now_ms + DOUBLE_MS * n, sensor, "passage", 1.0)
            if with_speed:
                self._say(now_ms + DOUBLE_MS * n, sensor, "speed", round(self._rng.uniform(2.5, 7.5), 1))

    def _covers(self, sensor: str) -> bool:
        position_m = self._yard.sensors[sensor].position_m or 0.0
        return len(self._lane) * self._yard.metres_per_car > position_m

    def _look(self, now_ms: int) -> None:
        for sensor, before in self._covered.items():
            covered = self._covers(sensor)
            if covered != before:
                self._covered[sensor] = covered
                self._say(now_ms, sensor, "presence", float(covered))

    def _move_up(self, now_ms: int) -> None:
        """The gap behind the car that was let in passes each sensor that stays covered."""
        for sensor, before in self._covered.items():
            if before and self._covers(sensor):
                passes_ms = now_ms + int(150 * (self._yard.sensors[sensor].position_m or 0.0))  # 1.5 s for each car of 7 m to react
                self._say(passes_ms, sensor, "presence", 0.0)
                self._at(passes_ms + MOVE_UP_MS, functools.partial(self._tell_lane, sensor))
        self._look(now_ms)

    def _tell_lane(self, sensor: str, now_ms: int) -> None:
        self._say(now_ms, sensor, "presence", float(self._covered[sensor]))

    def _repeat(self, now_ms: int) -> None:
        for sensor in self._covered:
            self._tell_lane(sensor, now_ms)
        if now_ms + REPEAT_MS < self._closes:
            self._at(now_ms + REPEAT_MS, self._repeat)


def shape(share: float) -> float:
    """Arrivals over capacity at a share of the day, 0 to 1: a peak before noon, another in the afternoon; at most 2."""
    peaks = ((0.3, 0.09, 0.95), (0.72, 0.1, 0.8))
    return 0.45 + sum(height * math.exp(-(((share - middle) / width) ** 2)) for middle, width, height in peaks)


def day(name: str, city: City, on: dt.date, seed: int, law: Law = USUAL) -> Day | None:
    """The day of a yard, None where it is closed; the same for the same arguments."""
    yard = city.yards[name]
    period = hours.period_on(on, yard.hours, city)
    return None if period is None else Day(yard, period, law, random.Random(f"{seed}/{name}/{on.isoformat()}"))


def _ms(instant: dt.datetime) -> int:
    return round(instant.timestamp() * 1000)
