"""Open faults: what is wrong, since when, whether somebody has seen it; and the work list. On SQLite and a real InfluxDB."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.staff.alarms import KEEP_MS, MAX_BEGINNINGS, Alarms, AlarmState, Turn, past
from api.staff.keys import Scope
from hoflicht import Reading
from hoflicht.catalogue import City
from hoflicht.clock import HandClock
from hoflicht.faults import FAULTS
from store.readings import Store
from tests.office import NOW_MS, Office, working

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)  # InfluxDB refuses what is older than it keeps


@pytest.fixture
def now() -> HandClock:
    return HandClock(round(NOW.timestamp() * 1000))


def told(fault: str, *said: tuple[float, float], site: str = "lamp-0001", sensor: str = "driver") -> list[Reading]:
    """Readings of a fault: so many hours ago, and its state."""
    now_ms = round(NOW.timestamp() * 1000)
    return [Reading(site, sensor, fault, now_ms - round(ago_h * HOUR_MS), value) for ago_h, value in said]


def ago(hours: float) -> dt.datetime:
    return NOW - dt.timedelta(hours=hours)


def test_a_fault_is_open_while_its_newest_reading_says_so(store: Store, city: City, now: HandClock) -> None:
    store.write(told("lamp_failure", (5, 0), (3, 1), (2, 1), (1, 1)))
    store.write(told("high_temperature", (3, 1), (1, 0)))

    [alarm] = Alarms(store, city, now).open()

    assert (alarm.site, alarm.fault, alarm.talq, alarm.severity) == ("lamp-0001", "lamp_failure", "lampFailure", "high")
    assert (alarm.since, alarm.told, alarm.state, alarm.acknowledged) == (ago(3), ago(1), AlarmState.OPEN, None)
    assert (alarm.street, alarm.group, alarm.de) == ("Friedrich-Wilhelm-Straße", "altstadt", "Lampe leuchtet nicht")


@pytest.mark.parametrize(
    ("said", "since_h"),
    [
        ([(100.5, 1), (100.4, 0), (99.3, 1), *((n, 1) for n in range(99, 0, -1))], 99.3),
        ([(50.30, 1), (50.25, 0), (50.20, 1), (1, 1)], 50.20),  # all within one hour, then long silence
        ([(1_000, 1), (1, 1)], 1_000),  # as far back as anything is known
        ([(0.02, 0), (0.01, 1)], 0.01),
    ],
)
def test_a_fault_began_with_the_first_word_of_it_after_the_last_denial(
    store: Store, city: City, now: HandClock, said: list[tuple[float, float]], since_h: float
) -> None:
    store.write(told("lamp_failure", *said))

    assert [alarm.since for alarm in Alarms(store, city, now).open()] == [ago(since_h)]


def test_a_gateway_that_has_fallen_silent_mends_no_lamp(store: Store, city: City, now: HandClock) -> None:
    store.write(told("lamp_failure", (24 * 80, 1)))

    assert [alarm.since for alarm in Alarms(store, city, now).open()] == [ago(24 * 80)]


def test_a_fault_is_acknowledged_until_it_comes_again(store: Store, city: City, now: HandClock) -> None:
    number = FAULTS["lamp_failure"].number
    alarms = Alarms(store, city, now)
    store.write(told("lamp_failure", (9, 0), (8, 1)))
    first = alarms.open()
    store.write(told("acknowledged", (7, number), sensor="staff"))
    now.advance(KEEP_MS + 1)
    seen = alarms.open()
    store.write(told("lamp_failure", (6, 0)))
    now.advance(KEEP_MS + 1)
    mended = alarms.open()
    store.write(told("lamp_failure", (5, 1)))
    now.advance(KEEP_MS + 1)
    again = alarms.open()

    assert [(alarm.state, alarm.acknowledged) for alarm in (*first, *seen, *again)] == [
        (AlarmState.OPEN, None),
        (AlarmState.ACKNOWLEDGED, ago(7)),
        (AlarmState.OPEN, None),
    ]
    assert mended == []


def test_that_staff_have_seen_a_fault_does_not_make_it_last(store: Store, city: City, now: HandClock) -> None:
    store.write([*told("lamp_failure", (9, 1), (8, 1), (6, 0)), *told("lamp_failure", (7, 1), sensor="staff")])

    assert Alarms(store, city, now).open() == []


def test_the_word_about_one_fault_is_found_behind_the_word_about_another(store: Store, city: City, now: HandClock) -> None:
    store.write([*told("lamp_failure", (9, 1)), *told("high_temperature", (9, 1)), *told("dimming_failure", (9, 1))])
    numbers = [float(FAULTS[name].number) for name in ("lamp_failure", "high_temperature")]
    store.write(told("acknowledged", (8, numbers[0]), (7, numbers[1]), sensor="staff"))

    assert {alarm.fault: alarm.acknowledged for alarm in Alarms(store, city, now).open()} == {
        "lamp_failure": ago(8),
        "high_temperature": ago(7),
        "dimming_failure": None,
    }


def test_after_a_storm_beginnings_are_looked_up_little_by_little(city: City, now: HandClock, tmp_path: Path) -> None:
    asked: list[str] = []

    class Counting:
        """A store in which every lamp has failed."""

        def latest(self, quantities: object, since_ms: int) -> list[Reading]:
            return [Reading(f"lamp-{n:04}", "driver", "lamp_failure", now.now_ms() - 1, 1.0) for n in range(250)]

        def means(self, site: str, *_: object) -> list[tuple[int, float]]:
            asked.append(site)
            return [(now.now_ms() // HOUR_MS * HOUR_MS, 1.0)]

        def read(self, site: str, *_: object) -> list[Reading]:
            return [Reading(site, "driver", "lamp_failure", now.now_ms() - 1, 1.0)]

    alarms = Alarms(Counting(), city, now)  # type: ignore[arg-type]
    known = []
    for _ in range(4):
        known.append(sum(alarm.since is not None for alarm in alarms.open()))
        now.advance(KEEP_MS + 1)

    assert known == [MAX_BEGINNINGS, 200, 250, 250]
    assert len(asked) == len(set(asked)) == 250


def test_a_past_tells_turns_and_no_repeats() -> None:
    readings = [
        *told("lamp_failure", (9, 1), (8, 1), (7, 0), (6, 0), (5, 1)),
        *told("high_temperature", (9, 0), (4, 1)),
        *told("acknowledged", (3, 1.0), (2, 31.0), sensor="staff"),
        *told("lamp_failure", (3, 1.0), sensor="staff"),
    ]

    turns = list(past(sorted(readings, key=lambda reading: reading.at_ms)))

    assert [(turn.at, turn.fault, turn.what) for turn in turns] == [
        (ago(9), "lamp_failure", Turn.STANDING),
        (ago(7), "lamp_failure", Turn.CLEARED),
        (ago(5), "lamp_failure", Turn.RAISED),
        (ago(4), "high_temperature", Turn.RAISED),
        (ago(3), "lamp_failure", Turn.ACKNOWLEDGED),
    ]


@pytest.fixture
def office(city: City, tmp_path: Path) -> Iterator[Office]:
    with working(city, tmp_path) as office:
        said = [
            ("lamp-0002", "driver", "dimming_failure"),
            ("lamp-0009", "driver", "lamp_failure"),
            ("cabinet-07", "meter", "cabinet_door_open"),
            ("gw-strasse", "watch", "communication_failure"),
        ]
        office.store.write([Reading(site, sensor, fault, NOW_MS - HOUR_MS, 1.0) for site, sensor, fault in said])
        yield office


def listed(office: Office, query: str = "") -> list[str]:
    answer = office.call("GET", f"/v1/staff/alarms{query}", office.key(Scope.READ))
    assert answer.status_code == 200
    return [alarm["site"] for alarm in answer.json()["alarms"]]


def test_staff_filter_what_they_see(office: Office) -> None:
    assert listed(office) == ["cabinet-07", "gw-strasse", "lamp-0002", "lamp-0009"]
    assert listed(office, "?severity=high") == ["cabinet-07", "lamp-0009"]
    assert listed(office, "?severity=high&group=altstadt") == ["lamp-0009"]
    assert listed(office, "?state=acknowledged") == []


def test_an_acknowledgement_goes_into_the_store_and_is_seen_at_once(office: Office) -> None:
    token = office.key(Scope.ACKNOWLEDGE)
    listed(office)

    answer = office.call("PUT", "/v1/staff/alarms/lamp-0009/lamp_failure/acknowledgement", token)

    assert (answer.status_code, answer.json()["state"], answer.json()["acknowledged"]) == (
        200,
        "acknowledged",
        "2026-11-23T08:30:00Z",
    )
    assert listed(office, "?state=acknowledged") == ["lamp-0009"]
    [word] = office.store.latest(("acknowledged",), 0)
    assert (word.site, word.sensor, word.value) == ("lamp-0009", "staff", 1.0)
    said = {reading.sensor: reading.value for reading in office.store.latest(("lamp_failure",), 0)}
    assert said == {"driver": 1.0, "staff": 1.0}  # for the alarm rules
    assert ("control room", "acknowledge lamp_failure of lamp-0009", "done") in office.trail()
    office.clock.advance(KEEP_MS + 1)
    assert listed(office, "?state=acknowledged") == ["lamp-0009"]


def test_two_words_of_one_instant_do_not_replace_each_other(office: Office) -> None:
    office.store.write([Reading("lamp-0009", "driver", "high_temperature", NOW_MS - HOUR_MS, 1.0)])
    token = office.key(Scope.ACKNOWLEDGE)
    for fault in ("lamp_failure", "high_temperature"):
        office.call("PUT", f"/v1/staff/alarms/lamp-0009/{fault}/acknowledgement", token)

    words = office.store.read("lamp-0009", ("acknowledged",), NOW_MS, NOW_MS + 10)

    assert [word.value for word in words] == [1.0, 8.0]


@pytest.mark.parametrize("named", ["lamp-0009/dimming_failure", "lamp-0009/on_fire", "lamp-9999/lamp_failure"])
def test_what_is_not_open_cannot_be_acknowledged(office: Office, named: str) -> None:
    assert office.call("PUT", f"/v1/staff/alarms/{named}/acknowledgement", office.key(Scope.ACKNOWLEDGE)).status_code == 404


def test_the_work_list_goes_by_street_and_urgency_also_as_a_table(office: Office) -> None:
    token = office.key(Scope.READ)
    orders = office.call("GET", "/v1/staff/orders", token).json()["orders"]
    table = list(csv.DictReader(io.StringIO(office.call("GET", "/v1/staff/orders?format=csv", token).text)))

    # The gateway has no street in the catalogue.
    assert [order["site"] for order in orders] == ["gw-strasse", "cabinet-07", "lamp-0009", "lamp-0002"]
    assert [row["site"] for row in table] == [order["site"] for order in orders]
    assert table[2] == {
        "street": "Friedrich-Wilhelm-Straße",
        "site": "lamp-0009",
        "severity": "high",
        "fault": "lamp_failure",
        "de": "Lampe leuchtet nicht",
        "en": "lamp does not light",
        "since": "2026-11-23T07:30:00Z",
        "state": "open",
        "lat": "51.42955",
        "lon": "6.76213",
    }


def test_the_past_of_a_lamp_is_asked_for_by_time(office: Office) -> None:
    token, path = office.key(Scope.READ), "/v1/staff/alarms/lamp-0009/past"

    week = office.call("GET", path, token).json()
    hour = office.call("GET", f"{path}?from=2026-11-23T08:00:00Z", token).json()
    long = office.call("GET", f"{path}?from=2026-01-01T00:00:00Z", token)

    assert week["happened"] == [{"at": "2026-11-23T07:30:00Z", "fault": "lamp_failure", "what": "standing"}]
    assert hour["happened"] == []
    assert (long.status_code, long.json()["detail"]) == (422, "from must be before to, by at most 31 days")
