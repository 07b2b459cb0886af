"""`hoflicht dashboards build | push | diff`: boards to files or to a running Grafana. The one door to grafana-api."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from grafana_api.grafana_api import GrafanaClientError, GrafanaServerError, GrafanaUnauthorizedError
from grafana_api.grafana_face import GrafanaFace

from dashboards import provisioning
from dashboards.boards import FOLDER_TITLE, FOLDER_UID, boards
from dashboards.datasource import UID, Influx, check, datasource, marked
from dashboards.drift import differences
from hoflicht.config import secret
from hoflicht.errors import BadConfig, Unavailable

DONE, FAILED = 0, 1
NOT_FOUND, FORBIDDEN = 404, 403
FOLDER = {"uid": FOLDER_UID, "title": FOLDER_TITLE}
ANSWER_S = 15.0  # a small server with a full disk takes its time to save a board
JsonObject = dict[str, Any]


class Part(msgspec.Struct, frozen=True):
    """One thing on the server: what it is there, what it should be, and how to make it so."""

    name: str
    found: JsonObject | None
    wanted: JsonObject
    save: Callable[[], object]


class Grafana:
    """A running Grafana; raise BadConfig where a person must act, Unavailable where it is away."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadConfig(f"--url {url!r}: expected http(s)://host:3000")
        prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
        self._url = url
        self._face = GrafanaFace(token, host=parts.netloc, protocol=parts.scheme, url_path_prefix=prefix, timeout=ANSWER_S)

    def __enter__(self) -> "Grafana":
        return self

    def __exit__(self, *_: object) -> None:
        self._face.api.s.close()

    def parts(self, source: JsonObject | None, models: list[JsonObject]) -> Iterator[Part]:
        """Folder, data source (where `source` is given) and boards, each asked for in its turn: a board needs its folder."""
        yield self._folder()
        if source is not None:
            yield self._source(source)
        for model in models:
            yield self._board(model)

    def ask(self, call: Callable[[], object]) -> None:
        """Do what a part's `save` does."""
        with self._translated():
            call()

    def _folder(self) -> Part:
        face = self._face.folder
        found = self._find(lambda: face.get_folder(FOLDER_UID))
        if found is None:
            return Part("folder", None, FOLDER, lambda: face.create_folder(FOLDER_TITLE, FOLDER_UID))
        return Part("folder", found, FOLDER, lambda: face.update_folder(FOLDER_UID, FOLDER_TITLE, overwrite=True))

    def _source(self, source: JsonObject) -> Part:
        # By uid, for which grafana-api has no method: numeric ids are deprecated, and a name can be changed by hand.
        api, path = self._face.api, f"/datasources/uid/{UID}"
        found = self._find(lambda: api.GET(path))
        wanted = {key: value for key, value in source.items() if key != "secureJsonData"}  # the server never tells it
        if found is None:
            return Part("data source", None, wanted, lambda: api.POST("/datasources", json=source))
        return Part("data source", found, wanted, lambda: api.PUT(path, json=source))

    def _board(self, model: JsonObject) -> Part:
        face = self._face.dashboard
        answer = self._find(lambda: face.get_dashboard(model["uid"]))
        found = None if answer is None else answer["dashboard"] | {"folderUid": answer["meta"].get("folderUid", "")}
        request = {"dashboard": model, "folderUid": FOLDER_UID, "overwrite": True, "message": "hoflicht dashboards push"}
        wanted = model | {"folderUid": FOLDER_UID}
        return Part(f"board {model['title']!r}", found, wanted, lambda: face.update_dashboard(request))

    def _find(self, call: Callable[[], JsonObject]) -> JsonObject | None:
        with self._translated():
            try:
                return call()
            except GrafanaClientError as cause:
                if cause.status_code == NOT_FOUND:
                    return None
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except GrafanaUnauthorizedError as cause:
            raise BadConfig(f"{self._url} does not take the token; make one under Administration, Service accounts") from cause
        except GrafanaClientError as cause:
            hint = "; the service account needs the role Admin" if cause.status_code == FORBIDDEN else ""
            raise BadConfig(f"{self._url} refuses: {cause}{hint}") from cause
        except GrafanaServerError as cause:
            raise Unavailable(f"{self._url} is in trouble: {cause}; look at its log") from cause
        except (requests.exceptions.InvalidJSONError, TypeError) as cause:
            # TypeError is what grafana-api makes of an error page that holds the word "message".
            raise BadConfig(f"{self._url} answers, but not as Grafana does; check --url") from cause
        except requests.exceptions.RequestException as cause:
            raise Unavailable(f"no answer from {self._url}; is Grafana running, and is --url right?") from cause


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
    for path in provisioning.write(options.folder, source, boards(), options.mounted_at):
        _say(f"wrote {path}")
    return DONE


def _push(options: argparse.Namespace) -> int:
    source = _source(options)
    changed = 0
    with Grafana(options.url, _token(options.token_file, "--token-file")) as grafana:
        for part in grafana.parts(source, boards(editable=options.editable)):
            if part.found is None or differences(part.found, part.wanted):
                grafana.ask(part.save)
                _say(f"{'made' if part.found is None else 'changed'}: {part.name}")
                changed += 1
    if not changed:
        _say(f"nothing to change: {options.url} has it all")
    return DONE


def _diff(options: argparse.Namespace) -> int:
    source = _source(options)
    different = 0
    with Grafana(options.url, _token(options.token_file, "--token-file")) as grafana:
        for part in grafana.parts(source, boards(editable=options.editable)):
            lines = ["not on the server"] if part.found is None else differences(part.found, part.wanted)
            different += len(lines)
            for line in lines:
                _say(f"{part.name}: {line}")
    return FAILED if different else DONE


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
    parser = argparse.ArgumentParser(prog="hoflicht dashboards", description="Grafana boards of yards, lamps and the platform.")
    commands = parser.add_subparsers(required=True, metavar="build|push|diff")
    build = commands.add_parser("build", help="write files that Grafana reads at its start (provisioning)")
    build.set_defaults(run=_build)
    build.add_argument("folder", type=Path, metavar="DIR", help="becomes Grafana's provisioning folder")
    build.add_argument("--mounted-at", default="/etc/grafana/provisioning", help="where Grafana sees DIR (default: %(default)s)")
    _add_influx(build, "/run/secrets/grafana_influx_token", "as Grafana sees it; the token itself is not written anywhere")
    for name, run, meaning in (
        ("push", _push, "make a running Grafana have the boards; does nothing where it has them"),
        ("diff", _diff, "tell what a running Grafana has otherwise; exit code 1 where something differs"),
    ):
        command = commands.add_parser(name, help=meaning, description=meaning)
        command.set_defaults(run=run)
        command.add_argument("--url", required=True, help="of Grafana, as in http://localhost:3000")
        command.add_argument("--token-file", required=True, help="holds the token of a service account with the role Admin")
        command.add_argument("--editable", action="store_true", help="let people change the boards in Grafana")
        _add_influx(command, "", "holds the token for reading; without this option the data source is left alone")
    return parser


def _add_influx(parser: argparse.ArgumentParser, token_file: str, meaning: str) -> None:
    parser.add_argument(
        "--influx-url", default="http://influxdb:8086", help="of InfluxDB, as Grafana reaches it (default: %(default)s)"
    )
    parser.add_argument("--influx-bucket", default="hoflicht", help="the bucket with the readings (default: %(default)s)")
    parser.add_argument("--influx-token-file", default=token_file, help=meaning)
