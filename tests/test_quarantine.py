"""What was refused stays until a person has looked at it."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from prometheus_client import REGISTRY

from hoflicht import Reading, Unavailable, cli, senml
from hoflicht.catalogue import City, Sensor
from hoflicht.clock import SystemClock
from ingest.checks import Checks, Fault
from ingest.quarantine import APPLICATION_ID, MAX_ROWS, SCHEMA, Choice, Held, Quarantine, Row, retry
from ingest.verdict import Faulty, judge
from store.readings import Store, open_store

NOW = 1_800_000_000_000
HOUR_MS = 3_600_000


@pytest.fixture
def quarantine(tmp_path: Path) -> Iterator[Quarantine]:
    with closing(Quarantine(tmp_path / "quarantine.db")) as opened:
        yield opened


def held(gateway: str = "gw-a", reason: str = "odd", pack: bytes = b"[]") -> Held:
    return Held(gateway, Faulty((Fault.NOT_A_PACK,), tuple(reason.split("\n")), pack))


def test_what_was_added_is_there_after_a_restart(tmp_path: Path) -> None:
    with closing(Quarantine(tmp_path / "quarantine.db")) as first:
        first.add([held(pack=b"\x00\xff")], NOW)

    with closing(Quarantine(tmp_path / "quarantine.db")) as second:
        assert second.rows() == [(1, NOW, "gw-a", "not-a-pack", "odd", 2, 1)]
        assert second.pack(1) == b"\x00\xff"


def test_the_same_pack_is_kept_once_and_counted(quarantine: Quarantine) -> None:
    quarantine.add([held(), held(), held(gateway="gw-b")], NOW)
    quarantine.add([held()], NOW + 1)

    assert [(row.gateway, row.times, row.received_ms) for row in quarantine.rows()] == [("gw-a", 3, NOW), ("gw-b", 1, NOW)]


def test_the_same_pack_is_counted_over_a_restart_and_beside_another_process(tmp_path: Path) -> None:
    with closing(Quarantine(tmp_path / "quarantine.db")) as ingest:
        ingest.add([held()], NOW)
    with closing(Quarantine(tmp_path / "quarantine.db")) as ingest, closing(Quarantine(tmp_path / "quarantine.db")) as other:
        ingest.add([held()], NOW)
        other.add([held(), held(pack=b"new")], NOW)
        ingest.add([held(pack=b"new"), held()], NOW)

        assert [row.times for row in ingest.rows()] == [4, 2]


def test_what_was_given_up_and_comes_again_is_kept_again(tmp_path: Path) -> None:
    with closing(Quarantine(tmp_path / "quarantine.db")) as ingest, closing(Quarantine(tmp_path / "quarantine.db")) as other:
        ingest.add([held(), held(pack=b"stays")], NOW)
        ingest.add([held()], NOW)
        other.drop(Choice(id=1))

        ingest.add([held()], NOW + 1)

        assert [(row.id, row.received_ms, row.times) for row in other.rows()] == [(2, NOW, 1), (3, NOW + 1, 1)]


def test_what_could_not_be_written_is_kept_when_it_comes_again_and_nothing_else_is_counted_for_it(quarantine: Quarantine) -> None:
    quarantine._connection.execute("PRAGMA max_page_count = 40")  # a disk that is full once the first statement is done
    with pytest.raises(Unavailable):
        quarantine.add([held(pack=b"first"), *(held(pack=b"%d" % n) for n in range(99)), held(pack=b" " * 200_000)], NOW)
    quarantine._connection.execute("PRAGMA max_page_count = 1000")

    quarantine.add([held(pack=b"second")], NOW)
    quarantine.add([held(pack=b"first")], NOW)

    assert [(quarantine.pack(row.id), row.times) for row in quarantine.rows()] == [(b"second", 1), (b"first", 1)]


def test_what_is_remembered_of_packs_that_have_gone_is_bounded(tmp_path: Path) -> None:
    with closing(Quarantine(tmp_path / "quarantine.db", max_rows=4)) as quarantine:
        for n in range(50):
            quarantine.add([held(pack=b"%d" % n)], NOW)

        assert len(quarantine._numbers) <= 9
        quarantine.add([held(pack=b"49")], NOW)
        assert [row.times for row in quarantine.rows()] == [1, 1, 1, 2]


def test_more_packs_than_fit_into_one_statement_are_all_kept(quarantine: Quarantine) -> None:
    quarantine.add([held(pack=b"%d" % (n % 250)) for n in range(500)], NOW)

    assert [(quarantine.pack(row.id), row.times) for row in quarantine.rows()] == [(b"%d" % n, 2) for n in range(250)]


def test_a_row_that_is_gone_has_no_pack(quarantine: Quarantine) -> None:
    assert quarantine.pack(7) is None


def test_too_many_rows_cost_the_greediest_gateway_its_oldest(tmp_path: Path) -> None:
    with closing(Quarantine(tmp_path / "quarantine.db", max_rows=4)) as quarantine:
        quarantine.add([held("gw-quiet", pack=b"1")], NOW)
        for n in range(10):
            quarantine.add([held("gw-loud", pack=b"%d" % n)], NOW)

        assert [(row.gateway, quarantine.pack(row.id)) for row in quarantine.rows()] == [
            ("gw-quiet", b"1"),
            ("gw-loud", b"7"),
            ("gw-loud", b"8"),
            ("gw-loud", b"9"),
        ]


def test_too_many_bytes_cost_the_oldest(tmp_path: Path) -> None:
    with closing(Quarantine(tmp_path / "quarantine.db", max_bytes=1_000)) as quarantine:
        quarantine.add([held(pack=bytes([n]) * 300) for n in range(5)], NOW)

        assert [quarantine.pack(row.id) for row in quarantine.rows()] == [bytes([n]) * 300 for n in (2, 3, 4)]


def dropped() -> float:
    return REGISTRY.get_sample_value("hoflicht_ingest_quarantine_dropped_total") or 0.0


def test_a_gateway_that_sends_large_packs_does_not_push_out_anothers(tmp_path: Path) -> None:
    before = dropped()
    with closing(Quarantine(tmp_path / "quarantine.db", max_bytes=100_000)) as quarantine:
        quarantine.add([held("gw-quiet", pack=b"%d" % n) for n in range(20)], NOW)
        for n in range(50):
            quarantine.add([held("gw-loud", pack=b"%d" % n + b" " * 9_999)], NOW)

        assert len(quarantine.rows(Choice(gateway="gw-quiet"))) == 20
        assert [(quarantine.pack(row.id) or b"")[:2] for row in quarantine.rows(Choice(gateway="gw-loud"))] == [
            b"%d" % n for n in range(41, 50)
        ]
    assert dropped() - before == 41


def steps(path: Path, rows: int) -> int:
    """Steps of SQLite's machine for the next hundred packs when so many are there, of ten gateways."""
    with closing(Quarantine(path)) as quarantine:
        for first in range(0, rows, 1_000):
            quarantine.add([held(f"gw-{n % 10}", pack=b"%d" % n) for n in range(first, first + 1_000)], NOW)
        quarantine.add([held("gw-0")], NOW)  # reads what the thousand before it have become
        taken: list[None] = []
        quarantine._connection.set_progress_handler(lambda: taken.append(None), 10)
        quarantine.add([held(f"gw-{n % 10}", pack=b"last %d" % n) for n in range(100)], NOW)
        return 10 * len(taken)


