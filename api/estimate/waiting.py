"""The live waiting time: a pure function of the catalogue, what was learnt until last night, the day's events, and the instant.

Any replica that reads the same events gives the same answer, and yesterday can be replayed. `day.py` folds the events into a
number with its band; this module decides what may be said of it: a number is shown only where the data carry it.
"""

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

import msgspec

from api.estimate import arrival, queue, sight, steps
from api.estimate.day import Day
from api.estimate.holds import HOLD
from api.estimate.lane import SILENT_MS
from api.estimate.opening import EARLIER, Opening
from api.estimate.pace import has_lane
from api.estimate.profile import COLD, Profile
from api.estimate.reason import Reason
from api.estimate.voices import Number
from hoflicht import hours
from hoflicht.catalogue import City, Role, Yard
from hoflicht.instants import moment, ms, utc
from hoflicht.reading import Reading
from hoflicht.wait import State, Trend, Trust, Wait

VALID = dt.timedelta(seconds=60)
# So long after its gateway's last sign of life a yard has a number. A sign comes every 20 s (edge.config), is on disk within 1 s
# (edge.spooler), in a batch within 0.7 s (edge.uplink), takes 5 s over a slow mobile link and 1 s into the store, and the api asks
# every 5 s (api.standing). So it is at most 33 s old when the next one is seen, and 53 s where one is lost. Once a gateway is gone,
# `unknown` is published within 15 s more (api.publisher, every 10 s); where the api goes too, its last number is VALID so long.
GONE_MS = 60_000
AGO_MS = 900_000  # what the trend compares with
STEADY_S, STEADY_SHARE = 120, 0.2  # a smaller change is no trend
UNLIKELY = 0.01  # a silence of the entry control that the rate explains so rarely is a standstill
STANDSTILL_MS = 300_000  # and none is called before; a driver who looks for his papers takes three minutes
DEAD = math.exp(-11)  # a silence so unlikely, while cars are believed to wait, is that of a counter or of the whole yard
TAIL_MS = 300_000  # a queue that covers the last sensor so long reaches beyond it
TOO_WIDE_S = 3_600  # a band wider than an hour helps nobody, unless
TOO_WIDE_SHARE = 1.5  # the wait is so long that this share of it is wider still
BLIND_AFTER = 4  # cars that one counter has seen more than the other can explain: it is dead, not unlucky (0.03 ** 4)
RECKONED_MS = 20 * 60_000  # so long a queue is known without the counter at its end
QUANTITIES = ("passage", "presence", "occupied", "held", HOLD)  # of a yard; and of its gateways HEALTH


def estimate(yard: str, city: City, events: Sequence[Reading], at: dt.datetime, profile: Profile = COLD) -> Wait:
    """The wait at `at` of a car that joins the queue of `yard`, an id of `city`, then.

    `events` are readings of the yard's sensors from `since` on, and `port_open` of its gateways, in any order and as often as you
    like; what is later than `at` is left out. `profile` is what was learnt from the openings before. Quantiles are None wherever
    the data do not carry them.
    """
    return Telling(yard, city, events, profile).estimate(at)


def estimates(
    yard: str,
    city: City,
    events: Sequence[Reading],
    instants: Iterable[dt.datetime],
    profile: Profile = COLD,
    *,
    alive: bool = False,
) -> Iterator[Wait]:
    """As `estimate`, without trend, shown step and latest arrival, at each of `instants`, which rise: one telling serves them all.

    `alive`: the sensors are known to live although they are silent, as in a recording.
    """
    return map(Telling(yard, city, events, profile, alive=alive).wait, instants)


