"""A read view of OGC SensorThings 1.1 (18-088, Part 1: Sensing) under /v1.1, for portals and clients that speak it.

Not in our OpenAPI description: what may be asked is the standard's language of paths and options, which OpenAPI cannot say.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.address import base
from api.minutes import cut
from api.problems import Wrong
from api.reply import JSON, Body, reply
from api.sensorthings.answer import Answer
from api.sensorthings.model import ALIASES, FIELDS, ID, OBSERVATIONS, RELATIONS, SELF, STREAMS, Entity, World, is_many
from api.sensorthings.query import ONE, read
from hoflicht.catalogue import City
from hoflicht.clock import Clock
from store.readings import Store

ROOT = "/v1.1"
TEXT = "text/plain; charset=utf-8"
REQUIREMENT = "http://www.opengis.net/spec/iot_sensing/1.1/req/"
# What holds here. Not: the query functions, of which some are missing; writing, batches, MQTT, arrays.
MODELLED = (
    "thing",
    "location",
    "historical-location",
    "datastream",
    "sensor",
    "observed-property",
    "observation",
    "feature-of-interest",
)
ASKED = (
    *("status-code", "query-status-code", "order", "expand", "select", "orderby", "top", "skip", "count", "filter"),
    *("built-in-filter-operations", "pagination"),
)
CONFORMANCE = [
    *(f"{REQUIREMENT}datamodel/{entity}/{part}" for entity in MODELLED for part in ("properties", "relations")),
    f"{REQUIREMENT}datamodel/entity-control-information/common-control-information",
    f"{REQUIREMENT}resource-path/resource-path-to-entities",
    *(f"{REQUIREMENT}request-data/{option}" for option in ASKED),
]
SEGMENT = re.compile(r"([A-Za-z]+)(?:\('([^']*)'\))?")
KEPT = 16  # answers of the minute that runs, 6 MB at most each: thousands who ask the same make one question to the store


class Place(NamedTuple):
    """Where a path leads: to an entity; or to a collection, which of Observations is told by its Datastreams."""

    kind: str
    entity: Entity | None
    found: list[Entity]
    rest: list[str]  # of the path: a property, $value, $ref


class Told(NamedTuple):
    """An answer on its way out."""

    body: Body
    media_type: str = JSON


def router(city: City, store: Store, clock: Clock) -> APIRouter:
    """The view of `city`."""
    routes = APIRouter()
    world = World(city, store, clock)

    @functools.lru_cache(KEPT)
    def told(root: str, path: str, query: tuple[tuple[str, str], ...], minute_ms: int) -> Told:
        asked = {name: text for name, text in query if name.startswith("$")}
        if len(asked) < sum(name.startswith("$") for name, _ in query):
            raise Wrong(400, "an option may be there once")
        if not path.strip("/"):
            return Told(Body(msgspec.json.encode(_landing(root))))
        return _answered(world, Answer(world, store, root, minute_ms), root, path.strip("/"), asked)

    @routes.get(ROOT, include_in_schema=False)
    @routes.get(ROOT + "/{path:path}", include_in_schema=False)
    def ask(request: Request, path: str = "") -> Response:
        query = tuple(request.query_params.multi_items())
        answer = told(base(request, city) + ROOT, path, query, cut(clock.now_ms()))
        return reply(request, answer.body, answer.media_type)

    return routes


def _landing(root: str) -> dict[str, Any]:
    """§9.2.1: the collections, and which requirements hold."""
    collections = [{"name": kind, "url": f"{root}/{kind}"} for kind in RELATIONS]
    return {"value": collections, "serverSettings": {"conformance": CONFORMANCE}}


def _answered(world: World, answer: Answer, root: str, path: str, asked: Mapping[str, str]) -> Told:
    place = _walk(world, answer, path)
    if place.entity is None:
        options = read(place.kind, asked)
        if place.rest:
            options = options._replace(select=frozenset({SELF}), expand={})
        return _json(answer.collection(place.kind, place.found, options, f"{root}/{path}"))
    if set(asked) - set(ONE):
        raise Wrong(400, f"of a single entity these can be asked: {', '.join(ONE)}")
    options = read(place.kind, asked)
    return _property(answer, place.entity, place.rest) if place.rest else _json(answer.entity(place.entity, options))


def _property(answer: Answer, entity: Entity, rest: list[str]) -> Told:
    name = ALIASES.get(rest[0], rest[0])
    value = answer.properties(entity).get(name)
    if value is None:
        raise Wrong(404, f"{entity.kind}('{entity.id}') has no {name!r}")
    if len(rest) == 1:
        return _json({name: value})
    return Told(Body(value.encode() if isinstance(value, str) else msgspec.json.encode(value)), TEXT)


def _json(told: Mapping[str, Any]) -> Told:
    return Told(Body(msgspec.json.encode(told)))


def _walk(world: World, answer: Answer, path: str) -> Place:
    """Follow `path` from one entity to the next (§9.2); raise Wrong where it leads nowhere."""
    first, *rest = path.split("/")
    kind, name = _segment(first)
    if kind not in RELATIONS:
        raise Wrong(404, f"there is no {kind!r}; there are: {', '.join(RELATIONS)}")
    if name is None:
        return _ended(kind, world.all(STREAMS if kind == OBSERVATIONS else kind), rest)
    entity = _found(answer.find(kind, name), kind, name)
    while rest:
        if rest[0] in (ID, SELF, *ALIASES, *FIELDS[entity.kind]) and rest[1:] in ([], ["$value"]):
            break
        relation, name = _segment(rest.pop(0))
        if relation not in RELATIONS[entity.kind]:
            raise Wrong(404, f"from {entity.kind} lead: {', '.join(RELATIONS[entity.kind])}")
        kind, found = RELATIONS[entity.kind][relation], world.related(entity, relation)
        if is_many(relation) and name is None:
            return _ended(kind, found, rest)
        if name is not None:
            named = _found(answer.find(kind, name), kind, name)
            of = world.related(named, "Datastream")[0] if kind == OBSERVATIONS else named
            found = [named] if of in found else []
        entity = _found(next(iter(found), None), kind, name or "")
    return Place(entity.kind, entity, [], rest)


def _ended(kind: str, found: list[Entity], rest: list[str]) -> Place:
    if rest not in ([], ["$ref"]):
        raise Wrong(404, f"after {kind} comes the id of one of them, {kind}('…'), or $ref")
    return Place(kind, None, found, rest)


def _segment(text: str) -> tuple[str, str | None]:
    found = SEGMENT.fullmatch(text)
    if found is None:
        raise Wrong(404, f"{text[:60]!r} leads nowhere; ids stand in quotes: Things('…')")
    return found[1], found[2]


def _found(entity: Entity | None, kind: str, name: str) -> Entity:
    if entity is None:
        raise Wrong(404, f"there is no {kind}('{name[:80]}') here")
    return entity
