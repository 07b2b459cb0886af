"""Each decoder beside the line that feeds it: how many such lines one core could read."""

import time
from collections.abc import Iterator

import msgspec

from firmware_bridge import node
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Sample

BLOCK = 4096  # bytes at once, what a serial driver hands over
AMOUNT = 400_000  # bytes a decoder
BITS_A_BYTE = 10  # start, eight, stop


class Speed(msgspec.Struct, frozen=True):
    """One decoder: megabytes of good frames a CPU second, and that over what its line brings."""

    driver: str
    mb_per_s: float
    times_line_rate: float

    def __str__(self) -> str:
        return f"| {self.driver} | {self.mb_per_s:.1f} | {self.times_line_rate:.0f} |"


# Frames of real devices (AvaldeBe/PyPMS captures, makers' manuals) and one of our own node's.
FRAMES = {
    "sds011": bytes.fromhex("AAC00600060058D93DAB"),
    "sps30": bytes.fromhex(
        "7E 00 03 00 28 40 A7 83 20 41 17 77 BB 41 4A 5F 83 41 54 8D DD 41 D2 83 3E 42 7D 33 FC 85 42 26 17 22 42 29 A4 D9"
        "42 2A 29 BC 3F 55 B7 E7 9E 7E"
    ),
    "tfmini": bytes.fromhex("59597900E803C808E6"),
    "ops243": b'{"DetectedObjectVelocity":"34.2","direction":"inbound"}\r\n',
    "sdm120": bytes.fromhex("01040000000271CB") + bytes.fromhex("01040443663334 1B38"),
    "node": node.encode(7, 0, [Sample("passage", 1.0, "gate-in"), Sample("occupied", 1.0, "bay-1", age_ms=1500)]),
}


def speeds() -> Iterator[Speed]:
    """One row a decoder."""
    for driver, frame in FRAMES.items():
        decoder = DEVICES[driver].decoder()
        stream = frame * (AMOUNT // len(frame))
        start_s = time.process_time()
        for at in range(0, len(stream), BLOCK):
            for _ in decoder.feed(stream[at : at + BLOCK]):
                pass
        bytes_per_s = len(stream) / (time.process_time() - start_s)
        yield Speed(driver, bytes_per_s / 1e6, bytes_per_s / (DEVICES[driver].line.baud / BITS_A_BYTE))
