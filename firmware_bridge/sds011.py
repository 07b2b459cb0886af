"""Nova SDS011, particulate matter: ten bytes a second, 9600 8N1.

`AA C0 | PM2.5 lo hi | PM10 lo hi | id id | sum | AB`, values in 0.1 µg/m³, sum = low byte of the sum of the six bytes before it.
Source: avaldebe/PyPMS docs/sensors/NovaFitness.md; "Laser Dust Sensor Control Protocol V1.3", Nova Fitness.
"""

from firmware_bridge.frames import Found, Frame, Resync, Sample

LENGTH = 10
HEAD, TAIL = 0xAA, 0xAB
DATA, ANSWER = 0xC0, 0xC5
MOST_UG_M3 = 999.9  # the data sheet's range; with a sum this weak every other sign counts


class Decoder(Resync[Frame]):
    """SDS011 frames.

    The 8-bit sum misses one corruption in 256; head, kind, tail byte and the device's range must fit as well. Both values zero
    means warming up, not clean air: a frame without samples. So is the answer to a command.
    """

    def __init__(self) -> None:
        super().__init__(_look, bytes((HEAD,)))


def _look(data: bytes, at: int) -> Found[Frame] | str | None:
    frame = data[at : at + LENGTH]
    if frame[0] != HEAD or (len(frame) > 1 and frame[1] not in (DATA, ANSWER)):
        return ""
    if len(frame) < LENGTH:
        return None
    if frame[9] != TAIL or sum(frame[2:8]) & 0xFF != frame[8]:
        return "wrong sum or tail"
    pm2_5, pm10 = (int.from_bytes(frame[start : start + 2], "little") / 10 for start in (2, 4))
    if frame[1] == ANSWER or (pm2_5 == 0 and pm10 == 0):
        return Found(LENGTH, (Frame(),))
    if max(pm2_5, pm10) > MOST_UG_M3:
        return f"more than {MOST_UG_M3} ug/m3"
    return Found(LENGTH, (Frame((Sample("pm2_5", pm2_5), Sample("pm10", pm10))),))
