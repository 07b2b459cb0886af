"""What staff can do with a key, and everybody else cannot. Over HTTP, on a real server and a real store."""

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from api.app import main as api_command
from api.staff.door import CALLS, WRONG_KEYS
from api.staff.keys import KeyFile, Scope
from api.staff.locksmith import main as keys_command
from hoflicht.catalogue import City
from hoflicht.errors import BadConfig
from hoflicht.wait import State
from simulators.folder import open_round_the_clock
from store.readings import open_store
from tests.conftest import Mosquitto, free_port, wait_until_listening
from tests.face import facing
from tests.office import HOLD, NOW, NOW_MS, Office, opened, working
from tests.roles import CITY, Role, eventually, write_api, write_ingest

NOTICE = "/v1/staff/yards/hof-nord/notice"


@pytest.fixture
def office(city: City, tmp_path: Path) -> Iterator[Office]:
    with working(city, tmp_path) as office:
        yield office


def test_a_yard_is_held_for_so_long_and_everybody_sees_it(office: Office) -> None:
    token = office.key(Scope.HOLD)
    before = office.state()

    answer = office.call("PUT", f"{HOLD}?minutes=15", token)

    assert (answer.status_code, answer.json()) == (200, {"yard": "hof-nord", "until": "2026-11-23T08:45:06Z"})
    assert (before, office.state()) == (State.OPEN, State.HELD)
    office.clock.advance(15 * 60_000)
    assert office.state() is State.OPEN


def test_a_yard_is_released(office: Office) -> None:
    token = office.key(Scope.HOLD)
    office.call("PUT", HOLD, token)
    held = office.state()

    answer = office.call("DELETE", HOLD, token)

    assert (answer.status_code, answer.json()) == (200, {"yard": "hof-nord", "until": None})
    assert (held, office.state()) == (State.HELD, State.OPEN)


def test_a_hold_lasts_an_hour_where_nothing_else_is_said(office: Office) -> None:
    assert office.call("PUT", HOLD, office.key(Scope.HOLD)).json()["until"] == "2026-11-23T09:30:00Z"


@pytest.mark.parametrize("minutes", ["0", "181", "-5", "x", "1e3"])
def test_nobody_holds_a_yard_for_ever(office: Office, minutes: str) -> None:
    answer = office.call("PUT", f"{HOLD}?minutes={minutes}", office.key(Scope.HOLD))

    assert (answer.status_code, answer.json()["detail"].partition(":")[0]) == (422, "minutes")
    assert office.state() is State.OPEN


