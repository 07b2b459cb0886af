"""`hoflicht doctor CONFIG…`: what is wrong on this machine and at its neighbours, why one may think so, and the next step.

It only looks: it opens no serial port, writes no reading, and where a role runs takes that one's word instead of its place at the
broker.
"""

import argparse
import datetime as dt
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hoflicht.broker import BrokerConfig
from hoflicht.clock import Clock, SystemClock
from hoflicht.config import beside
from hoflicht.errors import BadConfig
from hoflicht.instants import moment
from workshop import broker_visit, grafana_visit, machine, own_word
from workshop.files import File, look
from workshop.finding import Finding, State, well, wrong

DONE, FAILED, EDIT_YOUR_CONFIG = 0, 1, 2
FOLDER = Path("/etc/hoflicht")
MEGABYTE = 1_000_000


def main(argv: list[str]) -> int:
    """Run `hoflicht doctor CONFIG…`; 0 all well, 1 something is wrong, 2 a config must be edited."""
    arguments = _parser().parse_args(argv)
    configs = arguments.configs or sorted(FOLDER.glob("*.toml"))
    if not configs and not arguments.grafana:
        raise BadConfig(f"no CONFIG was named, and there is none in {FOLDER}")
    clock = SystemClock(trust_ntp_only=True)
    found: dict[str, list[Finding]] = {str(path): [*examine(path, clock)] for path in configs}
    if arguments.grafana:
        found[arguments.grafana] = [*grafana_visit.findings(arguments.grafana, arguments.grafana_token_file)]
    sys.stdout.write(_json(found) if arguments.json else _lines(found))
    worst = [one for findings in found.values() for one in findings if one.state is State.WRONG]
    if any(one.part == "config" for one in worst):
        return EDIT_YOUR_CONFIG
    return FAILED if worst else DONE


def examine(path: Path, clock: Clock) -> Iterator[Finding]:
    """All about the role whose config is at `path`."""
    file = yield from _read(path, "config", "edit it; hoflicht check tells more")
    if file is not None:
        yield well("config", f"it is right ({file.kind})")
        yield from EXAMINE[file.kind](file, clock)


def _read(path: Path, part: str, repair: str, kind: str = "") -> Generator[Finding, None, File | None]:
    """The file at `path`, and why it cannot be used: None then."""
    try:
        file = look(path, kind)
    except BadConfig as cause:
        yield wrong(part, "it cannot be used", str(cause), repair)
        return None
    for line in file.lines(file.complaints):
        yield wrong(part, "it cannot be used", f"{path}: {line}", "edit it; the role does not start with it")
    return None if file.config is None else file


def _edge(file: File, clock: Clock) -> Iterator[Finding]:
    from edge.config import CLOCKS, load_edge  # noqa: PLC0415

    config = load_edge(file.path)  # with absolute paths
    report, findings = own_word.heard("agent", config.http, "hoflicht-edge")
    yield from findings
    if report is not None:
        yield from own_word.of_gateway(report)
    yield machine.clock(clock, CLOCKS[config.clock])
    told: Mapping[str, Any] = (report or {}).get("ports", {})
    paths = {name: port.path for name, port in config.ports.items()} | {name: line.path for name, line in config.lines.items()}
    for name, path in paths.items():
        yield machine.port(f"port {name}", Path(path), told.get(name, {}).get("open"))
    for name, sign in config.signs.items():
        yield machine.port(f"sign {name}", Path(sign.path), None)
    spool = Path(config.spool.path)
    used = spool.stat().st_size if spool.exists() else 0
    yield machine.disk(spool.parent, max(0, config.spool.limit_mb * MEGABYTE - used))
    yield from _certificates(config.broker, config.gateway, clock)
    yards = [sign.yard for sign in config.signs.values()]
    yield from _broker("edge", config.gateway, config.broker, is_running=report is not None, yards=yards)


def _ingest(file: File, clock: Clock) -> Iterator[Finding]:
    config, broker = file.config, file.config.broker.beside(file.path)
    report, findings = own_word.heard("ingest", config.http, "hoflicht-ingest")
    yield from findings
    if report is not None:
        yield from own_word.of_ingest(report)
    yield from _server_side(file, clock)
    yield machine.disk(beside(file.path, config.quarantine).parent)
    yield from _certificates(broker, "", clock)
    yield from _broker("ingest", config.client_id, broker, is_running=report is not None)


def _api(file: File, clock: Clock) -> Iterator[Finding]:
    report, findings = own_word.heard("api", file.config.listen, "hoflicht-api")
    yield from findings
    if report is not None:
        yield from own_word.of_api(report)
    yield from _server_side(file, clock)
    if file.config.broker is not None:
        broker = file.config.broker.beside(file.path)
        yield from _certificates(broker, "", clock)
        yield from _broker("api", "api", broker, is_running=report is not None)


def _server_side(file: File, clock: Clock) -> Iterator[Finding]:
    from workshop import database  # noqa: PLC0415

    yield machine.clock(clock)
    yield from _catalogue(beside(file.path, file.config.city))
    yield from database.findings(file.config.store, file.path, clock)


