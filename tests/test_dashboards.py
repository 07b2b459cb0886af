"""Boards on the real InfluxDB: every query finds what it should in a week of the sample city."""

import datetime as dt
import time
import urllib.request
import uuid
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dashboards.boards import boards
from dashboards.influxql import HOURLY
from hoflicht.catalogue import load_city
from store.hourly import hourly_bucket
from tests import week
from tests.asked import filled_in, sent
from tests.conftest import Bucket, Influxd

CITY = load_city(Path(__file__).parents[1] / "simulators" / "city.toml")
LAMPS = len(CITY.lamps)
CHOSEN = {
    "site": "hof-nord",
    "gateway": "gw-hof-nord",
    "lamp": "lamp-0001",
    "air": "lamp-0012",
    "traffic": "lamp-0001",
    "noise": "lamp-0003",
    "weather": "lamp-0012",
}
BOARDS = {board["uid"]: board for board in boards(city=CITY)}
TARGETS = {
    f"{board['uid'].removeprefix('hoflicht-')}: {panel['title']} {target['refId']}": (board, panel, target)
    for board in BOARDS.values()
    for panel in board["panels"]
    for target in panel["targets"]
    if "query" in target
}


def write(influxd: Influxd, bucket: str, lines: list[str]) -> None:
    request = urllib.request.Request(
        f"{influxd.url}/api/v2/write?org=hoflicht&bucket={bucket}&precision=s",
        "\n".join(lines).encode(),
        {"Authorization": f"Token {influxd.token}"},
    )
    urllib.request.urlopen(request, timeout=30).close()


@pytest.fixture(scope="module")
def bucket(influxd: Influxd) -> Bucket:
    name = f"boards-{uuid.uuid4().hex[:8]}"  # a worker may come to this module twice
    now_s = int(time.time())
    for one, lines in {name: week.raw(CITY, now_s), hourly_bucket(name): week.hourly(CITY, now_s)}.items():
        influxd.bucket(one, retention_s=0)
        write(influxd, one, list(lines))
    return Bucket(influxd, name)


def found(bucket: Bucket, name: str) -> list[list[object]]:
    """The rows that the query of this name gives, times in ms."""
    board, panel, target = TARGETS[name]
    return bucket.select(sent(board, panel, target, bucket.name, CHOSEN))


def values(bucket: Bucket, name: str) -> list[float]:
    return [round(float(str(value)), 3) for row in found(bucket, name) for value in row[1:] if value is not None]


@pytest.mark.parametrize("name", TARGETS)
def test_every_query_is_understood_and_finds_its_data(name: str, bucket: Bucket) -> None:
    board, panel, target = TARGETS[name]

    assert found(bucket, name) != []
    assert "$" not in sent(board, panel, target, bucket.name, CHOSEN)


ONE_VALUE = {
    "city: Lamps A": {LAMPS - 2},
    "city: Lamps B": {1},
    "city: Lamps C": {1},
    "city: Lamps D": {1},
    "city: Gateways A": {1},
    "city: Gateways B": {1},
    "city: Yards A": {1},
    "city: Yards B": {1},
    "city: Wait now A": {600},
    "city: Energy of the light in 24 hours A": {23 * 1.25},
    "city: Energy of the light in 24 hours B": {round(23 * 0.05 * LAMPS, 3)},
    "city: Air in 24 hours, worst place A": {24},
    "city: Air in 24 hours, worst place B": {12},
    "city: Open faults by kind A": {1},
    "city: Open faults by kind B": {0},
    "city: Open faults by kind K": {1},
    "lamps: Lamps now A": {LAMPS - 2},
    "lamps: Lamps near their end A": {15},
    "lamps: Failing lamps A": {0, 1},
    "lamps: Failing lamps B": {0},
    "lamp: Wear A": {84},
    "lamp: Wear B": {900},
    "lamp: Wear C": {15},
    "lamp: Why it burns so A": {1},
    "lamp: Inside the driver A": {40},
    "lamp: Inside the driver B": {231},
    "yards: Wait A": {600},
    "yards: Wait E": {900},
    "yards: Error of what was published A": {130},
    "yards: Error of what was published B": {-20},
    "yards: Waits that came as told A": {0.75},
    "yards: Waits that came as told B": {0.8},
    "yards: Waits measured back A": {24},
    "environment: Vehicles by the hour A": {20},
    "environment: Speed A": {36},
    "environment: Speed B": {61.2},
    "environment: Temperature and humidity A": {8},
    "environment: Temperature and humidity B": {80},
    "environment: Noise A": {67.404},
    "platform: From batch to receipt A": {0.2},
    "platform: From batch to receipt B": {0.2},
    "platform: Readings stored per second A": {1},
    "platform: Readings stored per second B": {0.1},
    "platform: Certificates A": {30 * 86_400},
    "platform: Versions A": {1_001_002_003},
    "platform: Spools that are full before Monday A": {60},
    "platform: Readings lost or set aside A": {0},
    "platform: Readings lost or set aside B": {2},
    "platform: Set aside, by fault A": {2, 4},
    "platform: In quarantine A": {4},
}


