"""OmniPreSense OPS243-A, Doppler radar: lines of JSON, 19200 8N1.

Commands are two letters without an end. Source: "AN-010 API Interface" and "UM-003-A OPS243-A User Manual", OmniPreSense;
glossyio/traffic-monitor docs/sensor-payloads/ops243-radar-payload.md.
"""

import re

import msgspec

from firmware_bridge.frames import Found, Frame, Noise, Resync, Sample

MAX_LINE = 512  # bytes; the longest reports, of vehicle lengths, have some 300
FASTEST_M_S = 70.0  # the plausible range of `speed`: 252 km/h
INBOUND, OUTBOUND = "inbound", "outbound"

# JSON, metres a second, detected objects; the small s ends the raw reports, several a second while anything moves.
START = (b"OJ", b"UM", b"ON", b"Os")
M_S = {
    "m-per-sec": 1.0,
    "mps": 1.0,
    "km-per-hr": 1 / 3.6,
    "kmph": 1 / 3.6,
    "miles-per-hr": 0.44704,
    "mph": 0.44704,
    "ft-per-sec": 0.3048,
    "fps": 0.3048,
    "cm-per-sec": 0.01,
    "cmps": 0.01,
}
# Seconds since the sensor's start, then the speed. A speed alone is not read: a line cut at its front would be another speed.
PLAIN = re.compile(rb"\d+\.\d+,(-?\d+(?:\.\d+)?)")


class _Report(msgspec.Struct, frozen=True):
    velocity: float | None = msgspec.field(default=None, name="DetectedObjectVelocity")
    speed: float | None = None
    direction: str = ""
    unit: str = ""
    units: str = msgspec.field(default="", name="Units")


_json = msgspec.json.Decoder(_Report, strict=False)  # numbers come as strings in places


class Decoder(Resync[Frame]):
    """OPS243 lines: a detected object is `passage` 1 and its `speed` in m/s, a raw report is its `speed` alone.

    There is no checksum: a line must be whole ASCII JSON, its direction one of two words, its units known, its speed no more than
    70 m/s. A radar that has named a direction names one in each report: without it the vehicle may have gone the other way. A digit
    that changed into another digit goes unseen. The radar reports an object again when it finds it faster than first thought: who
    counts must take several passages within a second or two as one. Echoes of settings are frames without samples, and one of them
    sets the unit. The sensor's times count from its own start and are not used.
    """

    def __init__(self) -> None:
        super().__init__(self._line)
        self._unit = "m-per-sec"
        self._names_directions = False

    def _line(self, data: bytes, at: int) -> Found[Frame] | str | None:
        end = data.find(b"\n", at, at + MAX_LINE)
        if end < 0:
            return None if len(data) - at < MAX_LINE else Found(MAX_LINE, (Noise(data[at : at + MAX_LINE], "a line without end"),))
        length = end + 1 - at
        line = data[at:end].strip()
        if not line:
            return Found(length)
        said = self._say(line)
        if isinstance(said, Frame):
            return Found(length, (said,))
        inner = data.find(b"{", at + 1, end)  # of a line that lost its end, or of one behind noise
        broken = data[at : end + 1 if inner < 0 else inner]
        return Found(len(broken), (Noise(broken, said),))

    def _say(self, line: bytes) -> Frame | str:
        plain = PLAIN.fullmatch(line)
        if plain:
            speed = float(plain[1])
            return _frame(_Report(speed=speed, direction=OUTBOUND if speed < 0 else INBOUND), self._unit)
        if not line.startswith(b"{"):
            return "no JSON"
        try:
            report = _json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as cause:
            return f"no report: {cause}"
        if report.units and report.units not in M_S:
            return f"unknown units {report.units[:32]!r}"
        if report.velocity is not None and self._names_directions and not report.direction:
            return "a report without its direction"
        self._names_directions = self._names_directions or report.direction in (INBOUND, OUTBOUND)
        self._unit = report.units or self._unit
        return _frame(report, report.unit or self._unit)


def _frame(report: _Report, unit: str) -> Frame | str:
    said = report.velocity if report.velocity is not None else report.speed
    if said is None:
        return "a report without its speed" if report.direction else Frame()
    if unit not in M_S:
        return f"a speed in unknown units {unit[:32]!r}"
    if report.direction not in ("", INBOUND, OUTBOUND):
        return f"unknown direction {report.direction[:32]!r}"
    speed_m_s = round(abs(said) * M_S[unit], 3)
    if not 0 < speed_m_s <= FASTEST_M_S:
        return f"a speed of {speed_m_s:g} m/s"
    direction = report.direction or (OUTBOUND if said < 0 else "")
    speed = Sample("speed", speed_m_s, direction=direction)
    if report.velocity is None:
        return Frame((speed,))
    return Frame((Sample("passage", 1.0, direction=direction), speed))
