"""The board of the recycling yards: what the public sees, and what it rests on."""

from grafana_foundation_sdk.builders import heatmap, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from dashboards import uids
from dashboards.board import board, choice, marks, place
from dashboards.influxql import LATELY, Query, chosen, hour_of_day, last, marked, over_time, said
from dashboards.panels import (
    BLUE,
    GREEN,
    GREY,
    RED,
    YELLOW,
    Limits,
    band,
    bars,
    days_by_hours,
    lines,
    numbers,
    states,
    steps,
    unit_of,
)
from dashboards.parts import Scope
from hoflicht.catalogue import ESTIMATE
from hoflicht.wait import STATE_CODES, TRUST_CODES, State, Trust

SITE = {"site": chosen("site")}
ESTIMATE_OF_ALL = {"sensor": ESTIMATE}
ESTIMATED = {**SITE, **ESTIMATE_OF_ALL}
# People turn round at half an hour; from an hour on the sign gives no number any more, only "more than 60".
LONG_WAIT: Limits = {1_800: YELLOW, 3_600: RED}
STATES = {
    STATE_CODES[State.OPEN]: ("open", GREEN),
    STATE_CODES[State.HELD]: ("held", YELLOW),
    STATE_CODES[State.CLOSING]: ("closing", BLUE),
    STATE_CODES[State.CLOSED]: ("closed", GREY),
    STATE_CODES[State.UNKNOWN]: ("unknown", RED),
}
TRUSTS = {
    TRUST_CODES[Trust.MEASURED]: ("measured", GREEN),
    TRUST_CODES[Trust.CONFIGURED]: ("configured", YELLOW),
    TRUST_CODES[Trust.RECKONED]: ("reckoned", RED),
}
# The nearest published bar: border crossings tell 85 % of vehicles to within three minutes.
LARGE_ERROR: Limits = {180: YELLOW}
LATE: Limits = {0: RED, 1_800: YELLOW, 3_600: GREEN}  # half an hour before the end somebody should stand at the tail
HOUR_MS = 3_600_000
ON_OFF = {0: ("no", GREY), 1: ("yes", BLUE)}
HOURS = range(7, 20)  # of the day, in the city's time; no yard that we know opens earlier or closes later
NONE = -1.0  # stands for hours without a number


def yards(scope: Scope) -> Dashboard:
    """All yards at a glance, then one yard in detail."""
    meaning = "Waiting times as the public sees them, and the sensors they rest on."
    empty = board(uids.YARDS, meaning, start="now-12h", links=[uids.CITY]).with_variable(choice("site", "yard", "wait_state"))
    empty.annotation(marks("gate held", YELLOW, marked(["held"], SITE), "site"))
    empty.annotation(marks("hold by staff", RED, said(["hold"], SITE), "site"))
    empty.annotation(marks("notice", BLUE, said(["notice"], SITE), "site"))
    zone = "UTC" if scope.city is None else scope.city.timezone
    panels = [_all(), _wait(), _queue(), _state(), _trust(), _arrival(), _passages(), _errors(), _shares(), _measured(), _sensors()]
    return place(empty, [*panels, _week(zone)])


def _all() -> stat.Panel:
    return numbers(
        "Wait now, all yards",
        "Median wait at each yard that shows a number at this moment. A yard without one is closed, held or unknown.",
        unit_of("wait_p50"),
        [Query(last("wait_p50", {"sensor": ESTIMATE}, ["site"], since=LATELY), "$tag_site")],
        limits=LONG_WAIT,
    )


def _wait() -> timeseries.Panel:
    selected = [
        ("wait_p50", 'last("value")', "median"),
        ("wait_p10", 'last("value")', "one in ten is faster"),
        ("wait_p90", 'last("value")', "one in ten is slower"),
        ("wait_mean", 'last("value")', "expected"),
        ("wait_shown", 'last("value") * 60', "shown"),  # minutes, among seconds
    ]
    panel = lines(
        "Wait",
        "From joining the queue to passing the entry control, as estimated at each moment. The band holds eight cars of ten; "
        "a wide one means that the sensors carry little. Shown is the step on page and sign, the median rounded up and held; "
        "61 minutes stand for more than 60.",
        unit_of("wait_p50"),
        [Query(over_time(quantity, select, ESTIMATED), name) for quantity, select, name in selected],
        limits=LONG_WAIT,
    )
    return band(panel, low="one in ten is faster", high="one in ten is slower")


def _queue() -> timeseries.Panel:
    selected = [("queue_length", "cars"), ("queue_p10", "fewer in one of ten"), ("queue_p90", "more in one of ten")]
    panel = lines(
        "Queue",
        "Cars in the lane, as estimated. A queue that never returns to zero at night points to a counter that misses cars; a "
        "band that grows, to a counter that is out.",
        unit_of("queue_length"),
        [Query(over_time(quantity, 'last("value")', ESTIMATED), name) for quantity, name in selected],
    )
    return band(panel, low="fewer in one of ten", high="more in one of ten")


