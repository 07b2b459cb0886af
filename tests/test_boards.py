"""Boards as files: what every panel says in both languages, where its links lead, and how they look on paper."""

import json
import os
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from dashboards import uids
from dashboards.boards import boards
from dashboards.panels import LETTERS, unit_of
from dashboards.parts import MOST_SITES, Part, parts
from dashboards.platform import PADDED
from dashboards.words import GERMAN, Language, changed
from hoflicht.catalogue import City, Lamp, load_city
from hoflicht.version import number

HERE = Path(__file__).parent
CITY = load_city(HERE.parent / "simulators" / "city.toml")
GOLDEN = HERE / "golden"
RENEW = "RENEW_BOARDS"
BUILT = {(bool(city), language): boards(city=city, language=language) for city in (None, CITY) for language in get_args(Language)}
PANELS = [(board, panel) for board in BUILT[True, "en"] for panel in board["panels"]]
OF_READINGS = {"type": "influxdb", "uid": "hoflicht-influxdb"}
OF_BOTH = {"type": "datasource", "uid": "-- Mixed --"}
# What needs no translation: names of columns, tags, sites and streets, hours.
NO_WORDS = re.compile(
    r"|\*|Time|(\$\d\.?)+|\w+( \(\w+\))+|\$tag_\w+( \$tag_\w+)?|\d\d h|Duisburg|.*Straße|cabinet-07|[a-z]+_[a-z_]+|uptime|version"
)


def shown(board: dict[str, Any]) -> set[str]:
    """All that people read on a board."""
    texts = set[str]()

    def note(text: str) -> str:
        texts.add(text)
        return text

    changed(board, note)
    return texts


def names(panel: dict[str, Any]) -> Iterator[str]:
    """What the queries of a panel and its transformations call series and columns."""
    yield "Time"
    for target in panel["targets"]:
        yield target.get("alias", "")
        yield from re.findall(r'AS "(\w+)"', target.get("query", ""))
    for step in panel.get("transformations", []):
        yield step["options"].get("alias", "") if isinstance(step["options"], dict) else ""


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=lambda part: part.get("uid") or part["title"])
def test_every_panel_tells_what_it_means(board: dict[str, Any], panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]

    assert len(panel["description"]) > 40
    assert defaults["unit"]
    assert defaults["thresholds"]["steps"][0]["value"] is None
    assert panel["datasource"] in (OF_READINGS, OF_BOTH)
    assert [target["refId"] for target in panel["targets"]] == list(LETTERS[: len(panel["targets"])])


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=lambda part: part.get("uid") or part["title"])
def test_a_panel_asks_two_data_sources_only_where_it_says_so(board: dict[str, Any], panel: dict[str, Any]) -> None:
    asked = {target["datasource"]["uid"] for target in panel["targets"]}

    assert asked == ({"hoflicht-influxdb"} if panel["datasource"] == OF_READINGS else {"hoflicht-influxdb", "grafana"})


@pytest.mark.parametrize("language", get_args(Language))
def test_what_a_panel_singles_out_is_there_in_every_language(language: Language) -> None:
    for board in BUILT[True, language]:
        for panel in board["panels"]:
            singled = {
                each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"] if each["matcher"]["id"] == "byName"
            }
            plain = {re.sub(r"( \(\w+\))+$", "", name) for name in singled}
            assert plain - {"street"} <= set(names(panel)), panel["title"]


