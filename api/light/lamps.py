"""What staff ask and say of lamps, under /v1/staff: look, override, release, see who followed. Each call is audited."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from api.answers import geojson
from api.light.posts import GroupAnswer, GroupsAnswer, OverrideAnswer, PostAnswer, PostsAnswer
from api.problems import Wrong
from api.reply import GEOJSON
from api.routes import Geo
from api.staff.control import Control, GroupId, LampId, answered, described, the
from api.staff.keys import Key
from hoflicht.reading import MAX_ID
from hoflicht.shadow import LONGEST_MS

LONGEST_MIN = LONGEST_MS // 60_000

OverrideId = Annotated[str, Path(max_length=MAX_ID, description="What a call that overrides or releases has answered")]
Level = Annotated[float, Query(ge=0, le=100, allow_inf_nan=False, description="Percent of the light at full level")]
Minutes = Annotated[int, Query(ge=1, le=LONGEST_MIN, description="Then the program counts again")]
Of = Annotated[str | None, Query(alias="group", max_length=MAX_ID, description="Only the lamps of this group")]


def router(control: Control) -> APIRouter:
    """The routes for lamps, groups and commands."""
    routes = APIRouter(prefix="/v1/staff", tags=["staff"])
    _add_looks(routes, control)
    _add_overrides(routes, control)
    return routes


def _add_looks(routes: APIRouter, control: Control) -> None:
    city = control.city

    @routes.get("/lamps", summary="All lamps: how they are to burn, what they do, what is wrong", **described(PostsAnswer, GEOJSON))
    def all_lamps(key: Annotated[Key, control.reader], group: Of = None, form: Geo = "json") -> Response:
        names = list(city.lamps) if group is None else control.staff.shadows.members.of_group(the("group", group, city.groups))
        control.look(key, "lamps" if group is None else f"the lamps of {group}")
        posts = control.lamps(names)
        if form == "geojson":
            return Response(msgspec.json.encode(geojson(posts)), media_type=GEOJSON)
        return answered(PostsAnswer(city.name, posts))

    @routes.get("/lamps/{lamp}", summary="One lamp", **described(PostAnswer))
    def one_lamp(lamp: LampId, key: Annotated[Key, control.reader]) -> Response:
        control.look(key, the("lamp", lamp, city.lamps))
        return answered(control.lamps([lamp])[0])

    @routes.get("/groups", summary="All groups and their programs", **described(GroupsAnswer))
    def all_groups(key: Annotated[Key, control.reader]) -> Response:
        control.look(key, "groups")
        return answered(GroupsAnswer([control.posts.group(name, control.said()) for name in city.groups]))

    @routes.get("/groups/{group}", summary="One group", **described(GroupAnswer))
    def one_group(group: GroupId, key: Annotated[Key, control.reader]) -> Response:
        control.look(key, f"group {the('group', group, city.groups)}")
        return answered(control.posts.group(group, control.said()))


def _add_overrides(routes: APIRouter, control: Control) -> None:
    city, asked = control.city, described(OverrideAnswer)
    responses = asked["responses"]
    said = {**asked, "responses": {**responses, 202: {**responses[200], "description": "Not all lamps have followed yet"}}}

    @routes.put("/lamps/{lamp}/override", summary="Keep a lamp at a level for some time", **said)
    def override_lamp(lamp: LampId, key: Annotated[Key, control.controller], percent: Level, minutes: Minutes) -> Response:
        return control.override(key, percent, minutes, lamp=the("lamp", lamp, city.lamps))

    @routes.delete("/lamps/{lamp}/override", summary="Let a lamp follow its program again", **said)
    def release_lamp(lamp: LampId, key: Annotated[Key, control.controller]) -> Response:
        return control.override(key, None, 0, lamp=the("lamp", lamp, city.lamps))

    @routes.put("/groups/{group}/override", summary="Keep all lamps of a group at a level for some time", **said)
    def override_group(group: GroupId, key: Annotated[Key, control.controller], percent: Level, minutes: Minutes) -> Response:
        return control.override(key, percent, minutes, group=the("group", group, city.groups))

    @routes.delete("/groups/{group}/override", summary="Let all lamps of a group follow their programs again", **said)
    def release_group(group: GroupId, key: Annotated[Key, control.controller]) -> Response:
        return control.override(key, None, 0, group=the("group", group, city.groups))

    @routes.get("/commands/{command}", summary="Who followed an override or a release", **asked)
    def command(command: OverrideId, key: Annotated[Key, control.reader]) -> Response:
        found = [override for override in control.said().overrides if override.id == command]
        if not found:
            raise Wrong(404, f"there is no command {command!r}, or it has been over for a day")
        control.look(key, f"command {command}")
        return control.answer(found[0])
