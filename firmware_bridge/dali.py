"""DALI-2 frames to the drivers of lamps, and the dimming curve. Source: IEC 62386-102, after python-dali, dali/gear/general.py.

A forward frame has 16 bits: an address byte and a level, or, with the address's last bit set, a command. The answer is eight bits;
"no" is silence. A setting comes from a register: first a value for DTR0, which all drivers hear, then the command that takes it.
"""

import enum
import math

import msgspec

from hoflicht.errors import BadConfig, BadPayload

SHORT_ADDRESSES, GROUPS = 64, 16
BROADCAST = 0xFE
MASK = 0xFF  # instead of a level: none; as a level to go to: stay where you are
FULL = 254
YES = 0xFF
STEPS_PER_DECADE = 253 / 3  # of light: levels 1 to 254 are 0.1 % to 100 %, each brighter by the same factor


class Command(enum.IntEnum):
    """What a driver, a group or all of them can be told and asked."""

    OFF = 0x00
    RECALL_MAX_LEVEL = 0x05
    SET_SYSTEM_FAILURE_LEVEL = 0x2C  # goes there when the bus has no power; MASK: stays as it is
    SET_POWER_ON_LEVEL = 0x2D  # goes there when the mains come
    SET_FADE_TIME = 0x2E  # n in DTR0: 0.5 s × √2ⁿ, 0: at once
    SET_FADE_RATE = 0x2F
    ENABLE_WRITE_MEMORY = 0x81
    QUERY_STATUS = 0x90
    QUERY_CONTROL_GEAR_PRESENT = 0x91
    QUERY_LAMP_FAILURE = 0x92
    QUERY_CONTENT_DTR0 = 0x98
    QUERY_CONTENT_DTR1 = 0x9C
    QUERY_ACTUAL_LEVEL = 0xA0  # MASK while the lamp starts or is broken
    QUERY_POWER_ON_LEVEL = 0xA3
    QUERY_SYSTEM_FAILURE_LEVEL = 0xA4
    QUERY_FADE_TIME_FADE_RATE = 0xA5
    QUERY_GROUPS_0_TO_7 = 0xC0  # a bit for each
    QUERY_GROUPS_8_TO_15 = 0xC1
    READ_MEMORY_LOCATION = 0xC5


class Special(enum.IntEnum):
    """What every driver hears: in place of an address, with a byte of data."""

    DTR0 = 0xA3
    DTR1 = 0xC3
    WRITE_MEMORY_LOCATION_NO_REPLY = 0xC9


ADD_TO_GROUP, REMOVE_FROM_GROUP = 0x60, 0x70  # and its number
SETTINGS = range(0x20, 0x82)  # commands that count only if they come twice within 100 ms
QUERIES = range(0x90, 0xC6)  # commands that are answered


class Forward(msgspec.Struct, frozen=True):
    """A frame to drivers."""

    data: bytes
    twice: bool = False  # send it twice in a row
    is_query: bool = False  # wait for an answer


class Status(msgspec.Struct, frozen=True):
    """What QUERY STATUS answers, lowest bit first."""

    gear_failure: bool
    lamp_failure: bool
    lamp_on: bool
    limit_error: bool  # the level asked for is not possible
    fade_running: bool
    reset_state: bool
    no_short_address: bool
    power_cycle_seen: bool  # no level was asked for since the mains came


def short(address: int) -> int:
    """The address byte of one driver, 0 to 63."""
    return _address(address, SHORT_ADDRESSES, 0x00)


def group(number: int) -> int:
    """The address byte of a group, 0 to 15."""
    return _address(number, GROUPS, 0x80)


def dapc(to: int, arc: int) -> Forward:
    """Go to level `arc`, 0 to 254, within the fade time ("direct arc power control"); `to`: an address byte."""
    return Forward(bytes((to, arc)))


def command(to: int, what: Command) -> Forward:
    """`what` for the address byte `to`."""
    return Forward(bytes((to | 1, what)), twice=what in SETTINGS, is_query=what in QUERIES)


def special(what: Special, value: int) -> Forward:
    """`what` with the byte `value`, for every driver."""
    return Forward(bytes((what, value)))


def setting(to: int, what: Command, value: int) -> tuple[Forward, ...]:
    """Set `what` to `value`; the driver keeps it without power."""
    return special(Special.DTR0, value), command(to, what)


def membership(to: int, number: int, *, is_in: bool) -> Forward:
    """Put a driver into group `number`, 0 to 15, or take it out; the driver keeps it without power."""
    group(number)  # complains
    return Forward(bytes((to | 1, (ADD_TO_GROUP if is_in else REMOVE_FROM_GROUP) | number)), twice=True)


def status(answer: int) -> Status:
    """Read the answer to QUERY STATUS."""
    return Status(*(bool(answer >> bit & 1) for bit in range(8)))


def percent(arc: int) -> float:
    """Light at level `arc`, 0 to 254, in percent of full light, to three decimals. MASK is no level: raise BadPayload."""
    if not 0 <= arc <= FULL:
        raise BadPayload(f"{arc} is no level: 0 to {FULL}")
    return round(10 ** ((arc - 1) / STEPS_PER_DECADE - 1), 3) if arc else 0.0


def arc(percent: float) -> int:
    """The level nearest to `percent` on the dimming curve; what is more than nothing is at least 1."""
    if percent <= 0:
        return 0
    return round(min(max(1 + STEPS_PER_DECADE * (math.log10(percent) + 1), 1), FULL))


def _address(number: int, count: int, first: int) -> int:
    if not 0 <= number < count:
        raise BadConfig(f"DALI address {number}: there are 0 to {count - 1}")
    return first | number << 1
