"""The lamps of a line: led by program, sensor and command, asked, read, and judged; drivers and their gateway are simulated."""

import queue
from pathlib import Path

import pytest

from edge.dimming import Senses
from edge.lamp import Lamp
from edge.observation import Observation
from edge.shadow import Order
from firmware_bridge.dali import Command as Dali
from hoflicht.clock import HandClock
from hoflicht.faults import FAULTS
from hoflicht.program import Period, Program, Step, Traffic
from hoflicht.shadow import Command, Outcome
from simulators.gear import Gear
from simulators.luminaire import Fault
from tests.wired import DUISBURG, NIGHT_MS, NOON_MS, Lit

HALF = Program(periods=(Period(steps=(Step(at="dusk", percent=50),)),))
HALF_ARC = 229  # 50 % of the light


def lit(folder: Path, *gears: Gear, now_ms: int = NIGHT_MS, is_set: bool = True) -> Lit:
    return Lit(folder, gears or (Gear(5, level=0),), HandClock(now_ms, is_set))


def settings(frames: list[bytes]) -> list[int]:
    """The commands that a driver keeps without power."""
    return [frame[1] for frame in frames if frame[0] & 1 and frame[0] < 0xA0 and 0x20 <= frame[1] < 0x81]


# Levels


def test_a_lamp_of_which_the_city_has_said_nothing_burns_in_full_when_it_is_dark(tmp_path: Path) -> None:
    night, noon = lit(tmp_path), lit(tmp_path, now_ms=NOON_MS)

    night.live(10)
    noon.live(10)

    assert (night.levels(), noon.levels()) == ([254], [0])
    assert night.values("light_reason") == [0.0]


