"""The flash of a microcontroller, and how MCUboot swaps the two images in it. It outlives every power cut.

Slot 0 runs. An image in slot 1 that is marked is swapped in at the next start and swapped back at the start after that, unless it
was confirmed in between (MCUboot, "Bootloader design": swap types TEST and REVERT). A swap that a power cut stops is ended when the
power is back. Of what MCUboot checks before a swap this knows the hash, not the signature. Written apart from edge.image.
"""

import hashlib
import struct

IMAGE_MAGIC, AREA_MAGIC = b"\x3d\xb8\xf3\x96", b"\x07\x69"
SHA256 = 0x10


class Flash:
    """Two slots and MCUboot's flags; `running` is confirmed from the start, as a programmer's probe leaves it."""

    def __init__(self, running: bytes, size: int = 512 * 1024) -> None:
        self.slots = [running, b""]
        self.size = size
        self.is_marked = False  # slot 1 is to be tried
        self.is_confirmed = True  # slot 0 is to stay
        self.is_swapping = False

    def power_on(self) -> bool:
        """What MCUboot decides before it starts slot 0: whether a swap goes before."""
        if self.is_marked and not digest(self.slots[1]):
            self.slots[1], self.is_marked = b"", False
        self.is_swapping = self.is_swapping or self.is_marked or not self.is_confirmed
        return self.is_swapping

    def swap(self) -> None:
        """The end of a swap: what was marked is on trial, what was on trial is gone."""
        self.slots.reverse()
        self.is_confirmed = not self.is_marked
        self.is_marked = self.is_swapping = False


def digest(image: bytes) -> bytes:
    """The hash that a whole image carries; empty where it carries none, or not its own."""
    if image[:4] != IMAGE_MAGIC or len(image) < 32:
        return b""
    header, protected, program = struct.unpack_from("<HHI", image, 8)
    end = header + protected + program
    at, stop = end + 4, end + int.from_bytes(image[end + 2 : end + 4], "little")
    while image[end : end + 2] == AREA_MAGIC and at + 4 <= stop <= len(image):
        kind, length = struct.unpack_from("<HH", image, at)
        value = image[at + 4 : at + 4 + length]
        if kind == SHA256:
            return value if value == hashlib.sha256(image[:end]).digest() else b""
        at += 4 + length
    return b""


def version(image: bytes) -> str:
    """As Zephyr writes it: without the build where that is zero."""
    major, minor, revision, build = struct.unpack_from("<BBHI", image, 20)
    return f"{major}.{minor}.{revision}" + (f".{build}" if build else "")