def test_what_adding_costs_does_not_grow_with_what_is_there(tmp_path: Path) -> None:
    empty, filled, full = (steps(tmp_path / f"{rows}.db", rows) for rows in (0, MAX_ROWS - 1_000, MAX_ROWS))

    assert filled < 1.2 * empty
    assert full < 3 * empty  # a pack that comes in when all room is taken costs one that goes


def test_what_lies_in_a_file_of_the_version_before_is_kept_once_too(tmp_path: Path) -> None:
    with closing(Quarantine(tmp_path / "quarantine.db")) as quarantine:
        quarantine.add([held(), held(reason="odder")], NOW)
        quarantine._connection.execute("UPDATE packs SET digest = substr(digest, -32)")  # as it wrote them

    with closing(Quarantine(tmp_path / "quarantine.db")) as quarantine:
        quarantine.add([held(reason="odder"), held("gw-b")], NOW + 1)

        assert [(row.gateway, row.reason, row.times) for row in quarantine.rows()] == [
            ("gw-a", "odd", 1),
            ("gw-a", "odder", 2),
            ("gw-b", "odd", 1),
        ]


def test_the_version_before_goes_on_with_a_file_of_ours(quarantine: Quarantine) -> None:
    quarantine.add([held()], NOW)

    quarantine._connection.execute(
        """INSERT INTO packs (received_ms, gateway, fault, reason, pack, size, times, digest) VALUES (?, ?, ?, ?, ?, ?, 1, ?)
        ON CONFLICT (digest) DO UPDATE SET times = times + 1""",
        (NOW, "gw-a", "not-a-pack", "odd", b"[]", 2, b"\0" * 32),
    )

    assert [row.times for row in quarantine.rows()] == [1, 1]
    assert quarantine.room() == (2, 4)


