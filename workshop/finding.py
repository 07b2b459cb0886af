"""What the doctor has found: well, wrong or not to be told; and of what is wrong why it thinks so, and the next step."""

import enum

import msgspec


class State(enum.StrEnum):
    """How it stands with a part."""

    WELL = "ok"
    WRONG = "wrong"
    UNTOLD = "unknown"  # could not be looked at; nothing is known to be wrong


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One look at one part, for a person at night."""

    part: str
    state: State
    what: str
    why: str = ""
    next: str = ""


def well(part: str, what: str) -> Finding:
    """Nothing to do."""
    return Finding(part, State.WELL, what)


def wrong(part: str, what: str, why: str, step: str) -> Finding:
    """Somebody must act."""
    return Finding(part, State.WRONG, what, why, step)


def untold(part: str, what: str, why: str, step: str = "") -> Finding:
    """It cannot be told."""
    return Finding(part, State.UNTOLD, what, why, step)
