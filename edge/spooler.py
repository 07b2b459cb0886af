"""From the readers' queue to the disk: one commit for all that came within a second, because a memory card wears out by commits."""

import logging
import queue
import threading
import time

from edge.observation import Observation
from edge.spool import Spool
from hoflicht.errors import Unavailable

log = logging.getLogger(__name__)

MAX_WAITING = 10_000  # observations in the queue: minutes of a busy gateway whose disk stalls, some 2 MB
GROUP_S = 1.0  # an observation is accepted after that at the latest
MAX_GROUP = 500  # observations in one commit
AGAIN_S = 1.0  # between two tries of a disk that takes nothing


def run(waiting: "queue.Queue[Observation]", spool: Spool, ended: threading.Event) -> None:
    """Keep all that comes until `ended` is set and the queue is empty."""
    is_away = False
    group: list[Observation] = []
    while not ended.is_set() or not waiting.empty():
        group = group or _collect(waiting, ended)
        try:
            spool.stamp()
            if group:
                spool.keep(group)
        except Unavailable as cause:
            if not is_away:
                log.error("readings cannot be kept: %s; trying again, new ones wait in memory", cause)
            is_away = True
            if ended.wait(AGAIN_S):
                log.error("%d readings were never kept", len(group) + waiting.qsize())
                return
            continue
        if is_away:
            log.warning("readings are kept again")
        is_away, group = False, []


def _collect(waiting: "queue.Queue[Observation]", ended: threading.Event) -> list[Observation]:
    """What comes within GROUP_S; at the end, what is there."""
    group: list[Observation] = []
    deadline_s = time.monotonic() + GROUP_S
    while len(group) < MAX_GROUP:
        left_s = 0.0 if ended.is_set() else deadline_s - time.monotonic()
        try:
            group.append(waiting.get(timeout=left_s) if left_s > 0 else waiting.get_nowait())
        except queue.Empty:
            return group
    return group
