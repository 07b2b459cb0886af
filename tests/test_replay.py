"""The replay of recorded events: what is told of an instant rests on nothing later, and on what was learnt before."""

import datetime as dt
import gzip
import json
import os
import pty
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.estimate.replay import Learnt, Replay, Row, main
from hoflicht import BadConfig, Reading
from hoflicht.catalogue import City, Hours, Role, Sensor, Yard
from hoflicht.days import WEEKDAYS
from hoflicht.wait import State

BERLIN = ZoneInfo("Europe/Berlin")
DAY = Yard(
    name="Hof",
    address="Weg 1",
    lat=51.0,
    lon=6.0,
    hours=Hours(weekly=dict.fromkeys(WEEKDAYS[:6], "08:00-12:00"), last_entry_before_min=30),
    sensors={
        "gate_in": Sensor(role=Role.LANE_ENTRY),
        "gate_out": Sensor(role=Role.ENTRY_CONTROL),
        "air": Sensor(),
    },
)
NIGHT = msgspec.structs.replace(DAY, hours=Hours(weekly=dict.fromkeys(WEEKDAYS, "04:00-04:00")))
CITY = City(name="Testhausen", yards={"hof": DAY, "night": NIGHT})
EVERY_S = 300
CATALOGUE = """
name = "Testhausen"
[yards.hof]
name = "Hof"
address = "Weg 1"
lat = 51.0
lon = 6.0
hours.weekly = { mon = "08:00-12:00", tue = "08:00-12:00" }
hours.last_entry_before_min = 30
[yards.hof.sensors]
gate_in = { role = "lane-entry" }
gate_out = { role = "entry-control" }
"""


def ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


def car(text: str, sensor: str = "gate_in", yard: str = "hof") -> Reading:
    return Reading(yard, sensor, "passage", ms(text), 1.0)


def queue(yard: str, openings: Sequence[str], seed: int = 1) -> list[Reading]:
    """Cars that come for four hours after each of `openings`, and leave minutes later; whole minutes, so that many share one."""
    rng = random.Random(seed)
    counted: dict[tuple[int, str], int] = {}
    for opening in openings:
        for _ in range(80):
            joins = rng.randrange(0, 230)
            for sensor, minute in (("gate_in", joins), ("gate_out", joins + rng.randrange(2, 20))):
                at_ms = ms(opening) + minute * 60_000
                counted[at_ms, sensor] = counted.get((at_ms, sensor), 0) + 1
    return [Reading(yard, sensor, "passage", at_ms, float(cars)) for (at_ms, sensor), cars in sorted(counted.items())]


MONDAY_AND_TUESDAY = queue("hof", ["2026-11-23T08:00", "2026-11-24T08:00"])


def replayed(yard: str, readings: Sequence[Reading], learnt: Learnt | None = None) -> tuple[list[Row], Learnt]:
    replay = Replay(yard, CITY, EVERY_S, Learnt() if learnt is None else learnt)
    return list(replay.rows(readings)), replay.learnt


ROWS = replayed("hof", MONDAY_AND_TUESDAY)[0]


def test_there_is_a_row_whenever_a_car_joins_and_every_five_minutes_in_between() -> None:
    readings = [car("2026-11-23T09:01"), car("2026-11-23T09:07", "gate_out"), car("2026-11-23T09:10"), car("2026-11-23T09:21")]

    rows, _ = replayed("hof", readings)

    instants = ["09:01", "09:05", "09:10", "09:15", "09:20", "09:21"]
    assert [row.at_ms for row in rows] == [ms(f"2026-11-23T{instant}") for instant in instants]
    assert [row.wait.as_of.timestamp() * 1000 for row in rows] == [row.at_ms for row in rows]


def test_rows_go_on_over_the_night() -> None:
    rows, _ = replayed("hof", [car("2026-11-23T11:20"), car("2026-11-24T08:10", "gate_out")])
    states = {row.at_ms: row.wait.state for row in rows}

    assert len(rows) == 1 + (20 * 60 + 50) // 5
    assert states[ms("2026-11-23T11:20")] is State.OPEN
    assert states[ms("2026-11-23T11:55")] is State.CLOSING
    assert states[ms("2026-11-23T12:00")] is State.CLOSED
    assert states[ms("2026-11-24T07:55")] is State.CLOSED
    assert states[ms("2026-11-24T08:00")] is State.OPEN


