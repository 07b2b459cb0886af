"""The SensorThings view as its clients meet it: the standard's requests, on a real server and a real store."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.minutes import MINUTE_MS
from api.problems import Wrong
from api.sensorthings.answer import Answer
from api.sensorthings.filter import FUNCTIONS, MAX_NODES
from api.sensorthings.model import FIELDS, OBSERVATIONS, RELATIONS, STREAMS, Allowance, World
from api.sensorthings.query import OPTIONS, read
from hoflicht import Reading
from hoflicht.catalogue import City
from tests.face import AwayStore, Face, facing
from tests.lane import YARD, ms, steady_queue

NOW_MS = ms(90) + 30_000  # half a minute past 8:30 UTC
WAITS, GATE, AIR = "hof-nord:estimate:wait_p50", "hof-nord:gate-in:passage", "lamp-0012:air:pm2_5"
DAY_MS = 86_400_000
# 18-088 §8.2: what each entity must have; ours leave out nothing else but what is optional there.
MANDATORY = {
    "Things": {"name", "description"},
    "Locations": {"name", "description", "encodingType", "location"},
    "Datastreams": {"name", "description", "observationType", "unitOfMeasurement"},
    "Sensors": {"name", "description", "encodingType", "metadata"},
    "ObservedProperties": {"name", "description", "definition"},
    "Observations": {"phenomenonTime", "resultTime", "result"},
    "FeaturesOfInterest": {"name", "description", "encodingType", "feature"},
}
MASTERPORTAL = "$expand=Locations,Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc))"


def driven(at_ms: int, **told: float) -> list[Reading]:
    return [Reading("lamp-0012", "driver", quantity, at_ms, value) for quantity, value in told.items()]


def spoken() -> list[Reading]:
    """Hof Nord with eight cars; a lamp, whose post measures the air, was heard twice in a minute, and the day before."""
    told = [Reading(YARD, "estimate", "wait_p50", ms(minute), 60.0 * minute) for minute in range(90)]
    told += [Reading("lamp-0012", "air", "pm2_5", ms(minute), 8.0 + minute / 100) for minute in range(80)]
    told += driven(ms(88), level_actual=100.0, active_power=56.0, lamp_failure=0.0, lamp_unexpected_on=1.0)
    told += driven(ms(88) + 20_000, level_actual=50.0, active_power=30.0, lamp_failure=0.0)
    told += driven(NOW_MS - DAY_MS - 120_000, level_actual=70.0)
    # What is no device's, what is nobody's business, and what the minute that runs has told so far.
    told += [Reading("lamp-0012", "staff", "pm2_5", ms(80), 99.0), Reading(YARD, "staff", "hold", ms(80), 600.0)]
    told += [Reading("cabinet-07", "meter", "active_power", ms(80), 900.0)]
    return [*told, *(Reading(YARD, "gate-in", "passage", at_ms, 1.0) for at_ms in (ms(1) + 50_000, NOW_MS - 10_000))]


@pytest.fixture(scope="module")
def face(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    with facing(city, tmp_path_factory.mktemp("face"), NOW_MS, [*steady_queue(8, 90), *spoken()]) as running:
        yield running


def asked(face: Face, path: str) -> dict[str, Any]:
    answer = face.get(f"/v1.1/{path}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ids(face: Face, path: str) -> list[str]:
    return [each["@iot.id"] for each in asked(face, path)["value"]]


def observations(stream: str) -> str:
    return f"Datastreams('{stream}')/Observations"


def pages(face: Face, path: str) -> Iterator[list[dict[str, Any]]]:
    """Each page of a collection, by the links from one to the next."""
    link = f"{face.url}/v1.1/{path}"
    while link:
        page = face.client.get(link).json()
        yield page["value"]
        link = page.get("@iot.nextLink", "")


def test_the_root_names_what_there_is_and_what_holds(face: Face) -> None:
    root = asked(face, "")

    assert {each["name"]: each["url"] for each in root["value"]} == {kind: f"{face.url}/v1.1/{kind}" for kind in RELATIONS}
    conformance = root["serverSettings"]["conformance"]
    assert "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/filter" in conformance
    assert [each for each in conformance if re.search("functions|create|batch|mqtt|array", each)] == []
    assert face.get("/v1.1").content == face.get("/v1.1/").content


@pytest.mark.parametrize("kind", MANDATORY)
def test_every_entity_has_what_it_must_and_leads_to_itself_and_to_its_relations(face: Face, kind: str) -> None:
    entity = asked(face, f"{kind}?$top=1")["value"][0]

    assert MANDATORY[kind] <= {name for name in entity if not name.endswith("Link")}
    assert set(entity) <= {"@iot.id", "@iot.selfLink", *FIELDS[kind], *(f"{name}@iot.navigationLink" for name in RELATIONS[kind])}
    assert face.client.get(entity["@iot.selfLink"]).json() == entity
    links = [entity[f"{name}@iot.navigationLink"] for name in RELATIONS[kind]]
    assert {link: face.client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_things_are_the_yards_and_lamps_with_their_places(face: Face) -> None:
    things = asked(face, "Things?$count=true&$expand=Locations&$top=30")
    places = {each["@iot.id"]: each["Locations"][0]["location"] for each in things["value"]}

    assert things["@iot.count"] == len(places) == 28
    assert places["lamp-0012"] == {"type": "Point", "coordinates": [6.76284, 51.42972]}
    assert [each["name"] for each in things["value"][:2]] == ["Recyclinghof Nord", "Recyclinghof Süd"]


def test_nothing_ever_moved(face: Face) -> None:
    assert asked(face, "Things('hof-nord')/HistoricalLocations") == asked(face, "HistoricalLocations") == {"value": []}


def test_a_cabinet_that_tells_of_the_air_is_a_thing(city: City, tmp_path: Path) -> None:
    told = [Reading("cabinet-07", "meter", "pm10", NOW_MS - DAY_MS, 12.0)]
    with facing(city, tmp_path, NOW_MS, told) as face:
        assert ids(face, "Things?$filter=properties/kind eq 'cabinet'") == ["cabinet-07"]
        assert ids(face, "Things('cabinet-07')/Datastreams") == ["cabinet-07:meter:pm10"]


def test_a_datastream_is_a_public_quantity_of_a_device_and_nothing_else_is_told(face: Face) -> None:
    yard, lamp = (ids(face, f"Things('{site}')/Datastreams") for site in (YARD, "lamp-0012"))

    counters = [f"hof-nord:{name}:passage" for name in ("gate-in", "gate-out", "lane-in")]
    assert yard == [WAITS, "hof-nord:estimate:queue_length", *counters]
    driver = [f"lamp-0012:driver:{name}" for name in ("level_target", "level_actual", "active_power", "lamp_failure")]
    assert lamp == [*driver, AIR]
    assert ids(face, "ObservedProperties?$filter=substringof('energy',name) or name eq 'hold' or name eq 'presence'") == []


@pytest.mark.parametrize(
    ("stream", "observed", "unit"),
    [
        (WAITS, "OM_Measurement", {"name": "second", "symbol": "s", "definition": "ucum:s"}),
        (GATE, "OM_CountObservation", {"name": "vehicles", "symbol": "1", "definition": "ucum:1"}),
        ("lamp-0012:driver:lamp_failure", "OM_TruthObservation", {"name": None, "symbol": None, "definition": None}),
        (AIR, "OM_Measurement", {"name": "microgram per cubic metre", "symbol": "µg/m³", "definition": "ucum:ug/m3"}),
    ],
)
def test_a_datastream_says_of_which_kind_and_unit_it_is(face: Face, stream: str, observed: str, unit: dict[str, str]) -> None:
    told = asked(face, f"Datastreams('{stream}')")

    assert told["observationType"] == f"http://www.opengis.net/def/observationType/OGC-OM/2.0/{observed}"
    assert told["unitOfMeasurement"] == unit


def test_every_datastream_that_a_city_may_have_has_its_unit(face: Face) -> None:
    face.store.write([Reading("lamp-0001", "traffic", name, ms(1), 1.0) for name in ("pm1", "pm2_5", "pm4", "pm10")])

    assert len(asked(face, "Datastreams?$top=1000")["value"]) == 114


def test_an_observation_is_what_a_history_by_the_minute_has(face: Face) -> None:
    past = face.get("/v1/yards/hof-nord/history?quantity=passage&step=60&from=2026-11-23T07:00:00Z").json()["series"]
    counted = next(series["points"] for series in past if series["sensor"] == "gate-in")
    told = asked(face, f"{observations(GATE)}?$top=1000")["value"]

    begins = [each["phenomenonTime"].partition("/")[0] for each in told]
    assert list(zip(begins, (each["result"] for each in told), strict=True)) == [(one["at"], one["value"]) for one in counted]
    assert told[0]["phenomenonTime"] == "2026-11-23T07:01:00Z/2026-11-23T07:02:00Z"
    assert told[0]["resultTime"] == "2026-11-23T07:02:00Z"
    assert (told[0]["result"], {type(each["result"]) for each in told}) == (2, {int})
    assert max(each["resultTime"] for each in told) <= "2026-11-23T08:30:00Z"  # the minute that runs is nobody's yet


def test_a_lamp_is_told_by_the_mean_of_a_minute_and_no_further_back_than_a_day(face: Face) -> None:
    levels = asked(face, observations("lamp-0012:driver:level_actual"))["value"]
    failure = asked(face, observations("lamp-0012:driver:lamp_failure"))["value"]

    assert [(each["resultTime"], each["result"]) for each in levels] == [("2026-11-23T08:29:00Z", 75.0)]
    assert [each["result"] for each in failure] == [False]


def test_an_observation_is_found_again_and_knows_where_it_belongs(face: Face) -> None:
    told = asked(face, f"Observations('{WAITS}:20261123T0715Z')?$expand=Datastream/Thing,Datastream/Sensor,FeatureOfInterest")

    assert (told["result"], told["Datastream"]["Thing"]["name"]) == (900.0, "Recyclinghof Nord")
    assert told["Datastream"]["Sensor"]["@iot.id"] == "hof-nord:estimate"
    assert told["FeatureOfInterest"]["feature"] == {"type": "Point", "coordinates": [6.7486, 51.4936]}


def test_a_map_asks_for_the_newest_of_every_thing_at_once(face: Face) -> None:
    found = list(pages(face, f"Things?{MASTERPORTAL}"))
    things = {each["@iot.id"]: each for page in found for each in page}

    newest = {
        stream["@iot.id"]: [(each["resultTime"], each["result"]) for each in stream["Observations"]]
        for thing in things.values()
        for stream in thing["Datastreams"]
    }
    assert (len(things), [len(page) for page in found]) == (28, [20, 8])
    assert newest[WAITS] == [("2026-11-23T08:30:00Z", 5340.0)]
    assert newest[AIR] == [("2026-11-23T08:20:00Z", 8.8)]
    assert newest["lamp-0012:driver:active_power"] == [("2026-11-23T08:29:00Z", 43.0)]
    assert newest["lamp-0001:driver:active_power"] == []


@pytest.mark.parametrize("order", ["", "&$orderby=phenomenonTime desc"])
def test_pages_have_neither_holes_nor_doubles_while_minutes_come_in_late_and_new(city: City, tmp_path: Path, order: str) -> None:
    def told(minutes: list[int]) -> list[Reading]:
        return [Reading(YARD, name, "passage", ms(minute), 1.0) for minute in minutes for name in ("gate-in", "gate-out")]

    seen: list[list[str]] = []
    with facing(city, tmp_path, ms(60), told([*range(20), *range(40, 55)])) as face:
        for page in pages(face, f"FeaturesOfInterest('hof-nord')/Observations?$top=7{order}"):
            seen.append([each["@iot.id"] for each in page])
            if len(seen) == 2:  # a gateway was without network, and the world goes on
                face.store.write(told([*range(20, 25), *range(60, 63)]))
                face.clock.advance(4 * MINUTE_MS)

    flat = [each for page in seen for each in page]
    late = [f"T07{minute}Z" for minute in range(20, 25)]
    wanted = 2 * (20 + 15 + 5 + (0 if order else 3))  # who goes backwards does not meet what came after
    assert (len(flat), len(set(flat))) == (wanted, wanted)
    assert sum(each.endswith(tuple(late)) for each in flat) == 10
    assert [len(page) for page in seen[:-1]] == [7] * (len(seen) - 1)


def test_a_page_has_a_hundred_entities_unless_asked_otherwise(face: Face) -> None:
    usual, few, none = (asked(face, f"Observations{query}") for query in ("", "?$top=3", "?$top=0&$count=true"))

    assert (len(usual["value"]), len(few["value"]), none["value"]) == (100, 3, [])
    assert "$skiptoken=" in usual["@iot.nextLink"]
    assert ("@iot.nextLink" in none, none["@iot.count"] > 300) == (False, True)


def test_a_list_is_paged_by_skipping(face: Face) -> None:
    found = [[each["@iot.id"] for each in page] for page in pages(face, "Things?$top=10&$skip=1&$orderby=name desc")]

    assert [len(page) for page in found] == [10, 10, 7]
    assert (found[0][0], found[2][-1]) == ("lamp-0023", "hof-mitte")


def test_what_is_expanded_is_paged_too(face: Face) -> None:
    yard = asked(face, "Things('hof-nord')?$expand=Datastreams($top=2;$select=id;$count=true)")
    rest = face.client.get(yard["Datastreams@iot.nextLink"]).json()

    assert (yard["Datastreams"], yard["Datastreams@iot.count"]) == (
        [{"@iot.id": WAITS}, {"@iot.id": "hof-nord:estimate:queue_length"}],
        5,
    )
    assert [each["@iot.id"] for each in rest["value"]] == [GATE, "hof-nord:gate-out:passage"]


def test_what_has_no_value_comes_first_where_an_order_rises_and_last_where_it_falls(face: Face) -> None:
    path = "Things('lamp-0012')/Datastreams?$orderby=unitOfMeasurement/symbol"

    assert ids(face, path)[0] == "lamp-0012:driver:lamp_failure"
    assert ids(face, f"{path} desc,name")[-1] == "lamp-0012:driver:lamp_failure"


def test_observations_are_put_in_order_by_their_result_too(face: Face) -> None:
    told = asked(face, f"{observations(WAITS)}?$orderby=result desc,phenomenonTime&$top=2&$select=result")

    assert told["value"] == [{"result": 5340.0}, {"result": 5280.0}]
    assert [each["result"] for each in face.client.get(told["@iot.nextLink"]).json()["value"]] == [5220.0, 5160.0]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("Things('hof-nord')?$select=name,id", {"name": "Recyclinghof Nord", "@iot.id": "hof-nord"}),
        ("Things('hof-nord')/name", {"name": "Recyclinghof Nord"}),
        ("Things('hof-nord')/Locations('hof-nord')/location", {"location": {"type": "Point", "coordinates": [6.7486, 51.4936]}}),
        (
            f"Datastreams('{WAITS}')?$select=Thing&$expand=Observations($top=1;$select=result)",
            {"Thing@iot.navigationLink": f"/Datastreams('{WAITS}')/Thing", "Observations": [{"result": 0.0}]},
        ),
        (f"Datastreams('{WAITS}')/Thing/Locations/$ref", {"value": [{"@iot.selfLink": "/Locations('hof-nord')"}]}),
        (f"Observations('{WAITS}:20261123T0715Z')/Datastream/ObservedProperty/name", {"name": "wait_p50"}),
    ],
)
def test_as_much_is_told_as_is_asked_for(face: Face, path: str, told: dict[str, Any]) -> None:
    answer = msgspec.json.decode(face.get(f"/v1.1/{path}").text.replace(f"{face.url}/v1.1", ""))

    assert {name: value for name, value in answer.items() if not name.endswith("nextLink")} == told


def test_a_value_comes_bare_for_whom_asks_so(face: Face) -> None:
    name, place = (face.get(f"/v1.1/Locations('hof-nord')/{field}/$value") for field in ("name", "location"))

    assert (name.headers["content-type"], name.text) == ("text/plain; charset=utf-8", "Recyclinghof Nord")
    assert place.json() == {"type": "Point", "coordinates": [6.7486, 51.4936]}


# The worked requests of 18-088 §9.3.3.5, in words of our city: of how many observations of a wait, which rose by 60 s a minute to
# 5340 s, each is true.
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("result lt 120", 2),
        ("result le 120.0", 3),
        ("result eq 60", 1),
        ("result ne 60", 89),
        ("result gt 5280 or result lt 60", 2),
        ("result gt 60 and result lt 240", 2),
        ("not result gt 60", 2),
        ("not (result gt 60 or result lt 60)", 1),
        ("result add 60 gt 5340", 1),
        ("result sub 5 gt 5330", 1),
        ("result mul 2 ge 10560", 2),
        ("result div 60 eq 7", 1),
        ("result mod 600 eq 0", 9),
        ("60 add 60 mul 2 eq result", 1),
        ("(60 add 60) mul 2 eq result", 1),
        ("result div 0 eq 0", 0),
        ("round(1e999) gt 0 or floor(1e999) gt 0 or ceiling(1e999) gt 0 or 1e999 mod 7 gt 0", 0),
        ("floor(result div 120) eq 1", 2),
        ("ceiling(result div 120) eq 1", 2),
        ("round(result div 120) eq 1", 2),
        ("phenomenonTime ge 2026-11-23T08:28:00Z", 2),
        ("phenomenonTime gt 2026-11-23T08:28:00Z", 1),
        ("phenomenonTime lt 2026-11-23T07:02:00Z", 2),
        ("phenomenonTime lt 2026-11-23T07:01:30Z", 1),
        ("phenomenonTime le 2026-11-23T07:02:00Z", 2),
        ("resultTime eq 2026-11-23T07:02:00Z", 1),
        ("resultTime ge 2026-11-23T09:29:00%2B01:00", 2),
        ("phenomenonTime eq 2026-11-23T07:02:00Z/2026-11-23T07:03:00Z", 1),
        ("during(phenomenonTime,2026-11-23T07:00:00Z/2026-11-23T07:10:00Z)", 10),
        ("before(phenomenonTime,2026-11-23T07:10:00Z)", 10),
        ("after(resultTime,2026-11-23T08:28:00Z)", 2),
        ("overlaps(phenomenonTime,2026-11-23T07:10:30Z/2026-11-23T07:11:30Z)", 2),
        ("overlaps(phenomenonTime,2026-11-23T07:10:30Z)", 1),
        ("hour(phenomenonTime) eq 8 and minute(resultTime) lt 3", 2),
        ("FeatureOfInterest/id eq 'hof-nord' and result lt 60", 1),
        (f"Datastream/id eq '{WAITS}' and result lt 60", 1),
        ("Datastream/Thing/name eq 'Recyclinghof Nord' and Datastream/ObservedProperty/name eq 'wait_p50' and result lt 60", 1),
        ("Datastream/id eq 'another'", 0),
        ("result eq 'sixty'", 0),  # two kinds of value: neither equal nor not
        ("result ne 'sixty'", 0),
        ("parameters eq 1", 0),
        ("result eq true", 0),
    ],
)
def test_a_filter_picks_observations(face: Face, text: str, count: int) -> None:
    told = asked(face, f"{observations(WAITS)}?$count=true&$filter={text}")

    assert (told["@iot.count"], len(told["value"])) == (count, count)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name eq 'Recyclinghof Nord'", ["hof-nord"]),
        ("@iot.id eq 'lamp-0012' or id eq 'lamp-0013'", ["lamp-0012", "lamp-0013"]),
        ("startswith(name,'Recyclinghof') and not endswith(name,'Nord')", ["hof-sued", "hof-west", "hof-mitte"]),
        ("substringof('Holtkamp',description)", ["hof-nord"]),
        ("tolower(name) eq 'recyclinghof nord'", ["hof-nord"]),
        ("toupper(concat(name,'!')) eq 'RECYCLINGHOF NORD!'", ["hof-nord"]),
        ("length(name) eq 18", ["hof-mitte"]),
        ("indexof(name,'Nord') eq 13", ["hof-nord"]),
        ("trim('  hof-nord ') eq id", ["hof-nord"]),
        ("Datastreams/ObservedProperty/name eq 'pm2_5'", ["lamp-0012"]),
        ("Datastreams/Sensor/id eq 'hof-nord:gate-out'", ["hof-nord"]),
        ("properties/kind eq 'yard' and endswith(description,'47259 Duisburg')", ["hof-sued"]),
        ("Locations/location eq Locations/location", []),  # places are held against shapes alone
        ("name eq 'Recyclinghof ''Nord'''", []),
        (
            "st_within(Locations/location, geography'POLYGON ((6.74 51.49,6.75 51.49,6.75 51.5,6.74 51.5,6.74 51.49))')",
            ["hof-nord"],
        ),
        (
            "geo.intersects(Locations/location, geography'POLYGON ((6 51,7 51,7 52,6 52,6 51),(6.7 51,7 51,7 52,6.7 52,6.7 51))')",
            [],  # all lie in the hole
        ),
    ],
)
def test_a_filter_picks_things(face: Face, text: str, found: list[str]) -> None:
    assert ids(face, f"Things?$filter={text}&$select=id") == found


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("Nothings", 404, "there is no 'Nothings'"),
        ("Things('hof-ost')", 404, "there is no Things('hof-ost')"),
        ("Things(1)", 404, "ids stand in quotes"),
        ("Things('hof-nord')/Datastreams('lamp-0012:air:pm2_5')", 404, "there is no Datastreams("),
        ("Things('hof-nord')/colour", 404, "from Things lead: Locations"),
        ("Things('hof-nord')/name/length", 404, "from Things lead: Locations"),
        ("Things('hof-nord')/Datastreams/Observations", 404, "after Datastreams comes the id"),
        ("Datastreams('hof-nord:gate-in')", 404, "there is no Datastreams("),
        ("Datastreams('hof-nord:gate-in:presence')", 404, "there is no Datastreams("),
        ("Datastreams('cabinet-07:meter:active_power')", 404, "there is no Datastreams("),
        ("Observations('hof-nord:gate-in:passage:20260231T0701Z')", 404, "there is no Observations("),
        ("Observations('hof-nord:gate-in:passage:20261123T0830Z')", 404, "there is no Observations("),  # runs
        ("Observations('lamp-0012:driver:level_actual:20261122T0828Z')", 404, "there is no Observations("),  # a day ago
        (f"Observations('{WAITS}:20261123T0701Z')/resultQuality", 404, "has no 'resultQuality'"),
        ("HistoricalLocations('hof-nord')", 404, "there is no HistoricalLocations("),
        ("Things?$top=-1", 400, "$top is a number"),
        ("Things?$skip=a", 400, "$skip is a number"),
        ("Things?$count=yes", 400, "$count is true or false"),
        ("Things?$top=1&$top=2", 400, "an option may be there once"),
        ("Things?$select=colour", 400, "there is no 'colour' in Things; there are: @iot.id, name"),
        ("Things?$filter=colour eq 'red'", 400, "there is no 'colour' in Things"),
        ("Things?$filter=Datastreams eq 1", 400, "Datastreams is an entity, not a property"),
        ("Things?$filter=name eq", 400, "ends where it should go on"),
        ("Things?$filter=name eq 'a' 'b'", 400, "goes on where it should end"),
        ("Things?$filter=name = 'a'", 400, "cannot be read from"),
        ("Things?$filter=startswith(name)", 400, "startswith takes 2 values"),
        ("Observations?$filter=resultTime gt 2026-02-31T00:00:00Z", 400, "cannot be read"),
        ("Observations?$filter=year(9999-12-31T23:59:59-23:59) gt 1", 400, "cannot be read"),
        ("Things?$filter=st_within(Locations/location,geography'POLYGON ((a b,1 2))')", 400, "cannot be read"),
        ("Things?$filter=" + "(" * 30 + "true" + ")" * 30, 400, "20 brackets deep"),
        ("Things?$filter=" + " or ".join(["true"] * MAX_NODES), 400, f"{MAX_NODES} names"),
        ("Things?$expand=Observations", 400, "from Things lead: Locations"),
        ("Things?$expand=Datastreams($top)", 400, "expected an option"),
        ("Things?$expand=Datastreams,", 400, "nothing stands where"),
        ("Things?$expand=" + "Datastreams/Thing/" * 3 + "Locations", 400, "4 levels deep"),
        ("Things('hof-nord')?$top=1", 400, "of a single entity"),
        ("Observations?$skiptoken=7", 400, "ours to make"),
        (
            "Datastreams?$top=1000&$expand=ObservedProperty/Datastreams/ObservedProperty/Datastreams",
            400,
            "too much in one answer",
        ),
        ("Things?$search=Nord", 501, "the option '$search' is not known here"),
        ("Things?$expand=Datastreams($levels=2)", 501, "the option '$levels' is not known here"),
        ("Things?$filter=geo.distance(Locations/location,geography'POINT (6 51)') lt 1", 501, "'geo.distance' is not known here"),
        ("Things?$filter=st_within(Locations/location,geography'LINESTRING (6 51,7 52)')", 501, "POINT and POLYGON"),
        ("Things?$filter=Datastreams/Observations/result gt 1", 501, "goes through Observations"),
        ("Things?$filter=Datastreams/name eq Datastreams/name", 501, "two collections"),
    ],
)
def test_what_is_wrong_or_not_known_here_is_told_as_everywhere(face: Face, path: str, status: int, detail: str) -> None:
    answer = face.get(f"/v1.1/{path}")

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert detail in answer.json()["detail"]


def test_it_may_be_read_by_every_site_and_written_by_nobody(face: Face) -> None:
    first = face.get("/v1.1/Things")
    again = face.get("/v1.1/Things", if_none_match=first.headers["etag"])
    preflight = face.client.options(f"{face.url}/v1.1/Things", headers={"Origin": "https://example.org"})
    written = face.client.post(f"{face.url}/v1.1/Things", content=b"{}")

    assert (first.headers["access-control-allow-origin"], preflight.status_code) == ("*", 204)
    assert (again.status_code, first.headers["cache-control"]) == (304, "public, max-age=10")
    assert (written.status_code, written.headers["allow"]) == (405, "GET")


def test_thousands_of_clients_make_one_question_a_minute_to_the_store(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, NOW_MS, [Reading(YARD, "estimate", "wait_p50", ms(88), 60.0)]) as face:
        first = face.get(f"/v1.1/{observations(WAITS)}").content
        face.store.write([Reading(YARD, "estimate", "wait_p50", ms(87), 30.0)])
        kept = face.get(f"/v1.1/{observations(WAITS)}").content
        face.clock.advance(MINUTE_MS)

        assert kept == first
        assert [each["result"] for each in asked(face, observations(WAITS))["value"]] == [30.0, 60.0]


def test_a_database_that_is_away_is_told(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, NOW_MS, store=AwayStore()) as face:
        assert face.get("/v1.1").status_code == 200
        assert face.get("/v1.1/Things").status_code == 503


def test_the_description_of_our_own_api_leaves_it_to_the_standard(face: Face) -> None:
    assert [path for path in face.get("/openapi.json").json()["paths"] if path.startswith("/v1.1")] == []


def test_an_allowance_has_an_end() -> None:
    allowance = Allowance()
    allowance.take(Allowance.ALL)

    with pytest.raises(Wrong, match="too much"):
        allowance.take(Allowance.LOOK)


WORDS = st.sampled_from(
    [
        *("result", "phenomenonTime", "Datastream/name", "FeatureOfInterest/feature", "@iot.id", "x", "Datastream/Observations/id"),
        *("eq", "gt", "le", "and", "or", "not", "add", "div", "mod", "mul", "(", ")", ",", "0", "-1.5", "1e999", "9" * 400),
        *("'a'", "''", "'", "true", "null", "2026-11-23T08:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
        *("2026-11-23T08:00:00Z/2026-11-23T09:00:00Z", "geography'POINT (1 2)'", "geography'POLYGON ((a b, 1 2))'", "POLYGON"),
        *(f"{name}(" for name in FUNCTIONS),
    ]
)
# What a client may mean, so that more than the reader's complaints is tried.
MEANT = st.recursive(
    st.sampled_from(["result", "phenomenonTime", "Datastream/name", "FeatureOfInterest/feature", "1e308", "0", "'a'", "true"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["eq", "lt", "add", "mul", "div", "mod", "and", "or"]), inner).map(
            "({0[0]} {0[1]} {0[2]})".format
        ),
        st.tuples(st.sampled_from(sorted(set(FUNCTIONS) - {"not"})), inner, inner).map(
            lambda one: (
                f"{one[0]}({','.join(one[1 : 1 + len(FUNCTIONS[one[0]].takes)])})"
                if one[0] not in ("add", "sub", "mul", "div", "mod")
                else one[1]
            )
        ),
        inner.map("not ({})".format),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("option", OPTIONS)
def test_whatever_is_asked_is_answered_or_told_to_be_wrong(face: Face, option: str) -> None:
    world = World(face.city, face.store, face.clock)
    streams = [each for each in world.all(STREAMS) if each.id in (WAITS, AIR)]

    @settings(max_examples=150 if option == "$filter" else 40, database=None, derandomize=True)
    @given(text=st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=12).map(" ".join), MEANT))
    def ask(text: str) -> None:
        try:
            options = read(OBSERVATIONS, {option: text})
            Answer(world, face.store, "http://here", NOW_MS).collection(OBSERVATIONS, streams, options, "http://here/Observations")
        except Wrong as wrong:
            assert wrong.problem.status in (400, 501)

    ask()
