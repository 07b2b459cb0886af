"""An electricity meter at the other end of Modbus RTU: a slave that answers function 04, each value a float32 in two registers.

Registers by the table in "SDM630 Modbus Protocol", Eastron; high word first.
"""

import struct
from collections.abc import Callable, Mapping

from firmware_bridge.modbus import crc16

MAX_HEARD = 512  # bytes that are no request; a master that sends noise for hours must not fill our memory

SDM630 = {
    0x0000: "voltage_l1",
    0x0002: "voltage_l2",
    0x0004: "voltage_l3",
    0x0006: "current_l1",
    0x0008: "current_l2",
    0x000A: "current_l3",
    0x000C: "active_power_l1",
    0x000E: "active_power_l2",
    0x0010: "active_power_l3",
    0x0012: "apparent_power_l1",
    0x0014: "apparent_power_l2",
    0x0016: "apparent_power_l3",
    0x0018: "reactive_power_l1",
    0x001A: "reactive_power_l2",
    0x001C: "reactive_power_l3",
    0x001E: "power_factor_l1",
    0x0020: "power_factor_l2",
    0x0022: "power_factor_l3",
    0x0034: "active_power",
    0x0038: "apparent_power",
    0x003C: "reactive_power",
    0x003E: "power_factor",
    0x0046: "frequency",
    0x0048: "energy_import",
    0x004A: "energy_export",
    0x004C: "reactive_energy_import",
    0x004E: "reactive_energy_export",
}


class Meter:
    """An Eastron meter: `registers` names the first register of each value, `measure` gives the values by name."""

    READ_INPUT = 0x04
    ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2
    MOST, LAST = 80, 0x0180  # registers in one request; where its map ends

    def __init__(self, registers: Mapping[int, str], measure: Callable[[int], Mapping[str, float]], address: int = 1) -> None:
        self._registers = registers
        self._measure = measure
        self._address = address
        self.start()

    def start(self) -> None:
        self._now_ms = 0
        self._heard = b""

    def said(self, now_ms: int) -> bytes:
        self._now_ms = now_ms
        return b""

    def heard(self, data: bytes) -> bytes:
        self._heard = (self._heard + data)[-MAX_HEARD:]
        answers = b""
        while len(self._heard) >= 8:
            request = self._heard[:8]
            if crc16(request[:6]) != request[6:]:
                self._heard = self._heard[1:]
                continue
            self._heard = self._heard[8:]
            if request[0] == self._address:
                answers += self._answer(request)
        return answers

    def _answer(self, request: bytes) -> bytes:
        function, (first, count) = request[1], struct.unpack(">HH", request[2:6])
        if function != self.READ_INPUT:
            return self._exception(function, self.ILLEGAL_FUNCTION)
        if not 2 <= count <= self.MOST or count % 2 or first % 2 or first + count > self.LAST:
            return self._exception(function, self.ILLEGAL_ADDRESS)
        values = self._measure(self._now_ms)
        names = (self._registers.get(register, "") for register in range(first, first + count, 2))
        frame = bytes((self._address, function, 2 * count)) + b"".join(struct.pack(">f", values.get(name, 0.0)) for name in names)
        return frame + crc16(frame)

    def _exception(self, function: int, code: int) -> bytes:
        frame = bytes((self._address, function | 0x80, code))
        return frame + crc16(frame)
