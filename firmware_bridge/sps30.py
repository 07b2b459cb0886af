"""Sensirion SPS30, particulate matter: polled, SHDLC, 115200 8N1.

To the sensor `7E address command length data… sum 7E`, back `7E address command state length data… sum 7E`; between the two 7E
the bytes 7E, 7D, 11 and 13 travel as 7D and a second byte. Sum = inverted low byte of the sum of all before it, unstuffed.
Source: SPS30 data sheet, Sensirion; avaldebe/PyPMS docs/sensors/Sensirion.md.
"""

from firmware_bridge.frames import Found, Frame, Noise, Resync, Sample, float32, implausible

FLAG, ESCAPE = 0x7E, 0x7D
UNSTUFFED = {0x5E: 0x7E, 0x5D: 0x7D, 0x31: 0x11, 0x33: 0x13}
START_COMMAND, READ_COMMAND = 0x00, 0x03
MAX_DATA = 40  # bytes: the measured values, the longest answer we ask for
MAX_FRAME = 2 + 2 * (5 + MAX_DATA)  # bytes, every one stuffed
QUANTITIES = ("pm1", "pm2_5", "pm4", "pm10", "nc0_5", "nc1", "nc2_5", "nc4", "nc10", "particle_size")
MASSES, COUNTS = slice(0, 4), slice(4, 9)  # each from 0.3 µm up to its size (data sheet, table 1): they cannot fall

START = bytes.fromhex("7E 00 00 02 01 03 F9 7E")  # measure, answer in float32
READ = bytes.fromhex("7E 00 03 00 FC 7E")


class Decoder(Resync[Frame]):
    """SPS30 answers; requests that pass by are taken and say nothing.

    The 8-bit sum misses two flipped bits that undo each other; length byte, stuffing and plausible ranges must fit as well, and
    particles up to a larger size cannot be fewer. An answer without values is a frame without samples; so is "not allowed now" to
    a start, which only means that the sensor measures already.
    """

    def __init__(self) -> None:
        super().__init__(_look, bytes((FLAG,)))


def _look(data: bytes, at: int) -> Found[Frame] | str | None:
    if data[at] != FLAG:
        return ""
    end = data.find(FLAG, at + 1, at + MAX_FRAME)
    if end < 0:
        return None if len(data) - at < MAX_FRAME else "no end"
    if end == at + 1:
        return ""  # the end of something broken, and the start of the next
    return _read(data[at : end + 1])


def _read(frame: bytes) -> Found[Frame] | str:
    body = _unstuff(frame[1:-1])
    if body is None:
        return "wrong stuffing"
    if len(body) < 4 or (0xFF - sum(body[:-1])) & 0xFF != body[-1]:
        return "wrong sum"
    if len(body) == 4 + body[2]:
        return Found(len(frame))  # a request
    if len(body) == 5 + body[3]:
        return _answer(frame, command=body[1], error=body[2] & 0x7F, values=body[4:-1])
    return "wrong length"


def _unstuff(data: bytes) -> bytes | None:
    body = bytearray()
    following = iter(data)
    for byte in following:
        if byte != ESCAPE:
            body.append(byte)
            continue
        escaped = UNSTUFFED.get(next(following, -1))
        if escaped is None:
            return None
        body.append(escaped)
    return bytes(body)


def _answer(frame: bytes, command: int, error: int, values: bytes) -> Found[Frame] | str:
    if error and command != START_COMMAND:
        return Found(len(frame), (Noise(frame, f"the sensor answers with error {error:#04x}"),))
    if command != READ_COMMAND or error or not values:
        return Found(len(frame), (Frame(),))
    if len(values) != MAX_DATA:
        return f"{len(values)} bytes of values, expected {MAX_DATA}"
    said = [float32(values[4 * n : 4 * n + 4]) for n in range(len(QUANTITIES))]
    reason = next(filter(None, map(implausible, QUANTITIES, said)), "")
    if not reason and any(sizes != sorted(sizes) for sizes in (said[MASSES], said[COUNTS])):
        reason = "fewer small and large particles than small ones"
    return reason or Found(len(frame), (Frame(tuple(map(Sample, QUANTITIES, said))),))
