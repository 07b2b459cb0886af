"""The catalogue of our open data after DCAT-AP.de 3.0, as portals harvest it (open.nrw, GovData, data.europa.eu)."""

import datetime as dt
from collections.abc import Iterator

import msgspec

from api.open_data.datasets import FORMS, Dataset, datasets
from api.open_data.turtle import Node, as_turtle, iri
from hoflicht.catalogue import City, places
from hoflicht.open_data import Licence

PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dcatde": "http://dcat-ap.de/def/dcatde/",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
EU = "http://publications.europa.eu/resource/authority"  # its vocabularies, which DCAT-AP.de prescribes
DE = "http://dcat-ap.de/def"
IANA = "https://www.iana.org/assignments/media-types"
AVAILABLE = {"@id": f"{EU}/planned-availability/AVAILABLE"}  # for years: as long as the platform runs
GERMAN = {"@id": f"{EU}/language/DEU"}
NAMED = (Licence.BY, Licence.CC_BY)  # licences under which the source must be named
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"  # said, as Konvention 4 of DCAT-AP.de wants it


class Catalogue:
    """The document for `city` at `base`, as of the day `today`."""

    def __init__(self, city: City, today: dt.date, base: str) -> None:
        self._city = city
        self._today = today
        self._at = f"{base}/v1/catalogue"
        self._base = base
        self._publisher = {"@id": f"{self._at}#publisher"}

    def as_jsonld(self) -> bytes:
        """JSON-LD 1.1."""
        return msgspec.json.encode({"@context": PREFIXES, "@graph": list(self._nodes())})

    def as_turtle(self) -> bytes:
        """Turtle."""
        return as_turtle(PREFIXES, self._nodes())

    def _nodes(self) -> Iterator[Node]:
        told = list(datasets(self._city))
        yield self._catalogue(told)
        yield self._agent()
        yield self._service(told)
        for each in told:
            yield self._dataset(each)
            yield from (self._distribution(each, number) for number in range(len(each.ways)))

    def _catalogue(self, told: list[Dataset]) -> Node:
        return {
            "@id": self._at,
            "@type": "dcat:Catalog",
            "dct:title": _german(f"Offene Daten: Recyclinghöfe und Licht in {self._city.name}"),
            "dct:description": _german("Wartezeiten, Öffnungszeiten, Laternen und Luft, gemessen ohne Bezug zu Personen."),
            "dct:publisher": self._publisher,
            "dct:language": GERMAN,
            "dct:license": self._licence(),
            "dct:modified": _date(self._today),
            "dcat:themeTaxonomy": {"@id": f"{EU}/data-theme"},
            "foaf:homepage": {"@id": iri(f"{self._base}/")},
            "dcat:service": {"@id": f"{self._at}#api"},
            "dcat:dataset": [{"@id": self._named(each)} for each in told],
            **self._place(),
        }

    def _agent(self) -> Node:
        return {
            **self._publisher,
            "@type": "foaf:Agent",
            "foaf:name": _german(self._city.open_data.publisher or self._city.name),
            "dct:type": {"@id": "http://purl.org/adms/publishertype/LocalAuthority"},
        }

    def _service(self, told: list[Dataset]) -> Node:
        return {
            "@id": f"{self._at}#api",
            "@type": "dcat:DataService",
            "dct:title": _german("Schnittstelle zum Lesen"),
            "dct:publisher": self._publisher,
            "dct:license": self._licence(),
            "dcat:endpointURL": {"@id": iri(f"{self._base}/v1")},
            "dcat:endpointDescription": {"@id": iri(f"{self._base}/openapi.json")},
            "dcat:servesDataset": [{"@id": self._named(each)} for each in told],
            "dcatap:availability": AVAILABLE,
        }

    def _dataset(self, told: Dataset) -> Node:
        first, last = (self._today + dt.timedelta(days=days) for days in (told.from_day, told.until_day))
        return {
            "@id": self._named(told),
            "@type": "dcat:Dataset",
            "dct:title": [_german(f"{told.title} {self._city.name}"), _english(f"{told.english}, {self._city.name}")],
            "dct:description": _german(told.about),
            "dct:identifier": {"@value": self._named(told)},
            "dct:publisher": self._publisher,
            "dct:modified": _date(self._today),
            "dct:language": GERMAN,
            "dct:accessRights": {"@id": f"{EU}/access-right/PUBLIC"},
            "dct:accrualPeriodicity": {"@id": f"{EU}/frequency/{told.frequency}"},
            "dct:temporal": {"@type": "dct:PeriodOfTime", "dcat:startDate": _date(first), "dcat:endDate": _date(last)},
            "dcat:landingPage": {"@id": iri(f"{self._base}/")},
            "dcat:theme": {"@id": f"{EU}/data-theme/{told.theme}"},
            "dcat:keyword": [_german(word) for word in told.keywords],
            "dcat:distribution": [{"@id": self._named(told, number)} for number in range(len(told.ways))],
            "dcatap:availability": AVAILABLE,
            **self._place(),
            **self._contact(),
            **self._codes(),
        }

    def _distribution(self, told: Dataset, number: int) -> Node:
        way = told.ways[number]
        address = {"@id": iri(f"{self._base}{way.path}")}
        named = {"dcatde:licenseAttributionByText": _german(self._city.open_data.publisher or self._city.name)}
        return {
            "@id": self._named(told, number),
            "@type": "dcat:Distribution",
            "dct:title": _german(way.title),
            "dct:license": self._licence(),
            "dct:format": {"@id": f"{EU}/file-type/{way.form}"},
            "dct:modified": _date(self._today),
            "dcat:mediaType": {"@id": f"{IANA}/{FORMS[way.form]}"},
            "dcat:accessURL": address,
            "dcatap:availability": AVAILABLE,
            "adms:status": {"@id": f"{EU}/distribution-status/COMPLETED"},
            **(named if self._city.open_data.licence in NAMED else {}),
        }

    def _named(self, told: Dataset, number: int | None = None) -> str:
        return f"{self._at}#{told.name}" + ("" if number is None else f"-{number + 1}")

    def _licence(self) -> Node:
        return {"@id": f"{DE}/licenses/{self._city.open_data.licence.value}"}

    def _contact(self) -> dict[str, Node]:
        contact = self._city.open_data.contact
        if not contact:
            return {}
        term, address = ("vcard:hasEmail", f"mailto:{contact}") if "@" in contact else ("vcard:hasURL", contact)
        name = self._city.open_data.publisher or self._city.name
        return {"dcat:contactPoint": {"@type": "vcard:Kind", "vcard:fn": _german(name), term: {"@id": iri(address)}}}

    def _codes(self) -> dict[str, Node]:
        told = self._city.open_data
        codes: dict[str, Node] = {}
        if told.contributor:
            codes["dcatde:contributorID"] = {"@id": f"{DE}/contributors/{told.contributor}"}
        if told.municipality:
            kind = "municipalityKey" if len(told.municipality) == 8 else "regionalKey"
            codes["dcatde:politicalGeocodingURI"] = {"@id": f"{DE}/politicalGeocoding/{kind}/{told.municipality}"}
            codes["dcatde:politicalGeocodingLevelURI"] = {"@id": f"{DE}/politicalGeocoding/Level/municipality"}
        return codes

    def _place(self) -> dict[str, Node]:
        """The box of all that stands somewhere, longitude first, as CRS84 has it."""
        spots = list(places(self._city).values())
        if not spots:
            return {}
        (west, east), (south, north) = ((min(side), max(side)) for side in zip(*((s.lon, s.lat) for s in spots), strict=True))
        corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
        box = f"<{CRS84}> POLYGON(({','.join(f'{lon:.5f} {lat:.5f}' for lon, lat in corners)}))"
        return {"dct:spatial": {"@type": "dct:Location", "dcat:bbox": {"@value": box, "@type": "geo:wktLiteral"}}}


def _german(text: str) -> Node:
    return {"@value": text, "@language": "de"}


def _english(text: str) -> Node:
    return {"@value": text, "@language": "en"}


def _date(day: dt.date) -> Node:
    return {"@value": day.isoformat(), "@type": "xsd:date"}
