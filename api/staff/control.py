"""How staff's word about lamps is taken: proven, written down, kept, and waited for until the gateways have answered."""

import secrets
import threading
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Path, Request
from fastapi.responses import Response

from api.light.exports import METER
from api.light.lights import Override, Said, added, counting
from api.light.posts import QUANTITIES, PostAnswer, Posts
from api.openapi import STAFF_KEY, STAFF_PROBLEMS, describe
from api.problems import Wrong
from api.recent import Recent
from api.reply import JSON
from api.routes import DAY_MS
from api.staff.alarms import Alarms
from api.staff.door import DONE
from api.staff.holding import Staff
from api.staff.keys import Key, Scope
from api.standing import KEEP_MS
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from hoflicht.errors import BadConfig
from hoflicht.reading import MAX_ID, Reading
from hoflicht.shadow import Outcome
from store.readings import Store

WANTED = tuple(dict.fromkeys((*QUANTITIES, *METER)))
MAX_WAITING = 8  # each holds a thread of the web server, of which there are 40; who finds no place is told what is known
RELEASE_MS = 60_000  # a release of what nobody holds is told to the gateways for so long

LampId = Annotated[str, Path(max_length=MAX_ID, description="Id of a lamp", examples=["lamp-0012"])]
GroupId = Annotated[str, Path(max_length=MAX_ID, description="Id of a group", examples=["altstadt"])]


class Control:
    """What the routes for lamps share: who may, what was said, and how it is said anew."""

    def __init__(self, city: City, store: Store, staff: Staff, alarms: Alarms, clock: Clock) -> None:
        self.city, self.staff, self.clock = city, staff, clock
        self.posts = Posts(city, staff.shadows)
        self._alarms = alarms
        self._latest: Recent[list[Reading]] = Recent(lambda: store.latest(WANTED, clock.now_ms() - DAY_MS), KEEP_MS, clock)
        self.reader = Depends(staff.door.wants(Scope.READ))
        self.controller = Depends(staff.door.wants(Scope.CONTROL))
        self._waiting = threading.Semaphore(MAX_WAITING)

    def said(self) -> Said:
        """As it is now."""
        return self.staff.lights.said()

    def latest(self) -> list[Reading]:
        """What lamps and cabinets last said; raise what the store raises."""
        return self._latest.get()

    def lamps(self, names: Iterable[str]) -> list[PostAnswer]:
        """The lamps `names` as staff see them; raise what the store raises."""
        return self.posts.lamps(names, self.said(), self.latest(), self._alarms.open(), self.clock.now_ms())

    def look(self, key: Key, what: str) -> None:
        """Write down that somebody looked."""
        self.staff.door.note(key, f"look at {what}", DONE)

    def change(self, key: Key, what: str, change: Callable[[Said], Said]) -> None:
        """Say it, after it was written down; raise Wrong where gateways could not follow it all."""

        def proven(said: Said) -> Said:
            changed = change(said)
            complaint = self.staff.shadows.complaint(changed)
            if complaint:
                raise Wrong(422, complaint)
            return changed

        with self.staff.door.noting(key, what):
            try:
                self.staff.lights.change(proven)
            except (BadConfig, OSError) as cause:
                raise Wrong(503, "what staff say of lamps cannot be written; the log of the server knows more") from cause

    def override(self, key: Key, percent: float | None, minutes: int, *, lamp: str = "", group: str = "") -> Response:
        """Override or, with `percent` None, release; answer once all lamps have followed, or with what is known by then."""
        named, made = secrets.token_hex(8), list[Override]()

        def change(said: Said) -> Said:
            now_ms = self.clock.now_ms()
            # Each is later than the one before, for at a lamp the latest counts.
            at_ms = max([now_ms, *(each.at_ms + 1 for each in said.overrides[-1:])])
            until_ms = at_ms + minutes * 60_000 if percent is not None else self._last_of(lamp, group, said, at_ms)
            made.append(Override(id=named, percent=percent, at_ms=at_ms, until_ms=until_ms, lamp=lamp, group=group))
            return added(said, made[0], now_ms)

        target = lamp or f"group {group}"
        what = f"release {target}" if percent is None else f"override {target} with {percent:g} % for {minutes} minutes"
        self.change(key, f"{what}, {named}", change)
        return self._awaited(made[0])

    def answer(self, override: Override, status: int = 200) -> Response:
        """How `override` stands."""
        return answered(self.posts.override(override, self.said(), self.clock.now_ms()), status)

    def _last_of(self, lamp: str, group: str, said: Said, at_ms: int) -> int:
        """A release lasts as long as what it releases from."""
        members = self.staff.shadows.members
        lamps = {lamp} if lamp else set(members.of_group(group))
        ends = [each.until_ms for each, those in counting(said, members, at_ms) if not lamps.isdisjoint(those)]
        return max([at_ms + RELEASE_MS, *ends])

    def _awaited(self, override: Override) -> Response:
        shadows = self.staff.shadows
        asked = sum(bool(shadows.of_lamp(lamp)) for lamp in shadows.members.of(override))

        def all_have() -> bool:
            return sum(outcome is not Outcome.ACCEPTED for outcome in shadows.outcomes(override).values()) >= asked

        if self._waiting.acquire(blocking=False):
            try:
                shadows.wait_for(all_have)
            finally:
                self._waiting.release()
        return self.answer(override, 200 if all_have() else 202)


def the(kind: str, name: str, known: Iterable[str]) -> str:
    """`name`, where it is known; else raise Wrong."""
    if name not in known:
        raise Wrong(404, f"there is no {kind} {name!r}")
    return name


async def body_of(request: Request) -> bytes:
    """What is to be put there; api.guard has bounded it."""
    return await request.body()


def answered(answer: msgspec.Struct, status: int = 200) -> Response:
    """As JSON, for staff's eyes."""
    return Response(msgspec.json.encode(answer), status, media_type=JSON)


def described(shape: type, media_type: str = JSON) -> dict[str, Any]:
    """How a route for staff answers, as `describe`."""
    return {**describe(shape, media_type, problems=STAFF_PROBLEMS, tagged=False), "openapi_extra": STAFF_KEY}
