"""What a gateway's lamps shall do, and what has become of it: the payloads of `desired/light` and `reported/light`.

`desired` is the whole truth each time: a gateway that was away for a week needs only the last one. It is versioned; `reported`
echoes the version. What the lamps do in fact goes the way of all readings: `level_target`, `level_feedback`, `level_actual` and
`light_reason`.
"""

import enum
from typing import Annotated, TypeVar

import msgspec

from hoflicht.config import Strict
from hoflicht.errors import BadPayload
from hoflicht.program import Percent, Program, complaints, of_class
from hoflicht.reading import is_id

MAX_LAMPS = 1_024  # of one gateway: 16 DALI lines
MAX_PROGRAMS = 200
MAX_COMMANDS = 200  # in force or to come at one gateway
LONGEST_MS = 7 * 86_400_000  # of a command: a street festival and its days before; what lasts longer is a program
MAX_PAYLOAD = 512 * 1024  # bytes; a full house of lamps has half of it

T = TypeVar("T")
Version = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
Instant = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]  # Unix epoch in ms


class Reason(enum.IntEnum):
    """Why a level is asked for, as TALQ tells them apart; the number is the reading `light_reason`."""

    FAILSAFE = 0
    PROGRAM = 1
    SENSOR = 2
    OVERRIDE = 3


class Outcome(enum.StrEnum):
    """What has become of a command at one lamp."""

    ACCEPTED = "accepted"  # the gateway has it and is at it
    APPLIED = "applied"  # the driver reports the level
    FAILED = "failed"  # the driver does not follow, or there is no such lamp; it is tried on until the command ends
    EXPIRED = "expired"  # its time is over


class Duty(Strict, frozen=True):
    """What the catalogue says of one lamp."""

    program: str = ""  # empty: the failsafe, full light when it is dark
    lighting_class: str = ""  # that it was planned for, at full level
    nominal_power_w: Annotated[float, msgspec.Meta(gt=0, le=2_000)] = 56.0
    traffic: tuple[str, ...] = ()  # whose passages raise it, "lamp-0001/traffic"
    weather: str = ""  # where light and rain are measured, "lamp-0012/weather"; empty: nowhere


class Command(Strict, frozen=True):
    """An override: from `at_ms` until before `until_ms` these lamps keep this level; None: they are released from earlier ones.

    Of several that are in force at a lamp the one with the latest `at_ms` counts.
    """

    id: str
    lamps: Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_LAMPS)]
    percent: Percent | None
    at_ms: Instant
    until_ms: Instant


class Desired(Strict, frozen=True):
    """What one gateway shall do."""

    version: Version
    programs: Annotated[dict[str, Program], msgspec.Meta(max_length=MAX_PROGRAMS)] = {}
    lamps: Annotated[dict[str, Duty], msgspec.Meta(max_length=MAX_LAMPS)] = {}
    commands: Annotated[tuple[Command, ...], msgspec.Meta(max_length=MAX_COMMANDS)] = ()


class Reported(Strict, frozen=True):
    """What has become of it: the version that is kept, why a newer one is not, and each command's outcome at each lamp."""

    version: Version
    refused_version: Version | None = None
    refused: str = ""
    outcomes: dict[str, dict[Outcome, tuple[str, ...]]] = {}  # by command


def encode(said: Desired | Reported) -> bytes:
    """The payload."""
    return msgspec.json.encode(said)


def desired(payload: bytes) -> Desired:
    """Read a payload of `desired/light`; raise BadPayload, one line, where it cannot be followed in all it says."""
    said = _decoded(payload, Desired)
    for name, program in said.programs.items():
        for wrong in complaints(program):
            raise BadPayload(f"program {name!r}: {wrong.text}")
    for name, duty in said.lamps.items():
        if not is_id(name):
            raise BadPayload(f"{name!r} cannot name a lamp")
        if duty.program and duty.program not in said.programs:
            raise BadPayload(f"lamp {name!r}: there is no program {duty.program!r}")
        for complaint in of_class(duty.lighting_class):
            raise BadPayload(f"lamp {name!r}: {complaint}")
    for command in said.commands:
        if not 0 < command.until_ms - command.at_ms <= LONGEST_MS:
            raise BadPayload(f"command {command.id!r}: it must last up to {LONGEST_MS // 3_600_000} hours")
    return said


def reported(payload: bytes) -> Reported:
    """Read a payload of `reported/light`; raise BadPayload."""
    return _decoded(payload, Reported)


def _decoded(payload: bytes, shape: type[T]) -> T:
    if len(payload) > MAX_PAYLOAD:
        raise BadPayload(f"{len(payload)} bytes, at most {MAX_PAYLOAD} are read")
    try:
        return msgspec.json.decode(payload, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as cause:
        raise BadPayload(str(cause)) from cause
