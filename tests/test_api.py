"""The open API as its clients meet it: over HTTP, on a real server and a real store."""

import asyncio
import csv
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.types import Receive, Scope, Send

from api.openapi import EXAMPLES
from api.ready import Ready
from api.standing import LOOK_MS
from api.streams import Streams
from hoflicht import Reading, wait
from hoflicht.catalogue import City
from hoflicht.wait import State, Wait
from tests.conftest import ROOT, free_port, wait_until_listening
from tests.face import AwayStore, Face, facing
from tests.lane import YARD, at, free_lane, joined, let_in, ms, steady_queue

NOW_MS = ms(90)


@pytest.fixture
def face(city: City, tmp_path: Path) -> Iterator[Face]:
    """Hof Nord with eight cars at 9:30; one lamp and one air sensor have spoken."""
    lamp = [
        Reading("lamp-0012", "driver", "level_actual", NOW_MS - 12_000, 60.0),
        Reading("lamp-0012", "driver", "active_power", NOW_MS - 12_000, 33.1),
        Reading("lamp-0012", "air", "pm2_5", NOW_MS - 31_000, 8.4),
    ]
    with facing(city, tmp_path, NOW_MS, steady_queue(8, 90) + lamp) as running:
        yield running


def events(answer: httpx.Response, count: int) -> list[tuple[str, dict[str, Any]]]:
    """The first `count` events of a stream."""
    found, name = [], ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, msgspec.json.decode(line.removeprefix("data: "))))
            if len(found) == count:
                break
    return found


def test_a_wait_is_told_as_the_signs_get_it(face: Face) -> None:
    answer = face.get("/v1/yards/hof-nord/wait")

    told = wait.decode(answer.content)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert (told.yard, told.state, told.queue, told.as_of) == ("hof-nord", State.OPEN, 8, at(90))
    assert told.p50_s == pytest.approx(720, rel=0.15)


def test_all_yards_come_with_place_hours_and_wait(face: Face) -> None:
    answer = face.get("/v1/yards").json()

    assert answer["city"] == "Duisburg"
    assert [yard["id"] for yard in answer["yards"]] == ["hof-nord", "hof-sued", "hof-west", "hof-mitte"]
    assert answer["yards"][0]["opening_hours"]["weekly"]["mon"] == "08:00-18:00"
    assert [yard["wait"]["state"] for yard in answer["yards"]] == ["open", "unknown", "unknown", "unknown"]


def test_one_yard_is_told_as_in_the_list(face: Face) -> None:
    assert face.get("/v1/yards/hof-nord").json() == face.get("/v1/yards").json()["yards"][0]


@pytest.mark.parametrize(("path", "count"), [("/v1/yards", 4), ("/v1/lamps", 24), ("/v1/air", 1)])
def test_every_collection_is_geojson_too(face: Face, path: str, count: int) -> None:
    answer = face.get(f"{path}?format=geojson")

    collection = answer.json()
    features = collection["features"]
    assert answer.headers["content-type"] == "application/geo+json"
    assert (collection["type"], set(collection)) == ("FeatureCollection", {"type", "features"})  # RFC 7946 §3.3, and no CRS (§4)
    assert {(f["type"], f["geometry"]["type"], frozenset(f) - {"id"}) for f in features} == {
        ("Feature", "Point", frozenset({"type", "geometry", "properties"}))
    }
    assert len(features) == count
    assert all(6 < f["geometry"]["coordinates"][0] < 7 and 51 < f["geometry"]["coordinates"][1] < 52 for f in features)


def test_a_lamp_tells_its_latest_values_and_their_age(face: Face) -> None:
    lamps = {lamp["id"]: lamp for lamp in face.get("/v1/lamps").json()["lamps"]}

    assert lamps["lamp-0012"]["level"] == {"value": 60.0, "unit": "%", "at": "2026-11-23T08:29:00Z", "age_s": 60}
    assert lamps["lamp-0012"]["power"]["value"] == 33.1
    assert lamps["lamp-0012"]["failure"] is None
    assert lamps["lamp-0001"]["level"] is None
    assert (lamps["lamp-0012"]["state"], lamps["lamp-0001"]["state"]) == ("dimmed", "unknown")


