"""What the pages say of a wait, in the words of one language."""

import datetime as dt

from api.citizen.words import Words
from hoflicht.wait import State, Wait, is_rough, may_be_late, number

MORE = "> "
STEP = 5  # minutes; a range is told in these


def headline(wait: Wait, words: Words) -> str:
    """The one sentence that matters."""
    if wait.state is not State.OPEN:
        without = {State.HELD: words.held, State.CLOSING: words.closing, State.CLOSED: words.closed, State.UNKNOWN: words.unknown}
        return without[wait.state]
    shown = number(wait)
    if shown is None:
        return words.no_number
    if shown.is_more:
        return words.more_than.format(n=shown.minutes)
    return words.about.format(n=shown.minutes) if shown.minutes else words.free


def big(wait: Wait) -> str:
    """The minutes that stand large, as every sign shows them, "> 60" beyond; empty without a number."""
    shown = number(wait)
    if shown is None:
        return ""
    return f"{MORE}{shown.minutes}" if shown.is_more else str(shown.minutes)


def rough(wait: Wait, words: Words) -> str:
    """What stands before the large number where it is only rough; else empty."""
    return words.rough if is_rough(wait) else ""


def short(wait: Wait, words: Words) -> str:
    """The number with its unit, else the state, for a line in a list."""
    if number(wait) is not None:
        return f"{rough(wait, words)} {big(wait)} {words.minutes}".strip()
    return words.state_unknown if wait.state is State.OPEN else state(wait, words)


def detail(wait: Wait, words: Words, today: dt.date) -> str:
    """The second line: the band, why there is no number, or when it opens."""
    if wait.next_opening is not None and wait.state in (State.CLOSED, State.CLOSING):
        return words.opens.format(day=day(wait.next_opening.date(), today, words), time=clock(wait.next_opening))
    if wait.state is State.HELD and wait.more_than_s is not None and wait.more_than_s >= STEP * 60:
        return words.held_more.format(n=_down(wait.more_than_s))
    if wait.reason is not None:
        return words.reasons.get(wait.reason, "")
    return _band(wait, words)


def _band(wait: Wait, words: Words) -> str:
    shown = number(wait)
    if shown is None or wait.p10_s is None or wait.p90_s is None:
        return ""
    return band(wait.p10_s, wait.p90_s, shown.minutes, words)


def band(low_s: int, high_s: int, minutes: int, words: Words) -> str:
    """From when to when, around the `minutes` that are told beside it; empty where there is nothing to wait."""
    # The number may be held for a while, so that it does not flicker: never outside of what is told here.
    low, high = min(_down(low_s), minutes), max(_up(high_s), minutes)
    if high == 0:
        return ""
    return words.up_to.format(high=high) if low in (0, high) else words.between.format(low=low, high=high)


def note(wait: Wait, words: Words) -> str:
    """How far the number may be relied on, where that needs a word."""
    return words.notes[wait.trust] if wait.trust is not None and number(wait) is not None else ""


def queue(wait: Wait, words: Words) -> str:
    """How many cars wait, where it is known and somebody does."""
    if wait.state not in (State.OPEN, State.HELD) or not wait.queue:
        return ""
    return words.queue_of_one if wait.queue == 1 else words.queue.format(n=wait.queue)


def arrival(wait: Wait, words: Words, zone: dt.tzinfo) -> str:
    """Until when to come, or that it may be too late already; empty where no number is shown."""
    if may_be_late(wait):
        return words.unsure
    if wait.state is not State.OPEN or wait.latest_arrival is None:
        return ""
    return words.arrival.format(time=clock(wait.latest_arrival.astimezone(zone)))


def state(wait: Wait, words: Words) -> str:
    """The state in a word or two."""
    return {
        State.OPEN: words.open,
        State.HELD: words.state_held,
        State.CLOSING: words.state_closing,
        State.CLOSED: words.state_closed,
        State.UNKNOWN: words.state_unknown,
    }[wait.state]


def clock(instant: dt.datetime) -> str:
    """The time of day as `instant`'s own zone has it."""
    return f"{instant.hour}:{instant.minute:02d}"


def day(of: dt.date, today: dt.date, words: Words) -> str:
    """The name of the day, with its date where it is more than a week ahead."""
    ahead = (of - today).days
    if ahead < 2:
        return words.tomorrow if ahead else words.today
    name = words.weekdays[of.weekday()]
    return name if ahead < 7 else f"{name}, {of.day}.{of.month}."


def up(seconds: int) -> int:
    """Minutes in whole steps for an expected wait; who rolls to the gate does not wait."""
    return _up(seconds) if seconds >= 60 else 0


def _up(seconds: int) -> int:
    return -(-seconds // 60 // STEP) * STEP


def _down(seconds: int) -> int:
    return seconds // 60 // STEP * STEP
