"""The estimate of one yard as it stands: how seldom the store is asked, and how soon news are told."""

import threading
from collections.abc import Callable

import pytest

from api.standing import KEEP_MS, LOOK_MS, RENEW_MS, RESTS, Standing, Told
from hoflicht import Reading
from hoflicht.clock import HandClock
from hoflicht.wait import Wait
from tests.lane import joined
from tests.test_wait import told as wait

CAR = joined(90)[0]


class Lane:
    """What the store holds of a yard, and how often it was asked for it."""

    def __init__(self, clock: HandClock) -> None:
        self.said: frozenset[Reading] = frozenset()
        self.looks = 0
        self.estimates = 0
        self.given: list[frozenset[Reading] | None] = []  # to each of them; None: it had to ask for everything
        self.before: Callable[[], object] = lambda: None  # of each estimate
        self.standing = Standing(self._estimate, self._look, clock)

    @property
    def queue(self) -> int | None:
        return self.standing.get().wait.queue

    def _estimate(self, said: frozenset[Reading] | None) -> Told:
        self.before()
        self.estimates += 1
        self.given.append(said)
        told: Wait = wait(queue=len(self.said))
        return Told(told, self.said)

    def _look(self) -> frozenset[Reading]:
        self.looks += 1
        return self.said


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def lane(clock: HandClock) -> Lane:
    return Lane(clock)


def test_thousands_who_ask_within_a_moment_make_one_estimate_and_no_look(lane: Lane) -> None:
    queues = {lane.queue for _ in range(1_000)}

    assert queues == {0}
    assert (lane.estimates, lane.looks) == (1, 0)


def test_a_car_that_passes_is_told_to_who_asks_a_quarter_of_a_second_later(lane: Lane, clock: HandClock) -> None:
    before = lane.queue
    lane.said |= {CAR}
    at_once = lane.queue
    clock.advance(LOOK_MS)

    assert (before, at_once, lane.queue) == (0, 0, 1)


def test_where_nothing_is_new_a_look_is_all(lane: Lane, clock: HandClock) -> None:
    lane.said |= {CAR}
    for _ in range(RENEW_MS // LOOK_MS):
        assert lane.queue == 1
        clock.advance(LOOK_MS)

    assert lane.estimates == 1
    assert lane.looks == RENEW_MS // LOOK_MS - 1


def test_what_leaves_the_last_minute_is_no_news(lane: Lane, clock: HandClock) -> None:
    lane.said |= {CAR}
    lane.standing.get()
    lane.said -= {CAR}
    clock.advance(LOOK_MS)
    lane.standing.get()

    assert (lane.estimates, lane.looks) == (1, 1)


def test_what_no_look_finds_is_found_after_four_seconds(lane: Lane, clock: HandClock) -> None:
    lane.standing.get()
    clock.advance(RENEW_MS + 1)
    lane.standing.get()

    assert lane.estimates == 2


def test_what_a_look_finds_is_the_estimates_and_every_four_seconds_everything_is_asked_for(lane: Lane, clock: HandClock) -> None:
    for minute in range(2 * RENEW_MS // LOOK_MS + 1):
        lane.said |= frozenset(joined(minute))
        lane.standing.get()
        clock.advance(LOOK_MS)

    of_all = [n for n, given in enumerate(lane.given) if given is None]
    assert of_all == [0, RENEW_MS // LOOK_MS + 1]
    assert lane.given[1] == frozenset(joined(0, 1))


def test_after_a_long_thought_the_next_look_is_later(lane: Lane, clock: HandClock) -> None:
    lane.before = lambda: clock.advance(1_000)
    lane.standing.get()
    lane.before = lambda: None
    lane.said |= {CAR}
    clock.advance(RESTS * 1_000 - 1)
    resting = lane.queue
    clock.advance(1)

    assert (resting, lane.queue) == (0, 1)


def test_who_never_waits_is_told_nothing_where_it_is_time_to_look(lane: Lane, clock: HandClock) -> None:
    unknown = lane.standing.ready()
    made = lane.standing.get()
    fresh = lane.standing.ready()
    clock.advance(LOOK_MS)

    assert (unknown, fresh, lane.standing.ready()) == (None, made, None)


def test_while_one_makes_an_estimate_the_others_are_told_the_one_before_but_none_older_than_five_seconds(
    lane: Lane, clock: HandClock
) -> None:
    first = lane.standing.get()
    begun, done = threading.Event(), threading.Event()

    def think() -> None:
        begun.set()
        done.wait()

    lane.before = think
    clock.advance(RENEW_MS + 1)
    maker = threading.Thread(target=lane.standing.get)
    maker.start()
    begun.wait()
    meanwhile = lane.standing.ready()
    clock.advance(KEEP_MS - RENEW_MS)
    too_old = lane.standing.ready()
    done.set()
    maker.join()

    assert (meanwhile, too_old) == (first, None)
    assert lane.estimates == 2
