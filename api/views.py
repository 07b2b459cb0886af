"""What a page shows of each yard: words and numbers ready to be put in place, the same for a first load, a stream and a poll."""

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from api import words
from api.words import Words
from hoflicht.catalogue import City
from hoflicht.wait import State, Wait, shown_minutes

ARROWS = {"rising": "↗", "steady": "→", "falling": "↘"}
SHORT_MIN = 10  # up to here a wait is marked as short
LONG_MIN = 30  # and from here as long


class YardView(msgspec.Struct, frozen=True):
    """One yard in one language. `valid_s` and `age_s` count from the moment of the view: a phone's clock may be wrong."""

    id: str
    name: str
    address: str
    level: str  # "free", "short", "medium", "long": the colour; "held", "closing", "closed", "unknown": no number
    state: str
    headline: str
    big: str
    detail: str
    trend: str
    arrow: str
    arrival: str
    heard: str
    age_s: float
    valid_s: float
    best: bool


class View(msgspec.Struct, frozen=True):
    """All yards at one moment."""

    now_ms: int
    yards: list[YardView]


def view(city: City, waits: Mapping[str, Wait], now_ms: int, language: Words) -> View:
    """What `language` says of `waits` at `now_ms`."""
    zone = ZoneInfo(city.timezone)
    now = dt.datetime.fromtimestamp(now_ms / 1000, zone)
    best = _best(waits)
    yards = []
    for name, wait in waits.items():
        yard = city.yards[name]
        big = words.big(wait) or ""
        yards.append(
            YardView(
                id=name,
                name=yard.name,
                address=yard.address,
                level=_level(wait),
                state=words.state(wait, language),
                headline=words.headline(wait, language),
                big=big,
                detail=words.detail(wait, language, now.date()),
                trend=language.trends[wait.trend] if big and wait.trend is not None else "",
                arrow=ARROWS[wait.trend] if big and wait.trend is not None else "",
                arrival=words.arrival(wait, language, zone),
                heard=language.heard.format(time=words.clock(wait.as_of.astimezone(zone))),
                age_s=max(0.0, (now - wait.as_of).total_seconds()),
                valid_s=max(0.0, (wait.valid_until - now).total_seconds()),
                best=name in best,
            )
        )
    return View(now_ms, yards)


def _level(wait: Wait) -> str:
    if wait.state is not State.OPEN:
        return wait.state.value
    seconds = wait.p50_s if wait.p50_s is not None else wait.more_than_s
    if seconds is None:
        return State.UNKNOWN.value
    if seconds == 0:
        return "free"
    if seconds <= SHORT_MIN * 60:
        return "short"
    return "medium" if seconds < LONG_MIN * 60 else "long"


def _best(waits: Mapping[str, Wait]) -> frozenset[str]:
    """The yards with the shortest wait as shown, where others are open that take longer."""
    shown = {name: shown_minutes(wait.p50_s) for name, wait in waits.items() if wait.state is State.OPEN and wait.p50_s is not None}
    shortest = min(shown.values(), default=0)
    if all(minutes == shortest for minutes in shown.values()):
        return frozenset()
    return frozenset(name for name, minutes in shown.items() if minutes == shortest)
