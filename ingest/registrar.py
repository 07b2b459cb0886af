"""`hoflicht authority` and `hoflicht revoke`: what an operator does with the city's certificates."""

import argparse
import logging
import sys
from collections.abc import Collection, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec

from hoflicht import atomic, logs, stop
from hoflicht.catalogue import load_city
from hoflicht.clock import Clock, SystemClock
from hoflicht.config import Strict, beside, load
from hoflicht.errors import BadConfig, BadPayload, Refused, Unavailable
from hoflicht.instants import moment
from hoflicht.invitation import MAX_BODY, RENEWED_WITHIN, fingerprint
from ingest import certificates, enrolment
from ingest.authority import CERTIFICATE, INVITED_FOR, KEY, Authority, found
from ingest.register import Signed

log = logging.getLogger(__name__)

CONFIG = Path("/etc/hoflicht/authority.toml")
DONE, FAILED = 0, 1

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Name = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9.:-]{1,253}$")]  # of a host, or an address
Names = Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=20)]


class AuthorityConfig(Strict, frozen=True):
    """The authority of a city. Relative paths start at the folder of the file."""

    city: str  # the catalogue
    names: Names  # by which gateways call it; they are told the first
    folder: str = "authority"  # ca.key, ca.crt, the register
    broker_port: Port = 8883
    listen: str = "127.0.0.1:8443"  # where `authority serve` answers gateways


def open_authority(path: Path, clock: Clock) -> Authority:
    """Open the authority that the file at `path` configures; the catalogue is read anew for each question."""
    config = load(path, AuthorityConfig)
    return Authority(
        beside(path, config.folder), partial(_gateways, beside(path, config.city)), config.names[0], config.broker_port, clock
    )


def _gateways(city: Path) -> Collection[str]:
    return load_city(city).gateways.keys()


def main(argv: list[str]) -> int:
    """Run `hoflicht authority init|invite|serve|sign|list`."""
    options = _parser().parse_args(argv)
    logs.to_stderr(options.verbose)
    try:
        if options.action == "init":
            folder = beside(options.config, load(options.config, AuthorityConfig).folder)
            found(folder, SystemClock())
            return _say(f"made {folder / KEY} and {folder / CERTIFICATE}")
        with closing(open_authority(options.config, SystemClock())) as authority:
            return int(options.run(authority, options))
    except (Unavailable, Refused) as cause:
        sys.stderr.write(f"hoflicht authority: {cause}\n")
        return FAILED


def revoke(argv: list[str]) -> int:
    """Run `hoflicht revoke GATEWAY`."""
    parser = argparse.ArgumentParser(
        prog="hoflicht revoke",
        description="Make all certificates of a gateway void, its invitation included, and write the list that brokers read.",
        epilog="A broker looks into the list when it starts, and asks nobody who is connected already: restart it afterwards.",
    )
    add_config(parser)
    parser.add_argument("gateway", metavar="GATEWAY", help="its name in the catalogue")
    options = parser.parse_args(argv)
    logs.to_stderr(options.verbose)
    try:
        with closing(open_authority(options.config, SystemClock())) as authority:
            for file in authority.revoke(options.gateway):
                _say(f"wrote {file}")
    except Unavailable as cause:
        sys.stderr.write(f"hoflicht revoke: {cause}\n")
        return FAILED
    return _say(
        f"{options.gateway} is revoked. Restart the broker now: until then it may stay connected.\n"
        "Then take it out of the catalogue, or enroll it anew with a new key."
    )


def _invite(authority: Authority, options: argparse.Namespace) -> int:
    config = load(options.config, AuthorityConfig)
    code = authority.invite(options.gateway)
    host = f"[{config.names[0]}]" if ":" in config.names[0] else config.names[0]
    sys.stderr.write(
        f"Good once, within {INVITED_FOR.days} days. While hoflicht authority serve runs here, on the gateway:\n\n"
        f"    hoflicht enroll {options.gateway} https://{host}:{config.listen.rpartition(':')[2]}\n\n"
        "It asks for this code:\n\n"
    )
    return _say(str(code))  # alone on standard output, so that it can go into a file


