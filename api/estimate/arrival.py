"""Until when to come: the latest arrival that still gets in before the last entry.

The queue of later today follows from the queue now, the arrivals that are usual at each time of day, and the pace as it usually
goes on (a fluid approximation: Newell, Applications of Queueing Theory, 1982). Who comes later meets that queue.
"""

from collections.abc import Iterator

import numpy as np

from api.estimate.day import Day
from api.estimate.pace import Array
from api.estimate.voices import SOMEBODY, Number

STEP_MS = 300_000  # nobody plans his way to the yard by less than five minutes
LONGEST_MS = 4 * 3_600_000  # no wait is told beyond


def latest(day: Day, number: Number, at_ms: int, last_entry_ms: int) -> int | None:
    """The last instant of whole five minutes at which a car may join and get in, in ms; None: it is too late already.

    `number` is what `day` tells now. The margin within which nine of ten waits stay above their mean grows as the root of the wait.
    """
    now_s, margin_s = number.mean_s, number.p90_s - number.mean_s
    found = at_ms if at_ms + (now_s + margin_s) * 1000 <= last_entry_ms else None
    per_root_s = margin_s / max(now_s, day.gap_s()) ** 0.5
    for joins_ms, wait_s in to_come(day, last_entry_ms):
        needed_s = wait_s + per_root_s * max(wait_s, day.gap_s()) ** 0.5
        if joins_ms + needed_s * 1000 <= last_entry_ms:
            found = joins_ms
    return found


def to_come(day: Day, until_ms: int) -> Iterator[tuple[int, float]]:
    """From now on at whole five minutes until `until_ms`: the instant, and the expected wait in s of a car that joins then."""
    grid_ms = np.arange((day.at_ms // STEP_MS + 1) * STEP_MS, until_ms + LONGEST_MS, STEP_MS)
    let_in = _let_in(day, (grid_ms - day.at_ms) / 1000)
    waiting, gone, at_ms = day.queue.mean_waiting(), 0.0, day.at_ms
    for next_ms, able in zip(grid_ms.tolist(), let_in.tolist(), strict=True):
        if next_ms >= until_ms:
            return
        waiting += day.tally.arrivals_per_s(day.since_s(at_ms)) * (next_ms - at_ms) / 1000
        waiting, gone, at_ms = max(waiting - (able - gone), 0.0), able, next_ms
        joined_ms = float(np.interp(able + waiting + 1, let_in, grid_ms)) - next_ms
        yield next_ms, joined_ms / 1000 if waiting > SOMEBODY else 0.0


def _let_in(day: Day, ahead_s: Array) -> Array:
    """How many cars of a long queue are let in until each of `ahead_s`."""
    since_s = day.since_s(day.at_ms)
    usual = day.pace.usual_share(since_s + ahead_s)
    more = day.queue.at_work() / float(day.pace.usual_share(np.array(since_s))) - 1
    share = usual * (1 + more * np.exp(-ahead_s / day.pace.lasts_s))
    return np.cumsum(share * np.diff(ahead_s, prepend=0.0)) * day.pace.per_second
