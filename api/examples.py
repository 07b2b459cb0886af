"""Worked examples of what staff are answered about light; api.openapi shows them."""

import datetime as dt

import msgspec

from api.answers import LampState, Measured
from api.light.exports import TALQ, FiwareAnswer, TalqAnswer, fiware, talq
from api.light.posts import (
    BurnsBy,
    GroupAnswer,
    GroupsAnswer,
    InForce,
    KeptBy,
    OverrideAnswer,
    PostAnswer,
    PostsAnswer,
    ProgramAnswer,
    ProgramsAnswer,
    Standing,
)
from api.staff.alarms import Alarm, AlarmsAnswer, AlarmState, Happened, OrdersAnswer, PastAnswer, SeverityName, Turn
from hoflicht.catalogue import City
from hoflicht.program import Period, Program, Step

NOON = dt.datetime(2026, 11, 23, 11, 0, tzinfo=dt.timezone(dt.timedelta(hours=1)))
VERSION = 1_795_431_600_000
NIGHT = Program(
    periods=(Period(steps=(Step(at="dusk", percent=100), Step(at="23:00", percent=50), Step(at="05:30", percent=100))),)
)
POST = PostAnswer(
    id="lamp-0012",
    street="Friedrich-Wilhelm-Straße",
    lat=51.42972,
    lon=6.76284,
    group="altstadt",
    cabinet="cabinet-07",
    nominal_power_w=56.0,
    lighting_class="M3",
    program="hauptstrasse",
    program_by_staff=False,
    override=InForce("9f1c2a7be04d5536", 100.0, NOON + dt.timedelta(minutes=45), Standing.APPLIED),
    gateways=[KeptBy("gw-strasse", VERSION, VERSION, "")],
    state=LampState.ON,
    values={
        "level_target": Measured(100.0, "%", NOON, 12),
        "level_feedback": Measured(100.0, "%", NOON, 12),
        "level_actual": Measured(100.0, "%", NOON, 12),
        "light_reason": Measured(3.0, "count", NOON, 12),
        "operating_hours": Measured(12_041.5, "h", NOON, 212),
    },
    faults=["dimmingFailure"],
)
GROUP = GroupAnswer("altstadt", "Friedrich-Wilhelm-Straße", "hauptstrasse", False, ["lamp-0012"])
PROGRAM = ProgramAnswer("hauptstrasse", False, 24, NIGHT)
ALARM = Alarm(
    site="lamp-0012",
    fault="dimming_failure",
    talq="dimmingFailure",
    severity=SeverityName.LOW,
    state=AlarmState.OPEN,
    since=NOON - dt.timedelta(days=2),
    told=NOON,
    acknowledged=None,
    street="Friedrich-Wilhelm-Straße",
    group="altstadt",
    lat=51.42972,
    lon=6.76284,
    de="Lampe lässt sich nicht dimmen",
    en="lamp cannot be dimmed",
)
OF_LIGHT: dict[type, msgspec.Struct] = {
    PostsAnswer: PostsAnswer("Duisburg", [POST]),
    PostAnswer: POST,
    GroupsAnswer: GroupsAnswer([GROUP]),
    GroupAnswer: GROUP,
    OverrideAnswer: OverrideAnswer(
        id="9f1c2a7be04d5536",
        lamp="",
        group="altstadt",
        percent=100.0,
        at=NOON,
        until=NOON + dt.timedelta(minutes=45),
        counts={Standing.APPLIED: 1},
        lamps={Standing.APPLIED: ["lamp-0012"]},
    ),
    ProgramsAnswer: ProgramsAnswer([PROGRAM]),
    ProgramAnswer: PROGRAM,
    BurnsBy: BurnsBy("lamp-0012", "", "hauptstrasse", False),
    AlarmsAnswer: AlarmsAnswer([ALARM]),
    Alarm: ALARM,
    OrdersAnswer: OrdersAnswer([ALARM]),
    PastAnswer: PastAnswer("lamp-0012", [Happened(NOON - dt.timedelta(days=2), "dimming_failure", Turn.RAISED)]),
    FiwareAnswer: FiwareAnswer(fiware(City(name="Duisburg"), [POST], {})),
    TalqAnswer: TalqAnswer(TALQ, [talq(POST)]),
}
