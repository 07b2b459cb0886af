"""Open faults under /v1/staff: the list of alarms, who has seen them, a site's past, and the work list of whoever drives out."""

import csv
import datetime as dt
import io
from collections.abc import Iterable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from api.problems import Wrong
from api.reply import CSV, wants_csv
from api.routes import From, Table, Until
from api.staff.alarms import (
    ACKNOWLEDGED,
    Alarm,
    Alarms,
    AlarmsAnswer,
    AlarmState,
    OrdersAnswer,
    PastAnswer,
    SeverityName,
    past,
)
from api.staff.control import Control, answered, described, the
from api.staff.holding import say
from api.staff.keys import Key, Scope
from hoflicht.faults import FAULTS
from hoflicht.instants import moment, ms
from hoflicht.reading import MAX_ID
from store.readings import Store

MAX_SPAN = dt.timedelta(days=31)  # of a past that is asked for; faults are told once an hour, eleven at a lamp
USUAL_SPAN = dt.timedelta(days=7)
URGENT_FIRST = {SeverityName.HIGH: 0, SeverityName.MEDIUM: 1, SeverityName.LOW: 2}
COLUMNS = ("street", "site", "severity", "fault", "de", "en", "since", "state", "lat", "lon")

SiteId = Annotated[str, Path(max_length=MAX_ID, description="Id of a lamp, cabinet or gateway", examples=["lamp-0012"])]
FaultId = Annotated[str, Path(max_length=MAX_ID, description="Quantity of the fault", examples=["lamp_failure"])]
OfState = Annotated[AlarmState | None, Query(alias="state", description="Only these")]
OfSeverity = Annotated[SeverityName | None, Query(alias="severity", description="Only these")]
OfGroup = Annotated[str | None, Query(alias="group", max_length=MAX_ID, description="Only at lamps of this group")]


def router(control: Control, store: Store, alarms: Alarms) -> APIRouter:
    """The routes for faults."""
    routes = APIRouter(prefix="/v1/staff", tags=["staff"])
    _add_alarms(routes, control, alarms)
    _add_past(routes, control, store)
    return routes


def _add_alarms(routes: APIRouter, control: Control, alarms: Alarms) -> None:
    acknowledger = Depends(control.staff.door.wants(Scope.ACKNOWLEDGE))

    @routes.get("/alarms", summary="Open faults", **described(AlarmsAnswer))
    def all_alarms(
        key: Annotated[Key, control.reader], state: OfState = None, severity: OfSeverity = None, group: OfGroup = None
    ) -> Response:
        control.look(key, "alarms")
        wanted = {"state": state, "severity": severity, "group": group}
        return answered(AlarmsAnswer([alarm for alarm in alarms.open() if _is(alarm, wanted)]))

    @routes.put("/alarms/{site}/{fault}/acknowledgement", summary="Say that a fault has been seen", **described(Alarm))
    def acknowledge(site: SiteId, fault: FaultId, key: Annotated[Key, acknowledger]) -> Response:
        if not any(_is(alarm, {"site": site, "fault": the("fault", fault, FAULTS)}) for alarm in alarms.open()):
            raise Wrong(404, f"{site} has no open {fault}")
        words = alarms.words(site, fault)
        with control.staff.door.noting(key, f"acknowledge {fault} of {site}"):
            say(control.staff.errands, words)
        alarms.note(words[0], fault)
        found = [alarm for alarm in alarms.open() if _is(alarm, {"site": site, "fault": fault})]
        if not found:
            raise Wrong(404, f"{site} has no open {fault} any more")
        return answered(found[0])

    @routes.get("/orders", summary="Work list of open faults, by street", **described(OrdersAnswer, CSV))
    def orders(request: Request, key: Annotated[Key, control.reader], form: Table = None) -> Response:
        control.look(key, "orders")
        listed = sorted(alarms.open(), key=lambda alarm: (alarm.street, URGENT_FIRST[alarm.severity], alarm.site))
        if wants_csv(request, form):
            return Response(as_csv(listed), media_type=CSV)
        return answered(OrdersAnswer(listed))


def _add_past(routes: APIRouter, control: Control, store: Store) -> None:
    @routes.get("/alarms/{site}/past", summary="What happened to the faults of a site", **described(PastAnswer))
    def site_past(site: SiteId, key: Annotated[Key, control.reader], start: From = None, end: Until = None) -> Response:
        city = control.city
        control.look(key, f"the past of {the('site', site, {*city.lamps, *city.cabinets, *city.gateways})}")
        until = end or moment(control.clock.now_ms())
        begin = start or until - USUAL_SPAN
        if not dt.timedelta(0) < until - begin <= MAX_SPAN:
            raise Wrong(422, f"from must be before to, by at most {MAX_SPAN.days} days")
        happened = past(store.read(site, (*FAULTS, ACKNOWLEDGED), ms(begin), ms(until)))
        return answered(PastAnswer(site, list(happened)))


def as_csv(orders: Iterable[Alarm]) -> bytes:
    """RFC 4180, as COLUMNS."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for alarm in orders:
        told = msgspec.to_builtins(alarm)
        writer.writerow(["" if told[column] is None else told[column] for column in COLUMNS])
    return out.getvalue().encode()


def _is(alarm: Alarm, wanted: dict[str, str | None]) -> bool:
    return all(value is None or getattr(alarm, name) == value for name, value in wanted.items())
