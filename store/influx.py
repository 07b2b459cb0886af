"""InfluxDB 2.7: line protocol in, InfluxQL out. The one door to influxdb-client, of which only the synchronous calls are used.

The client's batching writer keeps readings in memory and gives up after three minutes, so each write here is one request whose
answer we wait for, and the caller decides about the next try. InfluxQL because 1.8, 2.x and 3.x all take it over /query.
"""

import contextlib
import gzip
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException

from hoflicht.clock import Clock
from hoflicht.errors import BadConfig, BadPayload, Refused, Unavailable
from hoflicht.reading import Reading
from store.answers import MAX_READ, Rejected, bounded_readings, bounded_steps
from store.hourly import HOUR_MS, RETENTION_S, WHOLE_DAYS, hourly_bucket, task, task_name
from store.lines import lines, readings_of

CONNECT_MS = 3_000
ANSWER_MS = 20_000  # a group takes 0.3 s on an idle server; one that compacts may need seconds
CONNECTIONS = 40  # kept open; as many as the api has threads
WORTH_ZIPPING = 1_000  # bytes; and only to another machine, where the wire is slower than gzip
LOOPBACK = ("127.0.0.1", "::1", "localhost")
READ_WINDOW_MS = 86_400_000  # one answer of the server: a day of a yard is some 3 MB of JSON
NAME = re.compile(r"[^\"\\$\x00-\x1f/]{1,200}")  # of a bucket or organisation: goes into Flux unescaped
DROPPED = re.compile(r"dropped=(\d+)")
OUTSIDE = re.compile(r"outside retention policy|beyond retention policy")
MAX_REASON = 200  # characters of the database's words that are kept


class Fold(NamedTuple):
    """How the value of a step is reckoned, in InfluxQL."""

    readings: str
    hours: str  # of an hour's `total` and `number` of readings


MEAN = Fold("mean(value)", "sum(total) / sum(number)")
SUM = Fold("sum(value)", "sum(total)")


class Address(msgspec.Struct, frozen=True):
    """Where a bucket is."""

    server: str  # "http://host:8086"
    bucket: str
    org: str


class Series(msgspec.Struct):
    """One series of an answer to InfluxQL; with epoch=ms and one field each row is time and number."""

    name: str
    values: list[tuple[int, float]]
    tags: dict[str, str] = {}


class Result(msgspec.Struct):
    """The answer to one statement."""

    series: list[Series] = []
    error: str = ""


class Answer(msgspec.Struct):
    """What /query sends."""

    results: list[Result]


class Named(msgspec.Struct):
    """Anything that InfluxDB lists by name; `flux` is what a task does."""

    name: str
    id: str
    flux: str = ""


class Listing(msgspec.Struct):
    """What the /api/v2 lists send."""

    orgs: list[Named] = []
    tasks: list[Named] = []
    buckets: list[Named] = []


def parse(url: str) -> Address:
    """Read `influx+http(s)://host:8086/bucket?org=name`; raise BadConfig that says what is wrong with it."""
    parts = urlsplit(url.removeprefix("influx+"))
    query = parse_qs(parts.query)
    bucket, org = parts.path.removeprefix("/"), query.get("org", [""])[0]
    try:
        host = parts.hostname if parts.port is None or parts.port else None
    except ValueError:  # a port that is no number
        host = None
    if parts.username is not None or parts.password is not None:
        raise BadConfig("store url: no user and password here; the token stands in [store] token_file or INFLUX_TOKEN")
    if not host or set(query) != {"org"} or not NAME.fullmatch(bucket) or not NAME.fullmatch(org):
        raise BadConfig(f"store url {url!r}: expected influx+http(s)://host:8086/bucket?org=name")
    return Address(f"{parts.scheme}://{parts.netloc}", bucket, org)


