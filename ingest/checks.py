"""May this gateway say this? Topic and catalogue decide, never what a payload claims."""

import enum
import functools
import sys
from collections.abc import Callable
from typing import NamedTuple

from hoflicht.catalogue import API, ESTIMATE, STAFF, WATCH, City, sensors_by_site, sites_by_gateway, words_by_site
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading
from hoflicht.senml import NO_NUMBER, NO_QUANTITY, Pass, Place, Ranges, place_of

AHEAD_MS = 5 * 60_000  # a gateway's clock is set by NTP; one that is minutes ahead is broken
OLD_MS = 89 * 86_400_000  # a day less than the raw retention, so that the database does not refuse it while it is on its way
# Of a gateway's own site, in one run of ingest: `gateway`, `cpu`, one for each port and line. More are made up, and each would be
# some more series in the database for ninety days.
MAX_OWN_SENSORS = 64
MAX_FOREIGN = 10_000  # places and complaints that are remembered, some 4 MB: who says what is not its own says it again and again
RANGES: Ranges = {name: (quantity.low, quantity.high) for name, quantity in QUANTITIES.items()}


class Fault(enum.StrEnum):
    """What is wrong with a reading or a batch: the closed list that counters and alarms go by."""

    NOT_A_PACK = "not-a-pack"
    NOT_A_READING = "not-a-reading"
    UNKNOWN_GATEWAY = "unknown-gateway"
    UNKNOWN_SITE = "unknown-site"
    FOREIGN_SITE = "foreign-site"
    UNKNOWN_SENSOR = "unknown-sensor"
    OUT_OF_RANGE = "out-of-range"
    IN_THE_FUTURE = "in-the-future"
    TOO_OLD = "too-old"
    REFUSED_BY_STORE = "refused-by-store"

    __hash__ = str.__hash__  # of what it is equal to; that of enum is a function in Python, and each bad reading would call it


class Complaint(NamedTuple):
    """Why a reading is not stored. The reason names no value and no time, so that like faults read alike."""

    fault: Fault
    reason: str


Names = frozenset[str] | tuple[str, ...]
IN_THE_FUTURE = Complaint(Fault.IN_THE_FUTURE, "more than 5 minutes in the future: is the gateway's clock set?")
NO_READING = Complaint(Fault.NOT_A_READING, NO_NUMBER)
TOO_OLD = Complaint(Fault.TOO_OLD, "older than 89 days: was the gateway's clock set?")


class Places(dict[str, Place]):
    """What a gateway may speak for: `sensors` by site, and by base name what it has spoken for.

    Some ten thousand gateways have one, so it is small: of its own site, which is in no list, the sensors that it has named are a
    tuple, and sites with like sensors share one set.
    """

    __slots__ = ("_barred", "_gateway", "sensors")

    def __init__(self, gateway: str, sensors: dict[str, Names], barred: Callable[[str, str, str], Place]) -> None:
        super().__init__()
        self.sensors = sensors
        self._gateway = gateway
        self._barred = barred

    def __missing__(self, name: str) -> Place:
        site, sensor, _, _ = place_of(name)
        known = self.sensors.get(site)
        if known is not None and sensor in known:
            self[name] = Place(site, sensor, RANGES)
            return self[name]
        if not site or isinstance(known, tuple):  # no place, or a sensor of its own that may come to be known
            return Place(site, sensor, NO_QUANTITY)
        return self._barred(self._gateway, site, sensor)  # nobody can make us keep what is not in the catalogue


class Checks:
    """The catalogue as tables for one look-up per reading."""

    def __init__(self, city: City) -> None:
        alike: dict[frozenset[str], frozenset[str]] = {}
        sensors = {site: alike.setdefault(names - {ESTIMATE}, names - {ESTIMATE}) for site, names in sensors_by_site(city).items()}
        self._sites: dict[str, Names] = {**words_by_site(city)}
        self._barred = functools.lru_cache(MAX_FOREIGN)(self._barred_at)
        self._places = {
            gateway: Places(gateway, {sys.intern(site): sensors.get(site, ()) for site in sites}, self._barred)
            for gateway, sites in sites_by_gateway(city).items()
        } | {API: Places(API, self._sites, self._barred)}

    def lets(self, gateway: str, now_ms: int) -> Pass:
        """What `gateway` may say and has not to be asked about; `complaint` tells of all else."""
        return Pass(self._places_of(gateway).__getitem__, (now_ms - OLD_MS) / 1000, (now_ms + AHEAD_MS) / 1000)

    def complaint(self, gateway: str, reading: Reading, now_ms: int) -> Complaint | None:
        """Why `reading` may not be stored when `gateway` says it; None where it may."""
        sensors = self._places_of(gateway).sensors.get(reading.site)
        if sensors is None or reading.sensor not in sensors:
            look = self._not_of_its_health if isinstance(sensors, tuple) else self._why_foreign
            foreign = look(gateway, reading.site, reading.sensor)
            if foreign is not None:
                return foreign
        low, high = RANGES[reading.quantity]
        if not low <= reading.value <= high:
            return out_of_range(reading.site, reading.sensor, reading.quantity)
        ahead_ms = reading.at_ms - now_ms
        if -OLD_MS <= ahead_ms <= AHEAD_MS:
            return None
        return IN_THE_FUTURE if ahead_ms > 0 else TOO_OLD

    def _places_of(self, gateway: str) -> Places:
        places = self._places.get(gateway)
        return Places(gateway, {}, self._barred) if places is None else places

    def _barred_at(self, gateway: str, site: str, sensor: str) -> Place:
        return Place(site, sensor, NO_QUANTITY, self._why_foreign(gateway, site, sensor))

    def _why_foreign(self, gateway: str, site: str, sensor: str) -> Complaint:
        if gateway not in self._places:
            return Complaint(Fault.UNKNOWN_GATEWAY, f"the catalogue has no gateway {gateway}")
        if site not in self._sites:
            return Complaint(Fault.UNKNOWN_SITE, f"the catalogue has no site {site}")
        if site not in self._places[gateway].sensors:
            return Complaint(Fault.FOREIGN_SITE, f"{gateway} does not speak for {site}")
        return _unknown(gateway, site, sensor)

    def _not_of_its_health(self, gateway: str, site: str, sensor: str) -> Complaint | None:
        if sensor in (STAFF, WATCH):  # only the api may say these
            return _unknown(gateway, site, sensor)
        sensors = self._places[gateway].sensors
        if len(sensors[site]) >= MAX_OWN_SENSORS:
            return Complaint(Fault.UNKNOWN_SENSOR, f"{gateway} names more than {MAX_OWN_SENSORS} sensors of its own")
        sensors[site] = (*sensors[site], sensor)
        return None


def _unknown(gateway: str, site: str, sensor: str) -> Complaint:
    return Complaint(Fault.UNKNOWN_SENSOR, f"{gateway} has no sensor {site}/{sensor} in the catalogue")


@functools.lru_cache(MAX_FOREIGN)
def out_of_range(site: str, sensor: str, name: str) -> Complaint:
    """Why a value may not be stored that is not within the range of its quantity."""
    quantity = QUANTITIES[name]
    bounds = f"{quantity.low:g} to {quantity.high:g} {quantity.unit}"
    return Complaint(Fault.OUT_OF_RANGE, f"{site}/{sensor}: {name} is not within {bounds}")
