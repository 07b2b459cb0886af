"""How long it takes until so many cars have been let in."""

import copy
import math

import msgspec
import numpy as np
import pytest

from api.estimate.pace import BIN_S, TURNOVER_S, Pace
from api.estimate.profile import BINS, COLD, Profile
from api.estimate.progress import Progress, progresses
from api.estimate.queue import Queue
from tests.lane import AT_CONTROL, AT_EXIT, HEAD_SEEN

PER_S = 45 / 3_600
GAP_S = 80.0
SLOW_GATE = Profile(days=1, gate_cars=195.0, gate_s=195 * 150.0)  # it opens every five minutes


def queue(pace: Pace, cars: int, share: float) -> Queue:
    """So many cars for sure, as many of them in bays as find one, and that share of the yard at work for sure."""
    state = int(np.argmin(np.abs(pace.share - share)))
    inside = min(cars, int(pace.taken[state]))
    return known(pace, cars - inside, inside, state)


def progress(pace: Pace, since_opening_s: float) -> Progress:
    return progresses(pace, np.array([since_opening_s]))[0]


def known(pace: Pace, lane: int, inside: int, state: int) -> Queue:
    """So many cars in the lane, so many in bays, and that state of the yard, all for sure."""
    found = Queue(pace, 0.02, 1.0)
    p = np.zeros((lane + 1, len(pace.each)))
    p[lane, inside * len(pace.share) + state] = 1.0
    found.believe(p)
    return found


@pytest.mark.parametrize("cars", [1, 5, 20, 100])
def test_with_the_whole_yard_at_work_a_car_waits_for_those_in_front_and_its_own_turn(cars: int) -> None:
    pace = Pace(AT_CONTROL, COLD)

    wait_s = progress(pace, 0.0).wait_s(queue(pace, cars, 1.0), behind=0, first_s=15.0)

    assert wait_s == pytest.approx((cars + 1) * GAP_S, rel=1e-6)


def test_an_empty_lane_has_the_wait_of_the_first_one() -> None:
    pace = Pace(AT_CONTROL, COLD)

    assert progress(pace, 0.0).wait_s(queue(pace, 0, 1.0), behind=0, first_s=15.0) == 15.0


def test_where_no_sensor_tells_of_an_empty_lane_who_finds_nobody_goes_straight_on_as_often_as_was_learnt() -> None:
    pace = Pace(AT_CONTROL, Profile(days=1, entries=600.0, straight=(180.0, 148.0)))

    wait_s = progress(pace, 0.0).wait_s(queue(pace, 0, 1.0), behind=0)

    assert pace.straight == pytest.approx(0.75)  # 20 cars' worth of the guess, a tenth, are in it
    assert wait_s == pytest.approx(0.25 * GAP_S)


@pytest.mark.parametrize(("cars", "gaps"), [(0, 0), (3, 0), (4, 1), (5, 2), (10, 7)])
def test_at_an_exit_only_those_without_a_bay_wait(cars: int, gaps: int) -> None:
    pace = Pace(AT_EXIT, COLD)

    wait_s = progress(pace, 0.0).wait_s(queue(pace, cars, 1.0), behind=0, first_s=15.0)

    assert wait_s == pytest.approx(gaps * GAP_S, rel=1e-6)


@pytest.mark.parametrize(("lane", "inside", "gaps"), [(0, 3, 0), (0, 4, 1), (2, 2, 1), (2, 4, 3), (1, 0, 0)])
def test_at_an_exit_a_car_waits_for_those_in_the_lane_less_the_bays_that_are_free(lane: int, inside: int, gaps: int) -> None:
    pace = Pace(AT_EXIT, COLD)

    wait_s = progress(pace, 0.0).wait_s(known(pace, lane, inside, state=4), behind=0)

    assert wait_s == pytest.approx(gaps * GAP_S, rel=1e-6)


def test_a_gate_that_opens_at_times_is_foreseen_even_by_who_finds_a_bay_free() -> None:
    pace = Pace(HEAD_SEEN, SLOW_GATE)

    waits_s = [progress(pace, 0.0).wait_s(known(pace, 0, inside, state=4), behind=0) for inside in (0, 3)]

    assert waits_s == pytest.approx([pace.gate_s, pace.gate_s])
    assert pace.gate_s == pytest.approx(150, abs=10)


def test_one_who_waits_for_a_bay_waits_for_the_gate_after_that() -> None:
    pace = Pace(HEAD_SEEN, SLOW_GATE)

    wait_s = progress(pace, 0.0).wait_s(known(pace, 0, 4, state=4), behind=0)

    assert wait_s == pytest.approx(GAP_S + pace.gate_s)


def test_a_gate_that_opens_at_times_makes_each_bay_idle_for_so_long() -> None:
    pace = Pace(HEAD_SEEN, SLOW_GATE)

    wait_s = progress(pace, 0.0).wait_s(known(pace, 20, 4, state=4), behind=0)

    assert wait_s == pytest.approx(21 * (GAP_S + pace.gate_s / 4), rel=0.001)  # four bays: one is free every fourth car


