"""Boards: every query runs on the real InfluxDB, files hold what Grafana reads, pushing twice changes nothing."""

import json
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dashboards.boards import boards
from dashboards.drift import differences
from dashboards.panels import unit_of
from dashboards.publish import main
from hoflicht.errors import BadConfig
from tests.conftest import Bucket, Influxd

HOUR_S, DAY_S = 3_600, 86_400
TOKEN = "glsa_a-token-for-tests"
PANELS = [(board, panel) for board in boards() for panel in board["panels"]]
QUERIES = {
    f"{board['uid']}: {panel['title']} {target['refId']}": target["query"] for board, panel in PANELS for target in panel["targets"]
}
ESTIMATE = {
    "wait_p10": 300,
    "wait_p50": 600,
    "wait_p90": 1200,
    "wait_mean": 660,
    "wait_shown": 15,
    "queue_length": 7,
    "queue_p10": 5,
    "queue_p90": 10,
    "arrival_margin": 5_400,
    "wait_state": 0,
    "wait_trust": 0,
}
ACCURACY: dict[str, float] = {"error_mean": 130, "error_bias": -20, "within_3min": 0.75, "band_coverage": 0.8, "waits_measured": 24}


def line(quantity: str, site: str, sensor: str, value: float, at_s: int) -> str:
    return f"{quantity},site={site},sensor={sensor} value={value} {at_s}"


