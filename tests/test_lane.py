"""What presence sensors steadily see."""

from api.estimate.lane import SAME_MS, STUCK_CARS, Lane, Look, News, Passed, looks
from hoflicht import Reading


def said(*states: tuple[int, int]) -> list[Reading]:
    """What lane-3 said, by second and state."""
    return [Reading("hof-nord", "lane-3", "presence", 1000 * second, float(state)) for second, state in states]


def told(readings: list[Reading], until_s: int) -> list[tuple[int, bool | None]]:
    return [(look.at_ms // 1000, look.occupied) for look in looks(readings, 3) if look.at_ms <= 1000 * until_s]


def test_a_state_counts_once_it_has_held_for_twenty_seconds() -> None:
    assert told(said((0, 1)), 19) == [(0, None)]
    assert told(said((0, 1)), 20) == [(0, None), (20, True)]


def test_a_car_that_rolls_by_is_never_seen_to_stand() -> None:
    assert told(said((0, 1), (6, 0)), 25) == [(0, None), (6, None)]


def test_every_repeat_is_a_look_of_its_own() -> None:
    assert told(said((0, 1), (60, 1), (120, 1)), 130) == [(0, None), (20, True), (60, True), (120, True)]


def test_a_repeat_soon_after_a_change_waits_for_steadiness() -> None:
    assert told(said((0, 1), (10, 1)), 30) == [(0, None), (20, True)]


def test_after_a_silence_a_sensor_must_prove_itself_again() -> None:
    assert told(said((0, 1), (200, 1)), 230) == [(0, None), (20, True), (200, None), (220, True)]


def lane(*seen: tuple[str, float, bool | None]) -> Lane:
    found = Lane()
    for sensor, position_m, occupied in seen:
        found.note(Look(0, sensor, position_m, occupied, 0))
    return found


def test_a_queue_has_no_hole_so_contradicting_sensors_are_not_believed() -> None:
    found = lane(("near", 3, False), ("far", 50, True), ("farther", 120, False))

    assert [look.sensor for look in found.steady(0)] == ["farther"]


def test_a_sensor_that_changes_or_is_silent_tells_nothing() -> None:
    found = lane(("near", 3, None), ("far", 50, True))

    assert [look.sensor for look in found.steady(150_000)] == ["far"]
    assert found.steady(150_001) == []


def test_the_head_stands_within_a_cars_length_and_the_tail_at_the_last_sensor() -> None:
    found = lane(("near", 3, True), ("far", 50, True))

    assert found.head(0, 7) in found.steady(0)[:1]
    assert found.tail(0, 50) in found.steady(0)[1:]
    assert found.head(0, 2) is None
    assert found.tail(0, 120) is None


def test_a_sensor_watches_the_head_as_long_as_it_is_heard_steady_or_not() -> None:
    found = lane(("near", 3, None), ("far", 50, True))

    assert found.watches(150_000, 7)
    assert not found.watches(150_001, 7)
    assert not lane(("far", 50, True)).watches(0, 7)


def test_a_look_is_borne_out_as_long_as_no_other_sensor_steadily_sees_that_it_cannot_be() -> None:
    found = lane(("near", 3, False), ("far", 50, None))

    assert found.bears_out(Look(20_000, "farther", 120, False, 0))
    assert not found.bears_out(Look(20_000, "farther", 120, True, 0))  # a queue has no hole
    assert found.bears_out(Look(150_001, "farther", 120, True, 0))  # the near one is silent


def look(second: float, occupied: bool, since: float = 0.0) -> Look:
    return Look(round(1000 * second), "far", 50, occupied, round(1000 * since))


def told_once(occupied: bool) -> News:
    """The sensor at 50 m, behind seven cars, has told what it sees."""
    news = News(metres_per_car=7)
    news.take(look(20, occupied), rolling=0)
    return news


def test_the_same_cars_seen_again_are_no_news() -> None:
    news = told_once(True)

    news.joined += 7
    assert news.beyond(look(80, True), rolling=0) is None

    news.let_in += 1
    assert news.beyond(look(80, True), rolling=0) == 0


def test_a_place_that_is_taken_though_the_queue_is_shorter_than_ever_is_news() -> None:
    news = told_once(True)
    news.joined, news.let_in = 1, 3

    assert news.beyond(look(80, True), rolling=0) == 2

    news.take(look(80, True), rolling=0)
    news.joined += 1
    assert news.beyond(look(90, True), rolling=0) is None  # it was shorter before
    news.let_in += 2
    assert news.beyond(look(100, True), rolling=0) == 1


def test_a_place_that_is_free_though_the_queue_is_longer_than_ever_is_news_but_for_those_who_roll() -> None:
    news = told_once(False)
    news.joined = 3

    assert news.beyond(look(80, False), rolling=0) == 3
    assert news.beyond(look(80, False), rolling=1) == 2
    assert news.beyond(look(80, False), rolling=3) is None


def test_the_contrary_is_news_and_so_is_the_same_after_some_minutes() -> None:
    news = told_once(True)

    assert news.beyond(look(40, False), rolling=0) == 0
    assert news.is_change(look(40, False))
    assert not news.is_change(look(40, True))
    assert news.beyond(look(19.999 + SAME_MS / 1000, True), rolling=0) is None
    assert news.beyond(look(20 + SAME_MS / 1000, True), rolling=0) == 0


def test_a_place_that_changed_with_the_last_car_was_turned_by_that_car() -> None:
    news = told_once(False)

    news.joined += 1
    news.changed("far")

    assert news.take(look(80, True, since=60), rolling=0) == Passed(joined=0, let_in=0)


def test_cars_that_came_and_went_before_a_changed_place_proved_steady_are_told() -> None:
    news = told_once(False)

    news.joined += 1
    news.changed("far")
    news.joined += 1
    news.let_in += 3

    assert news.take(look(80, True, since=60), rolling=0) == Passed(joined=1, let_in=3)


def test_what_is_told_first_or_told_again_has_not_turned() -> None:
    news = News(metres_per_car=7)
    news.changed("far")

    assert news.take(look(20, True), rolling=0) is None
    assert news.take(look(80, True), rolling=0) is None


def test_a_sensor_that_overlooks_the_gaps_of_ten_cars_is_stuck() -> None:
    news = told_once(True)

    for n in range(STUCK_CARS - 1):
        news.left(1_000 * (60 + n))
    before = news.is_stuck(look(80, True))
    news.left(70_000)

    assert not before
    assert news.is_stuck(look(80, True))
    assert not news.is_stuck(look(80, True, since=61))  # it has seen a gap since
    assert not news.is_stuck(look(80, False))
