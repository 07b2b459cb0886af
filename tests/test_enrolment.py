"""The door of the authority: TLS, bounds, and no answer to who has no right to one."""

import contextlib
import http.client
import logging
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from edge.identity import Identity
from hoflicht import BadConfig
from hoflicht.clock import HandClock, SystemClock
from hoflicht.invitation import MAX_BODY, Question, Renewal, fingerprint
from ingest import enrolment
from ingest.authority import Authority
from ingest.enrolment import MAX_CONNECTIONS, PER_MINUTE, Limiter
from tests.certified import opened
from tests.conftest import free_port


class Door:
    """A running authority and a way to ask it."""

    def __init__(self, authority: Authority, port: int) -> None:
        self.authority = authority
        self.port = port

    def ask(
        self, method: str, path: str, body: bytes = b"", certificate: Identity | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        context = ssl.create_default_context(cadata=self.authority.ca)
        if certificate is not None:
            context.load_cert_chain(certificate.certificate, certificate.key)
        with closing(http.client.HTTPSConnection("127.0.0.1", self.port, timeout=15, context=context)) as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    port = free_port()
    with (
        closing(opened(tmp_path, SystemClock())) as authority,
        enrolment.serve(authority, f"127.0.0.1:{port}", ["127.0.0.1", "localhost"], HandClock()),
    ):
        yield Door(authority, port)


def enrolled(door: Door, folder: Path, gateway: str = "gw-a") -> Identity:
    folder.mkdir(exist_ok=True)
    identity = Identity(folder, gateway)
    identity.take(door.authority.enroll(Question(gateway, door.authority.invite(gateway).secret, identity.request())))
    return identity


def test_who_knows_only_the_fingerprint_gets_the_ca(door: Door) -> None:
    status, body = door.ask("GET", "/ca.crt")

    assert status == 200
    assert fingerprint(body.decode()) == door.authority.invite("gw-a").fingerprint


def test_the_door_shows_who_it_is(door: Door) -> None:
    said = subprocess.run(
        ["openssl", "s_client", "-connect", f"localhost:{door.port}", "-verify_hostname", "localhost", "-showcerts"],
        input="",
        capture_output=True,
        text=True,
        check=False,
    ).stdout

    assert "subject=CN = hoflicht server" in said
    assert "issuer=CN = hoflicht CA" in said


def test_tls_before_1_2_is_not_spoken(door: Door) -> None:
    said = subprocess.run(
        ["openssl", "s_client", "-connect", f"localhost:{door.port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )

    assert "alert protocol version" in said.stderr


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not the expected JSON"),
        (b"[]", "not the expected JSON"),
        (b'{"gateway": "gw-a"}', "missing required field `secret`"),
        (b'{"gateway": "gw-a", "secret": "", "request": "", "more": 1}', "unknown field `more`"),
        (b'{"gateway": "gw-a", "secret": "", "request": "x"}', "no signing request"),
        (b"\xff", "not the expected JSON"),
    ],
)
def test_what_is_no_question_is_told_so(door: Door, body: bytes, says: str) -> None:
    status, answer = door.ask("POST", "/enroll", body)

    assert status == 400
    assert says in msgspec.json.decode(answer, type=dict[str, str])["error"]


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "999999999999999999999", "0" * 20 + "99999999", "-1", "x", ""])
def test_a_body_that_is_too_long_is_not_read(door: Door, length: str) -> None:
    status, answer = door.ask("POST", "/enroll", headers={"Content-Length": length})

    assert status == 400
    assert b"at most 16384 bytes" in answer


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/authority.db"), ("GET", "/../ca.key"), ("GET", "/enroll")])
def test_there_is_nothing_else(door: Door, method: str, path: str) -> None:
    assert door.ask(method, path)[0] == 404


