"""One day of a lane, told event by event."""

import msgspec
import pytest

from api.estimate.band import Band
from api.estimate.day import Day
from api.estimate.events import events
from api.estimate.profile import COLD
from hoflicht.catalogue import Yard
from tests.lane import AT_CONTROL, AT_EXIT, LOOKED_AT, gone, joined, let_in, ms, presence


def waits_ended(yard: Yard) -> set[float]:
    """The minutes in which those joined who may be the one that is let in after 20, while twelve wait."""
    came = [minute / 2 for minute in range(16 if yard is AT_EXIT else 12)]
    day = Day(yard, ms(0), COLD)
    for event in events(yard, [*joined(*came), *(gone(20) if yard is AT_EXIT else let_in(20))]):
        day.take(event)
    day.pass_until(ms(21))
    return {(at_ms - ms(0)) / 60_000 for at_ms, wait_s, _ in day.voices.measured if wait_s > 0}


@pytest.mark.parametrize(("yard", "keeps_order"), [(AT_EXIT, True), (AT_CONTROL, False)], ids=["exit", "control"])
def test_cars_that_go_into_bays_keep_their_order_and_a_line_of_which_nothing_is_known_may_not(
    yard: Yard, keeps_order: bool
) -> None:
    assert (max(waits_ended(yard)) < 4) is keeps_order


@pytest.mark.parametrize(("waits", "teaches"), [(0.5, False), (5.0, True)], ids=["nobody in front", "somebody in front"])
def test_who_finds_a_free_lane_does_not_teach_how_far_the_number_of_a_queue_is_off(waits: float, teaches: bool) -> None:
    came = [20.0] if waits < 1 else [18.0, 20.0]
    day = Day(LOOKED_AT, ms(0), COLD)
    for event in events(
        LOOKED_AT, [*presence("lane-3", 0, 17, False), *joined(*came), *let_in(*(minute + waits for minute in came))]
    ):
        day.take(event)
    day.pass_until(ms(30))

    assert (day.voices.band.quantiles != Band(COLD).quantiles) is teaches


def test_who_finds_a_free_lane_waits_as_long_as_those_did_who_found_as_many_bays_taken() -> None:
    learnt = msgspec.structs.replace(COLD, days=1, first_cars=(50.0,) * 5, first_s=(0.0, 0.0, 0.0, 0.0, 50 * 90.0))
    told_s = []
    for passed in ((), (15, 16, 17, 18)):
        day = Day(LOOKED_AT, ms(0), learnt)
        for event in events(LOOKED_AT, [*presence("lane-3", 0, 20, False), *joined(*passed), *let_in(*(m + 0.1 for m in passed))]):
            day.take(event)
        day.pass_until(ms(20))
        told_s.append(day.number().mean_s)

    assert told_s == [pytest.approx(0, abs=5), pytest.approx(90, abs=10)]
