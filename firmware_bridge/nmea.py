"""NMEA 0183 of satellite receivers, lines of text: RMC tells date and time, GGA how good the position is. Mostly 9600 8N1.

The check is one byte, the exclusive or of all between `$` and `*`. What has no fix says so: RMC by the status V, GGA by the quality
0; dead reckoning, input by hand and simulation are no fix either. GPS counts its weeks by ten bits: an old receiver is 1024 weeks
behind. Sources: u-blox, "ZED-F9P Interface Description" §4.1 (flags, empty fields); public parsers' tests (gr-sigmf, pynmea2);
Furuno, "GPS Week Number Rollover".
"""

import datetime as dt
import re

from firmware_bridge.frames import NO_START, Found, Frame, Noise, Resync, Sample, implausible

# Bytes with `$` and the line's end. The standard has 82; u-blox sends more with high precision and the fields of NMEA 4.1, at most
# three digits in each coordinate and two fields in RMC: 120 leave room.
MAX_LINE = 120
# When this was written. A receiver that is 1024 weeks (19.6 years) behind says less than that until the middle of 2045.
EARLIEST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

LINE = re.compile(rb"\$([ -#%-)+-~]+)\*([0-9A-F]{2})\r?\n")  # no second `$` or `*`: another sentence began in this one
TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)(\.\d{1,3})?")  # second 60 is a leap second
DATE = re.compile(r"(\d\d)(\d\d)(\d\d)")
ANGLE = re.compile(r"(\d{2,3})([0-5]\d\.\d{1,8})")  # degrees, and minutes with their decimals
FIRST_YEAR = 1980  # of two digits: GPS began then
SIGNS = {"N": 1, "S": -1, "E": 1, "W": -1}
FIXES = {"1", "2", "3", "4", "5"}  # GGA: satellites, with corrections, precise, RTK fixed, RTK float
FIX_MODES = {"", "A", "D", "F", "P", "R"}  # RMC: likewise; before NMEA 2.3 there was none


class Decoder(Resync[Frame]):
    """RMC and GGA of any talker: `latitude` and `longitude`; RMC with the time, GGA with the `satellites` that it rests on.

    Other sentences, and those without a fix, are frames without samples. RMC's last field, new in NMEA 4.1, says nothing about the
    fix: u-blox always sends V there.
    """

    def __init__(self) -> None:
        super().__init__(_look, b"$")


def checksum(body: bytes) -> int:
    """The check of what stands between `$` and `*`."""
    check = 0
    for byte in body:
        check ^= byte
    return check


def _look(data: bytes, at: int) -> Found[Frame] | str | None:
    if data[at] != ord("$"):
        return NO_START
    end = data.find(b"\n", at, at + MAX_LINE)
    if end < 0:
        return None if len(data) - at < MAX_LINE else "a line without end"
    line = LINE.fullmatch(data, at, end + 1)
    if line is None:
        return "no sentence"
    if checksum(line[1]) != int(line[2], 16):
        return "wrong checksum"
    said = _read(line[1].decode("ascii").split(","))
    return Found(end + 1 - at, (said if isinstance(said, Frame) else Noise(line[0], said),))


def _read(fields: list[str]) -> Frame | str:
    kind = "" if fields[0].startswith("P") else fields[0][2:]  # P: a maker's own, no talker of two letters
    if kind == "RMC" and len(fields) >= 12:
        return _rmc(fields)
    if kind == "GGA" and len(fields) >= 15:
        return _gga(fields)
    return f"{kind} with {len(fields)} fields" if kind in ("RMC", "GGA") else Frame()


def _rmc(fields: list[str]) -> Frame | str:
    time, status, date, mode = fields[1], fields[2], fields[9], fields[12] if len(fields) > 12 else ""
    if status != "A" or mode not in FIX_MODES:
        return Frame()
    position = _position(fields[3:7])
    return position if isinstance(position, str) else Frame(position, utc_ms=_utc_ms(date, time))


def _gga(fields: list[str]) -> Frame | str:
    quality, satellites = fields[6], fields[7]
    if quality not in FIXES or not satellites.isdecimal():
        return Frame()
    position = _position(fields[2:6])
    return position if isinstance(position, str) else Frame((*position, Sample("satellites", float(satellites))))


def _position(fields: list[str]) -> tuple[Sample, ...] | str:
    """Latitude, N or S, longitude, E or W: two samples; why not where they cannot be read."""
    latitude, longitude = _degrees(*fields[:2]), _degrees(*fields[2:])
    if latitude is None or longitude is None or fields[1] not in "NS" or fields[3] not in "EW":
        return "no position in a sentence with a fix"
    complaint = implausible("latitude", latitude) or implausible("longitude", longitude)
    return complaint or (Sample("latitude", latitude), Sample("longitude", longitude))


def _degrees(angle: str, side: str) -> float | None:
    """`4807.038` and `N`, rounded to a tenth of a metre; None where it is no angle."""
    match = ANGLE.fullmatch(angle)
    if match is None or side not in SIGNS:
        return None
    return SIGNS[side] * round(int(match[1]) + float(match[2]) / 60, 6)


def _utc_ms(date: str, time: str) -> int | None:
    """Unix epoch; None where there is no date, no time or an impossible one. A leap second is the first one of the next minute."""
    day, clock = DATE.fullmatch(date), TIME.fullmatch(time)
    if day is None or clock is None:
        return None
    year = FIRST_YEAR + (int(day[3]) - FIRST_YEAR) % 100
    try:
        minute = dt.datetime(year, int(day[2]), int(day[1]), int(clock[1]), int(clock[2]), tzinfo=dt.UTC)
    except ValueError:
        return None
    if minute < EARLIEST:
        return None
    return round(minute.timestamp()) * 1000 + round(float(clock[3] + (clock[4] or "")) * 1000)
