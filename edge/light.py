"""The lamps of this gateway, all lines of them: what they need, and the threads that they have.

They start before the spool is sound and stop for nothing but the end of the program, which leaves them as they are.
"""

import queue
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from edge import lamps, shadow
from edge.bus import Bus
from edge.config import EdgeConfig, LightConfig
from edge.lamps import Line
from edge.observation import Observation
from edge.reader import Counters
from edge.senses import Posts
from edge.shadow import Shadow
from edge.spool import this_boot
from firmware_bridge import luba
from firmware_bridge.port import Port
from hoflicht import topics
from hoflicht.broker import Message
from hoflicht.clock import Clock
from hoflicht.shadow import Reported, encode
from hoflicht.sky import Place
from hoflicht.stop import Stopping

Work = Callable[[Stopping], None]
HUNG_MS = 30_000  # a line does its next thing within two seconds, whatever its port and its bus do


class Light:
    """Building it touches no hardware, no disk and no network."""

    def __init__(
        self,
        config: EdgeConfig,
        light: LightConfig,
        out: "queue.Queue[Observation]",
        counters: Mapping[str, Counters],
        clock: Clock,
    ) -> None:
        self.desired = topics.desired(config.gateway, topics.LIGHT)
        self.posts = Posts()
        self._config = config
        self._place = Place(light.lat, light.lon, light.zone)
        self._out = out
        self._counters = counters
        self._clock = clock
        self._shadow = Shadow(Path(f"{config.spool.path}-light"), this_boot(), frozenset(config.lamps), clock)
        self._ports = {name: Port(line.path, luba.LINE) for name, line in config.lines.items()}
        self._went_on_ms = dict.fromkeys(config.lines, clock.monotonic_ms())

    def works(self, publish: Callable[[Message], object]) -> Iterator[tuple[str, Work]]:
        """The threads' names and what they do; go on with what was kept from before."""
        self._shadow.recall()
        yield "shadow", lambda stopping: shadow.run(self._shadow, lambda report: self._say(report, publish), stopping)
        for name in self._config.lines:
            yield f"line-{name}", partial(self._lead, name)

    def note(self, line: str) -> None:
        """A line has done something."""
        self._went_on_ms[line] = self._clock.monotonic_ms()

    def is_going_on(self) -> bool:
        """Whether no line hangs."""
        return self._clock.monotonic_ms() - min(self._went_on_ms.values(), default=self._clock.monotonic_ms()) < HUNG_MS

    def take(self, message: Message) -> None:
        """Take what the broker has brought."""
        self._shadow.take(message)

    def born(self) -> None:
        """There is a new connection to the broker."""
        self._shadow.births += 1

    def _say(self, report: Reported, publish: Callable[[Message], object]) -> None:
        topic = topics.reported(self._config.gateway, topics.LIGHT)
        publish(Message(topic=topic, payload=encode(report), retain=True))

    def _lead(self, name: str, stopping: Stopping) -> None:
        own = {lamp: config for lamp, config in self._config.lamps.items() if config.line == name}
        counters = self._counters[name]
        with self._ports[name] as port:
            bus = Bus(port, self._clock, counters)
            line = Line(own, bus, self._place, self._shadow, self.posts, self._out, counters, self._clock)
            lamps.run(line, partial(self.note, name), stopping)
