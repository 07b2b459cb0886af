"""A lidar over a lane: what a hundred distances a second say about the cars in it."""

from collections.abc import Sequence

from edge.config import PortConfig
from edge.lane import Lane
from firmware_bridge.frames import Frame, Sample

FRAME_MS = 10
CAR_M, KERB_M = 1.4, 6.1


def told(distances: Sequence[float | None], start_ms: int = 10_000, **options: float) -> list[tuple[str, int, float]]:
    config = PortConfig(path="p", driver="tfmini", site="hof-nord", sensor="lane-3", **options)  # type: ignore[arg-type]
    lane = Lane(config)
    frames = [Frame(() if metres is None else (Sample("distance", metres),)) for metres in distances]
    return [
        (seen.quantity, seen.seen_ms, seen.value)
        for n, frame in enumerate(frames)
        for seen in lane.take(frame, start_ms + FRAME_MS * n)
    ]


def test_a_car_is_told_once_it_has_stood_for_a_second_with_the_time_of_its_coming() -> None:
    # The second of the first three frames, and of the three around the change, turns the majority.
    assert told([KERB_M] * 200 + [CAR_M] * 150) == [("presence", 10_000, 0.0), ("presence", 12_010, 1.0)]


def test_nothing_that_reflects_is_an_empty_lane() -> None:
    assert told([*[CAR_M] * 200, *[None] * 150]) == [("presence", 10_000, 1.0), ("presence", 12_010, 0.0)]


def test_what_does_not_last_is_not_told() -> None:
    assert told([KERB_M] * 200 + [CAR_M] * 90 + [KERB_M] * 200) == [("presence", 10_000, 0.0)]


def test_a_false_frame_does_not_delay_a_car() -> None:
    stands = [*[CAR_M] * 30, KERB_M, *[CAR_M] * 30, None, *[CAR_M] * 90]

    assert told([*[KERB_M] * 200, *stands]) == told([KERB_M] * 200 + [CAR_M] * 152)


def test_the_distance_of_a_minute_is_its_median_so_that_false_ones_do_not_count() -> None:
    minute = ([KERB_M] * 99 + [11.9]) * 60 + [KERB_M]

    assert ("distance", 70_000, KERB_M) in told(minute)


def test_after_a_silence_nothing_is_known() -> None:
    config = PortConfig(path="p", driver="tfmini", site="hof-nord", sensor="lane-3")
    lane, car = Lane(config), Frame((Sample("distance", CAR_M),))
    for n in range(150):
        list(lane.take(car, 10_000 + FRAME_MS * n))

    seen = [one.seen_ms for n in range(150) for one in lane.take(car, 20_000 + FRAME_MS * n)]

    assert seen == [20_000]  # told anew, from its first frame on