def test_of_a_lamp_everybody_sees_what_it_does_and_why_and_what_the_street_shows(city: City, tmp_path: Path) -> None:
    told = {"level_target": 100.0, "level_feedback": 100.0, "level_actual": 100.0, "light_reason": 3.0}
    faults = {"lamp_failure": 0.0, "lamp_unexpected_on": 1.0, "high_temperature": 1.0}
    readings = [Reading("lamp-0003", "driver", name, NOW_MS, value) for name, value in {**told, **faults}.items()]
    with facing(city, tmp_path, NOW_MS, readings) as face:
        features = face.get("/v1/lamps?format=geojson").json()["features"]
    lamp = next(feature["properties"] for feature in features if feature["id"] == "lamp-0003")

    assert (lamp["state"], lamp["reason"], lamp["faults"]) == ("on", "override", ["lampUnexpectedOn"])
    assert [lamp[name]["value"] for name in ("target", "feedback", "level")] == [100.0, 100.0, 100.0]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"level_actual": 100.0}, "on"),
        ({"level_actual": 99.6}, "on"),  # the steps of a driver
        ({"level_actual": 60.0}, "dimmed"),
        ({"level_actual": 0.0}, "off"),
        ({"level_actual": 60.0, "lamp_failure": 1.0}, "failed"),
        ({"lamp_failure": 0.0}, "unknown"),
    ],
)
def test_a_lamp_has_a_state(city: City, tmp_path: Path, told: dict[str, float], state: str) -> None:
    with facing(
        city, tmp_path, NOW_MS, [Reading("lamp-0001", "driver", name, NOW_MS, value) for name, value in told.items()]
    ) as face:
        lamp = face.get("/v1/lamps").json()["lamps"][0]

    assert (lamp["id"], lamp["state"]) == ("lamp-0001", state)


def test_lamps_are_told_by_the_minute_and_as_they_were_for_one(face: Face) -> None:
    first = face.get("/v1/lamps")
    face.store.write([Reading("lamp-0012", "driver", "level_actual", NOW_MS + 1_000, 100.0)])
    face.clock.advance(59_000)
    kept = face.get("/v1/lamps", if_none_match=first.headers["etag"])
    face.clock.advance(2_000)
    lamp = next(lamp for lamp in face.get("/v1/lamps").json()["lamps"] if lamp["id"] == "lamp-0012")

    assert (kept.status_code, first.headers["cache-control"]) == (304, "public, max-age=60")
    assert lamp["level"] == {"value": 100.0, "unit": "%", "at": "2026-11-23T08:30:00Z", "age_s": 61}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("gzip;q=0", None), ("gzip;q=0, br", None), ("identity", None)],
)
def test_what_is_large_is_packed_for_whom_takes_it_so(face: Face, accepted: str, coding: str | None) -> None:
    plain = face.get("/v1/lamps", accept_encoding="identity")
    answer = face.get("/v1/lamps", accept_encoding=accepted)
    small = face.get("/v1/notices", accept_encoding="gzip")

    assert (answer.headers.get("content-encoding"), answer.content) == (coding, plain.content)
    assert "Accept-Encoding" in answer.headers["vary"]
    assert (answer.headers["etag"] == plain.headers["etag"]) == (coding is None)
    assert "content-encoding" not in small.headers


def test_the_air_tells_the_latest_particulates(face: Face) -> None:
    air = face.get("/v1/air").json()["air"]

    assert [(one["site"], one["sensor"], one["values"]["pm2_5"]["value"]) for one in air] == [("lamp-0012", "air", 8.4)]


