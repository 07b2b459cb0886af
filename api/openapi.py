"""The OpenAPI description: schemas from the structs that are sent, with worked examples."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response

from api.answers import (
    AirAnswer,
    AirsAnswer,
    Health,
    HoldAnswer,
    LampAnswer,
    LampsAnswer,
    LampState,
    Measured,
    NoticesAnswer,
    OpeningHours,
    YardAnswer,
    YardsAnswer,
)
from api.estimate.forecast import ForecastAnswer, HourForecast
from api.estimate.past import Unknown
from api.examples import NOON, OF_LIGHT
from api.guard import MAX_HEADER, MAX_TARGET
from api.history import HistoryAnswer, Point, Series
from api.open_data.daybook import DaysAnswer
from api.problems import MEDIA_TYPE, Problem
from api.reply import JSON
from api.staff.notices import Notice, NoticeAsked, Texts
from hoflicht import __version__
from hoflicht.wait import State, Trend, Trust, Wait

REF = "#/components/schemas/{name}"
ABOUT = """Live waiting times of recycling yards, street lamps and air, measured without any personal data.

- Anonymous, read only, CORS open. Please keep to `Cache-Control`, and ask with `If-None-Match`. Who asks too often is told 429 and
  when to come back (`Retry-After`).
- The wait is the time from joining the tail of the queue to passing the entry control, for a car that arrives now: `p50_s` is the
  median, one car in ten waits less than `p10_s`, one in ten longer than `p90_s`, and `mean_s` is what to expect on average.
- A face for people should show `shown_min`, the median rounded up to a step and held, so that it does not flicker; 61 stands for
  "more than 60". `trust` is `measured` where the estimate is calibrated on waits measured back, `configured` where it still rests
  on what the operator expects (say "about"), and `reckoned` where a counter is out.
