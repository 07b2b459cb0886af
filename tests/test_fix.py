"""A receiver at a gateway that stands: a position now and then, none that cannot be believed, and the worth of the clock."""

import pytest

from edge.config import PortConfig
from edge.fix import Fix
from edge.satellites import SatelliteClock
from firmware_bridge.frames import Frame, Sample
from hoflicht.clock import HandClock

PLACE = (51.4345, 6.7623, 9.0)
NOW_MS = 1_700_000_000_000


def driver(satellites: SatelliteClock | None = None) -> Fix:
    return Fix(PortConfig(path="p", driver="nmea", site="hof-nord", sensor="gnss", average_s=60), satellites)


def gga(latitude: float, longitude: float, satellites: float) -> Frame:
    return Frame((Sample("latitude", latitude), Sample("longitude", longitude), Sample("satellites", satellites)))


def take(fix: Fix, frames: list[Frame], every_ms: int = 1_000) -> list[tuple[str, int, float]]:
    return [(seen.quantity, seen.seen_ms, seen.value) for n, frame in enumerate(frames) for seen in fix.take(frame, n * every_ms)]


def test_a_minute_of_fixes_is_its_middle_one_at_the_time_of_its_last_one() -> None:
    frames = [gga(51.4345 + (n % 7 - 3) * 1e-5, 6.7623, 8.0 + n % 3) for n in range(61)]

    assert take(driver(), frames) == [("latitude", 59_000, 51.4345), ("longitude", 59_000, 6.7623), ("satellites", 59_000, 9.0)]


def test_a_false_fix_moves_nothing() -> None:
    frames = [gga(*PLACE) if n % 3 else gga(11.0, 96.0, 9.0) for n in range(61)]

    assert [value for _, _, value in take(driver(), frames)] == list(PLACE)


def test_a_receiver_that_moves_has_no_position() -> None:
    assert take(driver(), [gga(51.0 + 0.0002 * n, 6.7623, 9.0) for n in range(200)]) == []


@pytest.mark.parametrize("satellites", [0.0, 3.0])
def test_three_satellites_are_too_few(satellites: float) -> None:
    assert take(driver(), [gga(51.4345, 6.7623, satellites)] * 200) == []


def test_one_or_two_fixes_are_too_few() -> None:
    fixes = [gga(*PLACE), gga(*PLACE)]

    assert take(driver(), [*fixes, *[Frame()] * 100]) == []
    assert len(take(driver(), [*fixes, gga(*PLACE), *[Frame()] * 100])) == 3


def test_a_position_without_its_quality_is_none() -> None:
    assert take(driver(), [Frame((Sample("latitude", 51.4345), Sample("longitude", 6.7623)))] * 200) == []


def test_what_was_told_is_not_told_again() -> None:
    assert len(take(driver(), [*[gga(*PLACE)] * 61, *[Frame()] * 200])) == 3


@pytest.mark.parametrize("off_ms", [2_500, -1_700_000_000_000, 0])
def test_the_machine_s_clock_is_compared_with_the_satellites_once_a_minute(off_ms: int) -> None:
    machine = HandClock(now_ms=NOW_MS + off_ms)
    fix = driver(SatelliteClock(machine))
    seen = []
    for n in range(125):
        seen += list(fix.take(Frame(utc_ms=NOW_MS + n * 1_000), machine.monotonic_ms()))
        machine.advance(1_000)

    assert [(one.quantity, one.value) for one in seen] == [("clock_offset", off_ms / 1_000)] * 2


def test_before_the_satellites_are_believed_nothing_is_compared() -> None:
    fix = driver(SatelliteClock(HandClock()))

    assert take(fix, [*[Frame(utc_ms=NOW_MS + n * 1_000) for n in range(9)], *[Frame()] * 100]) == []