def a_city_speaks(now_s: int) -> Iterator[str]:
    """Ten minutes of a yard, two lamps (one fails), a cabinet and a gateway; of the energy meter three nights."""
    for ago in range(10):
        at_s = now_s - 60 * ago - 5
        for quantity, told in ESTIMATE.items():
            yield line(quantity, "hof-nord", "estimate", told, at_s)
        for quantity, sensor in {"held": "barrier", "presence": "lane-3", "occupied": "bay-1", "passage": "gate-in"}.items():
            yield line(quantity, "hof-nord", sensor, 1, at_s)
        for lamp, failing in {"lamp-0001": 1, "lamp-0002": 0}.items():
            yield line("lamp_failure", lamp, "driver", failing, at_s)
            yield line("active_power", lamp, "driver", 30, at_s)
            for level in ("level_target", "level_feedback", "level_actual"):
                yield line(level, lamp, "driver", 70, at_s)
        yield line("active_power", "cabinet-07", "meter", 64, at_s)
        for quantity in ("uptime", "spool_rows", "spool_hours_left", "receipt_latency", "clock_synchronised", "quarantined"):
            yield line(quantity, "gw-hof-nord", "gateway", 1, at_s)
        for counter in ("port_errors", "frames_lost", "noise_bytes", "dropped"):
            yield line(counter, "gw-hof-nord", "air", 20 - ago, at_s)
    for hours_ago in (1, 2):
        for quantity, scored in ACCURACY.items():
            yield line(quantity, "hof-nord", "estimate", scored, now_s // HOUR_S * HOUR_S - hours_ago * HOUR_S)
    noon_s = now_s // DAY_S * DAY_S - DAY_S // 2
    for nights_ago, kwh in enumerate((110.0, 102.5, 100.0)):
        yield line("energy_import", "cabinet-07", "meter", kwh, noon_s - nights_ago * DAY_S - 3600)


@pytest.fixture(scope="module")
def city_bucket(influxd: Influxd) -> Bucket:
    name = f"boards-{uuid.uuid4().hex[:8]}"  # a worker may come to this module twice
    influxd.bucket(name)
    body = "\n".join(a_city_speaks(int(time.time()))).encode()
    request = urllib.request.Request(
        f"{influxd.url}/api/v2/write?org=hoflicht&bucket={name}&precision=s", body, {"Authorization": f"Token {influxd.token}"}
    )
    urllib.request.urlopen(request, timeout=30).close()
    return Bucket(influxd, name)


def filled_in(query: str) -> str:
    """The query as Grafana sends it, for a span of four days."""
    now_ms = int(time.time() * 1000)
    macros = {
        "$timeFilter": f"time >= {now_ms - 4 * DAY_S * 1000}ms and time <= {now_ms}ms",
        "${__interval}": "1m",
        "${site:raw}": "hof-nord",
        "${lamp:raw}": "lamp-0002",
    }
    for macro, value in macros.items():
        query = query.replace(macro, value)
    return query


def values(bucket: Bucket, name: str) -> list[object]:
    return [value for row in bucket.select(filled_in(QUERIES[name])) for value in row[1:] if value is not None]


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_is_understood_and_finds_its_data(name: str, city_bucket: Bucket) -> None:
    found = values(city_bucket, name)

    assert found != []
    assert "$" not in filled_in(QUERIES[name])


@pytest.mark.parametrize("board", boards(), ids=lambda board: board["uid"])
def test_the_choices_of_a_board_are_what_has_data(board: dict[str, Any], city_bucket: Bucket) -> None:
    lists = {variable["name"]: city_bucket.select(variable["query"]) for variable in board["templating"].get("list", [])}

    expected = {
        "hoflicht-yards": {"site": [["site", "hof-nord"]]},
        "hoflicht-lamps": {"lamp": [["site", "lamp-0001"], ["site", "lamp-0002"]]},
        "hoflicht-platform": {},
    }
    assert lists == expected[board["uid"]]


def test_the_step_that_was_shown_stands_among_the_waits_in_their_unit(city_bucket: Bucket) -> None:
    median = set(values(city_bucket, "hoflicht-yards: Wait A"))
    shown = set(values(city_bucket, "hoflicht-yards: Wait E"))

    assert (median, shown) == ({600}, {900})


def test_the_accuracy_is_told_by_the_hour(city_bucket: Bucket) -> None:
    names = ("Error of what was published A", "Waits that came as told A", "Waits that came as told B", "Waits measured back A")

    assert [values(city_bucket, f"hoflicht-yards: {name}") for name in names] == [
        [130, 130],
        [0.75, 0.75],
        [0.8, 0.8],
        [24, 24],
    ]


def test_the_failing_lamps_are_counted_and_named(city_bucket: Bucket) -> None:
    count = values(city_bucket, "hoflicht-lamps: Lamps that do not light A")
    over_time = set(values(city_bucket, "hoflicht-lamps: Failing lamps A"))
    where = values(city_bucket, "hoflicht-lamps: Where A")

    assert count == [1]
    assert over_time == {1}
    assert where == [1]


def test_the_power_of_the_street_is_the_sum_of_its_lamps(city_bucket: Bucket) -> None:
    lamps = set(values(city_bucket, "hoflicht-lamps: Power of the street A"))
    meter = set(values(city_bucket, "hoflicht-lamps: Power of the street B"))

    assert lamps == {60}
    assert meter == {64}


def test_the_energy_of_a_night_is_the_difference_of_two_noons(city_bucket: Bucket) -> None:
    assert values(city_bucket, "hoflicht-lamps: Energy per night A") == [2.5, 7.5]


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=lambda part: part.get("uid") or part["title"])
def test_every_panel_tells_what_it_means(board: dict[str, Any], panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]

    assert len(panel["description"]) > 40
    assert defaults["unit"]
    assert defaults["thresholds"]["steps"][0] == {"value": None, "color": "green"}
    assert panel["datasource"] == {"type": "influxdb", "uid": "hoflicht-influxdb"}
    assert [target["refId"] for target in panel["targets"]] == list("ABCDE")[: len(panel["targets"])]


@pytest.mark.parametrize("board", boards(), ids=lambda board: board["uid"])
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


def test_units_follow_from_the_quantities() -> None:
    assert [unit_of(quantity) for quantity in ("wait_p50", "active_power", "spool_hours_left", "noise_bytes")] == [
        "s",
        "watt",
        "h",
        "bytes",
    ]


def test_the_built_files_hold_what_grafana_reads(tmp_path: Path) -> None:
    code = main(["build", str(tmp_path), "--influx-url", "http://db:8086", "--influx-bucket", "city", "--mounted-at", "/prov"])

    files = {str(path.relative_to(tmp_path)): json.loads(path.read_text()) for path in tmp_path.rglob("*.*")}
    assert code == 0
    assert sorted(files) == [
        "dashboards/hoflicht-lamps.json",
        "dashboards/hoflicht-platform.json",
        "dashboards/hoflicht-yards.json",
        "dashboards/hoflicht.yaml",
        "datasources/hoflicht.yaml",
    ]
    [source] = files["datasources/hoflicht.yaml"]["datasources"]
    assert (source["type"], source["url"], source["jsonData"]["dbName"]) == ("influxdb", "http://db:8086", "city")
    assert source["jsonData"]["httpHeaderName1"] == "Authorization"
    assert source["secureJsonData"]["httpHeaderValue1"] == "Token $__file{/run/secrets/grafana_influx_token}"
    [provider] = files["dashboards/hoflicht.yaml"]["providers"]
    assert provider["options"]["path"] == "/prov/dashboards"


