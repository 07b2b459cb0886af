"""Simulated D4i drivers behind a simulated gateway, asked in bytes by our own codecs: both sides were written apart."""

import random
from collections.abc import Iterable

import pytest

from firmware_bridge import banks, dali, luba
from firmware_bridge.dali import (
    BROADCAST,
    MASK,
    Command,
    Forward,
    Special,
    command,
    dapc,
    group,
    membership,
    setting,
    short,
    special,
)
from firmware_bridge.frames import Noise
from firmware_bridge.luba import Answer, Garbled, Sent
from simulators.gear import Gear
from simulators.luba import Luba, message
from simulators.luminaire import Fault

SECOND_MS, MINUTE_MS, HOUR_MS = 1_000, 60_000, 3_600_000
START_MS = 1_800_000_000_000
TO = short(5)


class Street:
    """A gateway with its drivers, a clock and a master that asks."""

    def __init__(self, *gears: Gear) -> None:
        self.line = Luba(gears, random.Random(3))
        self.now_ms = START_MS
        self.pass_ms(0)
        for request in luba.START:
            self.line.heard(request)

    def pass_ms(self, ms: int) -> None:
        self.now_ms += ms
        self.line.said(self.now_ms)

    def hear(self, forward: Forward) -> list[luba.Said | Noise]:
        return list(luba.Decoder().feed(self.line.heard(luba.send(forward.data, twice=forward.twice))))

    def tell(self, *forwards: Forward) -> None:
        for forward in forwards:
            self.hear(forward)

    def ask(self, forward: Forward) -> int | None:
        return next((item.value for item in self.hear(forward) if isinstance(item, Answer)), None)

    def level(self) -> int | None:
        return self.ask(command(TO, Command.QUERY_ACTUAL_LEVEL))

    def status(self) -> dali.Status:
        answer = self.ask(command(TO, Command.QUERY_STATUS))
        assert answer is not None
        return dali.status(answer)

    def read(self, bank: int, address: int = 5) -> dict[str, float]:
        answers: list[int | None] = []
        for forward in banks.reading(address, bank):
            answer = self.ask(forward)
            if forward.is_query:
                answers.append(answer)
        return banks.values(bank, answers)


def broken(fault: Fault, level: int = 254) -> tuple[Street, Gear]:
    gear = Gear(5, level=level)
    street = Street(gear)
    gear.lamp.faults.add(fault)
    street.pass_ms(SECOND_MS)
    return street, gear


def present(street: Street, addresses: Iterable[int]) -> list[int]:
    return [address for address in addresses if street.ask(command(short(address), Command.QUERY_CONTROL_GEAR_PRESENT))]


# The gateway


def test_a_gateway_tells_of_the_bus_only_after_it_was_set_to() -> None:
    line = Luba([Gear(5)])
    question = luba.send(command(TO, Command.QUERY_ACTUAL_LEVEL).data)
    before = list(luba.Decoder().feed(line.heard(question)))
    for request in luba.START:
        line.heard(request)

    after = list(luba.Decoder().feed(line.heard(question)))

    assert before == [luba.Taken()]
    assert after == [luba.Taken(), Sent(b"\x0b\xa0"), Answer(254)]


@pytest.mark.parametrize(
    ("no_events", "told"),
    [(0x00, [Sent(b"\x0b\xa0"), Answer(254)]), (0x40, [Answer(254)]), (0x20, [Sent(b"\x0b\xa0")]), (0x80, list[luba.Said]())],
)
def test_a_gateway_tells_what_it_was_set_to(no_events: int, told: list[luba.Said]) -> None:
    street = Street(Gear(5))
    street.line.heard(message(0x2A, bytes((0, no_events))))

    assert street.hear(command(TO, Command.QUERY_ACTUAL_LEVEL)) == [luba.Taken(), *told]


def test_a_gateway_hears_a_request_in_pieces_and_after_noise() -> None:
    street = Street(Gear(5))
    request = bytes(600) + b"\x59\x32\x07\x59" + luba.send(command(TO, Command.QUERY_ACTUAL_LEVEL).data)

    answer = b"".join(street.line.heard(bytes((byte,))) for byte in request)

    assert list(luba.Decoder().feed(answer))[-1] == Answer(254)


