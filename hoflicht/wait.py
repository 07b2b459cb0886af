"""The waiting time of a yard, as the api publishes it and signs, pages and apps read it."""

import enum
from datetime import datetime

import msgspec


class State(enum.StrEnum):
    """What a yard is doing. Only `open`, `held` and `closing` may carry a number."""

    OPEN = "open"
    HELD = "held"  # nobody is let in for now: container change, yard full, staff's word
    CLOSING = "closing"  # who joins now does not get in any more today
    CLOSED = "closed"
    UNKNOWN = "unknown"  # the data do not carry a number


STATE_CODES = {State.OPEN: 0, State.HELD: 1, State.CLOSING: 2, State.CLOSED: 3, State.UNKNOWN: 4}


class Trend(enum.StrEnum):
    """Where the wait is going, seen over the last quarter of an hour."""

    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Time from joining the tail of the queue to passing the entry control, for a car that arrives now.

    All instants carry their zone. Quantiles are whole seconds; None where nothing is known. `more_than_s` is a lower bound: the
    queue reaches beyond what the sensors see, or the quantiles are wider than a number is useful.
    """

    yard: str
    state: State
    as_of: datetime
    valid_until: datetime  # after this instant nobody may show it
    p10_s: int | None = None
    p50_s: int | None = None
    p90_s: int | None = None
    more_than_s: int | None = None
    queue: int | None = None  # cars in the lane
    trend: Trend | None = None
    last_entry: datetime | None = None  # nobody is let in after it; None while closed and where the yard never closes
    latest_arrival: datetime | None = None  # who joins by then gets in before the last entry, with 90 %
    next_opening: datetime | None = None
    rests_on: tuple[str, ...] = ()  # the sensors that carry it
    reason: str | None = None  # why there is no number, in a few plain words


_decoder = msgspec.json.Decoder(Wait)


def encode(wait: Wait) -> bytes:
    """Write `wait` as JSON, instants as RFC 3339."""
    return msgspec.json.encode(wait)


def decode(payload: bytes) -> Wait:
    """Read what `encode` wrote; raise msgspec.DecodeError for anything else."""
    return _decoder.decode(payload)


def shown_minutes(p50_s: int) -> int:
    """Round a median up to the step that a sign shows: 0, 5, 10 … 30, 40, 50, 60 minutes; 61 stands for "more than 60"."""
    minutes = -(-p50_s // 60)
    return next((step for step in (0, 5, 10, 15, 20, 25, 30, 40, 50, 60) if minutes <= step), 61)
