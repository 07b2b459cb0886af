"""`hoflicht dashboards build | push | diff`: boards and alarms to files or to a running Grafana."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import get_args

from dashboards import alerting, contacts, provisioning
from dashboards.alarms import alarms
from dashboards.boards import boards
from dashboards.contacts import Contacts
from dashboards.datasource import Influx, check, datasource, marked
from dashboards.drift import JsonObject, Part, differences
from dashboards.publish import Grafana
from dashboards.rules import for_api, for_file
from dashboards.words import Language
from hoflicht.catalogue import load_city
from hoflicht.config import secret
from hoflicht.errors import BadConfig, Unavailable

DONE, FAILED = 0, 1
MAIL = "HOFLICHT_ALARM_MAIL"  # of the environment


def main(argv: list[str]) -> int:
    """Run `build`, `push` or `diff`; return 0 done, 1 failed or different, and raise BadConfig for 2."""
    options = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except Unavailable as cause:
        sys.stderr.write(f"hoflicht dashboards: {cause}\n")
        return FAILED


def _build(options: argparse.Namespace) -> int:
    source = datasource(_influx(options), provisioning.from_file(options.influx_token_file))
    city = load_city(options.city) if options.city else None
    webhook = f"$__file{{{options.webhook_file}}}" if options.webhook_file else ""
    models = boards(language=options.language, city=city, bucket=options.influx_bucket)
    groups = for_file(alarms(city), options.language, options.runbook)
    alerting_files = {"groups": groups, **contacts.for_file(_contacts(options, webhook))}
    for path in provisioning.write(options.folder, source, models, alerting_files, options.mounted_at):
        _say(f"wrote {path}")
    return DONE


def _push(options: argparse.Namespace) -> int:
    changed = 0
    with Grafana(options.url, _token(options.token_file, "--token-file")) as grafana:
        for part in _parts(options, grafana):
            if part.found is None or differences(part.found, part.wanted):
                grafana.ask(part.save)
                _say(f"{'made' if part.found is None else 'changed'}: {part.name}")
                changed += 1
    if not changed:
        _say(f"nothing to change: {options.url} has it all")
    return DONE


def _diff(options: argparse.Namespace) -> int:
    different = 0
    with Grafana(options.url, _token(options.token_file, "--token-file")) as grafana:
        for part in _parts(options, grafana):
            lines = ["not on the server"] if part.found is None else differences(part.found, part.wanted)
            different += len(lines)
            for line in lines:
                _say(f"{part.name}: {line}")
    return FAILED if different else DONE


def _parts(options: argparse.Namespace, grafana: Grafana) -> Iterator[Part]:
    """Each is asked for in its turn, once those before it are as they should be."""
    city = load_city(options.city) if options.city else None
    models = boards(editable=options.editable, language=options.language, city=city, bucket=options.influx_bucket)
    webhook = secret(options.webhook_file, "--webhook-file") if options.webhook_file else ""
    told = _contacts(options, webhook)
    rules = [for_api(rule, options.language, options.runbook) for rule in alarms(city)]
    yield from chain(
        grafana.parts(_source(options), models),
        alerting.parts(grafana, rules, told, editable=options.editable),
    )


def _contacts(options: argparse.Namespace, webhook: str) -> Contacts:
    told = Contacts(options.mail_to, webhook)
    contacts.check(told)
    return told


def _source(options: argparse.Namespace) -> JsonObject | None:
    if not options.influx_token_file:
        return None
    token = _token(options.influx_token_file, "--influx-token-file")
    return marked(datasource(_influx(options), f"Token {token}"))


def _token(path: str, option: str) -> str:
    token = secret(path, option)
    if not token.isascii() or len(token.split()) != 1:
        raise BadConfig(f"{option}: the file {path} holds no token; one line without spaces is expected")
    return token


def _influx(options: argparse.Namespace) -> Influx:
    influx = Influx(options.influx_url, options.influx_bucket)
    check(influx)
    return influx


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht dashboards", description="Grafana boards and alarms of yards, lamps and the platform."
    )
    commands = parser.add_subparsers(required=True, metavar="build|push|diff")
    build = commands.add_parser("build", help="write files that Grafana reads at its start (provisioning)")
    build.set_defaults(run=_build)
    build.add_argument("folder", type=Path, metavar="DIR", help="becomes Grafana's provisioning folder")
    build.add_argument("--mounted-at", default="/etc/grafana/provisioning", help="where Grafana sees DIR (default: %(default)s)")
    _add_content(build, "as Grafana sees it; holds the address of a webhook that is told of alarms")
    _add_influx(build, "/run/secrets/grafana_influx_token", "as Grafana sees it; the token itself is not written anywhere")
    for name, run, meaning in (
        ("push", _push, "make a running Grafana have boards and alarms; does nothing where it has them"),
        ("diff", _diff, "tell what a running Grafana has otherwise; exit code 1 where something differs"),
    ):
        command = commands.add_parser(name, help=meaning, description=meaning)
        command.set_defaults(run=run)
        command.add_argument("--url", required=True, help="of Grafana, as in http://localhost:3000")
        command.add_argument("--token-file", required=True, help="holds the token of a service account with the role Admin")
        command.add_argument("--editable", action="store_true", help="let people change boards and alarms in Grafana")
        _add_content(command, "holds the address of a webhook that is told of alarms")
        _add_influx(command, "", "holds the token for reading; without this option the data source is left alone")
    return parser


def _add_content(parser: argparse.ArgumentParser, webhook: str) -> None:
    parser.add_argument("--language", choices=get_args(Language), default="en", help="of boards and alarms (default: %(default)s)")
    parser.add_argument("--city", type=Path, help="the catalogue: adds what needs streets, cabinets and the places of sensors")
    parser.add_argument("--runbook", default="", metavar="URL", help="where your staff read docs/runbook.md: alarms link there")
    parser.add_argument(
        "--mail-to", default=os.environ.get(MAIL, ""), metavar="ADDRESS", help=f"told of alarms; several with ; (default: ${MAIL})"
    )
    parser.add_argument("--webhook-file", default="", metavar="FILE", help=webhook)


def _add_influx(parser: argparse.ArgumentParser, token_file: str, meaning: str) -> None:
    parser.add_argument(
        "--influx-url", default="http://influxdb:8086", help="of InfluxDB, as Grafana reaches it (default: %(default)s)"
    )
    parser.add_argument("--influx-bucket", default="hoflicht", help="the bucket with the readings (default: %(default)s)")
    parser.add_argument("--influx-token-file", default=token_file, help=meaning)
