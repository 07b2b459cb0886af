"""How fast cars are let in: by how many there are, and by how much of the yard is at work."""

import msgspec
import numpy as np
import pytest

from api.estimate.pace import BIN_S, CARS, GATE_S, TRICKLE, Array, Pace, departure_role, heads
from api.estimate.profile import BINS, COLD, Profile
from hoflicht.catalogue import Role, Sensor, Yard
from tests.lane import AT_CONTROL, AT_EXIT, HEAD_SEEN, LOOKED_AT

PER_S = 45 / 3_600


def learnt(departures: dict[int, float], exposure_s: dict[int, float]) -> Profile:
    """A lane that let in so many, in so many seconds, by the cars there."""
    return Profile(
        days=1,
        departures=tuple(departures.get(n, 0.0) for n in range(CARS)),
        exposure_s=tuple(exposure_s.get(n, 0.0) for n in range(CARS)),
    )


def with_lunch(per_s: float, hours: range) -> Profile:
    """Ten days on which cars waited all day, and at these hours after the opening a quarter of them was let in."""
    waiting_s = np.full(BINS, 10 * BIN_S)
    waiting_s[40:] = 0.0
    counts = per_s * waiting_s
    for hour in hours:
        counts[4 * hour : 4 * hour + 4] /= 4
    return Profile(days=10, bin_departures=tuple(counts), bin_waiting_s=tuple(waiting_s))


def by_bays(pace: Pace, of_pairs: Array) -> Array:
    """With one axis for cars in bays and one for states instead of their pairs."""
    return of_pairs.reshape(*of_pairs.shape[:-1], pace.bays, len(pace.share))


def test_who_leaves_the_queue_is_counted_at_the_control_or_else_at_the_exit() -> None:
    both = msgspec.structs.replace(AT_EXIT, sensors={**AT_EXIT.sensors, "gate-in": Sensor(role=Role.ENTRY_CONTROL)})

    assert [departure_role(yard) for yard in (AT_CONTROL, AT_EXIT, both)] == [
        Role.ENTRY_CONTROL,
        Role.YARD_EXIT,
        Role.ENTRY_CONTROL,
    ]


def test_the_first_rate_is_the_one_of_the_catalogue() -> None:
    pace = Pace(AT_CONTROL, COLD)

    assert pace.per_second == pytest.approx(PER_S)
    assert pace.usual_share(np.array([0.0, 3_600.0])) == pytest.approx([1.0, 1.0])


def test_behind_a_lane_that_is_looked_at_no_more_than_the_whole_yard_ever_works() -> None:
    assert [Pace(yard, COLD).share[-1] for yard in (LOOKED_AT, AT_CONTROL)] == [1.0, 1.25]


def test_a_longer_queue_may_go_faster_but_not_before_bays() -> None:
    learnt_of_three = learnt({1: 10.0, 3: 60.0}, {1: 3_600.0, 3: 3_600.0})

    assert [Pace(yard, learnt_of_three).full[3] > 2 * Pace(yard, learnt_of_three).full[1] for yard in (AT_CONTROL, LOOKED_AT)] == [
        True,
        False,
    ]


def test_a_yard_of_which_nothing_is_expected_has_a_rate_nevertheless() -> None:
    quiet = msgspec.structs.replace(AT_CONTROL, usual_entries_per_hour=0.0)

    assert Pace(quiet, COLD).per_second > 0


def test_what_is_counted_outweighs_the_catalogue() -> None:
    pace = Pace(AT_CONTROL, learnt(dict.fromkeys(range(1, CARS), 100), dict.fromkeys(range(1, CARS), 100 / (2 * PER_S))))

    assert pace.per_second == pytest.approx(2 * PER_S, rel=0.05)


def test_cars_of_today_count_as_those_of_the_days_before() -> None:
    pace = Pace(AT_CONTROL, COLD)

    pace.today[5:] += 20
    pace.today_s[5:] += 20 / (2 * PER_S)
    pace.renew()

    assert pace.per_second == pytest.approx(24 / (20 / 2 + 4) * PER_S)  # four cars of the catalogue beside twenty


def test_a_longer_queue_is_never_let_in_more_slowly() -> None:
    pace = Pace(AT_CONTROL, learnt({3: 200, 4: 10}, {3: 200 / PER_S, 4: 200 / PER_S}))

    assert (np.diff(pace.full) >= -1e-12).all()
    assert (pace.let_in >= 0).all()


