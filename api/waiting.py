"""The live waiting time: a pure function of the catalogue, the events of the day, and the instant.

Any replica that reads the same events gives the same answer, and yesterday can be replayed. `api.day` folds the events into a
probability for each number of cars in the lane and a rate at which cars are let in; `api.rate` makes a wait of the two. This module
decides what may be said of it: a number is shown only where the data carry it.

A car that joins n others waits n + 1 gaps (Whitt 1999, Predicting queueing delays, Management Science 45); one that finds the lane
empty, or only cars that are still rolling, waits none.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

import msgspec

from api import queue, rate
from api.day import Day, Telling, departure_role
from api.lane import SILENT_MS
from api.reason import Reason
from hoflicht import hours
from hoflicht.catalogue import City, Role, Yard
from hoflicht.reading import Reading
from hoflicht.wait import State, Trend, Wait

EARLIER = dt.timedelta(hours=3)  # before the opening nobody queues so early; the lane is empty then
VALID = dt.timedelta(seconds=60)
AGO = dt.timedelta(minutes=15)  # what the trend compares with
STEADY_S, STEADY_SHARE = 120, 0.2  # a smaller change is no trend
UNLIKELY = 0.01  # a silence of the entry control that the rate explains so rarely is a standstill
STANDSTILL_MS = 300_000  # and none is called before; a driver who looks for his papers takes three minutes
TAIL_MS = 300_000  # a queue that covers the last sensor so long reaches beyond it
TOO_WIDE_S = 3_600  # a band wider than an hour helps nobody
NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)
BLIND_AFTER = 4  # cars that one counter has seen more than the other can explain: it is dead, not unlucky (0.03 ** 4)
QUANTITIES = ("passage", "presence", "held")  # of a yard; and of its gateways:
HEALTH = "port_open"


def estimate(yard: str, city: City, events: Sequence[Reading], at: dt.datetime) -> Wait:
    """The wait at `at` of a car that joins the queue of `yard`, an id of `city`, then.

    `events` are readings of the yard's sensors from three hours before the opening on, and `port_open` of its gateways, in any
    order and as often as you like; what is later than `at` is left out. Quantiles are None wherever the data do not carry them.
    """
    earlier, wait = estimates(yard, city, events, (at - AGO, at))
    if wait.p50_s is None:
        return wait
    return msgspec.structs.replace(wait, trend=_trend(earlier.p50_s, wait.p50_s))


def estimates(yard: str, city: City, events: Sequence[Reading], instants: Iterable[dt.datetime]) -> Iterator[Wait]:
    """As `estimate`, without the trend, at each of `instants`, which rise: one telling of a day serves them all."""
    zone = ZoneInfo(city.timezone)
    hours_of = city.yards[yard].hours
    opening: _Opening | None = None
    for instant in instants:
        at = instant.astimezone(zone).replace(microsecond=0)
        blank = Wait(yard=yard, state=State.UNKNOWN, as_of=at, valid_until=at + VALID)
        period = hours.period_at(at, hours_of, city)
        if period is None or at >= _last_entry(period, city.yards[yard], city):
            state = State.CLOSED if period is None else State.CLOSING
            yield msgspec.structs.replace(blank, state=state, next_opening=hours.next_opening(at, hours_of, city))
            continue
        if opening is None or opening.period != period:
            opening = _Opening(yard, city, events, period)
        yield opening.told(blank)


def since(yard: Yard, city: City, at: dt.datetime) -> dt.datetime:
    """The instant from which on `estimate` wants events."""
    period = hours.period_on(at.astimezone(ZoneInfo(city.timezone)).date(), yard.hours, city)
    return (period.opens if period is not None else at) - EARLIER


def lives_by_its_gateway(yard: Yard) -> bool:
    """Whether only `port_open` of the gateway tells a quiet yard from a dead one: a counter speaks when a car comes."""
    return all(sensor.role is not Role.LANE for sensor in yard.sensors.values())


class _Opening:
    """One opening of a yard, told from instant to instant."""

    def __init__(self, name: str, city: City, events: Sequence[Reading], period: hours.OpenPeriod) -> None:
        self.period = period
        self._yard = yard = city.yards[name]
        self._last_entry = _last_entry(period, yard, city)
        telling = {sensor for sensor, entry in yard.sensors.items() if entry.role is not Role.OTHER}
        readings = _sorted(events, _ms(period.opens - EARLIER), _ms(period.closes))
        self._own = [reading for reading in readings if reading.site == name and reading.sensor in telling]
        self._health = [r for r in readings if r.quantity == HEALTH and r.value >= 0.5] if lives_by_its_gateway(yard) else []
        self._day = Telling(yard, self._own, _ms(period.opens))

    def told(self, blank: Wait) -> Wait:
        """What may be said at the instant of `blank`."""
        at_ms = _ms(blank.as_of)
        day = self._day.until(at_ms)
        own = self._own[: bisect_right(self._own, at_ms, key=lambda reading: reading.at_ms)]
        health = self._health[: bisect_right(self._health, at_ms, key=lambda reading: reading.at_ms)]
        last_ms = max((readings[-1].at_ms for readings in (own, health) if readings), default=0)
        reason = _why_unknown(self._yard, last_ms, day, at_ms)
        if reason:
            return msgspec.structs.replace(blank, reason=reason)
        last_entry = None if self._last_entry is NEVER else self._last_entry
        rests_on = _rests_on(self._yard, own, day, at_ms)
        carried = msgspec.structs.replace(blank, queue=_cars(day), last_entry=last_entry, rests_on=rests_on)
        return _told_of(day, carried, self._yard, self._last_entry)


def _told_of(day: Day, wait: Wait, yard: Yard, last_entry: dt.datetime) -> Wait:
    """What may be said: a lower bound while nobody is let in or the tail is out of sight, else the quantiles."""
    at_ms = _ms(wait.as_of)
    gaps = _gaps(day, at_ms)
    p10_s, p50_s, p90_s = (rate.quantile_s(share, gaps, day.rate) for share in (0.1, 0.5, 0.9))

    def told(state: State, expected_s: int, **more: object) -> Wait:
        late = wait.as_of + dt.timedelta(seconds=expected_s) > last_entry
        return msgspec.structs.replace(wait, state=State.CLOSING if late else state, **more)

    held = Reason.GATE_HELD if day.held else _standstill(day, yard, at_ms)
    if held:
        return told(State.HELD, p50_s, more_than_s=p10_s or None, reason=held)
    beyond = _beyond(day, yard, at_ms)
    if beyond:
        bound_s = rate.quantile_s(0.1, [0.0] * (beyond + 1) + [1.0], day.rate)
        return told(State.OPEN, bound_s, queue=None, more_than_s=bound_s, reason=Reason.OUT_OF_SIGHT)
    if p90_s - p10_s > TOO_WIDE_S:
        return told(State.OPEN, p50_s, more_than_s=p10_s or None, reason=Reason.TOO_WIDE)
    latest = last_entry - dt.timedelta(seconds=p90_s)
    is_sure = last_entry is not NEVER and latest >= wait.as_of
    return told(State.OPEN, p50_s, p10_s=p10_s, p50_s=p50_s, p90_s=p90_s, latest_arrival=latest if is_sure else None)


def _gaps(day: Day, at_ms: int) -> list[float]:
    """The probability of each number of gaps that make up the wait of a car that joins now."""
    none = day.inside + day.rolling(at_ms)
    gaps = [0.0] * (max(len(day.mass) - day.inside, 0) + 2)
    for n, weight in enumerate(day.mass):
        gaps[0 if n <= none else n - day.inside + 1] += weight
    return gaps


def _cars(day: Day) -> int:
    return max(0, queue.median(day.mass) - day.inside)


def _last_entry(period: hours.OpenPeriod, yard: Yard, city: City) -> dt.datetime:
    """When the last car is let in: never, where the yard opens again the moment it closes."""
    tomorrow = hours.period_on(period.opens.date() + dt.timedelta(days=1), yard.hours, city)
    return NEVER if tomorrow is not None and tomorrow.opens == period.closes else period.last_entry


def _sorted(events: Iterable[Reading], from_ms: int, until_ms: int) -> list[Reading]:
    """Each point once, by time; equal whatever the order and the number of repeats of `events`."""
    unique = {reading for reading in events if from_ms <= reading.at_ms <= until_ms}
    ordered = sorted(unique, key=lambda r: (r.at_ms, r.site, r.sensor, r.quantity, r.value))
    # Two values for one point cannot come from the store; where they come from elsewhere the higher one stands.
    return list({(r.at_ms, r.site, r.sensor, r.quantity): r for r in ordered}.values())


def _why_unknown(yard: Yard, last_sign_ms: int, day: Day, at_ms: int) -> Reason | None:
    roles = {sensor.role for sensor in yard.sensors.values()}
    counted = Role.LANE_ENTRY in roles and departure_role(yard) in roles
    if not counted and Role.LANE not in roles:
        return Reason.NO_SENSORS
    if at_ms - last_sign_ms > SILENT_MS:
        return Reason.SILENT
    if not counted and not day.lane.steady(at_ms):
        return Reason.UNSTEADY
    if counted and day.stood_since_left >= BLIND_AFTER:
        return Reason.GATE_COUNTER
    if counted and day.left_unexplained >= BLIND_AFTER and _beyond(day, yard, at_ms) is None:
        return Reason.TAIL_COUNTER
    return None


def _standstill(day: Day, yard: Yard, at_ms: int) -> Reason | None:
    """Cars stand at the head and none is let in for longer than the rate explains."""
    head = day.lane.head(at_ms, yard.metres_per_car)
    if head is None or not head.occupied:
        return None
    still_ms = at_ms - max(head.since_ms, day.last_left_ms, day.released_ms)
    # What was believed when it began: the silence itself must not make silence likely.
    before = day.rate_at_last_left
    if still_ms >= STANDSTILL_MS and before.chance_of_silence(still_ms / 1000) < UNLIKELY:
        return Reason.STANDSTILL
    return None


def _beyond(day: Day, yard: Yard, at_ms: int) -> int | None:
    """How many cars there are at least, where the last lane sensor is covered for long and the counters cannot tell more."""
    positions = [sensor.position_m or 0.0 for sensor in yard.sensors.values() if sensor.role is Role.LANE]
    tail = day.lane.tail(at_ms, max(positions, default=0.0))
    if tail is None or at_ms - tail.since_ms < TAIL_MS:
        return None
    if day.passages_tell and day.left_unexplained < BLIND_AFTER:
        return None
    return queue.at_least(tail.position_m, yard.metres_per_car)


def _rests_on(yard: Yard, own: Sequence[Reading], day: Day, at_ms: int) -> tuple[str, ...]:
    """Counters that have counted, gates that have spoken, and lane sensors that steadily see something now."""
    roles = (Role.LANE_ENTRY, departure_role(yard), Role.GATE)
    spoke = {reading.sensor for reading in own if yard.sensors[reading.sensor].role in roles}
    return tuple(sorted(spoke | {look.sensor for look in day.lane.steady(at_ms)}))


def _trend(before_s: int | None, now_s: int) -> Trend | None:
    if before_s is None:
        return None
    change_s = now_s - before_s
    if abs(change_s) <= max(STEADY_S, STEADY_SHARE * max(before_s, now_s)):
        return Trend.STEADY
    return Trend.RISING if change_s > 0 else Trend.FALLING


def _ms(instant: dt.datetime) -> int:
    return round(instant.timestamp() * 1000)
