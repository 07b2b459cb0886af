"""Meters on Modbus RTU: exchanges from public drivers, and a bus that is shared."""

import pytest

from firmware_bridge.devices import DEVICES, SDM120_REGISTERS, SDM630_REGISTERS
from firmware_bridge.frames import Frame, Noise, Sample
from firmware_bridge.modbus import Decoder, crc16, request
from hoflicht.quantities import QUANTITIES

VOLTAGE_REQUEST = bytes.fromhex("01 04 00 00 00 02 71 CB")
VOLTAGE_ANSWER = bytes.fromhex("01 04 04 43 66 33 34 1B 38")
VOLTAGE = Frame((Sample("voltage", 230.2),))


def answer(address: int, data: bytes) -> bytes:
    body = bytes((address, 4, len(data))) + data
    return body + crc16(body)


@pytest.mark.parametrize(
    ("first", "frame"),
    [(0x0000, "01 04 00 00 00 02 71 CB"), (0x000C, "01 04 00 0C 00 02 B1 C8"), (0x0048, "01 04 00 48 00 02 F1 DD")],
)
def test_requests(first: int, frame: str) -> None:
    assert request(1, first, 2) == bytes.fromhex(frame)


def test_an_answer_holds_what_was_asked_for() -> None:
    assert list(Decoder(SDM120_REGISTERS).feed(VOLTAGE_REQUEST + VOLTAGE_ANSWER)) == [VOLTAGE]


def test_an_answer_nobody_asked_for_is_noise() -> None:
    decoder = Decoder(SDM120_REGISTERS)

    assert list(decoder.feed(VOLTAGE_ANSWER)) == [Noise(VOLTAGE_ANSWER, "an answer nobody asked for")]
    assert list(decoder.feed(VOLTAGE_REQUEST + VOLTAGE_ANSWER + VOLTAGE_ANSWER)) == [
        VOLTAGE,
        Noise(VOLTAGE_ANSWER, "an answer nobody asked for"),
    ]


@pytest.mark.parametrize("other", [answer(2, bytes(4)), answer(1, bytes(8))])
def test_an_answer_of_another_device_or_length_is_noise(other: bytes) -> None:
    assert list(Decoder(SDM120_REGISTERS).feed(VOLTAGE_REQUEST + other + VOLTAGE_REQUEST + VOLTAGE_ANSWER)) == [
        Noise(other, "an answer nobody asked for"),
        VOLTAGE,
    ]


def test_an_adapter_that_echoes_changes_nothing() -> None:
    assert list(Decoder(SDM120_REGISTERS).feed(VOLTAGE_REQUEST + VOLTAGE_REQUEST + VOLTAGE_ANSWER)) == [VOLTAGE]


def test_an_exception_says_what_the_device_means() -> None:
    frame = bytes.fromhex("01 84 02 C2 C1")
    decoder = Decoder(SDM120_REGISTERS)

    assert list(decoder.feed(VOLTAGE_REQUEST + frame)) == [Noise(frame, "exception 2: illegal data address")]
    assert list(decoder.feed(VOLTAGE_ANSWER)) == [Noise(VOLTAGE_ANSWER, "an answer nobody asked for")]


def test_other_functions_on_the_bus_are_noise() -> None:
    other = bytes.fromhex("05 03 00 10 00 02") + crc16(bytes.fromhex("05 03 00 10 00 02"))

    assert list(Decoder(SDM120_REGISTERS).feed(other + VOLTAGE_REQUEST + VOLTAGE_ANSWER)) == [
        Noise(other, "no frame starts here"),
        VOLTAGE,
    ]


def test_a_value_that_cannot_be_is_given_up_alone() -> None:
    data = bytes.fromhex("43 66 33 34") + bytes(8) + bytes.fromhex("7F C0 00 00")

    assert list(Decoder(SDM120_REGISTERS).feed(request(1, 0, 8) + answer(1, data))) == [
        VOLTAGE,
        Noise(b"", "current nan is outside 0 to 10000 A"),
    ]


def test_a_broken_answer_delays_nothing() -> None:
    broken = VOLTAGE_ANSWER[:2] + b"\xa0" + VOLTAGE_ANSWER[3:]
    decoder = Decoder(SDM120_REGISTERS)

    items = list(decoder.feed(VOLTAGE_REQUEST + broken + VOLTAGE_REQUEST + VOLTAGE_ANSWER))

    assert items[-1] == VOLTAGE
    assert decoder.pending == 0


def test_one_request_reads_a_whole_meter() -> None:
    assert DEVICES["sdm120"].polls(1) == (bytes.fromhex("01 04 00 00 00 50") + crc16(bytes.fromhex("01 04 00 00 00 50")),)
    assert DEVICES["sdm630"].polls(7) == (bytes.fromhex("07 04 00 00 00 50") + crc16(bytes.fromhex("07 04 00 00 00 50")),)


def test_the_registers_of_the_sdm120() -> None:
    assert SDM120_REGISTERS == {
        0x00: "voltage",
        0x06: "current",
        0x0C: "active_power",
        0x12: "apparent_power",
        0x18: "reactive_power",
        0x1E: "power_factor",
        0x46: "frequency",
        0x48: "energy_import",
        0x4A: "energy_export",
        0x4C: "reactive_energy_import",
        0x4E: "reactive_energy_export",
    }


def test_the_registers_of_the_sdm630() -> None:
    per_phase = {
        0x00: "voltage",
        0x06: "current",
        0x0C: "active_power",
        0x12: "apparent_power",
        0x18: "reactive_power",
        0x1E: "power_factor",
    }

    assert {r: q for r, q in SDM630_REGISTERS.items() if r < 0x24} == {
        **{first: f"{quantity}_l1" for first, quantity in per_phase.items()},
        **{first + 2: f"{quantity}_l2" for first, quantity in per_phase.items()},
        **{first + 4: f"{quantity}_l3" for first, quantity in per_phase.items()},
    }
    assert {r: q for r, q in SDM630_REGISTERS.items() if r >= 0x24} == {
        0x34: "active_power",
        0x38: "apparent_power",
        0x3C: "reactive_power",
        0x3E: "power_factor",
        0x46: "frequency",
        0x48: "energy_import",
        0x4A: "energy_export",
        0x4C: "reactive_energy_import",
        0x4E: "reactive_energy_export",
    }


def test_all_that_a_meter_says_is_in_the_table_of_quantities() -> None:
    assert {*SDM120_REGISTERS.values(), *SDM630_REGISTERS.values()} <= QUANTITIES.keys()


def test_the_crc_of_nothing_is_its_start() -> None:
    assert crc16(b"") == b"\xff\xff"
    assert crc16(b"123456789") == bytes.fromhex("37 4B")  # the check value of CRC-16/MODBUS, 4B37
