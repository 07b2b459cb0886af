"""`hoflicht import-lamps TABLE CITY`: an office's table of lamps into the catalogue, and a word on each row that was of no use."""

import argparse
import sys
from pathlib import Path

from hoflicht import atomic, catalogue
from hoflicht.catalogue import City
from hoflicht.config import load, parse, read
from hoflicht.errors import BadConfig
from hoflicht.positions import positions
from workshop import written
from workshop.lamps import ZONE, Found, Unused, lamps
from workshop.oddities import oddities
from workshop.rows import rows

DONE, FAILED = 0, 1


def main(argv: list[str]) -> int:
    """Run `hoflicht import-lamps TABLE CITY`; return 0 where lamps came in, 1 where there were none."""
    arguments = _parser().parse_args(argv)
    city = load(arguments.city, City)  # a gateway may wait for these lamps already
    found = lamps(rows(arguments.table), arguments.group, arguments.zone)
    new = _new(found, city)
    for line in report(arguments.table, new):
        _say(line)
    text = read(arguments.city)
    after = with_lamps(text, new, arguments.city)
    for warning in oddities(parse(after, arguments.city, City, catalogue.complaints)):
        _say(f"warning: {warning.text}")
    if arguments.dry_run:
        _say(f"{arguments.city} stays as it was (--dry-run)")
    elif new.lamps:
        atomic.write(arguments.city, after.encode(), atomic.PUBLIC)
        _say(f"wrote {arguments.city}")
    return DONE if new.lamps else FAILED


def report(table: Path, found: Found) -> list[str]:
    """Each row that has become no lamp, what to look at in the others, and the counts."""
    lines = [f"{table}: {one.place}: not used: {one.why}" for one in found.unused]
    lines += [f"{table}: look at {remark}" for remark in found.remarks]
    return [*lines, f"{table}: {found.rows:,} rows, {len(found.lamps):,} lamps, {len(found.unused):,} not used"]


def with_lamps(text: str, found: Found, path: Path) -> str:
    """The catalogue `text` with the lamps in it; all else stays as it was, comments too."""
    lines = "".join(written.lamp(name, lamp) for name, lamp in found.lamps.items())
    head = positions(text).get(("lamps",))
    if head is None:
        return f"{text.rstrip()}\n\n[lamps]\n{lines}"
    kept = text.splitlines(keepends=True)
    if not kept[head - 1].lstrip().startswith("["):
        raise BadConfig(f"{path}: line {head}: write the lamps as a table, which begins with the line [lamps]")
    kept[head - 1] = f"{kept[head - 1].rstrip()}\n"
    return "".join([*kept[:head], lines, *kept[head:]])


def _new(found: Found, city: City) -> Found:
    """Without those that the catalogue has already: what a person has written there stays."""
    known = {*catalogue.sensors_by_site(city), *city.gateways}
    taken = [name for name in found.lamps if name in known]
    unused = [*found.unused, *(Unused(name, "the catalogue has it already") for name in taken)]
    return found._replace(lamps={name: lamp for name, lamp in found.lamps.items() if name not in known}, unused=unused)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht import-lamps",
        description="Bring the lamps of an office's table into the catalogue: CSV with a header (semicolons, commas or tabs, German"
        " or English names and numbers, UTF-8 or Windows-1252) or GeoJSON points; degrees or eastings and northings of ETRS89/UTM."
        " Each row that cannot be used is told with its reason. Lamps that the catalogue has already stay as they are.",
        epilog="Exit codes: 0 lamps were found, 1 none, 2 edit a file or the command.",
    )
    parser.add_argument("table", type=Path, metavar="TABLE", help="lamps.csv or lamps.geojson")
    parser.add_argument("city", type=Path, metavar="CITY", help="the catalogue, city.toml")
    parser.add_argument("--group", default="", metavar="NAME", help="of the catalogue, that all of them are put into")
    parser.add_argument("--zone", type=int, default=ZONE, metavar="N", help="of UTM, where eastings do not say it (%(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="only report")
    return parser
