"""What several voices say of the wait, the number made of them, and what each wait that ended teaches."""

import math
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from api.estimate.band import Band
from api.estimate.line import Car, Line, Said
from api.estimate.pace import USUAL_S, Pace
from api.estimate.profile import Profile
from api.estimate.progress import Progress, progresses
from api.estimate.queue import Queue
from api.estimate.stack import Stack
from api.estimate.tally import Tally

# The voices are: the model; the wait of the last car that was let in (LES); how long the first in line has waited (HOL); what is
# usual at that hour; the cars in front times the mean gap between the last departures (QL); the cars in front alone, for a pace
# that never changes. Before anything is learnt the model alone knows the catalogue.
FIRST_WEIGHTS = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
COLD_WEIGHTS = (0.7, 0.15, 0.15, 0.0, 0.0, 0.0)  # on the first day it knows no more than that, and the catalogue may be wrong
RECENT = 20  # gaps whose mean is the recent one: off by 1/sqrt(20), less than a quarter
PER_CAR_S = 60.0  # what the cars alone are told in; the weight makes of it what it takes
PROGRESS_MS, AN_HOUR = round(USUAL_S * 1000), 12  # of these
SOMEBODY = 0.5  # cars; fewer are nobody


class Number(NamedTuple):
    """What is to be said at one instant, in seconds."""

    mean_s: float
    p10_s: float
    p50_s: float
    p90_s: float


