"""`hoflicht report energy CONFIG --month 2026-11`: what the lamps of a month used and saved, and what does not add up."""

import argparse
import contextlib
import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from api.config import ApiConfig
from api.light.energy import GAP_MS, HOUR_MS, Finding, Notice
from api.light.meters import Report, Row, month_of, report
from hoflicht.catalogue import load_city
from hoflicht.clock import SystemClock
from hoflicht.config import beside, load
from hoflicht.errors import BadConfig, Refused, Unavailable
from store.readings import open_configured

DONE, FAILED = 0, 1
COLUMNS = (
    *("kind", "id", "name", "lamps", "silent", "kwh", "baseline_kwh", "saved_kwh", "saved_percent", "co2_saved_kg"),
    *("interpolated_h", "estimated_h", "missing_h", "replaced", "metered_kwh", "findings"),
)
HELP = """\
Reads each lamp's meter from the store: a table for a person, or CSV with every lamp. A month that is not over is reckoned
up to now.

  hoflicht report energy /etc/hoflicht/api.toml --month 2026-11
  hoflicht report energy /etc/hoflicht/api.toml --month 2026-11 --csv > november.csv

exit codes: 0 done, 1 the store does not answer, 2 edit your config or command
"""


def main(argv: list[str]) -> int:
    """Run `hoflicht report energy CONFIG --month MONTH`."""
    parser = argparse.ArgumentParser("hoflicht report", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["energy"])
    parser.add_argument("config", metavar="CONFIG", type=Path, help="the TOML file of the api")
    parser.add_argument("--month", required=True, metavar="2026-11", help="in the city's time")
    parser.add_argument("--csv", action="store_true", help="for a spreadsheet, with every lamp")
    asked = parser.parse_args(argv)
    config = load(asked.config, ApiConfig)
    city = load_city(beside(asked.config, config.city))
    now_ms = SystemClock().now_ms()
    try:
        month = month_of(asked.month, ZoneInfo(city.timezone), now_ms)
    except ValueError as cause:
        raise BadConfig(f"--month {asked.month!r} is no month that has begun; an example: 2026-11") from cause
    try:
        with contextlib.closing(open_configured(config.store, asked.config)) as store:
            told = report(city, store, month)
    except (Unavailable, Refused) as cause:
        sys.stderr.write(f"hoflicht report: {cause}\n")
        return FAILED
    sys.stdout.write(as_csv(told) if asked.csv else as_table(told))
    return DONE


def as_csv(told: Report) -> str:
    """RFC 4180, as COLUMNS."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in (told.city, *told.groups, *told.cabinets, *told.lamps):
        writer.writerow(_cells(row, told.co2_g_per_kwh))
    return out.getvalue()


def as_table(told: Report) -> str:
    """What a person looks at first: the city, groups, cabinets; lamps only where something is to be said of them."""
    lines = [f"{told.city.name}, {told.month.name}: {told.dark_h:.0f} hours of night, {told.co2_g_per_kwh:g} g CO2 a kWh", ""]
    lines += [f"{'':<28}{'lamps':>7}{'kWh':>11}{'before':>11}{'saved':>11}{'':>7}{'kg CO2':>10}"]
    lines += [_line(row, told.co2_g_per_kwh) for row in (told.city, *told.groups, *told.cabinets)]
    notes = [f"{row.id or row.name}: {note}" for row in (*told.cabinets, *told.lamps) for note in _notes(row)]
    return "".join(f"{line}\n" for line in [*lines, *(["", "To be looked at:"] if notes else []), *notes])


def _line(row: Row, co2_g: float) -> str:
    saved = row.saved_kwh()
    share = f"{100 * saved / row.baseline_kwh:.0f} %" if row.baseline_kwh else ""
    name = f"{row.kind} {row.id or row.name}"[:27]
    return f"{name:<28}{row.lamps:>7}{row.kwh:>11.1f}{row.baseline_kwh:>11.1f}{saved:>11.1f}{share:>7}{saved * co2_g / 1000:>10.1f}"


def _cells(row: Row, co2_g: float) -> list[str | int]:
    saved = row.saved_kwh()
    share = f"{100 * saved / row.baseline_kwh:.1f}" if row.baseline_kwh else ""
    metered = "" if row.metered_kwh is None else f"{row.metered_kwh:.3f}"
    found = "; ".join(_told(finding) for finding in row.findings)
    numbers = [f"{each:.3f}" for each in (row.kwh, row.baseline_kwh, saved)]
    hours = [f"{each:.1f}" for each in (row.interpolated_h, row.estimated_h, row.missing_h)]
    co2 = f"{saved * co2_g / 1000:.3f}"
    return [row.kind, row.id, row.name, row.lamps, row.silent, *numbers, share, co2, *hours, row.replaced, metered, found]


def _notes(row: Row) -> Iterator[str]:
    yield from (_told(finding) for finding in row.findings)
    if row.kind != "lamp":
        return
    if row.silent:
        yield "no reading of its meter in this month"
        return
    if row.replaced:
        yield f"another meter since {row.replaced} change(s); {row.estimated_h:.0f} h are estimated"
    if row.interpolated_h:
        yield f"nothing was heard for {row.interpolated_h:.0f} h; the sum is right all the same"
    if row.missing_h * HOUR_MS > GAP_MS:
        yield f"{row.missing_h:.0f} h of the month are missing, and their energy"


def _told(finding: Finding) -> str:
    if finding.notice is Notice.NOT_COMPARED:
        return (
            f"not compared with its lamps: {finding.lamps} of them have no readings"
            if finding.lamps
            else "not compared with its lamps"
        )
    hours = f" for {finding.hours} h" if finding.hours else ""
    return f"{finding.notice.value}: at least {finding.watt:.0f} W{hours}"
