"""iCalendar (RFC 5545): lines folded and ended as it wants them, texts escaped, and a time zone with its changes.

Written here and not by the library `icalendar`, whose time zones begin summer an hour late (§3.6.5 wants the wall clock as it was
before the change); the tests read what is written here with that library.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

MAX_LINE = 75  # octets without the line end (§3.1)
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


def written(lines: Iterable[str]) -> bytes:
    """Content lines as they travel."""
    return b"".join(_folded(line) for line in lines)


def text(value: str) -> str:
    """As a TEXT value (§3.3.11)."""
    return value.replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,").replace("\n", r"\n")


def local(instant: dt.datetime) -> str:
    """What the clock on the wall shows."""
    return f"{instant:%Y%m%dT%H%M%S}"


def timezone(name: str, first: dt.date, last: dt.date) -> Iterator[str]:
    """A VTIMEZONE that holds from `first` to `last`."""
    zone = ZoneInfo(name)
    at = dt.datetime.combine(first, dt.time(), dt.UTC) - DAY
    yield from ("BEGIN:VTIMEZONE", f"TZID:{name}")
    yield from _observance(at.astimezone(zone), at.astimezone(zone))
    while at.date() <= last:
        if _offset(at, zone) != _offset(at + DAY, zone):
            change = next(at + n * MINUTE for n in range(1, 1_441) if _offset(at + n * MINUTE, zone) != _offset(at, zone))
            yield from _observance((change - MINUTE).astimezone(zone), change.astimezone(zone))
        at += DAY
    yield "END:VTIMEZONE"


def _observance(before: dt.datetime, after: dt.datetime) -> Iterator[str]:
    """The time that begins `after`, a minute after `before`; its begin is told by the clock as it was before."""
    kind = "DAYLIGHT" if after.dst() else "STANDARD"
    yield f"BEGIN:{kind}"
    yield f"DTSTART:{local(after.astimezone(dt.timezone(before.utcoffset() or dt.timedelta())))}"
    yield f"TZOFFSETFROM:{before:%z}"
    yield f"TZOFFSETTO:{after:%z}"
    yield f"TZNAME:{after:%Z}"
    yield f"END:{kind}"


def _offset(at: dt.datetime, zone: ZoneInfo) -> dt.timedelta | None:
    return at.astimezone(zone).utcoffset()


def _folded(line: str) -> bytes:
    """§3.1: what is longer goes on in the next line after a blank, and no character is cut apart."""
    parts, part = [], b""
    for character in line:
        encoded = character.encode()
        if len(part) + len(encoded) > MAX_LINE:
            parts.append(part)
            part = b" "
        part += encoded
    return b"\r\n".join([*parts, part]) + b"\r\n"
