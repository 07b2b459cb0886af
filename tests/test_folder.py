"""The demo's folder: configs that the real roles read, by day and by night."""

import datetime as dt
from pathlib import Path

import pytest

from api.config import ApiConfig
from edge.config import load_edge
from hoflicht import BadConfig
from hoflicht.catalogue import City
from hoflicht.config import load
from hoflicht.hours import period_at
from ingest.config import IngestConfig
from simulators.folder import Folder, Ports, open_round_the_clock, place_city
from tests.roles import CITY


def test_every_role_reads_its_config(tmp_path: Path, city: City) -> None:
    folder = Folder.take(tmp_path / "city", seed=1)

    folder.write(city, Ports(api=8000, broker=1883, ingest=9102))

    assert load(folder.config("ingest"), IngestConfig).http == "127.0.0.1:9102"
    api = load(folder.config("api"), ApiConfig)
    assert (api.listen, api.staff is None) == ("127.0.0.1:8000", False)
    gateways = {name: load_edge(folder.config(name)) for name in city.gateways}
    assert [len(gateway.ports) for gateway in gateways.values()] == [6, 4, 5, 3, 4]
    assert [len(gateway.lamps) for gateway in gateways.values()] == [0, 0, 0, 0, len(city.lamps)]
    assert [sign.yard for gateway in gateways.values() for sign in gateway.signs.values()] == list(city.yards)


def test_by_day_the_yards_keep_duisburgs_hours_and_by_night_they_never_close(tmp_path: Path) -> None:
    folder = Folder.take(tmp_path / "city", seed=1)
    sunday_night = dt.datetime(2026, 11, 22, 23, 30, tzinfo=dt.UTC)

    usual = place_city(folder, CITY.read_text())
    always = place_city(folder, open_round_the_clock(CITY.read_text()))

    assert {period_at(sunday_night, yard.hours, usual) for yard in usual.yards.values()} == {None}
    assert None not in {period_at(sunday_night, yard.hours, always) for yard in always.yards.values()}


def test_a_folder_remembers_its_seed_and_its_past(tmp_path: Path) -> None:
    Folder.take(tmp_path / "city", seed=7).knows_until(1_700_000_000_000)

    again = Folder.take(tmp_path / "city", seed=7)

    assert (again.seed, again.known_until_ms) == (7, 1_700_000_000_000)
    with pytest.raises(BadConfig, match="begun with --seed 7"):
        Folder.take(tmp_path / "city", seed=8)
