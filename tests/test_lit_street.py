"""The street that gateways light: drivers go on from its past, break as it has it, and its cabinets deliver what they take."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from firmware_bridge.dali import arc
from hoflicht.catalogue import City
from simulators.gear import Gear
from simulators.lamps import BROKEN, CUT, PASSING, LampWorld, LitStreet
from simulators.luba import Luba
from simulators.luminaire import STANDBY_W, Fault
from simulators.street import FAILED_DAYS, Street

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
EVENING_MS = round(dt.datetime(2026, 11, 23, 20, tzinfo=BERLIN).timestamp() * 1000)


def hung(city: City, start_ms: int = EVENING_MS) -> tuple[LitStreet, Luba, LampWorld]:
    street = LitStreet(city, 1, start_ms)
    gears = {name: street.hang(address, name) for address, name in enumerate(city.lamps)}
    return street, Luba(list(gears.values())), LampWorld(gears, street)


def live(line: Luba, world: LampWorld, from_ms: int, to_ms: int) -> None:
    for at_ms in range(from_ms, to_ms + 1, 60_000):
        world.advance(at_ms)
        line.said(at_ms)


def test_a_driver_goes_on_from_the_past_of_its_lamp(city: City) -> None:
    past = {sample.quantity: sample.value for sample in Street(city, 1).lamp("lamp-0005", EVENING_MS)}

    gear = hung(city)[0].gears["lamp-0005"]

    assert gear.lamp.energy_wh == pytest.approx(1000 * past["energy_import"], abs=1)
    assert gear.lamp.on_s == pytest.approx(3600 * past["operating_hours"], abs=1)
    assert gear.lamp.light_percent == pytest.approx(past["level_actual"])


def test_the_cabinet_delivers_what_the_drivers_take(city: City) -> None:
    street, line, world = hung(city)
    live(line, world, EVENING_MS, EVENING_MS)
    full_w = street.cabinet("cabinet-07", EVENING_MS)["active_power"]
    before_kwh = street.cabinet("cabinet-07", EVENING_MS)["energy_import"]
    for gear in street.gears.values():
        gear.lamp.go(arc(50))
    live(line, world, EVENING_MS, EVENING_MS + HOUR_MS)

    drawn = street.cabinet("cabinet-07", EVENING_MS + HOUR_MS)
    burning = [gear for gear in street.gears.values() if gear.lamp.light_percent > 0]
    assert len(burning) in (22, 23, 24)
    assert drawn["active_power"] == pytest.approx(1.03 * sum(gear.lamp.power_w for gear in street.gears.values()))
    assert drawn["active_power"] == pytest.approx(full_w / 2, rel=0.05)
    assert drawn["energy_import"] - before_kwh == pytest.approx(full_w / 2 / 1000, rel=0.05)


def test_what_breaks_in_the_street_breaks_in_its_driver_and_is_repaired_there(city: City) -> None:
    def failed(at_ms: int) -> list[str]:
        return [name for name in city.lamps if Street(city, 1).has_failed(name, at_ms)]

    evenings = (EVENING_MS + day * DAY_MS for day in range(2 * FAILED_DAYS))
    last_ms = next(at_ms for at_ms in evenings if failed(at_ms) != failed(at_ms + DAY_MS))
    street, line, world = hung(city, last_ms)
    dark: list[list[str]] = []
    for at_ms in (last_ms, last_ms + DAY_MS):
        live(line, world, at_ms, at_ms)
        for gear in street.gears.values():
            gear.lamp.go(arc(100))
        dark.append([name for name, gear in street.gears.items() if gear.lamp.has_failed])

    assert dark == [failed(last_ms), failed(last_ms + DAY_MS)]
    assert [len(names) for names in dark] == [1, 1]


def test_a_lamp_that_burns_by_day_does_not_go_off_when_told(city: City) -> None:
    noons = (EVENING_MS - 8 * HOUR_MS + day * DAY_MS for day in range(30))
    noon_ms, name = next((noon, name) for noon in noons for name in city.lamps if Street(city, 1).burns_by_day(name, noon))
    street, line, world = hung(city, noon_ms)
    live(line, world, noon_ms, noon_ms)
    told: list[Gear] = list(street.gears.values())
    for gear in told:
        gear.lamp.go(0)

    assert [each for each in city.lamps if street.gears[each].lamp.light_percent > 0] == [name]
    assert all(gear.lamp.power_w == STANDBY_W for gear in told if gear is not street.gears[name])


def test_every_kind_of_fault_comes_and_goes_on_some_night(city: City) -> None:
    street = hung(city)[0]
    nights = [EVENING_MS + day * DAY_MS for day in range(60)]
    assert {*PASSING, *BROKEN, CUT} == set(Fault)
    for fault in (*PASSING, CUT):
        spells = [
            [street.has_now(fault, name, night_ms + hour * HOUR_MS) for hour in range(-3, 17)]
            for night_ms in nights
            for name in city.lamps
        ]
        struck = [spell for spell in spells if any(spell)]
        assert 1 <= len(struck) / (len(city.lamps) if fault is CUT else 1) <= 15, fault
        assert all(not spell[0] and not spell[-1] and 1 <= sum(spell) <= 4 for spell in struck), fault
