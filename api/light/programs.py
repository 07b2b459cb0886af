"""Programs of light and who burns by which, under /v1/staff. What staff say lies on top of the catalogue, and can be taken back."""

from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from api.light.desired import unfit
from api.light.lights import Said, on_top
from api.light.posts import BurnsBy, ProgramAnswer, ProgramsAnswer
from api.problems import Wrong
from api.reply import JSON
from api.staff.control import Control, GroupId, LampId, answered, body_of, described, the
from api.staff.keys import Key
from hoflicht.catalogue import duty
from hoflicht.program import Program, complaints
from hoflicht.reading import MAX_ID, is_id
from hoflicht.shadow import MAX_PROGRAMS

T = TypeVar("T")
ProgramId = Annotated[str, Path(max_length=MAX_ID, description="Name of a program", examples=["hauptstrasse"])]
Name = Annotated[str, Query(max_length=MAX_ID, description="Name of a program")]
BODY = {"requestBody": {"required": True, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Program"}}}}}


def router(control: Control) -> APIRouter:
    """The routes for programs."""
    routes = APIRouter(prefix="/v1/staff", tags=["staff"])
    _add_programs(routes, control)
    _add_users(routes, control)
    return routes


def _add_programs(routes: APIRouter, control: Control) -> None:
    city, asked = control.city, described(ProgramAnswer)
    written = {**asked, "openapi_extra": {**asked["openapi_extra"], **BODY}}

    @routes.get("/programs", summary="All programs", **described(ProgramsAnswer))
    def all_programs(key: Annotated[Key, control.reader]) -> Response:
        control.look(key, "programs")
        return answered(_programs(control))

    @routes.get("/programs/{name}", summary="One program", **asked)
    def one_program(name: ProgramId, key: Annotated[Key, control.reader]) -> Response:
        control.look(key, f"program {the('program', name, on_top(city, control.said()).programs)}")
        return answered(_program(control, name))

    @routes.put("/programs/{name}", summary="Make or change a program", **written)
    def put_program(name: ProgramId, key: Annotated[Key, control.controller], body: Annotated[bytes, Depends(body_of)]) -> Response:
        program = _read(name, body)

        def change(said: Said) -> Said:
            if len({name, *said.programs, *city.programs}) > MAX_PROGRAMS:
                raise Wrong(422, f"there are {MAX_PROGRAMS} programs already")
            return _fitting(control, msgspec.structs.replace(said, programs=said.programs | {name: program}))

        control.change(key, f"change program {name}", change)
        return answered(_program(control, name))

    @routes.delete(
        "/programs/{name}", summary="Take staff's program back: the catalogue's counts again", **described(ProgramsAnswer)
    )
    def delete_program(name: ProgramId, key: Annotated[Key, control.controller]) -> Response:
        def change(said: Said) -> Said:
            the("program of staff", name, said.programs)
            if name not in city.programs and name in {*said.lamps.values(), *said.groups.values()}:
                raise Wrong(422, f"lamps or groups burn by {name!r}; give them another program first")
            return msgspec.structs.replace(said, programs=_without(said.programs, name))

        control.change(key, f"take back program {name}", change)
        return answered(_programs(control))


def _add_users(routes: APIRouter, control: Control) -> None:
    city, asked = control.city, described(BurnsBy)

    @routes.put("/lamps/{lamp}/program", summary="Let a lamp burn by this program", **asked)
    def lamp_by(lamp: LampId, key: Annotated[Key, control.controller], name: Name) -> Response:
        return _burn(control, key, name, lamp=the("lamp", lamp, city.lamps))

    @routes.delete("/lamps/{lamp}/program", summary="Let a lamp burn by what the catalogue says", **asked)
    def lamp_as_before(lamp: LampId, key: Annotated[Key, control.controller]) -> Response:
        return _burn(control, key, None, lamp=the("lamp", lamp, city.lamps))

    @routes.put("/groups/{group}/program", summary="Let a group burn by this program", **asked)
    def group_by(group: GroupId, key: Annotated[Key, control.controller], name: Name) -> Response:
        return _burn(control, key, name, group=the("group", group, city.groups))

    @routes.delete("/groups/{group}/program", summary="Let a group burn by what the catalogue says", **asked)
    def group_as_before(group: GroupId, key: Annotated[Key, control.controller]) -> Response:
        return _burn(control, key, None, group=the("group", group, city.groups))


def _burn(control: Control, key: Key, program: str | None, *, lamp: str = "", group: str = "") -> Response:
    """Let a lamp or a group burn by `program`; None: by what the catalogue says."""

    def change(said: Said) -> Said:
        if program is not None:
            the("program", program, {*control.city.programs, *said.programs})
        lamps = _with(said.lamps, lamp, program) if lamp else said.lamps
        groups = _with(said.groups, group, program) if group else said.groups
        changed = msgspec.structs.replace(said, lamps=lamps, groups=groups)
        return changed if program is None else _fitting(control, changed)

    by = "the catalogue" if program is None else program
    control.change(key, f"let {lamp or f'group {group}'} burn by {by}", change)
    said = control.said()
    wanted = on_top(control.city, said)
    burns_by = duty(wanted, lamp).program if lamp else wanted.groups[group].program
    return answered(BurnsBy(lamp, group, burns_by, lamp in said.lamps or group in said.groups))


def _read(name: str, body: bytes) -> Program:
    if not is_id(name):
        raise Wrong(422, f"{name!r} cannot name a program: lower case letters, digits, hyphens and underscores, at most {MAX_ID}")
    try:
        program = msgspec.json.decode(body, type=Program)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as cause:
        raise Wrong(422, f"program: {cause}") from cause
    for complaint in complaints(program):
        raise Wrong(422, complaint.text)
    return program


def _fitting(control: Control, said: Said) -> Said:
    complaint = unfit(control.city, said)
    if complaint:
        raise Wrong(422, complaint)
    return said


def _program(control: Control, name: str) -> ProgramAnswer:
    said = control.said()
    wanted = on_top(control.city, said)
    users = sum(duty(wanted, lamp).program == name for lamp in wanted.lamps)
    return ProgramAnswer(name, name in said.programs, users, wanted.programs[the("program", name, wanted.programs)])


def _programs(control: Control) -> ProgramsAnswer:
    return ProgramsAnswer([_program(control, name) for name in on_top(control.city, control.said()).programs])


def _with(users: dict[str, str], name: str, program: str | None) -> dict[str, str]:
    return _without(users, name) if program is None else users | {name: program}


def _without(programs: dict[str, T], name: str) -> dict[str, T]:
    return {each: program for each, program in programs.items() if each != name}
