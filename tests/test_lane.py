"""The lidar over the lane: a hundred distances a second become a state that changes."""

from edge.config import PortConfig
from edge.lane import Lane
from firmware_bridge.frames import Frame, Sample

NEAR, FAR = 1.2, 3.9
EMPTY = None  # nothing reflects


def see(lane: Lane, spans: list[tuple[float, float, float | None]]) -> list[tuple[str, int, float]]:
    """Spans of (from, to, distance) in seconds, ten frames each second."""
    told = list[tuple[str, int, float]]()
    for start_s, end_s, distance_m in spans:
        frame = Frame((Sample("temperature", 25.0),) if distance_m is None else (Sample("distance", distance_m),))
        for at_ms in range(round(start_s * 1000), round(end_s * 1000), 100):
            told += [(seen.quantity, seen.seen_ms, seen.value) for seen in lane.take(frame, at_ms)]
    return told


def presence(told: list[tuple[str, int, float]]) -> list[tuple[int, float]]:
    return [(at_ms, value) for quantity, at_ms, value in told if quantity == "presence"]


def lane(**options: object) -> Lane:
    return Lane(PortConfig(path="p", driver="tfmini", site="hof-nord", sensor="lane-3", **options))  # type: ignore[arg-type]


def test_a_car_that_stops_is_told_with_the_time_of_its_arrival() -> None:
    told = see(lane(), [(100, 110, FAR), (110, 120, NEAR), (120, 130, FAR)])

    assert presence(told) == [(100_000, 0.0), (110_000, 1.0), (120_000, 0.0)]


def test_what_lasts_less_than_a_second_is_no_change() -> None:
    told = see(
        lane(), [(100, 110, FAR), (110, 110.9, NEAR), (110.9, 120, FAR), (120, 125, NEAR), (125, 125.5, FAR), (125.5, 130, NEAR)]
    )

    assert presence(told) == [(100_000, 0.0), (120_000, 1.0)]


def test_an_open_field_behind_the_lane_is_an_empty_lane() -> None:
    assert presence(see(lane(), [(100, 105, EMPTY), (105, 110, NEAR)])) == [(100_000, 0.0), (105_000, 1.0)]


def test_the_state_is_repeated_every_minute() -> None:
    assert presence(see(lane(), [(100, 225, NEAR)])) == [(100_000, 1.0), (160_000, 1.0), (220_000, 1.0)]


def test_the_order_of_times_is_the_order_of_telling() -> None:
    # The change begins just before the repetition is due: the repetition must not tell the old state with a later time.
    told = presence(see(lane(), [(100, 159.5, FAR), (159.5, 163, NEAR), (163, 170, FAR)]))

    assert told == [(100_000, 0.0), (159_500, 1.0), (163_000, 0.0)]


def test_the_distance_is_the_median_of_a_minute() -> None:
    told = see(lane(), [(100, 130, FAR), (130, 130.5, 9.9), (130.5, 161, FAR)])

    assert [one for one in told if one[0] == "distance"] == [("distance", 160_000, 3.9)]


def test_a_silent_sensor_tells_nothing_and_begins_anew() -> None:
    told = see(lane(), [(100, 110, NEAR), (500, 503, FAR)])

    assert told == [("presence", 100_000, 1.0), ("presence", 500_000, 0.0)]


def test_near_is_what_the_config_says() -> None:
    assert presence(see(lane(near_m=1.0), [(100, 105, NEAR)])) == [(100_000, 0.0)]
