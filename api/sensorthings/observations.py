"""Observations of the SensorThings view: whole minutes of public quantities, out of the store.

A page by time goes through the store in windows, each longer than the last, until it is full; the next page goes on after its last
Observation, by that one's time and Datastream. So nothing is missed or told twice, however much has come in between.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from api.history import Quantity
from api.minutes import MINUTE_MS, cut
from api.problems import Wrong
from api.sensorthings.filter import Call, Interval, Literal, Node, Path, conjuncts, paths
from api.sensorthings.model import OBSERVATIONS, REACH_MS, RELATIONS, STREAMS, Allowance, Entity, World, stream_of
from api.sensorthings.query import SKIPTOKEN, TIMES, Options, Values, holds, is_by_time, ordered
from hoflicht.instants import moment, ms
from store.readings import Store

STAMP = "%Y%m%dT%H%MZ"
NAME = re.compile(r"((?:[^:]+:){2}[^:]+):(20\d{6}T\d{4}Z)", re.ASCII)
# Whether a filter's time means the begin or the end of a minute need not be told apart here: each Observation is held against it.
MARGIN_MS = 2 * MINUTE_MS
BOUND_BELOW, BOUND_ABOVE = ("eq", "ge", "gt", "after", "during"), ("eq", "le", "lt", "before", "during")
GROWTH = 32  # of the windows: that a sensor has been silent for a month is known after four


class Page(NamedTuple):
    """Some of a collection, how the next page is asked for where there is one, and how many there are where that was asked for."""

    entities: Sequence[Entity]
    following: Mapping[str, str] | None
    total: int | None


class Observing:
    """The Observations until the minute of `now_ms`, of which nothing is told."""

    def __init__(self, world: World, store: Store, now_ms: int, allowance: Allowance) -> None:
        self._world, self._store, self._allowance = world, store, allowance
        self._end_ms = cut(now_ms)

    def find(self, name: str) -> Entity | None:
        """The one that is called so."""
        known = _named(name)
        stream = self._world.find(STREAMS, known[1]) if known else None
        if known is None or stream is None:
            return None
        return next(iter(self._read(stream, known[0], known[0] + MINUTE_MS)), None)

    def page(self, streams: Sequence[Entity], options: Options, at: Values) -> Page:
        """What `options` ask of the Observations in `streams`."""
        streams = _chosen(streams, options.where, at)
        is_falling = any(each.is_falling for each in options.order)
        by_time, after = is_by_time(options.order), _cursor(options.after)
        is_whole = options.is_counted or not by_time
        least = REACH_MS // MINUTE_MS if is_whole else options.skip + options.limit + 1
        span = self._span(options.where) if is_whole or after is None else _beyond(after, self._span(options.where), is_falling)
        walked = self._walk(streams, span, least, is_falling)
        found: Iterator[Entity] = (each for each in walked if options.where is None or holds(options.where, each, at))
        total = None
        if is_whole:
            whole = ordered(list(found), () if by_time else options.order, at)
            total, found = len(whole) if options.is_counted else None, iter(whole)
        if after is not None and by_time:
            found = (each for each in found if (_key(each) < after if is_falling else _key(each) > after))
        taken = list(islice(found, options.skip, options.skip + options.limit + 1))
        told = taken[: options.limit]
        if len(taken) == len(told) or not told:
            return Page(told, None, total)
        return Page(told, {SKIPTOKEN: told[-1].id} if by_time else {"$skip": str(options.skip + options.limit)}, total)

    def _walk(self, streams: Sequence[Entity], span: tuple[int, int], least: int, is_falling: bool) -> Iterator[Entity]:
        """By time, then Datastream; the first window has `least` minutes."""
        (start_ms, end_ms), size_ms = span, least * MINUTE_MS
        while start_ms < end_ms and streams:
            size_ms = min(size_ms, end_ms - start_ms)
            from_ms = end_ms - size_ms if is_falling else start_ms
            found = (each for stream in streams for each in self._read(stream, from_ms, from_ms + size_ms))
            yield from sorted(found, key=_key, reverse=is_falling)
            start_ms, end_ms = (start_ms, from_ms) if is_falling else (from_ms + size_ms, end_ms)
            size_ms *= GROWTH

    def _read(self, stream: Entity, start_ms: int, end_ms: int) -> list[Entity]:
        start_ms, end_ms = max(start_ms, self._end_ms - self._world.reach_ms(stream)), min(end_ms, self._end_ms)
        if start_ms >= end_ms:
            return []
        self._allowance.take(Allowance.READ)
        site, sensor, quantity = stream_of(stream)
        fold = self._store.sums if quantity == Quantity.PASSAGE else self._store.means
        steps = fold(site, sensor, quantity, start_ms, end_ms, MINUTE_MS)
        self._allowance.take(len(steps))
        return [Entity(OBSERVATIONS, f"{stream.id}:{moment(at_ms):{STAMP}}", at_ms, value) for at_ms, value in steps]

    def _span(self, where: Node | None) -> tuple[int, int]:
        """Between which whole minutes all lie that can be meant."""
        start_ms, end_ms = self._end_ms - REACH_MS, self._end_ms
        for each in conjuncts(where):
            match each:
                case Call(name, (Path(names), Literal(Interval(begin, end)))) if names in TIMES:
                    start_ms = max(start_ms, cut(begin) - MARGIN_MS) if name in BOUND_BELOW else start_ms
                    end_ms = min(end_ms, cut(end) + MARGIN_MS) if name in BOUND_ABOVE else end_ms
        return start_ms, end_ms


def _chosen(streams: Sequence[Entity], where: Node | None, at: Values) -> Sequence[Entity]:
    """The Datastreams that are left by what in a filter asks nothing of the Observation itself."""
    for each in conjuncts(where):
        match each:
            case Call("eq", (Path(("Datastream", "id" | "@iot.id")), Literal(str(name)))):  # is asked often, and found at once
                streams = [stream for stream in streams if stream.id == name]
            case _ if all(path[0] in RELATIONS[OBSERVATIONS] for path in paths(each)):
                streams = [stream for stream in streams if holds(each, Entity(OBSERVATIONS, stream.id), at)]
    return streams


def _key(entity: Entity) -> tuple[int, str]:
    return entity.at_ms, ":".join(stream_of(entity))


def _named(name: str) -> tuple[int, str] | None:
    """Begin and Datastream of the Observation that is called so."""
    found = NAME.fullmatch(name)
    try:
        return None if found is None else (ms(dt.datetime.strptime(f"{found[2]}+0000", f"{STAMP}%z")), found[1])
    except ValueError:  # the 31st of February
        return None


def _cursor(text: str) -> tuple[int, str] | None:
    known = _named(text)
    if text and known is None:
        raise Wrong(400, f"{SKIPTOKEN} is ours to make")
    return known


def _beyond(after: tuple[int, str], span: tuple[int, int], is_falling: bool) -> tuple[int, int]:
    start_ms, end_ms = span
    return (start_ms, min(end_ms, after[0] + MINUTE_MS)) if is_falling else (max(start_ms, after[0]), end_ms)
