"""What a day counts of the pace."""

import numpy as np
import pytest

from api.estimate.exposure import Exposure
from api.estimate.pace import Pace
from api.estimate.profile import COLD
from api.estimate.queue import Queue
from hoflicht.catalogue import Yard
from tests.lane import AT_CONTROL, HEAD_SEEN


def queue(pace: Pace, waiting: int) -> Queue:
    """So many wait, all bays are taken, and the whole yard is at work."""
    found = Queue(pace, 0.02, 1.0)
    state = int(np.argmin(np.abs(pace.share - 1.0)))
    p = np.zeros((waiting + 1, len(pace.each)))
    p[waiting, pace.while_waiting[state]] = 1.0
    found.believe(p)
    return found


@pytest.mark.parametrize("yard", [AT_CONTROL, HEAD_SEEN], ids=["control", "head"])
def test_seconds_count_in_the_quarter_of_an_hour_in_which_cars_waited_whenever_the_next_one_is_let_in(yard: Yard) -> None:
    pace = Pace(yard, COLD)
    exposure, waiting = Exposure(pace), queue(pace, 5)

    exposure.passes(waiting, 100.0, quarter=3, sees_moves=True)
    exposure.passes(waiting, 50.0, quarter=4, sees_moves=True)
    exposure.passes(waiting, 30.0, quarter=4, sees_moves=True)
    before = exposure.waiting_s.sum()
    exposure.let_in(waiting, 1.0, quarter=4, sees_moves=True)

    assert before == 0.0  # nothing proved yet that what looks there is alive
    assert exposure.waiting_s[2:6].tolist() == pytest.approx([0.0, 100.0, 80.0, 0.0])
    assert exposure.share_s[2:6].tolist() == pytest.approx([0.0, 100.0, 80.0, 0.0])
    assert pace.today_s.sum() == pytest.approx(180.0)
    assert exposure.departures[4] == pytest.approx(1.0)


def test_seconds_in_which_nobody_would_have_been_seen_tell_nothing_of_the_share_at_work() -> None:
    pace = Pace(HEAD_SEEN, COLD)
    exposure, waiting = Exposure(pace), queue(pace, 5)

    exposure.passes(waiting, 100.0, quarter=3, sees_moves=True)
    exposure.passes(waiting, 50.0, quarter=3, sees_moves=False)
    exposure.let_in(waiting, 1.0, quarter=3, sees_moves=True)

    assert exposure.share_s[3] == pytest.approx(100.0)
    assert exposure.waiting_s[3] == pytest.approx(150.0)


def test_the_seconds_of_a_free_bay_are_those_of_the_gate() -> None:
    pace = Pace(HEAD_SEEN, COLD)
    exposure, waiting = Exposure(pace), queue(pace, 5)
    waiting.gone()

    exposure.passes(waiting, 12.0, quarter=0, sees_moves=True)
    exposure.let_in(waiting, 1.0, quarter=0, sees_moves=True)

    assert exposure.gate_s == pytest.approx(12.0, rel=0.05)
    assert exposure.gate_cars == pytest.approx(1.0, rel=0.05)
