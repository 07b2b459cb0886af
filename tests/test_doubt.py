"""After noise a frame counts once another says about the same; on a clean line it counts at once."""

import pytest
from msgspec.structs import replace

from edge.doubt import TOLERANCES, Doubt
from firmware_bridge.frames import Frame, Sample
from hoflicht.quantities import QUANTITIES


def pm(value: float, is_doubtful: bool = True) -> Frame:
    return Frame((Sample("pm2_5", value), Sample("pm10", 2 * value)), is_doubtful=is_doubtful)


def believed(*frames: Frame) -> list[tuple[int, float]]:
    """When each believed frame came, and its first value."""
    doubt = Doubt()
    return [(at, seen.samples[0].value) for n, frame in enumerate(frames) for seen, at in doubt.take(frame, n)]


def test_on_a_clean_line_even_a_jump_counts_at_once() -> None:
    assert believed(pm(9, False), pm(90, False), pm(9, False)) == [(0, 9), (1, 90), (2, 9)]


def test_after_noise_a_frame_that_says_what_was_said_before_counts_at_once() -> None:
    assert believed(pm(9, False), pm(9.5)) == [(0, 9), (1, 9.5)]


def test_what_stands_alone_between_its_neighbours_is_false() -> None:
    assert believed(pm(9, False), pm(90), pm(9.5)) == [(0, 9), (2, 9.5)]


def test_a_change_counts_from_its_beginning_once_a_second_frame_shows_it() -> None:
    assert believed(pm(9, False), pm(90), pm(91)) == [(0, 9), (1, 90), (2, 91)]


def test_the_first_frame_after_a_start_in_noise_waits_for_the_second() -> None:
    assert believed(pm(9)) == []
    assert believed(pm(9), pm(9.2)) == [(0, 9), (1, 9.2)]


def test_one_value_that_does_not_agree_holds_the_whole_frame_back() -> None:
    half_wrong = Frame((Sample("pm2_5", 9.0), Sample("pm10", 200.0)), is_doubtful=True)

    assert believed(pm(9, False), half_wrong) == [(0, 9)]


def test_frames_without_samples_pass_and_part_nobody() -> None:
    doubt = Doubt()
    frames = [pm(9), Frame(is_doubtful=True), pm(9.2)]

    assert [list(doubt.take(frame, n)) for n, frame in enumerate(frames)] == [
        [],
        [(frames[1], 1)],
        [(frames[0], 0), (frames[2], 2)],
    ]


def test_a_load_that_is_switched_does_not_make_its_meter_doubtful() -> None:
    quiet = Frame((Sample("voltage", 231.0), Sample("active_power", 40.0)))
    kettle = Frame((Sample("voltage", 228.0), Sample("active_power", 2_040.0)), is_doubtful=True)

    assert believed(quiet, kettle) == [(0, 231.0), (1, 228.0)]


def test_what_another_master_asked_for_is_compared_in_what_both_know() -> None:
    mine = Frame((Sample("voltage", 231.0), Sample("frequency", 50.0)))
    theirs = Frame((Sample("voltage", 230.0),), is_doubtful=True)

    assert believed(mine, theirs, replace(mine, is_doubtful=True)) == [(0, 231.0), (1, 230.0), (2, 231.0)]


@pytest.mark.parametrize(
    ("quantity", "before", "true", "false"),
    [
        ("pm10", 10, 12.2, 12.3),
        ("nc1", 100, 112, 113),
        ("particle_size", 0.8, 0.99, 1.01),
        ("voltage", 230, 207, 206),
        ("frequency", 50, 51, 51.1),
        ("energy_import", 1_000, 1_002, 1_002.1),
        ("temperature", 20, 18, 17.9),
        ("humidity", 60, 65, 65.1),
        ("pressure", 1_013, 1_014, 1_014.1),
    ],
)
def test_how_much_a_quantity_may_change(quantity: str, before: float, true: float, false: float) -> None:
    first = Frame((Sample(quantity, before),))

    assert len(believed(first, Frame((Sample(quantity, true),), is_doubtful=True))) == 2
    assert len(believed(first, Frame((Sample(quantity, false),), is_doubtful=True))) == 1


def test_tolerances_are_of_units_that_exist() -> None:
    assert TOLERANCES.keys() <= {quantity.unit for quantity in QUANTITIES.values()}
