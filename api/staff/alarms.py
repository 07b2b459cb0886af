"""Open faults: what is wrong now, since when, and whether somebody has seen it; and what was wrong before.

A fault is open while the newest reading of its quantity is 1, however old that is: a gateway that has fallen silent mends no lamp.
It is acknowledged once a reading `acknowledged` of its number is younger than its beginning; when it comes again it is new.
"""

import datetime as dt
import enum
import threading
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from api.recent import Recent
from hoflicht.catalogue import STAFF, City
from hoflicht.clock import Clock
from hoflicht.faults import FAULTS
from hoflicht.instants import moment
from hoflicht.reading import Reading
from store.readings import Store

HOUR_MS = 3_600_000
LOOK_BACK_MS = 89 * 86_400_000  # as far as raw readings go, and a day less
KEEP_MS = 5_000
MAX_BEGINNINGS = 100  # are looked up at once, some 10 ms each; after a storm the rest follows with the next looks
ACKNOWLEDGED = "acknowledged"


class SeverityName(enum.StrEnum):
    """How soon somebody must go there: with the next tour, within days, tonight."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class AlarmState(enum.StrEnum):
    """Whether somebody has seen it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"


class Alarm(msgspec.Struct, frozen=True):
    """A fault that lasts. `since` is null where it was not looked up yet; places of gateways are null."""

    site: str
    fault: str
    talq: str
    severity: SeverityName
    state: AlarmState
    since: dt.datetime | None
    told: dt.datetime  # last
    acknowledged: dt.datetime | None
    street: str
    group: str
    lat: float | None
    lon: float | None
    de: str
    en: str


class Turn(enum.StrEnum):
    """What happened to a fault; `standing`: it was there when the time that was asked for began."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"
    STANDING = "standing"


class Happened(msgspec.Struct, frozen=True):
    """One thing of a site's past."""

    at: dt.datetime
    fault: str
    what: Turn


class AlarmsAnswer(msgspec.Struct, frozen=True):
    """Open faults, by site."""

    alarms: list[Alarm]


class OrdersAnswer(msgspec.Struct, frozen=True):
    """The same in the order in which they are driven to: by street, the urgent ones of a street first."""

    orders: list[Alarm]


class PastAnswer(msgspec.Struct, frozen=True):
    """What happened to the faults of a site, in order of time."""

    site: str
    happened: list[Happened]


