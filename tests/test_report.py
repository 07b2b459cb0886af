"""`hoflicht report energy`: a month of the street as people and spreadsheets read it, from SQLite and from a real InfluxDB."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from api.light.energy import HOUR_MS
from hoflicht import Reading
from hoflicht.catalogue import City
from hoflicht.cli import main
from simulators.street import Street
from store.hourly import hourly_bucket
from store.lines import lines
from store.readings import Store, open_store
from tests.conftest import ORG, Bucket, Influxd
from tests.roles import CITY

SEED = 7
SILENT, REPLACED, LATE = "lamp-0009", "lamp-0012", "lamp-0015"
ZONE = ZoneInfo("Europe/Berlin")


def meters(city: City, start_ms: int, end_ms: int, *, extra_w: float = 0.0) -> Iterator[Reading]:
    """The simulated street's meters, once an hour. One lamp is silent; in the middle another gets a new driver, and a third one its
    first. The cabinet feeds `extra_w` beside its lamps.
    """
    street = Street(city, SEED)
    middle_ms = (start_ms + end_ms) // 2 // HOUR_MS * HOUR_MS
    for at_ms in range(start_ms // HOUR_MS * HOUR_MS, end_ms, HOUR_MS):
        for name in city.lamps:
            before_kwh = street.energy_kwh(name, middle_ms) if name == REPLACED and at_ms >= middle_ms else 0.0
            if name != SILENT and (name != LATE or at_ms >= middle_ms):
                yield Reading(name, "driver", "energy_import", at_ms, street.energy_kwh(name, at_ms) - before_kwh)
        extra_kwh = extra_w * (at_ms - start_ms) / HOUR_MS / 1000
        delivered = street.cabinet("cabinet-07", at_ms)["energy_import"]
        yield Reading("cabinet-07", "meter", "energy_import", at_ms, delivered + extra_kwh)


def last_month() -> tuple[str, int, int]:
    """The name of the last whole month, and its ends."""
    first = dt.datetime.now(ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begin = (first - dt.timedelta(days=1)).replace(day=1)
    return f"{begin:%Y-%m}", round(begin.timestamp() * 1000), round(first.timestamp() * 1000)


def write_config(folder: Path, url: str, token: str = "") -> Path:
    (folder / "token").write_text(token)
    path = folder / "api.toml"
    path.write_text(f'city = "{CITY}"\n[store]\nurl = "{url}"\ntoken_file = "token"\n')
    return path


def table(config: Path, month: str, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    """The rows of the CSV, by id; the city's is empty."""
    assert main(["report", "energy", str(config), "--month", month, "--csv"]) == 0
    return {row["id"]: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}


@pytest.fixture
def month() -> tuple[str, int, int]:
    return last_month()


