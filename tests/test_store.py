"""Both stores, by the same tests: the embedded SQLite and a real InfluxDB 2.7."""

import datetime as dt
import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hoflicht import BadConfig, BadPayload, Reading, Refused, Unavailable
from hoflicht.clock import HandClock
from store.answers import Rejected, bounded_readings
from store.influx import InfluxStore, parse
from store.lines import lines
from store.readings import Store, StoreConfig, open_configured, open_store
from tests.conftest import Bucket, Influxd, free_port

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
# An hour's start three hours ago: the real InfluxDB refuses what is older than its retention, by its own clock.
T0 = int(time.time() * 1000) // HOUR_MS * HOUR_MS - 3 * HOUR_MS


@pytest.fixture
def influx_store(influx: Bucket) -> Iterator[Store]:
    with closing(open_store(influx.store_url, influx.token)) as opened:
        yield opened


def temperature(at_ms: int, value: float = 20.5, site: str = "hof-west", sensor: str = "air") -> Reading:
    return Reading(site, sensor, "temperature", at_ms, value)


def write_line(bucket: Bucket, line: str) -> None:
    """Write line protocol as another program might."""
    request = urllib.request.Request(
        f"{bucket.server.url}/api/v2/write?org=hoflicht&bucket={bucket.name}&precision=ms",
        data=line.encode(),
        headers={"Authorization": f"Token {bucket.token}"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def run_task(server: Influxd, name: str) -> None:
    """Run the one task of that name now, and wait until it is done."""
    tasks = server.call(f"/api/v2/tasks?org=hoflicht&name={urllib.parse.quote(name)}")["tasks"]
    assert len(tasks) == 1
    of_task = f"/api/v2/tasks/{tasks[0]['id']}"
    server.call(f"{of_task}/runs", {})
    deadline = time.monotonic() + 30
    while [run["status"] for run in server.call(f"{of_task}/runs")["runs"]] != ["success"]:
        assert time.monotonic() < deadline, server.call(f"{of_task}/logs")
        time.sleep(0.05)


def call(server: Influxd, method: str, path: str, body: object) -> None:
    request = urllib.request.Request(
        server.url + path,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Token {server.token}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def stamp(at_ms: int) -> str:
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).isoformat()


def retention_s(server: Influxd, bucket: str) -> int:
    """How long a bucket keeps its points; 0 is for ever."""
    found: Any = server.call(f"/api/v2/buckets?name={bucket}")["buckets"][0]
    return sum(int(rule["everySeconds"]) for rule in found["retentionRules"])


def test_what_was_written_is_read(store: Store) -> None:
    rejected = store.write([temperature(T0, -3.25)])

    assert rejected == []
    assert store.read("hof-west", ["temperature"], T0, T0 + 1) == [temperature(T0, -3.25)]


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-300, 1.7976931348623157e308, 0.1, 123456789.123456789])
def test_a_value_comes_back_to_the_last_digit(store: Store, value: float) -> None:
    store.write([temperature(T0, value)])

    assert store.read("hof-west", ["temperature"], T0, T0 + 1) == [temperature(T0, value)]


def test_lines_that_were_written_before_are_stored_as_their_readings(store: Store) -> None:
    readings = [temperature(T0 + n, value) for n, value in enumerate((0.1 + 0.2, -7.0, 1e-300, 123456789.125))]

    assert store.write_lines([lines(readings[:3]), b"", lines(readings[3:])]) == []

    assert store.read("hof-west", ["temperature"], T0, T0 + 10) == readings


def test_the_same_point_twice_is_one(store: Store) -> None:
    store.write([temperature(T0, 1.0), temperature(T0, 2.0)])
    store.write([temperature(T0, 3.0)])

    assert store.count() == 1
    assert store.read("hof-west", ["temperature"], T0, T0 + 1) == [temperature(T0, 3.0)]


def test_readings_come_in_the_order_of_time_then_sensor_then_quantity(store: Store) -> None:
    readings = [
        Reading("hof-west", "gate-in", "passage", T0 + 1, 1.0),
        Reading("hof-west", "air", "pm10", T0 + 2, 7.0),
        Reading("hof-west", "air", "temperature", T0 + 2, 9.0),
        Reading("hof-west", "lane-in", "passage", T0 + 2, 1.0),
        Reading("hof-west", "air", "pm10", T0 + 5 * HOUR_MS, 8.0),
    ]
    store.write(random.Random(1).sample(readings, len(readings)))

    assert store.read("hof-west", ["passage", "pm10", "temperature"], T0, T0 + 2 * 86_400_000) == readings