class Telling:
    """A yard that is told from instant to instant, which rise. The arguments are those of `estimates`."""

    def __init__(self, yard: str, city: City, events: Sequence[Reading], profile: Profile, *, alive: bool = False) -> None:
        self._yard, self._city, self._events, self._profile, self._alive = yard, city, events, profile, alive
        self._zone = ZoneInfo(city.timezone)
        self._opening: Opening | None = None
        self._medians_s: dict[int, int | None] = {}  # by instant at which a shown step is looked for, ms

    def hear(self, events: Sequence[Reading]) -> bool:
        """Know `events` from now on; False: they tell something else of what was told already."""
        self._events = events
        return self._opening is None or self._opening.hear(events)

    def estimate(self, at: dt.datetime) -> Wait:
        """The whole of what is to be said at `at`."""
        looks = steps.looks(ms(at))
        self._medians_s = {look: self._median_s(look) for look in looks[:-1]}
        wait = self.arriving(at)
        self._medians_s[looks[-1]] = wait.p50_s
        wait = msgspec.structs.replace(wait, shown_min=steps.told(self._medians_s.items()))
        if wait.p50_s is None:
            return wait
        earlier = max((look for look in looks if look <= looks[-1] - AGO_MS), default=looks[0])
        return msgspec.structs.replace(wait, trend=_trend(self._medians_s[earlier], wait.p50_s))

    def arriving(self, at: dt.datetime) -> Wait:
        """As `wait`, and until when to come."""
        wait = self.wait(at)
        if wait.p50_s is None or self._opening is None:
            return wait
        return msgspec.structs.replace(wait, latest_arrival=_latest_arrival(self._opening, ms(at), self._zone))

    def _median_s(self, look_ms: int) -> int | None:
        """The same as `wait` says at that instant; that is all that is asked of the past."""
        if look_ms in self._medians_s:
            return self._medians_s[look_ms]
        opening = self._lets_in(moment(look_ms))
        if opening is None:
            return None
        day = opening.until(look_ms)
        if _why_unknown(opening, day, look_ms, self._alive):
            return None
        number = day.number()
        return None if _why_bounded(opening, day, number, look_ms) else round(number.p50_s)

    def wait(self, instant: dt.datetime) -> Wait:
        """What is to be said at `instant` without knowing what was said before."""
        at = instant.astimezone(self._zone).replace(microsecond=0)
        blank = Wait(yard=self._yard, state=State.UNKNOWN, as_of=at, valid_until=(utc(at) + VALID).astimezone(self._zone))
        opening = self._lets_in(instant)
        if opening is None:
            state = State.CLOSED if self._opening is None else State.CLOSING
            opens = hours.next_opening(instant, self._city.yards[self._yard].hours, self._city)
            return msgspec.structs.replace(blank, state=state, next_opening=opens)
        return _told(opening, ms(instant), blank, Trust.MEASURED if self._profile.days else Trust.CONFIGURED, self._alive)

    def _lets_in(self, instant: dt.datetime) -> Opening | None:
        """The opening at `instant`, where that is before its last entry."""
        opening = self._opening
        if opening is None or not utc(opening.period.opens) <= utc(instant) < utc(opening.period.closes):
            period = hours.period_at(instant, self._city.yards[self._yard].hours, self._city)
            opening = None if period is None else Opening(self._yard, self._city, self._events, period, self._profile)
            self._opening = opening
        is_over = opening is None or (not opening.goes_on and utc(instant) >= utc(opening.period.last_entry))
        return None if is_over else opening


def since(yard: Yard, city: City, at: dt.datetime) -> dt.datetime:
    """The instant from which on `estimate` wants events."""
    period = hours.period_at(at, yard.hours, city) or hours.period_on(
        at.astimezone(ZoneInfo(city.timezone)).date(), yard.hours, city
    )
    return utc(period.opens if period is not None else at) - EARLIER


def _told(opening: Opening, at_ms: int, blank: Wait, trust: Trust, alive: bool) -> Wait:
    """What may be said at `at_ms` of an open yard."""
    day = opening.until(at_ms)
    reason = _why_unknown(opening, day, at_ms, alive)
    if reason and day.held_by_staff:  # they know without a sensor
        return msgspec.structs.replace(blank, state=State.HELD, reason=Reason.STAFF)
    if reason:
        return msgspec.structs.replace(blank, reason=reason)
    mass = day.queue.lane
    carried = msgspec.structs.replace(
        blank,
        queue=queue.quantile(mass, 0.5),
        queue_p10=queue.quantile(mass, 0.1),
        queue_p90=queue.quantile(mass, 0.9),
        last_entry=None if opening.goes_on else opening.period.last_entry,
        rests_on=tuple(sorted(opening.have_spoken(at_ms) | {look.sensor for look in day.lane.steady(at_ms)})),
        trust=Trust.RECKONED if any(day.blind) else trust,
    )
    return _number_told(opening, day, day.number(), carried, at_ms)


def _number_told(opening: Opening, day: Day, number: Number, wait: Wait, at_ms: int) -> Wait:
    """A lower bound while nobody is let in or the tail is out of sight, else the quantiles."""
    mean_s, p10_s, p50_s, p90_s = map(round, number)
    last_ms = ms(opening.period.last_entry)

    def told(state: State, expected_s: int, **more: object) -> Wait:
        late = not opening.goes_on and at_ms + expected_s * 1000 > last_ms
        return msgspec.structs.replace(wait, state=State.CLOSING if late else state, mean_s=mean_s, **more)

    reason = _why_bounded(opening, day, number, at_ms)
    if reason is None:
        return told(State.OPEN, p50_s, p10_s=p10_s, p50_s=p50_s, p90_s=p90_s)
    if reason is Reason.OUT_OF_SIGHT:
        bound_s = _least_wait_s(day, _beyond(day, opening.yard, at_ms))
        return told(State.OPEN, bound_s, queue=None, queue_p90=None, more_than_s=bound_s, reason=reason)
    return told(State.OPEN if reason is Reason.TOO_WIDE else State.HELD, p50_s, more_than_s=p10_s or None, reason=reason)


