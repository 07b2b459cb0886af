"""All alarms: what can be wrong with lamps, yards, gateways and the platform, so that nobody has to look at a board to know."""

import hashlib
from collections.abc import Iterator, Mapping

from dashboards.gateway_alarms import GATEWAYS, PLATFORM
from dashboards.influxql import AMONG, IN_VIEW, Where, of_all, unseen
from dashboards.parts import any_of
from dashboards.rules import Group, Rule, Text
from dashboards.yard_alarms import YARDS, yards_of
from hoflicht.catalogue import City, cabinet_of
from hoflicht.faults import FAULTS, Severity

DAY_S = 86_400
# A fault is said again each hour, `communication_failure` each day; after two days the gateway's own alarm has long been known.
SAID = "time > now() - 2d"
SEEN_S = 7 * DAY_S  # what staff have seen alarms nobody for so long: a week's holiday of whoever saw it, and it is not forgotten
FAILED = "$X > 0.5"  # a state is 0 or 1
STANDS_S = 300  # who mends or tests a lamp switches it a few times within minutes
FEW = 3  # lamps: fewer are bulbs, more at once are a cable, a fuse or a cabinet
HALF = 2
MOST_AREAS = (
    200  # the largest; with two rules each, asked one after the other within a minute. Smaller ones have their lamps' alarms
)
CITY_WIDE = 5  # lamps, where nothing is known of streets: the same number turns the board red
GO: Mapping[Severity, Text] = {
    Severity.LOW: Text("Mit der nächsten Runde ansehen.", "Look at it with the next tour."),
    Severity.MEDIUM: Text("In den nächsten Tagen hinfahren.", "Somebody must go there within days."),
    Severity.HIGH: Text("Heute noch hinfahren.", "Somebody must go there today."),
}


def alarms(city: City | None = None) -> list[Rule]:
    """Every rule; with a catalogue also those that go by streets, cabinets and the places of sensors."""
    generic = [*_faults(), *YARDS, *GATEWAYS, *PLATFORM]
    return [*generic, _many()] if city is None else [*generic, *_areas(city), *yards_of(city)]


def _faults() -> Iterator[Rule]:
    for quantity, fault in FAULTS.items():
        go = GO[fault.severity]
        yield Rule(
            name=quantity.replace("_", "-"),
            group=Group.LAMPS,
            severity=fault.severity,
            title=Text(fault.de, fault.en[0].upper() + fault.en[1:]),
            meaning=Text(f"Es geht um {{site}}. {go.de}", f"It is about {{site}}. {go.en}"),
            ask=unseen(quantity, told=SAID),
            range_s=SEEN_S,
            wrong=FAILED,
            lasting_s=STANDS_S,
        )


def _many() -> Rule:
    return Rule(
        name="dark",
        group=Group.LAMPS,
        severity=Severity.HIGH,
        title=Text("Viele Lampen dunkel", "Many lamps dark"),
        meaning=Text(
            "{x} Lampen leuchten nicht. Das sind keine einzelnen Lampen mehr.", "{x} lamps do not light: no single lamps any more."
        ),
        ask=_sum("lamp_failure"),
        range_s=SEEN_S,
        wrong=f"$X >= {CITY_WIDE}",
        lasting_s=STANDS_S,
    )


def _areas(city: City) -> Iterator[Rule]:
    """For each street and each cabinet: half of its lamps dark, or without mains. The same lamps are one area, the street."""
    areas: dict[tuple[str, ...], str] = {}
    for name, fed in _lamps_by_area(city).items():
        areas.setdefault(tuple(fed), name)
    for lamps, name in sorted(areas.items(), key=lambda area: -len(area[0]))[:MOST_AREAS]:
        if len(lamps) >= FEW:
            yield from _area(name, lamps)


def _lamps_by_area(city: City) -> dict[str, list[str]]:
    areas: dict[str, list[str]] = {}
    for lamp, own in city.lamps.items():
        for area in dict.fromkeys(filter(None, (own.street, cabinet_of(city, lamp)))):
            areas.setdefault(area, []).append(lamp)
    return areas


def _area(name: str, lamps: tuple[str, ...]) -> Iterator[Rule]:
    mark = hashlib.sha256(name.encode()).hexdigest()[:12]  # an address that a renamed neighbour does not change
    kinds: tuple[tuple[str, str, Text], ...] = (
        ("dark", "lamp_failure", Text("Dunkel", "Dark")),
        ("no-mains", "supply_loss", Text("Ohne Netzspannung", "Without mains")),
    )
    for kind, quantity, title in kinds:
        yield Rule(
            name=f"{kind}-{mark}",
            section="dark",
            group=Group.LAMPS,
            severity=Severity.HIGH,
            title=Text(f"{title.de}: {name}", f"{title.en}: {name}"),
            meaning=Text(f"Betroffen sind {{x}} von {len(lamps)} Lampen.", f"{{x}} of {len(lamps)} lamps are concerned."),
            ask=_sum(quantity, {AMONG: any_of(lamps)}),
            range_s=SEEN_S,
            wrong=f"$X >= {max(FEW, len(lamps) / HALF):g}",
            lasting_s=STANDS_S,
        )


def _sum(quantity: str, where: Where = None) -> str:
    """Of how many sites it is so, and staff have not seen it: who has seen the half of a street knows the street."""
    return of_all(f'sum("{quantity}")', unseen(quantity, where, told=SAID), f'"{quantity}" > 0', since=IN_VIEW)