def _authority(file: File, clock: Clock) -> Iterator[Finding]:
    from ingest.authority import BROKER_CERTIFICATE, CERTIFICATE  # noqa: PLC0415
    from ingest.registrar import open_authority  # noqa: PLC0415
    from workshop import certificates  # noqa: PLC0415

    folder = beside(file.path, file.config.folder)
    yield from _catalogue(beside(file.path, file.config.city))
    if not (folder / CERTIFICATE).exists():  # opening it would make a register
        yield wrong("authority", f"there is no CA in {folder}", f"{folder / CERTIFICATE} is missing", "hoflicht authority init")
        return
    try:
        ca = certificates.read(folder / CERTIFICATE)
        yield from certificates.lasting(ca, str(folder / CERTIFICATE), _now(clock), "hoflicht authority init in another folder")
        authority = open_authority(file.path, clock)
        brokers = authority.brokers()
        authority.close()
        for place, _ in brokers:
            step = f"hoflicht broker-config mosquitto {place} again, then start the broker anew"
            yield from certificates.lasting(
                certificates.read(place / BROKER_CERTIFICATE), str(place / BROKER_CERTIFICATE), _now(clock), step
            )
    except BadConfig as cause:
        yield wrong("authority", "its files cannot be used", str(cause), "repair what is named")


def _operator(file: File, clock: Clock) -> Iterator[Finding]:
    broker = file.config.broker.beside(file.path)
    yield from _certificates(broker, "", clock)
    yield from _broker("operator", "operator", broker, is_running=False)


def _backup(file: File, clock: Clock) -> Iterator[Finding]:
    yield machine.disk(beside(file.path, file.config.folder))
    if file.config.store is not None:
        from workshop import database  # noqa: PLC0415

        yield from database.findings(file.config.store, file.path, clock)


def _city(_file: File, _clock: Clock) -> Iterator[Finding]:
    return iter(())  # that it is right was said


EXAMINE: Mapping[str, Callable[[File, Clock], Iterator[Finding]]] = {
    "edge": _edge,
    "ingest": _ingest,
    "api": _api,
    "authority": _authority,
    "operator": _operator,
    "backup": _backup,
    "city": _city,
}


def _catalogue(path: Path) -> Iterator[Finding]:
    city = yield from _read(path, "catalogue", "the right path in city, or repair what is named", "city")
    if city is not None:
        yield well("catalogue", f"{city.config.name}, yards: {len(city.config.yards)}, lamps: {len(city.config.lamps):,}")


def _certificates(broker: BrokerConfig, gateway: str, clock: Clock) -> Iterator[Finding]:
    if broker.cert_file:
        from workshop import certificates  # noqa: PLC0415

        yield from certificates.own(broker, gateway, _now(clock))


def _broker(kind: str, name: str, broker: BrokerConfig, is_running: bool, yards: list[str] | None = None) -> Iterator[Finding]:
    hindrances = [*broker_visit.way(broker)]
    yield from hindrances
    if hindrances:
        return
    if is_running and (broker.cert_file or kind == "edge"):
        # A broker knows a certificate's name once: we would push the running one out.
        yield well("broker", f"{broker.host}:{broker.port} answers; whether it lets us in says the running {kind}")
        return
    yield from broker_visit.entry(broker, broker_visit.visitor(kind, name, broker, yards or []))


def _now(clock: Clock) -> dt.datetime:
    return moment(clock.now_ms())


def _json(found: Mapping[str, list[Finding]]) -> str:
    is_well = not any(one.state is State.WRONG for findings in found.values() for one in findings)
    return f"{msgspec.json.format(msgspec.json.encode({'well': is_well, 'looked_at': found})).decode()}\n"


def _lines(found: Mapping[str, list[Finding]]) -> str:
    lines: list[str] = []
    width = max((len(one.part) for findings in found.values() for one in findings), default=0)
    for name, findings in found.items():
        lines += ["", name]
        for one in findings:
            state = "WRONG" if one.state is State.WRONG else "  ?  " if one.state is State.UNTOLD else "ok"
            lines.append(f"  {state:<5} {one.part:<{width}} {one.what}")
            lines += [f"{'':<{width + 9}}{word}: {told}" for word, told in (("why", one.why), ("next", one.next)) if told]
    count = sum(one.state is State.WRONG for findings in found.values() for one in findings)
    verdict = "all is well" if not count else f"{count} {'thing is' if count == 1 else 'things are'} wrong"
    return "\n".join([*lines[1:], "", verdict, ""])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht doctor",
        description="Look at a machine of ours and at its neighbours: config, clock, ports, signs, certificates, disk, broker,"
        " database, Grafana, and what the running role says of itself. Whatever is wrong is told with the reason and the next step."
        " It changes nothing and writes no reading.",
        epilog="Exit codes: 0 all is well, 1 something is wrong, 2 a config must be edited.",
    )
    parser.add_argument("configs", nargs="*", type=Path, metavar="CONFIG", help=f"of any role; default: those in {FOLDER}")
    parser.add_argument("--grafana", default="", metavar="URL", help="look at Grafana too, as in http://localhost:3000")
    parser.add_argument("--grafana-token-file", default="", metavar="FILE", help="holds the token of a service account")
    parser.add_argument("--json", action="store_true", help="for a program that reads it")
    return parser
