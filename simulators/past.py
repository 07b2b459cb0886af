"""What the sensors of a city would have said in the past, as the gateways would have sent it."""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from hoflicht.catalogue import City
from hoflicht.reading import Reading
from simulators.history import batches
from simulators.layout import layout
from simulators.street import Street
from simulators.yard import day

LAMPS_EVERY_MS = 30 * 60_000  # coarser than live, where each lamp reports every minute
AIR_EVERY_MS = 15 * 60_000
DAY = dt.timedelta(days=1)


def days(city: City, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """[start, end) cut at the city's midnights."""
    zone = ZoneInfo(city.timezone)
    cuts = [start_ms]
    midnight = dt.datetime.combine(_date(start_ms, zone) + DAY, dt.time(), zone)
    while (at_ms := round(midnight.timestamp() * 1000)) < end_ms:
        cuts.append(at_ms)
        midnight += DAY
    return list(zip(cuts, [*cuts[1:], end_ms], strict=True))


def sent(city: City, seed: int, start_ms: int, end_ms: int) -> Iterator[tuple[str, list[Reading]]]:
    """The batches of all gateways for [start, end)."""
    street = Street(city, seed)
    for gateway, plan in layout(city).items():
        if plan.sign_of is not None:
            yield from batches(gateway, yard_readings(city, plan.sign_of, seed, start_ms, end_ms))
        for port in plan.ports:
            if port.driver in ("sds011", "sps30"):
                yield from batches(gateway, _air(street, port.site, port.sensor, start_ms, end_ms))
            elif port.driver == "ops243" and port.site in city.lamps:
                yield from batches(gateway, _traffic(street, port.site, start_ms, end_ms))
            elif port.driver == "node" and not port.site:
                yield from batches(gateway, _lamps(city, street, start_ms, end_ms))


def yard_readings(city: City, yard: str, seed: int, start_ms: int, end_ms: int) -> Iterator[Reading]:
    """What a yard's sensors say in [start, end), in order of time."""
    zone = ZoneInfo(city.timezone)
    on = _date(start_ms, zone) - DAY  # its last cars may leave after midnight
    while on <= _date(end_ms, zone):
        today = day(yard, city, on, seed)
        for event in today.events() if today is not None else ():
            if start_ms <= event.at_ms < end_ms:
                yield Reading(yard, event.sensor, event.quantity, event.at_ms, event.value)
        on += DAY


def _air(street: Street, site: str, sensor: str, start_ms: int, end_ms: int) -> Iterator[Reading]:
    for at_ms in _steps(start_ms, end_ms, AIR_EVERY_MS):
        for quantity, value in zip(("pm2_5", "pm10"), street.air(site, at_ms), strict=True):
            yield Reading(site, sensor, quantity, at_ms, value)


def _traffic(street: Street, site: str, start_ms: int, end_ms: int) -> Iterator[Reading]:
    for vehicle in street.traffic(site, start_ms, end_ms):
        yield Reading(site, "traffic", "passage", vehicle.at_ms, 1.0)
        yield Reading(site, "traffic", "speed", vehicle.at_ms, vehicle.speed_m_s)


def _lamps(city: City, street: Street, start_ms: int, end_ms: int) -> Iterator[Reading]:
    for at_ms in _steps(start_ms, end_ms, LAMPS_EVERY_MS):
        for name in city.lamps:
            for sample in street.lamp(name, at_ms):
                yield Reading(name, sample.sensor, sample.quantity, at_ms, sample.value)


def _steps(start_ms: int, end_ms: int, step_ms: int) -> range:
    return range(-(-start_ms // step_ms) * step_ms, end_ms, step_ms)


def _date(at_ms: int, zone: ZoneInfo) -> dt.date:
    return dt.datetime.fromtimestamp(at_ms / 1000, zone).date()
