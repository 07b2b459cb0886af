"""Each decoder beside the line that feeds it: how many such lines one core could read.

Good frames are what a healthy device says (bench/sent.py), requests included where the decoder hears them; a LUBA gateway's are its
word for a frame on the DALI bus and the answer to it, a sign's are pictures and texts. Noise is what is hardest on a decoder that
looks wherever a frame may start: every second byte is the first one of its frames, the others are random. MCUmgr is smpclient's.
"""

import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import msgspec

from bench import show
from bench.sent import SENT
from bench.serial import heard
from firmware_bridge import alpha, ibis, luba, mobitec
from firmware_bridge.devices import DEVICES, Line
from firmware_bridge.dots import LIT
from simulators.luba import message

BLOCK = 4096  # bytes at once, what a serial driver hands over
AMOUNT = 200_000  # bytes of a round: a tenth of a second for the slowest
ROUNDS = 5
BITS_A_BYTE = 10  # start, eight, stop
TO_REACH = 50


class Feedable(Protocol):
    """What all decoders are, whatever they find."""

    def feed(self, data: bytes) -> Iterator[object]: ...


class Codec(msgspec.Struct, frozen=True):
    """A decoder, its line, and good frames for it."""

    line: Line
    decoder: Callable[[], Feedable]
    frames: bytes


class Speeds(msgspec.Struct, frozen=True):
    """Megabytes a second of processor time, of each round, beside what the line brings."""

    line_mb_per_s: float
    rounds: list[float]

    @property
    def times(self) -> float:
        """The line's rate, the median of all rounds."""
        return statistics.median(self.rounds) / self.line_mb_per_s

    def __str__(self) -> str:
        cells = f"{statistics.median(self.rounds):.1f} | {self.line_mb_per_s:.4f} | {self.times:.0f}"
        low, high = (rate / self.line_mb_per_s for rate in (min(self.rounds), max(self.rounds)))
        return f"{cells} | {low:.0f}–{high:.0f} | ≥ {TO_REACH} × |"


def rows() -> Iterator[str]:
    """Good frames, decoder by decoder, and the worst of all in noise."""
    codecs = all_codecs()
    for name, codec in codecs.items():
        yield f"| {name}: MB/s of good frames | its line, {codec.line} | {speeds(codec, codec.frames)}"
    in_noise = {name: speeds(codec, noise(codec.frames[0])) for name, codec in codecs.items()}
    worst = min(in_noise, key=lambda name: in_noise[name].times)
    yield f"| {worst}, the slowest in noise: MB/s | its line, {codecs[worst].line} | {in_noise[worst]}"


def all_codecs() -> Mapping[str, Codec]:
    """What our gateways read, and what our signs do."""
    devices = {name: Codec(device.line, device.decoder, _said(name)) for name, device in DEVICES.items()}
    dali = message(0x31, bytes.fromhex("12340010070B90")) + message(0x31, bytes.fromhex("1234008804"))
    return devices | {
        "luba (DALI)": Codec(luba.LINE, luba.Decoder, dali),
        "alpha": Codec(alpha.LINE, alpha.Decoder, alpha.show("Wartezeit 25 Minuten").lstrip(b"\0")),
        "ibis": Codec(ibis.LINE, ibis.Decoder, ibis.ds009("Wartezeit 25 min")),
        "mobitec": Codec(mobitec.LINE, mobitec.Decoder, mobitec.show(1, (LIT * 112,) * 16)),
    }


def speeds(codec: Codec, data: bytes) -> Speeds:
    """`data` again and again until it is enough, in blocks as a serial driver hands them over."""
    stream = data * (AMOUNT // len(data) + 1)
    return Speeds(codec.line.baud / BITS_A_BYTE / 1e6, [len(stream) / 1e6 / _cpu_s(codec, stream) for _ in range(ROUNDS)])


def noise(head: int) -> bytes:
    """Random bytes, every second one `head`."""
    rng = random.Random(head)
    return b"".join(bytes((head, byte)) for byte in rng.randbytes(AMOUNT // 2))


def _cpu_s(codec: Codec, stream: bytes) -> float:
    decoder = codec.decoder()
    begun_s = time.process_time()
    for at in range(0, len(stream), BLOCK):
        for _ in decoder.feed(stream[at : at + BLOCK]):
            pass
    return time.process_time() - begun_s


def _said(driver: str) -> bytes:
    """A few hundred frames of a healthy device, none of them broken."""
    some = itertools.islice(SENT[driver](random.Random(driver)), 300)
    return b"".join(heard(driver, sent) + sent.data for sent in some)


if __name__ == "__main__":
    show(rows())