@pytest.mark.parametrize("name", ONE_VALUE)
def test_a_panel_shows_what_was_told(name: str, bucket: Bucket) -> None:
    assert set(values(bucket, name)) == ONE_VALUE[name]


def test_the_faulty_lamps_are_those_with_a_fault(bucket: Bucket) -> None:
    assert [row[1:] for row in found(bucket, "city: Where A")] == [[1, "lamp-0002"], [1, "lamp-0001"]]


def test_what_staff_have_seen_stays_on_the_board_and_is_no_second_fault(bucket: Bucket) -> None:
    assert [row[1:] for row in found(bucket, "city: Where B")] == [[1, "lamp-0001"]]
    assert values(bucket, "city: Open faults by kind A") == [1]


def test_a_night_is_what_all_counters_grew_by_from_noon_to_noon(bucket: Bucket) -> None:
    nights = {letter: values(bucket, f"energy: Energy per night {letter}")[:-1] for letter in "ABC"}
    begins = [
        dt.datetime.fromtimestamp(int(str(row[0])) / 1000, ZoneInfo(CITY.timezone))
        for row in found(bucket, "energy: Energy per night A")
    ]

    assert {begin.hour for begin in begins} == {12}
    assert set(nights["A"]) == {round(24 * 0.05 * LAMPS, 3)}
    assert set(nights["B"]) == {30}
    assert set(nights["C"]) == {round(24 * 0.5 * 0.17 * LAMPS, 3)}
    assert len(nights["A"]) >= 5


def test_a_group_and_a_cabinet_have_used_what_their_meters_grew_by(bucket: Bucket) -> None:
    # Of the hours in view the present one is not told yet, and the first has none before it; another is missing when the clock has
    # struck since the city was written.
    hours, struck = 7 * 24 - 2, 1.5

    used = values(bucket, "energy: Energy by group in view A")[0] / (0.05 * LAMPS)
    delivered = values(bucket, "energy: Energy by cabinet in view A")[0] / 1.25
    assert abs(used - hours) < struck
    assert abs(delivered - hours) < struck


def test_a_counter_that_begins_anew_takes_nothing_away(bucket: Bucket) -> None:
    told = 15

    assert sum(values(bucket, "platform: Frames that never came A")) == told - 2
    assert sum(values(bucket, "platform: Frames that never came B")) == told - 2
    assert set(values(bucket, "platform: Noise on the serial lines A")) == {1}


def test_a_year_is_told_by_the_week(bucket: Bucket) -> None:
    rows = found(bucket, "energy: Energy by week, one year A")

    begins = {dt.datetime.fromtimestamp(int(str(row[0])) / 1000, ZoneInfo(CITY.timezone)) for row in rows}
    weeks = [float(str(row[1])) for row in rows]
    assert {(begin.weekday(), begin.hour) for begin in begins} == {(0, 0)}
    assert weeks[5] == 7 * 24 * 1.25
    assert 50 <= len(weeks) <= 53


