"""The public face on a real port over a real store, with a clock that tests turn."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from api import routes
from api.app import create_app
from api.citizen import pages
from api.health import Pulse
from api.limits import Limits
from api.outlook import Outlooks
from api.server import listen, serving
from api.staff.holding import Staff
from api.streams import Streams
from api.yards import Yards
from hoflicht import Reading
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from hoflicht.errors import Unavailable
from store.answers import Rejected
from store.readings import Store, open_store


class Face:
    """A running server, what it stands on, and a client that asks it."""

    def __init__(
        self, city: City, store: Store, clock: HandClock, streams: Streams, limits: Limits, staffed: Staff | None = None
    ) -> None:
        self.city, self.store, self.clock, self.streams = city, store, clock, streams
        self.yards = Yards(store, city, clock)
        self.outlooks = Outlooks(city, store, self.yards, clock)
        self.staffed = staffed
        self.pulse = Pulse(store, clock)
        self.limits = limits
        self.app = create_app(city, store, self.yards, self.outlooks, streams, self.pulse, clock, limits, staffed)
        self.url = ""
        self.client = httpx.Client(
            verify=False, timeout=30
        )  # plain HTTP: to read the authorities of the web would take as long as the rest

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(self.url + path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def tell(self) -> None:
        """What the publisher does every ten seconds."""
        waits = self.yards.waits()
        self.pulse.beat()
        routes.tell(self.streams, waits)
        notices = {} if self.staffed is None else self.staffed.notices.current()
        pages.tell(self.streams, self.city, waits, self.clock.now_ms(), notices, self.outlooks.seen)


@contextmanager
def facing(
    city: City,
    folder: Path,
    now_ms: int,
    readings: Iterable[Reading] = (),
    store: Store | None = None,
    streams: Streams | None = None,
    limits: Limits | None = None,
    staffed: Callable[[HandClock], Staff] | None = None,
) -> Iterator[Face]:
    """Serve `city` at `now_ms` from a store that holds `readings`, until the block ends."""
    store = store or open_store(f"sqlite:///{folder / 'readings.db'}")
    store.write(list(readings))
    clock = HandClock(now_ms)
    limits = limits or Limits()
    streams = streams or Streams(max_of_one=limits.streams)
    face = Face(city, store, clock, streams, limits, staffed(clock) if staffed else None)
    with face.client, listen("127.0.0.1:0") as listener, serving(face.app, listener, face.streams, face.limits):
        face.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield face
    store.close()


class AwayStore:
    """A database that does not answer, as the protocol of stores has it."""

    def write(self, readings: object) -> list[Rejected]:
        return []

    def write_lines(self, written: object) -> list[Rejected]:
        return []

    def read(self, site: str, quantities: object, start_ms: int, end_ms: int) -> list[Reading]:
        raise Unavailable("InfluxDB at http://10.0.0.7:8086: connection refused")

    def latest(self, quantities: object, since_ms: int) -> list[Reading]:
        raise Unavailable("InfluxDB at http://10.0.0.7:8086: connection refused")

    def means(self, site: str, sensor: str, quantity: str, start_ms: int, end_ms: int, step_ms: int) -> list[tuple[int, float]]:
        raise Unavailable("InfluxDB at http://10.0.0.7:8086: connection refused")

    sums = means

    def count(self) -> int:
        return 0

    def prepare(self) -> None:
        return None

    def ping(self) -> None:
        raise Unavailable("InfluxDB at http://10.0.0.7:8086: connection refused")

    def close(self) -> None:
        return None