def test_a_wrong_code_is_refused_and_the_log_says_who_tried_but_not_the_code(
    door: Door, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    door.authority.invite("gw-a")
    (tmp_path / "a").mkdir()
    question = Question("gw-a", "0123456789abcdef" * 2, Identity(tmp_path / "a", "gw-a").request())

    status, _ = door.ask("POST", "/enroll", msgspec.json.encode(question))

    assert status == 403
    assert "refused 127.0.0.1: the code is wrong" in caplog.text
    assert "0123456789abcdef" not in caplog.text


def test_a_renewal_needs_the_certificate(door: Door, tmp_path: Path) -> None:
    identity = enrolled(door, tmp_path / "a")
    body = msgspec.json.encode(Renewal(identity.request()))

    assert door.ask("POST", "/renew", body)[0] == 403
    assert door.ask("POST", "/renew", body, identity)[0] == 200


def test_the_certificate_of_another_gateway_renews_nothing(door: Door, tmp_path: Path) -> None:
    gateway, thief = enrolled(door, tmp_path / "a"), enrolled(door, tmp_path / "b", "gw-b")

    status, _ = door.ask("POST", "/renew", msgspec.json.encode(Renewal(gateway.request())), thief)

    assert status == 403


def test_a_certificate_of_a_foreign_ca_ends_the_handshake(door: Door, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    with closing(opened(tmp_path / "foreign", SystemClock())) as foreign:
        stranger = enrolled(Door(foreign, 0), tmp_path / "stranger")

    with pytest.raises(OSError, match=r"(?i)unknown.ca|EOF|reset|broken pipe"):
        door.ask("POST", "/renew", msgspec.json.encode(Renewal(stranger.request())), stranger)
    assert answers_again(door)


def test_a_revoked_certificate_is_not_renewed(door: Door, tmp_path: Path) -> None:
    identity = enrolled(door, tmp_path / "a")
    door.authority.revoke("gw-a")

    assert door.ask("POST", "/renew", msgspec.json.encode(Renewal(identity.request())), identity)[0] == 403


def test_without_the_cas_key_the_door_does_not_open(tmp_path: Path) -> None:
    with closing(opened(tmp_path, SystemClock())) as authority:
        (tmp_path / "authority" / "ca.key").unlink()

        with (
            pytest.raises(BadConfig, match="bring it from its safe"),
            enrolment.serve(authority, "127.0.0.1:0", ["x"], HandClock()),
        ):
            pass


@pytest.mark.parametrize("listen", ["8443", "127.0.0.1:x", "127.0.0.1:99999", "192.0.2.1:8443"])
def test_an_address_that_is_none_is_an_error_of_the_config(tmp_path: Path, listen: str) -> None:
    with (
        closing(opened(tmp_path, SystemClock())) as authority,
        pytest.raises(BadConfig, match="listen = "),
        enrolment.serve(authority, listen, ["x"], HandClock()),
    ):
        pass


def test_the_key_of_the_door_is_on_no_disk(door: Door, tmp_path: Path) -> None:
    keys = [path.name for path in tmp_path.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]

    assert keys == ["ca.key"]


def test_who_asks_too_often_waits_a_minute(door: Door) -> None:
    answers = [door.ask("POST", "/enroll")[0] for _ in range(PER_MINUTE + 1)]

    assert answers == [400] * PER_MINUTE + [429]


def test_silent_connections_take_all_places_and_no_more(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", door.port))))
        one_too_many = stack.enter_context(closing(socket.create_connection(("127.0.0.1", door.port))))

        assert one_too_many.recv(1) == b""
        assert sum(thread.name.startswith("Thread-") and "process_request" in thread.name for thread in threading.enumerate()) == 16

    assert answers_again(door)


def test_a_connection_that_drips_is_hung_up(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment, "LONGEST_S", 0.5)
    with closing(socket.create_connection(("127.0.0.1", door.port))) as dripping:
        dripping.settimeout(10)

        assert dripping.recv(1) == b""


def answers_again(door: Door) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            return door.ask("GET", "/ca.crt")[0] == 200
    return False


def test_the_door_is_silent_about_what_it_runs_on(door: Door) -> None:
    with closing(
        http.client.HTTPSConnection("127.0.0.1", door.port, context=ssl.create_default_context(cadata=door.authority.ca))
    ) as connection:
        connection.request("GET", "/ca.crt")
        headers = connection.getresponse().headers

    assert headers["Server"].strip() == "hoflicht"
    assert headers["Cache-Control"] == "no-store"


def test_a_limiter_counts_by_network_and_minute() -> None:
    clock = HandClock()
    limiter = Limiter(clock)

    first = [limiter.lets("192.0.2.1") for _ in range(PER_MINUTE + 1)]
    other = limiter.lets("192.0.2.2")
    clock.advance(60_000)

    assert first == [True] * PER_MINUTE + [False]
    assert other
    assert limiter.lets("192.0.2.1")


def test_an_ipv6_host_is_its_network() -> None:
    limiter = Limiter(HandClock())

    assert [limiter.lets(f"2001:db8::{n:x}") for n in range(PER_MINUTE + 1)][-1] is False
    assert limiter.lets("2001:db8:0:1::1")


def test_ipv4_hosts_of_a_server_that_listens_on_ipv6_too_are_told_apart() -> None:
    limiter = Limiter(HandClock())
    for _ in range(PER_MINUTE + 1):
        limiter.lets("::ffff:192.0.2.1")

    assert not limiter.lets("::ffff:192.0.2.1")
    assert limiter.lets("::ffff:192.0.2.2")


def test_a_limiter_counts_only_so_many_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment, "MAX_NETWORKS", 2)
    limiter = Limiter(HandClock())

    assert [limiter.lets(f"192.0.2.{n}") for n in (1, 2, 3, 1)] == [True, True, False, True]


def test_a_code_in_a_question_reaches_no_log_even_at_debug(door: Door, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "a").mkdir()
    code = door.authority.invite("gw-a")
    question = Question("gw-a", code.secret, Identity(tmp_path / "a", "gw-a").request())

    assert door.ask("POST", "/enroll", msgspec.json.encode(question))[0] == 200
    assert "signed for gw-a" in caplog.text
    assert code.secret not in caplog.text
