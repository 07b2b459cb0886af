"""The board of the platform itself: does every gateway speak, and is anything piling up or lost?"""

from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from dashboards import uids
from dashboards.board import board, choice, place
from dashboards.influxql import IN_VIEW, LATELY, Query, chosen, grown, last, of_all, once, over_time, rate
from dashboards.panels import GREEN, RED, YELLOW, Limits, bars, lines, numbers, reworded, rows, states, unit_of
from dashboards.parts import Scope
from dashboards.yards import ESTIMATE_OF_ALL

GATEWAY = ["site"]  # a gateway's own health has its name as site, a worker's of ingest its own
CHOSEN = {"site": chosen("gateway")}  # one of perhaps hundreds: a line for each would neither be read nor drawn in time
DAY_H, WEEKEND_H, DAY_S = 24, 72, 86_400
HALF_HOUR = "30m"
RARELY = "time > now() - 49h"  # what is told once a day
SPARSE: Limits = {0: RED, DAY_H: YELLOW, WEEKEND_H: GREEN}  # until Monday it holds by itself, below a day somebody must go
LOSS: Limits = {1: RED}
SLOW: Limits = {5: YELLOW, 30: RED}  # a receipt takes well under a second; from half a minute on batches go twice
EXPIRING: Limits = {0: RED, 7 * DAY_S: YELLOW, 21 * DAY_S: GREEN}  # gateways renew by themselves well before
SCARCE: Limits = {0: RED, 0.05: YELLOW, 0.15: GREEN}  # share of the disk
CLOCK: Limits = {2: YELLOW, 60: RED}  # seconds; from a minute on estimates suffer
PADDED = 1_000_000_000  # to the number of a version (hoflicht.version): then each of its three parts has three digits
VERSION = r"^10{0,2}(\d+)(?=\d{6}$)0{0,2}(\d+)(?=\d{3}$)0{0,2}(\d+)$"
HELD_BACK: Limits = {1: YELLOW}


def platform(_: Scope) -> Dashboard:
    """Gateways, the way of their readings, their serial ports, the store."""
    meaning = "Gateways and ingest: do they speak, does anything pile up, is anything lost?"
    empty = board(uids.PLATFORM, meaning, start="now-24h", links=[uids.CITY]).with_variable(
        choice("gateway", "gateway", "spool_rows")
    )
    gateways = [_lost(), _silent(), _full_soon(), _clock(), _offset(), _spool(), _hours_left(), _latency(), _disk()]
    gateways += [_certificates(), _versions()]
    ingest = [_stored(), _writes(), _not_taken(), _set_aside(), _quarantine(), _estimates()]
    return place(empty, [*gateways, *ingest, _port_errors(), _frames_lost(), _noise()])


def _lost() -> stat.Panel:
    return numbers(
        "Readings lost or set aside",
        "Dropped: given up because disk or spool were full; those are gone. Quarantined: refused, and kept for repair "
        "(hoflicht quarantine list). Both should be nothing. Of each gateway the largest count in view, for a restart begins "
        "anew.",
        unit_of("dropped"),
        [
            Query(of_all('sum("dropped")', once("dropped", 'max("value")', by=GATEWAY), since=IN_VIEW), "dropped"),
            Query(of_all('sum("quarantined")', once("quarantined", 'max("value")', by=GATEWAY), since=IN_VIEW), "quarantined"),
        ],
        limits=LOSS,
    )


def _silent() -> table.Panel:
    return rows(
        "Last word of each gateway",
        "The longest silent on top. More than five minutes: power, mobile network, or the machine. Uptime counts from the "
        "start of the program; many short ones in a row are a crash that repeats.",
        unit_of("uptime"),
        [Query(last("uptime", by=GATEWAY), table=True)],
        names={"uptime": "running for"},
    )


def _full_soon() -> table.Panel:
    left = last("spool_hours_left", by=GATEWAY, since=LATELY)
    return rows(
        "Spools that are full before Monday",
        f"Gateways whose disk holds less than {WEEKEND_H} hours of readings at the present rate: choose one above to see how it "
        "came.",
        unit_of("spool_hours_left"),
        [Query(of_all('"spool_hours_left"', left, f'"spool_hours_left" < {WEEKEND_H}', GATEWAY, since=LATELY), table=True)],
        limits=SPARSE,
        names={"spool_hours_left": "time left"},
    )


def _clock() -> statetimeline.Panel:
    return states(
        "Clock is set",
        "Without a set clock readings wait unstamped, and the yard has no number. Look at the time service.",
        _worst_and_chosen("clock_synchronised", "min"),
        {0: ("not set", RED), 1: ("set", GREEN)},
        width=12,
    )


def _spool() -> timeseries.Panel:
    return lines(
        "Readings that wait on the gateways",
        "The spool holds what the database has not confirmed. Most of any gateway, and of the chosen one. Rising everywhere: "
        "broker, ingest or database is away. Rising at one: its network. A saw tooth near zero is health.",
        unit_of("spool_rows"),
        _worst_and_chosen("spool_rows", "max"),
    )


def _hours_left() -> timeseries.Panel:
    return lines(
        "Hours until a spool is full",
        "At the present rate. After that the oldest of the least important readings go first. Below a day somebody must act "
        "today; above three days it holds over a weekend.",
        unit_of("spool_hours_left"),
        _worst_and_chosen("spool_hours_left", "min"),
        limits=SPARSE,
    )


def _latency() -> timeseries.Panel:
    shares = [(50, "half of all batches"), (99, "99 of 100")]
    return lines(
        "From batch to receipt",
        "Network, broker, ingest and database together, of all gateways. Both lines high: look at the database; the upper "
        "one only: the network of one gateway, whose spool then grows above.",
        unit_of("receipt_latency"),
        [Query(over_time("receipt_latency", f'percentile("value", {share})', step="5m"), text) for share, text in shares],
        limits=SLOW,
    )


