"""The catalogue of open data: as DCAT-AP.de wants it, the same in both forms, and every way in it leads somewhere."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyshacl
import pytest
from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, RDF

from api.open_data import excerpts
from api.open_data.dcat import Catalogue
from api.open_data.turtle import as_turtle, iri
from hoflicht.catalogue import City, load_city
from hoflicht.errors import BadConfig
from hoflicht.open_data import Licence, OpenData
from tests.conftest import ROOT
from tests.face import Face, facing
from tests.office import NOW_MS

TODAY = dt.date(2026, 11, 23)
BASE = "https://waiting.example.org"
DCATDE = Namespace("http://dcat-ap.de/def/dcatde/")
# What the published shapes say beyond types that all of ours have, in our own words; the file names its source.
SHAPES = ROOT / "tests" / "cases" / "dcat" / "shapes.ttl"
OWN_AFFAIR = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's reader of JSON-LD uses it
TOLD = OpenData(
    url=BASE, publisher="Stadt Duisburg", contact="opendata@example.org", contributor="openNRW", municipality="05112000"
)


@pytest.fixture(scope="module")
def shapes() -> Graph:
    return Graph().parse(SHAPES, format="turtle")


@pytest.fixture(scope="module")
def face(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    with facing(city, tmp_path_factory.mktemp("face"), NOW_MS) as running:
        yield running


def told_by(city: City, told: OpenData) -> Catalogue:
    return Catalogue(msgspec.structs.replace(city, open_data=told), TODAY, BASE)


def graph(city: City, told: OpenData = TOLD) -> Graph:
    return Graph().parse(data=told_by(city, told).as_turtle(), format="turtle")


def from_jsonld(document: bytes) -> Graph:
    return Graph().parse(data=document, format="json-ld")


def complaints(data: Graph, shapes: Graph) -> str:
    conforms, _, text = pyshacl.validate(data, shacl_graph=shapes)
    return "" if conforms else str(text)


@pytest.mark.parametrize(
    "told",
    [
        OpenData(),
        TOLD,
        OpenData(licence=Licence.ZERO, contact="https://example.org/kontakt"),
        OpenData(licence=Licence.CC_BY, municipality="051120000000"),
    ],
)
def test_a_catalogue_is_as_dcat_ap_de_wants_it(city: City, shapes: Graph, told: OpenData) -> None:
    assert complaints(graph(city, told), shapes) == ""


@pytest.mark.parametrize(
    ("kind", "term"),
    [
        (DCAT.Catalog, DCTERMS.title),
        (DCAT.Catalog, DCTERMS.description),
        (DCAT.Catalog, DCTERMS.publisher),
        (DCAT.Dataset, DCTERMS.title),
        (DCAT.Dataset, DCTERMS.description),
        (DCAT.Dataset, DCTERMS.publisher),
        (DCAT.Dataset, DCAT.theme),
        (DCAT.Dataset, DCAT.distribution),
        (DCAT.Distribution, DCAT.accessURL),
        (DCAT.Distribution, DCTERMS.license),
        (DCAT.Distribution, DCATDE.licenseAttributionByText),
        (DCAT.DataService, DCAT.endpointURL),
    ],
)
def test_the_shapes_see_what_is_missing(city: City, shapes: Graph, kind: URIRef, term: URIRef) -> None:
    data = graph(city)
    for node in data.subjects(RDF.type, kind):
        data.remove((node, term, None))

    assert "Constraint Violation" in complaints(data, shapes)


@OWN_AFFAIR
def test_both_forms_say_the_same(city: City) -> None:
    jsonld = from_jsonld(told_by(city, TOLD).as_jsonld())

    assert isomorphic(graph(city), jsonld)
    assert len(jsonld) > 400


def test_what_the_city_says_of_its_data_stands_in_it(city: City) -> None:
    data = graph(city)
    [history] = [node for node in data.subjects(RDF.type, DCAT.Dataset) if str(node).endswith("#history")]
    licences = {
        str(licence) for node in data.subjects(RDF.type, DCAT.Distribution) for licence in data.objects(node, DCTERMS.license)
    }

    assert licences == {"http://dcat-ap.de/def/licenses/dl-by-de/2.0"}
    assert (history, DCATDE.contributorID, URIRef("http://dcat-ap.de/def/contributors/openNRW")) in data
    assert (None, DCATDE.licenseAttributionByText, Literal("Stadt Duisburg", lang="de")) in data
    key = URIRef("http://dcat-ap.de/def/politicalGeocoding/municipalityKey/05112000")
    assert (history, DCATDE.politicalGeocodingURI, key) in data
    [period] = data.objects(history, DCTERMS.temporal)
    assert [str(data.value(period, term)) for term in (DCAT.startDate, DCAT.endDate)] == ["2026-08-25", "2026-11-22"]
    assert len(list(data.objects(history, DCAT.distribution))) == 4


def test_nobody_need_be_named_where_the_licence_does_not_ask_for_it(city: City) -> None:
    assert (None, DCATDE.licenseAttributionByText, None) not in graph(city, OpenData(licence=Licence.ZERO))


def test_a_city_without_lamps_or_air_tells_of_none(city: City) -> None:
    bare = msgspec.structs.replace(city, lamps={}, groups={}, cabinets={}, yards={})
    some = msgspec.structs.replace(bare, lamps={"a-1": next(iter(city.lamps.values()))})

    names = [{str(node).partition("#")[2] for node in graph(each).subjects(RDF.type, DCAT.Dataset)} for each in (bare, some, city)]
    assert names[0] == set()
    assert "waits" not in names[1]
    assert names[2] == {"waits", "history", "forecast", "hours", "notices", "lamps", "air"}


def test_every_way_in_the_catalogue_leads_to_what_it_says(face: Face) -> None:
    data = Graph().parse(data=face.get("/v1/catalogue.ttl").content, format="turtle")
    told = {
        str(data.value(node, DCAT.accessURL)): str(data.value(node, DCAT.mediaType)).rpartition("media-types/")[2]
        for node in data.subjects(RDF.type, DCAT.Distribution)
    }
    met = {}
    for url in told:
        answer = face.client.get(url)
        if url.endswith("/days"):  # a list of files
            answer = face.get(answer.json()["days"][1])
        met[url] = answer.headers["content-type"].partition(";")[0] if answer.status_code == 200 else str(answer.status_code)

    assert met == told
    [endpoint] = data.objects(None, DCAT.endpointDescription)
    assert face.client.get(str(endpoint)).status_code == 200


def test_a_client_gets_the_form_that_it_asks_for(face: Face) -> None:
    asked = {"text/turtle": "", "application/ld+json": "", "*/*": ""}
    types = {accept: face.get("/v1/catalogue", accept=accept).headers["content-type"] for accept in asked}

    assert types == {
        "text/turtle": "text/turtle; charset=utf-8",
        "application/ld+json": "application/ld+json",
        "*/*": "application/ld+json",
    }
    assert face.get("/v1/catalogue", accept="text/turtle").content == face.get("/v1/catalogue.ttl").content
    assert face.get("/v1/catalogue").content == face.get("/v1/catalogue.jsonld").content


def test_what_would_end_an_iri_or_a_text_in_turtle_does_not() -> None:
    node = {"@id": iri("http://x/<a> b"), "@type": "x:T", "x:says": {"@value": 'say "so"\n\\ .', "@language": "de"}}
    data = Graph().parse(data=as_turtle({"x": "http://x/"}, [node]), format="turtle")

    [(subject, _, said)] = data.triples((None, URIRef("http://x/says"), None))
    assert (str(subject), str(said)) == ("http://x/%3Ca%3E%20b", 'say "so"\n\\ .')


@OWN_AFFAIR
def test_the_examples_of_the_description_say_the_same_in_both_forms() -> None:
    jsonld = from_jsonld(msgspec.json.encode(excerpts.CATALOGUE))
    turtle = Graph().parse(data=excerpts.CATALOGUE_TURTLE, format="turtle")

    assert isomorphic(jsonld, turtle)
    assert len(turtle) == 4


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('url = "waiting.example.org"', "url: 'waiting.example.org' is no address"),
        ('url = "https://waiting.example.org/"', "no address without a slash at its end"),
        ('contact = "the mayor"', "contact: 'the mayor' is no e-mail address and no page"),
        ('licence = "cc-by-nc/4.0"', "licence"),
        ('contributor = "a b"', "contributor: 'a b': the last part of its address at GovData"),
        ('municipality = "5112"', "municipality: '5112' is no key of 8 or 12 digits"),
        ('licenses = "cc-zero"', "unknown key 'licenses'"),
    ],
)
def test_a_mistake_in_what_the_city_says_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    (tmp_path / "city.toml").write_text(f'name = "Testhausen"\n[open_data]\n{line}\n')

    with pytest.raises(BadConfig, match=r"\[open_data\] ") as found:
        load_city(tmp_path / "city.toml")

    assert complaint in str(found.value)
