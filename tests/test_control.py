"""What staff do with lamps: look, override, release, change programs. Over HTTP, a real broker, and gateways that speak MQTT."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api.guard import MAX_PROGRAM
from api.light.lights import Override, Said
from api.light.shadows import PATIENCE_S
from api.staff.keys import Scope
from api.staff.locksmith import main as keys_command
from hoflicht import Reading
from hoflicht.catalogue import City
from tests.conftest import Mosquitto, free_port, wait_until_listening
from tests.fleet import Fleet, large_city, talking
from tests.office import NOW_MS, Office, opened
from tests.roles import Role, eventually, write_api

LAMP, GROUP = "/v1/staff/lamps/lamp-0001", "/v1/staff/groups/altstadt"
CALLS = [
    ("GET", "/v1/staff/lamps", Scope.READ),
    ("GET", LAMP, Scope.READ),
    ("GET", "/v1/staff/groups", Scope.READ),
    ("GET", GROUP, Scope.READ),
    ("GET", "/v1/staff/programs", Scope.READ),
    ("GET", "/v1/staff/programs/hauptstrasse", Scope.READ),
    ("GET", "/v1/staff/alarms", Scope.READ),
    ("GET", "/v1/staff/alarms/lamp-0001/past", Scope.READ),
    ("GET", "/v1/staff/orders", Scope.READ),
    ("GET", "/v1/staff/export/fiware", Scope.READ),
    ("GET", "/v1/staff/export/talq", Scope.READ),
    ("PUT", f"{LAMP}/override?percent=1&minutes=1", Scope.CONTROL),
    ("DELETE", f"{LAMP}/override", Scope.CONTROL),
    ("PUT", f"{GROUP}/override?percent=1&minutes=1", Scope.CONTROL),
    ("DELETE", f"{GROUP}/override", Scope.CONTROL),
    ("PUT", f"{LAMP}/program?name=hauptstrasse", Scope.CONTROL),
    ("DELETE", f"{LAMP}/program", Scope.CONTROL),
    ("PUT", f"{GROUP}/program?name=hauptstrasse", Scope.CONTROL),
    ("DELETE", f"{GROUP}/program", Scope.CONTROL),
    ("PUT", "/v1/staff/programs/park", Scope.CONTROL),
    ("DELETE", "/v1/staff/programs/park", Scope.CONTROL),
    ("PUT", "/v1/staff/alarms/lamp-0001/lamp_failure/acknowledgement", Scope.ACKNOWLEDGE),
]
PART_NIGHT = {"periods": [{"steps": [{"at": "dusk", "percent": 100}, {"at": "23:00", "percent": 50}]}]}


@pytest.fixture
def office(city: City, tmp_path: Path) -> Iterator[Office]:
    """Nobody is at the broker."""
    with opened(city, tmp_path) as office:
        yield office


@pytest.fixture
def token(office: Office) -> str:
    return office.key(Scope.READ, Scope.CONTROL)


@contextmanager
def at_work(city: City, folder: Path, broker: Mosquitto, gateways: list[str], **more: Any) -> Iterator[tuple[Office, Fleet]]:
    """The office with a way to its gateways."""
    with (
        Fleet(broker.config, gateways, **more) as fleet,
        opened(city, folder, lamps_s=PATIENCE_S) as office,
        talking(office.shadows, broker.config, office.clock),
    ):
        fleet.until(lambda: all(fleet.desired[name] for name in gateways if name not in fleet.deaf))
        yield office, fleet


def put_program(office: Office, token: str, name: str, body: bytes) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return office.client.put(f"{office.url}/v1/staff/programs/{name}", content=body, headers=headers)


@pytest.mark.live
def test_an_override_is_answered_once_the_lamp_has_followed(city: City, broker: Mosquitto, tmp_path: Path) -> None:
    with at_work(city, tmp_path, broker, ["gw-strasse"]) as (office, fleet):
        token = office.key(Scope.CONTROL, Scope.READ)
        answer = office.call("PUT", f"{LAMP}/override?percent=70&minutes=30", token)
        command = fleet.desired["gw-strasse"][-1].commands[0]
        seen = office.call("GET", LAMP, token).json()

    told = answer.json()
    assert (answer.status_code, told["counts"], told["lamps"]) == (200, {"applied": 1}, {"applied": ["lamp-0001"]})
    assert (command.id, command.percent, command.lamps) == (told["id"], 70, ("lamp-0001",))
    assert (command.at_ms, command.until_ms) == (NOW_MS, NOW_MS + 30 * 60_000)
    assert seen["override"] == {"id": told["id"], "percent": 70.0, "until": "2026-11-23T09:00:00Z", "standing": "applied"}
    assert seen["gateways"] == [{"gateway": "gw-strasse", "desired": NOW_MS + 1, "reported": NOW_MS + 1, "refused": ""}]


@pytest.mark.live
def test_a_thousand_lamps_of_twenty_gateways_follow_one_call(broker: Mosquitto, tmp_path: Path) -> None:
    city, names = large_city(20, 50), [f"gw-{n:02}" for n in range(20)]
    with at_work(city, tmp_path, broker, names, failing=["lamp-07-003"], deaf=["gw-19"]) as (office, _):
        token = office.key(Scope.CONTROL, Scope.READ)
        began = time.monotonic()
        answer = office.call("PUT", "/v1/staff/groups/stadt/override?percent=100&minutes=60", token)
        took_s = time.monotonic() - began
        later = office.call("GET", f"/v1/staff/commands/{answer.json()['id']}", token)

    assert (answer.status_code, answer.json()["counts"]) == (202, {"applied": 949, "failed": 1, "pending": 50})
    assert answer.json()["lamps"]["failed"] == ["lamp-07-003"]
    assert {lamp[:7] for lamp in answer.json()["lamps"]["pending"]} == {"lamp-19"}
    assert later.json() == answer.json()
    assert 2.0 <= took_s < 5.0  # it waits two seconds for those that do not answer, not longer


@pytest.mark.live
def test_a_release_takes_the_place_of_what_it_releases_from(city: City, broker: Mosquitto, tmp_path: Path) -> None:
    with at_work(city, tmp_path, broker, ["gw-strasse"]) as (office, fleet):
        token = office.key(Scope.CONTROL, Scope.READ)
        first = office.call("PUT", f"{GROUP}/override?percent=20&minutes=600", token).json()
        release = office.call("DELETE", f"{LAMP}/override", token)
        commands = fleet.desired["gw-strasse"][-1].commands
        after = office.call("GET", f"/v1/staff/commands/{first['id']}", token).json()

    assert (release.status_code, release.json()["percent"], release.json()["counts"]) == (200, None, {"applied": 1})
    assert release.json()["until"] == first["until"]
    assert [(command.percent, len(command.lamps)) for command in commands] == [(20.0, 23), (None, 1)]
    assert commands[0].at_ms < commands[1].at_ms  # although both were said at one instant
    assert (after["counts"], after["lamps"]["superseded"]) == ({"applied": 23, "superseded": 1}, ["lamp-0001"])


def test_what_no_gateway_has_answered_is_pending_and_then_over(office: Office, token: str) -> None:
    answer = office.call("PUT", f"{LAMP}/override?percent=70&minutes=5", token)
    path = f"/v1/staff/commands/{answer.json()['id']}"
    office.clock.advance(5 * 60_000)
    over = office.call("GET", path, token).json()["counts"]
    office.clock.advance(86_400_000)

    assert (answer.status_code, answer.json()["counts"], over) == (202, {"pending": 1}, {"expired": 1})
    assert office.call("GET", path, token).status_code == 200  # it stays until somebody says something else


def test_a_lamp_that_no_gateway_speaks_for_is_told_apart(city: City, tmp_path: Path) -> None:
    lonely = msgspec.structs.replace(city, gateways={name: each for name, each in city.gateways.items() if name != "gw-strasse"})
    with opened(lonely, tmp_path) as office:
        answer = office.call("PUT", f"{LAMP}/override?percent=70&minutes=5", office.key(Scope.CONTROL))

    assert (answer.status_code, answer.json()["counts"]) == (200, {"nobody": 1})


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("percent=101&minutes=5", "percent"),
        ("percent=nan&minutes=5", "percent"),
        ("percent=-1&minutes=5", "percent"),
        ("minutes=5", "percent"),
        ("percent=50", "minutes"),
        ("percent=50&minutes=0", "minutes"),
        ("percent=50&minutes=10081", "minutes"),
    ],
)
def test_nobody_overrides_for_ever_or_beyond_full_light(office: Office, token: str, query: str, names: str) -> None:
    answer = office.call("PUT", f"{LAMP}/override?{query}", token)

    assert (answer.status_code, answer.json()["detail"].partition(":")[0]) == (422, names)


def test_a_key_does_only_what_it_is_for(office: Office) -> None:
    found = []
    for method, path, scope in CALLS:
        others = [each for each in Scope if each is not scope]
        refused = office.call(method, path, office.key(*others, name="other"))
        nobody = office.client.request(method, office.url + path)
        found.append((refused.status_code, f'scope="{scope.value}"' in refused.headers["www-authenticate"], nobody.status_code))

    assert found == [(403, True, 401)] * len(CALLS)
    assert office.trail() == [("other", f"{method} {scope.value}", "refused") for method, _, scope in CALLS]
    assert not (office.folder / "lights.json").exists()


def test_each_word_is_in_the_audit_before_and_after(office: Office, token: str) -> None:
    named = office.call("PUT", f"{LAMP}/override?percent=70&minutes=5", token).json()["id"]
    office.call("PUT", f"{LAMP}/program?name=nowhere", token)

    what = f"override lamp-0001 with 70 % for 5 minutes, {named}"
    assert office.trail() == [
        ("control room", what, "asked"),
        ("control room", what, "done"),
        ("control room", "let lamp-0001 burn by nowhere", "asked"),
        ("control room", "let lamp-0001 burn by nowhere", "there is no program 'nowhere'"),
    ]


def test_each_look_is_in_the_audit(office: Office) -> None:
    token, looks = office.key(Scope.READ), [path for method, path, _ in CALLS if method == "GET"]

    statuses = [office.call("GET", path, token).status_code for path in looks]

    assert statuses == [200] * len(looks)
    assert [(what.startswith("look at "), outcome) for _, what, outcome in office.trail()] == [(True, "done")] * len(looks)


def test_what_cannot_be_kept_is_not_done(office: Office, token: str) -> None:
    (office.folder / "lights.json").mkdir()

    answer = office.call("PUT", f"{LAMP}/override?percent=70&minutes=5", token)

    assert (answer.status_code, "cannot be written" in answer.json()["detail"]) == (503, True)
    assert str(office.folder) not in answer.text


def test_what_a_gateway_could_not_follow_is_refused_before_it_is_kept(office: Office, token: str) -> None:
    # Each ends before the one that it overrides, so all of them count some time.
    nested = [
        Override(id=f"n-{n}", percent=50, at_ms=NOW_MS + n, until_ms=NOW_MS + 3_600_000 - n * 1_000, lamp="lamp-0001")
        for n in range(200)
    ]
    (office.folder / "lights.json").write_bytes(msgspec.json.encode(Said(overrides=tuple(nested))))
    office.clock.advance(1_000)

    answer = office.call("PUT", f"{LAMP}/override?percent=70&minutes=1", token)

    told = "the gateway gw-strasse has 200 overrides already; release some, or say it of a group"
    assert (answer.status_code, answer.json()["detail"]) == (422, told)
    assert office.trail()[-1][2] == told
    assert len(msgspec.json.decode((office.folder / "lights.json").read_bytes(), type=Said).overrides) == 200


def test_a_program_is_made_used_and_taken_back(office: Office, token: str) -> None:
    made = put_program(office, token, "park", msgspec.json.encode(PART_NIGHT))
    lamp = office.call("PUT", f"{LAMP}/program?name=park", token)
    in_use = office.call("DELETE", "/v1/staff/programs/park", token)
    seen = office.call("GET", "/v1/staff/programs/park", token).json()
    back = office.call("DELETE", f"{LAMP}/program", token)
    gone = office.call("DELETE", "/v1/staff/programs/park", token)

    assert (made.status_code, made.json()["by_staff"], made.json()["lamps"]) == (200, True, 0)
    assert lamp.json() == {"lamp": "lamp-0001", "group": "", "program": "park", "program_by_staff": True}
    assert (in_use.status_code, in_use.json()["detail"]) == (422, "lamps or groups burn by 'park'; give them another program first")
    assert (seen["lamps"], seen["program"]["periods"][0]["steps"][1]["at"]) == (1, "23:00")
    assert back.json() == {"lamp": "lamp-0001", "group": "", "program": "hauptstrasse", "program_by_staff": False}
    assert [program["name"] for program in gone.json()["programs"]] == ["hauptstrasse"]


def test_a_program_of_the_catalogue_is_changed_and_taken_back(office: Office, token: str) -> None:
    changed = put_program(office, token, "hauptstrasse", b"{}").json()
    back = office.call("DELETE", "/v1/staff/programs/hauptstrasse", token).json()["programs"][0]
    again = office.call("DELETE", "/v1/staff/programs/hauptstrasse", token)

    assert (changed["by_staff"], changed["lamps"], changed["program"]["periods"]) == (True, 24, [])
    assert (back["by_staff"], len(back["program"]["periods"])) == (False, 2)
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("name", "body", "complaint"),
    [
        ("park", b"{", "program: Input data was truncated"),
        ("park", b"\xff", "program: "),
        ("park", b'{"preiods":[]}', "program: Object contains unknown field `preiods`"),
        ("park", b'{"sun_deg":"low"}', "program: Expected `float`, got `str` - at `$.sun_deg`"),
        ("park", b'{"periods":[{"steps":[{"at":"sunset"}]}]}', "[periods[0].steps[0]] at: 'sunset' is no instant of a night"),
        ("park", b'{"wet_class":"M9"}', "wet_class: 'M9' is no lighting class of EN 13201-2"),
        ("Park", b"{}", "'Park' cannot name a program"),
        ("park", b"[" * 20_000, "program: "),
    ],
)
def test_a_program_that_cannot_be_meant_is_refused_by_its_key(
    office: Office, token: str, name: str, body: bytes, complaint: str
) -> None:
    answer = put_program(office, token, name, body)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["detail"].startswith(complaint)
    assert not (office.folder / "lights.json").exists()


def test_a_program_asks_for_no_class_that_its_lamps_cannot_keep(office: Office, token: str) -> None:
    bright = put_program(office, token, "bright", b'{"wet_class":"M1"}')
    used = office.call("PUT", f"{LAMP}/program?name=bright", token)
    of_group = office.call("PUT", f"{GROUP}/program?name=bright", token)
    changed = put_program(office, token, "hauptstrasse", b'{"wet_class":"P4"}')

    told = "lamp-0001: the program 'bright' asks for a lighting class: M1 is more than the lamp gives, M3"
    assert bright.status_code == 200
    assert [(answer.status_code, answer.json()["detail"]) for answer in (used, of_group)] == [(422, told)] * 2
    assert (changed.status_code, "P4 cannot be told from M3" in changed.json()["detail"]) == (422, True)


def test_a_program_that_is_too_long_is_not_read(office: Office, token: str) -> None:
    answer = put_program(office, token, "park", b" " * (MAX_PROGRAM + 1))

    assert answer.status_code == 413
    assert answer.json()["detail"] == "a program may have 65536 bytes, and says in Content-Length how many"


def test_a_group_burns_by_another_program(office: Office, token: str) -> None:
    put_program(office, token, "park", msgspec.json.encode(PART_NIGHT))
    changed = office.call("PUT", f"{GROUP}/program?name=park", token).json()
    lamps = office.call("GET", "/v1/staff/lamps?group=altstadt", token).json()["lamps"]
    back = office.call("DELETE", f"{GROUP}/program", token).json()

    assert (changed["program"], {lamp["program"] for lamp in lamps}, len(lamps)) == ("park", {"park"}, 24)
    assert {lamp["program_by_staff"] for lamp in lamps} == {True}
    assert back == {"lamp": "", "group": "altstadt", "program": "hauptstrasse", "program_by_staff": False}


@pytest.mark.parametrize(
    "path", ["lamps/lamp-9999", "groups/vorstadt", "programs/park", "commands/0", "lamps?group=vorstadt", "alarms/hof-nord/past"]
)
def test_what_the_city_does_not_have_is_not_found(office: Office, token: str, path: str) -> None:
    assert office.call("GET", f"/v1/staff/{path}", token).status_code == 404


def test_staff_see_what_a_lamp_does_and_what_is_wrong_with_it(office: Office, token: str) -> None:
    told = {"level_target": 60.0, "level_feedback": 60.0, "level_actual": 40.0, "light_reason": 1.0, "operating_hours": 12_041.5}
    faults = {"dimming_failure": 1.0, "cabinet_door_open": 0.0}
    office.store.write([Reading("lamp-0001", "driver", name, NOW_MS - 12_000, value) for name, value in {**told, **faults}.items()])

    seen = office.call("GET", LAMP, token).json()

    assert (seen["state"], seen["program"], seen["group"], seen["cabinet"]) == ("dimmed", "hauptstrasse", "altstadt", "cabinet-07")
    assert {name: value["value"] for name, value in seen["values"].items()} == told
    assert seen["values"]["level_actual"]["age_s"] == 12
    assert (seen["faults"], seen["override"]) == (["dimmingFailure"], None)


def test_staff_have_their_lamps_on_a_map_with_state_and_faults(office: Office, token: str) -> None:
    told = {"level_actual": 40.0, "lamp_power_too_high": 1.0}
    office.store.write([Reading("lamp-0001", "driver", name, NOW_MS - 12_000, value) for name, value in told.items()])

    answer = office.call("GET", "/v1/staff/lamps?group=altstadt&format=geojson", token)
    lamp = next(feature for feature in answer.json()["features"] if feature["id"] == "lamp-0001")

    assert (answer.headers["content-type"], len(answer.json()["features"])) == ("application/geo+json", 24)
    assert lamp["geometry"] == {"type": "Point", "coordinates": [6.76024, 51.42894]}
    assert (lamp["properties"]["state"], lamp["properties"]["faults"]) == ("dimmed", ["lampPowerTooHigh"])


@pytest.mark.live
def test_an_override_outlives_a_kill_of_the_api_and_reaches_a_broker_that_has_forgotten_it(
    broker: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    config = write_api(tmp_path, broker.config, f"sqlite:///{tmp_path / 'readings.db'}", port)
    (tmp_path / "token").write_text("")
    config.write_text(config.read_text() + "[staff]\n")
    scopes = ["--scope", "lamps:control", "--scope", "staff:read"]
    keys_command(["add", str(config), "--name", "control room", *scopes])
    signed = {"Authorization": f"Bearer {capsys.readouterr().out.strip()}"}
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", verify=False, timeout=15)

    with Fleet(broker.config, ["gw-strasse"]) as fleet, Role(tmp_path, "api", config) as api, client:
        heard = fleet.desired["gw-strasse"]
        fleet.until(lambda: bool(heard))
        wait_until_listening(port)
        answer = client.put(f"{LAMP}/override?percent=70&minutes=30", headers=signed)
        path = f"/v1/staff/commands/{answer.json()['id']}"

        def is_applied() -> bool:
            return bool(client.get(path, headers=signed).json().get("counts") == {"applied": 1})

        before = eventually(is_applied)
        api.kill()
        broker.kill()
        broker.start()
        api.start()
        count = len(heard)
        fleet.until(lambda: len(heard) > count)
        wait_until_listening(port)
        after = eventually(is_applied)

    assert answer.status_code in (200, 202)  # the latter where the gateway took longer than the api waits
    assert (before, after) == (True, True)
    assert heard[-1].commands == heard[count - 1].commands != ()
    assert [desired.version for desired in heard] == sorted({desired.version for desired in heard})
