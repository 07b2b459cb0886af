"""`hoflicht init DIR`: a city of one's own, from answers to the files that its server and its gateways read.

All is made in memory, and read as its reader will read it, before the first file is written; so a folder has all of them or none.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from edge.config import EdgeConfig
from edge.config import complaints as edge_complaints
from hoflicht import atomic, catalogue
from hoflicht.catalogue import City
from hoflicht.config import complaints, load, parse
from hoflicht.errors import BadConfig
from workshop import answers as told
from workshop import city_text, questions, role_texts
from workshop.answers import Answers, LampsAnswer
from workshop.import_lamps import report
from workshop.lamps import Found, lamps
from workshop.next_steps import next_steps
from workshop.oddities import oddities, strangers
from workshop.rows import rows

DONE, FAILED = 0, 1
CITY = "city.toml"


def main(argv: list[str]) -> int:
    """Run `hoflicht init DIR`; return 0 done, 1 broken off, and raise BadConfig for 2."""
    arguments = _parser().parse_args(argv)
    try:
        answers = _answers(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("\nhoflicht init: nothing was written\n")
        return FAILED
    found = _lamps(answers, arguments.answers)
    texts = files(answers, found)
    _require_free(arguments.folder, texts)
    if answers.lamps:
        for line in report(Path(answers.lamps.table), found):
            _say(line)
    for warning in oddities(_checked(texts)):
        _say(f"warning: {warning.text}")
    for name, text in texts.items():
        path = arguments.folder / name
        _make(path.parent)
        atomic.write(path, text.encode(), atomic.PUBLIC)
        _say(f"wrote {path}")
    _say(f"What to do next stands in {arguments.folder / 'README.md'}")
    return DONE


def files(answers: Answers, found: Found) -> dict[str, str]:
    """The text of each file, by its path in the folder of the city."""
    gateways = city_text.sites_by_gateway(answers, found.lamps)
    texts = {CITY: city_text.catalogue(answers, found.lamps), "ingest.toml": role_texts.ingest(answers)}
    texts["api.toml"] = role_texts.api(answers)
    if answers.store == "sqlite":  # with compose, deploy/new-secrets writes the authority's
        texts |= {"authority.toml": role_texts.authority(answers), "operator.toml": role_texts.OPERATOR}
    texts |= {f"gateways/{name}.toml": role_texts.edge(answers, name, found.lamps) for name in gateways}
    return texts | {"README.md": next_steps(answers, list(gateways))}


def _answers(arguments: argparse.Namespace) -> Answers:
    table = str(arguments.lamps.absolute()) if arguments.lamps else ""
    if arguments.answers is None:
        return _typed(table)
    answers = load(arguments.answers, Answers, told.complaints)
    if not table:
        return answers
    own = answers.lamps or LampsAnswer(table=table)
    return msgspec.structs.replace(answers, lamps=msgspec.structs.replace(own, table=table))


def _typed(table: str) -> Answers:
    raw = questions.ask(input, _say, has_table=bool(table))
    if table:
        raw["lamps"]["table"] = table
    for complaint in complaints(raw, Answers, told.complaints):
        raise BadConfig(complaint.text)
    return msgspec.convert(raw, Answers)


def _lamps(answers: Answers, file: Path | None) -> Found:
    if answers.lamps is None:
        return Found({}, [], [], 0)
    table = Path(answers.lamps.table) if file is None else file.parent / answers.lamps.table
    return lamps(rows(table), answers.lamps.group, box=answers.bounds.box() if answers.bounds else None)


def _checked(texts: Mapping[str, str]) -> City:
    """Read the files as their readers will; raise BadConfig where the answers do not go together."""
    city = parse(texts[CITY], Path(CITY), City, catalogue.complaints)
    for name, text in texts.items():
        if name.startswith("gateways/"):
            config = parse(text, Path(name), EdgeConfig, edge_complaints)
            for complaint in strangers(config, city):
                raise BadConfig(f"{name}: {complaint.text}")
    return city


def _require_free(folder: Path, texts: Mapping[str, str]) -> None:
    taken = [str(folder / name) for name in texts if (folder / name).exists()]
    if taken:
        raise BadConfig(f"{', '.join(taken)}: there already, and nothing is overwritten; choose another folder, or move them away")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise BadConfig(f"{folder}: cannot be made ({cause.strerror})") from cause


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht init",
        description="Set up a city: asks for its yards, hours, sensors and signs, and writes the catalogue, a config for each"
        " gateway and for the roles on the server, and what to do next. Nothing that is there is overwritten; the same answers give"
        " the same files.",
        epilog="docs/second-city.md goes through it, with a file of answers. Exit codes: 0 done, 1 broken off, 2 edit the answers.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the files go")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="TOML with the answers, instead of the questions")
    parser.add_argument("--lamps", type=Path, metavar="TABLE", help="an office's table of lamps, as hoflicht import-lamps reads it")
    return parser
