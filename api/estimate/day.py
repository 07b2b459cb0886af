"""One day of a yard's lane, told event by event in order of time: how many stand there, how fast they are let in, what the voices
say of it, and what each wait that ended taught them."""

import copy
import math

from api.estimate.counters import MOVES, Blind, Counters
from api.estimate.events import WAY_OUT_MS, Event, Hold, InUse, MovedUp, Passage
from api.estimate.exposure import Exposure
from api.estimate.lane import SILENT_MS, Lane, Look, News
from api.estimate.pace import Pace, departure_role
from api.estimate.profile import Profile
from api.estimate.queue import MISCOUNTS, Queue, Unseen
from api.estimate.sight import Sight
from api.estimate.tally import Tally, quarter
from api.estimate.voices import SOMEBODY, Number, Voices
from hoflicht.catalogue import STAFF, Role, Yard

ROLLING_MS = 30_000  # cars that came so lately may roll, not stand, while the gate is free
RENEW_CARS = 10  # departures after which the rates are made anew; each alone changes them by less than a hundredth
BEFORE_MS = 3 * 3_600_000  # before the opening a day begins; nobody queues so early, the lane is empty then


class Day:
    """The state of a lane after the events so far. `passages_tell` is False where one of the two counters is missing."""

    def __init__(self, yard: Yard, opens_ms: int, profile: Profile, follows: bool = False, is_trial: bool = False) -> None:
        self._yard, self._opens_ms, self._follows = yard, opens_ms, follows
        roles = {sensor.role for sensor in yard.sensors.values()}
        self.passages_tell = {Role.LANE_ENTRY, departure_role(yard)} <= roles
        self.pace = Pace(yard, profile)
        self._is_first_day = not profile.days
        self._is_trial = is_trial  # of another profile: only how likely it makes the day is asked
        start = profile.carried if follows and profile.carried else (1.0,)
        self.queue = Queue(self.pace, MISCOUNTS[profile.miscount], profile.per_entry, start)
        self.tally = Tally(profile, yard.usual_entries_per_hour / 3_600, yard.bays)
        self.counters = Counters(yard, self.tally)
        self.voices = Voices(self.pace, self.tally, profile, opens_ms)
        self.exposure = Exposure(self.pace)
        self.lane = Lane()
        self.entries = self.exits = self.let_in = 0
        # At a yard that counts at its exit: how often the head of the lane got free, and exits while something looked there.
        self.moves = self.exits_beside = 0
        self.at_ms = opens_ms - BEFORE_MS
        self._head_heard_ms = 0  # when a sensor at the head of the lane was heard last
        self._is_asked = False  # a copy that is only looked at
        self._clock_ms = 0  # what all times so far are multiples of: some counters tell the minute
        self._joins = False  # at this very instant
        self._joined_ms: list[int] = []
        self._news = News(yard.metres_per_car)
        self._held_gates: set[str] = set()
        self.released_ms = self.last_left_ms = self.last_joined_ms = opens_ms
        self._going_ms: list[int] = []  # when cars went in for whom no bay was free: another one must be on its way out
        self._unpaired_ms = 0  # when the last car went in while the exit was out: the one that made place may be counted yet
        self._came_unseen = False  # the counter at the entry was known to be out, and cars came as is usual
        self._nobody_ms = opens_ms  # when last nobody waited
        self._left_unmoved = 0  # cars that left the yard since one was last seen to go in, while others waited
        self.left_unexplained = 0  # departures since the last entry beyond the cars there were

    @property
    def held(self) -> bool:
        """Whether a gate or staff say that nobody is let in."""
        return bool(self._held_gates)

    @property
    def held_by_staff(self) -> bool:
        """Whether staff say so."""
        return STAFF in self._held_gates

    @property
    def blind(self) -> Blind:
        """Which counters are out."""
        return self.counters.blind(self._gap_s(), self.since_s(self.at_ms))

    def number(self) -> Number:
        """The wait of a car that joins now; of those that joined at this very instant, where some did."""
        return self.voices.number(self.at_ms, self.queue, self._behind())

    def take(self, event: Event) -> None:
        """Let the time until `event` pass, and take it in."""
        if isinstance(event, Look) and self.passages_tell and not self._tells(event):
            self._note(event)
            return
        if isinstance(event, MovedUp) and event.at_ms > event.went_ms and event.went_ms not in self._going_ms:
            return  # whose place he took has been counted out
        self.pass_until(event.at_ms)
        if isinstance(event, Passage):
            self._clock_ms = math.gcd(self._clock_ms, event.at_ms)
            for _ in range(event.cars):
                self._join(event.at_ms) if event.joined else self._leave(event.at_ms)
        elif isinstance(event, MovedUp):
            self._move_up(event)
        elif isinstance(event, Look):
            self._look(event)
        elif isinstance(event, Hold):
            self._hold(event)
        elif isinstance(event, InUse):
            self.queue.in_use(event.bays)
        else:
            self.counters.hear(event)

    def seen_at(self, at_ms: int) -> "Day":
        """This day as it will stand at `at_ms` if nothing happens until then."""
        if at_ms <= self.at_ms:
            return self
        self.learn_ended()
        seen = copy.copy(self)
        seen.queue = self.queue.copy()
        seen._is_asked = True
        seen.pass_until(at_ms)
        return seen

    def pass_until(self, at_ms: int) -> None:
        """Let time pass; what ended at the last instant is learnt from."""
        if at_ms <= self.at_ms:
            return
        self.learn_ended()
        start_ms = self.at_ms if self._follows else max(self.at_ms, self._opens_ms)
        if (
            not self.pace.at_exit
            and self.pace.has_lane
            and self._joined_ms
            and self.queue.mean_waiting() < self._rolling(start_ms) + SOMEBODY
        ):
            start_ms = max(start_ms, min(at_ms, self._joined_ms[-1] + ROLLING_MS))
        if at_ms > start_ms and not self.held and self.passages_tell:
            self._pass((at_ms - start_ms) / 1000, (start_ms - self._opens_ms) / 1000)
        self.at_ms = at_ms

    def _pass(self, seconds: float, since_s: float) -> None:
        blind, watched = self.blind, self._watched
        if not self._is_asked and (watched or not blind.departure) and self._is_of_today(self.at_ms):
            self.exposure.passes(self.queue, seconds, quarter(since_s), watched)
        self._came_unseen = blind.entry
        comes, opens_in_s = self.tally.arrivals_per_s(since_s) if blind.entry else 0.0, self.pace.gate.opens_in_s(self.at_ms)
        self.queue.passes(seconds, since_s, self._unseen(blind, watched), comes, opens_in_s)

    def _unseen(self, blind: Blind, watched: bool) -> Unseen:
        if self.pace.at_exit:
            return Unseen(blind.entry, not watched, blind.departure)
        sees_moves = self.queue.mean_waiting() >= SOMEBODY and self._head_lives(self.at_ms)
        return Unseen(blind.entry, blind.departure and not sees_moves)

    @property
    def _watched(self) -> bool:
        """Whether each car is seen that leaves the lane for a bay."""
        return self.pace.sees_moves and self._head_lives(self.at_ms) and self._left_unmoved <= self._yard.bays

    def _head_lives(self, at_ms: int) -> bool:
        """Whether a sensor at the head of the lane lives."""
        return at_ms - self._head_heard_ms <= SILENT_MS

    def _join(self, at_ms: int) -> None:
        nobody = self.queue.mean_waiting() < SOMEBODY
        self.voices.join(at_ms, nobody and (not self.pace.at_exit or self.queue.full() < SOMEBODY))
        self._joins = True
        self._joined_ms = [*(ms for ms in self._joined_ms if at_ms - ms < ROLLING_MS), at_ms]
        self.last_joined_ms = at_ms
        self._news.joined += 1
        if self._is_of_today(at_ms):
            self.entries += 1
            self.tally.came(self.since_s(at_ms))
        self.left_unexplained = 0
        self.counters.gap_ends()
        if self.passages_tell:
            self.queue.entered(self._clock_ms / 1000)
            self._settle(at_ms)

    def _settle(self, at_ms: int) -> None:
        if self.pace.at_exit and not self._watched and not self.held and self._is_open(at_ms):
            self.queue.settle()

    def _is_open(self, at_ms: int) -> bool:
        return self._follows or at_ms >= self._opens_ms

    def _leave(self, at_ms: int) -> None:
        """A car was counted that leaves the queue at the control, or the yard at its exit."""
        self.left_unexplained = self.left_unexplained + 1 if self.queue.mean_waiting() < SOMEBODY else 0
        was_out = self.blind.departure
        self.counters.moved_unexplained = 0
        self.exits += self._is_of_today(at_ms)
        self.exits_beside += self.pace.at_exit and self._is_of_today(at_ms) and self._head_lives(at_ms)
        if self.pace.at_exit and self._watched:
            self._left_unmoved += self.queue.mean_waiting() > SOMEBODY
            self.last_left_ms = at_ms
            self._news.left(at_ms)
            if not was_out or at_ms - self._unpaired_ms >= WAY_OUT_MS:
                self.queue.gone(paced=not self.held)
            if self._going_ms:
                self._let_in(self._going_ms.pop(0))
        else:
            self._let_in(at_ms)

    def _let_in(self, at_ms: int) -> None:
        """Somebody left the lane at `at_ms`, or left the yard so that somebody could."""
        self._news.let_in += 1
        self.let_in += self._is_of_today(at_ms)
        waiting = self.queue.mean_waiting()
        if waiting > SOMEBODY or not self.pace.at_exit or self._watched:
            self.voices.let_in(at_ms, waiting, self.queue.spread_waiting())
            if not self.held and (self._watched or not self.pace.at_exit):
                self.pace.gate.let_in(at_ms)
        self.voices.left(at_ms)
        self.last_left_ms = at_ms
        self._news.left(at_ms)
        if not self.passages_tell:
            return
        self._suspect()
        is_paced = not self.held and self._is_open(at_ms)
        tells = self.pace.at_exit or not self.pace.has_lane or waiting > self._rolling(at_ms) + SOMEBODY
        before, straight = self.queue.copy(), 0.0
        if self.pace.at_exit and not self._watched:
            self.queue.gone(is_paced)
            self._settle(at_ms)
        else:
            straight = self.queue.let_in(is_paced)
        if is_paced and tells and self._is_of_today(at_ms):
            self.exposure.let_in(before, 1 - straight, quarter(self.since_s(self.at_ms)), self._watched)
            if self.let_in % RENEW_CARS == 0:
                self.pace.renew()

    def _suspect(self) -> None:
        """Cars may have joined uncounted."""
        if self.queue.mean_waiting() < SOMEBODY:
            self._nobody_ms = self.at_ms
            self.counters.gap_ends()
        elif self.pace.has_lane and not self._came_unseen:  # a sensor finds out what is mistaken for an outage
            gap_s = min(self._gap_s(), (self.last_left_ms - self._nobody_ms) / 1000)
            for chance, cars in self.counters.missed(gap_s, self.since_s(self.at_ms)):
                self.queue.missed(chance, cars)

    def _hold(self, hold: Hold) -> None:
        if hold.held:
            self._held_gates.add(hold.gate)
        elif hold.gate in self._held_gates:
            self._held_gates.discard(hold.gate)
            self.released_ms = hold.at_ms

    def _note(self, look: Look) -> None:
        self.lane.note(look)
        if look.position_m <= self._yard.metres_per_car:
            if look.at_ms > self.at_ms:
                self.learn_ended()  # that does not rest on whether the head of the lane is seen later
            self._head_heard_ms = look.at_ms
        if look.occupied is None:
            self._news.changed(look.sensor)

    def _look(self, look: Look) -> None:
        self._note(look)
        if self.passages_tell:
            self._see(look)
            return
        self.queue.forget()
        for each in self.lane.steady(look.at_ms):
            if self._tells(each):
                self._see(each)

    def _tells(self, look: Look) -> bool:
        """Whether it is steady, new, not contradicted, and not what was expected: most looks are not worth a step of time."""
        news = self._news
        if look.occupied is None or news.beyond(look, 0) is None or news.is_stuck(look) or not self.lane.bears_out(look):
            return False
        sight, rolling = self._sight(look)
        beyond = news.beyond(look, rolling)
        if beyond is None:
            return False
        if news.is_change(look) or not self.queue.expects(sight, rolling, beyond):
            return True
        news.take(look, rolling)
        return False

    def _sight(self, look: Look) -> tuple[Sight, int]:
        """What is seen, and how many of the last cars may not stand yet."""
        sight = Sight(bool(look.occupied), look.position_m, self._yard.metres_per_car)
        return sight, 0 if look.occupied else self._rolling(look.at_ms)

    def _move_up(self, moved: MovedUp) -> None:
        """The first car of the lane went in. Where nothing else counts those, or what does counts no more, that is one."""
        is_again = moved.at_ms > moved.went_ms
        if not self.pace.at_exit:
            if not is_again:
                self._moved_unseen_by_control(moved.went_ms)
        elif not is_again:
            self.moves += self._is_of_today(moved.at_ms)
            self._left_unmoved = 0
            if self.queue.full() > SOMEBODY and not self.blind.departure:
                self._going_ms.append(moved.went_ms)
            else:
                self._unpaired_ms = moved.went_ms if self.blind.departure else 0
                self._let_in(moved.went_ms)
        elif moved.went_ms in self._going_ms:
            self._going_ms.remove(moved.went_ms)
            self.counters.moved_unexplained += 1
            self._let_in(moved.went_ms)

    def _moved_unseen_by_control(self, at_ms: int) -> None:
        self.counters.moved_unexplained += 1
        if self.counters.departure_says_out or self.counters.moved_unexplained > MOVES:
            self._let_in(at_ms)
        elif self.counters.moved_unexplained == MOVES:
            self.queue.reopen(self.pace.usual(self.since_s(at_ms)))
            for _ in range(MOVES):
                self._let_in(at_ms)

    def _see(self, look: Look) -> None:
        sight, rolling = self._sight(look)
        if self._is_first_day and self.pace.sees_moves and sight.is_free_head and not self.held:
            self.queue.settle()  # who found a bay free may have rolled past without stopping
        beyond = self._news.beyond(look, rolling) or 0
        self.queue.seen(sight, rolling, self._news.take(look, rolling), beyond)

    def learn_ended(self) -> None:
        """What joined and ended at the last instant; then time may go on."""
        if self._is_trial:
            self.voices.forget()
        elif self.voices.has_heard:
            at_once = self.pace.at_exit and not self._watched and self.queue.mean_waiting() < SOMEBODY
            from_ms = self._opens_ms if self._follows else 0
            self.voices.learn(self.at_ms, self.queue, self._behind(), from_ms, at_once)
        self._joins = False

    def _behind(self) -> int:
        """How many cars are counted that are not in front of one that joins now: they roll, or are on their way into a bay."""
        rolls = 0 if self.pace.at_exit or self._joins else self._rolling(self.at_ms)
        return rolls + len(self._going_ms)

    def gap_s(self) -> float:
        """The mean time between two cars that are let in, while cars wait."""
        return self.voices.gap_s(self.queue)

    def _rolling(self, at_ms: int) -> int:
        """How many cars may not have reached the gate yet; none while one stands there, or where no sensor looks at the lane."""
        if not self.pace.has_lane:
            return 0
        rolling = sum(1 for joined_ms in self._joined_ms if at_ms - joined_ms < ROLLING_MS)
        head = self.lane.head(at_ms, self._yard.metres_per_car) if rolling else None
        return 0 if head is not None and head.occupied else rolling

    def _gap_s(self) -> float:
        """Since the last one came, while others still left: else the yard is only quiet."""
        return (self.last_left_ms - max(self.last_joined_ms, self._opens_ms)) / 1000

    def _is_of_today(self, at_ms: int) -> bool:
        """What was before an opening that follows another was learnt with that one."""
        return not self._follows or at_ms >= self._opens_ms

    def since_s(self, at_ms: int) -> float:
        """Seconds from the opening to `at_ms`."""
        return (at_ms - self._opens_ms) / 1000
