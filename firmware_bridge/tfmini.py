"""Benewake TFmini Plus and TF-Luna, lidar: nine bytes a hundred times a second, 115200 8N1.

`59 59 | distance lo hi (cm) | strength lo hi | temperature lo hi | sum`, sum = low byte of the sum of the first eight bytes.
Source: SJ-PM-TFmini Plus A04 manual, Benewake; TFmini/TFmini-Plus README.md.
"""

from firmware_bridge.frames import Found, Frame, Resync, Sample

LENGTH = 9
HEAD = 0x59
NEAREST_CM, FARTHEST_CM = 10, 1200  # nearer it is blind, farther the data sheet promises nothing
WEAKEST, SATURATED = 100, 65535  # signal strengths between which the distance holds
COLDEST_CEL, HOTTEST_CEL = -40.0, 125.0  # of a chip that still counts


class Decoder(Resync[Frame]):
    """TFmini frames: `distance` in m, `temperature` of the chip.

    The 8-bit sum misses one corruption in 256 and the head occurs in data, so the temperature must be one of a living chip. Without
    a reliable distance (too weak, saturated, out of range) the frame holds the temperature alone.
    """

    def __init__(self) -> None:
        super().__init__(_look, bytes((HEAD,)))


def _look(data: bytes, at: int) -> Found[Frame] | str | None:
    frame = data[at : at + LENGTH]
    if frame[0] != HEAD or (len(frame) > 1 and frame[1] != HEAD):
        return ""
    if len(frame) < LENGTH:
        return None
    if sum(frame[:8]) & 0xFF != frame[8]:
        return "wrong sum"
    distance_cm, strength, temperature = (int.from_bytes(frame[start : start + 2], "little") for start in (2, 4, 6))
    temperature_cel = temperature / 8 - 256
    if not COLDEST_CEL <= temperature_cel <= HOTTEST_CEL:
        return f"a chip of {temperature_cel:g} Cel"
    temperature_sample = Sample("temperature", temperature_cel)
    if WEAKEST <= strength < SATURATED and NEAREST_CM <= distance_cm <= FARTHEST_CM:
        return Found(LENGTH, (Frame((Sample("distance", distance_cm / 100), temperature_sample)),))
    return Found(LENGTH, (Frame((temperature_sample,)),))
