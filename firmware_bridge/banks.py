"""Memory banks of D4i drivers: what a luminaire is, what it uses, how it fares (DiiA parts 251, 252 and 253, version 1.1).

Values are unsigned, highest byte first. All bits set means not implemented, all but the last not available now; both are no value,
and so is what lies outside its range. Source of the table: python-dali, dali/memory.
"""

from collections.abc import Mapping, Sequence

import msgspec

from firmware_bridge.dali import Command, Forward, Special, command, short, special
from firmware_bridge.frames import implausible
from hoflicht.quantities import QUANTITIES

LATCH, LATCHED = 0x02, 0xAA  # writing this there freezes the bank, so that no value changes between two of its bytes
VERSION, VERSION_1 = 0x03, 1
HIGHEST_SCALE = 6  # a scale is 10⁻⁶ to 10⁶
LUMINAIRE = 1
FORMAT, DIIA_FORMAT = 0x11, 3  # what follows is DiiA's only if this stands there; before that it was everybody's own


class Field(msgspec.Struct, frozen=True):
    """A value in a bank: (raw - zero) × times / per, in the unit of the quantity of that name where hoflicht.quantities has one."""

    name: str
    offset: int
    length: int
    times: int = 1
    per: int = 1
    zero: int = 0
    least: int = 0  # raw
    most: int | None = None  # raw; else all that is neither of the two "no value"
    scale: int | None = None  # set: the first byte is a power of ten, signed; this one when we write

    @property
    def start(self) -> int:
        """Where its number begins."""
        return self.offset if self.scale is None else self.offset + 1

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def highest(self) -> int:
        return (1 << 8 * self.length) - 3 if self.most is None else self.most


class Bank(msgspec.Struct, frozen=True):
    """A bank's fields, in order; the last one ends it."""

    fields: tuple[Field, ...]
    has_latch: bool = False

    @property
    def first(self) -> int:
        return self.fields[0].offset

    @property
    def end(self) -> int:
        return self.fields[-1].end


def _energy(energy: str, power: str) -> Bank:
    return Bank((Field(energy, 0x04, 6, per=1000, scale=0), Field(power, 0x0B, 4, scale=-2)), has_latch=True)


def _flags(first: int, *names: str) -> tuple[Field, ...]:
    """A byte that is 0 or 1, and one that counts how often it became 1."""
    flags = (Field(name, first + 2 * n, 1, most=1) for n, name in enumerate(names))
    return tuple(field for flag in flags for field in (flag, Field(f"{flag.name}_count", flag.offset + 1, 1)))


BANKS: Mapping[int, Bank] = {
    LUMINAIRE: Bank(
        (
            Field("gtin", 0x03, 6),
            Field("luminaire_id", 0x09, 8),
            Field("content_format", FORMAT, 2),
            Field("year", 0x13, 1, most=99),
            Field("week", 0x14, 1, least=1, most=53),
            Field("nominal_power", 0x15, 2),  # W
            Field("power_at_minimum", 0x17, 2),  # W, at the lowest level
            Field("lowest_voltage", 0x19, 2, least=90, most=480),  # V, of the mains it is made for
            Field("highest_voltage", 0x1B, 2, least=90, most=480),
            Field("luminous_flux", 0x1D, 3),  # lm
            Field("colour_rendering", 0x20, 1, most=100),
            Field("colour_temperature", 0x21, 2, most=17_000),  # K
        )
    ),
    202: _energy("energy_import", "active_power"),
    203: _energy("apparent_energy", "apparent_power"),  # kVAh
    204: _energy("lamp_energy", "lamp_power"),  # kWh and W behind the driver's own supplies
    205: Bank(
        (
            Field("gear_hours", 0x04, 4, per=3600),  # with mains, whether there is light or not
            Field("gear_starts", 0x08, 3),
            Field("voltage", 0x0B, 2, per=10),
            Field("frequency", 0x0D, 1),
            Field("power_factor", 0x0E, 1, per=100, most=100),
            *_flags(0x0F, "gear_failure", "undervoltage", "overvoltage", "power_limited", "gear_derating", "gear_shutdown"),
            Field("temperature", 0x1B, 1, zero=60),  # inside the driver
            Field("output_current", 0x1C, 1, most=100),  # % of the nominal one, with all reductions
        ),
        has_latch=True,
    ),
    206: Bank(
        (
            Field("lamp_starts_since_reset", 0x04, 3),
            Field("lamp_starts", 0x07, 3),
            Field("operating_hours_since_reset", 0x0A, 4, per=3600),
            Field("operating_hours", 0x0E, 4, per=3600),
            Field("lamp_voltage", 0x12, 2, per=10),
            Field("lamp_current", 0x14, 2, per=1000),
            *_flags(0x16, "lamp_failure", "short_circuit", "open_circuit", "lamp_derating", "lamp_shutdown"),
            Field("lamp_temperature", 0x20, 1, zero=60),
        ),
        has_latch=True,
    ),
    207: Bank(
        (
            Field("rated_hours", 0x04, 1, times=1000),
            Field("reference_temperature", 0x05, 1, zero=60),  # of the driver, in full light at 25 °C
            Field("rated_starts", 0x06, 2, times=100),
        )
    ),
}


