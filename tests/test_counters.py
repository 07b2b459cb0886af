"""Which counters are out, and what came past them uncounted."""

import pytest
from msgspec.structs import replace

from api.estimate.counters import GAPS, MOVES, UNLIKELY, Counters, chance_out
from api.estimate.day import Day
from api.estimate.events import MovedUp, Outage, Passage
from api.estimate.lane import Look
from api.estimate.profile import COLD, Profile
from api.estimate.tally import Tally
from tests.lane import AT_EXIT, HEAD_SEEN, ms

PER_S = 30 / 3_600
GAP_S = 120.0
LATER_S = 7_200.0  # in the middle of the day
USUAL = Profile(days=8, days_kept=7.0, arrivals=(7 * 900 * PER_S,) * 96)
SEEN = replace(USUAL, gate_cars=200.0, gate_s=600.0)


def counters(profile: Profile = USUAL) -> Counters:
    return Counters(AT_EXIT, Tally(profile, PER_S, AT_EXIT.bays))


def test_a_counter_that_fails_once_a_month_is_out_as_likely_as_not_after_nine_usual_gaps_of_two_minutes() -> None:
    assert chance_out(9.0, PER_S) == pytest.approx(0.47, abs=0.01)
    assert chance_out(GAPS, PER_S) == pytest.approx(0.87, abs=0.01)
    assert chance_out(3.0, PER_S) < UNLIKELY


def test_a_gap_of_eleven_usual_ones_says_that_the_counter_is_out_once_it_is_known_what_is_usual() -> None:
    longer_s = (GAPS + 0.5) * GAP_S

    assert counters().blind(longer_s, LATER_S).entry
    assert not counters().blind(longer_s - GAP_S, LATER_S).entry
    assert not counters(COLD).blind(longer_s, LATER_S).entry


def test_a_port_that_is_gone_says_so_until_it_is_back() -> None:
    found = counters()

    found.hear(Outage(0, "gate-out", True))
    away = found.blind(0.0, LATER_S)
    found.hear(Outage(1, "gate-out", False))

    assert (away.entry, away.departure) == (False, True)
    assert not any(found.blind(0.0, LATER_S))


def test_a_head_that_moves_up_three_times_with_none_counted_out_says_so_too() -> None:
    found = counters()
    found.moved_unexplained = MOVES

    assert found.blind(0.0, LATER_S).departure


def test_as_a_gap_grows_as_many_are_missed_in_the_mean_as_if_it_had_been_asked_of_once() -> None:
    often, once = counters(), counters()

    parts = [part for gap in range(6, 10) for part in often.missed(gap * GAP_S, LATER_S)]
    [(chance, cars)] = once.missed(9 * GAP_S, LATER_S)

    assert chance == pytest.approx(chance_out(cars, PER_S), rel=0.02)
    assert mean(parts) == pytest.approx(chance * cars, rel=0.02)
    assert list(often.missed(9 * GAP_S, LATER_S)) == []  # it has not grown since


def mean(parts: list[tuple[float, float]]) -> float:
    """Cars missed: each part is a chance of so many more for whatever is believed."""
    return sum(chance * cars for chance, cars in parts)


def told(until: int, they_come: bool) -> Day:
    """Twelve cars at once; then one is let in every two minutes, whose place is counted free 20 s later, but for ten minutes."""
    events: list[Passage | MovedUp | Look] = [Passage(ms(0.1 * n), True, 1) for n in range(1, 13)]
    for minute in range(2, until, 2):
        events += [Look(ms(minute) - 30_000, "lane-3", 3.0, True, ms(1)), MovedUp(ms(minute), ms(minute))]
        events += [Passage(ms(minute) + 20_000, False, 1)] if not 20 <= minute < 30 else []
        events += [MovedUp(ms(minute + 1), ms(minute))]
        events += [Passage(ms(minute) + 50_000, True, 1)] if they_come else []
    day = Day(HEAD_SEEN, ms(0), SEEN)
    for event in sorted(events, key=lambda event: event.at_ms):
        day.take(event)
    return day


def test_a_car_whose_place_is_counted_free_just_after_the_exit_is_back_frees_no_second_one() -> None:
    out, back = told(30, they_come=True), told(32, they_come=True)

    assert (out.blind.departure, back.blind.departure) == (True, False)
    assert back.queue.mean_inside() == pytest.approx(4.0, abs=0.05)


def test_while_nobody_is_counted_in_and_cars_go_in_more_and_more_are_believed_to_have_come_uncounted() -> None:
    counted = {16: 12 - 7, 20: 12 - 9}

    unseen = [told(until, they_come=False).queue.mean_waiting() - waiting for until, waiting in counted.items()]

    assert unseen[0] < 0.7  # after 8 usual gaps
    assert unseen[1] > 2.0  # after 10


def test_where_no_sensor_could_find_out_a_mistake_nobody_is_believed_to_have_come_uncounted() -> None:
    day = Day(AT_EXIT, ms(0), USUAL)
    for event in [Passage(ms(0.1 * n), True, 1) for n in range(1, 15)] + [
        Passage(ms(minute), False, 1) for minute in range(2, 22, 2)
    ]:
        day.take(event)

    assert day.queue.mean_waiting() == pytest.approx(14 - 4 - 10, abs=0.4)
