"""DRIVERS: what a device's frames become. Adding a device is an entry in firmware_bridge.devices and one here."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from edge.averages import Averages
from edge.config import PortConfig
from edge.fix import Fix
from edge.lane import Lane
from edge.observation import Observation, observe
from edge.radar import Radar
from firmware_bridge.frames import Frame


class Driver(Protocol):
    """Frames of one port in, observations out; keeps what it needs to average or to debounce."""

    def take(self, frame: Frame, arrived_ms: int) -> Iterator[Observation]:
        """Take a frame whose samples are sound; it arrived at `arrived_ms` of Clock.monotonic_ms."""
        ...


class AtOnce:
    """Every sample is an observation: nodes have thought about what they send."""

    def __init__(self, port: PortConfig) -> None:
        self._port = port

    def take(self, frame: Frame, arrived_ms: int) -> Iterator[Observation]:
        """Hand out all that `frame` says."""
        return (observe(sample, self._port.site, self._port.sensor, arrived_ms) for sample in frame.samples)


DRIVERS: Mapping[str, Callable[[PortConfig], Driver]] = {
    "sds011": Averages,
    "sps30": Averages,
    "tfmini": Lane,
    "ops243": Radar,
    "sdm120": Averages,
    "sdm630": Averages,
    "sml": Averages,
    "lufft-umb": Averages,
    "nmea": Fix,
    "node": AtOnce,
}
