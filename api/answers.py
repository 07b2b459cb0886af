"""What the API says about yards, lamps and air: the shapes, and how they are filled. OpenAPI is made from these structs."""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from api.minutes import cut
from api.staff.notices import Notice
from hoflicht.catalogue import Cabinet, City, Lamp, Yard
from hoflicht.faults import FAULTS
from hoflicht.instants import moment
from hoflicht.quantities import QUANTITIES
from hoflicht.reading import Reading
from hoflicht.shadow import Reason
from hoflicht.wait import Wait

# Of faults what anybody in the street can see; that a cabinet stands open is nobody's business.
PUBLIC_FAULTS = ("lamp_failure", "lamp_unexpected_on", "cycling_failure")
LAMP_QUANTITIES = ("level_target", "level_feedback", "level_actual", "light_reason", "active_power", *PUBLIC_FAULTS)
FULL = 99.5  # percent; a driver's 254 steps come back a little off
AIR_QUANTITIES = ("pm1", "pm2_5", "pm4", "pm10")


class OpeningHours(msgspec.Struct, frozen=True):
    """Opening hours in the city's time zone; "08:00-18:00" by weekday, exceptions by date."""

    time_zone: str
    weekly: dict[str, str]
    special: dict[str, str]
    closed_on: tuple[str, ...]
    open_on_holidays: bool
    last_entry_before_min: int


class YardAnswer(msgspec.Struct, frozen=True):
    """A recycling yard, its present wait and, where there is one, staff's notice."""

    id: str
    name: str
    address: str
    lat: float
    lon: float
    opening_hours: OpeningHours
    wait: Wait
    notice: Notice | None = None


class YardsAnswer(msgspec.Struct, frozen=True):
    """All yards of the city."""

    city: str
    yards: list[YardAnswer]


class NoticesAnswer(msgspec.Struct, frozen=True):
    """The notices that stand now; a yard has one at most."""

    city: str
    notices: list[Notice]


class Measured(msgspec.Struct, frozen=True):
    """A value and its age when the answer was made."""

    value: float
    unit: str  # SenML name (RFC 8428 §12.1)
    at: dt.datetime
    age_s: int


class LampState(enum.StrEnum):
    """What a lamp does, as its driver reports."""

    ON = "on"
    DIMMED = "dimmed"
    OFF = "off"
    FAILED = "failed"
    UNKNOWN = "unknown"


class LampAnswer(msgspec.Struct, frozen=True):
    """A street lamp. None: not heard for a day.

    In percent: `target` is what is asked for, `feedback` what was sent to the driver, `level` what the driver reports. `reason`
    says why: failsafe, program, sensor, override. `power` in watts; `failure` is 1 where it should light and does not. `faults`:
    what can be seen from the street, by TALQ's names.
    """

    id: str
    street: str
    lat: float
    lon: float
    nominal_power_w: float
    level: Measured | None = None
    power: Measured | None = None
    failure: Measured | None = None
    state: LampState = LampState.UNKNOWN
    target: Measured | None = None
    feedback: Measured | None = None
    reason: str | None = None
    faults: tuple[str, ...] = ()


class LampsAnswer(msgspec.Struct, frozen=True):
    """All lamps of the city."""

    city: str
    lamps: list[LampAnswer]


class AirAnswer(msgspec.Struct, frozen=True):
    """The latest particulates of one sensor, by quantity."""

    site: str
    sensor: str
    lat: float
    lon: float
    values: dict[str, Measured]


class AirsAnswer(msgspec.Struct, frozen=True):
    """All sensors of particulates that were heard within the last day."""

    city: str
    air: list[AirAnswer]


class HoldAnswer(msgspec.Struct, frozen=True):
    """Until when staff let nobody into a yard; None: they do."""

    yard: str
    until: dt.datetime | None


class Health(msgspec.Struct, frozen=True):
    """What a person would look at first."""

    ok: bool
    version: str
    store: str
    estimates_age_s: int | None


def yard_answer(name: str, yard: Yard, city: City, wait: Wait, notice: Notice | None) -> YardAnswer:
    """`yard` with its `wait` and `notice`."""
    hours = yard.hours
    opening = OpeningHours(
        time_zone=city.timezone,
        weekly=hours.weekly,
        special=hours.special,
        closed_on=hours.closed_on,
        open_on_holidays=hours.open_on_holidays,
        last_entry_before_min=hours.last_entry_before_min,
    )
    return YardAnswer(name, yard.name, yard.address, yard.lat, yard.lon, opening, wait, notice)


