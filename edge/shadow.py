"""What the city wants of this gateway's lamps: taken, obeyed, kept, and answered.

    taken → the lamps go by it → on disk, `<spool>-light` → reported

It is obeyed before it is on disk, since a person waits for the light, and reported after, since what was reported survives a power
cut. A kill -9 in between leaves what was kept before; the broker still has the new one. A disk that takes nothing stops no lamp: it
is reported all the same, and the log says that a restart without the broker would not know it.

With it is kept by when each command has begun and by how much the clock differs from the monotonic one, both for this boot of the
machine only: a program that starts again without a network knows the time if it did before.
"""

import enum
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from edge import dimming
from edge.trusted import TrustedTime
from hoflicht import atomic
from hoflicht.broker import Message
from hoflicht.clock import Clock
from hoflicht.errors import BadConfig, BadPayload, Unavailable
from hoflicht.program import Program
from hoflicht.shadow import Command, Desired, Duty, Outcome, Reported, Version, desired, encode
from hoflicht.stop import Stopping

log = logging.getLogger(__name__)

EVERY_S = 0.3  # between two reports: staff wait for who has followed; nothing else changes them
# Versions are instants. One so far ahead of ours came from a clock that was wrong, and shuts out no later one.
MAX_AHEAD_MS = 3_600_000
MAX_REASON = 500  # characters


class Happening(enum.Enum):
    """What moves a command at a lamp."""

    FOLLOWED = enum.auto()  # the driver reports the level
    RESISTED = enum.auto()  # it does not, in the time that it has
    ENDED = enum.auto()


NEXT: Mapping[tuple[Outcome, Happening], Outcome] = {
    (Outcome.ACCEPTED, Happening.FOLLOWED): Outcome.APPLIED,
    (Outcome.ACCEPTED, Happening.RESISTED): Outcome.FAILED,
    (Outcome.APPLIED, Happening.FOLLOWED): Outcome.APPLIED,
    (Outcome.APPLIED, Happening.RESISTED): Outcome.FAILED,
    (Outcome.FAILED, Happening.FOLLOWED): Outcome.APPLIED,  # it is tried on
    (Outcome.FAILED, Happening.RESISTED): Outcome.FAILED,
    **{(outcome, Happening.ENDED): Outcome.EXPIRED for outcome in Outcome},
    # A line that looked at its lamp a moment before the end.
    (Outcome.EXPIRED, Happening.FOLLOWED): Outcome.EXPIRED,
    (Outcome.EXPIRED, Happening.RESISTED): Outcome.EXPIRED,
}


class Kept(msgspec.Struct, frozen=True):
    """The file."""

    desired: Desired
    boot: str = ""
    begun_ms: dict[str, int] = {}  # by command, monotonic: since when it counts
    offset_ms: int | None = None


class Order(msgspec.Struct, frozen=True):
    """What one lamp shall do now."""

    duty: Duty = Duty()
    program: Program | None = None
    command: Command | None = None


class Orders(msgspec.Struct, frozen=True):
    """What all lamps shall do, at an instant: None while nobody can tell the time."""

    now_ms: int | None
    desired: Desired
    commands: dict[str, Command]  # in force, by lamp

    def of(self, lamp: str) -> Order:
        """One lamp's share; a lamp of which nothing is said has the failsafe."""
        duty = self.desired.lamps.get(lamp, Duty())
        return Order(duty, self.desired.programs.get(duty.program), self.commands.get(lamp))