def test_a_file_of_the_version_that_counted_is_taken_over(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "quarantine.db")) as older:
        older.executescript(f"{SCHEMA} CREATE INDEX packs_by_gateway ON packs (gateway, size, id);")
        older.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        older.execute("INSERT INTO packs VALUES (7, 1, 'gw-a', 'not-a-pack', 'odd', x'5b5d', 2, 3, x'00')")
        older.commit()

    with closing(Quarantine(tmp_path / "quarantine.db", max_rows=2)) as quarantine:
        quarantine.add([held("gw-b"), held("gw-b", reason="odder")], NOW)

        assert [(row.id, row.gateway) for row in quarantine.rows()] == [(7, "gw-a"), (9, "gw-b")]


def test_of_a_gateway_that_has_nothing_here_any_more_nothing_is_remembered(quarantine: Quarantine) -> None:
    quarantine.add([held("gw-a"), held("gw-b")], NOW)

    quarantine.drop(Choice(gateway="gw-a"))

    assert quarantine._connection.execute("SELECT * FROM shares").fetchall() == [("gw-b", 1, 2)]


def test_a_choice_narrows_by_each_of_its_fields(quarantine: Quarantine) -> None:
    quarantine.add([held("gw-a", "no sensor x"), held("gw-b", "no sensor x"), held("gw-b", "too old")], NOW)

    assert [row.id for row in quarantine.rows(Choice(gateway="gw-b"))] == [2, 3]
    assert [row.id for row in quarantine.rows(Choice(reason="sensor"))] == [1, 2]
    assert [row.id for row in quarantine.rows(Choice(id=2, gateway="gw-b", reason="x"))] == [2]
    assert quarantine.rows(Choice(id=1, gateway="gw-b")) == []


