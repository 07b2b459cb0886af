"""Frames to observations: what is averaged, what is told at once, and that nothing is invented."""

from collections.abc import Iterable

import pytest

from edge.config import PortConfig
from edge.drivers import DRIVERS, Driver
from edge.observation import MAX_AGE_MS, Observation, is_sound
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Frame, Sample


def port(driver: str, **options: object) -> PortConfig:
    return PortConfig(path="p", driver=driver, site="hof-nord", sensor="s", **options)  # type: ignore[arg-type]


def take(driver: Driver, frames: Iterable[tuple[int, Frame]]) -> list[tuple[str, int, float]]:
    return [(seen.quantity, seen.seen_ms, seen.value) for at_ms, frame in frames for seen in driver.take(frame, at_ms)]


def pm(pm2_5: float, pm10: float) -> Frame:
    return Frame((Sample("pm2_5", pm2_5), Sample("pm10", pm10)))


def test_every_device_has_a_driver() -> None:
    assert set(DRIVERS) == set(DEVICES)


def test_particulates_are_averaged_over_a_minute() -> None:
    driver = DRIVERS["sds011"](port("sds011"))

    seen = take(driver, [(1_000 + 1_000 * n, pm(float(n), 10.0)) for n in range(61)])

    assert seen == [("pm2_5", 60_000, 29.5), ("pm10", 60_000, 10.0)]


def test_a_meter_reading_is_the_last_one_and_no_mean() -> None:
    driver = DRIVERS["sdm120"](port("sdm120", average_s=20))
    frames = [(n * 10_000, Frame((Sample("energy_import", 100.0 + n), Sample("voltage", 230.0 + n)))) for n in range(3)]

    assert take(driver, frames) == [("energy_import", 10_000, 101.0), ("voltage", 10_000, 230.5)]


def wind(degrees: float) -> Frame:
    return Frame((Sample("wind_direction", degrees),))


@pytest.mark.parametrize(
    ("said", "mean"),
    [
        ((350.0, 10.0), [0.0]),
        ((340.0, 10.0), [355.0]),
        ((90.0, 180.0), [135.0]),
        ((230.123,), [230.12]),
        ((360.0, 360.0), [0.0]),
        ((359.9999999, 359.9999999), [0.0]),
        ((0.0, 180.0), []),  # from everywhere
    ],
)
def test_a_wind_from_around_the_north_is_no_southerly(said: tuple[float, ...], mean: list[float]) -> None:
    driver = DRIVERS["lufft-umb"](port("lufft-umb", average_s=20))
    frames = [(n * 10_000, wind(degrees)) for n, degrees in enumerate(said)]

    assert [value for _, _, value in take(driver, [*frames, (60_000, wind(0.0))])] == mean


def test_a_utility_meter_is_averaged_and_its_readings_are_the_last_ones() -> None:
    driver = DRIVERS["sml"](port("sml", average_s=3))
    frames = [(n * 1_000, Frame((Sample("energy_import", 100.0 + n), Sample("active_power", -10.0 * n)))) for n in range(4)]

    assert take(driver, frames) == [("energy_import", 2_000, 102.0), ("active_power", 2_000, -10.0)]


def test_frames_without_samples_are_no_measurement() -> None:
    driver = DRIVERS["sds011"](port("sds011", average_s=5))

    assert take(driver, [(n * 1_000, Frame()) for n in range(100)]) == []


def test_after_a_silence_the_mean_is_told_with_the_time_of_its_last_value() -> None:
    driver = DRIVERS["sds011"](port("sds011"))

    seen = take(driver, [(0, pm(1.0, 2.0)), (1_000, pm(3.0, 4.0)), (9_000_000, pm(50.0, 60.0))])

    assert seen == [("pm2_5", 1_000, 2.0), ("pm10", 1_000, 3.0)]


def test_a_node_is_told_at_once_by_its_own_names_and_ages() -> None:
    driver = DRIVERS["node"](PortConfig(path="p", driver="node", site="hof-nord"))
    samples = (
        Sample("passage", 1.0, sensor="gate-in", age_ms=2_500),
        Sample("lamp_failure", 0.0, sensor="driver", site="lamp-0001"),
    )

    assert list(driver.take(Frame(samples), 10_000)) == [
        Observation("hof-nord", "gate-in", "passage", 7_500, 1.0),
        Observation("lamp-0001", "driver", "lamp_failure", 10_000, 0.0),
    ]


@pytest.mark.parametrize(
    ("sample", "sound"),
    [
        (Sample("pm10", 12.0), True),
        (Sample("pm10", float("nan")), False),
        (Sample("pm10", -1.0), False),
        (Sample("pm11", 12.0), False),
        (Sample("pm10", 12.0, sensor="Not An Id"), False),
        (Sample("pm10", 12.0, age_ms=MAX_AGE_MS + 1), False),
        (Sample("pm10", 12.0, age_ms=-1), False),
    ],
)
def test_only_what_can_be_a_reading_is_taken(sample: Sample, sound: bool) -> None:
    assert is_sound(sample, "hof-nord", "air") is sound


def test_a_sample_without_a_name_is_none() -> None:
    assert not is_sound(Sample("pm10", 12.0), "hof-nord", "")
    assert is_sound(Sample("pm10", 12.0, sensor="air"), "hof-nord", "")