def _offset() -> timeseries.Panel:
    return lines(
        "Clock against the satellites",
        "Of gateways with a satellite receiver: how far their clock is before its time. Seconds do no harm; minutes make "
        "estimates wrong, and hours shift light programs.",
        unit_of("clock_offset"),
        _worst_and_chosen("clock_offset", "max"),
        limits=CLOCK,
    ).axis_soft_min(-1)


def _certificates() -> table.Panel:
    return rows(
        "Certificates",
        "How long each gateway's certificate lasts. Gateways renew theirs while the authority runs; one that did not is cut "
        "off when it ends.",
        unit_of("certificate_left"),
        [Query(last("certificate_left", by=GATEWAY, since=RARELY), table=True)],
        limits=EXPIRING,
        names={"certificate_left": "left"},
    )


def _disk() -> timeseries.Panel:
    return lines(
        "Room on the gateways' disks",
        "Share of the disk that is free. The spool stops growing before the disk is full; what else fills it is for the "
        "system's log.",
        units.PercentUnit,
        _worst_and_chosen("disk_free", "min"),
        limits=SCARCE,
    ).max(1)


def _versions() -> table.Panel:
    padded = once("version", f'last("value") + {PADDED}', by=GATEWAY, since=RARELY)
    panel = rows(
        "Versions",
        "Which version of the program each gateway and worker runs. One that lags behind did not take the last update.",
        units.NoUnit,
        [Query(padded, table=True)],
    )
    return reworded(panel, "version", VERSION, "$1.$2.$3")


def _stored() -> timeseries.Panel:
    stored = [("stored", "all"), ("stored_late", "older than five minutes")]
    return lines(
        "Readings stored per second",
        "What ingest has written. The second line is the backlog of an outage that comes in; nothing at all: broker, ingest "
        "or database.",
        units.CountsPerSecond,
        [Query(rate(name, "1s", by=GATEWAY), f"$tag_site: {text}") for name, text in stored],
    )


def _writes() -> timeseries.Panel:
    return lines(
        "Time that a write takes",
        "Of ingest to the database, mean of the minute. A second and more: the database compacts, or its disk is slow.",
        unit_of("write_latency"),
        [Query(over_time("write_latency", 'max("value")', by=GATEWAY), "$tag_site")],
        limits={1: YELLOW, 5: RED},
    )


def _not_taken() -> timeseries.Panel:
    return bars(
        "Writes that the database did not take",
        "Each is tried again until it does, and the gateways keep their readings that long. While it is away nothing is "
        "shown here, for this too is written there: the bars come afterwards.",
        unit_of("store_errors"),
        [Query(grown("store_errors", by=GATEWAY), "$tag_site")],
        limits=LOSS,
    )


def _set_aside() -> timeseries.Panel:
    return bars(
        "Set aside, by fault",
        "Packs that ingest put into its quarantine: what the broker's topic, the catalogue or the table of quantities does "
        "not allow. hoflicht quarantine list shows them; most are a new sensor that is missing in the catalogue.",
        unit_of("set_aside"),
        [Query(grown("set_aside", by=["sensor"]), "$tag_sensor")],
        limits=LOSS,
    )


def _quarantine() -> timeseries.Panel:
    return lines(
        "In quarantine",
        "Packs that wait there for somebody to look. When it is full the oldest are given up.",
        unit_of("quarantine_packs"),
        [Query(over_time("quarantine_packs", 'max("value")', by=GATEWAY), "$tag_site")],
        limits=HELD_BACK,
    )


def _estimates() -> table.Panel:
    return rows(
        "Last estimate of each yard",
        "They come once a minute, also while a yard is closed. Older than five minutes: the api is away, or cut off from the "
        "database; then the sign shows no number.",
        unit_of("wait_state"),
        [Query(last("wait_state", ESTIMATE_OF_ALL, GATEWAY), table=True)],
        names={"wait_state": "state"},
    )


def _port_errors() -> timeseries.Panel:
    return bars(
        "Serial ports that failed",
        "Times a port could not be opened or went away: plug, hub, power of the sensor.",
        unit_of("port_errors"),
        _all_and_chosen("port_errors"),
        limits=LOSS,
    )


def _frames_lost() -> timeseries.Panel:
    return bars(
        "Frames that never came",
        "Gaps in the numbers that our microcontrollers count: a line too long, a receiver too busy.",
        unit_of("frames_lost"),
        _all_and_chosen("frames_lost"),
        limits=LOSS,
    )


def _noise() -> timeseries.Panel:
    return lines(
        "Noise on the serial lines",
        "Bytes a minute that belong to no good frame, by port of the chosen gateway. A few after plugging are normal; a "
        "steady stream is a loose ground, a wrong baud rate or the wrong driver.",
        unit_of("noise_bytes"),
        [Query(rate("noise_bytes", "1m", CHOSEN, ["sensor"]), "$tag_sensor")],
    )


def _worst_and_chosen(quantity: str, worst: str) -> list[Query]:
    return [
        Query(over_time(quantity, f'{worst}("value")'), "worst of all"),
        Query(over_time(quantity, f'{worst}("value")', CHOSEN, GATEWAY), "$tag_site"),
    ]


def _all_and_chosen(quantity: str) -> list[Query]:
    """Of counters, by how much they grew."""
    return [
        Query(grown(quantity, step=HALF_HOUR), "all gateways"),
        Query(grown(quantity, CHOSEN, ["sensor"], step=HALF_HOUR), "$tag_sensor"),
    ]
