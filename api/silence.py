"""communication_failure: who has spoken before and is not heard any more. The api alone can see that, so it says it.

The rule. A gateway that has not told its health for 15 minutes is missed. A lamp or cabinet that nobody has told of for 30 minutes
is missed too, but only while its gateway is heard, and has been for as long: of a gateway that is away not one of a thousand lamps
is called missing beside it, and one that comes back gets the time to tell of all of them. Nobody is missed while the api itself is
cut off: before each look it sends a reading all the way to the store, and where that fails the time of everybody begins anew. Who
has never spoken is not missed: he is not there yet. Whoever is heard again is missed no more.
"""

import logging
import threading
from collections.abc import Iterable, Mapping

import msgspec

from api.errands import Errands
from hoflicht.batch import MAX_READINGS
from hoflicht.catalogue import STAFF, WATCH, City, gateways_of
from hoflicht.clock import Clock
from hoflicht.errors import BadPayload, Refused, Unavailable
from hoflicht.reading import Reading
from store.readings import Store

log = logging.getLogger(__name__)

LOOK_S = 60.0
GATEWAY_MS = 15 * 60_000  # fifteen reports of its health
SITE_MS = 30 * 60_000  # six times what a lamp says every five minutes
LOOK_BACK_MS = 89 * 86_400_000  # who was silent for longer is known as missed, or has been taken down
SAID_AGAIN_MS = 86_400_000  # so that a long silence is not forgotten with the raw readings
HEALTH = ("uptime",)
ALIVE = ("level_feedback", "level_actual", "active_power", "energy_import", "control_gear_comm_failure")  # lamps and cabinets
SILENCE = "communication_failure"


class Heard(msgspec.Struct, frozen=True):
    """What is known at one look: when each site was last told of, and since when each gateway has been heard without a break."""

    last_ms: Mapping[str, int]
    gateway_since_ms: Mapping[str, int]
    open_since_ms: int  # since when the api's own way to the store stands


def missed(city: City, sites: Mapping[str, Iterable[str]], heard: Heard, now_ms: int) -> dict[str, bool]:
    """Who is missed and who is not; who cannot be judged is left out. `sites`: the gateways of each lamp and cabinet."""
    judged: dict[str, bool] = {}
    for name in city.gateways:
        if name in heard.last_ms:
            judged[name] = now_ms - max(heard.last_ms[name], heard.open_since_ms) > GATEWAY_MS
    for site, gateways in sites.items():
        last_ms = heard.last_ms.get(site)
        since_ms = [heard.gateway_since_ms[name] for name in gateways if name in heard.gateway_since_ms]
        if last_ms is None:
            continue
        if now_ms - last_ms <= SITE_MS:
            judged[site] = False
        elif since_ms and now_ms - max(last_ms, min(since_ms), heard.open_since_ms) > SITE_MS:
            judged[site] = True
    return judged


class Watch:
    """Looks, and says what has changed."""

    def __init__(self, city: City, store: Store, errands: Errands, clock: Clock) -> None:
        self._city = city
        self._store = store
        self._errands = errands
        self._clock = clock
        self._sites = {site: gateways_of(city, site) for site in (*city.lamps, *city.cabinets)}
        self._open_since_ms: int | None = None
        self._gateway_since_ms: dict[str, int] = {}
        self._said: dict[str, Reading] = {}

    def look(self) -> None:
        """One look; what is away now is looked at next time."""
        if not self._city.gateways:
            return
        try:
            now_ms = self._clock.now_ms()
            told = self._store.latest((*HEALTH, *ALIVE, SILENCE), now_ms - LOOK_BACK_MS)
            latest = [reading for reading in told if reading.sensor != STAFF]  # that they have seen a fault is no sign of life
            self._said = {reading.site: reading for reading in latest if reading.quantity == SILENCE} | self._said
            self._errands.run([self._proof(now_ms)])
            self._judge([reading for reading in latest if reading.quantity != SILENCE], now_ms)
        except (Unavailable, Refused, BadPayload) as cause:
            if self._open_since_ms is not None:
                log.warning("nobody is missed until readings of the api reach the store: %s", cause)
            self._open_since_ms = None

    def _judge(self, latest: Iterable[Reading], now_ms: int) -> None:
        if self._open_since_ms is None:
            self._open_since_ms, self._gateway_since_ms = now_ms, {}
        last_ms: dict[str, int] = {}
        for reading in latest:
            last_ms[reading.site] = max(reading.at_ms, last_ms.get(reading.site, 0))
        self._gateway_since_ms = {
            name: self._gateway_since_ms.get(name, now_ms)
            for name in self._city.gateways
            if name in last_ms and now_ms - last_ms[name] <= GATEWAY_MS
        }
        judged = missed(self._city, self._sites, Heard(last_ms, self._gateway_since_ms, self._open_since_ms), now_ms)
        words = [
            self._word(site, is_missed, now_ms) for site, is_missed in judged.items() if self._is_news(site, is_missed, now_ms)
        ]
        for n in range(0, len(words), MAX_READINGS):
            self._say(words[n : n + MAX_READINGS])

    def _is_news(self, site: str, is_missed: bool, now_ms: int) -> bool:
        said = self._said.get(site)
        if said is None or (said.value >= 0.5) != is_missed:
            return said is not None or is_missed
        return is_missed and now_ms - said.at_ms > SAID_AGAIN_MS

    def _proof(self, now_ms: int) -> Reading:
        """A reading that says nothing new: what was said of the first gateway, or that it is not missed."""
        first = next(iter(self._city.gateways))
        said = self._said.get(first)
        return self._word(first, said is not None and said.value >= 0.5, now_ms)

    def _word(self, site: str, is_missed: bool, now_ms: int) -> Reading:
        return Reading(site, WATCH, SILENCE, now_ms, float(is_missed))

    def _say(self, words: list[Reading]) -> None:
        self._errands.run(words)
        self._said |= {word.site: word for word in words}
        gone = sorted(word.site for word in words if word.value)
        if gone:
            log.warning("not heard any more: %s", ", ".join(gone[:5]) + (f" and {len(gone) - 5} more" if len(gone) > 5 else ""))


def run(watch: Watch, stopping: threading.Event) -> None:
    """Look every minute until `stopping`."""
    while not stopping.is_set():
        watch.look()
        stopping.wait(LOOK_S)