def test_staff_see_what_was_said(office: Office) -> None:
    token = office.key(Scope.HOLD, Scope.READ)
    before = office.call("GET", HOLD, token).json()
    office.call("PUT", f"{HOLD}?minutes=30", token)

    assert (before["until"], office.call("GET", HOLD, token).json()["until"]) == (None, "2026-11-23T09:00:00Z")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, ""),
        ({"Authorization": "Bearer"}, ""),
        ({"Authorization": "Bearer hoflicht_1f0a93c2_guess"}, ', error="invalid_token"'),
        ({"Authorization": "Basic c3RhZmY6c3RhZmY="}, ', error="invalid_token"'),
    ],
)
def test_without_a_key_nothing_is_told_and_nothing_done(office: Office, method: str, headers: dict[str, str], error: str) -> None:
    answer = office.client.request(method, office.url + HOLD, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"] == 'Bearer realm="hoflicht staff"' + error
    assert office.state() is State.OPEN
    assert office.trail() == []
    assert "hoflicht_api_wrong_keys_total" in office.client.get(office.url + "/metrics").text


def test_a_key_is_asked_for_before_anything_else_is_looked_at(office: Office) -> None:
    assert office.client.put(office.url + "/v1/staff/yards/hof-ost/hold?minutes=x").status_code == 401


def test_a_key_does_only_what_it_is_for(office: Office) -> None:
    reader, holder = office.key(Scope.READ), office.key(Scope.HOLD)

    refused = [office.call("PUT", HOLD, reader), office.call("DELETE", HOLD, reader), office.call("GET", HOLD, holder)]

    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert 'error="insufficient_scope", scope="yards:hold"' in refused[0].headers["www-authenticate"]
    assert office.state() is State.OPEN
    assert office.trail()[0] == ("control room", "PUT yards:hold", "refused")


def test_a_key_that_has_ended_opens_nothing(office: Office) -> None:
    token = office.key(Scope.HOLD, expires=NOW + dt.timedelta(minutes=1))
    before = office.call("PUT", HOLD, token)
    office.clock.advance(60_000)

    assert (before.status_code, office.call("PUT", HOLD, token).status_code) == (200, 401)


def test_a_key_that_was_just_made_is_known_and_one_that_was_revoked_is_not(office: Office) -> None:
    first = office.key(Scope.HOLD)
    known = office.call("PUT", HOLD, first).status_code
    second = office.key(Scope.HOLD)
    with KeyFile(office.folder / "keys.json").changing() as keys:
        del keys[0]

    assert known == 200
    assert [office.call("PUT", HOLD, token).status_code for token in (first, second)] == [401, 200]


def test_while_the_keys_cannot_be_read_no_key_is_good(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    token = office.key(Scope.HOLD)
    (office.folder / "keys.json").write_text("{")

    answers = [office.call("PUT", HOLD, token) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert str(office.folder) not in answers[0].text
    assert len([line for line in caplog.messages if "no key of staff is accepted" in line]) == 1


def test_who_shows_wrong_keys_waits_and_nobody_else_does(office: Office) -> None:
    token = office.key(Scope.HOLD)
    wrong = [office.call("PUT", HOLD, f"wrong-{n}", x_forwarded_for="203.0.113.7") for n in range(WRONG_KEYS + 1)]

    right = office.call("PUT", HOLD, token, x_forwarded_for="203.0.113.7")
    elsewhere = office.call("PUT", HOLD, token, x_forwarded_for="203.0.113.8")
    office.clock.advance(60_000)
    later = office.call("PUT", HOLD, token, x_forwarded_for="203.0.113.7")

    assert [answer.status_code for answer in wrong] == [401] * WRONG_KEYS + [429]
    assert (right.status_code, right.headers["retry-after"]) == (429, "60")
    assert (elsewhere.status_code, later.status_code) == (200, 200)


def test_a_key_that_somebody_stole_cannot_flush_the_audit(office: Office) -> None:
    token = office.key(Scope.READ)
    statuses = [office.call("GET", HOLD, token).status_code for _ in range(CALLS + 1)]

    assert statuses == [200] * CALLS + [429]
    assert len(office.trail()) == CALLS


def test_each_call_is_in_the_audit(office: Office) -> None:
    token = office.key(Scope.HOLD, Scope.READ)
    office.call("PUT", f"{HOLD}?minutes=15", token)
    office.call("GET", HOLD, token)
    office.call("DELETE", HOLD, token)

    assert office.trail() == [
        ("control room", "hold hof-nord for 15 minutes", "asked"),
        ("control room", "hold hof-nord for 15 minutes", "done"),
        ("control room", "look at the hold of hof-nord", "done"),
        ("control room", "release hof-nord", "asked"),
        ("control room", "release hof-nord", "done"),
    ]
    assert token.split("_", 2)[2] not in (office.folder / "audit.jsonl").read_text()


def test_what_cannot_be_audited_is_not_done(office: Office) -> None:
    token = office.key(Scope.HOLD)
    (office.folder / "audit.jsonl").mkdir()

    answer = office.call("PUT", HOLD, token)

    assert (answer.status_code, answer.json()["detail"]) == (503, "the audit cannot be written; nothing is done without it")
    assert office.state() is State.OPEN


def test_what_nobody_confirms_is_told_so(city: City, tmp_path: Path) -> None:
    with opened(city, tmp_path, patience_s=0.05) as office:
        answer = office.call("PUT", HOLD, office.key(Scope.HOLD))
        trail = office.trail()

    told = "not confirmed within 0.05 s; ask again, saying it twice does no harm"
    assert (answer.status_code, answer.json()["detail"]) == (503, told)
    assert trail[-1] == ("control room", "hold hof-nord for 60 minutes", told)


def test_scripts_of_other_sites_and_caches_are_kept_out(office: Office) -> None:
    answer = office.call("GET", HOLD, office.key(Scope.READ))
    preflight = office.client.options(office.url + HOLD, headers={"Origin": "https://example.org"})

    assert "access-control-allow-origin" not in answer.headers
    assert (answer.headers["cache-control"], answer.headers["cross-origin-resource-policy"]) == ("no-store", "same-origin")
    assert (preflight.status_code, preflight.headers["content-type"]) == (405, "application/problem+json")


def test_what_a_hold_understands_is_told_in_full(office: Office) -> None:
    answer = office.call("POST", HOLD, office.key(Scope.HOLD))

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PUT, DELETE")
    assert answer.json()["detail"] == "POST is not understood here; use GET, PUT, DELETE"


def test_the_description_says_which_calls_need_a_key(office: Office) -> None:
    document = office.client.get(office.url + "/openapi.json").json()

    needing = {
        f"{method} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if operation.get("security") == [{"staffKey": []}]
    }
    under_staff = {
        f"{method} {path}" for path, item in document["paths"].items() if path.startswith("/v1/staff") for method in item
    }
    assert needing == under_staff >= {f"{method} /v1/staff/yards/{{yard}}/hold" for method in ("get", "put", "delete")}
    assert document["components"]["securitySchemes"]["staffKey"]["scheme"] == "bearer"


def test_without_staff_there_is_nothing_to_write_to(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, NOW_MS) as face:
        answer = face.client.put(face.url + HOLD)

    assert answer.status_code == 404


def test_staff_s_word_needs_a_way_to_the_store(tmp_path: Path) -> None:
    config = tmp_path / "api.toml"
    config.write_text(f'city = "{CITY}"\n[store]\nurl = "sqlite:///readings.db"\n[staff]\n')

    with pytest.raises(BadConfig, match=r"\[staff\] needs \[broker\] and publish = true"):
        api_command([str(config)])


@pytest.mark.live
def test_a_hold_and_a_notice_go_through_broker_ingest_and_store_to_the_public(
    broker: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port, store_url, city = free_port(), f"sqlite:///{tmp_path / 'readings.db'}", tmp_path / "city.toml"
    city.write_text(open_round_the_clock(CITY.read_text()))
    until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    config = write_api(tmp_path, broker.config, store_url, port, city)
    config.write_text(config.read_text() + "[staff]\n")
    keys_command(["add", str(config), "--name", "control room", "--scope", "yards:hold", "--scope", "yards:notice"])
    signed = {"Authorization": f"Bearer {capsys.readouterr().out.strip()}"}

    with (
        Role(tmp_path, "ingest", write_ingest(tmp_path, broker.config, store_url)),
        Role(tmp_path, "api", config),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", verify=False, timeout=30) as client,
        closing(open_store(store_url)) as store,
    ):
        wait_until_listening(port)
        assert eventually(lambda: store.latest(("wait_state",), 0))  # what the api says reaches the store
        said = client.put(NOTICE, headers=signed, json={"texts": {"de": "Heute zu"}, "until": until.isoformat()})
        held = eventually(lambda: client.put(HOLD, headers=signed).status_code == 200)
        state = eventually(lambda: client.get("/v1/yards/hof-nord/wait").json()["state"] == "held")
        shown = client.get("/v1/yards/hof-nord").json()["notice"]["texts"]
        stored = eventually(lambda: store.latest(("notice",), 0))
    keys_command(["list", str(config)])

    assert (held, state, said.status_code, shown) == (True, True, 200, {"de": "Heute zu"})
    assert [(reading.site, reading.sensor, reading.value) for reading in stored] == [("hof-nord", "staff", 1.0)]
    assert "never" not in capsys.readouterr().out  # when a key was last used