def test_the_days_above_a_limit_are_counted_in_the_citys_days(bucket: Bucket) -> None:
    zone = ZoneInfo(CITY.timezone)
    now = dt.datetime.now(zone)
    # A day is told by its hours: of the first one the year has those that begin from now on, of the last one those that are over.
    first, last = ((now - ago).date() for ago in (dt.timedelta(days=365, hours=-1), dt.timedelta(hours=1)))
    dust = [week.dust(first + dt.timedelta(days=n)) for n in range((last - first).days + 1)]

    above = [values(bucket, f"environment: Days above the limit in a year {letter}") for letter in "ABC"]

    assert above == [[sum(d > 50 for d in dust)], [sum(d > 45 for d in dust)], [sum(d / 2 > 25 for d in dust)]]


@pytest.mark.parametrize(("letter", "hour"), [("B", 8), ("F", 12), ("K", 17)])
def test_an_hour_of_the_day_has_its_own_row(letter: str, hour: int, bucket: Bucket) -> None:
    start_ms = (time.time() - 28 * 86_400) * 1000

    rows = [row for row in found(bucket, f"yards: Wait by day and hour, four weeks {letter}") if int(str(row[0])) > start_ms]

    hours = {dt.datetime.fromtimestamp(int(str(at_ms)) / 1000, ZoneInfo(CITY.timezone)).hour for at_ms, _ in rows}
    assert {wait for _, wait in rows} - {-1} == {hour * 60}
    assert hours == {hour}
    assert len(rows) >= 27


def test_an_hour_without_a_number_is_told_apart_from_no_wait(bucket: Bucket) -> None:
    rows = found(bucket, "yards: Wait by day and hour, four weeks M")

    assert {wait for _, wait in rows[1:-1]} == {-1}


@pytest.mark.parametrize(
    ("uid", "mark"),
    [(uid, mark) for uid, marks in (("hoflicht-lamp", 2), ("hoflicht-yards", 3)) for mark in range(marks)],
    ids=["fault", "seen", "held", "hold", "notice"],
)
def test_what_begins_is_marked_once(uid: str, mark: int, bucket: Bucket) -> None:
    target = BOARDS[uid]["annotations"]["list"][mark]["target"]

    rows = bucket.select(filled_in(target["query"], bucket.name, CHOSEN, 40 * 3_600 if uid == "hoflicht-lamp" else 3_600))

    assert [row[2] for row in rows] == [CHOSEN["lamp"] if uid == "hoflicht-lamp" else CHOSEN["site"]]


def test_the_choices_of_a_board_are_what_has_data(bucket: Bucket) -> None:
    lists = {
        variable["name"]: [row[1] for row in bucket.select(variable["query"])]
        for board in BOARDS.values()
        for variable in board["templating"].get("list", [])
        if variable["type"] == "query"
    }

    assert lists == {
        "gateway": ["gw-hof-nord"],
        "lamp": list(CITY.lamps),
        "site": ["hof-nord", "hof-sued"],
        "air": ["lamp-0012"],
        "traffic": ["lamp-0001"],
        "noise": ["lamp-0003"],
        "weather": ["lamp-0012"],
    }


def test_a_part_of_the_city_stands_in_a_query(bucket: Bucket) -> None:
    [part] = [each for each in BOARDS["hoflicht-lamps"]["templating"]["list"] if each["name"] == "part"]
    street = next(option["value"] for option in part["options"] if option["text"] == "Friedrich-Wilhelm-Straße")
    query = TARGETS["lamps: Lamps now A"][2]["query"].replace("${part:raw}", street)
    nobody = query.replace("lamp-", "lump-")  # the pattern of another street

    assert bucket.select(query)[0][1] == LAMPS - 2
    assert bucket.select(nobody) == []


def test_the_boards_know_where_the_hourly_values_are() -> None:
    assert hourly_bucket("hoflicht") == f"hoflicht{HOURLY}"