def test_only_the_site_the_quantities_and_the_time_asked_for_are_read(store: Store) -> None:
    wanted = temperature(T0)
    store.write(
        [
            wanted,
            temperature(T0 - 1),
            temperature(T0 + 10),
            temperature(T0, site="hof-nord"),
            Reading("hof-west", "air", "pm10", T0, 1.0),
        ]
    )

    assert store.read("hof-west", ["temperature"], T0, T0 + 10) == [wanted]


def test_nothing_asked_for_is_nothing_read(store: Store) -> None:
    store.write([temperature(T0)])

    assert store.read("hof-west", [], T0, T0 + 1) == []
    assert store.read("hof-west", ["humidity"], T0, T0 + 1) == []
    assert store.latest([], T0) == []


def test_many_readings_come_whole(store: Store) -> None:
    readings = [temperature(T0 + n, float(n)) for n in range(25_000)]
    store.write(readings)

    assert store.read("hof-west", ["temperature"], T0, T0 + 25_000) == readings


def test_the_latest_is_the_newest_of_each_sensor(store: Store) -> None:
    store.write([temperature(T0 + n, float(n)) for n in range(3)])
    store.write(
        [
            temperature(T0 + 1, 30.0, sensor="roof"),
            temperature(T0 + 2, 40.0, site="hof-nord"),
            temperature(T0 - 50, site="hof-sued"),
        ]
    )

    assert store.latest(["temperature", "pm10"], T0) == [
        temperature(T0 + 2, 40.0, site="hof-nord"),
        temperature(T0 + 2, 2.0),
        temperature(T0 + 1, 30.0, sensor="roof"),
    ]


def test_means_are_those_of_the_steps_that_have_readings(store: Store) -> None:
    store.write(
        [temperature(T0, 1.0), temperature(T0 + 59_999, 2.0), temperature(T0 + 120_000, 7.0), temperature(T0 + 180_000, 99.0)]
    )
    store.write([temperature(T0, 50.0, sensor="roof")])

    means = store.means("hof-west", "air", "temperature", T0, T0 + 180_000, 60_000)

    assert means == [(T0, 1.5), (T0 + 120_000, 7.0)]


def test_steps_are_counted_from_the_epoch_not_from_the_question(store: Store) -> None:
    store.write([temperature(T0 + 30_000, 4.0), temperature(T0 + 59_000, 6.0), temperature(T0 + 10_000, 99.0)])

    assert store.means("hof-west", "air", "temperature", T0 + 20_000, T0 + 60_000, 60_000) == [(T0, 5.0)]


def test_sums_are_those_of_the_steps_that_have_readings(store: Store) -> None:
    cars = {0: 1.0, 59_999: 2.0, 120_000: 4.0, 180_000: 8.0}
    store.write([Reading("hof-west", "gate-in", "passage", T0 + after_ms, value) for after_ms, value in cars.items()])

    sums = store.sums("hof-west", "gate-in", "passage", T0, T0 + 180_000, 60_000)

    assert sums == [(T0, 3.0), (T0 + 120_000, 4.0)]


def test_more_steps_than_a_plot_has_pixels_are_refused(store: Store) -> None:
    for fold in (store.means, store.sums):
        with pytest.raises(BadPayload, match="more than 50000 steps"):
            fold("hof-west", "air", "temperature", 0, T0, 60_000)


def test_more_readings_than_memory_bears_are_refused() -> None:
    bounded_readings(1_000_000, "hof-west")

    with pytest.raises(BadPayload, match="more than 1000000 readings of hof-west"):
        bounded_readings(1_000_001, "hof-west")


def test_an_empty_write_is_a_way_to_ask_whether_one_would_be_taken(store: Store) -> None:
    assert store.write([]) == []
    assert store.count() == 0


def test_a_store_that_is_there_answers_a_ping(store: Store) -> None:
    store.ping()


def test_preparing_twice_changes_nothing(store: Store) -> None:
    store.prepare()
    store.write([temperature(T0)])

    store.prepare()

    assert store.count() == 1


