"""One day of a yard's lane, told event by event in order of time: how many stand there, how fast they are let in, what the voices
say of it, and what each wait that ended taught them."""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from api.band import Band
from api.events import Event, Hold, InUse, MovedUp, Passage
from api.lane import Lane, Look, News
from api.line import Car, Line, Said
from api.pace import CARS, Array, Pace, departure_role
from api.profile import BINS, Profile
from api.progress import Progress
from api.queue import MISCOUNTS, Queue, Sight, Unseen
from api.stack import Stack
from api.tally import Tally, quarter
from hoflicht.catalogue import Role, Yard

ROLLING_MS = 30_000  # cars that came so lately may roll, not stand, while the gate is free
FIRST_WEIGHTS = (1.0, 0.0, 0.0, 0.0)  # of the voices before anything is learnt: the model alone knows the catalogue
COLD_WEIGHTS = (0.6, 0.2, 0.2, 0.0)  # on the first day it knows no more than that, and the catalogue may be wrong
RENEW_CARS = 10  # departures after which the rates are made anew; each alone changes them by less than a hundredth
MOVES = 3  # of the head of the lane without a departure: that counter is out, not unlucky (0.03 ** 3)
GAPS = 11.0  # usual gaps between two cars without one: that counter is out, not unlucky (exp(-11))
PROGRESS_MS = 60_000  # what is usual at a time of day hardly changes within a minute
SOME_DAYS = 0.9  # learnt, before a gap between cars is unusual: the catalogue knows the pace, not the demand
BEFORE_MS = 3 * 3_600_000  # before the opening a day begins; nobody queues so early, the lane is empty then
SOMEBODY = 0.5  # cars; fewer are nobody


class Blind(NamedTuple):
    """Counters that are known to be out."""

    entry: bool = False
    departure: bool = False


class Number(NamedTuple):
    """What is to be said at one instant, in seconds."""

    mean_s: float
    p10_s: float
    p50_s: float
    p90_s: float