def _why_bounded(opening: Opening, day: Day, number: Number, at_ms: int) -> Reason | None:
    """Why there are no quantiles."""
    held = _why_held(day, opening.yard, at_ms)
    if held:
        return held
    if _beyond(day, opening.yard, at_ms):
        return Reason.OUT_OF_SIGHT
    mean_s, p10_s, _, p90_s = map(round, number)
    return Reason.TOO_WIDE if p90_s - p10_s > max(TOO_WIDE_S, TOO_WIDE_SHARE * mean_s) else None


def _latest_arrival(opening: Opening, at_ms: int, zone: ZoneInfo) -> dt.datetime | None:
    if opening.goes_on:
        return None
    day = opening.until(at_ms)
    latest = arrival.latest(day, day.number(), at_ms, ms(opening.period.last_entry))
    return None if latest is None else dt.datetime.fromtimestamp(latest // 1000, zone)


def _why_unknown(opening: Opening, day: Day, at_ms: int, alive: bool) -> Reason | None:
    counted = day.passages_tell
    if not counted and not has_lane(opening.yard):
        return Reason.NO_SENSORS
    if not alive and _is_silent(opening, at_ms):
        return Reason.SILENT
    if not counted and not day.lane.steady(at_ms):
        return Reason.UNSTEADY
    if not counted or alive or day.lane.watches(at_ms, math.inf):
        return None
    return _counter_out(day, at_ms)


def _is_silent(opening: Opening, at_ms: int) -> bool:
    """Whether all the yard's sensors are silent, or one of its gateways is gone; two different things.

    Only lane sensors repeat what they see: a counter speaks when a car comes, and then only its gateway tells a quiet yard from a
    dead one. Where no gateway is in the catalogue nobody could tell.
    """
    repeats = has_lane(opening.yard)
    if repeats and at_ms - opening.last_heard_ms(at_ms) > SILENT_MS:
        return True
    sign_ms = opening.last_sign_ms(at_ms)
    return at_ms - sign_ms > GONE_MS if sign_ms is not None else opening.has_gateway and not repeats


def _counter_out(day: Day, at_ms: int) -> Reason | None:
    """Which counter is out for so long that nothing is known of the queue any more, where no lane sensor sees it."""
    if day.left_unexplained >= BLIND_AFTER:
        return Reason.TAIL_COUNTER
    blind = day.blind
    if (blind.entry and at_ms - day.last_joined_ms > RECKONED_MS) or (blind.departure and at_ms - day.last_left_ms > RECKONED_MS):
        return Reason.COUNTER_OUT
    head = day.voices.line.head(day.queue.mean_waiting(), at_ms)
    if day.queue.mean_waiting() >= 1 and head is not None and not day.held:
        silent_s = (at_ms - max(day.last_left_ms, head.joined_ms)) / 1000
        if day.pace.chance_of_silence(day.since_s(at_ms), silent_s) < DEAD:
            return Reason.GATE_COUNTER
    return None


def _why_held(day: Day, yard: Yard, at_ms: int) -> Reason | None:
    if day.held_by_staff:
        return Reason.STAFF
    return Reason.GATE_HELD if day.held else _standstill(day, yard, at_ms)


def _standstill(day: Day, yard: Yard, at_ms: int) -> Reason | None:
    """Cars stand at the head and none is let in for longer than the rate explains."""
    head = day.lane.head(at_ms, yard.metres_per_car)
    if head is None or not head.occupied:
        return None
    still_ms = at_ms - max(head.since_ms, day.last_left_ms, day.released_ms)
    # What is usual: the silence itself must not make silence likely.
    if still_ms >= STANDSTILL_MS and day.pace.chance_of_silence(day.since_s(at_ms), still_ms / 1000) < UNLIKELY:
        return Reason.STANDSTILL
    return None


def _beyond(day: Day, yard: Yard, at_ms: int) -> int:
    """How many cars there are at least, where the last lane sensor is covered for long and the counters tell no more; else 0."""
    positions = [sensor.position_m or 0.0 for sensor in yard.sensors.values() if sensor.role is Role.LANE]
    tail = day.lane.tail(at_ms, max(positions, default=0.0))
    if tail is None or at_ms - tail.since_ms < TAIL_MS:
        return 0
    is_out = day.left_unexplained >= BLIND_AFTER or (day.blind.entry and at_ms - day.last_joined_ms > RECKONED_MS)
    return sight.at_least(tail.position_m, yard.metres_per_car) if is_out or not day.passages_tell else 0


def _least_wait_s(day: Day, cars: int) -> int:
    """What a car waits at least, nine times out of ten, that joins behind so many."""
    wait_s = (cars + 1) * day.gap_s()
    return round(day.voices.band.waits_s(wait_s, math.sqrt(day.gap_s() * wait_s))[0])


def _trend(before_s: int | None, now_s: int) -> Trend | None:
    if before_s is None:
        return None
    change_s = now_s - before_s
    if abs(change_s) <= max(STEADY_S, STEADY_SHARE * max(before_s, now_s)):
        return Trend.STEADY
    return Trend.RISING if change_s > 0 else Trend.FALLING