def test_threads_may_share_a_store(store: Store) -> None:
    store.write([temperature(T0)])
    counted: list[int] = []

    def work(worker: int) -> None:
        for n in range(5):
            store.write([temperature(T0 + n, sensor=f"air-{worker}")])
            counted.append(len(store.read("hof-west", ["temperature"], T0, T0 + 1)))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(counted) == 40
    assert store.count() == 41


# --- SQLite


def test_a_locked_file_is_away_for_now(tmp_path: Path) -> None:
    with (
        closing(open_store(f"sqlite:///{tmp_path}/readings.db")) as store,
        closing(sqlite3.connect(tmp_path / "readings.db")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(Unavailable, match="locked"):
            store.write([temperature(T0)])

        other.rollback()
        assert store.write([temperature(T0)]) == []


FULL_DISK = """
import resource, signal, sys
from hoflicht import Reading, Unavailable
from store.readings import open_store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(f"sqlite:///{sys.argv[1]}")
store.write([Reading("a", "x", "passage", 1, 1.0)])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    store.write([Reading("a", "x", "passage", n, 1.0) for n in range(100_000)])
except Unavailable:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print("away, with", store.count())
    store.write([Reading("a", "y", "passage", 2, 1.0)])
    print("back, with", store.count())
store.close()
"""


def test_a_full_disk_is_away_for_now_and_takes_nothing_by_halves(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "readings.db")], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.stdout, ended.stderr) == ("away, with 1\nback, with 2\n", "")


WRITE_FOR_EVER = """
import itertools, sys
from hoflicht import Reading
from store.readings import open_store
store = open_store(f"sqlite:///{sys.argv[1]}")
for n in itertools.count():
    store.write([Reading("a", "x", "passage", n * 10 + i, 1.0) for i in range(10)])
    print(n, flush=True)
"""


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "readings.db"
    with subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 20:
            pass
        process.kill()
        told = 20 + sum(1 for _ in process.stdout)

    with closing(open_store(f"sqlite:///{path}")) as store:
        assert store.count() >= (told + 1) * 10
        assert store.count() % 10 == 0


def test_two_processes_may_make_the_file_at_the_same_time(tmp_path: Path) -> None:
    program = "import sys; from store.readings import open_store; open_store(sys.argv[1]).close()"
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path}/readings.db"]
    processes = [subprocess.Popen(command) for _ in range(4)]

    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0, 0]


def test_a_file_that_is_no_database_is_an_error_of_the_config(tmp_path: Path) -> None:
    (tmp_path / "readings.db").write_bytes(b"This is a letter to the mayor. " * 100)

    with pytest.raises(BadConfig, match="not a database"):
        open_store(f"sqlite:///{tmp_path}/readings.db")


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")

    with pytest.raises(BadConfig, match="another program's database"):
        open_store(f"sqlite:///{tmp_path}/other.db")


def test_a_folder_that_is_not_there_is_an_error_of_the_config(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="is the folder there"):
        open_store(f"sqlite:///{tmp_path}/nowhere/readings.db")


# --- InfluxDB


def test_what_is_older_than_the_retention_is_handed_back_and_the_rest_is_stored(influx_store: Store) -> None:
    good = [temperature(T0 + n, float(n)) for n in range(7)]
    old = [temperature(1_000 + n) for n in range(2)]

    rejected = influx_store.write([*good[:3], old[0], *good[3:5], old[1], *good[5:]])

    assert rejected == [Rejected(reading, "older than the database keeps") for reading in old]
    assert influx_store.read("hof-west", ["temperature"], T0, T0 + 10) == good


def test_of_lines_that_were_written_before_the_refused_ones_are_handed_back_too(influx_store: Store) -> None:
    good, old = [temperature(T0 + n, float(n)) for n in range(4)], temperature(1, 5.0)

    rejected = influx_store.write_lines([lines(good[:2]), lines([old, *good[2:]])])

    assert [one.reading for one in rejected] == [old]
    assert influx_store.read("hof-west", ["temperature"], T0, T0 + 10) == good


def test_an_unparsable_line_costs_the_others_nothing(influx_store: Store) -> None:
    good = [temperature(T0 + n, float(n)) for n in range(4)]
    bad = temperature(T0, sensor="a\nb")  # ids of the wire cannot hold a line break; this is the only way to write a wrong line

    rejected = influx_store.write([*good[:2], bad, *good[2:]])

    assert [one.reading for one in rejected] == [bad]
    assert "unable to parse" in rejected[0].reason
    assert influx_store.read("hof-west", ["temperature"], T0, T0 + 10) == good


