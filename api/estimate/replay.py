"""`hoflicht replay`: what we would have said, at every instant of a file of recorded events, knowing only what was known then.

Openings follow each other in time. The rows of one rest on its own events and on what was learnt from the openings before; when the
replay passes a closing, one opening more is learnt. So a file that is cut anywhere gives the same rows before the cut, and one that
begins later gives the same rows after, once it has the profile learnt until then.
"""

import argparse
import csv
import datetime as dt
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from heapq import merge
from itertools import chain, groupby, islice, tee
from pathlib import Path
from typing import NamedTuple

import msgspec

from api.estimate import recording
from api.estimate.day import BEFORE_MS
from api.estimate.learning import learn
from api.estimate.profile import COLD, Profile
from api.estimate.waiting import estimates
from hoflicht import hours
from hoflicht.catalogue import City, Role, load_city
from hoflicht.config import choose
from hoflicht.errors import BadConfig
from hoflicht.hours import OpenPeriod
from hoflicht.instants import moment, ms
from hoflicht.reading import Reading
from hoflicht.wait import Wait

COLUMNS = ("time_s", "state", "wait_s", "p10_s", "p90_s", "queue")
CLOSED_MS = hours.SEARCH_DAYS * hours.DAY // dt.timedelta(milliseconds=1)  # where there is no opening to look forward to
DONE, FAILED = 0, 1
FORMATS = """\
EVENTS.jsonl holds one event a line, in order of time; .jsonl.gz is unpacked:

  {"t": 1199186040, "sensor": "gate-in", "v": 1}

  t         seconds since 1970, UTC; may have a fraction
  sensor    a sensor of that yard in city.toml; its role there says what it tells
  v         a counter: how many vehicles; presence, occupied, held: 1 or 0
  quantity  optional; what is measured, where the role does not say so

The answer is CSV with one row at each instant at which a car was counted into the lane, and one every N seconds between:

  time_s        seconds since 1970
  state         open, held, closing, closed, unknown
  wait_s        expected wait of a car that joins the queue at that instant; empty: there is no number to give
  p10_s, p90_s  band: shorter in one case of ten, longer in one case of ten
  queue         vehicles in the lane

A row rests on nothing later than its instant. What is learnt from one opening serves the openings after it. The file is taken as
complete: its last opening is learnt at its end, so let it end at a closing. --profile goes on with what --learnt has written; its
file begins three hours before the next opening, for the queue at the door.

  hoflicht replay events.jsonl.gz --city city.toml --yard hof-nord > estimates.csv
  hoflicht score estimates.csv truth.csv
"""


