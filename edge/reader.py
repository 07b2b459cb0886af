"""One serial port: bytes to frames to observations, and requests to devices that want to be asked."""

import queue
from collections import deque
from collections.abc import Callable

import msgspec

from edge.allowance import Allowance
from edge.config import PortConfig
from edge.doubt import DOUBTFUL_FRAMES
from edge.drivers import Driver
from edge.observation import Observation, is_sound, observe
from edge.senses import Posts
from firmware_bridge.devices import ANSWER_S, DEVICES
from firmware_bridge.frames import Frame, Noise
from firmware_bridge.port import Port
from hoflicht.clock import Clock
from hoflicht.stop import Stopping

READ_S = 0.5  # a stop is noticed after that
# Between two bytes of one frame, of which the longest lasts half a second. A frame that lost its end would else be told when the
# next one begins, on a quiet line hours later.
LONGEST_PAUSE_MS = 3_000
ANSWER_MS = int(ANSWER_S * 1000)


class Counters(msgspec.Struct):
    """What a port has seen since the start. Its reader writes, health reads."""

    frames: int = 0
    frames_lost: int = 0
    noise_bytes: int = 0
    errors: int = 0
    is_open: bool = False
    unsound: int = 0  # samples that cannot be readings
    surplus: int = 0  # observations beyond what an honest device says (edge.allowance)
    overflown: int = 0  # observations for which the queue to the spool had no room


class Polls:
    """What to ask a device and when: all its requests each period, one after the other."""

    def __init__(self, requests: tuple[bytes, ...], every_s: float) -> None:
        self._requests = requests
        self._every_ms = int(every_s * 1000)
        self._due_ms: int | None = None
        self._asked_ms: int | None = None
        self._left: deque[bytes] = deque()

    def next(self, now_ms: int) -> bytes | None:
        """The request that is due now; never one before the time that the device has for the answer to the last one."""
        if not self._requests or not self._every_ms:
            return None
        if self._due_ms is None or now_ms >= self._due_ms:
            # From now on, not from when it was due: after a pause one round is enough.
            self._left, self._due_ms = deque(self._requests), now_ms + self._every_ms
        if not self._left or (self._asked_ms is not None and now_ms - self._asked_ms < ANSWER_MS):
            return None
        self._asked_ms = now_ms
        return self._left.popleft()


class Intake:
    """Bytes of one port in, observations into the queue, counted on the way; where there are lamps, `posts` is told too."""

    def __init__(
        self,
        config: PortConfig,
        driver: Driver,
        out: "queue.Queue[Observation]",
        counters: Counters,
        posts: Posts | None = None,
    ) -> None:
        self._device = DEVICES[config.driver]
        self._decoder = self._device.decoder()
        self._config = config
        self._driver = driver
        self._out = out
        self._counters = counters
        self._posts = posts
        self._allowance = Allowance()
        self._doubtful = 0  # frames to come
        self._last_ms = 0  # when bytes came

    def begin_anew(self) -> None:
        """Forget half a frame: what comes now is of another connection."""
        self._decoder = self._device.decoder()

    def take(self, data: bytes, arrived_ms: int) -> None:
        """Take bytes that came, or a request that is about to be sent."""
        if self._decoder.pending and arrived_ms - self._last_ms > LONGEST_PAUSE_MS:
            self._take_noise(self._decoder.give_up())
        self._last_ms = arrived_ms if data else self._last_ms
        for item in self._decoder.feed(data):
            if isinstance(item, Noise):
                self._take_noise(item)
            else:
                self._take_frame(item, arrived_ms)
                self._doubtful = max(0, self._doubtful - 1)

    def _take_noise(self, noise: Noise) -> None:
        self._counters.noise_bytes += len(noise.data)
        self._doubtful = DOUBTFUL_FRAMES if noise.data else self._doubtful

    def _take_frame(self, frame: Frame, arrived_ms: int) -> None:
        sound = tuple(sample for sample in frame.samples if is_sound(sample, self._config.site, self._config.sensor))
        self._counters.frames += 1
        self._counters.frames_lost += frame.lost
        self._counters.unsound += len(frame.samples) - len(sound)
        if self._posts is not None:
            self._posts.heard(self._config.path, self._config.site, self._config.sensor, arrived_ms)
            for passage in (sample for sample in sound if sample.quantity == "passage"):
                self._posts.told(self._config.path, observe(passage, self._config.site, self._config.sensor, arrived_ms))
        taken = Frame(sound, frame.lost, self._doubtful > 0, frame.utc_ms)
        for observation in self._driver.take(taken, arrived_ms):
            if not self._allowance.admits(observation, arrived_ms):
                self._counters.surplus += 1
                continue
            if self._posts is not None:
                self._posts.told(self._config.path, observation)
            try:
                self._out.put_nowait(observation)
            except queue.Full:  # the disk takes nothing; what waits already is older, and the loss is counted
                self._counters.overflown += 1


def run(
    port: Port,
    config: PortConfig,
    intake: Intake,
    counters: Counters,
    *,
    clock: Clock,
    stopping: Stopping,
    is_lent: Callable[[], bool] = lambda: False,
) -> None:
    """Read `port` until `stopping`; each time it was opened the device is started and decoding begins anew. Lent, it is closed."""
    device = DEVICES[config.driver]
    polls = Polls(device.polls(device.address if config.address is None else config.address), device.poll_every_s)
    opened = 0
    while not stopping.is_set():
        if is_lent():
            port.close()
            counters.is_open = False
            stopping.wait(READ_S)
            continue
        data = port.read(READ_S)
        counters.is_open, counters.errors = port.is_open, port.errors
        if port.opened != opened:
            opened = port.opened
            intake.begin_anew()
            for request in device.start:
                port.write(request)
        intake.take(data, clock.monotonic_ms())
        request_due = polls.next(clock.monotonic_ms()) if port.is_open else None
        if request_due is not None:
            if device.hears_requests:
                intake.take(request_due, clock.monotonic_ms())
            port.write(request_due)
        if data and device.rest_s:
            stopping.wait(device.rest_s)