def test_the_first_cars_of_a_longer_queue_lose_nothing_when_the_last_one_is_not_there() -> None:
    pace = Pace(AT_CONTROL, learnt({6: 400}, {6: 100 / PER_S, 5: 1_000 / PER_S}))
    n = np.arange(1, CARS - 1)

    assert (pace.full[1:-1] >= pace.full[2:] * n / (n + 1) - 1e-12).all()


def test_from_an_empty_lane_hardly_anybody_is_let_in() -> None:
    pace = Pace(AT_CONTROL, COLD)

    assert pace.let_in[0] == pytest.approx(np.full(len(pace.share), TRICKLE * pace.full[1]))


def test_at_a_control_the_lane_is_let_in_by_the_share_that_is_at_work_and_nothing_tells_of_bays() -> None:
    pace = Pace(AT_CONTROL, COLD)
    half, whole = list(pace.share).index(0.5), list(pace.share).index(1.0)

    assert (pace.bays, pace.taken[whole]) == (1, 0)
    assert pace.let_in[8, [half, whole]] == pytest.approx(PER_S * np.array([0.5, 1.0]))
    assert not pace.gone.any()


def test_at_an_exit_each_car_in_a_bay_counts_its_part_of_the_rate() -> None:
    pace = Pace(AT_EXIT, COLD)
    all_open, two_open = 4, 2
    gone = by_bays(pace, pace.gone)

    assert gone[[0, 1, 2, 4], all_open] == pytest.approx(PER_S * np.array([0.0, 0.25, 0.5, 1.0]))
    assert gone[[1, 2, 4], two_open] == pytest.approx(PER_S * np.array([0.25, 0.5, 1.0]))  # who was in a bay leaves it closed


def test_a_bay_is_free_that_is_open_and_not_taken() -> None:
    pace = Pace(AT_EXIT, COLD)
    stands, two_open, all_open = 0, 2, 4
    places = by_bays(pace, pace.places)

    assert [places[inside, all_open] for inside in range(5)] == [4, 3, 2, 1, 0]
    assert [places[inside, two_open] for inside in range(5)] == [2, 1, 0, 0, 0]
    assert not places[:, stands].any()
    assert [pace.taken[state] for state in (1, 2, 3, 4)] == [1, 2, 3, 4]


def test_a_car_leaves_the_lane_for_a_bay_that_is_free_and_hardly_ever_for_another() -> None:
    pace = Pace(HEAD_SEEN, COLD)
    all_open = 4
    let_in = by_bays(pace, pace.let_in)

    assert let_in[1, 3, all_open] == pytest.approx(1 / GATE_S)
    assert let_in[5, 2, all_open] == pytest.approx(2 / GATE_S)  # two bays are free
    assert let_in[5, 4, all_open] < PER_S / 100
    assert let_in[0].max() < PER_S / 10


def test_behind_one_who_was_let_in_the_next_one_follows_at_once_if_a_bay_is_free() -> None:
    pace = Pace(HEAD_SEEN, msgspec.structs.replace(COLD, gate_cars=95.0, gate_s=95 * 150.0))
    all_open = 4
    let_in, next_in = by_bays(pace, pace.let_in), by_bays(pace, pace.next_in)

    assert next_in[5, 3, all_open] > 10 * let_in[5, 3, all_open]
    assert next_in[5, 4, all_open] == let_in[5, 4, all_open]


def test_the_sensors_within_a_cars_length_look_at_the_head_of_the_lane() -> None:
    three = {f"lane-{metres}": Sensor(role=Role.LANE, position_m=metres) for metres in (3, 7, 8)}
    yard = msgspec.structs.replace(AT_EXIT, sensors={**AT_EXIT.sensors, **three})

    assert heads(yard) == {"lane-3", "lane-7"}
    assert heads(AT_EXIT) == set()


def test_a_car_that_leaves_the_lane_is_seen_where_a_sensor_looks_at_the_head_and_the_exit_counts_the_rest() -> None:
    both = msgspec.structs.replace(HEAD_SEEN, sensors={**HEAD_SEEN.sensors, "gate-in": Sensor(role=Role.ENTRY_CONTROL)})

    assert [Pace(yard, COLD).sees_moves for yard in (HEAD_SEEN, AT_EXIT, both)] == [True, False, False]


