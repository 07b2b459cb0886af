"""What staff see of lamps, groups, programs and overrides: the shapes, and how they are filled."""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from api.answers import LampState, Measured, lamp_state, measured, newest
from api.light.lights import Members, Override, Said, counting, on_top
from api.light.shadows import Shadow, Shadows
from api.staff.alarms import Alarm
from hoflicht.catalogue import City, cabinet_of, duty
from hoflicht.instants import moment
from hoflicht.program import Program
from hoflicht.reading import Reading
from hoflicht.shadow import Outcome

QUANTITIES = (
    "level_target",
    "level_feedback",
    "level_actual",
    "light_reason",
    "active_power",
    "power_factor",
    "energy_import",
    "operating_hours",
    "lamp_starts",
    "life_left",
    "temperature",
    "voltage",
    "lamp_failure",
)


class Standing(enum.StrEnum):
    """How an override stands at a lamp; the first four as its gateway reports."""

    ACCEPTED = "accepted"
    APPLIED = "applied"  # the driver followed; it stays so when the time is over
    FAILED = "failed"
    EXPIRED = "expired"  # its time is over, and nobody said that the driver followed
    PENDING = "pending"  # its gateway has not answered yet
    SUPERSEDED = "superseded"  # a later override or release counts there
    NOBODY = "nobody"  # no gateway speaks for the lamp


class OverrideAnswer(msgspec.Struct, frozen=True):
    """An override and who followed; `percent` null: a release."""

    id: str
    lamp: str
    group: str
    percent: float | None
    at: dt.datetime
    until: dt.datetime
    counts: dict[Standing, int]
    lamps: dict[Standing, list[str]]


class KeptBy(msgspec.Struct, frozen=True):
    """A gateway that speaks for a lamp: the version that it shall keep, the one it reports, and why it refuses one."""

    gateway: str
    desired: int
    reported: int | None
    refused: str


class InForce(msgspec.Struct, frozen=True):
    """The override that counts at a lamp."""

    id: str
    percent: float | None
    until: dt.datetime
    standing: Standing


class PostAnswer(msgspec.Struct, frozen=True):
    """A lamp as staff see it: how it is to burn, what it does, what is wrong."""

    id: str
    street: str
    lat: float
    lon: float
    group: str
    cabinet: str
    nominal_power_w: float
    lighting_class: str
    program: str
    program_by_staff: bool
    override: InForce | None
    gateways: list[KeptBy]
    state: LampState
    values: dict[str, Measured]  # by quantity
    faults: list[str]  # by TALQ's names


class PostsAnswer(msgspec.Struct, frozen=True):
    """Lamps as staff see them."""

    city: str
    lamps: list[PostAnswer]


class GroupAnswer(msgspec.Struct, frozen=True):
    """Lamps that are switched together."""

    id: str
    name: str
    program: str
    program_by_staff: bool
    lamps: list[str]


class GroupsAnswer(msgspec.Struct, frozen=True):
    """All groups of the city."""

    groups: list[GroupAnswer]


class ProgramAnswer(msgspec.Struct, frozen=True):
    """A program, who wrote it, and how many lamps burn by it."""

    name: str
    by_staff: bool
    lamps: int
    program: Program


class ProgramsAnswer(msgspec.Struct, frozen=True):
    """All programs, of the catalogue and of staff."""

    programs: list[ProgramAnswer]


class BurnsBy(msgspec.Struct, frozen=True):
    """By which program a lamp or a group burns, and whether staff say so; an empty name: the failsafe."""

    lamp: str
    group: str
    program: str
    program_by_staff: bool