def test_a_yard_that_does_not_open_for_months_is_closed_all_the_while() -> None:
    rows, learnt = replayed("hof", [car("2026-11-22T09:00", "gate_out"), car("2026-11-22T09:05")])
    never = City(name="Testhausen", yards={"hof": msgspec.structs.replace(DAY, hours=Hours(weekly={}))})

    told = list(Replay("hof", never, 86_400, Learnt()).rows([car("2026-01-01T09:00"), car("2026-04-01T09:00")]))

    assert {row.wait.state for row in rows} == {State.CLOSED}
    assert learnt == Learnt()
    assert len(told) == 92
    assert {row.wait.state for row in told} == {State.CLOSED}


def test_a_recorded_yard_needs_no_signs_of_life() -> None:
    rows, _ = replayed("hof", [car("2026-11-23T09:00"), car("2026-11-23T10:00")])

    assert {row.wait.state for row in rows} == {State.OPEN}


@settings(max_examples=25)
@given(cut_ms=st.integers(MONDAY_AND_TUESDAY[0].at_ms, MONDAY_AND_TUESDAY[-1].at_ms))
def test_a_file_that_is_cut_anywhere_gives_the_same_rows_before_the_cut(cut_ms: int) -> None:
    known = [reading for reading in MONDAY_AND_TUESDAY if reading.at_ms <= cut_ms]

    rows, _ = replayed("hof", known)

    assert rows == [row for row in ROWS if row.at_ms <= known[-1].at_ms]


@pytest.mark.parametrize(
    ("yard", "openings", "closing"),
    [
        ("hof", ["2026-11-23T08:00", "2026-11-24T08:00", "2026-11-25T08:00"], "2026-11-23T12:00"),
        pytest.param(
            "night",
            ["2026-11-23T23:00", "2026-11-24T23:00", "2026-11-26T02:00"],
            "2026-11-24T04:00",
            marks=pytest.mark.chaos,  # a minute of reckoning
        ),
    ],
    ids=["by day", "round the clock"],
)
def test_a_file_that_begins_a_day_later_gives_the_same_rows_with_what_was_learnt_until_then(
    yard: str, openings: list[str], closing: str
) -> None:
    readings = queue(yard, openings)
    begins_ms = ms("2026-11-24T01:00")  # three hours before the opening at four; the yard of the day is closed then
    rows, learnt_of_all = replayed(yard, readings)
    _, learnt = replayed(yard, [reading for reading in readings if reading.at_ms < ms(closing)])

    later = [reading for reading in readings if reading.at_ms >= begins_ms]
    rows_later, learnt_later = replayed(yard, later, msgspec.json.decode(msgspec.json.encode(learnt), type=Learnt))

    assert replayed(yard, later)[0] != rows_later  # what was learnt matters
    assert learnt.until_s * 1000 == ms(closing)
    assert [row for row in rows_later if row.at_ms >= ms(closing)] == [
        row for row in rows if row.at_ms >= max(ms(closing), later[0].at_ms)
    ]
    assert learnt_later == learnt_of_all