def test_cars_that_joined_behind_do_not_lengthen_the_wait() -> None:
    pace = Pace(AT_CONTROL, COLD)

    assert progress(pace, 0.0).wait_s(queue(pace, 10, 1.0), behind=3, first_s=0.0) == pytest.approx(8 * GAP_S)


def test_a_bay_that_is_closed_now_opens_again() -> None:
    pace = Pace(AT_CONTROL, COLD)
    wait_s = progress(pace, 0.0).wait_s(queue(pace, 29, 0.5), behind=0, first_s=0.0)

    # The share 1 - exp(-t / T) / 2 has let in thirty when its integral is 30 gaps.
    worked_s = wait_s - TURNOVER_S / 2 * (1 - math.exp(-wait_s / TURNOVER_S))

    assert worked_s == pytest.approx(30 * GAP_S, rel=0.01)


def test_the_shorter_such_closures_lasted_the_sooner_it_does() -> None:
    short = (5.0 * 0.33, 5.0)  # neighbouring quarters of an hour were a third alike: seven minutes
    taught = Pace(AT_CONTROL, Profile(days=9, unusual=short))

    waits_s = [progress(pace, 0.0).wait_s(queue(pace, 29, 0.5), behind=0) for pace in (taught, Pace(AT_CONTROL, COLD))]

    assert taught.lasts_s == pytest.approx(450.0, rel=0.1)
    assert waits_s[0] == pytest.approx(30 * GAP_S + 450 / 2, rel=0.03)
    assert waits_s[1] > waits_s[0] + 600


def test_no_more_than_the_whole_yard_ever_works_though_all_of_it_does_when_less_is_usual() -> None:
    waiting_s = np.full(BINS, 10 * BIN_S)
    share_s = waiting_s.copy()
    share_s[:4] *= 0.6  # the first hour
    seen = Profile(days=10, bin_departures=tuple(waiting_s * PER_S), bin_waiting_s=tuple(waiting_s), bin_share_s=tuple(share_s))
    pace = Pace(HEAD_SEEN, seen)

    wait_s = progress(pace, 1_800.0).wait_s(known(pace, 40, 4, state=4), behind=0)

    assert wait_s == pytest.approx(41 * float(pace.each_s[41]), rel=0.001)


def test_a_yard_that_stands_goes_on_some_day() -> None:
    pace = Pace(AT_CONTROL, COLD)
    stands = queue(pace, 5, 0.0)

    wait_s = progress(pace, 0.0).wait_s(stands, behind=0, first_s=0.0)

    assert 6 * GAP_S < wait_s < TURNOVER_S


def test_a_lunch_ahead_is_waited_for() -> None:
    waiting_s = np.full(BINS, 10 * BIN_S)
    counts = PER_S * waiting_s
    counts[4:8] /= 4  # the second hour
    pace = Pace(AT_CONTROL, Profile(days=10, bin_departures=tuple(counts), bin_waiting_s=tuple(waiting_s)))
    behind = queue(pace, 29, 1.0)

    early, into_lunch = (progress(pace, since_s).wait_s(behind, behind=0, first_s=0.0) for since_s in (0.0, 2_700.0))

    assert early == pytest.approx(30 * GAP_S, rel=0.1)
    assert into_lunch > 1.7 * early


def test_two_possible_numbers_make_the_mean_of_their_waits() -> None:
    pace = Pace(AT_CONTROL, COLD)
    nine = queue(pace, 9, 1.0)
    found = copy.copy(nine)
    found.believe(nine.p + np.roll(nine.p, 3 - 9, axis=0))

    assert progress(pace, 0.0).wait_s(found, behind=0, first_s=0.0) == pytest.approx(7 * GAP_S)


def test_more_bays_let_in_faster() -> None:
    half, full = (msgspec.structs.replace(AT_EXIT, usual_entries_per_hour=rate) for rate in (22.5, 45.0))

    waits_s = [progress(Pace(yard, COLD), 0.0).wait_s(queue(Pace(yard, COLD), 12, 1.0), 0, 0.0) for yard in (half, full)]

    assert waits_s[0] == pytest.approx(2 * waits_s[1], rel=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_no_wait_is_told_beyond_four_hours(share: float) -> None:
    pace = Pace(AT_CONTROL, COLD)

    assert progress(pace, 0.0).wait_s(queue(pace, 400, share), behind=0, first_s=0.0) == 4 * 3_600


@pytest.mark.parametrize("cars", [0, 9, 30])
def test_of_those_in_front_some_will_have_given_up(cars: int) -> None:
    pace = Pace(AT_CONTROL, Profile(days=1, entries=600.0, straight=(300.0, 0.0), gives_up_per_s=1 / 300))

    wait_s = progress(pace, 0.0).wait_s(queue(pace, cars, 1.0), behind=0, first_s=None if cars else GAP_S)

    # While j wait the next one is gone after the mean of 1 / (rate of the yard + j times theirs).
    assert wait_s == pytest.approx(sum(1 / (1 / GAP_S + j / 300) for j in range(1, cars + 2)), rel=0.15, abs=25)
