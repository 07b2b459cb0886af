"""The language of $filter and $orderby: OGC 18-088 §9.3.3.5, text to a tree and the tree's values for an entity.

A path through a collection has many values: a comparison holds where it holds for one of them, `Datastreams/name eq 'x'` for the
Things that have such a Datastream. A value that is missing, or not of the kind that is asked for, is null: whatever is compared
with it is neither true nor false, and the entity is left out.
"""

import datetime as dt
import itertools
import math
import operator
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from api.problems import Wrong
from hoflicht.instants import moment, ms

MAX_NODES = 100  # of one expression: names, values and operators; the longest that a client writes has some twenty
MAX_DEPTH = 20  # brackets and functions in each other
UTC_OFFSET = r"(?:Z|[+-]\d\d:\d\d)"
INSTANT = rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{{1,6}})?)?{UTC_OFFSET}"
NAME = r"[@A-Za-z_][\w.@]*"
TOKEN = re.compile(
    rf"""\s*(?:(?P<time>{INSTANT}(?:/{INSTANT})?)
    |(?P<number>-?\d{{1,300}}(?:\.\d{{1,300}})?(?:[eE][+-]?\d{{1,3}})?)
    |geography'(?P<shape>[^']*)'
    |'(?P<text>(?:[^']|'')*)'
    |(?P<name>{NAME}(?:/{NAME})*)
    |(?P<mark>[(),]))""",
    re.VERBOSE | re.ASCII,
)
BINDS = {
    **{"or": 1, "and": 2, "eq": 4, "ne": 4, "gt": 5, "ge": 5, "lt": 5, "le": 5},
    **{"add": 6, "sub": 6, "mul": 7, "div": 7, "mod": 7},
}
NOT_BINDS = 3  # looser than a comparison, so that `not name eq 'x'` is what it reads like
POINT = re.compile(r"\s*POINT\s*\(\s*(\S+)\s+(\S+)\s*\)\s*", re.IGNORECASE)
POLYGON = re.compile(r"\s*POLYGON\s*\(\s*\(([^()]*(?:\)\s*,\s*\([^()]*)*)\)\s*\)\s*", re.IGNORECASE)
RING = re.compile(r"\)\s*,\s*\(")


class Interval(NamedTuple):
    """[begin, end) in milliseconds; an instant has both at the same."""

    begin: int
    end: int


class Point(NamedTuple):
    """Longitude and latitude in degrees."""

    lon: float
    lat: float


class Polygon(NamedTuple):
    """Its outer ring and its holes."""

    rings: tuple[tuple[Point, ...], ...]


Value: TypeAlias = float | bool | str | Interval | Point | Polygon


class Literal(NamedTuple):
    """A value that stands in the text."""

    value: Value


class Path(NamedTuple):
    """A property, of the entity itself or of one that it leads to."""

    names: tuple[str, ...]


class Call(NamedTuple):
    """An operator or function and what it is of."""

    name: str
    of: "tuple[Node, ...]"


Node: TypeAlias = Literal | Path | Call


class Function(NamedTuple):
    """What values it takes, and what it makes of them."""

    takes: tuple[type, ...]
    make: Callable[..., Value | None]


def parse(text: str) -> Node:
    """Read an expression; raise Wrong: 400 where it is none, 501 where it needs a function that is not known here."""
    return _Reader(text).whole()


def values(node: Node, at: Callable[[tuple[str, ...]], list[Value]]) -> list[Value]:
    """What `node` may be for an entity of whose paths `at` tells the values; nothing stands for null."""
    if isinstance(node, Literal):
        return [node.value]
    if isinstance(node, Path):
        return at(node.names)
    if node.name in ("and", "or"):
        both = (is_true(each, at) for each in node.of)
        return [all(both) if node.name == "and" else any(both)]
    given = [values(each, at) for each in node.of]
    if sum(len(each) > 1 for each in given) > 1:
        raise Wrong(501, "two collections cannot be held against each other")
    made = (_made(node.name, each) for each in itertools.product(*given))
    found = [value for value in made if value is not None]
    return [any(found)] if found and node.name in COMPARED else found


def is_true(node: Node, at: Callable[[tuple[str, ...]], list[Value]]) -> bool:
    """Whether an entity is to be in the answer."""
    return any(value is True for value in values(node, at))


