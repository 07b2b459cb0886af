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


class Trust(enum.StrEnum):
    """How far the numbers of a yard may be relied on."""

    MEASURED = "measured"  # calibrated on waits that were measured back at this yard
    CONFIGURED = "configured"  # a cold start: rests on what the catalogue says of the yard; faces say "about"
    RECKONED = "reckoned"  # a counter is out and the count goes on by dead reckoning; the band is wider


STEPS_MIN = (0, 5, 10, 15, 20, 25, 30, 40, 50, 60)  # minutes; finer ones would promise what no estimate holds
TRUST_CODES = {Trust.MEASURED: 0, Trust.CONFIGURED: 1, Trust.RECKONED: 2}


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Time from joining the tail of the queue to passing the entry control, for a car that arrives now.

    All instants carry their zone. Quantiles and the mean are whole seconds; None where nothing is known. `more_than_s` is a lower
    bound: the queue reaches beyond what the sensors see, or the quantiles are wider than a number is useful. `shown_min` is the
    step that all faces show, in minutes, held so that it does not flicker; 61 stands for "more than 60".
    """

    yard: str
    state: State
    as_of: datetime
    valid_until: datetime  # after this instant nobody may show it
    p10_s: int | None = None
    p50_s: int | None = None
    p90_s: int | None = None
    mean_s: int | None = None  # the expected wait: the number that is scored
    shown_min: int | None = None  # 0, 5, 10 … 30, 40, 50, 60, 61; None too where an older api did not say
    more_than_s: int | None = None
    queue: int | None = None  # cars in the lane
    queue_p10: int | None = None  # cars; fewer in one case of ten
    queue_p90: int | None = None  # cars; more in one case of ten
    trust: Trust | None = None
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


def shown_minutes(p50_s: int, steps: tuple[int, ...] = STEPS_MIN) -> int:
    """Round a median up to the step, in minutes, that a sign shows; one more than the last step stands for "more than" it."""
    minutes = -(-p50_s // 60) if p50_s >= 60 else 0  # who rolls to the gate does not wait
    return next((step for step in steps if minutes <= step), steps[-1] + 1)


class Number(msgspec.Struct, frozen=True, order=True):
    """What stands large on every face: minutes, or more than so many."""

    minutes: int
    is_more: bool = False


def number(wait: Wait) -> Number | None:
    """The one number that page, kiosk and sign show of `wait`; None: none, for the data carry no number or nobody gets in."""
    if wait.state is not State.OPEN:
        return None
    if wait.more_than_s is not None:
        bound = next((step for step in reversed(STEPS_MIN) if step * 60 <= wait.more_than_s), 0)
        return Number(bound, is_more=True) if bound else None  # "more than nothing" tells nobody anything
    if wait.p50_s is None:
        return None
    # An older api does not say which step is shown.
    step = shown_minutes(wait.p50_s) if wait.shown_min is None else wait.shown_min
    return Number(step) if step <= STEPS_MIN[-1] else Number(STEPS_MIN[-1], is_more=True)


def is_rough(wait: Wait) -> bool:
    """Whether the faces say "about" before the number of `wait`: it rests on what was configured, not on waits measured here."""
    shown = number(wait)
    return wait.trust is Trust.CONFIGURED and shown is not None and shown.minutes > 0 and not shown.is_more


def may_be_late(wait: Wait) -> bool:
    """Whether who joins now may not get in any more: the band reaches beyond the last entry."""
    told = wait.state is State.OPEN and wait.p90_s is not None
    return told and wait.last_entry is not None and wait.latest_arrival is None
