"""Rows of an office's table as lamps of the catalogue, and a word on each row that cannot be one."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hoflicht.catalogue import Lamp
from hoflicht.reading import is_id
from workshop import utm
from workshop.geography import FAR_KM, Box, Spot, km, middle
from workshop.rows import UMLAUTS, Row

# What the columns are called in German and English tables, without what `rows.plain` takes away.
NUMBER = (
    *("id", "nr", "nummer", "number", "lampe", "lamp", "lampennr", "lampennummer", "leuchte", "leuchtennr", "leuchtennummer"),
    *("leuchtenid", "lichtpunkt", "lichtpunktnr", "lichtpunktnummer", "mast", "mastnr", "mastnummer", "pole", "poleid", "kennung"),
    *("bezeichnung", "objectid", "objektid", "fid", "ogcfid", "gid"),
)
STREET = ("strasse", "street", "strassenname", "strname", "str", "streetname", "standort", "location", "adresse", "address")
DISTRICT = ("stadtteil", "stadtteilname", "ortsteil", "ortsteilname", "bezirk", "stadtbezirk", "district")
LAT = ("lat", "latitude", "breite", "breitengrad", "geobreite")
LON = ("lon", "lng", "long", "longitude", "laenge", "laengengrad", "geolaenge")
EAST = (
    "ost",
    "ostwert",
    "rechtswert",
    "rechts",
    "easting",
    "east",
    "e",
    "x",
    "xkoordinate",
    "koordinatex",
    "xkoord",
    "utmx",
    "utme",
)
NORTH = (
    "nord",
    "nordwert",
    "hochwert",
    "hoch",
    "northing",
    "north",
    "n",
    "y",
    "ykoordinate",
    "koordinatey",
    "ykoord",
    "utmy",
    "utmn",
)
POINT = ("geopoint2d", "geopoint", "koordinaten", "coordinates", "wkt", "geom", "geometry", "shape", "point")
POWER = (
    *("leistung", "leistungw", "leistungwatt", "watt", "power", "powerw", "wattage", "nominalpowerw"),
    *("systemleistung", "systemleistungw", "anschlussleistung", "anschlussleistungw", "anschlusswert"),
)

ZONE = 32  # of UTM: western and central Germany (EPSG:25832)
MAX_POWER_W = 2_000  # the largest floodlights
USUAL_POWER_W = Lamp(street="", lat=0, lon=0).nominal_power_w
NUMERAL = re.compile(r"[-+]?\d[\d.,' \u00a0\u202f]*")
NOWHERE = Spot(0, 0)


class Unused(NamedTuple):
    """A row that has become no lamp, and why."""

    place: str
    why: str


class Found(NamedTuple):
    """What a table has given: lamps by name, rows that were of no use, and what somebody should look at in those that were."""

    lamps: dict[str, Lamp]
    unused: list[Unused]
    remarks: list[str]
    rows: int


def lamps(rows: Iterable[Row], group: str, zone: int = ZONE, box: Box | None = None) -> Found:
    """Make lamps of `group` from `rows`; eastings and northings are of the UTM `zone` where they do not say another."""
    harvest = _Harvest(group, zone, box)
    for row in rows:
        harvest.take(row)
    harvest.drop_distant()
    return Found(harvest.lamps, harvest.unused, [*harvest.remarks()], harvest.rows)


class _Harvest:
    def __init__(self, group: str, zone: int, box: Box | None) -> None:
        self.lamps: dict[str, Lamp] = {}
        self.unused: list[Unused] = []
        self.rows = 0
        self._group, self._zone, self._box = group, zone, box
        self._places: dict[str, str] = {}  # of the row that a lamp came from
        self._powerless = 0

    def take(self, row: Row) -> None:
        self.rows += 1
        name, nameless = _name(row, self.rows)
        spot, misplaced = _spot(row, self._zone)
        why = nameless or misplaced or self._hindrance(name, spot)
        if why:
            self.unused.append(Unused(row.place, why))
        else:
            self._places[name] = row.place
            self.lamps[name] = self._lamp(row, spot)

    def _hindrance(self, name: str, spot: Spot) -> str:
        if self._box and not self._box.holds(spot):
            return "it stands outside the bounds"
        if name in self.lamps:
            same = ", at the same place" if _at(self.lamps[name]) == spot else ""
            return f"{name} is in {self._places[name]} already{same}"
        return ""

    def _lamp(self, row: Row, spot: Spot) -> Lamp:
        power = _number(_first(row, POWER))
        if power is None or not 0 < power <= MAX_POWER_W:
            self._powerless += 1
            power = USUAL_POWER_W
        street, district = _first(row, STREET), _first(row, DISTRICT)
        return Lamp(street=street, district=district, lat=spot.lat, lon=spot.lon, group=self._group, nominal_power_w=power)

    def drop_distant(self) -> None:
        """Leave out what stands far from all others, which only all of them can tell."""
        centre = middle([_at(lamp) for lamp in self.lamps.values()]) if self.lamps else None
        for name, lamp in list(self.lamps.items()):
            if centre and km(_at(lamp), centre) > FAR_KM:
                why = f"{name} stands {km(_at(lamp), centre):,.0f} km from the middle of all"
                self.unused.append(Unused(self._places[name], why))
                del self.lamps[name]

    def remarks(self) -> Iterator[str]:
        """What somebody should look at in those that are used."""
        first: dict[Spot, str] = {}
        for name, lamp in self.lamps.items():
            other = first.setdefault(_at(lamp), name)
            if other != name:
                yield f"{self._places[name]}: {name} stands exactly where {other} does"
        streetless = sum(not lamp.street for lamp in self.lamps.values())
        if streetless:
            yield f"{streetless:,} lamps without a street"
        if self._powerless:
            yield f"{self._powerless:,} lamps whose power is not told: they are taken for {USUAL_POWER_W:g} W (nominal_power_w)"


def _name(row: Row, count: int) -> tuple[str, str]:
    told = _first(row, NUMBER)
    if not told:
        if any(column in row.values for column in NUMBER):
            return "", "it has no number"
        return f"lamp-{count:05}", ""
    slug = re.sub(r"[^a-z0-9_]+", "-", told.casefold().translate(UMLAUTS)).strip("-_")
    name = slug if slug.startswith("lamp-") else f"lamp-{slug}"
    return name, "" if slug and is_id(name) else f"{told[:40]!r} can be no name"


def _spot(row: Row, zone: int) -> tuple[Spot, str]:
    """Where it stands, to 0.1 m; or NOWHERE and why."""
    if row.values.get("geometrytype"):
        return NOWHERE, f"its geometry is a {row.values['geometrytype'][:20]}, no point"
    pairs = ((_first(row, LON), _first(row, LAT)), (_first(row, EAST), _first(row, NORTH)), _pair(_first(row, POINT)))
    east, north = next((pair for pair in pairs if all(pair)), ("", ""))
    x, y = _number(east), _number(north)
    if x is None or y is None:
        told = f"{east[:20]!r} and {north[:20]!r}" if east else "none"
        return NOWHERE, f"no coordinates can be read: {told}"
    if abs(x) <= 180 and abs(y) <= 90:
        return (_rounded(Spot(y, x)), "") if x or y else (NOWHERE, "its coordinates are 0 and 0")
    told_zone, metres = divmod(x, 1_000_000)  # 32 345 678: the zone stands before the easting (EPSG:4647)
    if not (100_000 <= metres <= 900_000 and 0 < y < 9_400_000 and (told_zone == 0 or 1 <= told_zone <= 60)):
        return NOWHERE, f"{east[:20]} and {north[:20]} are neither degrees nor metres of UTM"
    return _rounded(utm.spot(metres, y, int(told_zone) or zone)), ""


def _pair(told: str) -> tuple[str, str]:
    """Two numbers in one column, as "x, y": a POINT has longitude first (WKT), all others have latitude first."""
    numbers = re.findall(r"[-+]?\d+(?:\.\d+)?", told)
    if len(numbers) < 2:
        return "", ""
    return (numbers[0], numbers[1]) if told.casefold().startswith(("point", "srid")) else (numbers[1], numbers[0])


def _number(told: str) -> float | None:
    """A number as Germans or others write it, with a unit behind it or without."""
    numeral = NUMERAL.match(told.strip())
    if not numeral:
        return None
    text = re.sub(r"[' \u00a0\u202f]", "", numeral[0]).rstrip(".,")
    decimal = max(text.rfind(","), text.rfind("."))
    if decimal >= 0 and text.count(text[decimal]) == 1:
        text = re.sub(r"[.,]", "", text[:decimal]) + "." + text[decimal + 1 :]
    else:
        text = re.sub(r"[.,]", "", text)  # thousands only
    number = float(text)
    return number if math.isfinite(number) else None


def _first(row: Row, columns: Iterable[str]) -> str:
    return next((row.values[column] for column in columns if row.values.get(column)), "")


def _at(lamp: Lamp) -> Spot:
    return Spot(lamp.lat, lamp.lon)


def _rounded(spot: Spot) -> Spot:
    return Spot(round(spot.lat, 6), round(spot.lon, 6))