def test_a_gateway_declines_what_is_no_dali_frame() -> None:
    assert Street().hear(Forward(b"\x01")) == [luba.Declined(6)]


def test_a_bus_has_sixty_four_drivers_at_most() -> None:
    street = Street(*(Gear(address) for address in range(64)))

    assert present(street, range(64)) == list(range(64))
    with pytest.raises(ValueError, match="65 drivers"):
        Luba([Gear(address % 64) for address in range(65)])


def test_only_who_is_there_answers() -> None:
    assert present(Street(Gear(5), Gear(63)), range(64)) == [5, 63]


def test_two_answers_at_once_cannot_be_read() -> None:
    street = Street(Gear(5), Gear(6))

    assert street.hear(command(BROADCAST, Command.QUERY_STATUS))[1:] == [Sent(b"\xff\x90"), Garbled("framing error")]


def test_a_bus_with_noise_garbles_answers() -> None:
    street = Street(Gear(5))
    street.line.garbled = 0.5

    last = [street.hear(command(TO, Command.QUERY_STATUS))[-1] for _ in range(200)]

    assert 60 < last.count(Garbled("framing error")) < 140
    assert set(last) == {Garbled("framing error"), Answer(0b1000_0100)}


# Light


def test_a_level_is_gone_to_at_once() -> None:
    gear = Gear(5)
    street = Street(gear)
    street.tell(dapc(TO, 170))

    assert street.level() == gear.lamp.level == 170
    assert gear.lamp.light_percent == pytest.approx(dali.percent(170), abs=0.001)


@pytest.mark.parametrize("to", [TO, group(3), BROADCAST])
def test_a_driver_hears_its_address_its_groups_and_all(to: int) -> None:
    gear = Gear(5)
    gear.groups.add(3)
    street = Street(gear)
    street.tell(dapc(to, 100))

    assert gear.lamp.level == 100


def test_a_driver_joins_and_leaves_groups_when_it_is_told_twice_and_says_which_it_is_in() -> None:
    street = Street(Gear(5))
    street.tell(membership(TO, 3, is_in=True), membership(TO, 15, is_in=True), membership(TO, 0, is_in=True))
    street.tell(membership(TO, 0, is_in=False), Forward(membership(TO, 4, is_in=True).data))

    assert street.hear(command(TO, Command.QUERY_GROUPS_0_TO_7))[-1] == luba.Answer(0b0000_1000)
    assert street.hear(command(TO, Command.QUERY_GROUPS_8_TO_15))[-1] == luba.Answer(0b1000_0000)


@pytest.mark.parametrize("to", [short(6), group(4), 0xFC])
def test_a_driver_does_not_hear_others(to: int) -> None:
    gear = Gear(5)
    gear.groups.add(3)
    street = Street(gear)
    street.tell(dapc(to, 100))

    assert gear.lamp.level == 254


def test_a_driver_fades_within_its_fade_time() -> None:
    street = Street(Gear(5, level=0))
    street.tell(*setting(TO, Command.SET_FADE_TIME, 4), dapc(TO, 200))
    levels = list[int | None]()
    fading = list[bool]()
    for _ in range(5):
        levels.append(street.level())
        fading.append(street.status().fade_running)
        street.pass_ms(500)

    assert levels == [0, 50, 100, 150, 200]  # 0.5 s × √2⁴ = 2 s
    assert fading == [True, True, True, True, False]


def test_a_mask_stops_a_fade() -> None:
    street = Street(Gear(5, level=0))
    street.tell(*setting(TO, Command.SET_FADE_TIME, 4), dapc(TO, 200))
    street.pass_ms(SECOND_MS)
    street.tell(dapc(TO, MASK))
    street.pass_ms(10 * SECOND_MS)

    assert street.level() == 100


