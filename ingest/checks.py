"""May this gateway say this? Topic and catalogue decide, never what a payload claims."""

import enum
from typing import NamedTuple

from hoflicht.catalogue import API, ESTIMATE, City, sensors_by_site, sites_by_gateway
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading

AHEAD_MS = 5 * 60_000  # a gateway's clock is set by NTP; one that is minutes ahead is broken
OLD_MS = 89 * 86_400_000  # a day less than the raw retention, so that the database does not refuse it while it is on its way


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


class Complaint(NamedTuple):
    """Why a reading is not stored. The reason names no value and no time, so that like faults read alike."""

    fault: Fault
    reason: str


class Checks:
    """The catalogue as tables for one look-up per reading."""

    def __init__(self, city: City) -> None:
        sensors = sensors_by_site(city)
        self._sites = frozenset(sensors) | frozenset(city.gateways)
        # A gateway's own site is in no list: None, any sensor of its health goes. Only the api may say an estimate.
        self._sensors: dict[str, dict[str, frozenset[str] | None]] = {
            gateway: {site: sensors[site] - {ESTIMATE} if site in sensors else None for site in sites}
            for gateway, sites in sites_by_gateway(city).items()
        }
        self._sensors[API] = {site: frozenset({ESTIMATE}) for site in city.yards}

    def complaint(self, gateway: str, reading: Reading, now_ms: int) -> Complaint | None:
        """Why `reading` may not be stored when `gateway` says it; None where it may."""
        return self._not_its_own(gateway, reading) or _implausible(reading, now_ms)

    def _not_its_own(self, gateway: str, reading: Reading) -> Complaint | None:
        sites = self._sensors.get(gateway)
        if sites is None:
            return Complaint(Fault.UNKNOWN_GATEWAY, f"the catalogue has no gateway {gateway}")
        if reading.site not in self._sites:
            return Complaint(Fault.UNKNOWN_SITE, f"the catalogue has no site {reading.site}")
        if reading.site not in sites:
            return Complaint(Fault.FOREIGN_SITE, f"{gateway} does not speak for {reading.site}")
        sensors = sites[reading.site]
        if sensors is not None and reading.sensor not in sensors:
            return Complaint(Fault.UNKNOWN_SENSOR, f"{gateway} has no sensor {reading.site}/{reading.sensor} in the catalogue")
        return None


def _implausible(reading: Reading, now_ms: int) -> Complaint | None:
    quantity = QUANTITIES[reading.quantity]
    if not quantity.low <= reading.value <= quantity.high:
        bounds = f"{quantity.low:g} to {quantity.high:g} {quantity.unit}"
        return Complaint(Fault.OUT_OF_RANGE, f"{reading.site}/{reading.sensor}: {reading.quantity} is not within {bounds}")
    if reading.at_ms > now_ms + AHEAD_MS:
        return Complaint(Fault.IN_THE_FUTURE, "more than 5 minutes in the future: is the gateway's clock set?")
    if reading.at_ms < now_ms - OLD_MS:
        return Complaint(Fault.TOO_OLD, "older than 89 days: was the gateway's clock set?")
    return None