@pytest.fixture(params=["sqlite", "influx"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """URL and token of a fresh store of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/readings.db", ""
    bucket: Bucket = request.getfixturevalue("influx")
    return bucket.store_url, bucket.token


def fill(store: Store, readings: Iterator[Reading]) -> None:
    with closing(store) as opened:
        batch = list(readings)
        for n in range(0, len(batch), 20_000):
            assert opened.write(batch[n : n + 20_000]) == []


def test_a_month_of_the_street_is_what_its_lamps_took(
    city: City, place: tuple[str, str], month: tuple[str, int, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, start_ms, end_ms = month
    fill(open_store(*place), meters(city, start_ms - 2 * HOUR_MS, end_ms + 2 * HOUR_MS))
    street = Street(city, SEED)
    true_kwh = {lamp: street.energy_kwh(lamp, end_ms) - street.energy_kwh(lamp, start_ms) for lamp in city.lamps}

    rows = table(write_config(tmp_path, *place), name, capsys)

    whole = [lamp for lamp in city.lamps if lamp not in (SILENT, REPLACED, LATE)]
    assert {lamp: float(rows[lamp]["kwh"]) for lamp in whole} == pytest.approx({lamp: true_kwh[lamp] for lamp in whole}, abs=0.03)
    assert float(rows[REPLACED]["kwh"]) == pytest.approx(true_kwh[REPLACED], rel=0.01)
    assert (rows[REPLACED]["replaced"], rows[REPLACED]["estimated_h"], rows[SILENT]["silent"]) == ("1", "1.0", "1")
    # Of the half in which nothing is known of it nothing is saved either.
    half, all_of_it = float(rows[LATE]["baseline_kwh"]), float(rows["lamp-0001"]["baseline_kwh"])
    assert half == pytest.approx(all_of_it / 2, rel=0.01)
    assert float(rows[LATE]["missing_h"]) == pytest.approx((end_ms - start_ms) / HOUR_MS / 2, abs=2)
    groups = float(rows["altstadt"]["kwh"])
    assert groups == float(rows["cabinet-07"]["kwh"]) == float(rows[""]["kwh"])
    assert groups == pytest.approx(sum(float(rows[lamp]["kwh"]) for lamp in city.lamps), abs=0.02)
    assert (rows[""]["lamps"], rows[""]["silent"]) == ("23", "1")
    # 170 W from dusk to dawn stood there before; 56 W dimmed take about a quarter.
    assert 70 < float(rows[""]["saved_percent"]) < 85
    assert float(rows[""]["co2_saved_kg"]) == pytest.approx(0.363 * float(rows[""]["saved_kwh"]), abs=0.01)
    assert float(rows["cabinet-07"]["metered_kwh"]) == pytest.approx(1.03 * sum(true_kwh.values()), abs=0.1)
    assert rows["cabinet-07"]["findings"] == "not compared with its lamps: 1 of them have no readings"


def test_an_unmetered_consumer_is_found(
    city: City, month: tuple[str, int, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, start_ms, end_ms = month
    url = f"sqlite:///{tmp_path}/readings.db"
    street = Street(city, SEED)
    silent = (
        Reading(SILENT, "driver", "energy_import", at_ms, street.energy_kwh(SILENT, at_ms))
        for at_ms in range(start_ms // HOUR_MS * HOUR_MS, end_ms, HOUR_MS)
    )
    fill(open_store(url), meters(city, start_ms, end_ms, extra_w=150))
    fill(open_store(url), silent)
    config = write_config(tmp_path, url)

    code = main(["report", "energy", str(config), "--month", name])
    told = capsys.readouterr().out

    assert code == 0
    assert f"Duisburg, {name}: " in told
    assert " hours of night, 363 g CO2 a kWh\n" in told
    assert "cabinet-07: unmetered consumer: at least 1" in told
    assert "burning by day" not in told
    assert f"{REPLACED}: another meter" in told
    assert "lamp-0001:" not in told


@pytest.mark.live
def test_months_that_the_database_has_given_up_are_read_from_its_hourly_values(
    city: City, influxd: Influxd, influx: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    influxd.bucket(hourly_bucket(influx.name), retention_s=0)
    start = dt.datetime(2025, 11, 1, tzinfo=ZONE)
    start_ms = round(start.timestamp() * 1000)
    # As the task of store.hourly writes them: the mean of an hour at its start, and of how many readings it is.
    told = lines(list(meters(city, start_ms, start_ms + 30 * 24 * HOUR_MS))).replace(b" value=", b" count=1,value=")
    where = f"{influxd.url}/api/v2/write?org={ORG}&bucket={hourly_bucket(influx.name)}&precision=ms"
    httpx.post(where, content=told, headers={"Authorization": f"Token {influx.token}"}).raise_for_status()

    rows = table(write_config(tmp_path, influx.store_url, influx.token), "2025-11", capsys)

    assert rows[""]["lamps"] == "23"
    assert float(rows["lamp-0001"]["kwh"]) > 10


def test_a_store_that_does_not_answer_is_said_and_not_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path, "influx+http://127.0.0.1:1/hoflicht?org=hoflicht", "token")

    assert main(["report", "energy", str(config), "--month", "2026-01"]) == 1
    assert capsys.readouterr().err.startswith("hoflicht report: InfluxDB at http://127.0.0.1:1")


@pytest.mark.parametrize("month", ["2026-13", "november", "2999-01", ""])
def test_what_is_no_month_is_a_mistake_of_the_command(tmp_path: Path, month: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "energy", str(write_config(tmp_path, f"sqlite:///{tmp_path}/r.db")), "--month", month]) == 2
    assert "an example: 2026-11" in capsys.readouterr().err
