"""`hoflicht check FILE…`: all that is wrong in these files, each by file, line and key, and what is legal but odd."""

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from hoflicht.catalogue import City
from hoflicht.complaint import Complaint, about
from hoflicht.errors import BadConfig
from workshop.files import KINDS, File, look
from workshop.oddities import oddities, strangers, unheard

DONE, EDIT_YOUR_CONFIG = 0, 2


def main(argv: list[str]) -> int:
    """Run `hoflicht check FILE…`; return 0 where all may be used, 2 where a person must edit something."""
    arguments = _parser().parse_args(argv)
    files: list[File] = []
    wrong = odd = 0
    for path in arguments.files:
        try:
            files.append(look(path, arguments.kind))
        except BadConfig as cause:
            _say(str(cause))
            wrong += 1
    cities = [file.config for file in files if file.kind == "city" and file.config]
    for file in files:
        mistakes = file.lines([*file.complaints, *_beyond(file, cities)])
        warnings = file.lines(_warnings(file, files))
        for line in mistakes:
            _say(f"{file.path}: {line}")
        for line in warnings:
            _say(f"{file.path}: warning: {line}")
        wrong, odd = wrong + len(mistakes), odd + len(warnings)
    counted = [_many(len(arguments.files), "file"), _many(wrong, "mistake"), _many(odd, "warning")]
    _say(f"{', '.join(counted)}{'' if wrong else ': they may be used' if odd else ': all well'}")
    return EDIT_YOUR_CONFIG if wrong else DONE


def _beyond(file: File, cities: list[City]) -> Iterator[Complaint]:
    """Mistakes that only the neighbours of a file, or a library that not every role has, can tell."""
    if file.config is None:
        return
    if file.kind == "edge" and len(cities) == 1:
        yield from strangers(file.config, cities[0])
    if file.kind == "city" and importlib.util.find_spec("holidays"):
        from hoflicht.hours import complaints_of_region  # noqa: PLC0415

        yield from complaints_of_region(file.config)


def _warnings(file: File, files: list[File]) -> Iterator[Complaint]:
    if file.config is None:
        return
    if file.kind == "city":
        yield from oddities(file.config)
        gateways = {one.config.gateway: one.config for one in files if one.kind == "edge" and one.config}
        yield from unheard(file.config, gateways)
    elif hasattr(file.config, "city") and not (file.path.parent / file.config.city).exists():
        yield about(("city",), f"there is no file {file.path.parent / file.config.city} on this machine")


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht check",
        description="Look through catalogues and configs without touching anything: every mistake by file, line and key, and what"
        " is legal but odd. Files that are checked together are held beside each other: does the catalogue know what a gateway's"
        " ports are called, is there a sensor that no port brings?",
        epilog="Exit codes: 0 the files may be used, warnings or not; 2 edit what was named.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="city.toml, a gateway's edge.toml, ingest.toml, …")
    parser.add_argument("--as", dest="kind", choices=[*KINDS], default="", help="what the files are, where they do not tell")
    return parser