def test_a_lamp_follows_its_program_and_says_so(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.want(HALF)

    own.live(10)

    assert own.levels() == [HALF_ARC]
    assert (own.values("level_target"), own.values("light_reason")) == ([50.0], [1.0])
    assert own.values("level_feedback") == own.values("level_actual") == [50.531]


def test_who_passes_by_has_light_within_two_seconds(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.want(Program(periods=HALF.periods, traffic=Traffic(percent=100, hold_s=30)), traffic=("lamp-0005/traffic",))
    for _ in range(20):
        own.posts.heard("/dev/radar", "lamp-0005", "traffic", own.clock.monotonic_ms())
        own.live(5)
    assert own.levels() == [HALF_ARC]

    own.posts.told("/dev/radar", Observation("lamp-0005", "traffic", "passage", own.clock.monotonic_ms(), 1.0))
    own.live(2)
    assert own.gears[0].lamp.level >= 252  # the last steps of the ramp may still be fading
    own.live(3)
    assert own.values("light_reason")[-1] == 2.0

    own.posts.heard("/dev/radar", "lamp-0005", "traffic", own.clock.monotonic_ms())
    own.live(60)
    assert own.levels() == [HALF_ARC]


def test_a_traffic_sensor_that_has_died_leaves_full_light(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.want(Program(periods=HALF.periods, traffic=Traffic()), traffic=("lamp-0005/traffic",))

    own.live(10)

    assert own.levels() == [254]
    assert own.values("light_reason") == [0.0]


def test_a_command_lands_within_two_seconds_and_ends_by_itself(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.want(HALF)
    own.live(400)
    command = own.override(100, lasts_s=60)

    own.want(HALF, [command])
    own.live(2)

    assert own.gears[0].lamp.wanted >= 252
    own.live(3)
    assert own.shadow.report().outcomes == {"c": {Outcome.APPLIED: ("lamp-0005",)}}
    own.live(50)
    assert own.levels() == [254]
    own.live(40)
    assert own.levels() == [HALF_ARC]
    assert own.shadow.report().outcomes == {"c": {Outcome.EXPIRED: ("lamp-0005",)}}
    assert own.values("light_reason") == [1.0, 3.0, 1.0]


def test_a_command_of_a_full_line_lands_within_two_seconds_while_banks_are_read(tmp_path: Path) -> None:
    own = lit(tmp_path, *(Gear(address, level=HALF_ARC) for address in range(64)))
    own.want(HALF)
    own.live(30)
    own.wire.frames.clear()
    own.live(3)
    assert any(frame[1] == 0xC5 for frame in own.wire.frames)  # a bank is being read

    own.want(HALF, [own.override(80, lasts_s=60)])
    own.live(2)

    assert {gear.lamp.wanted for gear in own.gears} == {246}


def test_a_command_of_a_few_lamps_of_a_full_line_lands_within_two_seconds(tmp_path: Path) -> None:
    own = lit(tmp_path, *(Gear(address, level=HALF_ARC) for address in range(64)))
    own.want(HALF)
    own.live(30)
    few = own.names[10:30]

    own.want(HALF, [own.override(80, lasts_s=60, names=few)])
    own.live(2)

    assert [gear.address for gear in own.gears if gear.lamp.wanted == 246] == list(range(10, 30))


def test_a_released_lamp_goes_back_to_its_program(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.want(HALF, [own.override(100, lasts_s=600, id="a")])
    own.live(5)
    own.clock.advance(1)

    own.want(HALF, [own.override(100, lasts_s=590, id="a"), own.override(None, lasts_s=600, id="b")])
    own.live(30)

    assert own.levels() == [HALF_ARC]
    assert own.shadow.report().outcomes["b"] == {Outcome.APPLIED: ("lamp-0005",)}


def test_a_driver_that_does_not_follow_makes_the_command_fail_until_it_does(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.gears[0].lamp.faults.add(Fault.STUCK_LEVEL)
    own.want(HALF, [own.override(20, lasts_s=600)])

    own.live(30)
    assert own.shadow.report().outcomes == {"c": {Outcome.FAILED: ("lamp-0005",)}}

    own.gears[0].lamp.faults.clear()
    own.live(90)
    assert own.shadow.report().outcomes == {"c": {Outcome.APPLIED: ("lamp-0005",)}}


def test_a_clock_that_nobody_has_set_leaves_full_light_and_no_command(tmp_path: Path) -> None:
    own = lit(tmp_path, now_ms=NIGHT_MS - 3_600_000, is_set=False)
    own.want(HALF, [own.override(20, lasts_s=600)])

    own.live(10)
    assert (own.levels(), own.values("light_reason")) == ([254], [0.0])

    own.clock.set(NIGHT_MS)
    own.live(30)
    assert own.levels() == [HALF_ARC]


def test_a_driver_that_had_no_mains_has_its_level_again_within_seconds(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.want(HALF)
    own.live(10)

    own.gears[0].lamp.faults.add(Fault.SUPPLY_LOSS)
    own.live(5)
    own.gears[0].lamp.faults.clear()
    own.live(5)

    assert own.levels() == [HALF_ARC]


def test_a_driver_whose_mains_came_back_is_looked_after_once(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.live(10)
    own.wire.frames.clear()

    own.gears[0].lamp.faults.add(Fault.SUPPLY_LOSS)
    own.live(5)
    own.gears[0].lamp.faults.clear()  # its power-on level is the one that is wanted
    own.live(30)

    assert [frame[1] for frame in own.wire.frames].count(Dali.QUERY_POWER_ON_LEVEL) == 1


def test_a_command_is_applied_when_its_ramp_has_ended(tmp_path: Path) -> None:
    own = lit(tmp_path)
    slow = Program(periods=HALF.periods, ramp_up_s=60)
    own.want(slow)
    own.live(10)

    own.want(slow, [own.override(100, lasts_s=600)])
    own.live(25)
    assert own.shadow.report().outcomes == {"c": {Outcome.ACCEPTED: ("lamp-0005",)}}
    own.live(15)

    assert own.shadow.report().outcomes == {"c": {Outcome.APPLIED: ("lamp-0005",)}}


def test_a_level_that_got_lost_on_the_bus_is_sent_again(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.want(HALF)
    own.live(10)
    own.gears[0].hear(bytes((5 << 1, 10)))  # somebody else, or noise

    own.live(5)

    assert own.levels() == [HALF_ARC]


# The driver's own failsafe


def test_a_driver_is_told_once_to_burn_when_its_bus_dies_and_when_its_mains_come_back(tmp_path: Path) -> None:
    gear = Gear(5, level=0)
    for setter in (Dali.SET_SYSTEM_FAILURE_LEVEL, Dali.SET_POWER_ON_LEVEL):
        for frame in (bytes((0xA3, 0)), bytes((5 << 1 | 1, setter)), bytes((5 << 1 | 1, setter))):
            gear.hear(frame)
    own = lit(tmp_path, gear, now_ms=NOON_MS)
    own.live(30)
    assert settings(own.wire.frames) == [Dali.SET_SYSTEM_FAILURE_LEVEL, Dali.SET_POWER_ON_LEVEL, Dali.SET_FADE_TIME]
    assert own.levels() == [0]

    own.luba.is_bus_down = True
    own.live(2)

    assert own.levels() == [254]


def test_a_restart_writes_nothing_into_a_driver_that_is_as_it_should_be(tmp_path: Path) -> None:
    gear = Gear(5, level=0)
    lit(tmp_path, gear).live(30)
    again = lit(tmp_path, gear)

    again.live(30)

    assert settings(again.wire.frames) == []


# What is told


def test_a_driver_tells_energy_hours_starts_and_what_is_left_of_its_life(tmp_path: Path) -> None:
    own = lit(tmp_path, Gear(5, energy_wh=123_000, on_s=25_000 * 3600, starts=500, level=0))

    own.live(60)

    told = {quantity: own.values(quantity)[-1] for quantity in ("energy_import", "operating_hours", "lamp_starts", "life_left")}
    assert told == {
        "energy_import": 123.0,
        "operating_hours": pytest.approx(25_000, abs=0.1),
        "lamp_starts": 501,
        "life_left": 50.0,
    }
    assert own.values("voltage") == [230.0]
    assert own.values("power_factor") == [0.95]


def test_rated_starts_may_end_a_life_before_its_hours(tmp_path: Path) -> None:
    own = lit(tmp_path, Gear(5, on_s=0, starts=400_000, level=254))

    own.live(60)

    assert own.values("life_left") == [20.0]


def test_an_hour_of_steady_light_is_told_in_few_readings(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.want(HALF)
    own.live(1_800)
    own.told.clear()

    own.live(3_600)

    assert 20 <= len(own.told) <= 45
    assert len(own.values("level_actual")) == 12
    assert len(own.values("lamp_failure")) == 1


def test_what_finds_no_room_is_counted_and_lamps_go_on(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.out = queue.Queue(1)
    own.line._out = own.out
    own.want(HALF)

    own.live(10)

    assert own.levels() == [HALF_ARC]
    assert own.counters.overflown > 0


def test_a_bank_with_an_answer_missing_gives_no_value(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.gears[0].lamp.faults.add(Fault.HALF_MUTE)

    own.live(1_200)

    assert own.values("energy_import") == own.values("voltage") == []
    assert set(own.values("level_actual")) == {100.0}


# Faults, from the driver to the reading

INCIDENTS = {  # what is told, and how many seconds it takes until it is raised and until it is cleared
    Fault.LAMP_FAILURE: ("lamp_failure", 120, 400),
    Fault.STUCK_LEVEL: ("dimming_failure", 120, 200),
    Fault.CYCLING: ("cycling_failure", 700, 4_500),
    Fault.POWER_TOO_HIGH: ("lamp_power_too_high", 700, 700),
    Fault.POWER_TOO_LOW: ("lamp_power_too_low", 700, 700),
    Fault.MUTE: ("control_gear_comm_failure", 150, 60),
    Fault.TOO_HOT: ("high_temperature", 2_600, 2_800),
}


@pytest.mark.parametrize("fault", INCIDENTS, ids=lambda fault: fault.name)
def test_what_breaks_is_told_once_when_it_breaks_and_once_when_it_is_mended(fault: Fault, tmp_path: Path) -> None:
    name, raised_s, cleared_s = INCIDENTS[fault]
    own = lit(tmp_path, Gear(5, level=0), Gear(6, level=0))
    own.gears[0].lamp.ambient_cel = 30.0
    own.want(HALF)
    own.live(650)
    own.told.clear()

    own.gears[0].lamp.faults.add(fault)
    own.live(raised_s)
    own.gears[0].lamp.faults.clear()
    own.live(cleared_s)

    assert {each: _changes(own.values(each)) for each in FAULTS} == {each: [1.0, 0.0] if each == name else [] for each in FAULTS}
    assert {seen.value for seen in own.told if seen.site == "lamp-0006" and seen.quantity in FAULTS} <= {0.0}


def _changes(values: list[float]) -> list[float]:
    """Without what repeats, and without what is well from the first."""
    changes = [value for n, value in enumerate(values) if n == 0 or value != values[n - 1]]
    return changes[changes[:1] == [0.0] :]


def test_a_power_that_was_measured_while_the_level_changed_says_nothing(tmp_path: Path) -> None:
    lamp = Lamp("lamp-0005", "driver", 5)
    for at_ms, percent in ((0, 50.0), (100_000, 100.0), (200_000, 50.0)):
        order = Order(command=Command(id="c", lamps=(), percent=percent, at_ms=0, until_ms=1))
        lamp.decide(order, Senses(), DUISBURG, NIGHT_MS, at_ms + 90_000)
        lamp.level_sent(at_ms + 90_000)
        lamp.asked(lamp.wanted, 0b100, at_ms + 91_000)
        lamp.bank_read(202, {"active_power": 1.0}, at_ms + 92_000)
        told = {seen.quantity: seen.value for seen in lamp.news(False, at_ms + 92_000)}
        assert told.get("lamp_power_too_low", 0.0) == 0.0


def test_a_lamp_that_burns_by_day_is_told(tmp_path: Path) -> None:
    own = lit(tmp_path, now_ms=NOON_MS)
    own.live(900)
    own.gears[0].lamp.faults.add(Fault.STUCK_ON)
    own.live(900)
    own.gears[0].lamp.faults.clear()
    own.live(900)

    assert _changes(own.values("lamp_unexpected_on")) == [1.0, 0.0]


def test_a_whole_line_without_mains_is_one_supply_loss_for_each_lamp_and_nothing_else(tmp_path: Path) -> None:
    own = lit(tmp_path, Gear(5, level=0), Gear(6, level=0))
    own.live(900)
    for gear in own.gears:
        gear.lamp.faults.add(Fault.SUPPLY_LOSS)
    own.live(600)
    for gear in own.gears:
        gear.lamp.faults.clear()
    own.live(600)

    for lamp in own.names:
        assert _changes(own.values("supply_loss", lamp)) == [1.0, 0.0]
        assert set(own.values("control_gear_comm_failure", lamp)) == {0.0}
        assert set(own.values("lamp_failure", lamp)) == {0.0}


def test_a_port_that_is_pulled_is_drivers_that_do_not_answer_and_no_supply_loss(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.live(300)
    own.wire.is_open = False
    own.live(300)
    own.wire.is_open = True
    own.live(60)

    assert _changes(own.values("control_gear_comm_failure")) == [1.0, 0.0]
    assert set(own.values("supply_loss")) == {0.0}
    assert own.levels() == [254]


def test_a_line_full_of_lamps_that_ramp_for_minutes_is_still_asked(tmp_path: Path) -> None:
    slow = Program(periods=HALF.periods, ramp_down_s=300, ramp_up_s=300)
    own = lit(tmp_path, *(Gear(address, level=0) for address in range(64)))
    own.want(slow, [own.override(90 if n % 2 else 10, lasts_s=5, names=[name], id=name) for n, name in enumerate(own.names)])
    own.live(5)

    own.wire.frames.clear()
    own.live(45)

    sent = [frame[1] for frame in own.wire.frames if frame[0] & 1]
    assert sent.count(Dali.QUERY_STATUS) > 15
    assert len(own.wire.frames) - len(sent) > 1_000  # levels


def test_noise_on_the_bus_raises_nothing(tmp_path: Path) -> None:
    own = lit(tmp_path, Gear(5, level=0), Gear(6, level=0))
    own.luba.garbled = 0.3

    own.live(1_800)

    assert own.levels() == [254, 254]
    faults = {seen.quantity: seen.value for seen in own.told if seen.quantity.endswith(("failure", "loss", "on", "high", "low"))}
    assert set(faults.values()) == {0.0}


def test_a_command_whose_lamp_cannot_be_reached_fails_and_is_tried_on(tmp_path: Path) -> None:
    own = lit(tmp_path)
    own.wire.is_open = False
    own.clock.advance(60_000)
    own.want(HALF, [own.override(100, lasts_s=600)])

    own.live(5)
    assert own.shadow.report().outcomes == {"c": {Outcome.ACCEPTED: ("lamp-0005",)}}  # also where the lamp was never told yet
    own.live(10)
    assert own.shadow.report().outcomes == {"c": {Outcome.FAILED: ("lamp-0005",)}}
    own.wire.is_open = True
    own.live(10)

    assert own.shadow.report().outcomes == {"c": {Outcome.APPLIED: ("lamp-0005",)}}