class Learnt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was learnt from the openings that closed until `until_s`, the Unix epoch in seconds."""

    until_s: int = 0
    profile: Profile = COLD


class Row(NamedTuple):
    """What was to be said at one instant, the Unix epoch in milliseconds."""

    at_ms: int
    wait: Wait


class Stretch(NamedTuple):
    """From `from_ms` until just before `until_ms` a yard is open, or closed without a `period`."""

    from_ms: int
    until_ms: int
    period: OpenPeriod | None


class Replay:
    """The recorded life of `yard`, an id of `city`, told again opening by opening; `learnt` grows with each that has passed."""

    def __init__(self, yard: str, city: City, every_s: int, learnt: Learnt) -> None:
        self._yard = yard
        self._city = city
        self._every_ms = every_s * 1000
        sensors = city.yards[yard].sensors
        self._entries = {name for name, sensor in sensors.items() if sensor.role is Role.LANE_ENTRY}
        self.learnt = learnt

    def rows(self, readings: Iterable[Reading]) -> Iterator[Row]:
        """At each instant at which a car joined and every `every_s`, from the first to the last of `readings`, sorted by time."""
        kept: list[Reading] = []  # from three hours before the present stretch on
        coming: Iterator[Stretch] = iter(())
        stretch: Stretch | None = None
        for reading in readings:
            if stretch is None:
                coming = self._stretches(reading.at_ms)
                stretch = next(coming)
            while reading.at_ms >= stretch.until_ms:
                yield from self._told(stretch, kept, stretch.until_ms - 1)
                kept = _since(kept, stretch.until_ms - BEFORE_MS)
                stretch = next(coming)
            kept.append(reading)
        if stretch is not None:
            yield from self._told(stretch, kept, kept[-1].at_ms)

    def _stretches(self, at_ms: int) -> Iterator[Stretch]:
        """For ever, without a gap."""
        hours_of = self._city.yards[self._yard].hours
        while True:
            period = hours.period_at(moment(at_ms), hours_of, self._city)
            ends = period.closes if period is not None else hours.next_opening(moment(at_ms), hours_of, self._city)
            until_ms = ms(ends) if ends is not None else at_ms + CLOSED_MS
            yield Stretch(at_ms, until_ms, period)
            at_ms = until_ms

    def _told(self, stretch: Stretch, kept: Sequence[Reading], last_ms: int) -> Iterator[Row]:
        """The rows of a stretch until `last_ms`; then its opening is learnt."""
        joined = (r.at_ms for r in kept if r.sensor in self._entries and r.quantity == "passage" and r.at_ms >= stretch.from_ms)
        first_ms = -(-stretch.from_ms // self._every_ms) * self._every_ms
        instants = (at_ms for at_ms, _ in groupby(merge(joined, range(first_ms, last_ms + 1, self._every_ms))))
        asked, answered = tee(instants)
        waits = estimates(self._yard, self._city, kept, map(moment, asked), self.learnt.profile, alive=True)
        yield from map(Row, answered, waits)
        if stretch.period is not None and stretch.until_ms > self.learnt.until_s * 1000:
            known = _since(kept, ms(stretch.period.opens) - BEFORE_MS)
            profile = learn(self._yard, self._city, known, stretch.period, self.learnt.profile)
            self.learnt = Learnt(stretch.until_ms // 1000, profile)


def _since(readings: Sequence[Reading], from_ms: int) -> list[Reading]:
    return [reading for reading in readings if reading.at_ms >= from_ms]


def main(argv: list[str]) -> int:
    """Run `hoflicht replay EVENTS.jsonl --city city.toml --yard ID`."""
    options = _parser().parse_args(argv)
    city = load_city(options.city)
    yard = choose("yard", options.yard, city.yards)
    replay = Replay(options.yard, city, options.every, _loaded(options.profile) if options.profile else Learnt())
    if options.learnt and not options.learnt.absolute().parent.is_dir():
        raise BadConfig(f"{options.learnt}: there is no folder {options.learnt.absolute().parent}")
    rows = replay.rows(recording.read(options.events, options.yard, yard))
    rows = chain(list(islice(rows, 1)), rows)  # a file that cannot be read ends us here, before anything is written
    try:
        _write(_counted(rows) if sys.stderr.isatty() else rows, options.output)
    except BrokenPipeError:  # whoever reads us, `head` perhaps, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor can what is still buffered be written at the end
        return FAILED
    if options.learnt:
        options.learnt.write_bytes(msgspec.json.encode(replay.learnt))
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht replay",
        description="Estimate the waiting time of a yard from recorded events, as if they came in now.",
        epilog=FORMATS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("events", type=Path, metavar="EVENTS.jsonl", help="the recorded events")
    parser.add_argument("--city", type=Path, required=True, metavar="city.toml", help="the catalogue that describes the yard")
    parser.add_argument("--yard", required=True, metavar="ID", help="the yard of the catalogue that the events are of")
    parser.add_argument("--every", type=_seconds, default=30, metavar="N", help="seconds between rows while no car comes (30)")
    parser.add_argument("--profile", type=Path, metavar="IN.json", help="begin with what an earlier replay has learnt")
    parser.add_argument("--learnt", type=Path, metavar="OUT.json", help="write down what has been learnt at the end")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the rows there instead of to the standard output")
    return parser


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of whole seconds from 1 on")
    return int(text)


def _loaded(path: Path) -> Learnt:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Learnt)
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be read ({cause.strerror})") from cause
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise BadConfig(f"{path}: not written by --learnt of this version ({cause})") from cause


def _counted(rows: Iterable[Row]) -> Iterator[Row]:
    """`rows`, while somebody who waits sees the days go by."""
    for days, (day, of_day) in enumerate(groupby(rows, key=lambda row: row.wait.as_of.date()), 1):
        sys.stderr.write(f"\rday {days}: {day}")
        sys.stderr.flush()
        yield from of_day
    sys.stderr.write("\n")


def _write(rows: Iterable[Row], path: Path | None) -> None:
    try:
        with nullcontext(sys.stdout) if path is None else path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            for at_ms, wait in rows:
                expected_s = wait.p50_s if wait.mean_s is None else wait.mean_s
                table.writerow((f"{at_ms / 1000:.15g}", wait.state, expected_s, wait.p10_s, wait.p90_s, wait.queue))
            file.flush()
    except BrokenPipeError:
        raise
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be written ({cause.strerror})") from cause
