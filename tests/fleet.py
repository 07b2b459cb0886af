"""Gateways of lamps at a real broker: they take what their lamps shall do, follow it at once, and report."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from api import publisher
from api.errands import Errands
from api.light.shadows import Shadows
from hoflicht import shadow, topics
from hoflicht.broker import BrokerConfig, Connected, Message, Received, Session
from hoflicht.catalogue import API, City, Gateway, Group, Lamp
from hoflicht.clock import Clock
from hoflicht.shadow import Desired, Outcome, Reported
from tests.meanwhile import meanwhile

PATIENCE_S = 15.0


class Fleet:
    """Each of `names` speaks as a gateway; `failing` lamps do not follow, what is in `deaf` hears nothing."""

    def __init__(self, broker: BrokerConfig, names: Sequence[str], failing: Sequence[str] = (), deaf: Sequence[str] = ()) -> None:
        self.desired: dict[str, list[Desired]] = {name: [] for name in names}
        self.failing, self.deaf = frozenset(failing), set(deaf)
        self._sessions = {name: Session(broker, name, [topics.desired(name, topics.LIGHT)]) for name in names}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._connected: set[str] = set()

    def __enter__(self) -> "Fleet":
        self._thread.start()
        self.until(lambda: len(self._connected) == len(self._sessions))
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def until(self, ask: Callable[[], bool]) -> None:
        """Return once `ask` is true; fail where it never becomes so."""
        deadline = time.monotonic() + PATIENCE_S
        while not ask():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def report(self, name: str, said: bytes) -> None:
        """Let a gateway say something of its own."""
        self._sessions[name].publish(Message(topic=topics.reported(name, topics.LIGHT), payload=said, retain=True))

    def _work(self) -> None:
        with contextlib.ExitStack() as stack:
            for session in self._sessions.values():
                stack.enter_context(session)
            while not self._ending.wait(0.002):
                for name, session in self._sessions.items():
                    self._hear(name, session)

    def _hear(self, name: str, session: Session) -> None:
        event = session.event(0)
        if isinstance(event, Connected):
            self._connected.add(name)
        if isinstance(event, Received):
            session.acknowledge(event)
            if name in self.deaf:
                return
            desired = shadow.desired(event.message.payload)
            self.desired[name].append(desired)
            self.report(name, shadow.encode(self._followed(desired)))

    def _followed(self, desired: Desired) -> Reported:
        outcomes: dict[str, dict[Outcome, tuple[str, ...]]] = {}
        for command in desired.commands:
            fails = tuple(lamp for lamp in command.lamps if lamp in self.failing)
            follows = tuple(lamp for lamp in command.lamps if lamp not in self.failing)
            outcomes[command.id] = {Outcome.APPLIED: follows, Outcome.FAILED: fails}
        return Reported(version=desired.version, outcomes=outcomes)


def large_city(gateways: int, lamps: int) -> City:
    """So many gateways with so many lamps each, all of one group."""
    posts = {
        f"lamp-{gateway:02}-{n:03}": Lamp(street=f"Straße {gateway}", lat=51.4, lon=6.7, group="stadt")
        for gateway in range(gateways)
        for n in range(lamps)
    }
    return City(
        name="Großstadt",
        lamps=posts,
        groups={"stadt": Group(name="Ganze Stadt")},
        gateways={f"gw-{gateway:02}": Gateway(sites=(f"lamp-{gateway:02}-*",)) for gateway in range(gateways)},
    )


@contextlib.contextmanager
def talking(shadows: Shadows, broker: BrokerConfig, clock: Clock) -> Iterator[None]:
    """The publisher at work for `shadows`."""
    stopping = threading.Event()
    with Session(broker, API, [topics.answers(API), topics.ALL_LIGHT]) as session:
        at_work = publisher.Publisher(session, Errands(), clock, shadows)

        def work() -> None:
            while not stopping.is_set():
                at_work.rest(stopping)

        with meanwhile(work, stopping):
            yield
