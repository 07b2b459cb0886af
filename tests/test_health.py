"""What the gateway says about itself."""

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from edge.health import Health, hours_left
from edge.metrics import Metrics
from edge.observation import Observation
from edge.reader import Counters
from edge.spool import State as SpoolState
from edge.uplink import State, Status
from hoflicht import __version__, version
from hoflicht.clock import HandClock
from hoflicht.quantities import QUANTITIES
from tests import certified


@dataclass
class Desk:
    clock: HandClock
    status: Status
    port: Counters
    health: Health


@pytest.fixture
def desk(clock: HandClock, tmp_path: Path) -> Desk:
    status, port = Status(), Counters()
    return Desk(clock, status, port, Health("gw-hof-nord", status, {"air": port}, 10_000_000, clock, tmp_path, None))


def spool(rows: int = 0, last_id: int = 0, dropped: int = 0) -> SpoolState:
    return SpoolState(rows=rows, bytes=64 * rows, last_id=last_id, age_ms=1_500, dropped=dropped, quarantined=2, is_stamping=True)


def values(seen: list[Observation], sensor: str) -> dict[str, float]:
    return {one.quantity: one.value for one in seen if one.sensor == sensor}


def test_the_gateway_reports_about_itself_and_each_port(desk: Desk) -> None:
    desk.port.frames, desk.port.noise_bytes, desk.port.is_open = 7, 3, True
    desk.clock.advance(60_000)

    seen = desk.health.look(spool(rows=5))

    told = values(seen, "gateway")
    assert 0 < told.pop("disk_free") < 1
    assert told == {
        "uptime": 60.0,
        "spool_rows": 5,
        "spool_bytes": 320,
        "spool_age": 1.5,
        "dropped": 0,
        "quarantined": 2,
        "clock_synchronised": 1.0,
        "version": version.number(__version__),
    }
    assert values(seen, "air") == {
        "port_open": 1.0,
        "port_errors": 0,
        "frames": 7,
        "frames_lost": 0,
        "noise_bytes": 3,
        "surplus": 0,
    }
    assert {one.site for one in seen} == {"gw-hof-nord"}
    assert {one.quantity for one in seen} <= set(QUANTITIES)


def test_the_hours_left_follow_from_what_came_since_the_last_look(desk: Desk) -> None:
    desk.health.look(spool(last_id=100))
    desk.clock.advance(60_000)

    seen = desk.health.look(spool(rows=50, last_id=200))

    # 100 readings a minute of 64 bytes each into 9 996 800 bytes.
    assert values(seen, "gateway")["spool_hours_left"] == round(9_996_800 / 64 / 6_000, 1)


@pytest.mark.parametrize(("bytes_left", "rows_per_hour", "hours"), [(64_000, 100, 10), (0, 100, 0), (-5, 100, 0), (64, 0, 1e6)])
def test_hours_left(bytes_left: int, rows_per_hour: float, hours: float) -> None:
    assert hours_left(bytes_left, rows_per_hour) == hours


def test_a_latency_is_told_once(desk: Desk) -> None:
    desk.status.latency_ms, desk.status.receipts = 250, 1

    first, second = (values(desk.health.look(spool()), "gateway") for _ in range(2))

    assert first["receipt_latency"] == 0.25
    assert "receipt_latency" not in second


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of a gateway, by an authority that gave it just now, by the machine's clock."""
    return Path(certified.enrolled_by_hand(certified.write_authority(tmp_path), "gw-a", tmp_path / "gw-a").cert_file)


def seldom(health: Health) -> dict[str, float]:
    told = values(health.look(spool()), "gateway")
    return {name: told[name] for name in ("version", "disk_free", "certificate_left") if name in told}


def test_a_gateway_says_how_long_its_certificate_is_good_and_how_much_of_its_disk_is_free(
    tmp_path: Path, certificate: Path
) -> None:
    clock = HandClock(round(dt.datetime.now(dt.UTC).timestamp() * 1000))

    told = seldom(Health("gw-a", Status(), {}, 10_000_000, clock, tmp_path, certificate))

    room = shutil.disk_usage(tmp_path)
    assert told["disk_free"] == pytest.approx(room.free / room.total, abs=0.01)
    assert told["certificate_left"] / 86_400 == pytest.approx(5 * 365, abs=3)


