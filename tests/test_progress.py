"""How long it takes until so many cars have been let in."""

import math

import msgspec
import numpy as np
import pytest

from api.pace import BIN_S, TURNOVER_S, Pace
from api.profile import BINS, COLD, Profile
from api.progress import Progress
from api.queue import Queue
from tests.lane import AT_CONTROL, AT_EXIT

PER_S = 45 / 3_600
GAP_S = 80.0


def queue(pace: Pace, cars: int, share: float) -> Queue:
    """So many cars for sure, and that share of the yard at work for sure."""
    found = Queue(pace, 0.02, 1.0)
    found.p = np.zeros((cars + 1, len(pace.share)))
    found.p[cars, int(np.argmin(np.abs(pace.share - share)))] = 1.0
    return found


@pytest.mark.parametrize("cars", [1, 5, 20, 100])
def test_with_the_whole_yard_at_work_a_car_waits_for_those_in_front_and_its_own_turn(cars: int) -> None:
    pace = Pace(AT_CONTROL, COLD)

    wait_s = Progress(pace, 0.0).wait_s(queue(pace, cars, 1.0), behind=0, first_s=15.0)

    assert wait_s == pytest.approx((cars + 1) * GAP_S, rel=1e-6)


def test_an_empty_lane_has_the_wait_of_the_first_one() -> None:
    pace = Pace(AT_CONTROL, COLD)

    assert Progress(pace, 0.0).wait_s(queue(pace, 0, 1.0), behind=0, first_s=15.0) == 15.0


@pytest.mark.parametrize(("cars", "gaps"), [(0, 0), (3, 0), (4, 1), (5, 2), (10, 7)])
def test_at_an_exit_only_those_without_a_bay_wait(cars: int, gaps: int) -> None:
    pace = Pace(AT_EXIT, COLD)

    wait_s = Progress(pace, 0.0).wait_s(queue(pace, cars, 1.0), behind=0, first_s=15.0)

    assert wait_s == pytest.approx(gaps * GAP_S, rel=1e-6)


def test_cars_that_joined_behind_do_not_lengthen_the_wait() -> None:
    pace = Pace(AT_CONTROL, COLD)

    assert Progress(pace, 0.0).wait_s(queue(pace, 10, 1.0), behind=3, first_s=0.0) == pytest.approx(8 * GAP_S)


def test_a_bay_that_is_closed_now_opens_again() -> None:
    pace = Pace(AT_CONTROL, COLD)
    wait_s = Progress(pace, 0.0).wait_s(queue(pace, 29, 0.5), behind=0, first_s=0.0)

    # The share 1 - exp(-t / T) / 2 has let in thirty when its integral is 30 gaps.
    worked_s = wait_s - TURNOVER_S / 2 * (1 - math.exp(-wait_s / TURNOVER_S))

    assert worked_s == pytest.approx(30 * GAP_S, rel=0.01)


def test_a_yard_that_stands_goes_on_some_day() -> None:
    pace = Pace(AT_CONTROL, COLD)
    stands = queue(pace, 5, 0.0)

    wait_s = Progress(pace, 0.0).wait_s(stands, behind=0, first_s=0.0)

    assert 6 * GAP_S < wait_s < TURNOVER_S


def test_a_lunch_ahead_is_waited_for() -> None:
    waiting_s = np.full(BINS, 10 * BIN_S)
    counts = PER_S * waiting_s
    counts[4:8] /= 4  # the second hour
    pace = Pace(AT_CONTROL, Profile(days=10, bin_departures=tuple(counts), bin_waiting_s=tuple(waiting_s)))
    behind = queue(pace, 29, 1.0)

    early, into_lunch = (Progress(pace, since_s).wait_s(behind, behind=0, first_s=0.0) for since_s in (0.0, 2_700.0))

    assert early == pytest.approx(30 * GAP_S, rel=0.1)
    assert into_lunch > 1.7 * early


def test_two_possible_numbers_make_the_mean_of_their_waits() -> None:
    pace = Pace(AT_CONTROL, COLD)
    found = queue(pace, 9, 1.0)
    found.p[3] = found.p[9] / 2
    found.p[9] /= 2

    assert Progress(pace, 0.0).wait_s(found, behind=0, first_s=0.0) == pytest.approx(7 * GAP_S)


def test_more_bays_let_in_faster() -> None:
    half, full = (msgspec.structs.replace(AT_EXIT, usual_entries_per_hour=rate) for rate in (22.5, 45.0))

    waits_s = [Progress(Pace(yard, COLD), 0.0).wait_s(queue(Pace(yard, COLD), 12, 1.0), 0, 0.0) for yard in (half, full)]

    assert waits_s[0] == pytest.approx(2 * waits_s[1], rel=1e-6)