class Day:
    """The state of a lane after the events so far. `passages_tell` is False where one of the two counters is missing."""

    def __init__(self, yard: Yard, opens_ms: int, profile: Profile, follows: bool = False, miscount: int | None = None) -> None:
        self._yard, self._opens_ms, self._follows = yard, opens_ms, follows
        self._departs = departure_role(yard)
        roles = {sensor.role for sensor in yard.sensors.values()}
        self.passages_tell = Role.LANE_ENTRY in roles and self._departs in roles
        self.pace = Pace(yard, profile)
        self._is_first_day = not profile.days
        self._is_trial = miscount is not None  # of another error of the counters: only how likely it makes the day is asked
        variance = MISCOUNTS[profile.miscount if miscount is None else miscount]
        start = profile.carried if follows and profile.carried else (1.0,)
        self.queue = Queue(self.pace, variance, profile.per_entry, start)
        self._has_lane = Role.LANE in roles
        self.line = Line(profile.per_entry, keeps_order=self._has_lane)
        self.stack = Stack(FIRST_WEIGHTS if profile.days else COLD_WEIGHTS, profile)
        self.band = Band(profile)
        self.tally = Tally(profile, yard.usual_entries_per_hour / 3_600)
        self.lane = Lane()
        self.entries = self.exits = self.moves = self.let_in = 0
        self.bin_departures, self.bin_waiting_s, self.bin_share_s = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)
        self.gate_cars = self.gate_s = 0.0
        # Until a car that is let in proves that what looks there is alive:
        self._pending_s, self._pending_waiting_s, self._pending_share_s = np.zeros(CARS), np.zeros(BINS), np.zeros(BINS)
        self._pending_gate_s = 0.0
        self.at_ms = opens_ms - BEFORE_MS
        self._joined: list[Car] = []  # at this very instant
        self._ended: list[tuple[Car, list[tuple[Car, float]], int]] = []  # let in at this very instant
        self._joined_ms: list[int] = []
        self._found_empty: set[int] = set()
        self._news = News(yard.metres_per_car)
        self._out: set[str] = set()
        self._held_gates: set[str] = set()
        self._last_wait_s: float | None = None
        self.measured: list[tuple[int, float, float]] = []  # waits that ended: joined at, ms; seconds; with which probability
        self._progress: dict[int, Progress] = {}  # of the latest minute that was asked about
        self.released_ms = self.last_left_ms = self.last_joined_ms = opens_ms
        self.moved_unexplained = 0  # times the head of the lane moved up since the last departure was counted
        self._going_ms: list[int] = []  # when cars went in for whom no bay was free: another one must be on its way out
        self._left_unmoved = 0  # cars that left the yard since one was last seen to go in, while others waited
        self.left_unexplained = 0  # departures since the last entry beyond the cars there were

    @property
    def held(self) -> bool:
        """Whether a gate says that nobody is let in."""
        return bool(self._held_gates)

    @property
    def blind(self) -> Blind:
        """Which counters are out."""
        entry = Role.LANE_ENTRY in self._roles_out() or (self.tally.days > SOME_DAYS and self._gap() > GAPS)
        return Blind(entry, self._departs in self._roles_out() or self.moved_unexplained >= MOVES)

    def number(self) -> Number:
        """The wait of a car that joins now; of those that joined at this very instant, where some did."""
        said = self._said()
        return Number(said.number_s, *self.band.waits_s(said.number_s, said.scale_s))

    def take(self, event: Event) -> None:
        """Let the time until `event` pass, and take it in."""
        if isinstance(event, Look) and self._repeats(event):
            self.lane.note(event)
            if event.occupied is None:
                self._news.changed(event.sensor)
            return
        self.pass_until(event.at_ms)
        if isinstance(event, Passage):
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
        elif event.is_out:
            self._out.add(event.counter)
        else:
            self._out.discard(event.counter)

    def seen_at(self, at_ms: int) -> "Day":
        """This day as it will stand at `at_ms` if nothing happens until then."""
        if at_ms <= self.at_ms:
            return self
        self.learn_ended()
        seen = copy.copy(self)
        seen.queue = copy.copy(self.queue)
        seen._pending_s, seen._pending_waiting_s = self._pending_s.copy(), self._pending_waiting_s.copy()
        seen._pending_share_s = self._pending_share_s.copy()
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
            and self._has_lane
            and self._joined_ms
            and self.queue.mean_waiting() < self._rolling(start_ms) + SOMEBODY
        ):
            start_ms = max(start_ms, min(at_ms, self._joined_ms[-1] + ROLLING_MS))
        if at_ms > start_ms and not self.held and self.passages_tell:
            self._pass((at_ms - start_ms) / 1000, (start_ms - self._opens_ms) / 1000)
        self.at_ms = at_ms

    def _pass(self, seconds: float, since_s: float) -> None:
        blind = self.blind
        if (self._watched or not blind.departure) and self._is_of_today(self.at_ms):
            self._expose(seconds, quarter(since_s))
        self.queue.passes(seconds, since_s, self._unseen(blind), self.tally.arrivals_per_s(since_s) if blind.entry else 0.0)

    def _expose(self, seconds: float, at: int) -> None:
        """Seconds in which cars could be let in."""
        p, pace = self.queue.p, self.pace
        busy = self.queue.busy()
        self._pending_s[: len(p)] += (p * pace.units[: len(p)]).sum(axis=(1, 2)) * seconds
        self._pending_waiting_s[at] += busy * seconds
        if self._watched:
            self._pending_share_s[at] += float(p[1:].sum(axis=(0, 1)) @ pace.share) * seconds
            self._pending_gate_s += float((np.minimum(np.arange(len(p))[:, None, None], pace.places) * p).sum()) * seconds

    def _unseen(self, blind: Blind) -> Unseen:
        if self.pace.at_exit:
            return Unseen(blind.entry, not self._watched, blind.departure)
        sees_moves = self.queue.mean_waiting() >= SOMEBODY and self.lane.watches(self.at_ms, self._yard.metres_per_car)
        return Unseen(blind.entry, blind.departure and not sees_moves)

    @property
    def _watched(self) -> bool:
        """Whether each car is seen that leaves the lane for a bay."""
        lives = self.pace.sees_moves and self.lane.watches(self.at_ms, self._yard.metres_per_car)
        return lives and self._left_unmoved <= self._yard.bays

    def _join(self, at_ms: int) -> None:
        if self.queue.mean_waiting() < SOMEBODY and not (self.pace.at_exit and self.queue.full() > SOMEBODY):
            self._found_empty.add(at_ms)
        self._joined.append(self.line.join(at_ms))
        self._joined_ms = [*(ms for ms in self._joined_ms if at_ms - ms < ROLLING_MS), at_ms]
        self.last_joined_ms = at_ms
        self._news.passed += 1
        if self._is_of_today(at_ms):
            self.entries += 1
            self.tally.came(self.since_s(at_ms))
        self.left_unexplained = 0
        if self.passages_tell:
            self.queue.entered()
            self._settle(at_ms)

    def _settle(self, at_ms: int) -> None:
        if self.pace.at_exit and not self._watched and not self.held and self._is_open(at_ms):
            self.queue.settle()

    def _is_open(self, at_ms: int) -> bool:
        return self._follows or at_ms >= self._opens_ms

    def _leave(self, at_ms: int) -> None:
        """A car was counted that leaves the queue at the control, or the yard at its exit."""
        self.left_unexplained = self.left_unexplained + 1 if self.queue.mean_waiting() < SOMEBODY else 0
        self.moved_unexplained = 0
        self.exits += self._is_of_today(at_ms)
        if self.pace.at_exit and self._watched:
            self._left_unmoved += self.queue.mean_waiting() > SOMEBODY
            self.last_left_ms = at_ms
            self._news.left(at_ms)
            self.queue.gone(paced=not self.held)
            if self._going_ms:
                self._let_in(self._going_ms.pop(0))
        else:
            self._let_in(at_ms)

    def _let_in(self, at_ms: int) -> None:
        """Somebody left the lane at `at_ms`, or left the yard so that somebody could."""
        self._news.passed += 1
        self.let_in += self._is_of_today(at_ms)
        waiting = self.queue.mean_waiting()
        if waiting > SOMEBODY or not self.pace.at_exit or self._watched:
            spread = self.queue.spread_waiting()
            head = self.line.head(waiting)
            if head is not None:
                self._last_wait_s = (at_ms - head.joined_ms) / 1000
                self._ended.append((head, list(self.line.leaves(waiting, spread)), at_ms))
        self.last_left_ms = at_ms
        self._news.left(at_ms)
        if not self.passages_tell:
            return
        is_paced = not self.held and self._is_open(at_ms)
        if self.pace.at_exit and not self._watched:
            before, waited = self.queue.lane, self.queue.busy()
            self.queue.gone(is_paced)
            self._settle(at_ms)
        else:
            self.gate_cars += 1 - self.queue.full() if self._watched and is_paced else 0
            before, waited = self.queue.let_in(is_paced)
        if not is_paced:
            return
        is_paced = self.pace.at_exit or not self._has_lane or waiting > self._rolling(at_ms) + SOMEBODY
        if is_paced and self._is_of_today(at_ms):
            self._count_departure(before, waited)

    def _count_departure(self, before: Array, waited: float) -> None:
        """One more was let in of so many; `waited`: the probability that somebody waited."""
        self.pace.today[: len(before)] += before
        self.pace.today_s += self._pending_s
        self.bin_departures[quarter(self.since_s(self.at_ms))] += waited
        self.bin_waiting_s += self._pending_waiting_s
        self.bin_share_s += self._pending_share_s
        self.gate_s += self._pending_gate_s
        self._pending_s[:], self._pending_waiting_s[:], self._pending_share_s[:] = 0.0, 0.0, 0.0
        self._pending_gate_s = 0.0
        if self.let_in % RENEW_CARS == 0:
            self.pace.renew()
            self._progress.clear()

    def _hold(self, hold: Hold) -> None:
        if hold.held:
            self._held_gates.add(hold.gate)
        elif hold.gate in self._held_gates:
            self._held_gates.discard(hold.gate)
            self.released_ms = hold.at_ms

    def _look(self, look: Look) -> None:
        self.lane.note(look)
        if look.occupied is None:
            self._news.changed(look.sensor)
        steady = self.lane.steady(look.at_ms)
        if not self.passages_tell:
            self.queue.forget()
            for each in steady:
                self._see(each)
        elif look in steady:
            self._see(look)

    def _repeats(self, look: Look) -> bool:
        """Whether it says no more than before: most looks do, and are not worth a step of time."""
        if look.occupied is None:
            return self.passages_tell
        before = self.lane.latest(look.sensor)
        same = before is not None and before.occupied == look.occupied and before.since_ms == look.since_ms
        return same and self.passages_tell and not self._news.is_news(look)

    def _move_up(self, moved: MovedUp) -> None:
        """The first car of the lane went in. Where nothing else counts those, or what does counts no more, that is one."""
        is_again = moved.at_ms > moved.went_ms
        self.moves += not is_again and self._is_of_today(moved.at_ms)
        if not self.pace.at_exit:
            if not is_again:
                self._moved_unseen_by_control(moved.went_ms)
        elif not is_again:
            self._left_unmoved = 0
            if self.queue.full() > SOMEBODY and not self.blind.departure:
                self._going_ms.append(moved.went_ms)
            else:
                self._let_in(moved.went_ms)
        elif moved.went_ms in self._going_ms:
            self._going_ms.remove(moved.went_ms)
            self.moved_unexplained += 1
            self._let_in(moved.went_ms)

    def _moved_unseen_by_control(self, at_ms: int) -> None:
        self.moved_unexplained += 1
        if self._departs in self._roles_out() or self.moved_unexplained > MOVES:
            self._let_in(at_ms)
        elif self.moved_unexplained == MOVES:
            self.queue.reopen(self.pace.usual(self.since_s(at_ms)))
            for _ in range(MOVES):
                self._let_in(at_ms)

    def _see(self, look: Look) -> None:
        if look.occupied is None or self._news.is_stuck(look) or not self._news.is_news(look):
            return
        rolling = 0 if look.occupied else self._rolling(look.at_ms)
        sight = Sight(look.occupied, look.position_m, self._yard.metres_per_car)
        if self._is_first_day and self.pace.sees_moves and sight.is_free_head and not self.held:
            self.queue.settle()  # who found a bay free may have rolled past without stopping
        self.queue.seen(sight, rolling, turned=self._news.take(look))

    def learn_ended(self) -> None:
        """What joined and ended at the last instant; then time may go on."""
        if self._is_trial:
            self._joined, self._ended = [], []
            return
        if self._joined:
            said = self._said()
            for car in self._joined:
                car.said = said
            if self.pace.at_exit and not self._watched and self.queue.mean_waiting() < SOMEBODY:  # there was a bay for each
                self._last_wait_s = 0.0
                self._ended += [(car, [(car, 1.0)], car.joined_ms) for car in self._joined]
            self._joined = []
        for head, leaves, at_ms in self._ended:
            self._ended_wait(head, leaves, at_ms)
        self._ended = []

    def _ended_wait(self, head: Car, leaves: Sequence[tuple[Car, float]], at_ms: int) -> None:
        if not self._is_of_today(at_ms):
            return
        wait_s = (at_ms - head.joined_ms) / 1000
        self.tally.ended(self.since_s(head.joined_ms), wait_s, head.joined_ms in self._found_empty)
        if head.said is not None:
            self.stack.learn(head.said.voices_s, wait_s)
        for car, chance in leaves:
            self.measured.append((car.joined_ms, (at_ms - car.joined_ms) / 1000, chance))
            found_a_bay = self.pace.at_exit and car.joined_ms in self._found_empty  # that tells nothing of how far a wait is off
            if car.said is not None and not found_a_bay:
                self.band.learn(car.said.number_s, car.said.scale_s, [((at_ms - car.joined_ms) / 1000, chance)])

    def _said(self) -> Said:
        waiting = self.queue.mean_waiting()
        behind = (len(self._joined) + 1) / 2 if self._joined else 0.0
        if not self.pace.at_exit:
            behind += self._rolling(self.at_ms) if not self._joined else 0
        behind += len(self._going_ms)
        since_s = self.since_s(self.at_ms)
        first_s = self.tally.first_wait_s() if self._has_lane else None
        model_s = self._progressing().wait_s(self.queue, behind, first_s)
        head = self.line.head(waiting)
        elapsed_s = (self.at_ms - head.joined_ms) / 1000 if head is not None and waiting > SOMEBODY else 0.0
        last_s = model_s if self._last_wait_s is None else self._last_wait_s
        voices_s = (model_s, last_s, elapsed_s, self.tally.same_hour_s(since_s, model_s))
        number_s = self.stack.wait_s(voices_s)
        return Said(voices_s, number_s, self._scale_s(number_s))

    def gap_s(self) -> float:
        """The mean time between two cars that are let in, while cars wait."""
        return 1 / (self.pace.per_second * max(float(self.queue.states @ self.pace.share), 1 / len(self.pace.share)))

    def _scale_s(self, number_s: float) -> float:
        """How far a wait is usually off: k gaps of a Poisson stream, and a count that is not sure."""
        gap_s = self.gap_s()
        return float(np.sqrt(gap_s * (number_s + gap_s) + (self.queue.spread_waiting() * gap_s) ** 2))

    def _progressing(self) -> Progress:
        minute_ms = self.at_ms // PROGRESS_MS * PROGRESS_MS
        if minute_ms not in self._progress:
            self._progress.clear()
            self._progress[minute_ms] = Progress(self.pace, self.since_s(minute_ms))
        return self._progress[minute_ms]

    def _roles_out(self) -> set[Role]:
        """What the counters tell whose ports are gone."""
        return {self._yard.sensors[counter].role for counter in self._out}

    def _rolling(self, at_ms: int) -> int:
        """How many cars may not have reached the gate yet; none while one stands there, or where no sensor looks at the lane."""
        if not self._has_lane:
            return 0
        head = self.lane.head(at_ms, self._yard.metres_per_car)
        if head is not None and head.occupied:
            return 0
        return sum(1 for joined_ms in self._joined_ms if at_ms - joined_ms < ROLLING_MS)

    def _gap(self) -> float:
        """Usual gaps between two cars since the last one came, while others still left: else the yard is only quiet."""
        since_ms = self.last_left_ms - max(self.last_joined_ms, self._opens_ms)
        if since_ms <= 0:
            return 0.0
        return since_ms / 1000 * self.tally.arrivals_per_s(self.since_s(self.at_ms))

    def _is_of_today(self, at_ms: int) -> bool:
        """What was before an opening that follows another was learnt with that one."""
        return not self._follows or at_ms >= self._opens_ms

    def since_s(self, at_ms: int) -> float:
        """Seconds from the opening to `at_ms`."""
        return (at_ms - self._opens_ms) / 1000