def test_what_was_added_survives_kill_9(tmp_path: Path) -> None:
    program = """
import itertools, pathlib, sys
from ingest.checks import Fault
from ingest.quarantine import Held, Quarantine
from ingest.verdict import Faulty
quarantine = Quarantine(pathlib.Path(sys.argv[1]))
for n in itertools.count():
    quarantine.add([Held("gw", Faulty((Fault.NOT_A_PACK,), ("odd",), b"%d" % n))], n)
    print(n, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "q.db")], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 20:
            pass
        process.kill()
        told = 21 + sum(1 for _ in process.stdout)

    with closing(Quarantine(tmp_path / "q.db")) as quarantine:
        assert [row.received_ms for row in quarantine.rows()][:told] == list(range(told))


# --- hoflicht quarantine

NO_SENSOR = "gw has no sensor hof/gate-in in the catalogue"

CITY = """
name = "Kleinstadt"
[yards.hof]
name = "Hof"
address = "Weg 1"
lat = 51.0
lon = 6.0
hours.weekly = { mon = "08:00-18:00" }
[yards.hof.sensors]
air = {}
%s
[gateways]
gw = { sites = ["hof"] }
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config whose catalogue lacks the sensor `gate-in`, and a quarantine that holds its passages."""
    at_ms = SystemClock().now_ms() // 1000 * 1000 - 60_000
    passages = [Reading("hof", "gate-in", "passage", at_ms + n, 1.0) for n in range(3)]
    air = Reading("hof", "air", "temperature", at_ms, 20.0)
    (tmp_path / "city.toml").write_text(CITY % "")
    (tmp_path / "ingest.toml").write_text('city = "city.toml"\n[store]\nurl = "sqlite:///readings.db"\n')
    with closing(Quarantine(tmp_path / "quarantine.db")) as quarantine:
        quarantine.add(
            [
                Held("gw", Faulty((Fault.UNKNOWN_SENSOR,), (NO_SENSOR,), senml.encode([*passages, air]))),
                held("gw", "not JSON", b"\x1b[2Jhello"),
            ],
            NOW,
        )
    return tmp_path / "ingest.toml"


def stored(config: Path) -> int:
    with closing(open_store(f"sqlite:///{config.parent}/readings.db")) as store:
        return store.count()


def test_the_list_is_for_reading(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["quarantine", "list", str(config), "--reason", "sensor"]) == 0

    _, line = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r" +1  2027-01-15 08:00  gw +1 +\d+  gw has no sensor hof/gate-in in the catalogue", line)


def test_showing_a_pack_prints_its_readings_and_nothing_that_a_terminal_obeys(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["quarantine", "show", str(config)]) == 0

    out = capsys.readouterr().out
    assert f"hof/gate-in/passage = 1 count  ({NO_SENSOR})\n" in out
    assert "hof/air/temperature = 20 Cel\n" in out
    assert "\\x1b[2Jhello" in out
    assert "\x1b" not in out


def test_before_the_repair_a_retry_brings_in_what_is_good_and_keeps_the_rest(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["quarantine", "retry", str(config)]) == 0

    assert capsys.readouterr().out == "tried 2 packs: 1 readings of 1 packs are in the store, 2 packs stay\n"
    assert stored(config) == 1


def test_after_the_repair_a_retry_brings_it_in(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["quarantine", "retry", str(config)])
    (config.parent / "city.toml").write_text(CITY % 'gate-in = { role = "entry-control" }')
    capsys.readouterr()

    assert cli.main(["quarantine", "retry", str(config)]) == 0

    assert capsys.readouterr().out == "tried 2 packs: 3 readings of 1 packs are in the store, 1 packs stay\n"
    assert stored(config) == 4


def test_a_retry_that_changes_nothing_leaves_the_rows_as_they_are(config: Path) -> None:
    cli.main(["quarantine", "retry", str(config)])
    with closing(Quarantine(config.parent / "quarantine.db")) as quarantine:
        before = quarantine.rows()

        cli.main(["quarantine", "retry", str(config)])

        assert quarantine.rows() == before


def test_what_is_no_pack_keeps_its_reason(config: Path) -> None:
    cli.main(["quarantine", "retry", str(config)])

    with closing(Quarantine(config.parent / "quarantine.db")) as quarantine:
        assert [(row.id, row.reason) for row in quarantine.rows(Choice(id=2))] == [(2, "not JSON")]


def test_of_many_faults_only_those_that_the_repair_mends_are_brought_in(tmp_path: Path, store: Store, city: City) -> None:
    now_ms = SystemClock().now_ms() // 1000 * 1000
    missing = [Reading("hof-nord", "gate-9", "passage", now_ms - n, 1.0) for n in range(3)]
    never = [Reading("hof-nord", "air", "temperature", now_ms, 900.0), Reading("hof-sued", "gate-in", "passage", now_ms, 1.0)]
    payload = senml.encode([*missing, *never])[:-1] + b',{"bn":"hof-nord/air/","n":"colour","v":1}]'
    checks = Checks(city)
    with closing(Quarantine(tmp_path / "quarantine.db")) as quarantine:
        faulty = judge(checks, "gw-hof-nord", payload, now_ms).faulty
        assert faulty is not None
        quarantine.add([Held("gw-hof-nord", faulty)], now_ms)

        def tried(checks: Checks) -> tuple[int, Row]:
            stored = sum(retry(quarantine, row, checks, store, now_ms) for row in quarantine.rows())
            (row,) = quarantine.rows()
            return stored, row

        stored, row = tried(checks)
        assert (stored, row.fault.split("\n")) == (0, ["foreign-site", "not-a-reading", "out-of-range", "unknown-sensor"])
        yard = city.yards["hof-nord"]
        repaired = msgspec.structs.replace(yard, sensors=yard.sensors | {"gate-9": Sensor()})
        mended = Checks(msgspec.structs.replace(city, yards=city.yards | {"hof-nord": repaired}))
        stored, row = tried(mended)
        assert (stored, row.fault.split("\n")) == (3, ["foreign-site", "not-a-reading", "out-of-range"])
        assert tried(mended) == (0, row)
    assert store.read("hof-nord", ["passage", "temperature"], now_ms - 10, now_ms + 10) == missing[::-1]


def test_what_came_from_the_future_is_brought_in_once_its_time_has_come(tmp_path: Path, store: Store, city: City) -> None:
    early, late = (Reading("hof-nord", "gate-in", "passage", NOW + hours * HOUR_MS, 1.0) for hours in (1, 3))
    checks = Checks(city)
    with closing(Quarantine(tmp_path / "quarantine.db")) as quarantine:
        faulty = judge(checks, "gw-hof-nord", senml.encode([early, late]), NOW).faulty
        assert faulty is not None
        quarantine.add([Held("gw-hof-nord", faulty)], NOW)

        def stored_at(now_ms: int) -> list[Reading]:
            for row in quarantine.rows():
                retry(quarantine, row, checks, store, now_ms)
            return store.read("hof-nord", ["passage"], NOW, NOW + 4 * HOUR_MS)

        assert stored_at(NOW) == []
        assert stored_at(NOW + 2 * HOUR_MS) == [early]
        assert [row.fault for row in quarantine.rows()] == ["in-the-future"]
        assert stored_at(NOW + 3 * HOUR_MS) == [early, late]
        assert quarantine.rows() == []


def test_only_what_was_chosen_is_dropped(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["quarantine", "drop", str(config), "--id", "2"]) == 0

    assert capsys.readouterr().out == "dropped 1 packs\n"
    with closing(Quarantine(config.parent / "quarantine.db")) as quarantine:
        assert [row.id for row in quarantine.rows()] == [1]


def test_a_pack_that_holds_other_faults_too_is_not_dropped_for_one_of_them(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Quarantine(config.parent / "quarantine.db")) as quarantine:
        quarantine.add([held("gw", "no sensor hof/x\ntoo old")], NOW)

        assert cli.main(["quarantine", "drop", str(config), "--reason", "sensor"]) == 0

        assert "dropped 1 packs; 1 stay, for they hold other faults too" in capsys.readouterr().out
        assert [row.reason for row in quarantine.rows(Choice(reason="sensor"))] == ["no sensor hof/x\ntoo old"]
        cli.main(["quarantine", "list", str(config), "--id", "3"])
        assert capsys.readouterr().out.endswith("  no sensor hof/x (and 1 more)\n")
        assert cli.main(["quarantine", "drop", str(config), "--id", "3"]) == 0
        assert quarantine.rows(Choice(id=3)) == []


def test_dropping_everything_by_accident_is_not_possible(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["quarantine", "drop", str(config)]) == 2

    assert "say which" in capsys.readouterr().err


def test_a_store_that_is_away_loses_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "city.toml").write_text(CITY % 'gate-in = { role = "entry-control" }')
    config.write_text('city = "city.toml"\n[store]\nurl = "influx+http://127.0.0.1:1/bucket?org=hoflicht"\n')

    assert cli.main(["quarantine", "retry", str(config)]) == 1

    assert "stopped: InfluxDB at http://127.0.0.1:1" in capsys.readouterr().err
    with closing(Quarantine(config.parent / "quarantine.db")) as quarantine:
        assert [row.id for row in quarantine.rows()] == [1, 2]
