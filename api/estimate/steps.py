"""Which step a sign shows: the median rounded up, held so that it does not flicker.

A number that changes with every car is not believed, and one that lags behind is wrong. So it goes up soon, for a wait told too
short annoys; it goes down late, for a lull is often only a lull; and it jumps where it would be far off.

The fold looks at what it is given and at nothing else: replicas that take the same instants show the same step. Two folds that
began at different instants agree from then on where both had no number, or where for five minutes the median lay in one step, in
the upper part of it that the step below does not tolerate.
"""

from collections.abc import Iterable

import msgspec

from hoflicht.wait import STEPS_MIN, shown_minutes

# Tried on simulated yards from one minute to ten: with shorter dwells the step changes more often, with longer ones more of the
# changes come too late and are undone.
UP_MS, DOWN_MS = 120_000, 300_000
TOLERATED = 0.3  # of the width of a step the median may exceed it: the estimate itself is no finer
JUMP = 3  # steps; so far off nobody wants to wait for the right number
LOOK_MS = 60_000  # a grid that all replicas share; the dwells are whole numbers of it, so that only a jump comes between
MEMORY_MS = 2_400_000  # with half of it the step flips again and again, as its beginning is forgotten; more wins nothing


class Shown(msgspec.Struct, frozen=True):
    """What is shown, and since when the median has been elsewhere; instants in milliseconds."""

    step: int  # index into the steps
    above_ms: int | None = None
    below_ms: int | None = None


def looks(at_ms: int) -> list[int]:
    """The instants whose medians tell what is shown at `at_ms`: whole minutes of the last forty, and the instant itself."""
    return [*range(-(-(at_ms - MEMORY_MS) // LOOK_MS) * LOOK_MS, at_ms, LOOK_MS), at_ms]


def told(history: Iterable[tuple[int, int | None]], steps: tuple[int, ...] = STEPS_MIN) -> int | None:
    """The step to show after `history`: instants in milliseconds, rising, with the median in seconds or None for no number.

    In minutes, one of `steps` or one more than the last; None after no number.
    """
    shown: Shown | None = None
    for at_ms, p50_s in history:
        shown = None if p50_s is None else _next(shown, at_ms, p50_s, steps)
    return None if shown is None else _all(steps)[shown.step]


def _next(shown: Shown | None, at_ms: int, p50_s: int, steps: tuple[int, ...]) -> Shown:
    step = _all(steps).index(shown_minutes(p50_s, steps))
    if shown is None or abs(step - shown.step) >= JUMP:
        return Shown(step)
    above_ms = _since(shown.above_ms, at_ms, p50_s > _tolerated_s(shown.step, steps))
    below_ms = _since(shown.below_ms, at_ms, step < shown.step)
    if above_ms is not None and at_ms - above_ms >= UP_MS:
        return Shown(step)
    if below_ms is not None and at_ms - below_ms >= DOWN_MS:
        return Shown(step)
    return Shown(shown.step, above_ms, below_ms)


def _since(since_ms: int | None, at_ms: int, is_so: bool) -> int | None:
    if not is_so:
        return None
    return at_ms if since_ms is None else since_ms


def _tolerated_s(step: int, steps: tuple[int, ...]) -> float:
    """Up to this median the step is not too short; nothing is too long for the last one, "more than"."""
    if step == len(steps):
        return float("inf")
    above = min(step + 1, len(steps) - 1)
    return 60 * (steps[step] + TOLERATED * (steps[above] - steps[above - 1]))


def _all(steps: tuple[int, ...]) -> tuple[int, ...]:
    return (*steps, steps[-1] + 1)
