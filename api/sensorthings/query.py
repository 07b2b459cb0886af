"""The system query options of a request: OGC 18-088 §9.3, text to values."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from api.problems import Wrong
from api.sensorthings.filter import Node, Path, Value, is_true, parse, paths, values
from api.sensorthings.model import ALIASES, FIELDS, ID, OBSERVATIONS, RELATIONS, SELF, Entity, check

USUAL_TOP = 100  # entities of a page
MAX_TOP = 1_000
# Each of them asks the database some times; a client that takes the next page gets them all.
TOP_WITH_OBSERVATIONS = 20
MAX_NESTED = 4  # $expand in $expand; a Thing is three away from its Observations' features
TIMES = (("phenomenonTime",), ("resultTime",))
SKIPTOKEN = "$skiptoken"  # of our own next links: after which Observation they go on
ONE = ("$expand", "$select")  # what makes sense of a single entity
OPTIONS = (*ONE, "$filter", "$count", "$orderby", "$skip", "$top")
NUMBER = re.compile(r"\d{1,9}", re.ASCII)
ORDER = re.compile(r"(.+?)(?:\s+(asc|desc))?", re.IGNORECASE | re.DOTALL)
EXPANDED = re.compile(r"([A-Za-z]+)(?:/(.+)|\((.*)\))?", re.DOTALL)


Values: TypeAlias = Callable[[Entity, tuple[str, ...]], list[Value]]  # those at a path of an entity


class Order(NamedTuple):
    """What a collection is put in order by."""

    by: Node
    is_falling: bool


class Options(NamedTuple):
    """What is asked of a collection; of an entity, `select` and `expand` alone."""

    text: Mapping[str, str]  # as they were asked, for the next page
    top: int | None = None
    skip: int = 0
    is_counted: bool = False
    select: frozenset[str] = frozenset()  # nothing: all
    order: tuple[Order, ...] = ()
    where: Node | None = None
    expand: Mapping[str, "Options"] = {}
    after: str = ""

    @property
    def limit(self) -> int:
        """How many entities a page may have."""
        most = TOP_WITH_OBSERVATIONS if self._has_observations() else MAX_TOP
        return min(most, USUAL_TOP if self.top is None else self.top)

    def _has_observations(self) -> bool:
        return OBSERVATIONS in self.expand or any(each._has_observations() for each in self.expand.values())


def read(kind: str, texts: Mapping[str, str], nested: int = 0) -> Options:
    """What `texts` ask of entities of `kind`; raise Wrong: 400 where one cannot be read, 501 where it is not known here."""
    if nested > MAX_NESTED:
        raise Wrong(400, f"$expand may be {MAX_NESTED} levels deep")
    for name in texts:
        if name not in (*OPTIONS, SKIPTOKEN):
            raise Wrong(501, f"the option {name[:40]!r} is not known here; there are: {', '.join(OPTIONS)}")
    return Options(
        text=texts,
        top=_number(texts, "$top"),
        skip=_number(texts, "$skip") or 0,
        is_counted=_is_counted(texts.get("$count", "false")),
        select=frozenset(_selected(kind, texts["$select"])) if "$select" in texts else frozenset(),
        order=tuple(_orders(kind, texts["$orderby"])) if "$orderby" in texts else (),
        where=_expression(kind, texts["$filter"]) if "$filter" in texts else None,
        expand=_expanded(kind, texts["$expand"], nested) if "$expand" in texts else {},
        after=texts.get(SKIPTOKEN, ""),
    )


def split(text: str, mark: str) -> list[str]:
    """The parts of `text` between `mark`s that stand in no brackets and no quotes; raise Wrong where one is empty."""
    parts, depth, is_quoted = [""], 0, False
    for each in text:
        is_quoted ^= each == "'"
        depth += 0 if is_quoted else (each == "(") - (each == ")")
        if each == mark and depth == 0 and not is_quoted:
            parts.append("")
        else:
            parts[-1] += each
    stripped = [part.strip() for part in parts]
    if not all(stripped):
        raise Wrong(400, f"nothing stands where something is expected in {text[:60]!r}")
    return stripped


def _number(texts: Mapping[str, str], name: str) -> int | None:
    if name not in texts:
        return None
    if not NUMBER.fullmatch(texts[name]):
        raise Wrong(400, f"{name} is a number of at most nine digits")
    return int(texts[name])


def _is_counted(text: str) -> bool:
    if text not in ("true", "false"):
        raise Wrong(400, "$count is true or false")
    return text == "true"


def _selected(kind: str, text: str) -> Iterator[str]:
    for part in split(text, ","):
        name = ALIASES.get(part, part)
        if name not in (ID, SELF, *FIELDS[kind], *RELATIONS[kind]):
            check(kind, (name,))  # tells what there is
        yield name


def _orders(kind: str, text: str) -> Iterator[Order]:
    for part in split(text, ","):
        found = ORDER.fullmatch(part)
        assert found is not None  # anything but nothing
        yield Order(_expression(kind, found[1]), (found[2] or "").lower() == "desc")


def _expression(kind: str, text: str) -> Node:
    node = parse(text)
    for path in paths(node):
        check(kind, path)
    return node


def _expanded(kind: str, text: str, nested: int) -> dict[str, Options]:
    expanded: dict[str, dict[str, str]] = {}
    for part in split(text, ","):
        found = EXPANDED.fullmatch(part)
        if found is None or found[1] not in RELATIONS[kind]:
            raise Wrong(400, f"$expand cannot follow {part[:60]!r}; from {kind} lead: {', '.join(RELATIONS[kind])}")
        texts = expanded.setdefault(found[1], {})
        for name, value in [("$expand", found[2])] if found[2] else _inner(found[3] or ""):
            # The same relation may be named twice: Datastreams/Sensor,Datastreams/ObservedProperty
            texts[name] = f"{texts[name]},{value}" if name == "$expand" and name in texts else value
    return {name: read(RELATIONS[kind][name], texts, nested + 1) for name, texts in expanded.items()}


def _inner(text: str) -> Iterator[tuple[str, str]]:
    for part in split(text, ";") if text else ():
        name, is_told, value = part.partition("=")
        if not is_told:
            raise Wrong(400, f"expected an option in $expand, not {part[:60]!r}")
        yield name.strip(), value.strip()


def is_by_time(order: tuple[Order, ...]) -> bool:
    """Whether Observations asked for in `order` come by their time alone."""
    return not order or (len(order) == 1 and isinstance(order[0].by, Path) and order[0].by.names in TIMES)


def holds(node: Node, entity: Entity, at: Values) -> bool:
    """Whether `node` is true for `entity`."""
    return is_true(node, lambda names: at(entity, names))


def ordered(entities: Sequence[Entity], order: tuple[Order, ...], at: Values) -> Sequence[Entity]:
    """`entities` in `order`; those without a value come before all others where it rises (§9.3.3.1)."""
    for each in reversed(order):  # sorting is stable

        def rank(entity: Entity, by: Node = each.by) -> tuple[str, Value]:
            found = values(by, lambda names: at(entity, names))
            return (type(found[0]).__name__, found[0]) if found else ("", 0.0)

        entities = sorted(entities, key=rank, reverse=each.is_falling)
    return entities
