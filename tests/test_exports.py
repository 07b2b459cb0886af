"""Lamps by FIWARE's and TALQ's names: only names that those models have, and values that mean what they mean there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.light.exports import ACTUATOR, MONITOR
from api.staff.keys import Scope
from hoflicht import Reading
from hoflicht.catalogue import City
from hoflicht.faults import FAULTS
from tests.office import NOW_MS, Office, opened

# The attributes of the models' schemas and documents: smart-data-models/dataModel.Streetlighting, with GSMA-Commons and
# Location-Commons; docs/staff.md names the versions.
STREETLIGHT = {
    *(
        "id",
        "type",
        "location",
        "address",
        "status",
        "powerState",
        "illuminanceLevel",
        "powerConsumption",
        "powerRating",
        "voltage",
    ),
    *("lifetimePowerConsumption", "controllingMethod", "circuit", "refStreetlightGroup", "refStreetlightControlCabinet"),
    *("observationDateTime", "current", "powerFactor", "dateLastSwitchingOn", "dateLastSwitchingOff", "locationCategory"),
}
CABINET = {
    *("id", "type", "location", "address", "workingMode", "features", "refStreetlightGroup", "energyConsumed", "totalActivePower"),
    *("frequency", "voltageR", "voltageS", "voltageT"),
}
GROUP = {"id", "type", "name", "location", "activeProgramId", "illuminanceLevel", "switchingMode", "switchingOnHours"}
# TALQ data model 2.7.1, the functions that are filled.
TALQ = {
    "BasicFunction": {"displayName", "assetId", "location"},
    "CommunicationFunction": {"communicationFailure"},
    "LampActuatorFunction": {"targetLightCommand", "feedbackLightCommand", "actualLightState", "calendarID"},
    "LampMonitorFunction": {
        *("operatingHours", "switchOnCounter", "activePower", "activeEnergy", "powerFactor", "supplyVoltage", "temperature"),
        *("lampFailure", "lampUnexpectedOn", "cyclingFailure", "dimmingFailure", "lampPowerTooHigh", "lampPowerTooLow"),
        *("highTemperature", "controlGearCommFailure", "supplyLoss"),
    },
}
LAMP = {
    "level_target": 60.0,
    "level_feedback": 60.0,
    "level_actual": 59.8,
    "light_reason": 2.0,
    "active_power": 33.1,
    "energy_import": 812.4,
    "power_factor": 0.95,
    "operating_hours": 12_041.5,
    "lamp_starts": 2_113.0,
    "voltage": 231.0,
    "temperature": 41.0,
    "cycling_failure": 1.0,
}
METER = {"active_power": 1_020.0, "energy_import": 51_200.0, "frequency": 50.01, "voltage_l1": 230.0, "voltage_l3": 232.0}


@pytest.fixture
def office(city: City, tmp_path: Path) -> Iterator[Office]:
    with opened(city, tmp_path) as office:
        said = [Reading("lamp-0012", "driver", name, NOW_MS - 60_000, value) for name, value in LAMP.items()]
        office.store.write([*said, *(Reading("cabinet-07", "meter", name, NOW_MS, value) for name, value in METER.items())])
        yield office


def test_a_lamp_is_a_streetlight(office: Office) -> None:
    entities = office.call("GET", "/v1/staff/export/fiware", office.key(Scope.READ)).json()["entities"]
    by_id = {entity["id"]: entity for entity in entities}

    assert by_id["urn:ngsi-ld:Streetlight:lamp-0012"] == {
        "id": "urn:ngsi-ld:Streetlight:lamp-0012",
        "type": "Streetlight",
        "location": {"type": "Point", "coordinates": [6.76284, 51.42972]},
        "address": {"streetAddress": "Friedrich-Wilhelm-Straße", "addressLocality": "Duisburg"},
        "status": "defectiveLamp",
        "powerState": "low",
        "illuminanceLevel": 0.598,
        "powerConsumption": 33.1,
        "lifetimePowerConsumption": 812.4,
        "powerRating": 56.0,
        "voltage": 231.0,
        "controllingMethod": "individual",
        "circuit": "cabinet-07",
        "refStreetlightGroup": "urn:ngsi-ld:StreetlightGroup:altstadt",
        "refStreetlightControlCabinet": "urn:ngsi-ld:StreetlightControlCabinet:cabinet-07",
        "observationDateTime": "2026-11-23T08:29:00+00:00",
    }
    silent = by_id["urn:ngsi-ld:Streetlight:lamp-0001"]
    assert (silent["status"], "powerState" in silent, "illuminanceLevel" in silent) == ("ok", False, False)
    assert by_id["urn:ngsi-ld:StreetlightGroup:altstadt"]["activeProgramId"] == "hauptstrasse"
    assert len(by_id["urn:ngsi-ld:StreetlightGroup:altstadt"]["location"]["coordinates"]) == 24
    cabinet = by_id["urn:ngsi-ld:StreetlightControlCabinet:cabinet-07"]
    assert (cabinet["energyConsumed"], cabinet["totalActivePower"], cabinet["voltageR"]) == (51_200.0, 1_020.0, 230.0)
    assert ("voltageS" in cabinet, cabinet["refStreetlightGroup"]) == (False, ["urn:ngsi-ld:StreetlightGroup:altstadt"])


def test_only_names_that_fiware_has_are_used(office: Office) -> None:
    entities = office.call("GET", "/v1/staff/export/fiware", office.key(Scope.READ)).json()["entities"]
    allowed = {"Streetlight": STREETLIGHT, "StreetlightGroup": GROUP, "StreetlightControlCabinet": CABINET}

    assert {name for entity in entities for name in entity.keys() - allowed[entity["type"]]} == set()
    assert {entity["type"] for entity in entities} == set(allowed)


def test_a_lamp_is_a_device_of_four_functions(office: Office) -> None:
    answer = office.call("GET", "/v1/staff/export/talq", office.key(Scope.READ)).json()
    device = next(device for device in answer["devices"] if device["address"] == "lamp-0012")

    actuator, monitor = device["functions"]["LampActuatorFunction"], device["functions"]["LampMonitorFunction"]
    assert answer["version"] == "2.7.1"
    assert actuator["targetLightCommand"] == {"level": 60.0, "timestamp": "2026-11-23T08:29:00+00:00", "reason": "sensor"}
    assert (actuator["actualLightState"]["level"], actuator["calendarID"]) == (59.8, "hauptstrasse")
    assert (monitor["operatingHours"], monitor["switchOnCounter"], monitor["activeEnergy"]) == (12_041.5, 2_113.0, 812.4)
    assert monitor["powerFactor"] == 0.95
    assert {name for name, value in monitor.items() if value is True} == {"cyclingFailure"}
    assert device["functions"]["CommunicationFunction"] == {"communicationFailure": False}


def test_only_names_that_talq_has_are_used(office: Office) -> None:
    devices = office.call("GET", "/v1/staff/export/talq", office.key(Scope.READ)).json()["devices"]

    assert len(devices) == 24
    assert {
        f"{function}.{name}"
        for device in devices
        for function, told in device["functions"].items()
        for name in told.keys() - TALQ[function]
    } == set()
    events = {fault.talq for fault in FAULTS.values()} - {"cabinetDoorOpen"}
    assert set(MONITOR.values()) | set(ACTUATOR.values()) | events <= {name for names in TALQ.values() for name in names}
