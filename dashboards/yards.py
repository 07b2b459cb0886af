"""The board of the recycling yards: what the public sees, and what it rests on."""

from grafana_foundation_sdk.builders import stat, statetimeline, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.influxql import LATELY, Query, chosen, last, over_time
from dashboards.panels import (
    BLUE,
    GREEN,
    GREY,
    RED,
    YELLOW,
    Limits,
    band,
    bars,
    board,
    choice,
    lines,
    numbers,
    place,
    states,
    unit_of,
)
from hoflicht.catalogue import ESTIMATE
from hoflicht.wait import STATE_CODES, State

UID = "hoflicht-yards"
SITE = {"site": chosen("site")}
ESTIMATED = {**SITE, "sensor": ESTIMATE}
# People turn round at half an hour; from an hour on the sign gives no number any more, only "more than 60".
LONG_WAIT: Limits = {1_800: YELLOW, 3_600: RED}
STATES = {
    STATE_CODES[State.OPEN]: ("open", GREEN),
    STATE_CODES[State.HELD]: ("held", YELLOW),
    STATE_CODES[State.CLOSING]: ("closing", BLUE),
    STATE_CODES[State.CLOSED]: ("closed", GREY),
    STATE_CODES[State.UNKNOWN]: ("unknown", RED),
}
ON_OFF = {0: ("no", GREY), 1: ("yes", BLUE)}


def yards() -> Dashboard:
    """All yards at a glance, then one yard in detail."""
    title = "Recycling yards"
    empty = board(UID, title, "Waiting times as the public sees them, and the sensors they rest on.", start="now-12h")
    return place(
        empty.with_variable(choice("site", "yard", "wait_state")), [_all(), _wait(), _queue(), _passages(), _state(), _sensors()]
    )


def _all() -> stat.Panel:
    return numbers(
        "Wait now, all yards",
        "Median wait at each yard that shows a number at this moment. A yard without one is closed, held or unknown.",
        unit_of("wait_p50"),
        [Query(last("wait_p50", {"sensor": ESTIMATE}, ["site"], since=LATELY), "$tag_site")],
        limits=LONG_WAIT,
    )


def _wait() -> timeseries.Panel:
    quantiles = [("wait_p50", "median"), ("wait_p10", "one in ten is faster"), ("wait_p90", "one in ten is slower")]
    panel = lines(
        "Wait",
        "From joining the queue to passing the entry control, as estimated at each moment. The band holds eight cars of ten; "
        "a wide one means that the sensors carry little.",
        unit_of("wait_p50"),
        [Query(over_time(quantity, 'last("value")', ESTIMATED), name) for quantity, name in quantiles],
        limits=LONG_WAIT,
    )
    return band(panel, low="one in ten is faster", high="one in ten is slower")


def _queue() -> timeseries.Panel:
    return lines(
        "Queue",
        "Cars in the lane, as estimated. A queue that never returns to zero at night points to a counter that misses cars.",
        unit_of("queue_length"),
        [Query(over_time("queue_length", 'last("value")', ESTIMATED), "cars")],
    )


def _passages() -> timeseries.Panel:
    return bars(
        "Passages in ten minutes",
        "What each counter saw. Entry and exit should agree over a day within five percent; a counter that stays at zero is dirty, "
        "turned away or broken.",
        unit_of("passage"),
        [Query(over_time("passage", 'sum("value")', SITE, ["sensor"], step="10m", fill="none"), "$tag_sensor")],
    )


def _state() -> statetimeline.Panel:
    return states(
        "What the yard shows",
        "The state on sign and page. Unknown during opening hours means that the sensors carry no number: look at them below.",
        [Query(over_time("wait_state", 'last("value")', ESTIMATED), "state")],
        STATES,
        width=12,
    )


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
