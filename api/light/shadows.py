"""Each gateway's lamps: what they shall do goes out, retained and versioned; what has become of it comes back.

The version is the instant at which the content changed, and later than any that this process gave or that the gateway reports.
So no version is kept on disk: after a restart, with a lost file, or with a clock that was set back, the gateway's first report
mends it.
"""

import logging
import threading
from collections.abc import Callable, Mapping

import msgspec
from prometheus_client import Counter, Gauge

from api.light.desired import complaint, compose, lamps_by_gateway
from api.light.lights import Members, Override, Said
from hoflicht import shadow, topics
from hoflicht.broker import Message
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.errors import BadConfig, BadPayload, Unavailable
from hoflicht.shadow import Desired, Outcome, Reported

log = logging.getLogger(__name__)

AT_ONCE = 100  # messages in half a second: 5 000 gateways have all within half a minute, and no queue holds more than 50 MB
# For reports that somebody waits for: a lamp begins within a third of a second, rises in two unless its program says otherwise, and
# is asked in the second after that.
PATIENCE_S = 4.0
LAST_VERSION = 2**52  # who reports a later one is out of his mind, and there must be room for a next one
LASTING = (Outcome.APPLIED, Outcome.FAILED)  # that its time is over says no more of who has followed
RANK = {outcome: n for n, outcome in enumerate((Outcome.EXPIRED, Outcome.FAILED, Outcome.ACCEPTED, Outcome.APPLIED))}

bad = Counter("hoflicht_api_bad_light_reports", "Reports of lamps that could not be read")
behind = Gauge("hoflicht_api_gateways_behind", "Gateways that do not report to keep what their lamps shall do")


class Shadow(msgspec.Struct):
    """One gateway: what it shall do, with its version, whether the broker has it, and what the gateway last said."""

    lamps: list[str]
    desired: Desired
    is_sent: bool = False
    reported: Reported | None = None
    is_unreadable: bool = False  # what it said last


class Shadows:
    """All gateways that speak for lamps. `send`, `settle` and `forget` belong to the publisher's thread, the rest to any.

    Raise BadConfig where the catalogue wants more of a gateway than it can follow.
    """

    def __init__(self, city: City, said: Callable[[], Said], clock: Clock, patience_s: float = PATIENCE_S) -> None:
        self._city = city
        self._said = said
        self._clock = clock
        self._patience_s = patience_s
        self.members = Members(city)
        self._lamps = lamps_by_gateway(city)
        self._speakers: dict[str, list[str]] = {}
        for name, lamps in self._lamps.items():
            for lamp in lamps:
                self._speakers.setdefault(lamp, []).append(name)
        self._topics = {topics.reported(name, topics.LIGHT): name for name in self._lamps}
        self._outcomes: dict[str, dict[str, dict[str, Outcome]]] = {}  # by override and gateway, of each lamp
        self._heard = threading.Condition()
        self._composed_of = said()
        now_ms = clock.now_ms()
        composed = compose(city, self._composed_of, self.members, self._lamps, now_ms)
        if complaint(composed):
            raise BadConfig(complaint(composed))
        self._shadows = {name: Shadow(self._lamps[name], _versioned(composed[name], now_ms)) for name in self._lamps}

    def complaint(self, said: Said) -> str:
        """Why gateways could not follow `said`; empty: they can."""
        return complaint(compose(self._city, said, self.members, self._lamps, self._clock.now_ms()))

    def forget(self) -> None:
        """The broker may have lost everything: say it all again."""
        for each in self._shadows.values():
            each.is_sent = False

    def send(self, publish: Callable[[Message], object], now_ms: int) -> None:
        """Send what has changed or was not sent yet; what the broker does not take goes next time."""
        said = self._said()
        if said is not self._composed_of:
            self._composed_of = said
            self._renew(said, now_ms)
        waiting = [(name, each) for name, each in self._shadows.items() if not each.is_sent]
        for name, each in waiting[:AT_ONCE]:
            try:
                publish(_message(name, each.desired))
            except Unavailable:
                return
            each.is_sent = True
        behind.set(sum(each.reported is None or each.reported.version != each.desired.version for each in self._shadows.values()))

    def settle(self, message: Message) -> None:
        """Take note of what a gateway reports."""
        name = self._topics.get(message.topic)
        if name is None or not message.payload:  # empty: somebody has cleared what was retained
            return
        try:
            said = shadow.reported(message.payload)
        except BadPayload as cause:
            bad.inc()
            if not self._shadows[name].is_unreadable:
                log.warning("what %s reports of its lamps cannot be read: %s", name, cause)
            self._shadows[name].is_unreadable = True
            return
        self._note(name, self._shadows[name], said)

    def of_lamp(self, lamp: str) -> dict[str, Shadow]:
        """The gateways that speak for `lamp`, by name, and how they stand."""
        return {name: self._shadows[name] for name in self._speakers.get(lamp, ())}

    def outcomes(self, override: Override) -> Mapping[str, Outcome]:
        """What the gateways have reported of `override`, by lamp; where several speak for one, the best."""
        with self._heard:
            reports = [dict(outcomes) for outcomes in self._outcomes.get(override.id, {}).values()]
        found: dict[str, Outcome] = {}
        for report in reports:
            for lamp, outcome in report.items():
                found[lamp] = max(outcome, found.get(lamp, outcome), key=RANK.__getitem__)
        return found

    def wait_for(self, is_enough: Callable[[], bool]) -> None:
        """Return once reports make `is_enough` true, or when time is up."""
        with self._heard:
            self._heard.wait_for(is_enough, self._patience_s)

    def _renew(self, said: Said, now_ms: int) -> None:
        for name, desired in compose(self._city, said, self.members, self._lamps, now_ms).items():
            each = self._shadows[name]
            version = each.desired.version
            if _versioned(desired, version) != each.desired:
                each.desired, each.is_sent = _versioned(desired, max(now_ms, version + 1)), False
        with self._heard:
            known = {override.id for override in said.overrides}
            self._outcomes = {name: outcomes for name, outcomes in self._outcomes.items() if name in known}

    def _note(self, name: str, each: Shadow, said: Reported) -> None:
        last = each.reported
        if said.refused and (last is None or last.refused_version != said.refused_version):
            log.error("%s refuses what its lamps shall do: %s", name, said.refused)
        each.reported, each.is_unreadable = said, False
        if each.desired.version < said.version < LAST_VERSION:
            each.desired, each.is_sent = _versioned(each.desired, said.version + 1), False
        known = {override.id for override in self._said().overrides}
        own = frozenset(each.lamps)
        with self._heard:
            for override, outcomes in said.outcomes.items():
                if override in known:
                    noted = self._outcomes.setdefault(override, {}).setdefault(name, {})
                    _merge(noted, {lamp: outcome for outcome, lamps in outcomes.items() for lamp in lamps if lamp in own})
            self._heard.notify_all()


def _merge(noted: dict[str, Outcome], said: Mapping[str, Outcome]) -> None:
    for lamp, outcome in said.items():
        if not (outcome is Outcome.EXPIRED and noted.get(lamp) in LASTING):
            noted[lamp] = outcome


def _versioned(desired: Desired, version: int) -> Desired:
    return msgspec.structs.replace(desired, version=version)


def _message(gateway: str, desired: Desired) -> Message:
    return Message(
        topic=topics.desired(gateway, topics.LIGHT),
        payload=shadow.encode(desired),
        retain=True,
        content_type="application/json",
    )
