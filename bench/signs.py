"""What the waiting times take that the api sends to a yard's sign: MQTT's bytes, what confirms them among them.

A simulated yard lives its Saturday, the api estimates it every ten seconds, and what it publishes goes over a real broker to a
gateway that has a sign. Beside it the same estimates, each of them sent.
"""

import datetime as dt
import statistics
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import msgspec

from api.errands import Errands
from api.publisher import INTERVAL_S, Publisher
from api.yards import Yards
from bench import show
from bench.gateways import SEED, YARD, Tap
from hoflicht import Reading, topics
from hoflicht.broker import BrokerConfig, Connected, Message, Received, Session
from hoflicht.catalogue import load_city
from hoflicht.clock import HandClock
from simulators.life import life
from simulators.yard import Event
from store.readings import open_store
from tests.conftest import Mosquitto
from tests.roles import CITY

SITE = "hof-nord"
CASES = {"closed": (2, 4, 21), "on a busy Saturday": (9, 11, 14)}  # local hours
SATURDAY = dt.date(2026, 11, 28)
MINUTES = 20  # of each hour
DAY_S = 86_400
PATIENCE_S = 15.0


class Sign:
    """A gateway's session with what it hears; the api's end is `publish`, where what was sent is counted."""

    def __init__(self, api: Session, gateway: Session) -> None:
        self.sent = 0
        self._api = api
        self._gateway = gateway

    def publish(self, message: Message) -> int:
        """Send, and return once the gateway has it."""
        token = self._api.publish(message)
        if message.topic == topics.wait(SITE):
            self.sent += 1
            while not isinstance(event := self._gateway.event(PATIENCE_S), Received):
                assert event is not None, "the wait does not come"
            self._gateway.acknowledge(event)
        return token

    def event(self, timeout_s: float) -> None:
        """The api hears nothing here."""

    def acknowledge(self, received: Received) -> None:
        """Nor does it wait for anything."""


def rows() -> Iterator[str]:
    """A row a case."""
    for what, hours in CASES.items():
        found = [_day_mb(hour) for hour in hours]
        ours, all_of_them = ([one[n] for one in found] for n in (0, 1))
        ratios = [one / other for one, other in found]
        yield (
            f"| waiting times to a yard's sign, MB a day, {what} | one every ten seconds | {statistics.median(ours):.1f} |"
            f" {statistics.median(all_of_them):.1f} | {statistics.median(ratios):.2f} | {min(ratios):.2f}–{max(ratios):.2f} | - |"
        )


def _day_mb(hour: int) -> tuple[float, float]:
    """A day that is all as this hour: what is sent, and as if each estimate were."""
    city = load_city(CITY)
    city = msgspec.structs.replace(city, yards={SITE: city.yards[SITE]})
    start = dt.datetime.combine(SATURDAY, dt.time(hour), ZoneInfo(city.timezone))
    clock = HandClock(round(start.timestamp() * 1000))
    end_ms = clock.now_ms() + MINUTES * 60_000
    events = deque(takewhile(lambda event: event.at_ms <= end_ms, life(SITE, city, SEED, clock.now_ms())))
    with TemporaryDirectory() as name, closing(open_store(f"sqlite:///{name}/readings.db")) as store:
        broker = Mosquitto(Path(name))
        broker.start()
        try:
            with (
                closing(Tap(broker.config.port)) as tap,
                Session(broker.config, "api") as api,
                Session(BrokerConfig(port=tap.port), YARD, [topics.wait(SITE)]) as gateway,
            ):
                for session in (api, gateway):
                    assert isinstance(session.event(PATIENCE_S), Connected)
                sign = Sign(api, gateway)
                yards, publisher = Yards(store, city, clock), Publisher(sign, Errands(), clock)
                before, rounds = tap.bytes, round(MINUTES * 60 / INTERVAL_S)
                for _ in range(rounds):
                    store.write(list(_seen(events, clock.now_ms())))
                    publisher.publish(yards.waits())
                    clock.advance(round(INTERVAL_S * 1000))
                threading.Event().wait(0.2)  # for the last bytes of what confirms the last one
                bytes_a_s = (tap.bytes - before) / (MINUTES * 60)
        finally:
            broker.stop()
    return bytes_a_s * DAY_S / 1e6, bytes_a_s * DAY_S / 1e6 * rounds / sign.sent


def _seen(events: deque[Event], until_ms: int) -> Iterator[Reading]:
    while events and events[0].at_ms <= until_ms:
        one = events.popleft()
        yield Reading(SITE, one.sensor, one.quantity, one.at_ms, one.value)


if __name__ == "__main__":
    show(rows())
