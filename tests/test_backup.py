"""A back-up brings an empty machine to the same numbers, and a damaged one changes nothing."""

import fcntl
import os
import tarfile
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from api.errands import Errands
from api.light.lights import Lights
from api.light.shadows import Shadows
from api.staff.audit import Audit
from api.staff.door import Door
from api.staff.holding import Staff
from api.staff.keys import KeyFile, Scope, make
from api.staff.notices import NoticeAsked, Notices, Texts
from hoflicht import BadConfig, Refused, cli
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from ingest import registrar
from ingest.checks import Fault
from ingest.quarantine import Held, Quarantine
from ingest.verdict import Faulty
from store.influx import parse
from store.readings import open_store
from store.snapshot import Snapshot
from tests.certified import enrolled_by_hand, write_authority
from tests.conftest import ORG, TOKEN, Bucket, Influxd, free_port
from tests.face import Face, facing
from tests.lane import steady_queue
from tests.office import HOLD, NOW, NOW_MS, YEAR
from workshop import backup, restore
from workshop.archive import LIST, writing

LONG_AGO_S = NOW_MS // 1000 - 200 * 86_400  # raw readings are given up after 90 days
LONG_AGO = (NOW - YEAR * (200 / 365)).strftime("%Y-%m-%d")
ASKED = [
    "/v1/yards",
    "/v1/yards/hof-nord/wait",
    "/v1/yards/hof-nord/forecast",
    "/v1/yards/hof-nord/history?quantity=passage&from=2026-11-23T07:00:00Z&to=2026-11-23T08:30:00Z&step=600",
    "/v1/yards/hof-nord/history?quantity=passage&from=2026-11-23T07:00:00Z&to=2026-11-23T08:30:00Z&step=600&format=csv",
    f"/v1/yards/hof-nord/history?quantity=passage&from={LONG_AGO}T00:00:00Z&to={LONG_AGO}T23:00:00Z&step=3600",
    "/v1/notices",
    "/v1/lamps",
]


class Server:
    """What a city's server has on its disk; an InfluxDB beside it where it uses one."""

    def __init__(self, folder: Path, store: str = "") -> None:
        self.folder = folder
        self.data, self.etc, self.backups = folder / "data", folder / "etc", folder / "backups"
        self.backups.mkdir(parents=True)
        self.config = folder / "backup.toml"
        self.store_url = store or f"sqlite:///{self.data}/readings.db"
        told = f'[store]\nurl = "{store}"\ntoken_file = "token"\n' if store else ""
        (folder / "token").write_text(TOKEN)
        self.config.write_text(f'folder = "backups"\nkeep = 2\n[folders]\netc = "etc"\ndata = "data"\n{told}')

    def live(self) -> None:
        """What somebody has set up, ingest has set aside, and staff have said."""
        self.etc.mkdir()
        self.etc.chmod(0o750)
        self.data.mkdir()
        enrolled_by_hand(write_authority(self.etc), "gw-a", self.folder / "gateway")
        with closing(Quarantine(self.data / "quarantine.db")) as quarantine:
            quarantine.add([Held("gw-a", Faulty((Fault.NOT_A_PACK,), ("odd",), b"[]"))], NOW_MS)
        with KeyFile(self.data / "keys.json").changing() as keys:
            key, self.key = make("control room", [Scope.READ], NOW, NOW + YEAR)
            keys.append(key)

    @contextmanager
    def face(self, city: City) -> Iterator[Face]:
        """The api over what is there."""
        lights = Lights(self.data / "lights.json")

        def staffed(clock: HandClock) -> Staff:
            door = Door(KeyFile(self.data / "keys.json"), Audit(self.data / "audit.jsonl"), clock)
            notices = Notices(self.data / "notices.json", city.yards, clock)
            return Staff(door, Errands(), lights, Shadows(city, lights.said, clock), notices)

        with facing(city, self.folder, NOW_MS, store=open_store(self.store_url, TOKEN), staffed=staffed) as face:
            yield face

    def back_up(self) -> Path:
        before = set(self.backups.glob("*.tar"))
        assert cli.main(["backup", str(self.config)]) == 0
        [made] = set(self.backups.glob("*.tar")) - before
        return made

    def restore(self, archive: Path, *more: str) -> int:
        return cli.main(["restore", str(archive), str(self.config), *more])


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """One with SQLite."""
    made = Server(tmp_path / "old")
    made.live()
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Server:
    return Server(tmp_path / "new")


def answers(face: Face, key: str) -> dict[str, bytes]:
    """All that the public and staff are told."""
    found = {path: face.get(path) for path in ASKED}
    found[HOLD] = face.get(HOLD, Authorization=f"Bearer {key}")
    assert {answer.status_code for answer in found.values()} == {200}
    return {path: answer.content for path, answer in found.items()}


