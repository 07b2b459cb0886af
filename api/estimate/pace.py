"""How fast cars are let in: by how many there are, and by how much of the yard is at work.

Theory. Departures are a Poisson stream of rate R(n) times a share. R(n), the rate with n cars there and the whole yard at work, is
learnt: departures over seconds of exposure, gamma priors from the catalogue (Gelman et al., Bayesian Data Analysis, §2.6). Before
bays it is the same for any queue; where nothing says what lies behind the control it never falls with n (isotonic regression by
pooling adjacent violators: Barlow et al., Statistical Inference under Order Restrictions, 1972). The share is a hidden state: bays
open and close as wholes. What it usually is at each time of day is learnt too.

Where cars are counted out at the yard's exit, they leave a bay each, and the next one from the lane is let in, at once or when the
gate opens again. Where they are counted at the entry control, n is the lane.
"""

import math

import numpy as np
from numpy.typing import NDArray

from api.estimate import lasting, roster
from api.estimate.gate import Gate
from api.estimate.profile import BINS, Profile
from hoflicht.catalogue import Role, Yard

Array = NDArray[np.float64]

CARS = 401  # no line is longer: nearly three kilometres of cars, or the people of a full hall; also the length of the rows
LONG = 12  # cars that are a long queue: all that is at work has somebody to serve
TRICKLE = 0.02  # of the full rate, while the yard stands: somebody with papers for the office still gets in
TURNOVER_S = 3_600.0  # after so long 1/e of what was known of the open bays holds; a container change or a lunch is shorter
PRIOR_CARS = 4.0  # how many counted cars the catalogue's rate is worth
ODD = 0.001  # of what passes a counter or the head of the lane, not seen or not what it seems: cases that nothing else explains
GATE_S = 20.0  # until a car that finds a bay free is let in, before anything is learnt; a gate that opens at times takes longer
GATE_CARS = 5.0  # how many cars that is worth
STRAIGHT_S = 2.0  # whoever finds nobody in front and is awaited goes in within so long, at a walk or by a call
COARSE_S = 60.0  # of a clock that ticks more slowly: within a tick of minutes many a car has waited, and nothing shows who has not
STRAIGHT, STRAIGHT_CARS = 0.1, 20.0  # the share that does, before anything is learnt, and how many cars that is worth
MOST = 0.5  # of those that find nobody go straight on, where they are awaited
SURELY = 0.98  # it is never sure
EARLY = 0.05  # of the pace of an open gate, where a clock tells that it is shut: somebody lets one in all the same
HEADWAY_S = 10.0  # between two cars that are let in one behind the other
SELDOM = 0.02  # of each state that is not usual then: a container is changed, or staff have a break, each once a week
BIN_S = 86_400 / BINS
USUAL_S = 300.0  # within so long what is usual hardly changes
MISTAKEN = 0.02  # of what changes unseen: nothing changed, the cars in the bays had been counted wrong
UNKNOWN, SHUT, OPEN = range(3)  # is the gate: shut by its clock; open, for it has let in somebody just now
FINE_STEPS = 4  # a share of the yard is known in quarters at least


def departure_role(yard: Yard) -> Role:
    """Whose passages say that a car left the queue: the entry control's, or the exit's where there is none."""
    has_control = any(sensor.role is Role.ENTRY_CONTROL for sensor in yard.sensors.values())
    return Role.ENTRY_CONTROL if has_control else Role.YARD_EXIT


def heads(yard: Yard) -> set[str]:
    """The sensors that look at the first car of the lane."""
    return {
        name
        for name, sensor in yard.sensors.items()
        if sensor.role is Role.LANE and (sensor.position_m or 0.0) <= yard.metres_per_car
    }


def has_lane(yard: Yard) -> bool:
    """Whether any sensor looks at the lane."""
    return any(sensor.role is Role.LANE for sensor in yard.sensors.values())