def test_a_history_counts_passages_by_the_step(face: Face) -> None:
    answer = face.get(
        "/v1/yards/hof-nord/history?quantity=passage&from=2026-11-23T07:00:00Z&to=2026-11-23T07:30:00Z&step=600"
    ).json()

    gate = next(series for series in answer["series"] if series["sensor"] == "gate-in")
    assert (answer["unit"], answer["step_s"]) == ("count", 600)
    assert [(point["at"], point["value"]) for point in gate["points"]] == [
        ("2026-11-23T07:00:00Z", 7.0),
        ("2026-11-23T07:10:00Z", 8.0),
        ("2026-11-23T07:20:00Z", 7.0),
    ]


def test_a_history_of_waits_is_a_mean_of_what_was_shown(face: Face) -> None:
    face.store.write([Reading(YARD, "estimate", "wait_p50", ms(minute), 60.0 * minute) for minute in (60, 62, 64, 66)])

    answer = face.get("/v1/yards/hof-nord/history?from=2026-11-23T08:00:00Z&step=300").json()

    assert answer["series"] == [
        {
            "sensor": "estimate",
            "points": [{"at": "2026-11-23T08:00:00Z", "value": 3720.0}, {"at": "2026-11-23T08:05:00Z", "value": 3960.0}],
        }
    ]


@pytest.mark.parametrize(("query", "accept"), [("&format=csv", "*/*"), ("", "text/csv")])
def test_a_history_comes_as_csv_for_those_who_ask(face: Face, query: str, accept: str) -> None:
    path = f"/v1/yards/hof-nord/history?quantity=passage&from=2026-11-23T07:00:00Z&to=2026-11-23T07:10:00Z&step=600{query}"
    answer = face.get(path, accept=accept)

    rows = list(csv.reader(answer.text.splitlines()))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert rows == [
        ["at", "sensor", "passage"],
        ["2026-11-23T07:00:00+00:00", "gate-in", "7.0"],
        ["2026-11-23T07:00:00+00:00", "lane-in", "15.0"],
    ]


@pytest.mark.parametrize(
    ("path", "status", "title", "detail"),
    [
        ("/v1/nothing", 404, "Not found", "there is nothing at /v1/nothing"),
        ("/v1/yards/hof-ost", 404, "Not found", "there is no yard 'hof-ost'; there are: hof-nord, hof-sued, hof-west, hof-mitte"),
        ("/v1/yards/hof-ost/stream", 404, "Not found", "there is no yard 'hof-ost'"),
        ("/v1/yards/hof-nord/history?quantity=plates", 422, "A parameter is not as it should be", "quantity: "),
        ("/v1/yards/hof-nord/history?step=1", 422, "A parameter is not as it should be", "step: "),
        ("/v1/yards/hof-nord/history?from=2026-11-23T07:00:00", 422, "A parameter is not as it should be", "from: "),
        ("/v1/yards/hof-nord/history?to=0001-01-01T00:00:00Z", 422, "A parameter is not as it should be", "of the years 2000 to"),
        ("/v1/yards/hof-nord/history?to=0.5", 422, "A parameter is not as it should be", "of the years 2000 to 2099"),
        (
            "/v1/yards/hof-nord/history?from=2027-01-01T00:00:00Z",
            422,
            "A parameter is not as it should be",
            "from must be before to",
        ),
        ("/v1/yards/hof-nord/history?from=2026-01-01T00:00:00Z", 422, "A parameter is not as it should be", "at most 31 days"),
        ("/display/hof-ost", 404, "Not found", "there is no yard"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(face: Face, path: str, status: int, title: str, detail: str) -> None:
    answer = face.get(path)

    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["title"], problem["type"]) == (status, status, title, "about:blank")
    assert detail in problem["detail"]


def test_writing_is_a_problem(face: Face) -> None:
    answer = face.client.post(face.url + "/v1/yards", content=b"{}")

    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert answer.json()["detail"] == "POST is not understood here; use GET"


def test_a_monitor_may_ask_for_the_head_alone(face: Face) -> None:
    answers = [face.client.head(face.url + path) for path in ("/", "/v1/yards", "/v1/stream")]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b""), (200, b""), (405, b"")]