class Alarms:
    """The open faults of `city`, at most some seconds old; safe to use from several threads."""

    def __init__(self, store: Store, city: City, clock: Clock) -> None:
        self._store = store
        self._city = city
        self._clock = clock
        self._recent = Recent(self._look, KEEP_MS, clock)
        self._begun_ms: dict[tuple[str, str], int] = {}  # of those that are open
        self._seen_ms: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self._last_word_ms = 0

    def open(self) -> list[Alarm]:
        """All of them, by site and fault; raise what the store raises."""
        return [self._with_seen(alarm) for alarm in self._recent.get()]

    def words(self, site: str, fault: str) -> tuple[Reading, Reading]:
        """Staff have seen `fault` now: by its number, and on the fault itself, for alarm rules compare within one quantity only.

        Two words of one site never fall on one instant, where one would replace the other.
        """
        with self._lock:
            at_ms = self._last_word_ms = max(self._clock.now_ms(), self._last_word_ms + 1)
        return Reading(site, STAFF, ACKNOWLEDGED, at_ms, float(FAULTS[fault].number)), Reading(site, STAFF, fault, at_ms, 1.0)

    def note(self, word: Reading, fault: str) -> None:
        """`word` is stored."""
        with self._lock:
            self._seen_ms[word.site, fault] = word.at_ms

    def _with_seen(self, alarm: Alarm) -> Alarm:
        seen_ms = self._seen_ms.get((alarm.site, alarm.fault))
        if alarm.acknowledged is not None or seen_ms is None:
            return alarm
        return msgspec.structs.replace(alarm, state=AlarmState.ACKNOWLEDGED, acknowledged=moment(seen_ms))

    def _look(self) -> list[Alarm]:
        with self._lock:
            return self._looked(self._clock.now_ms())

    def _looked(self, now_ms: int) -> list[Alarm]:
        told = self._store.latest((*FAULTS, ACKNOWLEDGED), now_ms - LOOK_BACK_MS)
        words = {reading.site: reading for reading in told if reading.quantity == ACKNOWLEDGED}
        lasting = standing(told)
        self._begun_ms = {key: at_ms for key, at_ms in self._begun_ms.items() if key in lasting}
        self._seen_ms = {key: at_ms for key, at_ms in self._seen_ms.items() if key in lasting}
        unknown = [key for key in lasting if key not in self._begun_ms]
        for key in unknown[:MAX_BEGINNINGS]:
            self._begun_ms[key] = self._beginning(lasting[key], now_ms)
        for key, begun_ms in self._begun_ms.items():
            self._find_word(key, begun_ms, words.get(key[0]), now_ms)
        return [self._alarm(reading) for _, reading in sorted(lasting.items())]

    def _beginning(self, told: Reading, now_ms: int) -> int:
        """When the fault was raised: the first 1 after the last 0, as far as readings go back."""
        key = (told.site, told.sensor, told.quantity)
        hours = self._store.means(*key, now_ms - LOOK_BACK_MS, told.at_ms + 1, HOUR_MS)
        quiet = [n for n, (_, mean) in enumerate(hours) if mean < 1]  # 0 at least once in that hour
        first = quiet[-1] if quiet else 0
        after = min(first + 1, len(hours) - 1)
        readings = self._store.read(told.site, (told.quantity,), hours[first][0], hours[after][0] + HOUR_MS)
        own = [reading for reading in readings if reading.sensor == told.sensor and reading.at_ms <= told.at_ms]
        zeros = [n for n, reading in enumerate(own) if reading.value < 0.5]
        rest = own[zeros[-1] + 1 :] if zeros else own
        return rest[0].at_ms if rest else told.at_ms

    def _find_word(self, key: tuple[str, str], begun_ms: int, word: Reading | None, now_ms: int) -> None:
        if self._seen_ms.get(key, 0) >= begun_ms:
            return
        self._seen_ms.pop(key, None)
        if word is None or word.at_ms < begun_ms:
            return
        number = FAULTS[key[1]].number
        # The newest word of the site may be about another fault.
        words = [word] if word.value == number else self._store.read(key[0], (ACKNOWLEDGED,), begun_ms, now_ms + 1)
        own = [reading.at_ms for reading in words if reading.value == number]
        if own:
            self._seen_ms[key] = own[-1]

    def _alarm(self, told: Reading) -> Alarm:
        site, fault = told.site, told.quantity
        begun_ms, seen_ms = self._begun_ms.get((site, fault)), self._seen_ms.get((site, fault))
        lamp = self._city.lamps.get(site)
        place = lamp or self._city.cabinets.get(site)
        return Alarm(
            site=site,
            fault=fault,
            talq=FAULTS[fault].talq,
            severity=SeverityName[FAULTS[fault].severity.name],
            state=AlarmState.OPEN if seen_ms is None else AlarmState.ACKNOWLEDGED,
            since=None if begun_ms is None else moment(begun_ms),
            told=moment(told.at_ms),
            acknowledged=None if seen_ms is None else moment(seen_ms),
            street=place.street if place else "",
            group=lamp.group if lamp else "",
            lat=place.lat if place else None,
            lon=place.lon if place else None,
            de=FAULTS[fault].de,
            en=FAULTS[fault].en,
        )


def standing(latest: Iterable[Reading]) -> dict[tuple[str, str], Reading]:
    """The faults that last, by site and fault; where several sensors tell one, the latest that says so. Staff are no sensor."""
    found: dict[tuple[str, str], Reading] = {}
    for reading in sorted(latest, key=lambda each: each.at_ms):
        if reading.quantity in FAULTS and reading.sensor != STAFF and reading.value >= 0.5:
            found[reading.site, reading.quantity] = reading
    return found


def past(readings: Sequence[Reading]) -> Iterator[Happened]:
    """What happened to the faults of one site, in order of time; repeats are left out."""
    names = {fault.number: name for name, fault in FAULTS.items()}
    last: dict[tuple[str, str], bool] = {}
    for reading in readings:
        at, key, lasts = moment(reading.at_ms), (reading.sensor, reading.quantity), reading.value >= 0.5
        if reading.quantity == ACKNOWLEDGED:
            fault = names.get(round(reading.value))
            if fault is not None:
                yield Happened(at, fault, Turn.ACKNOWLEDGED)
        if reading.sensor == STAFF:
            continue
        if lasts and key not in last:
            yield Happened(at, reading.quantity, Turn.STANDING)
        elif lasts != last.get(key, False):
            yield Happened(at, reading.quantity, Turn.RAISED if lasts else Turn.CLEARED)
        last[key] = lasts