@pytest.mark.parametrize(("moves", "is_believed"), [(200.0, False), (480.0, True), (520.0, True), (900.0, False)])
def test_a_head_that_overlooks_cars_or_flickers_is_not_believed(moves: float, is_believed: bool) -> None:
    learnt = msgspec.structs.replace(COLD, days=1, exits=500.0, exits_beside=500.0, moves=moves)

    assert Pace(HEAD_SEEN, learnt).sees_moves is is_believed


def test_how_long_the_gate_takes_is_learnt_and_guessed_before() -> None:
    slow = msgspec.structs.replace(COLD, days=1, gate_cars=95.0, gate_s=95 * 150.0)

    gates_s = [Pace(yard, learnt).gate_s for yard, learnt in ((HEAD_SEEN, COLD), (HEAD_SEEN, slow), (AT_EXIT, slow))]

    # 95 cars outweigh the five of the guess. Where nothing looks at the head nobody knows: it counts as part of the unloading.
    assert gates_s == [GATE_S, pytest.approx(143.5), 0.0]


@pytest.mark.parametrize("yard", [AT_CONTROL, AT_EXIT], ids=["control", "exit"])
def test_a_lunch_of_every_day_is_foreseen(yard: Yard) -> None:
    pace = Pace(yard, with_lunch(PER_S, range(4, 5)))

    before, lunch, after = pace.usual_share(np.array([2.0, 4.5, 7.0]) * 3_600)

    assert (before, after) == (pytest.approx(1.0, abs=0.05), pytest.approx(1.0, abs=0.05))
    assert lunch == pytest.approx(0.25, abs=0.05)


def test_where_the_cars_in_the_bays_are_counted_the_share_that_was_believed_is_the_roster_whatever_the_pace() -> None:
    waiting_s = np.full(BINS, 10 * BIN_S)
    share_s = waiting_s.copy()
    share_s[16:20] /= 2
    learnt = Profile(
        days=10,
        bin_departures=tuple(PER_S * waiting_s / 3),  # slow all day: long unloading, not closed bays
        bin_waiting_s=tuple(waiting_s),
        bin_share_s=tuple(share_s),
    )

    before, lunch = Pace(HEAD_SEEN, learnt).usual_share(np.array([2.0, 4.5]) * 3_600)

    assert before == pytest.approx(1.0)
    assert lunch == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("since_s", [-3_600.0, 0.0, 4.4 * 3_600, 30 * 3_600])
def test_what_is_usual_is_a_probability_around_the_usual_share(since_s: float) -> None:
    pace = Pace(AT_CONTROL, with_lunch(PER_S, range(4, 6)))

    usual = pace.usual(since_s)

    assert usual.sum() == pytest.approx(1.0)
    assert usual.min() > 0.0
    assert usual @ pace.share == pytest.approx(float(pace.usual_share(np.array(since_s))), abs=0.07)


@pytest.mark.parametrize("yard", [AT_CONTROL, AT_EXIT], ids=["control", "exit"])
def test_what_turns_over_unseen_is_neither_more_nor_less_afterwards(yard: Yard) -> None:
    pace = Pace(yard, COLD)

    for turning in pace.turning(pace.usual(0.0)):
        assert turning.sum(axis=1) == pytest.approx(0.0, abs=1e-12)
        assert (turning - np.diag(np.diag(turning)) >= 0).all()


def test_a_yard_turns_into_the_one_that_is_usual_at_that_hour() -> None:
    pace = Pace(AT_CONTROL, with_lunch(PER_S, range(4, 5)))
    busy = int(np.argmin(np.abs(pace.share - 1.0)))

    morning, noon, evening = (float(pace.turning(pace.usual(hour * 3_600.0))[1][0, busy]) for hour in (2.0, 4.5, 7.0))

    assert morning == evening > 10 * noon


def test_cars_that_leave_a_bay_unseen_do_so_by_the_rate_that_was_learnt() -> None:
    pace = Pace(AT_EXIT, COLD)
    four, three = (inside * len(pace.share) + 4 for inside in (4, 3))
    before = float(pace.turning(pace.usual(0.0))[0][four, three])

    pace.today[5], pace.today_s[5] = 1_000.0, 1_000.0 / (2 * PER_S)
    pace.renew()

    assert float(pace.turning(pace.usual(0.0))[0][four, three]) == pytest.approx(2 * before, rel=0.02)
