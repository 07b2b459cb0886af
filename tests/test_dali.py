"""DALI frames and the dimming curve."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import dali
from firmware_bridge.dali import (
    BROADCAST,
    Command,
    Forward,
    Special,
    Status,
    command,
    dapc,
    group,
    membership,
    setting,
    short,
    special,
)
from hoflicht import BadConfig, BadPayload

SEND_TWICE = {"SET_SYSTEM_FAILURE_LEVEL", "SET_POWER_ON_LEVEL", "SET_FADE_TIME", "SET_FADE_RATE", "ENABLE_WRITE_MEMORY"}
NOT_ANSWERED = SEND_TWICE | {"OFF", "RECALL_MAX_LEVEL"}


@pytest.mark.parametrize(
    ("forward", "data"),
    [
        (dapc(short(5), 170), "0A AA"),
        (dapc(short(63), 254), "7E FE"),
        (dapc(group(3), 0), "86 00"),
        (dapc(BROADCAST, 254), "FE FE"),
        (command(short(5), Command.OFF), "0B 00"),
        (command(short(5), Command.QUERY_STATUS), "0B 90"),
        (command(short(5), Command.READ_MEMORY_LOCATION), "0B C5"),
        (command(group(15), Command.RECALL_MAX_LEVEL), "9F 05"),
        (command(BROADCAST, Command.QUERY_CONTROL_GEAR_PRESENT), "FF 91"),
        (special(Special.DTR0, 4), "A3 04"),
        (special(Special.DTR1, 202), "C3 CA"),
        (special(Special.WRITE_MEMORY_LOCATION_NO_REPLY, 0xAA), "C9 AA"),
    ],
)
def test_frames(forward: Forward, data: str) -> None:
    assert forward.data == bytes.fromhex(data)


@pytest.mark.parametrize("what", Command)
def test_settings_go_twice_and_queries_are_answered(what: Command) -> None:
    forward = command(short(0), what)

    assert forward.twice == (what.name in SEND_TWICE)
    assert forward.is_query == (what.name not in NOT_ANSWERED)


def test_a_level_goes_once_and_is_not_answered() -> None:
    assert dapc(short(5), 170) == Forward(b"\x0a\xaa", twice=False, is_query=False)


def test_a_setting_comes_from_the_register() -> None:
    assert setting(short(1), Command.SET_FADE_TIME, 4) == (Forward(b"\xa3\x04"), Forward(b"\x03\x2e", twice=True))


def test_groups_are_joined_and_left_by_their_number() -> None:
    assert membership(short(5), 15, is_in=True) == Forward(b"\x0b\x6f", twice=True)
    assert membership(short(5), 0, is_in=False) == Forward(b"\x0b\x70", twice=True)
    with pytest.raises(BadConfig, match=r"DALI address 16: there are 0 to 15"):
        membership(short(5), 16, is_in=True)


@pytest.mark.parametrize(("address", "limit"), [(64, 63), (-1, 63)])
def test_an_address_that_is_not_there_is_a_mistake_in_the_config(address: int, limit: int) -> None:
    with pytest.raises(BadConfig, match=rf"DALI address {address}: there are 0 to {limit}"):
        short(address)


def test_a_group_that_is_not_there_is_a_mistake_in_the_config() -> None:
    with pytest.raises(BadConfig, match=r"DALI address 16: there are 0 to 15"):
        group(16)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (0b0000_0000, set[str]()),
        (0b0000_0001, {"gear_failure"}),
        (0b0000_0110, {"lamp_failure", "lamp_on"}),
        (0b0001_1000, {"limit_error", "fade_running"}),
        (0b1110_0000, {"reset_state", "no_short_address", "power_cycle_seen"}),
    ],
)
def test_the_bits_of_the_status(answer: int, says: set[str]) -> None:
    status = dali.status(answer)

    assert {name for name in Status.__struct_fields__ if getattr(status, name)} == says


# The curve


@pytest.mark.parametrize(
    ("arc", "percent"), [(0, 0.0), (1, 0.1), (60, 0.501), (85, 0.991), (126, 3.035), (170, 10.091), (229, 50.53), (254, 100.0)]
)
def test_the_dimming_curve(arc: int, percent: float) -> None:
    assert dali.percent(arc) == pytest.approx(percent, abs=0.001)
    assert dali.arc(percent) == arc


@pytest.mark.parametrize(
    ("percent", "arc"), [(-1.0, 0), (0.0, 0), (0.001, 1), (0.1, 1), (1.0, 85), (10.0, 170), (50.0, 229), (100.0, 254), (500.0, 254)]
)
def test_what_is_asked_for_in_percent_becomes_the_nearest_level(percent: float, arc: int) -> None:
    assert dali.arc(percent) == arc


def test_each_level_is_brighter_than_the_one_below() -> None:
    light = [dali.percent(arc) for arc in range(255)]

    assert all(low < high for low, high in itertools.pairwise(light))


def test_each_level_comes_back() -> None:
    assert [dali.arc(dali.percent(arc)) for arc in range(255)] == list(range(255))


@given(percent=st.floats(0.1, 100))
def test_the_level_for_a_percentage_is_within_half_a_step(percent: float) -> None:
    half_a_step = 10 ** (3 / 253 / 2)

    assert percent / half_a_step - 0.0005 <= dali.percent(dali.arc(percent)) <= percent * half_a_step + 0.0005


@given(st.tuples(st.floats(0, 100), st.floats(0, 100)))
def test_more_percent_is_never_a_lower_level(percents: tuple[float, float]) -> None:
    low, high = sorted(percents)

    assert dali.arc(low) <= dali.arc(high)


@pytest.mark.parametrize("arc", [255, -1])
def test_a_mask_is_no_level(arc: int) -> None:
    with pytest.raises(BadPayload, match=rf"{arc} is no level: 0 to 254"):
        dali.percent(arc)
