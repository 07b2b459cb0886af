"""What staff have said of the lamps: programs, who burns by which, overrides. It lies on top of the catalogue, in one file.

An override ends by itself, and stays in the file for a day after that, for whoever asks what became of it.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from api.staff.lock import locked
from hoflicht import atomic
from hoflicht.catalogue import City
from hoflicht.config import Strict
from hoflicht.errors import BadConfig, BadPayload
from hoflicht.program import Percent, Program, complaints
from hoflicht.shadow import Instant

KEPT_MS = 86_400_000  # after its end: who was at work at night is asked in the morning
MAX_OVERRIDES = 2_000  # in force, and as many that are over: what one key may say in an hour (api.staff.door); some 300 kB each


class Override(Strict, frozen=True):
    """A lamp, or all of a group, keep this level from `at_ms` until before `until_ms`; None: they are released from earlier ones.

    Exactly one of `lamp` and `group` is named.
    """

    id: str
    percent: Percent | None
    at_ms: Instant
    until_ms: Instant
    lamp: str = ""
    group: str = ""


class Said(Strict, frozen=True):
    """All of it, as the file has it."""

    programs: dict[str, Program] = {}
    lamps: dict[str, str] = {}  # the program of a lamp
    groups: dict[str, str] = {}  # the program of a group
    overrides: tuple[Override, ...] = ()  # the latest last


NOTHING = Said()


class Lights:
    """What was said, in the file at `path`; raise BadConfig where that is no such file. No file: nothing was said."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changing = threading.Lock()
        self._said = self._read()

    def said(self) -> Said:
        """As it is now."""
        return self._said

    def change(self, change: Callable[[Said], Said]) -> None:
        """Put what `change` makes of it in its place; on disk when this returns, untouched where `change` raises."""
        with self._changing, locked(self._path.parent):
            said = change(self._read())
            atomic.write(self._path, msgspec.json.format(msgspec.json.encode(said)) + b"\n", atomic.PRIVATE)
            self._said = said

    def _read(self) -> Said:
        try:
            said = msgspec.json.decode(self._path.read_bytes(), type=Said)
        except FileNotFoundError:
            return NOTHING
        except (OSError, msgspec.DecodeError) as cause:
            raise BadConfig(f"{self._path}: not what staff have said of lamps ({cause}); repair it, or move it away") from cause
        for name, program in said.programs.items():
            for complaint in complaints(program):
                raise BadConfig(f"{self._path}: programs.{name}: {complaint.text}")
        return said


def added(said: Said, override: Override, now_ms: int) -> Said:
    """`said` and one more override; of those that are over some are kept. Raise BadPayload where too many are in force."""
    over = [each for each in said.overrides if each.until_ms <= now_ms < each.until_ms + KEPT_MS][-MAX_OVERRIDES:]
    in_force = [each for each in said.overrides if each.until_ms > now_ms]
    if len(in_force) >= MAX_OVERRIDES:
        raise BadPayload(f"{MAX_OVERRIDES} overrides are in force already; release some, or say it of a group")
    return msgspec.structs.replace(said, overrides=tuple(sorted([*over, *in_force, override], key=lambda each: each.at_ms)))


def on_top(city: City, said: Said) -> City:
    """The city as staff want it. Words about what is no longer in the catalogue are left out."""
    programs = city.programs | said.programs
    by_lamp = {name: program for name, program in said.lamps.items() if name in city.lamps and program in programs}
    by_group = {name: program for name, program in said.groups.items() if name in city.groups and program in programs}
    return msgspec.structs.replace(
        city,
        programs=programs,
        lamps=city.lamps | {name: msgspec.structs.replace(city.lamps[name], program=by_lamp[name]) for name in by_lamp},
        groups=city.groups | {name: msgspec.structs.replace(city.groups[name], program=by_group[name]) for name in by_group},
    )


class Members:
    """Which lamps an override speaks of."""

    def __init__(self, city: City) -> None:
        self._lamps = frozenset(city.lamps)
        self._groups: dict[str, list[str]] = {}
        for name, lamp in city.lamps.items():
            self._groups.setdefault(lamp.group, []).append(name)

    def of(self, override: Override) -> list[str]:
        """In the order of the catalogue; those that it has lost are left out."""
        if override.lamp:
            return [override.lamp] if override.lamp in self._lamps else []
        return self.of_group(override.group)

    def of_group(self, group: str) -> list[str]:
        """The lamps of `group`."""
        return self._groups.get(group, []) if group else []


def counting(said: Said, members: Members, now_ms: int) -> Iterator[tuple[Override, list[str]]]:
    """The overrides that are not over, the latest first, each with the lamps at which it still can count.

    At a lamp the latest counts; so one that ends no later than a later one counts there never more.
    """
    taken_ms: dict[str, int] = {}
    for override in reversed(said.overrides):
        if override.until_ms <= now_ms:
            continue
        lamps = [lamp for lamp in members.of(override) if taken_ms.get(lamp, 0) < override.until_ms]
        taken_ms.update(dict.fromkeys(lamps, override.until_ms))
        yield override, lamps
