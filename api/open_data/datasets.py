"""Which open data there are, in the words of a catalogue; dcat.py writes them as portals want it."""

from collections.abc import Iterator
from typing import NamedTuple

from api.open_data.calendar import DAYS
from hoflicht.catalogue import City, Role

FORMS = {  # EU file type: media type
    "JSON": "application/json",
    "GEOJSON": "application/geo+json",
    "CSV": "text/csv",
    "ICS": "text/calendar",
    "ATOM": "application/atom+xml",
    "JSON_LD": "application/ld+json",
}
RAW_DAYS = 90  # days that the store keeps in full; older ones are kept by the hour
AHEAD_DAYS = 7  # of the forecast


class Way(NamedTuple):
    """One distribution: where, in which of FORMS, and its title."""

    path: str
    form: str
    title: str


class Dataset(NamedTuple):
    """One dataset in German, its title in English too; `theme` and `frequency` by the EU's lists, its days counted from today."""

    name: str
    title: str
    english: str
    about: str
    keywords: tuple[str, ...]
    ways: tuple[Way, ...]
    theme: str = "ENVI"
    frequency: str = "CONT"
    from_day: int = 0
    until_day: int = 0


def datasets(city: City) -> Iterator[Dataset]:
    """Those that `city` has."""
    if city.yards:
        yield from _of_yards({name: yard.name for name, yard in city.yards.items()})
    if city.lamps:
        yield Dataset(
            name="lamps",
            title="Straßenlaternen",
            english="Street lamps",
            about="Standort jeder Laterne, wie hell sie brennt und warum, Leistung und sichtbare Störungen; ein Stand je Minute.",
            keywords=("Straßenbeleuchtung", "Laterne", "Echtzeit"),
            ways=(Way("/v1/lamps", "JSON", "Laternen"), Way("/v1/lamps?format=geojson", "GEOJSON", "Laternen auf der Karte")),
            theme="ENER",
        )
    if _measures_air(city):
        yield Dataset(
            name="air",
            title="Feinstaub",
            english="Particulate matter",
            about="Letzte Messwerte von PM1, PM2,5, PM4 und PM10 je Messstelle; ein Stand je Minute. Keine amtliche Messung.",
            keywords=("Feinstaub", "Luftqualität", "Echtzeit"),
            ways=(Way("/v1/air", "JSON", "Feinstaub"), Way("/v1/air?format=geojson", "GEOJSON", "Feinstaub auf der Karte")),
        )


def _of_yards(yards: dict[str, str]) -> Iterator[Dataset]:
    yield Dataset(
        name="waits",
        title="Wartezeiten der Recyclinghöfe",
        english="Waiting times of recycling yards",
        about="Zeit vom Ende der Schlange bis zur Einfahrt für ein Auto, das jetzt ankommt, mit Spanne, Tendenz und Gültigkeit.",
        keywords=("Recyclinghof", "Wartezeit", "Abfall", "Echtzeit"),
        ways=(Way("/v1/yards", "JSON", "Wartezeiten"), Way("/v1/yards?format=geojson", "GEOJSON", "Wartezeiten auf der Karte")),
    )
    yield Dataset(
        name="history",
        title="Verlauf der Wartezeiten der Recyclinghöfe",
        english="Past waiting times of recycling yards",
        about="Ein Tag je Datei in Schritten von fünf Minuten: Wartezeit, Länge der Schlange, Zahl der Fahrzeuge.",
        keywords=("Recyclinghof", "Wartezeit", "Verkehrszählung", "Zeitreihe"),
        ways=tuple(Way(f"/v1/yards/{name}/days", "CSV", f"{title}: ein Tag je Datei") for name, title in yards.items()),
        frequency="DAILY",
        from_day=-RAW_DAYS,
        until_day=-1,
    )
    yield Dataset(
        name="forecast",
        title="Prognose der Wartezeiten der Recyclinghöfe",
        english="Forecast of waiting times of recycling yards",
        about="Erwartete Wartezeit der nächsten Tage je Stunde, mit Spanne.",
        keywords=("Recyclinghof", "Wartezeit", "Prognose"),
        ways=tuple(Way(f"/v1/yards/{name}/forecast", "JSON", f"{title}: Prognose") for name, title in yards.items()),
        until_day=AHEAD_DAYS,
    )
    calendars = (Way(f"/v1/yards/{name}/hours.ics", "ICS", f"{title}: Kalender") for name, title in yards.items())
    yield Dataset(
        name="hours",
        title="Öffnungszeiten der Recyclinghöfe",
        english="Opening hours of recycling yards",
        about="Öffnungszeiten der nächsten zwölf Monate mit Feiertagen und besonderen Tagen.",
        keywords=("Recyclinghof", "Öffnungszeiten", "Abfall"),
        ways=(*calendars, Way("/v1/places", "JSON_LD", "Orte und Öffnungszeiten nach schema.org")),
        frequency="DAILY",
        until_day=DAYS,
    )
    yield Dataset(
        name="notices",
        title="Hinweise der Recyclinghöfe",
        english="Notices of recycling yards",
        about="Was das Personal zurzeit von einem Hof meldet.",
        keywords=("Recyclinghof", "Hinweis", "Störung"),
        ways=(Way("/v1/notices", "JSON", "Hinweise"), Way("/v1/notices.atom", "ATOM", "Hinweise als Feed")),
        frequency="IRREG",
    )


def _measures_air(city: City) -> bool:
    """Whether there is a sensor that may: neither a lamp's driver nor one that the estimate of a yard goes by."""
    of_lamps = {sensor for lamp in city.lamps.values() for sensor in lamp.sensors} - {"driver"}
    return bool(of_lamps) or any(each.role is Role.OTHER for yard in city.yards.values() for each in yard.sensors.values())
