"""Notices over HTTP: staff put them up and take them down, and everybody reads them."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api.staff.herald import Herald
from api.staff.keys import Scope
from hoflicht.catalogue import City
from tests.face import facing
from tests.office import NOW, NOW_MS, Office, opened, working

NOTICE = "/v1/staff/yards/hof-nord/notice"
TEXTS = {
    "de": "Grünschnitt nur bis 15 Uhr",
    "de-simple": "Sie können nur bis 15 Uhr Laub bringen.",
    "en": "Garden waste until 3 p.m.",
}


@pytest.fixture
def office(city: City, tmp_path: Path) -> Iterator[Office]:
    with opened(city, tmp_path) as office:
        yield office


def put(
    office: Office, token: str, texts: dict[str, str] | None = None, until: str = "2026-11-23T18:00:00+01:00"
) -> httpx.Response:
    body = msgspec.json.encode({"texts": TEXTS if texts is None else texts, "until": until})
    return office.client.put(office.url + NOTICE, headers={"Authorization": f"Bearer {token}"}, content=body)


def standing(office: Office) -> Any:
    return office.client.get(office.url + "/v1/notices").json()["notices"]


def test_a_notice_is_put_up_and_everybody_reads_it(office: Office) -> None:
    answer = put(office, office.key(Scope.NOTICE))

    told = {"yard": "hof-nord", "texts": TEXTS, "since": "2026-11-23T08:30:00Z", "until": "2026-11-23T17:00:00Z"}
    assert (answer.status_code, answer.json()) == (200, told)
    assert standing(office) == [told]
    yards = office.client.get(office.url + "/v1/yards").json()["yards"]
    assert [yard["notice"] for yard in yards] == [told, None, None, None]
    assert office.client.get(office.url + "/v1/yards/hof-nord").json()["notice"] == told
    assert office.trail() == [
        ("control room", "put up a notice at hof-nord", "asked"),
        ("control room", "put up a notice at hof-nord", "done"),
    ]


def test_a_notice_ends_by_itself_or_is_taken_down(office: Office) -> None:
    token = office.key(Scope.NOTICE)
    put(office, token)
    office.clock.advance(9 * 3_600_000)
    ended = standing(office)
    put(office, token, until="2026-11-24T12:00:00Z")
    before = standing(office)

    answer = office.call("DELETE", NOTICE, token)

    assert (ended, len(before), standing(office)) == ([], 1, [])
    assert (answer.status_code, answer.json()) == (200, {"city": "Duisburg", "notices": []})


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "Input data was truncated"),
        (b"{}", "Object missing required field `texts`"),
        (b'{"texts":{"en":"closed"},"until":"2026-11-24T12:00:00Z"}', "Object missing required field `de` - at `$.texts`"),
        (b'{"texts":{"de":"zu","fr":"ferm"},"until":"2026-11-24T12:00:00Z"}', "Object contains unknown field `fr`"),
        (b'{"texts":{"de":"zu"},"until":"2026-11-24T12:00:00"}', "Expected `datetime` with a timezone component"),
        (b'{"texts":{"de":"zu"},"until":"0001-01-01T00:00:00+12:00"}', "until: within the next 90 days"),
        (b'{"texts":{"de":"z\xff"},"until":"2026-11-24T12:00:00Z"}', "codec can't decode"),
        (b'{"texts":{"de":"' + 281 * b"x" + b'"},"until":"2026-11-24T12:00:00Z"}', "Expected `str` of length <= 280"),
        (b'{"texts":{"de":"<i>zu</i>"},"until":"2026-11-24T12:00:00Z"}', "texts.de: no markup"),
        (b"[" * 9_000, ""),
    ],
)
def test_what_is_no_notice_is_refused_with_its_reason(office: Office, body: bytes, detail: str) -> None:
    signed = {"Authorization": f"Bearer {office.key(Scope.NOTICE)}"}
    answer = office.client.put(office.url + NOTICE, headers=signed, content=body)

    assert answer.status_code == 422
    assert detail in answer.json()["detail"]
    assert standing(office) == []
    assert office.trail()[-1][2] == answer.json()["detail"]


def test_the_longest_notice_finds_room_and_nothing_longer_is_read(office: Office) -> None:
    token = office.key(Scope.NOTICE)
    longest = dict.fromkeys(("de", "de-simple", "en", "tr"), 280 * "🚚")
    escaped = "".join(rf"\u{unit:04x}" for unit in (0xD83D, 0xDE9A)) * 280
    texts = ",".join(f'"{code}":"{escaped}"' for code in longest)
    body = f'{{"texts":{{{texts}}},"until":"2026-11-24T12:00:00Z"}}'.encode()
    signed = {"Authorization": f"Bearer {token}"}
    taken = office.client.put(office.url + NOTICE, headers=signed, content=body)
    too_long = office.client.put(office.url + NOTICE, headers=signed, content=body + 16 * 1024 * b" ")
    unbounded = office.client.put(office.url + NOTICE, headers=signed, content=iter([b"{}"]))

    assert (taken.status_code, taken.json()["texts"]) == (200, longest)
    assert [(answer.status_code, answer.json()["detail"][:34]) for answer in (too_long, unbounded)] == [
        (413, "a notice may have 16384 bytes, and")
    ] * 2


def test_only_a_key_for_it_puts_up_a_notice(office: Office) -> None:
    refused = [put(office, office.key(Scope.HOLD, Scope.READ)), office.call("DELETE", NOTICE, office.key(Scope.HOLD))]
    stranger = office.client.put(office.url + NOTICE, content=b"{}")

    assert [answer.status_code for answer in (*refused, stranger)] == [403, 403, 401]
    assert standing(office) == []


def test_a_yard_that_is_not_there_has_no_notice(office: Office) -> None:
    assert office.call("DELETE", NOTICE.replace("nord", "ost"), office.key(Scope.NOTICE)).status_code == 404


def test_a_notice_that_cannot_be_written_is_not_up(office: Office) -> None:
    (office.folder / "notices.json").mkdir()
    answer = put(office, office.key(Scope.NOTICE))

    assert (answer.status_code, answer.json()["title"]) == (503, "Not available for now")
    assert standing(office) == []


def test_notices_are_kept_by_those_who_ask(office: Office) -> None:
    put(office, office.key(Scope.NOTICE))
    first = office.client.get(office.url + "/v1/notices")
    again = office.client.get(office.url + "/v1/notices", headers={"If-None-Match": first.headers["etag"]})

    assert (first.headers["cache-control"], first.headers["access-control-allow-origin"]) == ("public, max-age=10", "*")
    assert again.status_code == 304


def test_where_there_is_no_staff_there_are_no_notices(city: City, tmp_path: Path) -> None:
    with facing(city, tmp_path, NOW_MS) as face:
        assert face.get("/v1/notices").json() == {"city": "Duisburg", "notices": []}


def test_a_notice_reaches_the_store_by_the_way_of_all_readings(city: City, tmp_path: Path) -> None:
    with working(city, tmp_path) as office:
        herald = Herald(office.notices, office.store, office.errands, office.clock)
        put(office, office.key(Scope.NOTICE), until=(NOW + dt.timedelta(hours=1)).isoformat())
        herald.look()
        office.clock.advance(3_600_000)
        herald.look()
        stored = office.store.read("hof-nord", ("notice",), NOW_MS - 1, NOW_MS + 3_600_001)

    assert [(reading.sensor, reading.at_ms - NOW_MS, reading.value) for reading in stored] == [
        ("staff", 0, 1.0),
        ("staff", 3_600_000, 0.0),
    ]
