"""docs/second-city.md, as it stands there: from the answers to a page with the names of another city, on which a car is counted."""

import os
import pty
import re
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from hoflicht import Reading
from hoflicht.cli import COMMANDS
from ingest import registrar
from store.readings import open_store
from tests.certified import enrolled_by_hand
from tests.conftest import ROOT, free_port
from tests.roles import Role, eventually
from tests.secured import USERS, Secured, password
from workshop import check, doctor, import_lamps, init

GUIDE = (ROOT / "docs" / "second-city.md").read_text(encoding="utf-8")
CAR = b'{"DetectedObjectVelocity":"4.0","direction":"inbound"}\r\n'  # of an OPS243 radar


class Ports(NamedTuple):
    """Free ones."""

    inner: int
    tls: int
    api: int
    ingest: int
    edge: int


def block(language: str) -> str:
    """The one block of the guide in that language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(found)


def written(folder: Path, ports: Ports) -> Path:
    """The city of the guide; what only this machine can tell (address, ports, folder) is put in."""
    answers = block("toml").replace('"hoflicht.ruhrhausen.example"', f'"127.0.0.1"\ndata = "{folder}"')
    (folder / "answers.toml").write_text(answers, encoding="utf-8")
    (folder / "lamps.csv").write_text(block("csv"), encoding="cp1252")
    city = folder / "ruhrhausen"
    assert init.main([str(city), "--answers", str(folder / "answers.toml")]) == 0
    assert import_lamps.main([str(folder / "lamps.csv"), str(city / "city.toml"), "--dry-run"]) == 1  # it has them
    usual = (("= 1883", f"= {ports.inner}"), ("= 8883", f"= {ports.tls}"), (":8000", f":{ports.api}"))
    for path in city.rglob("*.toml"):
        text = path.read_text(encoding="utf-8")
        for before, after in (*usual, (":9102", f":{ports.ingest}"), (":9101", f":{ports.edge}")):
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")
    return city


@contextmanager
def broker(city: Path, ports: Ports) -> Iterator[None]:
    """The broker, as the README.md of the city has it made."""
    assert registrar.main(["init", "--config", str(city / "authority.toml")]) == 0
    for user in USERS:
        (city / f"{user}_password").write_text(password(user))
    running = Secured(city, city / "authority.toml", ports.inner)
    running.start()
    yield
    running.stop()


def gateway(city: Path, folder: Path, device: str) -> Path:
    """The config that was written for the gateway at Heide, on this machine, with its certificate."""
    text = (city / "gateways" / "gw-wertstoffhof-heide.toml").read_text(encoding="utf-8")
    for there, here in (
        ("/dev/serial/by-id/usb-radar", device),
        ('"ntp"', '"system"'),
        ("/var/lib/hoflicht/spool.db", str(folder / "spool.db")),
    ):
        assert there in text
        text = text.replace(there, here)
    (folder / "gateway").mkdir()
    (folder / "gateway" / "edge.toml").write_text(text, encoding="utf-8")
    enrolled_by_hand(city / "authority.toml", "gw-wertstoffhof-heide", folder / "gateway")
    assert (folder / "gateway" / "edge.toml").read_text(encoding="utf-8") == text  # it led to the broker already
    return folder / "gateway" / "edge.toml"


def get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def passages(folder: Path) -> list[Reading]:
    with closing(open_store(f"sqlite:///{folder / 'readings.db'}")) as store:
        return store.latest(["passage"], 0)


def test_a_second_city_comes_from_its_answers_to_a_page_and_a_counted_car(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = Ports(*(free_port() for _ in range(5)))
    city = written(tmp_path, ports)
    assert check.main([str(path) for path in sorted(city.rglob("*.toml"))]) == 0
    radar, slave = pty.openpty()

    with (
        broker(city, ports),
        Role(tmp_path, "ingest", city / "ingest.toml") as ingest,
        Role(tmp_path, "api", city / "api.toml") as api,
        Role(tmp_path, "edge", gateway(city, tmp_path, os.ttyname(slave))) as edge,
    ):
        page = eventually(lambda: get(f"http://127.0.0.1:{ports.api}/"))
        yards = msgspec.json.decode(get(f"http://127.0.0.1:{ports.api}/v1/yards"))
        assert eventually(lambda: '"ok": true' in get(f"http://127.0.0.1:{ports.edge}/healthz"))
        os.write(radar, CAR)
        counted = eventually(lambda: passages(tmp_path))
        capsys.readouterr()
        doctor.main([str(city / "ingest.toml"), str(city / "api.toml"), str(tmp_path / "gateway" / "edge.toml"), "--json"])
        assert [role.stop() for role in (edge, api, ingest)] == [0, 0, 0]
    os.close(radar)
    os.close(slave)

    assert "Wertstoffhof Hafen" in page
    assert "Heideweg 100, 46998 Ruhrhausen" in page
    assert [yard["id"] for yard in yards["yards"]] == ["wertstoffhof-hafen", "wertstoffhof-heide"]
    assert [(one.site, one.sensor, one.value) for one in counted] == [("wertstoffhof-heide", "gate-in", 1.0)]
    looked_at = msgspec.json.decode(capsys.readouterr().out)["looked_at"]
    wrong = [one for findings in looked_at.values() for one in findings if one["state"] == "wrong"]
    assert [one for one in wrong if one["part"] != "clock"] == []  # whether a time service keeps it is this machine's matter
    said = {(one["part"], one["what"]) for findings in looked_at.values() for one in findings}
    assert said >= {("receipts", "the agent's readings reach the database"), ("ingest", "it runs, with broker and store")}


def test_every_command_of_the_guide_is_one_of_ours() -> None:
    shown = re.findall(r"^hoflicht ([a-z-]+)", GUIDE, re.MULTILINE)

    assert set(shown) == {"init", "import-lamps", "check", "doctor"} & set(COMMANDS)
