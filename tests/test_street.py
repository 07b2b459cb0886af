"""The simulated street: light follows the sun, meters count what lamps take."""

import datetime as dt
import statistics
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from firmware_bridge.frames import Sample
from hoflicht.catalogue import City
from hoflicht.quantities import QUANTITIES
from simulators.street import BEGAN_MS, BURNER_DAYS, FAILED_DAYS, Street
from simulators.sun import elevation_deg

BERLIN = ZoneInfo("Europe/Berlin")
DUISBURG = (51.43, 6.76)
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def ms(text: str) -> int:
    """An instant of Duisburg's clocks."""
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


def values(samples: tuple[Sample, ...]) -> dict[str, float]:
    return {sample.quantity: sample.value for sample in samples}


@pytest.fixture(scope="module")
def street(city: City) -> Street:
    return Street(city, seed=1)


def sound_lamp(street: Street, city: City, at_ms: int) -> str:
    """A lamp that is neither broken nor burns by day, neither on the day before nor on the day after."""
    around = range(at_ms - DAY_MS, at_ms + 2 * DAY_MS, DAY_MS // 2)
    odd = {name for name in city.lamps for t in around if values(street.lamp(name, t))["level_actual"] != target(street, name, t)}
    return next(name for name in city.lamps if name not in odd)


def target(street: Street, name: str, at_ms: int) -> float:
    return values(street.lamp(name, at_ms))["level_target"]


def highest(day: str) -> tuple[int, float]:
    """When the sun is highest on a day, and how high."""
    start_ms = ms(f"{day}T09:00")
    elevations = {at_ms: elevation_deg(at_ms, *DUISBURG) for at_ms in range(start_ms, start_ms + 7 * HOUR_MS, MINUTE_MS // 6)}
    return max(elevations.items(), key=lambda item: item[1])


@pytest.mark.parametrize(("day", "declination_deg"), [("2026-06-21", 23.44), ("2026-12-21", -23.44), ("2026-09-23", -0.19)])
def test_at_noon_the_sun_stands_over_the_equator_by_its_declination(day: str, declination_deg: float) -> None:
    assert highest(day)[1] == pytest.approx(90 - DUISBURG[0] + declination_deg, abs=0.1)


@pytest.mark.parametrize(("day", "equation_of_time_min"), [("2026-11-03", 16.4), ("2026-02-11", -14.2), ("2026-04-15", 0.0)])
def test_the_sun_is_highest_when_longitude_and_equation_of_time_say(day: str, equation_of_time_min: float) -> None:
    noon_utc_min = (highest(day)[0] % DAY_MS) / MINUTE_MS

    assert noon_utc_min == pytest.approx(12 * 60 - 4 * DUISBURG[1] - equation_of_time_min, abs=0.6)


@pytest.mark.parametrize(
    ("at", "level"),
    [
        ("2026-11-23T12:00", 0.0),
        ("2026-11-23T16:20", 0.0),
        ("2026-11-23T17:00", 100.0),
        ("2026-11-23T22:59", 100.0),
        ("2026-11-23T23:01", 50.0),
        ("2026-11-24T04:59", 50.0),
        ("2026-11-24T05:01", 100.0),
        ("2026-11-24T08:10", 0.0),
        ("2026-06-21T22:00", 0.0),
        ("2026-06-21T22:30", 100.0),
        ("2026-06-22T04:00", 50.0),
    ],
)
def test_light_follows_the_sun_and_is_dimmed_in_the_small_hours(street: Street, city: City, at: str, level: float) -> None:
    lamp = sound_lamp(street, city, ms(at))
    said = values(street.lamp(lamp, ms(at)))

    assert (said["level_target"], said["level_feedback"], said["level_actual"]) == (level, level, level)


def test_the_same_seed_is_the_same_street_whenever_it_is_asked(city: City, street: Street) -> None:
    at_ms = ms("2026-11-23T20:00")
    street.lamp("lamp-0003", at_ms + 400 * DAY_MS)

    assert Street(city, 1).lamp("lamp-0003", at_ms) == street.lamp("lamp-0003", at_ms)
    assert Street(city, 2).lamp("lamp-0003", at_ms) != street.lamp("lamp-0003", at_ms)


def test_all_that_a_lamp_says_is_plausible(city: City, street: Street) -> None:
    for at_ms in range(ms("2026-11-01T00:00"), ms("2026-11-30T00:00"), 7 * HOUR_MS):
        for name in city.lamps:
            for quantity, value in values(street.lamp(name, at_ms)).items():
                assert QUANTITIES[quantity].low <= value <= QUANTITIES[quantity].high, (name, quantity, value)


def test_at_any_time_one_lamp_has_failed_and_takes_next_to_nothing(city: City, street: Street) -> None:
    nights = [ms("2026-09-01T22:00") + day * DAY_MS for day in range(0, 90, 9)]
    failed = [[name for name in city.lamps if values(street.lamp(name, night))["lamp_failure"]] for night in nights]

    assert [len(names) for names in failed] == [1] * 10
    for night, (name,) in zip(nights, failed, strict=True):
        said = values(street.lamp(name, night))
        assert (said["level_target"], said["level_actual"], said["active_power"]) == (100.0, 0.0, 0.4)


def test_a_failed_lamp_is_repaired_after_weeks(city: City, street: Street) -> None:
    nights = [ms("2026-01-10T22:00") + day * DAY_MS for day in range(0, 12 * FAILED_DAYS, FAILED_DAYS)]

    assert len({name for night in nights for name in city.lamps if values(street.lamp(name, night))["lamp_failure"]}) > 3


def test_now_and_then_a_lamp_burns_by_day_for_some_days(city: City, street: Street) -> None:
    noons = [ms("2026-09-01T14:30") + day * DAY_MS for day in range(10 * BURNER_DAYS)]
    burning = [any(values(street.lamp(name, noon))["level_actual"] == 100 for name in city.lamps) for noon in noons]

    assert 0.3 < statistics.mean(burning) < 0.45
    assert not any(target(street, name, noons[0]) for name in city.lamps)


def test_the_meter_of_every_lamp_counts_its_power(city: City, street: Street) -> None:
    start_ms, step_ms = ms("2026-11-08T06:00"), 2 * MINUTE_MS
    end_ms = start_ms + 2 * DAY_MS
    for name in city.lamps:
        wh = sum(street.power_w(name, at_ms) for at_ms in range(start_ms, end_ms, step_ms)) * step_ms / HOUR_MS

        assert 1000 * (street.energy_kwh(name, end_ms) - street.energy_kwh(name, start_ms)) == pytest.approx(wh, abs=10)


def test_counters_never_go_back(city: City, street: Street) -> None:
    for name in ("lamp-0001", "lamp-0024"):
        said = [values(street.lamp(name, at_ms)) for at_ms in range(ms("2026-08-01T00:00"), ms("2026-11-01T00:00"), 5 * HOUR_MS)]
        for quantity in ("energy_import", "operating_hours"):
            assert [each[quantity] for each in said] == sorted(each[quantity] for each in said)


def test_before_the_meters_were_set_up_they_stand_at_zero(city: City, street: Street) -> None:
    assert street.energy_kwh("lamp-0001", BEGAN_MS - DAY_MS) == 0.0
    assert street.energy_kwh("lamp-0001", 0) == 0.0


@pytest.mark.parametrize("at", ["2026-11-23T20:00", "2026-11-23T12:00"])
def test_the_cabinet_delivers_what_its_lamps_take(city: City, street: Street, at: str) -> None:
    measured = street.cabinet("cabinet-07", ms(at))

    lamps_w = sum(street.power_w(name, ms(at)) for name in city.lamps)
    assert measured["active_power"] == pytest.approx(1.03 * lamps_w)
    assert measured["active_power"] == pytest.approx(sum(measured[f"active_power_l{phase}"] for phase in (1, 2, 3)))
    assert measured["energy_import"] == pytest.approx(1.03 * sum(street.energy_kwh(name, ms(at)) for name in city.lamps))
    for phase in (1, 2, 3):
        volt, ampere, va = (measured[f"{quantity}_l{phase}"] for quantity in ("voltage", "current", "apparent_power"))
        assert volt * ampere == pytest.approx(va)
        assert measured[f"active_power_l{phase}"] == pytest.approx(va * measured[f"power_factor_l{phase}"])


def test_a_cabinet_feeds_its_own_street_only(city: City) -> None:
    far = {"lamp-9999": replace(city.lamps["lamp-0001"], street="Königstraße")}
    bigger = Street(replace(city, lamps=city.lamps | far), seed=1)
    at_ms = ms("2026-11-23T20:00")

    own_w = sum(bigger.power_w(name, at_ms) for name in city.lamps)
    assert bigger.cabinet("cabinet-07", at_ms)["active_power"] == pytest.approx(1.03 * own_w)


def test_traffic_is_the_same_however_it_is_cut(street: Street) -> None:
    start_ms, cut_ms, end_ms = ms("2026-11-23T15:10"), ms("2026-11-23T16:43"), ms("2026-11-23T18:20")
    whole = list(street.traffic("lamp-0001", start_ms, end_ms))

    assert whole == [*street.traffic("lamp-0001", start_ms, cut_ms), *street.traffic("lamp-0001", cut_ms, end_ms)]
    assert [vehicle.at_ms for vehicle in whole] == sorted(vehicle.at_ms for vehicle in whole)
    assert all(start_ms <= vehicle.at_ms < end_ms and vehicle.speed_m_s >= 3 for vehicle in whole)


def test_there_is_less_traffic_at_night(street: Street) -> None:
    def count(hour: str) -> int:
        at_ms = ms(f"2026-11-23T{hour}:00")
        return sum(1 for day in range(7) for _ in street.traffic("lamp-0012", at_ms + day * DAY_MS, at_ms + day * DAY_MS + HOUR_MS))

    assert count("14") > 5 * count("03") > 0


def test_the_air_wanders_and_does_not_jump(street: Street) -> None:
    day = [street.air("lamp-0012", ms("2026-11-23T00:00") + minute * MINUTE_MS).pm2_5 for minute in range(1_440)]
    year = [street.air("lamp-0012", ms("2026-01-01T07:00") + hour * 31 * HOUR_MS).pm2_5 for hour in range(280)]

    assert max(abs(now - before) for before, now in pairwise(day)) < 1.0
    assert 6 < statistics.mean(year) < 16
    assert min(year) > 1
    assert max(year) < 80


def test_finer_dust_is_part_of_the_coarser(street: Street) -> None:
    for hour in range(500):
        air = street.air("hof-nord", ms("2026-01-01T00:00") + hour * HOUR_MS)

        assert air.pm1 < air.pm2_5 < air.pm4 < air.pm10