class InfluxStore:
    """Readings in one bucket; ingest needs a token that may write to it, the api one that may read it, `prepare` all access."""

    def __init__(self, address: Address, token: str, clock: Clock) -> None:
        if not (token.isascii() and token.isprintable()):
            raise BadConfig("the token holds what no header can carry; is [store] token_file or INFLUX_TOKEN the right one?")
        self._address = address
        self._clock = clock
        self._zip = urlsplit(address.server).hostname not in LOOPBACK
        client: Any = InfluxDBClient  # its annotations deny what its documentation offers: a pair of timeouts
        self._client: Any = client(
            address.server,
            token,
            timeout=(CONNECT_MS, ANSWER_MS),
            org=address.org,
            connection_pool_maxsize=CONNECTIONS,
            retries=False,
        )

    def write(self, readings: Sequence[Reading]) -> list[Rejected]:
        try:
            self._write(lines(readings))
        except BadPayload as cause:
            return self._refused(readings, str(cause))
        return []

    def write_lines(self, written: Sequence[bytes]) -> list[Rejected]:
        body = b"\n".join(filter(None, written))
        try:
            self._write(body)
        except BadPayload as cause:
            return self._refused(readings_of(body), str(cause))
        return []

    def _refused(self, readings: Sequence[Reading], told: str) -> list[Rejected]:
        """Which of `readings` the database means.

        What 2.7.12 answers: 422 where it dropped some and stored the others, with one of its reasons and how many fell to that;
        400 where it cannot read a line, and then nothing is stored. A web server before it says 413 to what it finds long. Like
        ones lie side by side when the group is halved, so that many bad ones cost no more requests than one.
        """
        dropped = DROPPED.search(told)
        if len(readings) <= 1 or (dropped and int(dropped[1]) >= len(readings)):
            return [Rejected(reading, _reason(told)) for reading in readings]
        alike = sorted(readings, key=_age if OUTSIDE.search(told) else _series)
        half = len(alike) // 2
        return self.write(alike[:half]) + self.write(alike[half:])

    def read(self, site: str, quantities: Sequence[str], start_ms: int, end_ms: int) -> list[Reading]:
        found: list[Reading] = []
        if not quantities:
            return found
        names = ", ".join(_name(quantity) for quantity in quantities)
        for from_ms in range(start_ms, end_ms, READ_WINDOW_MS):
            until_ms = min(from_ms + READ_WINDOW_MS, end_ms)
            found += _readings(
                self._select(
                    f"SELECT value FROM {names} WHERE site = {_text(site)} AND time >= {from_ms}ms AND time < {until_ms}ms"
                    f" GROUP BY site, sensor LIMIT {MAX_READ + 1}"
                )
            )
            bounded_readings(len(found), site)
        return sorted(found, key=lambda r: (r.at_ms, r.sensor, r.quantity))

    def latest(self, quantities: Sequence[str], since_ms: int) -> list[Reading]:
        if not quantities:
            return []
        names = ", ".join(_name(quantity) for quantity in quantities)
        found = _readings(self._select(f"SELECT last(value) FROM {names} WHERE time >= {since_ms}ms GROUP BY site, sensor"))
        return sorted(found, key=lambda r: (r.site, r.sensor, r.quantity))

    def means(self, site: str, sensor: str, quantity: str, start_ms: int, end_ms: int, step_ms: int) -> list[tuple[int, float]]:
        return self._steps(MEAN, (site, sensor, quantity), start_ms, end_ms, step_ms)

    def sums(self, site: str, sensor: str, quantity: str, start_ms: int, end_ms: int, step_ms: int) -> list[tuple[int, float]]:
        return self._steps(SUM, (site, sensor, quantity), start_ms, end_ms, step_ms)

    def count(self) -> int:
        return sum(int(value) for series in self._select("SELECT count(value) FROM /.*/") for _, value in series.values)

    def prepare(self) -> None:
        """Make the bucket (90 days), its hourly twin (for ever) and the task between them; buckets that exist stay as they are."""
        self._make_bucket(self._address.bucket, RETENTION_S)
        self._make_bucket(hourly_bucket(self._address.bucket), 0)
        self._make_task(task_name(self._address.bucket), task(self._address.bucket, self._address.org))

    def ping(self) -> None:
        # Not /ping or /health, which know neither token nor bucket; not /query, which answers 200 and nothing where the bucket is
        # missing or the token may only write: the api would take that for sensors that are silent.
        if not self._list("/api/v2/buckets", {"name": self._address.bucket}).buckets:
            raise Refused(f"{self._where()}: the token may not read the bucket {self._address.bucket}")

    def close(self) -> None:
        self._client.close()

    def _write(self, body: bytes) -> None:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if self._zip and len(body) >= WORTH_ZIPPING:
            # Level 1: a quarter of the time of the client's own level 9, for a tenth more bytes.
            body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        query = {"org": self._address.org, "bucket": self._address.bucket, "precision": "ms"}
        self._call("POST", "/api/v2/write", query, body, headers)

    def _steps(self, fold: Fold, key: tuple[str, str, str], start_ms: int, end_ms: int, step_ms: int) -> list[tuple[int, float]]:
        """Of hourly values where readings may be gone, of readings elsewhere and where there are no hourly ones."""
        bounded_steps(start_ms, end_ms, step_ms)
        site, sensor, quantity = key
        source = f"{_name(quantity)} WHERE site = {_text(site)} AND sensor = {_text(sensor)} AND"
        by = f"GROUP BY time({step_ms}ms) fill(none)"
        found = self._select(f"SELECT {fold.readings} FROM {source} {_span(start_ms, end_ms)} {by}")
        whole_ms = self._whole_ms(step_ms)
        if start_ms < whole_ms:
            span = _span(start_ms, min(end_ms, whole_ms))
            hours = f'SELECT value * "count" AS total, "count" AS number FROM {source} {span}'
            with contextlib.suppress(Refused):  # never prepared, or not ours to read
                found += self._select(f"SELECT {fold.hours} FROM ({hours}) WHERE {span} {by}", hourly_bucket(self._address.bucket))
        return sorted(dict(step for series in found for step in series.values).items())

    def _whole_ms(self, step_ms: int) -> int:
        """The first step from which on all readings are there."""
        even_ms = max(step_ms, HOUR_MS)
        return -((WHOLE_DAYS * 86_400_000 - self._clock.now_ms()) // even_ms) * even_ms

    def _select(self, influxql: str, bucket: str = "") -> list[Series]:
        body = self._call("GET", "/query", {"db": bucket or self._address.bucket, "q": influxql, "epoch": "ms"})
        result = msgspec.json.decode(body, type=Answer).results[0]
        if result.error.startswith("database not found"):
            raise Refused(f"{self._where()}: {result.error[:MAX_REASON]}")
        if result.error:
            raise Unavailable(f"InfluxDB at {self._address.server}: {result.error[:MAX_REASON]}")
        return result.series

    def _list(self, path: str, query: Mapping[str, str]) -> Listing:
        return msgspec.json.decode(self._call("GET", path, {"org": self._address.org, **query}), type=Listing)

    def _make_bucket(self, name: str, retention_s: int) -> None:
        try:
            if self._list("/api/v2/buckets", {"name": name}).buckets:
                return
        except Refused:
            pass  # 404: InfluxDB's way to say that there is none of this name; a token it does not know fails at the next step
        orgs = self._list("/api/v2/orgs", {}).orgs
        if not orgs:
            raise Refused(f"{self._where()}: no bucket {name} that this token may see or make; use an all-access token")
        rules = [{"type": "expire", "everySeconds": retention_s}] if retention_s else []
        self._call("POST", "/api/v2/buckets", {}, {"name": name, "orgID": orgs[0].id, "retentionRules": rules})

    def _make_task(self, name: str, flux: str) -> None:
        found = [one for one in self._list("/api/v2/tasks", {"name": name}).tasks if one.name == name]
        if not found:
            self._call("POST", "/api/v2/tasks", {}, {"org": self._address.org, "flux": flux})
        for one in found:
            if one.flux != flux:  # of an older version
                self._call("PATCH", f"/api/v2/tasks/{one.id}", {}, {"flux": flux})

    def _call(
        self, method: str, path: str, query: Mapping[str, str], body: Any = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        try:
            answer = self._client.api_client.call_api(
                path,
                method,
                query_params=dict(query),
                header_params={"Content-Type": "application/json", **(headers or {})},
                body=body,
                _preload_content=False,
                _return_http_data_only=True,
            )
            return bytes(answer.data)
        except ApiException as cause:
            raise self._sorted(cause) from cause
        except urllib3.exceptions.HTTPError as cause:
            raise Unavailable(f"{self._where()}: {cause}") from cause

    def _sorted(self, cause: ApiException) -> BadPayload | Refused | Unavailable:
        """What the caller can do about an answer that is no yes."""
        told = _message(cause.body)
        if cause.status in (400, 413, 422):
            return BadPayload(told)
        if cause.status in (401, 403):
            return Refused(f"{self._where()} does not accept the token ({cause.status} {told})")
        if cause.status == 404:
            return Refused(f"{self._where()}: {told}; make it with: hoflicht ingest CONFIG --prepare")
        if cause.status and cause.status < 500 and cause.status not in (408, 429):
            return Refused(f"{self._where()}: {cause.status} {told}")
        return Unavailable(f"{self._where()}: {cause.status or ''} {told or cause.reason}")

    def _where(self) -> str:
        return f"InfluxDB at {self._address.server}"


def _age(reading: Reading) -> int:
    return reading.at_ms


def _series(reading: Reading) -> tuple[str, str, str]:
    return reading.quantity, reading.site, reading.sensor


def _readings(series: Sequence[Series]) -> list[Reading]:
    return [Reading(one.tags["site"], one.tags["sensor"], one.name, at_ms, value) for one in series for at_ms, value in one.values]


def _message(body: object) -> str:
    """What InfluxDB says in its JSON error, or the beginning of what a proxy says instead."""
    text = body if isinstance(body, bytes) else str(body or "").encode()
    try:
        told = msgspec.json.decode(text, type=dict[str, Any]).get("message", "")
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = text[:MAX_REASON].decode("utf-8", "replace")
    return str(told)


def _reason(told: str) -> str:
    """The database's words without what differs from line to line, so that like faults read alike."""
    if OUTSIDE.search(told):
        return "older than the database keeps"
    return DROPPED.sub("", told.rpartition("partial write: ")[2]).strip()[:MAX_REASON]


def _span(start_ms: int, end_ms: int) -> str:
    return f"time >= {start_ms}ms AND time < {end_ms}ms"


def _name(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
