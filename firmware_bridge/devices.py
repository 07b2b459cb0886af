"""DEVICES: every device we can read, its line, what to ask it and how to decode it."""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from firmware_bridge import modbus, nmea, node, ops243, sds011, sml, sps30, tfmini, umb
from firmware_bridge.frames import Decoder

Parity = Literal["N", "E", "O"]


class Line(msgspec.Struct, frozen=True):
    """Settings of a serial line."""

    baud: int
    bits: int = 8
    parity: Parity = "N"
    stop: int = 1

    def __str__(self) -> str:
        return f"{self.baud} {self.bits}{self.parity}{self.stop}"


def _nothing(_address: int) -> tuple[bytes, ...]:
    return ()


class Device(msgspec.Struct, frozen=True):
    """A kind of device. Its Decoder belongs to one port; send `start` each time the port was opened.

    Where `poll_every_s` is not zero, send what `polls(address)` gives so often, one after the other, ANSWER_S apart. A decoder that
    `hears_requests` is fed each request before it is sent: its answers do not say what they answer. A device that has just been
    read is left alone for `rest_s`: waking up for each of a hundred frames a second costs a gateway as much as all else.
    """

    meaning: str
    line: Line
    decoder: Callable[[], Decoder]
    start: tuple[bytes, ...] = ()
    polls: Callable[[int], tuple[bytes, ...]] = _nothing
    poll_every_s: float = 0
    address: int = 1  # on a bus of several devices; of no meaning elsewhere
    hears_requests: bool = False
    rest_s: float = 0


ANSWER_S = 0.5  # a device has answered by then; the one longer answer, a meter's at 2400 baud, is the only one of its poll

# Both meters keep their values in the first 80 registers, the most that one request may ask for (Eastron, "SDM630 Modbus
# Protocol"); ESPHome's component sdm_meter asks all of Eastron's meters so.
_METER = (0x0000, modbus.MAX_REGISTERS)
_SHARED_REGISTERS = {
    0x0046: "frequency",
    0x0048: "energy_import",
    0x004A: "energy_export",
    0x004C: "reactive_energy_import",
    0x004E: "reactive_energy_export",
}
SDM120_REGISTERS = {
    0x0000: "voltage",
    0x0006: "current",
    0x000C: "active_power",
    0x0012: "apparent_power",
    0x0018: "reactive_power",
    0x001E: "power_factor",
    **_SHARED_REGISTERS,
}
SDM630_REGISTERS = {
    **{first + 2 * n: f"{quantity}_l{n + 1}" for first, quantity in SDM120_REGISTERS.items() if first < 0x0024 for n in range(3)},
    0x0034: "active_power",
    0x0038: "apparent_power",
    0x003C: "reactive_power",
    0x003E: "power_factor",
    **_SHARED_REGISTERS,
}


def _poll_meter(address: int) -> tuple[bytes, ...]:
    return (modbus.request(address, *_METER),)


DEVICES: Mapping[str, Device] = {
    "sds011": Device("Nova SDS011, particulate matter", Line(9600), sds011.Decoder),
    "sps30": Device(
        "Sensirion SPS30, particulate matter",
        Line(115200),
        sps30.Decoder,
        start=(sps30.START,),
        # The start again each time: a sensor that lost its power for a moment forgets it, one that measures refuses it and goes on.
        polls=lambda _address: (sps30.START, sps30.READ),
        poll_every_s=5,
    ),
    # Five frames at once: a change counts after a second (edge.lane), so that a twentieth of one is early enough.
    "tfmini": Device("Benewake TFmini Plus or TF-Luna, lidar", Line(115200), tfmini.Decoder, rest_s=0.05),
    "ops243": Device(
        "OmniPreSense OPS243-A, radar",
        Line(19200),
        ops243.Decoder,
        start=ops243.START,
        polls=lambda _address: ops243.START,  # likewise
        poll_every_s=60,
    ),
    "sdm120": Device(
        "Eastron SDM120, electricity meter, one phase",
        Line(2400),
        lambda: modbus.Decoder(SDM120_REGISTERS),
        polls=_poll_meter,
        poll_every_s=10,
        hears_requests=True,
    ),
    "sdm630": Device(
        "Eastron SDM630, electricity meter, three phases",
        Line(9600),
        lambda: modbus.Decoder(SDM630_REGISTERS),
        polls=_poll_meter,
        poll_every_s=10,
        hears_requests=True,
    ),
    "sml": Device("electricity meter of the network operator (eHZ, mME), optical or RS-485", Line(9600), sml.Decoder),
    "lufft-umb": Device(
        "Lufft WSxxx-UMB or WS10, weather station",
        Line(19200),
        umb.Decoder,
        polls=lambda address: (umb.request(address),),
        poll_every_s=10,  # it measures the wind so often, and the rest less (manual, ch. 6)
    ),
    "nmea": Device("satellite receiver (NMEA 0183)", Line(9600), nmea.Decoder),
    "node": Device("our own nodes, docs/node-frame.md", Line(115200), node.Decoder),
}
