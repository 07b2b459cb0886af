"""The radar: one vehicle is one passage."""

import pytest

from edge.config import PortConfig
from edge.radar import Radar
from firmware_bridge.frames import Frame, Sample


def radar(**options: object) -> Radar:
    return Radar(PortConfig(path="p", driver="ops243", site="hof-nord", sensor="lane-in", **options))  # type: ignore[arg-type]


def car(direction: str, speed: float = 4.0) -> Frame:
    return Frame((Sample("passage", 1.0, direction=direction), Sample("speed", speed, direction=direction)))


def passages(driver: Radar, reports: list[tuple[int, str]]) -> list[int]:
    return [seen.seen_ms for at_ms, way in reports for seen in driver.take(car(way), at_ms) if seen.quantity == "passage"]


def test_a_vehicle_is_a_passage_and_its_speed_at_once() -> None:
    seen = list(radar().take(car("inbound", 3.5), 7_000))

    assert [(one.site, one.sensor, one.quantity, one.seen_ms, one.value) for one in seen] == [
        ("hof-nord", "lane-in", "passage", 7_000, 1.0),
        ("hof-nord", "lane-in", "speed", 7_000, 3.5),
    ]


@pytest.mark.parametrize(
    ("direction", "counted"), [("inbound", [0, 8_000]), ("outbound", [4_000, 8_000]), ("both", [0, 4_000, 8_000])]
)
def test_only_the_wanted_direction_counts_and_what_has_none(direction: str, counted: list[int]) -> None:
    assert passages(radar(direction=direction), [(0, "inbound"), (4_000, "outbound"), (8_000, "")]) == counted


def test_reports_of_one_vehicle_in_view_are_one_passage() -> None:
    reports = [(0, "inbound"), (400, "inbound"), (1_300, "inbound"), (2_300, "inbound")]

    assert passages(radar(), reports) == [0, 2_300]


def test_vehicles_in_opposite_directions_are_two() -> None:
    assert passages(radar(direction="both"), [(0, "inbound"), (100, "outbound")]) == [0, 100]


def test_on_a_doubtful_line_the_vehicle_counts_and_its_speed_does_not() -> None:
    report = car("inbound")

    seen = list(radar().take(Frame(report.samples, is_doubtful=True), 7_000))

    assert [(one.quantity, one.seen_ms) for one in seen] == [("passage", 7_000)]


def test_a_raw_speed_is_no_vehicle() -> None:
    assert list(radar().take(Frame((Sample("speed", 2.0, direction="inbound"),)), 0)) == []