def reading(address: int, bank: int) -> tuple[Forward, ...]:
    """What to send, in order, to read all fields of `bank` from the driver at short `address`; see `values` for the answers.

    The registers are asked at the end: only they tell that the driver has heard everything, and not, say, read the bank before.
    """
    to, table = short(address), BANKS[bank]
    read = command(to, Command.READ_MEMORY_LOCATION)
    return (
        special(Special.DTR1, bank),
        *(_latch(to) if table.has_latch else ()),
        special(Special.DTR0, table.first),
        *(read for _ in range(table.first, table.end)),
        command(to, Command.QUERY_CONTENT_DTR0),
        command(to, Command.QUERY_CONTENT_DTR1),
    )


def values(bank: int, answers: Sequence[int | None]) -> dict[str, float]:
    """What the answers to the queries of `reading` say; None is no answer.

    One that is missing gives up the whole reading, and may end the asking: nobody knows whether the driver has heard the question,
    and if not, every byte after it is the one before.
    """
    table = BANKS[bank]
    heard = [answer for answer in answers if answer is not None]
    length = table.end - table.first
    if heard[length:] != [table.end, bank]:
        return {}
    return decode(bank, bytes(heard[:length]), table.first)


def decode(bank: int, data: bytes, first: int = 0) -> dict[str, float]:
    """The values that stand whole in `data`, bytes of `bank` from offset `first` on."""
    said = {field.name: _read(field, data[field.offset - first : field.end - first]) for field in _whole(bank, data, first)}
    if bank == LUMINAIRE and said.get("content_format") != DIIA_FORMAT:
        said = {name: said.get(name) for name in ("gtin", "luminaire_id")}
    return {name: value for name, value in said.items() if value is not None}


def encode(bank: int, said: Mapping[str, float]) -> bytes:
    """A bank that says these values, from offset 0 on; what is not among them is not implemented."""
    table = BANKS[bank]
    data = bytearray(b"\xff" * table.end)
    data[0] = table.end - 1
    if table.first > VERSION:
        data[VERSION] = VERSION_1
    for field in table.fields:
        if field.scale is not None:
            data[field.offset] = field.scale & 0xFF
        if field.name in said:
            data[field.start : field.end] = _raw(field, said[field.name]).to_bytes(field.length, "big")
    return bytes(data)


def _latch(to: int) -> tuple[Forward, ...]:
    return (
        command(to, Command.ENABLE_WRITE_MEMORY),
        special(Special.DTR0, LATCH),
        special(Special.WRITE_MEMORY_LOCATION_NO_REPLY, LATCHED),
    )


def _whole(bank: int, data: bytes, first: int) -> tuple[Field, ...]:
    return tuple(field for field in BANKS[bank].fields if first <= field.offset and field.end <= first + len(data))


def _read(field: Field, data: bytes) -> float | None:
    times, per = field.times, field.per
    if field.scale is not None:
        scale = int.from_bytes(data[:1], "big", signed=True)
        if abs(scale) > HIGHEST_SCALE:
            return None
        times, per = times * 10 ** max(scale, 0), per * 10 ** max(-scale, 0)
    raw = int.from_bytes(data[-field.length :], "big")
    if not field.least <= raw <= field.highest:
        return None
    whole = (raw - field.zero) * times
    value = whole / per if per > 1 else whole  # a luminaire's number has more digits than a float
    return None if field.name in QUANTITIES and implausible(field.name, value) else value


def _raw(field: Field, value: float) -> int:
    raw = round(value * field.per / field.times / 10.0 ** (field.scale or 0)) + field.zero
    return min(max(raw, field.least), field.highest)
