"""Who may say what."""

import pytest

from hoflicht import Reading, senml
from hoflicht.catalogue import City
from ingest.checks import MAX_OWN_SENSORS, Checks, Fault
from ingest.verdict import judge

NOW = 1_800_000_000_000
DAY_MS = 86_400_000


def fault(city: City, gateway: str, reading: Reading) -> str | None:
    complaint = Checks(city).complaint(gateway, reading, NOW)
    found = None if complaint is None else complaint.fault.value
    faulty = judge(Checks(city), gateway, senml.encode([reading]), NOW).faulty
    assert (None if faulty is None else faulty.faults) == (None if found is None else (found,))  # in a batch it is the same
    return found


@pytest.mark.parametrize(
    ("gateway", "reading"),
    [
        ("gw-hof-nord", Reading("hof-nord", "air", "temperature", NOW, 20.0)),
        ("gw-hof-nord", Reading("hof-nord", "lane-in", "passage", NOW - 80 * DAY_MS, 1.0)),
        ("gw-strasse", Reading("lamp-0012", "traffic", "passage", NOW, 1.0)),
        ("gw-strasse", Reading("cabinet-07", "meter", "voltage_l1", NOW, 230.0)),
        ("api", Reading("hof-west", "estimate", "wait_p50", NOW, 600.0)),
        ("api", Reading("hof-west", "staff", "hold", NOW, 600.0)),
        ("api", Reading("lamp-0001", "staff", "acknowledged", NOW, 1.0)),
        ("api", Reading("cabinet-07", "watch", "communication_failure", NOW, 1.0)),
        ("api", Reading("gw-strasse", "watch", "communication_failure", NOW, 1.0)),
    ],
)
def test_what_the_catalogue_knows_may_be_said(city: City, gateway: str, reading: Reading) -> None:
    assert fault(city, gateway, reading) is None


def test_what_is_well_needs_no_second_look(city: City) -> None:
    checks = Checks(city)
    own = Reading("gw-hof-nord", "gateway", "uptime", NOW, 1.0)
    pack = senml.encode([own, *(Reading("hof-nord", "gate-in", "passage", NOW - n, 1.0) for n in range(3))])
    judge(checks, "gw-hof-nord", pack, NOW)  # of its own site a sensor is known once it has been named

    readings, odd = senml.sift(pack, checks.lets("gw-hof-nord", NOW))

    assert len(readings) == 4
    assert odd == []


def test_who_speaks_for_others_makes_us_remember_nothing_of_it(city: City) -> None:
    place, _, _ = Checks(city).lets("gw-hof-nord", NOW)
    places = getattr(place, "__self__")  # noqa: B009

    for n in range(100):
        assert place(f"hof-nord/made-up-{n}/").ranges == {}
    assert place("hof-nord/gate-in/").ranges

    assert list(places) == ["hof-nord/gate-in/"]


def test_a_gateway_may_say_anything_about_its_own_health(city: City) -> None:
    assert fault(city, "gw-hof-nord", Reading("gw-hof-nord", "port-3", "port_open", NOW, 1.0)) is None


def test_a_gateway_that_makes_up_sensors_of_its_own_has_a_bounded_number_of_them_in_the_store(city: City) -> None:
    checks = Checks(city)
    names = ["gateway", "port-3", *(f"made-up-{n}" for n in range(1_000))]

    def heard(gateway: str) -> list[tuple[Fault, str] | None]:
        return [checks.complaint(gateway, Reading(gateway, name, "port_open", NOW, 1.0), NOW) for name in names]

    surplus = ("unknown-sensor", "gw-hof-nord names more than 64 sensors of its own")
    expected = [None] * MAX_OWN_SENSORS + [surplus] * (len(names) - MAX_OWN_SENSORS)

    assert [heard("gw-hof-nord"), heard("gw-hof-nord")] == [expected, expected]
    assert checks.complaint("gw-strasse", Reading("gw-strasse", "gateway", "uptime", NOW, 1.0), NOW) is None


@pytest.mark.parametrize(
    ("gateway", "site", "sensor", "expected"),
    [
        ("gw-hof-nord", "hof-sued", "gate-in", "foreign-site"),
        ("gw-hof-nord", "gw-hof-sued", "gateway", "foreign-site"),
        ("gw-strasse", "hof-nord", "air", "foreign-site"),
        ("api", "lamp-0001", "driver", "unknown-sensor"),
        ("gw-hof-nord", "hof-ost", "gate-in", "unknown-site"),
        ("gw-hof-nord", "ingest", "worker", "unknown-site"),
        ("api", "ingest", "worker", "unknown-site"),
        ("gw-hof-nord", "hof-nord", "gate-9", "unknown-sensor"),
        ("gw-fremd", "hof-nord", "gate-in", "unknown-gateway"),
    ],
)
def test_nobody_speaks_for_another(city: City, gateway: str, site: str, sensor: str, expected: str) -> None:
    assert fault(city, gateway, Reading(site, sensor, "passage", NOW, 1.0)) == expected


def test_only_the_api_estimates_and_says_what_staff_say_and_it_does_nothing_else(city: City) -> None:
    assert fault(city, "gw-hof-nord", Reading("hof-nord", "estimate", "wait_p50", NOW, 60.0)) == "unknown-sensor"
    assert fault(city, "gw-hof-nord", Reading("hof-nord", "staff", "hold", NOW, 60.0)) == "unknown-sensor"
    assert fault(city, "gw-strasse", Reading("lamp-0001", "staff", "acknowledged", NOW, 1.0)) == "unknown-sensor"
    assert fault(city, "gw-strasse", Reading("gw-strasse", "watch", "communication_failure", NOW, 0.0)) == "unknown-sensor"
    assert fault(city, "api", Reading("hof-nord", "gate-in", "passage", NOW, 1.0)) == "unknown-sensor"


@pytest.mark.parametrize("value", [-60.1, 150.1, 1e308])
def test_a_value_outside_the_range_of_its_quantity_is_no_measurement(city: City, value: float) -> None:
    assert fault(city, "gw-hof-nord", Reading("hof-nord", "air", "temperature", NOW, value)) == "out-of-range"


@pytest.mark.parametrize("value", [-60.0, 150.0])
def test_the_ends_of_a_range_belong_to_it(city: City, value: float) -> None:
    assert fault(city, "gw-hof-nord", Reading("hof-nord", "air", "temperature", NOW, value)) is None


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (NOW + 300_000, None),
        (NOW + 300_001, "in-the-future"),
        (NOW - 89 * DAY_MS, None),
        (NOW - 89 * DAY_MS - 1, "too-old"),
        (300_000_000_000, "too-old"),  # of the year 1979; a smaller one would count from now
    ],
)
def test_a_time_is_at_most_five_minutes_ahead_and_89_days_back(city: City, at_ms: int, expected: str | None) -> None:
    assert fault(city, "gw-hof-nord", Reading("hof-nord", "air", "temperature", at_ms, 1.0)) == expected


def test_like_faults_read_alike(city: City) -> None:
    checks = Checks(city)

    reasons = {
        checks.complaint("gw-hof-nord", Reading("hof-nord", "air", "temperature", NOW + n, 900.0 + n), NOW) for n in range(3)
    }

    assert reasons == {(Fault.OUT_OF_RANGE, "hof-nord/air: temperature is not within -60 to 150 Cel")}
