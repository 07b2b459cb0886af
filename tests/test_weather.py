"""The weather of the simulated city: its days, its dusk, its rain; and the same whenever it is asked for."""

from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hoflicht.quantities import QUANTITIES
from simulators.sun import LAMPS_ON_DEG, elevation_deg, night_after, noon_before
from simulators.weather import Weather, daylight_lx, weather

BERLIN = ZoneInfo("Europe/Berlin")
DUISBURG = (51.4345, 6.7623)
HOUR_MS = 3_600_000


def ms(local: str) -> int:
    return int(datetime.fromisoformat(local).replace(tzinfo=BERLIN).timestamp() * 1000)


def at(at_ms: int, seed: int = 1, place: str = "cabinet-07") -> Weather:
    return weather(seed, place, at_ms, *DUISBURG, BERLIN)


NEW_YEAR_MS = ms("2026-01-01T00:00")


@pytest.fixture(scope="module")
def year() -> list[Weather]:
    """Every other hour of it."""
    return [at(NEW_YEAR_MS + n * HOUR_MS) for n in range(0, 365 * 24, 2)]


def test_all_of_a_year_is_plausible(year: list[Weather]) -> None:
    for quantity in Weather.__struct_fields__:
        values = [getattr(one, quantity) for one in year]

        assert QUANTITIES[quantity].low <= min(values) < max(values) <= QUANTITIES[quantity].high


def test_the_same_seed_is_the_same_weather_whenever_it_is_asked() -> None:
    noon = at(ms("2026-11-23T12:00"))
    at(ms("2027-11-23T12:00"))

    assert at(ms("2026-11-23T12:00")) == noon
    assert at(ms("2026-11-23T12:00"), seed=2) != noon


@pytest.mark.parametrize(
    ("elevation", "lux"), [(-90, 6.5e-4), (-18, 6.5e-4), (-6, 3.4), (-0.8, 453), (5, 4_500), (90, 129_000), (-4.5, 16.4)]
)
def test_daylight_goes_with_the_height_of_the_sun(elevation: float, lux: float) -> None:
    assert daylight_lx(elevation) == pytest.approx(lux, rel=0.01)


def test_lamps_go_on_at_dusk() -> None:
    for day in range(0, 365, 5):
        noon = noon_before(ms("2026-01-01T14:00") + day * 24 * HOUR_MS)
        night = night_after(noon, *DUISBURG)

        before, after = at(night.dusk_ms - HOUR_MS).illuminance, at(night.dusk_ms + HOUR_MS).illuminance

        assert before > 0.1 * daylight_lx(3)
        assert after < daylight_lx(-5)
        assert elevation_deg(night.dusk_ms, *DUISBURG) == pytest.approx(LAMPS_ON_DEG, abs=0.01)
        assert 0.099 * daylight_lx(LAMPS_ON_DEG) <= at(night.dusk_ms).illuminance <= daylight_lx(LAMPS_ON_DEG)


def test_it_rains_now_and_then_for_a_while(year: list[Weather]) -> None:
    month = [at(NEW_YEAR_MS + n * HOUR_MS // 6).rain_intensity > 0 for n in range(30 * 24 * 6)]
    spells = [len(list(spell)) / 6 for is_wet, spell in groupby(month) if is_wet]

    assert 0.04 < sum(one.rain_intensity > 0 for one in year) / len(year) < 0.15
    assert 5 < max(one.rain_intensity for one in year) < 50
    assert 30 < len(spells) < 200
    assert max(spells) > 1


def test_rain_comes_from_dark_and_damp_skies(year: list[Weather]) -> None:
    noons = [one for n, one in enumerate(year) if n % 12 == 6]
    wet, dry = ([one for one in noons if (one.rain_intensity > 0.5) is is_wet] for is_wet in (True, False))

    assert sum(one.global_radiation for one in wet) / len(wet) < 0.5 * sum(one.global_radiation for one in dry) / len(dry)
    assert sum(one.humidity for one in wet) / len(wet) > 5 + sum(one.humidity for one in dry) / len(dry)


def test_a_front_wets_the_whole_city_and_a_shower_one_street() -> None:
    here, there = (
        [at(NEW_YEAR_MS + n * HOUR_MS, place=place).rain_intensity > 0 for n in range(60 * 24)] for place in ("lamp-1", "hof-west")
    )

    both = sum(one and other for one, other in zip(here, there, strict=True))

    assert 0.4 * sum(here) < both < 0.95 * sum(here)


def test_a_weather_has_the_names_of_its_quantities() -> None:
    assert set(msgspec.structs.asdict(at(0))) <= set(QUANTITIES)
