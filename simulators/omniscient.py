"""The observer who knows all that can be known of a simulated yard now; nobody can expect a wait better than that.

It knows the cars in the lane, the bays that are open and, of the closures that the staff know, those to come, how long each car has
unloaded, and the laws; not who has a trailer, nor what nobody knows yet: how long each will take, the next change of containers or
stop (once it has begun, its end is known). The expectation is a mean over paths of the yard into the future (Monte Carlo),
all paths at once.
"""

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hoflicht.catalogue import Yard
from simulators.bays import Span
from simulators.service import Service
from simulators.yard import Law, Opening

PATHS = 200  # the mean of a wait that spreads by a quarter is then sure to 2 %
NEVER_MS = 1e18

# The logarithm of P(Z > z) for the normal distribution, to be read both ways; beyond it no service of a simulated day lies.
Z = np.linspace(-7.0, 9.0, 16_001)
LOG_TAIL = np.array([math.log(0.5 * math.erfc(z / math.sqrt(2))) for z in Z.tolist()])

Floats = npt.NDArray[np.float64]


class Observer:
    """Looks at an opening that was lived to its end; its cars unload as soon as they are let in: no spare places, no groups."""

    def __init__(self, yard: Yard, law: Law, lived: Opening, seed: int, paths: int = PATHS) -> None:
        if law.spare_places or law.together > 1:
            raise ValueError("the observer knows no cars between gate and bay: spare_places=0 and together=1")
        self._law, self._lived, self._paths = law, lived, paths
        self._service, self._bays = law.service(yard), yard.bays
        self._rng = np.random.default_rng(seed)
        self._came_ms = _times(car.came_ms for car in lived.cars)
        self._let_in_ms = _times(car.let_in_ms for car in lived.cars)
        self._left_ms = _times(car.left_ms for car in lived.cars)
        self._gave_up_ms = _times(car.gave_up_ms for car in lived.cars)
        self._bay = np.array([-1 if car.bay is None else car.bay for car in lived.cars])

    def wait_s(self, at_ms: int) -> float:
        """The expected wait, in seconds, of a car that comes at `at_ms`; who came at that instant is not in front of it."""
        soonest_ms = self._soonest_ms(at_ms)
        free_ms = self._free_ms(at_ms)
        closures = self._known_closures(at_ms)
        ahead = (self._came_ms < at_ms) & (self._let_in_ms > at_ms) & (self._gave_up_ms > at_ms)
        let_in = self._let_in_ms[(self._came_ms < at_ms) & (self._let_in_ms <= at_ms)]
        before_ms = np.full(self._paths, let_in.max(initial=-NEVER_MS))
        rows = np.arange(self._paths)
        for joined_ms in [*(self._came_ms[ahead] + 1000 * self._law.roll_s).tolist(), float(at_ms)]:
            bay, start_ms = self._next_start_ms(free_ms, closures, max(joined_ms, self._lived.opens_ms))
            start_ms = np.maximum(np.maximum(start_ms, soonest_ms), before_ms + 1000 * self._law.headway_s)
            stays = self._stays(start_ms, at_ms) if joined_ms < at_ms else np.full(self._paths, True)
            before_ms = np.where(stays, start_ms, before_ms)
            done_ms = start_ms + 1000 * self._drawn_s()
            free_ms[rows, bay] = np.where(stays, done_ms, free_ms[rows, bay])
        return float(np.mean(before_ms) - at_ms) / 1000

    def _soonest_ms(self, at_ms: int) -> float:
        """Nobody is let in before: now, the opening, and the end of a hold or stop that has begun."""
        ends_ms = [span.end_ms for span in (*self._lived.holds, *self._lived.stops) if span.holds(at_ms)]
        return max([at_ms, self._lived.opens_ms, *ends_ms])

    def _free_ms(self, at_ms: int) -> Floats:
        """When each bay's car will have left, or left, by path and bay."""
        free_ms = np.full((self._paths, self._bays), float(self._lived.opens_ms))
        stop_end_ms = max([at_ms, *(stop.end_ms for stop in self._lived.stops if stop.holds(at_ms))])
        for bay in range(self._bays):
            here = (self._bay == bay) & (self._came_ms < at_ms) & (self._let_in_ms <= at_ms)
            gone_ms = self._left_ms[here & (self._left_ms <= at_ms)]
            if gone_ms.size:
                free_ms[:, bay] = gone_ms.max()
            for start_ms in self._let_in_ms[here & (self._left_ms > at_ms)].tolist():
                elapsed_ms = at_ms - start_ms - sum(_overlap_ms(stop, start_ms, at_ms) for stop in self._lived.stops)
                free_ms[:, bay] = stop_end_ms + 1000 * residual_s(self._service, elapsed_ms / 1000, self._paths, self._rng)
        return free_ms

    def _known_closures(self, at_ms: int) -> list[tuple[Floats, Floats]]:
        """Start and end by bay: the first known closure of each, then the second, and so on."""
        of_bay: list[list[Span]] = [[] for _ in range(self._bays)]
        for closure in sorted(self._lived.closures, key=lambda closure: closure.start_ms):
            if closure.known_ms <= at_ms < closure.end_ms:
                of_bay[closure.bay].append(closure)
        most = max(len(spans) for spans in of_bay)
        none = Span(0, 0)
        rounds = [[spans[n] if n < len(spans) else none for spans in of_bay] for n in range(most)]
        return [(_times(span.start_ms for span in each), _times(span.end_ms for span in each)) for each in rounds]

    def _next_start_ms(
        self, free_ms: Floats, closures: list[tuple[Floats, Floats]], joined_ms: float
    ) -> tuple[npt.NDArray[np.intp], Floats]:
        """In each path the bay that takes the next car, and when."""
        ready_ms = self._at_gate_ms(np.maximum(free_ms, joined_ms))
        for start_ms, end_ms in closures:
            ready_ms = np.where((ready_ms >= start_ms) & (ready_ms < end_ms), end_ms, ready_ms)
        ready_ms = self._at_gate_ms(ready_ms)
        bay = np.argmin(ready_ms, axis=1)
        return bay, ready_ms[np.arange(self._paths), bay]

    def _at_gate_ms(self, ready_ms: Floats) -> Floats:
        """Put off to the next opening of a gate that lets in batches."""
        if not self._law.every_s:
            return ready_ms
        every_ms = 1000 * self._law.every_s
        batches: Floats = np.ceil((ready_ms - self._lived.opens_ms) / every_ms)
        at_gate_ms: Floats = self._lived.opens_ms + every_ms * batches
        return at_gate_ms

    def _stays(self, start_ms: Floats, at_ms: int) -> npt.NDArray[np.bool_]:
        """Who has not given up before; an exponential patience has no memory."""
        if self._law.give_up_min == math.inf:
            return np.full(self._paths, True)
        return start_ms < at_ms + 60_000 * self._rng.exponential(self._law.give_up_min, self._paths)

    def _drawn_s(self) -> Floats:
        return residual_s(self._service, 0.0, self._paths, self._rng)