@pytest.mark.parametrize("board", BUILT[True, "en"], ids=lambda board: board["uid"])
def test_no_two_panels_share_a_number_or_a_place(board: dict[str, Any]) -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in board["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert [panel["id"] for panel in board["panels"]] == list(range(1, len(board["panels"]) + 1))
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("board", BUILT[True, "en"], ids=lambda board: board["uid"])
def test_every_link_leads_to_one_of_our_boards_and_sets_a_choice_that_it_has(board: dict[str, Any]) -> None:
    choices = {one["uid"]: {each["name"] for each in one["templating"].get("list", [])} for one in BUILT[True, "en"]}
    links = [link["url"] for link in board["links"]]
    links += [link["url"] for panel in board["panels"] for link in panel["fieldConfig"]["defaults"].get("links", [])]

    assert links != []
    for url in links:
        uid, _, variable = url.removeprefix("/d/").partition("?var-")
        assert uid in choices
        assert not variable or variable.partition("=")[0] in choices[uid]


@pytest.mark.parametrize("board", BUILT[True, "en"], ids=lambda board: board["uid"])
def test_a_query_asks_for_no_choice_that_its_board_does_not_offer(board: dict[str, Any]) -> None:
    offered = {variable["name"] for variable in board["templating"].get("list", [])}
    asked = set(re.findall(r"\$\{(\w+):raw\}", json.dumps([board["panels"], board["annotations"]])))

    assert asked == offered


def test_the_city_leads_to_every_board() -> None:
    reached, waiting = set[str](), [uids.CITY]
    links = {board["uid"]: [link["url"].removeprefix("/d/") for link in board["links"]] for board in BUILT[False, "en"]}
    while waiting:
        uid = waiting.pop()
        reached.add(uid)
        waiting += [other for other in links[uid] if other not in reached]

    assert reached == set(uids.TITLES)


def test_every_word_on_the_boards_is_translated() -> None:
    missing = {text for city in (True, False) for board in BUILT[city, "en"] for text in shown(board) if text not in GERMAN}

    assert {text for text in missing if not NO_WORDS.fullmatch(text)} == set()


def test_no_translation_is_left_over() -> None:
    assert set(GERMAN) - {text for board in BUILT[True, "en"] for text in shown(board)} == set()


def test_a_translation_asks_the_same_questions() -> None:
    english, german = (
        [target.get("query", "") for board in BUILT[True, language] for panel in board["panels"] for target in panel["targets"]]
        for language in get_args(Language)
    )

    assert english == german


def test_german_words_stand_on_the_german_boards() -> None:
    city, *_ = BUILT[False, "de"]

    assert city["title"] == "Stadt"
    assert [panel["title"] for panel in city["panels"]][:3] == ["Leuchten", "Gateways", "Höfe"]
    assert [target["alias"] for target in city["panels"][0]["targets"]] == [
        "brennen",
        "dunkel",
        "Lampe leuchtet nicht",
        "Nichts zu hören",
    ]


def test_without_a_catalogue_there_are_all_boards_and_no_map() -> None:
    kinds = {panel["type"] for board in BUILT[False, "en"] for panel in board["panels"]}

    assert [board["uid"] for board in BUILT[False, "en"]] == [board["uid"] for board in BUILT[True, "en"]]
    assert "geomap" not in kinds
    assert [part.name for part in parts(None)] == ["*"]


def test_a_map_has_every_lamp_cabinet_and_yard_where_the_catalogue_has_it() -> None:
    maps = [panel for panel in BUILT[True, "en"][0]["panels"] if panel["type"] == "geomap"]

    lamps, yards = ([list(row) for row in zip(*each["targets"][-1]["snapshot"][0]["data"]["values"], strict=True)] for each in maps)
    assert len(lamps) == len(CITY.lamps) + len(CITY.cabinets)
    assert lamps[0] == ["lamp-0001", "Friedrich-Wilhelm-Straße", 51.42894, 6.76024, 0]
    assert lamps[-1] == ["cabinet-07", "Friedrich-Wilhelm-Straße", 51.4291, 6.7624, 0]
    assert yards[0] == ["hof-nord", "Recyclinghof Nord", 51.4936, 6.7486, 0]


def test_a_part_is_a_street_a_group_or_a_cabinet_with_its_lamps() -> None:
    found = {part.name: sites_of(part) for part in parts(CITY)}

    assert list(found) == ["Duisburg", "Friedrich-Wilhelm-Straße", "altstadt: Friedrich-Wilhelm-Straße", "cabinet-07"]
    assert found["Duisburg"] == found["cabinet-07"] == found["Friedrich-Wilhelm-Straße"] == {*CITY.lamps, "cabinet-07"}
    assert found["altstadt: Friedrich-Wilhelm-Straße"] == set(CITY.lamps)


def test_a_district_is_a_part_with_its_lamps_and_cabinets() -> None:
    lamps = {
        name: msgspec.structs.replace(lamp, district="Mitte" if n < 5 else "") for n, (name, lamp) in enumerate(CITY.lamps.items())
    }
    cabinets = {name: msgspec.structs.replace(cabinet, district="Mitte") for name, cabinet in CITY.cabinets.items()}
    city = msgspec.structs.replace(CITY, lamps=lamps, cabinets=cabinets)

    found = {part.name: sites_of(part, city) for part in parts(city)}

    assert list(found)[:3] == ["Duisburg", "Mitte", "Friedrich-Wilhelm-Straße"]
    assert found["Mitte"] == {"cabinet-07", *list(lamps)[:5]}


def sites_of(part: Part, city: City = CITY) -> set[str]:
    """Which lamps and cabinets of `city` the condition of a part lets through."""
    pattern = re.fullmatch(r'"site" =~ /(.+)/', part.condition)
    return {site for site in {**city.lamps, **city.cabinets} if pattern is None or re.search(pattern[1], site)}


def test_a_long_street_comes_in_pieces_that_fit_into_an_address() -> None:
    lamps = {f"lamp-{n:04}": Lamp(street="Ring", lat=51.0, lon=6.0) for n in range(2 * MOST_SITES + 1)}

    found = list(parts(City(name="Long", lamps=lamps)))

    assert [part.name for part in found] == ["Long", "Ring (1)", "Ring (2)", "Ring (3)"]
    assert [len(sites_of(part, City(name="Long", lamps=lamps))) for part in found[1:]] == [MOST_SITES, MOST_SITES, 1]
    assert max(len(urllib.parse.quote(part.condition)) for part in found) < 6_000


def test_a_street_with_a_comma_is_one_choice() -> None:
    lamps = {"lamp-1": Lamp(street="Ring, Nord : West", lat=51.0, lon=6.0)}
    [board] = [each for each in boards(city=City(name="Small", lamps=lamps)) if each["uid"] == uids.LAMPS]

    query = next(each["query"] for each in board["templating"]["list"] if each["name"] == "part")

    # As Grafana takes it apart: at commas that have no backslash before them, then at the last " : ".
    choices = [re.fullmatch(r"\s*(.+)\s:\s(.+)", each) for each in re.findall(r"(?:\\,|[^,])+", query)]
    assert [choice and choice[2] for choice in choices] == ["\"site\" != ''", '"site" =~ /^(lamp-1)$/']


@pytest.mark.parametrize("version", ["0.1.0", "0.0.7", "1.2.3", "10.20.30", "100.200.300", "2.0.45"])
def test_a_version_is_shown_as_people_write_it(version: str) -> None:
    [panel] = [panel for _, panel in PANELS if panel["title"] == "Versions"]
    [mapping] = [
        property_["value"][0]["options"]
        for override in panel["fieldConfig"]["overrides"]
        for property_ in override["properties"]
        if property_["id"] == "mappings"
    ]
    told = PADDED + number(version)

    shown = re.sub(mapping["pattern"].strip("/"), mapping["result"]["text"].replace("$", "\\"), str(told))

    assert shown == version
    assert f"+ {PADDED} AS" in panel["targets"][0]["query"]
    assert panel["transformations"][0]["options"]["conversions"] == [{"targetField": "version", "destinationType": "string"}]


def test_units_follow_from_the_quantities() -> None:
    assert [unit_of(quantity) for quantity in ("wait_p50", "active_power", "spool_hours_left", "noise_bytes")] == [
        "s",
        "watt",
        "h",
        "bytes",
    ]


def test_the_bucket_and_the_lock_are_what_was_asked_for() -> None:
    built = boards(bucket="stadt", editable=True)

    [energy] = [board for board in built if board["uid"] == uids.ENERGY]
    assert [each["query"] for each in energy["templating"]["list"] if each["name"] == "bucket"] == ["stadt"]
    assert {board["editable"] for board in built} == {True}
    assert {board["editable"] for board in BUILT[True, "en"]} == {False}


def test_what_the_lamps_of_before_took_is_the_catalogues_mean() -> None:
    lamps = {
        name: msgspec.structs.replace(lamp, baseline_power_w=watts)
        for (name, lamp), watts in zip(CITY.lamps.items(), (100, 300), strict=False)
    }
    [energy] = [board for board in boards(city=msgspec.structs.replace(CITY, lamps=lamps)) if board["uid"] == uids.ENERGY]

    assert 'sum("one") * 0.2 FROM' in energy["panels"][0]["targets"][1]["query"]


@pytest.mark.parametrize("board", BUILT[True, "en"], ids=lambda board: board["uid"])
def test_a_board_is_as_it_was_reviewed(board: dict[str, Any]) -> None:
    path = GOLDEN / f"{board['uid']}.json"
    now = on_paper(board) + "\n"
    if os.environ.get(RENEW):
        path.parent.mkdir(exist_ok=True)
        path.write_text(now, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == now, (
        f"renew with: {RENEW}=1 python -m pytest tests/test_boards.py, and read the difference"
    )


def test_nothing_old_lies_among_the_reviewed_boards() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(uids.TITLES)


def on_paper(value: Any, deep: int = 4, indent: str = "") -> str:
    """JSON with a line for each query, override and option, so that a difference can be read."""
    if deep == 0 or not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    inner = indent + " "
    if isinstance(value, list):
        items = [on_paper(item, deep - 1, inner) for item in value]
    else:
        items = [f"{json.dumps(key)}: {on_paper(value[key], deep - 1, inner)}" for key in sorted(value)]
    opened, closed = "[]" if isinstance(value, list) else "{}"
    return f"{opened}\n{inner}" + f",\n{inner}".join(items) + f"\n{indent}{closed}"
