"""The description of the API holds: whatever is asked, the answer is one that stands in it, and never a 500."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.staff.keys import Scope
from hoflicht import Reading
from hoflicht.catalogue import City
from hoflicht.faults import FAULTS
from tests.office import NOW_MS, Office, working

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# Some seconds; the same in each run, so that a red one is no accident.
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]  # what a server behind HTTP is
# What the city of the tests has, by the names of the description; `command` is made by the call before.
NAMED = {"yard": "hof-nord", "lamp": "lamp-0012", "group": "altstadt", "site": "lamp-0012", "fault": "lamp_failure"}
ASKED: dict[str, dict[str, Any]] = {"override": {"percent": 50, "minutes": 5}, "program": {"name": "hauptstrasse"}}
WRITTEN: dict[str, dict[str, Any]] = {"notice": {"texts": {"de": "Heute kein Grünschnitt"}, "until": "2026-11-24T18:00:00Z"}}
BOUNDED = settings(max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=SLOW)


@pytest.fixture(scope="module")
def office(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with working(city, tmp_path_factory.mktemp("office")) as office:
        office.face.tell()
        office.store.write([Reading("lamp-0012", "driver", name, NOW_MS - 60_000, 1.0) for name in ("level_actual", *FAULTS)])
        office.face.streams.close()  # a stream has no end to wait for: it answers that it is busy, as described
        yield office


@pytest.fixture(scope="module")
def operations(office: Office) -> list[Operation]:
    schema = schemathesis.openapi.from_url(f"{office.url}/openapi.json")
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def test_every_operation_is_read(operations: list[Operation]) -> None:
    assert len(operations) == 47


def test_what_the_city_has_is_answered_to_staff_as_described(office: Office, operations: list[Operation]) -> None:
    headers = {"Authorization": f"Bearer {office.key(*Scope)}", "Content-Type": "application/json"}
    made = office.call("PUT", "/v1/staff/lamps/lamp-0012/override?percent=50&minutes=5", office.key(Scope.CONTROL)).json()["id"]
    of_staff = [operation for operation in operations if operation.path.startswith("/v1/staff")]
    deleted_last = sorted(of_staff, key=lambda operation: (operation.method == "delete", operation.method == "get"))
    statuses = {}

    for operation in deleted_last:
        named = {**NAMED, "command": made, "name": "hauptstrasse"}
        path = {name: value for name, value in named.items() if f"{{{name}}}" in operation.path}
        query = ASKED.get(operation.path.rpartition("/")[2], {}) if operation.method == "put" else {}
        written = WRITTEN.get(operation.path.rpartition("/")[2], {"wet_class": "M4"})
        body: dict[str, Any] = {"body": written, "media_type": "application/json"} if operation.body else {}
        office.clock.advance(2_000)
        case = operation.Case(path_parameters=path, query=query, **body)
        statuses[operation.label] = case.call_and_validate(headers=headers, checks=CHECKS).status_code

    assert len(statuses) == 28
    assert {label: status for label, status in statuses.items() if status not in (200, 202)} == {}


@pytest.mark.parametrize("signed", [True, False], ids=["with a key", "without"])
def test_every_answer_is_one_that_was_described(office: Office, operations: list[Operation], signed: bool) -> None:
    headers = {"Authorization": f"Bearer {office.key(*Scope)}"} if signed else {}
    asked = Counter[str]()

    @BOUNDED
    @given(data=st.data())
    def ask(operation: Operation, data: st.DataObject) -> None:
        modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
        case = data.draw(st.one_of(modes))
        office.clock.advance(2_000)  # a key may be used every other second
        asked[operation.label] += 1
        case.call_and_validate(headers=headers, checks=CHECKS)

    for operation in operations:
        ask(operation)

    assert set(asked) == {operation.label for operation in operations}