def paths(node: Node) -> Iterator[tuple[str, ...]]:
    """All paths in `node`."""
    if isinstance(node, Path):
        yield node.names
    elif isinstance(node, Call):
        yield from (path for each in node.of for path in paths(each))


def conjuncts(node: Node | None) -> list[Node]:
    """What must all be true for `node` to be; nothing for None."""
    if isinstance(node, Call) and node.name == "and":
        return [each for side in node.of for each in conjuncts(side)]
    return [] if node is None else [node]


def _made(name: str, given: tuple[Value, ...]) -> Value | None:
    if name in COMPARED:
        return COMPARED[name](*given) if type(given[0]) is type(given[1]) else None
    takes, make = FUNCTIONS[name]
    return make(*given) if all(type(one) is kind for one, kind in zip(given, takes, strict=True)) else None


def _compared(holds: Callable[[Value, Value], bool], of_times: Callable[[Interval, Interval], bool]) -> Callable[..., bool | None]:
    def compare(one: Value, other: Value) -> bool | None:
        if isinstance(one, Interval) and isinstance(other, Interval):
            return of_times(one, other)
        return holds(one, other) if isinstance(one, float | str | bool) else None

    return compare


def _before(one: Interval, other: Interval) -> bool:
    """An interval does not hold its own end, an instant does."""
    return one.end <= other.begin if one.begin < one.end else one.begin < other.begin


def _overlaps(one: Interval, other: Interval) -> bool:
    return one.begin < max(other.end, other.begin + 1) and other.begin < max(one.end, one.begin + 1)


def _inside(point: Point, polygon: Polygon) -> bool:
    """By the number of edges that a ray to the east crosses; a hole's count too."""
    crossed = 0
    for ring in polygon.rings:
        for (lon, lat), (to_lon, to_lat) in itertools.pairwise(ring):
            if (lat > point.lat) != (to_lat > point.lat):
                crossed += point.lon < lon + (point.lat - lat) / (to_lat - lat) * (to_lon - lon)
    return crossed % 2 == 1


COMPARED: dict[str, Callable[..., bool | None]] = {
    "eq": _compared(operator.eq, operator.eq),
    "ne": _compared(operator.ne, operator.ne),
    "lt": _compared(operator.lt, _before),
    "gt": _compared(operator.gt, lambda one, other: _before(other, one)),
    "le": _compared(operator.le, lambda one, other: one.begin <= other.begin and one.end <= other.end),
    "ge": _compared(operator.ge, lambda one, other: one.begin >= other.begin and one.end >= other.end),
}
TEXTS, NUMBERS, TIMES = (str, str), (float, float), (Interval, Interval)
FUNCTIONS: dict[str, Function] = {
    "not": Function((bool,), operator.not_),
    "add": Function(NUMBERS, operator.add),
    "sub": Function(NUMBERS, operator.sub),
    "mul": Function(NUMBERS, operator.mul),
    "div": Function(NUMBERS, lambda one, other: one / other if other else None),
    "mod": Function(NUMBERS, lambda one, other: math.fmod(one, other) if other and math.isfinite(one) else None),
    "substringof": Function(TEXTS, lambda part, text: part in text),
    "startswith": Function(TEXTS, str.startswith),
    "endswith": Function(TEXTS, str.endswith),
    "indexof": Function(TEXTS, lambda text, part: float(text.find(part))),
    "concat": Function(TEXTS, operator.add),
    "length": Function((str,), lambda text: float(len(text))),
    "tolower": Function((str,), str.lower),
    "toupper": Function((str,), str.upper),
    "trim": Function((str,), str.strip),
    "round": Function((float,), lambda number: float(math.floor(number + 0.5)) if math.isfinite(number) else None),
    "floor": Function((float,), lambda number: float(math.floor(number)) if math.isfinite(number) else None),
    "ceiling": Function((float,), lambda number: float(math.ceil(number)) if math.isfinite(number) else None),
    "before": Function(TIMES, _before),
    "after": Function(TIMES, lambda one, other: _before(other, one)),
    "during": Function(TIMES, lambda one, other: other.begin <= one.begin < other.end and one.end <= other.end),
    "overlaps": Function(TIMES, _overlaps),
    **{
        part: Function((Interval,), lambda time, part=part: float(getattr(moment(time.begin), part)))
        for part in ("year", "month", "day", "hour", "minute", "second")
    },
    **dict.fromkeys(("st_within", "st_intersects", "geo.intersects"), Function((Point, Polygon), _inside)),
}


