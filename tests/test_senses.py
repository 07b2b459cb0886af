"""What lamps know from the sensors at the posts, and when they know nothing any more."""

import math
import queue

import pytest

from edge.config import PortConfig
from edge.dimming import Senses
from edge.drivers import DRIVERS
from edge.observation import Observation
from edge.reader import Counters, Intake
from edge.senses import HEARD_MS, MEASURED_MS, Posts
from hoflicht.shadow import Duty

DUTY = Duty(traffic=("lamp-0001/traffic",), weather="lamp-0012/weather")


@pytest.fixture
def posts() -> Posts:
    return Posts()


def passage(at_ms: int, sensor: str = "traffic") -> Observation:
    return Observation("lamp-0001", sensor, "passage", at_ms, 1.0)


def weather(quantity: str, at_ms: int, value: float) -> Observation:
    return Observation("lamp-0012", "weather", quantity, at_ms, value)


def test_at_first_nothing_is_known(posts: Posts) -> None:
    assert posts.of(DUTY, 0) == Senses()


def test_a_radar_that_sees_nobody_lives_while_its_port_is_heard(posts: Posts) -> None:
    posts.heard("/dev/radar", "lamp-0001", "traffic", 1_000)

    assert posts.of(DUTY, 1_000 + HEARD_MS).passed_ago_s == math.inf
    assert posts.of(DUTY, 1_001 + HEARD_MS).passed_ago_s is None


def test_a_passage_is_known_by_its_own_time(posts: Posts) -> None:
    posts.heard("/dev/radar", "lamp-0001", "traffic", 10_000)
    posts.told("/dev/radar", passage(8_000))
    posts.told("/dev/radar", passage(3_000))  # a node that was cut off hands in what it has kept

    assert posts.of(DUTY, 10_000).passed_ago_s == 2.0


def test_a_sensor_that_names_itself_lives_with_the_port_it_was_heard_at(posts: Posts) -> None:
    posts.heard("/dev/node", "lamp-0001", "", 1_000)
    assert posts.of(DUTY, 1_000).passed_ago_s is None  # nobody knows yet where it is

    posts.told("/dev/node", passage(1_000))
    posts.heard("/dev/node", "lamp-0001", "", 500_000)

    assert posts.of(DUTY, 500_000).passed_ago_s == 499.0


def test_of_two_radars_the_last_passage_counts_and_one_that_is_dead_is_one_too_many(posts: Posts) -> None:
    both = Duty(traffic=("lamp-0001/traffic", "lamp-0001/other"))
    posts.heard("/dev/a", "lamp-0001", "traffic", 0)
    posts.heard("/dev/b", "lamp-0001", "other", 0)
    posts.told("/dev/b", passage(5_000, "other"))
    assert posts.of(both, 10_000).passed_ago_s == 5.0

    posts.heard("/dev/b", "lamp-0001", "other", 200_000)

    assert posts.of(both, 200_000).passed_ago_s is None


def test_light_is_known_while_it_is_measured(posts: Posts) -> None:
    posts.told("/dev/weather", weather("illuminance", 1_000, 12.0))

    assert posts.of(DUTY, 1_000 + MEASURED_MS).lux == 12.0
    assert posts.of(DUTY, 1_001 + MEASURED_MS).lux is None
    assert posts.of(Duty(), 1_000).lux is None


def test_a_road_is_known_to_be_dry_while_rain_is_measured(posts: Posts) -> None:
    posts.told("/dev/weather", weather("rain_intensity", 1_000, 0.0))
    assert posts.of(DUTY, 2_000).rained_ago_s == math.inf

    posts.told("/dev/weather", weather("rain_intensity", 61_000, 3.0))
    posts.told("/dev/weather", weather("rain_intensity", 121_000, 0.0))

    assert posts.of(DUTY, 121_000).rained_ago_s == 60.0
    assert posts.of(DUTY, 121_001 + MEASURED_MS).rained_ago_s is None


def test_what_a_radar_says_at_its_port_reaches_the_lamps(posts: Posts) -> None:
    config = PortConfig(path="/dev/radar", driver="ops243", site="lamp-0001", sensor="traffic")
    radar = Intake(config, DRIVERS["ops243"](config), queue.Queue(), Counters(), posts)

    radar.take(b'{"Units":"m-per-sec"}\r\n', 1_000)
    assert posts.of(DUTY, 2_000).passed_ago_s == math.inf
    radar.take(b'{"DetectedObjectVelocity":"5.5","direction":"inbound"}\r\n', 3_000)

    assert posts.of(DUTY, 5_000).passed_ago_s == 2.0


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_a_stream_of_cars_that_are_one_vehicle_for_a_count_keeps_the_lamps_up(posts: Posts, direction: str) -> None:
    config = PortConfig(path="/dev/radar", driver="ops243", site="lamp-1", sensor="traffic", direction="inbound")
    radar = Intake(config, DRIVERS["ops243"](config), queue.Queue(), Counters(), posts)
    report = b'{"DetectedObjectVelocity":"8.0","direction":"%s"}\r\n' % direction.encode()
    for at_ms in range(0, 300_000, 500):
        radar.take(report, at_ms)

    assert posts.of(Duty(traffic=("lamp-1/traffic",)), 300_000).passed_ago_s == 0.5