def test_who_has_the_answer_already_is_told_so(face: Face) -> None:
    first = face.get("/v1/yards/hof-nord/wait")
    again = face.get("/v1/yards/hof-nord/wait", if_none_match=first.headers["etag"])

    assert first.headers["cache-control"] == "public, max-age=10"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_an_answer_that_is_kept_ready_is_the_one_of_the_route(face: Face) -> None:
    routed = face.get("/v1/yards/hof-nord/wait")
    assert face.yards.ready("hof-nord") is not None
    ready = face.get("/v1/yards/hof-nord/wait")
    head = face.client.head(face.url + "/v1/yards/hof-nord/wait")

    assert (ready.status_code, ready.content, head.content) == (200, routed.content, b"")
    assert undated(ready) == undated(routed) == undated(head)


def test_a_wait_that_is_fresh_never_reaches_the_routes(face: Face) -> None:
    asked: list[str] = []

    async def routed(scope: Scope, _receive: Receive, _send: Send) -> None:
        asked.append(scope["path"])

    async def unused(*_: object) -> Any:
        return None

    def ask() -> None:
        scope = {"type": "http", "method": "GET", "path": "/v1/yards/hof-nord/wait", "headers": []}
        asyncio.run(Ready(routed, face.city, face.yards)(scope, unused, unused))

    ask()
    face.yards.wait("hof-nord")
    ask()

    assert asked == ["/v1/yards/hof-nord/wait"]


def undated(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "date"}


def test_a_car_that_has_just_passed_is_in_the_answer(face: Face) -> None:
    before = face.get("/v1/yards/hof-nord/wait").json()["queue"]
    face.store.write(joined(*[89 + n * 0.05 for n in range(20)]))
    face.clock.advance(LOOK_MS)

    assert face.get("/v1/yards/hof-nord/wait").json()["queue"] > before


def test_a_new_number_has_a_new_tag(face: Face) -> None:
    first = face.get("/v1/yards/hof-nord/wait")
    face.clock.advance(10_000)

    again = face.get("/v1/yards/hof-nord/wait", if_none_match=first.headers["etag"])

    assert again.status_code == 200


def test_thousands_of_clients_make_one_question_to_the_store(face: Face) -> None:
    first = face.get("/v1/yards/hof-nord/wait").content
    face.store.write(joined(*[89 + n * 0.05 for n in range(20)]))
    kept = face.get("/v1/yards/hof-nord/wait").content

    face.clock.advance(6_000)

    assert kept == first
    assert face.get("/v1/yards/hof-nord/wait").content != first


def test_every_site_may_read_the_api_and_nobody_may_guess_types(face: Face) -> None:
    headers = face.get("/v1/yards").headers
    preflight = face.client.options(face.url + "/v1/yards", headers={"Origin": "https://example.org"})

    assert headers["access-control-allow-origin"] == "*"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert (preflight.status_code, preflight.headers["access-control-allow-methods"]) == (204, "GET, HEAD")


def test_a_stream_begins_with_the_newest_and_goes_on_with_each_change(face: Face) -> None:
    face.tell()
    with face.client.stream("GET", face.url + "/v1/yards/hof-nord/stream") as answer:
        first = events(answer, 1)
    with face.client.stream("GET", face.url + "/v1/stream") as answer:
        all_of_them = events(answer, 4)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [(name, data["yard"], data["queue"]) for name, data in first] == [("wait", "hof-nord", 8)]
    assert {data["yard"] for _, data in all_of_them} == {"hof-nord", "hof-sued", "hof-west", "hof-mitte"}


def test_a_change_reaches_an_open_stream(face: Face) -> None:
    with face.client.stream("GET", face.url + "/v1/yards/hof-nord/stream") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 5000"
        face.clock.advance(10_000)
        face.tell()

        data = next(line for line in lines if line.startswith("data: "))

    assert msgspec.json.decode(data.removeprefix("data: "))["as_of"] == "2026-11-23T09:30:10+01:00"