class Voices:
    """The voices of one opening that began at `opens_ms`."""

    def __init__(self, pace: Pace, tally: Tally, profile: Profile, opens_ms: int) -> None:
        self._pace, self._tally, self._opens_ms = pace, tally, opens_ms
        self.line = Line(profile.per_entry, pace.has_bays, pace.gives_up_per_s)
        self.stack = Stack(FIRST_WEIGHTS if profile.days else COLD_WEIGHTS, profile)
        self.band = Band(profile)
        self.measured: list[tuple[int, float, float]] = []  # waits that ended: joined at, ms; seconds; with which probability
        self._joined: list[Car] = []  # at this very instant
        self._ended: list[tuple[Car, Sequence[tuple[Car, float]], int]] = []  # let in at this very instant
        self._found_free: dict[int, int] = {}  # how many bays were taken when cars joined that had nothing to wait for
        self._left_ms: deque[int] = deque(maxlen=RECENT + 1)
        self._last_wait_s: float | None = None
        self._progress: dict[int, list[Progress]] = {}  # of the latest hour that was asked about

    def join(self, at_ms: int, finds_free: bool) -> None:
        """A car joins; `finds_free`: nobody is in front of it, nor has it to wait for a bay."""
        self._joined.append(self.line.join(at_ms))
        if finds_free:
            self._found_free[at_ms] = self._taken(at_ms)

    def let_in(self, at_ms: int, waiting: float, spread: float) -> None:
        """The first of so many that wait is let in."""
        head = self.line.head(waiting, at_ms)
        if head is not None:
            self._last_wait_s = (at_ms - head.joined_ms) / 1000
            self._ended.append((head, list(self.line.leaves(waiting, spread, at_ms)), at_ms))

    def left(self, at_ms: int) -> None:
        """A car left the lane, whether it had waited or not."""
        self._left_ms.append(at_ms)

    def say(self, at_ms: int, queue: Queue, behind: float) -> Said:
        """What is said to who joins at `at_ms`, with `behind` cars behind it that are in `queue` already."""
        behind += (len(self._joined) + 1) / 2 if self._joined else 0.0
        waiting = queue.mean_waiting()
        first_s = None if self._pace.at_exit or not self._pace.has_lane else self._tally.first_wait_s(self._taken(at_ms))
        model_s = self._progressing(at_ms).wait_s(queue, behind, first_s)
        head = self.line.head(waiting, at_ms)
        elapsed_s = (at_ms - head.joined_ms) / 1000 if head is not None and waiting > SOMEBODY else 0.0
        in_front = max(waiting - behind, 0.0) + queue.full()  # the one that joins has to wait, too
        voices_s = (
            model_s,
            model_s if self._last_wait_s is None else self._last_wait_s,
            elapsed_s,
            self._tally.same_hour_s(self._since_s(at_ms), model_s),
            in_front * self._recent_gap_s(queue),
            in_front * PER_CAR_S,
        )
        number_s = self._pace.gate.wait_s(at_ms, self.stack.wait_s(voices_s))
        gap_s = self.gap_s(queue)
        # How far a wait is usually off: k gaps of a Poisson stream, and a count that is not sure.
        return Said(voices_s, number_s, math.hypot(math.sqrt(gap_s * (number_s + gap_s)), queue.spread_waiting() * gap_s))

    def number(self, at_ms: int, queue: Queue, behind: float) -> Number:
        """The same, with its band."""
        said = self.say(at_ms, queue, behind)
        return Number(said.number_s, *self.band.waits_s(said.number_s, said.scale_s))

    def gap_s(self, queue: Queue) -> float:
        """The mean time between two cars that are let in, while cars wait."""
        return 1 / (self._pace.per_second * max(queue.at_work(), 1 / len(self._pace.share)))

    @property
    def has_heard(self) -> bool:
        """Whether anything joined or ended at the last instant."""
        return bool(self._joined or self._ended)

    def forget(self) -> None:
        """What joined and ended at the last instant teaches nothing."""
        self._joined, self._ended = [], []

    def learn(self, at_ms: int, queue: Queue, behind: float, from_ms: int, takes_bay_at_once: bool) -> None:
        """What joined and ended at the last instant, `at_ms`; waits that ended before `from_ms` were learnt with another opening.

        `takes_bay_at_once`: whoever joins now has a bay, which nothing shows.
        """
        if self._joined:
            said = self.say(at_ms, queue, behind)
            for car in self._joined:
                car.said = said
            if takes_bay_at_once:
                self._last_wait_s = 0.0
                self._ended += [(car, [(car, 1.0)], car.joined_ms) for car in self._joined]
        for head, leaves, ended_ms in self._ended:
            if ended_ms >= from_ms:
                self._learn_wait(head, leaves, ended_ms)
        self.forget()

    def _learn_wait(self, head: Car, leaves: Sequence[tuple[Car, float]], at_ms: int) -> None:
        wait_s = (at_ms - head.joined_ms) / 1000
        self._tally.ended(self._since_s(head.joined_ms), wait_s, self._found_free.get(head.joined_ms))
        if head.said is not None:
            self.stack.learn(head.said.voices_s, wait_s)
        self.measured += [(car.joined_ms, (at_ms - car.joined_ms) / 1000, chance) for car, chance in leaves]
        for car, chance in leaves:
            found_nobody = self._pace.has_bays and car.joined_ms in self._found_free  # that tells little of how far a wait is off
            if car.said is not None and not found_nobody:
                self.band.learn(car.said.number_s, car.said.scale_s, (at_ms - car.joined_ms) / 1000, chance)

    def _taken(self, at_ms: int) -> int:
        """How many bays are likely taken: by who was let in within such a time as each has one."""
        since_ms = at_ms - 1000 * self._pace.stay_s
        return min(sum(left_ms > since_ms for left_ms in self._left_ms), self._pace.yard_bays)

    def _recent_gap_s(self, queue: Queue) -> float:
        gaps = len(self._left_ms) - 1
        return (self._left_ms[-1] - self._left_ms[0]) / 1000 / gaps if gaps > 0 else self.gap_s(queue)

    def _progressing(self, at_ms: int) -> Progress:
        hour, now = divmod(at_ms // PROGRESS_MS, AN_HOUR)
        if hour not in self._progress:
            self._progress.clear()
            begins_s = [self._since_s((hour * AN_HOUR + n) * PROGRESS_MS) for n in range(AN_HOUR)]
            self._progress[hour] = progresses(self._pace, np.array(begins_s) + USUAL_S / 2)
        return self._progress[hour][now]

    def _since_s(self, at_ms: int) -> float:
        return (at_ms - self._opens_ms) / 1000
