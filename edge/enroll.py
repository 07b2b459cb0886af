"""`hoflicht enroll`: a gateway gets its key, its certificate and its [broker] settings.

Key → request → ca.crt → certificate → edge.toml, each on disk before the next. A run that was cut off at any arrow is repeated as
it was: the key that is there is used again, and for the same key the authority gives the same certificate again.
"""

import argparse
import getpass
import http.client
import ssl
import sys
import urllib.parse
from pathlib import Path

import msgspec

from edge.config import load_edge
from edge.identity import Identity
from edge.starter import broker_table, starter, with_broker
from hoflicht import atomic
from hoflicht.clock import SystemClock
from hoflicht.config import secret
from hoflicht.errors import BadConfig, BadPayload, Refused, Unavailable
from hoflicht.instants import moment
from hoflicht.invitation import (
    CA,
    ENROLL,
    MAX_BODY,
    RENEW,
    RENEWED_WITHIN,
    Answer,
    Question,
    Renewal,
    code_of,
    decoded,
    fingerprint,
)
from hoflicht.reading import is_id

FOLDER = Path("/etc/hoflicht")
CONFIG = "edge.toml"
TIMEOUT_S = 15.0  # for each step; a mobile network may take seconds
NO_ANSWER = "no answer of an authority"
DONE, FAILED = 0, 1


def main(argv: list[str]) -> int:
    """Run `hoflicht enroll GATEWAY …`; return 0 done, 1 failed, and raise BadConfig for 2."""
    options = _parser().parse_args(argv)
    if not is_id(options.gateway):
        raise BadConfig(
            f"{options.gateway!r} is no name of a gateway: lower case letters, digits, hyphens, underscores, at most 63"
        )
    try:
        return _run(options)
    except (Unavailable, Refused, BadPayload) as cause:
        sys.stderr.write(f"hoflicht enroll: {cause}\n")
        return FAILED


def _run(options: argparse.Namespace) -> int:
    if options.request:
        return _request(Identity(options.folder, options.gateway), options.folder)
    if options.certificate:
        answer = decoded(_read(options.certificate), Answer, NO_ANSWER)
        return _settle(Identity(options.folder, options.gateway), answer, options.folder)
    server = _address(options.url)
    if options.renew:
        return _renew(Identity(options.folder, options.gateway), server, options.folder)
    code = code_of(secret(options.code_file, "--code-file") if options.code_file else _ask())
    identity = Identity(options.folder, options.gateway)
    ca = _ca(server, code.fingerprint)
    question = Question(options.gateway, code.secret, identity.request())
    return _settle(identity, _ask_for(server, ENROLL, question, _trusting(ca)), options.folder)


def _request(identity: Identity, folder: Path) -> int:
    path = folder / f"{identity.gateway}.csr"
    atomic.write(path, identity.request().encode(), atomic.PUBLIC)
    return _say(
        f"wrote {path}; carry it to the authority, where hoflicht authority sign {path.name} answers with a file for:\n\n"
        f"    hoflicht enroll {identity.gateway} --certificate {identity.gateway}.json"
    )


def _renew(identity: Identity, server: tuple[str, int], folder: Path) -> int:
    ends = identity.ends()
    if ends - moment(SystemClock().now_ms()) > RENEWED_WITHIN:
        return _say(f"{identity.certificate} is good until {ends.date()}: nothing to do")
    context = _trusting(_read(identity.ca).decode(errors="replace"))
    try:
        context.load_cert_chain(identity.certificate, identity.key)
    except (OSError, ssl.SSLError) as cause:
        raise BadConfig(f"{identity.certificate} does not fit {identity.key}: {cause}") from cause
    return _settle(identity, _ask_for(server, RENEW, Renewal(identity.request()), context), folder)