def test_a_quiet_stream_is_kept_alive(city: City, tmp_path: Path) -> None:
    served = facing(city, tmp_path, NOW_MS, streams=Streams(ping_s=0.05))
    with served as face, face.client.stream("GET", face.url + "/v1/stream") as answer:
        ping = next(line for line in answer.iter_lines() if line.startswith(":"))

    assert ping == ": ping"


def test_one_stream_too_many_is_told_to_poll(city: City, tmp_path: Path) -> None:
    served = facing(city, tmp_path, NOW_MS, streams=Streams(max_clients=1))
    with served as face, face.client.stream("GET", face.url + "/v1/stream") as answer:
        lines = answer.iter_lines()
        next(lines)
        refused = face.get("/v1/stream")

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    assert refused.headers["content-type"] == "application/problem+json"


def test_a_client_that_left_frees_its_place(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, NOW_MS, streams=Streams(ping_s=0.05, max_clients=1)) as face:
        with face.client.stream("GET", face.url + "/v1/stream") as answer:
            lines = answer.iter_lines()
            assert next(lines) == "retry: 5000"
            assert face.streams.is_full
        deadline = time.monotonic() + 5
        while face.streams.is_full and time.monotonic() < deadline:
            time.sleep(0.01)

        assert not face.streams.is_full


def test_while_the_store_is_away_waits_are_unknown_and_the_rest_is_a_problem(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, NOW_MS, store=AwayStore()) as face:
        told = wait.decode(face.get("/v1/yards/hof-nord/wait").content)
        problems = [face.get(path) for path in ("/v1/lamps", "/v1/air", "/v1/yards/hof-nord/history")]
        health = face.get("/healthz")

    assert (told.state, told.p50_s, told.reason) == (State.UNKNOWN, None, "the database does not answer")
    assert [(answer.status_code, answer.headers["content-type"]) for answer in problems] == [(503, "application/problem+json")] * 3
    assert all("10.0.0.7" not in answer.text for answer in (*problems, health))
    assert (health.status_code, health.json()["store"]) == (503, "away")


def test_opening_hours_are_known_without_a_store(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, ms(-60), store=AwayStore()) as face:
        told = wait.decode(face.get("/v1/yards/hof-nord/wait").content)

    assert (told.state, told.next_opening) == (State.CLOSED, at(0))


def test_health_wants_a_store_and_fresh_estimates(face: Face) -> None:
    before = face.get("/healthz")
    face.tell()
    fresh = face.get("/healthz")
    face.clock.advance(61_000)
    late = face.get("/healthz")

    assert (before.status_code, fresh.status_code, late.status_code) == (503, 200, 503)
    assert fresh.json() == {"ok": True, "version": "0.1.0", "store": "answers", "estimates_age_s": 0}


def test_metrics_are_what_prometheus_reads(face: Face) -> None:
    answer = face.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert "hoflicht_api_streams 0.0" in answer.text


def test_the_description_has_an_example_and_a_schema_for_every_answer(face: Face) -> None:
    document = face.get("/openapi.json").json()

    operations = {path: item["get"] for path, item in document["paths"].items()}
    assert set(operations) == {
        "/v1/yards",
        "/v1/yards/{yard}",
        "/v1/yards/{yard}/wait",
        "/v1/yards/{yard}/history",
        "/v1/yards/{yard}/stream",
        "/v1/yards/{yard}/forecast",
        "/v1/yards/{yard}/days",
        "/v1/yards/{yard}/days/{day}.csv",
        "/v1/yards/{yard}/hours.ics",
        "/v1/notices",
        "/v1/notices.atom",
        "/v1/places",
        "/v1/catalogue",
        "/v1/catalogue.jsonld",
        "/v1/catalogue.ttl",
        "/v1/stream",
        "/v1/lamps",
        "/v1/air",
        "/healthz",
    }
    for operation in operations.values():
        content = operation["responses"]["200"]["content"]
        if "application/json" in content:
            ours = content["application/json"]["schema"]["$ref"].removeprefix("#/components/schemas/")
            assert ours in document["components"]["schemas"]
        assert any("example" in body for body in content.values())