class Posts:
    """Fills the answers."""

    def __init__(self, city: City, shadows: Shadows) -> None:
        self._city = city
        self._shadows = shadows
        self._members: Members = shadows.members
        self._cabinets = {lamp: cabinet_of(city, lamp) for lamp in city.lamps}

    def lamps(
        self, names: Iterable[str], said: Said, latest: Iterable[Reading], alarms: Iterable[Alarm], now_ms: int
    ) -> list[PostAnswer]:
        """The lamps `names`, of which `latest` and `alarms` tell."""
        wanted, values = on_top(self._city, said), newest(latest)
        faults: dict[str, list[str]] = {}
        for alarm in alarms:
            faults.setdefault(alarm.site, []).append(alarm.talq)
        counts: dict[str, Override] = {}
        for override, lamps in counting(said, self._members, now_ms):
            counts |= {lamp: override for lamp in lamps if lamp not in counts}
        reports = {override.id: self._shadows.outcomes(override) for override in set(counts.values())}
        return [
            self._lamp(name, wanted, said, values.get(name, {}), faults.get(name, []), counts.get(name), reports, now_ms)
            for name in names
        ]

    def group(self, name: str, said: Said) -> GroupAnswer:
        """The group `name`."""
        group = on_top(self._city, said).groups[name]
        return GroupAnswer(name, group.name, group.program, name in said.groups, self._members.of_group(name))

    def override(self, override: Override, said: Said, now_ms: int) -> OverrideAnswer:
        """`override` and how it stands at each of its lamps."""
        by_standing: dict[Standing, list[str]] = {}
        for lamp, standing in self.standings(override, said, now_ms).items():
            by_standing.setdefault(standing, []).append(lamp)
        counts = {standing: len(lamps) for standing, lamps in by_standing.items()}
        span = moment(override.at_ms), moment(override.until_ms)
        return OverrideAnswer(override.id, override.lamp, override.group, override.percent, *span, counts, by_standing)

    def standings(self, override: Override, said: Said, now_ms: int) -> dict[str, Standing]:
        """How `override` stands, by lamp."""
        outcomes = self._shadows.outcomes(override)
        is_over = override.until_ms <= now_ms
        counting_at = {each.id: frozenset(lamps) for each, lamps in counting(said, self._members, now_ms)}.get(
            override.id, frozenset()
        )
        standings = {}
        for lamp in self._members.of(override):
            if not self._shadows.of_lamp(lamp):
                standings[lamp] = Standing.NOBODY
            elif not is_over and lamp not in counting_at:
                standings[lamp] = Standing.SUPERSEDED
            else:
                standings[lamp] = _standing(outcomes.get(lamp), is_over)
        return standings

    def _lamp(
        self,
        name: str,
        wanted: City,
        said: Said,
        known: Mapping[str, Reading],
        faults: Sequence[str],
        override: Override | None,
        reports: Mapping[str, Mapping[str, Outcome]],
        now_ms: int,
    ) -> PostAnswer:
        lamp, told = self._city.lamps[name], duty(wanted, name)
        in_force = None
        if override is not None:
            standing = _standing(reports[override.id].get(name), is_over=False)
            in_force = InForce(override.id, override.percent, moment(override.until_ms), standing)
        values = {quantity: measured(reading, now_ms) for quantity, reading in known.items()}
        return PostAnswer(
            id=name,
            street=lamp.street,
            lat=lamp.lat,
            lon=lamp.lon,
            group=lamp.group,
            cabinet=self._cabinets[name],
            nominal_power_w=lamp.nominal_power_w,
            lighting_class=told.lighting_class,
            program=told.program,
            program_by_staff=name in said.lamps or (lamp.group in said.groups and not lamp.program),
            override=in_force,
            gateways=[_kept_by(gateway, shadow) for gateway, shadow in self._shadows.of_lamp(name).items()],
            state=lamp_state(known),
            values=values,
            faults=sorted(faults),
        )


def _standing(outcome: Outcome | None, is_over: bool) -> Standing:
    if outcome is None or (outcome is Outcome.ACCEPTED and is_over):
        return Standing.EXPIRED if is_over else Standing.PENDING
    return Standing(outcome.value)


def _kept_by(gateway: str, shadow: Shadow) -> KeptBy:
    reported = shadow.reported
    if reported is None:
        return KeptBy(gateway, shadow.desired.version, None, "")
    return KeptBy(gateway, shadow.desired.version, reported.version, reported.refused)