- A number is null where the data do not carry it; `reason` then says why. Show nothing older than `valid_until`.
- The same data in OGC SensorThings 1.1 stand under `/v1.1/`; its language of paths and options is the standard's (18-088).
- Instants are RFC 3339 with their zone. Errors are problem details (RFC 9457).
"""
TAGS = [
    {"name": "yards", "description": "Recycling yards and their waits"},
    {"name": "streams", "description": "Server-sent events: `event: wait`, a new one every ten seconds"},
    {"name": "city", "description": "Lamps and air"},
    {"name": "publications", "description": "What calendars, feed readers, search engines and open data portals read"},
    {"name": "platform", "description": "For operators"},
    {"name": "staff", "description": "With a key only; `hoflicht keys add` makes one. Each call is audited"},
]
WAIT = Wait(
    yard="hof-nord",
    state=State.OPEN,
    as_of=NOON,
    valid_until=NOON + dt.timedelta(seconds=60),
    p10_s=402,
    p50_s=743,
    p90_s=1231,
    mean_s=791,
    shown_min=15,
    queue=8,
    queue_p10=6,
    queue_p90=11,
    trust=Trust.MEASURED,
    trend=Trend.RISING,
    last_entry=NOON + dt.timedelta(hours=6, minutes=30),
    latest_arrival=NOON + dt.timedelta(hours=6, minutes=9, seconds=29),
    rests_on=("gate-in", "lane-3", "lane-50", "lane-in"),
)
YARD = YardAnswer(
    id="hof-nord",
    name="Recyclinghof Nord",
    address="Im Holtkamp 84, 47167 Duisburg",
    lat=51.4936,
    lon=6.7486,
    opening_hours=OpeningHours("Europe/Berlin", {"mon": "08:00-18:00"}, {}, ("2026-12-24",), False, 30),
    wait=WAIT,
)
NOTICE = Notice(
    yard="hof-nord",
    texts=Texts(
        de="Grünschnitt wird heute nur bis 15 Uhr angenommen.",
        simple="Sie können heute nur bis 15 Uhr Äste und Laub bringen.",
        en="Garden waste is taken until 3 p.m. only today.",
        tr="Bahçe atıkları bugün yalnızca saat 15.00'e kadar alınır.",
    ),
    since=NOON - dt.timedelta(hours=2),
    until=NOON + dt.timedelta(hours=7),
)
LAMP = LampAnswer(
    id="lamp-0012",
    street="Friedrich-Wilhelm-Straße",
    lat=51.42972,
    lon=6.76284,
    nominal_power_w=56.0,
    level=Measured(60.0, "%", NOON, 12),
    power=Measured(33.1, "W", NOON, 12),
    failure=Measured(0.0, "/", NOON, 12),
    state=LampState.DIMMED,
    target=Measured(60.0, "%", NOON, 12),
    feedback=Measured(60.0, "%", NOON, 12),
    reason="program",
)
AIR = AirAnswer("lamp-0012", "air", 51.42972, 6.76284, {"pm2_5": Measured(8.4, "ug/m3", NOON, 31)})
EXAMPLES: dict[type, msgspec.Struct] = {
    Wait: WAIT,
    YardAnswer: YARD,
    YardsAnswer: YardsAnswer("Duisburg", [YARD]),
    Notice: NOTICE,
    NoticeAsked: NoticeAsked(texts=NOTICE.texts, until=NOTICE.until),
    NoticesAnswer: NoticesAnswer("Duisburg", [NOTICE]),
    HistoryAnswer: HistoryAnswer("hof-nord", "wait_p50", "s", 300, [Series("estimate", [Point(NOON, 731.0)])]),
    DaysAnswer: DaysAnswer("hof-nord", "Europe/Berlin", ["/v1/yards/hof-nord/days/2026-11-23.csv"]),
    ForecastAnswer: ForecastAnswer(
        "hof-nord",
        NOON,
        [
            HourForecast(at=NOON, state=State.OPEN, mean_s=845, p10_s=310, p50_s=760, p90_s=1530),
            HourForecast(at=NOON + dt.timedelta(hours=1), state=State.OPEN, reason=Unknown.YOUNG),
            HourForecast(at=NOON + dt.timedelta(hours=7), state=State.CLOSED),
        ],
    ),
    LampsAnswer: LampsAnswer("Duisburg", [LAMP]),
    AirsAnswer: AirsAnswer("Duisburg", [AIR]),
    Health: Health(True, __version__, "answers", 4),
    HoldAnswer: HoldAnswer("hof-nord", NOON + dt.timedelta(minutes=45)),
    **OF_LIGHT,
}
PROBLEMS = (
    Problem.of(400, "more than the database reads at once; ask for less"),
    Problem.of(404, "there is no yard 'hof-ost'; there are: hof-nord, hof-sued, hof-west, hof-mitte"),
    Problem.of(413, "no request here needs a body"),
    Problem.of(414, f"path and query may have {MAX_TARGET} bytes"),
    Problem.of(422, "step: Input should be greater than or equal to 60"),
    Problem.often(),
    Problem.of(431, f"all header fields together may have {MAX_HEADER} bytes"),
    Problem.of(503, "the database does not answer; try again in a few seconds"),
)
STAFF_PROBLEMS = (
    *PROBLEMS,
    Problem.of(401, "no such key, or it has expired"),
    Problem.of(403, "this key lacks the scope yards:hold"),
)
STAFF_KEY: dict[str, Any] = {"security": [{"staffKey": []}]}
SCHEMES = {"staffKey": {"type": "http", "scheme": "bearer", "description": "A key of `hoflicht keys add`, with the scope it needs"}}


def describe(shape: type, media_type: str = JSON, problems: Iterable[Problem] = PROBLEMS, *, tagged: bool = True) -> dict[str, Any]:
    """How a route answers: `shape` as JSON, and in `media_type` too where that is another; `tagged`: with an ETag."""
    content: dict[str, Any] = {JSON: {"schema": {"$ref": REF.format(name=shape.__name__)}, "example": _example(shape)}}
    if media_type != JSON:
        content[media_type.partition(";")[0]] = {"schema": {"type": "object" if media_type.endswith("json") else "string"}}
    return _described(content, problems, tagged=tagged)


def describe_forms(examples: Mapping[str, Any]) -> dict[str, Any]:
    """How a route answers that says the same in one or more forms, none of them JSON of ours: an example for each media type."""
    content = {
        form.partition(";")[0]: {"schema": {"type": "string" if isinstance(example, str) else "object"}, "example": example}
        for form, example in examples.items()
    }
    return _described(content, PROBLEMS, tagged=True)


def _described(content: Mapping[str, Any], problems: Iterable[Problem], *, tagged: bool) -> dict[str, Any]:
    failed = {problem.status: {"description": problem.title, "content": _problem(problem)} for problem in problems}
    kept = {304: {"description": "As you have it (If-None-Match)"}} if tagged else {}
    return {"response_class": Response, "responses": {200: {"description": "As asked", "content": content}, **kept, **failed}}


def _problem(problem: Problem) -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": {"$ref": REF.format(name="Problem")}, "example": msgspec.to_builtins(problem)}}


def describe_app(app: FastAPI) -> dict[str, Any]:
    """The whole document; made once."""
    if not app.openapi_schema:
        document = get_openapi(
            title=app.title,
            version=__version__,
            description=ABOUT,
            routes=app.routes,
            tags=TAGS,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        _, schemas = msgspec.json.schema_components((*EXAMPLES, Problem), ref_template=REF)
        components = document.setdefault("components", {})
        components["schemas"] = components.get("schemas", {}) | schemas
        components["securitySchemes"] = SCHEMES
        app.openapi_schema = document
    return app.openapi_schema


def _example(shape: type) -> Any:
    return msgspec.to_builtins(EXAMPLES[shape])