class _Reader:
    """One pass over the text, by the strength with which operators bind (V. Pratt, 1973)."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0

    def whole(self) -> Node:
        node = self._expression(0, 0)
        if self._next < len(self._tokens):
            raise Wrong(400, f"the expression goes on where it should end, at {self._tokens[self._next][1]!r}")
        return node

    def _take(self) -> tuple[str, str]:
        if self._next == len(self._tokens):
            raise Wrong(400, "the expression ends where it should go on")
        self._next += 1
        return self._tokens[self._next - 1]

    def _is_next(self, mark: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next] == ("mark", mark)

    def _expect(self, mark: str) -> None:
        if self._take() != ("mark", mark):
            raise Wrong(400, f"expected {mark!r} in the expression")

    def _expression(self, least: int, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Wrong(400, f"an expression may be {MAX_DEPTH} brackets deep")
        node = self._operand(depth)
        while self._next < len(self._tokens):
            kind, text = self._tokens[self._next]
            if kind != "name" or BINDS.get(text, 0) <= least:
                break
            self._next += 1
            node = Call(text, (node, self._expression(BINDS[text], depth + 1)))
        return node

    def _operand(self, depth: int) -> Node:
        kind, text = self._take()
        if kind == "mark" and text == "(":
            node = self._expression(0, depth + 1)
            self._expect(")")
            return node
        if kind == "name" and text == "not":
            return Call(text, (self._expression(NOT_BINDS, depth + 1),))
        if kind == "name" and self._is_next("("):
            return self._call(text, depth)
        if kind == "name" and text in ("true", "false"):
            return Literal(text == "true")
        if kind == "mark" or (kind == "name" and text in BINDS):
            raise Wrong(400, f"expected a name or a value in the expression, not {text!r}")
        return Path(tuple(text.split("/"))) if kind == "name" else Literal(_literal(kind, text))

    def _call(self, name: str, depth: int) -> Node:
        if name not in FUNCTIONS or name in (*BINDS, "not"):
            known = sorted(set(FUNCTIONS) - set(BINDS) - {"not"})
            raise Wrong(501, f"the function {name[:40]!r} is not known here; there are: {', '.join(known)}")
        self._expect("(")
        given = [self._expression(0, depth + 1)]
        while not self._is_next(")"):
            self._expect(",")
            given.append(self._expression(0, depth + 1))
        self._expect(")")
        if len(given) != len(FUNCTIONS[name].takes):
            raise Wrong(400, f"{name} takes {len(FUNCTIONS[name].takes)} values")
        return Call(name, tuple(given))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.rstrip()
    for _ in range(MAX_NODES + 1):
        if at == len(text):
            return
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise Wrong(400, f"the expression cannot be read from {text[at : at + 20]!r} on")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()
    raise Wrong(400, f"an expression may have {MAX_NODES} names, values, operators and brackets")


def _literal(kind: str, text: str) -> Value:
    try:
        if kind == "number":
            return float(text)
        if kind == "time":
            begin, _, end = text.partition("/")
            return Interval(_ms(begin), _ms(end or begin))
        return text.replace("''", "'") if kind == "text" else _shape(text)
    except (ValueError, OverflowError):
        raise Wrong(400, f"the value {text[:60]!r} cannot be read") from None


def _ms(text: str) -> int:
    at_ms = ms(dt.datetime.fromisoformat(text))
    moment(at_ms)  # some of the years 1 and 9999 lie outside of them in UTC
    return at_ms


def _shape(text: str) -> Point | Polygon:
    """Of well-known text what places are held against: a point, a polygon."""
    if found := POINT.fullmatch(text):
        return Point(float(found[1]), float(found[2]))
    if found := POLYGON.fullmatch(text):
        rings = [[each.split() for each in ring.split(",")] for ring in RING.split(found[1])]
        return Polygon(tuple(tuple(Point(float(lon), float(lat)) for lon, lat in ring) for ring in rings))
    raise Wrong(501, "of shapes POINT and POLYGON are known here")
