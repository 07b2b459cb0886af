"""The estimates of one yard's past, told by a process of its own: a day takes seconds, and a machine has more than one core."""

import contextlib
import multiprocessing
import signal
from multiprocessing.connection import Connection

from hoflicht.catalogue import City
from hoflicht.reading import Reading
from simulators.estimates import Estimates
from simulators.life import life


class Teller:
    """Asked for a piece of time it begins to tell; pieces follow each other from `start_ms` on. Close it in the end."""

    def __init__(self, yard: str, city: City, seed: int, start_ms: int) -> None:
        context = multiprocessing.get_context("spawn")  # not fork: we have threads
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_tell, args=(other, yard, city, seed, start_ms), name=f"past of {yard}", daemon=True)
        self._process.start()
        other.close()

    def ask(self, start_ms: int, end_ms: int) -> None:
        """Begin with [start, end)."""
        self._pipe.send((start_ms, end_ms))

    def told(self) -> list[Reading]:
        """What was asked for first; waits for it. EOFError: the process ended by a fault of its own, which its traceback tells."""
        readings: list[Reading] = self._pipe.recv()
        return readings

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.terminate()
        self._process.join()


def _tell(pipe: "Connection[list[Reading], tuple[int, int]]", yard: str, city: City, seed: int, start_ms: int) -> None:
    """Answer until nobody is there any more to ask, however that came."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; who asks ends us
    estimates, events = Estimates(yard, city, start_ms), life(yard, city, seed, start_ms)
    event = next(events, None)
    with contextlib.suppress(EOFError, OSError):
        while True:
            from_ms, until_ms = pipe.recv()
            while event is not None and event.at_ms < until_ms:
                estimates.hear(Reading(yard, event.sensor, event.quantity, event.at_ms, event.value))
                event = next(events, None)
            pipe.send(list(estimates.told(from_ms, until_ms)))