def files(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, owner and content of all that is in a folder; SQLite writes a file of the same content in its own way."""
    there = [path for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm"))]
    plain = {path: path.read_bytes() for path in there if path.is_file() and path.suffix != ".db"}
    return {str(path.relative_to(folder)): (path.stat().st_mode, path.stat().st_uid, plain.get(path, b"")) for path in there}


@contextmanager
def influxd(folder: Path) -> Iterator[Influxd]:
    """A real one that is nobody else's."""
    folder.mkdir()
    running = Influxd(folder)
    running.start()
    try:
        running.set_up()
        yield running
    finally:
        running.stop()


def store_url(server: Influxd) -> str:
    return f"influx+{server.url}/city?org={ORG}"


def write(server: Influxd, bucket: str, line: str) -> None:
    url = f"{server.url}/api/v2/write?org={ORG}&bucket={bucket}&precision=s"
    with urllib.request.urlopen(urllib.request.Request(url, line.encode(), {"Authorization": f"Token {TOKEN}"})):
        pass


@pytest.mark.live
def test_an_empty_machine_with_influxdb_gives_the_same_answers_byte_by_byte(
    city: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with influxd(tmp_path / "a") as first, influxd(tmp_path / "b") as second:
        old, new = Server(tmp_path / "old", store_url(first)), Server(tmp_path / "new", store_url(second))
        old.live()
        first.bucket("city", retention_s=0)  # the readings of this test have a day of their own
        with closing(open_store(old.store_url, TOKEN)) as store:
            store.prepare()
            store.write(steady_queue(8, 110))
        hourly = f"passage,site=hof-nord,sensor=gate-in value=1,min=1,max=1,count=40 {LONG_AGO_S // 3600 * 3600}"
        write(first, "city_hourly", hourly)
        with old.face(city) as face:
            assert face.staffed is not None
            face.staffed.notices.put_up("hof-nord", NoticeAsked(texts=Texts(de="Waage außer Betrieb"), until=NOW + YEAR / 300))
            before = answers(face, old.key)

        archive = old.back_up()
        assert new.restore(archive) == 0
        second.stop()
        second.start()  # and what it was given is still there

        with new.face(city) as face:
            after = answers(face, old.key)
        assert b'"value":40.0' in before[ASKED[5]]
        assert "Waage außer Betrieb".encode() in before["/v1/notices"]
        assert after == before
        assert [task["name"] for task in second.call("/api/v2/tasks")["tasks"]] == ["hoflicht hourly city"]
        capsys.readouterr()
        assert new.restore(archive, "--overwrite") == 1  # not over readings
        assert "holds readings already (city, city_hourly)" in capsys.readouterr().err


def test_an_empty_machine_with_sqlite_gives_the_same_answers_byte_by_byte(city: City, server: Server, empty: Server) -> None:
    with server.face(city) as face:
        face.store.write(steady_queue(8, 110))
        archive = server.back_up()  # while all of it is in use: the readings are in SQLite's log, not in its file
        assert (server.data / "readings.db-wal").stat().st_size > 0
        before = answers(face, server.key)

    assert empty.restore(archive) == 0

    with empty.face(city) as face:
        assert answers(face, server.key) == before


def test_what_a_server_has_beside_comes_back_with_owner_and_mode(server: Server, empty: Server) -> None:
    (server.data / "keys.json").chmod(0o640)
    if os.geteuid() == 0:
        os.chown(server.data, 65_534, 65_534)

    assert empty.restore(server.back_up()) == 0

    before, after = files(server.etc), files(empty.etc)
    assert after == {name: before[name] for name in before if name != "authority/ca.key"}
    assert oct(empty.etc.stat().st_mode)[-3:] == "750"
    assert files(empty.data)["keys.json"] == files(server.data)["keys.json"]
    assert empty.data.stat().st_uid == server.data.stat().st_uid
    with closing(Quarantine(empty.data / "quarantine.db")) as quarantine:
        assert [(row.gateway, row.reason) for row in quarantine.rows()] == [("gw-a", "odd")]


def test_a_restored_register_knows_whom_the_old_one_has_signed(
    server: Server, empty: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    registrar.main(["list", "--config", str(server.etc / "authority.toml")])
    before = capsys.readouterr().out
    empty.restore(server.back_up())
    capsys.readouterr()

    registrar.main(["list", "--config", str(empty.etc / "authority.toml")])

    assert "gw-a" in before
    assert capsys.readouterr().out == before


def test_the_key_that_makes_gateways_is_in_no_back_up(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    archive = server.back_up()

    assert (server.etc / "authority" / "ca.key").exists()
    assert (server.etc / "authority" / "ca.key").read_bytes()[30:90] not in archive.read_bytes()
    assert "without ca.key" in capsys.readouterr().out


def test_nobody_else_may_read_a_back_up(server: Server) -> None:
    before = os.umask(0o022)
    try:
        made = server.back_up()
    finally:
        os.umask(before)

    assert oct(made.stat().st_mode)[-3:] == "600"


def test_older_back_ups_go_once_a_newer_one_is_there(server: Server) -> None:
    (server.backups / "notes.txt").write_text("not ours")
    old = [server.backups / f"hoflicht-2026010{day}T030000Z.tar" for day in (1, 2, 3)]
    for path in old:
        path.touch()

    made = server.back_up()

    assert {path.name for path in server.backups.iterdir()} == {made.name, old[-1].name, "notes.txt"}


def test_a_back_up_that_fails_leaves_the_older_ones(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    old = server.back_up().rename(server.backups / "hoflicht-20260101T030000Z.tar")
    url = f"influx+http://127.0.0.1:{free_port()}/city?org={ORG}"
    server.config.write_text(f'{server.config.read_text()}[store]\nurl = "{url}"\ntoken_file = "token"\n')

    assert cli.main(["backup", str(server.config)]) == 1
    assert "InfluxDB at http://127.0.0.1" in capsys.readouterr().err
    assert list(server.backups.glob("hoflicht-*.tar")) == [old]


def test_two_at_once_do_not_write_into_one_file(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with (server.backups / "unfinished.tar").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        assert cli.main(["backup", str(server.config)]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("at", [0.02, 0.5, 0.97])
def test_a_damaged_back_up_changes_nothing(server: Server, empty: Server, at: float) -> None:
    archive = server.back_up()
    content = bytearray(archive.read_bytes())
    with tarfile.open(archive) as tar:
        files = [info for info in tar if info.size > 0]
    hit = files[round(at * (len(files) - 1))].offset_data
    content[hit] ^= 1
    archive.write_bytes(content)

    assert empty.restore(archive) == 1
    assert not empty.etc.exists()
    assert not empty.data.exists()


@pytest.mark.parametrize("within", ["etc/city.toml", "data/quarantine.db", LIST])
def test_a_back_up_that_was_cut_off_is_none(server: Server, empty: Server, within: str) -> None:
    archive = server.back_up()
    with tarfile.open(archive) as tar:
        end = tar.getmember(within).offset
    archive.write_bytes(archive.read_bytes()[:end])

    assert empty.restore(archive) == 1
    assert not empty.etc.exists()


def test_a_back_up_that_leads_elsewhere_is_refused(server: Server, empty: Server) -> None:
    archive = empty.backups / "bad.tar"
    with writing(archive) as copy:
        copy.add_file("etc/../../outside", server.config)
    empty.etc.mkdir()

    assert empty.restore(archive) == 1
    assert not (empty.folder.parent / "outside").exists()


def test_files_that_are_there_stay_unless_it_is_said(server: Server, empty: Server, capsys: pytest.CaptureFixture[str]) -> None:
    archive = server.back_up()
    empty.etc.mkdir()
    (empty.etc / "city.toml").write_text("mine")

    assert empty.restore(archive) == 1
    assert f"1 files are there already and differ ({empty.etc / 'city.toml'})" in capsys.readouterr().err
    assert (empty.etc / "city.toml").read_text() == "mine"
    assert not empty.data.exists()
    assert empty.restore(archive, "--overwrite") == 0
    assert (empty.etc / "city.toml").read_text() != "mine"


def test_a_restore_that_was_cut_off_is_repeated_as_it_was(server: Server, empty: Server) -> None:
    archive = server.back_up()
    assert empty.restore(archive, "--only", "etc") == 0
    before = (empty.etc / "city.toml").stat()

    assert empty.restore(archive) == 0
    assert (empty.data / "keys.json").exists()
    assert (empty.etc / "city.toml").stat() == before  # left alone: in a container it may be a mount, which nothing can replace


def test_what_sqlite_kept_beside_an_older_file_does_not_get_into_the_new_one(server: Server, empty: Server) -> None:
    archive = server.back_up()
    empty.data.mkdir()
    (empty.data / "quarantine.db-wal").write_bytes(b"of another file")

    assert empty.restore(archive) == 0
    assert not (empty.data / "quarantine.db-wal").exists()


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ('folder = "backups"\n[folders]\nnowhere = "nowhere"\n', "nowhere: .*/nowhere is not there"),
        ('folder = "backups"\n[folders]\ninfluxdb = "data"\n', "this one is taken"),
        ('folder = "backups"\n[folders]\n[store]\nurl = "sqlite:///readings.db"\n', "a SQLite file lies in one of the"),
        ('folder = "backups"\n[folders]\n[store]\nurl = "influx+http://127.0.0.1/x"\n', "expected influx"),
        ('folder = "backups"\nkeep = 0\n[folders]\n', "keep"),
    ],
)
def test_a_config_that_would_make_no_back_up_is_refused(server: Server, told: str, complaint: str) -> None:
    server.config.write_text(told)

    with pytest.raises(BadConfig, match=complaint):
        backup.main([str(server.config)])
    assert list(server.backups.glob("hoflicht-*.tar")) == []


def test_a_part_that_is_not_there_is_named(server: Server) -> None:
    archive = server.back_up()

    with pytest.raises(BadConfig, match="--only dta: there are etc, data"):
        restore.main([str(archive), str(server.config), "--only", "dta"])


@pytest.mark.live
def test_a_token_that_may_not_copy_all_is_told_so(influx: Bucket) -> None:
    with pytest.raises(Refused, match="an all-access token is needed"):
        Snapshot(parse(influx.store_url), "wrong").empty()
