"""What a sign says, in German, for every state of a yard and every width of a sign."""

from hoflicht.wait import State, Wait, shown_minutes

NO_DATA = "KEINE ANGABE"
NO_WAIT = "KEINE WARTEZEIT"
STEPS_MIN = (60, 50, 40, 30, 25, 20, 15, 10, 5)  # of a lower bound, the largest first

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


def one_line(wait: Wait | None, width: int) -> str:
    """The text for a line of at least 16 characters, never longer than `width`; None: there is no fresh number."""
    state = State.UNKNOWN if wait is None else wait.state
    number = _number(wait)
    if number == NO_WAIT:
        texts: tuple[str, ...] = (NO_WAIT,)
    elif number:
        texts = (f"WARTEZEIT {number} MIN", f"WARTEZEIT {number}MIN")
    else:
        texts = BY_STATE.get(state, (NO_DATA,))
    return next(text for text in texts if len(text) <= width)


def two_lines(wait: Wait | None) -> tuple[str, str]:
    """The text for two lines of 16 characters."""
    number = _number(wait)
    if number == NO_WAIT:
        return NO_WAIT, ""
    if number:
        return "WARTEZEIT", f"{number} MINUTEN"
    state = State.UNKNOWN if wait is None else wait.state
    return TWO_LINES.get(state, (one_line(wait, 16), ""))


def _number(wait: Wait | None) -> str:
    """Minutes as they are shown, ">30" for a lower bound; empty where there is nothing to show in minutes."""
    if wait is None or wait.state is not State.OPEN:
        return ""
    if wait.more_than_s is not None:
        bound_s = wait.more_than_s
        step = next((step for step in STEPS_MIN if step * 60 <= bound_s), 0)
        return f">{step}" if step else ""  # "more than nothing" tells nobody anything
    if wait.p50_s is None:
        return ""
    minutes = shown_minutes(wait.p50_s)
    if minutes == 0:
        return NO_WAIT
    return str(minutes) if minutes <= STEPS_MIN[0] else f">{STEPS_MIN[0]}"