def test_off_and_full_do_not_fade() -> None:
    street = Street(Gear(5))
    street.tell(*setting(TO, Command.SET_FADE_TIME, 15), command(TO, Command.OFF))
    off = street.level()
    street.tell(command(TO, Command.RECALL_MAX_LEVEL))

    assert (off, street.level()) == (0, 254)


def test_the_status_says_what_the_lamp_does() -> None:
    street = Street(Gear(5))
    fresh = street.status()
    street.tell(dapc(TO, 0))

    assert (fresh.lamp_on, fresh.power_cycle_seen) == (True, True)
    assert street.status() == dali.status(0)


# Settings


def test_a_setting_counts_only_if_it_comes_twice_in_a_row() -> None:
    street = Street(Gear(5))
    register, order = setting(TO, Command.SET_POWER_ON_LEVEL, 100)
    once = Forward(order.data)
    question = command(TO, Command.QUERY_POWER_ON_LEVEL)

    street.tell(register, once)
    street.pass_ms(200)
    street.tell(once)  # too late to be the second
    street.tell(special(Special.DTR1, 0), once)  # not in a row
    before = street.ask(question)
    street.tell(register, order)

    assert (before, street.ask(question)) == (254, 100)


def test_a_driver_keeps_what_it_was_set_to_without_power() -> None:
    gear = Gear(5)
    street = Street(gear)
    street.tell(*setting(TO, Command.SET_POWER_ON_LEVEL, 100), *setting(TO, Command.SET_FADE_TIME, 3), dapc(TO, 0))
    gear.lamp.faults.add(Fault.SUPPLY_LOSS)
    street.pass_ms(MINUTE_MS)
    silent = street.level()
    gear.lamp.faults.clear()
    street.pass_ms(SECOND_MS)

    assert silent is None
    assert street.level() == 100
    assert street.status().power_cycle_seen
    assert street.ask(command(TO, Command.QUERY_FADE_TIME_FADE_RATE)) == 0x37
    assert street.read(205)["gear_starts"] == 11


def test_a_driver_without_a_power_on_level_burns_as_before() -> None:
    gear = Gear(5)
    street = Street(gear)
    street.tell(*setting(TO, Command.SET_POWER_ON_LEVEL, MASK), dapc(TO, 100))
    gear.lamp.faults.add(Fault.SUPPLY_LOSS)
    street.pass_ms(MINUTE_MS)
    gear.lamp.faults.clear()
    street.pass_ms(SECOND_MS)

    assert street.level() == 100


def test_a_driver_burns_in_full_when_its_bus_dies() -> None:
    gear = Gear(5)
    street = Street(gear)
    street.tell(
        *setting(TO, Command.SET_SYSTEM_FAILURE_LEVEL, 50), *setting(BROADCAST, Command.SET_SYSTEM_FAILURE_LEVEL, 254), dapc(TO, 0)
    )
    street.line.is_bus_down = True
    street.pass_ms(SECOND_MS)

    assert gear.lamp.level == 254
    assert street.hear(command(TO, Command.QUERY_ACTUAL_LEVEL)) == [luba.Declined(luba.NO_POWER)]


def test_a_driver_without_a_system_failure_level_stays_as_it_is() -> None:
    gear = Gear(5)
    street = Street(gear)
    street.tell(*setting(TO, Command.SET_SYSTEM_FAILURE_LEVEL, MASK), dapc(TO, 0))
    street.line.is_bus_down = True
    street.pass_ms(SECOND_MS)

    assert gear.lamp.level == 0


# Totals and memory


def test_a_lamp_counts_what_it_uses() -> None:
    gear = Gear(5, nominal_w=40.0, energy_wh=10_000, on_s=3_600, starts=500)
    street = Street(gear)
    street.pass_ms(2 * HOUR_MS)
    street.tell(dapc(TO, 0))
    street.pass_ms(10 * HOUR_MS)
    street.tell(dapc(TO, 229))
    street.pass_ms(HOUR_MS)

    half_w = 0.5 + 39.5 * 0.5053
    assert gear.lamp.energy_wh == pytest.approx(10_000 + 2 * 40 + 10 * 0.5 + half_w, abs=0.1)
    assert gear.lamp.power_w == pytest.approx(half_w, abs=0.01)
    assert street.read(202) == pytest.approx({"energy_import": 10.105, "active_power": 20.46}, abs=0.001)
    assert street.read(206)["operating_hours"] == 4.0
    assert street.read(206)["lamp_starts"] == 501
    assert street.read(205)["gear_hours"] == 14.0


