"""One day of a lane, told event by event."""

import pytest

from api.estimate.day import Day
from api.estimate.events import events
from api.estimate.profile import COLD
from hoflicht.catalogue import Yard
from tests.lane import AT_CONTROL, AT_EXIT, gone, joined, let_in, ms


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
