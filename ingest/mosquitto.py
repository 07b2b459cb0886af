"""`hoflicht broker-config mosquitto DIR`: all that a Mosquitto of ours reads, in one folder."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from hoflicht import atomic, logs, private_key, topics
from hoflicht.catalogue import API
from hoflicht.clock import SystemClock
from hoflicht.config import address, load
from hoflicht.errors import BadConfig, Unavailable
from ingest.authority import BROKER_CERTIFICATE, CERTIFICATE, Authority
from ingest.registrar import AuthorityConfig, add_config, open_authority

DONE, FAILED = 0, 1
BROKER_KEY = "broker.key"

CONF = """\
# Mosquitto 2 for hoflicht, made by: hoflicht broker-config mosquitto
# A change by hand is gone when it is made again.

# Each listener has its own way to tell who is there, and its own access list.
per_listener_settings true

# Gateways, over any network: TLS in both directions. The name in a gateway's certificate (CN) is its user name and its client id,
# so that it can neither write for another one nor push it out.
listener {port}
cafile {at}/ca.crt
certfile {at}/broker.crt
keyfile {at}/broker.key
crlfile {at}/crl.pem
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file {at}/acl-gateways

# ingest and api, inside the server only: user name and password (mosquitto_passwd). Do not publish this port.
listener {inner_port} {inner_host}
allow_anonymous false
password_file {at}/passwords
acl_file {at}/acl-roles

# Nothing on disk: a gateway keeps its readings until ingest has confirmed them, and who has said something retained says it again
# when the broker is back. A memory some minutes old would hand out yesterday's word.
persistence false

# Bounds. A batch has at most 256 KiB, a gateway a few of them under way, an ingest worker as many as its receive_maximum.
message_size_limit 524288
max_inflight_messages 400
max_queued_messages 10000
max_queued_bytes 67108864
max_keepalive 300
allow_zero_length_clientid false

log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true
"""

FOR_GATEWAYS = f"""\
# Who may do what on the gateways' listener, made by: hoflicht broker-config mosquitto
# %u is the user name: the CN of the gateway's certificate.

# A gateway speaks for itself only, and hears only what is meant for it.
pattern write {topics.batches("%u")}
pattern read {topics.answers("%u")}
pattern write {topics.readings("%u")}
pattern read {topics.receipts("%u")}
pattern write {topics.state("%u")}
pattern read {topics.desired("%u", "#")}
pattern write {topics.reported("%u", "#")}

# The waiting times are public. (Mosquitto warns that this line has no %u: it is meant for every gateway.)
pattern read {topics.ALL_WAITS}
"""

FOR_ROLES = f"""\
# Who may do what on the listener inside the server, made by: hoflicht broker-config mosquitto

# ingest takes every batch ($share/ingest/… included) and answers it.
user ingest
topic read {topics.batches("+")}
topic write {topics.answers("+")}
topic read {topics.readings("+")}
topic write {topics.receipts("+")}

# The api alone says how long the wait is; its estimates go the way of all readings, and it hears what became of its own.
user {API}
topic write {topics.ALL_WAITS}
topic write {topics.batches(API)}
topic read {topics.answers(API)}
topic write {topics.readings(API)}
topic read {topics.receipts(API)}
# It tells gateways how their lamps are to burn, and hears what has become of it.
topic write {topics.desired("+", topics.LIGHT)}
topic read {topics.ALL_LIGHT}

# An operator tells gateways what they shall be, and hears what became of it.
user operator
topic readwrite {topics.desired("+", "#")}
topic read {topics.reported("+", "#")}
topic read {topics.state("+")}
"""


def main(argv: list[str]) -> int:
    """Run `hoflicht broker-config mosquitto DIR`."""
    options = _parser().parse_args(argv)
    logs.to_stderr()
    host, port = address("--inner", options.inner, "127.0.0.1:1883")
    config = load(options.config, AuthorityConfig)
    folder: Path = options.folder.absolute()
    at = options.mounted_at or str(folder)
    if set(at) & set("\n\r"):
        raise BadConfig("a folder with a line break in its name cannot stand in a configuration")
    texts = {
        "mosquitto.conf": CONF.format(port=config.broker_port, inner_host=host, inner_port=port, at=at.rstrip("/")),
        "acl-gateways": FOR_GATEWAYS,
        "acl-roles": FOR_ROLES,
    }
    try:
        with closing(open_authority(options.config, SystemClock())) as authority:
            made = _identity(authority, folder, list(config.names))
            authority.add_broker(folder)
            made += [file for file in authority.write_revoked() if file.parent == folder]
    except Unavailable as cause:
        sys.stderr.write(f"hoflicht broker-config: {cause}\n")
        return FAILED
    made += [_written(folder / name, text) for name, text in texts.items()]
    sys.stdout.writelines(f"wrote {file}\n" for file in made)
    return DONE


def _identity(authority: Authority, folder: Path, names: list[str]) -> list[Path]:
    """The broker's certificate, new each time, and its key, which stays: a half-finished run leaves no two that do not fit."""
    key = private_key.kept(folder / BROKER_KEY, "the broker's key")
    certificate = authority.server_certificate(key.public_key(), names).decode()
    return [_written(folder / CERTIFICATE, authority.ca), _written(folder / BROKER_CERTIFICATE, certificate)]


def _written(file: Path, text: str) -> Path:
    atomic.write(file, text.encode(), atomic.PUBLIC)
    return file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht broker-config",
        description="Write what a broker needs into one folder: configuration, access lists, the CA, the broker's own key and"
        " certificate, the list of what is revoked. Doing so again keeps the key and renews the rest; restart the broker then.",
        epilog="Beside it the broker wants the file passwords with the users ingest and api (mosquitto_passwd).",
    )
    parser.add_argument("broker", choices=["mosquitto"], help="the kind of broker")
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the files go; hoflicht revoke renews the list there")
    parser.add_argument("--mounted-at", default="", metavar="PATH", help="where the broker sees DIR, if elsewhere (a container)")
    parser.add_argument(
        "--inner", default="127.0.0.1:1883", metavar="ADDRESS:PORT", help="where ingest and api find it (default: %(default)s)"
    )
    add_config(parser)
    return parser
