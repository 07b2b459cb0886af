"""Staff's office: the public face with a staff API, and what stands between it and the store."""

import datetime as dt
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from api.errands import Errands
from api.light.lights import Lights
from api.light.shadows import Shadows
from api.staff.audit import Audit
from api.staff.door import Door
from api.staff.holding import Staff
from api.staff.keys import KeyFile, Scope, make
from api.staff.notices import Notices
from hoflicht import batch, senml, wait
from hoflicht.broker import Message
from hoflicht.catalogue import API, City
from hoflicht.clock import HandClock
from hoflicht.wait import State
from ingest.checks import Checks
from store.readings import Store
from tests.face import Face, facing
from tests.lane import ms, steady_queue

NOW_MS = ms(90)
NOW = dt.datetime.fromtimestamp(NOW_MS / 1000, dt.UTC)
YEAR = dt.timedelta(days=365)
HOLD = "/v1/staff/yards/hof-nord/hold"


class Ingest:
    """Broker and ingest in one: what the api sends is checked and stored, and gets its receipt."""

    def __init__(self, city: City, store: Store, clock: HandClock, errands: Errands) -> None:
        self._checks, self._store, self._clock, self._errands = Checks(city), store, clock, errands
        self._sent: queue.Queue[Message] = queue.Queue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(0.005):
            self._errands.send(self._sent.put, self._clock.now_ms())
            while not self._sent.empty():
                message = self._sent.get()
                readings = list(senml.decode(batch.unwrap(message)).readings)
                assert {self._checks.complaint(API, reading, self._clock.now_ms()) for reading in readings} == {None}
                self._store.write(readings)
                self._errands.settle(batch.stored(message))


class Office:
    """The face as staff see it."""

    def __init__(self, face: Face, folder: Path, staff: Staff) -> None:
        self.face, self.folder, self.errands, self.shadows = face, folder, staff.errands, staff.shadows
        self.notices = staff.notices
        self.url, self.client, self.clock, self.store = face.url, face.client, face.clock, face.store

    def key(self, *scopes: Scope, name: str = "control room", expires: dt.datetime = NOW + YEAR) -> str:
        """A new key's token."""
        with KeyFile(self.folder / "keys.json").changing() as keys:
            key, token = make(name, scopes, NOW, expires)
            keys.append(key)
        return token

    def call(self, method: str, path: str, token: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, self.url + path, headers={"Authorization": f"Bearer {token}", **named})

    def trail(self) -> list[tuple[str, str, str]]:
        """Who, what and the outcome, of all calls."""
        return [(entry.name, entry.what, entry.outcome) for entry in Audit(self.folder / "audit.jsonl").entries()]

    def state(self) -> State:
        """What the public sees."""
        self.clock.advance(6_000)  # answers are kept for five seconds
        return wait.decode(self.client.get(self.url + "/v1/yards/hof-nord/wait").content).state


@contextmanager
def opened(city: City, folder: Path, patience_s: float = 10.0, lamps_s: float = 0.05) -> Iterator[Office]:
    """An office in which nobody takes the errands yet; it waits `lamps_s` for gateways that nobody plays."""
    errands = Errands(patience_s)

    lights = Lights(folder / "lights.json")
    staff: list[Staff] = []

    def staffed(clock: HandClock) -> Staff:
        door = Door(KeyFile(folder / "keys.json"), Audit(folder / "audit.jsonl"), clock)
        notices = Notices(folder / "notices.json", city.yards, clock)
        staff.append(Staff(door, errands, lights, Shadows(city, lights.said, clock, lamps_s), notices))
        return staff[0]

    with facing(city, folder, NOW_MS, steady_queue(8, 110), staffed=staffed) as face:
        yield Office(face, folder, staff[0])


@contextmanager
def working(city: City, folder: Path) -> Iterator[Office]:
    """An office whose word reaches the store."""
    with opened(city, folder) as office:
        ingest = Ingest(city, office.store, office.clock, office.errands)
        try:
            yield office
        finally:
            ingest.close()
