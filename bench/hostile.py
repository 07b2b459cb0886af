"""What must hold whatever bytes a line brings: for the fuzzer and for property tests."""

import random
import zlib
from collections.abc import Callable, Mapping
from functools import cache

from bench.sent import SENT
from bench.serial import Gateway, heard
from firmware_bridge import modbus, node
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Frame, Noise
from hoflicht.quantities import QUANTITIES
from simulators.station import umb
from simulators.utility_meter import transmission

LONGEST_FRAME = 2_048  # bytes, of all devices: an SML transmission


def check(driver: str, pieces: list[bytes]) -> None:
    """Feed `pieces`, then what a healthy device sends. Raise AssertionError where what waits has no bound, a reading is out of its
    range, or more than one frame of the healthy device goes unheard."""
    gateway, decoder = Gateway(driver), DEVICES[driver].decoder()
    for number, piece in enumerate(pieces):
        for told in gateway.take(piece, 1_000 * number):
            assert QUANTITIES[told.quantity].low <= told.value <= QUANTITIES[told.quantity].high, told
        list(decoder.feed(piece))
        assert decoder.pending <= LONGEST_FRAME, f"{decoder.pending} bytes wait"

    frames, read = _healthy(driver)

    items = [item for frame in frames for item in decoder.feed(frame)]
    assert read in items, "the device is not heard again"


def _node_frame(data: bytes) -> bytes:
    frame = b"\x01" + data
    return b"\0" + node.cobs_stuff(frame + zlib.crc32(frame).to_bytes(node.TAIL, "big")) + b"\0"


def _meter_answer(data: bytes) -> bytes:
    values = data[: min(len(data) // 4 * 4, 2 * modbus.MAX_REGISTERS)]
    answer = bytes((1, modbus.READ_INPUT, len(values))) + values
    return modbus.request(1, 0, len(values) // 2) + answer + modbus.crc16(answer)


def _sml_response(data: bytes) -> bytes:
    return transmission(bytes.fromhex("76 01 62 00 62 00 72 63 07 01 77 01 0B 0A 01 44 5A 47 00 02 82 22 5E 01 01") + data)


def _station_answer(data: bytes) -> bytes:
    return umb(0x2F, b"\0" + data[:100])


# Any content in a frame whose checksum is right: nobody guesses a CRC.
SEALS: Mapping[str, Callable[[bytes], bytes]] = {
    "node": _node_frame,
    "sdm120": _meter_answer,
    "sdm630": _meter_answer,
    "sml": _sml_response,
    "lufft-umb": _station_answer,
}


@cache
def _healthy(driver: str) -> tuple[list[bytes], Frame | Noise]:
    """What a device sends, with the requests to it, until it has said something twice; and what it said then."""
    decoder = DEVICES[driver].decoder()
    frames, said = list[bytes](), list[Frame | Noise]()
    for sent in SENT[driver](random.Random(1)):
        frames.append(heard(driver, sent) + sent.data)
        said += (item for item in decoder.feed(frames[-1]) if isinstance(item, Frame) and item.samples)
        if len(said) == 2:
            break
    return frames, said[-1]
