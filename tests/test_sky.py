"""Sun and moon over a place, beside other formulas and the calendar of 2026."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hoflicht.sky import Place, dusk_and_dawn, moonlit, sun_deg
from simulators.sun import LAMPS_ON_DEG, elevation_deg, night_after

DUISBURG = Place(51.43, 6.76, "Europe/Berlin")
TROMSO = Place(69.65, 18.96, "Europe/Oslo")
YEARS = st.integers(min_value=1_577_836_800, max_value=2_524_608_000)  # 2020 to 2050, seconds of the Unix epoch


def utc_s(text: str) -> int:
    return round(dt.datetime.fromisoformat(f"{text}+00:00").timestamp())


def everywhere(at: str) -> list[float]:
    """Which share of the moon is lit wherever it has risen."""
    there = (moonlit(Place(0.0, lon, "UTC"), utc_s(at) // 60) for lon in range(-180, 180, 30))
    return [share for share in there if share]


@given(YEARS, st.floats(-66, 66), st.floats(-180, 180))
def test_the_sun_stands_where_the_astronomical_almanac_has_it(at_s: int, lat: float, lon: float) -> None:
    assert sun_deg(Place(lat, lon, "UTC"), at_s) == pytest.approx(elevation_deg(at_s * 1000, lat, lon), abs=0.05)


@given(st.integers(9_500, 12_000))  # noons of 2026 to 2032
def test_dusk_and_dawn_are_those_of_the_almanac_to_half_a_minute(noon: int) -> None:
    night = night_after(noon, DUISBURG.lat, DUISBURG.lon)
    evening = dt.datetime.fromtimestamp(night.dusk_ms / 1000, dt.UTC).date()

    dusk_s, dawn_s = dusk_and_dawn(DUISBURG, evening, LAMPS_ON_DEG)
    assert dusk_s == pytest.approx(night.dusk_ms / 1000, abs=30)
    assert dawn_s == pytest.approx(night.dawn_ms / 1000, abs=30)


@given(st.dates(dt.date(2026, 1, 1), dt.date(2030, 12, 31)), st.floats(-50, 50), st.floats(-180, 180), st.floats(-6, 10))
def test_from_dusk_to_dawn_the_sun_is_below_and_before_and_after_above(
    evening: dt.date, lat: float, lon: float, deg: float
) -> None:
    place = Place(lat, lon, "UTC")
    dusk_s, dawn_s = dusk_and_dawn(place, evening, deg)

    assert 4 * 3_600 < dawn_s - dusk_s < 20 * 3_600
    assert all(sun_deg(place, at_s) <= deg for at_s in (dusk_s, (dusk_s + dawn_s) // 2, dawn_s))
    assert all(sun_deg(place, at_s) > deg for at_s in (dusk_s - 2, dawn_s + 2))


def test_where_the_sun_does_not_set_there_is_no_night_and_where_it_does_not_rise_no_day() -> None:
    dusk_s, dawn_s = dusk_and_dawn(TROMSO, dt.date(2026, 6, 21), -2)
    assert dawn_s - dusk_s <= 2

    dusk_s, dawn_s = dusk_and_dawn(TROMSO, dt.date(2026, 12, 21), 3)
    assert dawn_s - dusk_s >= 86_398


@pytest.mark.parametrize("at", ["2026-03-03T11:38", "2026-08-28T04:18", "2026-09-26T16:49", "2026-12-24T01:28"])
def test_at_full_moon_all_of_it_is_lit(at: str) -> None:
    assert min(everywhere(at)) > 0.998


@pytest.mark.parametrize("at", ["2026-02-17T12:01", "2026-08-12T17:37"])
def test_at_new_moon_none_of_it_is_lit(at: str) -> None:
    assert max(everywhere(at)) < 0.001


@pytest.mark.parametrize("at", ["2026-05-23T11:11", "2026-11-17T11:48"])
def test_at_the_first_quarter_half_of_it_is_lit(at: str) -> None:
    assert everywhere(at)[0] == pytest.approx(0.5, abs=0.005)


def test_a_full_moon_shines_at_midnight_and_has_set_at_noon() -> None:
    assert moonlit(DUISBURG, utc_s("2026-12-24T00:00") // 60) > 0.99
    assert moonlit(DUISBURG, utc_s("2026-12-24T12:00") // 60) == 0.0
