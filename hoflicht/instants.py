"""Instants as the catalogue and people have them, and as readings have them: milliseconds since 1970."""

import datetime as dt


def ms(instant: dt.datetime) -> int:
    """Unix epoch in milliseconds."""
    return round(instant.timestamp() * 1000)


def moment(at_ms: int) -> dt.datetime:
    """The instant of a Unix epoch in milliseconds; `ms` the other way round."""
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)


def utc(instant: dt.datetime) -> dt.datetime:
    """Where a span of time is added: Python adds to what the clock on the wall shows."""
    return instant.astimezone(dt.UTC)
