"""How many cars wait, how many have a bay and how much of the yard is at work, as a probability for each triple."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.estimate.lane import Passed
from api.estimate.pace import CARS, Pace
from api.estimate.profile import COLD, Profile
from api.estimate.queue import STEP_S, Queue, Unseen, quantile
from api.estimate.sight import Sight, at_least
from hoflicht.catalogue import Yard
from tests.lane import AT_CONTROL, AT_EXIT, HEAD_SEEN

MISCOUNT = 0.02
GAP_S = 80.0
NOTHING, NOBODY_COMES = Unseen(), 0.0
HEAD_FREE, HEAD_TAKEN = Sight(False, 3, 7), Sight(True, 3, 7)
TAKEN_AT_50, FREE_AT_50 = Sight(True, 50, 7), Sight(False, 50, 7)
STRAIGHT_ON = Profile(days=1, entries=600.0, straight=(300.0, 295.0))  # nearly all who find nobody in front go straight on


def queue(joined: int = 0) -> Queue:
    """The queue before a control, after so many have been counted in."""
    found = Queue(Pace(AT_CONTROL, COLD), MISCOUNT, 1.0)
    for _ in range(joined):
        found.entered()
    return found


def on_site(joined: int, parted: int = 0) -> Queue:
    """A yard of four bays where nothing but the exit is counted: whoever finds a bay free has it at once."""
    found = Queue(Pace(AT_EXIT, COLD), MISCOUNT, 1.0)
    for _ in range(joined):
        found.entered()
        found.settle()
    for _ in range(parted):
        found.gone()
        found.settle()
    return found


def watched(waiting: int) -> Queue:
    """The same yard where a sensor sees each car that leaves the lane; its four bays are taken, and so many wait."""
    found = Queue(Pace(HEAD_SEEN, COLD), MISCOUNT, 1.0)
    for _ in range(waiting + 4):
        found.entered()
    found.settle()
    return found


def change_over(of: Queue, seconds: float = 5.0) -> None:
    """A car leaves the yard, and so much later the next one has its bay."""
    of.gone()
    of.passes(seconds, 0.0, NOTHING, NOBODY_COMES)
    of.let_in()


def median(of: Queue) -> int:
    return quantile(of.lane, 0.5)


def share(of: Queue) -> float:
    """How much of the yard is believed to be at work."""
    return float(of.states @ of.pace.share)


def spread_over(of: Queue, lane: Sequence[float], state: int) -> None:
    """Believe in these numbers of cars in the lane and in that state of the yard."""
    p = np.zeros((len(lane), len(of.pace.each)))
    p[:, of.pace.while_waiting[state]] = lane
    of.believe(p)


def test_a_car_that_joins_is_one_more_but_for_miscounts() -> None:
    assert queue(1).lane == pytest.approx([MISCOUNT / 2, 1 - MISCOUNT, MISCOUNT / 2])


def test_where_a_tenth_leaves_uncounted_who_joins_a_queue_is_nine_tenths_of_a_car_and_who_finds_nobody_is_one() -> None:
    hardly_any_alone = msgspec.structs.replace(COLD, days=1, entries=400.0, straight=(0.001, 0.0))
    found = Queue(Pace(AT_CONTROL, COLD), MISCOUNT, let_in_per_entry=0.9, start=(0.0,) * 5 + (1.0,))
    alone = Queue(Pace(AT_CONTROL, hardly_any_alone), MISCOUNT, let_in_per_entry=0.9)

    found.entered()
    alone.entered()

    assert found.mean_waiting() == pytest.approx(5.9)
    assert alone.mean_waiting() == pytest.approx(1.0)


def test_the_fewer_find_a_queue_the_more_of_those_must_be_the_ones_that_leave_uncounted() -> None:
    half_find_nobody = msgspec.structs.replace(COLD, days=1, entries=400.0, straight=(200.0, 0.0))
    found = Queue(Pace(AT_CONTROL, half_find_nobody), MISCOUNT, let_in_per_entry=0.9, start=(0.0,) * 5 + (1.0,))

    found.entered()

    assert found.mean_waiting() == pytest.approx(5.8)


def test_a_car_that_leaves_an_empty_lane_leaves_it_empty() -> None:
    found = queue()

    found.let_in()

    assert found.lane == pytest.approx([1.0])


def test_as_many_out_as_in_is_most_likely_none() -> None:
    found = queue(20)
    for _ in range(20):
        found.let_in()

    assert median(found) == 0


def test_the_count_grows_less_sure_with_every_car() -> None:
    few, many = queue(5), queue(40)

    assert (median(few), median(many)) == (5, 40)
    assert max(many.lane) < max(few.lane)
    assert few.spread_waiting() == pytest.approx((5 * MISCOUNT) ** 0.5)


def test_a_free_head_empties_the_lane() -> None:
    drifted = queue(2)
    drifted.let_in()

    for _ in range(3):
        drifted.seen(HEAD_FREE)

    assert drifted.lane[0] > 0.95


def test_cars_that_still_roll_are_not_taken_away_by_a_free_head() -> None:
    rolling = queue(1)

    rolling.seen(HEAD_FREE, rolling=1)

    assert median(rolling) == 1


def test_a_taken_place_outweighs_a_wrong_count_after_three_looks() -> None:
    counted_two = queue(2)

    for _ in range(3):
        counted_two.seen(TAKEN_AT_50)

    assert median(counted_two) >= 7


def test_a_free_place_bounds_whatever_was_believed() -> None:
    anything = queue()
    anything.forget()

    for _ in range(4):
        anything.seen(FREE_AT_50)

    assert median(anything) <= 7


def test_a_place_that_is_taken_just_now_tells_the_very_number() -> None:
    anything = queue()
    anything.forget()

    anything.seen(TAKEN_AT_50, since=Passed(0, 0))

    assert int(np.argmax(anything.lane)) == at_least(50, 7)


@pytest.mark.parametrize(("sight", "joined", "more"), [(TAKEN_AT_50, 11, -2), (FREE_AT_50, 3, 2)], ids=["taken", "free"])
def test_a_place_seen_again_with_a_shorter_or_longer_queue_tells_what_it_would_have_told_seen_only_then(
    sight: Sight, joined: int, more: int
) -> None:
    twice, once = queue(joined), queue(joined)

    twice.seen(sight)
    for found in (twice, once):
        for _ in range(abs(more)):
            found.entered() if more > 0 else found.let_in(paced=False)
    twice.seen(sight, beyond=2)
    once.seen(sight)

    assert twice.lane[:12] == pytest.approx(once.lane[:12], abs=0.004)
    assert twice.log_likelihood == pytest.approx(once.log_likelihood, abs=0.01)


@pytest.mark.parametrize(
    ("sight", "rolling", "since", "now"),
    [
        (TAKEN_AT_50, 0, Passed(joined=2, let_in=0), 10),
        (TAKEN_AT_50, 0, Passed(joined=0, let_in=1), 7),
        (FREE_AT_50, 0, Passed(joined=0, let_in=3), 4),
        (FREE_AT_50, 1, Passed(joined=1, let_in=1), 7),  # the one that joined rolls: six stand, it is the seventh
    ],
)
def test_who_came_and_went_since_a_place_changed_is_counted_from_the_number_then(
    sight: Sight, rolling: int, since: Passed, now: int
) -> None:
    anything = queue()
    anything.forget()

    anything.seen(sight, rolling, since)

    assert int(np.argmax(anything.lane)) == now


def test_a_taken_place_proves_a_number_of_cars() -> None:
    assert [at_least(position_m, 7) for position_m in (3, 6.9, 50, 120)] == [1, 1, 8, 18]


def test_without_departures_a_queue_grows_unlikely() -> None:
    one_or_none = queue()
    one_or_none.believe(np.concatenate([one_or_none.p, one_or_none.p]))

    one_or_none.passes(4 * GAP_S, 0.0, NOTHING, NOBODY_COMES)

    assert one_or_none.lane[0] > 0.9


def test_a_long_silence_while_many_wait_is_a_yard_that_stands() -> None:
    waiting = queue(20)

    waiting.passes(15 * GAP_S, 0.0, NOTHING, NOBODY_COMES)

    assert median(waiting) == 20
    assert share(waiting) < 0.3


def test_departures_that_come_slowly_show_how_many_bays_are_open() -> None:
    found = queue(60)
    for _ in range(40):
        found.passes(2 * GAP_S, 0.0, NOTHING, NOBODY_COMES)
        found.let_in()

    assert found.pace.share[int(np.argmax(found.states))] == 0.5


@pytest.mark.parametrize("yard", [AT_CONTROL, AT_EXIT, HEAD_SEEN], ids=["control", "exit", "head"])
def test_a_yard_of_which_nothing_is_heard_becomes_the_usual_one_again(yard: Yard) -> None:
    stands = Queue(Pace(yard, COLD), MISCOUNT, 1.0)
    spread_over(stands, [1.0], state=0)

    stands.passes(6 * 3_600, 0.0, Unseen(let_in=True, gone=True), NOBODY_COMES)

    assert share(stands) == pytest.approx(1.0, abs=0.05)


def test_while_the_counter_at_the_gate_is_out_cars_are_let_in_unseen() -> None:
    found = queue(20)

    found.passes(5 * GAP_S, 0.0, Unseen(let_in=True), NOBODY_COMES)

    assert found.mean_waiting() == pytest.approx(15, abs=0.7)
    assert found.log_likelihood == pytest.approx(0.0)  # nothing was seen, so nothing speaks for or against the count


def test_while_the_counter_at_the_tail_is_out_cars_join_unseen() -> None:
    found = queue(10)

    found.passes(5 * GAP_S, 0.0, Unseen(entry=True, let_in=True), 2 / GAP_S)

    assert found.mean_waiting() == pytest.approx(15, abs=0.7)


def test_what_happens_unseen_does_not_depend_on_how_often_one_looks() -> None:
    seldom, often = queue(20), queue(20)

    seldom.passes(600.0, 0.0, Unseen(let_in=True), NOBODY_COMES)
    for n in range(60):
        often.passes(10.0, 10.0 * n, Unseen(let_in=True), NOBODY_COMES)

    assert seldom.mean_waiting() == pytest.approx(often.mean_waiting(), abs=0.2)


def test_cars_that_have_a_bay_do_not_wait() -> None:
    assert [median(on_site(cars)) for cars in (3, 4, 5, 9)] == [0, 0, 1, 5]


def test_who_finds_a_bay_free_is_let_in_at_once_where_nothing_looks_at_the_head() -> None:
    found = on_site(2)
    found.entered()

    found.passes(1.0, 0.0, Unseen(let_in=True), NOBODY_COMES)

    assert median(found) == 0
    assert found.mean_waiting() == pytest.approx(0.0, abs=0.15)  # more than one bay may be closed today
    assert found.mean_inside() == pytest.approx(3.0, abs=0.15)


def test_of_an_empty_yard_without_a_queue_no_bay_is_taken_by_mistake() -> None:
    found = Queue(Pace(HEAD_SEEN, COLD), MISCOUNT, 1.0)

    found.passes(3_600.0, 0.0, NOTHING, NOBODY_COMES)

    assert found.mean_inside() == pytest.approx(0.0, abs=1e-6)


def test_hardly_anybody_goes_in_unseen_where_the_head_is_watched_but_somebody_may() -> None:
    found = Queue(Pace(HEAD_SEEN, COLD), 0.0, 1.0)
    found.entered()
    unseen = found.copy()

    unseen.passes(STEP_S, 0.0, NOTHING, NOBODY_COMES)

    assert found.lane[0] == pytest.approx(0.0, abs=1e-9)
    assert 0.0 < unseen.lane[0] < 0.1
    assert float(unseen.p[0] @ unseen.pace.inside) / unseen.lane[0] == pytest.approx(1.0, abs=0.05)  # he has a bay


def test_who_finds_a_bay_free_waits_until_he_is_seen_to_be_let_in_where_the_head_is_watched() -> None:
    found = Queue(Pace(HEAD_SEEN, COLD), MISCOUNT, 1.0)
    found.entered()

    found.passes(1.0, 0.0, NOTHING, NOBODY_COMES)
    before = found.mean_waiting(), found.mean_inside()
    found.let_in()

    assert np.array(before) == pytest.approx([1.0, 0.0], abs=0.01)
    assert [found.mean_waiting(), found.mean_inside()] == pytest.approx([0.0, 1.0], abs=0.02)


def test_where_nothing_looks_at_the_head_a_car_that_is_gone_lets_the_next_one_in() -> None:
    before, after = on_site(9), on_site(9, parted=1)

    assert (median(before), median(after)) == (5, 4)
    assert after.mean_inside() == pytest.approx(4.0, abs=0.05)


def test_as_many_gone_as_came_is_most_likely_an_empty_yard() -> None:
    found = on_site(9, parted=9)

    assert found.mean_waiting() == pytest.approx(0.0, abs=0.01)
    assert quantile(found.p.sum(axis=0).reshape(found.pace.bays, -1).sum(axis=1), 0.5) == 0


def test_a_bay_is_free_from_when_a_car_is_gone_until_the_next_one_is_let_in() -> None:
    found = watched(5)

    told = [found.full()]
    found.gone()
    told.append(found.full())
    found.let_in()
    told.append(found.full())

    assert told == pytest.approx([1.0, 0.0, 1.0], abs=0.01)
    assert median(found) == 4


def test_cars_that_are_gone_and_followed_by_none_are_bays_that_closed() -> None:
    found = watched(8)

    for _ in range(3):
        found.gone()
        found.passes(90.0, 0.0, NOTHING, NOBODY_COMES)

    assert share(found) < 0.4
    assert found.mean_waiting() == pytest.approx(8, abs=0.1)


def test_a_car_that_is_gone_and_followed_by_none_is_a_bay_that_closed_rather_than_a_miscount() -> None:
    found = watched(16)
    for _ in range(4):
        change_over(found)
        found.passes(GAP_S, 0.0, NOTHING, NOBODY_COMES)

    found.gone()
    found.passes(4 * GAP_S, 0.0, NOTHING, NOBODY_COMES)

    assert found.full() > 0.99
    assert found.states[4] < 0.4


def test_cars_that_are_gone_and_followed_at_once_prove_that_their_bays_are_open() -> None:
    found = watched(8)

    for _ in range(3):
        change_over(found)
        found.passes(85.0, 0.0, NOTHING, NOBODY_COMES)

    assert share(found) > 0.98
    assert found.mean_waiting() == pytest.approx(5, abs=0.1)


def test_a_double_count_at_the_exit_does_not_shorten_the_lane() -> None:
    found = watched(8)

    found.gone()
    change_over(found)

    assert median(found) == 7
    assert found.mean_waiting() == pytest.approx(7, abs=0.1)


def test_a_bay_that_was_counted_free_twice_is_full_again_when_nobody_takes_it() -> None:
    found = watched(8)
    found.gone()
    change_over(found)

    for _ in range(4):
        found.passes(GAP_S, 0.0, NOTHING, NOBODY_COMES)
        change_over(found)

    assert found.full() > 0.9
    assert share(found) > 0.9
    assert median(found) == 3


def test_a_missed_exit_does_not_lengthen_the_lane() -> None:
    found = watched(8)

    found.let_in()

    assert median(found) == 7
    assert found.mean_inside() == pytest.approx(4.0, abs=0.06)  # whose bay he took had left it
    assert share(found) > 0.97


def test_the_head_of_the_lane_counts_who_is_let_in_although_the_exit_counter_is_out() -> None:
    found = watched(12)

    for _ in range(9):
        found.passes(2 * GAP_S, 0.0, Unseen(gone=True), NOBODY_COMES)
        found.let_in()

    assert median(found) == 3
    assert found.mean_waiting() == pytest.approx(3, abs=0.7)  # a model of the pace would have emptied the lane


def test_while_nothing_looks_at_head_and_exit_cars_go_in_at_the_usual_pace() -> None:
    found = watched(20)

    found.passes(5 * GAP_S, 0.0, Unseen(let_in=True, gone=True), NOBODY_COMES)

    assert found.mean_waiting() == pytest.approx(15, abs=0.7)


def test_while_the_gate_opens_for_one_who_does_not_follow_him_tells_that_no_bay_is_free() -> None:
    found = watched(8)
    found.gone()
    found.gone()

    found.passes(60.0, 0.0, NOTHING, NOBODY_COMES)
    shut = found.full()
    found.let_in()
    found.passes(30.0, 0.0, NOTHING, NOBODY_COMES)

    assert shut < 0.02  # the gate may be slow
    assert found.full() > 0.25
    assert median(found) == 7


def test_while_a_gate_is_shut_by_its_clock_nobody_who_waits_tells_that_no_bay_is_free() -> None:
    open_always, by_clock = watched(8), watched(8)
    for each in (open_always, by_clock):
        each.gone()
        each.gone()

    open_always.passes(120.0, 0.0, NOTHING, NOBODY_COMES)
    by_clock.passes(120.0, 0.0, NOTHING, NOBODY_COMES, gate_opens_in_s=130.0)

    assert by_clock.full() < 0.01 < open_always.full()


def test_when_a_gate_opens_by_its_clock_and_nobody_goes_in_no_bay_is_free() -> None:
    found = watched(8)
    found.pace.gate.every_s = 300.0
    found.gone()

    found.passes(125.0, 0.0, NOTHING, NOBODY_COMES, gate_opens_in_s=130.0)
    before = found.full()
    found.passes(60.0, 125.0, NOTHING, NOBODY_COMES, gate_opens_in_s=5.0)

    assert found.full() > 10 * before
    assert median(found) == 8


def test_a_sight_that_every_believed_number_explains_alike_is_expected_and_moves_nothing() -> None:
    found, before = queue(12), queue(12)

    expected = [found.expects(sight) for sight in (HEAD_TAKEN, HEAD_FREE, Sight(True, 80, 7))]

    assert expected == [True, False, False]  # all would be as odd with a free head: one that is seen makes the count doubtful
    assert (found.p == before.p).all()
    assert found.log_likelihood < before.log_likelihood  # it was not sure to be seen, though


@pytest.mark.parametrize("too_many", [0, 20])
def test_where_those_who_wait_give_up_a_count_that_is_too_high_comes_down_by_itself(too_many: int) -> None:
    learnt = msgspec.structs.replace(STRAIGHT_ON, gives_up_per_s=1 / 300)
    found = Queue(Pace(AT_CONTROL, learnt), MISCOUNT, let_in_per_entry=0.8, start=(0.0,) * (8 + too_many) + (1.0,))

    found.passes(900.0, 0.0, NOTHING, NOBODY_COMES)

    assert found.mean_waiting() == pytest.approx((8 + too_many) * np.exp(-3), abs=0.6)


def test_who_may_give_up_later_is_a_whole_car_when_he_joins() -> None:
    learnt = msgspec.structs.replace(STRAIGHT_ON, gives_up_per_s=1 / 300)
    found = Queue(Pace(AT_CONTROL, learnt), MISCOUNT, let_in_per_entry=0.8, start=(0.0,) * 5 + (1.0,))

    found.entered()

    assert found.mean_waiting() == pytest.approx(6.0)


def test_who_finds_nobody_in_front_and_leaves_within_two_seconds_went_straight_on() -> None:
    found = Queue(Pace(AT_CONTROL, STRAIGHT_ON), MISCOUNT, 1.0)
    found.entered()

    found.passes(1.0, 0.0, NOTHING, NOBODY_COMES)

    assert found.let_in() > 0.98
    assert found.lane[0] > 0.98


@pytest.mark.parametrize(("waiting", "seconds"), [(0, 30.0), (8, 1.0)], ids=["later", "queue"])
def test_who_leaves_later_or_from_a_queue_did_not_go_straight_on(waiting: int, seconds: float) -> None:
    found = Queue(Pace(AT_CONTROL, STRAIGHT_ON), MISCOUNT, 1.0)
    for _ in range(waiting + 1):
        found.entered()
        found.passes(3.0, 0.0, NOTHING, NOBODY_COMES)

    found.passes(seconds, 0.0, NOTHING, NOBODY_COMES)

    assert found.let_in() < 0.05


@pytest.mark.parametrize(("tick_s", "least", "most"), [(0.001, 0.98, 1.0), (60.0, 0.98, 1.0), (900.0, 0.0, 0.0)])
def test_who_goes_straight_on_leaves_within_a_tick_of_the_counters_clock_unless_that_is_too_slow(
    tick_s: float, least: float, most: float
) -> None:
    found = Queue(Pace(AT_CONTROL, STRAIGHT_ON), MISCOUNT, 1.0)

    found.entered(tick_s)

    assert least <= found.let_in() <= most


def test_who_leaves_in_a_later_minute_did_not_go_straight_on() -> None:
    found = Queue(Pace(AT_CONTROL, STRAIGHT_ON), MISCOUNT, 1.0)
    found.entered(60.0)

    found.passes(60.0, 0.0, NOTHING, NOBODY_COMES)

    assert found.let_in() < 0.05


def test_a_count_that_ran_away_is_found_out_where_counters_tell_the_minute() -> None:
    found = Queue(Pace(AT_CONTROL, STRAIGHT_ON), MISCOUNT, 1.0, start=(0.0,) * 20 + (1.0,))

    for _ in range(12):
        found.passes(3 * GAP_S, 0.0, NOTHING, NOBODY_COMES)
        found.entered(60.0)
        found.let_in()

    assert found.mean_waiting() < 2


@pytest.mark.parametrize(("straight", "doubts"), [((0.0, 0.0), True), ((300.0, 250.0), True), ((300.0, 90.0), False)])
def test_who_leaves_within_the_minute_in_which_one_came_raises_a_doubt_of_the_count_unless_few_go_straight_on(
    straight: tuple[float, float], doubts: bool
) -> None:
    found = Queue(Pace(AT_CONTROL, Profile(days=1, entries=600.0, straight=straight)), MISCOUNT, 1.0, start=(0.0,) * 20 + (1.0,))

    for _ in range(12):
        found.passes(GAP_S, 0.0, NOTHING, NOBODY_COMES)
        found.entered(60.0)
        found.let_in()

    assert bool(found.lane[0] > 1e-6) is doubts


def test_a_count_that_ran_away_is_found_out_by_cars_that_leave_as_soon_as_they_came() -> None:
    found = Queue(Pace(AT_CONTROL, STRAIGHT_ON), MISCOUNT, 1.0, start=(0.0,) * 20 + (1.0,))

    for _ in range(5):
        found.passes(3 * GAP_S, 0.0, NOTHING, NOBODY_COMES)
        found.entered()
        found.passes(1.0, 0.0, NOTHING, NOBODY_COMES)
        found.let_in()

    assert median(found) == 0


def test_what_is_seen_while_the_gate_is_held_tells_nothing_of_the_pace() -> None:
    paced, unpaced = queue(8), queue(8)

    paced.let_in()
    unpaced.let_in(paced=False)

    assert unpaced.states == pytest.approx(queue(8).states)
    assert paced.states[0] < unpaced.states[0]
    assert median(unpaced) == 7


def test_bays_that_are_free_while_many_are_there_are_closed() -> None:
    nine = on_site(9)

    for _ in range(3):
        nine.in_use(2)

    assert nine.pace.share[int(np.argmax(nine.states))] == 0.5
    assert median(nine) == 7


@pytest.mark.parametrize("bays", range(5))
def test_bays_in_use_say_how_many_are_inside(bays: int) -> None:
    found = watched(0)
    found.believe(np.ones((1, 5 * 5)))  # any number

    for _ in range(2):
        found.in_use(bays)

    assert found.mean_inside() == pytest.approx(bays, abs=0.1)


def test_bays_in_use_say_nothing_of_a_lane_that_is_counted_at_the_control() -> None:
    found, before = queue(5), queue(5)

    found.in_use(2)

    assert (found.p == before.p).all()


def test_a_yard_is_the_usual_one_again_when_what_was_believed_of_it_rested_on_a_dead_counter() -> None:
    stands = watched(20)
    spread_over(stands, [0.0] * 20 + [1.0], state=0)

    stands.reopen(stands.pace.usual(0.0))

    assert share(stands) == pytest.approx(1.0, abs=0.05)
    assert median(stands) == 20
    assert stands.full() == pytest.approx(1.0)


def test_what_was_seen_is_the_less_likely_the_odder_it_was() -> None:
    expected, odd = queue(8), queue(8)

    expected.seen(HEAD_TAKEN)
    odd.seen(HEAD_FREE)

    assert odd.log_likelihood < expected.log_likelihood < 0


@pytest.mark.parametrize("yard", [AT_CONTROL, AT_EXIT, HEAD_SEEN], ids=["control", "exit", "head"])
def test_where_an_opening_follows_another_the_queue_is_the_one_that_was_left(yard: Yard) -> None:
    follows = Queue(Pace(yard, COLD), MISCOUNT, 1.0, start=(1.0, 1.0, 2.0))

    assert follows.lane == pytest.approx([0.25, 0.25, 0.5])
    assert follows.full() == pytest.approx(0.75 if yard is not AT_CONTROL else 1.0, abs=0.01)  # who waits has no bay to go to


unseen = st.builds(Unseen, st.booleans(), st.booleans(), st.booleans())
sights = st.builds(Sight, st.booleans(), st.sampled_from([0.0, 3.0, 50.0, 120.0, 900.0]), st.just(7.0))
steps = st.one_of(
    st.tuples(st.just("entered"), st.integers(1, 60), st.sampled_from([0.0, 1.0, 60.0])),
    st.tuples(st.just("let_in"), st.integers(1, 60), st.booleans()),
    st.tuples(st.just("gone"), st.integers(1, 60), st.booleans()),
    st.tuples(st.just("settle"), st.just(1)),
    st.tuples(st.just("passes"), st.just(1), st.floats(0, 5_000), st.floats(-10_000, 90_000), unseen, st.floats(0, 0.1)),
    st.tuples(
        st.just("seen"), st.just(1), sights, st.integers(0, 5), st.none() | st.builds(Passed, st.integers(0, 5), st.integers(0, 5))
    ),
    st.tuples(st.just("in_use"), st.just(1), st.integers(0, 4)),
    st.tuples(st.just("forget"), st.just(1)),
)


@pytest.mark.parametrize("sum_of_all", [0.0, 5e-324, 1e-310])
def test_what_can_hardly_be_changes_nothing(sum_of_all: float) -> None:
    found, before = queue(5), queue(5)

    found.believe(np.full_like(found.p, sum_of_all / found.p.size))

    assert (found.p == before.p).all()


@settings(max_examples=60)
@given(st.sampled_from([AT_CONTROL, AT_EXIT, HEAD_SEEN]), st.sampled_from([COLD, STRAIGHT_ON]), st.lists(steps, max_size=25))
def test_whatever_happens_the_probabilities_sum_to_one(yard: Yard, learnt: Profile, taken: list[tuple[str, ...]]) -> None:
    found = Queue(Pace(yard, learnt), MISCOUNT, 1.0)

    for name, times, *arguments in taken:
        for _ in range(int(times)):
            getattr(found, name)(*arguments)

    assert found.p.sum() == pytest.approx(1.0)
    assert found.p.min() >= 0.0
    assert len(found.p) <= CARS
    assert found.lane.sum() == pytest.approx(1.0)
    assert -1e-9 <= found.full() <= 1.0 + 1e-9
    assert 0.0 <= found.mean_inside() <= 4.0 + 1e-9
    assert np.isfinite(found.log_likelihood)