def _arrival() -> timeseries.Panel:
    return lines(
        "Time left to arrive",
        "How much later a car may join the queue and still get in before the last entry, in nine cases of ten: until "
        '"Ankunft bis" on page and sign. At zero somebody should stand at the tail and send cars home.',
        unit_of("arrival_margin"),
        [Query(over_time("arrival_margin", 'last("value")', ESTIMATED), "time left")],
        limits=LATE,
    )


def _passages() -> timeseries.Panel:
    return bars(
        "Passages per hour",
        "At what rate each counter saw cars, in steps of ten minutes. Entry and exit should agree over a day within five "
        "percent; a counter that stays at zero is dirty, turned away or broken.",
        unit_of("passage"),
        [Query(over_time("passage", 'sum("value") * 6', SITE, ["sensor"], step="10m", fill="none"), "$tag_sensor")],
    )


def _state() -> statetimeline.Panel:
    return states(
        "What the yard shows",
        "The state on sign and page. Unknown during opening hours means that the sensors carry no number: look at them below.",
        [Query(over_time("wait_state", 'last("value")', ESTIMATED), "state")],
        STATES,
        width=12,
    )


def _trust() -> statetimeline.Panel:
    return states(
        "What the number rests on",
        'Measured: calibrated on waits measured back here. Configured: a new yard, faces say "about". Reckoned: a counter is '
        "out and the count goes on by experience; look at the sensors below.",
        [Query(over_time("wait_trust", 'last("value")', ESTIMATED), "trust")],
        TRUSTS,
        width=12,
    )


def _errors() -> timeseries.Panel:
    selected = [("error_mean", "mean error"), ("error_bias", "bias")]
    return _by_hour(
        "Error of what was published",
        "The expected wait as it was published, against the waits that cars then really had, by the hour in which they "
        "joined; reckoned two hours later. A bias above zero means that waits were told too long.",
        unit_of("error_mean"),
        [Query(over_time(quantity, 'mean("value")', ESTIMATED, step="1h", fill="none"), name) for quantity, name in selected],
        LARGE_ERROR,
    )


def _shares() -> timeseries.Panel:
    selected = [("within_3min", "within 3 minutes"), ("band_coverage", "inside the band")]
    return _by_hour(
        "Waits that came as told",
        "Share of the hour's waits that were told to within three minutes, and that fell inside the band. The band is meant "
        "to hold 80 %: far less, and it promises too much; far more, and it is too wide to be of use.",
        units.PercentUnit,
        [Query(over_time(quantity, 'mean("value")', ESTIMATED, step="1h", fill="none"), name) for quantity, name in selected],
    ).max(1)


def _measured() -> timeseries.Panel:
    return bars(
        "Waits measured back",
        "Cars whose wait could be told afterwards from entries and exits, by the hour: what the two panels of errors rest "
        "on. None although cars came points to a counter.",
        unit_of("waits_measured"),
        [Query(over_time("waits_measured", 'sum("value")', ESTIMATED, step="1h", fill="none"), "waits")],
        width=24,
    )


def _by_hour(title: str, meaning: str, unit: str, queries: list[Query], limits: Limits | None = None) -> timeseries.Panel:
    return steps(title, meaning, unit, queries, limits=limits).span_nulls(HOUR_MS)


def _sensors() -> statetimeline.Panel:
    # Gate and bays speak when something changes; a lane sensor repeats itself, so that its silence is a gap.
    quantities = {"held": ("gate held", "previous"), "presence": ("lane", "null"), "occupied": ("bay", "previous")}
    return states(
        "What the sensors see",
        "Gate, lane and bays. A lane sensor that is busy all night is blocked or dirty; a gap in its bar means that it is silent.",
        [
            Query(over_time(quantity, 'last("value")', SITE, ["sensor"], fill=fill), f"{name}: $tag_sensor")
            for quantity, (name, fill) in quantities.items()
        ],
        ON_OFF,
    )


def _week(zone: str) -> heatmap.Panel:
    return days_by_hours(
        "Wait by day and hour, four weeks",
        "Mean of the expected wait in each hour, whatever span the board shows: the darker, the longer. Blank hours had no "
        "number. The column at the left edge is a day of which only a part is in view, and tells nothing.",
        unit_of("wait_mean"),
        [Query(hour_of_day("wait_mean", hour, ESTIMATED, zone, NONE), f"{hour:02} h") for hour in HOURS],
        none_below=NONE / 2,
    ).time_from("28d")