def test_a_fade_uses_what_its_levels_use() -> None:
    gear = Gear(5, energy_wh=0, level=0)
    street = Street(gear)
    street.tell(*setting(TO, Command.SET_FADE_TIME, 15), dapc(TO, 254))
    street.pass_ms(90_510)  # 0.5 s × √2¹⁵

    mean = (sum(dali.percent(arc) for arc in range(1, 254)) + 50) / 254  # the last level's time is half as long as the others'
    assert gear.lamp.energy_wh == pytest.approx((0.5 + 39.5 * mean / 100) * 90.51 / 3600, rel=0.005)


def test_a_street_goes_on_from_its_past() -> None:
    street = Street(Gear(5, energy_wh=2_345_678, on_s=12_345 * 3600, starts=4_321, level=0))

    assert street.read(202)["energy_import"] == 2345.678
    assert street.read(206)["operating_hours"] == 12_345
    assert street.read(206)["lamp_starts"] == 4_321


@pytest.mark.parametrize("bank", banks.BANKS)
def test_every_bank_of_every_driver_is_read(bank: int) -> None:
    street = Street(Gear(5), Gear(6, nominal_w=80))

    for address, gear in zip((5, 6), street.line.gears, strict=True):
        assert street.read(bank, address) == banks.decode(bank, gear.bank(bank))
        assert len(street.read(bank, address)) >= 2


def test_a_new_lamp_says_what_the_published_one_says() -> None:
    gear = Gear(5)

    assert gear.bank(207) == bytes.fromhex("07 FF FF 01 32 5A 13 88")
    assert gear.bank(202)[:11] == bytes.fromhex("0F FF FF 01 00 00 00 00 00 27 10")  # 10 000 Wh, in Wh
    assert gear.bank(206)[7:18] == bytes.fromhex("00 01 F4 00 00 0B B8 00 00 0B B8")


def test_a_frozen_bank_does_not_change_while_it_is_read() -> None:
    gear = Gear(5, energy_wh=255)
    street = Street(gear)
    forwards = banks.reading(5, 202)
    answers: list[int | None] = []
    for forward in forwards:
        answer = street.ask(forward)
        if forward.is_query:
            answers.append(answer)
            street.pass_ms(MINUTE_MS)  # 255 to 256 Wh: the bytes of two instants would say 511 or 0

    assert banks.values(202, answers)["energy_import"] == 0.255
    assert street.read(202)["energy_import"] == pytest.approx(0.255 + 0.04 * 14 / 60, abs=0.001)


@pytest.mark.parametrize("bank", banks.BANKS)
def test_a_frame_that_the_driver_did_not_hear_never_makes_a_wrong_value(bank: int) -> None:
    street = Street(Gear(5))
    right = street.read(bank)
    for unheard in range(len(banks.reading(5, bank))):
        street.read(205 if bank != 205 else 206)  # leaves its registers behind
        answers: list[int | None] = []
        for number, forward in enumerate(banks.reading(5, bank)):
            answer = street.ask(forward) if number != unheard else None
            if forward.is_query:
                answers.append(answer)

        assert banks.values(bank, answers) in ({}, right)


def test_reading_counts_the_register_up_to_its_end() -> None:
    street = Street(Gear(5))
    street.tell(special(Special.DTR1, 207), special(Special.DTR0, 0))
    read = command(TO, Command.READ_MEMORY_LOCATION)

    assert [street.ask(read) for _ in range(9)] == [0x07, None, 0xFF, 0x01, 0x32, 0x5A, 0x13, 0x88, None]
    street.tell(special(Special.DTR0, 255), read)
    assert street.ask(command(TO, Command.QUERY_CONTENT_DTR0)) == 255


