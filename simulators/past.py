"""What the sensors of a city would have said in the past, as the gateways would have sent it."""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from hoflicht.catalogue import API, City
from hoflicht.instants import ms
from hoflicht.reading import Reading
from simulators.estimates import steps
from simulators.history import batches
from simulators.layout import PortPlan, layout
from simulators.life import life
from simulators.street import Street
from simulators.teller import Teller
from simulators.yard import Event

LAMPS_EVERY_MS = 30 * 60_000  # coarser than live
AIR_EVERY_MS = 15 * 60_000
METER_EVERY_MS = 15 * 60_000
AIR = {"sds011": ("pm2_5", "pm10"), "sps30": ("pm1", "pm2_5", "pm4", "pm10")}
DAY = dt.timedelta(days=1)


def days(city: City, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """[start, end) cut at the city's midnights."""
    zone = ZoneInfo(city.timezone)
    cuts = [start_ms]
    midnight = dt.datetime.combine(dt.datetime.fromtimestamp(start_ms / 1000, zone).date() + DAY, dt.time(), zone)
    while (at_ms := ms(midnight)) < end_ms:
        cuts.append(at_ms)
        midnight += DAY
    return list(zip(cuts, [*cuts[1:], end_ms], strict=True))


class Past:
    """The past of a city from `start_ms` on, told piece by piece: a yard's hours follow from those before, so it is lived once.

    Use it in a `with`: processes beside this one make the estimates.
    """

    def __init__(self, city: City, seed: int, start_ms: int) -> None:
        self._city = city
        self._street = Street(city, seed)
        self._start_ms = start_ms
        self._lives = {name: life(name, city, seed, start_ms) for name in city.yards}
        self._tellers = [Teller(name, city, seed, start_ms) for name in city.yards]
        self._next: dict[str, Event | None] = {name: next(events, None) for name, events in self._lives.items()}

    def __enter__(self) -> "Past":
        return self

    def __exit__(self, *_: object) -> None:
        for teller in self._tellers:
            teller.close()

    def sent(self, end_ms: int) -> Iterator[tuple[str, list[Reading]]]:
        """The batches of all gateways, from where the last call ended to before `end_ms`."""
        start_ms, self._start_ms = self._start_ms, end_ms
        for teller in self._tellers:
            teller.ask(start_ms, end_ms)
        for gateway, plan in layout(self._city).items():
            for sign in plan.signs:
                yield from batches(gateway, self._yard(sign.yard, start_ms, end_ms))
            for port in plan.ports:
                if port.driver in AIR:
                    yield from batches(gateway, self._air(port, start_ms, end_ms))
                elif port.driver == "ops243" and port.site in self._city.lamps:
                    yield from batches(gateway, self._traffic(port.site, start_ms, end_ms))
                elif port.driver == "sdm630":
                    yield from batches(gateway, self._meter(port, start_ms, end_ms))
            for line in plan.lines:
                yield from batches(gateway, self._lamps(line.lamps, start_ms, end_ms))
        for teller in self._tellers:
            yield from batches(API, teller.told())

    def _yard(self, yard: str, start_ms: int, end_ms: int) -> Iterator[Reading]:
        while (event := self._next[yard]) is not None and event.at_ms < end_ms:
            if event.at_ms >= start_ms:
                yield Reading(yard, event.sensor, event.quantity, event.at_ms, event.value)
            self._next[yard] = next(self._lives[yard], None)

    def _air(self, port: PortPlan, start_ms: int, end_ms: int) -> Iterator[Reading]:
        for at_ms in steps(start_ms, end_ms, AIR_EVERY_MS):
            air = self._street.air(port.site, at_ms)
            for quantity in AIR[port.driver]:
                yield Reading(port.site, port.sensor, quantity, at_ms, getattr(air, quantity))

    def _traffic(self, site: str, start_ms: int, end_ms: int) -> Iterator[Reading]:
        for vehicle in self._street.traffic(site, start_ms, end_ms):
            yield Reading(site, "traffic", "passage", vehicle.at_ms, 1.0)
            yield Reading(site, "traffic", "speed", vehicle.at_ms, vehicle.speed_m_s)

    def _lamps(self, lamps: tuple[str, ...], start_ms: int, end_ms: int) -> Iterator[Reading]:
        for at_ms in steps(start_ms, end_ms, LAMPS_EVERY_MS):
            for name in lamps:
                for sample in self._street.lamp(name, at_ms):
                    yield Reading(name, sample.sensor, sample.quantity, at_ms, sample.value)

    def _meter(self, port: PortPlan, start_ms: int, end_ms: int) -> Iterator[Reading]:
        for at_ms in steps(start_ms, end_ms, METER_EVERY_MS):
            for quantity, value in self._street.cabinet(port.site, at_ms).items():
                yield Reading(port.site, port.sensor, quantity, at_ms, round(value, 3))