def yards_answer(city: City, waits: Mapping[str, Wait], notices: Mapping[str, Notice]) -> YardsAnswer:
    """All yards, in the order of the catalogue."""
    told = [yard_answer(name, yard, city, waits[name], notices.get(name)) for name, yard in city.yards.items()]
    return YardsAnswer(city.name, told)


def lamps_answer(city: City, latest: Iterable[Reading], now_ms: int) -> LampsAnswer:
    """All lamps with what is known of them."""
    known = newest(latest)
    return LampsAnswer(city.name, [_lamp_answer(name, lamp, known.get(name, {}), now_ms) for name, lamp in city.lamps.items()])


def newest(latest: Iterable[Reading]) -> dict[str, dict[str, Reading]]:
    """By site and quantity; where two sensors of a site tell the same quantity the newer one counts."""
    known: dict[str, dict[str, Reading]] = {}
    for reading in sorted(latest, key=lambda r: r.at_ms):
        known.setdefault(reading.site, {})[reading.quantity] = reading
    return known


def lamp_state(known: Mapping[str, Reading]) -> LampState:
    """What a lamp does, by its newest readings."""
    failure, level = known.get("lamp_failure"), known.get("level_actual")
    if failure is not None and failure.value >= 0.5:
        return LampState.FAILED
    if level is None:
        return LampState.UNKNOWN
    if level.value <= 0:
        return LampState.OFF
    return LampState.ON if level.value >= FULL else LampState.DIMMED


def airs_answer(city: City, latest: Iterable[Reading], now_ms: int) -> AirsAnswer:
    """The sensors of particulates at places that the catalogue knows."""
    known: dict[str, Yard | Lamp | Cabinet] = {**city.yards, **city.lamps, **city.cabinets}
    places = {site: (place.lat, place.lon) for site, place in known.items()}
    values: dict[tuple[str, str], dict[str, Measured]] = {}
    for reading in latest:
        if reading.site in places:
            values.setdefault((reading.site, reading.sensor), {})[reading.quantity] = by_minute(reading, now_ms)
    return AirsAnswer(
        city.name,
        [AirAnswer(site, sensor, *places[site], found) for (site, sensor), found in sorted(values.items())],
    )


def geojson(places: Iterable[msgspec.Struct]) -> dict[str, Any]:
    """`places`, each with `lat` and `lon`, as a FeatureCollection (RFC 7946): longitude first, everything else a property."""
    features = []
    for place in places:
        properties = msgspec.to_builtins(place)
        lat, lon = properties.pop("lat"), properties.pop("lon")
        point = {"type": "Point", "coordinates": [lon, lat]}
        feature = {"type": "Feature", "geometry": point, "properties": properties}
        features.append({"id": properties["id"], **feature} if "id" in properties else feature)
    return {"type": "FeatureCollection", "features": features}


def _lamp_answer(name: str, lamp: Lamp, known: Mapping[str, Reading], now_ms: int) -> LampAnswer:
    told = {quantity: by_minute(reading, now_ms) for quantity, reading in known.items()}
    reason = known.get("light_reason")
    return LampAnswer(
        id=name,
        street=lamp.street,
        lat=lamp.lat,
        lon=lamp.lon,
        nominal_power_w=lamp.nominal_power_w,
        level=told.get("level_actual"),
        power=told.get("active_power"),
        failure=told.get("lamp_failure"),
        state=lamp_state(known),
        target=told.get("level_target"),
        feedback=told.get("level_feedback"),
        reason=None if reason is None else Reason(round(reason.value)).name.lower(),
        faults=tuple(FAULTS[name].talq for name in PUBLIC_FAULTS if name in known and known[name].value >= 0.5),
    )


def measured(reading: Reading, now_ms: int) -> Measured:
    """A reading as it is answered at `now_ms`."""
    at = moment(reading.at_ms)
    return Measured(reading.value, QUANTITIES[reading.quantity].unit, at, max(0, (now_ms - reading.at_ms) // 1000))


def by_minute(reading: Reading, now_ms: int) -> Measured:
    """A reading as everybody is told it: a lamp that somebody's coming has raised does not tell the second."""
    return measured(msgspec.structs.replace(reading, at_ms=cut(reading.at_ms)), now_ms)
