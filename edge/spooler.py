"""From the readers' queue to the disk: one commit for all that may wait together, because a memory card wears out by commits."""

import logging
import queue
import threading
import time

from edge.company import Company
from edge.observation import Observation
from edge.spool import Spool
from hoflicht.errors import Unavailable

log = logging.getLogger(__name__)

MAX_WAITING = 10_000  # observations in the queue: minutes of a busy gateway whose disk stalls, some 2 MB
LOOK_S = 1.0  # for the end, and for a clock that has been set
AGAIN_S = 1.0  # between two tries of a disk that takes nothing


def run(waiting: "queue.Queue[Observation]", spool: Spool, company: Company, ended: threading.Event) -> None:
    """Keep all that comes until `ended` is set and the queue is empty."""
    is_away = False
    group: list[Observation] = []
    while not ended.is_set() or group or len(company) or not waiting.empty():
        group = group or _collect(waiting, company, ended)
        try:
            spool.stamp()
            if group:
                spool.keep(group)
        except Unavailable as cause:
            if not is_away:
                log.error("readings cannot be kept: %s; trying again, new ones wait in memory", cause)
            is_away = True
            if ended.wait(AGAIN_S):
                log.error("%d readings were never kept", len(group) + len(company) + waiting.qsize())
                return
            continue
        if is_away:
            log.warning("readings are kept again")
        is_away, group = False, []


def _collect(waiting: "queue.Queue[Observation]", company: Company, ended: threading.Event) -> list[Observation]:
    """Those whose time has come; none where that lasts longer than LOOK_S. At the end, all that are there."""
    look_ms = _now_ms() + round(LOOK_S * 1000)
    while True:
        now_ms = _now_ms()
        left_ms = company.left_ms(now_ms)
        if left_ms == 0:
            return company.leave()
        pause_ms = look_ms - now_ms if left_ms is None else min(look_ms - now_ms, left_ms)
        if pause_ms <= 0 and not ended.is_set():
            return []
        try:
            seen = waiting.get_nowait() if ended.is_set() else waiting.get(timeout=pause_ms / 1000)
        except queue.Empty:
            if ended.is_set():
                return company.leave()
        else:
            company.join(seen, _now_ms())


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