def test_what_the_description_gives_as_an_example_is_answered_as_it_says(face: Face) -> None:
    face.tell()
    document = face.get("/openapi.json").json()
    met, wanted = {}, {}
    for path, item in document["paths"].items():
        answered = item["get"]["responses"]["200"]["content"]
        if "text/event-stream" in answered:
            continue  # has no end
        examples = {
            each["name"]: each["schema"]["examples"][0] for each in item["get"].get("parameters", []) if each["in"] == "path"
        }
        answer = face.get(path.format(**examples))
        met[path] = (answer.status_code, answer.headers["content-type"].partition(";")[0])
        wanted[path] = (200, next(iter(answered)))

    assert len(met) == 17
    assert met == wanted


def test_all_that_the_description_refers_to_is_in_it(face: Face) -> None:
    document = face.get("/openapi.json")

    referred = set(re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', document.text))
    assert referred - set(document.json()["components"]["schemas"]) == set()


@pytest.mark.parametrize("shape", EXAMPLES)
def test_an_example_is_what_its_shape_reads(shape: type) -> None:
    assert msgspec.convert(msgspec.to_builtins(EXAMPLES[shape]), shape) == EXAMPLES[shape]


def test_the_example_of_a_wait_is_one_that_can_be(city: City) -> None:
    told = EXAMPLES[Wait]

    assert isinstance(told, Wait)
    assert told.latest_arrival is not None
    assert told.p50_s is not None
    assert told.p90_s is not None
    assert told.shown_min == wait.shown_minutes(told.p50_s)
    assert (
        told.latest_arrival.hour * 3600 + told.latest_arrival.minute * 60 + told.latest_arrival.second
    ) + told.p90_s == 17.5 * 3600


def write_config(folder: Path, port: int) -> Path:
    path = folder / "api.toml"
    city = ROOT / "simulators" / "city.toml"
    path.write_text(f'city = "{city}"\nlisten = "127.0.0.1:{port}"\n[store]\nurl = "sqlite:///readings.db"\n')
    return path


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hoflicht", "api", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def test_ctrl_c_ends_at_once_although_a_stream_is_open(tmp_path: Path) -> None:
    port = free_port()
    with start(write_config(tmp_path, port)) as process, httpx.Client(verify=False) as client:
        try:
            wait_until_listening(port)
            with client.stream("GET", f"http://127.0.0.1:{port}/v1/stream", timeout=30) as answer:
                opened = events(answer, 1)
                began = time.monotonic()
                process.terminate()
                code = process.wait(10)
                took_s = time.monotonic() - began
        finally:
            process.kill()

    assert [name for name, _ in opened] == ["wait"]
    assert code == 0
    assert took_s < 3


def test_a_busy_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy, start(write_config(tmp_path, busy.getsockname()[1])) as process:
        _, said = process.communicate(timeout=30)

    assert process.returncode == 2
    assert said.count("\n") == 1
    assert "Address already in use; choose another address or port" in said


def test_an_empty_store_is_told_as_no_number(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, NOW_MS) as face:
        told = wait.decode(face.get("/v1/yards/hof-nord/wait").content)

    assert (told.state, told.reason) == (State.UNKNOWN, "the sensors are silent")


def test_a_free_yard_is_told_as_no_wait(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, NOW_MS, free_lane(90) + joined(80) + let_in(80.3)) as face:
        told = wait.decode(face.get("/v1/yards/hof-nord/wait").content)

    assert (told.state, told.queue, told.shown_min) == (State.OPEN, 0, 0)
    assert (told.p50_s or 0) < 60  # the way to the gate
