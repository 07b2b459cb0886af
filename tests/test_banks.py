"""Memory banks of D4i drivers; contents from python-dali, dali/tests/test_memory.py, and broken ones."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import banks
from firmware_bridge.banks import BANKS, decode, encode, reading, values
from firmware_bridge.dali import Command, Forward, Special, command, short, special
from hoflicht.quantities import QUANTITIES
from tests.conftest import ROOT

PUBLISHED: dict[int, tuple[str, dict[str, float]]] = {
    1: (
        "77 FF FF 06 F6 29 19 22 87 00 00 00 00 00 00 00 02 00 03 15 2B 05 DC 00 64 00 DC 00 FA 00 3A 98 64 FF FF",
        {
            "gtin": 7654321234567,
            "luminaire_id": 2,
            "content_format": 3,
            "year": 21,
            "week": 43,
            "nominal_power": 1500,
            "power_at_minimum": 100,
            "lowest_voltage": 220,
            "highest_voltage": 250,
            "luminous_flux": 15_000,
            "colour_rendering": 100,
        },
    ),
    202: ("0F FF FF 01 03 00 00 00 00 00 0A 00 00 00 03 E8", {"energy_import": 10.0, "active_power": 1000.0}),
    203: ("0F FF FF 01 FF 00 00 00 00 03 E8 FE 00 00 03 E8", {"apparent_energy": 0.1, "apparent_power": 10.0}),
    204: ("0F FF FF 01 FA 00 00 00 01 86 A0 01 00 00 03 E8", {"lamp_energy": 0.0001, "lamp_power": 10_000.0}),
    205: (
        "1C FF FF 01 00 00 0E 10 00 00 0A 08 FC 32 5A 01 01 01 0A 00 0B 00 02 00 06 00 02 5A 55",
        {
            "gear_hours": 1.0,
            "gear_starts": 10,
            "voltage": 230.0,
            "frequency": 50,
            "power_factor": 0.9,
            "gear_failure": 1,
            "gear_failure_count": 1,
            "undervoltage": 1,
            "undervoltage_count": 10,
            "overvoltage": 0,
            "overvoltage_count": 11,
            "power_limited": 0,
            "power_limited_count": 2,
            "gear_derating": 0,
            "gear_derating_count": 6,
            "gear_shutdown": 0,
            "gear_shutdown_count": 2,
            "temperature": 30,
            "output_current": 85,
        },
    ),
    206: (
        "20 FF FF 01 00 01 2C 00 01 F4 00 00 03 E8 00 00 0B B8 02 58 02 BC 00 0C 00 0F 00 17 01 2D 00 43 A0",
        {
            "lamp_starts_since_reset": 300,
            "lamp_starts": 500,
            "operating_hours_since_reset": 1000 / 3600,
            "operating_hours": 3000 / 3600,
            "lamp_voltage": 60.0,
            "lamp_current": 0.7,
            "lamp_failure": 0,
            "lamp_failure_count": 12,
            "short_circuit": 0,
            "short_circuit_count": 15,
            "open_circuit": 0,
            "open_circuit_count": 23,
            "lamp_derating": 1,
            "lamp_derating_count": 45,
            "lamp_shutdown": 0,
            "lamp_shutdown_count": 67,
            "lamp_temperature": 100,
        },
    ),
    207: ("07 FF FF 01 32 5A 13 88", {"rated_hours": 50_000, "reference_temperature": 30, "rated_starts": 500_000}),
}
READ = command(short(5), Command.READ_MEMORY_LOCATION)


def published(bank: int) -> bytes:
    return bytes.fromhex(PUBLISHED[bank][0])


def answers(bank: int) -> list[int | None]:
    """What a driver with the published contents answers to a reading."""
    table = BANKS[bank]
    return [*published(bank)[table.first : table.end], table.end, bank]


@pytest.mark.parametrize("bank", PUBLISHED)
def test_a_bank_is_read(bank: int) -> None:
    assert decode(bank, published(bank)) == PUBLISHED[bank][1]


@pytest.mark.parametrize("bank", PUBLISHED)
def test_a_bank_that_is_written_says_the_same(bank: int) -> None:
    said = PUBLISHED[bank][1]

    data = encode(bank, said)

    assert decode(bank, data) == pytest.approx(said, abs=0.0005)  # half a Wh
    if bank in (205, 206, 207):  # elsewhere the scale is the writer's choice
        assert data == published(bank)


@pytest.mark.parametrize("bank", BANKS)
def test_fields_neither_touch_nor_leave_a_gap(bank: int) -> None:
    fields = BANKS[bank].fields

    assert all(field.end == after.offset for field, after in itertools.pairwise(fields))
    assert encode(bank, {})[0] == len(encode(bank, {})) - 1 == fields[-1].end - 1


def test_a_name_means_one_thing() -> None:
    names = [field.name for bank in BANKS.values() for field in bank.fields]

    assert len(set(names)) == len(names)
    assert set(names) & QUANTITIES.keys() == {
        "energy_import",
        "active_power",
        "apparent_power",
        "voltage",
        "frequency",
        "power_factor",
        "temperature",
        "lamp_starts",
        "operating_hours",
        "lamp_failure",
    }


def test_every_value_is_in_its_document() -> None:
    rows = (ROOT / "docs/dali.md").read_text(encoding="utf-8")
    fields = [(bank, field) for bank, table in BANKS.items() for field in table.fields if not field.name.endswith("_count")]
    wanted = [f"| {bank} | {field.start:02X} | {field.length} | `{field.name}` |" for bank, field in fields]

    assert [row for row in wanted if row not in rows] == []
    assert len(re.findall(r"^\| \d+ \| ", rows, re.MULTILINE)) == len(wanted)


# No value


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("last", [0xFF, 0xFE])
def test_not_implemented_and_not_available_are_no_value(bank: int, last: int) -> None:
    for field in BANKS[bank].fields:
        data = bytearray(published(bank))
        data[field.start : field.end] = b"\xff" * (field.length - 1) + bytes((last,))

        said = decode(bank, bytes(data))

        assert field.name not in said
        if field.name != "content_format":
            assert said == {name: value for name, value in PUBLISHED[bank][1].items() if name != field.name}


def test_the_highest_number_is_a_value() -> None:
    assert decode(202, bytes.fromhex("00 FF FF FF FF FD"), first=0x0B) == {}  # 4 295 MW are not plausible
    assert decode(203, bytes.fromhex("00 FF FF FF FF FF FD"), first=0x04) == {"apparent_energy": (2**48 - 3) / 1000}
    assert decode(206, bytes.fromhex("FF FF FD"), first=0x07) == {"lamp_starts": 2**24 - 3}


@pytest.mark.parametrize("scale", [-6, -1, 0, 1, 6])
def test_a_scale_is_a_power_of_ten(scale: int) -> None:
    data = bytes((scale & 0xFF,)) + (1234).to_bytes(4, "big")

    assert decode(204, data, first=0x0B)["lamp_power"] == pytest.approx(1234 * 10.0**scale, rel=1e-12)


@pytest.mark.parametrize("scale", [0x07, 0xAA, 0xF9, 0x7F, 0x80])
def test_a_scale_that_is_not_allowed_gives_no_value(scale: int) -> None:
    assert decode(202, bytes((scale,)) + bytes.fromhex("00 00 00 00 00 0A 00 00 00 03 E8"), first=0x04) == {"active_power": 1000}


@pytest.mark.parametrize(
    ("bank", "offset", "raw", "name"),
    [
        (1, 0x13, 100, "year"),
        (1, 0x14, 0, "week"),
        (1, 0x14, 54, "week"),
        (1, 0x1A, 89, "lowest_voltage"),
        (1, 0x19, 2, "lowest_voltage"),  # 732 V
        (1, 0x1B, 2, "highest_voltage"),  # 762 V
        (1, 0x21, 0x43, "colour_temperature"),  # 17 407 K
        (205, 0x0B, 0x18, "voltage"),  # 639.6 V
        (205, 0x0E, 101, "power_factor"),
        (205, 0x0F, 2, "gear_failure"),
        (205, 0x1C, 101, "output_current"),
    ],
)
def test_what_cannot_be_is_no_value(bank: int, offset: int, raw: int, name: str) -> None:
    data = bytearray(published(bank))
    data[offset] = raw

    assert decode(bank, bytes(data)) == {key: value for key, value in PUBLISHED[bank][1].items() if key != name}


def test_a_luminaire_of_another_format_says_only_what_it_is() -> None:
    data = bytearray(published(1))
    data[0x12] = 0x04

    assert decode(1, bytes(data)) == {"gtin": 7654321234567, "luminaire_id": 2}


def test_a_luminaires_number_keeps_all_its_digits() -> None:
    data = bytearray(published(1))
    data[0x09:0x11] = (2**63 + 1).to_bytes(8, "big")

    assert decode(1, bytes(data))["luminaire_id"] == 9223372036854775809


@pytest.mark.parametrize("bank", BANKS)
@given(data=st.data())
def test_a_part_says_what_stands_whole_in_it(bank: int, data: st.DataObject) -> None:
    first, end = sorted(data.draw(st.tuples(*2 * [st.integers(0, BANKS[bank].end)])))
    whole = {field.name for field in BANKS[bank].fields if first <= field.offset and field.end <= end}

    said = decode(bank, published(bank)[first:end], first)

    if bank == 1 and "content_format" not in whole:
        whole &= {"gtin", "luminaire_id"}
    assert said == {name: value for name, value in PUBLISHED[bank][1].items() if name in whole}


@pytest.mark.parametrize("bank", BANKS)
@given(data=st.binary(max_size=80), first=st.integers(0, 40))
def test_any_bytes_say_plausible_values_or_none(bank: int, data: bytes, first: int) -> None:
    for name, value in decode(bank, data, first).items():
        if name in QUANTITIES:
            assert QUANTITIES[name].low <= value <= QUANTITIES[name].high


# Reading it over the bus


def test_a_reading_freezes_the_bank_reads_it_and_asks_where_it_came_to() -> None:
    assert reading(5, 202) == (
        special(Special.DTR1, 202),
        Forward(b"\x0b\x81", twice=True),
        Forward(b"\xa3\x02"),
        Forward(b"\xc9\xaa"),
        special(Special.DTR0, 4),
        *12 * [READ],
        command(short(5), Command.QUERY_CONTENT_DTR0),
        command(short(5), Command.QUERY_CONTENT_DTR1),
    )


def test_a_bank_that_does_not_change_is_read_without_freezing_it() -> None:
    assert reading(5, 207) == (
        special(Special.DTR1, 207),
        special(Special.DTR0, 4),
        *4 * [READ],
        command(short(5), Command.QUERY_CONTENT_DTR0),
        command(short(5), Command.QUERY_CONTENT_DTR1),
    )


@pytest.mark.parametrize("bank", BANKS)
def test_the_answers_say_the_values(bank: int) -> None:
    assert len(answers(bank)) == sum(forward.is_query for forward in reading(5, bank))
    assert values(bank, answers(bank)) == PUBLISHED[bank][1]


@pytest.mark.parametrize("bank", BANKS)
def test_a_missing_answer_gives_up_the_reading(bank: int) -> None:
    for missing in range(len(answers(bank))):
        heard = answers(bank)
        heard[missing] = None

        assert values(bank, heard) == {}
        assert values(bank, heard[: missing + 1]) == {}
        assert values(bank, heard[:missing]) == {}


@pytest.mark.parametrize("bank", BANKS)
def test_a_byte_that_slips_gives_up_the_reading(bank: int) -> None:
    for slipped in range(len(answers(bank)) - 2):
        heard = answers(bank)
        del heard[slipped]

        assert values(bank, [*heard, 0x00]) == {}
        assert values(bank, [*heard[:-2], 0x00, BANKS[bank].end - 1, bank]) == {}


def test_an_answer_from_another_bank_gives_up_the_reading() -> None:
    heard = answers(202)
    heard[-1] = 203

    assert values(202, heard) == {}


@pytest.mark.parametrize("value", [1e30, -1.0])
def test_a_number_that_does_not_fit_is_written_as_the_nearest_that_does(value: float) -> None:
    assert banks.decode(206, encode(206, {"lamp_starts": value})) == {"lamp_starts": 2**24 - 3 if value > 0 else 0}