def test_a_bank_that_is_not_there_is_silent() -> None:
    street = Street(Gear(5))
    street.tell(special(Special.DTR1, 200), special(Special.DTR0, 3))

    assert street.ask(command(TO, Command.READ_MEMORY_LOCATION)) is None


def write(offset: int, value: int) -> tuple[Forward, ...]:
    return special(Special.DTR0, offset), special(Special.WRITE_MEMORY_LOCATION_NO_REPLY, value)


@pytest.mark.parametrize(
    ("before", "hours"),
    [
        ((command(TO, Command.ENABLE_WRITE_MEMORY), *write(2, 0x55)), 80_000),
        ((command(TO, Command.ENABLE_WRITE_MEMORY),), 50_000),  # locked
        (write(2, 0x55), 50_000),  # not enabled
        ((Forward(b"\x0b\x81"), *write(2, 0x55)), 50_000),  # enabled once only
        ((command(TO, Command.ENABLE_WRITE_MEMORY), *write(2, 0x55), command(TO, Command.QUERY_STATUS)), 50_000),  # over
        ((command(short(6), Command.ENABLE_WRITE_MEMORY), *write(2, 0x55)), 50_000),  # another driver
    ],
)
def test_memory_is_written_only_where_it_was_opened(before: tuple[Forward, ...], hours: int) -> None:
    street = Street(Gear(5))
    street.tell(special(Special.DTR1, 207), *before, *write(4, 80))

    assert street.read(207)["rated_hours"] == hours


def test_what_a_driver_measures_cannot_be_written() -> None:
    street = Street(Gear(5))
    before = street.read(206), street.read(207)
    street.tell(special(Special.DTR1, 206), command(TO, Command.ENABLE_WRITE_MEMORY), *write(2, 0x55), *write(0x11, 0))

    assert (street.read(206), street.read(207)) == before


def test_a_write_is_answered_and_goes_on_to_the_next_byte() -> None:
    street = Street(Gear(5))
    write_with_reply = Forward(b"\xc7\x55", is_query=True)
    street.tell(special(Special.DTR1, 207), special(Special.DTR0, 2))
    refused = street.ask(write_with_reply)
    street.tell(command(TO, Command.ENABLE_WRITE_MEMORY))

    assert (refused, street.ask(write_with_reply)) == (None, 0x55)
    assert street.ask(command(TO, Command.QUERY_CONTENT_DTR0)) == 3


def test_a_bank_that_is_let_go_says_what_is_now() -> None:
    gear = Gear(5, energy_wh=0)
    street = Street(gear)
    read = command(TO, Command.READ_MEMORY_LOCATION)
    street.read(202)  # freezes it
    street.pass_ms(HOUR_MS)
    street.tell(special(Special.DTR1, 202), special(Special.DTR0, 0x0A))
    frozen = street.ask(read)
    street.tell(command(TO, Command.ENABLE_WRITE_MEMORY), *write(2, 0xFF), special(Special.DTR0, 0x0A))

    assert (frozen, street.ask(read)) == (0, 40)


# Faults


def test_a_lamp_that_failed_is_dark_and_says_so() -> None:
    street, gear = broken(Fault.LAMP_FAILURE)

    assert gear.lamp.light_percent == 0
    assert street.level() == MASK
    assert street.status().lamp_failure
    assert not street.status().lamp_on
    assert street.ask(command(TO, Command.QUERY_LAMP_FAILURE)) == dali.YES
    assert street.read(202)["active_power"] == 0.5
    said = street.read(206)
    assert (said["lamp_failure"], said["open_circuit"], said["lamp_failure_count"], said["short_circuit"]) == (1, 1, 1, 0)


def test_a_lamp_that_is_off_does_not_know_that_it_failed() -> None:
    street, _ = broken(Fault.LAMP_FAILURE, level=0)

    assert street.level() == 0
    assert street.ask(command(TO, Command.QUERY_LAMP_FAILURE)) is None


def test_a_lamp_that_is_stuck_burns_although_it_is_off() -> None:
    street, gear = broken(Fault.STUCK_ON)
    street.tell(dapc(TO, 0))

    assert street.level() == gear.lamp.level == 254
    assert street.read(202)["active_power"] == 40.0


