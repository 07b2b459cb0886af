"""Boards on a week that the demo's own simulators and the real roles tell: every panel and every mark finds something in it."""

import datetime as dt
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from dashboards.boards import boards
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from store import hourly
from store.influx import InfluxStore, parse
from tests import lived
from tests.asked import filled_in, sent
from tests.conftest import ORG, Bucket, Influxd

WEEK_S = 7 * 86_400
CHOSEN = {
    "site": lived.YARD,
    "gateway": lived.GATEWAY,
    "lamp": lived.LAMP,
    "air": "lamp-0012",
    "traffic": lived.LAMP,
    "noise": lived.LAMP,
    "weather": lived.LAMP,
}
NOTHING = {  # where an empty answer is the right one, and why
    "City: Yards B": "no yard was without a number",
    "One lamp: Faults J": "the api says that a lamp is heard only after it has missed it",
    **{f"Environment: Days above the limit in a year {letter}": "there was no such day" for letter in "ABC"},
}


def with_more_sensors(city: City) -> City:
    """With what hangs at the lived lamp beside, and one yard of four, for each costs seconds."""
    lamp = msgspec.structs.replace(city.lamps[lived.LAMP], sensors=("driver", "traffic", "noise", "weather"))
    cabinet = msgspec.structs.replace(city.cabinets["cabinet-07"], sensors=("meter", "door"))
    return msgspec.structs.replace(
        city,
        yards={lived.YARD: city.yards[lived.YARD]},
        lamps={**city.lamps, lived.LAMP: lamp},
        cabinets={"cabinet-07": cabinet},
        gateways={name: city.gateways[name] for name in (lived.GATEWAY, "gw-hof-nord")},
    )


def write_the_week(bucket: Bucket, city: City, folder: Path) -> int:
    """When it ends."""
    for name in (bucket.name, hourly.hourly_bucket(bucket.name)):
        bucket.server.bucket(name, retention_s=0)
    with closing(InfluxStore(parse(bucket.store_url), bucket.token, HandClock(lived.NOW_MS))) as store:
        return lived.live(with_more_sensors(city), store, folder)


def make_hourly_values(bucket: Bucket, now_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the database's own task, which goes back six hours each hour: once, and back to the first day."""
    monkeypatch.setattr(hourly, "SPAN_H", 8 * 24)
    body = {"query": hourly.task(bucket.name, ORG), "now": dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC)}
    headers = {"Authorization": f"Token {bucket.token}", "Content-Type": "application/json"}
    url = f"{bucket.server.url}/api/v2/query?org={ORG}"
    with urllib.request.urlopen(urllib.request.Request(url, msgspec.json.encode(body), headers), timeout=60) as answer:
        assert b"error,reference" not in answer.read()


def asked(city: City, bucket: str, now_ms: int) -> Iterator[tuple[str, str]]:
    """All queries of all boards by their panel's or mark's name."""
    for board in boards(city=city):
        for panel in board["panels"]:
            for target in panel["targets"]:
                if "query" in target:
                    name = f"{board['title']}: {panel['title']} {target['refId']}"
                    yield name, sent(board, panel, target, bucket, CHOSEN, now_ms)
        for mark in board["annotations"].get("list", []):
            query = filled_in(mark["target"]["query"], bucket, CHOSEN, WEEK_S, now_ms=now_ms)
            yield f"{board['title']}: {mark['name']}", query


@pytest.mark.slow
def test_every_panel_and_every_mark_finds_something_in_a_week_of_the_city(
    influxd: Influxd, city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Bucket(influxd, f"lived-{uuid.uuid4().hex[:8]}")
    now_ms = write_the_week(bucket, city, tmp_path)
    make_hourly_values(bucket, now_ms, monkeypatch)

    found = {name: bucket.select(query) for name, query in asked(city, bucket.name, now_ms)}

    assert {name for name, rows in found.items() if rows == []} == set(NOTHING)
    assert len(found) > 170