def test_each_opening_is_learnt_when_it_has_passed() -> None:
    monday_only, learnt_on_monday = replayed("hof", [r for r in MONDAY_AND_TUESDAY if r.at_ms < ms("2026-11-24T00:00")])
    _, learnt = replayed("hof", MONDAY_AND_TUESDAY)

    assert monday_only == [row for row in ROWS if row.at_ms <= monday_only[-1].at_ms]
    assert (learnt_on_monday.until_s, learnt.until_s) == (ms("2026-11-23T12:00") // 1000, ms("2026-11-24T12:00") // 1000)


def test_what_was_learnt_is_not_learnt_again() -> None:
    _, learnt = replayed("hof", MONDAY_AND_TUESDAY)

    assert replayed("hof", MONDAY_AND_TUESDAY, learnt)[1] == learnt


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [json.dumps({"t": r.at_ms / 1000, "sensor": r.sensor, "v": r.value}) for r in MONDAY_AND_TUESDAY]
    (tmp_path / "city.toml").write_text(CATALOGUE)
    (tmp_path / "events.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    return tmp_path


def arguments(folder: Path, *more: str) -> list[str]:
    return [str(folder / "events.jsonl.gz"), "--city", str(folder / "city.toml"), "--yard", "hof", "--every", "300", *more]


def lines_of(text: str) -> Iterator[list[str]]:
    return (line.split(",") for line in text.splitlines())


def test_the_answer_is_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(arguments(folder))

    printed = capsys.readouterr()
    table = list(lines_of(printed.out))
    assert (code, printed.err) == (0, "")
    assert table[0] == ["time_s", "state", "wait_s", "p10_s", "p90_s", "queue"]
    assert [float(line[0]) * 1000 for line in table[1:]] == [row.at_ms for row in ROWS]
    assert {tuple(line[2:]) for line in table if line[1] == "closed"} == {("", "", "", "")}
    assert {all(cell.isdigit() for cell in line[2:]) for line in table if line[1] == "open"} == {True}


def test_fractions_of_a_second_are_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "events.jsonl.gz").write_bytes(gzip.compress(b'{"t": 1795510860.25, "sensor": "gate_in", "v": 1}'))

    main(arguments(folder))

    assert [line[0] for line in lines_of(capsys.readouterr().out)] == ["time_s", "1795510860.25"]


def test_what_was_learnt_is_written_and_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    learnt = str(folder / "learnt.json")
    table = folder / "estimates.csv"

    codes = [main(arguments(folder, "--learnt", learnt, "--output", str(table))), main(arguments(folder, "--profile", learnt))]

    assert codes == [0, 0]
    assert len(table.read_text().splitlines()) == len(capsys.readouterr().out.splitlines()) == len(ROWS) + 1
    assert msgspec.json.decode((folder / "learnt.json").read_bytes(), type=Learnt) == replayed("hof", MONDAY_AND_TUESDAY)[1]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--yard", "hoff"], "yard 'hoff' is unknown; known: hof (did you mean 'hof'?)"),
        (["--profile", "/nowhere/in.json"], "/nowhere/in.json: cannot be read (No such file or directory)"),
        (["--profile", __file__], f"{__file__}: not written by --learnt of this version ("),
        (["--learnt", "/nowhere/out.json"], "/nowhere/out.json: there is no folder /nowhere"),
        (["--output", "/nowhere/out.csv"], "/nowhere/out.csv: cannot be written (No such file or directory)"),
    ],
)
def test_a_mistake_is_named(folder: Path, more: list[str], expected: str) -> None:
    with pytest.raises(BadConfig) as caught:
        main(arguments(folder, *more))

    assert str(caught.value).startswith(expected)


def test_a_mistake_writes_nothing(folder: Path) -> None:
    (folder / "estimates.csv").write_text("of yesterday")
    (folder / "events.jsonl.gz").unlink()

    with pytest.raises(BadConfig, match="cannot be read"):
        main(arguments(folder, "--output", str(folder / "estimates.csv")))

    assert (folder / "estimates.csv").read_text() == "of yesterday"


def test_a_file_without_an_event_is_a_mistake(folder: Path) -> None:
    (folder / "events.jsonl.gz").write_bytes(gzip.compress(b"\n"))

    with pytest.raises(BadConfig, match=r"events\.jsonl\.gz: there is no event in it"):
        main(arguments(folder))


def test_a_reader_that_has_seen_enough_is_no_mistake_of_ours(folder: Path) -> None:
    command = f"{sys.executable} -m hoflicht replay {' '.join(arguments(folder, '--every', '5'))} | head -1"

    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)

    assert (answer.stdout, answer.stderr) == ("time_s,state,wait_s,p10_s,p90_s,queue\n", "")


def test_whoever_waits_sees_the_days_go_by(folder: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "hoflicht", "replay", *arguments(folder)]

    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, check=True)

    assert os.read(ours, 1_024) == b"\rday 1: 2026-11-23\rday 2: 2026-11-24\r\n"
    os.close(theirs)
    os.close(ours)