class Pace:
    """The rates of one opening.

    In state c `share[c]` of the yard is at work. `bays` numbers of cars in bays, from none on, are told apart. The last axis has
    the pairs of these and states, all states of the first number first: `let_in[lane, pair]` and `gone[pair]` are in cars a
    second, `units[n, pair]` the share of R(n) at work on them; `places[pair]` are free, for `able[lane, pair]` of those that wait.
    """

    def __init__(self, yard: Yard, learnt: Profile) -> None:
        self.at_exit = departure_role(yard) is Role.YARD_EXIT
        self.has_lane = has_lane(yard)
        # Whether what is counted is a lane before the yard's bays; else nothing says what lies behind the control.
        self.has_bays = self.at_exit or self.has_lane
        self.yard_bays = yard.bays
        self._usual_per_s = max(yard.usual_entries_per_hour, 0.1) / 3_600
        self._learnt = learnt
        if self.at_exit:
            self.share = np.arange(yard.bays + 1) / yard.bays
            self.bays = yard.bays + 1
            inside, is_open = np.arange(self.bays)[:, None], np.arange(yard.bays + 1)[None, :]
            self.places: Array = np.where(is_open > 0, np.maximum(is_open - inside, 0), 0).ravel().astype(np.float64)
            works = np.where(is_open > 0, 1.0, TRICKLE)
            self.units: Array = (inside / yard.bays * works).reshape(1, -1)
            # How many cars have a bay in each state while others wait; in a yard that stands all of them.
            self.taken = np.array([yard.bays, *range(1, yard.bays + 1)])
        else:
            steps = yard.bays * math.ceil(FINE_STEPS / yard.bays)
            more = 0 if self.has_bays else 1  # than usual, for the pace of such a queue has no known end
            self.share = np.arange(steps + more + 1) / steps
            self.bays = 1
            self.places = np.zeros(len(self.share))
            self.units = np.minimum(np.arange(CARS), 1)[:, None] * self.share
            self.taken = np.zeros(len(self.share), dtype=np.int64)
        self.able = np.minimum(np.arange(CARS)[:, None], self.places)
        self._like = np.minimum(np.arange(CARS), self.bays - 1 if self.at_exit else CARS)  # has as many places as each lane
        self.in_front = np.arange(1 - self.bays, CARS)  # of one that joins, from all places free on
        self.share[0] = TRICKLE
        self._turn()
        # That a car leaves the lane for a bay; where it is not seen, who is gone was followed at once.
        self.sees_moves = self.at_exit and bool(heads(yard)) and learnt.sees_moves
        self.gate_s = (learnt.gate_s + GATE_CARS * GATE_S) / (learnt.gate_cars + GATE_CARS) if self.sees_moves else 0.0
        self.gate = Gate(learnt.gate_every_s)
        self.today, self.today_s = np.zeros(CARS), np.zeros(CARS)  # cars let in and exposure by cars there
        # Of the cars that come so many find a queue.
        self.queueing = max(1 - learnt.straight[0] / max(learnt.entries, 1.0), 1 / STRAIGHT_CARS)
        # Cars that found nobody in front, and those of them that went straight on; asked where there are no bays.
        self.found_nobody, self.went_straight = learnt.straight
        self.gives_up_per_s = learnt.gives_up_per_s  # of each that waits
        self.lasts_s = lasting.lasts_s(learnt.unusual)
        self._full = PRIOR_CARS, PRIOR_CARS / self._usual_per_s
        self._usual_share = self._roster()
        self._usual: list[Array] = list(self._around(self.usual_share(np.arange(0.5, 86_400 / USUAL_S) * USUAL_S)))
        self.renew()

    def _turn(self) -> None:
        """What becomes of each pair of bays taken and state."""
        states = len(self.share)
        inside, state = (each.ravel() for each in np.indices((self.bays, states)))
        self.inside = inside
        self.while_waiting = self.taken * states + np.arange(states)  # in each state
        # Of `in_front` and states that which each lane and pair has, all states of the first one first.
        self.without_place = (np.arange(CARS)[:, None] - self.places.astype(np.intp) + self.bays - 1) * states + state
        self.each, self.has_place = np.ones(self.bays * states), (self.places > 0).astype(np.float64)
        one_more, one_less = np.where(self.has_place > 0, inside + 1, inside), np.maximum(inside - 1, 0)
        self.into, self.out = (np.eye(len(state))[then * states + state] for then in (one_more, one_less))
        stays, mistaken = inside[:, None] == inside, inside == self.taken[state]
        self._out_less_in = self.out - np.eye(len(state))
        # Into which pairs a yard turns of which the state is not known any more, but for how likely each state is then.
        self.anew_alone = stays.astype(np.float64)
        self.anew = (1 - MISTAKEN) * stays + MISTAKEN * mistaken if self.at_exit else self.anew_alone
        self.by_state = np.eye(states)[state]
        self.share_of, self.units_of = self.share[state], self.units[-1]

    def renew(self) -> None:
        """Make the rates of what was learnt so far."""
        self._turning: tuple[Array, tuple[Array, Array]] | None = None  # made when it is asked for
        # Unless it is known that few do: then who leaves as soon as one came may do so by chance, and shows nothing of the count.
        self.most_go_straight = self.went_straight + STRAIGHT_CARS > MOST * (self.found_nobody + STRAIGHT_CARS)
        self.straight = min((self.went_straight + STRAIGHT * STRAIGHT_CARS) / (self.found_nobody + STRAIGHT_CARS), SURELY)
        self.full = self._pooled() if self.has_bays else self._isotonic()
        if self.at_exit:
            self.gone: Array = self.per_second * self.units[0]
            able = self.able[: self.bays]
            let_in = np.where(able > 0, able / max(self.gate_s, 1.0), ODD * self.gone)
            let_in[0] = TRICKLE * self.per_second / (self.bays - 1)
            self._few_in = let_in, EARLY * let_in, np.where(able > 0, 1 / HEADWAY_S, let_in)
        else:
            self.gone = np.zeros(len(self.share))
            let_in = self.full[:, None] * self.units
            let_in[0] = TRICKLE * self.full[1]  # who leaves an empty lane had been missed
            self._few_in = let_in, let_in, let_in
        # By what is known of the gate; `next_in` behind one who was let in just now.
        self.entering = self.let_in, _, self.next_in = [each.take(self._like, axis=0) for each in self._few_in]
        gone, each = self.gone[:, None], np.eye(len(self.gone))
        self.freeing: Array = gone * self.out + ODD * self.per_second * each  # into which pairs, in a second
        self._stays = ODD * gone * self._out_less_in - each / TURNOVER_S  # of `turning`, whatever is usual
        self._told: dict[tuple[bool, bool], list[Array]] = {}
        # A bay is at work on a car until the next one is in it.
        self.each_s = 1 / self.full[np.maximum(self.in_front, 0)] + (self.gate_s / (self.bays - 1) if self.at_exit else 0.0)

    def told(self, let_in_unseen: bool, gone_unseen: bool) -> list[Array]:
        """How much would be seen in a second of each lane, by what is known of the gate."""
        key = let_in_unseen, gone_unseen
        if key not in self._told:
            gone = 0.0 if gone_unseen else self.gone
            seen = [gone + (np.zeros_like(each) if let_in_unseen else each) for each in self._few_in]
            self._told[key] = [each.take(self._like, axis=0) for each in seen]
        return self._told[key]

    @property
    def departures(self) -> Array:
        """Cars let in, by how many were there, so far."""
        return np.asarray(self.today + np.array(self._learnt.departures or np.zeros(CARS)))

    @property
    def exposure_s(self) -> Array:
        """Seconds in which they could be, of the whole yard at work, by the same."""
        return np.asarray(self.today_s + np.array(self._learnt.exposure_s or np.zeros(CARS)))

    @property
    def per_second(self) -> float:
        """The rate of a long queue with the whole yard at work, in cars a second."""
        return float(self.full[LONG])

    @property
    def stay_s(self) -> float:
        """How long a car has its bay, in the mean, with the whole yard at work."""
        return self.yard_bays / self.per_second

    def usual(self, since_opening_s: float) -> Array:
        """The probability of each state at that time of day, by five minutes."""
        return self._usual[min(max(int(since_opening_s // USUAL_S), 0), len(self._usual) - 1)]

    def _around(self, shares: Array) -> Array:
        """For each of `shares` of the yard at work the probability of each state."""
        above = np.clip(np.searchsorted(self.share, shares), 1, len(self.share) - 1)
        part = (self.share[above] - shares) / (self.share[above] - self.share[above - 1])
        chances, each = np.full((len(shares), len(self.share)), SELDOM), np.arange(len(shares))
        chances[each, above - 1] += part
        chances[each, above] += 1 - part
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    def turning(self, usual: Array) -> tuple[Array, Array]:
        """By how much of itself each pair of bays taken and state becomes each other one in a second, unseen, where `usual` is:
        while nobody waits, and while somebody does. A car leaves a bay and is overlooked, or bays open and close."""
        if self._turning is None or self._turning[0] is not usual:
            fades: Array = self.by_state.dot(usual) / TURNOVER_S
            self._turning = usual, (self.anew_alone * fades + self._stays, self.anew * fades + self._stays)
        return self._turning[1]

    def chance_of_silence(self, since_opening_s: float, seconds: float) -> float:
        """How likely it is that nobody is let in for so long although cars wait, at the pace that is usual then."""
        return math.exp(-self.per_second * float(self.usual(since_opening_s) @ self.share) * seconds)

    def usual_share(self, since_opening_s: Array) -> Array:
        """How much of the yard is usually at work at those times of day."""
        return np.interp(since_opening_s / BIN_S - 0.5, np.arange(BINS), self._usual_share)

    def _roster(self) -> Array:
        if not self._learnt.bin_departures:
            return np.ones(BINS)
        departures, waiting_s = np.array(self._learnt.bin_departures), np.array(self._learnt.bin_waiting_s)
        if self._learnt.bin_share_s:
            cars, full_s = self._full
            self._full = cars + float(self.departures.sum()), full_s + float(self.exposure_s.sum())
            return roster.seen(np.array(self._learnt.bin_share_s), waiting_s)
        known = roster.usual(departures, waiting_s, self.share[1:], self._full)
        self._full = known.cars, known.full_s
        return known.share

    def _pooled(self) -> Array:
        cars, full_s = self._full
        return np.full(CARS, (cars + self.today.sum()) / (full_s + self.today_s.sum()))

    def _isotonic(self) -> Array:
        blocks: list[tuple[float, float, int]] = []
        seen = self._seen()
        for departures, exposure_s in zip(self.departures[1 : seen + 1], self.exposure_s[1 : seen + 1], strict=True):
            block = (departures + PRIOR_CARS, exposure_s + PRIOR_CARS / self._usual_per_s, 1)
            while blocks and blocks[-1][0] / blocks[-1][1] >= block[0] / block[1]:
                before = blocks.pop()
                block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
            blocks.append(block)
        rates = [departures / exposure_s for departures, exposure_s, count in blocks for _ in range(count)]
        for n in range(len(rates) - 1, 0, -1):
            # The n first of n + 1 lose nothing when the last one is not there.
            rates[n - 1] = max(rates[n - 1], rates[n] * n / (n + 1))
        return np.array([rates[0], *rates, *[rates[-1]] * (CARS - 1 - seen)])

    def _seen(self) -> int:
        """Beyond so many cars all is as there."""
        return max(int(np.nonzero(self.exposure_s > 0)[0].max(initial=1)), 1)