def test_another_writers_type_costs_only_its_own_series(influx: Bucket, influx_store: Store) -> None:
    write_line(influx, f"pm10,sensor=air,site=hof-west value=1i {T0}")

    rejected = influx_store.write([temperature(T0), Reading("hof-west", "air", "pm10", T0 + 1, 2.0)])

    assert [one.reading.quantity for one in rejected] == ["pm10"]
    assert "field type conflict" in rejected[0].reason
    assert influx_store.read("hof-west", ["temperature"], T0, T0 + 1) == [temperature(T0)]


class Proxy:
    """A web server before the real one: counts the writes, answers `status` to the next `times` and passes the others on."""

    def __init__(self, server: Influxd) -> None:
        self.asked, self.status, self.times, self.max_bytes, self.delay_s = 0, 0, 0, 1_000_000_000, 0.0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                proxy.asked += 1
                time.sleep(proxy.delay_s)
                said = b""
                if len(body) > proxy.max_bytes:
                    status = 413
                elif proxy.times:
                    status, proxy.times = proxy.status, proxy.times - 1
                else:
                    status, said = self._pass_on(body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def _pass_on(self, body: bytes) -> tuple[int, bytes]:
                request = urllib.request.Request(server.url + self.path, body, {"Authorization": self.headers["Authorization"]})
                try:
                    with urllib.request.urlopen(request, timeout=10) as answered:
                        return answered.status, b""
                except urllib.error.HTTPError as cause:
                    with cause:
                        return cause.code, cause.read()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"influx+http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def open(self, bucket: Bucket) -> Store:
        return open_store(f"{self.url}/{bucket.name}?org=hoflicht", bucket.token)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def proxy(influxd: Influxd) -> Iterator[Proxy]:
    with closing(Proxy(influxd)) as made:
        yield made


def answer(bucket: Bucket, body: str, token: str | None = None, name: str | None = None) -> tuple[int, str]:
    """What the real server says to a write."""
    request = urllib.request.Request(
        f"{bucket.server.url}/api/v2/write?org=hoflicht&bucket={name or bucket.name}&precision=ms",
        data=body.encode(),
        headers={"Authorization": f"Token {token or bucket.token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as said:
            return said.status, ""
    except urllib.error.HTTPError as cause:
        with cause:
            return cause.code, cause.read().decode()


def test_the_answers_of_the_real_server_are_those_that_we_sort(influx: Bucket) -> None:
    write_line(influx, f"pm10,sensor=air,site=a value=1i {T0}")
    good, old, other = f"pm4,site=a value=1 {T0}", "pm4,site=a value=1 1000", f"pm10,sensor=air,site=a value=1 {T0 + 1}"

    said = {
        "old": answer(influx, f"{good}\n{old}\n{old}1"),
        "type": answer(influx, f"{good}\n{other}\n{old}"),
        "unreadable": answer(influx, f"pm1,site=a value=1 {T0}\npm1 value\npm1,site=a value=NaN {T0}"),
        "nothing": answer(influx, ""),
        "token": answer(influx, good, token="wrong"),
        "read only": answer(influx, good, token=limited_token(influx, "read")),
        "bucket": answer(influx, good, name="no-such-bucket"),
    }

    assert {name: status for name, (status, _) in said.items()} == {
        "old": 422,
        "type": 422,
        "unreadable": 400,
        "nothing": 204,
        "token": 401,
        "read only": 403,
        "bucket": 404,
    }
    assert "partial write: dropped 2 points outside retention policy" in said["old"][1]
    assert "dropped=2" in said["old"][1]
    # Of two reasons it tells one, and counts only what fell to that one.
    assert "partial write: field type conflict" in said["type"][1]
    assert "dropped=1" in said["type"][1]
    assert said["unreadable"][1].count("unable to parse") == 2
    assert influx.select("SELECT value FROM pm4") == [[T0, 1]]
    assert influx.select("SELECT value FROM pm1") == []


@pytest.mark.parametrize("count", [1, 400])
@pytest.mark.parametrize(
    "bad",
    [lambda n: temperature(1_000 + n, sensor=f"air-{n % 5}"), lambda n: Reading("hof-west", "air", "pm10", T0 + n, 1.0)],
    ids=["too old", "another type"],
)
def test_finding_the_bad_ones_takes_requests_by_the_logarithm_of_the_group_however_many_they_are(
    influx: Bucket, proxy: Proxy, bad: Callable[[int], Reading], count: int
) -> None:
    write_line(influx, f"pm10,sensor=air,site=hof-west value=1i {T0 + HOUR_MS // 2}")  # of the same day: a shard has one type
    good = [temperature(T0 + n, float(n), sensor=f"air-{n % 5}") for n in range(4_000)]
    poison = [bad(n) for n in range(count)]

    with closing(proxy.open(influx)) as store:
        rejected = store.write(random.Random(count).sample([*good, *poison], len(good) + count))

    assert len(rejected) == count
    assert {one.reading for one in rejected} == set(poison)
    assert influx.select("SELECT count(value) FROM temperature") == [[0, 4_000]]
    assert proxy.asked <= 1 + 2 * 13  # a group of 2**13 is halved 13 times, and both halves are asked for


def test_a_group_without_a_bad_one_is_one_request(influx: Bucket, proxy: Proxy) -> None:
    with closing(proxy.open(influx)) as store:
        store.write([temperature(T0 + n) for n in range(4_000)])

    assert proxy.asked == 1


def test_readings_that_are_bad_for_different_reasons_are_each_named_with_theirs(influx: Bucket, influx_store: Store) -> None:
    write_line(influx, f"pm10,sensor=air,site=hof-west value=1i {T0}")
    good = [temperature(T0 + n) for n in range(50)]
    old = [temperature(1_000 + n) for n in range(20)]
    other = [Reading("hof-west", "air", "pm10", T0 + n, 1.0) for n in range(20)]
    both = [Reading("hof-west", "air", "pm10", 1_000, 1.0)]

    rejected = influx_store.write(random.Random(1).sample([*good, *old, *other, *both], 91))

    reasons = {one.reading: one.reason for one in rejected}
    assert set(reasons) == {*old, *other, *both}
    assert {reasons[one] for one in [*old, *both]} == {"older than the database keeps"}
    assert {reasons[one] for one in other} == {
        'field type conflict: input field "value" on measurement "pm10" is type float, already exists as type integer'
    }
    assert influx_store.read("hof-west", ["temperature"], T0, T0 + 50) == good


def test_of_a_point_that_is_told_twice_the_later_stands_also_beside_a_bad_one(influx_store: Store) -> None:
    influx_store.write([temperature(T0, 1.0), temperature(1_000), temperature(T0, 2.0), temperature(T0 + 1), temperature(T0, 3.0)])

    assert influx_store.read("hof-west", ["temperature"], T0, T0 + 1) == [temperature(T0, 3.0)]


def test_a_proxy_that_finds_a_group_too_long_gets_it_in_pieces(influx: Bucket, influx_store: Store, proxy: Proxy) -> None:
    proxy.max_bytes = 10_000
    readings = [temperature(T0 + n, float(n)) for n in range(1_000)]

    with closing(proxy.open(influx)) as store:
        assert store.write(readings) == []

    assert influx_store.read("hof-west", ["temperature"], T0, T0 + 1_000) == readings


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_an_answer_that_says_not_now_rejects_nothing_and_the_next_try_may_succeed(
    influx: Bucket, proxy: Proxy, status: int
) -> None:
    proxy.status, proxy.times = status, 1
    with closing(proxy.open(influx)) as store:
        with pytest.raises(Unavailable, match=str(status)):
            store.write([temperature(T0)])

        assert store.write([temperature(T0)]) == []


@pytest.mark.parametrize("status", [401, 403, 404, 405, 415])
def test_an_answer_that_a_person_must_mend_rejects_nothing(influx: Bucket, proxy: Proxy, status: int) -> None:
    proxy.status, proxy.times = status, 1
    with closing(proxy.open(influx)) as store:
        with pytest.raises(Refused):
            store.write([temperature(T0)])

        assert store.write([temperature(T0)]) == []


def test_a_server_that_does_not_answer_in_time_is_away_for_now(
    influx: Bucket, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.influx.ANSWER_MS", 200)
    proxy.delay_s = 0.5
    with closing(proxy.open(influx)) as store, pytest.raises(Unavailable):
        store.write([temperature(T0)])


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.write([temperature(T0)]),
        lambda store: store.write([]),
        lambda store: store.read("hof-west", ["temperature"], T0, T0 + 1),
        lambda store: store.ping(),
        lambda store: store.prepare(),
    ],
)
def test_a_wrong_token_is_refused(influx: Bucket, ask: Callable[[Store], object]) -> None:
    with closing(open_store(influx.store_url, "wrong")) as store, pytest.raises(Refused, match="does not accept the token"):
        ask(store)


def limited_token(bucket: Bucket, action: str) -> str:
    """A token that may do only that, and only with this bucket."""
    found = bucket.server.call(f"/api/v2/buckets?name={bucket.name}")["buckets"][0]
    resource = {"type": "buckets", "id": found["id"], "orgID": found["orgID"]}
    made: Any = bucket.server.call(
        "/api/v2/authorizations", {"orgID": found["orgID"], "permissions": [{"action": action, "resource": resource}]}
    )
    return str(made["token"])


def test_a_token_that_may_only_write_is_enough_for_writing_and_is_told_from_silence(influx: Bucket) -> None:
    with closing(open_store(influx.store_url, limited_token(influx, "write"))) as store:
        assert store.write([temperature(T0)]) == []
        with pytest.raises(Refused, match="may not read"):
            store.ping()
        with pytest.raises(Refused, match="all-access token"):
            store.prepare()


def test_a_token_that_may_only_read_is_enough_for_reading(influx: Bucket, influx_store: Store) -> None:
    influx_store.write([temperature(T0)])

    with closing(open_store(influx.store_url, limited_token(influx, "read"))) as store:
        store.ping()
        assert store.read("hof-west", ["temperature"], T0, T0 + 1) == [temperature(T0)]
        with pytest.raises(Refused, match="does not accept the token"):
            store.write([])


def test_a_bucket_that_is_not_there_says_how_to_make_it(influxd: Influxd) -> None:
    url = f"influx+{influxd.url}/no-such-bucket?org=hoflicht"

    with closing(open_store(url, influxd.token)) as store:
        with pytest.raises(Refused, match="--prepare"):
            store.write([temperature(T0)])
        with pytest.raises(Refused, match="--prepare"):
            store.ping()


def test_a_server_that_is_not_there_is_away_for_now() -> None:
    with closing(open_store(f"influx+http://127.0.0.1:{free_port()}/bucket?org=hoflicht", "token")) as store:
        with pytest.raises(Unavailable):
            store.write([temperature(T0)])
        with pytest.raises(Unavailable):
            store.read("hof-west", ["temperature"], T0, T0 + 1)
        with pytest.raises(Unavailable):
            store.ping()


# --- What InfluxDB keeps for ever

LONG_AGO = T0 // DAY_MS * DAY_MS - 40 * DAY_MS  # a midnight
ROUND_H = 428  # in which each hour has its turn: 356 turns, and hours grow old meanwhile
LATER = HandClock(T0 + 80 * DAY_MS)  # when readings of that age are given up, and those of T0 are not


class City:
    """A bucket that was prepared on the real server."""

    def __init__(self, server: Influxd) -> None:
        self.server = server
        self.name = f"city-{uuid.uuid4().hex[:8]}"
        self.url = f"influx+{server.url}/{self.name}?org=hoflicht"
        with closing(open_store(self.url, server.token)) as store:
            store.prepare()

    def run(self) -> None:
        run_task(self.server, f"hoflicht hourly {self.name}")

    def run_at(self, at_ms: int) -> None:
        """Do what the task would do at that time; asked like this it does not wait for the scheduler's next second."""
        (task,) = self.tasks()
        call(self.server, "POST", "/api/v2/query?org=hoflicht", {"query": task["flux"], "now": stamp(at_ms)})

    def run_when(self, at_ms: int) -> None:
        """Run it as in the hour in which `at_ms` has its turn: turn n, of 356, goes n times six hours back."""
        hours = range(T0 // HOUR_MS - ROUND_H, T0 // HOUR_MS + 1)
        self.run_at(HOUR_MS * next(hour for hour in hours if 0 < hour - hour % 356 * 6 - at_ms // HOUR_MS <= 6))

    def hourly(self) -> list[list[object]]:
        return self.server.select(f"{self.name}_hourly", 'SELECT value, min, max, "count" FROM temperature')

    def give_up(self, start_ms: int, end_ms: int) -> None:
        """What the database does with raw readings that are too old."""
        gone = {"start": stamp(start_ms), "stop": stamp(end_ms)}
        call(self.server, "POST", f"/api/v2/delete?org=hoflicht&bucket={self.name}", gone)

    def tasks(self) -> list[dict[str, str]]:
        listed = self.server.call("/api/v2/tasks?org=hoflicht&limit=500")["tasks"]
        return [one for one in listed if one["name"].endswith(self.name)]


@pytest.fixture
def prepared(influxd: Influxd) -> City:
    return City(influxd)


@pytest.fixture
def now(prepared: City) -> Iterator[Store]:
    with closing(open_store(prepared.url, prepared.server.token)) as store:
        yield store


@pytest.fixture
def later(prepared: City) -> Iterator[Store]:
    """The same store, asked when its old readings are given up."""
    with closing(InfluxStore(parse(prepared.url), prepared.server.token, LATER)) as store:
        yield store


def test_preparing_makes_the_bucket_and_keeps_hourly_values_for_ever(prepared: City, now: Store) -> None:
    now.write([temperature(T0, 1.0), temperature(T0 + 1_000, 5.0), temperature(T0 + HOUR_MS, 7.0)])

    prepared.run()

    assert retention_s(prepared.server, prepared.name) == 90 * 86_400
    assert retention_s(prepared.server, f"{prepared.name}_hourly") == 0
    assert prepared.hourly() == [[T0, 3.0, 1.0, 5.0, 2.0], [T0 + HOUR_MS, 7.0, 7.0, 7.0, 1.0]]


def test_what_comes_weeks_late_counts_once_it_has_its_turn(prepared: City, now: Store) -> None:
    now.write([temperature(LONG_AGO, 1.0), temperature(LONG_AGO + 1, 2.0)])
    prepared.run_when(LONG_AGO)
    assert prepared.hourly() == [[LONG_AGO, 1.5, 1.0, 2.0, 2.0]]
    now.write([temperature(LONG_AGO + 2, 6.0)])

    prepared.run_when(LONG_AGO)

    assert prepared.hourly() == [[LONG_AGO, 3.0, 1.0, 6.0, 3.0]]


@pytest.mark.chaos
def test_in_eighteen_days_each_hour_of_88_days_has_its_turn(prepared: City, now: Store) -> None:
    hours = list(range(T0 - 88 * DAY_MS, T0, HOUR_MS))
    now.write([temperature(at_ms, 1.0) for at_ms in hours])

    for ago in range(ROUND_H, -1, -1):
        prepared.run_at(T0 - ago * HOUR_MS)

    assert [row[0] for row in prepared.hourly()] == hours


def test_preparing_again_brings_the_task_of_an_older_version_up_to_date(prepared: City, now: Store) -> None:
    (task,) = prepared.tasks()
    older = task["flux"].replace("fn: min", "fn: max")
    call(prepared.server, "PATCH", f"/api/v2/tasks/{task['id']}", {"flux": older})
    assert [one["flux"] for one in prepared.tasks()] == [older]

    now.prepare()

    assert [(one["id"], one["flux"]) for one in prepared.tasks()] == [(task["id"], task["flux"])]


def test_what_was_given_up_is_answered_from_the_hourly_values(prepared: City, now: Store, later: Store) -> None:
    cars = {0: 1.0, 1_000: 3.0, HOUR_MS: 8.0, DAY_MS: 2.0}
    now.write([Reading("hof-west", "gate-in", "passage", LONG_AGO + after_ms, value) for after_ms, value in cars.items()])
    now.write([Reading("hof-west", "gate-in", "passage", T0, 5.0), Reading("hof-west", "gate-out", "passage", LONG_AGO, 9.0)])
    for after_ms in (0, DAY_MS):
        prepared.run_when(LONG_AGO + after_ms)
    prepared.give_up(LONG_AGO, LONG_AGO + 2 * DAY_MS)
    key = "hof-west", "gate-in", "passage"

    assert now.sums(*key, LONG_AGO, T0 + 1, HOUR_MS) == [(T0, 5.0)]
    assert later.sums(*key, LONG_AGO, T0 + 1, HOUR_MS) == [
        (LONG_AGO, 4.0),
        (LONG_AGO + HOUR_MS, 8.0),
        (LONG_AGO + DAY_MS, 2.0),
        (T0, 5.0),
    ]
    assert later.sums(*key, LONG_AGO, LONG_AGO + 2 * DAY_MS, DAY_MS) == [(LONG_AGO, 12.0), (LONG_AGO + DAY_MS, 2.0)]
    # The mean of all that was counted, not of the means of hours.
    assert later.means(*key, LONG_AGO, LONG_AGO + 2 * DAY_MS, DAY_MS) == [(LONG_AGO, 4.0), (LONG_AGO + DAY_MS, 2.0)]
    assert later.means(*key, LONG_AGO, LONG_AGO + DAY_MS, 600_000) == [(LONG_AGO, 2.0), (LONG_AGO + HOUR_MS, 8.0)]


def test_an_hour_of_which_readings_are_gone_is_answered_whole(prepared: City, now: Store, later: Store) -> None:
    now.write([temperature(LONG_AGO + n * 1_000, float(n)) for n in range(10)])
    prepared.run_when(LONG_AGO)
    prepared.give_up(LONG_AGO, LONG_AGO + 8_500)

    assert now.means("hof-west", "air", "temperature", LONG_AGO, LONG_AGO + HOUR_MS, HOUR_MS) == [(LONG_AGO, 9.0)]
    assert later.means("hof-west", "air", "temperature", LONG_AGO, LONG_AGO + HOUR_MS, HOUR_MS) == [(LONG_AGO, 4.5)]


def test_what_is_not_given_up_yet_is_answered_from_readings(prepared: City, now: Store, later: Store) -> None:
    now.write([temperature(T0, 1.0)])
    prepared.run()
    now.write([temperature(T0 + 1, 2.0)])  # the hourly values do not know it

    assert later.means("hof-west", "air", "temperature", LONG_AGO, T0 + HOUR_MS, HOUR_MS) == [(T0, 1.5)]


def test_where_there_are_no_hourly_values_readings_are_answered_from_however_old(influx: Bucket) -> None:
    with closing(InfluxStore(parse(influx.store_url), influx.token, LATER)) as store:
        store.write([temperature(LONG_AGO, 1.0)])

        assert store.means("hof-west", "air", "temperature", LONG_AGO, T0, DAY_MS) == [(LONG_AGO, 1.0)]


def test_a_token_that_may_not_read_the_hourly_values_still_reads_what_there_is(prepared: City, now: Store) -> None:
    now.write([temperature(LONG_AGO, 1.0)])
    prepared.run_when(LONG_AGO)
    token = limited_token(Bucket(prepared.server, prepared.name), "read")

    with closing(InfluxStore(parse(prepared.url), token, LATER)) as store:
        assert store.means("hof-west", "air", "temperature", LONG_AGO, T0, DAY_MS) == [(LONG_AGO, 1.0)]


# --- The URL


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgres://localhost/hoflicht",
        "influx://localhost:8086/bucket?org=hoflicht",
        "influx+http://localhost:8086/bucket",
        "influx+http://localhost:8086/?org=hoflicht",
        "influx+http://localhost:port/bucket?org=hoflicht",
        "influx+http://localhost:8086/bucket?org=hoflicht&retries=3",
        'influx+http://localhost:8086/buck"et?org=hoflicht',
        "influx+http:///bucket?org=hoflicht",
    ],
)
def test_a_url_of_no_store_is_answered_with_what_is_one(url: str) -> None:
    with pytest.raises(BadConfig, match=r"influx\+http\(s\)://host:8086/bucket\?org=name"):
        open_store(url)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(BadConfig) as refused:
        open_store("influx+http://me:geheim@localhost:8086/bucket?org=hoflicht")

    assert "geheim" not in str(refused.value)


def test_a_relative_path_starts_at_the_config(tmp_path: Path) -> None:
    with closing(open_configured(StoreConfig(url="sqlite:///data.db"), tmp_path / "ingest.toml")) as store:
        store.write([temperature(T0)])

    assert (tmp_path / "data.db").exists()


def test_the_token_comes_from_the_file_beside_the_config(influx: Bucket, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{influx.token}\n")
    config = StoreConfig(url=influx.store_url, token_file="token")  # the name of the file, not a token

    with closing(open_configured(config, tmp_path / "ingest.toml")) as store:
        store.ping()


def test_a_token_that_no_header_can_carry_is_an_error_of_the_config() -> None:
    with pytest.raises(BadConfig, match="token_file"):
        open_store("influx+http://127.0.0.1:8086/bucket?org=hoflicht", "two\nlines")


def test_a_token_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"token_file.*nowhere"):
        open_configured(StoreConfig(url="sqlite:///data.db", token_file="nowhere"), tmp_path / "ingest.toml")
