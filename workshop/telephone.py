"""How the doctor reaches a neighbour over the network: name, connection, TLS, and an answer over HTTP, each with its own words."""

import http.client
import socket
import ssl
import urllib.parse
from typing import Any, NamedTuple

import msgspec

from workshop.finding import Finding, wrong

TIMEOUT_S = 8.0  # for each step: a person waits
MAX_ANSWER = 1024 * 1024  # bytes

OTHER_NAME = "put what it is called by into names of authority.toml, then hoflicht broker-config again, and start the broker anew"
OTHER_CA = "the CA here is not the one that has signed it: hoflicht enroll anew"
# What OpenSSL says of a server's certificate, and what to do then.
UNTRUSTED = {
    "certificate has expired": "renew the server's certificate: hoflicht broker-config again, then start the broker anew",
    "certificate is not yet valid": "set this machine's clock: timedatectl",
    "Hostname mismatch": OTHER_NAME,
    "IP address mismatch": OTHER_NAME,
    "unable to get local issuer certificate": OTHER_CA,
    "self-signed certificate": OTHER_CA,
}


class Answer(NamedTuple):
    """What came over HTTP."""

    status: int
    date: str
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            told = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return {}
        return told if isinstance(told, dict) else {}


def called(part: str, host: str, port: int, started_by: str) -> Finding | None:
    """Try name and connection; None where somebody answers. `started_by` is what to look at where nobody does."""
    where = f"{host}:{port}"
    try:
        socket.create_connection((host, port), TIMEOUT_S).close()
    except socket.gaierror as cause:
        step = f"the right host in the config, or the network's name service: resolvectl query {host}"
        return wrong(part, f"the name {host} is not known", cause.strerror or str(cause), step)
    except ConnectionRefusedError:
        return wrong(part, f"nothing listens at {where}", "the machine is there and refuses the connection", started_by)
    except TimeoutError:
        step = f"is the machine on, and does a firewall let port {port} through? ping {host}"
        return wrong(part, f"{where} does not answer", f"no word within {TIMEOUT_S:g} s", step)
    except OSError as cause:
        return wrong(part, f"there is no way to {where}", cause.strerror or str(cause), "the network: ip route; ping the gateway")
    return None


def greeted(part: str, host: str, port: int, context: ssl.SSLContext) -> Finding | None:
    """Try TLS; None where the server shows who it is."""
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as line, context.wrap_socket(line, server_hostname=host):
            return None
    except ssl.SSLCertVerificationError as cause:
        told = cause.verify_message
        step = next((step for words, step in UNTRUSTED.items() if words in told), "look at the server's certificate")
        return wrong(part, f"{host}:{port} does not show that it is the right one", told, step)
    except (ssl.SSLError, OSError) as cause:
        step = "the port for TLS in the config (8883), or take ca_file out for one without"
        return wrong(part, f"{host}:{port} speaks no TLS that we understand", getattr(cause, "reason", None) or str(cause), step)


def ask(url: str, token: str = "", kind: str = "Bearer") -> Answer:
    """GET `url`; raise OSError where nobody answers, ValueError where it is no URL of HTTP."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r}: expected http(s)://host:port")
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname, parts.port, timeout=TIMEOUT_S)
    try:
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("GET", path, headers={"Authorization": f"{kind} {token}"} if token else {})
        response = connection.getresponse()
        return Answer(response.status, response.headers.get("Date", ""), response.read(MAX_ANSWER))
    except http.client.HTTPException as cause:
        raise OSError(f"no HTTP: {cause or type(cause).__name__}") from cause
    finally:
        connection.close()