def _serve(authority: Authority, options: argparse.Namespace) -> int:
    config = load(options.config, AuthorityConfig)
    stopping = stop.on_signals()
    with enrolment.serve(authority, config.listen, list(config.names), SystemClock()):
        log.info("answering gateways on %s; Ctrl-C ends it", config.listen)
        stopping.wait()
    return FAILED if stopping.failed else DONE


def _sign(authority: Authority, options: argparse.Namespace) -> int:
    path: Path = options.file
    try:
        with path.open("rb") as file:
            request = certificates.read_request(file.read(MAX_BODY))
    except (OSError, BadPayload) as cause:
        raise BadConfig(f"{path}: {getattr(cause, 'strerror', None) or cause}") from cause
    answer = path.with_suffix(".json")
    atomic.write(answer, msgspec.json.encode(authority.sign(request)), atomic.PUBLIC)
    return _say(
        f"wrote {answer}; on the gateway: hoflicht enroll {request.name} --certificate {answer.name}\n"
        f"It should show this fingerprint of the CA: {fingerprint(authority.ca)}"
    )


def _list(authority: Authority, options: argparse.Namespace) -> int:
    del options
    rows = authority.signed()
    now_ms = SystemClock().now_ms()
    lines = [f"{'gateway':<24}  {'ends (UTC)':<10}  {'':<26}  serial number"]
    lines += [f"{one.gateway:<24}  {_day(one.ends_ms)}  {_standing(one, rows, now_ms):<26}  {one.serial:x}" for one in rows]
    lines += [
        f"the broker's in {folder} ends on {_day(ends_ms)}: {_left(ends_ms, now_ms)}" for folder, ends_ms in authority.brokers()
    ]
    return _say("\n".join(lines))


def _standing(one: Signed, rows: Sequence[Signed], now_ms: int) -> str:
    if one.revoked_ms is not None:
        return f"revoked on {_day(one.revoked_ms)}"
    if one is not [row for row in rows if row.gateway == one.gateway][-1]:
        return "replaced"
    return _left(one.ends_ms, now_ms)


def _left(ends_ms: int, now_ms: int) -> str:
    if ends_ms <= now_ms:
        return "HAS RUN OUT"
    return "RENEW IT" if ends_ms - now_ms < RENEWED_WITHIN.total_seconds() * 1000 else "good"


def _day(at_ms: int) -> str:
    return moment(at_ms).strftime("%Y-%m-%d")


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht authority",
        description="The city's own certificates: who has one from here gets to the broker. What gateways do is hoflicht enroll.",
        epilog="exit codes: 0 done, 1 failed, 2 edit your config or command",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="init|invite|serve|sign|list")
    add_config(actions.add_parser("init", help="make the CA, once", description="Make the CA, once."))
    for name, run, meaning in (
        ("invite", _invite, "a one-time code with which a gateway gets its certificate over the network"),
        ("serve", _serve, "answer gateways that have a code, or a certificate that ends within a year"),
        ("sign", _sign, "sign a request that was carried here, for a gateway without a way to this machine"),
        ("list", _list, "what was signed, and how long it is good"),
    ):
        action = actions.add_parser(name, help=meaning, description=f"{meaning[0].upper()}{meaning[1:]}.")
        action.set_defaults(run=run)
        add_config(action)
        if name == "invite":
            action.add_argument("gateway", metavar="GATEWAY", help="its name in the catalogue")
        elif name == "sign":
            action.add_argument("file", type=Path, metavar="FILE.csr", help="made by hoflicht enroll GATEWAY --request")
    return parser


def add_config(parser: argparse.ArgumentParser) -> None:
    """The options that every command of the authority has."""
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="TOML; default: %(default)s")
    parser.add_argument("--verbose", action="store_true", help="log more")