def residual_s(service: Service, elapsed_s: float, paths: int, rng: np.random.Generator) -> Floats:
    """What is left of unloadings that have taken `elapsed_s`: drawn by the inverse of the truncated law, in seconds.

    Whether it is a trailer that unloads follows from the elapsed time by Bayes' rule.
    """
    if service.sigma is None:
        return rng.exponential(service.plain_s, paths)
    factors = np.ones(paths)
    if service.trailers:
        plain = (1 - service.trailers) * math.exp(_log_tail(service, elapsed_s))
        towing = service.trailers * math.exp(_log_tail(service, elapsed_s / service.trailer_factor))
        factors[rng.random(paths) * (plain + towing) < towing] = service.trailer_factor
    tails = np.where(factors > 1, _log_tail(service, elapsed_s / service.trailer_factor), _log_tail(service, elapsed_s))
    # A tail that is uniform below the one reached belongs to a time beyond the elapsed one. np.interp wants rising numbers.
    z = np.interp(-(tails + np.log1p(-rng.random(paths))), -LOG_TAIL, Z)
    left_s: Floats = np.maximum(factors * service.median_s * np.exp(service.sigma * z) - elapsed_s, 0.0)
    return left_s


def _log_tail(service: Service, elapsed_s: float) -> float:
    """log P(T > elapsed) of a car without a trailer."""
    if elapsed_s <= 0 or not service.sigma:
        return 0.0
    return float(np.interp(math.log(elapsed_s / service.median_s) / service.sigma, Z, LOG_TAIL))


def _times(times_ms: Iterable[float | None]) -> Floats:
    return np.array([NEVER_MS if at_ms is None else float(at_ms) for at_ms in times_ms])


def _overlap_ms(stop: Span, start_ms: float, end_ms: float) -> float:
    return max(0.0, min(stop.end_ms, end_ms) - max(stop.start_ms, start_ms))
