"""A month of the city's meters: asked of the store series by series, reckoned by energy.py, summed by group and cabinet."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from api.light import energy
from api.light.energy import HOUR_MS, Finding, Samples, Sum, Used
from api.light.night import dark_h
from hoflicht.catalogue import City, cabinet_of
from hoflicht.instants import ms
from hoflicht.sky import Place, sun_deg
from store.readings import Store

MARGIN_MS = 3 * 86_400_000  # before and after the month, to find a reading on either side of its ends
METER = "energy_import"
TWICE = 2.0  # a lamp that takes more than twice its nominal power is no lamp, but another meter
CABINET_W = 5_000.0  # what else a cabinet may feed: a market, a tram stop
NIGHT_DEG, DAY_DEG = -6.0, 5.0  # beyond these nobody's lamps burn less, or at all; in between is twilight


class Month(NamedTuple):
    """[start, end) of what is reckoned; a month that is not over ends now."""

    name: str
    start_ms: int
    end_ms: int


class Row(msgspec.Struct):
    """A lamp, group, cabinet or the whole city."""

    kind: str
    id: str
    name: str
    lamps: int = 0  # that had readings
    silent: int = 0  # that had none
    kwh: float = 0.0
    baseline_kwh: float = 0.0
    interpolated_h: float = 0.0  # these and the following: of all its lamps together
    estimated_h: float = 0.0
    missing_h: float = 0.0
    replaced: int = 0
    metered_kwh: float | None = None  # by the cabinet's own meter
    findings: list[Finding] = []

    def saved_kwh(self) -> float:
        """Against the luminaires that stood there before."""
        return self.baseline_kwh - self.kwh

    def add(self, other: "Row") -> None:
        """Put a lamp into a group, cabinet or city."""
        self.lamps += other.lamps
        self.silent += other.silent
        self.kwh += other.kwh
        self.baseline_kwh += other.baseline_kwh
        self.interpolated_h += other.interpolated_h
        self.estimated_h += other.estimated_h
        self.missing_h += other.missing_h
        self.replaced += other.replaced


class Report(NamedTuple):
    """All rows of a month; `co2_g_per_kwh` as the catalogue has it."""

    month: Month
    dark_h: float
    co2_g_per_kwh: float
    lamps: list[Row]
    groups: list[Row]
    cabinets: list[Row]
    city: Row


def report(city: City, store: Store, month: Month) -> Report:
    """Reckon the month; raise what the store raises. One question for each lamp and cabinet, some 10 ms each."""
    place = _middle(city)
    night_h = dark_h(place, month.start_ms, month.end_ms)
    cabinets = {name: Row("cabinet", name, cabinet.street) for name, cabinet in city.cabinets.items()}
    groups = {name: Row("group", name, group.name) for name, group in city.groups.items()}
    whole, lamps = Row("city", "", city.name), []
    fed_by = {lamp: cabinet_of(city, lamp) for lamp in city.lamps}
    count = Counter(fed_by.values())
    sums = {name: Sum(count[name]) for name in cabinets}
    most_fed_w = dict.fromkeys(cabinets, CABINET_W)
    for name, lamp in city.lamps.items():
        most_w = TWICE * lamp.nominal_power_w
        samples = _samples(store, name, lamp.sensors, month)
        before_w = lamp.baseline_power_w or city.energy.baseline_power_w
        row = _lamp(name, lamp.street, samples, energy.used(samples, *month[1:], most_w), night_h * before_w / 1000, month)
        lamps.append(row)
        for total in (whole, groups.get(lamp.group), cabinets.get(fed_by[name])):
            if total is not None:
                total.add(row)
        if fed_by[name]:
            sums[fed_by[name]].add(energy.by_hour(samples, most_w))
            most_fed_w[fed_by[name]] += most_w
    dark = dict(_dark(place, month))
    for name, row in cabinets.items():
        samples = _samples(store, name, city.cabinets[name].sensors, month)
        row.metered_kwh = energy.used(samples, *month[1:], most_fed_w[name]).kwh if samples else None
        row.findings = energy.findings(dict(energy.by_hour(samples, most_fed_w[name])), sums[name], dark)
    return Report(month, night_h, city.energy.co2_g_per_kwh, lamps, list(groups.values()), list(cabinets.values()), whole)


def month_of(text: str, zone: dt.tzinfo, now_ms: int) -> Month:
    """Read "2026-11"; raise ValueError where that is no month, or one that has not begun."""
    begin = dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=zone)
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    start_ms, end_ms = (ms(each) for each in (begin, end))
    if start_ms >= now_ms:
        raise ValueError(f"{text} has not begun")
    return Month(text, start_ms, min(end_ms, now_ms))


def _lamp(name: str, street: str, samples: Samples, told: Used, baseline_kwh: float, month: Month) -> Row:
    if not samples:
        return Row("lamp", name, street, silent=1, missing_h=told.missing_h)
    # Of a time without readings nothing is known, so nothing is saved in it either.
    covered = 1 - told.missing_h * HOUR_MS / (month.end_ms - month.start_ms)
    return Row("lamp", name, street, 1, 0, told.kwh, baseline_kwh * covered, *told[1:])


def _samples(store: Store, site: str, sensors: Iterable[str], month: Month) -> Samples:
    """The hourly readings of the first sensor with a meter. The mean of an hour in which it counts is the reading in its middle."""
    span = month.start_ms - MARGIN_MS, month.end_ms + MARGIN_MS
    for sensor in sensors:
        steps = store.means(site, sensor, METER, *span, HOUR_MS)
        if any(month.start_ms <= at_ms < month.end_ms for at_ms, _ in steps):
            return [(at_ms + HOUR_MS // 2, kwh) for at_ms, kwh in steps]
    return []


def _dark(place: Place, month: Month) -> Iterable[tuple[int, bool]]:
    first_ms = month.start_ms // HOUR_MS * HOUR_MS + HOUR_MS // 2
    for hour_ms in range(first_ms, month.end_ms - HOUR_MS, HOUR_MS):
        ends = [sun_deg(place, at_ms // 1000) for at_ms in (hour_ms, hour_ms + HOUR_MS)]
        if max(ends) < NIGHT_DEG or min(ends) > DAY_DEG:
            yield hour_ms, max(ends) < NIGHT_DEG


def _middle(city: City) -> Place:
    """The sun of a whole city: ten kilometres to the east or west make half a minute."""
    places = [(lamp.lat, lamp.lon) for lamp in city.lamps.values()] + [(each.lat, each.lon) for each in city.cabinets.values()]
    count = max(len(places), 1)
    return Place(sum(lat for lat, _ in places) / count, sum(lon for _, lon in places) / count, city.timezone)
