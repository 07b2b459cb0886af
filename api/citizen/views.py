"""What a page shows of each yard: words and numbers ready to be put in place, the same for a first load, a stream and a poll."""

import datetime as dt
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from api.citizen import sentences
from api.citizen.besthours import BestHours, opening
from api.citizen.german import GERMAN
from api.citizen.words import Words
from api.estimate.forecast import ForecastAnswer
from api.staff.notices import Notice
from hoflicht.catalogue import City
from hoflicht.wait import State, Wait, number

ARROWS = {"rising": "↗", "steady": "→", "falling": "↘"}
NONE: Mapping[str, Any] = MappingProxyType({})  # no yard has one
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
    short: str
    rough: str
    big: str
    detail: str
    note: str
    notice: str
    notice_lang: str  # German where staff wrote no other
    hours: str
    today: str
    week: str
    queue: str
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


Look = Callable[[Words], View]  # what a language says now


def view(
    city: City,
    waits: Mapping[str, Wait],
    now_ms: int,
    language: Words,
    notices: Mapping[str, Notice] = NONE,
    forecasts: Mapping[str, ForecastAnswer] = NONE,
) -> View:
    """What `language` says of `waits` at `now_ms`."""
    zone = ZoneInfo(city.timezone)
    now = dt.datetime.fromtimestamp(now_ms / 1000, zone)
    best = _best(waits)
    yards = []
    for name, wait in waits.items():
        yard = city.yards[name]
        big = sentences.big(wait)
        spoken = _spoken(notices.get(name), language)
        ahead = BestHours(forecasts.get(name), now, yard.hours, city)
        yards.append(
            YardView(
                id=name,
                name=yard.name,
                address=yard.address,
                level=_level(wait),
                state=sentences.state(wait, language),
                headline=sentences.headline(wait, language),
                short=sentences.short(wait, language),
                rough=sentences.rough(wait, language),
                big=big,
                detail=sentences.detail(wait, language, now.date()),
                note=sentences.note(wait, language),
                notice=_notice(notices[name], spoken) if name in notices else "",
                notice_lang=spoken.code,
                hours=opening(now, yard.hours, city, language),
                today=ahead.today(language),
                week=ahead.week(language),
                queue=sentences.queue(wait, language),
                trend=language.trends[wait.trend] if big and wait.trend is not None else "",
                arrow=ARROWS[wait.trend] if big and wait.trend is not None else "",
                arrival=sentences.arrival(wait, language, zone),
                heard=language.heard.format(time=sentences.clock(wait.as_of.astimezone(zone))),
                age_s=max(0.0, (now - wait.as_of).total_seconds()),
                valid_s=max(0.0, (wait.valid_until - now).total_seconds()),
                best=name in best,
            )
        )
    return View(now_ms, yards)


def _spoken(notice: Notice | None, language: Words) -> Words:
    """The language of `notice`: a screen reader has to know it (WCAG 3.1.2)."""
    return language if notice is None or notice.words(language.code) != notice.texts.de else GERMAN


def _notice(notice: Notice, spoken: Words) -> str:
    return f"{spoken.notice} {notice.words(spoken.code)}"


def _level(wait: Wait) -> str:
    if wait.state is not State.OPEN:
        return wait.state.value
    shown = number(wait)
    if shown is None:
        return State.UNKNOWN.value
    if shown.minutes == 0:
        return "free"
    if shown.minutes <= SHORT_MIN and not shown.is_more:
        return "short"
    return "medium" if shown.minutes < LONG_MIN else "long"


def _best(waits: Mapping[str, Wait]) -> frozenset[str]:
    """The yards with the shortest wait as shown, where others are open that take longer."""
    shown = {name: found for name, wait in waits.items() if (found := number(wait)) is not None}
    shortest = min(shown.values(), default=None)
    # "More than 5" may be an hour.
    if shortest is None or shortest.is_more or all(found == shortest for found in shown.values()):
        return frozenset()
    return frozenset(name for name, found in shown.items() if found == shortest)
