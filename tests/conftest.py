"""The neighbours, for real: a Mosquitto, an influxd, and what is needed everywhere."""

import os
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path

import hypothesis
import msgspec
import pytest
from playwright.sync_api import Browser, sync_playwright

from hoflicht.broker import BrokerConfig
from hoflicht.catalogue import City, load_city
from hoflicht.clock import HandClock
from store.readings import Store, open_store

# On a busy machine one example may take long; that says nothing about the code.
hypothesis.settings.register_profile("hoflicht", deadline=None)
hypothesis.settings.load_profile("hoflicht")

os.umask(0o077)  # tests write tokens and passwords, and a role refuses those that everybody may read

ROOT = Path(__file__).parent.parent
ORG = "hoflicht"
TOKEN = "a-token-for-tests-only"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WORKER, WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
# Below those that Linux gives away by itself (ip_local_port_range). Each worker of pytest-xdist has its own and takes one after the
# other: none is given twice before somebody listens. By a chance of its own, for a test may seed the one that all share.
OWN = range(20_000 + WORKER, 32_000, WORKERS)
PORTS = cycle(random.SystemRandom().sample(OWN, len(OWN)))
START_S = 30.0  # a loaded machine takes its time to start a database
END_S = 30.0  # and to end one


@pytest.hookimpl(trylast=True)  # after what was not asked for is left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each worker of pytest-xdist begin with slow tests: it has a run of the list, and who is done takes from another's end.

    The slowest, which waits for a sign to change after two minutes, is the first of all. Those of a file stay together, for they
    share what took time to make.
    """
    slow = sorted(filter(is_slow, items), key=lambda item: item.path.name != "test_walk.py")
    files = list(dict.fromkeys(item.path for item in slow))
    others = iter([item for item in items if not is_slow(item)])
    dealt: list[pytest.Item] = []
    for n in range(WORKERS):
        share = (len(items) - len(dealt)) // (WORKERS - n)
        first = [item for item in slow if files.index(item.path) % WORKERS == n]
        dealt += [*first, *islice(others, max(0, share - len(first)))]
    items[:] = dealt


def is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


def installed(program: str, how: str, beside: Path = Path("/usr/bin")) -> str:
    """Where the program is; without it the test is skipped with a word, in CI (CI=true) it fails: CI skips nothing."""
    found = shutil.which(program) or str(beside / program)
    if not Path(found).exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{program} is not installed: {how}")
    return found


def free_port() -> int:
    """A TCP port on loopback that nobody uses at this moment.

    The system gives it to no connection that goes out: a neighbour that was killed finds it free again, and who tries to reach it
    meanwhile does not reach itself.
    """
    return next(filter(_is_free, PORTS))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was used a minute ago is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_until_listening(port: int, timeout_s: float = START_S) -> None:
    """Return once something accepts connections on `port`; raise TimeoutError where nothing does in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port}")


def end(process: "subprocess.Popen[bytes]", kill: bool) -> None:
    """Kill it, or ask it to end; a neighbour that has not heard within END_S is killed, for it is not what is tested."""
    (process.kill if kill else process.terminate)()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Mosquitto:
    """A real broker without persistence; `extra` are further lines of its configuration."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        program = installed("mosquitto", "apt-get install mosquitto", Path("/usr/sbin"))
        self.config = BrokerConfig(port=free_port())
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text(f"listener {self.config.port} 127.0.0.1\nallow_anonymous true\npersistence false\n{extra}\n")
        self._command = [program, "-c", str(self._conf)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until_listening(self.config.port)

    def stop(self) -> None:
        self._end(kill=False)

    def kill(self) -> None:
        self._end(kill=True)

    def _end(self, kill: bool) -> None:
        if self._process is not None:
            end(self._process, kill)
            self._process = None


class Influxd:
    """A real InfluxDB 2.7.12; `bucket()` makes a fresh bucket."""

    def __init__(self, folder: Path) -> None:
        program = installed("influxd", ".ci/influxd ~/.cache/hoflicht/bin builds it", Path.home() / ".cache/hoflicht/bin")
        self.port = free_port()
        self.token = TOKEN
        self._command = [
            program,
            f"--http-bind-address=127.0.0.1:{self.port}",
            f"--bolt-path={folder / 'influxd.bolt'}",
            f"--sqlite-path={folder / 'influxd.sqlite'}",
            f"--engine-path={folder / 'engine'}",
            "--reporting-disabled",
            "--log-level=error",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until_listening(self.port)
        deadline = time.monotonic() + START_S
        while not self._is_healthy():
            if time.monotonic() > deadline:
                raise TimeoutError("influxd does not become healthy")
            time.sleep(0.05)

    def set_up(self) -> None:
        """First start: organisation, user and the all-access token."""
        self.call("/api/v2/setup", {"username": "test", "password": "test-password", "org": ORG, "bucket": "first", "token": TOKEN})

    def bucket(self, name: str, retention_s: int = 90 * 86_400) -> None:
        orgs = self.call(f"/api/v2/orgs?org={ORG}")
        rules = [{"type": "expire", "everySeconds": retention_s}] if retention_s else []
        self.call("/api/v2/buckets", {"name": name, "orgID": orgs["orgs"][0]["id"], "retentionRules": rules})

    def call(self, path: str, body: object = None) -> dict[str, list[dict[str, str]]]:
        """Ask influxd's own API; a body makes it a POST."""
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else msgspec.json.encode(body),
            headers={"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=START_S) as answer:
            return msgspec.json.decode(answer.read(), type=dict)

    def select(self, bucket: str, influxql: str) -> list[list[object]]:
        """The rows that InfluxQL gives, all series together, times in ms."""
        query = urllib.parse.urlencode({"db": bucket, "q": influxql, "epoch": "ms"})
        result = self.call(f"/query?{query}")["results"][0]
        series: list[dict[str, list[list[object]]]] = result.get("series", [])  # type: ignore[assignment]
        return [row for one in series for row in one["values"]]

    def stop(self) -> None:
        self._end(kill=False)

    def kill(self) -> None:
        self._end(kill=True)

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _end(self, kill: bool) -> None:
        if self._process is not None:
            end(self._process, kill)
            self._process = None


class Bucket:
    """One fresh bucket of a running influxd."""

    def __init__(self, server: Influxd, name: str) -> None:
        self.server = server
        self.name = name
        self.token = server.token
        self.store_url = f"influx+{server.url}/{name}?org={ORG}"

    def select(self, influxql: str) -> list[list[object]]:
        return self.server.select(self.name, influxql)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def city() -> City:
    return load_city(ROOT / "simulators" / "city.toml")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, which asks nobody but us for anything."""
    program = installed("chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real Mosquitto of this test's own."""
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """One real influxd for all tests; a test that stops it makes its own."""
    server = Influxd(tmp_path_factory.mktemp("influxd"))
    server.start()
    server.set_up()
    yield server
    server.stop()


@pytest.fixture
def influx(influxd: Influxd) -> Bucket:
    """A fresh bucket with 90 days of retention on the real influxd."""
    name = f"test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    influxd.bucket(name)
    return Bucket(influxd, name)


@pytest.fixture(params=["sqlite", "influx"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A fresh store of each kind."""
    if request.param == "sqlite":
        url, token = f"sqlite:///{tmp_path}/readings.db", ""
    else:
        bucket: Bucket = request.getfixturevalue("influx")
        url, token = bucket.store_url, bucket.token
    with closing(open_store(url, token)) as opened:
        yield opened