def test_a_certificate_that_has_ended_says_since_when(tmp_path: Path, certificate: Path) -> None:
    in_six_years = dt.datetime.now(dt.UTC) + dt.timedelta(days=6 * 365)
    clock = HandClock(round(in_six_years.timestamp() * 1000))

    told = seldom(Health("gw-a", Status(), {}, 10_000_000, clock, tmp_path, certificate))

    assert told["certificate_left"] / 86_400 == pytest.approx(-365, abs=3)


def test_what_moves_in_days_is_told_by_the_hour(clock: HandClock, tmp_path: Path) -> None:
    health = Health("gw-a", Status(), {}, 10_000_000, clock, tmp_path, None)
    told = []
    for _ in range(121):
        told.append(set(seldom(health)))
        clock.advance(60_000)

    assert [minute for minute, names in enumerate(told) if names == {"version", "disk_free"}] == [0, 60, 120]
    assert [names for names in told if names and names != {"version", "disk_free"}] == []


def test_a_gateway_that_does_not_know_the_time_does_not_know_how_long_its_certificate_is_good(
    tmp_path: Path, certificate: Path
) -> None:
    clock = HandClock(0, is_set=False)

    assert set(seldom(Health("gw-a", Status(), {}, 10_000_000, clock, tmp_path, certificate))) == {"version", "disk_free"}


def test_a_disk_that_does_not_answer_and_a_certificate_that_is_none_stop_nothing(clock: HandClock, tmp_path: Path) -> None:
    (tmp_path / "gw-a.crt").write_text("-----BEGIN CERTIFICATE-----")

    for certificate in (tmp_path / "gw-a.crt", tmp_path / "missing.crt"):
        assert set(seldom(Health("gw-a", Status(), {}, 10_000_000, clock, tmp_path / "gone", certificate))) == {"version"}


def test_losses_are_one_line_when_they_start_and_one_when_they_end(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    for dropped in (0, 10, 20, 20, 20):
        desk.health.look(spool(dropped=dropped))

    assert [record.getMessage() for record in caplog.records] == [
        "the spool is full: 10 readings had to be given up, the least important and oldest first",
        "no reading has to be given up any more",
    ]


def test_a_flood_is_one_line_when_it_starts_and_one_when_it_ends(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    for surplus in (0, 10, 30, 30, 30):
        desk.port.surplus = surplus
        desk.health.look(spool())

    assert [record.getMessage() for record in caplog.records] == [
        "the device at port air says more than an honest one can: 10 readings of it were given up",
        "the device at port air is back at its rate; 30 readings of it were given up",
    ]
    assert values(desk.health.look(spool(dropped=3)), "gateway")["dropped"] == 33


def test_what_found_no_room_in_memory_counts_as_dropped(desk: Desk) -> None:
    desk.port.overflown = 4

    assert values(desk.health.look(spool(dropped=3)), "gateway")["dropped"] == 7


def test_healthz_is_well_while_batches_flow_and_ports_are_open(desk: Desk) -> None:
    assert desk.health.report()["ok"] is False
    desk.status.state, desk.port.is_open = State.FLOWING, True
    desk.health.look(spool(rows=5))

    assert desk.health.report() == {
        "ok": True,
        "gateway": "gw-hof-nord",
        "uplink": "flowing",
        "trouble": "",
        "clock_set": True,
        "spool": {"rows": 5, "bytes": 320, "oldest_s": 1, "quarantined": 2},
        "dropped": 0,
        "ports": {"air": {"open": True, "frames": 0}},
    }


def test_prometheus_reads_the_present_numbers(desk: Desk) -> None:
    registry = CollectorRegistry()
    registry.register(Metrics(desk.health))
    desk.health.look(spool(rows=5))
    desk.port.frames, desk.status.latency_ms = 12, 250

    lines = generate_latest(registry).decode().splitlines()

    assert 'hoflicht_edge_frames_total{port="air"} 12.0' in lines
    assert "hoflicht_edge_spool_rows 5.0" in lines
    assert "hoflicht_edge_receipt_latency_seconds 0.25" in lines
    assert "hoflicht_edge_flowing 0.0" in lines
