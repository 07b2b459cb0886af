"""Lines that lie: wrong bits, loose plugs, hours of noise; no driver makes a false reading of them."""

import queue
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.sent import SENSOR, SENT, SITE
from bench.serial import ERRORS, BadContact, heard, in_noise, on_a_line
from edge import reader
from edge.config import PortConfig
from edge.drivers import DRIVERS
from edge.observation import Observation
from edge.reader import Counters, Intake
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Frame
from firmware_bridge.port import Port
from hoflicht.clock import HandClock
from hoflicht.stop import Stopping
from simulators.wire import Wire
from tests.meanwhile import meanwhile
from tests.roles import eventually

MOST_FALSE = 1e-4  # of the frames sent
METERS = ("sdm120", "sdm630")
LONG = (*METERS, "sml")  # frames, of which none gets through
WEAK = ("sds011", "sps30", "tfmini", "ops243")  # sums of eight bits, or none
HEALTHY = 4  # frames after a line was put in again
FEW, MANY = 10_000, 100_000  # frames


def test_every_device_has_a_world_to_speak_of() -> None:
    assert list(SENT) == list(DEVICES)


@pytest.mark.parametrize("driver", SENT)
def test_a_clean_line_is_read_whole_and_nothing_of_it_is_false(driver: str) -> None:
    line = on_a_line(driver, 1e-12, 2_000)

    assert (line.damaged, line.through, line.false, line.unread) == (0, 0, 0, 0)
    assert line.readings > 0 or driver == "tfmini"  # 20 seconds of it


@pytest.mark.parametrize("driver", SENT)
def test_one_wrong_bit_in_a_hundred_makes_no_false_reading(driver: str) -> None:
    frames = FEW // 5 if driver in LONG else FEW

    line = on_a_line(driver, ERRORS[0], frames)

    assert line.damaged > frames / 2
    assert line.false <= MOST_FALSE * frames
    assert line.unread <= 1


@pytest.mark.chaos
@pytest.mark.parametrize("driver", SENT)
def test_two_hours_of_noise_say_nothing_and_cost_no_memory(driver: str) -> None:
    noise = in_noise(driver)

    assert noise.readings == 0
    assert noise.grown_kb < 1_000  # of up to 83 MB that came
    assert noise.lost <= 1


@pytest.mark.chaos
@pytest.mark.parametrize("driver", WEAK)
def test_fewer_than_one_frame_in_ten_thousand_makes_a_false_reading(driver: str) -> None:
    line = on_a_line(driver, ERRORS[0], MANY)

    assert line.false < MOST_FALSE * MANY
    assert line.unread <= 1


class Contact:
    """A device at the end of a bad contact; the port at the other end is read as the gateway reads it."""

    def __init__(self, folder: Path, driver: str) -> None:
        self.driver = driver
        self.counters = Counters()
        self.told: queue.Queue[Observation] = queue.Queue()
        self.wire = Wire(folder / driver)
        self._path = str(folder / driver)
        self._rng = random.Random(driver)
        self._bits = BadContact(self._rng, ERRORS[0])
        self._sent = SENT[driver](self._rng)
        self._clock = HandClock()
        self._true: dict[str, set[float]] = {"presence": {0.0, 1.0}}
        self._decoder = DEVICES[driver].decoder()

    @contextmanager
    def read(self) -> Iterator[None]:
        """Read the port meanwhile."""
        config = PortConfig(path=self._path, driver=self.driver, site=SITE, sensor=SENSOR, average_s=30)
        intake = Intake(config, DRIVERS[self.driver](config), self.told, self.counters)
        stopping = Stopping()

        def work() -> None:
            with Port(config.path, config.line()) as port:
                reader.run(port, config, intake, self.counters, clock=self._clock, stopping=stopping)

        with meanwhile(work, stopping):
            yield

    def speak(self, *, spoilt: bool, cut_off: bool = False) -> None:
        """Send the next frame in two pieces, a meter's once it was asked; of one that is cut off the first piece only."""
        sent = next(self._sent)
        self._clock.advance(10_000)
        if self.driver in METERS:
            assert eventually(self.wire.read)
        for item in self._decoder.feed(heard(self.driver, sent) + sent.data):
            for sample in item.samples if isinstance(item, Frame) else ():
                self._true.setdefault(sample.quantity, set()).add(sample.value)
        data = self._bits.spoil(sent.data) if spoilt else sent.data
        cut = self._rng.randrange(1, len(data))
        for piece in (data[:cut], b"" if cut_off else data[cut:]):
            self._write(bytearray(piece))

    def _write(self, left: bytearray) -> None:
        def is_gone() -> bool:
            del left[: self.wire.write(bytes(left))]
            return not left

        assert eventually(is_gone)

    def await_frames(self, frames: int) -> None:
        """Wait until so many were read."""
        assert eventually(lambda: self.counters.frames == frames)

    def false(self) -> list[Observation]:
        """Readings that the device never meant."""
        told = [self.told.get_nowait() for _ in range(self.told.qsize())]
        return [one for one in told if not min(self._true[one.quantity]) <= one.value <= max(self._true[one.quantity])]


@pytest.mark.parametrize("driver", SENT)
def test_a_bad_contact_that_is_pulled_out_and_put_in_again_says_nothing_false(tmp_path: Path, driver: str) -> None:
    contact = Contact(tmp_path, driver)
    with contact.wire, contact.read():
        assert eventually(lambda: contact.counters.is_open)
        # A meter leaves its first request without an answer: then each comes with a turn of the clock, and none amid an answer.
        assert driver not in METERS or eventually(contact.wire.read)
        for _ in range(4 if driver in METERS else 200):  # a meter waits until it is asked
            contact.speak(spoilt=True)
        contact.speak(spoilt=False, cut_off=True)
        contact.wire.unplug()
        assert eventually(lambda: not contact.counters.is_open)
        contact.wire.plug_in()
        assert eventually(lambda: contact.counters.is_open)
        before = contact.counters.frames

        for frames in range(before + 1, before + 1 + HEALTHY):
            contact.speak(spoilt=False)
            contact.await_frames(frames)

        assert contact.false() == []
        assert contact.counters.errors == 1
