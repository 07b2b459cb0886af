"""The board of the platform itself: does every gateway speak, and is anything piling up or lost?"""

from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.influxql import Query, last, once, over_time
from dashboards.panels import GREEN, RED, YELLOW, Limits, bars, board, lines, numbers, place, rows, states, unit_of

UID = "hoflicht-platform"
GATEWAY = ["site"]  # a gateway's own health has its name as site
PORT = ["site", "sensor"]
DAY_H, WEEKEND_H = 24, 72
SPARSE: Limits = {0: RED, DAY_H: YELLOW, WEEKEND_H: GREEN}  # until Monday it holds by itself, below a day somebody must go
LOSS: Limits = {1: RED}
SLOW: Limits = {5: YELLOW, 30: RED}  # a receipt takes well under a second; from half a minute on batches go twice


def platform() -> Dashboard:
    """Gateways, the way of their readings, their serial ports."""
    empty = board(UID, "Platform", "Gateways: do they speak, does anything pile up, is anything lost?", start="now-24h")
    panels = [_lost(), _silent(), _clock(), _spool(), _hours_left(), _latency(), _port_errors(), _frames_lost(), _noise()]
    return place(empty, panels)


def _lost() -> stat.Panel:
    return numbers(
        "Readings lost or set aside",
        "Dropped: given up because disk or spool were full; those are gone. Quarantined: refused, and kept for repair "
        "(hoflicht quarantine list). Both should be nothing; the largest count in view is shown, for a restart begins anew.",
        unit_of("dropped"),
        [
            Query(once("dropped", 'max("value")', by=GATEWAY), "dropped: $tag_site"),
            Query(once("quarantined", 'max("value")', by=GATEWAY), "quarantined: $tag_site"),
        ],
        limits=LOSS,
    )


def _silent() -> table.Panel:
    return rows(
        "Last word of each gateway",
        "The longest silent on top. More than five minutes: power, mobile network, or the machine. Uptime counts from the start of "
        "the program; many short ones in a row are a crash that repeats.",
        unit_of("uptime"),
        [Query(last("uptime", by=GATEWAY), table=True)],
    )


def _clock() -> statetimeline.Panel:
    return states(
        "Clock is set",
        "Without a set clock readings wait unstamped, and the yard has no number. Look at the time service.",
        [Query(over_time("clock_synchronised", 'min("value")', by=GATEWAY), "$tag_site")],
        {0: ("not set", RED), 1: ("set", GREEN)},
        width=12,
    )


def _spool() -> timeseries.Panel:
    return lines(
        "Readings that wait on the gateways",
        "The spool holds what the database has not confirmed. Rising everywhere: broker, ingest or database is away. Rising at one "
        "gateway: its network. A saw tooth near zero is health.",
        unit_of("spool_rows"),
        [Query(over_time("spool_rows", 'max("value")', by=GATEWAY), "$tag_site")],
    )


def _hours_left() -> timeseries.Panel:
    return lines(
        "Hours until a spool is full",
        "At the present rate. After that the oldest of the least important readings go first. Below a day somebody must act today; "
        "above three days it holds over a weekend.",
        unit_of("spool_hours_left"),
        [Query(over_time("spool_hours_left", 'min("value")', by=GATEWAY), "$tag_site")],
        limits=SPARSE,
    )


def _latency() -> timeseries.Panel:
    return lines(
        "From batch to receipt",
        "Network, broker, ingest and database together. Everywhere slow: look at the database; slow at one gateway: its network.",
        unit_of("receipt_latency"),
        [Query(over_time("receipt_latency", 'max("value")', by=GATEWAY), "$tag_site")],
        limits=SLOW,
    )


def _port_errors() -> timeseries.Panel:
    return bars(
        "Serial ports that failed",
        "Times a port could not be opened or went away: plug, hub, power of the sensor.",
        unit_of("port_errors"),
        [Query(over_time("port_errors", 'non_negative_difference(last("value"))', by=PORT, fill="none"), "$tag_site $tag_sensor")],
        limits=LOSS,
    )


def _frames_lost() -> timeseries.Panel:
    return bars(
        "Frames that never came",
        "Gaps in the numbers that our microcontrollers count: a line too long, a receiver too busy.",
        unit_of("frames_lost"),
        [Query(over_time("frames_lost", 'non_negative_difference(last("value"))', by=PORT, fill="none"), "$tag_site $tag_sensor")],
        limits=LOSS,
    )


def _noise() -> timeseries.Panel:
    return lines(
        "Noise on the serial lines",
        "Bytes a minute that belong to no good frame. A few after plugging are normal; a steady stream is a loose ground, a wrong "
        "baud rate or the wrong driver.",
        unit_of("noise_bytes"),
        [
            Query(
                over_time("noise_bytes", 'non_negative_derivative(last("value"), 1m)', by=PORT, fill="none"),
                "$tag_site $tag_sensor",
            )
        ],
    )
