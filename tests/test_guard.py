"""What a stranger can do to the public face: not much. Over HTTP, on a real server and a real store."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi.responses import Response

from api.guard import TO_STAFF
from api.limits import Limits
from hoflicht.catalogue import City
from tests.face import Face, facing
from tests.lane import ms

NOW_MS = ms(90)
PATIENCE_S = 10.0


@pytest.fixture
def face(city: City, tmp_path: Path) -> Iterator[Face]:
    """Behind a proxy on this machine; a caller may ask three times, then once a second, and open one stream."""
    with facing(city, tmp_path, NOW_MS, limits=Limits(requests_per_s=1, burst=3, streams=1)) as running:
        yield running


@pytest.fixture(scope="module")
def open_face(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    """One for all who change nothing at it."""
    with facing(city, tmp_path_factory.mktemp("face"), NOW_MS) as running:
        yield running


def asked(face: Face, forwarded: str, path: str = "/v1/yards/hof-nord") -> int:
    """The status for whom the proxy names so."""
    return face.get(path, x_forwarded_for=forwarded).status_code


def test_who_asks_too_often_is_told_when_to_come_back(face: Face) -> None:
    answers = [face.get("/v1/yards/hof-nord", x_forwarded_for="203.0.113.7") for _ in range(4)]
    face.clock.advance(1_000)
    later = asked(face, "203.0.113.7")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert (answers[3].headers["content-type"], answers[3].headers["retry-after"]) == ("application/problem+json", "1")
    assert answers[3].json()["title"] == "Too many requests"
    assert 'hoflicht_api_refused_total{status="429"}' in face.get("/metrics").text
    assert answers[3].headers["access-control-allow-origin"] == "*"  # a city's app may read why
    assert later == 200


def test_what_one_asks_too_often_takes_nothing_from_another(face: Face) -> None:
    first = [asked(face, "203.0.113.7") for _ in range(4)]

    assert (first[-1], asked(face, "203.0.113.8")) == (429, 200)


def test_whatever_is_asked_for_counts(face: Face) -> None:
    paths = ("/", "/v1/nothing", "/static/style.css", "/healthz")

    assert [asked(face, "203.0.113.7", path) for path in paths] == [200, 404, 200, 429]


def test_what_a_client_writes_of_himself_before_the_proxy_does_is_not_believed(face: Face) -> None:
    statuses = [asked(face, f"198.51.100.{n}, 203.0.113.7") for n in range(4)]

    assert statuses == [200, 200, 200, 429]


def test_where_nobody_is_trusted_no_header_is_believed(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, NOW_MS, limits=Limits(requests_per_s=1, burst=3, proxies=())) as face:
        statuses = [asked(face, f"203.0.113.{n}") for n in range(4)]

    assert statuses == [200, 200, 200, 429]


def test_what_runs_beside_the_server_has_no_limit(face: Face) -> None:
    assert {face.get("/v1/yards/hof-nord").status_code for _ in range(20)} == {200}


def test_one_address_opens_only_so_many_streams_and_frees_them(face: Face) -> None:
    named = {"x-forwarded-for": "203.0.113.7"}
    with face.client.stream("GET", face.url + "/v1/stream", headers=named) as answer:
        lines = answer.iter_lines()  # kept: the stream ends with it
        next(lines)
        second = face.get("/live", **{"x-forwarded-for": "203.0.113.7"})
        other = face.get("/v1/yards", x_forwarded_for="203.0.113.8").status_code
        assert face.streams.has_enough("203.0.113.7")
    deadline = time.monotonic() + PATIENCE_S
    while face.streams.has_enough("203.0.113.7") and time.monotonic() < deadline:
        face.tell()
        time.sleep(0.01)

    assert (second.status_code, second.headers["content-type"], other) == (429, "application/problem+json", 200)
    assert "every 30 seconds instead" in second.json()["detail"]
    assert not face.streams.has_enough("203.0.113.7")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/v1/yards", "/v1/yards/hof-nord/wait", "/", "/static/style.css", "/healthz", "/openapi.json"])
def test_nobody_writes(open_face: Face, method: str, path: str) -> None:
    answer = open_face.client.request(method, open_face.url + path)

    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "detail"),
    [
        ("/v1/yards?" + "x" * 2_001, {}, b"", 414, "path and query may have 2000 bytes"),
        ("/v1/yards", {"X-Long": "x" * 8_193}, b"", 431, "all header fields together may have 8192 bytes"),
        ("/v1/yards", {}, b"x" * 1_025, 413, "no request here needs a body"),
        ("/v1/yards", {}, [b"x"], 413, "no request here needs a body"),  # in chunks
    ],
)
def test_what_is_too_large_is_refused_unread(
    open_face: Face, path: str, headers: dict[str, str], body: bytes | list[bytes], status: int, detail: str
) -> None:
    answer = open_face.client.request("GET", open_face.url + path, headers=headers, content=body)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"] == detail
    assert answer.headers["connection"] == "close"


def test_what_goes_far_beyond_every_bound_is_cut_off(face: Face) -> None:
    with connected(face) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"x" * 40_000)

        assert b" 400 " in heard(line)


def test_a_head_that_comes_in_small_pieces_is_bounded_too(face: Face) -> None:
    with connected(face) as line, suppress(ConnectionError):
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        for n in range(10_000):
            line.sendall(b"X-%d: x\r\n" % n * 100)

        pytest.fail("it goes on for ever")


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET http:// HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"GET  HTTP/1.1",
        b"GET /\x00 HTTP/1.1",
        b"CONNECT yards:80 HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"G\xd6T / HTTP/1.1",
        b"GET / HTTP/9.9",
        b"\x16\x03\x01\x02\x00\x01",  # somebody speaks TLS
    ],
)
def test_what_is_no_request_that_we_know_ends_its_connection_and_nothing_else(face: Face, request_line: bytes) -> None:
    with connected(face) as line:
        line.sendall(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = heard(line)

    assert said[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 405", b"HTTP/1.1 501")
    assert face.get("/v1/yards").status_code == 200


def test_a_request_of_two_lengths_is_refused(face: Face) -> None:
    with connected(face) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")

        assert heard(line).startswith(b"HTTP/1.1 400 ")  # RFC 9112 §11.2: a proxy may have read the other one


def test_requests_that_are_sent_ahead_are_answered_in_order(face: Face) -> None:
    with connected(face) as line:
        line.sendall(b"GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/yards HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = heard(line)

    assert 0 == said.index(b"HTTP/1.1 404 ") < said.index(b"HTTP/1.1 200 ")


def test_no_word_of_the_inside_leaves_it(face: Face) -> None:
    @face.app.get("/v1/broken")
    def broken() -> None:
        raise RuntimeError("/srv/secret/path")

    answer = face.get("/v1/broken")

    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["detail"] == "this is our fault; the log of the server knows more"
    assert not any(word in answer.text for word in ("secret", "Traceback", "RuntimeError", ".py"))
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/v1/yards", "/v1/nothing", "/static/style.css", "/healthz", "/openapi.json"])
def test_every_answer_carries_what_keeps_browsers_safe(face: Face, path: str) -> None:
    headers = face.get(path).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert not {"server", "x-powered-by", "set-cookie", "strict-transport-security"} & set(headers)


def test_no_route_can_let_an_answer_to_staff_be_kept_by_caches() -> None:
    said = TO_STAFF.over([(b"cache-control", b"public, max-age=10"), (b"etag", b'"1"')])

    assert [value for name, value in said if name == b"cache-control"] == [b"no-store"]
    assert (b"etag", b'"1"') in said


def connected(face: Face) -> socket.socket:
    """A connection below HTTP."""
    return socket.create_connection(("127.0.0.1", int(face.url.rpartition(":")[2])), timeout=PATIENCE_S)


def heard(line: socket.socket) -> bytes:
    """All that comes until the other side hangs up; TimeoutError where it does not."""
    said = b""
    try:
        while chunk := line.recv(65_536):
            said += chunk
    except ConnectionResetError:
        pass
    return said


@pytest.fixture
def impatient(city: City, tmp_path: Path) -> Iterator[Face]:
    """Looks at its connections every tenth of a second; one address opens three."""
    with facing(city, tmp_path, NOW_MS, limits=Limits(proxies=(), connections=3, patience_s=0.1)) as running:
        yield running


@pytest.mark.parametrize(
    "begun", [b"", b"GET /v1/yards HTTP/1.1\r\nHost: x\r\n", b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"]
)
def test_a_request_that_does_not_go_on_is_cut_off(impatient: Face, begun: bytes) -> None:
    with connected(impatient) as line:
        line.sendall(begun)
        said = heard(line)

    assert b" 200 " not in said


def test_a_request_that_drips_is_cut_off(impatient: Face) -> None:
    with connected(impatient) as line, pytest.raises(OSError):
        for n in range(1_000):
            line.sendall(b"GET /?" if n == 0 else b"x")
            time.sleep(0.01)

    assert impatient.get("/v1/yards").status_code == 200


def test_a_stream_that_is_read_goes_on(impatient: Face) -> None:
    with impatient.client.stream("GET", impatient.url + "/v1/stream") as answer:
        lines = answer.iter_lines()
        next(lines)
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            impatient.tell()
            assert next(lines) is not None


def test_an_answer_that_nobody_takes_is_cut_off(impatient: Face) -> None:
    @impatient.app.get("/large")
    def large() -> Response:
        return Response(b"x" * 20_000_000)

    with connected(impatient) as line:
        line.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1.0)

        assert len(heard(line)) < 20_000_000


def test_one_address_opens_only_so_many_connections(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, NOW_MS, limits=Limits(proxies=(), connections=3)) as face:
        lines = [connected(face) for _ in range(4)]
        one_too_many = heard(lines[3])
        for line in lines:
            line.close()

        assert one_too_many == b""
        assert face.get("/v1/yards").status_code == 200