def _settle(identity: Identity, answer: Answer, folder: Path) -> int:
    """Keep what the authority has answered."""
    identity.take(answer)
    path = folder / CONFIG
    table = broker_table(identity.gateway, answer.host, answer.port)
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else None
        text = starter(identity.gateway, table) if before is None else with_broker(before, identity.gateway, table)
    except (BadConfig, OSError, UnicodeDecodeError) as cause:
        raise BadConfig(f"{path}: {cause}") from cause
    if text != before:
        atomic.write(path, text.encode(), atomic.PUBLIC)
    load_edge(path)
    return _say(
        f"{identity.certificate} is good until {identity.ends().date()}, and {path} leads to {answer.host}:{answer.port}\n"
        f"The CA's fingerprint: {fingerprint(answer.ca)}"
    )


def _ca(server: tuple[str, int], wanted: str) -> str:
    """The CA's certificate, by a connection that proves nothing: its fingerprint does."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    ca = _exchange(server, "GET", CA, b"", context).decode(errors="replace")
    if fingerprint(ca) != wanted:
        raise Refused(
            f"{server[0]}:{server[1]} is not where this code was made (wrong address, or somebody between?); it was not told"
        )
    return ca


def _trusting(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, ValueError) as cause:
        raise BadPayload("the CA's certificate cannot be read") from cause


def _ask_for(server: tuple[str, int], path: str, question: Question | Renewal, context: ssl.SSLContext) -> Answer:
    return decoded(_exchange(server, "POST", path, msgspec.json.encode(question), context), Answer, NO_ANSWER)


def _exchange(server: tuple[str, int], method: str, path: str, body: bytes, context: ssl.SSLContext) -> bytes:
    where = f"the authority at {server[0]}:{server[1]}"
    connection = http.client.HTTPSConnection(*server, timeout=TIMEOUT_S, context=context)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        answer = response.read(MAX_BODY + 1)
    except ssl.SSLCertVerificationError as cause:
        raise Refused(f"{where} does not show who it is ({cause.verify_message}); is this machine's clock set?") from cause
    except (OSError, http.client.HTTPException, UnicodeError) as cause:
        raise Unavailable(f"{where} does not answer: {cause or type(cause).__name__}") from cause
    finally:
        connection.close()
    if len(answer) > MAX_BODY:
        raise BadPayload(f"{where} answers more than {MAX_BODY} bytes")
    if response.status != http.HTTPStatus.OK:
        raise (Unavailable if response.status in (429, 503) else Refused)(f"{where}: {_reason(response.status, answer)}")
    return answer


def _reason(status: int, body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body, type=dict[str, str])["error"])
    except (msgspec.DecodeError, KeyError):
        return f"status {status}"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BODY)
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be read ({cause.strerror})") from cause


def _address(url: str | None) -> tuple[str, int]:
    try:
        parts = urllib.parse.urlsplit(url or "")
        if parts.scheme == "https" and parts.hostname:
            return parts.hostname, parts.port or http.client.HTTPS_PORT
    except ValueError:
        pass  # a port that is none, brackets that do not close: said below
    raise BadConfig(f"URL: {url!r} is no address of an authority; an example: https://broker.example.org:8443")


def _ask() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("the code of the invitation: ")
    return sys.stdin.readline(MAX_BODY)


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht enroll",
        description="Get this gateway its key and certificate, and write how it reaches the broker into edge.toml. The key is made"
        " here and stays here. The code of the invitation comes from: hoflicht authority invite GATEWAY. It is asked for, or read"
        " from standard input: on the command line other programs would see it.",
        epilog="Repeat a run that was cut off. Exit codes: 0 done, 1 failed, 2 edit your config or command.",
    )
    parser.add_argument("gateway", metavar="GATEWAY", help="the gateway's name in the catalogue")
    parser.add_argument(
        "url", nargs="?", metavar="URL", help="where hoflicht authority serve answers, https://broker.example.org:8443"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help="of key, certificate and edge.toml; %(default)s")
    parser.add_argument("--code-file", default="", metavar="FILE", help="holds the code")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--renew", action="store_true", help="by the certificate that is there, where it ends within a year")
    way.add_argument("--request", action="store_true", help="no network: only write GATEWAY.csr, to be carried to the authority")
    way.add_argument("--certificate", type=Path, metavar="FILE", help="no network: take the answer that was carried back")
    return parser