def test_an_address_without_scheme_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="expected http"):
        main(["build", str(tmp_path), "--influx-url", "influxdb:8086"])


class StandIn:
    """What Grafana's HTTP API documents of folders, data sources and boards, with its state in three dictionaries."""

    def __init__(self) -> None:
        self.folders: dict[str, Any] = {}
        self.sources: dict[str, Any] = {}
        self.boards: dict[str, Any] = {}
        self.writes: list[str] = []
        self.role = "Admin"

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            kind, _, uid = path.strip("/").replace("/uid/", "/").partition("/")
            found = {"folders": self.folders, "datasources": self.sources, "dashboards": self.boards}[kind].get(uid)
            return (404, {"message": "Not found"}) if found is None else (200, found)
        self.writes.append(f"{method} {path}")
        if self.role != "Admin":
            return 403, {"message": "You'll need additional permissions to perform this action"}
        saves = {
            "POST /folders": self._save_folder,
            "POST /datasources": self._save_source,
            "PUT /datasources/uid/hoflicht-influxdb": self._save_source,
            "POST /dashboards/db": self._save_board,
        }
        return saves[f"{method} {path}"](body)

    def _save_folder(self, body: Any) -> tuple[int, Any]:
        self.folders[body["uid"]] = {"id": 1, **body}
        return 200, self.folders[body["uid"]]

    def _save_source(self, body: Any) -> tuple[int, Any]:
        uid = body["uid"]
        self.sources[uid] = {"id": 1, **{key: value for key, value in body.items() if key != "secureJsonData"}}
        self.sources[uid]["secureJsonFields"] = dict.fromkeys(body["secureJsonData"], True)
        return 200, {"datasource": self.sources[uid], "id": 1, "message": "Datasource added", "name": body["name"]}

    def _save_board(self, body: Any) -> tuple[int, Any]:
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        board = body["dashboard"]
        version = self.boards.get(board["uid"], {"dashboard": {"version": 0}})["dashboard"]["version"] + 1
        self.boards[board["uid"]] = {
            "dashboard": {**board, "id": 7, "version": version},
            "meta": {"folderUid": body["folderUid"], "version": version},
        }
        return 200, {"uid": board["uid"], "status": "success", "version": version}


@pytest.fixture
def grafana() -> Iterator[tuple[StandIn, str]]:
    state = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, answer = 401, {"message": "Invalid API key"}
            elif not self.path.startswith("/grafana/api/"):
                status, answer = 404, {"message": "Not found"}
            else:
                status, answer = state.answer(self.command, self.path.removeprefix("/grafana/api"), body)
            payload = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = _serve

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield state, f"http://127.0.0.1:{server.server_port}/grafana"
        server.shutdown()
        thread.join()


@pytest.fixture
def tokens(tmp_path: Path) -> list[str]:
    """The options that name the token files."""
    (tmp_path / "grafana-token").write_text(f"{TOKEN}\n")
    (tmp_path / "influx-token").write_text("first\n")
    return ["--token-file", str(tmp_path / "grafana-token"), "--influx-token-file", str(tmp_path / "influx-token")]


