"""How much one address may ask for, so that nobody can take the face away from everybody else.

Theory. A token bucket, kept as the one number of the generic cell rate algorithm (ITU-T I.371): the instant at which the bucket is
full again. What lies in the past is a full bucket, so a table of them forgets whoever was quiet, and never grows beyond its bound.
"""

import functools
import ipaddress
import math
import threading
from collections import OrderedDict
from typing import Annotated

from msgspec import Meta

from hoflicht import web
from hoflicht.clock import Clock
from hoflicht.config import Strict

ALL_STREAMS = 5_000  # a change reaches so many within half a second, on one core (`bench.stream`)
KNOWN = 1_000  # addresses that are not read anew; what a proxy wrote may have 8 kB
MAX_CALLERS = 10_000  # buckets of some 200 bytes; where more come the one that was quiet longest is forgotten, to its advantage


class Limits(Strict, frozen=True):
    """What one address may do. A mobile network puts hundreds of phones behind one (RFC 6598), so none of it is tight."""

    # Whose X-Forwarded-For is believed; what such an address asks for by itself has no limit.
    proxies: tuple[str, ...] = ("127.0.0.0/8", "::1")
    requests_per_s: Annotated[float, Meta(gt=0)] = 20.0  # 600 pages that poll every 30 s
    burst: Annotated[int, Meta(ge=1)] = 200  # forty pages that open at once, five requests each
    streams: Annotated[int, Meta(ge=1)] = 100  # who finds no place polls
    connections: Annotated[int, Meta(ge=1)] = 200  # the streams, and as many for all else
    # A connection that gets nowhere from one look to the next, so far apart, is cut off: a slow phone's request is a packet or two.
    patience_s: Annotated[float, Meta(gt=0)] = 10.0
    all_streams: Annotated[int, Meta(ge=1)] = ALL_STREAMS  # of all addresses together

    def __post_init__(self) -> None:
        for each in self.proxies:
            ipaddress.ip_network(each)  # ValueError: the loader tells which key


class Callers:
    """Tells addresses apart."""

    def __init__(self, proxies: tuple[str, ...]) -> None:
        self._proxies = [ipaddress.ip_network(each) for each in proxies]
        # Reading an address costs more than its bucket; who comes, comes again.
        self.name = functools.lru_cache(KNOWN)(self._name)

    def _name(self, host: str) -> str | None:
        """What stands for `host` in all counts; None where it is our own proxy or a program beside it."""
        try:
            caller = web.address(host)
        except ValueError:
            return host[:64]  # what a proxy of ours wrote that is no address
        return None if any(caller in proxies for proxies in self._proxies) else web.network(caller)


class Buckets:
    """One bucket of `burst` tokens per caller, filled with `per_s`; safe to use from several threads."""

    def __init__(self, per_s: float, burst: int, clock: Clock, max_callers: int = MAX_CALLERS) -> None:
        self._token_ms = 1000 / per_s
        self._depth_ms = burst * self._token_ms
        self._clock = clock
        self._max_callers = max_callers
        self._full_ms: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str) -> int:
        """Take a token: 0, or where there is none the seconds until the next."""
        with self._lock:
            wait_s = self._wait_s(caller)
            if not wait_s:
                now_ms = self._clock.monotonic_ms()
                self._full_ms[caller] = max(self._full_ms.get(caller, 0.0), now_ms) + self._token_ms
                self._full_ms.move_to_end(caller)
                if len(self._full_ms) > self._max_callers:
                    self._full_ms.popitem(last=False)
            return wait_s

    def wait_s(self, caller: str) -> int:
        """The seconds until there is a token; 0: there is one."""
        with self._lock:
            return self._wait_s(caller)

    def __len__(self) -> int:
        return len(self._full_ms)

    def _wait_s(self, caller: str) -> int:
        over_ms = self._full_ms.get(caller, 0.0) + self._token_ms - self._clock.monotonic_ms() - self._depth_ms
        return max(math.ceil(over_ms / 1000), 0)