def test_a_lamp_that_does_not_dim_goes_on_and_off() -> None:
    street, gear = broken(Fault.STUCK_LEVEL)
    gear.lamp.stuck_level = 200
    street.tell(dapc(TO, 100))
    dimmed = street.level()
    street.tell(dapc(TO, 0))

    assert (dimmed, street.level()) == (200, 0)


def test_a_lamp_that_cycles_starts_again_and_again() -> None:
    street, gear = broken(Fault.CYCLING)
    levels = set[int | None]()
    for _ in range(60):
        street.pass_ms(10 * SECOND_MS)
        levels.add(street.level())

    assert levels == {0, 254}
    assert street.read(206)["lamp_starts"] == 510
    assert gear.lamp.on_s == pytest.approx(3_000 + 401, abs=1)


@pytest.mark.parametrize(("fault", "watts"), [(Fault.POWER_TOO_HIGH, 59.75), (Fault.POWER_TOO_LOW, 20.25)])
def test_a_lamp_takes_the_wrong_power(fault: Fault, watts: float) -> None:
    street, gear = broken(fault)

    assert street.level() == 254
    assert street.read(202)["active_power"] == gear.lamp.power_w == watts


def test_a_lamp_that_is_too_hot_dims_itself() -> None:
    street, gear = broken(Fault.TOO_HOT)
    cool = street.read(205)
    street.pass_ms(4 * HOUR_MS)
    hot, lamp = street.read(205), street.read(206)

    assert (cool["gear_derating"], cool["output_current"]) == (0, 100)
    assert (hot["gear_derating"], hot["gear_derating_count"], hot["output_current"], hot["gear_shutdown"]) == (1, 1, 70, 0)
    assert lamp["lamp_derating"] == 1
    assert hot["temperature"] == round(gear.lamp.temperature_cel) > 85


def test_a_lamp_that_is_hotter_still_goes_off() -> None:
    street, gear = broken(Fault.TOO_HOT)
    gear.lamp.ambient_cel = 60.0
    street.pass_ms(4 * HOUR_MS)
    off = street.read(205)

    assert (gear.lamp.level, gear.lamp.wanted) == (0, 254)
    assert (off["gear_shutdown"], off["gear_shutdown_count"], off["output_current"]) == (1, 1, 0)


def test_a_lamp_gets_warm_and_cool_again() -> None:
    gear = Gear(5)
    street = Street(gear)
    street.pass_ms(4 * HOUR_MS)
    warm = street.read(205)["temperature"]
    street.tell(dapc(TO, 0))
    street.pass_ms(4 * HOUR_MS)

    assert (warm, street.read(205)["temperature"]) == (45, 10)


def test_a_driver_that_is_mute_leaves_the_light_as_it_is() -> None:
    street, gear = broken(Fault.MUTE, level=120)
    street.tell(dapc(TO, 254))
    energy_wh = gear.lamp.energy_wh
    street.pass_ms(HOUR_MS)

    assert street.level() is None
    assert street.read(202) == {}
    assert gear.lamp.level == 120
    assert gear.lamp.energy_wh > energy_wh


def test_half_of_the_answers_get_lost_and_none_is_wrong() -> None:
    street, _ = broken(Fault.HALF_MUTE)
    levels = [street.level() for _ in range(400)]
    ratings = [street.read(207).get("rated_starts") for _ in range(400)]

    assert 140 < levels.count(None) < 260
    assert set(levels) == {254, None}
    assert set(ratings) == {500_000, None}


def test_a_driver_without_mains_is_dark_and_uses_nothing() -> None:
    street, gear = broken(Fault.SUPPLY_LOSS)
    before = (gear.lamp.energy_wh, gear.lamp.on_s)
    street.pass_ms(HOUR_MS)

    assert (gear.lamp.energy_wh, gear.lamp.on_s) == before
    assert (gear.lamp.light_percent, gear.lamp.power_w, street.level()) == (0, 0, None)
