"""One answer of the SensorThings view: entities with their links, expanded and selected, page by page (OGC 18-088 §8.1, §9.3)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from api.minutes import MINUTE_MS
from api.problems import Wrong
from api.sensorthings import texts
from api.sensorthings.filter import Interval, Point, Value
from api.sensorthings.model import ALIASES, ID, OBSERVATIONS, RELATIONS, SELF, Allowance, Entity, World, is_many
from api.sensorthings.observations import Observing, Page
from api.sensorthings.query import SKIPTOKEN, Options, holds, ordered
from store.readings import Store

# What expressions see of an Observation that JSON tells otherwise, or where a month of minutes would take long.
OBSERVED: dict[str, Callable[[Entity], Value]] = {
    "phenomenonTime": lambda each: Interval(each.at_ms, each.at_ms + MINUTE_MS),
    "resultTime": lambda each: Interval(each.at_ms + MINUTE_MS, each.at_ms + MINUTE_MS),
    "result": texts.result,
}
LEGIBLE = "$'(),/:;@"  # in a query these stand for themselves (RFC 3986 §3.4)


class Answer:
    """What is told at `now_ms` to somebody who reaches the view at `root`."""

    def __init__(self, world: World, store: Store, root: str, now_ms: int) -> None:
        self._world, self._root, self._allowance = world, root, Allowance()
        self._observing = Observing(world, store, now_ms, self._allowance)

    def find(self, kind: str, name: str) -> Entity | None:
        """The entity of `kind` that is called so."""
        return self._observing.find(name) if kind == OBSERVATIONS else self._world.find(kind, name)

    def collection(self, kind: str, found: Sequence[Entity], options: Options, link: str, prefix: str = "") -> dict[str, Any]:
        """A page of `found`, or of the Observations in these Datastreams, that is asked for at `link`."""
        page = self._observing.page(found, options, self._at) if kind == OBSERVATIONS else self._page(found, options)
        told: dict[str, Any] = {} if page.total is None else {f"{prefix}@iot.count": page.total}
        if page.following is not None:
            told[f"{prefix}@iot.nextLink"] = _next_link(link, options, page.following)
        return {**told, prefix or "value": [self.entity(each, options) for each in page.entities]}

    def entity(self, entity: Entity, options: Options) -> dict[str, Any]:
        """`entity` with what `options` expand and select."""
        self._allowance.take(Allowance.WRITE)
        link = self._link(entity)
        told = self.properties(entity)
        for relation in RELATIONS[entity.kind]:
            if relation not in options.expand and (not options.select or relation in options.select):
                told[f"{relation}@iot.navigationLink"] = f"{link}/{relation}"
        if options.select:
            told = {name: value for name, value in told.items() if name.partition("@iot.navigationLink")[0] in options.select}
        for relation, nested in options.expand.items():
            found = self._world.related(entity, relation)
            if is_many(relation):
                told |= self.collection(RELATIONS[entity.kind][relation], found, nested, f"{link}/{relation}", relation)
            else:
                told[relation] = self.entity(found[0], nested)
        return told

    def properties(self, entity: Entity) -> dict[str, Any]:
        """`entity` without its relations."""
        link = self._link(entity)
        return {ID: entity.id, SELF: link, **texts.told(self._world, entity, link)}

    def _link(self, entity: Entity) -> str:
        return f"{self._root}/{entity.kind}('{entity.id}')"

    def _page(self, found: Sequence[Entity], options: Options) -> Page:
        where = options.where
        if where is not None:
            found = [each for each in found if holds(where, each, self._at)]
        total = len(found) if options.is_counted else None
        end = options.skip + options.limit
        told = ordered(found, options.order, self._at)[options.skip : end]
        return Page(told, {"$skip": str(end)} if end < len(found) and told else None, total)

    def _at(self, entity: Entity, names: tuple[str, ...]) -> list[Value]:
        self._allowance.take(Allowance.LOOK)
        name, *rest = names
        if name in RELATIONS[entity.kind]:
            if RELATIONS[entity.kind][name] == OBSERVATIONS:
                raise Wrong(501, "no filter and no order goes through Observations; ask Datastreams('…')/Observations")
            return [value for each in self._world.related(entity, name) for value in self._at(each, tuple(rest))]
        if entity.kind == OBSERVATIONS and name in OBSERVED:
            return [OBSERVED[name](entity)]
        told: Any = self.properties(entity).get(ALIASES.get(name, name))
        for each in rest:
            told = told.get(each) if isinstance(told, dict) else None
        value = _value(told)
        return [] if value is None else [value]


def _value(told: Any) -> Value | None:
    """Of a JSON value what expressions know."""
    if isinstance(told, dict) and told.get("type") == "Point":
        return Point(*told["coordinates"])
    if isinstance(told, bool | str):
        return told
    return float(told) if isinstance(told, int | float) else None


def _next_link(link: str, options: Options, following: Mapping[str, str]) -> str:
    asked = {name: value for name, value in options.text.items() if name not in ("$skip", SKIPTOKEN)}
    return f"{link}?{urlencode({**asked, **following}, quote_via=quote, safe=LEGIBLE)}"