class Shadow:
    """Filled by the uplink's thread, asked by the lines', kept and reported by a thread of its own."""

    def __init__(self, file: Path, boot: str, lamps: frozenset[str], clock: Clock) -> None:
        self._file = file
        self._boot = boot
        self._lamps = lamps
        self._clock = clock
        self._time = TrustedTime(clock)
        self._lock = threading.Lock()
        self._desired = Desired(version=0)
        self._begun_ms: dict[str, int] = {}
        self._outcomes: dict[str, dict[str, Outcome]] = {}  # by command and lamp
        self._refused: tuple[Version | None, str] = (None, "")
        self._kept: Kept | None = None
        self._is_disk_away = False
        self.births = 0  # connections to the broker: to each the report is said anew

    def recall(self) -> None:
        """Go on with what was kept; without it lamps have the failsafe until the city says more."""
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=Kept)
            desired(encode(kept.desired))  # what was good for an older program may not be for this one
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, BadPayload) as cause:
            log.error(
                "what the lamps shall do is lost, they burn by the failsafe until the broker says it: %s: %s", self._file, cause
            )
            return
        with self._lock:
            self._kept = kept
            self._obey(kept.desired)
            if kept.boot == self._boot:
                self._begun_ms, self._time.offset_ms = dict(kept.begun_ms), kept.offset_ms

    def take(self, message: Message) -> None:
        """Obey what the broker has brought, or note why not."""
        if not message.payload:  # somebody has cleared the topic
            return
        try:
            wanted = desired(message.payload)
        except BadPayload as cause:
            log.warning("what the lamps shall do cannot be followed, they go on as before: %s", cause)
            with self._lock:
                self._refused = _version_of(message.payload), str(cause)[:MAX_REASON]
            return
        with self._lock:
            held = self._desired.version
            if wanted.version < held and not self._is_from_the_future(held):
                self._refused = wanted.version, f"older than version {held}"
            elif wanted.version != held:
                self._refused = None, ""
                self._obey(wanted)

    def orders(self) -> Orders:
        """What counts now."""
        with self._lock:
            now_ms, monotonic_ms = self._time.now_ms(), self._clock.monotonic_ms()
            for command in self._desired.commands:
                if dimming.counts(command, now_ms, monotonic_ms, self._begun_ms.get(command.id)):
                    self._begun_ms.setdefault(command.id, monotonic_ms)
                elif _is_over(command, now_ms, self._begun_ms.get(command.id)):
                    self._end(command)
            in_force = dimming.in_force(self._desired.commands, now_ms, monotonic_ms, self._begun_ms)
            return Orders(now_ms, self._desired, in_force)

    def heed(self, command: Command, lamp: str, happening: Happening) -> None:
        """Note what a lamp has made of the command that is in force for it."""
        with self._lock:
            outcomes = self._outcomes.get(command.id, {})
            if lamp in outcomes:
                outcomes[lamp] = NEXT[outcomes[lamp], happening]

    def keep(self) -> None:
        """Put on disk what has changed since it was kept last; where there is no room, say so once and try again the next time."""
        with self._lock:
            kept = Kept(self._desired, self._boot, dict(self._begun_ms), self._time.offset_ms)
        if self._kept is not None and _is_same(self._kept, kept):
            return
        try:
            atomic.write(self._file, msgspec.json.encode(kept), atomic.PRIVATE)
        except BadConfig as cause:
            if not self._is_disk_away:
                log.error(
                    "what the lamps shall do cannot be kept; they follow it, but not after a restart without the broker: %s", cause
                )
            self._is_disk_away = True
            return
        if self._is_disk_away:
            log.warning("what the lamps shall do is kept again")
        self._is_disk_away, self._kept = False, kept

    def report(self) -> Reported:
        """What has become of it."""
        with self._lock:
            outcomes = {command: _by_outcome(lamps) for command, lamps in self._outcomes.items()}
            version, reason = self._refused
            return Reported(version=self._desired.version, refused_version=version, refused=reason, outcomes=outcomes)

    def _obey(self, wanted: Desired) -> None:
        self._desired = wanted
        known = {command.id for command in wanted.commands}
        self._begun_ms = {id: at_ms for id, at_ms in self._begun_ms.items() if id in known}
        self._outcomes = {
            command.id: self._outcomes.get(command.id) or {lamp: self._first(lamp) for lamp in command.lamps}
            for command in wanted.commands
        }

    def _first(self, lamp: str) -> Outcome:
        return Outcome.ACCEPTED if lamp in self._lamps else Outcome.FAILED

    def _end(self, command: Command) -> None:
        outcomes = self._outcomes[command.id]
        outcomes |= {lamp: NEXT[outcome, Happening.ENDED] for lamp, outcome in outcomes.items()}

    def _is_from_the_future(self, version: Version) -> bool:
        now_ms = self._time.now_ms()
        return now_ms is not None and version > now_ms + MAX_AHEAD_MS


def run(shadow: Shadow, publish: Callable[[Reported], None], stopping: Stopping) -> None:
    """Keep and report what has changed, until `stopping`; `publish` raises Unavailable while there is no connection."""
    said: tuple[int, Reported] | None = None
    while not stopping.wait(EVERY_S):
        to_say = shadow.births, shadow.report()
        shadow.keep()
        if to_say == said:
            continue
        try:
            publish(to_say[1])
            said = to_say
        except Unavailable as cause:  # the next connection says it
            log.debug("not reported: %s", cause)


def _is_over(command: Command, now_ms: int | None, begun_ms: int | None) -> bool:
    """Of one that does not count: whether it has, and will not again."""
    if now_ms is None or now_ms < command.at_ms - dimming.EARLY_MS:
        return False
    return now_ms >= command.until_ms or begun_ms is not None


def _is_same(one: Kept, other: Kept) -> bool:
    """Whether there is nothing worth a write: the clock's distance is read anew each time and differs by a millisecond or two."""
    same_time = one.offset_ms is not None and other.offset_ms is not None and abs(one.offset_ms - other.offset_ms) < 1_000
    replace = msgspec.structs.replace
    return replace(one, offset_ms=None) == replace(other, offset_ms=None) and (same_time or one.offset_ms is other.offset_ms)


def _by_outcome(lamps: Mapping[str, Outcome]) -> dict[Outcome, tuple[str, ...]]:
    return {outcome: names for outcome in Outcome if (names := tuple(lamp for lamp, has in lamps.items() if has is outcome))}


def _version_of(payload: bytes) -> Version | None:
    """The version of what else cannot be read."""

    class Versioned(msgspec.Struct):
        version: Version

    try:
        return msgspec.json.decode(payload, type=Versioned).version
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
