"""What a sign says, in German, for every state of a yard and every width of a sign."""

import datetime as dt

from hoflicht.wait import Number, State, Wait, is_rough, may_be_late, number

NO_DATA = "KEINE ANGABE"
NO_WAIT = "KEINE WARTEZEIT"
# No number is larger than an hour: whoever reads the sign earlier than that before the latest arrival has nothing to fear.
SOON = dt.timedelta(hours=1)

# For each state the texts from the longest to the shortest; the first that fits is shown.
BY_STATE = {
    State.HELD: ("EINFAHRT GESPERRT", "ZURZEIT GESPERRT"),
    State.CLOSING: ("HEUTE KEINE EINFAHRT MEHR", "HEUTE KEIN EINLASS MEHR", "HEUTE KEINE EINFAHRT", "KEINE EINFAHRT"),
    State.CLOSED: ("GESCHLOSSEN",),
    State.UNKNOWN: (NO_DATA,),
}
TWO_LINES = {
    State.HELD: ("EINFAHRT", "ZURZEIT GESPERRT"),
    State.CLOSING: ("HEUTE KEINE", "EINFAHRT MEHR"),
}
# "Unsicher" would do in a letter; on a sign at a drive it reads as "dangerous".
MAY_BE_LATE = ("EINLASS HEUTE UNGEWISS", "EINLASS UNGEWISS")


def one_line(wait: Wait | None, width: int) -> tuple[str, ...]:
    """Texts to show in turn on a line of at least 16 characters, none longer than `width`; None: there is no fresh number."""
    shown = None if wait is None else number(wait)
    if wait is None or shown is None:
        return (_fitting(of_state(state(wait)), width),)
    until = arrival(wait)
    return (_fitting(waits(wait, shown), width), *((_fitting(until, width),) if until else ()))


def two_lines(wait: Wait | None) -> tuple[str, str]:
    """The text for two lines of 16 characters."""
    shown = None if wait is None else number(wait)
    if wait is None or shown is None:
        return TWO_LINES.get(state(wait), (one_line(wait, 16)[0], ""))
    until = arrival(wait)
    if until or shown.minutes == 0:
        return _fitting(waits(wait, shown), 16), _fitting(until, 16) if until else ""
    return "WARTEZEIT", f"{'CA. ' if is_rough(wait) else ''}{minutes(shown)} MINUTEN"


def state(wait: Wait | None) -> State:
    """What the yard does, as far as a sign knows."""
    return State.UNKNOWN if wait is None else wait.state


def of_state(state: State) -> tuple[str, ...]:
    """Texts for a yard without a number, from the longest to the shortest."""
    return BY_STATE.get(state, (NO_DATA,))


def waits(wait: Wait, shown: Number) -> tuple[str, ...]:
    """Texts with the number, from the longest to the shortest."""
    if shown.minutes == 0:
        return (NO_WAIT,)
    certain = (f"WARTEZEIT {minutes(shown)} MIN", f"WARTEZEIT {minutes(shown)}MIN")
    return (f"WARTEZEIT CA. {minutes(shown)} MIN", *certain) if is_rough(wait) else certain


def arrival(wait: Wait) -> tuple[str, ...]:
    """Until when to come, where that is soon, or that it may be too late; from the longest text to the shortest."""
    if may_be_late(wait):
        return MAY_BE_LATE
    latest = wait.latest_arrival
    if latest is None or latest - wait.as_of > SOON:
        return ()
    clock = f"{latest.hour}:{latest:%M}"
    return (f"ANKUNFT BIS {clock}", f"ANKUNFT BIS{clock}")


def minutes(shown: Number) -> str:
    """The number as signs write it."""
    return f">{shown.minutes}" if shown.is_more else str(shown.minutes)


def _fitting(texts: tuple[str, ...], width: int) -> str:
    return next(text for text in texts if len(text) <= width)