def test_the_first_push_makes_everything(
    grafana: tuple[StandIn, str], tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    state, url = grafana

    code = main(["push", "--url", url, *tokens])

    assert code == 0
    assert sorted(state.boards) == ["hoflicht-lamps", "hoflicht-platform", "hoflicht-yards"]
    assert state.sources["hoflicht-influxdb"]["jsonData"]["dbName"] == "hoflicht"
    assert capsys.readouterr().out.splitlines()[:2] == ["made: folder", "made: data source"]


def test_the_second_push_changes_nothing(
    grafana: tuple[StandIn, str], tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    state, url = grafana
    main(["push", "--url", url, *tokens])
    state.writes.clear()
    capsys.readouterr()

    code = main(["push", "--url", url, *tokens])

    assert code == 0
    assert state.writes == []
    assert capsys.readouterr().out == f"nothing to change: {url} has it all\n"


def test_a_board_changed_by_hand_is_told_and_put_right(
    grafana: tuple[StandIn, str], tokens: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    state, url = grafana
    main(["push", "--url", url, *tokens])
    state.boards["hoflicht-yards"]["dashboard"]["panels"][1]["title"] = "Wartezeit"
    state.writes.clear()
    capsys.readouterr()

    before = main(["diff", "--url", url, *tokens])
    told = capsys.readouterr().out
    main(["push", "--url", url, *tokens])
    after = main(["diff", "--url", url, *tokens])

    assert (before, after) == (1, 0)
    assert told == "board 'Recycling yards': panels[1].title: 'Wartezeit' on the server, 'Wait' here\n"
    assert state.writes == ["POST /dashboards/db"]


def test_a_new_token_is_seen_although_grafana_never_tells_the_old_one(
    grafana: tuple[StandIn, str], tokens: list[str], tmp_path: Path
) -> None:
    state, url = grafana
    main(["push", "--url", url, *tokens])
    (tmp_path / "influx-token").write_text("second\n")
    state.writes.clear()

    code = main(["push", "--url", url, *tokens])

    assert code == 0
    assert state.writes == ["PUT /datasources/uid/hoflicht-influxdb"]


def test_without_its_token_the_data_source_is_left_alone(grafana: tuple[StandIn, str], tokens: list[str]) -> None:
    state, url = grafana

    code = main(["push", "--url", url, *tokens[:2]])

    assert code == 0
    assert state.sources == {}
    assert len(state.boards) == 3


def test_boards_are_locked_unless_asked_otherwise(grafana: tuple[StandIn, str], tokens: list[str]) -> None:
    state, url = grafana

    main(["push", "--url", url, *tokens])
    locked = state.boards["hoflicht-lamps"]["dashboard"]["editable"]
    main(["push", "--url", url, *tokens, "--editable"])

    assert locked is False
    assert state.boards["hoflicht-lamps"]["dashboard"]["editable"] is True


def test_a_wrong_token_says_where_to_get_one(grafana: tuple[StandIn, str], tmp_path: Path) -> None:
    _, url = grafana
    (tmp_path / "wrong").write_text("glsa_another")

    with pytest.raises(BadConfig, match="does not take the token; make one under Administration, Service accounts"):
        main(["push", "--url", url, "--token-file", str(tmp_path / "wrong")])


def test_a_token_that_may_only_look_says_which_role_it_needs(grafana: tuple[StandIn, str], tokens: list[str]) -> None:
    state, url = grafana
    state.role = "Viewer"

    with pytest.raises(BadConfig, match="needs the role Admin"):
        main(["push", "--url", url, *tokens])


def test_a_grafana_that_is_away_is_one_line_and_exit_code_1(tokens: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["push", "--url", "http://127.0.0.1:1", *tokens])

    assert code == 1
    assert capsys.readouterr().err.startswith("hoflicht dashboards: no answer from http://127.0.0.1:1; is Grafana running")


def test_a_file_that_holds_no_token_is_told(tokens: list[str], tmp_path: Path) -> None:
    (tmp_path / "grafana-token").write_text("Dear colleague,\nthe token is\n")

    with pytest.raises(BadConfig, match="holds no token"):
        main(["push", "--url", "http://127.0.0.1:1", *tokens])


def test_what_the_server_adds_is_no_difference() -> None:
    found = {"id": 4, "version": 9, "schemaVersion": 42, "panels": [{"id": 1, "title": "a", "transparent": False}]}
    wanted = {"schemaVersion": 36, "panels": [{"id": 1, "title": "a"}]}

    assert differences(found, wanted) == []


def test_a_panel_more_or_renumbered_is_a_difference() -> None:
    wanted = {"panels": [{"id": 1}, {"id": 2}]}

    assert differences({"panels": [{"id": 1}]}, wanted) == ["panels: 1 on the server, 2 here"]
    assert differences({"panels": [{"id": 1}, {"id": 3}]}, wanted) == ["panels[1].id: 3 on the server, 2 here"]
